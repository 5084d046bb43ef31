"""The ladder a second time, without any cleverness: an item lives through a fortnight in steps of half an hour.

At each step everything is worked out anew from the domain's words, day by day, with the days off of 2026 written down
by hand. What the service finds at that step, and when it would look next, must be the same.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from service.workflow.items import Item
from service.workflow.ladder import NO_LOOK, Ground, Look, Mark, look, next_look
from service.workflow.requests import ended
from tests.workflow.builders import examples
from tests.workflow.ladders import REQUESTS, UNCLOSED, a_ground, a_rung, due, marks, taken, waits

EIGHT_AHEAD = timezone(timedelta(hours=8))
HALF_HOUR, ONE_DAY = timedelta(minutes=30), timedelta(days=1)
OPENS, CLOSES = time(8, 30), time(17, 30)

WORKED = {date(2026, 2, 14), date(2026, 2, 28), date(2026, 9, 20), date(2026, 10, 10)}
OFF = {
    *(date(2026, 2, day) for day in range(15, 24)),
    *(date(2026, 9, day) for day in range(25, 28)),
    *(date(2026, 10, day) for day in range(1, 8)),
}


def works(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


def count(day: date, n: int) -> date:
    """The n-th working day after `day`, before it where n is negative."""
    while n:
        day += ONE_DAY if n > 0 else -ONE_DAY
        if works(day):
            n += -1 if n > 0 else 1
    return day


@dataclass(frozen=True)
class Due:
    """A rung that is met: its place in the ladder, the anchor's kind, id and day, its moment."""

    rung: dict[str, Any]
    place: int
    anchor: str
    ref: UUID
    day: date
    moment: datetime

    @property
    def name(self) -> tuple[str, UUID]:
        return self.rung["code"], self.ref


@dataclass
class Found:
    passed: date | None = None
    fires: list[tuple[str, UUID]] = field(default_factory=list)
    escalation: tuple[str, UUID] | None = None
    skips: set[tuple[tuple[str, UUID], str]] = field(default_factory=set)


MILD = ["remind", "urge", "supervise", "warn"]


def holds(item: Item) -> bool:
    """A closure asked on or before the deadline, or an extension, is pending."""
    closure = item.pending.get("closure")
    assert item.due_on is not None
    in_time = closure is not None and date.fromisoformat(closure["on"]) <= item.due_on
    return in_time or "extension" in item.pending


def anchors(item: Item) -> list[tuple[str, UUID, date]]:
    assert item.due_on is not None
    found = [("due", item.id, item.due_on)]
    if item.state == "open" and item.claim_due is not None:
        found.append(("claim_due", item.id, item.claim_due))
    for kind, waiting in item.pending.items():
        anchor = "interview_due" if kind == "interview" else "decision_due"
        found.append((anchor, UUID(waiting["id"]), date.fromisoformat(waiting["due"])))
    return found


def met(item: Item, rungs: list[dict[str, Any]], now: datetime, done: set[Mark]) -> list[Due]:
    """The rungs that are due now, anchor by anchor and in the ladder's order."""
    every = []
    for anchor, ref, day in anchors(item):
        for place, rung in enumerate(rungs):
            behind = anchor == "due" and rung["offset"] > 0
            base = max(day, item.rungs_from) if behind and item.rungs_from else day
            on = count(base, rung["offset"])
            while not works(on):
                on += ONE_DAY
            moment = datetime.combine(on, OPENS, tzinfo=EIGHT_AHEAD)
            if (
                rung["anchor"] == anchor
                and item.state in rung["states"]
                and (item.escalation_count or not rung["after_interview"])
                and not (rung["action"] == "escalate" and item.state == "escalated")
                and not (behind and holds(item))
                and (rung["code"], ref, day) not in done
                and moment <= now
            ):
                every.append(Due(rung, place, anchor, ref, day, moment))
    return every


def find(item: Item, rungs: list[dict[str, Any]], now: datetime, done: set[Mark]) -> Found:
    found = Found()
    local = now.astimezone(EIGHT_AHEAD)
    assert item.due_on is not None
    if local.date() > item.due_on and item.passed_on != item.due_on:
        found.passed = item.due_on
    if not works(local.date()) or not OPENS <= local.time() < CLOSES:
        return found
    every = met(item, rungs, now, done)
    found.skips |= {(each.name, "before_creation") for each in every if each.moment < item.created_at}
    every = [each for each in every if each.moment >= item.created_at]
    for ref in dict.fromkeys((each.anchor, each.ref) for each in every):
        own = [each for each in every if (each.anchor, each.ref) == ref]
        mild = [each for each in own if each.rung["action"] in MILD]
        found.fires += [each.name for each in own if each.rung["action"] == "circulate"]
        if len(own) == len(mild):
            mild.sort(key=lambda each: (MILD.index(each.rung["action"]), each.rung["offset"], each.place))
            found.fires.append(mild.pop().name)
        found.skips |= {(each.name, "collapsed") for each in mild}
    escalations = [each.name for each in every if each.rung["action"] == "escalate"]
    found.escalation = escalations[0] if escalations else None
    return found


def same(found: Look, expected: Found) -> bool:
    fires = [(each.rung.code, each.anchor.ref) for each in found.fires]
    skips = {((each.rung.code, each.anchor.ref), why) for each, why in found.skips}
    escalation = found.escalation and (found.escalation.rung.code, found.escalation.anchor.ref)
    return (found.passed, fires, escalation, skips) == (
        expected.passed, expected.fires, expected.escalation, expected.skips,
    )  # fmt: skip


# -- lives

STRONG = st.tuples(st.sampled_from([*MILD, "circulate", "escalate"]), st.sampled_from(["due", "claim_due"]))
WEAK = st.tuples(st.sampled_from(["remind", "urge"]), st.sampled_from(["decision_due", "interview_due"]))
RUNGS = st.lists(
    st.tuples(
        STRONG | STRONG | WEAK, st.integers(-5, 6), st.sets(st.sampled_from(UNCLOSED), min_size=2), st.booleans()
    ),
    min_size=1, max_size=6,
)  # fmt: skip
STARTS = st.dates(date(2026, 2, 5), date(2026, 2, 25)) | st.dates(date(2026, 9, 16), date(2026, 10, 5))
TURNS = st.lists(st.tuples(st.integers(0, 14 * 48), st.sampled_from(["claim", "end", "resume", "ask"])), max_size=4)
PENDING = st.dictionaries(
    st.sampled_from([*REQUESTS, "interview"]), st.tuples(st.integers(-4, 4), st.integers(0, 6)), max_size=3
)


def turned(item: Item, turn: str, today: date) -> Item:
    """What people do in between, as far as the ladder hears of it."""
    if turn == "claim" and item.state == "open":
        return replace(item, state="rectifying")
    if turn == "end" and item.pending:
        return replace(item, **ended(item, next(iter(item.pending)), today))
    if turn == "resume" and item.state == "escalated":
        return replace(item, state="rectifying", due_on=today + 3 * ONE_DAY)
    if turn == "ask":
        return replace(item, pending=item.pending | waits("closure", f"{today}", f"{count(today, 1)}"))
    return item


@given(STARTS, RUNGS, PENDING, TURNS, st.sampled_from(UNCLOSED), st.data())
@examples(25)
def test_a_fortnight_by_half_hours(
    start: date,
    drawn: list[tuple[Any, ...]],
    pending: dict[str, tuple[int, int]],
    turns: list[tuple[int, str]],
    state: str,
    data: st.DataObject,
) -> None:
    rungs = [
        a_rung(f"{place}", action, offset, anchor=anchor, states=sorted(states), after_interview=after)
        for place, ((action, anchor), offset, states, after) in enumerate(drawn)
    ]
    ground: Ground = a_ground(*rungs, office_hours={"open": "08:30", "close": "17:30"})
    day = start + data.draw(st.integers(-3, 12)) * ONE_DAY
    waiting: dict[str, dict[str, Any]] = {}
    for kind, (asked, within) in pending.items():
        waiting |= waits(kind, f"{day + asked * ONE_DAY}", f"{day + (asked + within) * ONE_DAY}")
    midnight = datetime.combine(start, time(), tzinfo=EIGHT_AHEAD)
    created = midnight + data.draw(st.integers(-20, 2)) * timedelta(hours=9)
    item = due(f"{day}", state, pending=waiting, created_at=created, claim_due=start + 2 * ONE_DAY)
    done: set[Mark] = set()
    now = max(midnight, created).astimezone(UTC)
    foretold: datetime | None = None
    for step in range(14 * 48):
        for _, turn in (each for each in turns if each[0] == step):
            item, foretold = turned(item, turn, now.astimezone(EIGHT_AHEAD).date()), None
        while True:
            expected, found = find(item, rungs, now, done), look(item, ground, now, done)
            assert same(found, expected), (now, found, expected)
            following = next_look(item, ground, now, done)
            assert following is not None and (following == now) is not found.empty
            if foretold is not None and found.empty:
                assert following == foretold
            foretold = following if found.empty else None
            if found.empty:
                break
            done |= marks(found)
            item = taken(item, found)
        assert following == NO_LOOK or following > now
        now += HALF_HOUR
