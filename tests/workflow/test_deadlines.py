"""Deadlines by hand-counted cases, lamps both ways, and days against instants."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from service.workflow.calendar import BASE, KNOWN_YEARS, Calendar, YearTable
from service.workflow.deadlines import (
    Deadline,
    Lamp,
    Rule,
    by_limit,
    by_rule,
    days_overdue,
    given,
    immediate,
    is_overdue,
    lamp_of,
    lamp_ranges,
    local_day,
    standing,
    start_of,
    working_days_overdue,
)

ONE_DAY = timedelta(days=1)
EMPTY = YearTable(frozenset(), frozenset(), complete=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")
LAMPS = (Lamp("yellow", -3), Lamp("red", 1))
MANY_LAMPS = (Lamp("blue", -5), Lamp("yellow", -3), Lamp("orange", 0), Lamp("red", 1), Lamp("black", 6))


@pytest.mark.parametrize(
    ("listed_on", "limit", "due_on"),
    [
        # Counted from the day after: listed on Monday, five working days end on the Monday after.
        (date(2025, 3, 3), 5, date(2025, 3, 10)),
        # Listed on a Saturday: Monday is the first.
        (date(2025, 3, 8), 1, date(2025, 3, 10)),
        # Over the Spring Festival of 2025: 26 and 27 January, then 5, 6, 7, 8 (made up) and 10 February.
        (date(2025, 1, 24), 5, date(2025, 2, 7)),
        (date(2025, 1, 24), 6, date(2025, 2, 8)),
        # Over National Day 2024, with 29 September and 12 October worked.
        (date(2024, 9, 27), 5, date(2024, 10, 10)),
        # Over a leap day.
        (date(2024, 2, 27), 3, date(2024, 3, 1)),
    ],
)
def test_the_limit_by_severity(listed_on: date, limit: int, due_on: date) -> None:
    deadline = by_limit(BASE, listed_on, limit, "限期整改")
    rule = Rule("severity_limit", limit, "working_days", listed_on)
    assert deadline == Deadline("date", due_on, None, "限期整改", False, rule)
    assert deadline.day == due_on


def test_immediate_counts_from_the_later_of_found_and_listed() -> None:
    monday, wednesday = date(2025, 3, 3), date(2025, 3, 5)
    assert immediate(BASE, monday, wednesday, 3).due_on == date(2025, 3, 10)
    assert immediate(BASE, wednesday, monday, 3).due_on == date(2025, 3, 10)
    assert immediate(BASE, None, monday, 3).due_on == date(2025, 3, 6)
    deadline = immediate(BASE, monday, wednesday, 3, "立行立改")
    assert (deadline.kind, deadline.text) == ("immediate", "立行立改")
    assert deadline.rule == Rule("immediate", 3, "working_days", wednesday)


@pytest.mark.parametrize(
    ("listed_on", "months", "review_on"),
    [
        (date(2025, 3, 15), 3, date(2025, 6, 15)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2023, 11, 30), 3, date(2024, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 12, 31), 1, date(2026, 1, 31)),
        (date(2025, 1, 31), 23, date(2026, 12, 31)),
        (date(2025, 1, 31), 3, date(2025, 4, 30)),
    ],
)
def test_standing_items_are_reviewed_months_later(listed_on: date, months: int, review_on: date) -> None:
    deadline = standing(listed_on, months, "长期坚持")
    rule = Rule("standing", months, "months", listed_on)
    assert deadline == Deadline("standing", None, review_on, "长期坚持", False, rule)
    assert deadline.day == review_on


def test_a_given_day_is_taken_as_it_stands() -> None:
    sunday = date(2027, 10, 3)
    assert given(sunday, "10月3日前") == Deadline("date", sunday, None, "10月3日前", False, None)
    assert given(sunday).day == sunday


def test_a_deadline_that_reaches_an_unpublished_year_is_provisional() -> None:
    assert not by_limit(BASE, date(2026, 11, 2), 15).provisional
    last_weeks = date(last_year := KNOWN_YEARS[-1], 12, 21)
    assert by_limit(BASE, last_weeks, 30).provisional
    # Listed on the last known day: everything counted lies beyond it.
    assert by_limit(BASE, date(last_year, 12, 31), 1).provisional
    # Listed on the last unknown day: nothing counted lies there.
    assert not by_limit(BASE, date(2003, 12, 31), 1).provisional
    assert not standing(last_weeks, 3).provisional
    # A complete table of the year ends it, but every year that was counted through needs one.
    assert not by_limit(Calendar({last_year + 1: EMPTY}), last_weeks, 30).provisional
    assert by_limit(Calendar({last_year + 2: EMPTY}), last_weeks, 300).provisional


def test_a_rule_leads_to_its_deadline_again_and_survives_json() -> None:
    published = YearTable(frozenset(), frozenset({date(2083, 1, 4), date(2083, 1, 5)}), complete=True)
    calendar = Calendar({2082: EMPTY, 2083: published})
    for deadline in (
        by_limit(BASE, date(2082, 12, 30), 4),
        immediate(BASE, None, date(2082, 12, 30), 4),
        standing(date(2082, 12, 30), 3),
    ):
        assert deadline.rule is not None
        stored = json.loads(json.dumps(deadline.rule.to_dict()))
        assert Rule.from_dict(stored) == deadline.rule
        assert by_rule(BASE, Rule.from_dict(stored)) == deadline
        again = by_rule(calendar, deadline.rule, "原文")
        assert (again.kind, again.text, again.provisional) == (deadline.kind, "原文", False)
    # 31 December, then 4, 5 and 6 January (the 1st is statutory); by the table the 4th and 5th are off too.
    assert by_limit(BASE, date(2082, 12, 30), 4).due_on == date(2083, 1, 6)
    assert by_limit(calendar, date(2082, 12, 30), 4).due_on == date(2083, 1, 8)


def test_overdue_begins_on_the_day_after() -> None:
    friday = date(2024, 9, 27)
    saturday, monday = friday + ONE_DAY, date(2024, 9, 30)
    assert [is_overdue(friday, today) for today in (friday - ONE_DAY, friday, saturday)] == [False, False, True]
    assert [days_overdue(friday, today) for today in (friday - ONE_DAY, friday, saturday, monday)] == [0, 0, 1, 3]
    # Sunday 29 September 2024 was worked, National Day was not.
    overdue = [working_days_overdue(BASE, friday, friday + n * ONE_DAY) for n in (-3, 0, 1, 2, 3, 4, 11)]
    assert overdue == [0, 0, 0, 1, 2, 2, 3]


def test_without_a_day_nothing_is_overdue() -> None:
    today = date(2025, 3, 3)
    assert not is_overdue(None, today)
    assert days_overdue(None, today) == 0
    assert working_days_overdue(BASE, None, today) == 0
    assert lamp_of(BASE, MANY_LAMPS, None, today) == "green"


@pytest.mark.parametrize(
    ("today", "default", "many"),
    [
        # The deadline is Thursday, 9 October 2025, the first working day after eight days off. Going back:
        # 30, 29 and 28 September (a Sunday, made up), then Friday 26 and Thursday 25.
        (date(2025, 9, 24), "green", "green"),
        (date(2025, 9, 25), "green", "blue"),
        (date(2025, 9, 27), "green", "blue"),
        (date(2025, 9, 28), "yellow", "yellow"),
        (date(2025, 10, 8), "yellow", "yellow"),
        (date(2025, 10, 9), "yellow", "orange"),
        (date(2025, 10, 10), "red", "red"),
        # Five working days after the 10th: 11 (made up), 13, 14, 15, 16.
        (date(2025, 10, 15), "red", "red"),
        (date(2025, 10, 16), "red", "black"),
    ],
)
def test_the_lamps_of_a_deadline_after_national_day(today: date, default: str, many: str) -> None:
    due_on = date(2025, 10, 9)
    assert lamp_of(BASE, LAMPS, due_on, today) == default
    assert lamp_of(BASE, MANY_LAMPS, due_on, today) == many
    # Red begins with the calendar day after a Friday, not with Monday.
    friday = date(2025, 3, 7)
    assert lamp_of(BASE, LAMPS, friday, friday + ONE_DAY) == "red"


def test_the_ranges_of_the_default_lamps() -> None:
    wednesday = date(2025, 3, 5)
    assert lamp_ranges(BASE, LAMPS, "red", wednesday) == [(None, date(2025, 3, 4))]
    assert lamp_ranges(BASE, LAMPS, "yellow", wednesday) == [(date(2025, 3, 5), date(2025, 3, 10))]
    assert lamp_ranges(BASE, LAMPS, "green", wednesday) == [(date(2025, 3, 11), None)]
    assert lamp_ranges(BASE, LAMPS, "blue", wednesday) == []
    # Without lamps everything is green.
    assert lamp_ranges(BASE, (), "green", wednesday) == [(None, None)]
    assert lamp_ranges(BASE, (), "red", wednesday) == []


def test_one_name_may_stand_for_several_stretches() -> None:
    lamps = (Lamp("red", -5), Lamp("yellow", -1), Lamp("red", 1), Lamp("red", 3))
    wednesday = date(2025, 3, 5)
    first, second = lamp_ranges(BASE, lamps, "red", wednesday)
    assert first == (None, date(2025, 3, 4))
    assert second == (date(2025, 3, 7), date(2025, 3, 12))


NAMES = ("green", "blue", "yellow", "orange", "red", "black")
PUBLISHED = YearTable(
    frozenset({date(2027, 2, 27)}), frozenset(date(2027, 2, day) for day in range(5, 20)), complete=True
)
CALENDARS = st.sampled_from([BASE, Calendar({2027: PUBLISHED})])
ANY_LAMPS = st.lists(st.builds(Lamp, st.sampled_from(NAMES), st.integers(-12, 12)), max_size=5)
# Mostly where make-up days and long holidays are, published, estimated and entered.
TODAYS = st.dates(date(2023, 12, 20), date(2027, 12, 31)) | st.dates(date(1991, 1, 1), date(2120, 1, 1))


@for_all(CALENDARS, ANY_LAMPS, TODAYS)
@example(BASE, list(MANY_LAMPS), date(2025, 10, 3))
def test_ranges_and_lamps_agree_on_every_day(calendar: Calendar, lamps: list[Lamp], today: date) -> None:
    ranges = {lamp: lamp_ranges(calendar, lamps, lamp, today) for lamp in NAMES}
    for offset in range(-45, 46):
        day = today + timedelta(days=offset)
        covered = [
            lamp for lamp, parts in ranges.items() for first, last in parts if (first or day) <= day <= (last or day)
        ]
        assert covered == [lamp_of(calendar, lamps, day, today)], day
    for parts in ranges.values():
        # Rising, and never two that touch: each range is one condition of a query.
        for (_, last), (first, _) in pairwise(parts):
            assert last is not None
            assert first is not None
            assert first > last + ONE_DAY


@for_all(st.dates(date(2004, 1, 1), date(2040, 1, 1)), st.integers(1, 60))
def test_a_computed_deadline_is_a_working_day_with_its_limit_before_it(listed_on: date, limit: int) -> None:
    due_on = by_limit(BASE, listed_on, limit).due_on
    assert due_on is not None
    assert BASE.is_workday(due_on)
    assert BASE.between(listed_on, due_on) == limit


def test_a_local_day_is_not_a_utc_day() -> None:
    assert start_of(date(2025, 10, 9), SHANGHAI) == datetime(2025, 10, 8, 16, 0, tzinfo=UTC)
    assert start_of(date(2025, 10, 9), SHANGHAI).tzinfo is UTC
    # UTC midnight is eight in the morning in Shanghai; the local midnight is at 16:00 UTC.
    assert local_day(datetime(2025, 10, 9, 0, 0, tzinfo=UTC), SHANGHAI) == date(2025, 10, 9)
    assert local_day(datetime(2025, 10, 9, 15, 59, 59, 999999, tzinfo=UTC), SHANGHAI) == date(2025, 10, 9)
    assert local_day(datetime(2025, 10, 9, 16, 0, tzinfo=UTC), SHANGHAI) == date(2025, 10, 10)
    assert not is_overdue(date(2025, 10, 9), local_day(datetime(2025, 10, 9, 15, 59, tzinfo=UTC), SHANGHAI))
    assert is_overdue(date(2025, 10, 9), local_day(datetime(2025, 10, 9, 16, 0, tzinfo=UTC), SHANGHAI))
    # An instant that names no zone would be read in the machine's.
    with pytest.raises(ValueError, match="time zone"):
        local_day(datetime(2025, 10, 9), SHANGHAI)  # noqa: DTZ001
    # Beirut's clocks went from 00:00 to 01:00 on 27 March 2022: the day began at the jump.
    assert start_of(date(2022, 3, 27), ZoneInfo("Asia/Beirut")) == datetime(2022, 3, 26, 22, 0, tzinfo=UTC)


@for_all(st.dates(date(1950, 1, 1), date(2200, 1, 1)), st.sampled_from(["Asia/Shanghai", "Asia/Urumqi", "UTC"]))
def test_a_day_begins_where_the_one_before_ends(day: date, name: str) -> None:
    tz = ZoneInfo(name)
    begin = start_of(day, tz)
    assert local_day(begin, tz) == day
    assert local_day(begin - timedelta(microseconds=1), tz) == day - ONE_DAY
