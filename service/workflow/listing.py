"""Listing a problem: from checked facts to the first version of an item, and later corrections of its facts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.errors import guard, invalid
from service.workflow import deadlines
from service.workflow.calendar import Calendar
from service.workflow.deadlines import Deadline
from service.workflow.effects import claim_deadline
from service.workflow.items import DeadlineAsked, Draft, Item, deadline_columns
from service.workflow.policy import Policy
from service.workflow.states import DeadlineKind, Resolution, State

NO_CLAIM = {"claim_due": None, "claim_rule": None}
"""Nobody signs for what is closed already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a new item belongs: its ledger's rules and its units' lines (each unit first, the root last)."""

    ledger_id: UUID
    policy: Policy
    policy_epoch: int
    calendar: Calendar
    responsible: tuple[UUID, ...]
    supervising: tuple[UUID, ...]
    supervising_defaulted: bool
    co_units: tuple[UUID, ...]


def list_item(
    draft: Draft,
    place: Place,
    *,
    item_id: UUID,
    number: str,
    actor_id: UUID,
    lister_id: UUID,
    contact_sealed: bytes | None,
    now: datetime,
    today: date,
    listed_on: date,
    closed_at: datetime | None,
) -> Item:
    """The first version of an item. Dates are the tenant's; `listed_on` is the day of `draft.listed_at`.

    `closed_at` is the end of the day on which an old item was struck off, None for one that is still open.

    Refuses `supervising_unit` where an explicit supervising unit is the responsible one or lies below it.
    """
    if not place.supervising_defaulted and place.responsible[0] in place.supervising:
        raise guard("supervising_unit")
    deadline = deadline_for(
        draft.deadline,
        place.policy,
        place.calendar,
        severity=draft.severity,
        found_on=draft.found_on,
        listed_on=listed_on,
    )
    day = deadline.review_on if deadline.kind == DeadlineKind.STANDING else deadline.due_on
    closed = draft.closed_on is not None
    return Item(
        id=item_id,
        number=number,
        ledger_id=place.ledger_id,
        external_ref=draft.external_ref,
        external_owner=lister_id if draft.external_ref else None,
        title=draft.title,
        description=draft.description,
        category=draft.category,
        severity=draft.severity,
        source_kind=draft.source_kind,
        source_ref=draft.source_ref,
        contact_sealed=contact_sealed,
        responsible_unit_id=place.responsible[0],
        supervising_unit_id=place.supervising[0],
        supervising_defaulted=place.supervising_defaulted,
        co_unit_ids=place.co_units,
        responsible_person=draft.responsible_person,
        goal=draft.goal,
        measures=draft.measures,
        found_on=draft.found_on,
        listed_at=draft.listed_at or now,
        listed_by=actor_id,
        **deadline_columns(deadline),
        passed_on=None,
        rungs_from=None,
        **(NO_CLAIM if closed else claim_deadline(place.calendar, listed_on, place.policy.claim_within)),
        state=(State.CLOSED if closed else State.OPEN).value,
        cycle=1,
        extension_count=0,
        extension_days=0,
        extended_late=0,
        escalation_count=0,
        evidence_count=0,
        hands={},
        pending={},
        claim_signed_by=None,
        claimed_at=None,
        claimed_by=None,
        interview_id=None,
        resolution=Resolution.RECTIFIED.value if closed else None,
        duplicate_of=None,
        closed_at=closed_at,
        closed_days_late=max(0, (draft.closed_on - day).days) if draft.closed_on and day else (0 if closed else None),
        labels=draft.labels,
        attributes=draft.attributes or {},
        policy_epoch=place.policy_epoch,
        calendar_epoch=place.calendar.epoch,
        version=1,
        revision=1,
        created_at=now,
        updated_at=now,
    )


def deadline_for(
    asked: DeadlineAsked | None,
    policy: Policy,
    calendar: Calendar,
    *,
    severity: str,
    found_on: date | None,
    listed_on: date,
) -> Deadline:
    """The deadline that was given, else the one the policy computes from kind and severity."""
    text = asked.text if asked else None
    if asked is not None and asked.kind == DeadlineKind.STANDING:
        return deadlines.standing(listed_on, policy.review_months, text)
    if asked is not None and asked.kind == DeadlineKind.IMMEDIATE:
        return deadlines.immediate(calendar, found_on, listed_on, policy.immediate_days, text)
    if asked is not None and asked.due_on is not None:
        return deadlines.given(asked.due_on, text)
    return deadlines.by_limit(calendar, listed_on, policy.limits[severity], text)


def check_dates(draft: Draft, *, today: date, listed_on: date) -> None:
    """Old ledgers are moved in, so dates may lie in the past; found and closed may not lie in the future."""
    wrong = []
    if draft.found_on is not None and draft.found_on > today:
        wrong.append(("/found_on", "in_future"))
    if listed_on > today:
        wrong.append(("/listed_at", "in_future"))
    if draft.closed_on is not None:
        if draft.closed_on > today:
            wrong.append(("/closed/on", "in_future"))
        elif draft.closed_on < listed_on:
            wrong.append(("/closed/on", "before_listing"))
    if wrong:
        raise invalid(*wrong)


def corrected(item: Item, given: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """The columns that a correction changes: what differs from the item, and then its version.

    Empty where nothing differs: a correction that changes nothing is no change and writes no event.
    Refuses `deadline_fixed` where a deadline is corrected after the item was claimed.
    """
    changes = {column: value for column, value in given.items() if _differs(getattr(item, column), value)}
    if not changes.keys() & {"deadline_kind", "due_on", "review_on", "deadline_text"}:
        # The day that stands already was sent along: it stays as it came about.
        changes = {column: changes[column] for column in changes if column not in ("deadline_rule", "provisional")}
    elif item.state != State.OPEN:
        raise guard("deadline_fixed")
    if changes:
        changes["version"] = item.version + 1
        changes["updated_at"] = now
    return changes


def _differs(present: Any, given: Any) -> bool:
    """Python takes true for 1; free JSON does not."""
    if isinstance(present, bool) or isinstance(given, bool):
        return present is not given
    if isinstance(present, dict) and isinstance(given, dict):
        return present.keys() != given.keys() or any(_differs(present[name], given[name]) for name in given)
    if isinstance(present, list) and isinstance(given, list):
        return len(present) != len(given) or any(map(_differs, present, given))
    return bool(present != given)
