"""Deadlines as the State Council's notices for 2024, 2025 and 2026 make them, each counted by hand on the calendar.

That every single day of the three years is worked or off as the notices say stands in test_calendar.py.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.workflow import guards, requests
from service.workflow.calendar import BASE
from service.workflow.deadlines import (
    Lamp,
    by_limit,
    days_overdue,
    immediate,
    is_overdue,
    lamp_of,
    local_day,
    standing,
    start_of,
    working_days_overdue,
)
from tests.workflow.builders import a_case, a_command, an_item, guarded

SHANGHAI, URUMQI = ZoneInfo("Asia/Shanghai"), ZoneInfo("Asia/Urumqi")
ONE_DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
LAMPS = (Lamp("yellow", -3), Lamp("red", 1))


def counted(listed_on: date, due_on: date) -> list[date]:
    """The working days of a limit, as an officer ticks them off."""
    span = [listed_on + timedelta(days=n) for n in range(1, (due_on - listed_on).days + 1)]
    return [day for day in span if BASE.is_workday(day)]


SPANS = [
    # Spring Festival 2024: Sunday 4 February worked, 10 to 17 off, Sunday 18 worked. Friday 9, the eve, was worked.
    (date(2024, 2, 2), 5, date(2024, 2, 8)),
    (date(2024, 2, 2), 6, date(2024, 2, 9)),
    (date(2024, 2, 2), 7, date(2024, 2, 18)),
    (date(2024, 2, 8), 3, date(2024, 2, 19)),
    # Mid-Autumn 2024: Saturday 14 September worked, 15 to 17 off.
    (date(2024, 9, 13), 1, date(2024, 9, 14)),
    (date(2024, 9, 13), 2, date(2024, 9, 18)),
    # National Day 2024: 1 to 7 October off, Saturday 12 worked, and due on it.
    (date(2024, 9, 30), 5, date(2024, 10, 12)),
    # Spring Festival 2025: Sunday 26 January worked, 28 January to 4 February off, Saturday 8 February worked.
    (date(2025, 1, 24), 15, date(2025, 2, 20)),
    # Labour Day 2025: Sunday 27 April worked, 1 to 5 May off.
    (date(2025, 4, 25), 4, date(2025, 4, 30)),
    (date(2025, 4, 25), 5, date(2025, 5, 6)),
    # National Day and Mid-Autumn 2025: Sunday 28 September worked, 1 to 8 October off.
    (date(2025, 9, 26), 5, date(2025, 10, 10)),
    # New Year 2026: 1 to 3 January off, Sunday 4 worked.
    (date(2025, 12, 31), 1, date(2026, 1, 4)),
    (date(2026, 1, 1), 1, date(2026, 1, 4)),
    # Spring Festival 2026: Saturday 14 February worked, 15 to 23 off, Saturday 28 worked, and due on it.
    (date(2026, 2, 10), 5, date(2026, 2, 24)),
    (date(2026, 2, 10), 15, date(2026, 3, 9)),
    (date(2026, 2, 10), 30, date(2026, 3, 30)),
    (date(2026, 2, 23), 5, date(2026, 2, 28)),
    # Listed in the middle of it.
    (date(2026, 2, 17), 3, date(2026, 2, 26)),
    # Labour Day 2026: 1 to 5 May off, Saturday 9 worked.
    (date(2026, 4, 30), 3, date(2026, 5, 8)),
    (date(2026, 4, 30), 4, date(2026, 5, 9)),
]


@pytest.mark.parametrize(("listed_on", "limit", "due_on"), SPANS)
def test_a_limit_over_a_holiday(listed_on: date, limit: int, due_on: date) -> None:
    assert by_limit(BASE, listed_on, limit).due_on == due_on
    assert len(counted(listed_on, due_on)) == limit


def test_of_these_some_fall_due_on_a_worked_weekend() -> None:
    assert {due_on for _, _, due_on in SPANS if due_on.weekday() > 4} == {
        date(2024, 2, 18), date(2024, 9, 14), date(2024, 10, 12),
        date(2026, 1, 4), date(2026, 2, 28), date(2026, 5, 9),
    }  # fmt: skip


def test_listed_on_the_last_working_day_or_anywhere_in_the_holiday_is_all_the_same() -> None:
    """The day after the start is the first that can count, so nothing is won or lost by the day within."""
    due = {by_limit(BASE, date(2026, 2, day), 5).due_on for day in range(14, 24)}
    assert due == {date(2026, 2, 28)}
    assert by_limit(BASE, date(2026, 2, 13), 5).due_on == date(2026, 2, 27)
    assert by_limit(BASE, date(2026, 2, 24), 5).due_on == date(2026, 3, 2)


def test_found_before_the_holiday_and_listed_after_it() -> None:
    """立行立改: three working days from the later of the two."""
    before, after = date(2026, 9, 30), date(2026, 10, 8)
    assert immediate(BASE, before, after, 3).due_on == date(2026, 10, 12)
    assert immediate(BASE, None, before, 3).due_on == date(2026, 10, 10)


# -- late, by the calendar and by working days


def test_over_spring_festival_one_is_late_by_many_days_and_few_working_days() -> None:
    friday = date(2026, 2, 13)
    assert not is_overdue(friday, friday)
    # The 14th is worked, the nine days behind it are not, the 24th is again.
    for today, late, worked in ((14, 1, 1), (15, 2, 1), (23, 10, 1), (24, 11, 2)):
        day = date(2026, 2, today)
        assert (days_overdue(friday, day), working_days_overdue(BASE, friday, day)) == (late, worked)


def test_a_lamp_turns_yellow_before_the_holiday_and_red_on_a_day_off() -> None:
    """Due on the first working day after National Day 2026: three working days before it lies 28 September."""
    due_on = date(2026, 10, 8)
    shown = {day: lamp_of(BASE, LAMPS, due_on, day) for day in (date(2026, 9, 27), date(2026, 9, 28), due_on)}
    assert list(shown.values()) == ["green", "yellow", "yellow"]
    # Due on the last working day before it: red begins on National Day itself.
    assert lamp_of(BASE, LAMPS, date(2026, 9, 30), date(2026, 10, 1)) == "red"


# -- an extension over National Day


@pytest.mark.parametrize(
    ("due_on", "until"),
    [
        # A working day before; the holiday gives no more time to ask.
        (date(2026, 10, 8), date(2026, 9, 30)),
        (date(2026, 9, 30), date(2026, 9, 29)),
        (date(2026, 10, 9), date(2026, 10, 8)),
        # Before a Monday lies a Sunday that is worked.
        (date(2026, 9, 21), date(2026, 9, 20)),
    ],
)
def test_an_extension_is_asked_for_a_working_day_before(due_on: date, until: date) -> None:
    item = an_item("rectifying", due_on=due_on)
    requests.asked_in_time(a_case(item, today=until))
    with guarded("apply_before", until=until.isoformat()):
        requests.asked_in_time(a_case(item, today=until + ONE_DAY))


def test_an_extension_adds_calendar_days_whatever_the_holiday_takes_of_them() -> None:
    """From 30 September to 12 October: twelve days of the sixty, of which four are worked."""
    item = an_item("rectifying", due_on=date(2026, 9, 30))
    command = a_command("extend", due_on=date(2026, 10, 12))
    assert guards.days_added(a_case(item, command), command) == 12
    assert BASE.between(date(2026, 9, 30), date(2026, 10, 12)) == 4


# -- leap years


@pytest.mark.parametrize(
    ("listed_on", "due_on"),
    [
        (date(2024, 2, 28), date(2024, 2, 29)),
        (date(2024, 2, 29), date(2024, 3, 1)),
        # Every four years, not in 2100, but in 2000.
        (date(2028, 2, 28), date(2028, 2, 29)),
        (date(2096, 2, 28), date(2096, 2, 29)),
        (date(2100, 2, 26), date(2100, 3, 1)),
        (date(2000, 2, 28), date(2000, 2, 29)),
    ],
)
def test_the_day_after_in_a_leap_year(listed_on: date, due_on: date) -> None:
    assert by_limit(BASE, listed_on, 1).due_on == due_on


def test_a_review_that_has_no_such_day_comes_on_the_month_s_last() -> None:
    reviews = [date(2023, 8, 31)]
    while len(reviews) < 6:
        reviews.append(standing(reviews[0], 6 * len(reviews)).review_on or reviews[0])
    assert reviews[1:] == [
        date(2024, 2, 29), date(2024, 8, 31), date(2025, 2, 28), date(2025, 8, 31), date(2026, 2, 28),
    ]  # fmt: skip


# -- the tenant's days against UTC's


def test_what_is_listed_in_the_evening_in_utc_is_listed_tomorrow_at_home() -> None:
    """Midnight in Shanghai is 16:00 UTC the day before: a second there is a day of the limit."""
    midnight = datetime(2026, 10, 7, 16, tzinfo=UTC)
    assert start_of(date(2026, 10, 8), SHANGHAI) == midnight
    before, at = local_day(midnight - SECOND, SHANGHAI), local_day(midnight, SHANGHAI)
    assert (before, at) == (date(2026, 10, 7), date(2026, 10, 8))
    assert by_limit(BASE, before, 1).due_on == date(2026, 10, 8)
    assert by_limit(BASE, at, 1).due_on == date(2026, 10, 9)


def test_a_deadline_ends_with_the_tenant_s_own_midnight() -> None:
    due_on = date(2026, 2, 28)
    for tz, hour in ((SHANGHAI, 16), (URUMQI, 18), (ZoneInfo("UTC"), 24)):
        ends = datetime(2026, 2, 28, tzinfo=UTC) + timedelta(hours=hour)
        assert start_of(due_on + ONE_DAY, tz) == ends
        assert not is_overdue(due_on, local_day(ends - SECOND, tz))
        assert is_overdue(due_on, local_day(ends, tz))


def test_the_year_turns_at_home_and_not_in_utc() -> None:
    """At 16:00 UTC on New Year's Eve it is a day off in Shanghai, and in UTC's own tenant still a working day."""
    instant = datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert [BASE.is_workday(local_day(instant, tz)) for tz in (SHANGHAI, ZoneInfo("UTC"))] == [False, True]
    assert by_limit(BASE, local_day(instant, SHANGHAI), 2).due_on == date(2026, 1, 5)
    assert by_limit(BASE, local_day(instant, ZoneInfo("UTC")), 1).due_on == date(2026, 1, 4)
