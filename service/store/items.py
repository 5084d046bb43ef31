"""Items: one row each, read with what a decision needs and written only at the revision that was read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    bindparam,
    select,
    text,
    update,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.idempotency import Answer, IdempotencyRow
from service.store.ledgers import LedgerRow
from service.store.scoping import Scoped, given
from service.store.tenants import Tenant
from service.store.types import ONE, Day, Instant, Json, TextList, UuidList, any_of, gate, ids, line_of
from service.store.worklist import WorkRow, sees
from service.workflow.items import Item
from service.workflow.scopes import Scope


class ItemRow(SQLModel, table=True):
    __tablename__ = "items"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "ledger_id"], ["ledgers.tenant_id", "ledgers.id"]),
        ForeignKeyConstraint(["tenant_id", "responsible_unit_id"], ["units.tenant_id", "units.id"]),
        ForeignKeyConstraint(["tenant_id", "supervising_unit_id"], ["units.tenant_id", "units.id"]),
        UniqueConstraint("tenant_id", "ledger_id", "number"),
        Index(
            "uq_items_external_ref",
            "tenant_id",
            "ledger_id",
            "external_owner",
            "external_ref",
            unique=True,
            postgresql_where=text("external_ref IS NOT NULL"),
            sqlite_where=text("external_ref IS NOT NULL"),
        ),
        Index("ix_items_external_ref", "tenant_id", "external_ref"),
        Index("ix_items_listed_at", "tenant_id", "listed_at", "id"),
        Index("ix_items_updated_at", "tenant_id", "updated_at", "id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    number: str = Field(max_length=120)
    ledger_id: UUID
    external_ref: str | None = Field(max_length=200)
    external_owner: UUID | None
    title: str = Field(max_length=200)
    description: str | None = Field(sa_type=Text)
    category: str | None = Field(max_length=100)
    severity: str = Field(max_length=16)
    source_kind: str | None = Field(max_length=16)
    source_ref: str | None = Field(max_length=200)
    contact_sealed: bytes | None = Field(sa_type=LargeBinary)
    responsible_unit_id: UUID
    supervising_unit_id: UUID
    supervising_defaulted: bool
    co_unit_ids: list[UUID] = Field(sa_type=UuidList)
    responsible_person: str | None = Field(max_length=200)
    goal: str | None = Field(sa_type=Text)
    measures: str | None = Field(sa_type=Text)
    found_on: date | None = Field(sa_type=Day)
    listed_at: datetime = Field(sa_type=Instant)
    listed_by: UUID
    deadline_kind: str = Field(max_length=16)
    due_on: date | None = Field(sa_type=Day)
    review_on: date | None = Field(sa_type=Day)
    deadline_text: str | None = Field(max_length=500)
    provisional: bool
    deadline_rule: dict[str, Any] | None = Field(sa_type=Json)
    passed_on: date | None = Field(sa_type=Day)
    rungs_from: date | None = Field(sa_type=Day)
    claim_due: date | None = Field(sa_type=Day)
    claim_rule: dict[str, Any] | None = Field(sa_type=Json)
    state: str = Field(max_length=16)
    cycle: int
    extension_count: int
    extension_days: int
    extended_late: int
    escalation_count: int
    evidence_count: int
    hands: dict[str, Any] = Field(sa_type=Json)
    pending: dict[str, Any] = Field(sa_type=Json)
    claim_signed_by: str | None = Field(max_length=200)
    claimed_at: datetime | None = Field(sa_type=Instant)
    claimed_by: UUID | None
    interview_id: UUID | None
    resolution: str | None = Field(max_length=16)
    duplicate_of: UUID | None
    closed_at: datetime | None = Field(sa_type=Instant)
    closed_days_late: int | None
    labels: list[str] = Field(sa_type=TextList)
    attributes: dict[str, Any] = Field(sa_type=Json)
    policy_epoch: int
    calendar_epoch: int
    version: int
    revision: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


items = table(ItemRow)
_ledgers, _work, _records, _tenants = table(LedgerRow), table(WorkRow), table(IdempotencyRow), table(Tenant)
_tenant = bindparam("tenant_id", type_=items.c.tenant_id.type)
_id = bindparam("item_id", type_=items.c.id.type)

NAMES = tuple(Item.__dataclass_fields__)
COLUMNS = [items.c[name] for name in NAMES]


def in_scope(tenant: ColumnElement[Any], item: ColumnElement[Any], alone: bool) -> ColumnElement[bool]:
    """The one scope rule: an item is visible where its responsible, supervising or a co-unit lies in a grant."""
    return select(ONE).where(_work.c.tenant_id == tenant, _work.c.ref == item, *sees(_work, alone)).exists()


@dataclass(frozen=True, slots=True)
class Found:
    """An item with the lines of its units and the epochs of its ledger's policy and its tenant's calendar; and the
    answer recorded under a key."""

    item: Item
    responsible: tuple[UUID, ...]
    supervising: tuple[UUID, ...]
    policy_epoch: int
    calendar_epoch: int
    answered: Answer | None


_FOUND = (
    *COLUMNS,
    line_of("items.responsible_unit_id"),
    line_of("items.supervising_unit_id"),
    _ledgers.c.policy_epoch,
    _tenants.c.calendar_epoch,
)
_AND_TENANT = _tenants.c.tenant_id == items.c.tenant_id
_AND_LEDGER = (_ledgers.c.tenant_id == items.c.tenant_id) & (_ledgers.c.id == items.c.ledger_id)
_AND_RECORD = (
    (_records.c.tenant_id == items.c.tenant_id)
    & (_records.c.caller == bindparam("caller", type_=_records.c.caller.type))
    & (_records.c.key == bindparam("key", type_=_records.c.key.type))
)
INSERT = insert_row(ItemRow)
_with_epochs = items.join(_ledgers, _AND_LEDGER).join(_tenants, _AND_TENANT)


def _this(alone: bool) -> tuple[ColumnElement[bool], ...]:
    return items.c.tenant_id == _tenant, items.c.id == _id, _seen(alone)


def _seen(alone: bool) -> ColumnElement[bool]:
    return in_scope(items.c.tenant_id, items.c.id, alone)


FIND = Scoped(lambda alone: Statement(select(*_FOUND).select_from(_with_epochs).where(*_this(alone))))
FIND_WITH_KEY = Scoped(
    lambda alone: Statement(
        select(*_FOUND, *(_records.c[name] for name in Answer.__dataclass_fields__))
        .select_from(_with_epochs.outerjoin(_records, _AND_RECORD))
        .where(*_this(alone))
    )
)
HOLD = Statement(select(ONE).select_from(items).where(items.c.tenant_id == _tenant, items.c.id == _id))

_these = select(*COLUMNS).where(items.c.tenant_id == _tenant, any_of(items.c.id, ids("item_ids"))).order_by(items.c.id)
THESE, TAKE_THESE = Statement(_these), Statement(_these.with_for_update())
"""By id, whoever sees them; in the order of their ids, so that no two transactions wait for each other."""

SEEN = Scoped(
    lambda alone: Statement(
        select(items.c.id).where(items.c.tenant_id == _tenant, any_of(items.c.id, ids("item_ids")), _seen(alone))
    )
)

BY_EXTERNAL_REF = Scoped(
    lambda alone: Statement(
        select(items.c.id).where(
            items.c.tenant_id == _tenant,
            items.c.ledger_id == bindparam("ledger_id", type_=items.c.ledger_id.type),
            items.c.external_owner == bindparam("owner", type_=items.c.external_owner.type),
            items.c.external_ref == bindparam("external_ref", type_=items.c.external_ref.type),
            _seen(alone),
        )
    )
)


PLANNED = Statement(
    update(items)
    .where(
        items.c.tenant_id == _tenant,
        items.c.id == _id,
        items.c.revision == bindparam("read_revision", type_=items.c.revision.type),
        gate(),
    )
    .values(
        policy_epoch=bindparam("new_policy_epoch", type_=items.c.policy_epoch.type),
        calendar_epoch=bindparam("new_calendar_epoch", type_=items.c.calendar_epoch.type),
    ),
    by_key=True,
)
"""That an item agrees with a policy and a calendar: nothing about it changes."""


@lru_cache(maxsize=256)
def write(columns: tuple[str, ...]) -> Statement:
    """Store these columns where the item is still at the revision that was read; every write raises it."""
    return Statement(
        update(items)
        .where(
            items.c.tenant_id == _tenant,
            items.c.id == _id,
            items.c.revision == bindparam("read_revision", type_=items.c.revision.type),
        )
        .values(
            revision=items.c.revision + 1,
            **{name: bindparam(f"new_{name}", type_=items.c[name].type) for name in columns},
        ),
        by_key=True,
    )


def write_params(tenant_id: UUID, item: Item, changes: dict[str, Any]) -> tuple[Statement, dict[str, Any]]:
    """The statement and its parameters that store `changes` of `item` as it was read."""
    statement = write(tuple(sorted(changes)))
    params: dict[str, Any] = {f"new_{name}": value for name, value in changes.items()}
    return statement, {**params, "tenant_id": tenant_id, "item_id": item.id, "read_revision": item.revision}


def planned(tenant_id: UUID, item: Item) -> dict[str, Any]:
    """The parameters of PLANNED."""
    return {
        "tenant_id": tenant_id, "item_id": item.id, "read_revision": item.revision,
        "new_policy_epoch": item.policy_epoch, "new_calendar_epoch": item.calendar_epoch,
    }  # fmt: skip


def insert_params(tenant_id: UUID, item: Item) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(item, name) for name in NAMES}}


_CO_UNITS, _LABELS = NAMES.index("co_unit_ids"), NAMES.index("labels")


def item_of(row: Any) -> Item:
    """An item from a row that begins with its columns."""
    values = dict(zip(NAMES, row, strict=False))
    values["co_unit_ids"] = tuple(row[_CO_UNITS])
    values["labels"] = tuple(row[_LABELS])
    return Item(**values)


async def find(
    tx: Tx, tenant_id: UUID, item_id: UUID, scope: Scope, key: tuple[str, str] | None = None
) -> Found | None:
    """An item that lies in `scope`; with `key` (caller, Idempotency-Key) also what was answered under it."""
    params: dict[str, Any] = {"tenant_id": tenant_id, "item_id": item_id, **given(scope)}
    if tx.contended:
        await tx.lock(HOLD, tenant_id=tenant_id, item_id=item_id)
    if key is None:
        row = await tx.one(FIND.over(scope), **params)
    else:
        row = await tx.one(FIND_WITH_KEY.over(scope), **params, caller=key[0], key=key[1])
    if row is None:
        return None
    end = len(NAMES)
    answered = Answer(*row[end + 4 :]) if key is not None and row[end + 4] is not None else None
    return Found(item_of(row), tuple(row[end]), tuple(row[end + 1]), row[end + 2], row[end + 3], answered)


async def these(tx: Tx, tenant_id: UUID, item_ids: Iterable[UUID]) -> list[Item]:
    """Items that something else is about, whoever sees them; held until the commit where `contended`."""
    rows = await tx.all(TAKE_THESE if tx.contended else THESE, tenant_id=tenant_id, item_ids=list(item_ids))
    return [item_of(row) for row in rows]


async def seen_of(tx: Tx, tenant_id: UUID, item_ids: Iterable[UUID], scope: Scope) -> set[UUID]:
    """Those of the items that lie in `scope`."""
    rows = await tx.all(SEEN.over(scope), tenant_id=tenant_id, item_ids=list(item_ids), **given(scope))
    return {row[0] for row in rows}
