"""How computed deadlines explain themselves, by cases worked out on paper from the notices."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.calendar import BASE, Calendar, YearTable
from service.workflow.deadlines import CLAIM, IMMEDIATE, MONTHS, SEVERITY_LIMIT, STANDING, WORKING_DAYS, Rule, by_rule
from service.workflow.explain import COUNTED, MAX_STEPS, Explanation, StepKind, explain
from tests.workflow.builders import examples

ONE_DAY = timedelta(days=1)


def limit(days: int, start_on: date, name: str = SEVERITY_LIMIT) -> Rule:
    return Rule(name, days, WORKING_DAYS, start_on)


def told(explanation: Explanation) -> list[str]:
    """The steps as lines: first and last day (or one), kind, name, how many are counted by then."""
    lines = []
    for step in explanation.steps:
        days = f"{step.first:%m-%d}" if step.first == step.last else f"{step.first:%m-%d} {step.last:%m-%d}"
        lines.append(" ".join([days, step.kind, *([step.name] if step.name else []), str(step.counted)]))
    return lines


def test_over_spring_festival_2026() -> None:
    """Serious, listed on Monday 2 February: Saturdays 14 and 28 are worked, 15 to 23 February are off."""
    found = explain(BASE, limit(15, date(2026, 2, 2)))
    assert (found.day, found.provisional, found.truncated) == (date(2026, 2, 28), False, False)
    assert told(found) == [
        "02-02 start 0",
        "02-03 02-06 workday 4",
        "02-07 02-08 weekend 4",
        "02-09 02-13 workday 9",
        "02-14 makeup 春节 10",
        "02-15 02-23 holiday 春节 10",
        "02-24 02-27 workday 14",
        "02-28 makeup 春节 15",
    ]


def test_over_national_day_2026_with_the_weekend_days_that_pay_for_it() -> None:
    """Listed on Friday 18 September: Sunday 20 September and Saturday 10 October are worked."""
    found = explain(BASE, limit(15, date(2026, 9, 18)))
    assert found.day == date(2026, 10, 15)
    assert told(found) == [
        "09-18 start 0",
        "09-19 weekend 0",
        "09-20 makeup 国庆节 1",
        "09-21 09-24 workday 5",
        "09-25 09-27 holiday 中秋节 5",
        "09-28 09-30 workday 8",
        "10-01 10-07 holiday 国庆节 8",
        "10-08 10-09 workday 10",
        "10-10 makeup 国庆节 11",
        "10-11 weekend 11",
        "10-12 10-15 workday 15",
    ]


def test_two_holidays_in_one_are_told_by_their_names() -> None:
    """In 2025 Mid-Autumn fell into National Day's week."""
    found = explain(BASE, limit(2, date(2025, 9, 30)))
    assert told(found) == [
        "09-30 start 0",
        "10-01 10-05 holiday 国庆节 0",
        "10-06 holiday 中秋节 0",
        "10-07 10-08 holiday 国庆节 0",
        "10-09 10-10 workday 2",
    ]


@pytest.mark.parametrize(
    ("start_on", "lines"),
    [
        # A working day as the start is not counted either.
        (date(2026, 3, 4), ["03-04 start 0", "03-05 workday 1"]),
        # On a Friday, on the Saturday itself, inside a holiday, and on a make-up Saturday.
        (date(2026, 3, 6), ["03-06 start 0", "03-07 03-08 weekend 0", "03-09 workday 1"]),
        (date(2026, 3, 7), ["03-07 start 0", "03-08 weekend 0", "03-09 workday 1"]),
        (date(2026, 2, 20), ["02-20 start 0", "02-21 02-23 holiday 春节 0", "02-24 workday 1"]),
        (date(2026, 2, 14), ["02-14 start 0", "02-15 02-23 holiday 春节 0", "02-24 workday 1"]),
    ],
)
def test_counting_begins_on_the_day_after(start_on: date, lines: list[str]) -> None:
    for name in (SEVERITY_LIMIT, IMMEDIATE, CLAIM):
        assert told(explain(BASE, limit(1, start_on, name))) == lines


def test_a_leap_day_is_a_day_like_others() -> None:
    assert told(explain(BASE, limit(5, date(2024, 2, 28)))) == [
        "02-28 start 0",
        "02-29 03-01 workday 2",
        "03-02 03-03 weekend 2",
        "03-04 03-06 workday 5",
    ]
    assert told(explain(BASE, limit(2, date(2025, 2, 28)))) == [
        "02-28 start 0",
        "03-01 03-02 weekend 0",
        "03-03 03-04 workday 2",
    ]


def table(year: int, workdays: list[str], holidays: list[str], *, complete: bool) -> Calendar:
    days = ([date.fromisoformat(f"{year}-{day}") for day in each] for each in (workdays, holidays))
    return Calendar({year: YearTable(*map(frozenset, days), complete=complete)}, epoch=1)


def test_a_year_without_a_notice_is_provisional_until_its_table_is_complete() -> None:
    """Listed on Wednesday 3 February 2027: by law 5 to 8 February are off, the rest is for the notice to say."""
    rule = limit(5, date(2027, 2, 3))
    guessed = explain(BASE, rule)
    assert guessed.provisional
    assert told(guessed)[:4] == [
        "02-03 start 0",
        "02-04 workday 1",
        "02-05 holiday 农历除夕 1",
        "02-06 02-08 holiday 春节 1",
    ]

    arranged = (["01-30", "02-14"], [f"02-{day:02}" for day in range(5, 14)])
    for complete in (False, True):
        found = explain(table(2027, *arranged, complete=complete), rule)
        assert (found.day, found.provisional) == (date(2027, 2, 17), not complete)
    # Days off by law keep their name; those that only the table knows have none, weekends among them.
    assert told(found) == [
        "02-03 start 0",
        "02-04 workday 1",
        "02-05 holiday 农历除夕 1",
        "02-06 02-08 holiday 春节 1",
        "02-09 02-13 override_off 1",
        "02-14 override_on 2",
        "02-15 02-17 workday 5",
    ]


def test_a_table_over_a_published_year_is_told_where_it_differs() -> None:
    """A county's own day off on Tuesday 10 March, and a Saturday worked for it; 6 April it says as the notice does."""
    calendar = table(2026, ["03-14"], ["03-10", "04-06"], complete=False)
    found = explain(calendar, limit(5, date(2026, 3, 9)))
    assert (found.day, found.provisional) == (date(2026, 3, 16), False)
    assert told(found) == [
        "03-09 start 0",
        "03-10 override_off 0",
        "03-11 03-13 workday 3",
        "03-14 override_on 4",
        "03-15 weekend 4",
        "03-16 workday 5",
    ]
    assert told(explain(calendar, limit(1, date(2026, 4, 3)))) == [
        "04-03 start 0",
        "04-04 04-06 holiday 清明节 0",
        "04-07 workday 1",
    ]


def test_a_review_is_one_step_of_months() -> None:
    found = explain(BASE, Rule(STANDING, 3, MONTHS, date(2025, 11, 30)))
    assert (found.day, found.provisional, told(found)) == (date(2026, 2, 28), False, ["11-30 02-28 months 0"])


def test_a_step_as_plain_json() -> None:
    makeup = explain(BASE, limit(15, date(2026, 2, 2))).steps[4]
    assert makeup.to_dict() == {
        "from": "2026-02-14", "to": "2026-02-14", "kind": "makeup", "name": "春节", "counted": 10,
    }  # fmt: skip


def test_a_long_way_is_told_in_part_and_ends_on_the_right_day() -> None:
    rule = limit(3650, date(2026, 1, 5))
    found = explain(BASE, rule)
    assert found.truncated and len(found.steps) == MAX_STEPS
    assert found.day == by_rule(BASE, rule).due_on
    assert found.steps[-1].last < found.day
    # The longest limit that a year has room for is told whole.
    assert not explain(BASE, limit(250, date(2026, 1, 5))).truncated


OFTEN_OFF = table(2026, ["06-06", "06-07"], [f"06-{day:02}" for day in range(8, 20)], complete=True)


@given(
    st.sampled_from([BASE, OFTEN_OFF]),
    st.dates(date(2019, 1, 1), date(2032, 12, 31)),
    st.integers(1, 120),
)
@examples(100)
def test_the_steps_cover_every_day_once_and_count_the_limit(calendar: Calendar, start_on: date, days: int) -> None:
    found = explain(calendar, limit(days, start_on))
    first, *rest = found.steps
    assert (first.first, first.last, first.kind, first.counted) == (start_on, start_on, StepKind.START, 0)
    assert found.day == by_rule(calendar, limit(days, start_on)).due_on == rest[-1].last
    assert rest[-1].counted == days
    for before, step in pairwise(found.steps):
        assert step.first == before.last + ONE_DAY <= step.last + ONE_DAY
        assert (step.kind, step.name) != (before.kind, before.name), "it would be one step"
        worked = step.counted - before.counted
        assert worked == calendar.between(before.last, step.last)
        assert worked == ((step.last - step.first).days + 1 if step.kind in COUNTED else 0)
