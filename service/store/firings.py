"""What the ladder has done: each rung once for the same item (request, interview), cycle and anchor day."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Day, Instant, any_of, ids
from service.workflow.ladder import Mark


class Firing(SQLModel, table=True):
    """`ref` is the item, or the request or interview whose day `anchor_on` is. `outcome` is fired or skipped."""

    __tablename__ = "firings"

    tenant_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    cycle: int = Field(primary_key=True)
    rung: str = Field(primary_key=True, max_length=32)
    anchor_on: date = Field(primary_key=True, sa_type=Day)
    ref: UUID = Field(primary_key=True)
    anchor: str = Field(max_length=16)
    outcome: str = Field(max_length=16)
    reason: str | None = Field(max_length=16)
    at: datetime = Field(sa_type=Instant)
    notice_id: UUID | None


FIRED, SKIPPED = "fired", "skipped"

_firings = table(Firing)

INSERT = insert_row(Firing)
OF_ITEMS = Statement(
    select(_firings.c.item_id, _firings.c.cycle, _firings.c.rung, _firings.c.ref, _firings.c.anchor_on).where(
        _firings.c.tenant_id == bindparam("tenant_id", type_=_firings.c.tenant_id.type),
        any_of(_firings.c.item_id, ids("item_ids")),
    )
)
_names = ("rung", "anchor", "anchor_on", "ref", "outcome", "reason", "at", "notice_id")
OF_CYCLE = Statement(
    select(*(_firings.c[name] for name in _names)).where(
        _firings.c.tenant_id == bindparam("tenant_id", type_=_firings.c.tenant_id.type),
        _firings.c.item_id == bindparam("item_id", type_=_firings.c.item_id.type),
        _firings.c.cycle == bindparam("cycle", type_=_firings.c.cycle.type),
    )
)

Done = dict[tuple[UUID, int], set[Mark]]
"""What was done, by item and cycle."""


async def of_items(tx: Tx, tenant_id: UUID, item_ids: Iterable[UUID]) -> Done:
    done: Done = {}
    for item_id, cycle, rung, ref, anchor_on in await tx.all(OF_ITEMS, tenant_id=tenant_id, item_ids=list(item_ids)):
        done.setdefault((item_id, cycle), set()).add((rung, ref, anchor_on))
    return done


async def of_cycle(tx: Tx, tenant_id: UUID, item_id: UUID, cycle: int) -> list[dict[str, Any]]:
    rows = await tx.all(OF_CYCLE, tenant_id=tenant_id, item_id=item_id, cycle=cycle)
    return [dict(zip(_names, row, strict=True)) for row in rows]
