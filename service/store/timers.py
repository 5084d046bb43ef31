"""When to look at an item again: one row for each item that is not closed. A queue: found across tenants.

A look takes items in the order of their ledger and unit, so that what concerns one unit comes together and shares its
notices.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, bindparam, delete, func, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.items import COLUMNS, item_of, items
from service.store.tenants import HOME, Tenant, home, with_head
from service.store.types import ONE, Instant, any_of, gate, ids, in_order
from service.workflow.access import Home
from service.workflow.items import Item


class Timer(SQLModel, table=True):
    __tablename__ = "timers"
    __table_args__ = (Index("ix_timers_due", "tenant_id", "look_at", "ledger_id", "unit_id", "item_id"),)

    tenant_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    look_at: datetime = Field(sa_type=Instant)
    ledger_id: UUID
    unit_id: UUID


_timers, _tenants = table(Timer), table(Tenant)
_tenant = bindparam("tenant_id", type_=_timers.c.tenant_id.type)
_item = bindparam("item_id", type_=_timers.c.item_id.type)
_now = bindparam("now", type_=_timers.c.look_at.type)

INSERT = insert_row(Timer)
MOVE = Statement(
    update(_timers)
    .where(_timers.c.tenant_id == _tenant, _timers.c.item_id == _item, gate())
    .values(
        look_at=bindparam("new_look_at", type_=_timers.c.look_at.type),
        unit_id=bindparam("new_unit_id", type_=_timers.c.unit_id.type),
    ),
    by_key=True,
)
STOP = Statement(delete(_timers).where(_timers.c.tenant_id == _tenant, _timers.c.item_id == _item, gate()))

_due_of = (_timers.c.tenant_id == _tenants.c.tenant_id, _timers.c.look_at <= _now)
DUE_TENANTS = Statement(select(*HOME).select_from(with_head).where(select(ONE).where(*_due_of).exists()))
"""Across tenants, once a tick: a probe for each."""

BACKLOG = Statement(
    select(func.count(), func.min(_timers.c.look_at))
    .select_from(in_order(_tenants, _timers, _timers.c.tenant_id == _tenants.c.tenant_id))
    .where(_timers.c.look_at <= _now)
)

_due = (
    select(*COLUMNS)
    .select_from(_timers.join(items, (items.c.tenant_id == _timers.c.tenant_id) & (items.c.id == _timers.c.item_id)))
    .where(_timers.c.tenant_id == _tenant, _timers.c.look_at <= _now)
    .order_by(_timers.c.look_at, _timers.c.ledger_id, _timers.c.unit_id, _timers.c.item_id)
    .limit(bindparam("limit"))
)
DUE = Statement(_due)
TAKE_DUE = Statement(_due.with_for_update(skip_locked=True))
"""Rows of items and timers that nobody else has in hand, ours until the commit."""

TAKE_ONE = Statement(_due.where(_timers.c.item_id == _item).with_for_update(skip_locked=True))
DUE_IDS = Statement(
    select(_timers.c.item_id)
    .where(_timers.c.tenant_id == _tenant, _timers.c.look_at <= _now)
    .order_by(_timers.c.look_at, _timers.c.ledger_id, _timers.c.unit_id, _timers.c.item_id)
    .limit(bindparam("limit"))
)
"""The same items by name: nothing of them is read, so that one which cannot be read stops no other."""

PUT_OFF = Statement(
    update(_timers)
    .where(_timers.c.tenant_id == _tenant, _timers.c.item_id == _item, _timers.c.look_at <= _now, gate())
    .values(look_at=bindparam("new_look_at", type_=_timers.c.look_at.type))
)

FORWARD = Statement(
    update(_timers)
    .where(
        _timers.c.tenant_id == _tenant,
        any_of(_timers.c.item_id, ids("item_ids")),
        _timers.c.look_at > _now,
        gate(),
    )
    .values(look_at=_now)
)

NEXT_OF_TENANT = Statement(
    select(_timers.c.item_id, _timers.c.ledger_id, _timers.c.look_at)
    .where(_timers.c.tenant_id == _tenant, _timers.c.item_id > bindparam("after", type_=_timers.c.item_id.type))
    .order_by(_timers.c.item_id)
    .limit(bindparam("limit"))
)


async def due_tenants(tx: Tx, now: datetime) -> list[Home]:
    """The tenants that have an item to be looked at."""
    return [home(*row) for row in await tx.all(DUE_TENANTS, now=now)]


async def take(tx: Tx, tenant_id: UUID, now: datetime, limit: int) -> list[Item]:
    """Items to be looked at, at most `limit`; held until the commit where the action runs `contended`."""
    rows = await tx.all(TAKE_DUE if tx.contended else DUE, tenant_id=tenant_id, now=now, limit=limit)
    return [item_of(row) for row in rows]


async def take_one(tx: Tx, tenant_id: UUID, now: datetime, item_id: UUID) -> list[Item]:
    """That item, held; nothing where it is due no more, or somebody else has it in hand."""
    return [item_of(row) for row in await tx.all(TAKE_ONE, tenant_id=tenant_id, now=now, item_id=item_id, limit=1)]


def row(tenant_id: UUID, item: Item, look_at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id, "item_id": item.id, "look_at": look_at,
        "ledger_id": item.ledger_id, "unit_id": item.responsible_unit_id,
    }  # fmt: skip
