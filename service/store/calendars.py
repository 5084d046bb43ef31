"""The tenants' own tables of working days and days off, and the calendars that they make."""

from collections import OrderedDict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.tenants import Tenant
from service.store.types import Instant, Json, gate
from service.workflow.calendar import BASE, EMPTY, Calendar, KeptYear, YearTable


class CalendarRow(SQLModel, table=True):
    """One tenant's table of one year; `workdays` and `holidays` as YYYY-MM-DD, rising."""

    __tablename__ = "calendars"

    tenant_id: UUID = Field(primary_key=True)
    year: int = Field(primary_key=True)
    workdays: list[str] = Field(sa_type=Json)
    holidays: list[str] = Field(sa_type=Json)
    complete: bool
    version: int
    updated_at: datetime = Field(sa_type=Instant)


CHANGEABLE = ("workdays", "holidays", "complete", "version", "updated_at")

_calendars, _tenants = table(CalendarRow), table(Tenant)
_tenant = bindparam("tenant_id", type_=_calendars.c.tenant_id.type)
_this_year = _calendars.c.year == bindparam("year", type_=_calendars.c.year.type)
_columns = [_calendars.c[name] for name in ("year", "workdays", "holidays", "complete")]

INSERT = insert_row(CalendarRow)
UPDATE = Statement(
    update(_calendars)
    .where(_calendars.c.tenant_id == _tenant, _this_year, gate())
    .values({name: bindparam(f"new_{name}", type_=_calendars.c[name].type) for name in CHANGEABLE})
)
"""Stands behind tenants.RAISE_EPOCH: nobody else has written any of the tenant's tables since they were read."""

BY_YEAR = Statement(select(*_columns, _calendars.c.version).where(_calendars.c.tenant_id == _tenant, _this_year))

# One statement, so that the tables are those of the epoch beside them, whatever is written meanwhile.
ALL = Statement(
    select(_tenants.c.calendar_epoch, *_columns)
    .select_from(_tenants.outerjoin(_calendars, _calendars.c.tenant_id == _tenants.c.tenant_id))
    .where(_tenants.c.tenant_id == _tenant)
)

_CALENDARS: OrderedDict[tuple[UUID, int], Calendar] = OrderedDict()
_CALENDARS_KEPT = 1000


async def of(tx: Tx, tenant_id: UUID, epoch: int) -> Calendar:
    """The tenant's calendar at `epoch`, which is `tenants.calendar_epoch` as the caller has just read it.

    An epoch's tables never change, so a calendar once read is kept; at 0 there are none. Where the tables were changed
    since the caller read, it is the calendar as it is now, and its own `epoch` says so.
    """
    if epoch == 0:
        return BASE
    known = _CALENDARS.get((tenant_id, epoch))
    return known if known is not None else _keep(tenant_id, await tx.all(ALL, tenant_id=tenant_id))


def _keep(tenant_id: UUID, rows: Any) -> Calendar:
    if not rows:
        raise LookupError(f"tenant {tenant_id} is gone")
    epoch = rows[0][0]
    known = _CALENDARS.get((tenant_id, epoch))
    if known is None:
        tables = {year: _table(*values) for _, year, *values in rows if year is not None}
        known = _CALENDARS[tenant_id, epoch] = Calendar(tables, epoch)
        while len(_CALENDARS) > _CALENDARS_KEPT:
            _CALENDARS.popitem(last=False)
    return known


async def by_year(tx: Tx, tenant_id: UUID, year: int) -> KeptYear:
    """The tenant's table of `year`; an empty one of version 0 where nothing was ever entered."""
    row = await tx.one(BY_YEAR, tenant_id=tenant_id, year=year)
    if row is None:
        return KeptYear(year, EMPTY, 0)
    _, workdays, holidays, complete, version = row
    return KeptYear(year, _table(workdays, holidays, complete), version)


def params(tenant_id: UUID, kept: KeptYear, now: datetime) -> dict[str, Any]:
    """The parameters of INSERT."""
    return {"tenant_id": tenant_id, "year": kept.year, **_values(kept, now)}


def changed(tenant_id: UUID, kept: KeptYear, now: datetime) -> dict[str, Any]:
    """The parameters of UPDATE."""
    new = {f"new_{name}": value for name, value in _values(kept, now).items()}
    return {"tenant_id": tenant_id, "year": kept.year, **new}


def _values(kept: KeptYear, now: datetime) -> dict[str, Any]:
    return {
        "workdays": [day.isoformat() for day in sorted(kept.table.workdays)],
        "holidays": [day.isoformat() for day in sorted(kept.table.holidays)],
        "complete": kept.table.complete, "version": kept.version, "updated_at": now,
    }  # fmt: skip


def _table(workdays: list[str], holidays: list[str], complete: bool) -> YearTable:
    return YearTable(
        frozenset(map(date.fromisoformat, workdays)), frozenset(map(date.fromisoformat, holidays)), complete
    )
