"""Progress entries (整改进展): what was done, by whom, on which side."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text, bindparam, literal_column, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant, UuidList, any_of, ids
from service.workflow.items import Progress


class ProgressRow(SQLModel, table=True):
    __tablename__ = "progress"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "item_id"], ["items.tenant_id", "items.id"]),
        Index(None, "tenant_id", "item_id", "id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    item_id: UUID
    cycle: int
    at: datetime = Field(sa_type=Instant)
    principal_id: UUID
    name: str = Field(max_length=200)
    side: str = Field(max_length=16)
    text: str = Field(sa_type=Text)
    percent: int | None
    attachment_ids: list[UUID] = Field(sa_type=UuidList)


_progress = table(ProgressRow)
_names = tuple(Progress.__dataclass_fields__)

INSERT = insert_row(ProgressRow)
PAGE = Statement(
    select(*(_progress.c[name] for name in _names))
    .where(
        _progress.c.tenant_id == bindparam("tenant_id", type_=_progress.c.tenant_id.type),
        _progress.c.item_id == bindparam("item_id", type_=_progress.c.item_id.type),
        _progress.c.id > bindparam("after", type_=_progress.c.id.type),
    )
    .order_by(_progress.c.id)
    .limit(bindparam("limit"))
)

_later = _progress.alias("later")
NEWEST_OF_EACH = Statement(
    select(_progress.c.item_id, _progress.c.text).where(
        _progress.c.tenant_id == bindparam("tenant_id", type_=_progress.c.tenant_id.type),
        any_of(_progress.c.item_id, ids("item_ids")),
        # Ids rise with time.
        _progress.c.id
        == select(_later.c.id)
        .where(_later.c.tenant_id == _progress.c.tenant_id, _later.c.item_id == _progress.c.item_id)
        .order_by(_later.c.id.desc())
        .limit(literal_column("1"))
        .scalar_subquery(),
    )
)


def params(tenant_id: UUID, entry: Progress) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(entry, name) for name in _names}}


async def page(tx: Tx, tenant_id: UUID, item_id: UUID, after: UUID, limit: int) -> list[Progress]:
    rows = await tx.all(PAGE, tenant_id=tenant_id, item_id=item_id, after=after, limit=limit)
    return [Progress(**dict(zip(_names, row, strict=True)) | {"attachment_ids": tuple(row[-1])}) for row in rows]


async def newest_of_each(tx: Tx, tenant_id: UUID, item_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What was last reported of each of the items; those of which nothing was are left out."""
    rows = await tx.all(NEWEST_OF_EACH, tenant_id=tenant_id, item_ids=list(item_ids))
    return {row[0]: row[1] for row in rows}
