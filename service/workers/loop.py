"""A loop that does a worker's work again and again: at once where there is more, later where the database is away."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog

from service.errors import Refused

PAUSE_SECONDS = 1.0
"""Between two looks where there is nothing to do, unless a worker has a pause of its own."""

BACK_OFF_SECONDS = 30.0
"""The longest pause while the database is away."""

ALIVE_SECONDS = 120.0
"""Without a beat for so long a worker is taken for dead."""

log = structlog.get_logger("xiaohao.worker")


def wall() -> datetime:
    """What time it is: workers are told, so that tests can say."""
    return datetime.now(UTC)


class Loop:
    """Runs `run_once(now)`, which says whether it did anything, until it is cancelled. `pause` in seconds."""

    def __init__(
        self, name: str, run_once: Callable[[datetime], Awaitable[bool]], *, pause: float = PAUSE_SECONDS
    ) -> None:
        self.name = name
        self._run_once = run_once
        self._pause = pause
        self._beat = time.monotonic()

    @property
    def beating(self) -> bool:
        """Whether the loop has come round lately."""
        return time.monotonic() - self._beat < ALIVE_SECONDS

    async def run(self) -> None:
        pause = self._pause
        while True:
            try:
                busy = await self._run_once(wall())
                pause = self._pause
                if busy:
                    # More may wait; others get their turn first.
                    self._beat = time.monotonic()
                    await asyncio.sleep(0)
                    continue
            except Refused as refused:
                pause = min(max(pause, PAUSE_SECONDS) * 2, BACK_OFF_SECONDS)
                log.warning("worker put off", worker=self.name, code=refused.code, seconds=pause)
            except Exception:
                # One bad row must not end the clock for everybody; it is looked at again, and said each time.
                pause = min(max(pause, PAUSE_SECONDS) * 2, BACK_OFF_SECONDS)
                log.exception("worker failed", worker=self.name, seconds=pause)
            self._beat = time.monotonic()
            await asyncio.sleep(pause)
