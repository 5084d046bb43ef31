"""Counters for item numbers. A process reserves numbers by the block: unique and rising, gaps allowed."""

from uuid import UUID

from sqlalchemy import BigInteger, bindparam, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.types import gate


class Counter(SQLModel, table=True):
    """`next` is the first number that nobody has reserved yet."""

    __tablename__ = "counters"

    tenant_id: UUID = Field(primary_key=True)
    ledger_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True, max_length=16)
    year: int = Field(primary_key=True)
    next: int = Field(sa_type=BigInteger)


_counters = table(Counter)
_where = (
    _counters.c.tenant_id == bindparam("tenant_id", type_=_counters.c.tenant_id.type),
    _counters.c.ledger_id == bindparam("ledger_id", type_=_counters.c.ledger_id.type),
    _counters.c.kind == bindparam("kind", type_=_counters.c.kind.type),
    _counters.c.year == bindparam("year", type_=_counters.c.year.type),
)

INSERT = insert_row(Counter)
NEXT = Statement(select(_counters.c.next).where(*_where))
TAKE = Statement(
    update(_counters)
    .where(*_where, _counters.c.next == bindparam("read", type_=BigInteger()), gate())
    .values(next=bindparam("new_next", type_=BigInteger()))
)


async def reserve(tx: Tx, tenant_id: UUID, ledger_id: UUID, kind: str, year: int, count: int) -> int:
    """Take `count` numbers; the first of them. A write of its own."""
    key = {"tenant_id": tenant_id, "ledger_id": ledger_id, "kind": kind, "year": year}
    row = await tx.one(NEXT, **key)
    first: int = row[0] if row else 1
    changes = Changes()
    if row:
        changes.guard(TAKE, **key, read=first, new_next=first + count)
    else:
        changes.add(INSERT, **key, next=first + count)
    await tx.apply(changes)
    return first
