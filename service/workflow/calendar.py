"""Working days in China: public holidays, the make-up workdays (调休) that pay for them, and a tenant's own table.

Three layers, the upper one wins day by day:
1. the years that the package chinesecalendar knows, which are the State Council's yearly notices;
2. every other year: weekdays without the statutory holidays (package holidays). What lies there is provisional;
3. the tenant's table of a year, for a notice that is newer than the release. A complete one ends provisional.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from chinese_calendar import constants as notices

KNOWN_YEARS = range(min(notices.holidays).year, max(notices.holidays).year + 1)
"""The years whose notices are in chinesecalendar's data."""

FULL_NAMES = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}
"""chinesecalendar shortens three names; the notices do not."""


@dataclass(frozen=True, slots=True)
class YearTable:
    """A tenant's overrides of one year. `complete`: the whole notice of that year was entered, not a day or two."""

    workdays: frozenset[date]
    holidays: frozenset[date]
    complete: bool


EMPTY = YearTable(frozenset(), frozenset(), complete=False)
"""The table of a year for which a tenant has entered nothing."""


@dataclass(frozen=True, slots=True)
class KeptYear:
    """A tenant's table of a year as it is kept. `version` counts its changes; 0: nothing was ever entered."""

    year: int
    table: YearTable
    version: int

    @property
    def known(self) -> bool:
        """Whether the year is published without any table."""
        return self.year in KNOWN_YEARS


@dataclass(frozen=True, slots=True)
class _Year:
    """One year, ready to be counted: its working days as rising `date.toordinal()` numbers, and named days."""

    ordinals: tuple[int, ...]
    names: Mapping[date, str]

    def works_on(self, day: date) -> bool:
        ordinal = day.toordinal()
        at = bisect_left(self.ordinals, ordinal)
        return at < len(self.ordinals) and self.ordinals[at] == ordinal


class Calendar:
    """Answers for one tenant. Immutable to its users; `epoch` says which state of the tenant's tables it holds.

    Good for the years 1900 to 2200. Counting past year 9999 or before year 1 raises ValueError.
    """

    __slots__ = ("_tables", "_years", "epoch")

    def __init__(self, tables: Mapping[int, YearTable] | None = None, epoch: int = 0) -> None:
        self.epoch = epoch
        self._tables = dict(tables or {})
        self._years: dict[int, _Year] = {}

    def is_workday(self, day: date) -> bool:
        """Whether offices work on `day`: a make-up Saturday is a working day, a bridged Friday is not."""
        return self._year(day.year).works_on(day)

    def is_provisional(self, day: date) -> bool:
        """Whether no notice is known for the year of `day`, neither to chinesecalendar nor as a complete table."""
        if day.year in KNOWN_YEARS:
            return False
        table = self._tables.get(day.year)
        return table is None or not table.complete

    def add(self, day: date, n: int) -> date:
        """The n-th working day after `day`, `day` itself not counted; before it if n < 0; `day` itself if n = 0.

        `day` need not be a working day, and for n = 0 the answer need not be one either.
        """
        if n == 0:
            return day
        number = day.year
        ordinals = self._year(number).ordinals
        if n > 0:
            at = bisect_right(ordinals, day.toordinal()) + n - 1
            while at >= len(ordinals):
                at -= len(ordinals)
                number += 1
                ordinals = self._year(number).ordinals
        else:
            at = bisect_left(ordinals, day.toordinal()) + n
            while at < 0:
                number -= 1
                ordinals = self._year(number).ordinals
                at += len(ordinals)
        return date.fromordinal(ordinals[at])

    def between(self, after: date, until: date) -> int:
        """The number of working days in (after, until]; that of (until, after] as a negative if `until` is earlier."""
        if until < after:
            return -self.between(until, after)
        whole_years = sum(len(self._year(number).ordinals) for number in range(after.year, until.year))
        return whole_years + self._rank(until) - self._rank(after)

    def holiday_name(self, day: date) -> str | None:
        """The Chinese name of the holiday for which `day` is off, or for which it is worked (a make-up workday).

        None on ordinary working days and weekends, and where a tenant's table says so without a name.
        """
        return self._year(day.year).names.get(day)

    def ruled(self, day: date) -> bool | None:
        """What the tenant's own table says of `day`: worked, or off; None where it does not name it."""
        table = self._tables.get(day.year)
        if table is None:
            return None
        if day in table.holidays:
            return False
        return True if day in table.workdays else None

    def _rank(self, day: date) -> int:
        """How many working days of its year have begun when `day` ends."""
        return bisect_right(self._year(day.year).ordinals, day.toordinal())

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            # Two threads may both make it: the same value, so the later one does no harm.
            year = self._years[number] = _overridden(number, self._tables.get(number))
        return year


def _overridden(number: int, table: YearTable | None) -> _Year:
    """The base year with a tenant's table laid over it. A day that the table names both ways is off."""
    if table is None:
        return _base(number, settled=False)
    base = _base(number, settled=table.complete)
    worked = {day.toordinal() for day in table.workdays if day.year == number}
    off = {day.toordinal() for day in table.holidays if day.year == number}
    year = _Year(tuple(sorted((set(base.ordinals) | worked) - off)), base.names)
    # A name is the reason why a day is off or worked: it falls with what it explained.
    names = {day: name for day, name in base.names.items() if base.works_on(day) == year.works_on(day)}
    return _Year(year.ordinals, names)


@cache
def _base(number: int, *, settled: bool) -> _Year:
    """A year as the packages know it, shared by all tenants. `settled`: a complete table will be laid over it."""
    off, worked = _noticed(number) if number in KNOWN_YEARS else _statutory(number, settled=settled)
    first, last = date(number, 1, 1).toordinal(), date(number, 12, 31).toordinal()
    days = map(date.fromordinal, range(first, last + 1))
    ordinals = tuple(day.toordinal() for day in days if day in worked or (day.weekday() < 5 and day not in off))
    return _Year(ordinals, {**off, **worked})


def _noticed(number: int) -> tuple[dict[date, str], dict[date, str]]:
    """The days off and the make-up workdays of a published year, with their names."""
    chinese = {holiday.value: FULL_NAMES.get(holiday.chinese, holiday.chinese) for holiday in notices.Holiday}
    off, worked = (
        {day: chinese[english] for day, english in days.items() if day.year == number}
        for days in (notices.holidays, notices.workdays)
    )
    return off, worked


def _statutory(number: int, *, settled: bool) -> tuple[dict[date, str], dict[date, str]]:
    """The statutory holidays of a year without a notice, by 全国年节及纪念日放假办法 (none known outside 1950-2100).

    A holiday that falls on a weekend is made up for on a weekday, but only the notice says on which: the package
    guesses. Where a complete table will say it, the guess is left out, lest a wrong one stay behind as a day off.
    """
    # Imported late: it costs some hundred milliseconds that a process within the known years never needs.
    from holidays import country_holidays

    # The next year's arrangement may make a workday of this year's last weekend.
    known = country_holidays("CN", years=(number, number + 1), observed=not settled, language="zh_CN")
    off = {day: name.replace("; ", "、") for day, name in known.items() if day.year == number}
    made_up = () if settled else known.weekend_workdays
    return off, {day: "调休上班" for day in made_up if day.year == number}


BASE = Calendar()
"""The calendar of a tenant without tables of its own."""
