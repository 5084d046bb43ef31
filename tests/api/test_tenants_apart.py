"""Two tenants with equal codes, references and keys: each sees its own. And a tenant made from the command line."""

import asyncio
from typing import Any

import httpx
import pytest

from service.settings import Settings
from service.workers import sequencer
from tests import commands
from tests.api.calls import (
    Place,
    Side,
    channel_at,
    grant_at,
    hook_at,
    issuer_at,
    item_at,
    moved,
    report_at,
    side,
    webhook_at,
)
from tests.api.calls_clock import asked_at, notice_at
from tests.api.document import OPERATIONS, UUID, inside
from tests.api.helpers import day, every_page, ok, read, refused
from tests.servers import Server
from tests.world import World


@pytest.fixture(scope="module")
async def home(world: World) -> Side:
    return await side(world, world.admin)


@pytest.fixture(scope="module")
async def away(world: World) -> Side:
    return await side(world, await world.tenant("away"))


# -- what is equal in both


async def test_a_code_that_both_have_means_one_s_own(home: Side, away: Side) -> None:
    for at in (home, away):
        item = await item_at(Place(at, "t1v1"), co_units=["t2"], supervising_unit="t1")
        assert item["ledger_id"] == at.ledger_id
        assert item["responsible_unit_id"] == at.units["t1v1"]
        assert (item["supervising_unit_id"], item["co_unit_ids"]) == (at.units["t1"], [at.units["t2"]])
        for asked in ({"unit": "t1v1"}, {"supervising_unit": "t1"}, {"ledger": "default"}):
            rows = await every_page(at.admin, "/v1/items", limit=200, **asked)
            assert {row["ledger_id"] for row in rows} == {at.ledger_id}
            assert item["id"] in [row["id"] for row in rows]


async def test_an_external_ref_that_both_have_does_not_collide(home: Side, away: Side) -> None:
    made = {at: await item_at(Place(at, "t1"), external_ref="同号-1") for at in (home, away)}
    for at, item in made.items():
        assert [row["id"] for row in await every_page(at.admin, "/v1/items", external_ref="同号-1")] == [item["id"]]
        body = {"ledger": "default", "title": "又一条", "responsible_unit": "t1", "external_ref": "同号-1"}
        refused(await at.admin.post("/v1/items", json=body), "conflict", existing_id=item["id"])


async def test_an_idempotency_key_that_both_use_does_not_collide(home: Side, away: Side) -> None:
    key, body = {"Idempotency-Key": "both"}, {"ledger": "default", "title": "同一请求", "responsible_unit": "t1"}
    made = [ok(await at.admin.post("/v1/items", json=body, headers=key), 201) for at in (home, away)]
    again = [ok(await at.admin.post("/v1/items", json=body, headers=key), 201) for at in (home, away)]
    assert made == again and made[0]["id"] != made[1]["id"]


async def test_a_person_that_both_call_the_same_is_one_s_own(world: World, home: Side, away: Side) -> None:
    """A platform acts for its own tenant's person, and for nobody of the other by the id."""
    people = {}
    for at in (home, away):
        body = {"name": "李明", "kind": "person", "external_id": "liming"}
        people[at] = ok(await at.admin.post("/v1/principals", json=body), 201)
        await grant_at(Place(at, "t1"), people[at]["id"])
        rows = await every_page(at.admin, "/v1/principals", external_id="liming")
        assert [row["id"] for row in rows] == [people[at]["id"]]
    platform = ok(await home.admin.post("/v1/principals", json={"name": "平台", "kind": "platform"}), 201)
    ok(await home.admin.post(f"/v1/principals/{platform['id']}/grants", json={"role": "platform", "unit": "t1"}), 201)
    key = ok(await home.admin.post(f"/v1/principals/{platform['id']}/keys", json={"delegate": True}), 201)["key"]
    body = {"delegates": [platform["id"]]}
    ok(await home.admin.patch(f"/v1/principals/{people[home]['id']}", json=body, headers={"If-Match": '"1"'}))
    me = await read(world.with_key(key, **{"X-Acting-For": "liming"}), "/v1/me")
    assert me["principal_id"] == people[home]["id"]
    for named in (people[away]["id"], "nobody"):
        refused(await world.with_key(key, **{"X-Acting-For": named}).get("/v1/me"), "forbidden")


async def test_item_numbers_are_counted_in_each_tenant(home: Side, away: Side) -> None:
    numbers = [{row["number"] for row in await every_page(at.admin, "/v1/items", limit=200)} for at in (home, away)]
    assert numbers[0] & numbers[1], "both began at the same number"


# -- what lists show

LISTS = [
    path
    for name, (path, each) in OPERATIONS.items()
    # The feed is followed by positions, not by cursors.
    if path.startswith("/v1/") and name.startswith("list_") and not inside(path) and name != "list_events"
]


async def populated(at: Side) -> dict[str, Any]:
    """Something in every list."""
    await issuer_at(Place(at, "t1")), await hook_at(Place(at, "t1")), await webhook_at(Place(at, "t1"))
    await channel_at(Place(at, "t1")), await report_at(Place(at, "t1"))
    await item_at(Place(at, "t1"), due_on=day(-9), description="饮水管网漏损，共同的词")
    await asked_at(Place(at, "t1")), await notice_at(Place(at, "t1"))
    return await moved(Place(at, "t1v1"), "escalate", "record")


async def ids_in_lists(admin: httpx.AsyncClient) -> dict[str, set[str]]:
    return {path: set(UUID.findall(str(await every_page(admin, path, limit=200)))) for path in LISTS}


async def test_no_list_shows_an_id_of_the_other(home: Side, away: Side) -> None:
    """Every id in every row, whatever field it stands in."""
    items = {at: await populated(at) for at in (home, away)}
    found = {at: await ids_in_lists(at.admin) for at in (home, away)}
    for at, each in found.items():
        assert all(each.values()), f"an empty list shows nothing: {[path for path, ids in each.items() if not ids]}"
        each["/v1/me"] = set(UUID.findall(str(await read(at.admin, "/v1/me"))))
        events = await every_page(at.admin, f"/v1/items/{items[at]['id']}/events")
        each["events"] = set(UUID.findall(str(events)))
        await sequencer.run_until_done(at.service)
        fed = await read(at.admin, "/v1/events", limit=200)
        assert fed["items"]
        each["feed"] = set(UUID.findall(str(fed)))
    theirs = set().union(*found[away].values())
    assert {path: ids & theirs for path, ids in found[home].items() if ids & theirs} == {}


async def test_no_search_and_no_total_counts_the_other_s(home: Side, away: Side) -> None:
    before = (await read(home.admin, "/v1/items", q="共同的词", include="total"))["total"]
    whole = (await read(home.admin, "/v1/items", include="total"))["total"]
    for _ in range(3):
        await item_at(Place(away, "t1"), title="饮水共同的词")
    found = await read(home.admin, "/v1/items", q="共同的词", include="total")
    assert found["total"] == before == len(found["items"])
    assert (await read(home.admin, "/v1/items", include="total"))["total"] == whole


async def test_a_cursor_of_the_other_is_no_cursor(home: Side, away: Side) -> None:
    for at in (home, away):
        await item_at(Place(at, "t1")), await item_at(Place(at, "t1"))
    cursor = (await read(away.admin, "/v1/items", limit=1))["next_cursor"]
    answer = await home.admin.get("/v1/items", params={"limit": 1, "cursor": cursor})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))


# -- a tenant from the command line


async def xiaohao(settings: Settings, home: Any, *words: str) -> tuple[int, str, str]:
    """(exit status, output, errors) of the command."""
    done = await asyncio.to_thread(commands.xiaohao, Server(settings, home).environment(), home, *words)
    return done.returncode, done.stdout, done.stderr


async def test_a_tenant_made_by_the_command_has_an_admin_a_root_and_a_ledger_of_its_own(
    world: World, settings: Settings, tmp_path: Any, home: Side
) -> None:
    status, out, err = await xiaohao(settings, tmp_path, "tenant", "create", "anji", "--name", "安吉县")
    assert (status, err) == (0, "")
    key = out.strip()
    assert out == f"{key}\n" and len(key) >= 32
    admin = world.with_key(key)
    me = await read(admin, "/v1/me")
    assert [grant["role"] for grant in me["grants"]] == ["admin"]
    assert me["tenant_id"] != (await read(home.admin, "/v1/me"))["tenant_id"]
    (root,) = await every_page(admin, "/v1/units")
    (ledger,) = await every_page(admin, "/v1/ledgers")
    assert (root["code"], root["name"], root["parent_id"], ledger["code"]) == ("root", "安吉县", None, "default")
    body = {"ledger": "default", "title": "第一条", "responsible_unit": "root"}
    item = ok(await admin.post("/v1/items", json=body), 201)
    assert [row["id"] for row in await every_page(admin, "/v1/items")] == [item["id"]]
    refused(await home.admin.get(f"/v1/items/{item['id']}"), "not_found")


@pytest.mark.parametrize("code", ["default", "away"])
async def test_a_code_that_is_taken_makes_no_tenant_and_no_key(
    world: World, settings: Settings, tmp_path: Any, home: Side, away: Side, code: str
) -> None:
    status, out, err = await xiaohao(settings, tmp_path, "tenant", "create", code)
    assert (status, out) == (2, "") and code in err and "Traceback" not in err
    for at in (home, away):
        assert await read(at.admin, "/v1/me")


@pytest.mark.parametrize("code", ["", "a b", "../县"])
async def test_a_code_that_is_none_makes_no_tenant(settings: Settings, tmp_path: Any, code: str) -> None:
    status, out, err = await xiaohao(settings, tmp_path, "tenant", "create", code)
    assert (status, out) == (2, "") and err and "Traceback" not in err


async def test_a_key_made_by_the_command_belongs_to_the_tenant_that_was_named(
    world: World, settings: Settings, tmp_path: Any, away: Side
) -> None:
    words = ("key", "create", "--principal", "王强", "--role", "viewer", "--unit", "t1", "--tenant", "away")
    status, out, _ = await xiaohao(settings, tmp_path, *words)
    assert status == 0
    me = await read(world.with_key(out.strip()), "/v1/me")
    assert [grant["unit_id"] for grant in me["grants"]] == [away.units["t1"]]
