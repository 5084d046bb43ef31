"""What a message is to say, read when it is sent: items as they are then, and not what has become moot meanwhile."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from service.store import calendars, events, items, notices, tenants, units, webhooks
from service.store.database import Tx
from service.store.lanes import Parcel
from service.workflow.calendar import Calendar
from service.workflow.items import Item
from service.workflow.messages import LISTED, Matter, Tale
from service.workflow.moot import moot
from service.workflow.notices import Notice
from service.workflow.states import AnchorKind, NoticeState
from service.workflow.webhooks import Webhook

READ = 5 * LISTED
"""Events of a message that are read, so that enough are left to list where some have become moot."""

Link = Callable[[UUID], str | None]
"""Where people see an item."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a message is told against."""

    tz: ZoneInfo
    calendar: Calendar
    today: date
    items: dict[UUID, Item]
    names: dict[UUID, str]
    notices: dict[UUID, Notice]
    link: Link


async def tales(
    tx: Tx, tenant_id: UUID, channel: Webhook, parcels: list[Parcel], now: datetime, link: Link
) -> dict[UUID, Tale | None]:
    """By delivery: what it tells; None where there is nothing to tell any more."""
    further = {event_id for each in parcels for event_id in each.delivery.gathered[: READ - 1]}
    read = await events.by_ids(tx, tenant_id, further) if further else {}
    told = {
        each.delivery.id: [each.event, *(read[id_] for id_ in each.delivery.gathered[: READ - 1] if id_ in read)]
        for each in parcels
    }
    around = await _around(tx, tenant_id, channel, [event for each in told.values() for event in each], now, link)
    if around is None:
        return {}
    return {
        each.delivery.id: _tale(channel, told[each.delivery.id], len(each.delivery.gathered) + 1, around)
        for each in parcels
    }


async def _around(
    tx: Tx, tenant_id: UUID, channel: Webhook, told: list[dict[str, Any]], now: datetime, link: Link
) -> Around | None:
    owner = await webhooks.owner(tx, tenant_id, channel.owner_id)
    if owner is None:
        return None
    row = await tx.one(tenants.EPOCH, tenant_id=tenant_id)
    found = await items.these(tx, tenant_id, {UUID(event["item_id"]) for event in told if event["item_id"]})
    named = {UUID(event["data"]["notice_id"]) for event in told if event["data"].get("notice_id")}
    placed = await units.some(tx, tenant_id, {item.responsible_unit_id for item in found})
    return Around(
        owner[1], await calendars.of(tx, tenant_id, row[0] if row else 0), now.astimezone(owner[1]).date(),
        {item.id: item for item in found}, {unit.id: unit.name for unit in placed},
        await notices.by_ids(tx, tenant_id, named) if named else {}, link,
    )  # fmt: skip


def _tale(channel: Webhook, told: list[dict[str, Any]], count: int, around: Around) -> Tale | None:
    first = told[0]
    data, notice_id = first["data"], first["data"].get("notice_id")
    notice = around.notices.get(UUID(notice_id)) if notice_id else None
    if notice_id and (notice is None or notice.state == NoticeState.CANCELLED):
        return None
    left = [event for event in told if not _moot(event, around)]
    matters = _matters(left, around)
    if not matters:
        return None
    scheduled = data.get("scheduled_at")
    copied = notice is not None and notice.unit_id != channel.unit_id
    return Tale(
        type=first["type"], what=data.get("action") or data.get("kind") or "", matters=tuple(matters[:LISTED]),
        more=count - len(told) + max(0, len(matters) - LISTED),
        notice=notice.number if notice else None,
        text=_text(notice.text if notice else data.get("reason")),
        reply_by=notice.reply_by if notice else None,
        receipt_due=notice.receipt_due if notice else None,
        copied=copied,
        at=datetime.fromisoformat(scheduled).astimezone(around.tz) if scheduled else None,
        place=_text(data.get("place")),
    )  # fmt: skip


def _text(value: Any) -> str | None:
    """What was erased is no text any more."""
    return value if isinstance(value, str) else None


def _moot(event: dict[str, Any], around: Around) -> bool:
    item = around.items.get(UUID(event["item_id"]))
    return item is None or moot(event["type"], event["data"], event["unit_id"], item)


def _matters(told: Iterable[dict[str, Any]], around: Around) -> list[Matter]:
    """Each item once, in the order of the events."""
    found: dict[UUID, Matter] = {}
    for event in told:
        item = around.items[UUID(event["item_id"])]
        found.setdefault(item.id, _matter(event["data"], item, around))
    return list(found.values())


def _matter(data: dict[str, Any], item: Item, around: Around) -> Matter:
    anchor = data.get("anchor")
    match anchor:
        case AnchorKind.CLAIM_DUE:
            until = item.claim_due
        case AnchorKind.DECISION_DUE | AnchorKind.INTERVIEW_DUE:
            until = date.fromisoformat(data["anchor_on"])
        case _:
            until = item.deadline_day
    return Matter(
        number=item.number, title=item.title, unit=around.names.get(item.responsible_unit_id, ""), anchor=anchor,
        until=until, late=around.calendar.between(until, around.today) if until else None,
        overdue=until is not None and around.today > until, link=around.link(item.id),
    )  # fmt: skip
