"""Figures behind the sequencer: counts are summed up, and a log that is not counted to its end is. Any number may run.

Nobody waits for it: whoever reads figures adds what is not summed up yet.
"""

from datetime import datetime

from service.actions import figuring
from service.actions.service import Service
from service.workers.loop import Loop

BATCHES = 5
"""Batches of one tenant, of either kind, before the next has its turn."""


async def run_once(service: Service) -> bool:
    """One round over all tenants that have something left; whether anything was done.

    A tenant whose turn fails does not keep the others waiting: they have had theirs when the failure is raised.
    """
    busy, failed = False, []
    for tenant_id in await figuring.behind(service):
        try:
            for step in (figuring.catch_up, figuring.sum_up):
                for _ in range(BATCHES):
                    if not await step(service, tenant_id):
                        break
                    busy = True
        except Exception as fault:
            failed.append(fault)
    if failed:
        raise failed[0]
    return busy


async def run_until_done(service: Service) -> None:
    """Count and sum up all that there is now, as long as nobody else is at it."""
    while await run_once(service):
        pass


def loop(service: Service) -> Loop:
    async def turn(now: datetime) -> bool:
        return await run_once(service)

    return Loop("figures", turn)
