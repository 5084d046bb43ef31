"""Throws away what has had its time: answers kept for replay, a day after the 24 hours that are promised."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog

from service.actions import upkeep
from service.actions.service import Service
from service.errors import Refused

KEPT = timedelta(hours=48)
EVERY_SECONDS = 3600.0

log = structlog.get_logger("xiaohao.housekeeping")


async def run_once(service: Service, now: datetime) -> None:
    await upkeep.forget_answers(service, before=now - KEPT)


async def run(service: Service) -> None:
    """Until cancelled. A database that is away is tried again at the next turn."""
    while True:
        try:
            await run_once(service, datetime.now(UTC))
        except Refused as refused:
            log.warning("housekeeping put off", code=refused.code)
        await asyncio.sleep(EVERY_SECONDS)
