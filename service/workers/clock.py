"""The clock: looks at every item whose time has come, of every tenant, in batches. Any number of them may run.

Work is shared by row locks: what one clock has in hand another passes over, and what a killed one had is free again.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from service.actions import ladder, replanning
from service.actions.ladder import Tally
from service.actions.service import Service
from service.workers.loop import Loop
from service.workflow.access import Home

BATCHES = 5
"""Batches of one tenant that each hand does before the next tenant has its turn."""

PATIENCE = 100
"""How often `run_until_done` waits for rows that somebody else has in hand, a tenth of a second each."""


HANDS = 2
"""Batches of one tenant at the same time: while the database stores one, the next is judged."""


async def run_once(service: Service, now: datetime) -> Tally:
    """One round: items brought forward by changes, then some batches of each tenant that has any due.

    A tenant whose change or look fails does not keep the others waiting: they have had their turn when the failure is
    raised.
    """
    walked = await replanning.bring_forward(service, now)
    tally = Tally(steps=walked.steps, forwarded=walked.items)
    failed: list[Exception] = walked.failed
    for home in await ladder.due_tenants(service, now):
        try:
            if await _some(service, home, now, tally, 1):
                async with asyncio.TaskGroup() as hands:
                    for _ in range(HANDS):
                        hands.create_task(_some(service, home, now, tally, BATCHES))
        except* Exception as group:
            failed += group.exceptions
    if failed:
        raise failed[0]
    return tally


async def _some(service: Service, home: Home, now: datetime, tally: Tally, batches: int) -> bool:
    """Some batches of a tenant, one after another; whether the last of them was full, so that there may be more."""
    for _ in range(batches):
        done = await ladder.fire(service, home, now, ladder.BATCH)
        tally.add(done)
        if done.looked < ladder.BATCH:
            return False
    return True


async def run_until_done(service: Service, now: datetime) -> Tally:
    """Everything that is due at `now`. Raises TimeoutError where others hold rows for longer than ten seconds."""
    tally, patience = Tally(), PATIENCE
    while patience:
        done = await run_once(service, now)
        tally.add(done)
        if done.busy:
            patience = PATIENCE
        elif not await ladder.due_tenants(service, now):
            return tally
        else:
            patience -= 1
            await asyncio.sleep(0.1)
    raise TimeoutError("rows that are due stay locked")


def loop(service: Service, report: Callable[[Tally], None]) -> Loop:
    """The clock as a worker; `report` is told what each round did."""

    async def turn(now: datetime) -> bool:
        tally = await run_once(service, now)
        report(tally)
        return tally.busy

    return Loop("clock", turn)
