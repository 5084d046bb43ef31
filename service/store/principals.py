"""Principals, their keys and their grants; and which tenant a credential belongs to.

`credentials` is a look-up table without a tenant: it is asked before the tenant is known. It holds the SHA-256 of a
key and nothing that would let anyone use it.
"""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, bindparam, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.tenants import Tenant
from service.store.types import Day, Instant
from service.workflow.access import Caller
from service.workflow.permissions import Grant


class Principal(SQLModel, table=True):
    __tablename__ = "principals"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=200)
    kind: str = Field(max_length=16)
    created_at: datetime = Field(sa_type=Instant)


class Key(SQLModel, table=True):
    """`prefix` is what may be shown of a key, to tell one from another."""

    __tablename__ = "keys"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"]),)

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    principal_id: UUID
    prefix: str = Field(max_length=16)
    expires_at: datetime | None = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


class Credential(SQLModel, table=True):
    __tablename__ = "credentials"

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    tenant_id: UUID
    key_id: UUID


class GrantRow(SQLModel, table=True):
    __tablename__ = "grants"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"]),
        ForeignKeyConstraint(["tenant_id", "unit_id"], ["units.tenant_id", "units.id"]),
        Index(None, "tenant_id", "principal_id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    principal_id: UUID
    role: str = Field(max_length=16)
    unit_id: UUID
    subtree: bool
    until: date | None = Field(sa_type=Day)
    created_at: datetime = Field(sa_type=Instant)


_tenants, _principals, _keys = table(Tenant), table(Principal), table(Key)
_credentials, _grants = table(Credential), table(GrantRow)
_tenant = bindparam("tenant_id", type_=_principals.c.tenant_id.type)

INSERT = insert_row(Principal)
INSERT_KEY = insert_row(Key)
INSERT_CREDENTIAL = insert_row(Credential)
INSERT_GRANT = insert_row(GrantRow)

WHOSE = Statement(
    select(
        _tenants.c.tenant_id,
        _tenants.c.timezone,
        _principals.c.id,
        _principals.c.name,
        _principals.c.kind,
        _keys.c.expires_at,
        _keys.c.revoked_at,
    )
    .select_from(_credentials)
    .join(_tenants, _tenants.c.tenant_id == _credentials.c.tenant_id)
    .join(_keys, (_keys.c.tenant_id == _credentials.c.tenant_id) & (_keys.c.id == _credentials.c.key_id))
    .join(_principals, (_principals.c.tenant_id == _keys.c.tenant_id) & (_principals.c.id == _keys.c.principal_id))
    .where(_credentials.c.digest == bindparam("digest", type_=LargeBinary()))
)

GRANTS = Statement(
    select(_grants.c.role, _grants.c.unit_id, _grants.c.subtree, _grants.c.until).where(
        _grants.c.tenant_id == _tenant, _grants.c.principal_id == bindparam("principal_id", type_=_principals.c.id.type)
    )
)


async def caller(tx: Tx, digest: bytes) -> Caller | None:
    """Who a key belongs to, with every grant that the principal has; None where no such key exists."""
    row = await tx.one(WHOSE, digest=digest)
    if row is None:
        return None
    tenant_id, timezone, principal_id, name, kind, expires_at, revoked_at = row
    grants = await tx.all(GRANTS, tenant_id=tenant_id, principal_id=principal_id)
    return Caller(
        tenant_id=tenant_id,
        timezone=ZoneInfo(timezone),
        principal_id=principal_id,
        name=name,
        kind=kind,
        grants=tuple(Grant(*grant) for grant in grants),
        expires_at=None if revoked_at is None and expires_at is None else min(filter(None, (revoked_at, expires_at))),
    )
