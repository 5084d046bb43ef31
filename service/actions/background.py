"""What a process does behind the calls that began it: held until it is done, and how far it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from service.errors import Refused


class Background:
    """Work that nobody waits for. `percent` tells by its id how far it is, fresher than what is written down."""

    def __init__(self) -> None:
        self.percent: dict[UUID, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel what is under way, and wait until all of it has said so where it is asked about."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def beating(beat: Callable[[], Awaitable[None]], seconds: float) -> AsyncIterator[None]:
    """`beat` now, and every so often as long as this lasts. A beat that the database refuses is left out."""

    async def go_on() -> None:
        while True:
            with suppress(Refused):
                await beat()
            await asyncio.sleep(seconds)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
