"""When to look again: the instant at which a look first finds something, and never a moment later."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.workflow.calendar import BASE
from service.workflow.deadlines import start_of
from service.workflow.items import Item
from service.workflow.ladder import NO_LOOK, Ground, Mark, look, meetings, next_look
from tests.workflow.builders import examples
from tests.workflow.ladders import DEFAULT, LONG_AGO, UNCLOSED, a_ground, a_rung, at, due, marks, on, said, waits

TICK = timedelta(microseconds=1)

# -- by hand: an item due on Wednesday 30 September 2026, with National Day behind it

DAY = "2026-09-30"


def did(*codes: str, day: str = DAY) -> list[Mark]:
    return [(code, due(day).id, on(day)) for code in codes]


REMINDED = did("remind-7", "remind-3")
PASSED: dict[str, Any] = {"passed_on": on(DAY)}


@pytest.mark.parametrize(
    ("item", "now", "done", "expected"),
    [
        # Before anything; between two rungs; the passing at midnight, long before offices open again.
        (due(DAY), "2026-09-01 10:00", [], "09-20"),
        (due(DAY), "2026-09-20 08:59", [], "09-20"),
        (due(DAY), "2026-09-20 09:00", did("remind-7"), "09-24"),
        (due(DAY), "2026-09-24 09:00", REMINDED, "10-01 00:00"),
        (due(DAY), "2026-09-30 23:59", REMINDED, "10-01 00:00"),
        # What is due is looked at now, in office hours; outside of them at the next opening.
        (due(DAY), "2026-09-21 12:00", [], "09-21 12:00"),
        (due(DAY), "2026-09-21 18:00", [], "09-22"),
        (due(DAY), "2026-09-24 20:00", [], "09-28"),
        # A passing that was missed is looked at now, at any hour.
        (due(DAY), "2026-10-03 03:00", REMINDED, "10-03 03:00"),
        (due(DAY, **PASSED), "2026-10-03 03:00", REMINDED, "10-08"),
        (due(DAY, **PASSED), "2026-10-08 09:00", [*REMINDED, *did("urge+1")], "10-10"),
        (due(DAY, **PASSED), "2026-10-10 09:00", [*REMINDED, *did("urge+1", "supervise+3")], "10-20"),
        (due(DAY, **PASSED), "2026-10-20 09:00", [*REMINDED, *did("urge+1", "supervise+3", "escalate+10")], "never"),
        # Rungs that lie before its creation are met as well, so that they are on record.
        (due(DAY, created_at=at("2026-09-29 19:00")), "2026-09-29 19:00", [], "09-30"),
        # Held: the passing, the decision, and nothing else.
        (due(DAY, pending=waits("closure", "2026-09-29", "2026-10-09")), "2026-09-29 10:00", REMINDED, "10-01 00:00"),
        (due(DAY, pending=waits("closure", "2026-09-29", "2026-10-09"), **PASSED), "2026-10-01 10:00", REMINDED,
         "10-10"),
        (due(DAY, rungs_from=on("2026-10-09"), **PASSED), "2026-10-09 10:00", REMINDED, "10-10"),
        # Other states.
        (due(DAY, "open", claim_due=on("2026-09-24")), "2026-09-24 10:00", [], "09-28"),
        (due(DAY, "escalated"), "2026-09-01 10:00", [], "10-01 00:00"),
        (due(DAY, "escalated", pending=waits("interview", "2026-09-17", "2026-09-24")), "2026-09-24 10:00", [],
         "09-28"),
        (due(DAY, "escalated", **PASSED), "2026-10-01 10:00", [], "never"),
        (due(DAY, "open", due_on=None), "2026-10-01 10:00", [], "never"),
    ],
)  # fmt: skip
def test_when_to_look_again(item: Item, now: str, done: list[Mark], expected: str) -> None:
    following = next_look(item, DEFAULT, at(now).astimezone(UTC), done)
    assert following is not None
    assert said(following) == expected


def test_a_closed_item_is_not_looked_at() -> None:
    assert next_look(due(DAY, "closed"), DEFAULT, at("2026-09-01"), ()) is None


def test_without_knowing_what_was_done_whatever_may_be_due_counts() -> None:
    item = due(DAY, **PASSED)
    for now, expected in [
        ("2026-10-09 10:00", "10-09 10:00"), ("2026-10-09 20:00", "10-10"), ("2026-09-01 10:00", "09-20"),
    ]:  # fmt: skip
        assert said(next_look(item, DEFAULT, at(now).astimezone(UTC)) or NO_LOOK) == expected
    assert next_look(replace(item, state="escalated"), DEFAULT, at("2026-10-09")) == NO_LOOK


# -- for any item, any ladder, any moment

ACTIONS = st.sampled_from(["remind", "urge", "supervise", "warn", "circulate", "escalate"])
ANCHORS = st.sampled_from(["due", "due", "claim_due", "decision_due", "interview_due"])
DAYS = st.dates(date(2026, 1, 28), date(2026, 3, 12)) | st.dates(date(2026, 9, 14), date(2026, 10, 20))
ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Shanghai", "Europe/Berlin", "America/New_York"])
HOURS = st.sampled_from([("09:00", "18:00"), ("08:30", "17:30"), ("00:00", "23:59"), ("22:00", "23:00")])
RUNGS = st.lists(
    st.tuples(ACTIONS, st.integers(-12, 12), ANCHORS, st.sets(st.sampled_from(UNCLOSED), min_size=1), st.booleans()),
    max_size=7,
)


@st.composite
def grounds(draw: st.DrawFn) -> Ground:
    rungs = [
        a_rung(f"{place}", action, offset, anchor=anchor, states=sorted(states), after_interview=after)
        for place, (action, offset, anchor, states, after) in enumerate(draw(RUNGS))
    ]
    opens, closes = draw(HOURS)
    hours = {"open": opens, "close": closes}
    return a_ground(*rungs, tz=ZoneInfo(draw(ZONES)), office_hours=hours)


@st.composite
def items(draw: st.DrawFn) -> Item:
    day = draw(DAYS)
    pending: dict[str, dict[str, Any]] = {}
    for kind in draw(st.sets(st.sampled_from(["extension", "closure", "transfer", "interview"]))):
        asked = day + timedelta(days=draw(st.integers(-9, 9)))
        decide = asked + timedelta(days=draw(st.integers(0, 9)))
        pending |= waits(kind, asked.isoformat(), decide.isoformat())
    nearby = st.none() | st.integers(-12, 12).map(lambda count: day + timedelta(days=count))
    return due(
        day.isoformat(), draw(st.sampled_from(UNCLOSED)), pending=pending, claim_due=draw(nearby),
        rungs_from=draw(nearby), passed_on=draw(st.sampled_from([None, day, day - timedelta(days=7)])),
        escalation_count=draw(st.integers(0, 1)),
        created_at=draw(st.just(LONG_AGO) | st.integers(-9, 9).map(lambda n: at(f"{day + timedelta(days=n)} 11:00"))),
    )  # fmt: skip


def empty(item: Item, ground: Ground, now: datetime, done: Collection[Mark]) -> bool:
    return look(item, ground, now, done).empty


@given(items(), grounds(), st.timedeltas(timedelta(days=-25), timedelta(days=25)), st.data())
@examples(250)
def test_a_look_finds_something_at_that_instant_and_nothing_before_it(
    item: Item, ground: Ground, away: timedelta, data: st.DataObject
) -> None:
    day = item.due_on
    assert day is not None
    now = datetime.combine(day, time(4), tzinfo=UTC) + away
    every = [each.mark for each in meetings(item, ground)]
    done = data.draw(st.sets(st.sampled_from(every))) if every else set()
    following = next_look(item, ground, now, done)
    assert following is not None and following >= now
    unknowing = next_look(item, ground, now)
    assert unknowing is not None and unknowing <= following
    if following != NO_LOOK:
        assert not empty(item, ground, following, done)
        if following > now:
            assert empty(item, ground, following - TICK, done)
    # Now, at every midnight and every opening until then, and anywhere between.
    until = min(following, now + timedelta(days=70))
    local = now.astimezone(ground.tz).date()
    instants = [now, now + (until - now) * data.draw(st.floats(0, 1))]
    for count in range((until - now).days + 2):
        each = local + timedelta(days=count)
        instants += [start_of(each, ground.tz), ground.policy.hours.opening(BASE, ground.tz, each)]
    for instant in instants:
        if now <= instant < until:
            assert empty(item, ground, instant, done), instant


@given(items(), grounds(), st.timedeltas(timedelta(days=-25), timedelta(days=25)))
@examples(100)
def test_a_look_without_the_rungs_of_a_cycle_meets_each_at_most_once(
    item: Item, ground: Ground, away: timedelta
) -> None:
    """However often it is looked at: what one look found is done, and the next finds nothing of it again."""
    assume(item.due_on is not None)
    now = at(f"{item.due_on} 12:00") + away
    done: set[Mark] = set()
    for _ in range(len(ground.policy.ladder) * 5):
        found = look(item, ground, now, done)
        assert len(marks(found)) == len(found.fires) + len(found.skips) + (found.escalation is not None)
        assert not done & marks(found)
        done |= marks(found)
        now = ground.next_opening(now)
    assert not [each for each in meetings(item, ground) if each.moment <= now and each.mark not in done]
