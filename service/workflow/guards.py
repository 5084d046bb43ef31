"""One function per rule of the domain. A guard returns nothing where its rule is met and raises Refused where not.

Standing guards ask the item and the caller only, so that "what may I do now?" can be answered beforehand.
Input guards also ask what was sent with the trigger.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from service.errors import forbidden, guard, invalid
from service.workflow.calendar import Calendar
from service.workflow.items import Interview, Item
from service.workflow.permissions import Standing
from service.workflow.policy import Policy
from service.workflow.states import DeadlineKind, Resolution, State, Trigger


@dataclass(frozen=True, slots=True)
class Verification:
    """How, when and by whom the rectification was checked before closing."""

    method: str
    on: date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A trigger with its input, checked for shape. `asked_on` is the day of the closure request that it grants."""

    trigger: str
    signed_by: str | None = None
    measures: str | None = None
    due_on: date | None = None
    reason: str | None = None
    verification: Verification | None = None
    waive_interview: str | None = None
    responsible_unit_id: UUID | None = None
    supervising_unit_id: UUID | None = None
    duplicate_of: UUID | None = None
    asked_on: date | None = None

    @property
    def deadline(self) -> date:
        """`due_on` of a trigger that cannot do without; refused as missing input."""
        if self.due_on is None:
            raise invalid(("/due_on", "missing"))
        return self.due_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a rule may ask: the item, the caller, the ledger's policy, the tenant's calendar, today.

    `target` is the line of the unit a transfer names and `overseer` the line of the supervising unit it would have
    (itself first, root last). `twin` is the item that `duplicate_of` names. `actor_id` is None for the clock.
    """

    item: Item
    standing: Standing
    policy: Policy
    calendar: Calendar
    now: datetime
    today: date
    actor_id: UUID | None
    interview: Interview | None = None
    target: tuple[UUID, ...] = ()
    overseer: tuple[UUID, ...] = ()
    twin: Item | None = None


# -- who may: refused as `forbidden`, before the state is judged


def permitted(case: Case, trigger: str) -> None:
    """The caller's side of the item. Claiming is the responsible unit's, everything else the supervising unit's."""
    if trigger == Trigger.CLAIM:
        if not case.standing.claims:
            raise forbidden("claim")
    elif trigger == Trigger.ANNUL:
        if not case.standing.annuls:
            raise forbidden("decide")
    elif not case.standing.decides:
        raise forbidden("decide")


def second_extension_higher(case: Case) -> None:
    """From the second extension on, the level above the supervising unit decides."""
    if case.policy.extension.second_needs_parent and case.item.extension_count >= 1 and not case.standing.higher:
        raise forbidden("higher_level")


def long_deadline_higher(case: Case, command: Command) -> None:
    """A resume, or a transfer to a later deadline, beyond the extension budget needs the level a second one needs."""
    if command.due_on is None or not case.policy.extension.second_needs_parent or case.standing.higher:
        return
    present = case.item.deadline_day
    later = command.trigger == Trigger.RESUME or present is None or command.due_on > present
    if later and (command.due_on - case.today).days > case.policy.extension.max_total_days:
        raise forbidden("higher_level")


# -- standing guards


def not_standing(case: Case) -> None:
    if case.item.deadline_kind == DeadlineKind.STANDING:
        raise guard("not_standing")


def extension_count(case: Case) -> None:
    if case.item.extension_count >= case.policy.extension.max_count:
        raise guard("extension_count", max=case.policy.extension.max_count)


def evidence(case: Case) -> None:
    needed = case.policy.closure.min_evidence
    if case.item.evidence_count < needed:
        raise guard("evidence", needed=needed, present=case.item.evidence_count)


def four_eyes(case: Case) -> None:
    """The closer neither claimed, nor asked for closure, nor reported as the responsible side in this cycle."""
    if case.policy.closure.four_eyes and case.actor_id is not None and case.item.touched_by(case.actor_id):
        raise guard("four_eyes")


def interview_recorded(case: Case) -> None:
    if case.interview is None or not case.interview.recorded:
        raise guard("interview_recorded")


def was_rectified(case: Case) -> None:
    if case.item.resolution != Resolution.RECTIFIED:
        raise guard("was_rectified")


def annul_by_other_and_higher(case: Case) -> None:
    """Nobody makes his own late item vanish: once it is late, another person a level higher annuls it."""
    item = case.item
    unclaimed_late = item.state == State.OPEN and item.claim_due is not None and case.today > item.claim_due
    if not (item.overdue(case.today) or item.state == State.ESCALATED or unclaimed_late):
        return
    if case.actor_id == item.listed_by:
        raise guard("annul_by_other")
    if not case.standing.higher:
        raise guard("annul_by_higher")


# -- input guards


def later_deadline(case: Case, command: Command) -> None:
    present = case.item.due_on
    if command.deadline <= case.today or (present is not None and command.deadline <= present):
        raise guard("later_deadline", present=present.isoformat() if present else None)


def extension_days(case: Case, command: Command) -> None:
    """The calendar days that every extend of the cycle added, this one included."""
    total = case.item.extension_days + days_added(case, command)
    if total > case.policy.extension.max_total_days:
        raise guard("extension_days", total=total, max=case.policy.extension.max_total_days)


def days_added(case: Case, command: Command) -> int:
    """Calendar days from the present deadline to the one asked for."""
    return (command.deadline - (case.item.due_on or case.today)).days


def interview_recorded_or_waived(case: Case, command: Command) -> None:
    if case.item.state == State.ESCALATED and not command.waive_interview:
        interview_recorded(case)


def not_before_today(case: Case, command: Command) -> None:
    if command.due_on is not None and command.due_on < case.today:
        raise guard("not_before_today", today=case.today.isoformat())


def signed_where_unclaimed(case: Case, command: Command) -> None:
    if case.item.claimed_at is None and not command.signed_by:
        raise guard("signature")


def other_unit(case: Case, command: Command) -> None:
    if command.responsible_unit_id == case.item.responsible_unit_id:
        raise guard("other_unit")


def supervised_from_outside(case: Case, command: Command) -> None:
    """No unit is its own supervisor, and none is supervised from below; only the root, unasked, supervises itself."""
    unasked_root = case.overseer == case.target[-1:] == case.target and command.supervising_unit_id is None
    if case.target[0] in case.overseer and not unasked_root:
        raise guard("supervising_unit")


def true_original(case: Case, command: Command) -> None:
    if command.duplicate_of is None:
        return
    twin = case.twin
    if twin is None or twin.id == case.item.id or twin.resolution in (Resolution.ANNULLED, Resolution.DUPLICATE):
        raise guard("duplicate_target")
