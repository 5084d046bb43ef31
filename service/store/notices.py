"""Notices (督办文书): numbered documents, the items they cover, and who signed for them."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Text, UniqueConstraint, bindparam, delete, select, update
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Params, Statement, Tx
from service.store.scoping import Scoped, given
from service.store.types import ONE, Day, Instant, TextList, UuidList, also_any_of, any_of, gate, ids, texts
from service.store.worklist import WorkRow, sees
from service.workflow.notices import Notice
from service.workflow.scopes import Scope


class NoticeRow(SQLModel, table=True):
    __tablename__ = "notices"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "ledger_id"], ["ledgers.tenant_id", "ledgers.id"]),
        UniqueConstraint("tenant_id", "ledger_id", "kind", "year", "seq"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ledger_id: UUID
    kind: str = Field(max_length=16)
    state: str = Field(max_length=16)
    number: str | None = Field(max_length=500)
    year: int | None
    seq: int | None
    unit_id: UUID
    supervising_unit_id: UUID
    copy_unit_ids: list[UUID] = Field(sa_type=UuidList)
    item_ids: list[UUID] = Field(sa_type=UuidList)
    rungs: list[str] = Field(sa_type=TextList)
    text: str | None = Field(sa_type=Text)
    issued_by: UUID | None
    issuer: str | None = Field(max_length=200)
    created_at: datetime = Field(sa_type=Instant)
    issued_at: datetime | None = Field(sa_type=Instant)
    reply_by: date | None = Field(sa_type=Day)
    receipt_due: date | None = Field(sa_type=Day)
    receipt_signed_by: str | None = Field(max_length=200)
    receipt_at: datetime | None = Field(sa_type=Instant)
    receipt_by: UUID | None
    cancelled_at: datetime | None = Field(sa_type=Instant)
    cancel_reason: str | None = Field(sa_type=Text)


class NoticeItem(SQLModel, table=True):
    """Which notices an item is covered by."""

    __tablename__ = "notice_items"

    tenant_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    notice_id: UUID = Field(primary_key=True)


notices = table(NoticeRow)
_covers, _work = table(NoticeItem), table(WorkRow)
_tenant = bindparam("tenant_id", type_=notices.c.tenant_id.type)
_id = bindparam("notice_id", type_=notices.c.id.type)
_names = tuple(Notice.__dataclass_fields__)
_columns = [notices.c[name] for name in _names]

MADE = ("id", "ledger_id", "kind", "unit_id", "supervising_unit_id", "created_at")
"""What never changes; all else may."""

CHANGEABLE = tuple(name for name in _names if name not in MADE)

INSERT = insert_row(NoticeRow)
INSERT_ITEM = insert_row(NoticeItem)
UPDATE = Statement(
    update(notices)
    .where(notices.c.tenant_id == _tenant, notices.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=notices.c[name].type) for name in CHANGEABLE})
)

UNCOVER = Statement(
    delete(_covers).where(
        _covers.c.tenant_id == _tenant, any_of(_covers.c.item_id, ids("item_ids")), _covers.c.notice_id == _id, gate()
    )
)


def _seen_by(found: ColumnElement[bool], alone: bool) -> ColumnElement[bool]:
    return select(ONE).where(_work.c.tenant_id == notices.c.tenant_id, found, *sees(_work, alone, also_any_of)).exists()


def _in_scope(alone: bool) -> ColumnElement[bool]:
    return _seen_by(_work.c.ref == notices.c.id, alone)


def _item_in_scope(alone: bool) -> ColumnElement[bool]:
    return _seen_by(any_of(_work.c.ref, notices.c.item_ids), alone)


HOLD = Statement(select(ONE).select_from(notices).where(notices.c.tenant_id == _tenant, notices.c.id == _id))
SEEN = Scoped(
    lambda alone: Statement(
        select(*_columns).where(
            notices.c.tenant_id == _tenant, notices.c.id == _id, _in_scope(alone) | _item_in_scope(alone)
        )
    )
)
BY_IDS = Statement(select(*_columns).where(notices.c.tenant_id == _tenant, any_of(notices.c.id, ids("notice_ids"))))

PAGE = Scoped(
    lambda alone: Statement(
        select(*_columns)
        .where(
            notices.c.tenant_id == _tenant,
            notices.c.id < bindparam("before", type_=notices.c.id.type),
            any_of(notices.c.kind, texts("kinds")),
            any_of(notices.c.state, texts("states")),
            _in_scope(alone),
        )
        .order_by(notices.c.id.desc())
        .limit(bindparam("limit"))
    )
)
# Whoever sees the item sees its notices; that it is seen is asked before.
OF_ITEM = Statement(
    select(*_columns)
    .select_from(_covers.join(notices, (notices.c.tenant_id == _tenant) & (notices.c.id == _covers.c.notice_id)))
    .where(
        _covers.c.tenant_id == _tenant,
        _covers.c.item_id == bindparam("item_id", type_=_covers.c.item_id.type),
        _covers.c.notice_id < bindparam("before", type_=notices.c.id.type),
        any_of(notices.c.kind, texts("kinds")),
        any_of(notices.c.state, texts("states")),
    )
    .order_by(_covers.c.notice_id.desc())
    .limit(bindparam("limit"))
)
ADDRESSED = Scoped(
    lambda alone: Statement(
        select(_work.c.ref).where(
            _work.c.tenant_id == _tenant, any_of(_work.c.ref, ids("notice_ids")), *sees(_work, alone, also_any_of)
        )
    )
)

_LISTS = ("copy_unit_ids", "item_ids", "rungs")


def notice(row: Any) -> Notice:
    values = dict(zip(_names, row, strict=True))
    for name in _LISTS:
        values[name] = tuple(values[name])
    return Notice(**values)


def params(tenant_id: UUID, made: Notice) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(made, name) for name in _names}}


def items_params(tenant_id: UUID, made: Notice) -> list[Params]:
    """The parameters of INSERT_ITEM."""
    return [{"tenant_id": tenant_id, "item_id": item_id, "notice_id": made.id} for item_id in made.item_ids]


def update_params(tenant_id: UUID, after: Notice) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "notice_id": after.id,
        **{f"new_{name}": getattr(after, name) for name in CHANGEABLE},
    }


async def seen(tx: Tx, tenant_id: UUID, notice_id: UUID, scope: Scope) -> Notice | None:
    """A notice that the scope sees: as one of its units, or through an item that it covers."""
    if tx.contended:
        await tx.lock(HOLD, tenant_id=tenant_id, notice_id=notice_id)
    row = await tx.one(SEEN.over(scope), tenant_id=tenant_id, notice_id=notice_id, **given(scope))
    return notice(row) if row else None


async def addressed(tx: Tx, tenant_id: UUID, notice_ids: Iterable[UUID], scope: Scope) -> set[UUID]:
    """Those of the notices that the scope sees as one of their units."""
    rows = await tx.all(ADDRESSED.over(scope), tenant_id=tenant_id, notice_ids=list(notice_ids), **given(scope))
    return {row[0] for row in rows}


async def by_ids(tx: Tx, tenant_id: UUID, notice_ids: Iterable[UUID]) -> dict[UUID, Notice]:
    rows = await tx.all(BY_IDS, tenant_id=tenant_id, notice_ids=list(notice_ids))
    return {found.id: found for found in map(notice, rows)}
