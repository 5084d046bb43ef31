"""People who come round to items: each reads what it finds, and does one of the things that its state allows.

What the rules refuse is counted and let be: people try things.
"""

from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from service.actions import items
from service.actions.service import Call, Service
from service.errors import Refused
from tests.simulation.acts import ACTS, Act, Visit, decide, record, resume, review, schedule
from tests.simulation.county import County


@dataclass
class Tally:
    """What people did and what they were refused, by name."""

    acts: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    async def attempt(self, name: str, doing: Awaitable[Any]) -> Any:
        try:
            done = await doing
        except Refused as refused:
            codes = [error.code for error in refused.errors] or [refused.reason or refused.code]
            self.refusals[f"{name}: {', '.join(codes)}"] += 1
            return None
        self.acts[name] += 1
        return done


def choose(visit: Visit) -> Act:
    item, random = visit.item, visit.random
    if any(kind != "interview" for kind in item.pending) and random.random() < 0.45:
        return decide
    if item.deadline_kind == "standing" and item.state != "closed" and random.random() < 0.3:
        return review
    weights = ACTS[item.state]
    act = random.choices([act for _, act in weights], [weight for weight, _ in weights])[0]
    if item.state == "escalated" and random.random() < 0.9:
        # Mostly people know whether the talk was held.
        if act is resume and "interview" in item.pending:
            return record
        if act in (schedule, record) and "interview" not in item.pending:
            return resume
    return act


async def come_round(
    service: Service, county: County, item_id: UUID, random: Random, now: datetime, tally: Tally
) -> str:
    """Read an item and do something about it; the state in which it was found."""
    call = Call.of(county.people.head, now)
    view = await items.read(service, call, item_id)
    visit = Visit(service, county, view.item, now, call.today, random)
    act = choose(visit)
    await tally.attempt(act.__name__, act(visit))
    return view.item.state
