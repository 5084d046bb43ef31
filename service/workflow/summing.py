"""From counts to a table of figures: what lasts, rates, and days to close.

Of what lasts there is one sum, as of the period's last day. What lasted earlier is counted back from there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from service.workflow.figures import COUNTS, FIGURES, LASTING, OVERDUE, RECTIFYING
from service.workflow.folding import month_of

Key = Any
"""What a row of a table is about: a unit's or a ledger's id, a word, or the first day of a month."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to another, both good."""

    first: date
    last: date

    @property
    def months(self) -> tuple[date, date]:
        """The months that it begins and ends in."""
        return month_of(self.first), month_of(self.last)

    def days_until(self, today: date) -> int:
        """How many of its days have begun by `today`: those to come hold hardly anything."""
        return max(0, (min(self.last, today) - self.first).days + 1)

    def cuts(self, today: date) -> "Cuts":
        """How the months that it begins and ends in are read, where it has only a part of them."""
        by_days: list[date] = []
        more: list[Period] = []
        less: list[Period] = []
        for month in dict.fromkeys(self.months):
            part = Period(max(self.first, month), min(self.last, end_of(month)))
            rest = [
                each
                for each in (Period(month, part.first - ONE_DAY), Period(part.last + ONE_DAY, end_of(month)))
                if each.first <= each.last
            ]
            if rest and sum(each.days_until(today) for each in rest) < part.days_until(today):
                less += rest
            elif rest:
                by_days.append(month)
                more.append(part)
        return Cuts(tuple(by_days), tuple(more), tuple(less))


@dataclass(frozen=True, slots=True)
class Cuts:
    """Months that are left out of the sums, because of them the days of `more` are read one by one; and days that are
    taken off the sums again, because they are fewer than those that are wanted."""

    left_out: tuple[date, ...]
    more: tuple[Period, ...]
    less: tuple[Period, ...]


def end_of(month: date) -> date:
    """The last day of the month that begins on a day."""
    return next_month(month) - ONE_DAY


def next_month(month: date) -> date:
    """The first day of the month behind the one that begins on a day."""
    return month_of(month + timedelta(days=31))


@dataclass(slots=True)
class Sums:
    """What was counted, by row and metric. `lasting` as of the period's last day.

    `repeated` are counts that a row must leave out, because the stretch counted in its period before; `over_all` are
    those that the whole period must leave out. `days` are closings by the days that they took.
    """

    counted: defaultdict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    repeated: defaultdict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    over_all: Counter[str] = field(default_factory=Counter)
    lasting: defaultdict[Key, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    days: defaultdict[Key, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))


Figures = dict[str, int | float | None]
"""Every figure by its name; a share or days of nothing are None."""


def rows_of(sums: Sums) -> dict[Key, Figures]:
    """A table whose rows are parts of one period."""
    return {
        key: figures(_less(sums.counted[key], sums.repeated.get(key)), sums.lasting[key], sums.days[key])
        for key in {**sums.counted, **sums.lasting, **sums.days}
    }


def something(figures: Figures) -> bool:
    """Whether anything was counted: without a count there are neither rates nor days."""
    return any(figures[name] for name in COUNTS)


def months_of(sums: Sums, period: Period, today: date) -> dict[Key, Figures]:
    """A table by months. What lasted at the end of one is what lasted at the end of the next, less that one's own."""
    lasting = total(sums.lasting.values())
    found: dict[Key, Figures] = {}
    for month in reversed(list(_months(period))):
        counted = sums.counted[month]
        found[month] = figures(_less(counted, sums.repeated.get(month)), lasting, sums.days[month])
        lasting = Counter(lasting)
        for each in LASTING.values():
            lasting[each.begun] -= counted[each.begun]
            lasting[each.ended] -= counted[each.ended]
    return _without_blanks(found, month_of(today))


def _without_blanks(found: dict[Key, Figures], this_month: date) -> dict[Key, Figures]:
    """In the order of time, without the empty months at both ends. That something lasts now tells nothing of months
    to come."""
    told = [
        month
        for month, values in found.items()
        if any(values[name] for name in COUNTS if month <= this_month or name not in LASTING)
    ]
    return {month: found[month] for month in sorted(found) if told and min(told) <= month <= max(told)}


def _months(period: Period) -> Iterator[date]:
    month, last = period.months
    while month <= last:
        yield month
        month = next_month(month)


def whole_of(sums: Sums) -> Figures:
    """The figures of the whole period, all rows together."""
    return figures(
        _less(total(sums.counted.values()), sums.over_all), total(sums.lasting.values()), total(sums.days.values())
    )


def total(counters: Iterable[Counter[Any]]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for counter in counters:
        found.update(counter)
    return found


def _less(counted: Counter[str], repeated: Counter[str] | None) -> Counter[str]:
    if not repeated:
        return counted
    found = Counter(counted)
    found.subtract(repeated)
    return found


def figures(counted: Counter[str], lasting: Counter[str], days: Counter[int]) -> Figures:
    """Every figure from the counts of a period, from what lasts at its end, and from the days of its closings."""
    found: Figures = {name: counted[name] for name in COUNTS}
    found["overdue"] = lasting[OVERDUE.begun] - lasting[OVERDUE.ended]
    # Whatever lasts at the end, and whatever ended in the period: it lasted in it.
    found["rectifying"] = lasting[RECTIFYING.begun] - lasting[RECTIFYING.ended] + counted[RECTIFYING.ended]
    for each in FIGURES:
        if each.numerator is not None and each.denominator is not None:
            found[each.name] = _share(found[each.numerator], found[each.denominator])
    found["median_days_to_close"] = median(days)
    found["p90_days_to_close"] = nearest_rank(days, 90)
    return {each.name: found[each.name] for each in FIGURES}


def _share(part: int | float | None, whole: int | float | None) -> float | None:
    return round(part / whole, 4) if part is not None and whole else None


def median(days: Counter[int]) -> float | None:
    """The middle one; of an even number, half-way between the middle two."""
    count = days.total()
    if not count:
        return None
    return (_nth(days, (count + 1) // 2) + _nth(days, count // 2 + 1)) / 2


def nearest_rank(days: Counter[int], percent: int) -> int | None:
    """The least number of days that `percent` of them did not exceed."""
    count = days.total()
    return _nth(days, -(-count * percent // 100)) if count else None


def _nth(days: Counter[int], n: int) -> int:
    for value in sorted(days):
        n -= days[value]
        if n <= 0:
            return value
    raise ValueError("there are not so many")
