"""Small things that wait for a quiet moment: when keys were last used, the end of answers kept for replay and of jobs,
the checkpoint of the day, and attachments that nobody needs any more.

Answers go a day after the 24 hours that are promised.
"""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta

import structlog

from service.actions import publishing, upkeep
from service.actions.doorkeeper import Doorkeeper
from service.actions.service import Service
from service.errors import Refused

KEPT = timedelta(hours=48)
EVERY_SECONDS = 60.0
TURNS_BETWEEN_CLEANINGS = 60

log = structlog.get_logger("xiaohao.housekeeping")


async def run_once(service: Service, now: datetime) -> None:
    await upkeep.forget_answers(service, before=now - KEPT)
    await upkeep.forget_jobs(service, now)
    await publishing.publish_due(service, now)
    # Last, because the store may be away while the database is there.
    await upkeep.collect_attachments(service, now)


async def run(service: Service, doorkeeper: Doorkeeper) -> None:
    """Until cancelled. A database that is away is tried again at a later turn."""
    for turn in itertools.count():
        try:
            await doorkeeper.write_last_used()
            if turn % TURNS_BETWEEN_CLEANINGS == 0:
                await run_once(service, datetime.now(UTC))
        except Refused as refused:
            log.warning("housekeeping put off", code=refused.code)
        except Exception:
            # One bad tenant must not end it for everybody.
            log.exception("housekeeping failed")
        await asyncio.sleep(EVERY_SECONDS)
