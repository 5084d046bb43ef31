"""How days are counted: from a start, by a rule, and again when the calendar has changed."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from tests.simulation.circumstances import Setting
from tests.simulation.workdays import ONE_DAY

GIVEN = "定于该日"
"""The deadline's text where a person named the day; any other text leaves the day to be counted."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Somebody must decide a request, or hold an interview, `within` working days of `on`."""

    id: str
    kind: str
    on: date
    within: int
    due: date


@dataclass(frozen=True, slots=True)
class Counted:
    """A day that lies `limit` working days behind `start`."""

    start: date
    limit: int

    def day(self, setting: Setting) -> date:
        return setting.add(self.start, self.limit)

    def provisional(self, setting: Setting) -> bool:
        return setting.workdays.provisional(self.start + ONE_DAY, self.day(setting))


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def recounted(present: date, counted: date, setting: Setting) -> date:
    """Nobody becomes late overnight: no day is moved to one before tomorrow. One that is as near already stays."""
    tomorrow = setting.today + ONE_DAY
    if counted >= tomorrow:
        return counted
    return min(present, tomorrow)
