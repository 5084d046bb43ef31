"""What waits for a quiet moment is done, whatever becomes of what is done beside it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.actions import publishing, upkeep
from service.errors import Refused
from service.workers import housekeeping
from tests.world import World

CHORES = (
    (upkeep, "forget_answers"),
    (upkeep, "forget_jobs"),
    (upkeep, "forget_deliveries"),
    (publishing, "publish_due"),
    (upkeep, "collect_attachments"),
)


@pytest.mark.parametrize(("room", "name"), CHORES, ids=[name for _, name in CHORES])
async def test_a_chore_that_fails_keeps_none_of_the_others(
    world: World, room: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    for where, each in CHORES:

        async def chore(*given: Any, each: str = each, **named: Any) -> None:
            done.append(each)
            if each == name:
                raise ValueError("the disk is full")

        monkeypatch.setattr(where, each, chore)
    with pytest.raises(ExceptionGroup) as failed:
        await housekeeping.run_once(world.service, datetime.now(UTC))
    assert done == [each for _, each in CHORES]
    assert [str(each) for each in failed.value.exceptions] == ["the disk is full"]


async def test_a_bad_tenant_keeps_no_other_from_its_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.tenant("bad")
    await world.tenant("good")
    had = []

    async def forget(service: Any, tenant_id: Any, now: datetime) -> None:
        had.append(tenant_id)
        if len(had) == 2:
            raise ValueError("a row that nobody can read")

    monkeypatch.setattr(upkeep.jobs, "forget", forget)
    with pytest.raises(ExceptionGroup, match="chores failed") as failed:
        await housekeeping.run_once(world.service, datetime.now(UTC))
    assert len(set(had)) == 3
    assert [str(each) for each in failed.value.exceptions] == ["a row that nobody can read"]


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([Refused("unavailable")], ["housekeeping put off"]),
        ([ValueError("a row that nobody can read")], ["housekeeping failed"]),
        ([Refused("unavailable"), ValueError("a row")], ["housekeeping put off", "housekeeping failed"]),
    ],
    ids=["a database that is away", "a fault", "both"],
)  # fmt: skip
async def test_it_says_what_it_could_not_do_and_goes_on(
    world: World, failures: list[Exception], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "EVERY_SECONDS", 0)
    monkeypatch.setattr(housekeeping, "TURNS_BETWEEN_CLEANINGS", 1)
    turns, again = 0, asyncio.Event()

    async def run_once(service: Any, now: datetime) -> None:
        nonlocal turns
        turns += 1
        if turns > 1:
            again.set()
            await asyncio.sleep(timedelta(hours=1).total_seconds())
        raise ExceptionGroup("chores failed", failures)

    monkeypatch.setattr(housekeeping, "run_once", run_once)
    with capture_logs() as logs:
        running = asyncio.create_task(housekeeping.run(world.service, world.app.state.doorkeeper))
        await asyncio.wait_for(again.wait(), 30)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert [each["event"] for each in logs if each["event"].startswith("housekeeping")] == said
    assert all(each["codes"] == ["unavailable"] for each in logs if each["event"] == "housekeeping put off")
