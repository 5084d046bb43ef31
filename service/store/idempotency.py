"""Idempotency records: the answer to a POST, written in the transaction that did the work."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, bindparam, delete, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant


class IdempotencyRow(SQLModel, table=True):
    """`caller` is the principal and whom it acted for; `subject_id` the item or other thing that a replay must see."""

    __tablename__ = "idempotency"
    # By age first: an index led by the tenant would, while the table is small, seem as good as the key itself.
    __table_args__ = (Index(None, "created_at", "tenant_id"),)

    tenant_id: UUID = Field(primary_key=True)
    caller: str = Field(primary_key=True, max_length=80)
    key: str = Field(primary_key=True, max_length=255)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    status: int
    location: str | None = Field(max_length=300)
    etag: str | None = Field(max_length=40)
    body: bytes = Field(sa_type=LargeBinary)
    subject_id: UUID | None
    created_at: datetime = Field(sa_type=Instant)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered once, and to which request (`fingerprint`: SHA-256 of method, path and body)."""

    fingerprint: bytes
    status: int
    location: str | None
    etag: str | None
    body: bytes
    subject_id: UUID | None


_records = table(IdempotencyRow)
_tenant = bindparam("tenant_id", type_=_records.c.tenant_id.type)

INSERT = insert_row(IdempotencyRow)
FIND = Statement(
    select(*(_records.c[name] for name in Answer.__dataclass_fields__)).where(
        _records.c.tenant_id == _tenant,
        _records.c.caller == bindparam("caller", type_=_records.c.caller.type),
        _records.c.key == bindparam("key", type_=_records.c.key.type),
    )
)
FORGET = Statement(
    delete(_records).where(
        _records.c.tenant_id == _tenant, _records.c.created_at < bindparam("before", type_=_records.c.created_at.type)
    )
)


async def find(tx: Tx, tenant_id: UUID, caller: str, key: str) -> Answer | None:
    row = await tx.one(FIND, tenant_id=tenant_id, caller=caller, key=key)
    return Answer(*row) if row else None
