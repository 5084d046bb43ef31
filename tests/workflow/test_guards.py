"""Every rule of the domain both ways: where it is met, and where it refuses, by its name.

All go through the machine, as every caller does: a rule that stands in no row of the table would be found here.
"""

from dataclasses import fields, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from service.errors import Refused
from service.reasons import FORBIDDEN, GUARDS
from service.workflow import machine
from service.workflow.permissions import Standing
from service.workflow.states import State, Trigger
from tests.workflow.builders import (
    CLAIMANT,
    COUNTY,
    DECIDER,
    DUE_ON,
    EVERYTHING,
    FAR_VILLAGE,
    GROUP,
    IMMEDIATE_DEADLINE,
    ITEM,
    LATER,
    LISTER,
    OFFICE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    REPORTER,
    STANDING_DEADLINE,
    SUPERVISOR,
    TODAY,
    TOMORROW,
    TOWN,
    TWIN,
    VILLAGE,
    YESTERDAY,
    a_case,
    a_command,
    a_policy,
    a_standing,
    a_talk,
    an_item,
    days,
    fire,
    guarded,
    line,
    refused,
)

ACCEPTING = {
    "claim": "open",
    "extend": "rectifying",
    "close": "rectifying",
    "escalate": "rectifying",
    "resume": "escalated",
    "transfer": "rectifying",
    "reopen": "closed",
    "annul": "rectifying",
}
"""A state for each trigger in which nothing else stands in its way."""


# -- who may


@pytest.mark.parametrize("trigger", list(Trigger))
def test_each_trigger_belongs_to_one_side(trigger: str) -> None:
    item = an_item(ACCEPTING[trigger])
    side = {"claim": "claims", "annul": "annuls"}.get(trigger, "decides")
    fire(trigger, item, standing=a_standing(side))
    others = {field.name for field in fields(Standing)} - {side}
    with refused("forbidden", "claim" if trigger == "claim" else "decide"):
        fire(trigger, item, standing=a_standing(*others))


# -- extend: the deadline


@pytest.mark.parametrize(
    ("present", "asked"),
    [
        (DUE_ON, DUE_ON + days(1)),
        (TODAY, TOMORROW),
        # The deadline has passed: later than today is what counts now.
        (YESTERDAY, TOMORROW),
        (TODAY - days(20), TOMORROW),
    ],
)
def test_an_extension_leads_beyond_today_and_the_present_deadline(present: date, asked: date) -> None:
    assert fire("extend", an_item("rectifying", due_on=present), due_on=asked).after.due_on == asked


@pytest.mark.parametrize(
    ("present", "asked"),
    [
        (DUE_ON, DUE_ON),
        (DUE_ON, DUE_ON - days(1)),
        (DUE_ON, YESTERDAY),
        (TODAY, TODAY),
        (YESTERDAY, YESTERDAY),
        # Today is later than a deadline that has passed, but not later than today.
        (YESTERDAY, TODAY),
    ],
)
def test_an_extension_to_no_later_day_is_refused(present: date, asked: date) -> None:
    with guarded("later_deadline", present=present.isoformat()):
        fire("extend", an_item("rectifying", due_on=present), due_on=asked)


def test_an_immediate_item_is_extended_like_one_with_a_date() -> None:
    assert fire("extend", an_item("rectifying", **IMMEDIATE_DEADLINE), due_on=LATER).after.due_on == LATER


def test_standing_items_are_not_extended() -> None:
    with guarded("not_standing"):
        fire("extend", an_item("rectifying", **STANDING_DEADLINE))


@pytest.mark.parametrize(
    ("trigger", "state"), [("extend", "rectifying"), ("resume", "escalated"), ("reopen", "closed")]
)
def test_a_deadline_that_is_needed_and_was_not_sent_is_missing_input(trigger: str, state: str) -> None:
    with refused("invalid_request"):
        fire(trigger, an_item(state), due_on=None)


# -- extend: the budget


@pytest.mark.parametrize(
    ("max_count", "used", "fits"),
    [(2, 0, True), (2, 1, True), (2, 2, False), (2, 3, False), (1, 1, False), (0, 0, False)],
)
def test_a_cycle_has_so_many_extensions(max_count: int, used: int, fits: bool) -> None:
    item = an_item("rectifying", extension_count=used)
    policy = a_policy(extension={"max_count": max_count})
    if fits:
        assert fire("extend", item, policy=policy).after.extension_count == used + 1
    else:
        with guarded("extension_count", max=max_count):
            fire("extend", item, policy=policy)


@pytest.mark.parametrize(
    ("used", "added", "fits"),
    [(0, 1, True), (0, 60, True), (0, 61, False), (15, 45, True), (15, 46, False), (59, 1, True), (60, 1, False)],
)
def test_the_extensions_of_a_cycle_add_so_many_calendar_days(used: int, added: int, fits: bool) -> None:
    item = an_item("extended", extension_days=used)
    if fits:
        assert fire("extend", item, due_on=DUE_ON + days(added)).after.extension_days == used + added
    else:
        with guarded("extension_days", total=used + added, max=60):
            fire("extend", item, due_on=DUE_ON + days(added))


def test_the_budget_of_days_is_the_ledgers_own() -> None:
    item, policy = an_item("rectifying"), a_policy(extension={"max_total_days": 10})
    assert fire("extend", item, due_on=DUE_ON + days(10), policy=policy).after.state == "extended"
    with guarded("extension_days", total=11, max=10):
        fire("extend", item, due_on=DUE_ON + days(11), policy=policy)


def test_days_are_counted_from_the_present_deadline_even_where_it_has_passed() -> None:
    overdue = an_item("rectifying", due_on=TODAY - days(40))
    assert fire("extend", overdue, due_on=TODAY + days(20)).after.extension_days == 60
    with guarded("extension_days", total=61):
        fire("extend", overdue, due_on=TODAY + days(21))


def test_the_budget_counts_the_cycle_whatever_state_it_came_back_to() -> None:
    resumed = an_item("rectifying", extension_count=2, escalation_count=1)
    with guarded("extension_count"):
        fire("extend", resumed)


# -- extend: the higher level


def test_the_first_extension_is_the_supervising_units_own() -> None:
    fire("extend", an_item("rectifying"), standing=SUPERVISOR)


def test_the_second_extension_needs_the_level_above() -> None:
    item = an_item("extended", extension_count=1)
    with refused("forbidden", "higher_level"):
        fire("extend", item, standing=SUPERVISOR)
    fire("extend", item, standing=a_standing("decides", "higher"))
    # To lie above is not to decide: both are asked.
    with refused("forbidden", "decide"):
        fire("extend", item, standing=a_standing("higher"))


def test_the_second_extension_needs_no_higher_level_where_the_policy_says_so() -> None:
    policy = a_policy(extension={"second_needs_parent": False})
    fire("extend", an_item("extended", extension_count=1), standing=SUPERVISOR, policy=policy)


def test_after_a_transfer_the_first_extension_is_the_first_again() -> None:
    moved = fire("transfer", an_item("extended", extension_count=2, extension_days=60)).after
    extended = fire("extend", fire("claim", moved).after, standing=SUPERVISOR, due_on=DUE_ON + days(60)).after
    assert (extended.extension_count, extended.extension_days) == (1, 60)


# -- close


@pytest.mark.parametrize(
    ("needed", "present", "enough"), [(0, 0, True), (1, 0, False), (2, 1, False), (2, 2, True), (2, 5, True)]
)
def test_closing_needs_the_evidence_that_the_policy_asks(needed: int, present: int, enough: bool) -> None:
    item = an_item("rectifying", evidence_count=present)
    policy = a_policy(closure={"min_evidence": needed})
    if enough:
        assert fire("close", item, policy=policy).after.state == "closed"
    else:
        with guarded("evidence", needed=needed, present=present):
            fire("close", item, policy=policy)


@pytest.mark.parametrize("state", ["rectifying", "extended", "escalated"])
@pytest.mark.parametrize("deed", ["claimed", "asked", "progressed"])
def test_the_closer_had_no_hand_in_the_item(state: str, deed: str) -> None:
    item = an_item(state, hands={"claimed": [str(CLAIMANT)], deed: [str(CLAIMANT), str(REPORTER)]})
    for hand in (CLAIMANT, REPORTER):
        with guarded("four_eyes"):
            fire("close", item, actor_id=hand)
    assert fire("close", item, actor_id=DECIDER).after.state == "closed"


def test_whoever_listed_the_item_may_close_it() -> None:
    assert fire("close", an_item("rectifying"), actor_id=LISTER).after.state == "closed"


def test_four_eyes_can_be_switched_off() -> None:
    policy = a_policy(closure={"four_eyes": False})
    assert fire("close", an_item("rectifying"), actor_id=CLAIMANT, policy=policy).after.state == "closed"


def test_four_eyes_remember_the_claimant_from_before_a_transfer() -> None:
    moved = fire("transfer", an_item("rectifying")).after
    claimed_again = fire("claim", moved, actor_id=REPORTER).after
    for hand in (CLAIMANT, REPORTER):
        with guarded("four_eyes"):
            fire("close", claimed_again, actor_id=hand)


def test_closing_an_escalated_item_needs_its_interview_or_a_waiver() -> None:
    item = an_item("escalated")
    assert fire("close", item, interview=a_talk("recorded")).after.state == "closed"
    for talk in (a_talk("pending"), a_talk("scheduled"), a_talk("cancelled"), None):
        with guarded("interview_recorded"):
            fire("close", item, interview=talk)
        assert fire("close", item, interview=talk, waive_interview="已整改到位").after.state == "closed"


def test_a_waiver_without_a_reason_waives_nothing() -> None:
    with guarded("interview_recorded"):
        fire("close", an_item("escalated"), interview=a_talk("pending"), waive_interview="")


@pytest.mark.parametrize("state", ["rectifying", "extended"])
def test_closing_an_item_that_is_not_escalated_asks_for_no_interview(state: str) -> None:
    assert fire("close", an_item(state), interview=None).after.state == "closed"


# -- escalate


@pytest.mark.parametrize("state", ["open", "rectifying", "extended"])
def test_escalating_asks_nothing_but_the_right_to_decide(state: str) -> None:
    item = an_item(state, hands={"claimed": [str(DECIDER)]}, listed_by=DECIDER)
    assert fire("escalate", item, standing=a_standing("decides")).after.state == "escalated"


# -- resume


def test_resuming_needs_the_interview_on_record() -> None:
    item = an_item("escalated")
    assert fire("resume", item, interview=a_talk("recorded")).after.state == "rectifying"
    for talk in (a_talk("pending"), a_talk("scheduled"), a_talk("cancelled"), None):
        with guarded("interview_recorded"):
            fire("resume", item, interview=talk)


def test_resuming_an_item_that_was_never_claimed_needs_a_signature() -> None:
    unclaimed = an_item("escalated", claim_signed_by=None, claimed_at=None, claimed_by=None, hands={})
    for missing in (None, ""):
        with guarded("signature"):
            fire("resume", unclaimed, signed_by=missing)
    assert fire("resume", unclaimed, signed_by="刘洋").after.claim_signed_by == "刘洋"
    assert fire("resume", an_item("escalated"), signed_by=None).after.claim_signed_by == "李国强"


def test_a_claim_from_before_a_transfer_is_no_claim_of_the_new_unit() -> None:
    moved = fire("transfer", an_item("rectifying")).after
    escalated = fire("escalate", moved).after
    with guarded("signature"):
        fire("resume", escalated)


# -- days that may not lie before today


@pytest.mark.parametrize(
    ("trigger", "state"),
    [("resume", "escalated"), ("reopen", "closed"), ("transfer", "open"), ("transfer", "rectifying")],
)
@pytest.mark.parametrize("deadline", [{}, STANDING_DEADLINE, IMMEDIATE_DEADLINE])
def test_a_new_deadline_may_be_today_but_not_before(trigger: str, state: str, deadline: dict[str, Any]) -> None:
    item = an_item(state, **deadline)
    assert fire(trigger, item, due_on=TODAY).after.deadline_day == TODAY
    with guarded("not_before_today", today="2026-03-11"):
        fire(trigger, item, due_on=YESTERDAY)


def test_a_transfer_may_leave_a_deadline_standing_that_has_passed() -> None:
    assert fire("transfer", an_item(due_on=YESTERDAY)).after.due_on == YESTERDAY


# -- long deadlines by resume and transfer


@pytest.mark.parametrize(("trigger", "state"), [("resume", "escalated"), ("transfer", "rectifying")])
def test_beyond_the_extension_budget_from_today_the_level_above_sets_the_deadline(trigger: str, state: str) -> None:
    item, last = an_item(state), TODAY + days(60)
    assert fire(trigger, item, due_on=last, standing=SUPERVISOR).after.due_on == last
    with refused("forbidden", "higher_level"):
        fire(trigger, item, due_on=last + days(1), standing=SUPERVISOR)
    assert fire(trigger, item, due_on=last + days(1)).after.due_on == last + days(1)
    lenient = a_policy(extension={"second_needs_parent": False})
    assert fire(trigger, item, due_on=LATER + days(300), standing=SUPERVISOR, policy=lenient)
    strict = a_policy(extension={"max_total_days": 29})
    fire(trigger, item, due_on=TODAY + days(29), standing=SUPERVISOR, policy=strict)
    with refused("forbidden", "higher_level"):
        fire(trigger, item, due_on=TODAY + days(30), standing=SUPERVISOR, policy=strict)


def test_a_transfer_that_brings_a_far_deadline_nearer_needs_no_higher_level() -> None:
    far = TODAY + days(200)
    item = an_item(due_on=far)
    for due_on in (None, far, far - days(1)):
        fire("transfer", item, due_on=due_on, standing=SUPERVISOR)
    with refused("forbidden", "higher_level"):
        fire("transfer", item, due_on=far + days(1), standing=SUPERVISOR)


def test_a_resume_to_a_far_day_needs_the_higher_level_even_where_it_is_no_later_than_before() -> None:
    with refused("forbidden", "higher_level"):
        fire("resume", an_item("escalated", due_on=TODAY + days(200)), due_on=TODAY + days(100), standing=SUPERVISOR)


def test_the_later_deadline_of_a_standing_item_is_its_review() -> None:
    item = an_item(**{**STANDING_DEADLINE, "review_on": TODAY + days(80)})
    fire("transfer", item, due_on=TODAY + days(80), standing=SUPERVISOR)
    with refused("forbidden", "higher_level"):
        fire("transfer", item, due_on=TODAY + days(81), standing=SUPERVISOR)


def test_a_reopened_item_gets_any_deadline_from_its_supervising_unit() -> None:
    assert fire("reopen", an_item("closed"), due_on=TODAY + days(200), standing=SUPERVISOR).after.state == "open"


# -- transfer: units


def test_an_item_is_not_transferred_to_the_unit_that_has_it() -> None:
    with guarded("other_unit"):
        fire("transfer", an_item(), responsible_unit_id=VILLAGE)


@pytest.mark.parametrize(
    ("responsible", "supervising"),
    [(OTHER_VILLAGE, TOWN), (FAR_VILLAGE, OFFICE), (GROUP, VILLAGE), (OTHER_TOWN, COUNTY), (OTHER_TOWN, TOWN)],
)
def test_a_supervising_unit_may_be_any_that_is_not_at_or_below_the_responsible_one(
    responsible: UUID, supervising: UUID
) -> None:
    item = fire("transfer", an_item(), responsible_unit_id=responsible, supervising_unit_id=supervising).after
    assert (item.responsible_unit_id, item.supervising_unit_id) == (responsible, supervising)


@pytest.mark.parametrize(
    ("responsible", "supervising"),
    [
        (OTHER_VILLAGE, OTHER_VILLAGE),
        (OTHER_TOWN, OTHER_TOWN),
        (OTHER_TOWN, FAR_VILLAGE),
        (TOWN, GROUP),
        # Everything lies below the root.
        (COUNTY, TOWN),
        (COUNTY, GROUP),
    ],
)
def test_no_unit_is_supervised_by_itself_or_from_below(responsible: UUID, supervising: UUID) -> None:
    with guarded("supervising_unit"):
        fire("transfer", an_item(), responsible_unit_id=responsible, supervising_unit_id=supervising)


@pytest.mark.parametrize(("responsible", "supervising"), [(TOWN, TOWN), (TOWN, OTHER_VILLAGE), (COUNTY, OFFICE)])
def test_a_supervising_unit_named_once_does_not_end_up_at_or_below_the_responsible_one(
    responsible: UUID, supervising: UUID
) -> None:
    item = an_item(supervising_unit_id=supervising, supervising_defaulted=False)
    with guarded("supervising_unit"):
        fire("transfer", item, responsible_unit_id=responsible, overseer=line(supervising))


@pytest.mark.parametrize("before", [{}, {"supervising_unit_id": OFFICE, "supervising_defaulted": False}])
def test_the_root_supervises_itself_where_no_other_is_named(before: dict[str, Any]) -> None:
    item = fire("transfer", an_item(**before), responsible_unit_id=COUNTY).after
    assert (item.responsible_unit_id, item.supervising_unit_id) == (COUNTY, COUNTY)
    # From there on it follows again: above the root there is none to keep.
    assert item.supervising_defaulted
    with guarded("supervising_unit"):
        fire("transfer", an_item(**before), responsible_unit_id=COUNTY, supervising_unit_id=COUNTY)


# -- reopen


@pytest.mark.parametrize("resolution", ["annulled", "duplicate"])
def test_only_what_was_rectified_is_reopened(resolution: str) -> None:
    assert fire("reopen", an_item("closed", resolution="rectified")).after.state == "open"
    with guarded("was_rectified"):
        fire("reopen", an_item("closed", resolution=resolution))


# -- annul

HIGHER = a_standing("annuls", "higher")
LATE = {
    "an overdue item": an_item("rectifying", due_on=YESTERDAY),
    "an overdue extended item": an_item("extended", due_on=YESTERDAY),
    "a missed review": an_item("rectifying", **{**STANDING_DEADLINE, "review_on": YESTERDAY}),
    "an escalated item": an_item("escalated"),
    "an unclaimed item past its claim_due": an_item("open", claim_due=YESTERDAY),
    "an unclaimed item that is overdue": an_item("open", due_on=YESTERDAY),
}
IN_TIME = {
    "an item due today": an_item("rectifying", due_on=TODAY),
    "an extended item due today": an_item("extended", due_on=TODAY),
    "a review due today": an_item("rectifying", **{**STANDING_DEADLINE, "review_on": TODAY}),
    "an unclaimed item on its claim_due": an_item("open", claim_due=TODAY),
    "an item that was claimed late": an_item("rectifying", claim_due=YESTERDAY),
    "an item resumed after an escalation": an_item("rectifying", escalation_count=1),
}


@pytest.mark.parametrize("which", IN_TIME)
def test_what_is_in_time_is_annulled_by_the_supervising_unit_the_lister_included(which: str) -> None:
    for actor_id in (LISTER, DECIDER):
        assert fire("annul", IN_TIME[which], actor_id=actor_id, standing=SUPERVISOR).after.resolution == "annulled"


@pytest.mark.parametrize("which", LATE)
def test_what_is_late_is_annulled_by_another_from_a_level_above(which: str) -> None:
    item = LATE[which]
    with guarded("annul_by_other"):
        fire("annul", item, actor_id=LISTER, standing=HIGHER)
    with guarded("annul_by_higher"):
        fire("annul", item, actor_id=DECIDER, standing=SUPERVISOR)
    assert fire("annul", item, actor_id=DECIDER, standing=HIGHER).after.resolution == "annulled"


def test_late_duplicates_are_no_way_around_it() -> None:
    with guarded("annul_by_higher"):
        fire("annul", LATE["an overdue item"], standing=SUPERVISOR, duplicate_of=TWIN, twin=an_item(id=TWIN))


@pytest.mark.parametrize("state", list(State))
def test_an_item_may_be_the_duplicate_of_one_in_any_state(state: str) -> None:
    item = fire("annul", an_item("open"), duplicate_of=TWIN, twin=an_item(state, id=TWIN)).after
    assert (item.resolution, item.duplicate_of) == ("duplicate", TWIN)


@pytest.mark.parametrize(
    "twin",
    [
        an_item(),
        an_item("closed", id=TWIN, resolution="annulled"),
        an_item("closed", id=TWIN, resolution="duplicate", duplicate_of=DECIDER),
        None,
    ],
    ids=["itself", "annulled", "a duplicate", "nowhere"],
)
def test_a_duplicate_is_of_another_item_that_stands(twin: Any) -> None:
    duplicate_of = twin.id if twin else TWIN
    with guarded("duplicate_target"):
        fire("annul", an_item("open"), duplicate_of=duplicate_of, twin=twin)


# -- every refusal can be told to a reader


def test_every_guard_that_the_table_can_raise_has_its_words() -> None:
    """The sentences are filled from the facts: a fact that a sentence names and the guard leaves out would break it."""
    unclaimed = {"claim_signed_by": None, "claimed_at": None, "claimed_by": None, "hands": {}}
    attempts: list[tuple[str, Any, dict[str, Any]]] = [
        ("extend", an_item("rectifying", **STANDING_DEADLINE), {}),
        ("extend", an_item("rectifying", extension_count=2), {}),
        ("extend", an_item("rectifying"), {"due_on": TODAY}),
        ("extend", an_item("rectifying"), {"due_on": DUE_ON + days(61)}),
        ("extend", an_item("extended"), {"standing": SUPERVISOR}),
        ("close", an_item("rectifying"), {"policy": a_policy(closure={"min_evidence": 1})}),
        ("close", an_item("rectifying"), {"actor_id": CLAIMANT}),
        ("close", an_item("escalated"), {"interview": None}),
        ("resume", an_item("escalated"), {"due_on": YESTERDAY}),
        ("resume", an_item("escalated", **unclaimed), {}),
        ("transfer", an_item(), {"responsible_unit_id": VILLAGE}),
        ("transfer", an_item(), {"supervising_unit_id": OTHER_VILLAGE}),
        ("reopen", an_item("closed", resolution="annulled"), {}),
        ("annul", an_item("escalated"), {"actor_id": LISTER}),
        ("annul", an_item("escalated"), {"standing": SUPERVISOR}),
        ("annul", an_item(), {"duplicate_of": ITEM, "twin": an_item()}),
        ("claim", an_item(), {"standing": a_standing()}),
        ("close", an_item("rectifying"), {"standing": a_standing()}),
    ]
    reasons = set()
    for trigger, item, more in attempts:
        with pytest.raises(Refused) as caught:
            fire(trigger, item, **more)
        refusal = caught.value
        assert refusal.reason is not None
        words = (FORBIDDEN if refusal.code == "forbidden" else GUARDS)[refusal.reason]
        for text in (words.zh, words.en):
            assert "{" not in text.format(**refusal.facts)
        reasons.add(refusal.reason)
    assert len(reasons) == len(attempts)


def test_a_refused_trigger_leaves_the_case_as_it_was() -> None:
    case = a_case(an_item("rectifying"), actor_id=CLAIMANT)
    untouched = replace(case)
    with guarded("four_eyes"):
        machine.advance(case, a_command("close"), new_id=lambda: ITEM)
    assert case == untouched
    assert case.standing is EVERYTHING
    assert line(OTHER_VILLAGE) == (OTHER_VILLAGE, TOWN, COUNTY)
