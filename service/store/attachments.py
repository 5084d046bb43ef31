"""Attachments: evidence with its name and kind, and what it hangs on. Their bytes are blobs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, bindparam, delete, null, select, text, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant, any_of, gate, ids
from service.workflow.attachments import Attachment

_LOOSE = text("item_id IS NULL")


class AttachmentRow(SQLModel, table=True):
    """Evidence. It hangs on something of `item_id` once that is set, and nowhere else ever after."""

    __tablename__ = "attachments"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "blob_id"], ["blobs.tenant_id", "blobs.id"]),
        ForeignKeyConstraint(["tenant_id", "item_id"], ["items.tenant_id", "items.id"]),
        Index(None, "tenant_id", "blob_id"),
        Index(None, "tenant_id", "item_id", "id"),
        Index("ix_attachments_loose", "tenant_id", "uploaded_at", postgresql_where=_LOOSE, sqlite_where=_LOOSE),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    blob_id: UUID | None
    sha256: str = Field(max_length=64)
    size: int = Field(sa_type=BigInteger)
    media_type: str = Field(max_length=100)
    name: str | None = Field(max_length=255)
    uploaded_by: UUID
    uploaded_at: datetime = Field(sa_type=Instant)
    item_id: UUID | None
    hangs_on: str | None = Field(max_length=16)
    hangs_on_id: UUID | None
    cycle: int | None
    attached_at: datetime | None = Field(sa_type=Instant)
    erased_at: datetime | None = Field(sa_type=Instant)


_attachments = table(AttachmentRow)
_names = tuple(Attachment.__dataclass_fields__)
_columns = [_attachments.c[name] for name in _names]
_tenant = bindparam("tenant_id", type_=_attachments.c.tenant_id.type)
_limit: Any = bindparam("limit")
_named = (_attachments.c.tenant_id == _tenant, any_of(_attachments.c.id, ids("attachment_ids")))

PLACE = ("item_id", "hangs_on", "hangs_on_id", "cycle", "attached_at")
"""The columns that say where an attachment hangs."""

INSERT = insert_row(AttachmentRow)
BY_IDS = Statement(select(*_columns).where(*_named))
OF_ITEM = Statement(
    select(*_columns)
    .where(
        _attachments.c.tenant_id == _tenant,
        _attachments.c.item_id == bindparam("item_id", type_=_attachments.c.item_id.type),
        _attachments.c.id > bindparam("after", type_=_attachments.c.id.type),
    )
    .order_by(_attachments.c.id)
    .limit(_limit)
)
HANG = Statement(
    update(_attachments)
    .where(
        _attachments.c.tenant_id == _tenant,
        _attachments.c.id == bindparam("attachment_id", type_=_attachments.c.id.type),
        _attachments.c.item_id.is_(None),
        gate(),
    )
    .values({name: bindparam(f"new_{name}", type_=_attachments.c[name].type) for name in PLACE}),
    by_key=True,
)
"""Of two that want the same attachment the later finds it taken; of one that has gone, nothing."""
ERASE = Statement(
    update(_attachments)
    .where(*_named, gate())
    .values(
        name=null(), blob_id=null(), erased_at=bindparam("erased_at", type_=_attachments.c.erased_at.type)
    )
)  # fmt: skip
EXPIRED = Statement(
    select(_attachments.c.id, _attachments.c.blob_id)
    .where(
        _attachments.c.tenant_id == _tenant,
        _attachments.c.item_id.is_(None),
        _attachments.c.uploaded_at <= bindparam("before", type_=_attachments.c.uploaded_at.type),
    )
    .order_by(_attachments.c.uploaded_at)
    .limit(_limit)
)
FORGET = Statement(delete(_attachments).where(*_named, _attachments.c.item_id.is_(None), gate()))
"""Those that hang nowhere: one that was hung a moment ago stays."""


def params(tenant_id: UUID, made: Attachment) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(made, name) for name in _names}}


def hung(tenant_id: UUID, each: Attachment) -> dict[str, Any]:
    """The parameters of HANG."""
    return {"tenant_id": tenant_id, "attachment_id": each.id, **{f"new_{name}": getattr(each, name) for name in PLACE}}


def _attachment(row: Any) -> Attachment:
    return Attachment(**dict(zip(_names, row, strict=True)))


async def by_ids(tx: Tx, tenant_id: UUID, attachment_ids: Iterable[UUID]) -> dict[UUID, Attachment]:
    rows = await tx.all(BY_IDS, tenant_id=tenant_id, attachment_ids=list(attachment_ids))
    return {found.id: found for found in map(_attachment, rows)}


async def of_item(tx: Tx, tenant_id: UUID, item_id: UUID, after: UUID, limit: int) -> list[Attachment]:
    """What hangs on an item, in the order in which it was uploaded."""
    rows = await tx.all(OF_ITEM, tenant_id=tenant_id, item_id=item_id, after=after, limit=limit)
    return [_attachment(row) for row in rows]
