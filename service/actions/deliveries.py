"""What was sent to an endpoint, and sending it again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from service.actions.fanning import disable, lines_of, reach_of
from service.actions.service import Call, Replay, Service, new_id
from service.actions.webhooks import known, may_manage
from service.errors import Refused, invalid
from service.store import deliveries, lanes, log, webhooks
from service.store.database import Changes, Tx
from service.store.deliveries import Candidate
from service.workflow.webhooks import Delivery, Disabled, Reach, Status, Webhook, hears

LOOKED_AT = 10_000
"""Positions that one replay goes through at most."""

KEPT = timedelta(days=180)
"""How long a delivery that came to its end can be looked up."""

AT_ONCE = 1_000
"""Deliveries that are forgotten in one transaction: others have their turn in between."""


@dataclass(frozen=True, slots=True)
class Again:
    """Which events to send again: one delivery's, or those with positions between `after` and `before`."""

    delivery_id: UUID | None
    after: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many are sent again, and how far was looked."""

    count: int
    last_position: int


async def page(
    service: Service, call: Call, webhook_id: UUID, status: str | None, before: UUID, limit: int,
    *, for_people: bool = False,
) -> list[Delivery]:  # fmt: skip
    """An endpoint's deliveries, newest first. Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> list[Delivery]:
        may_manage(call)
        await known(tx, call, webhook_id, for_people=for_people)
        return await deliveries.page(tx, call.tenant_id, webhook_id, status, before, limit)

    return await service.read(action)


async def replay(service: Service, call: Call, webhook_id: UUID, again: Again) -> Replayed | Replay:
    """Send events again, outside the order; what the endpoint may not get any more is left out.

    Where its owner has no grants any more it is disabled, as by a delivery, and nothing is sent.

    Refuses `forbidden`, `not_found`, `invalid_request` (a delivery that is not the endpoint's), `conflict`
    (webhook_disabled).
    """

    async def action(tx: Tx) -> Replayed | Replay:
        may_manage(call)
        first = await call.replayed(tx)
        if first is not None:
            return first
        webhook = await known(tx, call, webhook_id)
        if not webhook.enabled:
            raise Refused("conflict", "webhook_disabled")
        found, last = await _candidates(tx, call, webhook, again)
        reach = await reach_of(tx, call.tenant_id, webhook.owner_id, call.now)
        sent = await _heard(tx, call, webhook, reach, found) if reach is not None else []
        changes = Changes()
        # Held, so that no endpoint that is deleted meanwhile leaves them behind.
        changes.guard(webhooks.STANDS, tenant_id=call.tenant_id, webhook_id=webhook_id)
        if reach is None:
            await disable(tx, changes, call.tenant_id, webhook, Disabled.NO_GRANTS, call.now)
        changes.many(deliveries.INSERT, [deliveries.params(call.tenant_id, each) for each in sent])
        changes.many(
            lanes.INSERT,
            [lanes.params(call.tenant_id, each.webhook_id, each.lane_id, each.created_at) for each in sent],
        )
        done = Replayed(len(sent), last)
        call.record(changes, done)
        await tx.apply(changes)
        return done

    return await service.write(call, action)


async def _candidates(tx: Tx, call: Call, webhook: Webhook, again: Again) -> tuple[list[Candidate], int]:
    if again.delivery_id is not None:
        delivery = await deliveries.by_id(tx, call.tenant_id, webhook.id, again.delivery_id)
        if delivery is None:
            raise invalid(("/delivery_id", "unknown_reference"))
        after, before = delivery.position - 1, delivery.position + 1
    else:
        head = await log.head(tx, call.tenant_id)
        size = head.size if head else 0
        after = again.after
        before = min(again.before or size + 1, size + 1, after + LOOKED_AT + 1)
    return await deliveries.candidates(tx, call.tenant_id, after, before), max(before - 1, after)


async def _heard(tx: Tx, call: Call, webhook: Webhook, reach: Reach, found: list[Candidate]) -> list[Delivery]:
    """Judged anew, by what the endpoint and its owner are now."""
    lines = await lines_of(tx, call.tenant_id, (each.audience for each in found))
    return [
        _again(webhook.id, each, call.now)
        for each in found
        if hears(webhook, reach, each.type, [lines.get(unit, ()) for unit in each.audience])
    ]


def _again(webhook_id: UUID, event: Candidate, now: datetime) -> Delivery:
    """In a lane of its own: it waits for nothing, and nothing for it."""
    id_ = new_id()
    return Delivery(
        id=id_, webhook_id=webhook_id, lane_id=id_, position=event.position, event_id=event.event_id,
        type=event.type, replay=True, status=Status.PENDING, attempts=(), created_at=now, done_at=None,
    )  # fmt: skip


async def forget(service: Service, tenant_id: UUID, now: datetime) -> int:
    """Delete what was delivered or cancelled so long ago; of how many. What is dead stays: it can be sent again."""
    forgotten, endpoint = 0, await _endpoint_after(service, tenant_id, UUID(int=0))
    while endpoint is not None:
        while count := await _forget_some(service, tenant_id, endpoint, now - KEPT):
            forgotten += count
        endpoint = await _endpoint_after(service, tenant_id, endpoint)
    return forgotten


async def _endpoint_after(service: Service, tenant_id: UUID, webhook_id: UUID) -> UUID | None:
    return await service.read(lambda tx: deliveries.next_endpoint(tx, tenant_id, webhook_id))


async def _forget_some(service: Service, tenant_id: UUID, webhook_id: UUID, before: datetime) -> int:
    async def action(tx: Tx) -> int:
        over = await deliveries.over(tx, tenant_id, webhook_id, before, AT_ONCE)
        changes = Changes()
        if over:
            changes.add(deliveries.FORGET_THESE, tenant_id=tenant_id, webhook_id=webhook_id, ids=over)
        await tx.apply(changes)
        return len(over)

    return await service.database.write(action)
