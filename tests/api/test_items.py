"""Listing problems, correcting their facts, and what is told of them to whom."""

import asyncio
from datetime import date, timedelta

import pytest

from tests.api.helpers import NOBODY, day, every_page, ids, match, ok, read, refused, today

CONTACT = "王大妈 13800000000"


async def post(client, **body):
    given = {"ledger": "default", "title": "村道路灯不亮", "responsible_unit": "t1v1", **body}
    return await client.post("/v1/items", json={name: value for name, value in given.items() if value is not None})


async def patch(client, item, **body):
    return await client.patch(f"/v1/items/{item['id']}", json=body, headers=match(item))


async def history(client, item):
    return await every_page(client, f"/v1/items/{item['id']}/events", limit=3)


# -- listing


async def test_listing_answers_with_the_item_its_place_and_its_version(world):
    answer = await post(world.admin)
    item = ok(answer, 201)
    assert answer.headers["location"] == f"/v1/items/{item['id']}"
    assert answer.headers["etag"] == '"1"'
    assert await read(world.admin, answer.headers["location"]) == item


async def test_what_is_left_out_comes_from_the_policy(world):
    item = await world.item()
    assert (item["state"], item["severity"], item["cycle"], item["version"]) == ("open", "general", 1, 1)
    assert item["deadline"]["kind"] == "date" and item["deadline"]["due_on"] > day(30)
    assert item["supervising_unit_id"] == world.units["t1"] and item["supervising_defaulted"] is True
    assert item["source"] == {"kind": "other", "ref": None, "contact": None}
    assert (item["overdue"], item["days_overdue"], item["lamp"]) == (False, 0, "green")
    assert item["listed_at"] == item["created_at"] == item["updated_at"] and item["created_at"].endswith("Z")
    assert day(1) < item["claim_due"]
    assert item["claim"] is item["closed_at"] is item["resolution"] is None
    assert item["labels"] == item["co_unit_ids"] == [] and item["attributes"] == {}


async def test_numbers_are_unique_and_rise(world):
    numbers = [(await world.item())["number"] for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert all(number.startswith(f"default-{today().year}-") for number in numbers)


async def test_the_stricter_severity_has_the_nearer_deadline(world):
    due = [(await world.item(severity=each))["deadline"]["due_on"] for each in ("critical", "serious", "general")]
    assert due == sorted(set(due))


async def test_ledger_and_units_are_named_by_id_or_by_code(world):
    by_code = await world.item(responsible_unit="t1v1", supervising_unit="root", co_units=["t2v1", "d1"])
    by_id = ok(
        await post(
            world.admin, ledger=None, ledger_id=by_code["ledger_id"], responsible_unit=None,
            responsible_unit_id=world.units["t1v1"], supervising_unit_id=world.units["root"],
            co_unit_ids=[world.units["t2v1"], world.units["d1"]],
        ), 201,
    )  # fmt: skip
    for name in ("ledger_id", "responsible_unit_id", "supervising_unit_id", "co_unit_ids"):
        assert by_code[name] == by_id[name], name


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"ledger_id": NOBODY}, "/ledger", "one_of_two"),
        ({"responsible_unit_id": NOBODY}, "/responsible_unit", "one_of_two"),
        ({"supervising_unit_id": NOBODY, "supervising_unit": "root"}, "/supervising_unit", "one_of_two"),
        ({"ledger": None}, "/ledger_id", "missing"),
        ({"responsible_unit": None}, "/responsible_unit_id", "missing"),
        ({"title": None}, "/title", "missing"),
        ({"due_on": "2030-01-01", "deadline": {"due_on": "2030-01-01"}}, "/due_on", "one_of_two"),
        ({"deadline": {"kind": "standing", "due_on": "2030-01-01"}}, "/deadline", "one_of_two"),
        ({"ledger": "nothing"}, "/ledger", "unknown_reference"),
        ({"responsible_unit": "nothing"}, "/responsible_unit", "unknown_reference"),
        ({"supervising_unit": "nothing"}, "/supervising_unit", "unknown_reference"),
        ({"co_units": ["t2v1", "nothing"]}, "/co_units/1", "unknown_reference"),
        ({"co_unit_ids": [NOBODY]}, "/co_unit_ids/0", "unknown_reference"),
        ({"co_units": ["t2v1", "t2v1"]}, "/co_units", "repeated"),
        ({"labels": ["急", "急"]}, "/labels", "repeated"),
        ({"labels": [str(n) for n in range(21)]}, "/labels", "too_long"),
        ({"title": "长" * 201}, "/title", "too_long"),
        ({"severity": "fatal"}, "/severity", "not_allowed"),
        ({"source": {"kind": "rumour"}}, "/source/kind", "not_allowed"),
        ({"found_on": day(1)}, "/found_on", "in_future"),
        ({"listed_at": f"{day(2)}T00:00:00Z"}, "/listed_at", "in_future"),
        ({"closed": {"on": day(1)}}, "/closed/on", "in_future"),
        ({"closed": {"on": day(-3)}}, "/closed/on", "before_listing"),
        ({"listed_at": "2026-01-05T08:00:00"}, "/listed_at", "bad_format"),
        ({"listed_at": "2026-01-05"}, "/listed_at", "bad_format"),
        ({"external_ref": ""}, "/external_ref", "too_short"),
        ({"due_on": None, "attributes": []}, "/attributes", "wrong_type"),
    ],
)
async def test_what_is_wrong_with_a_listing_is_pointed_at(world, given, pointer, code):
    refused(await post(world.admin, **given), "invalid_request", (pointer, code))


@pytest.mark.parametrize("computed", ["immediate", "standing"])
async def test_immediate_and_standing_items_have_the_day_the_policy_computes(world, computed):
    item = await world.item(deadline={"kind": computed, "text": "立行立改，长期坚持"})
    deadline = item["deadline"]
    assert deadline["kind"] == computed and deadline["text"] == "立行立改，长期坚持"
    if computed == "immediate":
        assert deadline["review_on"] is None and day(2) < deadline["due_on"] < day(20)
    else:
        assert deadline["due_on"] is None and day(80) < deadline["review_on"] < day(95)


async def test_a_missed_review_of_a_standing_item_is_overdue_in_the_same_way(world):
    item = await world.item(deadline={"kind": "standing"}, listed_at="2025-01-06T00:00:00Z")
    assert item["deadline"]["review_on"] == "2025-04-06"
    assert item["overdue"] and item["lamp"] == "red"
    assert item["days_overdue"] == (today() - date(2025, 4, 6)).days > item["working_days_overdue"] > 0


async def test_old_ledgers_are_moved_in_with_dates_of_the_past(world):
    item = await world.item(listed_at="2024-03-01T18:00:00+08:00", found_on="2024-02-20", due_on="2024-04-01")
    assert (item["listed_at"], item["found_on"]) == ("2024-03-01T10:00:00Z", "2024-02-20")
    assert item["number"].startswith("default-2024-")
    assert item["claim_due"] == "2024-03-05"
    assert item["overdue"] and item["days_overdue"] == (today() - date(2024, 4, 1)).days


async def test_an_old_item_already_struck_off_is_listed_closed(world):
    closed = {"on": "2024-04-11", "note": "原台账已销号"}
    item = await world.item(listed_at="2024-03-01T00:00:00Z", due_on="2024-04-01", closed=closed)
    assert (item["state"], item["resolution"], item["closed_days_late"]) == ("closed", "rectified", 10)
    assert item["closed_at"].startswith("2024-04-11T15:59:59")
    assert (item["lamp"], item["overdue"], item["claim_due"]) == (None, False, None)
    (created,) = await history(world.admin, item)
    assert (created["data"]["note"], created["data"]["closed_on"]) == ("原台账已销号", "2024-04-11")


@pytest.mark.parametrize("given", [{"listed_at": "2024-03-01T00:00:00Z"}, {"closed": {"on": day(0)}}])
async def test_only_admin_and_supervisor_list_with_dates_of_their_own(world, given):
    refused(await post(await world.person("platform", "t1"), **given), "forbidden")
    for role, unit in (("admin", "root"), ("supervisor", "t1")):
        ok(await post(await world.person(role, unit), **given), 201)


@pytest.mark.parametrize(
    ("role", "unit", "given", "code"),
    [
        ("supervisor", "t1", {}, None),
        ("platform", "t1", {}, None),
        ("platform", "t1v1", {}, None),
        ("platform", "t1v2", {}, "forbidden"),
        ("supervisor", "t2", {}, "forbidden"),
        ("responsible", "t1v1", {}, "forbidden"),
        ("viewer", "root", {}, "forbidden"),
        ("auditor", "root", {}, "forbidden"),
        ("supervisor", "t1", {"supervising_unit": "t1"}, None),
        ("supervisor", "d1", {"supervising_unit": "d1"}, None),
        ("platform", "t1v1", {"supervising_unit": "t1"}, "invalid_request"),
        ("supervisor", "t1", {"supervising_unit": "root"}, "invalid_request"),
        ("supervisor", "t1", {"supervising_unit": "t2"}, "invalid_request"),
        ("viewer", "root", {"supervising_unit": "t1"}, "forbidden"),
        ("platform", "t1v1", {"co_units": ["t2v1", "d1"]}, None),
    ],
)
async def test_who_lists_is_decided_by_the_supervising_unit_or_else_the_responsible_one(world, role, unit, given, code):
    answer = await post(await world.person(role, unit), **given)
    if code is None:
        ok(answer, 201)
    else:
        refused(answer, code)


@pytest.mark.parametrize(("responsible", "supervising"), [("t1v1", "t1v1"), ("t1", "t1v1"), ("root", "root")])
async def test_no_unit_is_supervised_by_itself_or_from_below_when_that_is_said(world, responsible, supervising):
    answer = await post(world.admin, responsible_unit=responsible, supervising_unit=supervising)
    refused(answer, "guard_refused", guard="supervising_unit")


async def test_a_department_may_supervise_a_village(world):
    item = await world.item(responsible_unit="t1v1", supervising_unit="d1")
    assert (item["supervising_unit_id"], item["supervising_defaulted"]) == (world.units["d1"], False)


async def test_the_root_supervises_itself_where_nothing_is_said(world):
    item = await world.item(responsible_unit="root")
    assert item["supervising_unit_id"] == item["responsible_unit_id"] == world.units["root"]


async def test_a_second_item_with_the_same_reference_conflicts_and_names_the_first(world):
    platform = await world.person("platform", "t1")
    first = await world.item(platform, external_ref="W-2026-17")
    refused(await post(platform, external_ref="W-2026-17"), "conflict", existing_id=first["id"])
    assert len(await ids(platform, external_ref="W-2026-17")) == 1


async def test_a_reference_is_one_s_own_in_each_ledger(world):
    platform, other = await world.person("platform", "t1"), await world.person("platform", "t1")
    ok(await world.admin.post("/v1/ledgers", json={"code": "refs", "name": "另一台账"}), 201)
    for client, ledger in ((platform, "default"), (other, "default"), (platform, "refs")):
        ok(await post(client, ledger=ledger, external_ref="same"), 201)


async def test_a_reference_that_moved_out_of_scope_conflicts_without_naming_the_item(world):
    platform = await world.person("platform", "t1")
    item = await world.item(platform, external_ref="moved")
    moved = {"responsible_unit": "t2v1", "reason": "属地有误"}
    ok(await world.fire(world.admin, item["id"], "transfer", **moved))
    assert "existing_id" not in refused(await post(platform, external_ref="moved"), "conflict")


async def test_of_many_simultaneous_listings_with_one_reference_one_is_made(world):
    answers = await asyncio.gather(*(post(world.admin, external_ref="race") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


# -- batches


async def batch(client, *bodies):
    given = [{"ledger": "default", "title": "批量", "responsible_unit": "t1v1", **body} for body in bodies]
    return await client.post("/v1/items/batch", json={"items": given})


async def test_a_batch_lists_all_in_the_order_given(world):
    made = ok(await batch(world.admin, *({"title": f"批量 {n}"} for n in range(5))), 201)["items"]
    assert [item["title"] for item in made] == [f"批量 {n}" for n in range(5)]
    assert [item["number"] for item in made] == sorted({item["number"] for item in made})


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"due_on": "2026-13-01"}, "/items/17/due_on", "bad_format"),
        ({"title": "a\nb"}, "/items/17/title", "bad_format"),
        ({"who": 1}, "/items/17/who", "unknown_field"),
        ({"responsible_unit": "nothing"}, "/items/17/responsible_unit", "unknown_reference"),
        ({"ledger": "nothing"}, "/items/17/ledger", "unknown_reference"),
        ({"found_on": day(1)}, "/items/17/found_on", "in_future"),
        ({"due_on": day(1), "deadline": {"kind": "standing"}}, "/items/17/due_on", "one_of_two"),
        ({"co_units": ["t1v2", "nothing"]}, "/items/17/co_units/1", "unknown_reference"),
        ({"ledger_id": NOBODY}, "/items/17/ledger", "one_of_two"),
    ],
)
async def test_one_wrong_item_refuses_the_whole_batch_and_is_pointed_at(world, wrong, pointer, code):
    label = f"全有或全无 {pointer}"
    bodies = [{"labels": [label]} for _ in range(20)]
    bodies[17] |= wrong
    refused(await batch(world.admin, *bodies), "invalid_request", (pointer, code))
    assert await ids(world.admin, label=label) == []


async def test_one_item_without_permission_or_with_a_taken_reference_refuses_the_whole_batch(world):
    town = await world.person("supervisor", "t1")
    own, foreign = {"labels": ["越权"]}, {"labels": ["越权"], "responsible_unit": "t2v1"}
    refused(await batch(town, own, foreign), "forbidden")
    first = await world.item(town, external_ref="batch-taken")
    refused(await batch(town, own, {**own, "external_ref": "batch-taken"}), "conflict", existing_id=first["id"])
    refused(await batch(town, {**own, "external_ref": "twice"}, {**own, "external_ref": "twice"}), "conflict")
    assert await ids(world.admin, label="越权") == []


async def test_a_batch_takes_a_thousand_items_and_no_more(world):
    bodies = [{"labels": ["一千"], "title": f"第 {n} 条"} for n in range(1001)]
    refused(await batch(world.admin, *bodies), "invalid_request", ("/items", "too_long"))
    refused(await batch(world.admin), "invalid_request", ("/items", "too_short"))
    made = ok(await batch(world.admin, *bodies[:1000]), 201)["items"]
    assert len({item["number"] for item in made}) == 1000
    assert (await read(world.admin, "/v1/items", label="一千", limit=1, include="total"))["total"] == 1000


async def test_at_most_a_hundred_wrong_places_are_named(world):
    answer = await batch(world.admin, *({"severity": "fatal"} for _ in range(300)))
    assert len(refused(answer, "invalid_request")["errors"]) == 100


# -- corrections


async def test_a_correction_needs_to_say_what_was_read(world):
    item = await world.item()
    url = f"/v1/items/{item['id']}"
    refused(await world.admin.patch(url, json={"title": "新"}), "precondition_required")
    refused(await world.admin.patch(url, json={"title": "新"}, headers={"If-Match": "*"}), "precondition_required")
    refused(await world.admin.patch(url, json={"title": "新"}, headers={"If-Match": '"2"'}), "stale_version")
    answer = await patch(world.admin, item, title="新")
    assert (ok(answer)["version"], answer.headers["etag"], ok(answer)["title"]) == (2, '"2"', "新")
    refused(await patch(world.admin, item, title="更新"), "stale_version")


async def test_of_two_simultaneous_corrections_one_is_stale(world):
    item = await world.item()
    answers = await asyncio.gather(*(patch(world.admin, item, title=f"改 {n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


FACTS = {
    "title": "改后的标题", "description": "一\n二", "category": "供水", "severity": "critical", "goal": "恢复供水",
    "measures": "更换管道", "responsible_person": "李明", "found_on": "2026-01-04", "labels": ["饮水", "急"],
    "attributes": {"b": 1e15, "a": [1, 2.5, None, False], "长": {"z": 1, "y": "2"}},
    "source": {"kind": "petition", "ref": "信访〔2026〕3号", "contact": CONTACT},
}  # fmt: skip


async def test_facts_are_corrected_one_by_one_and_all_at_once(world):
    item = await world.item()
    changed = ok(await patch(world.admin, item, **FACTS))
    assert {name: changed[name] for name in FACTS} == FACTS
    assert changed["version"] == 2
    assert {name: value for name, value in changed.items() if name not in (*FACTS, "version", "updated_at")} == {
        name: value for name, value in item.items() if name not in (*FACTS, "version", "updated_at")
    }


@pytest.mark.parametrize("body", [{}, FACTS, {"title": FACTS["title"]}, {"source": {}}, {"source": FACTS["source"]}])
async def test_a_correction_that_changes_nothing_keeps_the_version_and_writes_no_event(world, body):
    item = await world.item()
    item = ok(await patch(world.admin, item, **FACTS))
    answer = await patch(world.admin, item, **body)
    assert ok(answer) == item and answer.headers["etag"] == '"2"'
    assert len(await history(world.admin, item)) == 2


async def test_a_correction_tells_true_from_one_in_attributes(world):
    item = await world.item(attributes={"flag": 1})
    item = ok(await patch(world.admin, item, attributes={"flag": True}))
    assert (item["attributes"]["flag"] is True, item["version"]) == (True, 2)


async def test_the_deadline_that_stands_already_may_be_sent_along_and_stays_computed(world):
    item = await world.item()
    same = ok(await patch(world.admin, item, due_on=item["deadline"]["due_on"]))
    assert same["version"] == 1
    claimed = ok(await world.fire(world.admin, item["id"], "claim", signed_by="张三"))
    retitled = ok(await patch(world.admin, claimed, due_on=item["deadline"]["due_on"], title="改题"))
    assert (retitled["version"], retitled["title"], retitled["deadline"]) == (3, "改题", item["deadline"])


async def test_null_empties_what_may_be_empty_and_what_is_left_out_stays(world):
    item = await world.item(**FACTS)
    emptied = ok(await patch(world.admin, item, description=None, category=None, source={"ref": None, "contact": None}))
    assert (emptied["description"], emptied["category"]) == (None, None)
    assert emptied["source"] == {"kind": "petition", "ref": None, "contact": None}
    assert emptied["measures"] == FACTS["measures"]
    for name in ("title", "severity", "labels", "attributes", "co_unit_ids", "due_on", "source"):
        problem = refused(await patch(world.admin, emptied, **{name: None}), "invalid_request")
        assert [error["pointer"] for error in problem["errors"]] == [f"/{name}"]


@pytest.mark.parametrize(
    "name", ["state", "responsible_unit_id", "supervising_unit_id", "ledger_id", "number", "version"]
)
async def test_state_and_units_are_never_corrected(world, name):
    answer = await patch(world.admin, await world.item(), **{name: NOBODY})
    refused(answer, "invalid_request", (f"/{name}", "unknown_field"))


async def test_the_deadline_is_corrected_only_while_the_item_is_open(world):
    item = await world.item()
    moved = ok(await patch(world.admin, item, due_on=day(90)))
    assert (moved["deadline"]["due_on"], moved["deadline"]["kind"]) == (day(90), "date")
    claimed = ok(await world.fire(world.admin, item["id"], "claim", signed_by="张三"))
    refused(await patch(world.admin, claimed, due_on=day(91)), "guard_refused", guard="deadline_fixed")
    assert (await read(world.admin, f"/v1/items/{item['id']}"))["version"] == 3


async def test_a_corrected_deadline_moves_the_item_in_lists(world):
    item = await world.item(due_on=day(5), labels=["移期"])
    assert await ids(world.admin, label="移期", overdue="true") == []
    ok(await patch(world.admin, item, due_on=day(-5)))
    assert await ids(world.admin, label="移期", overdue="true") == [item["id"]]


async def test_the_responsible_side_corrects_its_own_fields_only(world):
    item = await world.item()
    village = await world.person("responsible", "t1v1")
    own = ok(await patch(village, item, measures="更换主管道", responsible_person="李明"))
    assert (own["measures"], own["responsible_person"], own["version"]) == ("更换主管道", "李明", 2)
    for body in ({"title": "无"}, {"measures": "无", "goal": "无"}, {"source": {"contact": "谁"}}, {"co_unit_ids": []}):
        refused(await patch(village, own, **body), "forbidden")
    for role, unit in (("viewer", "t1"), ("platform", "t1"), ("auditor", "root"), ("supervisor", "t1v1")):
        refused(await patch(await world.person(role, unit), own, measures="无"), "forbidden")
    ok(await patch(await world.person("supervisor", "t1"), own, title="督办单位更正"))


async def test_co_units_see_the_item_as_long_as_they_are_named(world):
    item = await world.item()
    other = await world.person("responsible", "t2v1")
    url = f"/v1/items/{item['id']}"
    refused(await other.get(url), "not_found")
    item = ok(await patch(world.admin, item, co_unit_ids=[world.units["t2v1"], world.units["t1v1"]]))
    assert item["co_unit_ids"] == [world.units["t2v1"]], "the responsible unit is no co-unit"
    seen = await read(other, url)
    assert seen["allowed_triggers"] == []
    assert item["id"] in await ids(other)
    ok(await other.post(f"{url}/progress", json={"text": "协助抢修"}), 201)
    refused(await patch(other, seen | {"version": 3}, measures="无"), "forbidden")
    assert [event["type"] for event in await history(other, item)][:2] == ["item.created", "item.updated"]
    item = await read(world.admin, url)
    ok(await patch(world.admin, item, co_unit_ids=[]))
    refused(await other.get(url), "not_found")
    assert item["id"] not in await ids(other)
    answer = await patch(world.admin, item | {"version": 4}, co_unit_ids=[world.units["t1v2"], NOBODY])
    refused(answer, "invalid_request", ("/co_unit_ids/1", "unknown_reference"))


# -- who complained


async def test_who_complained_is_seen_by_admin_and_supervising_supervisors_only(world):
    platform = await world.person("platform", "t1")
    item = await world.item(platform, source={"kind": "opinion", "contact": CONTACT}, co_units=["t2v1"])
    assert item["source"]["contact"] is None, "the platform that lists is not among those who may read it back"
    eyes = {
        ("admin", "root"): CONTACT, ("supervisor", "t1"): CONTACT, ("supervisor", "root"): CONTACT,
        ("supervisor", "t1v1"): None, ("responsible", "t1v1"): None, ("viewer", "root"): None,
        ("auditor", "root"): None, ("responsible", "t2v1"): None, ("platform", "root"): None,
    }  # fmt: skip
    for (role, unit), contact in eyes.items():
        client = await world.person(role, unit)
        assert (await read(client, f"/v1/items/{item['id']}"))["source"]["contact"] == contact, (role, unit)
        rows = await every_page(client, "/v1/items", external_ref="none") + await every_page(client, "/v1/items")
        (row,) = [row for row in rows if row["id"] == item["id"]]
        assert row["source"]["contact"] == contact, (role, unit)


async def test_who_complained_stands_in_no_event_no_search_and_no_replay(world):
    key = {"Idempotency-Key": "contact"}
    body = {"ledger": "default", "title": "投诉", "responsible_unit": "t1v1", "source": {"contact": CONTACT}}
    item = ok(await world.admin.post("/v1/items", json=body, headers=key), 201)
    assert item["source"]["contact"] == CONTACT
    again = await world.admin.post("/v1/items", json=body, headers=key)
    assert again.headers["idempotent-replayed"] == "true" and ok(again, 201)["source"]["contact"] is None
    item = ok(await patch(world.admin, item, source={"contact": "李大爷 13911111111"}))
    events = await world.admin.get(f"/v1/items/{item['id']}/events")
    assert "王大妈" not in events.text and "李大爷" not in events.text
    assert events.json()["items"][1]["data"]["contact_changed"] is True
    for q in ("王大妈", "李大爷", "13911111111"):
        assert await ids(world.admin, q=q) == []
    claim = {"trigger": "claim", "signed_by": "张三"}
    for _ in range(2):
        fired = await world.admin.post(f"/v1/items/{item['id']}/transitions", json=claim, headers=key | {
            "Idempotency-Key": "contact-claim"})  # fmt: skip
    assert ok(fired)["source"]["contact"] is None


async def test_a_correction_of_the_contact_alone_makes_a_version(world):
    item = await world.item()
    item = ok(await patch(world.admin, item, source={"contact": CONTACT}))
    assert (item["version"], item["source"]["contact"]) == (2, CONTACT)
    item = ok(await patch(world.admin, item, source={"contact": None}))
    assert (item["version"], item["source"]["contact"]) == (3, None)


# -- progress and history


async def test_progress_is_reported_by_either_side_and_read_in_order(world):
    item = await world.item()
    url = f"/v1/items/{item['id']}/progress"
    village, town = await world.person("responsible", "t1v1"), await world.person("supervisor", "t1")
    for client, text, percent in ((village, "已开工", 10), (town, "现场督导", None), (village, "完成一半", 50)):
        entry = ok(await client.post(url, json={"text": text, "percent": percent}), 201)
        assert (entry["text"], entry["percent"], entry["cycle"], entry["item_id"]) == (text, percent, 1, item["id"])
    entries = await every_page(village, url, limit=1)
    assert [entry["side"] for entry in entries] == ["responsible", "supervising", "responsible"]
    assert (await read(village, f"/v1/items/{item['id']}"))["version"] == 4
    refused(await (await world.person("viewer", "t1")).post(url, json={"text": "看看"}), "forbidden")
    refused(await (await world.person("responsible", "t2")).post(url, json={"text": "看看"}), "not_found")
    ok(await world.fire(world.admin, item["id"], "annul", reason="误报"))
    refused(await village.post(url, json={"text": "又来"}), "invalid_transition", state="closed")


async def test_the_history_holds_one_event_for_each_version_with_before_and_after(world):
    item = await world.item(title="旧标题", co_units=["t2v1"])
    item = ok(await patch(world.admin, item, title="新标题", labels=["急"], found_on="2026-01-04"))
    item = ok(await world.fire(world.admin, item["id"], "claim", signed_by="张三", measures="更换管道"))
    ok(await world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": "已开工"}), 201)
    ok(await world.fire(world.admin, item["id"], "extend", due_on=day(70), reason="汛期"))
    events = await history(world.admin, item)
    assert [(event["type"], event["item_version"]) for event in events] == [
        ("item.created", 1), ("item.updated", 2), ("item.claimed", 3), ("item.progressed", 4), ("item.extended", 5),
    ]  # fmt: skip
    created, updated, claimed, progressed, extended = (event["data"] for event in events)
    assert (created["title"], created["co_unit_ids"]) == ("旧标题", [world.units["t2v1"]])
    assert updated["changes"] == {
        "title": {"before": "旧标题", "after": "新标题"},
        "labels": {"before": [], "after": ["急"]},
        "found_on": {"before": None, "after": "2026-01-04"},
    }
    assert claimed["changes"]["state"] == {"before": "open", "after": "rectifying"}
    assert claimed["changes"]["claim_signed_by"] == {"before": None, "after": "张三"}
    assert (progressed["text"], progressed["side"]) == ("已开工", "responsible")
    assert (extended["reason"], extended["trigger"]) == ("汛期", "extend")
    assert extended["changes"]["due_on"]["after"] == day(70)
    for event in events:
        assert event["item_id"] == item["id"] and event["ledger_id"] == item["ledger_id"]
        assert event["actor"]["principal_id"] and event["actor"]["name"] == "admin"
        assert event["at"].endswith("Z")


async def test_the_history_is_read_by_those_who_see_the_item(world):
    item = await world.item()
    assert len(await history(await world.person("viewer", "t1v1"), item)) == 1
    outsider = await world.person("viewer", "t1v2")
    for part in ("", "/events", "/progress", "/transitions"):
        refused(await outsider.get(f"/v1/items/{item['id']}{part}"), "not_found")
        refused(await outsider.get(f"/v1/items/{NOBODY}{part}"), "not_found")


async def test_a_closing_day_equal_to_the_listing_day_counts(world):
    yesterday = (today() - timedelta(days=1)).isoformat()
    item = await world.item(listed_at=f"{yesterday}T04:00:00Z", closed={"on": yesterday})
    assert (item["state"], item["closed_days_late"]) == ("closed", 0)
