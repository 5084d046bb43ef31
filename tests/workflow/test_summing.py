"""From counts to tables: periods cut out of months, what lasts counted back, shares, and days to close."""

from collections import Counter
from datetime import date
from uuid import UUID

import pytest

from service.workflow.folding import ALL_TIME, ANY, EVERY, FULL, PLAIN, WHOLE, fold
from service.workflow.summing import (
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


@pytest.mark.parametrize(
    ("first", "last", "cut"),
    [
        (MARCH, date(2026, 3, 31), ()),
        (MARCH, date(2026, 5, 31), ()),
        (date(2026, 3, 2), date(2026, 5, 31), (MARCH,)),
        (MARCH, date(2026, 5, 30), (MAY,)),
        (date(2026, 3, 2), date(2026, 5, 30), (MARCH, MAY)),
        (date(2026, 3, 2), date(2026, 3, 30), (MARCH,)),
        (MARCH, MARCH, (MARCH,)),
        (date(2026, 3, 31), date(2026, 3, 31), (MARCH,)),
        (date(2024, 2, 1), date(2024, 2, 29), ()),
        (date(2024, 2, 1), date(2024, 2, 28), (date(2024, 2, 1),)),
    ],
)
def test_the_months_of_which_a_period_has_only_a_part(first: date, last: date, cut: tuple[date, ...]) -> None:
    assert Period(first, last).cut == cut


def test_a_part_of_a_month() -> None:
    period = Period(date(2026, 3, 5), date(2026, 4, 10))
    assert period.part_of(MARCH) == Period(date(2026, 3, 5), date(2026, 3, 31))
    assert period.part_of(APRIL) == Period(APRIL, date(2026, 4, 10))
    assert period.months == (MARCH, APRIL)


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


def test_rows_leave_out_what_counted_in_the_period_before() -> None:
    sums = Sums(
        counted={A: Counter(fell_due=3), B: Counter(fell_due=1)},
        repeated={A: Counter(fell_due=1)},
        over_all=Counter(fell_due=1),
    )
    rows = rows_of(sums)
    assert (rows[A]["fell_due"], rows[B]["fell_due"], whole_of(sums)["fell_due"]) == (2, 1, 3)


def test_what_lasts_is_counted_back_month_by_month() -> None:
    """Two begin in March; in April and in May one begins and one ends."""
    sums = Sums(
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
    sums = Sums(counted={MARCH: Counter(listed=1), MAY: Counter(listed=1)})
    assert list(months_of(sums, Period(date(2025, 1, 1), date(2027, 1, 31)), TODAY)) == [MARCH, APRIL, MAY]
    assert months_of(Sums(), Period(MARCH, MAY), TODAY) == {}


def test_what_lasts_now_tells_nothing_of_months_to_come() -> None:
    lasting = {ALL_TIME: Counter(overdue_begun=1)}
    period = Period(MARCH, date(2026, 5, 31))
    sums = Sums(counted={MARCH: Counter(overdue_begun=1)}, lasting=lasting)
    assert list(months_of(sums, period, date(2026, 4, 9))) == [MARCH, APRIL]
    # Closed before a deadline that is still to come: that counts in its month already.
    sums = Sums(counted={MARCH: Counter(overdue_begun=1), MAY: Counter(fell_due=1)}, lasting=lasting)
    assert list(months_of(sums, period, date(2026, 4, 9))) == [MARCH, APRIL, MAY]


def test_a_count_goes_into_three_sums_and_what_lasts_into_those_of_all_time() -> None:
    day = date(2026, 3, 20)
    facts = (A, LEDGER, "general", "audit")
    found = fold([("closed", day, *facts, 1), ("closed", day, *facts, 1), ("overdue_begun", day, *facts, 1)])
    keys = [
        (FULL, A, LEDGER, "general", "audit"),
        (PLAIN, A, EVERY, ANY, ANY),
        (WHOLE, EVERY, LEDGER, "general", "audit"),
    ]
    assert found == {
        (level, month, *rest): counts
        for level, *rest in keys
        for month, counts in (
            (MARCH, {"closed": 2, "overdue_begun": 1}),
            (ALL_TIME, {"overdue_begun": 1}),
        )
    }


def test_counts_that_cancel_out_make_no_sum() -> None:
    facts = (A, LEDGER, "general", "audit")
    assert fold([("claims_due", MARCH, *facts, 1), ("claims_due", date(2026, 3, 9), *facts, -1)]) == {}
