"""The sequencer: gives committed events their positions. Any number may run; one works on a tenant at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from service.actions import sequencing
from service.actions.service import Service
from service.workers.loop import Loop, wall

PAUSE_SECONDS = 0.05
"""Between two looks where nothing waits: what a reader of the feed waits at most for a position, and a little more.

Looking costs one statement that reads nothing. To be told instead (NOTIFY within the business transaction) halves what
PostgreSQL can commit.
"""

BATCHES = 4
"""Batches of one tenant before the next has its turn: about 200 ms, so that a busy one delays no other by more."""

RESTS = timedelta(seconds=10)
"""How long a worker leaves a tenant alone whose turn failed: after each failure it pauses, and all wait for it."""


async def run_once(service: Service, now: datetime, resting: dict[UUID, datetime] | None = None) -> int:
    """One round over all tenants that have events without a position; how many events got one.

    A tenant whose turn fails does not keep the others waiting: they have had theirs when the failure is raised.
    `resting` says until when such tenants are passed over, and gains those of this round.
    """
    done, failed = 0, []
    resting = {} if resting is None else resting
    for tenant_id in await sequencing.busy_tenants(service):
        if tenant_id in resting and now < resting[tenant_id]:
            continue
        resting.pop(tenant_id, None)
        try:
            done += await _some(service, tenant_id, now)
        except Exception as failure:
            resting[tenant_id] = now + RESTS
            failed.append(failure)
    if failed:
        raise failed[0]
    return done


async def _some(service: Service, tenant_id: UUID, now: datetime) -> int:
    done = 0
    for _ in range(BATCHES):
        count = await sequencing.sequence(service, tenant_id, now)
        done += count
        if count < sequencing.BATCH:
            break
    return done


async def run_until_done(service: Service, clock: Callable[[], datetime] = wall) -> int:
    """Give a position to everything that is committed now, as long as nobody else is at it."""
    done = 0
    while count := await run_once(service, clock()):
        done += count
    return done


def loop(service: Service) -> Loop:
    resting: dict[UUID, datetime] = {}

    async def turn(now: datetime) -> bool:
        return await run_once(service, now, resting) > 0

    return Loop("sequencer", turn, pause=PAUSE_SECONDS)
