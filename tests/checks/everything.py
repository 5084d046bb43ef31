"""All that a database holds, read past the service: every row of every table, and what several checks ask of them."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import service.app  # noqa: F401  (importing it is what fills the metadata)
from service.settings import Settings
from service.store.migrations import sqlalchemy_url
from service.workflow.calendar import Calendar, YearTable
from service.workflow.sealing import reveal

Row = dict[str, Any]

NEVER = date(9999, 12, 31)


@dataclass(repr=False)
class Everything:
    """Every row of every table, read in one transaction. `events` are those about items, `tenant_events` the others."""

    tables: dict[str, list[Row]]
    _told: dict[UUID, Row] = field(default_factory=dict)
    _by_id: dict[str, dict[str, Row]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables[name]

    def row(self, name: str, id: str) -> Row | None:
        """The row of a table with this id, as text."""
        known = self._by_id.get(name)
        if known is None:
            known = self._by_id[name] = {str(row["id"]): row for row in self.tables[name]}
        return known.get(id)

    def told(self, row: Row) -> Row:
        """An event with its texts in their places; worked out once."""
        known = self._told.get(row["id"])
        if known is None:
            known = self._told[row["id"]] = told(row)
        return known

    @cached_property
    def histories(self) -> dict[UUID, list[Row]]:
        """The events of each item, in the order in which they happened."""
        found = self.by_item("events")
        for events in found.values():
            events.sort(key=lambda row: (row["revision"], row["ordinal"]))
        return found

    def by_unit(self) -> dict[UUID, list[Row]]:
        """The events about each unit, oldest first, with their texts."""
        found: dict[UUID, list[Row]] = defaultdict(list)
        for row in sorted(self.tables["tenant_events"], key=lambda row: str(row["id"])):
            if row["type"].startswith("unit."):
                found[row["unit_id"]].append(self.told(row))
        for events in found.values():
            events.sort(key=lambda event: event["data"]["version"])
        return found

    def by_item(self, name: str, key: str = "item_id") -> dict[UUID, list[Row]]:
        found: dict[UUID, list[Row]] = defaultdict(list)
        for row in self.tables[name]:
            found[row[key]].append(row)
        return found

    # -- what holds for a whole tenant

    @cached_property
    def zones(self) -> dict[UUID, ZoneInfo]:
        return {row["tenant_id"]: ZoneInfo(row["timezone"]) for row in self.tables["tenants"]}

    def local(self, row: Row, instant: datetime) -> date:
        """The day of an instant where `row` is at home."""
        return instant.astimezone(self.zones[row["tenant_id"]]).date()

    @cached_property
    def calendars(self) -> dict[UUID, Calendar]:
        tables: dict[UUID, dict[int, YearTable]] = {tenant_id: {} for tenant_id in self.zones}
        for row in self.tables["calendars"]:
            days = (frozenset(map(date.fromisoformat, row[name])) for name in ("workdays", "holidays"))
            tables[row["tenant_id"]][row["year"]] = YearTable(*days, row["complete"])
        return {tenant_id: Calendar(years) for tenant_id, years in tables.items()}

    @cached_property
    def with_own_calendar(self) -> set[UUID]:
        """Tenants whose calendar was changed once: what was counted before that may have been counted otherwise."""
        return {row["tenant_id"] for row in self.tables["calendars"]}


def told(row: Row) -> Row:
    """An event with its texts in their places."""
    body = json.loads(row["body"])
    return {**body, "data": reveal(body["data"], row["beside"])}


def plain(value: Any) -> Any:
    """A value as it stands in an event."""
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | UUID():
            return str(value)
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def deadline_day(item: Row) -> date | None:
    """The last good day of an item's row."""
    day: date | None = item["review_on"] if item["deadline_kind"] == "standing" else item["due_on"]
    return day


def _rows(connection: Connection, table: Table) -> list[Row]:
    found = connection.execute(select(table))
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]


def _read(connection: Connection) -> Everything:
    tables = {name: _rows(connection, table) for name, table in SQLModel.metadata.tables.items()}
    searched = connection.execute(text("SELECT item_id, text FROM search_texts"))
    tables["search_texts"] = [{"item_id": UUID(str(row.item_id)), "text": row.text} for row in searched]
    tables["tenant_events"] = [row for row in tables["events"] if row["item_id"] is None]
    tables["events"] = [row for row in tables["events"] if row["item_id"] is not None]
    return Everything(tables)


async def everything(settings: Settings) -> Everything:
    """All that the database of `settings` holds at one moment."""
    url = sqlalchemy_url(settings.database_url, settings.sqlite_path)
    if settings.sqlite_path is not None:
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                # The driver begins no transaction before it reads: workers may be writing between two tables.
                connection.exec_driver_sql("BEGIN")
                return _read(connection)
        finally:
            engine.dispose()
    on_postgres = create_async_engine(url, isolation_level="REPEATABLE READ")
    try:
        async with on_postgres.connect() as connection:
            return await connection.run_sync(_read)
    finally:
        await on_postgres.dispose()
