"""Grants: to a principal, or as a hook (挂钩联系) to everyone who holds a grant on a department."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, bindparam, delete, null, select, union_all
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Day, Instant, gate
from service.workflow.identities import Granted
from service.workflow.permissions import Grant, within


class GrantRow(SQLModel, table=True):
    """Either `principal_id` or `department_id` says to whom."""

    __tablename__ = "grants"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"]),
        ForeignKeyConstraint(["tenant_id", "unit_id"], ["units.tenant_id", "units.id"]),
        ForeignKeyConstraint(["tenant_id", "department_id"], ["units.tenant_id", "units.id"]),
        Index(None, "tenant_id", "principal_id"),
        Index(None, "tenant_id", "department_id"),
        Index(None, "tenant_id", "unit_id"),
        Index(None, "tenant_id", "issuer_id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    principal_id: UUID | None
    department_id: UUID | None
    role: str = Field(max_length=16)
    unit_id: UUID
    subtree: bool
    since: date | None = Field(sa_type=Day)
    until: date | None = Field(sa_type=Day)
    label: str | None = Field(max_length=200)
    issuer_id: UUID | None
    created_at: datetime = Field(sa_type=Instant)


_grants = table(GrantRow)
_held = _grants.alias("held")
_tenant = bindparam("tenant_id", type_=_grants.c.tenant_id.type)
_principal = bindparam("principal_id", type_=_grants.c.principal_id.type)
_id = bindparam("grant_id", type_=_grants.c.id.type)
_columns = [_grants.c[name] for name in Granted.__dataclass_fields__]
_after = bindparam("after", type_=_grants.c.id.type)

INSERT = insert_row(GrantRow)

# Its own grants, and those of the departments that it holds a grant on, with the days of that one.
IN_EFFECT = Statement(
    union_all(
        select(
            _grants.c.role, _grants.c.unit_id, _grants.c.subtree, _grants.c.since, _grants.c.until,
            null().label("held_since"), null().label("held_until"),
        ).where(_grants.c.tenant_id == _tenant, _grants.c.principal_id == _principal),
        select(
            _grants.c.role, _grants.c.unit_id, _grants.c.subtree, _grants.c.since, _grants.c.until,
            _held.c.since, _held.c.until,
        )
        .select_from(_held.join(_grants, (_grants.c.tenant_id == _held.c.tenant_id)
                                & (_grants.c.department_id == _held.c.unit_id)))
        .where(_held.c.tenant_id == _tenant, _held.c.principal_id == _principal),
    )
)  # fmt: skip

OF_PRINCIPAL = Statement(
    select(*_columns)
    .where(_grants.c.tenant_id == _tenant, _grants.c.principal_id == _principal, _grants.c.id > _after)
    .order_by(_grants.c.id)
    .limit(bindparam("limit"))
)
BY_ID = Statement(select(*_columns).where(_grants.c.tenant_id == _tenant, _grants.c.id == _id))
END = Statement(delete(_grants).where(_grants.c.tenant_id == _tenant, _grants.c.id == _id, gate()))
END_ALL = Statement(delete(_grants).where(_grants.c.tenant_id == _tenant, _grants.c.principal_id == _principal, gate()))

_issuer = bindparam("issuer_id", type_=_grants.c.issuer_id.type)
BY_TOKENS = Statement(
    select(*_columns).where(
        _grants.c.tenant_id == _tenant, _grants.c.principal_id == _principal, _grants.c.issuer_id == _issuer
    )
)
END_ALL_BY_TOKENS = Statement(
    delete(_grants).where(_grants.c.tenant_id == _tenant, _grants.c.issuer_id == _issuer, gate())
)


def params(tenant_id: UUID, granted: Granted) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(granted, name) for name in Granted.__dataclass_fields__}}


def granted_of(row: Any) -> Granted:
    return Granted(**dict(zip(Granted.__dataclass_fields__, row, strict=True)))


async def of_principal(tx: Tx, tenant_id: UUID, principal_id: UUID) -> tuple[Grant, ...]:
    """What a principal may, by its own grants and by the hooks of its departments; days not yet judged."""
    return tuple(
        within(Grant(role, unit_id, subtree, until, since), held_since, held_until)
        for role, unit_id, subtree, since, until, held_since, held_until in await tx.all(
            IN_EFFECT, tenant_id=tenant_id, principal_id=principal_id
        )
    )


async def by_id(tx: Tx, tenant_id: UUID, grant_id: UUID) -> Granted | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, grant_id=grant_id)
    return granted_of(row) if row else None


async def by_tokens(tx: Tx, tenant_id: UUID, principal_id: UUID, issuer_id: UUID) -> list[Granted]:
    """What the tokens of one OpenID provider gave a principal."""
    rows = await tx.all(BY_TOKENS, tenant_id=tenant_id, principal_id=principal_id, issuer_id=issuer_id)
    return [granted_of(row) for row in rows]


async def page(tx: Tx, tenant_id: UUID, principal_id: UUID, after: UUID, limit: int) -> list[Granted]:
    """A principal's own grants, oldest first, behind `after`."""
    rows = await tx.all(OF_PRINCIPAL, tenant_id=tenant_id, principal_id=principal_id, after=after, limit=limit)
    return [granted_of(row) for row in rows]
