"""The state machine against the domain's table, written down here a second time by hand, and what each trigger does.

What a trigger does is compared as a whole item: the fields that it changes are named, and nothing else may differ.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest

from service.errors import Refused
from service.workflow import machine
from service.workflow.items import Interview, Item
from service.workflow.machine import Step
from service.workflow.permissions import CLOCK
from service.workflow.states import State, Trigger
from tests.workflow.builders import (
    CLAIMANT,
    CLAIMED,
    COUNTY,
    DECIDER,
    DUE_ON,
    EVERYTHING,
    FAR_VILLAGE,
    IMMEDIATE_DEADLINE,
    ITEM,
    LATER,
    NEW_CLAIM_RULE,
    NEW_TALK,
    NEW_WAIT,
    NOW,
    OFFICE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    STANDING_DEADLINE,
    SUPERVISOR,
    TALK,
    TODAY,
    TOMORROW,
    TWIN,
    VILLAGE,
    WAITED,
    YESTERDAY,
    a_case,
    a_command,
    a_policy,
    a_standing,
    a_talk,
    after,
    an_item,
    days,
    fire,
    guarded,
    refused,
)

STATES = ("open", "rectifying", "extended", "escalated", "closed")
TRIGGERS = ("claim", "extend", "close", "escalate", "resume", "transfer", "reopen", "annul")
PAIRS = list(product(STATES, TRIGGERS))

LEADS_TO = {
    ("open", "claim"): "rectifying",
    ("open", "escalate"): "escalated",
    ("open", "transfer"): "open",
    ("open", "annul"): "closed",
    ("rectifying", "extend"): "extended",
    ("rectifying", "close"): "closed",
    ("rectifying", "escalate"): "escalated",
    ("rectifying", "transfer"): "open",
    ("rectifying", "annul"): "closed",
    ("extended", "extend"): "extended",
    ("extended", "close"): "closed",
    ("extended", "escalate"): "escalated",
    ("extended", "transfer"): "open",
    ("extended", "annul"): "closed",
    ("escalated", "close"): "closed",
    ("escalated", "resume"): "rectifying",
    ("escalated", "annul"): "closed",
    ("closed", "reopen"): "open",
}
ALLOWED = {
    "open": {"claim", "escalate", "transfer", "annul"},
    "rectifying": {"extend", "close", "escalate", "transfer", "annul"},
    "extended": {"extend", "close", "escalate", "transfer", "annul"},
    "escalated": {"close", "resume", "annul"},
    "closed": {"reopen"},
}


def refusal_of(trigger: str, item: Item, **more: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        fire(trigger, item, **more)
    return caught.value


def allowed(item: Item, **more: Any) -> set[str]:
    return {name for name, refusal in machine.prospects(a_case(item, **more)) if refusal is None}


# -- where triggers lead


def test_there_are_five_states_and_eight_triggers() -> None:
    assert tuple(State) == STATES
    assert tuple(Trigger) == TRIGGERS


@pytest.mark.parametrize(("state", "trigger"), PAIRS)
def test_a_trigger_leads_where_the_table_says_and_nowhere_else(state: str, trigger: str) -> None:
    item = an_item(state)
    untouched = replace(item)
    if (state, trigger) in LEADS_TO:
        step = fire(trigger, item)
        assert step.after.state == LEADS_TO[state, trigger]
        assert type(step.after.state) is str
        assert step.after.version == item.version + 1
        assert step.after.updated_at == NOW
        assert step.after == replace(item, **step.changes)
        assert step.before is item
    else:
        refusal = refusal_of(trigger, item)
        assert (refusal.code, refusal.reason) == ("invalid_transition", None)
        assert refusal.facts.keys() == {"state", "trigger", "allowed_triggers"}
        assert (refusal.facts["state"], refusal.facts["trigger"]) == (state, trigger)
        assert sorted(refusal.facts["allowed_triggers"]) == sorted(ALLOWED[state])
    assert item == untouched


def test_the_diagram_shows_the_same_table() -> None:
    arrows = {f"{state} --> {dest}: {trigger}" for (state, trigger), dest in LEADS_TO.items()}
    first, *lines = machine.mermaid().splitlines()
    assert first == "stateDiagram-v2"
    assert sorted(line.strip() for line in lines) == sorted({"[*] --> open", "closed --> [*]"} | arrows)


def test_the_machine_is_shared_by_threads_without_mixing_items_up() -> None:
    # The library can queue triggers of one machine; a second thread's would then silently do nothing.
    ways = list(LEADS_TO) * 20

    def leads_to(way: tuple[str, str]) -> str:
        return fire(way[1], an_item(way[0])).after.state

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(leads_to, ways)) == [LEADS_TO[way] for way in ways]


# -- what may be done now, and why not


@pytest.mark.parametrize("state", STATES)
def test_someone_who_may_everything_is_offered_what_the_state_accepts(state: str) -> None:
    assert [name for name, _ in machine.prospects(a_case(an_item(state)))] == list(TRIGGERS)
    assert allowed(an_item(state)) == ALLOWED[state]


@pytest.mark.parametrize(
    ("standing", "state", "offered"),
    [
        (a_standing(), "open", set()),
        (a_standing(), "escalated", set()),
        (a_standing("claims"), "open", {"claim"}),
        (a_standing("claims"), "rectifying", set()),
        (a_standing("decides"), "open", {"escalate", "transfer"}),
        (a_standing("annuls"), "open", {"annul"}),
        (SUPERVISOR, "open", {"escalate", "transfer", "annul"}),
        (SUPERVISOR, "rectifying", {"extend", "close", "escalate", "transfer", "annul"}),
        # The second extension, and annulling what was escalated, are for the level above.
        (SUPERVISOR, "extended", {"close", "escalate", "transfer", "annul"}),
        (SUPERVISOR, "escalated", {"close", "resume"}),
        (SUPERVISOR, "closed", {"reopen"}),
    ],
)
def test_others_are_offered_what_is_theirs(standing: Any, state: str, offered: set[str]) -> None:
    assert allowed(an_item(state), standing=standing) == offered


def test_what_is_allowed_goes_by_rules_and_not_by_the_state_alone() -> None:
    claimant = {"actor_id": CLAIMANT}
    assert allowed(an_item("rectifying"), **claimant) == ALLOWED["rectifying"] - {"close"}
    # Whether it will be waived is not known beforehand: closing stays on offer, resuming does not.
    assert allowed(an_item("escalated"), interview=a_talk("pending")) == ALLOWED["escalated"] - {"resume"}
    assert allowed(an_item("closed", resolution="annulled")) == set()
    assert allowed(an_item("rectifying", **STANDING_DEADLINE)) == ALLOWED["rectifying"] - {"extend"}


def test_each_trigger_says_why_not() -> None:
    item = an_item("extended", extension_count=2)
    why = {
        name: (refusal.code, refusal.reason) if refusal else None
        for name, refusal in machine.prospects(
            a_case(item, standing=a_standing("decides", "higher"), actor_id=CLAIMANT)
        )
    }
    assert why == {
        "claim": ("forbidden", "claim"),
        "extend": ("guard_refused", "extension_count"),
        "close": ("guard_refused", "four_eyes"),
        "escalate": None,
        "resume": ("invalid_transition", None),
        "transfer": None,
        "reopen": ("invalid_transition", None),
        "annul": ("forbidden", "decide"),
    }


def test_a_trigger_that_the_state_does_not_accept_names_both() -> None:
    refusal = dict(machine.prospects(a_case(an_item("extended"))))["resume"]
    assert refusal is not None
    assert refusal.facts == {"state": "extended", "trigger": "resume"}


@pytest.mark.parametrize(("state", "trigger"), PAIRS)
@pytest.mark.parametrize("standing", [EVERYTHING, SUPERVISOR, a_standing("claims"), a_standing()])
@pytest.mark.parametrize("actor_id", [DECIDER, CLAIMANT])
def test_what_is_said_beforehand_holds_when_it_is_tried(state: str, trigger: str, standing: Any, actor_id: Any) -> None:
    facts = {"standing": standing, "actor_id": actor_id}
    said = dict(machine.prospects(a_case(an_item(state), **facts)))[trigger]
    if said is None:
        fire(trigger, an_item(state), **facts)
    else:
        with refused(said.code, said.reason):
            fire(trigger, an_item(state), **facts)


def test_who_is_judged_before_the_state_and_the_state_before_the_rules() -> None:
    closed = an_item("closed", resolution="annulled", extension_count=2)
    with refused("forbidden", "decide"):
        fire("extend", closed, standing=a_standing("claims"))
    with refused("forbidden", "higher_level"):
        fire("extend", closed, standing=SUPERVISOR)
    with refused("invalid_transition"):
        fire("extend", closed)
    with guarded("extension_count"):
        fire("extend", an_item("rectifying", extension_count=2))


def test_authorize_judges_the_caller_and_nothing_else() -> None:
    closed = an_item("closed")
    for trigger in TRIGGERS:
        machine.authorize(a_case(closed), a_command(trigger))
        with refused("forbidden", "claim" if trigger == "claim" else "decide"):
            machine.authorize(a_case(closed, standing=a_standing()), a_command(trigger))


# -- claim


def test_claiming_signs_for_the_item() -> None:
    item = an_item("open", hands={"progressed": [str(CLAIMANT)]})
    step = fire("claim", item, actor_id=CLAIMANT, signed_by="王秀英", measures="三日内清淤")
    assert step.after == after(
        item,
        state="rectifying",
        claim_signed_by="王秀英",
        claimed_at=NOW,
        claimed_by=CLAIMANT,
        measures="三日内清淤",
        hands={"progressed": [str(CLAIMANT)], "claimed": [str(CLAIMANT)]},
    )
    assert (step.opens, step.cancels_interview, step.late, step.cancelled) == (None, False, False, ())


def test_claiming_without_measures_keeps_those_that_stand() -> None:
    item = an_item("open", measures="清淤")
    assert fire("claim", item, measures=None).after.measures == "清淤"


def test_claiming_after_a_transfer_is_remembered_beside_the_first_claim() -> None:
    item = an_item("open", hands={"claimed": [str(CLAIMANT)]})
    assert fire("claim", item).after.hands == {"claimed": [str(CLAIMANT), str(DECIDER)]}
    assert fire("claim", item, actor_id=CLAIMANT).after.hands == {"claimed": [str(CLAIMANT)]}


def test_claiming_late_moves_neither_deadline_nor_claim_due() -> None:
    item = an_item("open", claim_due=YESTERDAY)
    claimed = fire("claim", item).after
    assert (claimed.claim_due, claimed.due_on) == (YESTERDAY, DUE_ON)


# -- extend


def test_extending_moves_the_deadline_and_uses_the_budget() -> None:
    item = an_item("rectifying")
    step = fire("extend", item, due_on=DUE_ON + days(16))
    assert step.after == after(
        item, state="extended", due_on=DUE_ON + days(16), extension_count=1, extension_days=16, extended_late=0
    )
    assert not step.late
    assert (step.opens, step.cancels_interview) == (None, False)


def test_a_second_extension_adds_to_the_first() -> None:
    item = an_item("extended", extension_count=1, extension_days=16)
    step = fire("extend", item, due_on=DUE_ON + days(5))
    assert step.after == after(item, state="extended", due_on=DUE_ON + days(5), extension_count=2, extension_days=21)


def test_an_extend_after_the_deadline_passed_is_counted_as_late() -> None:
    overdue = an_item("rectifying", due_on=YESTERDAY)
    step = fire("extend", overdue, due_on=TOMORROW)
    assert step.late
    assert step.after == after(
        overdue, state="extended", due_on=TOMORROW, extension_count=1, extension_days=2, extended_late=1
    )
    assert fire("extend", replace(overdue, extended_late=1), due_on=TOMORROW).after.extended_late == 2
    on_its_last_day = fire("extend", an_item("rectifying", due_on=TODAY), due_on=TOMORROW)
    assert (on_its_last_day.late, on_its_last_day.after.extended_late) == (False, 0)


def test_a_computed_deadline_that_a_person_extends_is_a_date_of_its_own() -> None:
    item = an_item("rectifying", **IMMEDIATE_DEADLINE, deadline_text="立行立改")
    step = fire("extend", item, due_on=DUE_ON + days(1))
    assert step.after == after(
        item,
        state="extended",
        deadline_kind="date",
        due_on=DUE_ON + days(1),
        provisional=False,
        deadline_rule=None,
        extension_count=1,
        extension_days=1,
    )
    assert step.after.deadline_text == "立行立改"


# -- close


def test_closing_settles_the_item_as_rectified() -> None:
    item = an_item("extended")
    step = fire("close", item)
    assert step.after == after(item, state="closed", resolution="rectified", closed_at=NOW, closed_days_late=0)
    assert (step.opens, step.cancels_interview, step.late, step.cancelled) == (None, False, False, ())


@pytest.mark.parametrize(
    ("deadline", "days_late"),
    [
        ({"due_on": TOMORROW}, 0),
        ({"due_on": TODAY}, 0),
        ({"due_on": YESTERDAY}, 1),
        # Calendar days: the Friday before, over a weekend.
        ({"due_on": date(2026, 3, 6)}, 5),
        ({**STANDING_DEADLINE, "review_on": TODAY}, 0),
        ({**STANDING_DEADLINE, "review_on": date(2026, 2, 27)}, 12),
        ({**IMMEDIATE_DEADLINE, "due_on": YESTERDAY}, 1),
    ],
)
def test_closing_keeps_by_how_many_days_it_was_late(deadline: dict[str, Any], days_late: int) -> None:
    closed = fire("close", an_item("rectifying", **deadline)).after
    assert closed.closed_days_late == days_late
    assert closed.deadline_day == an_item("rectifying", **deadline).deadline_day


def test_closing_after_the_interview_leaves_it_on_record() -> None:
    step = fire("close", an_item("escalated"), waive_interview="已谈")
    assert not step.cancels_interview
    assert step.after.interview_id == TALK


@pytest.mark.parametrize("talk", ["pending", "scheduled"])
def test_closing_with_a_waiver_cancels_the_interview(talk: str) -> None:
    item = an_item("escalated", pending=WAITED)
    step = fire("close", item, interview=a_talk(talk), waive_interview="已整改到位")
    assert step.cancels_interview
    assert step.after.state == "closed"
    assert step.after.pending == {}
    assert step.cancelled == ()


# -- escalate


def test_escalating_opens_an_interview() -> None:
    item = an_item("rectifying", cycle=3)
    step = fire("escalate", item)
    assert step.after == after(item, state="escalated", escalation_count=1, interview_id=NEW_TALK, pending=NEW_WAIT)
    assert step.opens == Interview(
        id=NEW_TALK,
        item_id=ITEM,
        unit_id=VILLAGE,
        cycle=3,
        state="pending",
        opened_at=NOW,
        # Five working days: Thursday, Friday, then Monday to Wednesday.
        due_on=date(2026, 3, 18),
    )
    assert not step.cancels_interview


def test_the_interview_is_due_as_the_policy_says() -> None:
    # 1 to 5 May 2026 are off, Saturday the 9th is worked: 30 April, 6, 7, 8, 9 and 11 May.
    step = fire("escalate", an_item(), today=date(2026, 4, 29), policy=a_policy(interview_within=6))
    assert step.opens is not None
    assert step.opens.due_on == date(2026, 5, 11)
    assert step.after.pending["interview"] == {
        "id": str(NEW_TALK), "by": None, "on": "2026-04-29", "within": 6, "due": "2026-05-11",
    }  # fmt: skip


def test_escalating_an_unclaimed_item_does_not_claim_it() -> None:
    item = an_item("open")
    assert fire("escalate", item).after == after(
        item, state="escalated", escalation_count=1, interview_id=NEW_TALK, pending=NEW_WAIT
    )


def test_a_second_escalation_counts_on_and_opens_an_interview_of_its_own() -> None:
    item = an_item("rectifying", escalation_count=1, interview_id=TALK)
    step = fire("escalate", item)
    assert step.after == after(item, state="escalated", escalation_count=2, interview_id=NEW_TALK, pending=NEW_WAIT)
    assert not step.cancels_interview


@pytest.mark.parametrize("state", ["open", "rectifying", "extended"])
def test_the_clock_escalates_through_the_same_door(state: str) -> None:
    step = fire("escalate", an_item(state), standing=CLOCK, actor_id=None)
    assert step.after.state == "escalated"
    assert step.opens is not None
    assert step.after.hands == an_item(state).hands


# -- resume


def test_resuming_sets_a_deadline_and_begins_nothing_anew() -> None:
    item = an_item(
        "escalated",
        cycle=2,
        extension_count=2,
        extension_days=50,
        extended_late=1,
        escalation_count=2,
        evidence_count=3,
        due_on=YESTERDAY,
        claim_due=YESTERDAY,
    )
    step = fire("resume", item, due_on=LATER, signed_by="刘洋")
    # It was claimed before: a further signature changes nothing about that.
    assert step.after == after(item, state="rectifying", due_on=LATER)
    assert (step.opens, step.cancels_interview, step.late, step.cancelled) == (None, False, False, ())


def test_resuming_an_item_that_was_never_claimed_makes_the_signature_its_claim() -> None:
    item = an_item("escalated", claim_signed_by=None, claimed_at=None, claimed_by=None, hands={})
    step = fire("resume", item, signed_by="刘洋")
    assert step.after == after(
        item,
        state="rectifying",
        due_on=LATER,
        claim_signed_by="刘洋",
        claimed_at=NOW,
        claimed_by=DECIDER,
        hands={"claimed": [str(DECIDER)]},
    )


def test_resuming_a_standing_item_moves_its_review() -> None:
    item = an_item("escalated", **STANDING_DEADLINE)
    step = fire("resume", item, due_on=LATER)
    assert step.after == after(item, state="rectifying", review_on=LATER, deadline_rule=None)


def test_resuming_an_immediate_item_makes_its_deadline_a_date() -> None:
    item = an_item("escalated", **IMMEDIATE_DEADLINE)
    step = fire("resume", item, due_on=LATER)
    assert step.after == after(
        item, state="rectifying", deadline_kind="date", due_on=LATER, deadline_rule=None, provisional=False
    )


# -- transfer


def test_transferring_begins_claim_and_budget_anew_and_keeps_cycle_and_deadline() -> None:
    item = an_item(
        "extended",
        cycle=2,
        extension_count=2,
        extension_days=30,
        extended_late=1,
        escalation_count=1,
        interview_id=TALK,
        evidence_count=2,
        claim_due=YESTERDAY,
        due_on=YESTERDAY,
        provisional=True,
        deadline_rule={"name": "severity_limit", "limit": 5, "unit": "working_days", "start_on": "2026-03-02"},
    )
    step = fire("transfer", item)
    assert step.after == after(
        item,
        state="open",
        responsible_unit_id=OTHER_VILLAGE,
        claim_signed_by=None,
        claimed_at=None,
        claimed_by=None,
        # Two working days, counted from today.
        claim_due=date(2026, 3, 13),
        claim_rule=NEW_CLAIM_RULE,
        extension_count=0,
        extension_days=0,
    )
    # Four eyes look at the whole cycle, and the cycle stays.
    assert step.after.hands == CLAIMED["hands"]
    assert (step.opens, step.cancels_interview, step.late, step.cancelled) == (None, False, False, ())


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({}, {"due_on": LATER}),
        (STANDING_DEADLINE, {"review_on": LATER, "deadline_rule": None}),
        (IMMEDIATE_DEADLINE, {"deadline_kind": "date", "due_on": LATER, "deadline_rule": None, "provisional": False}),
    ],
)
def test_transferring_with_a_deadline_sets_it(before: dict[str, Any], expected: dict[str, Any]) -> None:
    item = an_item("open", **before)
    step = fire("transfer", item, due_on=LATER, today=TODAY)
    anew = {"claim_due": date(2026, 3, 13), "claim_rule": NEW_CLAIM_RULE}
    assert step.after == after(item, responsible_unit_id=OTHER_VILLAGE, **anew, **expected)


def test_the_claim_is_due_as_the_policy_says_from_the_day_of_the_transfer() -> None:
    # From Friday 18 September 2026: Sunday the 20th is worked, the 25th to 27th are off.
    step = fire("transfer", an_item(), today=date(2026, 9, 18), policy=a_policy(claim_within=6))
    assert step.after.claim_due == date(2026, 9, 28)
    assert step.after.claim_rule == {"name": "claim", "limit": 6, "unit": "working_days", "start_on": "2026-09-18"}


def test_a_defaulted_supervising_unit_follows_the_responsible_one() -> None:
    moved = fire("transfer", an_item(), responsible_unit_id=FAR_VILLAGE).after
    assert (moved.supervising_unit_id, moved.supervising_defaulted) == (OTHER_TOWN, True)
    to_the_top = fire("transfer", an_item(), responsible_unit_id=COUNTY).after
    assert (to_the_top.supervising_unit_id, to_the_top.supervising_defaulted) == (COUNTY, True)


def test_a_supervising_unit_once_named_stays() -> None:
    item = an_item(supervising_unit_id=OFFICE, supervising_defaulted=False)
    moved = fire("transfer", item, responsible_unit_id=FAR_VILLAGE).after
    assert (moved.supervising_unit_id, moved.supervising_defaulted) == (OFFICE, False)


def test_a_supervising_unit_named_at_the_transfer_is_no_default_any_more() -> None:
    moved = fire("transfer", an_item(), responsible_unit_id=FAR_VILLAGE, supervising_unit_id=OFFICE).after
    assert (moved.supervising_unit_id, moved.supervising_defaulted) == (OFFICE, False)
    # Even where it is the one that the default would have been.
    named = fire("transfer", an_item(), responsible_unit_id=FAR_VILLAGE, supervising_unit_id=OTHER_TOWN).after
    assert (named.supervising_unit_id, named.supervising_defaulted) == (OTHER_TOWN, False)


def test_a_co_unit_that_becomes_responsible_is_no_co_unit_any_more() -> None:
    item = an_item(co_unit_ids=(OFFICE, OTHER_VILLAGE, FAR_VILLAGE))
    assert fire("transfer", item).after.co_unit_ids == (OFFICE, FAR_VILLAGE)
    assert fire("transfer", item, responsible_unit_id=OTHER_TOWN).after.co_unit_ids == item.co_unit_ids


# -- reopen


def test_reopening_begins_the_whole_cycle_anew() -> None:
    item = an_item(
        "closed",
        cycle=1,
        claim_due=YESTERDAY,
        due_on=YESTERDAY,
        extension_count=2,
        extension_days=40,
        extended_late=1,
        escalation_count=1,
        evidence_count=4,
        interview_id=TALK,
        closed_days_late=3,
        passed_on=YESTERDAY,
        rungs_from=YESTERDAY,
        measures="清淤",
        hands={"claimed": [str(CLAIMANT)], "asked": [str(CLAIMANT)], "progressed": [str(CLAIMANT)]},
    )
    step = fire("reopen", item)
    assert step.after == after(
        item,
        state="open",
        cycle=2,
        due_on=LATER,
        passed_on=None,
        rungs_from=None,
        claim_due=date(2026, 3, 13),
        claim_rule=NEW_CLAIM_RULE,
        claim_signed_by=None,
        claimed_at=None,
        claimed_by=None,
        hands={},
        extension_count=0,
        extension_days=0,
        extended_late=0,
        escalation_count=0,
        evidence_count=0,
        interview_id=None,
        resolution=None,
        closed_at=None,
        closed_days_late=None,
    )
    assert (step.opens, step.cancels_interview, step.late, step.cancelled) == (None, False, False, ())


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (STANDING_DEADLINE, ("standing", None, LATER, False, None)),
        (IMMEDIATE_DEADLINE, ("date", LATER, None, False, None)),
    ],
)
def test_reopening_sets_the_deadline_of_its_kind(before: dict[str, Any], expected: tuple[Any, ...]) -> None:
    item = fire("reopen", an_item("closed", **before)).after
    assert (item.deadline_kind, item.due_on, item.review_on, item.provisional, item.deadline_rule) == expected


def test_an_item_moved_in_closed_can_be_reopened() -> None:
    never_claimed = {"claim_signed_by": None, "claimed_at": None, "claimed_by": None, "hands": {}, "claim_due": None}
    item = fire("reopen", an_item("closed", **never_claimed)).after
    assert (item.state, item.cycle, item.claim_due) == ("open", 2, date(2026, 3, 13))


# -- annul


@pytest.mark.parametrize("state", ["open", "rectifying", "extended"])
def test_annulling_ends_the_item_without_rectification(state: str) -> None:
    item = an_item(state)
    step = fire("annul", item)
    assert step.after == after(item, state="closed", resolution="annulled", closed_at=NOW)
    assert (step.opens, step.cancels_interview, step.late, step.cancelled) == (None, False, False, ())


def test_annulling_a_duplicate_names_the_other_item() -> None:
    item = an_item("open")
    step = fire("annul", item, duplicate_of=TWIN, twin=an_item(id=TWIN))
    assert step.after == after(item, state="closed", resolution="duplicate", duplicate_of=TWIN, closed_at=NOW)


@pytest.mark.parametrize(("talk", "cancelled"), [("pending", True), ("scheduled", True), ("recorded", False)])
def test_annulling_cancels_an_interview_that_was_not_held(talk: str, cancelled: bool) -> None:
    # What is on record is waited for no longer.
    item = an_item("escalated", pending=WAITED if cancelled else {})
    step = fire("annul", item, interview=a_talk(talk))
    assert step.cancels_interview is cancelled
    assert step.after == after(item, state="closed", resolution="annulled", closed_at=NOW, pending={})


# -- a whole life


def test_a_life_from_listing_to_the_second_closing() -> None:
    """Each step starts from what the one before left, as it does in the service."""
    item, versions = an_item("open", version=1), []

    def go(trigger: str, **more: Any) -> Step:
        nonlocal item
        step = fire(trigger, item, **more)
        item = step.after
        versions.append(item.version)
        return step

    go("claim", actor_id=CLAIMANT)
    go("extend", due_on=DUE_ON + days(10))
    opened = go("escalate").opens
    assert opened is not None
    go("resume", interview=replace(opened, state="recorded"), due_on=DUE_ON + days(20))
    assert (item.extension_count, item.escalation_count, item.claimed_by) == (1, 1, CLAIMANT)
    go("extend", interview=replace(opened, state="recorded"), due_on=DUE_ON + days(30))
    assert (item.extension_count, item.extension_days) == (2, 20)
    go("close", interview=replace(opened, state="recorded"))
    go("reopen", interview=replace(opened, state="recorded"), due_on=LATER)
    go("claim", actor_id=DECIDER)
    # A new cycle, new eyes: who claimed the first one may close the second.
    go("close", actor_id=CLAIMANT, now=datetime(2026, 4, 20, 2, 0, tzinfo=UTC), today=date(2026, 4, 20))
    assert (item.state, item.resolution, item.cycle, item.closed_days_late) == ("closed", "rectified", 2, 10)
    assert versions == [2, 3, 4, 5, 6, 7, 8, 9, 10]
