"""Random lives of an item, held against a second, smaller model of the domain that was written for this test.

The model knows the domain's words only: it shares no table, no guard and no effect with the service. It foretells
whether a trigger is accepted, as what it is refused, and where the item stands then.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from service.errors import Refused
from service.workflow import machine
from service.workflow.calendar import BASE
from service.workflow.items import Interview, Item, Lines
from service.workflow.permissions import CLOCK, Grant, Standing
from tests.workflow.builders import (
    COUNTY,
    FAR_VILLAGE,
    ITEM,
    LISTER,
    OFFICE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    PARENT,
    TODAY,
    TOWN,
    TWIN,
    VILLAGE,
    a_case,
    a_command,
    a_policy,
    an_item,
    examples,
    line,
    uid,
)

MAX_COUNT, MAX_DAYS = 2, 30
POLICY = a_policy(
    extension={"max_count": MAX_COUNT, "max_total_days": MAX_DAYS}, closure={"min_evidence": 1}, claim_within=2
)


@dataclass(frozen=True)
class Person:
    id: UUID
    role: str
    unit: UUID


PEOPLE = {
    "admin": Person(uid(61), "admin", COUNTY),
    "county": Person(uid(62), "supervisor", COUNTY),
    "town": Person(uid(63), "supervisor", TOWN),
    "town's lister": Person(LISTER, "supervisor", TOWN),
    "other town": Person(uid(64), "supervisor", OTHER_TOWN),
    "office": Person(uid(65), "supervisor", OFFICE),
    "village": Person(uid(66), "responsible", VILLAGE),
    "other village": Person(uid(67), "responsible", OTHER_VILLAGE),
    "all villages": Person(uid(68), "responsible", COUNTY),
    "viewer": Person(uid(69), "viewer", COUNTY),
}
UNITS = (VILLAGE, OTHER_VILLAGE, FAR_VILLAGE, TOWN, OTHER_TOWN, COUNTY)


# -- the model


def lies_over(unit: UUID, below: UUID | None) -> bool:
    while below is not None:
        if below == unit:
            return True
        below = PARENT[below]
    return False


@dataclass
class Model:
    """What the domain says about one item, in as few words as it takes. `talk`: the latest escalation's interview."""

    today: date = TODAY
    state: str = "open"
    version: int = 1
    cycle: int = 1
    unit: UUID = VILLAGE
    supervisor: UUID = TOWN
    defaulted: bool = True
    standing: bool = False
    due: date = TODAY
    claim_due: date = TODAY
    claimed: bool = False
    extensions: int = 0
    extended_days: int = 0
    extended_late: int = 0
    escalations: int = 0
    evidence: int = 0
    talk: str | None = None
    resolution: str | None = None
    hands: set[UUID] = field(default_factory=set)

    def overdue(self) -> bool:
        return self.state != "closed" and self.due < self.today

    def decides(self, who: Person | None) -> bool:
        return who is None or (who.role in ("admin", "supervisor") and lies_over(who.unit, self.supervisor))

    def is_higher(self, who: Person | None) -> bool:
        at_root = PARENT[self.supervisor] is None
        return who is None or (self.decides(who) and (at_root or who.unit != self.supervisor))

    def forbids(self, who: Person | None, trigger: str, due: date | None) -> bool:
        if trigger == "claim":
            return not (who and who.role in ("admin", "responsible") and lies_over(who.unit, self.unit))
        if who is None and trigger != "escalate":
            return True
        if not self.decides(who):
            return True
        if trigger == "extend" and self.extensions >= 1:
            return not self.is_higher(who)
        far = due is not None and due > self.today + timedelta(days=MAX_DAYS)
        if far and (trigger == "resume" or (trigger == "transfer" and due is not None and due > self.due)):
            return not self.is_higher(who)
        return False

    def accepts(self, trigger: str) -> bool:
        return {
            "claim": self.state == "open",
            "extend": self.state in ("rectifying", "extended"),
            "close": self.state in ("rectifying", "extended", "escalated"),
            "escalate": self.state in ("open", "rectifying", "extended"),
            "resume": self.state == "escalated",
            "transfer": self.state in ("open", "rectifying", "extended"),
            "reopen": self.state == "closed",
            "annul": self.state != "closed",
        }[trigger]

    def broken_rules(self, who: Person | None, trigger: str, given: dict[str, Any]) -> set[str]:
        due: date | None = given.get("due_on")
        late = self.overdue() or self.state == "escalated" or (self.state == "open" and self.today > self.claim_due)
        too_early = due is not None and due < self.today
        match trigger:
            case "extend":
                rules = {
                    "not_standing": self.standing,
                    "extension_count": self.extensions + 1 > MAX_COUNT,
                    "later_deadline": due is not None and not due > max(self.today, self.due),
                    "extension_days": due is not None and self.extended_days + (due - self.due).days > MAX_DAYS,
                }
            case "close":
                rules = {
                    "evidence": self.evidence < 1,
                    "four_eyes": who is not None and who.id in self.hands,
                    "interview_recorded": self.state == "escalated"
                    and self.talk != "recorded"
                    and not given.get("waive_interview"),
                }
            case "resume":
                rules = {
                    "interview_recorded": self.talk != "recorded",
                    "not_before_today": too_early,
                    "signature": not self.claimed and not given.get("signed_by"),
                }
            case "transfer":
                to, over = given["responsible_unit_id"], self.supervisor_after(given)
                named = given.get("supervising_unit_id")
                rules = {
                    "other_unit": to == self.unit,
                    "supervising_unit": lies_over(to, over) and (named is not None or not to == over == COUNTY),
                    "not_before_today": too_early,
                }
            case "reopen":
                rules = {"was_rectified": self.resolution != "rectified", "not_before_today": too_early}
            case "annul":
                rules = {
                    "annul_by_other": late and who is not None and who.id == LISTER,
                    "annul_by_higher": late and not self.is_higher(who),
                    "duplicate_target": given.get("duplicate_of") == ITEM,
                }
            case _:
                rules = {}
        return {name for name, broken in rules.items() if broken}

    def supervisor_after(self, given: dict[str, Any]) -> UUID:
        to: UUID = given["responsible_unit_id"]
        named: UUID | None = given.get("supervising_unit_id")
        if named is not None:
            return named
        return (PARENT[to] or to) if self.defaulted or to == COUNTY else self.supervisor

    def move(self, who: Person | None, trigger: str, given: dict[str, Any]) -> None:
        self.version += 1
        was_overdue, was_unclaimed = self.overdue(), not self.claimed
        due: date | None = given.get("due_on")
        if trigger == "claim" or (trigger == "resume" and was_unclaimed):
            self.claimed = True
            if who is not None:
                self.hands.add(who.id)
        if trigger == "extend":
            assert due is not None
            self.extensions += 1
            self.extended_days += (due - self.due).days
            self.extended_late += was_overdue
        if trigger in ("transfer", "reopen"):
            self.claimed = False
            self.extensions = self.extended_days = 0
            self.claim_due = BASE.add(self.today, 2)
        if trigger == "transfer":
            self.supervisor = self.supervisor_after(given)
            self.unit = given["responsible_unit_id"]
            self.defaulted = (self.defaulted or self.unit == COUNTY) and not given.get("supervising_unit_id")
        if trigger == "reopen":
            self.cycle += 1
            self.escalations = self.evidence = self.extended_late = 0
            self.hands, self.resolution, self.talk = set(), None, None
        if trigger in ("extend", "resume", "transfer", "reopen") and due is not None:
            self.due = due
        if trigger == "escalate":
            self.escalations += 1
            self.talk = "pending"
        if trigger == "close":
            self.resolution = "rectified"
        if trigger == "annul":
            self.resolution = "duplicate" if given.get("duplicate_of") else "annulled"
        if trigger in ("close", "annul") and self.talk == "pending":
            self.talk = "cancelled"
        self.state = {
            "claim": "rectifying",
            "extend": "extended",
            "close": "closed",
            "escalate": "escalated",
            "resume": "rectifying",
            "transfer": "open",
            "reopen": "open",
            "annul": "closed",
        }[trigger]


# -- what is thrown at it

WHO = st.sampled_from(sorted(PEOPLE))
AHEAD = st.integers(-3, 12) | st.sampled_from([0, 1, MAX_DAYS, MAX_DAYS + 1, 90]) | st.none()
"""Days from today to the deadline that is asked for; None asks for none."""

BEST: dict[str, Any] = {"waive_interview": "已整改到位", "signed_by": "刘洋"}
"""Input with which a trigger succeeds if it can at all."""


def asked(trigger: str, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(trigger), st.fixed_dictionaries(given))


ANYTHING = st.one_of(
    asked("claim", signed_by=st.just("李国强")),
    asked("extend", ahead=AHEAD),
    asked("extend", beyond=st.integers(-1, MAX_DAYS + 1)),
    asked("close", waive_interview=st.none() | st.just("已整改到位")),
    asked("escalate"),
    asked("resume", ahead=AHEAD, signed_by=st.none() | st.just("刘洋")),
    asked(
        "transfer",
        ahead=AHEAD,
        responsible_unit_id=st.sampled_from(UNITS),
        supervising_unit_id=st.sampled_from([None, TOWN, OFFICE, FAR_VILLAGE, COUNTY]),
    ),
    asked("reopen", ahead=AHEAD),
    asked("annul", duplicate_of=st.sampled_from([None, TWIN, ITEM])),
)

LASTING = ("claim", "extend", "close", "escalate", "resume", "transfer", "reopen")
"""All but annul, after which nothing comes any more."""

APT: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "claim": st.just({"signed_by": "李国强"}),
    "extend": st.fixed_dictionaries({"beyond": st.integers(1, MAX_DAYS)}),
    "close": st.just({"waive_interview": "已整改到位"}),
    "escalate": st.just({}),
    "resume": st.fixed_dictionaries({"ahead": st.integers(0, MAX_DAYS), "signed_by": st.just("刘洋")}),
    "transfer": st.fixed_dictionaries({"responsible_unit_id": st.sampled_from(UNITS)}),
    "reopen": st.fixed_dictionaries({"ahead": st.integers(0, MAX_DAYS)}),
}


class Life(RuleBasedStateMachine):
    """One item; anyone tries anything, on any day."""

    @initialize(standing=st.booleans(), co_units=st.sampled_from([(), (OTHER_VILLAGE, OFFICE)]))
    def list_it(self, standing: bool, co_units: tuple[UUID, ...]) -> None:
        due, claim_due = TODAY + timedelta(days=9), BASE.add(TODAY, 2)
        self.model = Model(standing=standing, due=due, claim_due=claim_due)
        kind = {"deadline_kind": "standing", "due_on": None, "review_on": due} if standing else {"due_on": due}
        self.item: Item = an_item("open", version=1, claim_due=claim_due, co_unit_ids=co_units, **kind)
        self.talks: dict[UUID, Interview] = {}
        self.next_id = 1000

    # -- the world around it

    @rule(count=st.integers(1, 12))
    def days_pass(self, count: int) -> None:
        self.model.today += timedelta(days=count)

    @precondition(lambda self: self.model.talk == "pending")
    @rule()
    def the_talk_is_recorded(self) -> None:
        talk = self.talks[self.item.interview_id]
        self.talks[talk.id] = replace(talk, state="recorded")
        self.item = replace(self.item, pending={})
        self.item = replace(self.item, pending={})
        self.model.talk = "recorded"

    @precondition(lambda self: self.model.state != "closed")
    @rule(who=WHO, deed=st.sampled_from(["progressed", "asked"]))
    def someone_has_a_hand_in_it(self, who: str, deed: str) -> None:
        hands = self.item.with_hand(deed, PEOPLE[who].id)
        evidence = self.item.evidence_count + (deed == "progressed")
        self.item = replace(self.item, hands=hands, evidence_count=evidence)
        self.model.hands.add(PEOPLE[who].id)
        self.model.evidence += deed == "progressed"

    # -- triggers

    @rule(who=WHO, what=ANYTHING)
    def anyone_tries_anything(self, who: str, what: tuple[str, dict[str, Any]]) -> None:
        trigger, given = what
        self.fire(trigger, PEOPLE[who], **self.dated(given))

    @rule(data=st.data())
    def someone_does_what_can_be_done(self, data: st.DataObject) -> None:
        """Chance alone seldom gets far: mostly the wrong person asks for what the state does not accept."""
        ways = {trigger: [who for who in sorted(PEOPLE) if self.on_offer(PEOPLE[who], trigger)] for trigger in LASTING}
        if any(ways.values()):
            trigger = data.draw(st.sampled_from([trigger for trigger in LASTING if ways[trigger]]))
            who = data.draw(st.sampled_from(ways[trigger]))
            self.fire(trigger, PEOPLE[who], **self.dated(data.draw(APT[trigger])))

    @precondition(lambda self: self.model.overdue())
    @rule()
    def the_clock_escalates(self) -> None:
        self.fire("escalate", None)

    def dated(self, given: dict[str, Any]) -> dict[str, Any]:
        """The days of the input as a date: `ahead` of today, or `beyond` the later of today and the deadline."""
        rest = {name: value for name, value in given.items() if name not in ("ahead", "beyond")}
        if "beyond" in given:
            rest["due_on"] = max(self.model.today, self.model.due) + timedelta(days=given["beyond"])
        elif "ahead" in given:
            ahead = given["ahead"]
            rest["due_on"] = None if ahead is None else self.model.today + timedelta(days=ahead)
        return rest

    def fire(self, trigger: str, who: Person | None, **given: Any) -> None:
        """Try it, and compare with what the model foretells: of this trigger, and of what is on offer beforehand."""
        model, before = self.model, self.item
        untouched, talk = replace(before), self.talks.get(before.interview_id) if before.interview_id else None
        command = a_command(trigger, **given)
        case = a_case(
            before,
            command,
            standing=self.standing_of(who),
            policy=POLICY,
            actor_id=who.id if who else None,
            today=model.today,
            now=datetime.combine(model.today, time(2), tzinfo=UTC),
            interview=talk,
            twin={ITEM: before, TWIN: an_item(id=TWIN)}.get(given.get("duplicate_of")),
        )
        if who is not None:
            for name, refusal_now in machine.prospects(case):
                assert (refusal_now is None) is self.on_offer(who, name)
        broken = model.broken_rules(who, trigger, given)
        missing = trigger in ("extend", "resume", "reopen") and given["due_on"] is None
        try:
            step = machine.advance(case, command, new_id=self.new_id)
        except Refused as refusal:
            self.judge(refusal, trigger, who, given, broken, missing)
            assert before == untouched
            return
        assert not model.forbids(who, trigger, given.get("due_on"))
        assert model.accepts(trigger)
        assert not broken and not missing
        assert before == untouched
        assert step.after == replace(before, **step.changes)
        self.took_place(trigger, step)
        model.move(who, trigger, given)

    def judge(
        self, refusal: Refused, trigger: str, who: Person | None, given: dict[str, Any], broken: set[str], missing: bool
    ) -> None:
        """The refusal is the one that the model expects, and comes in the order of judgement."""
        if self.model.forbids(who, trigger, given.get("due_on")):
            assert refusal.code == "forbidden"
        elif not self.model.accepts(trigger):
            assert refusal.code == "invalid_transition"
            assert refusal.facts["state"] == self.model.state
            assert trigger not in refusal.facts["allowed_triggers"]
        elif refusal.code == "invalid_request":
            assert missing
        else:
            assert refusal.code == "guard_refused"
            assert refusal.reason in broken

    def took_place(self, trigger: str, step: machine.Step) -> None:
        """What holds between one version and the next, whatever the model says."""
        before, item = step.before, step.after
        assert item.version == before.version + 1
        assert item.cycle == before.cycle + (trigger == "reopen")
        assert before.state != "closed" or trigger == "reopen"
        assert item.revision == before.revision
        assert (step.opens is not None) is (trigger == "escalate")
        if step.opens is not None:
            assert item.interview_id == step.opens.id not in self.talks
            self.talks[step.opens.id] = step.opens
        if step.cancels_interview:
            self.talks[before.interview_id] = replace(self.talks[before.interview_id], state="cancelled")
        if trigger == "extend":
            assert before.deadline_day is not None and item.deadline_day is not None
            assert item.deadline_day > max(self.model.today, before.deadline_day)
            assert step.late is before.overdue(self.model.today)
        if trigger in ("resume", "reopen"):
            assert item.deadline_day is not None and item.deadline_day >= self.model.today
        if trigger == "transfer":
            assert item.responsible_unit_id != before.responsible_unit_id
            assert item.responsible_unit_id not in item.co_unit_ids
        else:
            assert item.responsible_unit_id == before.responsible_unit_id
        if trigger in ("extend", "resume", "transfer", "reopen"):
            # Neither the past nor what a trigger was not given: only it moves the deadline.
            assert item.deadline_kind == before.deadline_kind
        else:
            assert item.deadline_day == before.deadline_day
        self.item = item

    def standing_of(self, who: Person | None) -> Standing:
        if who is None:
            return CLOCK
        lines = Lines(
            responsible=line(self.item.responsible_unit_id),
            supervising=line(self.item.supervising_unit_id),
            co=tuple(line(unit) for unit in self.item.co_unit_ids),
        )
        return Standing.of((Grant(who.role, who.unit),), lines)

    def new_id(self) -> UUID:
        self.next_id += 1
        return uid(self.next_id)

    # -- what always holds

    @invariant()
    def the_item_stands_where_the_model_says(self) -> None:
        item, model = self.item, self.model
        assert (item.state, item.version, item.cycle) == (model.state, model.version, model.cycle)
        assert (item.responsible_unit_id, item.supervising_unit_id) == (model.unit, model.supervisor)
        assert item.supervising_defaulted == model.defaulted
        assert (item.deadline_day, item.claim_due) == (model.due, model.claim_due)
        assert (item.claimed_at is not None) == model.claimed
        assert (item.extension_count, item.extension_days) == (model.extensions, model.extended_days)
        assert (item.extended_late, item.escalation_count) == (model.extended_late, model.escalations)
        assert item.evidence_count == model.evidence
        assert item.resolution == model.resolution
        assert {UUID(mark) for marks in item.hands.values() for mark in marks} == model.hands
        assert (self.talks[item.interview_id].state if item.interview_id else None) == model.talk
        assert item.pending.keys() == ({"interview"} if model.talk == "pending" else set())
        assert item.overdue(model.today) == model.overdue()

    @invariant()
    def the_item_agrees_with_itself(self) -> None:
        item = self.item
        closed = item.state == "closed"
        assert (item.resolution is not None) is closed
        assert (item.closed_at is not None) is closed
        assert (item.duplicate_of is not None) is (item.resolution == "duplicate")
        assert (item.closed_days_late is not None) is (item.resolution == "rectified")
        assert item.extension_count <= MAX_COUNT and item.extension_days <= MAX_DAYS
        assert item.extension_count > 0 or item.state != "extended"
        assert item.escalation_count > 0 or item.state != "escalated"
        assert (item.escalation_count > 0) is (item.interview_id is not None)
        assert item.claimed_at is not None or item.state not in ("rectifying", "extended")
        assert (item.claim_signed_by is None) is (item.claimed_at is None) is (item.claimed_by is None)
        assert item.claimed_at is None or item.state != "open"

    def on_offer(self, who: Person, trigger: str) -> bool:
        """Whether some input makes the trigger succeed: more cannot be said before it is known."""
        elsewhere = FAR_VILLAGE if self.model.unit == VILLAGE else VILLAGE
        best = {**BEST, "responsible_unit_id": elsewhere, "supervising_unit_id": COUNTY}
        return (
            not self.model.forbids(who, trigger, None)
            and self.model.accepts(trigger)
            and not self.model.broken_rules(who, trigger, best)
        )


Life.TestCase.settings = examples(150, stateful_step_count=50)
TestLife = Life.TestCase
