"""What a finished run left behind: the rows of its tables, its events, and a log of what stands in neither.

The check reads nothing else. Ids are text throughout, instants know their zone, days are dates; a damaged record is
made by changing one of these values.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from tests.simulation.workdays import Table

Row = dict[str, Any]

ZONE = timezone(timedelta(hours=8))
"""China keeps one time and no summer time."""


@dataclass(slots=True)
class Tick:
    """Workers looked, until nothing was left to do at this instant. `raced`: people acted at the same instant."""

    at: datetime
    workers: int = 1
    raced: bool = False


@dataclass(slots=True)
class PolicyChange:
    """From this instant the ledger has this whole policy."""

    at: datetime
    ledger_id: str
    policy: Row


@dataclass(slots=True)
class CalendarChange:
    """From this instant the tenant has this table of a year."""

    at: datetime
    table: Table


@dataclass(slots=True)
class Log:
    """What the driver did besides acting on items. In order of time, no two entries at one instant."""

    ticks: list[Tick] = field(default_factory=list)
    policies: list[PolicyChange] = field(default_factory=list)
    calendars: list[CalendarChange] = field(default_factory=list)


@dataclass(slots=True)
class Event:
    """An event as readers see it. `clock`: it was written by the clock and not by a person."""

    item_id: str
    revision: int
    ordinal: int
    type: str
    at: datetime
    clock: bool
    data: Row


@dataclass(slots=True)
class Record:
    """A finished run. `tables` has items, firings, requests, notices, notice_items, interviews, counters, timers,
    ledgers, units."""

    tables: dict[str, list[Row]]
    events: list[Event]
    log: Log

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables[name]

    def histories(self) -> dict[str, list[Event]]:
        """The events of each item, in the order in which they happened."""
        found: dict[str, list[Event]] = defaultdict(list)
        for event in sorted(self.events, key=lambda event: (event.revision, event.ordinal)):
            found[event.item_id].append(event)
        return found


def local(instant: datetime) -> date:
    return instant.astimezone(ZONE).date()


def at(day: date, clock: time = time()) -> datetime:
    return datetime.combine(day, clock, ZONE)


def day_of(value: Any) -> date | None:
    """A day as it stands in an event."""
    return date.fromisoformat(value) if value is not None else None
