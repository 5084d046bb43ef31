"""What may be asked for, when and by which rules, and what is written down about it."""

from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from service.reasons import CONFLICTS, GUARDS
from service.workflow import requests
from service.workflow.items import Item
from service.workflow.requests import Ask, Request
from service.workflow.states import RequestKind
from tests.workflow.builders import (
    CLAIMANT,
    DECIDER,
    DUE_ON,
    IMMEDIATE_DEADLINE,
    ITEM,
    LATER,
    NOW,
    OTHER_VILLAGE,
    REPORTER,
    STANDING_DEADLINE,
    TODAY,
    VILLAGE,
    YESTERDAY,
    a_case,
    a_policy,
    an_item,
    days,
    fire,
    guarded,
    refused,
    uid,
)
from tests.workflow.ladders import on, waits

REQUEST = uid(71)
KINDS = ("extension", "closure", "transfer")
ASKED: dict[str, dict[str, Any]] = {
    "extension": {"due_on": LATER, "reason": "汛期停工"},
    "closure": {"reason": "已清淤，水流畅通"},
    "transfer": {"responsible_unit_id": OTHER_VILLAGE, "reason": "属地不在本村"},
}
"""What every kind is content with."""


def ask(kind: str, **more: Any) -> Ask:
    return Ask(kind=kind, **{**ASKED[kind], **more})


def check(item: Item, kind: str, *, today: date = TODAY, policy: Any = None, **asked: Any) -> None:
    requests.check(a_case(item, today=today, policy=policy or a_policy(), actor_id=CLAIMANT), ask(kind, **asked))


# -- when it may be asked

ACCEPTING = {
    "extension": {"rectifying", "extended"},
    "closure": {"rectifying", "extended", "escalated"},
    "transfer": {"open", "rectifying", "extended"},
}
OFFERED = {
    "open": ["claim", "escalate", "transfer", "annul"],
    "rectifying": ["extend", "close", "escalate", "transfer", "annul"],
    "extended": ["extend", "close", "escalate", "transfer", "annul"],
    "escalated": ["close", "resume", "annul"],
    "closed": ["reopen"],
}
TRIGGER = {"extension": "extend", "closure": "close", "transfer": "transfer"}


def test_there_are_three_kinds() -> None:
    assert tuple(RequestKind) == KINDS
    assert TRIGGER == requests.TRIGGERS


@pytest.mark.parametrize(("kind", "state"), list(product(KINDS, OFFERED)))
def test_it_is_asked_in_the_states_that_its_trigger_accepts(kind: str, state: str) -> None:
    item = an_item(state)
    if state in ACCEPTING[kind]:
        check(item, kind)
        return
    # The supervisor sees all that is on offer; whoever claimed the item will not close it.
    offered = [name for name in OFFERED[state] if name != "close"]
    facts = {"state": state, "trigger": TRIGGER[kind], "allowed_triggers": offered}
    with refused("invalid_transition", None, **facts):
        check(item, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_a_kind_at_a_time(kind: str) -> None:
    item = an_item("rectifying", pending=waits(kind, "2026-03-10", "2026-03-17"))
    with refused("conflict", "pending_request"):
        check(item, kind)
    for other in set(KINDS) - {kind}:
        check(item, other)
    assert "pending_request" in CONFLICTS
    # What the state does not accept is said first.
    with refused("invalid_transition"):
        check(replace(item, state="closed", resolution="rectified"), kind)


# -- an extension, by the budget that will be asked for when it is granted


@pytest.mark.parametrize(
    ("item", "asked", "name"),
    [
        (an_item("rectifying", **STANDING_DEADLINE), {}, "not_standing"),
        (an_item("rectifying", extension_count=2), {}, "extension_count"),
        (an_item("rectifying"), {"due_on": DUE_ON}, "later_deadline"),
        (an_item("rectifying"), {"due_on": TODAY}, "later_deadline"),
        (an_item("rectifying"), {"due_on": DUE_ON + days(61)}, "extension_days"),
        (an_item("extended", extension_days=50), {"due_on": DUE_ON + days(11)}, "extension_days"),
        (an_item("rectifying", due_on=TODAY), {}, "apply_before"),
        (an_item("rectifying", due_on=YESTERDAY), {}, "apply_before"),
    ],
)
def test_an_extension_that_cannot_be_granted_cannot_be_asked_for(item: Item, asked: dict[str, Any], name: str) -> None:
    assert name in GUARDS
    with guarded(name):
        check(item, "extension", **asked)


def test_an_extension_within_the_budget_can_be_asked_for() -> None:
    check(an_item("rectifying"), "extension", due_on=DUE_ON + days(1))
    check(an_item("rectifying"), "extension", due_on=DUE_ON + days(60))
    check(an_item("extended", extension_days=50), "extension", due_on=DUE_ON + days(10))
    check(an_item("rectifying", **IMMEDIATE_DEADLINE), "extension")
    check(an_item("rectifying", extension_count=2), "extension", policy=a_policy(extension={"max_count": 3}))
    with refused("invalid_request"):
        check(an_item("rectifying"), "extension", due_on=None)


@pytest.mark.parametrize(
    ("due_on", "before", "until"),
    [
        ("2026-03-25", 1, "2026-03-24"),
        ("2026-03-25", 3, "2026-03-20"),
        # A Monday, a Sunday and a Saturday: the Friday before them.
        ("2026-03-16", 1, "2026-03-13"),
        ("2026-03-15", 1, "2026-03-13"),
        ("2026-03-14", 1, "2026-03-13"),
        ("2026-03-16", 2, "2026-03-12"),
        # Behind National Day, and within it.
        ("2026-10-08", 1, "2026-09-30"),
        ("2026-10-03", 1, "2026-09-30"),
        ("2026-10-09", 3, "2026-09-29"),
        # The Monday after a Saturday that is worked.
        ("2026-10-12", 1, "2026-10-10"),
        # On the last day itself, worked or not.
        ("2026-03-25", 0, "2026-03-25"),
        ("2026-03-15", 0, "2026-03-15"),
    ],
)
def test_an_extension_is_asked_for_in_time(due_on: str, before: int, until: str) -> None:
    item, policy = an_item("rectifying", due_on=on(due_on)), a_policy(extension={"apply_before": before})
    asked = {"policy": policy, "due_on": on(due_on) + days(20)}
    check(item, "extension", today=on(until), **asked)
    with guarded("apply_before", until=until):
        check(item, "extension", today=on(until) + days(1), **asked)
    # The others are bound by no day, and a supervisor's own extend is not either.
    for kind in ("closure", "transfer"):
        check(item, kind, today=on(due_on) + days(30), policy=policy)
    assert fire("extend", item, due_on=on(due_on) + days(20), today=on(due_on) + days(1), policy=policy).late


def test_a_transfer_is_asked_for_to_another_unit_or_to_none() -> None:
    check(an_item("open"), "transfer", responsible_unit_id=None)
    with guarded("other_unit"):
        check(an_item("open"), "transfer", responsible_unit_id=VILLAGE)


def test_a_closure_is_judged_when_it_is_decided() -> None:
    item = an_item("rectifying", due_on=YESTERDAY)
    check(item, "closure", policy=a_policy(closure={"min_evidence": 3}))
    # Its granting is judged by the same rules as any closing.
    with guarded("evidence", needed=3, present=0):
        fire("close", item, policy=a_policy(closure={"min_evidence": 3}))


# -- what is written down


@pytest.mark.parametrize(
    ("today", "within", "decide_due"),
    [
        ("2026-03-11", 5, "2026-03-18"),
        ("2026-03-11", 0, "2026-03-11"),
        ("2026-03-14", 1, "2026-03-16"),
        # 30 September, 8, 9, 10 (a Saturday) and 12 October.
        ("2026-09-29", 5, "2026-10-12"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_request_has_a_day_to_be_decided_by(kind: str, today: str, within: int, decide_due: str) -> None:
    there = waits("extension" if kind == "closure" else "closure", "2026-03-02", "2026-03-09")
    item = an_item("rectifying", cycle=2, pending=there)
    case = a_case(item, today=on(today), policy=a_policy(decide_within=within))
    request, changes = requests.submitted(case, ask(kind), request_id=REQUEST, actor_id=REPORTER, name="王秀英")
    assert request == Request(
        id=REQUEST, item_id=ITEM, cycle=2, kind=kind, status="pending", requested_by=REPORTER, requester="王秀英",
        requested_at=NOW, asked_on=on(today), reason=ASKED[kind]["reason"], due_on=ASKED[kind].get("due_on"),
        responsible_unit_id=ASKED[kind].get("responsible_unit_id"), decide_due=on(decide_due),
    )  # fmt: skip
    waiting = {"id": str(REQUEST), "by": str(REPORTER), "on": today, "within": within, "due": decide_due}
    expected: dict[str, Any] = {"pending": {**there, kind: waiting}}
    if kind == "closure":
        expected["hands"] = {"claimed": [str(CLAIMANT)], "asked": [str(REPORTER)]}
    assert changes == expected
    assert item.pending == there


def test_who_asked_for_closure_does_not_close() -> None:
    item = an_item("rectifying")
    case = a_case(item)
    _, changes = requests.submitted(case, ask("closure"), request_id=REQUEST, actor_id=REPORTER, name="王秀英")
    with guarded("four_eyes"):
        fire("close", replace(item, **changes), actor_id=REPORTER)
    assert fire("close", replace(item, **changes), actor_id=DECIDER).after.state == "closed"
