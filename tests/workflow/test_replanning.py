"""What a changed calendar moves: computed days that have not passed, and nothing else. Counted on paper.

All stands in March 2026, without a day off by law: the 9th is a Monday, the 11th the Wednesday on which it is today.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.calendar import BASE, Calendar, YearTable
from service.workflow.items import Item
from service.workflow.replanning import replanned
from tests.workflow.builders import ONE_DAY, STANDING_DEADLINE, an_item, examples
from tests.workflow.ladders import UNCLOSED, on, waits

TODAY = on("2026-03-11")


def table(year: int, *, off: str = "", worked: str = "", complete: bool = False) -> Calendar:
    """A tenant's calendar: days of `year` as MM-DD words."""
    holidays, workdays = (frozenset(on(f"{year}-{day}") for day in days.split()) for days in (off, worked))
    return Calendar({year: YearTable(workdays, holidays, complete)}, epoch=2)


def rule(limit: int, start_on: str, name: str = "severity_limit") -> dict[str, Any]:
    return {"name": name, "limit": limit, "unit": "working_days", "start_on": start_on}


def computed(day: str = "2026-03-16", state: str = "rectifying", **more: Any) -> Item:
    """Five working days from Monday the 9th: 10, 11, 12, 13 and 16 March."""
    facts = {"due_on": on(day), "deadline_rule": rule(5, "2026-03-09"), "claim_due": None}
    return an_item(state, **{**facts, **more})


THURSDAY_OFF, TWO_OFF = table(2026, off="03-12"), table(2026, off="03-12 03-13")
SATURDAY_WORKED = table(2026, worked="03-14")


# -- the deadline


@pytest.mark.parametrize(
    ("today", "calendar", "due_on"),
    [
        # 10, 11, 13, 16, 17; and 10, 11, 16, 17, 18.
        ("2026-03-11", THURSDAY_OFF, "2026-03-17"),
        ("2026-03-11", TWO_OFF, "2026-03-18"),
        # 10, 11, 12, 13, 14: earlier, and still to come.
        ("2026-03-11", SATURDAY_WORKED, "2026-03-14"),
        ("2026-03-13", SATURDAY_WORKED, "2026-03-14"),
        # Never before tomorrow, a Sunday though it be.
        ("2026-03-14", SATURDAY_WORKED, "2026-03-15"),
        ("2026-03-16", THURSDAY_OFF, "2026-03-17"),
        ("2026-03-16", TWO_OFF, "2026-03-18"),
    ],
)
def test_a_computed_deadline_moves_with_the_calendar(today: str, calendar: Calendar, due_on: str) -> None:
    for state in UNCLOSED:
        assert replanned(computed(state=state), calendar, on(today)) == {"due_on": on(due_on)}


@pytest.mark.parametrize(
    "calendar", [BASE, Calendar(epoch=9), table(2026, off="03-14 03-15"), table(2025, off="03-12")]
)
@pytest.mark.parametrize("today", ["2026-03-11", "2026-03-16"])
def test_what_a_calendar_does_not_touch_stays(calendar: Calendar, today: str) -> None:
    assert replanned(computed(), calendar, on(today)) == {}


def test_a_day_that_went_to_tomorrow_is_not_pushed_on_by_the_next_change() -> None:
    moved = replace(computed(), due_on=on("2026-03-15"))
    assert replanned(moved, SATURDAY_WORKED, on("2026-03-14")) == {}
    # Counted it would be Saturday the 14th, and tomorrow is Monday the 16th, as it stands.
    assert replanned(computed(), SATURDAY_WORKED, on("2026-03-15")) == {}
    # On the day itself it stays as well: it is given no other.
    assert replanned(moved, SATURDAY_WORKED, on("2026-03-15")) == {}
    assert replanned(computed(), SATURDAY_WORKED, on("2026-03-16")) == {}
    assert replanned(moved, THURSDAY_OFF, on("2026-03-15")) == {"due_on": on("2026-03-17")}


@pytest.mark.parametrize(
    "item",
    [
        computed("2026-03-10"),
        computed(deadline_rule=None),
        computed(state="closed"),
        computed(**STANDING_DEADLINE),
        computed("2026-03-10", provisional=True),
    ],
    ids=["passed", "set by a person", "closed", "standing", "passed and provisional"],
)
def test_what_stays_whatever_the_calendar(item: Item) -> None:
    for calendar in (BASE, THURSDAY_OFF, TWO_OFF, SATURDAY_WORKED):
        assert replanned(item, calendar, TODAY) == {}


def test_an_immediate_deadline_moves_and_stays_immediate() -> None:
    # Three working days from Monday the 9th: 10, 11, 12; without the 12th: 13.
    item = computed("2026-03-12", deadline_kind="immediate", deadline_rule=rule(3, "2026-03-09", "immediate"))
    assert replanned(item, THURSDAY_OFF, TODAY) == {"due_on": on("2026-03-13")}


# -- provisional days


def of_2027(**more: Any) -> Item:
    """Five working days from Monday 11 January 2027: 12, 13, 14, 15 and 18. No notice is known of that year."""
    facts = {"due_on": on("2027-01-18"), "deadline_rule": rule(5, "2027-01-11"), "provisional": True}
    return computed(**{**facts, **more})


def test_a_year_that_is_published_ends_provisional_with_or_without_moving() -> None:
    assert replanned(of_2027(), table(2027, complete=True), TODAY) == {"provisional": False}
    moved = {"due_on": on("2027-01-19"), "provisional": False}
    assert replanned(of_2027(), table(2027, off="01-14", complete=True), TODAY) == moved
    assert replanned(of_2027(), table(2027, off="01-14"), TODAY) == {"due_on": on("2027-01-19")}
    assert replanned(of_2027(), table(2027), TODAY) == {}
    # A table that is taken back makes it provisional again.
    assert replanned(of_2027(provisional=False), BASE, TODAY) == {"provisional": True}


def test_the_day_that_is_never_before_tomorrow_is_settled_all_the_same() -> None:
    calendar = table(2027, worked="01-16 01-17", complete=True)
    # Counted: 12, 13, 14, 15 and Saturday the 16th.
    assert replanned(of_2027(), calendar, on("2027-01-16")) == {"due_on": on("2027-01-17"), "provisional": False}
    assert replanned(of_2027(), calendar, on("2027-01-17")) == {"provisional": False}
    assert replanned(of_2027(), calendar, on("2027-01-18")) == {"provisional": False}


# -- the claim


def unclaimed(claim_due: str, start_on: str, **more: Any) -> Item:
    facts = {"claim_due": on(claim_due), "claim_rule": rule(2, start_on, "claim"), "deadline_rule": None}
    return computed(**{"state": "open", **facts, **more})


@pytest.mark.parametrize(
    ("item", "today", "calendar", "claim_due"),
    [
        # From the 10th: 11, 12; without the 12th: 13.
        (unclaimed("2026-03-12", "2026-03-10"), "2026-03-11", THURSDAY_OFF, "2026-03-13"),
        (unclaimed("2026-03-12", "2026-03-10"), "2026-03-12", TWO_OFF, "2026-03-16"),
        # From the 12th: 13, 16; with the 14th worked: 13, 14, but never before tomorrow.
        (unclaimed("2026-03-16", "2026-03-12"), "2026-03-13", SATURDAY_WORKED, "2026-03-14"),
        (unclaimed("2026-03-16", "2026-03-12"), "2026-03-14", SATURDAY_WORKED, "2026-03-15"),
        (unclaimed("2026-03-16", "2026-03-12"), "2026-03-15", SATURDAY_WORKED, None),
        (unclaimed("2026-03-16", "2026-03-12"), "2026-03-16", SATURDAY_WORKED, None),
        # Passed, claimed, escalated, without a rule, unmoved.
        (unclaimed("2026-03-12", "2026-03-10"), "2026-03-13", TWO_OFF, None),
        (unclaimed("2026-03-12", "2026-03-10", state="rectifying"), "2026-03-11", TWO_OFF, None),
        (unclaimed("2026-03-12", "2026-03-10", state="escalated"), "2026-03-11", TWO_OFF, None),
        (unclaimed("2026-03-12", "2026-03-10", claim_rule=None), "2026-03-11", TWO_OFF, None),
        (unclaimed("2026-03-12", "2026-03-10"), "2026-03-11", SATURDAY_WORKED, None),
    ],
)
def test_the_day_to_claim_by(item: Item, today: str, calendar: Calendar, claim_due: str | None) -> None:
    expected = {} if claim_due is None else {"claim_due": on(claim_due)}
    assert replanned(item, calendar, on(today)) == expected


# -- what others have to do


def asked(kind: str, day: str, within: int, decide: str) -> dict[str, dict[str, Any]]:
    (waiting,) = waits(kind, day, decide).values()
    return {kind: {**waiting, "within": within}}


@pytest.mark.parametrize("kind", ["extension", "closure", "transfer", "interview"])
@pytest.mark.parametrize(
    ("today", "calendar", "due"),
    [
        # Three working days from the 10th: 11, 12, 13.
        ("2026-03-11", BASE, "2026-03-13"),
        ("2026-03-11", THURSDAY_OFF, "2026-03-16"),
        ("2026-03-13", TWO_OFF, "2026-03-17"),
        ("2026-03-14", TWO_OFF, "2026-03-13"),
        ("2026-03-11", SATURDAY_WORKED, "2026-03-13"),
    ],
)
def test_the_days_to_decide_and_to_hold_a_talk(kind: str, today: str, calendar: Calendar, due: str) -> None:
    item = computed(deadline_rule=None, pending=asked(kind, "2026-03-10", 3, "2026-03-13"))
    expected = {} if due == "2026-03-13" else {"pending": asked(kind, "2026-03-10", 3, due)}
    assert replanned(item, calendar, on(today)) == expected


def test_what_is_not_moved_stands_beside_what_is() -> None:
    late, waiting = asked("extension", "2026-03-05", 1, "2026-03-06"), asked("closure", "2026-03-10", 3, "2026-03-13")
    far = asked("transfer", "2026-03-12", 2, "2026-03-16")
    item = computed(pending=late | waiting | far)
    # The Saturday is worked and the Thursday off: 11, 13, 14; the transfer 13, 14, from the 12th.
    calendar = table(2026, off="03-12", worked="03-14")
    moved = asked("closure", "2026-03-10", 3, "2026-03-14") | asked("transfer", "2026-03-12", 2, "2026-03-14")
    assert replanned(item, calendar, TODAY) == {"pending": late | moved}
    # Neither before tomorrow.
    held = asked("closure", "2026-03-10", 3, "2026-03-13") | asked("transfer", "2026-03-12", 2, "2026-03-15")
    assert replanned(item, calendar, on("2026-03-14")) == {"pending": late | held}


def test_all_days_of_an_item_move_in_one_change() -> None:
    item = unclaimed("2026-03-12", "2026-03-10", deadline_rule=rule(5, "2026-03-09"),
                     pending=asked("transfer", "2026-03-11", 1, "2026-03-12"))  # fmt: skip
    untouched = replace(item, pending=dict(item.pending))
    assert replanned(item, THURSDAY_OFF, TODAY) == {
        "due_on": on("2026-03-17"),
        "claim_due": on("2026-03-13"),
        "pending": asked("transfer", "2026-03-11", 1, "2026-03-13"),
    }
    assert item == untouched


# -- for any calendar

SPAN = st.dates(date(2026, 2, 1), date(2026, 4, 30))
CALENDARS = st.builds(
    lambda worked, off, complete: Calendar({2026: YearTable(frozenset(worked), frozenset(off), complete)}),
    st.sets(SPAN, max_size=25), st.sets(SPAN, max_size=25), st.booleans(),
)  # fmt: skip


@given(CALENDARS, st.integers(1, 20), st.integers(0, 20), st.integers(-3, 30), st.sampled_from(UNCLOSED))
@examples(150)
def test_planning_twice_is_planning_once_and_nobody_becomes_late(
    calendar: Calendar, limit: int, within: int, away: int, state: str
) -> None:
    start, today = on("2026-03-02"), on("2026-03-02") + timedelta(days=away)
    item = computed(
        f"{BASE.add(start, limit)}", state, deadline_rule=rule(limit, f"{start}"),
        claim_due=BASE.add(start, within), claim_rule=rule(within, f"{start}", "claim"),
        pending=asked("closure", f"{start}", within, f"{BASE.add(start, within)}"),
    )  # fmt: skip
    changed = replanned(item, calendar, today)
    after = replace(item, **changed)
    assert replanned(after, calendar, today) == {}
    assert all(getattr(item, name) != value for name, value in changed.items())
    days = [(item.due_on, after.due_on, limit), (item.claim_due, after.claim_due, within)]
    days.append((on(item.pending["closure"]["due"]), on(after.pending["closure"]["due"]), within))
    for before, moved, count in days:
        assert before is not None and moved is not None
        counted = calendar.add(start, count)
        if before != moved:
            assert before >= today
            assert moved == max(counted, today + ONE_DAY)
        elif before >= today and (moved is not after.claim_due or state == "open"):
            assert moved == counted or (counted < today + ONE_DAY and moved <= today + ONE_DAY)
