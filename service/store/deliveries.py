"""Deliveries: an event each on its way to an endpoint, with what came back at every attempt. They wait in lanes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, and_, bindparam, delete, literal_column, select, text, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.events import EventRow
from service.store.log import LogEntry
from service.store.types import ONE, Instant, Json, UuidList, any_of, gate, ids
from service.workflow.webhooks import Delivery, Status

PENDING = text("status = 'pending'")
UNFINISHED = text("status <> 'delivered'")


class DeliveryRow(SQLModel, table=True):
    """`attempts`, oldest first, say when each was made and what came back. A replay's lane bears its own id."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_lane", "tenant_id", "lane_id", "position",
              postgresql_where=PENDING, sqlite_where=PENDING),
        Index("ix_deliveries_unfinished", "tenant_id", "webhook_id", "status", "id",
              postgresql_where=UNFINISHED, sqlite_where=UNFINISHED),
    )  # fmt: skip

    tenant_id: UUID = Field(primary_key=True)
    webhook_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    lane_id: UUID
    position: int = Field(sa_type=BigInteger)
    event_id: UUID
    type: str = Field(max_length=40)
    replay: bool
    status: str = Field(max_length=16)
    attempts: list[Any] = Field(sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(sa_type=Instant)
    gathered: list[UUID] | None = Field(sa_type=UuidList)


CHANGEABLE = ("status", "attempts", "done_at")

deliveries = table(DeliveryRow)
_log, _events = table(LogEntry), table(EventRow)
_tenant = bindparam("tenant_id", type_=deliveries.c.tenant_id.type)
_id = bindparam("delivery_id", type_=deliveries.c.id.type)
_names = tuple(Delivery.__dataclass_fields__)
COLUMNS = [deliveries.c[name] for name in _names]
_of_webhook = (
    deliveries.c.tenant_id == _tenant,
    deliveries.c.webhook_id == bindparam("webhook_id", type_=deliveries.c.webhook_id.type),
)

INSERT = insert_row(DeliveryRow)
BY_ID = Statement(select(*COLUMNS).where(*_of_webhook, deliveries.c.id == _id))
RECORD = Statement(
    update(deliveries)
    .where(*_of_webhook, deliveries.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=deliveries.c[name].type) for name in CHANGEABLE}),
    by_key=True,
)
GATHER = Statement(
    update(deliveries)
    .where(*_of_webhook, deliveries.c.id == _id, gate())
    .values(gathered=bindparam("new_gathered", type_=deliveries.c.gathered.type)),
    by_key=True,
)
"""More belongs into a message that nobody has in hand yet."""

FORGET = Statement(delete(deliveries).where(*_of_webhook, gate()))
"""All that were ever for an endpoint."""

NEXT_ENDPOINT = Statement(
    select(deliveries.c.webhook_id)
    .where(deliveries.c.tenant_id == _tenant, deliveries.c.webhook_id > bindparam("after", type_=_id.type))
    .order_by(deliveries.c.webhook_id)
    .limit(ONE)
)
OVER = Statement(
    select(deliveries.c.id)
    .where(
        *_of_webhook,
        # Ids are made in the order of time: what is younger is not looked at.
        deliveries.c.id < bindparam("made_before", type_=_id.type),
        deliveries.c.done_at < bindparam("done_before", type_=deliveries.c.done_at.type),
        deliveries.c.status != literal_column(f"'{Status.DEAD}'"),
    )
    .order_by(deliveries.c.id)
    .limit(bindparam("limit"))
)
FORGET_THESE = Statement(delete(deliveries).where(*_of_webhook, any_of(deliveries.c.id, ids("ids")), gate()))

PENDING_IN = Statement(
    select(*COLUMNS).where(
        deliveries.c.tenant_id == _tenant,
        any_of(deliveries.c.lane_id, ids("lane_ids")),
        deliveries.c.status == literal_column("'pending'"),
    )
)

CANDIDATES = Statement(
    select(_log.c.position, _log.c.event_id, _events.c.type, _events.c.audience)
    .select_from(_log.join(_events, and_(_events.c.tenant_id == _tenant, _events.c.id == _log.c.event_id)))
    .where(
        _log.c.tenant_id == _tenant,
        _log.c.position > bindparam("after", type_=_log.c.position.type),
        _log.c.position < bindparam("before", type_=_log.c.position.type),
    )
    .order_by(_log.c.position)
)


@lru_cache(maxsize=8)
def paging(status: str | None) -> Statement:
    """Newest first. A status is written out, so that the index of what is not delivered can be seen to have it."""
    narrowed = []
    if status is not None:
        narrowed.append(deliveries.c.status == literal_column(f"'{Status(status).value}'"))
        if status != Status.DELIVERED:
            narrowed.append(deliveries.c.status != literal_column("'delivered'"))
    return Statement(
        select(*COLUMNS)
        .where(*_of_webhook, deliveries.c.id < bindparam("before", type_=deliveries.c.id.type), *narrowed)
        .order_by(deliveries.c.id.desc())
        .limit(bindparam("limit"))
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that may be sent again."""

    position: int
    event_id: UUID
    type: str
    audience: tuple[UUID, ...]


def delivery_of(row: Sequence[Any]) -> Delivery:
    values = dict(zip(_names, row, strict=True))
    gathered = tuple(values["gathered"] or ())
    return Delivery(**values | {"attempts": tuple(values["attempts"]), "gathered": gathered})


def params(tenant_id: UUID, delivery: Delivery) -> dict[str, Any]:
    values = {name: getattr(delivery, name) for name in _names}
    # Of webhooks' deliveries, which are many, nothing is stored there.
    gathered = list(delivery.gathered) or None
    return {"tenant_id": tenant_id, **values, "attempts": list(delivery.attempts), "gathered": gathered}


async def by_id(tx: Tx, tenant_id: UUID, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, webhook_id=webhook_id, delivery_id=delivery_id)
    return delivery_of(row) if row else None


async def pending_in(tx: Tx, tenant_id: UUID, lane_ids: Iterable[UUID]) -> list[Delivery]:
    """What waits in some lanes."""
    return [delivery_of(row) for row in await tx.all(PENDING_IN, tenant_id=tenant_id, lane_ids=list(lane_ids))]


async def page(
    tx: Tx, tenant_id: UUID, webhook_id: UUID, status: str | None, before: UUID, limit: int
) -> list[Delivery]:
    """Newest first, behind `before`."""
    rows = await tx.all(paging(status), tenant_id=tenant_id, webhook_id=webhook_id, before=before, limit=limit)
    return [delivery_of(row) for row in rows]


async def next_endpoint(tx: Tx, tenant_id: UUID, after: UUID) -> UUID | None:
    """The next, by its id, that anything was ever for."""
    row = await tx.one(NEXT_ENDPOINT, tenant_id=tenant_id, after=after)
    return row[0] if row else None


async def over(tx: Tx, tenant_id: UUID, webhook_id: UUID, before: datetime, limit: int) -> list[UUID]:
    """Those that came to their end before an instant, oldest first. What is dead has not: it can be sent again."""
    rows = await tx.all(
        OVER, tenant_id=tenant_id, webhook_id=webhook_id, made_before=_first_id_of(before), done_before=before,
        limit=limit,
    )  # fmt: skip
    return [row[0] for row in rows]


async def candidates(tx: Tx, tenant_id: UUID, after: int, before: int) -> list[Candidate]:
    """The events of the positions between two, neither of which counts."""
    rows = await tx.all(CANDIDATES, tenant_id=tenant_id, after=after, before=before)
    return [Candidate(row[0], row[1], row[2], tuple(row[3])) for row in rows]


def _first_id_of(at: datetime) -> UUID:
    """The least UUIDv7 of an instant: milliseconds since 1970 are its first 48 bits (RFC 9562)."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
