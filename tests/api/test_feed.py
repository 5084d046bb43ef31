"""The feed: everything in scope once and in order, nothing else, and how far one has come."""

import asyncio
from typing import Any

import httpx
import pytest

from service.actions import feed
from service.workers import sequencer
from service.workflow.catalogue import EVENT_TYPES
from tests.world import World


async def follow(by: httpx.AsyncClient, after: int = 0, limit: int = 200, **query: Any) -> list[dict[str, Any]]:
    """Everything from a position to the end of the log."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await by.get("/v1/events", params={"after": after, "limit": limit, **query})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["last_position"] == after:
            return found
        after = page["last_position"]


@pytest.fixture(scope="module")
async def told(world: World) -> World:
    """A county in which something happened in two towns, all of it sequenced."""
    for unit in ("t1v1", "t2v1", "t1v2"):
        item = await world.item(responsible_unit=unit)
        await world.fire(world.admin, item["id"], "claim", signed_by="李村长")
        await world.fire(world.admin, item["id"], "transfer", responsible_unit="d1", reason="职责不符")
    await world.key("viewer", "t1")
    await sequencer.run_until_done(world.service)
    return world


async def test_an_admin_reads_everything_once_in_the_order_of_positions(told: World) -> None:
    events = await follow(told.admin)

    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["id"] for event in events}) == len(events)
    assert {"unit.created", "access.granted", "item.created", "item.claimed"} <= {event["type"] for event in events}


@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_pages_of_any_size_make_the_same_feed(told: World, limit: int) -> None:
    assert await follow(told.admin, limit=limit) == await follow(told.admin)


async def test_a_page_without_more_says_how_far_it_looked(told: World) -> None:
    whole = await follow(told.admin)
    end = whole[-1]["position"]

    page = (await told.admin.get("/v1/events", params={"after": end})).json()

    assert page == {"items": [], "last_position": end}


async def test_positions_are_those_of_the_history(told: World) -> None:
    events = [event for event in await follow(told.admin) if event["type"].startswith("item.")]
    item_id = events[0]["item_id"]

    history = (await told.admin.get(f"/v1/items/{item_id}/events")).json()["items"]

    assert history == [event for event in events if event["item_id"] == item_id]


async def test_what_is_not_sequenced_is_in_the_history_and_not_in_the_feed(told: World) -> None:
    before = await follow(told.admin)
    item = await told.item()

    history = (await told.admin.get(f"/v1/items/{item['id']}/events")).json()["items"]
    assert [event["position"] for event in history] == [None]
    assert await follow(told.admin) == before

    await sequencer.run_until_done(told.service)
    assert [event["item_id"] for event in (await follow(told.admin))[len(before) :]] == [item["id"]]


# -- scope


async def test_a_town_hears_what_concerned_it_before_or_after_and_positions_stay_truthful(told: World) -> None:
    town = await told.person("supervisor", "t2")
    await sequencer.run_until_done(told.service)
    own = {told.units["t2"], told.units["t2v1"]}

    heard = await follow(town)

    whole = await follow(told.admin)
    moved = [event for event in heard if event["type"] == "item.transferred"]
    assert len(moved) == 1
    assert moved[0]["unit_id"] == told.units["d1"], "it hears where its item went"
    about_items = [event for event in heard if event["item_id"]]
    assert {event["type"] for event in about_items} == {"item.created", "item.claimed", "item.transferred"}
    assert {event["unit_id"] for event in about_items if event["type"] != "item.transferred"} <= own
    assert [event for event in whole if event["position"] in {each["position"] for each in heard}] == heard
    answer = (await town.get("/v1/events", params={"limit": 200})).json()
    assert answer["last_position"] == whole[-1]["position"]


async def test_events_about_access_are_for_admin_and_auditor(told: World) -> None:
    await sequencer.run_until_done(told.service)
    for role, hears in (("auditor", True), ("supervisor", False), ("viewer", False)):
        reader = await told.person(role, "root")
        await sequencer.run_until_done(told.service)
        assert any(event["type"].startswith("access.") for event in await follow(reader)) is hears, role


async def test_another_tenant_has_a_log_of_its_own(told: World) -> None:
    other = await told.tenant("elsewhere")
    await sequencer.run_until_done(told.service)

    events = await follow(other)

    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert not {event["id"] for event in events} & {event["id"] for event in await follow(told.admin)}


# -- filters


async def test_types_units_and_ledgers_narrow_it(told: World) -> None:
    whole = await follow(told.admin)
    ledger_id = next(event["ledger_id"] for event in whole if event["item_id"])

    claimed = await follow(told.admin, type=["item.claimed", "item.transferred"])
    items = await follow(told.admin, type="item.*")
    of_ledger = await follow(told.admin, ledger="default")
    of_town = await follow(told.admin, unit="t2", type="item.created")

    assert claimed == [event for event in whole if event["type"] in ("item.claimed", "item.transferred")]
    assert items == [event for event in whole if event["type"].startswith("item.")]
    assert of_ledger == [event for event in whole if event["ledger_id"] == ledger_id]
    assert [event["unit_id"] for event in of_town] == [told.units["t2v1"]]


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ({"type": "item.exploded"}, "/query/type", "not_allowed"),
        ({"type": "Item"}, "/query/type/0", "bad_format"),
        ({"unit": "nowhere"}, "/query/unit", "unknown_reference"),
        ({"ledger": "nowhere"}, "/query/ledger", "unknown_reference"),
        ({"after": 10**9}, "/query/after", "out_of_range"),
        ({"after": -1}, "/query/after", "out_of_range"),
        ({"wait": 31}, "/query/wait", "out_of_range"),
        ({"since": 1}, "/query/since", "unknown_parameter"),
    ],
)
async def test_what_makes_no_sense_is_refused(told: World, query: dict[str, Any], pointer: str, code: str) -> None:
    answer = await told.admin.get("/v1/events", params=query)

    assert answer.status_code == 422
    assert {"pointer": pointer, "code": code}.items() <= answer.json()["errors"][0].items()


async def test_a_unit_out_of_scope_is_as_if_it_were_not_there(told: World) -> None:
    town = await told.person("supervisor", "t1")

    answer = await town.get("/v1/events", params={"unit": "t2"})

    assert answer.json()["errors"][0]["code"] == "unknown_reference"


async def test_a_reader_far_behind_comes_through_where_nothing_is_for_it(
    told: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "LOOK", 2)
    town = await told.person("supervisor", "t2")
    await sequencer.run_until_done(told.service)

    answer = await town.get("/v1/events", params={"after": 0})

    assert answer.json() == {"items": [], "last_position": 2}
    assert [event["item_id"] for event in await follow(town, type="item.transferred")] != []


# -- waiting


async def test_a_long_poll_answers_as_soon_as_there_is_something(told: World) -> None:
    await sequencer.run_until_done(told.service)
    end = (await follow(told.admin))[-1]["position"]
    waiting = asyncio.create_task(told.admin.get("/v1/events", params={"after": end, "wait": 20}))
    await asyncio.sleep(0.2)
    assert not waiting.done()

    item = await told.item()
    await sequencer.run_until_done(told.service)

    answer = await asyncio.wait_for(waiting, 5)
    assert [event["item_id"] for event in answer.json()["items"]] == [item["id"]]


async def test_a_long_poll_that_nobody_answers_ends_in_time(told: World) -> None:
    await sequencer.run_until_done(told.service)
    end = (await follow(told.admin))[-1]["position"]

    answer = await asyncio.wait_for(told.admin.get("/v1/events", params={"after": end, "wait": 1}), 5)

    assert answer.json() == {"items": [], "last_position": end}


async def test_a_long_poll_ends_with_the_key_that_asked(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.events.RECHECK_SECONDS", 0.1)
    viewer = await told.person("viewer", "t2")
    me = (await viewer.get("/v1/me")).json()
    await sequencer.run_until_done(told.service)
    end = (await follow(told.admin))[-1]["position"]
    waiting = asyncio.create_task(viewer.get("/v1/events", params={"after": end, "wait": 20}))
    await asyncio.sleep(0.2)

    gone = await told.admin.delete(f"/v1/principals/{me['principal_id']}")

    assert gone.status_code == 204, gone.text
    told.app.state.doorkeeper.forget_everyone()
    assert (await asyncio.wait_for(waiting, 10)).status_code == 401


async def test_every_type_that_is_written_stands_in_the_catalogue(told: World) -> None:
    assert {event["type"] for event in await follow(told.admin)} <= EVENT_TYPES.keys()
