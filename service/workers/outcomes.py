"""What became of runs, written down many at a time.

What cannot be written while the database is away is kept as long as its lease lasts; after that somebody else tries it
again, as after a crash.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import structlog

from service.actions import courier
from service.actions.courier import Report
from service.actions.service import Service
from service.errors import Refused

EVERY_SECONDS, AT = 0.02, 100
"""Reports are written after so many seconds, or at once where there are so many."""

PATIENCE = 25
"""How often a report is put off because its lane is held, before the lane is waited for."""

AGAIN_SECONDS = 1.0

log = structlog.get_logger("xiaohao.courier")


class Outcomes:
    """Takes reports and writes them; `written` is called after each time."""

    def __init__(self, service: Service, clock: Callable[[], datetime], written: Callable[[], None]) -> None:
        self._service = service
        self._clock = clock
        self._written = written
        self._reports: list[Report] = []
        self._full = asyncio.Event()
        self._hurry = False
        self.writing: asyncio.Task[None] | None = None
        """Runs as long as there is anything to write."""

    def add(self, *reports: Report) -> None:
        self._reports += reports
        if len(self._reports) >= AT:
            self._full.set()
        if self.writing is None and self._reports:
            self.writing = asyncio.create_task(self._write())

    def hurry(self) -> None:
        """From now on write at once, and once."""
        self._hurry = True
        self._full.set()

    async def _write(self) -> None:
        try:
            while self._reports:
                if len(self._reports) < AT and not self._hurry:
                    self._full.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(EVERY_SECONDS):
                            await self._full.wait()
                reports, self._reports = self._reports, []
                await self._record(reports)
                self._written()
        finally:
            self.writing = None

    async def _record(self, reports: list[Report]) -> None:
        now = self._clock()
        try:
            patient = [each for each in reports if each.put_off < PATIENCE]
            pressing = [each for each in reports if each.put_off >= PATIENCE]
            left_over = await courier.record(self._service, patient, now, random.random()) if patient else []
            if pressing:
                await courier.record(self._service, pressing, now, random.random(), wait=True)
        except Refused as refused:
            log.warning("outcomes not written", code=refused.code, runs=len(reports))
            if not self._hurry:
                self._reports += [each for each in reports if each.run.leased_until > now]
                await asyncio.sleep(AGAIN_SECONDS)
        except Exception:
            log.exception("outcomes not written", runs=len(reports))
            if len(reports) > 1:
                # One that cannot be written must not take the others with it.
                for report in reports:
                    await self._record([report])
        else:
            for report in left_over:
                report.put_off += 1
            self._reports += left_over
            if left_over:
                await asyncio.sleep(EVERY_SECONDS)
