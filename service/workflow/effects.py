"""What a trigger does: which columns of the item it changes, besides state and version.

What begins anew is written here once: with a reopening everything of the cycle, with a transfer the claim and the
budget, with a resume nothing.
"""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from service.workflow import guards
from service.workflow.calendar import Calendar
from service.workflow.deadlines import CLAIM, WORKING_DAYS, Rule
from service.workflow.guards import Case, Command
from service.workflow.items import Interview, Item
from service.workflow.states import DeadlineKind, InterviewState, RequestKind, Resolution, Trigger
from service.workflow.waiting import INTERVIEW, Waiting


def claim_deadline(calendar: Calendar, opened_on: date, within: int) -> dict[str, Any]:
    """By when an item that becomes open on a day must be claimed, and how that day came about."""
    rule = Rule(CLAIM, within, WORKING_DAYS, opened_on)
    return {"claim_due": calendar.add(opened_on, within), "claim_rule": rule.to_dict()}


def _opened_anew(case: Case) -> dict[str, Any]:
    """An item that becomes open again waits for a claim; the claim and the extension budget begin anew."""
    return {
        "claim_signed_by": None,
        "claimed_at": None,
        "claimed_by": None,
        **claim_deadline(case.calendar, case.today, case.policy.claim_within),
        "extension_count": 0,
        "extension_days": 0,
    }


def _moved_deadline(item: Item, due_on: date) -> dict[str, Any]:
    """A deadline set by a person: no rule computes it any more. For a standing item the deadline is its review."""
    if item.deadline_kind == DeadlineKind.STANDING:
        return {"review_on": due_on, "deadline_rule": None, "provisional": False}
    return {"deadline_kind": DeadlineKind.DATE.value, "due_on": due_on, "deadline_rule": None, "provisional": False}


def _signed(case: Case, command: Command) -> dict[str, Any]:
    signed: dict[str, Any] = {
        "claim_signed_by": command.signed_by,
        "claimed_at": case.now,
        "claimed_by": case.actor_id,
    }
    if case.actor_id is not None:
        signed["hands"] = case.item.with_hand("claimed", case.actor_id)
    return signed


def _claim(case: Case, command: Command) -> dict[str, Any]:
    measures = {"measures": command.measures} if command.measures is not None else {}
    return {**_signed(case, command), **measures}


def _extend(case: Case, command: Command) -> dict[str, Any]:
    item = case.item
    return {
        **_moved_deadline(item, command.deadline),
        "extension_count": item.extension_count + 1,
        "extension_days": item.extension_days + guards.days_added(case, command),
        "extended_late": item.extended_late + item.overdue(case.today),
    }


def _close(case: Case, command: Command) -> dict[str, Any]:
    """Waiting for the decider is not the unit's delay: what was asked for in time is closed in time."""
    day, done = case.item.deadline_day, command.asked_on or case.today
    return {
        "resolution": Resolution.RECTIFIED.value,
        "closed_at": case.now,
        "closed_days_late": max(0, (done - day).days) if day else 0,
    }


def _escalate(case: Case, command: Command) -> dict[str, Any]:
    return {"escalation_count": case.item.escalation_count + 1}


CANCELS: dict[str, tuple[str, ...]] = {
    Trigger.EXTEND: (RequestKind.EXTENSION,),
    Trigger.ESCALATE: (RequestKind.EXTENSION, RequestKind.TRANSFER),
    Trigger.TRANSFER: tuple(RequestKind),
    Trigger.CLOSE: tuple(RequestKind),
    Trigger.ANNUL: tuple(RequestKind),
}
"""The pending requests that a trigger overtakes. A closure outlives an escalation: it may be true all the same."""


def overtaken(item: Item, trigger: str, approving: str | None) -> tuple[str, ...]:
    """The kinds of pending requests that `trigger` cancels; `approving` is the one that it grants."""
    return tuple(kind for kind in CANCELS.get(trigger, ()) if kind in item.pending and kind != approving)


def pending_after(item: Item, trigger: str, cancelled: tuple[str, ...], approving: str | None) -> dict[str, Any]:
    """What is still waited for once `trigger` has fired. A closed item waits for no interview either."""
    gone = {*cancelled, approving, *([INTERVIEW] if trigger in (Trigger.CLOSE, Trigger.ANNUL) else [])}
    return {kind: waiting for kind, waiting in item.pending.items() if kind not in gone}


def _resume(case: Case, command: Command) -> dict[str, Any]:
    claim = _signed(case, command) if case.item.claimed_at is None else {}
    return {**_moved_deadline(case.item, command.deadline), **claim}


def _transfer(case: Case, command: Command) -> dict[str, Any]:
    deadline = _moved_deadline(case.item, command.due_on) if command.due_on else {}
    return {
        **_opened_anew(case),
        **deadline,
        "responsible_unit_id": case.target[0],
        "co_unit_ids": tuple(unit for unit in case.item.co_unit_ids if unit != case.target[0]),
        "supervising_unit_id": case.overseer[0],
        "supervising_defaulted": _follows(case) and command.supervising_unit_id is None,
    }


def _follows(case: Case) -> bool:
    """Whether the supervising unit follows the responsible one. Above the root there is none to keep."""
    return case.item.supervising_defaulted or len(case.target) == 1


def _reopen(case: Case, command: Command) -> dict[str, Any]:
    return {
        **_opened_anew(case),
        **_moved_deadline(case.item, command.deadline),
        "cycle": case.item.cycle + 1,
        "passed_on": None,
        "rungs_from": None,
        "escalation_count": 0,
        "extended_late": 0,
        "evidence_count": 0,
        "hands": {},
        "interview_id": None,
        "resolution": None,
        "closed_at": None,
        "closed_days_late": None,
    }


def _annul(case: Case, command: Command) -> dict[str, Any]:
    resolution = Resolution.DUPLICATE if command.duplicate_of else Resolution.ANNULLED
    return {"resolution": resolution.value, "duplicate_of": command.duplicate_of, "closed_at": case.now}


EFFECTS: dict[str, Callable[[Case, Command], dict[str, Any]]] = {
    Trigger.CLAIM: _claim,
    Trigger.EXTEND: _extend,
    Trigger.CLOSE: _close,
    Trigger.ESCALATE: _escalate,
    Trigger.RESUME: _resume,
    Trigger.TRANSFER: _transfer,
    Trigger.REOPEN: _reopen,
    Trigger.ANNUL: _annul,
}


def opened_interview(case: Case, interview_id: UUID) -> tuple[Interview, Waiting]:
    """The formal talk that an escalation opens, and what the item waits for from now on."""
    waiting = Waiting.begin(interview_id, None, case.today, case.policy.interview_within, case.calendar)
    interview = Interview(
        id=interview_id,
        item_id=case.item.id,
        unit_id=case.item.responsible_unit_id,
        cycle=case.item.cycle,
        state=InterviewState.PENDING,
        opened_at=case.now,
        due_on=waiting.due,
    )
    return interview, waiting
