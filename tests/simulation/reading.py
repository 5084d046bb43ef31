"""A finished run read out of its database, past the service, as the check wants it."""

from typing import Any
from uuid import UUID

from service.settings import Settings
from tests import invariants
from tests.simulation.record import Event, Log, Record, Row

TABLES = (
    "items", "firings", "requests", "notices", "notice_items", "interviews", "counters", "timers", "ledgers", "units",
)  # fmt: skip


async def read(settings: Settings, log: Log) -> Record:
    """All that the database of `settings` holds. Nobody may be writing."""
    found = await invariants.everything(settings)
    tables = {name: [_row(row) for row in found[name]] for name in TABLES}
    return Record(tables, [_event(row) for row in found["events"]], log)


def _row(row: Row) -> Row:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Ids as the text that events name them by."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _event(row: Row) -> Event:
    told = invariants.told(row)
    actor = told["actor"]
    return Event(
        item_id=str(row["item_id"]),
        revision=row["revision"],
        ordinal=row["ordinal"],
        type=row["type"],
        at=row["at"],
        clock=actor["principal_id"] is None,
        data=told["data"],
    )
