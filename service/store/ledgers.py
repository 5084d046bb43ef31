"""Ledgers and their policies."""

from collections import OrderedDict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint, bindparam, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant, Json
from service.workflow.organisation import Ledger
from service.workflow.policy import Policy


class LedgerRow(SQLModel, table=True):
    """`policy` is stored whole; `policy_epoch` counts its changes."""

    __tablename__ = "ledgers"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        ForeignKeyConstraint(["tenant_id", "owner_unit_id"], ["units.tenant_id", "units.id"]),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    code: str = Field(max_length=64)
    name: str = Field(max_length=200)
    owner_unit_id: UUID
    listing: str = Field(max_length=16)
    policy: dict[str, Any] = Field(sa_type=Json)
    policy_epoch: int
    version: int
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


CHANGEABLE = ("name", "owner_unit_id", "listing", "policy", "policy_epoch", "version", "updated_at")

_ledgers = table(LedgerRow)
_tenant = bindparam("tenant_id", type_=_ledgers.c.tenant_id.type)
_id = bindparam("ledger_id", type_=_ledgers.c.id.type)
_columns = [_ledgers.c[name] for name in Ledger.__dataclass_fields__]

INSERT = insert_row(LedgerRow)
BY_ID = Statement(select(*_columns).where(_ledgers.c.tenant_id == _tenant, _ledgers.c.id == _id))
BY_CODE = Statement(
    select(*_columns).where(
        _ledgers.c.tenant_id == _tenant, _ledgers.c.code == bindparam("code", type_=_ledgers.c.code.type)
    )
)
ALL = Statement(
    select(*_columns)
    .where(_ledgers.c.tenant_id == _tenant, _ledgers.c.code > bindparam("after", type_=_ledgers.c.code.type))
    .order_by(_ledgers.c.code)
    .limit(bindparam("limit"))
)
UPDATE = Statement(
    update(_ledgers)
    .where(
        _ledgers.c.tenant_id == _tenant,
        _ledgers.c.id == _id,
        _ledgers.c.version == bindparam("read_version", type_=_ledgers.c.version.type),
    )
    .values({name: bindparam(f"new_{name}", type_=_ledgers.c[name].type) for name in CHANGEABLE})
)

_POLICIES: OrderedDict[tuple[UUID, UUID, int], Policy] = OrderedDict()
_POLICIES_KEPT = 1000


async def by_id(tx: Tx, tenant_id: UUID, ledger_id: UUID) -> Ledger | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, ledger_id=ledger_id)
    return Ledger(*row) if row else None


async def by_code(tx: Tx, tenant_id: UUID, code: str) -> Ledger | None:
    row = await tx.one(BY_CODE, tenant_id=tenant_id, code=code)
    return Ledger(*row) if row else None


async def page(tx: Tx, tenant_id: UUID, after: str, limit: int) -> list[Ledger]:
    return [Ledger(*row) for row in await tx.all(ALL, tenant_id=tenant_id, after=after, limit=limit)]


async def policy(tx: Tx, tenant_id: UUID, ledger_id: UUID, epoch: int) -> Policy:
    """The parsed policy of a ledger at an epoch; an epoch's policy never changes, so it is kept."""
    key = (tenant_id, ledger_id, epoch)
    known = _POLICIES.get(key)
    if known is None:
        ledger = await by_id(tx, tenant_id, ledger_id)
        if ledger is None:
            raise LookupError(f"ledger {ledger_id} is gone")
        return remember(tenant_id, ledger)
    return known


def remember(tenant_id: UUID, ledger: Ledger) -> Policy:
    key = (tenant_id, ledger.id, ledger.policy_epoch)
    known = _POLICIES.get(key)
    if known is None:
        known = _POLICIES[key] = Policy.parse(ledger.policy)
        while len(_POLICIES) > _POLICIES_KEPT:
            _POLICIES.popitem(last=False)
    return known
