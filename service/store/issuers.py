"""OpenID providers that tenants trust, and which tenant a token is meant for.

`trusted_issuers` is a look-up table without a tenant, as `credentials` is for keys: issuer and audience of a token name
one tenant.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.log import LogHead
from service.store.tenants import HOME, Tenant, home
from service.store.types import ONE, Instant, Json, TextList, gate
from service.workflow.access import Home
from service.workflow.identities import Issuer


class IssuerRow(SQLModel, table=True):
    __tablename__ = "issuers"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    issuer: str = Field(max_length=500)
    audience: str = Field(max_length=255)
    algorithms: list[str] = Field(sa_type=TextList)
    mapping: dict[str, Any] = Field(sa_type=Json)
    active: bool
    version: int
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class TrustedIssuer(SQLModel, table=True):
    __tablename__ = "trusted_issuers"

    issuer: str = Field(primary_key=True, max_length=500)
    audience: str = Field(primary_key=True, max_length=255)
    tenant_id: UUID
    issuer_id: UUID


CHANGEABLE = ("algorithms", "mapping", "active", "version", "updated_at")

_issuers, _trusted, _tenants, _heads = table(IssuerRow), table(TrustedIssuer), table(Tenant), table(LogHead)
_tenant = bindparam("tenant_id", type_=_issuers.c.tenant_id.type)
_id = bindparam("issuer_id", type_=_issuers.c.id.type)
_version = bindparam("read_version", type_=_issuers.c.version.type)
_issuer = bindparam("issuer", type_=_issuers.c.issuer.type)
_audience = bindparam("audience", type_=_issuers.c.audience.type)
_columns = [_issuers.c[name] for name in Issuer.__dataclass_fields__]

INSERT = insert_row(IssuerRow)
INSERT_TRUSTED = insert_row(TrustedIssuer)

BY_ID = Statement(select(*_columns).where(_issuers.c.tenant_id == _tenant, _issuers.c.id == _id))
PAGE = Statement(
    select(*_columns)
    .where(_issuers.c.tenant_id == _tenant, _issuers.c.id > bindparam("after", type_=_issuers.c.id.type))
    .order_by(_issuers.c.id)
    .limit(bindparam("limit"))
)
REMOVED = Statement(
    select(*_columns)
    .where(
        _issuers.c.tenant_id == _tenant,
        _issuers.c.issuer == _issuer,
        _issuers.c.audience == _audience,
        _issuers.c.active.is_(False),
    )
    .order_by(_issuers.c.id)
    .limit(1)
)
UPDATE = Statement(
    update(_issuers)
    .where(_issuers.c.tenant_id == _tenant, _issuers.c.id == _id, _issuers.c.version == _version)
    .values({name: bindparam(f"new_{name}", type_=_issuers.c[name].type) for name in CHANGEABLE})
)
"""A guard: the issuer is still at the version that was read."""

STANDS = Statement(
    select(ONE)
    .select_from(_issuers)
    .where(
        _issuers.c.tenant_id == _tenant,
        _issuers.c.id == _id,
        _issuers.c.version == _version,
        _issuers.c.active.is_(True),
    )
    .with_for_update(read=True)
)
"""A guard: until this transaction ends, the issuer is trusted by the mapping that was read."""

FREE = Statement(delete(_trusted).where(_trusted.c.issuer == _issuer, _trusted.c.audience == _audience, gate()))

MEANT_FOR = Statement(
    select(*HOME, *_columns)
    .select_from(_trusted)
    .join(_tenants, _tenants.c.tenant_id == _trusted.c.tenant_id)
    .join(_heads, _heads.c.tenant_id == _trusted.c.tenant_id)
    .join(_issuers, (_issuers.c.tenant_id == _trusted.c.tenant_id) & (_issuers.c.id == _trusted.c.issuer_id))
    .where(_trusted.c.issuer == _issuer, _trusted.c.audience == _audience)
)


def params(tenant_id: UUID, issuer: Issuer) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(issuer, name) for name in Issuer.__dataclass_fields__}}


def changed(tenant_id: UUID, before: Issuer, after: Issuer) -> dict[str, Any]:
    """The parameters of UPDATE."""
    return {
        "tenant_id": tenant_id, "issuer_id": before.id, "read_version": before.version,
        **{f"new_{name}": getattr(after, name) for name in CHANGEABLE},
    }  # fmt: skip


def issuer_of(row: Any) -> Issuer:
    values = dict(zip(Issuer.__dataclass_fields__, row, strict=True))
    return Issuer(**{**values, "algorithms": tuple(values["algorithms"])})


async def by_id(tx: Tx, tenant_id: UUID, issuer_id: UUID) -> Issuer | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, issuer_id=issuer_id)
    return issuer_of(row) if row else None


async def removed(tx: Tx, tenant_id: UUID, issuer: str, audience: str) -> Issuer | None:
    """The tenant's own earlier trust in the same issuer and audience."""
    row = await tx.one(REMOVED, tenant_id=tenant_id, issuer=issuer, audience=audience)
    return issuer_of(row) if row else None


async def page(tx: Tx, tenant_id: UUID, after: UUID, limit: int) -> list[Issuer]:
    """Oldest first, behind `after`."""
    return [issuer_of(row) for row in await tx.all(PAGE, tenant_id=tenant_id, after=after, limit=limit)]


async def meant_for(tx: Tx, issuer: str, audiences: Iterable[str]) -> tuple[Home, Issuer] | None:
    """The tenant that a token is meant for, and its trust; None where none is, or more than one could be."""
    found = [await tx.one(MEANT_FOR, issuer=issuer, audience=each) for each in audiences]
    rows = [row for row in found if row is not None]
    if len(rows) != 1:
        return None
    tenant_id, timezone, hashing, *values = rows[0]
    return home(tenant_id, timezone, hashing), issuer_of(values)
