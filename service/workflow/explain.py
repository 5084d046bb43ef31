"""How a computed deadline came about, step by step: what an officer is told who asks why it is this day."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from service.workflow.calendar import Calendar
from service.workflow.deadlines import MONTHS, ONE_DAY, Rule, by_rule

MAX_STEPS = 400
"""About three years of weeks and holidays. A longer way is told as far as this."""


class StepKind(StrEnum):
    """Why a day counts or does not."""

    START = "start"
    """The day from which the limit runs. It is not counted, whatever day it is."""
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    """A public holiday with the bridge days and weekends that the notice joins to it."""
    MAKEUP = "makeup"
    """A weekend day that is worked to pay for a holiday (调休)."""
    OVERRIDE_OFF = "override_off"
    OVERRIDE_ON = "override_on"
    """The tenant's own table names the day off, or worked."""
    MONTHS = "months"
    """Calendar months, of which every day counts alike."""


COUNTED = frozenset({StepKind.WORKDAY, StepKind.MAKEUP, StepKind.OVERRIDE_ON})


@dataclass(frozen=True, slots=True)
class Step:
    """Consecutive days for which the same holds, `first` and `last` among them.

    `name` is the holiday that is kept, or that a make-up day pays for (春节); None on every other step. `counted` is
    how many working days of the limit have been counted when `last` ends.
    """

    first: date
    last: date
    kind: StepKind
    name: str | None
    counted: int

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values: `from`, `to`, `kind`, `name`, `counted`."""
        return {
            "from": self.first.isoformat(), "to": self.last.isoformat(), "kind": self.kind.value,
            "name": self.name, "counted": self.counted,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Explanation:
    """The day to which a rule leads, whether that may change with a notice to come, and the steps that lead there.

    `truncated`: the way has more than MAX_STEPS steps; `steps` are the first of them, and `day` is the right one still.
    """

    day: date
    provisional: bool
    steps: tuple[Step, ...]
    truncated: bool


def explain(calendar: Calendar, rule: Rule) -> Explanation:
    """How `rule` leads to its deadline by `calendar`. The rule is what an item keeps (`deadline_rule`, `claim_rule`).

    The steps lie in order and without a gap: first the start day alone (`start`), then stretches of days of the same
    kind, up to the deadline itself, whose step ends on it and has counted the whole limit. A rule in months (standing)
    has a single step, from the start day to the review, which counts no working day.

    A day that the tenant's table names is the table's (`override_off`, `override_on`), unless the notice says the same
    of it and so has a name for it.

    What is told is where the rule leads by this calendar. The item's `due_on` may be another day: when the calendar
    changes, a deadline that has passed stays, and one that has not moves to no day before the morrow. A day that a
    person set (at listing, by an extension, by a resume) has no rule, and nothing here explains it.
    """
    deadline = by_rule(calendar, rule)
    day = deadline.day
    if day is None:
        raise ValueError("a rule leads to a day")
    if rule.unit == MONTHS:
        whole = Step(rule.start_on, day, StepKind.MONTHS, None, 0)
        return Explanation(day, deadline.provisional, (whole,), truncated=False)
    steps = [Step(rule.start_on, rule.start_on, StepKind.START, None, 0)]
    at = rule.start_on + ONE_DAY
    while at <= day and len(steps) < MAX_STEPS:
        steps.append(_stretch(calendar, at, day, steps[-1].counted))
        at = steps[-1].last + ONE_DAY
    return Explanation(day, deadline.provisional, tuple(steps), truncated=at <= day)


def _stretch(calendar: Calendar, first: date, until: date, counted: int) -> Step:
    """The step that begins on `first`, no longer than to `until`."""
    why = _reason(calendar, first)
    last = first
    while last < until and _reason(calendar, last + ONE_DAY) == why:
        last += ONE_DAY
    kind, name = why
    days = (last - first).days + 1 if kind in COUNTED else 0
    return Step(first, last, kind, name, counted + days)


def _reason(calendar: Calendar, day: date) -> tuple[StepKind, str | None]:
    worked, name = calendar.is_workday(day), calendar.holiday_name(day)
    if name is not None:
        return (StepKind.MAKEUP if worked else StepKind.HOLIDAY), name
    if calendar.ruled(day) is not None:
        return (StepKind.OVERRIDE_ON if worked else StepKind.OVERRIDE_OFF), None
    return (StepKind.WORKDAY if worked else StepKind.WEEKEND), None
