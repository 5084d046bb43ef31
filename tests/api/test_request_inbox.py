"""The deciders' inbox and the requests of the past: whose they are, in which order, page by page."""

import pytest

from tests.api.helpers import every_page, ok, read, refused
from tests.api.office import on

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def asked_on(office, *days, unit="t1v1"):
    """A closure request asked on each of these days about an item of its own; due for a decision 5 working days on."""
    made = []
    for day in days:
        office.at(day)
        item = await office.item(due_on=on("04-10"), responsible_unit=unit)
        item = await office.fire(office.admin, item, "claim", signed_by="张伟")
        made.append(await office.pending(item, "closure", by=office.admin))
    return made


async def inbox(client, **params):
    return [row["id"] for row in await every_page(client, "/v1/requests", **params)]


async def test_what_must_be_decided_first_stands_first(empty_office):
    office = empty_office
    later, first, second = await asked_on(office, "03-04", "03-02", "03-02")
    assert (first["decide_due"], later["decide_due"]) == (on("03-09"), on("03-11"))
    expected = [each["id"] for each in (first, second, later)]
    assert await inbox(office.town) == await inbox(office.town, status="pending") == expected
    for limit in (1, 2, 3):
        assert await inbox(office.town, limit=limit) == expected
    ok(await office.give_back(first))
    assert await inbox(office.town) == expected[1:]


@pytest.mark.parametrize("pages", [1, 200])
async def test_overdue_ones_and_the_others(empty_office, pages):
    """The last good day is good still."""
    office = empty_office
    asked = [each["id"] for each in await asked_on(office, "03-02", "03-03", "03-04", "03-05")]
    for day, late in (("03-09", 0), ("03-10", 1), ("03-11", 2), ("03-14", 4)):
        office.at(day)
        assert await inbox(office.town, overdue="true", limit=pages) == asked[:late]
        assert await inbox(office.town, overdue="false", status="pending", limit=pages) == asked[late:]
        assert await inbox(office.town, limit=pages) == asked


async def test_each_sees_its_own_part(empty_office):
    office = empty_office
    (one,) = await asked_on(office, "03-02", unit="t1v1")
    (two,) = await asked_on(office, "03-02", unit="t1v2")
    (three,) = await asked_on(office, "03-02", unit="t2v1")
    office.at("03-10")
    for role, unit, seen in (
        ("supervisor", "root", [one, two, three]), ("auditor", "root", [one, two, three]),
        ("supervisor", "t1", [one, two]), ("responsible", "t1v1", [one]), ("viewer", "t2", [three]),
        ("platform", "t2v1", [three]), ("viewer", "d1", []),
    ):  # fmt: skip
        client = await office.person(role, unit)
        assert await inbox(client) == [each["id"] for each in seen], (role, unit)
        assert await inbox(client, overdue="true") == [each["id"] for each in seen]
    for each in (one, three):
        ok(await office.give_back(each, office.county))
    town, other = await office.person("viewer", "t1"), await office.person("viewer", "t2")
    assert (await inbox(town), await inbox(town, status="returned")) == ([two["id"]], [one["id"]])
    assert (await inbox(other), await inbox(other, status="returned")) == ([], [three["id"]])


async def test_overlapping_grants_bring_nothing_twice(empty_office):
    office = empty_office
    asked = [each["id"] for each in await asked_on(office, "03-02", "03-03", "03-04")]
    client = await office.person("viewer", "t1")
    me = (await read(client, "/v1/me"))["principal_id"]
    for unit in ("t1v1", "root"):
        ok(await office.admin.post(f"/v1/principals/{me}/grants", json={"role": "viewer", "unit": unit}), 201)
    office.world.app.state.doorkeeper.forget_everyone()
    assert await inbox(client) == await inbox(client, limit=1) == asked


async def test_a_request_follows_its_item_to_another_unit(empty_office):
    """What is pending is cancelled with the transfer; the receiver reads it among the past ones."""
    office = empty_office
    (request,) = await asked_on(office, "03-02")
    giver, receiver = await office.person("viewer", "t1"), await office.person("viewer", "t2")
    item = {"id": request["item_id"]}
    await office.fire(office.county, item, "transfer", responsible_unit="t2v1", reason="属地有误")
    assert await inbox(giver) == await inbox(giver, status="cancelled") == []
    assert (await inbox(receiver), await inbox(receiver, status="cancelled")) == ([], [request["id"]])


async def test_the_past_is_listed_newest_first(empty_office):
    office = empty_office
    asked = await asked_on(office, *["03-02"] * 5)
    ids = [each["id"] for each in asked]
    ok(await office.approve(asked[0], office.town))
    ok(await office.give_back(asked[1]))
    ok(await office.withdraw(asked[2], office.admin))
    await office.fire(office.town, {"id": asked[3]["item_id"]}, "annul", reason="查无此事")
    for status, place in (("approved", 0), ("returned", 1), ("withdrawn", 2), ("cancelled", 3), ("pending", 4)):
        assert await inbox(office.town, status=status) == [ids[place]]
    every = ["approved", "returned", "withdrawn", "cancelled", "pending"]
    for limit in (1, 2, 200):
        assert await inbox(office.town, status=every, limit=limit) == ids[::-1]
    assert await inbox(office.town, status=["approved", "returned", "approved"]) == [ids[1], ids[0]]


async def test_a_page_goes_on_where_it_was_while_others_decide(empty_office):
    """What does not change is neither lost nor repeated."""
    office = empty_office
    asked = await asked_on(office, *["03-02"] * 6)
    ids = [each["id"] for each in asked]
    first = await read(office.town, "/v1/requests", limit=2)
    assert [row["id"] for row in first["items"]] == ids[:2]
    for gone in (asked[1], asked[3]):
        ok(await office.give_back(gone))
    new = await office.pending({"id": asked[1]["item_id"]}, "closure", by=office.admin)
    rest = await every_page(office.town, "/v1/requests", limit=2, cursor=first["next_cursor"])
    assert [row["id"] for row in rest] == [ids[2], ids[4], ids[5], new["id"]]


@pytest.mark.parametrize("status", ["pending", "returned"])
async def test_a_cursor_belongs_to_its_question_and_its_day(empty_office, status):
    office = empty_office
    asked = await asked_on(office, "03-02", "03-02", "03-02")
    if status == "returned":
        for each in asked:
            ok(await office.give_back(each))
    params = {"limit": 1, "status": status}
    cursor = (await read(office.town, "/v1/requests", **params))["next_cursor"]
    other = {**params, "status": "approved"}
    for client, query in ((office.county, params), (office.town, other), (office.town, {"limit": 1})):
        answer = await client.get("/v1/requests", params={**query, "cursor": cursor})
        refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))
    ok(await office.town.get("/v1/requests", params={**params, "limit": 2, "cursor": cursor}))
    office.at("03-03")
    answer = await office.town.get("/v1/requests", params={**params, "cursor": cursor})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))


async def test_questions_that_make_no_sense_are_refused(empty_office):
    town = empty_office.town
    for params, pointer, code in (
        ({"overdue": "true", "status": "approved"}, "/query/overdue", "needs_pending"),
        ({"overdue": "false", "status": ["pending", "approved"]}, "/query/overdue", "needs_pending"),
        ({"status": "open"}, "/query/status/0", "not_allowed"),
        ({"overdue": "maybe"}, "/query/overdue", "bad_format"),
        ({"kind": "closure"}, "/query/kind", "unknown_parameter"),
        ({"limit": 201}, "/query/limit", "out_of_range"),
        ({"cursor": "x"}, "/query/cursor", "bad_cursor"),
    ):
        refused(await town.get("/v1/requests", params=params), "invalid_request", (pointer, code))
    link = await town.get("/v1/requests", params={"limit": 1})
    assert ok(link) == {"items": [], "next_cursor": None} and "link" not in link.headers
