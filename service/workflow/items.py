"""An item and what stands around it, as frozen values: what rules read and what they return.

The fields of `Item` are the columns that rules and answers need, flat and in the order in which the store selects them.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.workflow.deadlines import Deadline, Rule
from service.workflow.states import DeadlineKind, InterviewState, RequestKind, Severity, SourceKind, State
from service.workflow.waiting import Waiting

NEVER = date(9999, 12, 31)
"""Where a work list needs a day and the item has none: such rows sort last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One problem. `version` counts its own changes, `revision` every transaction that wrote anything about it.

    `passed_on` is the deadline whose passing is on record already. `rungs_from` is the day from which rungs after the
    deadline count where a decision was waited for. `pending` is what others still have to do, see `Waiting`.
    """

    id: UUID
    number: str
    ledger_id: UUID
    external_ref: str | None
    external_owner: UUID | None
    title: str
    description: str | None
    category: str | None
    severity: str
    source_kind: str | None
    source_ref: str | None
    contact_sealed: bytes | None
    responsible_unit_id: UUID
    supervising_unit_id: UUID
    supervising_defaulted: bool
    co_unit_ids: tuple[UUID, ...]
    responsible_person: str | None
    goal: str | None
    measures: str | None
    found_on: date | None
    listed_at: datetime
    listed_by: UUID
    deadline_kind: str
    due_on: date | None
    review_on: date | None
    deadline_text: str | None
    provisional: bool
    deadline_rule: dict[str, Any] | None
    passed_on: date | None
    rungs_from: date | None
    claim_due: date | None
    claim_rule: dict[str, Any] | None
    state: str
    cycle: int
    extension_count: int
    extension_days: int
    extended_late: int
    escalation_count: int
    evidence_count: int
    hands: dict[str, list[str]]
    pending: dict[str, dict[str, Any]]
    claim_signed_by: str | None
    claimed_at: datetime | None
    claimed_by: UUID | None
    interview_id: UUID | None
    resolution: str | None
    duplicate_of: UUID | None
    closed_at: datetime | None
    closed_days_late: int | None
    labels: tuple[str, ...]
    attributes: dict[str, Any]
    policy_epoch: int
    calendar_epoch: int
    version: int
    revision: int
    created_at: datetime
    updated_at: datetime

    @property
    def deadline_day(self) -> date | None:
        """The last good day: `review_on` for a standing item, else `due_on`."""
        return self.review_on if self.deadline_kind == DeadlineKind.STANDING else self.due_on

    def overdue(self, today: date) -> bool:
        """Overdue is derived, never stored: an unclosed item whose last good day lies before `today`."""
        day = self.deadline_day
        return day is not None and self.state != State.CLOSED and today > day

    def waiting(self, kind: str) -> Waiting | None:
        """The pending request of a kind, or the pending `interview`."""
        stored = self.pending.get(kind)
        return Waiting.from_dict(stored) if stored else None

    @property
    def held(self) -> bool:
        """Waiting for the decider is not the unit's delay: no rung after the deadline is met meanwhile."""
        return bool(self.pending) and (self.held_by(RequestKind.CLOSURE) or self.held_by(RequestKind.EXTENSION))

    def held_by(self, kind: str) -> bool:
        """Whether a request of this kind is pending that was asked in time: an extension always is, a closure where it
        was asked on or before the deadline; a transfer holds nothing."""
        if kind == RequestKind.CLOSURE:
            day, closure = self.deadline_day, self.waiting(kind)
            return closure is not None and day is not None and closure.on <= day
        return kind == RequestKind.EXTENSION and kind in self.pending

    def touched_by(self, principal_id: UUID) -> bool:
        """Four eyes: whether this person claimed, asked for closure or reported as the responsible side this cycle."""
        mark = str(principal_id)
        return any(mark in people for people in self.hands.values())

    def with_hand(self, deed: str, principal_id: UUID) -> dict[str, list[str]]:
        """`hands` with one more deed (`claimed`, `asked`, `progressed`) of this cycle."""
        mark = str(principal_id)
        people = self.hands.get(deed, [])
        return self.hands if mark in people else {**self.hands, deed: [*people, mark]}


def deadline_columns(deadline: Deadline) -> dict[str, Any]:
    """A deadline as the item's columns."""
    return {
        "deadline_kind": deadline.kind,
        "due_on": deadline.due_on,
        "review_on": deadline.review_on,
        "deadline_text": deadline.text,
        "provisional": deadline.provisional,
        "deadline_rule": deadline.rule.to_dict() if deadline.rule else None,
    }


def deadline_of(item: Item) -> Deadline:
    return Deadline(
        kind=item.deadline_kind,
        due_on=item.due_on,
        review_on=item.review_on,
        text=item.deadline_text,
        provisional=item.provisional,
        rule=Rule.from_dict(item.deadline_rule) if item.deadline_rule else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """The formal talk (约谈) that an escalation opens. `due_on` is the last good day to hold it.

    `seal_salt` goes into the digest that the event carries: without it nobody can try out guesses of what was said.
    """

    id: UUID
    item_id: UUID
    unit_id: UUID
    cycle: int
    state: str
    opened_at: datetime
    due_on: date
    held_on: date | None = None
    attendees: tuple[str, ...] = ()
    minutes: str | None = None
    commitments: str | None = None
    recorded_by: UUID | None = None
    recorded_at: datetime | None = None
    seal_salt: bytes | None = None
    scheduled_at: datetime | None = None
    place: str | None = None
    notice_id: UUID | None = None

    @property
    def recorded(self) -> bool:
        return self.state == InterviewState.RECORDED


@dataclass(frozen=True, slots=True)
class Progress:
    """`side` is `responsible` or `supervising`; `percent` runs from 0 to 100."""

    id: UUID
    item_id: UUID
    cycle: int
    at: datetime
    principal_id: UUID
    name: str
    side: str
    text: str
    percent: int | None
    attachment_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The units around an item, each with everything above it: the unit itself first, the root last."""

    responsible: tuple[UUID, ...]
    supervising: tuple[UUID, ...]
    co: tuple[tuple[UUID, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class DeadlineAsked:
    """A deadline as it was asked for; `kind` date without `due_on` leaves the day to the policy's limit."""

    kind: str
    due_on: date | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The facts of an item to be listed, checked for shape but not yet for rules."""

    title: str
    description: str | None = None
    category: str | None = None
    severity: str = Severity.GENERAL
    source_kind: str = SourceKind.OTHER
    source_ref: str | None = None
    contact: str | None = None
    responsible_person: str | None = None
    goal: str | None = None
    measures: str | None = None
    found_on: date | None = None
    listed_at: datetime | None = None
    deadline: DeadlineAsked | None = None
    closed_on: date | None = None
    closed_note: str | None = None
    external_ref: str | None = None
    labels: tuple[str, ...] = ()
    attributes: dict[str, Any] | None = None
