"""API keys, and which tenant a credential belongs to.

`credentials` is a look-up table without a tenant: it is asked before the tenant is known. It holds the SHA-256 of a
key and nothing that would let anyone use it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, bindparam, func, select, update
from sqlmodel import Field, SQLModel

from service.store import grants
from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.log import LogHead
from service.store.principals import PrincipalRow
from service.store.tenants import HOME, Tenant, home
from service.store.types import Instant, gate
from service.workflow.access import Caller
from service.workflow.identities import Key


class KeyRow(SQLModel, table=True):
    """`prefix` is what may be shown of a key, to tell one from another."""

    __tablename__ = "keys"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "principal_id"], ["principals.tenant_id", "principals.id"]),
        Index(None, "tenant_id", "principal_id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    principal_id: UUID
    prefix: str = Field(max_length=16)
    delegate: bool
    expires_at: datetime | None = Field(sa_type=Instant)
    revoked_at: datetime | None = Field(sa_type=Instant)
    last_used_at: datetime | None = Field(sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


class Credential(SQLModel, table=True):
    __tablename__ = "credentials"

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    tenant_id: UUID
    key_id: UUID


_tenants, _principals, _keys, _credentials = table(Tenant), table(PrincipalRow), table(KeyRow), table(Credential)
_heads = table(LogHead)
_tenant = bindparam("tenant_id", type_=_keys.c.tenant_id.type)
_id = bindparam("key_id", type_=_keys.c.id.type)
_principal = bindparam("principal_id", type_=_keys.c.principal_id.type)
_columns = [_keys.c[name] for name in Key.__dataclass_fields__]

INSERT = insert_row(KeyRow)
INSERT_CREDENTIAL = insert_row(Credential)

WHOSE = Statement(
    select(
        *HOME,
        _principals.c.id,
        _principals.c.name,
        _principals.c.kind,
        _principals.c.active,
        _keys.c.id,
        _keys.c.delegate,
        _keys.c.expires_at,
        _keys.c.revoked_at,
    )
    .select_from(_credentials)
    .join(_tenants, _tenants.c.tenant_id == _credentials.c.tenant_id)
    .join(_heads, _heads.c.tenant_id == _credentials.c.tenant_id)
    .join(_keys, (_keys.c.tenant_id == _credentials.c.tenant_id) & (_keys.c.id == _credentials.c.key_id))
    .join(_principals, (_principals.c.tenant_id == _keys.c.tenant_id) & (_principals.c.id == _keys.c.principal_id))
    .where(_credentials.c.digest == bindparam("digest", type_=LargeBinary()))
)

BY_ID = Statement(
    select(*_columns).where(_keys.c.tenant_id == _tenant, _keys.c.principal_id == _principal, _keys.c.id == _id)
)
PAGE = Statement(
    select(*_columns)
    .where(
        _keys.c.tenant_id == _tenant,
        _keys.c.principal_id == _principal,
        _keys.c.id > bindparam("after", type_=_keys.c.id.type),
    )
    .order_by(_keys.c.id)
    .limit(bindparam("limit"))
)
_revoked = {"revoked_at": bindparam("revoked_at", type_=_keys.c.revoked_at.type)}
REVOKE = Statement(
    update(_keys)
    .where(_keys.c.tenant_id == _tenant, _keys.c.id == _id, _keys.c.revoked_at.is_(None), gate())
    .values(_revoked)
)
REVOKE_ALL = Statement(
    update(_keys)
    .where(_keys.c.tenant_id == _tenant, _keys.c.principal_id == _principal, _keys.c.revoked_at.is_(None), gate())
    .values(_revoked)
)

_used_at = bindparam("used_at", type_=_keys.c.last_used_at.type)
USED = Statement(
    update(_keys)
    .where(_keys.c.tenant_id == _tenant, _keys.c.id == _id, func.coalesce(_keys.c.last_used_at, _used_at) <= _used_at)
    .values(last_used_at=_used_at)
)
"""When a key was last used; of several replicas that say so, the latest."""


def params(tenant_id: UUID, key: Key) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(key, name) for name in Key.__dataclass_fields__}}


def key_of(row: Any) -> Key:
    return Key(**dict(zip(Key.__dataclass_fields__, row, strict=True)))


async def by_id(tx: Tx, tenant_id: UUID, principal_id: UUID, key_id: UUID) -> Key | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, principal_id=principal_id, key_id=key_id)
    return key_of(row) if row else None


async def page(tx: Tx, tenant_id: UUID, principal_id: UUID, after: UUID, limit: int) -> list[Key]:
    """A principal's keys, oldest first, behind `after`."""
    rows = await tx.all(PAGE, tenant_id=tenant_id, principal_id=principal_id, after=after, limit=limit)
    return [key_of(row) for row in rows]


async def caller(tx: Tx, digest: bytes) -> Caller | None:
    """Who a key belongs to, with every grant that the principal has; None where no such key exists."""
    row = await tx.one(WHOSE, digest=digest)
    if row is None:
        return None
    tenant_id, timezone, hashing, principal_id, name, kind, active, key_id, delegate, expires_at, revoked_at = row
    at = home(tenant_id, timezone, hashing)
    return Caller(
        tenant_id=tenant_id,
        timezone=at.timezone,
        hashing=at.hashing,
        principal_id=principal_id,
        name=name,
        kind=kind,
        active=active,
        key_id=key_id,
        delegate=delegate,
        grants=await grants.of_principal(tx, tenant_id, principal_id),
        expires_at=None if revoked_at is None and expires_at is None else min(filter(None, (revoked_at, expires_at))),
    )
