"""What a list of items is narrowed to, and where its pages begin."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

SORTS = ("due_on", "-due_on", "-listed_at", "-updated_at")


@dataclass(frozen=True, slots=True)
class LampDays:
    """Deadline days (inclusive) that show the wanted lamp today under the lamps of these ledgers."""

    ledger_ids: tuple[UUID, ...]
    ranges: tuple[tuple[date, date], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list is narrowed to. Units are ids inside the caller's scope; empty means any."""

    states: tuple[str, ...] = ()
    ledgers: tuple[UUID, ...] = ()
    units: tuple[UUID, ...] = ()
    supervising_units: tuple[UUID, ...] = ()
    severities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    external_refs: tuple[str, ...] = ()
    lamps: tuple[LampDays, ...] | None = None
    overdue: bool | None = None
    due_after: date | None = None
    due_before: date | None = None
    listed_after: datetime | None = None
    listed_before: datetime | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: behind the row with this sort value and id. `value` None: among rows without a date."""

    value: date | datetime | None
    id: UUID
