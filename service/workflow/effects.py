"""What a trigger does: which columns of the item it changes, besides state and version.

What begins anew is written here once: with a reopening everything of the cycle, with a transfer the claim and the
budget, with a resume nothing.
"""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from service.workflow import guards
from service.workflow.guards import Case, Command
from service.workflow.items import Interview, Item
from service.workflow.states import DeadlineKind, InterviewState, Resolution, Trigger


def _opened_anew(case: Case) -> dict[str, Any]:
    """An item that becomes open again waits for a claim; the claim and the extension budget begin anew."""
    return {
        "claim_signed_by": None,
        "claimed_at": None,
        "claimed_by": None,
        "claim_due": case.calendar.add(case.today, case.policy.claim_within),
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
    day = case.item.deadline_day
    return {
        "resolution": Resolution.RECTIFIED.value,
        "closed_at": case.now,
        "closed_days_late": max(0, (case.today - day).days) if day else 0,
    }


def _escalate(case: Case, command: Command) -> dict[str, Any]:
    return {"escalation_count": case.item.escalation_count + 1}


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


def opened_interview(case: Case, interview_id: UUID) -> Interview:
    """The formal talk that an escalation opens."""
    return Interview(
        id=interview_id,
        item_id=case.item.id,
        unit_id=case.item.responsible_unit_id,
        cycle=case.item.cycle,
        state=InterviewState.PENDING,
        opened_at=case.now,
        due_on=case.calendar.add(case.today, case.policy.interview_within),
    )
