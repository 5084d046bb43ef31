"""A grant without what lies below its unit shows the unit alone: in every operation, list, count, search and figure."""

import csv
import io
import itertools
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.store import tallies
from service.store.database import Tx
from service.store.worklist import OPEN_ITEM
from service.workers import figures, sequencer
from service.workflow.items import NEVER
from service.workflow.scopes import Scope
from tests import fonts
from tests.api.calls import CALLS, NAMES, Asked, Place, Side, item_at, publishing, side
from tests.api.calls_clock import asked_at, notice_at
from tests.api.helpers import day, every_page, ok, read, refused, today
from tests.api.matrix_table import TABLE
from tests.api.test_feed import follow
from tests.api.test_matrix import answer, cells
from tests.world import World

serial = itertools.count(1)

OTHERWISE = {
    "update_unit": "404",
    "list_reports": "none",
    "get_report": "404",
    "get_report_xlsx": "404",
    "get_report_corrections": "404",
}
"""What is about a unit and all below it is not for who sees the unit alone, nor is a unit below it."""


@pytest.fixture(scope="module")
async def home(world: World) -> Side:
    return await side(world, world.admin)


async def holder(world: World, *grants: tuple[str, str, bool]) -> httpx.AsyncClient:
    """A caller with these grants, each a role, a unit and whether what lies below is in it."""
    kind = "platform" if grants[0][0] == "platform" else "person"
    made = ok(await world.admin.post("/v1/principals", json={"name": f"一人 {next(serial)}", "kind": kind}), 201)
    path = f"/v1/principals/{made['id']}"
    for role, unit, subtree in grants:
        given = {"role": role, "unit": unit, "subtree": subtree}
        ok(await world.admin.post(f"{path}/grants", json=given), 201)
    return world.with_key(ok(await world.admin.post(f"{path}/keys", json={}), 201)["key"])


@pytest.fixture(scope="module")
async def on_root(world: World, home: Side) -> dict[str, httpx.AsyncClient]:
    return {role: await holder(world, (role, "root", False)) for role in ("viewer", "supervisor", "responsible")}


@pytest.fixture(scope="module")
async def on_town(world: World, home: Side) -> httpx.AsyncClient:
    return await holder(world, ("viewer", "t1", False))


# -- every operation


def plain(name: str, asked: Asked) -> bool:
    """Whether nothing but the place plays a part: what a write names in its body goes along with what is elsewhere."""
    return name not in NAMES or asked.method == "GET"


@pytest.mark.long
@pytest.mark.parametrize("name", TABLE)
async def test_what_lies_below_is_answered_as_what_lies_elsewhere(
    home: Side, on_root: dict[str, httpx.AsyncClient], name: str
) -> None:
    """A village, by callers who stand on the root alone: as a caller on a town is answered about another town."""
    fonts.skip_without(name)
    asked = await CALLS[name](home, Place(home, "t1v1"))
    if not plain(name, asked):
        return
    found = {role: answer(asked, await asked.by(client)) for role, client in on_root.items()}
    assert found == {role: cells(name)[role]["sibling"] for role in on_root}


@pytest.mark.long
@pytest.mark.parametrize("name", TABLE)
async def test_the_unit_itself_is_answered_as_it_is_to_who_sees_more(
    home: Side, on_town: httpx.AsyncClient, name: str
) -> None:
    fonts.skip_without(name)
    asked = await CALLS[name](home, Place(home, "t1"))
    if plain(name, asked):
        expected = OTHERWISE.get(name, cells(name)["viewer"]["own"])
        assert answer(asked, await asked.by(on_town)) == expected


# -- lists, counts, searches


@pytest.fixture(scope="module")
async def listed(world: World, home: Side) -> dict[str, dict[str, Any]]:
    """By what they are to the town: its own, what it supervises or shares; its villages' alone, or another's."""
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "own": ("t1", {}),
        "supervised": ("t1v1", {}),
        "shared": ("t2v1", {"co_unit_ids": [home.units["t1"]]}),
        "village": ("t1v1", {"supervising_unit": "t2v1"}),
        "other village": ("t1v2", {"supervising_unit": "t2v1"}),
        "shared below": ("t2v1", {"co_unit_ids": [home.units["t1v2"]]}),
        "elsewhere": ("t2", {}),
    }
    common = {"labels": ["独看"], "due_on": day(-3), "title": "石拱桥垮塌险情"}
    found = {name: await item_at(Place(home, unit), **common, **more) for name, (unit, more) in given.items()}
    await sequencer.run_until_done(world.service)
    return found


MINE, OF_ROOT = {"own", "supervised", "shared"}, {"own", "elsewhere"}
"""What the town sees, and what the root does: it supervises its towns."""

ASKED: list[dict[str, Any]] = [
    {},
    {"sort": "-due_on"},
    {"sort": "-updated_at"},
    {"q": "石拱桥"},
    {"q": "石拱桥", "sort": "-listed_at"},
    {"overdue": "true"},
    {"lamp": "red"},
    {"state": "open"},
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("few", [True, False], ids=["read whole", "by an index"])
async def test_a_list_and_its_total_hold_what_concerns_the_unit_itself(
    on_town: httpx.AsyncClient, on_root: dict[str, httpx.AsyncClient], listed: dict[str, dict[str, Any]],
    asked: dict[str, Any], few: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if not few:
        monkeypatch.setattr("service.store.list_statements.FEW", 0)
    names = {item["id"]: name for name, item in listed.items()}

    async def seen(client: httpx.AsyncClient, **more: Any) -> set[str]:
        params = {"label": "独看", **asked, **more}
        found = await every_page(client, "/v1/items", limit=2, **params)
        assert (await read(client, "/v1/items", include="total", limit=1, **params))["total"] == len(found)
        return {names[row["id"]] for row in found}

    assert await seen(on_town) == MINE
    assert await seen(on_town, unit="t1") == {"own", "supervised"}
    assert await seen(on_town, supervising_unit="t1") == {"supervised"}
    assert await seen(on_root["viewer"]) == await seen(on_root["viewer"], unit="root") == OF_ROOT
    answered = await on_town.get("/v1/items", params={"unit": "t1v1"})
    refused(answered, "invalid_request", ("/query/unit", "unknown_reference"))


async def test_a_board_counts_what_is_listed(
    world: World, home: Side, on_town: httpx.AsyncClient, listed: dict[str, dict[str, Any]]
) -> None:
    tenant_id = UUID((await read(on_town, "/v1/me"))["tenant_id"])
    scope = Scope(alone=(UUID(home.units["t1"]),))

    async def count(tx: Tx) -> int:
        return await tallies.count(tx, tenant_id, scope, OPEN_ITEM, (date.min, NEVER), 1_000)

    open_ones = [row for row in await every_page(on_town, "/v1/items") if row["state"] != "closed"]
    assert await world.service.read(count) == len(open_ones) >= len(MINE)


async def test_two_grants_show_what_either_shows(world: World, home: Side, listed: dict[str, dict[str, Any]]) -> None:
    both = await holder(world, ("viewer", "t1", False), ("viewer", "t1v2", True))
    same = await holder(world, ("viewer", "t1", False), ("viewer", "t1", True))
    names = {item["id"]: name for name, item in listed.items()}
    more = {"other village", "shared below"}
    for client, expected in ((both, MINE | more), (same, MINE | more | {"village"})):
        found = [names[row["id"]] for row in await every_page(client, "/v1/items", label="独看")]
        assert sorted(found) == sorted(expected)
        narrowed = [names[row["id"]] for row in await every_page(client, "/v1/items", label="独看", unit="t1")]
        assert sorted(narrowed) == sorted(expected - {"shared", "shared below"})


async def test_what_is_overdue_and_the_feed_hold_what_concerns_the_unit_itself(
    on_town: httpx.AsyncClient, on_root: dict[str, httpx.AsyncClient], listed: dict[str, dict[str, Any]]
) -> None:
    names = {item["id"]: name for name, item in listed.items()}
    for client, expected in ((on_town, MINE), (on_root["viewer"], OF_ROOT)):
        late = [names.get(row["item"]["id"]) for row in await every_page(client, "/v1/overdue", kind="item")]
        assert sorted(filter(None, late)) == sorted(expected)
        events = {names.get(event["item_id"]) for event in await follow(client)}
        assert events - {None} == expected
    narrowed = {names.get(event["item_id"]) for event in await follow(on_town, unit="t1")}
    assert narrowed - {None} == MINE


async def test_an_export_holds_what_the_list_holds(
    on_town: httpx.AsyncClient, listed: dict[str, dict[str, Any]]
) -> None:
    answered = await on_town.get("/v1/exports/items.csv", params={"label": "独看"})
    rows = list(csv.reader(io.StringIO(answered.text)))
    numbers = {listed[name]["number"] for name in MINE}
    assert answered.status_code == 200
    assert {cell for row in rows for cell in row} & {item["number"] for item in listed.values()} == numbers


async def test_requests_and_notices_are_those_about_the_unit_itself(
    home: Side, on_town: httpx.AsyncClient, on_root: dict[str, httpx.AsyncClient]
) -> None:
    asked = {unit: await asked_at(Place(home, unit)) for unit in ("t1", "t1v1", "t2v1")}
    issued = {unit: await notice_at(Place(home, unit)) for unit in ("t1", "t1v1", "t2v1")}
    # The root supervises its towns, a town its villages.
    for client, mine in ((on_town, {"t1", "t1v1"}), (on_root["viewer"], {"t1"})):
        for path, made in (("/v1/requests", asked), ("/v1/notices", issued)):
            shown = {row["id"] for row in await every_page(client, path)}
            assert {unit for unit, each in made.items() if each["id"] in shown} == mine, path


# -- units


async def test_a_unit_that_is_seen_alone_has_nothing_below_it(
    world: World, home: Side, on_town: httpx.AsyncClient
) -> None:
    assert [unit["code"] for unit in await every_page(on_town, "/v1/units")] == ["t1"]
    assert await every_page(on_town, "/v1/units", parent="t1") == []
    tree = await read(on_town, f"/v1/units/{home.units['t1']}/tree")
    assert home.units["t1"] in str(tree) and home.units["t1v1"] not in str(tree)
    refused(await on_town.get(f"/v1/units/{home.units['t1v1']}/tree"), "not_found")
    more = await holder(world, ("viewer", "root", False), ("viewer", "t1", True))
    codes = {unit["code"] for unit in await every_page(more, "/v1/units")}
    assert codes >= {"root", "t1", "t1v1", "t1v2"} and not codes & {"t2", "t2v1", "d1"}
    assert home.units["t1"] not in str(await read(more, f"/v1/units/{home.units['root']}/tree"))
    assert home.units["t1v2"] in str(await read(more, f"/v1/units/{home.units['t1']}/tree"))


# -- figures


async def counts(client: httpx.AsyncClient, by: str = "unit", **params: Any) -> tuple[dict[str, int], int]:
    """What was listed today, by the rows' codes, and in all."""
    period = {"from": today().isoformat(), "to": today().isoformat()}
    found = await read(client, "/v1/statistics", by=by, **period, **params)
    return {row["code"] or row["key"]: row["figures"]["listed"] for row in found["rows"]}, found["total"]["listed"]


@pytest.mark.parametrize("folded", [False, True], ids=["counted", "summed up"])
async def test_the_figures_of_a_unit_that_is_seen_alone_are_its_own(
    world: World, home: Side, on_town: httpx.AsyncClient, listed: dict[str, dict[str, Any]], folded: bool
) -> None:
    await sequencer.run_until_done(world.service)
    if folded:
        await figures.run_until_done(world.service)
    own, of_own = await counts(home.admin, unit="t1", subtree="false")
    below, _ = await counts(home.admin, unit="t1v1", subtree="false")
    other, _ = await counts(home.admin, unit="t2", subtree="false")
    assert own["t1"] == of_own > 0 and below["t1v1"] > 0 and other["t2"] > 0
    for asked in ({}, {"unit": "t1"}, {"unit": "t1", "subtree": "false"}, {"subtree": "false"}):
        assert await counts(on_town, **asked) == (own, of_own)
        for by in ("month", "severity", "ledger"):
            assert (await counts(on_town, by, **asked))[1] == of_own
    both = await holder(world, ("viewer", "t1", False), ("viewer", "t2", False), ("viewer", "t1v1", True))
    assert await counts(both) == (own | other | below, of_own + other["t2"] + below["t1v1"])
    period = {"from": today().isoformat(), "to": today().isoformat()}
    behind = await every_page(on_town, "/v1/statistics/items", metric="listed", **period)
    assert len(behind) == of_own and {row["unit_id"] for row in behind} == {home.units["t1"]}
    answered = await on_town.get("/v1/statistics", params={"by": "unit", "unit": "t1v1"})
    refused(answered, "invalid_request", ("/query/unit", "unknown_reference"))


async def test_who_stands_on_the_root_alone_has_the_figures_of_the_root_alone(
    home: Side, on_root: dict[str, httpx.AsyncClient], listed: dict[str, dict[str, Any]]
) -> None:
    whole, _ = await counts(home.admin)
    assert await counts(on_root["viewer"]) == ({"root": whole["root"]}, whole["root"])


async def test_a_month_is_published_by_who_sees_all_that_is_in_it(
    world: World, home: Side, on_root: dict[str, httpx.AsyncClient]
) -> None:
    asked = publishing(Place(home, "root"))
    refused(await asked.by(on_root["supervisor"]), "forbidden")
    ok(await asked.by(home.admin), 201)


# -- endpoints and channels


async def test_an_endpoint_is_narrowed_to_what_its_owner_sees(world: World, home: Side) -> None:
    platform = await holder(world, ("platform", "t1", False))
    body = {"url": "https://hooks.example.org/xiaohao", "types": ["item.*"]}
    ok(await platform.post("/v1/webhooks", json={**body, "unit": "t1"}), 201)
    answered = await platform.post("/v1/webhooks", json={**body, "unit": "t1v1"})
    refused(answered, "invalid_request", ("/unit", "unknown_reference"))
