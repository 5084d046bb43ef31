"""Tenants: customers, usually a county each. Nothing crosses them."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant


class Tenant(SQLModel, table=True):
    """`calendar_epoch` counts the changes of the tenant's calendar."""

    __tablename__ = "tenants"

    tenant_id: UUID = Field(primary_key=True)
    code: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=200)
    timezone: str = Field(max_length=64)
    calendar_epoch: int
    created_at: datetime = Field(sa_type=Instant)


INSERT = insert_row(Tenant)

_tenants = table(Tenant)
BY_CODE = Statement(
    select(_tenants.c.tenant_id, _tenants.c.timezone).where(
        _tenants.c.code == bindparam("code", type_=_tenants.c.code.type)
    )
)
ALL = Statement(select(_tenants.c.tenant_id))


async def find(tx: Tx, code: str) -> tuple[UUID, ZoneInfo] | None:
    row = await tx.one(BY_CODE, code=code)
    return (row[0], ZoneInfo(row[1])) if row else None


def new(tenant_id: UUID, code: str, name: str, timezone: str, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id, "code": code, "name": name, "timezone": timezone,
        "calendar_epoch": 0, "created_at": now,
    }  # fmt: skip
