"""What holds for every call: who may ask, in which order a request is judged, how a refusal looks."""

import json
import re

import httpx
import pytest

from tests.api.helpers import NOBODY, VERIFIED, day, every_page, match, ok, read, refused

ITEM = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1"}
JSON = {"Content-Type": "application/json"}


async def post(world, content, **headers):
    return await world.admin.post("/v1/items", content=content, headers={**JSON, **headers})


# -- who asks


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic YWRtaW46YWRtaW4=", "bearer\txh_x", "Bearer 钥匙".encode()],
)
async def test_a_call_without_a_good_key_is_401_and_says_how_to_authenticate(world, authorization):
    client = world.with_key(None)
    headers = [] if authorization is None else [("Authorization", authorization)]
    answer = await client.get("/v1/me", headers=headers)
    refused(answer, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_scheme_is_read_in_any_case(world):
    key = await world.key("viewer")
    assert ok(await world.with_key(None).get("/v1/me", headers={"Authorization": f"bEARER {key}"}))


async def test_me_names_grants_and_permissions(world):
    me = await read(await world.person("responsible", "t1v1"), "/v1/me")
    assert [(grant["role"], grant["unit_id"]) for grant in me["grants"]] == [("responsible", world.units["t1v1"])]
    assert "item:claim" in me["permissions"] and "item:decide" not in me["permissions"]
    assert me["timezone"] == "Asia/Shanghai"


# -- the order of judgement: 401, 422, replay, 404, 403, 412, 409


async def test_401_comes_before_what_is_wrong_with_the_request(world):
    answer = await world.with_key(None).post("/v1/items?nonsense=1", content=b"\xff", headers=JSON)
    refused(answer, "unauthenticated")


async def test_401_comes_before_acting_for_another(world):
    refused(await world.with_key("wrong", **{"X-Acting-For": "zhang"}).get("/v1/me"), "unauthenticated")


async def test_422_comes_before_a_replay(world):
    key = {"Idempotency-Key": "order-422"}
    item = await world.item()
    url = f"/v1/items/{item['id']}/progress"
    ok(await world.admin.post(url, json={"text": "已更换管道"}, headers=key), 201)
    refused(await world.admin.post(url, json={"text": 5}, headers=key), "invalid_request", ("/text", "wrong_type"))


async def test_a_replay_comes_before_403_412_and_409(world):
    item = await world.item()
    sent = {
        "headers": {"Idempotency-Key": "order-replay", **match(item)},
        "json": {"trigger": "claim", "signed_by": "张三"},
    }
    first = await world.admin.post(f"/v1/items/{item['id']}/transitions", **sent)
    again = await world.admin.post(f"/v1/items/{item['id']}/transitions", **sent)
    assert again.headers["idempotent-replayed"] == "true"
    assert (ok(first), first.headers["etag"]) == (ok(again), again.headers["etag"])


async def test_a_key_used_for_another_request_is_refused_before_404_is_judged(world):
    key = {"Idempotency-Key": "order-reused"}
    ok(await world.admin.post("/v1/items", json=ITEM, headers=key), 201)
    unknown = {"code": "order-reused", "name": "某村", "parent": "nowhere"}
    refused(await world.admin.post("/v1/units", json=unknown, headers=key), "idempotency_key_reused")


async def test_422_comes_before_404(world):
    answer = await world.admin.post(f"/v1/items/{NOBODY}/transitions", json={"trigger": "claim"})
    refused(answer, "invalid_request", ("/signed_by", "missing"))


async def test_404_comes_before_403(world):
    item = await world.item()
    viewer = await world.person("viewer", "t2")
    refused(await world.fire(viewer, item["id"], "claim", signed_by="张三"), "not_found")


async def test_403_comes_before_412(world):
    item = await world.item()
    viewer = await world.person("viewer", "t1")
    sent = {"json": {"title": "别的"}, "headers": {"If-Match": '"77"'}}
    refused(await viewer.patch(f"/v1/items/{item['id']}", **sent), "forbidden")
    claim = {"json": {"trigger": "claim", "signed_by": "张三"}, "headers": {"If-Match": '"77"'}}
    refused(await viewer.post(f"/v1/items/{item['id']}/transitions", **claim), "forbidden")


async def test_412_comes_before_409(world):
    item = await world.item()
    sent = {"json": {"trigger": "reopen", "reason": "反弹", "due_on": day(5)}, "headers": {"If-Match": '"77"'}}
    refused(await world.admin.post(f"/v1/items/{item['id']}/transitions", **sent), "stale_version")


async def test_the_state_is_judged_before_the_guards(world):
    item = await world.item()
    past = {"due_on": day(-9), "reason": "汛期"}
    refused(await world.fire(world.admin, item["id"], "extend", **past), "invalid_transition")


@pytest.mark.parametrize("etag", ['"nonsense"', "1", '"-1"', '"1", "x"'])
async def test_an_if_match_that_is_none_of_ours_is_stale_but_never_before_404_and_403(world, etag):
    item = await world.item()
    url, body = f"/v1/items/{item['id']}/transitions", {"trigger": "claim", "signed_by": "张三"}
    outsider, viewer = await world.person("viewer", "t2"), await world.person("viewer", "t1")
    refused(await outsider.post(url, json=body, headers={"If-Match": etag}), "not_found")
    refused(await viewer.post(url, json=body, headers={"If-Match": etag}), "forbidden")
    refused(await world.admin.post(url, json=body, headers={"If-Match": etag}), "stale_version")


# -- how a refusal looks


@pytest.mark.parametrize(
    ("accept", "tongue"),
    [
        (None, "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN", "zh"),
        ("de-DE, fr;q=0.8", "zh"),
        ("en;q=0.4, zh;q=0.9", "zh"),
        ("zh;q=0.4, en;q=0.9", "en"),
        ("zh ; q=0.4 , en ; q=0.9", "en"),
        ("zh; q=0.9, en; q=0.4", "zh"),
        ("de, en;q=0.2", "en"),
        ("en;q=0", "zh"),
        ("EN-us", "en"),
        ("*", "zh"),
        ("en;q=banana, zh;q=nan", "zh"),
        (",;=q,,", "zh"),
    ],
)
async def test_a_refusal_speaks_the_language_that_the_reader_ranks_highest(world, accept, tongue):
    headers = {} if accept is None else {"Accept-Language": accept}
    problem = refused(await world.admin.get("/v1/items/x", headers=headers), "invalid_request")
    assert problem["title"] == {"zh": "请求内容有误", "en": "The request is not valid"}[tongue]
    assert ("格式" in problem["errors"][0]["detail"]) == (tongue == "zh")


async def test_guards_and_forbidden_rules_speak_both_languages(world):
    item = await world.item()
    village = await world.person("responsible", "t1v1")
    for accept, word in (("zh", "督办单位"), ("en", "supervising")):
        answer = await village.post(
            f"/v1/items/{item['id']}/transitions",
            json={"trigger": "escalate", "reason": "逾期"},
            headers={"Accept-Language": accept},
        )
        assert word in refused(answer, "forbidden")["detail"]


async def test_the_type_of_a_problem_is_a_page_of_the_service(world):
    problem = refused(await world.admin.get("/v1/nothing"), "not_found")
    assert ok(await world.with_key(None).get(problem["type"]))["code"] == "not_found"


SECRET = "s3cret-13812345678"


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "/v1/items", {**ITEM, "severity": SECRET}),
        ("POST", "/v1/items", {**ITEM, "title": [SECRET]}),
        ("POST", "/v1/items", {**ITEM, "responsible_unit": SECRET}),
        ("POST", "/v1/items", {**ITEM, "attributes": SECRET}),
        ("POST", f"/v1/items/{NOBODY}/transitions", {"trigger": SECRET}),
        ("GET", f"/v1/items?limit={SECRET}", None),
        ("GET", f"/v1/items?cursor={SECRET}", None),
        ("GET", f"/v1/items?unit={SECRET}", None),
        ("GET", f"/v1/items?listed_after={SECRET}", None),
    ],
)
async def test_what_was_sent_is_never_echoed(world, method, url, body):
    answer = await world.admin.request(method, url, json=body)
    refused(answer, "invalid_request")
    assert SECRET not in answer.text
    assert not re.search(r"pydantic|Traceback|input_value|ValueError", answer.text)


@pytest.mark.parametrize("given", ["abc-1", "0192f3a4:7.b_c", "x" * 128])
async def test_a_request_id_is_taken(world, given):
    answer = await world.admin.get("/v1/me", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    assert refused(await world.admin.get("/v1/x", headers={"X-Request-Id": given}), "not_found")["request_id"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "汉字".encode(), "a<script>"])
async def test_a_request_id_that_is_missing_or_odd_is_made(world, given):
    headers = [] if given is None else [("X-Request-Id", given)]
    answer = await world.admin.get("/v1/me", headers=headers)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


# -- bodies


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b"{'title': 1}",
        b'{"title": "a",}',
        b'{"title": "\xff\xfe"}',
        b'\xef\xbb\xbf{"title": "a"}',
        json.dumps(ITEM).encode("utf-16"),
        json.dumps(ITEM).encode("utf-32-le"),
        json.dumps(ITEM, ensure_ascii=False).encode("gb18030"),
        b'{"title": NaN}',
        b'{"attributes": {"a": Infinity}}',
        b'{"attributes": {"a": -Infinity}}',
        b'{"title": "\\ud800"}',
        b'{"attributes": {"\\udc00": 1}}',
        b'{"title": "tab\there"}',
        b"[" * 30,
        b"9" * 5_000,
        b"{} {}",
    ],
)
async def test_a_body_that_is_no_json_in_utf8_is_invalid(world, content):
    refused(await post(world, content), "invalid_request", ("", "not_json"))


def nested(depth: int) -> bytes:
    """An item whose attributes make the body `depth` deep."""
    inner = b'{"a":' * (depth - 1) + b"1" + b"}" * (depth - 1)
    return b'{"title": "[[[{{{", "attributes": ' + inner + b"}"


@pytest.mark.parametrize(
    "content",
    [
        nested(33),
        nested(190),
        nested(1_000),
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"items": [' + b"[{}]," * 50 + nested(40) + b"]}",
    ],
)
async def test_a_body_that_is_nested_too_deep_is_too_complex(world, content):
    refused(await post(world, content), "invalid_request", ("", "too_complex"))


@pytest.mark.parametrize("content", [nested(32), nested(3), b"[" + b"[]," * 5_000 + b"0]"])
async def test_a_body_that_is_wide_or_nested_as_deep_as_allowed_is_judged_by_its_fields(world, content):
    problem = refused(await post(world, content), "invalid_request")
    assert ("", "too_complex") not in {(error["pointer"], error["code"]) for error in problem["errors"]}


@pytest.mark.parametrize("content", [b"[]", b"null", b'"text"', b"5", b"true", b"[1, 2]"])
async def test_a_body_that_is_no_object_has_the_wrong_type_or_is_missing(world, content):
    problem = refused(await post(world, content), "invalid_request")
    assert [error["pointer"] for error in problem["errors"]] == [""]


async def test_an_unknown_field_is_named(world):
    answer = await world.admin.post("/v1/items", json={**ITEM, "state": "closed", "source": {"who": 1}})
    refused(answer, "invalid_request", ("/source/who", "unknown_field"), ("/state", "unknown_field"))


async def test_a_pointer_escapes_what_json_pointer_escapes(world):
    answer = await world.admin.post("/v1/items", json={**ITEM, "a/b~c": 1})
    refused(answer, "invalid_request", ("/a~1b~0c", "unknown_field"))
    answer = await world.admin.get("/v1/items", params={"a/b~c": 1})
    refused(answer, "invalid_request", ("/query/a~1b~0c", "unknown_parameter"))


@pytest.mark.parametrize(
    "url", ["/v1/items", "/v1/me", f"/v1/items/{NOBODY}", "/v1/units", "/v1/ledgers", "/v1/overdue"]
)
async def test_an_unknown_query_parameter_is_named(world, url):
    refused(await world.admin.get(url, params={"page": 2}), "invalid_request", ("/query/page", "unknown_parameter"))


async def test_an_unknown_query_parameter_of_a_post_is_named(world):
    answer = await world.admin.post("/v1/items?dry_run=true", json=ITEM)
    refused(answer, "invalid_request", ("/query/dry_run", "unknown_parameter"))


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", "", "99999999999999999999999"])
async def test_a_limit_outside_its_bounds_is_named(world, limit):
    problem = refused(await world.admin.get("/v1/items", params={"limit": limit}), "invalid_request")
    assert [error["pointer"] for error in problem["errors"]] == ["/query/limit"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"trigger": "close", "verification": {**VERIFIED, "method": "magic"}}, "/verification/method", "not_allowed"),
        ({"trigger": "close", "verification": {"method": "phone"}}, "/verification/on", "missing"),
        ({"trigger": "close", "verification": {**VERIFIED, "on": day(2)}}, "/verification/on", "in_future"),
        ({"trigger": "close"}, "/verification", "missing"),
        ({"trigger": "fly"}, "/trigger", "not_allowed"),
        ({}, "/trigger", "missing"),
        ({"trigger": None}, "/trigger", None),
        ({"trigger": "extend", "reason": "雨", "due_on": "2026-02-30"}, "/due_on", "bad_format"),
        ({"trigger": "extend", "reason": "雨", "due_on": "20260228"}, "/due_on", "bad_format"),
        ({"trigger": "extend", "reason": "雨", "due_on": "1026-02-28"}, "/due_on", "out_of_range"),
        ({"trigger": "extend", "reason": "雨", "due_on": 20260228}, "/due_on", "wrong_type"),
        ({"trigger": "transfer", "reason": "雨"}, "/responsible_unit_id", "missing"),
        ({"trigger": "transfer", "reason": "雨", "responsible_unit": "t1", "responsible_unit_id": NOBODY},
         "/responsible_unit", "one_of_two"),
    ],
)  # fmt: skip
async def test_the_pointer_of_a_trigger_s_input_names_the_field_itself(world, body, pointer, code):
    problem = refused(await world.admin.post(f"/v1/items/{NOBODY}/transitions", json=body), "invalid_request")
    found = {error["pointer"]: error["code"] for error in problem["errors"]}
    assert pointer in found and code in (found[pointer], None), found
    assert code == "missing" or len(found) == 1, found


@pytest.mark.parametrize("media", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
async def test_another_content_type_is_415(world, media):
    headers = {} if media is None else {"Content-Type": media}
    answer = await world.admin.post("/v1/items", content=json.dumps(ITEM).encode(), headers=headers)
    refused(answer, "unsupported_media_type")


async def test_json_may_name_its_charset(world):
    ok(await post(world, json.dumps(ITEM).encode(), **{"Content-Type": "Application/JSON; charset=utf-8"}), 201)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_that_is_too_large_is_413(world, chunked):
    limit = world.app.state.settings.max_body_bytes

    async def parts():
        for _ in range(limit // 1_048_576 + 1):
            yield b" " * 1_048_576

    problem = refused(await post(world, parts() if chunked else b" " * (limit + 1)), "payload_too_large", limit=limit)
    assert str(limit) in problem["detail"]


# -- values that no reader or database takes


@pytest.mark.parametrize("field", ["title", "category", "responsible_person"])
@pytest.mark.parametrize(
    "text", ["a\nb", "a\tb", "a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "", "  ", "\u3000"]
)
async def test_a_line_takes_no_control_characters_and_is_not_blank(world, field, text):
    problem = refused(await world.admin.post("/v1/items", json={**ITEM, field: text}), "invalid_request")
    assert {error["pointer"] for error in problem["errors"]} == {f"/{field}"}


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\x08b", "a\x7fb", "\n\t \n"])
async def test_a_text_takes_no_control_characters_but_line_breaks_and_tabs(world, text):
    problem = refused(await world.admin.post("/v1/items", json={**ITEM, "description": text}), "invalid_request")
    assert {error["pointer"] for error in problem["errors"]} == {"/description"}
    assert (await world.item(description="一\r\n\t二"))["description"] == "一\r\n\t二"


@pytest.mark.parametrize(
    "attributes",
    [
        {"n": 2**53},
        {"n": -(2**53)},
        {"n": 1e300},
        {"deep": [{"n": 2**70}]},
        {"text": "a\x00b"},
        {"a\x00b": 1},
        {"long": "长" * 6000},
        {"many": [0] * 5000},
        [1],
        "text",
    ],
)
async def test_attributes_are_bounded(world, attributes):
    problem = refused(await world.admin.post("/v1/items", json={**ITEM, "attributes": attributes}), "invalid_request")
    assert {error["pointer"] for error in problem["errors"]} == {"/attributes"}


async def test_attributes_are_not_nested_too_deep(world):
    deep: object = 1
    for _ in range(25):
        deep = {"a": deep}
    answer = await world.admin.post("/v1/items", json={**ITEM, "attributes": deep})
    refused(answer, "invalid_request", ("/attributes", "too_complex"))


async def test_attributes_come_back_as_they_were_sent(world):
    sent = {
        "n": 2**53 - 1, "minus": -(2**53) + 1, "float": 0.1, "small": 1e-7, "zero": 0, "yes": True, "none": None,
        "长": "𠮷\n\"'\\", "list": [1, "2", [3.5, {}]], "": "", "b": 1, "a": 2,
    }  # fmt: skip
    item = await world.item(attributes=sent)
    back = await read(world.admin, f"/v1/items/{item['id']}")
    assert json.dumps(back["attributes"], sort_keys=True) == json.dumps(sent, sort_keys=True)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"percent": 2**53}, "/percent"),
        ({"percent": 101}, "/percent"),
        ({"percent": -1}, "/percent"),
        ({"percent": "50"}, "/percent"),
        ({"percent": True}, "/percent"),
        ({"percent": 0.5}, "/percent"),
        ({"text": "长" * 20_001}, "/text"),
    ],
)
async def test_numbers_and_texts_have_their_bounds(world, body, pointer):
    item = await world.item()
    answer = await world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": "已完成", **body})
    assert [error["pointer"] for error in refused(answer, "invalid_request")["errors"]] == [pointer]


@pytest.mark.parametrize(
    "name",
    ["q", "label", "external_ref", "ledger", "unit", "supervising_unit", "lamp", "cursor", "state", "due_before"],
)
@pytest.mark.parametrize("value", ["a%00b", "%ED%A0%80", "%ff", "%F0%9F%9A%B0", "'%22%5C;--", "%25_*%28"])
async def test_no_text_in_a_query_breaks_anything(world, name, value):
    answer = await world.admin.get(f"/v1/items?{name}={value}")
    assert answer.status_code in (200, 422), answer.text
    if name in ("cursor", "state", "due_before", "ledger", "unit", "supervising_unit"):
        refused(answer, "invalid_request")


@pytest.mark.parametrize("path", ["/v1/items/%00", "/v1/items/%ff%fe", "/v1/units/' or 1=1", "/v1/ledgers/1e9"])
async def test_an_id_that_is_none_is_invalid(world, path):
    problem = refused_path(await world.admin.get(path))
    assert problem["errors"][0]["pointer"].startswith("/path/")


def refused_path(answer: httpx.Response):
    """As `refused`, where the path is odd enough that client and server may write it differently."""
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_request"
    return answer.json()


# -- methods and paths


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/items", "GET, HEAD, POST"),
        ("DELETE", "/v1/items", "GET, HEAD, POST"),
        ("PUT", f"/v1/items/{NOBODY}", "GET, HEAD, PATCH"),
        ("POST", "/v1/me", "GET, HEAD"),
        ("DELETE", f"/v1/items/{NOBODY}/transitions", "GET, HEAD, POST"),
        ("POST", "/livez", "GET, HEAD"),
        ("TRACE", "/v1/items", "GET, HEAD, POST"),
    ],
)
async def test_a_method_that_is_not_answered_is_405_and_says_which_are(world, method, path, allowed):
    answer = await world.admin.request(method, path)
    refused(answer, "method_not_allowed")
    assert answer.headers["allow"] == allowed


async def test_head_is_get_without_its_body(world):
    item = await world.item()
    for path in ("/v1/me", f"/v1/items/{item['id']}", "/livez", "/docs", "/openapi.json", "/problems/conflict"):
        asked, told = await world.admin.get(path), await world.admin.head(path)
        assert (told.status_code, told.content) == (200, b""), path
        same = set(asked.headers) - {"x-request-id", "date"}
        assert {name: told.headers[name] for name in same} == {name: asked.headers[name] for name in same}
    etag = (await world.admin.get(f"/v1/items/{item['id']}")).headers["etag"]
    known = await world.admin.head(f"/v1/items/{item['id']}", headers={"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/items/batch", 405), ("/v1/nothing", 404), (f"/v1/items/{NOBODY}", 404), ("/v1/me?x=1", 422)],
)
async def test_head_is_refused_as_get_would_be(world, path, status):
    answer = await world.admin.head(path)
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await world.with_key(None).head("/v1/me")).status_code == 401


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/items/", "/v2/items", "/v1/nothing", "/.env", "/v1/Items"])
async def test_an_unknown_path_is_404_as_a_problem(world, path):
    refused(await world.admin.get(path), "not_found")
    refused(await world.with_key(None).get(path), "not_found")


# -- versions and caches


async def test_answers_are_cacheable_only_by_asking_again(world):
    item = await world.item()
    for url in ("/v1/items", f"/v1/items/{item['id']}", "/v1/units", "/v1/ledgers", "/v1/me", "/v1/overdue"):
        answer = await world.admin.get(url)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["vary"] == "Authorization, X-Acting-For, Accept-Language"
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_version_that_the_reader_has_is_304_without_a_body(world):
    item = await world.item()
    unit = f"/v1/units/{world.units['t1']}"
    ledger = f"/v1/ledgers/{item['ledger_id']}"
    for url in (f"/v1/items/{item['id']}", unit, ledger):
        etag = (await world.admin.get(url)).headers["etag"]
        assert re.fullmatch(r'"[0-9]+"', etag)
        for known in (etag, f"W/{etag}", f'"77", {etag}', "*"):
            answer = await world.admin.get(url, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
            assert answer.headers["vary"] and answer.headers["cache-control"] == "private, no-cache"
        assert (await world.admin.get(url, headers={"If-None-Match": '"77"'})).status_code == 200


async def test_the_etag_changes_with_the_version(world):
    item = await world.item()
    before = await world.admin.get(f"/v1/items/{item['id']}")
    claimed = await world.fire(world.admin, item["id"], "claim", signed_by="张三")
    assert (before.headers["etag"], claimed.headers["etag"]) == ('"1"', '"2"')
    url = f"/v1/items/{item['id']}"
    assert (await world.admin.get(url, headers={"If-None-Match": '"1"'})).headers["etag"] == '"2"'


# -- tenants


async def test_nothing_crosses_from_one_tenant_to_another(world):
    stranger = await world.tenant("other")
    item = await world.item(external_ref="A-1")
    refused(await stranger.get(f"/v1/items/{item['id']}"), "not_found")
    refused(await stranger.get(f"/v1/units/{world.units['t1']}"), "not_found")
    refused(await stranger.get(f"/v1/ledgers/{item['ledger_id']}"), "not_found")
    refused(await world.fire(stranger, item["id"], "claim", signed_by="张三"), "not_found")
    assert await every_page(stranger, "/v1/items") == []
    assert [unit["code"] for unit in await every_page(stranger, "/v1/units")] == ["root"]
    body = {"ledger": "default", "title": "别县问题", "responsible_unit_id": world.units["t1"]}
    answer = await stranger.post("/v1/items", json=body)
    refused(answer, "invalid_request", ("/responsible_unit_id", "unknown_reference"))
    answer = await stranger.post("/v1/items", json={**ITEM, "responsible_unit": "root", "ledger_id": item["ledger_id"]})
    assert answer.status_code == 422
