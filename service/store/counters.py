"""Counters: item numbers are reserved by the block, unique and rising, gaps allowed; those of notices have none.

A notice's number is taken in the transaction that issues it, so the counter's row is held until the commit: numbers
come before all that is written, counters in the order of their keys.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
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

_KEY = ("tenant_id", "ledger_id", "kind", "year")


def _giving(insert: Any) -> Any:
    """Take `count` numbers, from 1 on where nobody took any: the row is ours until the commit."""
    values = [bindparam(name, type_=_counters.c[name].type) for name in _KEY]
    after = bindparam("count", type_=BigInteger()) + literal_column("1")
    given = insert(_counters).from_select([*_KEY, "next"], select(*values, after).where(gate()))
    more = _counters.c.next + given.excluded.next - literal_column("1")
    return given.on_conflict_do_update(index_elements=_KEY, set_={"next": more}).returning(_counters.c.next)


GIVE = Statement(postgresql=_giving(postgresql.insert), sqlite=_giving(sqlite.insert))


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


async def give(tx: Tx, tenant_id: UUID, ledger_id: UUID, kind: str, year: int, count: int) -> int:
    """The first of `count` numbers without a gap, held by this transaction: it must be one, so `locking`."""
    row = await tx.one(GIVE, tenant_id=tenant_id, ledger_id=ledger_id, kind=kind, year=year, count=count)
    if row is None:
        raise LookupError("a counter gave no number")
    return int(row[0]) - count
