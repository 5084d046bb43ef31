"""Working days against the State Council's notices for 2024, 2025 and 2026, written down here by hand."""

from bisect import bisect_right
from datetime import date, timedelta
from itertools import pairwise

import pytest
from holidays import country_holidays
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.calendar import BASE, KNOWN_YEARS, Calendar, YearTable
from tests.workflow.builders import examples

ONE_DAY = timedelta(days=1)

# First and last day off as the notice states them, weekends inside included.
OFF = [
    ("元旦", date(2024, 1, 1), date(2024, 1, 1)),
    ("春节", date(2024, 2, 10), date(2024, 2, 17)),
    ("清明节", date(2024, 4, 4), date(2024, 4, 6)),
    ("劳动节", date(2024, 5, 1), date(2024, 5, 5)),
    ("端午节", date(2024, 6, 10), date(2024, 6, 10)),
    ("中秋节", date(2024, 9, 15), date(2024, 9, 17)),
    ("国庆节", date(2024, 10, 1), date(2024, 10, 7)),
    ("元旦", date(2025, 1, 1), date(2025, 1, 1)),
    ("春节", date(2025, 1, 28), date(2025, 2, 4)),
    ("清明节", date(2025, 4, 4), date(2025, 4, 6)),
    ("劳动节", date(2025, 5, 1), date(2025, 5, 5)),
    ("端午节", date(2025, 5, 31), date(2025, 6, 2)),
    ("国庆节", date(2025, 10, 1), date(2025, 10, 8)),
    ("元旦", date(2026, 1, 1), date(2026, 1, 3)),
    ("春节", date(2026, 2, 15), date(2026, 2, 23)),
    ("清明节", date(2026, 4, 4), date(2026, 4, 6)),
    ("劳动节", date(2026, 5, 1), date(2026, 5, 5)),
    ("端午节", date(2026, 6, 19), date(2026, 6, 21)),
    ("中秋节", date(2026, 9, 25), date(2026, 9, 27)),
    ("国庆节", date(2026, 10, 1), date(2026, 10, 7)),
]
MADE_UP = {
    date(2024, 2, 4): "春节",
    date(2024, 2, 18): "春节",
    date(2024, 4, 7): "清明节",
    date(2024, 4, 28): "劳动节",
    date(2024, 5, 11): "劳动节",
    date(2024, 9, 14): "中秋节",
    date(2024, 9, 29): "国庆节",
    date(2024, 10, 12): "国庆节",
    date(2025, 1, 26): "春节",
    date(2025, 2, 8): "春节",
    date(2025, 4, 27): "劳动节",
    date(2025, 9, 28): "国庆节",
    date(2025, 10, 11): "国庆节",
    date(2026, 1, 4): "元旦",
    date(2026, 2, 14): "春节",
    date(2026, 2, 28): "春节",
    date(2026, 5, 9): "劳动节",
    date(2026, 9, 20): "国庆节",
    date(2026, 10, 10): "国庆节",
}

# An invented notice of the usual shape, for a year that no package will know for a long while.
NOTICE_2083 = YearTable(
    workdays=frozenset({date(2083, 2, 27), date(2083, 10, 9)}),
    holidays=frozenset(date(2083, 2, day) for day in range(16, 23)) | {date(2083, 10, 7), date(2083, 10, 8)},
    complete=True,
)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_every_day_of_a_published_year(year: int) -> None:
    off = {day for _, first, last in OFF for day in days(first, last)}
    for day in days(date(year, 1, 1), date(year, 12, 31)):
        assert BASE.is_workday(day) == (day in MADE_UP or (day.weekday() < 5 and day not in off)), day
        assert not BASE.is_provisional(day)


def test_the_names_of_holidays_and_of_what_pays_for_them() -> None:
    for name, first, last in OFF:
        for day in days(first, last):
            # In 2025 National Day and Mid-Autumn shared one holiday, whose 6 October is the latter.
            assert BASE.holiday_name(day) == ("中秋节" if day == date(2025, 10, 6) else name), day
    for day, name in MADE_UP.items():
        assert BASE.holiday_name(day) == name, day
    assert BASE.holiday_name(date(2025, 3, 5)) is None
    assert BASE.holiday_name(date(2025, 3, 8)) is None


def test_two_independent_packages_agree() -> None:
    other = country_holidays("CN", years=range(2006, KNOWN_YEARS.stop))
    for day in days(date(2006, 1, 1), date(KNOWN_YEARS[-1], 12, 31)):
        assert BASE.is_workday(day) == ((day.weekday() < 5 and day not in other) or day in other.weekend_workdays), day


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        # Spring Festival 2025: Sunday 26 January is worked, 28 January to 4 February is off, Saturday 8 is worked.
        (date(2025, 1, 24), 1, date(2025, 1, 26)),
        (date(2025, 1, 24), 2, date(2025, 1, 27)),
        (date(2025, 1, 24), 3, date(2025, 2, 5)),
        (date(2025, 1, 24), 6, date(2025, 2, 8)),
        (date(2025, 1, 24), 7, date(2025, 2, 10)),
        # National Day 2024, from within and from before.
        (date(2024, 9, 30), 1, date(2024, 10, 8)),
        (date(2024, 10, 3), 1, date(2024, 10, 8)),
        (date(2024, 9, 30), 5, date(2024, 10, 12)),
        (date(2024, 10, 8), -1, date(2024, 9, 30)),
        (date(2024, 10, 3), -2, date(2024, 9, 29)),
        # National Day 2026.
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 9, 30), 3, date(2026, 10, 10)),
        # A leap day and the lack of one.
        (date(2024, 2, 28), 1, date(2024, 2, 29)),
        (date(2024, 3, 1), -1, date(2024, 2, 29)),
        (date(2025, 2, 28), 1, date(2025, 3, 3)),
        # Over the turn of the year.
        (date(2024, 12, 31), 1, date(2025, 1, 2)),
        (date(2025, 1, 2), -1, date(2024, 12, 31)),
        # Zero stays where it is, worked or not.
        (date(2025, 10, 1), 0, date(2025, 10, 1)),
    ],
)
def test_adding_working_days(day: date, n: int, expected: date) -> None:
    assert BASE.add(day, n) == expected


def test_counting_between() -> None:
    assert BASE.between(date(2025, 1, 24), date(2025, 2, 8)) == 6
    assert BASE.between(date(2025, 2, 8), date(2025, 1, 24)) == -6
    assert BASE.between(date(2025, 1, 27), date(2025, 2, 4)) == 0
    assert BASE.between(date(2025, 3, 5), date(2025, 3, 5)) == 0
    # The working days of whole years: 2024 to 2026 by the notices above.
    assert BASE.between(date(2023, 12, 31), date(2024, 12, 31)) == 251
    assert BASE.between(date(2023, 12, 31), date(2026, 12, 31)) == 251 + 248 + 248


def test_a_year_without_notice_is_weekdays_minus_statutory_holidays_and_provisional() -> None:
    year = KNOWN_YEARS[-1] + 1
    assert not BASE.is_provisional(date(year - 1, 12, 31))
    assert BASE.is_provisional(date(year, 1, 1))
    assert BASE.is_provisional(date(KNOWN_YEARS[0] - 1, 12, 31))
    # 2050 will have no notice for a long while. The Spring Festival begins on Sunday, 23 January.
    for statutory in (date(2050, 1, 24), date(2050, 1, 25), date(2050, 10, 3)):
        assert not BASE.is_workday(statutory)
    assert BASE.holiday_name(date(2050, 1, 24)) == "春节"
    assert BASE.is_workday(date(2050, 3, 1))
    assert not any(BASE.is_workday(day) for day in days(date(2050, 1, 1), date(2050, 12, 31)) if day.weekday() > 4)


def test_make_up_days_count_in_the_years_that_only_the_second_package_knows() -> None:
    # Notice for 2003: the Spring Festival's 6 and 7 February are paid for by Saturday 8 and Sunday 9.
    assert BASE.add(date(2003, 1, 31), 1) == date(2003, 2, 8)
    assert BASE.is_provisional(date(2003, 2, 8))


def test_a_complete_table_ends_provisional_and_replaces_the_guesses() -> None:
    calendar = Calendar({2083: NOTICE_2083}, epoch=7)
    assert calendar.epoch == 7
    assert not calendar.is_provisional(date(2083, 6, 1))
    assert calendar.is_provisional(date(2084, 6, 1))
    assert calendar.add(date(2083, 2, 15), 1) == date(2083, 2, 23)
    assert calendar.is_workday(date(2083, 2, 27))
    assert not calendar.is_workday(date(2083, 10, 7))
    # A statutory holiday stands by law, whether the table repeats it or not.
    assert not calendar.is_workday(date(2083, 10, 1))
    # Where the notice will put the weekday for a holiday on a weekend is a guess, which the table replaces.
    assert not BASE.is_workday(date(2083, 10, 4))
    assert calendar.is_workday(date(2083, 10, 4))
    assert BASE.is_provisional(date(2083, 6, 1))


def test_an_incomplete_table_wins_day_by_day_and_stays_provisional() -> None:
    table = YearTable(frozenset({date(2083, 10, 1)}), frozenset({date(2083, 3, 3)}), complete=False)
    calendar = Calendar({2083: table})
    assert calendar.is_provisional(date(2083, 3, 3))
    assert calendar.is_workday(date(2083, 10, 1))
    assert calendar.holiday_name(date(2083, 10, 1)) is None
    assert not calendar.is_workday(date(2083, 3, 3))
    assert calendar.holiday_name(date(2083, 3, 3)) is None
    assert not calendar.is_workday(date(2083, 10, 4))


def test_a_table_over_a_known_year_changes_its_days_alone() -> None:
    table = YearTable(frozenset({date(2025, 10, 4)}), frozenset({date(2025, 10, 11), date(2025, 7, 1)}), complete=False)
    calendar = Calendar({2025: table})
    changed = [
        day for day in days(date(2024, 1, 1), date(2026, 12, 31)) if calendar.is_workday(day) != BASE.is_workday(day)
    ]
    assert changed == [date(2025, 7, 1), date(2025, 10, 4), date(2025, 10, 11)]
    assert calendar.holiday_name(date(2025, 10, 3)) == "国庆节"
    assert calendar.holiday_name(date(2025, 10, 4)) is None
    assert calendar.holiday_name(date(2025, 10, 11)) is None
    assert not calendar.is_provisional(date(2025, 7, 1))


def test_a_table_speaks_for_its_own_year_and_off_wins_over_worked() -> None:
    both = date(2025, 10, 12)
    table = YearTable(frozenset({both, date(2026, 1, 10)}), frozenset({both, date(2024, 3, 5)}), complete=True)
    calendar = Calendar({2025: table})
    assert not calendar.is_workday(both)
    assert not calendar.is_workday(date(2026, 1, 10))
    assert calendar.between(date(2024, 12, 31), date(2026, 1, 1)) == 248
    assert calendar.is_workday(date(2024, 3, 5))


def test_a_year_without_any_working_day_is_stepped_over() -> None:
    table = YearTable(frozenset(), frozenset(days(date(2025, 1, 1), date(2025, 12, 31))), complete=True)
    calendar = Calendar({2025: table})
    assert calendar.add(date(2024, 12, 31), 1) == date(2026, 1, 4)
    assert calendar.add(date(2026, 1, 4), -1) == date(2024, 12, 31)


CALENDARS = st.sampled_from([BASE, Calendar({2083: NOTICE_2083})])
DAYS = st.dates(date(1990, 1, 1), date(2110, 12, 31))


@given(CALENDARS, DAYS, st.integers(-300, 300))
@examples(100)
def test_add_walks_as_one_walks_day_by_day(calendar: Calendar, day: date, n: int) -> None:
    step = ONE_DAY if n > 0 else -ONE_DAY
    walked, left = day, abs(n)
    while left:
        walked += step
        left -= calendar.is_workday(walked)
    assert calendar.add(day, n) == walked


@given(CALENDARS, DAYS, st.integers(0, 800))
@examples(100)
def test_between_counts_what_one_counts_day_by_day(calendar: Calendar, after: date, span: int) -> None:
    until = after + timedelta(days=span)
    counted = sum(calendar.is_workday(day) for day in days(after + ONE_DAY, until))
    assert calendar.between(after, until) == counted
    assert calendar.between(until, after) == -counted


@given(st.dates(date(1900, 12, 31), date(2199, 12, 31)), st.integers(-60, 60))
@examples(100)
def test_add_holds_over_the_whole_range(day: date, n: int) -> None:
    moved = BASE.add(day, n)
    assert BASE.between(day, moved) == n if n > 0 or BASE.is_workday(day) else BASE.between(day, moved) <= 0


def test_no_year_has_a_gap_longer_than_the_longest_holiday() -> None:
    worked = [day for day in days(date(2004, 1, 1), date(2100, 12, 31)) if BASE.is_workday(day)]
    assert bisect_right(worked, date(2026, 12, 31)) > 23 * 245
    # Ten days off stood in 2020, when the Spring Festival was prolonged.
    assert max((later - earlier).days for earlier, later in pairwise(worked)) <= 11
