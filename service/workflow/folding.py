"""Folding: single counts summed up by months, so that a month of a county is read from few rows.

Each count goes into three sums. FULL has its unit and all its facts; PLAIN its unit alone, for tables by unit; WHOLE
its facts alone, for the whole tenant: units may hang elsewhere tomorrow, but never outside it. What lasts (overdue,
rectifying) is also summed over all time: that is how much of it there is now, and earlier days are counted back from
there.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from service.workflow.figures import LASTING_METRICS

FULL, PLAIN, WHOLE = range(3)

EVERY = UUID(int=0)
"""The unit of WHOLE, and the ledger of PLAIN."""

ANY = ""
"""The severity and the source of PLAIN."""

ALL_TIME = date(9999, 12, 1)
"""The month of what is summed over all time."""

Key = tuple[int, date, UUID, UUID, str, str]
"""Level, month, unit, ledger, severity, source."""

Counted = tuple[str, date, UUID, UUID, str, str, int]
"""Metric, day, unit, ledger, severity, source, count."""

_LASTING = frozenset(metric.value for metric in LASTING_METRICS)


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def fold(counted: Iterable[Counted]) -> dict[Key, Counter[str]]:
    """What counts add to the sums, by row and metric; rows whose counts cancel out are left out."""
    found: dict[Key, Counter[str]] = {}
    for metric, day, unit, ledger, severity, source, count in counted:
        month = month_of(day)
        for each in (month, ALL_TIME) if metric in _LASTING else (month,):
            for key in (
                (FULL, each, unit, ledger, severity, source),
                (PLAIN, each, unit, EVERY, ANY, ANY),
                (WHOLE, each, EVERY, ledger, severity, source),
            ):
                found.setdefault(key, Counter())[metric] += count
    return {key: counts for key, counts in found.items() if any(counts.values())}
