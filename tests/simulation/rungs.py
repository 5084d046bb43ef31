"""What has to happen to an item when somebody looks: the ladder of domain.md, worked out from nothing but the item.

A rung's moment is the opening of the first working day that is not before its anchor day plus its offset. It is met
once, in office hours, by an item in one of its states; several of one anchor collapse into the strongest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from tests.simulation.circumstances import Setting
from tests.simulation.lives import Life
from tests.simulation.record import Row, at
from tests.simulation.workdays import ONE_DAY

STRENGTH = {"remind": 1, "urge": 2, "supervise": 3, "warn": 4}
ANCHORS = ("due", "claim_due", "decision_due", "interview_due")
REQUESTS = ("extension", "closure", "transfer")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A day that rungs are counted from, and the item, request or interview that it belongs to."""

    kind: str
    ref: str
    day: date


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a rung at a look: it fires, or is skipped for a reason."""

    rung: str
    action: str
    anchor: Anchor
    cycle: int
    reason: str | None = None
    confirm: bool = False

    @property
    def fires(self) -> bool:
        return self.reason is None

    @property
    def place(self) -> tuple[int, str, date, str]:
        return self.cycle, self.rung, self.anchor.day, self.anchor.ref

    def __str__(self) -> str:
        how = "fires" if self.fires else f"is skipped ({self.reason})"
        return f"rung {self.rung} of {self.anchor.kind} {self.anchor.day}, cycle {self.cycle}, {how}"


def anchors(life: Life) -> Iterator[Anchor]:
    if life.deadline is not None:
        yield Anchor("due", life.id, life.deadline)
    if life.state == "open" and life.claim_due is not None:
        yield Anchor("claim_due", life.id, life.claim_due)
    for kind in REQUESTS:
        wait = life.pending.get(kind)
        if wait is not None:
            yield Anchor("decision_due", wait.id, wait.due)
    interview = life.pending.get("interview")
    if interview is not None:
        yield Anchor("interview_due", interview.id, interview.due)


def moment(rung: Row, anchor: Anchor, life: Life, setting: Setting) -> datetime:
    start = anchor.day
    if anchor.kind == "due" and rung["offset"] > 0 and life.rungs_from is not None:
        start = max(start, life.rungs_from)
    return setting.opening(setting.add(start, rung["offset"]))


def ahead(life: Life, setting: Setting, *, held: bool = False) -> list[tuple[datetime, Row, Anchor]]:
    """Each rung that the item, as it is now, will meet: its moment, in the order of anchors and ladder.

    `held`: instead, those that wait for a decision.
    """
    found = []
    if life.closed:
        return found
    for anchor in anchors(life):
        for rung in setting.policy["ladder"]:
            if rung["anchor"] != anchor.kind or life.state not in rung["states"]:
                continue
            if rung["after_interview"] and life.escalation_count == 0:
                continue
            if (life.cycle, rung["code"], anchor.day, anchor.ref) in life.met:
                continue
            waits = anchor.kind == "due" and rung["offset"] > 0 and life.held
            if waits == held:
                found.append((moment(rung, anchor, life, setting), rung, anchor))
    return found


def look(life: Life, setting: Setting) -> list[Outcome]:
    """What one look at `setting.now` does, in order. Nothing outside office hours."""
    if not setting.in_office_hours:
        return []
    due = [each for each in ahead(life, setting) if each[0] <= setting.now]
    skipped = [_outcome(life, rung, anchor, "before_creation") for m, rung, anchor in due if m < life.created_at]
    met: dict[Anchor, list[Row]] = {}
    for instant, rung, anchor in due:
        if instant >= life.created_at:
            met.setdefault(anchor, []).append(rung)
    fired: list[Outcome] = []
    escalations: list[Outcome] = []
    for anchor, rungs in met.items():
        mild = [rung for rung in rungs if rung["action"] in STRENGTH]
        circulars = [rung for rung in rungs if rung["action"] == "circulate"]
        steps = [rung for rung in rungs if rung["action"] == "escalate"]
        chosen = None if circulars or steps or not mild else _strongest(mild)
        for rung in mild:
            outcome = _outcome(life, rung, anchor, None if rung is chosen else "collapsed")
            (fired if outcome.fires else skipped).append(outcome)
        fired += [_outcome(life, rung, anchor) for rung in circulars]
        escalations += [_outcome(life, rung, anchor) for rung in steps]
    return [*skipped, *fired, *escalations[:1]]


def _strongest(rungs: list[Row]) -> Row:
    return max(enumerate(rungs), key=lambda each: (STRENGTH[each[1]["action"]], each[1]["offset"], each[0]))[1]


def approved(life: Life, setting: Setting) -> list[Outcome]:
    """What is skipped because the decision that the unit had waited for is in its favour."""
    return [
        _outcome(life, rung, anchor, "held")
        for instant, rung, anchor in ahead(life, setting, held=True)
        if instant <= setting.now
    ]


def passes(life: Life) -> datetime | None:
    """When the deadline has passed, where that is not on record."""
    if life.closed or life.deadline is None or life.passed_on == life.deadline:
        return None
    return at(life.deadline + ONE_DAY)


def next_moments(life: Life, setting: Setting) -> tuple[datetime | None, datetime | None]:
    """The next instants at which the item, as it is, wants a look: one at any hour, one in office hours."""
    return passes(life), min((instant for instant, _, _ in ahead(life, setting)), default=None)


def _outcome(life: Life, rung: Row, anchor: Anchor, reason: str | None = None) -> Outcome:
    return Outcome(rung["code"], rung["action"], anchor, life.cycle, reason, bool(rung.get("confirm")))
