"""Requests (申请): the responsible unit asks for an extension, closure or transfer; the supervising unit decides."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.errors import Refused, forbidden, guard, invalid
from service.workflow import guards, machine
from service.workflow.guards import Case, Command
from service.workflow.items import Item
from service.workflow.machine import MOVES
from service.workflow.states import RequestKind, RequestStatus, Trigger
from service.workflow.waiting import Waiting

TRIGGERS: dict[str, Trigger] = {
    RequestKind.EXTENSION: Trigger.EXTEND,
    RequestKind.CLOSURE: Trigger.CLOSE,
    RequestKind.TRANSFER: Trigger.TRANSFER,
}
"""What an approved request fires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`reason` of a closure is what was done. `due_on` and `responsible_unit_id` are what was asked for.

    `decide_due` is the last good day to decide it.
    """

    id: UUID
    item_id: UUID
    cycle: int
    kind: str
    status: str
    requested_by: UUID
    requester: str
    requested_at: datetime
    asked_on: date
    reason: str
    due_on: date | None
    responsible_unit_id: UUID | None
    decide_due: date
    decided_by: UUID | None = None
    decider: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    attachment_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request as it is made, checked for shape."""

    kind: str
    reason: str
    due_on: date | None = None
    responsible_unit_id: UUID | None = None
    attachment_ids: tuple[UUID, ...] = ()


def check(case: Case, ask: Ask) -> None:
    """Whether this may be asked now; who asks was judged already.

    Refuses `invalid_transition`, `conflict` (pending_request) and, by `guard_refused`, what the budget forbids.
    """
    _acceptable(case, ask.kind)
    if ask.kind == RequestKind.EXTENSION:
        _check_extension(case, Command(trigger=TRIGGERS[ask.kind], due_on=ask.due_on))
    elif ask.kind == RequestKind.TRANSFER and ask.responsible_unit_id == case.item.responsible_unit_id:
        raise guard("other_unit")


def _acceptable(case: Case, kind: str) -> None:
    """Whether a request of this kind has a place here: in a state that its trigger accepts, and none pending."""
    trigger = TRIGGERS[kind]
    if case.item.state not in MOVES[trigger].sources:
        allowed = [name for name, refusal in machine.prospects(case) if refusal is None]
        facts = {"state": case.item.state, "trigger": trigger, "allowed_triggers": allowed}
        raise Refused("invalid_transition", facts=facts)
    if kind in case.item.pending:
        raise Refused("conflict", "pending_request")


def _extensible(case: Case) -> None:
    guards.not_standing(case)
    guards.extension_count(case)
    asked_in_time(case)


def prospects(case: Case) -> list[tuple[str, Refused | None]]:
    """Each kind of request with what stands against asking for it now, as far as that can be said beforehand."""
    return [(kind.value, _prospect(case, kind)) for kind in RequestKind]


def _prospect(case: Case, kind: str) -> Refused | None:
    try:
        if not case.standing.asks:
            raise forbidden("claim")
        _acceptable(case, kind)
        if kind == RequestKind.EXTENSION:
            _extensible(case)
    except Refused as refused:
        return refused
    return None


def _check_extension(case: Case, command: Command) -> None:
    _extensible(case)
    guards.later_deadline(case, command)
    guards.extension_days(case, command)


def asked_in_time(case: Case) -> None:
    """An extension is asked for `apply_before` working days before the deadline at the latest."""
    if case.item.due_on is None:
        return
    until = case.calendar.add(case.item.due_on, -case.policy.extension.apply_before)
    if case.today > until:
        raise guard("apply_before", until=until.isoformat())


def submitted(case: Case, ask: Ask, *, request_id: UUID, actor_id: UUID, name: str) -> tuple[Request, dict[str, Any]]:
    """The request, and the item's columns with it."""
    waiting = Waiting.begin(request_id, actor_id, case.today, case.policy.decide_within, case.calendar)
    changes: dict[str, Any] = {"pending": {**case.item.pending, ask.kind: waiting.to_dict()}}
    if ask.kind == RequestKind.CLOSURE:
        changes["hands"] = case.item.with_hand("asked", actor_id)
    if ask.attachment_ids:
        changes["evidence_count"] = case.item.evidence_count + len(ask.attachment_ids)
    request = Request(
        id=request_id,
        item_id=case.item.id,
        cycle=case.item.cycle,
        kind=ask.kind,
        status=RequestStatus.PENDING.value,
        requested_by=actor_id,
        requester=name,
        requested_at=case.now,
        asked_on=case.today,
        reason=ask.reason,
        due_on=ask.due_on,
        responsible_unit_id=ask.responsible_unit_id,
        decide_due=waiting.due,
        attachment_ids=ask.attachment_ids,
    )
    return request, changes


def still_pending(request: Request) -> None:
    """A request is decided or withdrawn once."""
    if request.status != RequestStatus.PENDING:
        raise Refused("conflict", "decided")


def decided_by_another(request: Request, actor_id: UUID | None) -> None:
    """Requester and decider are never the same principal, whatever the policy says of closing."""
    if request.requested_by == actor_id:
        raise guard("four_eyes")


TAKEN: dict[str, frozenset[str]] = {
    RequestKind.EXTENSION: frozenset({"due_on"}),
    RequestKind.CLOSURE: frozenset({"verification", "waive_interview"}),
    RequestKind.TRANSFER: frozenset(
        {"due_on", "responsible_unit_id", "responsible_unit", "supervising_unit_id", "supervising_unit"}
    ),
}
"""What an approval of each kind takes beside a reason: what its trigger takes."""


def takes(kind: str, given: Iterable[str]) -> None:
    """Refuses `invalid_request` for fields that an approval of this kind does not take, as its trigger would."""
    foreign = sorted(set(given) - TAKEN[kind])
    if foreign:
        raise invalid(*((f"/{name}", "unknown_field") for name in foreign))


def command(request: Request, decision: Command, *, named: bool) -> Command:
    """What an approval fires: what was asked for, unless the decider set another. Refuses what is missing.

    `named`: the decider names a unit, whose id is yet to be found.
    """
    trigger = TRIGGERS[request.kind]
    if request.kind == RequestKind.CLOSURE and decision.verification is None:
        raise invalid(("/verification", "missing"))
    unit = request.responsible_unit_id
    if request.kind == RequestKind.TRANSFER and unit is None and not named:
        raise invalid(("/responsible_unit_id", "missing"))
    return replace(
        decision,
        trigger=trigger.value,
        due_on=decision.due_on or request.due_on,
        responsible_unit_id=unit if request.kind == RequestKind.TRANSFER else None,
        reason=decision.reason or request.reason,
        asked_on=request.asked_on if request.kind == RequestKind.CLOSURE else None,
    )


def ended(item: Item, kind: str, today: date) -> dict[str, Any]:
    """The item's columns once a pending request is returned or withdrawn: what it held back counts from tomorrow."""
    pending = {name: waiting for name, waiting in item.pending.items() if name != kind}
    changes: dict[str, Any] = {"pending": pending}
    if item.held_by(kind) and item.overdue(today):
        changes["rungs_from"] = today
    return changes
