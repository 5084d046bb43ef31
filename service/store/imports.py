"""Imports: what became of a file, and by what the rows that were listed are known again.

`imports` holds reports for a while; refused rows, whose texts are nowhere else, are encrypted in it. `imported_rows`
has a row for each item that came from a file: hashes of its unit and problem, of its deadline, of its status, and of
all that it said.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, bindparam, delete, literal_column, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.items import ItemRow
from service.store.types import ONE, Instant, Json, any_of, gate, texts
from service.workflow.import_plan import Known, Numbered
from service.workflow.jobs import JobState
from service.workflow.ledger_lines import problem


class ImportRow(SQLModel, table=True):
    """`percent` and `updated_at` move while it is under way. `faults` are the pointers and codes of a refused file."""

    __tablename__ = "imports"
    __table_args__ = (Index(None, "created_at", "tenant_id"),)

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    principal_id: UUID
    state: str = Field(max_length=16)
    percent: int
    report: dict[str, Any] | None = Field(sa_type=Json)
    faults: dict[str, Any] | None = Field(sa_type=Json)
    refused_sealed: bytes | None = Field(sa_type=LargeBinary)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class ImportedRow(SQLModel, table=True):
    __tablename__ = "imported_rows"
    __table_args__ = (Index("ix_imported_rows_key", "tenant_id", "ledger_id", "key"),)

    tenant_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    ledger_id: UUID
    key: str = Field(max_length=32)
    deadline: str = Field(max_length=32)
    status: str = Field(max_length=32)
    content: str = Field(max_length=32)


@dataclass(frozen=True, slots=True)
class Import:
    """An import as it stands. `state`: running, done or failed."""

    id: UUID
    principal_id: UUID
    state: str
    percent: int
    report: dict[str, Any] | None
    faults: dict[str, Any] | None
    refused_sealed: bytes | None
    created_at: datetime
    updated_at: datetime


_imports, _rows, _items = table(ImportRow), table(ImportedRow), table(ItemRow)
_tenant = bindparam("tenant_id", type_=_imports.c.tenant_id.type)
_id = bindparam("import_id", type_=_imports.c.id.type)

INSERT = insert_row(ImportRow)
INSERT_ROW = insert_row(ImportedRow)

FIND = Statement(
    select(*(_imports.c[name] for name in Import.__dataclass_fields__)).where(
        _imports.c.tenant_id == _tenant, _imports.c.id == _id
    )
)

CHANGEABLE = ("state", "percent", "report", "faults", "refused_sealed", "updated_at")
UPDATE = Statement(
    update(_imports)
    # One that is through stays what it is, also where its process was told to end a moment before.
    .where(
        _imports.c.tenant_id == _tenant,
        _imports.c.id == _id,
        _imports.c.state == literal_column(f"'{JobState.RUNNING}'"),
        gate(),
    )
    .values({name: bindparam(f"new_{name}", type_=_imports.c[name].type) for name in CHANGEABLE})
)
BEAT = Statement(
    update(_imports)
    .where(_imports.c.tenant_id == _tenant, _imports.c.id == _id, gate())
    .values(
        percent=bindparam("new_percent", type_=_imports.c.percent.type),
        updated_at=bindparam("new_updated_at", type_=_imports.c.updated_at.type),
    )
)
FORGET = Statement(
    delete(_imports).where(
        _imports.c.tenant_id == _tenant, _imports.c.created_at < bindparam("before", type_=_imports.c.created_at.type)
    )
)

KNOWN = Statement(
    select(*(_rows.c[name] for name in Known.__dataclass_fields__)).where(
        _rows.c.tenant_id == _tenant,
        _rows.c.ledger_id == bindparam("ledger_id", type_=_rows.c.ledger_id.type),
        any_of(_rows.c.key, texts("keys")),
    )
)
ANY_OF_LEDGER = Statement(
    select(ONE)
    .where(_rows.c.tenant_id == _tenant, _rows.c.ledger_id == bindparam("ledger_id", type_=_rows.c.ledger_id.type))
    .limit(literal_column("1"))
)
NUMBERED = Statement(
    select(_items.c.number, _items.c.id, _items.c.title, _items.c.description).where(
        _items.c.tenant_id == _tenant,
        _items.c.ledger_id == bindparam("ledger_id", type_=_items.c.ledger_id.type),
        any_of(_items.c.number, texts("numbers")),
    )
)
_this = (_rows.c.tenant_id == _tenant, _rows.c.item_id == bindparam("item_id", type_=_rows.c.item_id.type))
CHANGE_ROW = Statement(
    update(_rows)
    .where(*_this, gate())
    .values(
        deadline=bindparam("new_deadline", type_=_rows.c.deadline.type),
        status=bindparam("new_status", type_=_rows.c.status.type),
        content=bindparam("new_content", type_=_rows.c.content.type),
    ),
    by_key=True,
)
FORGET_ROW = Statement(delete(_rows).where(*_this, gate()))


def params(tenant_id: UUID, one: Import) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(one, name) for name in Import.__dataclass_fields__}}


def finish(changes: Changes, tenant_id: UUID, one: Import) -> None:
    """Store how an import stands now."""
    new = {f"new_{name}": getattr(one, name) for name in CHANGEABLE}
    changes.add(UPDATE, tenant_id=tenant_id, import_id=one.id, **new)


async def find(tx: Tx, tenant_id: UUID, import_id: UUID) -> Import | None:
    row = await tx.one(FIND, tenant_id=tenant_id, import_id=import_id)
    return Import(*row) if row else None


async def any_of_ledger(tx: Tx, tenant_id: UUID, ledger_id: UUID) -> bool:
    """Whether anything was ever imported into a ledger."""
    return await tx.one(ANY_OF_LEDGER, tenant_id=tenant_id, ledger_id=ledger_id) is not None


async def known(tx: Tx, tenant_id: UUID, ledger_id: UUID, keys: Iterable[str]) -> list[Known]:
    """What was imported before under any of these keys, in the order in which it was."""
    rows = await tx.all(KNOWN, tenant_id=tenant_id, ledger_id=ledger_id, keys=list(keys))
    return sorted((Known(*row) for row in rows), key=lambda each: each.item_id)


async def numbered(tx: Tx, tenant_id: UUID, ledger_id: UUID, numbers: Iterable[str]) -> list[Numbered]:
    """Those of a ledger's items that bear one of the numbers, imported or not."""
    rows = await tx.all(NUMBERED, tenant_id=tenant_id, ledger_id=ledger_id, numbers=list(numbers))
    return sorted(Numbered(number, item_id, problem(title, text)) for number, item_id, title, text in rows)
