"""What waits for the workers of an installation, whichever process they run in."""

from dataclasses import dataclass
from datetime import datetime

from service.actions.service import Service
from service.store import backlog, replans, timers
from service.store.database import Tx


@dataclass(frozen=True, slots=True)
class Queue:
    """How much waits, and for how many seconds the first of it has."""

    length: int
    lag: float


@dataclass(frozen=True, slots=True)
class Backlog:
    """`dead` are deliveries that were given up; `replans` changes that open items are still to be planned by."""

    clock: Queue
    sequencer: Queue
    courier: Queue
    figures: Queue
    dead: int
    replans: int


async def measure(service: Service, now: datetime) -> Backlog:
    """Refuses `unavailable`."""

    async def action(tx: Tx) -> Backlog:
        looks = await tx.one(timers.BACKLOG, now=now)
        changes = await tx.one(replans.COUNT)
        return Backlog(
            clock=_queue(now, *(looks or (0, None))),
            sequencer=_queue(now, *await backlog.unsequenced(tx)),
            courier=_queue(now, *await backlog.pending(tx)),
            figures=_queue(now, *await backlog.uncounted(tx)),
            dead=await backlog.dead(tx),
            replans=int(changes[0]) if changes else 0,
        )

    return await service.read(action)


def _queue(now: datetime, length: int, since: datetime | None) -> Queue:
    return Queue(length, max(0.0, (now - since).total_seconds()) if since is not None else 0.0)
