"""Lanes, in which deliveries wait: one for each endpoint and item with something on its way.

A lane counts what is pending in it. Whoever adds to it and whoever takes from it hold its row until their commit, so
that it is there exactly as long as anything is. `next_at` is when its first delivery is tried. Who tries it moves that
ahead, and this is the lease: nobody else looks there before, and what a crash leaves behind comes due by itself.

A queue that was empty a moment ago has no statistics, and PostgreSQL takes any index for as good as any other then. So
a lane's key is one value and not endpoint and item: each statement here has one index that fits it at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, and_, bindparam, delete, func, literal_column, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from service.store import webhooks as webhook_store
from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.deliveries import COLUMNS, deliveries, delivery_of
from service.store.events import EventRow, shown
from service.store.types import Instant, any_of, gate, ids, in_order
from service.workflow.webhooks import Delivery, Webhook


class LaneRow(SQLModel, table=True):
    """A queue: found across tenants, from one endpoint to the next."""

    __tablename__ = "lanes"
    __table_args__ = (Index("ix_lanes_due", "webhook_id", "next_at", "tenant_id"),)

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    webhook_id: UUID
    pending: int
    next_at: datetime = Field(sa_type=Instant)


_lanes, _events, _webhooks = table(LaneRow), table(EventRow), webhook_store.webhooks
_tenant = bindparam("tenant_id", type_=_lanes.c.tenant_id.type)
_now = bindparam("now", type_=_lanes.c.next_at.type)
_named = (_lanes.c.tenant_id == _tenant, any_of(_lanes.c.id, ids("lane_ids")))
_of_webhook = (
    _lanes.c.tenant_id == _tenant,
    _lanes.c.webhook_id == bindparam("webhook_id", type_=_lanes.c.webhook_id.type),
)

INSERT = insert_row(LaneRow)
"""A lane that cannot be there yet: a replay's."""


def _adding(insert: Any) -> Any:
    values = [bindparam(column.name, type_=column.type) for column in _lanes.c]
    added = insert(_lanes).from_select(list(_lanes.c.keys()), select(*values).where(gate()))
    more = _lanes.c.pending + added.excluded.pending
    return added.on_conflict_do_update(index_elements=list(_lanes.primary_key), set_={"pending": more})


ADD = Statement(postgresql=_adding(postgresql.insert), sqlite=_adding(sqlite.insert))

# -- what is due

_first = select(_lanes.c.webhook_id).order_by(_lanes.c.webhook_id).limit(1)
_waiting = select(_first.scalar_subquery().label("webhook_id")).cte("waiting", recursive=True)
_next = _first.where(_lanes.c.webhook_id > _waiting.c.webhook_id).correlate(_waiting).scalar_subquery()
_all_waiting = _waiting.union_all(select(_next).where(_waiting.c.webhook_id.is_not(None)))
_whose = (
    select(_lanes.c.tenant_id)
    .where(_lanes.c.webhook_id == _all_waiting.c.webhook_id, _lanes.c.next_at <= _now)
    .order_by(_lanes.c.next_at)
    .limit(1)
    .correlate(_all_waiting)
    .scalar_subquery()
)
_due = select(_all_waiting.c.webhook_id, _whose.label("tenant_id")).cte("due")
DUE = Statement(
    select(*webhook_store.COLUMNS, _webhooks.c.tenant_id)
    .select_from(
        in_order(_due, _webhooks, and_(_webhooks.c.tenant_id == _due.c.tenant_id, _webhooks.c.id == _due.c.webhook_id))
    )
    .where(
        _webhooks.c.enabled,
        or_(_webhooks.c.probe_at.is_(None), _webhooks.c.probe_at <= _now),
        or_(_webhooks.c.paced_until.is_(None), _webhooks.c.paced_until <= _now),
    )
)
"""Across tenants, from one endpoint that has anything pending to the next: idle ones cost nothing."""


def _same(of: Any, other: Any) -> ColumnElement[bool]:
    return and_(other.c.tenant_id == of.c.tenant_id, other.c.id == of.c.id)


_candidates = _lanes.alias("candidates")
_pick = (
    select(_candidates.c.tenant_id, _candidates.c.id)
    .where(
        _candidates.c.tenant_id == _tenant,
        _candidates.c.webhook_id == bindparam("webhook_id", type_=_lanes.c.webhook_id.type),
        _candidates.c.next_at <= _now,
    )
    .order_by(_candidates.c.next_at)
    .limit(bindparam("limit"))
)
_picked = _pick.with_for_update(skip_locked=True).cte("picked")
_lease = update(_lanes).values(next_at=bindparam("until", type_=_lanes.c.next_at.type)).returning(_lanes.c.id)

LEASE = Statement(
    postgresql=_lease.where(_same(_picked, _lanes), gate()),
    sqlite=_lease.where(
        _lanes.c.tenant_id == _tenant, _lanes.c.id.in_(_pick.with_only_columns(_candidates.c.id)), gate()
    ),
)

# The ids as rows, each looked up by itself.
_given = select(_tenant.label("tenant_id"), func.unnest(ids("lane_ids")).label("id")).cte("given")

RUN = 8
"""Deliveries of one lane that are taken at once, to be tried one after the other."""

_of_event = (_events.c.audience, _events.c.body, _events.c.beside)


def _first_of(among: Any, lane: Any) -> Any:
    """The first that are pending in a lane, however many wait behind them."""
    return (
        select(among)
        .where(
            among.c.tenant_id == _tenant, among.c.lane_id == lane.c.id, among.c.status == literal_column("'pending'")
        )
        .order_by(among.c.position)
        .limit(literal_column(str(RUN)))
        .correlate(lane)
    )


def _with_events(source: Any, found: Any) -> Any:
    its_event = and_(_events.c.tenant_id == _tenant, _events.c.id == found.c.event_id)
    return (
        select(*(found.c[column.name] for column in COLUMNS), *_of_event)
        .select_from(in_order(source, _events, its_event))
        .order_by(found.c.lane_id, found.c.position)
    )


_own, _other = _first_of(deliveries, _given).lateral("own"), deliveries.alias("other")
_its_first = and_(
    deliveries.c.tenant_id == _tenant,
    deliveries.c.webhook_id == _lanes.c.webhook_id,
    deliveries.c.id.in_(_first_of(_other, _lanes).with_only_columns(_other.c.id)),
)
PARCELS = Statement(
    postgresql=_with_events(_given.join(_own, true()), _own),
    sqlite=_with_events(in_order(_lanes, deliveries, _its_first), deliveries).where(*_named),
)

# -- what is left

_columns = (_lanes.c.id, _lanes.c.pending, _lanes.c.next_at)
_by_name = select(*_columns).where(*_named).order_by(_lanes.c.id)
_by_key = select(*_columns).select_from(_given.join(_lanes, _same(_given, _lanes))).order_by(_lanes.c.id)

SEEN = Statement(postgresql=_by_key, sqlite=_by_name)
HELD = Statement(postgresql=_by_key.with_for_update(of=_lanes), sqlite=_by_name)
HELD_IF_FREE = Statement(postgresql=_by_key.with_for_update(of=_lanes, skip_locked=True), sqlite=_by_name)
MOVE = Statement(
    update(_lanes)
    .where(_lanes.c.tenant_id == _tenant, _lanes.c.id == bindparam("lane_id", type_=_lanes.c.id.type), gate())
    .values(
        pending=bindparam("new_pending", type_=_lanes.c.pending.type),
        next_at=bindparam("new_next_at", type_=_lanes.c.next_at.type),
    ),
    by_key=True,
)
EMPTY = Statement(
    postgresql=delete(_lanes).where(_same(_given, _lanes), gate()), sqlite=delete(_lanes).where(*_named, gate())
)
FORWARD = Statement(
    update(_lanes)
    .where(*_of_webhook, _lanes.c.next_at > bindparam("beyond", type_=_lanes.c.next_at.type), gate())
    .values(next_at=_now)
)
"""What waits long is due; what is only in hand, until `beyond`, is left there."""

FORGET = Statement(delete(_lanes).where(*_of_webhook, gate()))


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery with the event as readers see it, and the units that the event concerns."""

    delivery: Delivery
    audience: tuple[UUID, ...]
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lane:
    id: UUID
    pending: int
    next_at: datetime


def params(tenant_id: UUID, webhook_id: UUID, lane_id: UUID, next_at: datetime, pending: int = 1) -> dict[str, Any]:
    """The parameters of ADD and INSERT."""
    return {
        "tenant_id": tenant_id, "webhook_id": webhook_id, "id": lane_id, "pending": pending, "next_at": next_at,
    }  # fmt: skip


async def due(tx: Tx, now: datetime) -> list[tuple[UUID, Webhook]]:
    """The endpoints that may be called and have a lane that is due, each with its tenant."""
    return [(row[-1], webhook_store.webhook_of(row)) for row in await tx.all(DUE, now=now)]


async def lease(tx: Tx, tenant_id: UUID, webhook_id: UUID, now: datetime, until: datetime, limit: int) -> list[UUID]:
    """Take up to `limit` lanes that are due and that nobody has in hand, until an instant. A write of its own."""
    rows = await tx.all(LEASE, tenant_id=tenant_id, webhook_id=webhook_id, now=now, until=until, limit=limit)
    return [row[0] for row in rows]


async def parcels(tx: Tx, tenant_id: UUID, lane_ids: Iterable[UUID]) -> list[Parcel]:
    """The first few of each lane, lane by lane in the order of their positions."""
    found = []
    for *values, audience, body, beside in await tx.all(PARCELS, tenant_id=tenant_id, lane_ids=list(lane_ids)):
        delivery = delivery_of(values)
        found.append(Parcel(delivery, tuple(audience), shown(bytes(body), beside, delivery.position)))
    return found


async def held(tx: Tx, tenant_id: UUID, lane_ids: Iterable[UUID], *, wait: bool) -> dict[UUID, Lane]:
    """Lanes as they are, ours until the commit; without those that somebody else holds, unless they are waited for."""
    rows = await tx.all(HELD if wait else HELD_IF_FREE, tenant_id=tenant_id, lane_ids=list(lane_ids))
    return {row[0]: Lane(*row) for row in rows}


async def seen(tx: Tx, tenant_id: UUID, lane_ids: Iterable[UUID]) -> dict[UUID, Lane]:
    """Lanes as they were at the last commit, whoever holds them."""
    return {row[0]: Lane(*row) for row in await tx.all(SEEN, tenant_id=tenant_id, lane_ids=list(lane_ids))}
