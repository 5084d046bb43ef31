"""The escalation ladder: which rungs an item meets at a moment, which of them collapse, and when to look again.

A rung is met when its moment has passed, offices are open, and the item is in one of its states; an item that comes
into such a state later meets it then. Each is done once for the same item (request, interview), cycle and anchor day.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from service.workflow.calendar import Calendar
from service.workflow.deadlines import ONE_DAY, start_of
from service.workflow.items import Item
from service.workflow.policy import Policy
from service.workflow.rungs import ANCHORS, NEVER_SKIPPED, STRENGTH, Rung
from service.workflow.states import Action, AnchorKind, State
from service.workflow.waiting import INTERVIEW, Waiting

NO_LOOK = datetime(9999, 1, 1, tzinfo=UTC)
"""When to look at an item that waits for nothing."""

BEFORE_CREATION, COLLAPSED, HELD = "before_creation", "collapsed", "held"
"""Why a rung was skipped."""


class Anchor(NamedTuple):
    """A day that rungs count from; `ref` is the item, request or interview whose day it is.

    `late_from` is the day from which rungs behind it count: the same, unless a decision was waited for meanwhile.
    """

    kind: str
    ref: UUID
    on: date
    late_from: date


class Meeting(NamedTuple):
    """A rung of an anchor, and the instant from which it is due. (A tuple: a sweep makes a dozen for each item.)"""

    rung: Rung
    anchor: Anchor
    moment: datetime

    @property
    def mark(self) -> "Mark":
        return (self.rung.code, self.anchor.ref, self.anchor.on)


Mark = tuple[str, UUID, date]
"""What was done once in a cycle: the rung's code, whose day, which day."""

Plan = tuple[tuple[Rung, datetime], ...]
"""Rungs and when each is due."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What looks stand on: a ledger's policy, the tenant's calendar and zone. Instants once worked out are kept."""

    policy: Policy
    calendar: Calendar
    tz: ZoneInfo
    _rungs: dict[tuple[str, str, bool], tuple[Rung, ...]] = field(default_factory=dict)
    _plans: dict[tuple[str, str, bool, date, date], Plan] = field(default_factory=dict)
    _moments: dict[tuple[date, int], datetime] = field(default_factory=dict)
    _passings: dict[date, datetime] = field(default_factory=dict)

    def rungs(self, anchor: str, state: str, escalated: bool) -> tuple[Rung, ...]:
        """The rungs of a kind of anchor that apply in a state, `escalated` saying whether it was so in the cycle."""
        known = self._rungs.get((anchor, state, escalated))
        if known is None:
            known = self._rungs[anchor, state, escalated] = tuple(
                rung for rung in self.policy.ladder if rung.anchor == anchor and _applies(rung, state, escalated)
            )
        return known

    def plan(self, anchor: "Anchor", state: str, escalated: bool) -> Plan:
        """Those rungs with the instants from which they are due: the same for all items with the same days."""
        key = (anchor.kind, state, escalated, anchor.on, anchor.late_from)
        known = self._plans.get(key)
        if known is None:
            known = self._plans[key] = tuple(
                (rung, self.moment(anchor.late_from if rung.offset > 0 else anchor.on, rung.offset))
                for rung in self.rungs(anchor.kind, state, escalated)
            )
        return known

    def moment(self, base: date, offset: int) -> datetime:
        """The opening of offices on the `offset`-th working day from `base`, or on the next where that is none."""
        known = self._moments.get((base, offset))
        if known is None:
            day = self.calendar.add(base, offset)
            known = self._moments[base, offset] = self.policy.hours.opening(self.calendar, self.tz, day)
        return known

    def passing(self, day: date) -> datetime:
        """The instant at which `day` is over."""
        known = self._passings.get(day)
        if known is None:
            known = self._passings[day] = start_of(day + ONE_DAY, self.tz)
        return known

    def next_opening(self, now: datetime) -> datetime:
        """`now` itself in office hours."""
        return self.policy.hours.next_opening(self.calendar, self.tz, now)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look finds. `passed` is the deadline whose passing is new. All of `fires` come before `escalation`."""

    passed: date | None
    fires: tuple[Meeting, ...] = ()
    escalation: Meeting | None = None
    skips: tuple[tuple[Meeting, str], ...] = ()

    @property
    def empty(self) -> bool:
        return self.passed is None and not self.fires and self.escalation is None and not self.skips


def anchors(item: Item) -> Iterator[Anchor]:
    """The days that count for an item now, whatever its state."""
    day = item.deadline_day
    if day is not None:
        yield Anchor(AnchorKind.DUE, item.id, day, max(day, item.rungs_from or day))
    if item.state == State.OPEN and item.claim_due is not None:
        yield Anchor(AnchorKind.CLAIM_DUE, item.id, item.claim_due, item.claim_due)
    for kind, stored in item.pending.items():
        waiting = Waiting.from_dict(stored)
        name = AnchorKind.INTERVIEW_DUE if kind == INTERVIEW else AnchorKind.DECISION_DUE
        yield Anchor(name, waiting.id, waiting.due, waiting.due)


def meetings(item: Item, ground: Ground, *, held: bool | None = None, until: datetime = NO_LOOK) -> Iterator[Meeting]:
    """Every rung that applies to the item as it is, done or not, without those that a pending request holds.

    `held` overrides whether one does: False shows what is held as well. What is due only after `until` is left out.
    """
    holds = item.held if held is None else held
    for anchor in anchors(item):
        holds_late = holds and anchor.kind == AnchorKind.DUE
        for rung, moment in ground.plan(anchor, item.state, item.escalation_count > 0):
            if moment <= until and not (holds_late and rung.offset > 0):
                yield Meeting(rung, anchor, moment)


def _applies(rung: Rung, state: str, escalated: bool) -> bool:
    if rung.action == Action.ESCALATE and state == State.ESCALATED:
        return False
    return state in rung.states and (escalated or not rung.after_interview)


def look(item: Item, ground: Ground, now: datetime, done: Collection[Mark]) -> Look:
    """What is to be done about the item at `now`, apart from what was done in this cycle already."""
    passed = _passed(item, ground, now)
    if item.state == State.CLOSED or not ground.policy.hours.hold(ground.calendar, ground.tz, now):
        return Look(passed)
    due = [each for each in meetings(item, ground, until=now) if each.mark not in done]
    if not due:
        return Look(passed)
    early = [each for each in due if each.moment < item.created_at]
    present = [each for each in due if each.moment >= item.created_at]
    fires, skips = _collapsed(present)
    escalations = [each for each in present if each.rung.action == Action.ESCALATE]
    return Look(
        passed,
        tuple(fires),
        min(escalations, key=_order, default=None),
        tuple((each, BEFORE_CREATION) for each in early) + tuple((each, COLLAPSED) for each in skips),
    )


def _order(met: Meeting) -> tuple[int, int]:
    return ANCHORS[met.anchor.kind], met.rung.place


def _collapsed(due: list[Meeting]) -> tuple[list[Meeting], list[Meeting]]:
    """What fires before any escalation, and what collapses, anchor by anchor."""
    fires: list[Meeting] = []
    skips: list[Meeting] = []
    by_anchor: dict[tuple[str, UUID], list[Meeting]] = {}
    for each in due:
        by_anchor.setdefault((each.anchor.kind, each.anchor.ref), []).append(each)
    for met in by_anchor.values():
        mild = [each for each in met if each.rung.action not in NEVER_SKIPPED]
        fires += [each for each in met if each.rung.action == Action.CIRCULATE]
        if len(mild) == len(met):
            strongest = max(mild, key=lambda each: (STRENGTH[each.rung.action], each.rung.offset, each.rung.place))
            fires.append(strongest)
            mild.remove(strongest)
        skips += mild
    return fires, skips


def _passed(item: Item, ground: Ground, now: datetime) -> date | None:
    day = item.deadline_day
    if day is None or item.state == State.CLOSED or item.passed_on == day or ground.passing(day) > now:
        return None
    return day


def next_look(item: Item, ground: Ground, now: datetime, done: Collection[Mark] | None = None) -> datetime | None:
    """When to look at the item again; None once it is closed, NO_LOOK where nothing is waited for.

    Without `done` whatever may be due counts as due: the look itself knows better.
    """
    if item.state == State.CLOSED:
        return None
    nearest = NO_LOOK
    day = item.deadline_day
    if day is not None and item.passed_on != day:
        nearest = max(ground.passing(day), now)
    for each in meetings(item, ground, until=nearest):
        if each.moment < nearest and (done is None or each.mark not in done):
            nearest = min(nearest, each.moment if each.moment > now else ground.next_opening(now))
    return nearest


def held_back(item: Item, ground: Ground, now: datetime, done: Collection[Mark]) -> list[Meeting]:
    """The rungs whose moment passed while a pending request held them."""
    if not item.held:
        return []
    free = {each.mark for each in meetings(item, ground)}
    return [
        each
        for each in meetings(item, ground, held=False, until=now)
        if each.mark not in free and each.mark not in done
    ]


def upcoming(item: Item, ground: Ground, done: Collection[Mark], ref: UUID | None = None) -> Meeting | None:
    """The next rung that the item will meet if nothing is done about it; one that is due already comes first.

    `ref` narrows it to the rungs of one request or interview.
    """
    waiting = [
        each
        for each in meetings(item, ground)
        if each.mark not in done and each.moment >= item.created_at and ref in (None, each.anchor.ref)
    ]
    return min(waiting, key=lambda each: (each.moment, STRENGTH[each.rung.action] * -1, each.rung.place), default=None)
