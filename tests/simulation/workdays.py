"""Working days of the simulated years, written by hand from the State Council's notices.

2024 to 2026 are the published arrangements (调休). 2027 is not published: until its table is loaded the service counts
weekdays without the statutory holidays, and the days that weekends cost are guessed to be made up for on the weekdays
that follow. What is counted in such a year is provisional.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

ONE_DAY = timedelta(days=1)
PUBLISHED = (2024, 2025, 2026)
FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
"""Nothing is counted outside these days."""

OFF = (
    # 2024: New Year, Spring Festival, Qingming, Labour Day, Dragon Boat, Mid-Autumn, National Day
    (date(2024, 1, 1), date(2024, 1, 1)),
    (date(2024, 2, 10), date(2024, 2, 17)),
    (date(2024, 4, 4), date(2024, 4, 6)),
    (date(2024, 5, 1), date(2024, 5, 5)),
    (date(2024, 6, 10), date(2024, 6, 10)),
    (date(2024, 9, 15), date(2024, 9, 17)),
    (date(2024, 10, 1), date(2024, 10, 7)),
    # 2025: Mid-Autumn falls into National Day
    (date(2025, 1, 1), date(2025, 1, 1)),
    (date(2025, 1, 28), date(2025, 2, 4)),
    (date(2025, 4, 4), date(2025, 4, 6)),
    (date(2025, 5, 1), date(2025, 5, 5)),
    (date(2025, 5, 31), date(2025, 6, 2)),
    (date(2025, 10, 1), date(2025, 10, 8)),
    # 2026
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
)
"""First and last day off as the notices state them, weekends inside included."""

MADE_UP = frozenset(
    {
        date(2024, 2, 4), date(2024, 2, 18), date(2024, 4, 7), date(2024, 4, 28), date(2024, 5, 11),
        date(2024, 9, 14), date(2024, 9, 29), date(2024, 10, 12),
        date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
        date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20),
        date(2026, 10, 10),
    }
)  # fmt: skip
"""Weekend days that are worked."""

STATUTORY_2027 = (
    (date(2027, 1, 1), date(2027, 1, 1)),
    (date(2027, 2, 5), date(2027, 2, 10)),  # the eve and three days, two of them on a weekend
    (date(2027, 4, 5), date(2027, 4, 5)),
    (date(2027, 5, 1), date(2027, 5, 4)),
    (date(2027, 6, 9), date(2027, 6, 9)),
    (date(2027, 9, 15), date(2027, 9, 15)),
    (date(2027, 10, 1), date(2027, 10, 5)),
)
"""What the service takes for days off while the year is not published."""


@dataclass(frozen=True, slots=True)
class Table:
    """What a tenant loaded for a year; a complete table is the year's whole notice."""

    year: int
    workdays: frozenset[date]
    holidays: frozenset[date]
    complete: bool


def days(first: date, last: date) -> list[date]:
    return [first + n * ONE_DAY for n in range((last - first).days + 1)]


def base(year: int, complete: bool) -> set[date]:
    """The working days of a year before a tenant's table is laid over it."""
    every = days(date(year, 1, 1), date(year, 12, 31))
    if year in PUBLISHED:
        off, worked = {day for span in OFF for day in days(*span)}, MADE_UP
    else:
        # A complete table says itself what is off.
        spans = () if complete else STATUTORY_2027
        off, worked = {day for span in spans for day in days(*span)}, frozenset()
    return {day for day in every if day in worked or (day.weekday() < 5 and day not in off)}


class Workdays:
    """The calendar of a tenant with these tables loaded."""

    def __init__(self, tables: Mapping[int, Table] | None = None) -> None:
        tables = tables or {}
        worked: set[date] = set()
        for year in range(FIRST.year, LAST.year + 1):
            table = tables.get(year)
            if table is None:
                worked |= base(year, complete=False)
            else:
                worked |= (base(year, table.complete) | table.workdays) - table.holidays
        self._ordinals = sorted(day.toordinal() for day in worked)
        self._worked = worked
        self._settled = {*PUBLISHED, *(year for year, table in tables.items() if table.complete)}

    def works_on(self, day: date) -> bool:
        self._known(day)
        return day in self._worked

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, before it where n < 0; `day` itself where n = 0, worked or not."""
        self._known(day)
        if n == 0:
            return day
        if n > 0:
            at = bisect_right(self._ordinals, day.toordinal()) + n - 1
        else:
            at = bisect_left(self._ordinals, day.toordinal()) + n
        if not 0 <= at < len(self._ordinals):
            raise ValueError(f"{n} working days from {day} lie outside {FIRST} to {LAST}")
        return date.fromordinal(self._ordinals[at])

    def working(self, day: date) -> date:
        """The first working day that is not before `day`."""
        return day if self.works_on(day) else self.add(day, 1)

    def provisional(self, first: date, last: date) -> bool:
        """Whether any year from `first` to `last` is not settled."""
        return any(year not in self._settled for year in range(first.year, last.year + 1))

    def _known(self, day: date) -> None:
        if not FIRST <= day <= LAST:
            raise ValueError(f"{day} lies outside {FIRST} to {LAST}")


def states_of(tables: Iterable[Table]) -> list[Workdays]:
    """The calendar before any table was loaded, and after each one; a year loaded again replaces what was there."""
    loaded: dict[int, Table] = {}
    states = [Workdays()]
    for table in tables:
        loaded = {**loaded, table.year: table}
        states.append(Workdays(loaded))
    return states
