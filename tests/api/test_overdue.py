"""The work list of what is overdue: items, decisions, interviews, receipts and drafts, and whose move each is."""

import pytest

from tests.api.helpers import every_page, ok, read, refused
from tests.api.office import VERIFIED, local, on

KINDS = ("item", "request", "interview", "receipt", "draft")
DRAFTED = {"code": "urge-1", "anchor": "due", "offset": -1, "states": ["open"], "action": "urge",
           "notify": ["responsible"], "confirm": True}  # fmt: skip


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def all_kinds(office, unit="t1v1"):
    """One of each kind, by its kind: what is due, and its id. Nothing is overdue before 5 March."""
    await office.turn("03-02", "10:00")
    late = await office.item(due_on=on("03-06"), responsible_unit=unit)
    asked = await office.item(due_on=on("05-29"), responsible_unit=unit)
    asked = await office.fire(office.admin, asked, "claim", signed_by="张伟")
    request = ok(await office.ask(asked, "closure", by=office.admin), 201)
    summoned = await office.item(due_on=on("05-29"), responsible_unit=unit)
    summoned = await office.fire(office.county, summoned, "escalate", reason="久拖不决")
    (summons,) = await office.notices(summoned)
    ok(await office.admin.post(f"/v1/notices/{summons['id']}/receipt", json={"signed_by": "张伟"}))
    told = await office.item(due_on=on("05-29"), responsible_unit=unit)
    body = {"kind": "warning", "unit": unit, "item_ids": [told["id"]]}
    notice = ok(await office.county.post("/v1/notices", json=body), 201)
    ledger = await office.ledger(ladder=[DRAFTED])
    drafted = await office.item(ledger=ledger, due_on=on("05-28"), responsible_unit=unit)
    return {
        "item": (on("03-06"), late), "request": (on("03-09"), request), "receipt": (on("03-04"), notice),
        "interview": (on("03-09"), {"id": summoned["interview_id"], "item_id": summoned["id"]}),
        "draft": (on("05-27"), drafted),
    }  # fmt: skip


async def with_draft(office, made):
    """The clock has drafted it; the same, with the draft in its place."""
    await office.turn("05-27")
    due, item = made["draft"]
    (draft,) = await office.notices(item)
    return made | {"draft": (due, draft)}


async def overdue(client, **params):
    return await every_page(client, "/v1/overdue", **params)


def refs(rows):
    return [(row["kind"], row["id"]) for row in rows]


async def test_each_kind_is_overdue_from_the_day_after(empty_office):
    office = empty_office
    made = await all_kinds(office)
    for day, expected in (
        ("03-04", []), ("03-05", ["receipt"]), ("03-06", ["receipt"]), ("03-07", ["receipt", "item"]),
        ("03-09", ["receipt", "item"]), ("03-10", ["receipt", "item", "request", "interview"]),
    ):  # fmt: skip
        office.at(day, "00:00")
        assert refs(await overdue(office.county)) == [(kind, made[kind][1]["id"]) for kind in expected], day
    made = await with_draft(office, made)
    assert "draft" not in {row["kind"] for row in await overdue(office.county)}
    office.at("05-28", "00:00")
    assert ("draft", made["draft"][1]["id"]) in refs(await overdue(office.county))


async def test_most_overdue_comes_first_and_says_what_it_is(empty_office):
    office = empty_office
    made = await all_kinds(office)
    office.at("03-11")
    rows = {row["kind"]: row for row in await overdue(office.county)}
    assert list(rows) == ["receipt", "item", "request", "interview"]
    for kind, row in rows.items():
        assert (row["id"], row["due_on"]) == (made[kind][1]["id"], made[kind][0])
    days = {kind: (row["days_overdue"], row["working_days_overdue"]) for kind, row in rows.items()}
    assert days == {"receipt": (7, 5), "item": (5, 3), "request": (2, 2), "interview": (2, 2)}
    assert {kind: row["waiting_for"] for kind, row in rows.items()} == {
        "receipt": "responsible", "item": "responsible", "request": "supervising", "interview": "supervising"
    }  # fmt: skip
    following = {kind: row["next_rung"] and row["next_rung"]["rung"] for kind, row in rows.items()}
    assert following == {
        "receipt": None, "item": "claim-urge+1", "request": "decide+1", "interview": "interview+1"
    }, "one that is due already comes first"  # fmt: skip
    assert local(rows["request"]["next_rung"]["at"]) == "03-10 09:00"
    for kind, row in rows.items():
        whole = {name: row[name] for name in ("item", "request", "interview", "notice")}
        shown = {"request": {"item", "request"}, "interview": {"item", "interview"}, "receipt": {"notice"}}
        assert {name for name, value in whole.items() if value} == shown.get(kind, {"item"})
    assert rows["request"]["request"] == await read(office.county, f"/v1/requests/{rows['request']['id']}")
    assert rows["interview"]["interview"] == await read(office.county, f"/v1/interviews/{rows['interview']['id']}")
    assert rows["receipt"]["notice"] == await read(office.county, f"/v1/notices/{rows['receipt']['id']}")
    listed = (await read(office.county, "/v1/items", overdue="true"))["items"]
    assert [rows["item"]["item"]] == listed
    assert rows["interview"]["item"]["id"] == made["interview"][1]["item_id"]


async def test_what_is_done_is_off_the_list(empty_office):
    office = empty_office
    made = await with_draft(office, await all_kinds(office))
    office.at("05-28")
    ids = {kind: each["id"] for kind, (_, each) in made.items()}

    async def listed():
        return set(ids.values()) & {row["id"] for row in await overdue(office.county)}

    assert await listed() == set(ids.values())
    await office.fire(office.admin, made["item"][1], "annul", reason="查无此事")
    assert await listed() == set(ids.values()) - {ids["item"]}
    ok(await office.give_back(made["request"][1], office.county))
    ok(await office.record(ids["interview"], office.county))
    ok(await office.village.post(f"/v1/notices/{ids['receipt']}/receipt", json={"signed_by": "张伟"}))
    ok(await office.county.post(f"/v1/notices/{ids['draft']}/issue", json={}))
    assert await listed() == set()
    office.at("06-02")
    assert await listed() == {ids["draft"]}, "issued, it waits to be signed for"


async def test_each_sees_its_own_part(empty_office):
    office = empty_office
    made = {unit: await with_draft(office, await all_kinds(office, unit)) for unit in ("t1v1",)}
    office.at("03-02")
    made["t2v1"] = await all_kinds(office, "t2v1")
    made["t2v1"] = await with_draft(office, made["t2v1"])
    office.at("05-28")
    ids = {unit: {(kind, each["id"]) for kind, (_, each) in kinds.items()} for unit, kinds in made.items()}
    both = ids["t1v1"] | ids["t2v1"]
    for role, unit, seen in (
        ("supervisor", "root", both), ("auditor", "root", both), ("admin", "root", both),
        ("supervisor", "t1", ids["t1v1"]), ("responsible", "t1v1", ids["t1v1"]), ("viewer", "t2", ids["t2v1"]),
        ("platform", "t2v1", ids["t2v1"]), ("viewer", "t1v2", set()), ("responsible", "d1", set()),
    ):  # fmt: skip
        client = await office.person(role, unit)
        found = refs(await overdue(client, limit=200))
        assert len(found) == len(set(found)) and set(found) & both == seen, (role, unit)
        assert seen or not found


async def test_a_co_unit_sees_the_item_and_what_waits_about_it(empty_office):
    office = empty_office
    item = await office.claimed(due_on=on("03-04"), co_units=["t2v1"])
    request = await office.pending(item, "closure")
    office.at("03-10")
    helper = await office.person("viewer", "t2v1")
    assert refs(await overdue(helper)) == [("item", item["id"]), ("request", request["id"])]


async def test_whose_move_it_is(empty_office):
    office = empty_office
    plain, held, late, summoned, standing = [
        await office.claimed(due_on=on("03-04")), await office.claimed(due_on=on("03-04")),
        await office.claimed(due_on=on("03-04")), await office.claimed(due_on=on("03-04")),
        await office.claimed(deadline={"kind": "standing"}),
    ]  # fmt: skip
    await office.pending(held, "closure")
    office.at("03-05")
    await office.pending(late, "closure")
    await office.fire(office.town, summoned, "escalate", reason="久拖不决")
    office.at("06-03")
    rows = {row["id"]: row for row in await overdue(office.county, kind="item")}
    assert {each["id"]: rows[each["id"]]["waiting_for"] for each in (plain, held, late, summoned, standing)} == {
        plain["id"]: "responsible", held["id"]: "supervising", late["id"]: "responsible",
        summoned["id"]: "supervising", standing["id"]: "responsible",
    }  # fmt: skip
    assert rows[standing["id"]]["due_on"] == on("06-02"), "a missed review is overdue in the same way"
    assert rows[held["id"]]["next_rung"]["rung"] == "decide+1"
    assert rows[summoned["id"]]["next_rung"]["anchor"] == "interview_due"
    for each in (plain, held, late, summoned, standing):
        await office.fire(office.admin, each, "annul", reason="查无此事")
    assert await overdue(office.county, kind=["item", "request", "interview"]) == []


# -- pages and filters


@pytest.mark.parametrize("pages", [1, 2, 3, 200])
async def test_pages_lose_nothing_and_repeat_nothing(empty_office, pages):
    office = empty_office
    for _ in range(3):
        await all_kinds(office)
        office.at("03-02")
    await with_draft(office, await all_kinds(office))
    office.at("05-28")
    whole = await overdue(office.county, limit=200)
    found = await overdue(office.county, limit=pages)
    assert refs(found) == refs(whole) and len(set(refs(whole))) == len(whole) > 15
    order = [(row["due_on"], row["id"]) for row in found]
    assert order == sorted(order), "most overdue first, and one order for what is equally late"
    for kind in KINDS:
        assert refs(await overdue(office.county, kind=kind, limit=pages)) == [r for r in refs(whole) if r[0] == kind]
    two = await overdue(office.county, kind=["receipt", "request", "receipt"], limit=pages)
    assert refs(two) == [each for each in refs(whole) if each[0] in ("receipt", "request")]


async def test_a_page_goes_on_where_it_was_while_others_work(empty_office):
    office = empty_office
    items = [await office.claimed(due_on=on("03-03")) for _ in range(6)]
    office.at("03-05")
    first = await read(office.county, "/v1/overdue", limit=2)
    assert refs(first["items"]) == [("item", each["id"]) for each in items[:2]]
    for gone in (items[0], items[3]):
        await office.fire(office.town, gone, "close", verification=VERIFIED)
    rest = await overdue(office.county, limit=2, cursor=first["next_cursor"])
    assert refs(rest) == [("item", items[place]["id"]) for place in (2, 4, 5)]


async def test_questions_that_make_no_sense_are_refused(empty_office):
    office = empty_office
    for _ in range(2):
        await office.claimed(due_on=on("03-03"))
    office.at("03-05")
    cursor = (await read(office.county, "/v1/overdue", limit=1))["next_cursor"]
    for client, params, pointer, code in (
        (office.county, {"kind": "notice"}, "/query/kind/0", "not_allowed"),
        (office.county, {"unit": "t1"}, "/query/unit", "unknown_parameter"),
        (office.county, {"limit": 0}, "/query/limit", "out_of_range"),
        (office.county, {"cursor": cursor, "kind": "item"}, "/query/cursor", "bad_cursor"),
        (office.town, {"cursor": cursor}, "/query/cursor", "bad_cursor"),
    ):
        refused(await client.get("/v1/overdue", params=params), "invalid_request", (pointer, code))
    office.at("03-06")
    answer = await office.county.get("/v1/overdue", params={"limit": 1, "cursor": cursor})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))
