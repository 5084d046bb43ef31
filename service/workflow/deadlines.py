"""Deadlines: how one comes about, when it is overdue, and which lamp it shows.

A deadline is a local day, the last good one: overdue from 00:00 of the day after, in the tenant's time zone. `today`
is always the tenant's local day.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from service.workflow.calendar import Calendar
from service.workflow.states import DeadlineKind

ONE_DAY = timedelta(days=1)
GREEN = "green"
"""The lamp of whatever no other lamp has reached."""

SEVERITY_LIMIT = "severity_limit"
IMMEDIATE = "immediate"
STANDING = "standing"
CLAIM = "claim"
WORKING_DAYS = "working_days"
MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a computed deadline came about: `limit` in `unit`, counted from the day after `start_on`.

    It stays with the item, so that a calendar change can count again and an officer can be told each step.
    """

    name: str
    limit: int
    unit: str
    start_on: date

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; `start_on` as YYYY-MM-DD."""
        return {"name": self.name, "limit": self.limit, "unit": self.unit, "start_on": self.start_on.isoformat()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Rule":
        """What `to_dict` made."""
        return cls(stored["name"], stored["limit"], stored["unit"], date.fromisoformat(stored["start_on"]))


@dataclass(frozen=True, slots=True)
class Deadline:
    """An item's deadline. `text` is what the clerk wrote; `rule` is None where a person set the day.

    `provisional`: some of the counted days lie in a year whose holidays are not published yet.
    """

    kind: str
    due_on: date | None
    review_on: date | None
    text: str | None
    provisional: bool
    rule: Rule | None

    @property
    def day(self) -> date | None:
        """The last good day: `review_on` for a standing item, else `due_on`."""
        return self.review_on if self.kind == DeadlineKind.STANDING else self.due_on


def given(due_on: date, text: str | None = None) -> Deadline:
    """A day that a person set; it may be any day, worked or not, past or to come."""
    return Deadline(DeadlineKind.DATE, due_on, None, text, provisional=False, rule=None)


def by_limit(calendar: Calendar, listed_on: date, limit: int, text: str | None = None) -> Deadline:
    """The policy's limit by severity: `limit` working days, counted from the day after listing."""
    return by_rule(calendar, Rule(SEVERITY_LIMIT, limit, WORKING_DAYS, listed_on), text)


def immediate(
    calendar: Calendar, found_on: date | None, listed_on: date, days: int, text: str | None = None
) -> Deadline:
    """立行立改: `days` working days, counted from the day after the later of found and listed."""
    start_on = max(found_on or listed_on, listed_on)
    return by_rule(calendar, Rule(IMMEDIATE, days, WORKING_DAYS, start_on), text)


def standing(listed_on: date, months: int, text: str | None = None) -> Deadline:
    """长期坚持: the next review `months` calendar months after `listed_on` (or after the last review).

    The same day of the month, or the month's last day where it has no such day. A review may fall on a day off.
    """
    years, month = divmod(listed_on.month - 1 + months, 12)
    year, month = listed_on.year + years, month + 1
    review_on = date(year, month, min(listed_on.day, monthrange(year, month)[1]))
    rule = Rule(STANDING, months, MONTHS, listed_on)
    return Deadline(DeadlineKind.STANDING, None, review_on, text, provisional=False, rule=rule)


def by_rule(calendar: Calendar, rule: Rule, text: str | None = None) -> Deadline:
    """The deadline to which `rule` leads by `calendar`: at listing, and again when the calendar has changed."""
    if rule.name == STANDING:
        return standing(rule.start_on, rule.limit, text)
    kind = DeadlineKind.IMMEDIATE if rule.name == IMMEDIATE else DeadlineKind.DATE
    due_on = calendar.add(rule.start_on, rule.limit)
    years_counted = range((rule.start_on + ONE_DAY).year, due_on.year + 1)
    provisional = any(calendar.is_provisional(date(year, 1, 1)) for year in years_counted)
    return Deadline(kind, due_on, None, text, provisional, rule)


def is_overdue(day: date | None, today: date) -> bool:
    """Whether the last good day has passed. Without a day nothing is ever overdue."""
    return day is not None and today > day


def days_overdue(day: date | None, today: date) -> int:
    """Calendar days since the deadline, 1 on the day after it; 0 while it is not overdue."""
    return (today - day).days if day is not None and today > day else 0


def working_days_overdue(calendar: Calendar, day: date | None, today: date) -> int:
    """Working days since the deadline, today counted if it is one; 0 on the weekend that follows a Friday deadline."""
    return calendar.between(day, today) if day is not None and today > day else 0


@dataclass(frozen=True, slots=True)
class Lamp:
    """One lamp of a policy. `from_days` counts working days from the deadline; 0 is its own day.

    1 begins at the calendar day after the deadline, so that red and overdue begin together; later values count
    working days from there.
    """

    lamp: str
    from_days: int


def lamp_of(calendar: Calendar, lamps: Sequence[Lamp], day: date | None, today: date) -> str:
    """The lamp that a deadline on `day` shows today: the last of the list that has begun; green if none has."""
    lit = GREEN
    if day is not None:
        for lamp in lamps:
            if _begins(calendar, lamp.from_days, day) <= today:
                lit = lamp.lamp
    return lit


def lamp_ranges(
    calendar: Calendar, lamps: Sequence[Lamp], lamp: str, today: date
) -> list[tuple[date | None, date | None]]:
    """The deadline days that show `lamp` today, as inclusive ranges in rising order; None is an open end.

    Agrees with `lamp_of` for every day. An item without a day is green and lies in no range: a query for green has
    to add those itself.
    """
    lasts = [_last_begun(calendar, each.from_days, today) for each in lamps]
    ranges: list[tuple[date | None, date | None]] = []
    first: date | None = None
    touching = False
    for last in (*sorted(set(lasts)), None):
        # Between two neighbouring ends no lamp changes, so the segment's last day speaks for all of it.
        lit = GREEN
        for each, reach in zip(lamps, lasts, strict=True):
            if last is not None and last <= reach:
                lit = each.lamp
        if lit == lamp and touching:
            ranges[-1] = (ranges[-1][0], last)
        elif lit == lamp:
            ranges.append((first, last))
        touching = lit == lamp
        first = last + ONE_DAY if last is not None else None
    return ranges


def _begins(calendar: Calendar, from_days: int, day: date) -> date:
    """The first day on which a lamp of `from_days` shows for a deadline on `day`."""
    return calendar.add(day, from_days) if from_days <= 0 else calendar.add(day + ONE_DAY, from_days - 1)


def _last_begun(calendar: Calendar, from_days: int, today: date) -> date:
    """The latest deadline day for which `_begins` is not after `today`. Every earlier one has begun too."""
    if from_days <= 0:
        # The n-th working day after today still has n - 1 working days between: its n-th one back is today or before.
        return calendar.add(today, -from_days)
    if from_days == 1:
        return today - ONE_DAY
    # The n - 1 working days have to fit between the day after the deadline (not counted) and today (counted).
    return calendar.add(today + ONE_DAY, 1 - from_days) - 2 * ONE_DAY


def start_of(day: date, tz: ZoneInfo) -> datetime:
    """The instant, in UTC, at which `day` begins in `tz`."""
    return datetime.combine(day, time.min, tzinfo=tz).astimezone(UTC)


def local_day(instant: datetime, tz: ZoneInfo) -> date:
    """The day it is in `tz` at `instant`; ValueError if `instant` does not say its own zone."""
    if instant.tzinfo is None:
        # Python would read it in the zone of the machine.
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(tz).date()
