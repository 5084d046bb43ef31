"""What a courier knows of an endpoint that it has something in hand for: how it answers, and how much it may get."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from service.actions.courier import Run

AILING_AT = 5
"""From so many failures in a row on, one send at a time."""

AHEAD_SECONDS, AHEAD = 0.5, 100
"""Runs are taken for so long ahead, by how the endpoint answered lately, and never more than so many."""

FRESH_SECONDS = 5.0
"""What was taken longer ago is given back: meanwhile its owner's grants may have ended, or the endpoint have moved."""

BARRED_SECONDS = 60.0
"""How long an endpoint is left alone for which nothing can be taken by a fault of ours."""

GONE_SECONDS = 1.0
"""How long one that says it is gone: until that is written down."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A run in hand, what its messages are signed with, and when it was taken. Times are the loop's, in seconds."""

    run: Run
    secrets: tuple[str, ...] = field(repr=False)
    at: float


@dataclass(slots=True)
class Endpoint:
    waiting: deque[Taken] = field(default_factory=deque)
    sending: int = 0
    served: int = 0
    """Which of the courier's sends its last one was."""
    failures: int = 0
    seconds: float | None = None
    """How long an answer took lately."""
    next_slot: float = 0.0
    barred_until: float = 0.0
    more: bool = False
    """Whether there was more to take at the last look."""

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.sending

    def forgettable(self, now: float) -> bool:
        return self.idle and max(self.next_slot, self.barred_until) <= now

    def at_once(self, concurrency: int) -> int:
        return 1 if self.failures >= AILING_AT else concurrency

    def may_send(self, concurrency: int) -> bool:
        return bool(self.waiting) and self.sending < self.at_once(concurrency)

    def room(self, concurrency: int, rate_limit: int | None) -> int:
        """How many runs more may be taken; none rather than a few, which would not be worth the look."""
        at_once, ahead = self.at_once(concurrency), 0
        if self.seconds is not None and not self.failures:
            ahead = min(AHEAD, int(at_once * AHEAD_SECONDS / max(self.seconds, 0.001)))
        if rate_limit is not None:
            at_once, ahead = min(at_once, rate_limit), min(ahead, rate_limit)
        room = at_once + ahead - self.sending - len(self.waiting)
        return room if room >= at_once / 2 or not self.waiting else 0

    def wants_a_look(self, concurrency: int) -> bool:
        """Whether there is more for it, and soon room."""
        return self.more and len(self.waiting) <= concurrency / 2

    def answered(self, seconds: float, arrived: bool) -> None:
        self.seconds = seconds if self.seconds is None else 0.8 * self.seconds + 0.2 * seconds
        self.failures = 0 if arrived else self.failures + 1

    def stale(self, now: float) -> list[Run]:
        """Runs that were in hand for too long, which are so no more."""
        runs = []
        while self.waiting and now - self.waiting[0].at > FRESH_SECONDS:
            runs.append(self.waiting.popleft().run)
        return runs

    def gone(self, now: float) -> list[Run]:
        """What was in hand for an endpoint that will take nothing any more."""
        self.barred_until = now + GONE_SECONDS
        runs = [taken.run for taken in self.waiting]
        self.waiting.clear()
        return runs

    async def pace(self, rate_limit: int | None) -> None:
        """Wait for the next slot, where the endpoint wants only so many a second."""
        if rate_limit is not None:
            now = asyncio.get_running_loop().time()
            slot = max(now, self.next_slot)
            self.next_slot = slot + 1 / rate_limit
            await asyncio.sleep(slot - now)
