"""Principals: the people and platforms of a tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, bindparam, select, text, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant, UuidList
from service.workflow.identities import Principal


class PrincipalRow(SQLModel, table=True):
    __tablename__ = "principals"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        Index(
            "uq_principals_subject", "tenant_id", "issuer_id", "subject", unique=True,
            postgresql_where=text("subject IS NOT NULL"), sqlite_where=text("subject IS NOT NULL"),
        ),
    )  # fmt: skip

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=16)
    external_id: str | None = Field(max_length=200)
    delegates: list[UUID] = Field(sa_type=UuidList)
    issuer_id: UUID | None
    subject: str | None = Field(max_length=255)
    active: bool
    version: int
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    claims_at: datetime | None = Field(sa_type=Instant)


CHANGEABLE = (
    "name", "external_id", "delegates", "issuer_id", "subject", "active", "version", "updated_at", "claims_at",
)  # fmt: skip

_principals = table(PrincipalRow)
_tenant = bindparam("tenant_id", type_=_principals.c.tenant_id.type)
_id = bindparam("principal_id", type_=_principals.c.id.type)
_columns = [_principals.c[name] for name in Principal.__dataclass_fields__]

INSERT = insert_row(PrincipalRow)
BY_ID = Statement(select(*_columns).where(_principals.c.tenant_id == _tenant, _principals.c.id == _id))
BY_EXTERNAL_ID = Statement(
    select(*_columns).where(
        _principals.c.tenant_id == _tenant,
        _principals.c.external_id == bindparam("external_id", type_=_principals.c.external_id.type),
    )
)
BY_SUBJECT = Statement(
    select(*_columns).where(
        _principals.c.tenant_id == _tenant,
        _principals.c.issuer_id == bindparam("issuer_id", type_=_principals.c.issuer_id.type),
        _principals.c.subject == bindparam("subject", type_=_principals.c.subject.type),
    )
)
PAGE = Statement(
    select(*_columns)
    .where(_principals.c.tenant_id == _tenant, _principals.c.id > bindparam("after", type_=_principals.c.id.type))
    .order_by(_principals.c.id)
    .limit(bindparam("limit"))
)
UPDATE = Statement(
    update(_principals)
    .where(
        _principals.c.tenant_id == _tenant,
        _principals.c.id == _id,
        _principals.c.version == bindparam("read_version", type_=_principals.c.version.type),
    )
    .values({name: bindparam(f"new_{name}", type_=_principals.c[name].type) for name in CHANGEABLE})
)
"""A guard: the principal is still at the version that was read."""


def params(tenant_id: UUID, principal: Principal) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(principal, name) for name in Principal.__dataclass_fields__}}


def changed(tenant_id: UUID, before: Principal, after: Principal) -> dict[str, Any]:
    """The parameters of UPDATE."""
    return {
        "tenant_id": tenant_id, "principal_id": before.id, "read_version": before.version,
        **{f"new_{name}": getattr(after, name) for name in CHANGEABLE},
    }  # fmt: skip


def principal_of(row: Any) -> Principal:
    values = dict(zip(Principal.__dataclass_fields__, row, strict=True))
    return Principal(**{**values, "delegates": tuple(values["delegates"])})


async def by_id(tx: Tx, tenant_id: UUID, principal_id: UUID) -> Principal | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, principal_id=principal_id)
    return principal_of(row) if row else None


async def by_external_id(tx: Tx, tenant_id: UUID, external_id: str) -> Principal | None:
    row = await tx.one(BY_EXTERNAL_ID, tenant_id=tenant_id, external_id=external_id)
    return principal_of(row) if row else None


async def by_subject(tx: Tx, tenant_id: UUID, issuer_id: UUID, subject: str) -> Principal | None:
    """Whose a token of that issuer is."""
    row = await tx.one(BY_SUBJECT, tenant_id=tenant_id, issuer_id=issuer_id, subject=subject)
    return principal_of(row) if row else None


async def page(tx: Tx, tenant_id: UUID, after: UUID, limit: int) -> list[Principal]:
    """Oldest first, behind `after`."""
    return [principal_of(row) for row in await tx.all(PAGE, tenant_id=tenant_id, after=after, limit=limit)]
