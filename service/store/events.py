"""Events: append-only, their sealed bytes stored as they are; and which of them wait for a position."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, bindparam, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.types import Instant, Json, UuidList, any_of, ids, texts
from service.workflow.events import ACTORS_NAME, Event
from service.workflow.sealing import reveal


class EventRow(SQLModel, table=True):
    """`body` is what is sealed, `beside` the free texts with their salts, which a lawful erasure destroys."""

    __tablename__ = "events"
    __table_args__ = (Index("uq_events_item", "tenant_id", "item_id", "revision", "ordinal", unique=True),)

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    item_id: UUID | None
    revision: int = Field(sa_type=BigInteger)
    ordinal: int
    type: str = Field(max_length=40)
    at: datetime = Field(sa_type=Instant)
    unit_id: UUID | None
    ledger_id: UUID | None
    item_version: int | None
    audience: list[UUID] = Field(sa_type=UuidList)
    body: bytes = Field(sa_type=LargeBinary)
    beside: dict[str, Any] = Field(sa_type=Json)


class Unsequenced(SQLModel, table=True):
    """Written with its event, deleted when the event gets its position. A queue: found across tenants."""

    __tablename__ = "unsequenced"

    tenant_id: UUID = Field(primary_key=True)
    event_id: UUID = Field(primary_key=True)


_events = table(EventRow)
_tenant = bindparam("tenant_id", type_=_events.c.tenant_id.type)

INSERT = insert_row(EventRow)
INSERT_UNSEQUENCED = insert_row(Unsequenced)

NEWEST = Statement(
    select(_events.c.body, _events.c.beside)
    .where(
        _events.c.tenant_id == _tenant,
        _events.c.item_id == bindparam("item_id", type_=_events.c.item_id.type),
        any_of(_events.c.type, texts("types")),
    )
    .order_by(_events.c.revision.desc(), _events.c.ordinal.desc())
    .limit(bindparam("limit"))
)


BY_IDS = Statement(
    select(_events.c.id, _events.c.body, _events.c.beside).where(
        _events.c.tenant_id == _tenant, any_of(_events.c.id, ids("event_ids"))
    )
)


def record(changes: Changes, tenant_id: UUID, events: list[Event]) -> None:
    """Add events to what is stored, each with its place in the queue for a position."""
    changes.many(INSERT, [_params(tenant_id, event) for event in events])
    changes.many(INSERT_UNSEQUENCED, [{"tenant_id": tenant_id, "event_id": event.id} for event in events])


def _params(tenant_id: UUID, event: Event) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(event, name) for name in Event.__dataclass_fields__}}


def shown(body: bytes, beside: dict[str, Any], position: int | None) -> dict[str, Any]:
    """A stored event as readers see it: its texts in their places. `position` is None until it is sequenced."""
    event = json.loads(body)
    name = reveal({ACTORS_NAME: event["actor"]["name"]}, beside)[ACTORS_NAME]
    return {
        "id": event["id"],
        "position": position,
        "type": event["type"],
        "at": event["at"],
        "actor": {**event["actor"], "name": name if isinstance(name, str) else None},
        "item_id": event["item_id"],
        "item_version": event["item_version"],
        "unit_id": event["unit_id"],
        "ledger_id": event["ledger_id"],
        "data": reveal(event["data"], beside),
    }


async def by_ids(tx: Tx, tenant_id: UUID, event_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Events as readers see them; without their positions."""
    rows = await tx.all(BY_IDS, tenant_id=tenant_id, event_ids=list(event_ids))
    return {row[0]: shown(bytes(row[1]), row[2], None) for row in rows}


async def newest(tx: Tx, tenant_id: UUID, item_id: UUID, types: tuple[str, ...], limit: int) -> list[dict[str, Any]]:
    """An item's newest events of some types, oldest of them first; without their positions."""
    rows = await tx.all(NEWEST, tenant_id=tenant_id, item_id=item_id, types=list(types), limit=limit)
    return [shown(bytes(body), beside, None) for body, beside in reversed(rows)]
