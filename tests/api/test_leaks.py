"""What a caller may not see does not show by any way around: not by statuses, versions, counts or searches."""

import itertools
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.api.calls import CALLS, NAMES, Place, Side, firing, item_at, moved, regrant, side
from tests.api.calls_clock import asked_at, notice_at
from tests.api.document import OPERATIONS, inside, tenant_level
from tests.api.helpers import NOBODY, VERIFIED, day, every_page, ok, read, refused
from tests.world import World

serial = itertools.count(1)
PLAIN = [name for name in CALLS if name not in NAMES]
WITH_PATH = [name for name in PLAIN if inside(OPERATIONS[name.partition(":")[0]][0])]


LISTS = ["/v1/items", "/v1/overdue", "/v1/interviews", "/v1/requests", "/v1/notices", "/v1/units", "/v1/ledgers"]


@pytest.fixture(scope="module")
async def home(world: World) -> Side:
    return await side(world, world.admin)


def out_of_reach(home: Side) -> Place:
    """For whoever stands on t1."""
    return Place(home, "t2")


def seen_as(answer: httpx.Response) -> tuple[int, dict[str, Any], dict[str, str]]:
    """All of an answer that could tell one refusal from another."""
    varies = {"x-request-id", "content-length", "date"}
    body = {name: value for name, value in answer.json().items() if name not in {"request_id", "instance"}}
    return answer.status_code, body, {name: value for name, value in answer.headers.items() if name not in varies}


# -- statuses and versions

PRECONDITIONS = [
    {"If-None-Match": '"1"'},
    {"If-None-Match": "*"},
    {"If-Match": '"1"'},
    {"If-Match": '"77"'},
    {"If-Match": "*"},
]


@pytest.mark.parametrize("name", [name for name in WITH_PATH if not name.endswith(("ledger", "calendar"))])
@pytest.mark.parametrize("role", ["supervisor", "viewer"])
async def test_what_is_out_of_reach_is_refused_as_what_is_nowhere(
    world: World, home: Side, name: str, role: str
) -> None:
    """Under no precondition and under each: byte for byte, without a version. Ledgers and calendars everyone reads."""
    caller = await world.person(role, "t1")
    there = await CALLS[name](home, out_of_reach(home))
    segments = there.path.split("/")
    nowhere = replace(there, path="/".join([*segments[:3], NOBODY, *segments[4:]]))
    for precondition in ({}, *PRECONDITIONS):
        asked = [replace(each, version=None) if precondition else each for each in (there, nowhere)]
        answers = [await each.by(caller, **precondition) for each in asked]
        assert answers[0].status_code in (403, 404, 428)
        assert seen_as(answers[0]) == seen_as(answers[1]), precondition
        assert "etag" not in answers[0].headers


@pytest.mark.parametrize("name", WITH_PATH)
async def test_who_has_no_grant_at_all_finds_nothing(world: World, home: Side, name: str) -> None:
    caller = await world.person("viewer", "root")
    await regrant(world, caller)
    answer = await (await CALLS[name](home, Place(home, "t1"))).by(caller)
    assert answer.status_code == (403 if tenant_level(name) else 404), answer.text


@pytest.mark.parametrize("path", LISTS)
async def test_who_has_no_grant_at_all_has_empty_lists(world: World, home: Side, path: str) -> None:
    await item_at(Place(home, "t1"), due_on=day(-3))
    await asked_at(Place(home, "t1")), await notice_at(Place(home, "t1"))
    caller = await world.person("admin", "root")
    await regrant(world, caller)
    assert await every_page(caller, path) == []


async def test_a_stale_version_is_told_only_to_those_who_may_write(world: World, home: Side) -> None:
    item = await item_at(Place(home, "t2"))
    claim = replace(firing(item["id"], "claim", signed_by="张三"), version=77)
    refused(await claim.by(await world.person("responsible", "t1")), "not_found")
    refused(await claim.by(await world.person("viewer", "t2")), "forbidden")
    refused(await claim.by(await world.person("responsible", "t2")), "stale_version")


# -- counts, searches, cursors


async def test_a_total_counts_only_what_is_listed(world: World, home: Side) -> None:
    label = f"标{next(serial)}"
    for unit, count in (("t1", 1), ("t1v1", 2), ("t2", 4), ("root", 8)):
        for _ in range(count):
            await item_at(Place(home, unit), labels=[label], title="石桥垮塌险情", due_on=day(-2))
    for asked in ({}, {"q": "石桥垮塌"}, {"overdue": "true"}, {"q": "石", "sort": "-updated_at"}, {"lamp": "red"}):
        for unit, expected in (("t1", 3), ("t1v1", 2), ("t2", 4), ("t2v1", 0)):
            caller = await world.person("viewer", unit)
            found = await read(caller, "/v1/items", label=label, include="total", limit=1, **asked)
            assert (found["total"], len(found["items"])) == (expected, min(expected, 1)), (unit, asked)
            assert not found.get("truncated")
            assert (found["next_cursor"] is None) == (expected < 2)


async def test_a_search_finds_an_item_only_while_it_is_in_scope(world: World, home: Side) -> None:
    town, word = await world.person("viewer", "t1"), f"琉璃瓦{next(serial)}"
    item = await item_at(Place(home, "t2"), description=word, external_ref=word)

    async def found() -> list[int]:
        asked: list[dict[str, Any]] = [{"q": word}, {"q": item["number"]}, {"external_ref": word}]
        return [(await read(town, "/v1/items", include="total", **each))["total"] for each in asked]

    assert await found() == [0, 0, 0]
    ok(await firing(item["id"], "transfer", responsible_unit="t1v1", reason="属地有误").by(home.admin))
    assert await found() == [1, 1, 1]
    ok(await firing(item["id"], "transfer", responsible_unit="t2", reason="属地有误").by(home.admin))
    assert await found() == [0, 0, 0]


async def test_a_cursor_opens_no_other_scope(world: World, home: Side) -> None:
    """Another's cursor is none; one's own, from when one saw more, goes on with what one sees now."""
    label = f"标{next(serial)}"
    for unit in ("t1", "t2", "t2", "t1v1", "t2v1"):
        await item_at(Place(home, unit), labels=[label])
    caller, other = await world.person("viewer", "root"), await world.person("viewer", "t1")
    asked = {"label": label, "limit": 1}
    cursor = (await read(caller, "/v1/items", **asked))["next_cursor"]
    answer = await other.get("/v1/items", params={**asked, "cursor": cursor})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))
    await regrant(world, caller, "viewer", "t1")
    rest = await read(caller, "/v1/items", label=label, limit=1, cursor=cursor)
    rest_ids = [row["responsible_unit_id"] for row in rest["items"]]
    assert set(rest_ids) <= {home.units["t1"], home.units["t1v1"]}


# -- conflicts and batches


async def test_a_conflict_names_no_item_that_is_out_of_scope(world: World, home: Side) -> None:
    platform, ref = await world.person("platform", "t1"), f"ref{next(serial)}"
    body = {"ledger": "default", "title": "第一条", "responsible_unit": "t1", "external_ref": ref}
    item = ok(await platform.post("/v1/items", json=body), 201)
    batch = {"items": [{**body, "external_ref": None}, body]}
    for path, sent in (("/v1/items", body), ("/v1/items/batch", batch)):
        refused(await platform.post(path, json=sent), "conflict", existing_id=item["id"])
    ok(await firing(item["id"], "transfer", responsible_unit="t2", reason="属地有误").by(home.admin))
    for path, sent in (("/v1/items", body), ("/v1/items/batch", batch)):
        problem = refused(await platform.post(path, json=sent), "conflict")
        assert item["id"] not in str(problem) and "existing_id" not in problem


async def test_a_reference_is_one_s_own_so_that_another_s_never_shows(world: World, home: Side) -> None:
    one, other = await world.person("platform", "t1"), await world.person("platform", "t2")
    ref = f"ref{next(serial)}"
    for client, unit in ((one, "t1"), (other, "t2")):
        body = {"ledger": "default", "title": "同号", "responsible_unit": unit, "external_ref": ref}
        ok(await client.post("/v1/items", json=body), 201)


async def test_a_batch_is_judged_in_the_order_of_every_call_and_lists_nothing(world: World, home: Side) -> None:
    """401, 422 of the shape, replay, 422 of a reference, 403, 409; each where the later ones hold too."""
    town, label, taken = await world.person("supervisor", "t1"), f"标{next(serial)}", f"ref{next(serial)}"
    good = {"ledger": "default", "title": "一条", "responsible_unit": "t1v1", "labels": [label]}
    ok(await town.post("/v1/items", json={**good, "labels": [], "external_ref": taken}), 201)
    conflict, forbidden = {**good, "external_ref": taken}, {**good, "responsible_unit": "t2"}
    foreign, unknown = {**good, "supervising_unit": "t2"}, {**good, "supervising_unit": "nowhere"}
    shapeless = {**good, "title": ""}

    async def send(client: httpx.AsyncClient, *items: dict[str, Any], **headers: str) -> httpx.Response:
        return await client.post("/v1/items/batch", json={"items": list(items)}, headers=headers)

    refused(await send(world.with_key("wrong"), shapeless), "unauthenticated")
    answer = await send(town, forbidden, shapeless, foreign)
    refused(answer, "invalid_request", ("/items/1/title", "too_short"))
    answers = [await send(town, conflict, each, forbidden) for each in (foreign, unknown)]
    for answer in answers:
        refused(answer, "invalid_request", ("/items/1/supervising_unit", "unknown_reference"))
    assert seen_as(answers[0]) == seen_as(answers[1])
    refused(await send(town, conflict, forbidden), "forbidden")
    refused(await send(town, good, conflict), "conflict")
    assert await every_page(home.admin, "/v1/items", label=label) == []
    once = {"Idempotency-Key": f"leak-{next(serial)}"}
    first = ok(await send(town, good, good, **once), 201)
    refused(await send(town, good, forbidden, **once), "idempotency_key_reused")
    assert ok(await send(town, good, good, **once), 201) == first


# -- the history


async def test_a_history_is_read_with_its_item_and_holds_no_minutes_and_no_complainant(
    world: World, home: Side
) -> None:
    contact = {"source": {"kind": "opinion", "contact": "刘大娘 13800000000"}}
    item = await moved(Place(home, "t1v1"), "escalate", "record", **contact)
    path = f"/v1/items/{item['id']}/events"
    for role in ("supervisor", "responsible", "platform", "viewer"):
        events = await every_page(await world.person(role, "t1"), path)
        assert "interview.recorded" in [event["type"] for event in events]
        assert not [word for word in ("王强", "责成十日", "刘大娘", "13800000000") if word in str(events)]
        refused(await (await world.person(role, "t2")).get(path), "not_found")
    ok(await firing(item["id"], "close", verification=VERIFIED).by(home.admin))
    assert (await every_page(home.admin, path))[-1]["type"] == "item.closed"


async def test_a_unit_that_gave_an_item_away_reads_its_history_no_more(world: World, home: Side) -> None:
    item = await item_at(Place(home, "t1v1"))
    path = f"/v1/items/{item['id']}/events"
    giver, receiver = await world.person("viewer", "t1"), await world.person("viewer", "t2")
    assert len(await every_page(giver, path)) == 1
    ok(await firing(item["id"], "transfer", responsible_unit="t2v1", reason="属地有误").by(home.admin))
    refused(await giver.get(path), "not_found")
    types = [event["type"] for event in await every_page(receiver, path)]
    assert types == ["item.created", "item.transferred"]
