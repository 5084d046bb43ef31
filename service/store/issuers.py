"""OpenID providers that tenants trust, and which tenant a token is meant for.

`trusted_issuers` is a look-up table without a tenant, as `credentials` is for keys: issuer and audience of a token name
one tenant.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant, Json, TextList
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


INSERT = insert_row(IssuerRow)
INSERT_TRUSTED = insert_row(TrustedIssuer)

_issuers = table(IssuerRow)
_tenant = bindparam("tenant_id", type_=_issuers.c.tenant_id.type)
_columns = [_issuers.c[name] for name in Issuer.__dataclass_fields__]

BY_ID = Statement(
    select(*_columns).where(
        _issuers.c.tenant_id == _tenant, _issuers.c.id == bindparam("issuer_id", type_=_issuers.c.id.type)
    )
)


def issuer_of(row: Any) -> Issuer:
    values = dict(zip(Issuer.__dataclass_fields__, row, strict=True))
    return Issuer(**{**values, "algorithms": tuple(values["algorithms"])})


async def by_id(tx: Tx, tenant_id: UUID, issuer_id: UUID) -> Issuer | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, issuer_id=issuer_id)
    return issuer_of(row) if row else None
