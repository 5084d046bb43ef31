"""Many callers at once, on both databases: what they are told and what is stored agree, whoever was first."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from service.settings import Settings
from tests import invariants, workload
from tests.servers import Server
from tests.workload import Workload
from tests.world import World

CALLERS = 50

_keys = itertools.count(1)


def fresh_key() -> dict[str, str]:
    return {"Idempotency-Key": f"race-{next(_keys)}"}


async def at_once(requests: Iterable[Any]) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def history(world: World, item_id: str) -> list[dict[str, Any]]:
    answer = await world.admin.get(f"/v1/items/{item_id}/events", params={"limit": 200})
    return answer.json()["items"]  # type: ignore[no-any-return]


def listing(**given: Any) -> dict[str, Any]:
    return {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1", **given}


async def titled(world: World, settings: Settings, title: str) -> int:
    """How many items bear this title."""
    return sum(row["title"] == title for row in (await invariants.everything(settings))["items"])


@pytest.fixture(autouse=True)
async def nothing_contradicts_itself(world: World, settings: Settings) -> Any:
    yield
    assert await invariants.contradictions(settings) == []


# -- one Idempotency-Key, many at once


@pytest.mark.parametrize("given", [{}, {"external_ref": "12345-1"}], ids=["plain", "with its own number"])
async def test_one_key_lists_one_item_and_every_caller_is_told_of_it(
    world: World, settings: Settings, given: dict[str, str]
) -> None:
    body, key = listing(title=f"同一请求 {given}", **given), fresh_key()

    answers = await at_once(world.admin.post("/v1/items", json=body, headers=key) for _ in range(CALLERS))

    assert statuses(answers) == {201: CALLERS}
    assert len({answer.content for answer in answers}) == 1
    assert len({(answer.headers["location"], answer.headers["etag"]) for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert await titled(world, settings, body["title"]) == 1


async def test_one_key_lists_a_batch_once_also_where_its_items_bear_numbers_of_the_callers_own(
    world: World, settings: Settings
) -> None:
    listings = [listing(title="同一批次", external_ref=f"批次-{number}") for number in range(3)]
    key = fresh_key()

    answers = await at_once(
        world.admin.post("/v1/items/batch", json={"items": listings}, headers=key) for _ in range(CALLERS)
    )

    assert statuses(answers) == {201: CALLERS}
    assert len({answer.content for answer in answers}) == 1
    assert await titled(world, settings, "同一批次") == 3


async def test_one_key_claims_once_and_every_caller_is_told_of_the_claim(world: World) -> None:
    item, key = await world.item(), fresh_key()
    body = {"trigger": "claim", "signed_by": "张伟"}

    answers = await at_once(
        world.admin.post(f"/v1/items/{item['id']}/transitions", json=body, headers=key) for _ in range(CALLERS)
    )

    assert statuses(answers) == {200: CALLERS}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["state"] == "rectifying"
    assert answers[0].json()["version"] == 2
    assert [event["type"] for event in await history(world, item["id"])] == ["item.created", "item.claimed"]


async def test_a_claim_whose_answer_was_lost_is_answered_with_the_claim_after_others_went_on(world: World) -> None:
    item, key = await world.item(), fresh_key()
    path, body = f"/v1/items/{item['id']}/transitions", {"trigger": "claim", "signed_by": "张伟"}
    first = await world.admin.post(path, json=body, headers=key)
    escalated = await world.fire(world.admin, item["id"], "escalate", reason="逾期")
    assert escalated.status_code == 200

    again = await world.admin.post(path, json=body, headers=key)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"


async def test_a_schedule_whose_answer_was_lost_is_answered_as_it_was_after_another_was_made(world: World) -> None:
    item, key = await world.item(), fresh_key()
    talk = (await world.fire(world.admin, item["id"], "escalate", reason="逾期")).json()["interview_id"]
    path, first_day = f"/v1/interviews/{talk}/schedule", datetime.now(UTC) + timedelta(days=2)
    body = {"at": first_day.isoformat(), "place": "县督查室"}
    first = await world.admin.post(path, json=body, headers=key)
    another = {"at": (first_day + timedelta(days=1)).isoformat(), "place": "三楼会议室"}
    assert (await world.admin.post(path, json=another, headers=fresh_key())).status_code == 200

    again = await world.admin.post(path, json=body, headers=key)

    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"


async def test_one_key_reports_progress_once(world: World) -> None:
    item, key = await world.item(), fresh_key()

    answers = await at_once(
        world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": "已更换管道"}, headers=key)
        for _ in range(CALLERS)
    )

    assert statuses(answers) == {201: CALLERS}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await world.admin.get(f"/v1/items/{item['id']}/progress")).json()["items"]) == 1


async def test_one_key_makes_one_unit_and_every_caller_is_told_of_it(world: World) -> None:
    body, key = {"code": "t3", "name": "三镇", "parent": "root", "level": "town"}, fresh_key()

    answers = await at_once(world.admin.post("/v1/units", json=body, headers=key) for _ in range(CALLERS))

    assert statuses(answers) == {201: CALLERS}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_one_key_for_different_requests_serves_the_first_and_refuses_the_others(world: World) -> None:
    key = fresh_key()

    answers = await at_once(
        world.admin.post("/v1/items", json=listing(title=f"不同请求 {each}"), headers=key) for each in range(CALLERS)
    )

    assert statuses(answers) == {201: 1, 422: CALLERS - 1}
    refused = {answer.json()["code"] for answer in answers if answer.status_code == 422}
    assert refused == {"idempotency_key_reused"}


async def test_a_key_of_one_caller_is_not_the_key_of_another(world: World) -> None:
    other = await world.person("admin")
    key = fresh_key()

    mine, theirs = await at_once(
        caller.post("/v1/items", json=listing(), headers=key) for caller in (world.admin, other)
    )

    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


# -- one item, many changes at once


def different_moves() -> list[dict[str, Any]]:
    """As many moves as callers, all possible from an open item."""
    kinds: list[dict[str, Any]] = [
        {"trigger": "claim"},
        {"trigger": "escalate"},
        {"trigger": "transfer", "responsible_unit": "t1v2"},
        {"trigger": "transfer", "responsible_unit": "t2v1"},
        {"trigger": "transfer", "responsible_unit": "d1"},
        {"trigger": "annul"},
    ]
    moves = []
    for number in range(CALLERS):
        kind = kinds[number % len(kinds)]
        moves.append({**kind, "signed_by" if kind["trigger"] == "claim" else "reason": f"第{number}个"})
    return moves


async def test_of_different_moves_from_the_version_that_all_have_read_exactly_one_succeeds(world: World) -> None:
    item = await world.item()
    read = {"If-Match": f'"{item["version"]}"'}

    answers = await at_once(
        world.admin.post(f"/v1/items/{item['id']}/transitions", json=move, headers=read) for move in different_moves()
    )

    assert statuses(answers) == {200: 1, 412: CALLERS - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 412} == {"stale_version"}
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert winner == (await world.admin.get(f"/v1/items/{item['id']}")).json()
    events = await history(world, item["id"])
    assert [event["item_version"] for event in events if event["type"].startswith("item.")] == [1, 2]
    # What comes with a move (an interview, its notice) carries the version that the move made.
    assert {event["item_version"] for event in events[1:]} == {2}


async def test_without_a_version_moves_follow_one_another_and_each_winner_saw_the_state_before_it(world: World) -> None:
    item = await world.item()

    answers = await at_once(
        world.admin.post(f"/v1/items/{item['id']}/transitions", json=move) for move in different_moves()
    )

    assert set(statuses(answers)) <= {200, 409}
    won = sorted(answer.json()["version"] for answer in answers if answer.status_code == 200)
    assert won == list(range(2, len(won) + 2))
    events = await history(world, item["id"])
    assert [event["item_version"] for event in events if event["type"].startswith("item.")] == [1, *won]
    state, unit = item["state"], item["responsible_unit_id"]
    for event in events[1:]:
        changes = event["data"].get("changes", {})
        if "state" in changes:
            assert changes["state"]["before"] == state
            state = changes["state"]["after"]
        if "responsible_unit_id" in changes:
            assert changes["responsible_unit_id"]["before"] == unit
            unit = changes["responsible_unit_id"]["after"]
    now = (await world.admin.get(f"/v1/items/{item['id']}")).json()
    assert (now["state"], now["responsible_unit_id"]) == (state, unit)


async def test_of_two_items_that_are_called_duplicates_of_each_other_at_once_one_remains(world: World) -> None:
    for _ in range(3):
        one, other = await world.item(), await world.item()

        answers = await at_once(
            world.fire(world.admin, item["id"], "annul", reason="重复", duplicate_of=twin["id"])
            for item, twin in ((one, other), (other, one))
        )

        assert statuses(answers) == {200: 1, 409: 1}
        refused = next(answer.json() for answer in answers if answer.is_error)
        assert (refused["code"], refused["guard"]) == ("guard_refused", "duplicate_target")


async def test_progress_from_many_at_once_is_all_there(world: World) -> None:
    item = await world.item()

    answers = await at_once(
        world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": f"第{each}次"}) for each in range(CALLERS)
    )

    assert statuses(answers) == {201: CALLERS}
    assert (await world.admin.get(f"/v1/items/{item['id']}")).json()["version"] == CALLERS + 1
    entries = (await world.admin.get(f"/v1/items/{item['id']}/progress", params={"limit": 200})).json()["items"]
    assert {entry["text"] for entry in entries} == {f"第{each}次" for each in range(CALLERS)}


async def test_corrections_of_the_version_that_all_have_read_let_one_through(world: World) -> None:
    item = await world.item()
    read = {"If-Match": f'"{item["version"]}"'}

    answers = await at_once(
        world.admin.patch(f"/v1/items/{item['id']}", json={"title": f"第{each}个标题"}, headers=read)
        for each in range(CALLERS)
    )

    assert statuses(answers) == {200: 1, 412: CALLERS - 1}


async def test_who_reports_progress_never_closes_however_close_the_two_are(world: World, full: bool) -> None:
    """Of the two exactly one comes through: a closure after one's own report, or a report on a closed item, is none."""
    both, claimer = await world.person("admin"), await world.person("responsible")
    yesterday = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date() - timedelta(days=1)
    verification = {"method": "on_site", "on": yesterday.isoformat(), "note": "现场核验"}

    async def race(round_number: int) -> None:
        item = await world.item()
        path = f"/v1/items/{item['id']}"
        assert (await world.fire(claimer, item["id"], "claim", signed_by="张伟")).status_code == 200
        report = both.post(f"{path}/progress", json={"text": "已更换管道"})
        close = both.post(f"{path}/transitions", json={"trigger": "close", "verification": verification})
        if round_number % 2:
            closed, reported = await asyncio.gather(close, report)
        else:
            reported, closed = await asyncio.gather(report, close)
        if closed.status_code == 200:
            assert (reported.status_code, reported.json().get("code")) == (409, "invalid_transition")
        else:
            assert (closed.status_code, closed.json().get("guard")) == (409, "four_eyes")
            assert reported.status_code == 201
        events = [(event["type"], event["actor"]["principal_id"]) for event in await history(world, item["id"])]
        closers = [actor for kind, actor in events if kind == "item.closed"]
        reporters = [actor for kind, actor in events if kind == "item.progressed"]
        assert len(closers) + len(reporters) == 1

    rounds = 1000 if full else 40
    for first in range(0, rounds, 10):
        await asyncio.gather(*(race(number) for number in range(first, first + 10)))


async def test_one_number_of_the_callers_own_makes_one_item_and_the_others_are_told_which(
    world: World, settings: Settings
) -> None:
    body = listing(title="同一编号", external_ref="12345-2")

    answers = await at_once(world.admin.post("/v1/items", json=body, headers=fresh_key()) for _ in range(CALLERS))

    assert statuses(answers) == {201: 1, 409: CALLERS - 1}
    made = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    refusals = {(answer.json()["code"], answer.json()["existing_id"]) for answer in answers if answer.is_error}
    assert refusals == {("conflict", made)}
    assert await titled(world, settings, "同一编号") == 1


# -- everything at once, over a real port


def kinds_of(found: invariants.Everything) -> set[str]:
    """The types of all events about items."""
    return {row["type"] for row in found["events"]}


async def test_mixed_work_of_many_callers_adds_up(
    server: Server, own_settings: Settings, full: bool, kind: str
) -> None:
    keys = await workload.people_of(own_settings)
    work = Workload(server, keys, seed=20260105)
    expected = {*workload.EVENTS, *workload.BY_THE_CLOCK}

    with server:
        await work.run(10_000 if full else 1_000, workers=30)
        # What is drawn depends on which answers came first: what is rare may take a few more.
        for _ in range(10):
            if expected <= kinds_of(await invariants.everything(own_settings)):
                break
            await work.run(200, workers=30)

    found = await invariants.everything(own_settings)
    assert await invariants.contradictions(own_settings) == []
    assert workload.contradictions(work.operations, found) == []
    assert work.lost == []
    # A load that is refused throughout would add up as well.
    assert expected <= kinds_of(found)
    assert sum(operation.acknowledged for operation in work.operations) > len(work.operations) / 3
