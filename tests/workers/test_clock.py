"""The clock as a worker: several at once, tenants in turn, changes followed, and a loop that does not give up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog
from sqlalchemy import bindparam

from service.actions import backlog as queues
from service.actions import ladder, ledgers, replanning
from service.actions.service import Service
from service.composition import running
from service.errors import Refused
from service.settings import Settings
from service.store.database import Blocked, Changes, Statement, Tx
from service.store.items import items
from service.workers import clock, loop
from service.workers.loop import Loop
from tests import backlog, invariants
from tests.backlog import DUE, LOOK, at
from tests.checks.everything import everything

ITEMS = 250


@pytest.fixture(scope="module")
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with running(settings) as service:
        yield service


@pytest.fixture(scope="module")
async def tenant(service: Service) -> backlog.Tenant:
    tenant = await backlog.found(service)
    await backlog.fill(service, tenant, ITEMS)
    return tenant


async def test_a_quiet_tenant_is_done_in_the_first_round_beside_a_busy_one(
    service: Service, tenant: backlog.Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = await backlog.found(service, "quiet")
    await backlog.fill(service, quiet, 3)
    monkeypatch.setattr(clock, "BATCHES", 1)
    monkeypatch.setattr("service.actions.ladder.BATCH", 20)
    first = await clock.run_once(service, LOOK - timedelta(days=1))
    assert 0 < first.looked < ITEMS + 3
    waiting = {home.tenant_id for home in await clock.ladder.due_tenants(service, LOOK - timedelta(days=1))}
    assert waiting == {tenant.id}


async def test_four_clocks_at_once_do_each_rung_once(
    service: Service, tenant: backlog.Tenant, settings: Settings
) -> None:
    await asyncio.gather(*(clock.run_until_done(service, LOOK) for _ in range(4)))
    found = await everything(settings)
    assert backlog.not_once(found) == []
    assert await invariants.contradictions(settings) == []
    fired = Counter(row["rung"] for row in found["firings"] if row["outcome"] == "fired")
    assert fired["escalate+2"] == len(found["items"])
    # Rungs of one ledger, unit and action at one look share a notice.
    assert len(found["notices"]) < len(found["items"])


async def test_nothing_is_left_to_do(service: Service, tenant: backlog.Tenant) -> None:
    again = await clock.run_until_done(service, LOOK)
    assert (again.looked, again.notices, sum(again.fired.values())) == (0, 0, 0)


async def test_a_changed_policy_is_followed_in_steps_and_looked_after_once_more(
    service: Service, tenant: backlog.Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replanning, "STEP", 100)
    call = tenant.call(LOOK + timedelta(hours=1))
    ledger = await ledgers.read(service, call, tenant.ledger_id)
    await ledgers.change(service, call, ledger.id, ledger.version, policy={"interview_within": 3})
    assert (await queues.measure(service, call.now)).replans == 1
    steps = 0
    forwarded = 0
    while (walked := await replanning.bring_forward(service, call.now)).steps:
        steps, forwarded = steps + walked.steps, forwarded + walked.items
    assert steps >= ITEMS // 100
    # Not one of another ledger, of which the walk goes past three.
    assert forwarded == ITEMS
    # The second walk waits until whoever did not know of the change must have ended.
    assert (await queues.measure(service, call.now)).replans == 1
    tally = await clock.run_until_done(service, call.now)
    assert tally.looked >= ITEMS and tally.forwarded == 0
    found = await everything(settings)
    (row,) = (row for row in found["ledgers"] if row["id"] == tenant.ledger_id)
    assert {item["policy_epoch"] for item in found["items"] if item["ledger_id"] == ledger.id} == {row["policy_epoch"]}
    while (walked := await replanning.bring_forward(service, call.now + replanning.AGAIN_AFTER)).steps:
        assert walked.items == 0, "all of them know of the change"
    assert (await queues.measure(service, call.now)).replans == 0


async def test_a_change_that_cannot_be_followed_stops_neither_other_changes_nor_any_look(
    service: Service, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [await backlog.found(service, code) for code in ("ill", "well")]
    # Of the one that fails more than are taken at once, and all of them earlier.
    for place, changes in zip(places, (25, 1), strict=True):
        await backlog.fill(service, place, 3)
        call = place.call(at(DUE))
        for number in range(changes):
            ledger = await ledgers.read(service, call, place.ledger_id)
            await ledgers.change(service, call, ledger.id, ledger.version, policy={"interview_within": 3 + number % 2})
    ends = replanning._again

    def fails(tenant_id: UUID, ledger_id: UUID | None, now: datetime) -> dict[str, Any]:
        if tenant_id == places[0].id:
            raise LookupError("of one tenant")
        return ends(tenant_id, ledger_id, now)

    with monkeypatch.context() as patched, pytest.raises(LookupError, match="of one tenant"):
        patched.setattr(replanning, "_again", fails)
        await clock.run_once(service, LOOK)
    found = await everything(settings)
    assert {row["tenant_id"] for row in found["replans"] if not row["stale_only"]} == {places[0].id}
    ours = [item["state"] for item in found["items"] if item["tenant_id"] in {place.id for place in places}]
    assert ours == ["escalated"] * 6

    async def blocked(*_: object, **__: object) -> None:
        raise Blocked

    with monkeypatch.context() as patched:
        patched.setattr(service.database, "write", blocked)
        refused, *_ = (await replanning.bring_forward(service, LOOK)).failed
    assert isinstance(refused, Refused) and refused.code == "unavailable"
    await clock.run_until_done(service, LOOK)


PENDING = Statement(
    items.update()
    .where(items.c.tenant_id == bindparam("tenant_id", type_=items.c.tenant_id.type), items.c.title == bindparam("of"))
    .values(pending=bindparam("new", type_=items.c.pending.type))
)


async def test_an_item_at_fault_is_left_and_its_batch_is_done(service: Service, settings: Settings) -> None:
    place = await backlog.found(service, "faulty")
    await backlog.fill(service, place, 8)

    async def spoil(pending: dict[str, Any]) -> None:
        async def action(tx: Tx) -> None:
            changes = Changes()
            changes.add(PENDING, tenant_id=place.id, of="第3号问题", new=pending)
            await tx.apply(changes)

        await service.database.write(action)

    async def states() -> Counter[tuple[bool, str]]:
        found = await everything(settings)
        mine = (item for item in found["items"] if item["tenant_id"] == place.id)
        return Counter((item["title"] == "第3号问题", item["state"]) for item in mine)

    await spoil({"closure": {"nonsense": True}})
    with structlog.testing.capture_logs() as logs:
        tally = await clock.run_until_done(service, LOOK)
    assert (tally.looked, tally.failed, tally.fired["escalate"]) == (8, 1, 7)
    assert await states() == {(False, "escalated"): 7, (True, "open"): 1}
    (said,) = (line for line in logs if line["event"] == "a look at an item failed")
    assert said["log_level"] == "error" and said["tenant"] == str(place.id) and "KeyError" in said["error"]
    # Not again in every batch, but before long.
    assert not await clock.ladder.due_tenants(service, LOOK + ladder.PUT_OFF - timedelta(seconds=1))
    await spoil({})
    again = await clock.run_until_done(service, LOOK + ladder.PUT_OFF)
    assert (again.looked, again.failed, again.fired["escalate"]) == (1, 0, 1)
    assert await states() == {(False, "escalated"): 7, (True, "escalated"): 1}


async def test_a_loop_goes_on_after_a_fault_and_waits_longer_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    turns = 0

    async def turn(now: datetime) -> bool:
        nonlocal turns
        turns += 1
        if turns <= 2:
            raise Refused("unavailable")
        if turns == 3:
            raise LookupError("one bad row")
        return turns == 4

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if turns == 5:
            raise asyncio.CancelledError

    monkeypatch.setattr(loop.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await Loop("clock", turn).run()
    # Twice away, one fault, then work, behind which the next turn comes at once, then nothing to do.
    assert pauses == [2.0, 4.0, 8.0, 0, 1.0]


def test_the_day_of_these_tests_is_past() -> None:
    assert datetime.now(UTC) > LOOK
