"""Gathering: which messages to people come of events that just got their positions, and which of them belong together.

The events of one look may get their positions in several transactions. So a message waits a moment, and takes in what
belongs with it as long as no courier has it in hand; what comes later still is another message.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from service.actions.service import new_id
from service.store import deliveries, lanes, notices, units
from service.store.database import Changes, Tx
from service.store.log import Waiting
from service.workflow.channels import GATHERS, TOLD
from service.workflow.telling import Told, lane_of, told, told_by
from service.workflow.webhooks import Delivery, Reach, Status, Webhook

Event = tuple[int, Waiting]


async def gather(
    tx: Tx,
    changes: Changes,
    tenant_id: UUID,
    channels: list[tuple[Webhook, Reach]],
    positioned: list[Event],
    now: datetime,
) -> list[Delivery]:
    """The messages that begin here; what belongs into one that waits already is added to it."""
    found = await _told(tx, tenant_id, positioned)
    if not found:
        return []
    lines = await units.lines(tx, tenant_id, {channel.unit_id for channel, _ in channels if channel.unit_id})
    messages: dict[tuple[UUID, UUID], list[Event]] = defaultdict(list)
    for channel, reach in channels:
        if channel.unit_id is None or not reach.scope.covers(lines.get(channel.unit_id, ())):
            continue
        for event, each in found:
            if channel.unit_id in each.units:
                messages[channel.id, lane_of(channel.id, each.key)].append(event)
    waiting = await _open(tx, tenant_id, [lane_id for _, lane_id in messages])
    begun = []
    for (channel_id, lane_id), events in messages.items():
        message = waiting.get(lane_id)
        if message is None:
            begun.append(_message(channel_id, lane_id, events, now))
            continue
        gathered = [*message.gathered, *(event.id for _, event in events)]
        key = {"tenant_id": tenant_id, "webhook_id": channel_id, "delivery_id": message.id}
        changes.add(deliveries.GATHER, **key, new_gathered=gathered)
    return begun


async def _told(tx: Tx, tenant_id: UUID, positioned: list[Event]) -> list[tuple[Event, Told]]:
    found = []
    for position, event in positioned:
        if event.type in TOLD:
            body: dict[str, Any] = from_json(event.body, cache_strings="keys")
            unit_id = UUID(body["unit_id"]) if body["unit_id"] else None
            each = told(event.type, event.id, event.at, unit_id, body["data"])
            if each is not None:
                found.append(((position, event), each))
    named = {each.notice_id for _, each in found if each.notice_id is not None}
    issued = await notices.by_ids(tx, tenant_id, named) if named else {}
    return [
        (event, each)
        for event, each in found
        if each.notice_id is None or (each.notice_id in issued and told_by(event[1].type, issued[each.notice_id]))
    ]


async def _open(tx: Tx, tenant_id: UUID, lane_ids: list[UUID]) -> dict[UUID, Delivery]:
    """The messages of these lanes that nobody has had in hand: their lanes are held, and stand where they began."""
    if not lane_ids:
        return {}
    held = await lanes.held(tx, tenant_id, sorted(lane_ids), wait=False)
    if not held:
        return {}
    return {
        each.lane_id: each
        for each in await deliveries.pending_in(tx, tenant_id, held)
        if held[each.lane_id].pending == 1
        and not each.attempts
        and held[each.lane_id].next_at == each.created_at + GATHERS
    }


def _message(channel_id: UUID, lane_id: UUID, events: list[Event], now: datetime) -> Delivery:
    """Named after the first event that it tells of, and as old as the last; never dated ahead of `now`."""
    (position, first), *others = events
    at = min(now, max(event.at for _, event in events))
    message = Delivery(
        id=new_id(), webhook_id=channel_id, lane_id=lane_id, position=position, event_id=first.id, type=first.type,
        replay=False, status=Status.PENDING, attempts=(), created_at=at, done_at=None,
    )  # fmt: skip
    return replace(message, gathered=tuple(event.id for _, event in others))
