"""The end of a unit over HTTP: when it is refused, and what becomes of its items."""

import asyncio

import pytest

from tests import invariants
from tests.api.helpers import NOBODY, ids, match, ok, read, refused

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


async def hang(world, code, parent="root", **given):
    made = await world.admin.post("/v1/units", json={"code": code, "name": f"{code} 村", "parent": parent, **given})
    unit = ok(made, 201)
    world.units[code] = unit["id"]
    return unit


async def change(world, code, **given):
    url = f"/v1/units/{world.units[code]}"
    return await world.admin.patch(url, json=given, headers=match(await read(world.admin, url)))


async def end(world, code, **given):
    return await change(world, code, active=False, **given)


async def history(world, item):
    return (await read(world.admin, f"/v1/items/{item['id']}/events"))["items"]


async def now(world, item):
    return await read(world.admin, f"/v1/items/{item['id']}")


async def test_a_unit_with_nothing_to_do_ends_and_begins_anew(world, settings):
    unit = await hang(world, "e1", "t1")
    closed = await world.item(
        responsible_unit="e1", listed_at="2026-01-02T02:00:00Z", closed={"on": "2026-01-05", "note": "已整改"}
    )
    ended = ok(await end(world, "e1"))
    assert (ended["active"], ended["version"]) == (False, 2)
    listing = {"ledger": "default", "title": "新问题", "responsible_unit": "e1"}
    answer = await world.admin.post("/v1/items", json=listing)
    refused(answer, "invalid_request", ("/responsible_unit", "unknown_reference"))
    answer = await world.admin.post("/v1/units", json={"code": "e1x", "name": "组", "parent": "e1"})
    refused(answer, "invalid_request", ("/parent", "unknown_reference"))
    assert await ids(world.admin, unit="e1") == [closed["id"]], "what was is still found"
    again = ok(await change(world, "e1", active=True))
    assert (again["active"], again["version"]) == (True, 3)
    ok(await world.admin.post("/v1/items", json=listing), 201)
    found = await invariants.everything(settings)
    told = [row["type"] for row in found["tenant_events"] if str(row["unit_id"]) == unit["id"]]
    assert sorted(told) == ["unit.created", "unit.deactivated", "unit.reactivated"]


@pytest.mark.parametrize("part", ["responsible", "supervising", "co"])
async def test_open_items_in_which_it_has_a_part_keep_a_unit(world, part):
    code = f"keep-{part}"
    await hang(world, code, "t1")
    given = {
        "responsible": {"responsible_unit": code},
        "supervising": {"supervising_unit": code, "responsible_unit": "t2v1"},
        "co": {"co_units": [code]},
    }[part]
    await world.item(**given)
    problem = refused(await end(world, code), "guard_refused", guard="open_items", count=1)
    assert "1" in problem["detail"] and "transfer_to" in problem["detail"]


async def test_active_units_below_keep_a_unit_and_inactive_ones_do_not(world):
    await hang(world, "par")
    await hang(world, "kid", "par")
    refused(await end(world, "par"), "guard_refused", guard="active_children")
    refused(await end(world, "par", transfer_to="t1"), "guard_refused", guard="active_children")
    ok(await end(world, "kid"))
    ok(await end(world, "par"))
    refused(await change(world, "kid", active=True), "guard_refused", guard="inactive_parent")
    answer = await change(world, "kid", parent="par")
    assert ok(answer)["parent_id"] == world.units["par"], "it hangs there already"


async def test_what_was_sent_with_it_is_judged(world):
    await hang(world, "jdg")
    refused(await end(world, "root"), "guard_refused", guard="root_stays")
    refused(await change(world, "jdg", transfer_to="t1"), "invalid_request", ("/transfer_to", "needs_inactive"))
    wrong = await change(world, "jdg", active=True, transfer_to_id=world.units["t1"])
    refused(wrong, "invalid_request", ("/transfer_to_id", "needs_inactive"))
    refused(await end(world, "jdg", transfer_to="nowhere"), "invalid_request", ("/transfer_to", "unknown_reference"))
    refused(await end(world, "jdg", transfer_to_id=NOBODY), "invalid_request", ("/transfer_to_id", "unknown_reference"))
    refused(await end(world, "jdg", transfer_to="jdg"), "guard_refused", guard="other_unit")
    refused(await end(world, "jdg", parent="t1"), "invalid_request", ("/active", "one_of_two"))


async def test_its_items_are_transferred_through_the_same_door(world):
    await hang(world, "old", "t1")
    await hang(world, "new", "t2")
    fresh = await world.item(responsible_unit="old")
    claimed = await world.item(responsible_unit="old")
    ok(await world.fire(world.admin, claimed["id"], "claim", signed_by="张伟"))
    named = await world.item(responsible_unit="old", supervising_unit="root", co_units=["new"])
    ok(await end(world, "old", transfer_to="new"))
    for item, supervising in ((fresh, "t2"), (claimed, "t2"), (named, "root")):
        present = await now(world, item)
        assert present["responsible_unit_id"] == world.units["new"]
        assert (present["state"], present["claim"], present["co_unit_ids"]) == ("open", None, [])
        assert present["supervising_unit_id"] == world.units[supervising]
        assert present["supervising_defaulted"] == (supervising == "t2")
        last = (await history(world, item))[-1]
        assert last["type"] == "item.transferred" and "old" in last["data"]["reason"]
        assert last["actor"]["principal_id"] == (await read(world.admin, "/v1/me"))["principal_id"]
    assert set(await ids(await world.person("viewer", "new"))) == {each["id"] for each in (fresh, claimed, named)}
    assert await ids(await world.person("viewer", "old")) == []


async def test_in_the_items_of_others_the_heir_takes_its_place(world):
    for code in ("sup", "heir"):
        await hang(world, code)
    supervised = await world.item(responsible_unit="t1v1", supervising_unit="sup", co_units=["sup", "d1"])
    helped = await world.item(responsible_unit="t1v1", co_units=["d1", "sup"])
    both = await world.item(responsible_unit="t1v1", co_units=["sup", "heir"])
    heirs = await world.item(responsible_unit="heir", supervising_unit="sup", co_units=["sup"])
    ok(await end(world, "sup", transfer_to="heir"))
    heir = world.units["heir"]
    present = await now(world, supervised)
    assert (present["supervising_unit_id"], present["co_unit_ids"]) == (heir, [heir, world.units["d1"]])
    assert present["version"] == 2
    assert (await now(world, helped))["co_unit_ids"] == [world.units["d1"], heir]
    assert (await now(world, both))["co_unit_ids"] == [heir]
    present = await now(world, heirs)
    assert (present["supervising_unit_id"], present["supervising_defaulted"]) == (world.units["root"], True)
    assert present["co_unit_ids"] == [], "nobody helps itself"
    assert [event["type"] for event in await history(world, supervised)] == ["item.created", "item.updated"]


async def test_an_heir_that_supervises_already_gets_its_own_supervisor(world):
    await hang(world, "vlg", "t2")
    item = await world.item(responsible_unit="vlg", supervising_unit="t1")
    ok(await end(world, "vlg", transfer_to="t1"))
    present = await now(world, item)
    assert (present["responsible_unit_id"], present["supervising_unit_id"]) == (world.units["t1"], world.units["root"])


async def test_escalated_items_keep_a_unit_and_nothing_is_handed_over(world):
    await hang(world, "esc", "t1")
    fine = await world.item(responsible_unit="esc")
    summoned = await world.item(responsible_unit="esc")
    ok(await world.fire(world.admin, summoned["id"], "escalate", reason="逾期"))
    problem = refused(await end(world, "esc", transfer_to="t2"), "guard_refused", guard="escalated_items", count=1)
    assert "约谈" in problem["detail"]
    assert (await now(world, fine))["version"] == 1


async def test_more_than_a_thousand_items_are_not_handed_over_at_once(world):
    await hang(world, "busy", "t1")
    listing = {"ledger": "default", "title": "路灯不亮", "responsible_unit": "busy"}
    made = ok(await world.admin.post("/v1/items/batch", json={"items": [listing] * 1000}), 201)["items"]
    extra = await world.item(responsible_unit="busy")
    given = {"transfer_to": "t2v1"}
    refused(await end(world, "busy", **given), "guard_refused", guard="too_many_items", count=1001, max=1000)
    ok(await world.fire(world.admin, extra["id"], "annul", reason="重复"))
    ok(await end(world, "busy", **given))
    assert (await now(world, made[0]))["responsible_unit_id"] == world.units["t2v1"]


async def test_of_a_listing_and_an_end_at_once_one_is_refused(world):
    for n in range(6):
        await hang(world, f"r{n}", "t1")
        listing = {"ledger": "default", "title": "同时", "responsible_unit": f"r{n}"}
        ended, listed = await asyncio.gather(end(world, f"r{n}"), world.admin.post("/v1/items", json=listing))
        assert (ended.status_code, listed.status_code) in ((200, 422), (409, 201)), (ended.text, listed.text)
