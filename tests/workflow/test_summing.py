"""From counts to tables: periods cut out of months, what lasts counted back, shares, and days to close."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from service.workflow.folding import ALL_TIME, ANY, BELOW, EVERY, FULL, PLAIN, WHOLE, Counted, fold
from service.workflow.summing import (
    Cuts,
    Period,
    Sums,
    end_of,
    median,
    months_of,
    nearest_rank,
    next_month,
    rows_of,
    whole_of,
)
from service.workflow.summing import figures as figures_of

MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)
TODAY = date(2026, 11, 2)
A, B, LEDGER = UUID(int=1), UUID(int=2), UUID(int=9)


def days(first: str, last: str) -> Period:
    return Period(date.fromisoformat(f"2026-{first}"), date.fromisoformat(f"2026-{last}"))


@pytest.mark.parametrize(
    ("period", "left_out", "more", "less"),
    [
        # Whole months.
        (days("03-01", "03-31"), (), (), ()),
        (days("03-01", "05-31"), (), (), ()),
        # A few days less are taken off; a few days alone are read one by one.
        (days("03-03", "05-31"), (), (), (days("03-01", "03-02"),)),
        (days("03-01", "05-29"), (), (), (days("05-30", "05-31"),)),
        (days("03-30", "05-31"), (MARCH,), (days("03-30", "03-31"),), ()),
        (days("03-01", "05-02"), (MAY,), (days("05-01", "05-02"),), ()),
        (days("03-30", "05-02"), (MARCH, MAY), (days("03-30", "03-31"), days("05-01", "05-02")), ()),
        (days("03-03", "03-29"), (), (), (days("03-01", "03-02"), days("03-30", "03-31"))),
        (days("03-14", "03-18"), (MARCH,), (days("03-14", "03-18"),), ()),
        (days("03-31", "03-31"), (MARCH,), (days("03-31", "03-31"),), ()),
        # Of a month that is under way what is to come is the least.
        (days("11-01", "11-02"), (), (), (days("11-03", "11-30"),)),
        (days("11-01", "11-01"), (date(2026, 11, 1),), (days("11-01", "11-01"),), ()),
        # Of one that has not begun there is hardly anything.
        (days("12-05", "12-10"), (date(2026, 12, 1),), (days("12-05", "12-10"),), ()),
    ],
)
def test_how_the_months_are_read_that_a_period_cuts(
    period: Period, left_out: tuple[date, ...], more: tuple[Period, ...], less: tuple[Period, ...]
) -> None:
    assert period.cuts(TODAY) == Cuts(left_out, more, less)
    assert period.months == (period.first.replace(day=1), period.last.replace(day=1))


def test_months_follow_each_other() -> None:
    assert (next_month(date(2026, 1, 1)), next_month(date(2026, 12, 1))) == (date(2026, 2, 1), date(2027, 1, 1))
    assert (end_of(date(2024, 2, 1)), end_of(date(2026, 12, 1))) == (date(2024, 2, 29), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("days", "middle", "ninth"),
    [
        ([], None, None),
        ([0], 0, 0),
        ([4, 9], 6.5, 9),
        ([1, 2, 30], 2, 30),
        ([3, 3, 3, 8], 3, 8),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5.5, 9),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 6, 10),
    ],
)
def test_median_and_nine_in_ten(days: list[int], middle: float | None, ninth: int | None) -> None:
    assert (median(Counter(days)), nearest_rank(Counter(days), 90)) == (middle, ninth)


def test_days_that_were_taken_back_do_not_count() -> None:
    days = Counter({3: 1, 50: 0, 70: 1})
    days[70] -= 1
    assert (median(days), nearest_rank(days, 90)) == (3, 3)


def test_a_share_of_nothing_is_nothing() -> None:
    assert figures_of(Counter(), Counter(), Counter())["on_time_rate"] is None
    assert figures_of(Counter(fell_due=3, closed_on_time=2), Counter(), Counter())["on_time_rate"] == 0.6667


def sums_of(**given: Any) -> Sums:
    sums = Sums(over_all=given.pop("over_all", Counter()))
    for name, rows in given.items():
        getattr(sums, name).update(rows)
    return sums


def test_rows_leave_out_what_counted_in_the_period_before() -> None:
    sums = sums_of(
        counted={A: Counter(fell_due=3), B: Counter(fell_due=1)},
        repeated={A: Counter(fell_due=1)},
        over_all=Counter(fell_due=1),
    )
    rows = rows_of(sums)
    assert (rows[A]["fell_due"], rows[B]["fell_due"], whole_of(sums)["fell_due"]) == (2, 1, 3)


def test_what_lasts_is_counted_back_month_by_month() -> None:
    """Two begin in March; in April and in May one begins and one ends."""
    sums = sums_of(
        counted={
            MARCH: Counter(overdue_begun=2, rectifying_begun=3),
            APRIL: Counter(overdue_begun=1, overdue_ended=1, rectifying_ended=2),
            MAY: Counter(overdue_begun=1, overdue_ended=1, rectifying_begun=1),
        },
        lasting={ALL_TIME: Counter(overdue_begun=4, overdue_ended=2, rectifying_begun=4, rectifying_ended=2)},
    )
    rows = months_of(sums, Period(MARCH, date(2026, 5, 31)), TODAY)
    assert [(rows[month]["overdue"], rows[month]["rectifying"]) for month in (MARCH, APRIL, MAY)] == [
        (2, 3), (2, 3), (2, 2),
    ]  # fmt: skip
    assert whole_of(sums)["rectifying"] == 4


def test_empty_months_stand_only_between_others() -> None:
    sums = sums_of(counted={MARCH: Counter(listed=1), MAY: Counter(listed=1)})
    assert list(months_of(sums, Period(date(2025, 1, 1), date(2027, 1, 31)), TODAY)) == [MARCH, APRIL, MAY]
    assert months_of(Sums(), Period(MARCH, MAY), TODAY) == {}


def test_what_lasts_now_tells_nothing_of_months_to_come() -> None:
    lasting = {ALL_TIME: Counter(overdue_begun=1)}
    period = Period(MARCH, date(2026, 5, 31))
    sums = sums_of(counted={MARCH: Counter(overdue_begun=1)}, lasting=lasting)
    assert list(months_of(sums, period, date(2026, 4, 9))) == [MARCH, APRIL]
    # Closed before a deadline that is still to come: that counts in its month already.
    sums = sums_of(counted={MARCH: Counter(overdue_begun=1), MAY: Counter(fell_due=1)}, lasting=lasting)
    assert list(months_of(sums, period, date(2026, 4, 9))) == [MARCH, APRIL, MAY]


def test_a_count_goes_into_sums_of_four_kinds() -> None:
    day, month, county = date(2026, 3, 20), MARCH, UUID(int=3)
    facts = (A, LEDGER, "general", "audit")
    line = (A, B, county)
    closed = Counted("closed", day, *facts, 12, 1)
    sums, days_taken = fold([closed, closed, Counted("overdue_begun", day, *facts, 0, 1)], {A: line})
    keys = [
        (FULL, A, LEDGER, "general", "audit"), (WHOLE, EVERY, LEDGER, "general", "audit"), (PLAIN, A, EVERY, ANY, ANY),
        (BELOW, B, EVERY, ANY, ANY), (BELOW, county, EVERY, ANY, ANY),
    ]  # fmt: skip
    assert sums == {
        (level, when, *rest): counts
        for level, *rest in keys
        for when, counts in ((month, {"closed": 2, "overdue_begun": 1}), (ALL_TIME, {"overdue_begun": 1}))
    }
    assert days_taken == {(PLAIN, month, A, 12): 2, (BELOW, month, B, 12): 2, (BELOW, month, county, 12): 2}


def test_counts_that_cancel_out_make_no_sum() -> None:
    facts = (A, LEDGER, "general", "audit", 3)
    pair = [Counted("closed", MARCH, *facts, 1), Counted("closed", date(2026, 3, 9), *facts, -1)]
    assert fold(pair, {A: (A,)}) == ({}, {})
