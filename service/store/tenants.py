"""Tenants: customers, usually a county each. Nothing crosses them."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.log import LogHead
from service.store.types import Instant
from service.workflow.access import Home
from service.workflow.merkle import HASHINGS


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

_tenants, _heads = table(Tenant), table(LogHead)

HOME = (_tenants.c.tenant_id, _tenants.c.timezone, _heads.c.hashing)
"""What `home` is made of."""

with_head = _tenants.join(_heads, _heads.c.tenant_id == _tenants.c.tenant_id)

BY_CODE = Statement(
    select(*HOME).select_from(with_head).where(_tenants.c.code == bindparam("code", type_=_tenants.c.code.type))
)
ALL = Statement(select(_tenants.c.tenant_id))
HOMES = Statement(select(*HOME).select_from(with_head).order_by(_tenants.c.tenant_id))

_tenant = bindparam("tenant_id", type_=_tenants.c.tenant_id.type)
EPOCH = Statement(select(_tenants.c.calendar_epoch).where(_tenants.c.tenant_id == _tenant))
RAISE_EPOCH = Statement(
    update(_tenants)
    .where(
        _tenants.c.tenant_id == _tenant,
        _tenants.c.calendar_epoch == bindparam("read_epoch", type_=_tenants.c.calendar_epoch.type),
    )
    .values(calendar_epoch=_tenants.c.calendar_epoch + 1)
)
"""The guard of a change of the calendar: of two at once, the later reads again."""


def home(tenant_id: UUID, timezone: str, hashing: str) -> Home:
    return Home(tenant_id, ZoneInfo(timezone), HASHINGS[hashing])


async def find(tx: Tx, code: str) -> Home | None:
    row = await tx.one(BY_CODE, code=code)
    return home(*row) if row else None


async def homes(tx: Tx) -> list[Home]:
    """Every tenant."""
    return [home(*row) for row in await tx.all(HOMES)]


def new(tenant_id: UUID, code: str, name: str, timezone: str, now: datetime) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id, "code": code, "name": name, "timezone": timezone,
        "calendar_epoch": 0, "created_at": now,
    }  # fmt: skip
