"""The sequencer: gives committed events their positions. Any number may run; one works on a tenant at a time."""

from datetime import datetime

from service.actions import sequencing
from service.actions.service import Service
from service.workers.loop import Loop

PAUSE_SECONDS = 0.05
"""Between two looks where nothing waits: what a reader of the feed waits at most for a position, and a little more.

Looking costs one statement that reads nothing. To be told instead (NOTIFY within the business transaction) halves what
PostgreSQL can commit.
"""

BATCHES = 4
"""Batches of one tenant before the next has its turn: about 200 ms, so that a busy one delays no other by more."""


async def run_once(service: Service) -> int:
    """One round over all tenants that have events without a position; how many events got one."""
    done = 0
    for tenant_id in await sequencing.busy_tenants(service):
        for _ in range(BATCHES):
            count = await sequencing.sequence(service, tenant_id)
            done += count
            if count < sequencing.BATCH:
                break
    return done


async def run_until_done(service: Service) -> int:
    """Give a position to everything that is committed now, as long as nobody else is at it."""
    done = 0
    while count := await run_once(service):
        done += count
    return done


def loop(service: Service) -> Loop:
    async def turn(now: datetime) -> bool:
        return await run_once(service) > 0

    return Loop("sequencer", turn, pause=PAUSE_SECONDS)
