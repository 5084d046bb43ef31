"""What a look of the clock would do at an instant, of which nothing is done."""

from dataclasses import dataclass, field
from datetime import datetime

from service.actions.facts import by_calendar
from service.actions.ladder import clock_call, due_tenants, looks
from service.actions.service import Service
from service.store import replans, timers
from service.store.database import Tx
from service.workflow.access import Home
from service.workflow.items import Item
from service.workflow.ladder import Look

PREVIEWED = 10_000
"""Items of one tenant that a preview shows at most."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a look at an item would find, and does not do."""

    item: Item
    look: Look


@dataclass(slots=True)
class Preview:
    """What is foreseen, and what it leaves out.

    `cut` counts the tenants of which only the first PREVIEWED items were looked at; `changes` those of policies and
    calendars that items are still to be brought forward by, which are not looked at before.
    """

    foreseen: list[Foreseen] = field(default_factory=list)
    cut: int = 0
    changes: int = 0


async def preview(service: Service, now: datetime) -> Preview:
    """What would be done at `now`, item by item. Nothing is written."""

    async def changes(tx: Tx) -> int:
        # The second walk of a change is left out: it finds hardly anything.
        return sum(not stale_only for *_, stale_only, _ in await tx.all(replans.NEXT, now=now, limit=PREVIEWED))

    found = Preview(changes=await service.read(changes))
    for home in await due_tenants(service, now):

        async def action(tx: Tx, home: Home = home) -> tuple[int, list[Foreseen]]:
            call = await by_calendar(tx, clock_call(home, now))
            taken = await timers.take(tx, home.tenant_id, now, PREVIEWED + 1)
            seen = await looks(tx, call, taken[:PREVIEWED])
            return len(taken), [Foreseen(entry.after, look) for entry, look in seen if not look.empty]

        due, foreseen = await service.read(action)
        found.cut += due > PREVIEWED
        found.foreseen += foreseen
    return found
