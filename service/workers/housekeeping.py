"""Small things that wait for a quiet moment: when keys were last used, the end of answers kept for replay, of jobs and
of old deliveries, the checkpoint of the day, and attachments that nobody needs any more.

Answers go a day after the 24 hours that are promised.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from service.actions import publishing, upkeep
from service.actions.doorkeeper import Doorkeeper
from service.actions.in_turn import in_turn
from service.actions.service import Service
from service.errors import Refused

KEPT = timedelta(hours=48)
EVERY_SECONDS = 60.0
TURNS_BETWEEN_CLEANINGS = 60

log = structlog.get_logger("xiaohao.housekeeping")


async def run_once(service: Service, now: datetime) -> None:
    """Whatever becomes of the others: a store that is away, or one bad tenant. Raises an ExceptionGroup."""
    chores: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: upkeep.forget_answers(service, before=now - KEPT),
        lambda: upkeep.forget_jobs(service, now),
        lambda: upkeep.forget_deliveries(service, now),
        lambda: publishing.publish_due(service, now),
        lambda: upkeep.collect_attachments(service, now),
    )
    await in_turn(chores)


async def run(service: Service, doorkeeper: Doorkeeper) -> None:
    """Until cancelled. What fails, or meets a database that is away, is tried again at a later turn."""
    for turn in itertools.count():
        try:
            await doorkeeper.write_last_used()
            if turn % TURNS_BETWEEN_CLEANINGS == 0:
                await run_once(service, datetime.now(UTC))
        except* Refused as refused:
            log.warning(
                "housekeeping put off",
                codes=sorted({each.code for each in refused.exceptions if isinstance(each, Refused)}),
            )
        except* Exception:
            log.exception("housekeeping failed")
        await asyncio.sleep(EVERY_SECONDS)
