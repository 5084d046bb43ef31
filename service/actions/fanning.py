"""Fanning out: which endpoints an event goes to, decided when it gets its position, in the same transaction.

What is decided here is judged again when it is sent: an owner's grants may have ended, and a unit may have moved.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from service.actions.gathering import gather
from service.actions.service import new_id, record_events
from service.store import deliveries, grants, lanes, log, units, webhooks
from service.store.database import Changes, Tx
from service.store.log import Waiting
from service.workflow import channels
from service.workflow.channels import GATHERS
from service.workflow.delivery import wanted
from service.workflow.events import Actor
from service.workflow.permissions import in_force, oversees
from service.workflow.scopes import Scope
from service.workflow.webhooks import Delivery, Disabled, Reach, Status, Webhook, disabled, hears, lane_of, was_disabled

NOW = timedelta()

ACTOR = Actor(None, "courier")
"""Who disables an endpoint where nobody does."""


async def reach_of(tx: Tx, tenant_id: UUID, owner_id: UUID, now: datetime) -> Reach | None:
    """What an owner may see on the tenant's day; None where that is nothing, for want of grants or of the owner."""
    owner = await webhooks.owner(tx, tenant_id, owner_id)
    if owner is None or not owner[0]:
        return None
    today = now.astimezone(owner[1]).date()
    held = in_force(await grants.of_principal(tx, tenant_id, owner_id), today)
    return Reach(Scope.of(held), oversees(held)) if held else None


async def lines_of(tx: Tx, tenant_id: UUID, audiences: Iterable[Iterable[UUID]]) -> dict[UUID, tuple[UUID, ...]]:
    """The lines of every unit that some events concern."""
    return await units.lines(tx, tenant_id, {unit for audience in audiences for unit in audience})


async def fan_out(
    tx: Tx, changes: Changes, tenant_id: UUID, positioned: list[tuple[int, Waiting]], now: datetime
) -> None:
    """Add a delivery for each endpoint that hears one of the events, which just got their positions.

    An endpoint whose owner may see nothing any more is disabled. Due is everything at the newest event's instant; but
    never later than `now`, for events may be dated ahead: by another host's clock, or a look of `xiaohao clock --at`.
    """
    listening = await webhooks.listening(tx, tenant_id)
    types = {event.type for _, event in positioned}
    asking = [each for each in listening if any(map(wanted(each.types), types))]
    if not asking:
        return
    due_at = min(now, max(event.at for _, event in positioned))
    reaches = {
        owner_id: await reach_of(tx, tenant_id, owner_id, now) for owner_id in {each.owner_id for each in asking}
    }
    lines = await lines_of(tx, tenant_id, (event.audience for _, event in positioned))
    found: list[Delivery] = []
    people: list[tuple[Webhook, Reach]] = []
    for webhook in asking:
        reach = reaches[webhook.owner_id]
        if reach is None:
            await disable(tx, changes, tenant_id, webhook, Disabled.NO_GRANTS, now)
            continue
        if webhook.for_people:
            people.append((webhook, reach))
            continue
        for position, event in positioned:
            if hears(webhook, reach, event.type, [lines.get(unit, ()) for unit in event.audience]):
                found.append(delivery_of(webhook.id, position, event, due_at))
    add(changes, tenant_id, found)
    if people:
        messages = await gather(tx, changes, tenant_id, people, positioned, now)
        add(changes, tenant_id, messages, after=GATHERS)


def delivery_of(webhook_id: UUID, position: int, event: Waiting, now: datetime) -> Delivery:
    """A first delivery: in the lane of the event's item."""
    return Delivery(
        id=new_id(), webhook_id=webhook_id, lane_id=lane_of(webhook_id, event.item_id), position=position,
        event_id=event.id, type=event.type, replay=False, status=Status.PENDING, attempts=(),
        created_at=now, done_at=None,
    )  # fmt: skip


def add(changes: Changes, tenant_id: UUID, found: list[Delivery], after: timedelta = NOW) -> None:
    """Store deliveries, due at once, or `after` a while, unless others of their lane are before them."""
    changes.many(deliveries.INSERT, [deliveries.params(tenant_id, each) for each in found])
    pending = Counter(each.lane_id for each in found)
    one_of = {each.lane_id: each for each in found}
    changes.many(
        lanes.ADD,
        # In the order in which couriers hold lanes as well: neither waits for the other in turn.
        [
            lanes.params(tenant_id, one_of[lane_id].webhook_id, lane_id, one_of[lane_id].created_at + after, count)
            for lane_id, count in sorted(pending.items())
        ],
    )


async def disable(
    tx: Tx, changes: Changes, tenant_id: UUID, webhook: Webhook, reason: str, now: datetime,
    *, faring: Webhook | None = None,
) -> None:  # fmt: skip
    """Disable an endpoint of the service's own accord, and say so. `faring` is the endpoint as it fares by now."""
    after = disabled(faring or webhook, reason, now)
    webhooks.change(changes, tenant_id, webhook, after, faring=faring is not None)
    hashing = await log.hashing(tx, tenant_id)
    told = channels.was_disabled(after) if after.for_people else was_disabled(after)
    record_events(changes, tenant_id, [told], hashing=hashing, actor=ACTOR, now=now)
