"""Folding: single counts summed up by months, so that a month of a county is read from few rows.

A count goes into sums of four kinds. FULL has its unit and all its facts; WHOLE its facts alone, for the whole tenant:
units may hang elsewhere tomorrow, but never outside it. PLAIN has its unit alone, and BELOW each unit above that: the
two together are a unit with all below it, as the tree was when they were summed up.

What lasts (overdue, rectifying) is also summed over all time: that is how much of it there is now, and earlier days are
counted back from there. Closings are also summed by the days that they took, for PLAIN and BELOW.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from service.workflow.figures import LASTING_METRICS, Metric

FULL, PLAIN, WHOLE, BELOW = range(4)

EVERY = UUID(int=0)
"""The unit of WHOLE, and the ledger of PLAIN and BELOW."""

ANY = ""
"""The severity and the source of PLAIN and BELOW."""

ALL_TIME = date(9999, 12, 1)
"""The month of what is summed over all time."""

Key = tuple[int, date, UUID, UUID, str, str]
"""Kind, month, unit, ledger, severity, source."""

DaysKey = tuple[int, date, UUID, int]
"""Kind, month, unit, days."""

_LASTING = frozenset(metric.value for metric in LASTING_METRICS)


class Counted(NamedTuple):
    """A count to be summed up."""

    metric: str
    day: date
    unit_id: UUID
    ledger_id: UUID
    severity: str
    source: str
    days: int
    number: int


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def fold(
    counted: Iterable[Counted], lines: Mapping[UUID, tuple[UUID, ...]]
) -> tuple[dict[Key, Counter[str]], Counter[DaysKey]]:
    """What counts add to the sums, by row and metric; and to the closings by their days. What cancels out is left out.

    `lines` has every unit that they name with all above it, itself first.
    """
    sums: dict[Key, Counter[str]] = {}
    days: Counter[DaysKey] = Counter()
    for each in counted:
        month, line = month_of(each.day), lines[each.unit_id]
        for when in (month, ALL_TIME) if each.metric in _LASTING else (month,):
            for key in _keys(each, when, line):
                sums.setdefault(key, Counter())[each.metric] += each.number
        if each.metric == Metric.CLOSED:
            for distance, unit in enumerate(line):
                days[BELOW if distance else PLAIN, month, unit, each.days] += each.number
    return (
        {key: counts for key, counts in sums.items() if any(counts.values())},
        Counter({key: count for key, count in days.items() if count}),
    )


def _keys(each: Counted, month: date, line: tuple[UUID, ...]) -> Iterator[Key]:
    facts = (each.ledger_id, each.severity, each.source)
    yield FULL, month, each.unit_id, *facts
    yield WHOLE, month, EVERY, *facts
    for distance, unit in enumerate(line):
        yield BELOW if distance else PLAIN, month, unit, EVERY, ANY, ANY
