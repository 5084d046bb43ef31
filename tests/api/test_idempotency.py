"""An Idempotency-Key makes a lost answer come again, and nothing be done twice."""

import asyncio
import itertools

import pytest

from tests.api.helpers import day, every_page, ok, read, refused

ITEM = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1"}
serial = itertools.count(1)


def key(name: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": name or f"key-{next(serial)}"}


async def item_id(world):
    return (await world.item())["id"]


async def escalated(world):
    item = await world.item()
    return ok(await world.fire(world.admin, item["id"], "escalate", reason="逾期"))["interview_id"]


async def endpoint(world, name):
    """The address and a good body of each POST."""
    match name:
        case "items":
            return "/v1/items", ITEM
        case "external_ref":
            return "/v1/items", {**ITEM, "external_ref": f"idem{next(serial)}"}
        case "batch":
            return "/v1/items/batch", {"items": [ITEM, ITEM]}
        case "claim":
            return f"/v1/items/{await item_id(world)}/transitions", {"trigger": "claim", "signed_by": "张三"}
        case "transfer":
            body = {"trigger": "transfer", "responsible_unit": "t2v1", "reason": "属地有误"}
            return f"/v1/items/{await item_id(world)}/transitions", body
        case "annul":
            return f"/v1/items/{await item_id(world)}/transitions", {"trigger": "annul", "reason": "误报"}
        case "progress":
            return f"/v1/items/{await item_id(world)}/progress", {"text": "已开工", "percent": 10}
        case "record":
            body = {"held_on": day(0), "attendees": ["王强"], "minutes": "责成十日内完成整改"}
            return f"/v1/interviews/{await escalated(world)}/record", body
        case "ledgers":
            return "/v1/ledgers", {"code": f"idem{next(serial)}", "name": "某台账"}
        case "units":
            return "/v1/units", {"code": f"idem{next(serial)}", "name": "某村", "parent": "t1"}


ENDPOINTS = ("items", "external_ref", "batch", "claim", "transfer", "annul", "progress", "record", "ledgers", "units")


async def amount(world):
    """How much there is, of everything that a POST could make."""
    items = await read(world.admin, "/v1/items", include="total", limit=1)
    units = await every_page(world.admin, "/v1/units", limit=200)
    ledgers = await every_page(world.admin, "/v1/ledgers", limit=200)
    return items["total"], len(units), len(ledgers)


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_the_same_request_under_a_key_gets_the_first_answer_again(world, name):
    url, body = await endpoint(world, name)
    headers = key()
    first = await world.admin.post(url, json=body, headers=headers)
    assert first.is_success and "idempotent-replayed" not in first.headers
    before = await amount(world)
    again = await world.admin.post(url, json=body, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    for header in ("etag", "location", "content-type", "cache-control", "vary"):
        assert again.headers.get(header) == first.headers.get(header), header
    assert await amount(world) == before


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_simultaneous_requests_under_a_key_do_the_work_once(world, name):
    url, body = await endpoint(world, name)
    headers = key()
    answers = await asyncio.gather(*(world.admin.post(url, json=body, headers=headers) for _ in range(4)))
    assert all(answer.is_success for answer in answers), [answer.text for answer in answers]
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert all(answer.json() == answers[0].json() for answer in answers)


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_another_request_under_a_key_is_refused_and_does_nothing(world, name):
    url, body = await endpoint(world, name)
    headers = key()
    assert (await world.admin.post("/v1/items", json=ITEM, headers=headers)).is_success
    before = await amount(world)
    refused(await world.admin.post(url, json={**body, **other(name)}, headers=headers), "idempotency_key_reused")
    assert await amount(world) == before
    again = await world.admin.post("/v1/items", json=ITEM, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"


def other(name):
    return {"title": "另一条"} if name in ("items", "external_ref") else {}


async def test_a_claim_that_is_sent_again_is_replayed_instead_of_refused(world):
    url, body = await endpoint(world, "claim")
    headers = key()
    ok(await world.admin.post(url, json=body, headers=headers))
    assert (await world.admin.post(url, json=body, headers=headers)).headers["idempotent-replayed"] == "true"
    refused(await world.admin.post(url, json=body, headers=key()), "invalid_transition", state="rectifying")
    refused(await world.admin.post(url, json=body), "invalid_transition", state="rectifying")


async def test_a_replay_is_the_first_answer_even_when_the_item_moved_on(world):
    url, body = await endpoint(world, "claim")
    headers = key()
    first = await world.admin.post(url, json=body, headers=headers)
    ok(await world.admin.post(url, json={"trigger": "extend", "due_on": day(70), "reason": "汛期"}))
    again = await world.admin.post(url, json=body, headers=headers)
    assert ok(again) == ok(first) and again.headers["etag"] == first.headers["etag"] == '"2"'


@pytest.mark.parametrize("bare", ["abc", "8e03978e-40d5-43e8-bc93-6894a57f9324", "with space", 'in"side', "k" * 255])
async def test_a_key_is_the_same_bare_or_quoted(world, bare):
    ok(await world.admin.post("/v1/items", json=ITEM, headers=key(bare)), 201)
    for form in (f'"{bare}"', f" {bare} "):
        again = await world.admin.post("/v1/items", json=ITEM, headers=key(form))
        assert again.headers["idempotent-replayed"] == "true", form


@pytest.mark.parametrize("bad", [b"", b'""', b"k" * 256, "钥匙".encode(), b"a\tb", b"a\x7fb"])
async def test_a_key_that_is_none_is_invalid(world, bad):
    answer = await world.admin.post("/v1/items", json=ITEM, headers=[(b"Idempotency-Key", bad)])
    refused(answer, "invalid_request", ("/header/Idempotency-Key", "bad_format"))


async def test_a_refusal_is_not_recorded_but_judged_afresh(world):
    headers = key()
    url, body = await endpoint(world, "claim")
    resume = {"trigger": "resume", "due_on": day(9)}
    refused(await world.admin.post(url, json={"trigger": "claim"}, headers=headers), "invalid_request")
    refused(await world.admin.post(url, json=resume, headers=headers), "invalid_transition")
    refused(await world.admin.post(url, json=body, headers={**headers, "If-Match": '"9"'}), "stale_version")
    done = await world.admin.post(url, json=body, headers=headers)
    assert ok(done)["state"] == "rectifying" and "idempotent-replayed" not in done.headers


async def test_a_conflict_is_not_recorded_either(world):
    headers, body = key(), {"code": "later", "name": "某村", "parent": "later-parent"}
    refused(await world.admin.post("/v1/units", json=body, headers=headers), "invalid_request")
    ok(await world.admin.post("/v1/units", json={**body, "code": "later-parent", "parent": "t1"}), 201)
    ok(await world.admin.post("/v1/units", json=body, headers=headers), 201)


async def test_a_key_belongs_to_its_principal(world):
    one, other = await world.person("platform", "t1"), await world.person("platform", "t1")
    headers = key()
    first = ok(await one.post("/v1/items", json=ITEM, headers=headers), 201)
    second = await other.post("/v1/items", json=ITEM, headers=headers)
    assert ok(second, 201)["id"] != first["id"] and "idempotent-replayed" not in second.headers
    changed = await other.post("/v1/items", json={**ITEM, "title": "另一条"}, headers=headers)
    refused(changed, "idempotency_key_reused")


async def test_a_key_belongs_to_its_tenant(world):
    stranger, headers = await world.tenant("idem-else"), key()
    ok(await world.admin.post("/v1/items", json=ITEM, headers=headers), 201)
    ok(await stranger.post("/v1/items", json={**ITEM, "responsible_unit": "root"}, headers=headers), 201)


@pytest.mark.parametrize("name", ["items", "batch", "claim", "progress"])
async def test_a_replay_shows_nothing_that_left_the_caller_s_scope(world, name):
    """The town lists or moves an item; the county hands it to another town; the first answer is gone with it."""
    supervisor, responsible = await world.person("supervisor", "t1"), await world.person("responsible", "t1")
    client = responsible if name == "claim" else supervisor
    url, body = await endpoint(world, name)
    headers = key()
    first = await client.post(url, json=body, headers=headers)
    assert first.is_success, first.text
    shown = first.json()
    moved = (
        url.split("/")[3] if name in ("claim", "progress") else (shown["items"][0] if "items" in shown else shown)["id"]
    )
    ok(await world.fire(world.admin, moved, "transfer", responsible_unit="t2v1", reason="属地有误"))
    refused(await client.post(url, json=body, headers=headers), "not_found")


async def test_the_one_who_moves_an_item_out_of_scope_gets_no_replay_of_it(world):
    town = await world.person("supervisor", "t1")
    url, body = await endpoint(world, "transfer")
    headers = key()
    assert ok(await town.post(url, json=body, headers=headers))["responsible_unit_id"] == world.units["t2v1"]
    refused(await town.post(url, json=body, headers=headers), "not_found")


async def test_the_address_is_part_of_the_request(world):
    headers, body = key(), {"text": "已开工"}
    first, second = await item_id(world), await item_id(world)
    ok(await world.admin.post(f"/v1/items/{first}/progress", json=body, headers=headers), 201)
    answer = await world.admin.post(f"/v1/items/{second}/progress", json=body, headers=headers)
    refused(answer, "idempotency_key_reused")


async def test_without_a_key_the_same_request_is_done_again(world):
    first, second = [ok(await world.admin.post("/v1/items", json=ITEM), 201) for _ in range(2)]
    assert first["id"] != second["id"]
