"""How requests end: granted with their trigger, returned or withdrawn, or overtaken by another trigger."""

from dataclasses import fields, replace
from typing import Any

import pytest

from service.workflow import events, requests
from service.workflow.guards import Command, Verification
from service.workflow.items import Item
from service.workflow.machine import Step, advance
from service.workflow.requests import Ask, Request, ended
from service.workflow.states import RequestStatus
from tests.workflow.builders import (
    CLAIMANT,
    DECIDER,
    FAR_VILLAGE,
    LATER,
    NEW_TALK,
    NEW_WAIT,
    OTHER_VILLAGE,
    TODAY,
    TOMORROW,
    WAITED,
    YESTERDAY,
    a_case,
    a_command,
    a_talk,
    an_item,
    days,
    fire,
    guarded,
    refused,
)
from tests.workflow.ladders import REQUESTS, waits

KINDS = ("extension", "closure", "transfer")
ALL = {kind: waiting for kind in KINDS for kind, waiting in waits(kind, "2026-03-06", "2026-03-13").items()}

ASKED: dict[str, dict[str, Any]] = {
    "extension": {"due_on": LATER, "reason": "汛期停工"},
    "closure": {"reason": "已清淤，水流畅通"},
    "transfer": {"responsible_unit_id": OTHER_VILLAGE, "reason": "属地不在本村"},
}


def a_request(kind: str, **more: Any) -> Request:
    """Asked today by CLAIMANT."""
    asked = Ask(kind=kind, **ASKED[kind])
    case = a_case(an_item("rectifying"))
    request, _ = requests.submitted(case, asked, request_id=REQUESTS[kind], actor_id=CLAIMANT, name="王秀英")
    return replace(request, **more)


# -- deciding


def test_what_was_decided_is_not_decided_again() -> None:
    assert tuple(RequestStatus) == ("pending", "approved", "returned", "withdrawn", "cancelled")
    requests.still_pending(a_request("closure"))
    for status in ("approved", "returned", "withdrawn", "cancelled"):
        with refused("conflict", "decided"):
            requests.still_pending(a_request("closure", status=status))


@pytest.mark.parametrize("kind", KINDS)
def test_requester_and_decider_are_two(kind: str) -> None:
    with guarded("four_eyes"):
        requests.decided_by_another(a_request(kind), CLAIMANT)
    requests.decided_by_another(a_request(kind), DECIDER)
    requests.decided_by_another(a_request(kind), None)


SEEN = Verification("on_site", TODAY, "现场查看已疏通")


def granted(kind: str, *, named: bool = False, request: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    """The fields of the command that an approval fires, where they are not empty."""
    command = requests.command(a_request(kind, **request or {}), Command(trigger="", **said), named=named)
    return {name: value for field in fields(Command) if (value := getattr(command, name := field.name)) is not None}


def test_an_approval_fires_what_was_asked_for() -> None:
    assert granted("extension") == {"trigger": "extend", "due_on": LATER, "reason": "汛期停工"}
    assert granted("closure", verification=SEEN, waive_interview="已谈") == {
        "trigger": "close", "verification": SEEN, "waive_interview": "已谈", "reason": "已清淤，水流畅通",
        "asked_on": TODAY,
    }  # fmt: skip
    expected = {"trigger": "transfer", "responsible_unit_id": OTHER_VILLAGE, "reason": "属地不在本村"}
    assert granted("transfer") == expected


def test_the_decider_may_set_another_day_or_unit() -> None:
    assert granted("extension", due_on=TOMORROW, reason="只批一天") == {
        "trigger": "extend", "due_on": TOMORROW, "reason": "只批一天",
    }  # fmt: skip
    moved = granted("transfer", due_on=LATER, supervising_unit_id=FAR_VILLAGE, named=True)
    assert (moved["due_on"], moved["supervising_unit_id"], moved["reason"]) == (LATER, FAR_VILLAGE, "属地不在本村")
    # Nobody was asked for: the decider names one.
    assert "responsible_unit_id" not in granted("transfer", named=True, request={"responsible_unit_id": None})


def test_what_an_approval_cannot_do_without() -> None:
    with refused("invalid_request"):
        granted("closure")
    with refused("invalid_request"):
        granted("transfer", request={"responsible_unit_id": None})


# -- returned or withdrawn

IN_TIME, TOO_LATE = "2026-03-06", "2026-03-11"


@pytest.mark.parametrize(
    ("kind", "asked", "due_on", "counts_anew"),
    [
        # What held the rungs while the deadline passed lets them count from the next working day.
        ("closure", IN_TIME, YESTERDAY, True),
        ("closure", f"{YESTERDAY}", YESTERDAY, True),
        ("extension", IN_TIME, YESTERDAY, True),
        # Nothing was held yet: the deadline is today or to come.
        ("closure", IN_TIME, TODAY, False),
        ("extension", IN_TIME, TODAY, False),
        ("closure", IN_TIME, TOMORROW, False),
        # It held nothing.
        ("closure", TOO_LATE, YESTERDAY, False),
        ("transfer", IN_TIME, YESTERDAY, False),
    ],
)
def test_what_a_request_held_counts_anew_when_it_ends(kind: str, asked: str, due_on: Any, counts_anew: bool) -> None:
    item = an_item("rectifying", due_on=due_on, pending=waits(kind, asked, "2026-03-18"))
    expected: dict[str, Any] = {"pending": {}}
    if counts_anew:
        expected["rungs_from"] = TODAY
    assert ended(item, kind, TODAY) == expected


def test_what_else_is_waited_for_stays() -> None:
    item = an_item("rectifying", pending=ALL | WAITED)
    assert ended(item, "closure", TODAY)["pending"].keys() == {"extension", "transfer", "interview"}
    assert item.pending.keys() == {*KINDS, "interview"}


@pytest.mark.parametrize("kind", ["transfer", "closure"])
def test_a_request_that_held_nothing_moves_no_rung_of_what_another_holds(kind: str) -> None:
    """An extension holds; a transfer, or a closure asked too late, ends beside it."""
    pending = waits("extension", IN_TIME, "2026-03-18") | waits(kind, TOO_LATE, "2026-03-18")
    item = an_item("rectifying", due_on=YESTERDAY, pending=pending)
    assert ended(item, kind, TODAY) == {"pending": {"extension": pending["extension"]}}
    assert ended(item, "extension", TODAY) == {"pending": {kind: pending[kind]}, "rungs_from": TODAY}


def test_a_closed_item_that_is_still_waited_for_is_not_late() -> None:
    item = an_item("closed", due_on=YESTERDAY, pending=waits("closure", IN_TIME, "2026-03-18"))
    assert ended(item, "closure", TODAY) == {"pending": {}}


# -- overtaken: which trigger cancels which kinds, and what is waited for afterwards

OVERTAKES = [
    ("claim", "open", ()),
    ("extend", "rectifying", ("extension",)),
    ("extend", "extended", ("extension",)),
    ("escalate", "open", ("extension", "transfer")),
    ("escalate", "rectifying", ("extension", "transfer")),
    ("resume", "escalated", ()),
    ("transfer", "open", ("extension", "closure", "transfer")),
    ("transfer", "rectifying", ("extension", "closure", "transfer")),
    ("close", "rectifying", ("extension", "closure", "transfer")),
    ("close", "escalated", ("extension", "closure", "transfer")),
    ("annul", "open", ("extension", "closure", "transfer")),
    ("annul", "escalated", ("extension", "closure", "transfer")),
    ("reopen", "closed", ()),
]


@pytest.mark.parametrize(("trigger", "state", "cancelled"), OVERTAKES)
def test_a_trigger_overtakes_requests(trigger: str, state: str, cancelled: tuple[str, ...]) -> None:
    item = an_item(state, pending=ALL)
    step = fire(trigger, item)
    assert step.cancelled == cancelled
    left = {kind: ALL[kind] for kind in KINDS if kind not in cancelled}
    assert step.after.pending == (left | NEW_WAIT if trigger == "escalate" else left)
    assert item.pending == ALL
    drafts = [draft for draft in events.of_step(step) if draft.type == "request.cancelled"]
    assert [draft.data for draft in drafts] == [{"request_id": str(REQUESTS[kind]), "kind": kind} for kind in cancelled]


@pytest.mark.parametrize(("trigger", "state", "cancelled"), OVERTAKES)
@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_pending_is_overtaken(trigger: str, state: str, cancelled: tuple[str, ...], kind: str) -> None:
    step = fire(trigger, an_item(state, pending={kind: ALL[kind]}))
    assert step.cancelled == ((kind,) if kind in cancelled else ())
    assert (kind in step.after.pending) is (kind not in cancelled)
    assert fire(trigger, an_item(state)).cancelled == ()


def approve(item: Item, kind: str, **said: Any) -> Step:
    command = a_command({"extension": "extend", "closure": "close", "transfer": "transfer"}[kind], **said)
    return advance(a_case(item, command), command, new_id=lambda: NEW_TALK, approving=kind)


@pytest.mark.parametrize(
    ("kind", "cancelled", "left"),
    [
        ("extension", (), ("closure", "transfer")),
        ("closure", ("extension", "transfer"), ()),
        ("transfer", ("extension", "closure"), ()),
    ],
)
def test_what_is_approved_is_not_cancelled(kind: str, cancelled: tuple[str, ...], left: tuple[str, ...]) -> None:
    step = approve(an_item("rectifying", pending=ALL), kind)
    assert step.cancelled == cancelled
    assert step.after.pending == {each: ALL[each] for each in left}


def test_a_closure_outlives_an_escalation_and_may_be_granted_then() -> None:
    escalated = fire("escalate", an_item("rectifying", pending=ALL)).after
    assert escalated.pending == {"closure": ALL["closure"], **NEW_WAIT}
    command = a_command("close", waive_interview="已整改到位")
    case = a_case(escalated, command, interview=a_talk("pending", id=NEW_TALK))
    step = advance(case, command, new_id=lambda: NEW_TALK, approving="closure")
    assert (step.cancels_interview, step.cancelled, step.after.pending) == (True, (), {})


def test_a_talk_is_waited_for_until_it_is_recorded_or_the_item_is_closed() -> None:
    item = an_item("escalated", pending=WAITED)
    assert fire("close", item, waive_interview="已谈").after.pending == {}
    assert fire("annul", item).after.pending == {}
    assert fire("resume", replace(item, pending={})).after.pending == {}


# -- late or in time


@pytest.mark.parametrize(
    ("asked_on", "days_late"),
    [(None, 5), (TODAY - days(9), 0), (TODAY - days(5), 0), (TODAY - days(4), 1), (TODAY, 5)],
)
def test_what_was_asked_for_in_time_is_closed_in_time(asked_on: Any, days_late: int) -> None:
    """The deadline was five days ago: what counts is when it was asked, where it was."""
    item = an_item("rectifying", due_on=TODAY - days(5))
    assert fire("close", item, asked_on=asked_on).after.closed_days_late == days_late
