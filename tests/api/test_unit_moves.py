"""Units change and move over HTTP: the tree, who sees which items, and what is told of it."""

import asyncio

import pytest

from tests import invariants
from tests.api.helpers import NOBODY, day, every_page, ids, match, ok, read, refused

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


async def hang(world, code, parent="root", **given):
    made = await world.admin.post("/v1/units", json={"code": code, "name": f"{code} 镇", "parent": parent, **given})
    unit = ok(made, 201)
    world.units[code] = unit["id"]
    return unit


async def grow(world, mark):
    """Two towns; the first has a village with a group below it. Codes begin with `mark`."""
    await hang(world, f"{mark}a", level="town")
    await hang(world, f"{mark}b", level="town")
    await hang(world, f"{mark}v", f"{mark}a", level="village")
    await hang(world, f"{mark}g", f"{mark}v")


async def change(world, code, by=None, /, **given):
    client, url = by or world.admin, f"/v1/units/{world.units[code]}"
    present = await read(world.admin, url)
    return await client.patch(url, json=given, headers=match(present))


async def told(settings, unit_id):
    """The events about a unit, oldest first, with their texts."""
    found = await invariants.everything(settings)
    return [
        invariants.told(row)
        for row in sorted(found["tenant_events"], key=lambda row: row["id"])
        if str(row["unit_id"]) == unit_id
    ]


# -- code, name and level


async def test_a_unit_gets_another_code_name_and_level(world, settings):
    before = await hang(world, "rn1", level="village")
    answer = await change(world, "rn1", code="rn1x", name="新名", level="other")
    unit = ok(answer)
    assert (unit["code"], unit["name"], unit["level"], unit["version"]) == ("rn1x", "新名", "other", 2)
    assert answer.headers["etag"] == '"2"'
    assert await read(world.admin, f"/v1/units/{unit['id']}") == unit
    created, updated = await told(settings, unit["id"])
    assert (created["type"], created["data"]["code"]) == ("unit.created", "rn1")
    assert updated["type"] == "unit.updated"
    assert updated["data"] == {
        "version": 2,
        "changes": {
            "code": {"before": "rn1", "after": "rn1x"},
            "name": {"before": before["name"], "after": "新名"},
            "level": {"before": "village", "after": "other"},
        },
    }
    assert updated["audience"] == [unit["id"], world.units["root"]]


async def test_a_change_that_changes_nothing_is_none(world, settings):
    unit = await hang(world, "same", "t1")
    assert ok(await change(world, "same", name=unit["name"], parent="t1", active=True)) == unit
    assert ok(await change(world, "same")) == unit
    assert [event["type"] for event in await told(settings, unit["id"])] == ["unit.created"]


async def test_a_taken_code_is_a_conflict(world):
    await hang(world, "taken")
    refused(await change(world, "taken", code="t1"), "conflict")


async def test_a_unit_is_changed_only_as_it_was_read(world):
    unit = await hang(world, "vers")
    url = f"/v1/units/{unit['id']}"
    refused(await world.admin.patch(url, json={"name": "新"}), "precondition_required")
    refused(await world.admin.patch(url, json={"name": "新"}, headers={"If-Match": '"7"'}), "stale_version")
    refused(await world.admin.patch(f"/v1/units/{NOBODY}", json={}, headers={"If-Match": '"1"'}), "not_found")
    at_first = match(unit)
    answers = await asyncio.gather(*(world.admin.patch(url, json={"name": f"{n}"}, headers=at_first) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


@pytest.mark.parametrize("role", ["supervisor", "responsible", "viewer", "auditor", "platform"])
async def test_only_an_admin_changes_units(world, role):
    refused(await change(world, "t1", await world.person(role), name="新"), "forbidden")
    refused(await change(world, "t2", await world.person("supervisor", "t1"), name="新"), "not_found")


# -- moves


async def test_a_subtree_moves_and_its_items_are_seen_from_the_new_line_only(world, settings):
    await grow(world, "mv")
    item = await world.item(responsible_unit="mvg")
    old, new, own = [await world.person("viewer", code) for code in ("mva", "mvb", "mvv")]
    assert await ids(old) == await ids(own) == [item["id"]] and await ids(new) == []
    unit = ok(await change(world, "mvv", parent="mvb"))
    assert (unit["parent_id"], unit["version"]) == (world.units["mvb"], 2)
    assert await ids(new) == await ids(own) == [item["id"]] and await ids(old) == []
    assert {each["code"] for each in await every_page(new, "/v1/units")} == {"mvb", "mvv", "mvg"}
    refused(await old.get(f"/v1/items/{item['id']}"), "not_found")
    assert (await read(new, f"/v1/items/{item['id']}"))["version"] == 1, "only items of the unit itself change"
    moved = (await told(settings, unit["id"]))[-1]
    assert (moved["type"], moved["data"]["version"]) == ("unit.moved", 2)
    assert moved["data"]["changes"] == {"parent_id": {"before": world.units["mva"], "after": world.units["mvb"]}}
    assert moved["audience"] == [unit["id"], world.units["mva"], world.units["mvb"]]


async def test_the_supervising_unit_follows_where_nobody_named_one(world):
    await grow(world, "sv")
    followed = await world.item(responsible_unit="svv")
    named = await world.item(responsible_unit="svv", supervising_unit="root")
    closed = await world.item(responsible_unit="svv", listed_at="2026-01-02T02:00:00Z", closed={"on": "2026-01-05"})
    ok(await change(world, "svv", parent="svb"))
    for item in (followed, closed):
        now = await read(world.admin, f"/v1/items/{item['id']}")
        assert (now["supervising_unit_id"], now["version"]) == (world.units["svb"], 2)
        last = (await read(world.admin, f"/v1/items/{item['id']}/events"))["items"][-1]
        assert (last["type"], last["item_version"]) == ("item.updated", 2)
        assert last["data"]["changes"] == {
            "supervising_unit_id": {"before": world.units["sva"], "after": world.units["svb"]}
        }
    assert (await read(world.admin, f"/v1/items/{named['id']}"))["version"] == 1


@pytest.mark.parametrize(
    ("unit", "parent"), [("v", "root"), ("v", "b"), ("a", "b"), ("g", "a"), ("g", "root"), ("b", "g")]
)
async def test_up_down_and_sideways_nothing_is_lost(world, unit, parent):
    mark = f"ud{unit}{parent[:1]}"
    await grow(world, mark)
    for code in "abvg":
        await world.item(responsible_unit=f"{mark}{code}")
        await world.item(responsible_unit=f"{mark}{code}", supervising_unit="root", co_units=[f"{mark}a", "t1v1"])
        await world.item(responsible_unit="t2v1", co_units=sorted({f"{mark}{code}", f"{mark}b"}))
    ok(await change(world, f"{mark}{unit}", parent=parent if parent == "root" else f"{mark}{parent}"))


async def test_a_unit_above_that_still_sees_an_item_through_another_part_keeps_it(world):
    await grow(world, "kp")
    item = await world.item(responsible_unit="kpv", supervising_unit="kpa", co_units=["kpg"])
    ok(await change(world, "kpv", parent="kpb"))
    assert await ids(await world.person("viewer", "kpa")) == [item["id"]]
    assert await ids(await world.person("viewer", "kpa"), unit="kpa") == []


async def test_a_unit_moves_with_a_new_name_in_one_version(world, settings):
    await grow(world, "mn")
    unit = ok(await change(world, "mnv", parent_id=world.units["mnb"], name="新村"))
    assert (unit["version"], unit["name"]) == (2, "新村")
    assert [event["type"] for event in await told(settings, unit["id"])][1:] == ["unit.updated", "unit.moved"]


@pytest.mark.parametrize(("unit", "parent"), [("a", "a"), ("a", "v"), ("a", "g"), ("v", "g")])
async def test_a_cycle_is_refused(world, unit, parent):
    mark = f"cy{unit}{parent}"
    await grow(world, mark)
    answer = await change(world, f"{mark}{unit}", parent=f"{mark}{parent}")
    assert "下级" in refused(answer, "guard_refused", guard="cycle")["detail"]


async def test_the_root_stays(world):
    refused(await change(world, "root", parent="t1"), "guard_refused", guard="root_stays")
    refused(await change(world, "root", code="r"), "guard_refused", guard="root_stays")
    assert ok(await change(world, "root", name="青溪县"))["name"] == "青溪县"


async def test_an_unknown_parent_and_two_parents_are_pointed_at(world):
    refused(await change(world, "t1v1", parent="nowhere"), "invalid_request", ("/parent", "unknown_reference"))
    refused(await change(world, "t1v1", parent_id=NOBODY), "invalid_request", ("/parent_id", "unknown_reference"))
    both = await change(world, "t1v1", parent="t2", parent_id=world.units["t2"])
    refused(both, "invalid_request", ("/parent", "one_of_two"))


# -- many at once


async def test_two_moves_at_once_make_no_cycle(world):
    for n in range(5):
        await hang(world, f"x{n}")
        await hang(world, f"y{n}")
        answers = await asyncio.gather(change(world, f"x{n}", parent=f"y{n}"), change(world, f"y{n}", parent=f"x{n}"))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        refused(next(answer for answer in answers if answer.is_error), "guard_refused", guard="cycle")


async def together(*work):
    """All at once; when one fails, the others end too."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]


async def until(done, work):
    """Repeat `work` until `done` is set; how often it was done."""
    count = 0
    while not done.is_set():
        await work(count)
        count += 1
    return count


async def to_and_fro(world, code, parents, times, done):
    try:
        for n in range(times):
            ok(await change(world, code, parent=parents[n % 2]))
    finally:
        done.set()


async def test_items_and_units_that_are_made_while_a_subtree_moves_have_their_place(world, full):
    await grow(world, "cc")
    done = asyncio.Event()

    async def an_item(n):
        await world.item(responsible_unit=("ccv", "ccg")[n % 2], co_units=["cca"] if n % 3 else [])

    async def a_unit(n):
        await hang(world, f"cc-{n}", "ccg" if n % 2 else "ccv")

    async def a_change(n):
        item = await world.item(responsible_unit="ccg", supervising_unit="ccv" if n % 2 else "root")
        ok(await world.fire(world.admin, item["id"], "claim", signed_by="张伟"))
        ok(await world.fire(world.admin, item["id"], "extend", due_on=day(60), reason="雨季"))
        ok(await world.fire(world.admin, item["id"], "annul", reason="重复"))

    async def a_transfer(n):
        item = await world.item(responsible_unit="t1v1")
        ok(await world.fire(world.admin, item["id"], "transfer", responsible_unit="ccv", reason="职责调整"))

    counts = await together(
        to_and_fro(world, "ccv", ("ccb", "cca"), 60 if full else 16, done),
        *(until(done, work) for work in (an_item, a_unit, a_change, a_transfer)),
    )
    assert all(count for count in counts[1:]), counts


async def test_what_happens_to_items_while_their_subtree_moves_is_seen_by_every_unit(world, full):
    """A large subtree, so that a move takes its time: rows that it replaces must not be left as they were before."""
    await grow(world, "lg")
    many = 1000 if full else 400
    listing = {"ledger": "default", "title": "路灯不亮", "responsible_unit": "lgg", "supervising_unit": "root"}
    made = await world.admin.post("/v1/items/batch", json={"items": [listing] * many})
    waiting = [item["id"] for item in ok(made, 201)["items"]]
    done = asyncio.Event()

    async def end(n):
        if not waiting:
            await asyncio.sleep(0.01)
            return
        ok(await world.fire(world.admin, waiting.pop(), "annul", reason="重复"))

    await together(to_and_fro(world, "lgv", ("lgb", "lga"), 12, done), *(until(done, end) for _ in range(4)))
    assert len(waiting) < many


async def test_who_reads_while_a_subtree_moves_sees_all_of_it_or_nothing(world, full):
    await grow(world, "rd")
    listed = {
        (await world.item(responsible_unit=("rdv", "rdg")[n % 2], supervising_unit="root"))["id"] for n in range(40)
    }
    readers = [await world.person("viewer", code) for code in ("rda", "rdb")]
    done, seen = asyncio.Event(), set()

    async def look(n):
        for reader in readers:
            found = await read(reader, "/v1/items", limit=200, include="total")
            assert len(found["items"]) in (0, 40) and found["total"] == len(found["items"])
            seen.add(len(found["items"]))
            codes = {unit["code"] for unit in (await read(reader, "/v1/units"))["items"]}
            assert codes in ({"rda"}, {"rdb"}, {"rda", "rdv", "rdg"}, {"rdb", "rdv", "rdg"})

    async def page(n):
        """From the root nothing ever leaves: every page follows the one before, whatever moves meanwhile."""
        found = await every_page(world.admin, "/v1/items", unit="rdv", limit=7)
        assert [item["id"] for item in found] == list(dict.fromkeys(item["id"] for item in found))
        assert {item["id"] for item in found} == listed

    await together(
        to_and_fro(world, "rdv", ("rdb", "rda"), 60 if full else 16, done), until(done, look), until(done, page)
    )
    assert seen == {0, 40}
