"""What answers about items look like, and about what happens to them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.shapes import Count, Line, Shape, Text
from service.workflow.items import Interview, Progress
from service.workflow.states import (
    DeadlineKind,
    InterviewState,
    Resolution,
    Severity,
    SourceKind,
    State,
    Trigger,
)
from service.workflow.views import ItemView


class SourceOut(Shape):
    kind: SourceKind | None
    ref: Line | None
    contact: Text | None = Field(description="Who complained; null except for admins and supervisors over the item.")


class DeadlineOut(Shape):
    kind: DeadlineKind
    due_on: date | None = Field(description="The last good day, in the tenant's time zone.")
    review_on: date | None
    text: Text | None = Field(description="What the clerk wrote.")
    provisional: bool = Field(description="Computed from a calendar that is not published yet.")


class ClaimOut(Shape):
    signed_by: Line | None
    at: datetime
    principal_id: UUID | None


class ItemOut(Shape):
    id: UUID
    number: Line
    ledger_id: UUID
    external_ref: Line | None
    title: Line
    description: Text | None
    category: Line | None
    severity: Severity
    source: SourceOut
    responsible_unit_id: UUID
    co_unit_ids: list[UUID] = Field(max_length=100)
    supervising_unit_id: UUID
    supervising_defaulted: bool
    responsible_person: Line | None
    goal: Text | None
    measures: Text | None
    found_on: date | None
    listed_at: datetime
    deadline: DeadlineOut
    claim_due: date | None
    state: State
    overdue: bool
    days_overdue: Count
    working_days_overdue: Count
    lamp: Line | None = Field(description="null once the item is closed.")
    cycle: int = Field(ge=1, le=1_000_000)
    extension_count: Count
    escalation_count: Count
    claim: ClaimOut | None
    interview_id: UUID | None = Field(description="The interview of the latest escalation in this cycle.")
    resolution: Resolution | None
    duplicate_of: UUID | None
    closed_at: datetime | None
    closed_days_late: Count | None
    labels: list[Line] = Field(max_length=50)
    attributes: dict[str, Any]
    allowed_triggers: list[Trigger] | None = Field(
        max_length=8, description="What this caller could fire now; null in lists, unless include=allowed_triggers."
    )
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


def item(view: ItemView) -> dict[str, Any]:
    it = view.item
    claim = None
    if it.claimed_at is not None:
        claim = {"signed_by": it.claim_signed_by, "at": it.claimed_at, "principal_id": it.claimed_by}
    return {
        "id": it.id,
        "number": it.number,
        "ledger_id": it.ledger_id,
        "external_ref": it.external_ref,
        "title": it.title,
        "description": it.description,
        "category": it.category,
        "severity": it.severity,
        "source": {"kind": it.source_kind, "ref": it.source_ref, "contact": view.contact},
        "responsible_unit_id": it.responsible_unit_id,
        "co_unit_ids": it.co_unit_ids,
        "supervising_unit_id": it.supervising_unit_id,
        "supervising_defaulted": it.supervising_defaulted,
        "responsible_person": it.responsible_person,
        "goal": it.goal,
        "measures": it.measures,
        "found_on": it.found_on,
        "listed_at": it.listed_at,
        "deadline": {
            "kind": it.deadline_kind,
            "due_on": it.due_on,
            "review_on": it.review_on,
            "text": it.deadline_text,
            "provisional": it.provisional,
        },
        "claim_due": it.claim_due,
        "state": it.state,
        "overdue": view.overdue,
        "days_overdue": view.days_overdue,
        "working_days_overdue": view.working_days_overdue,
        "lamp": view.lamp,
        "cycle": it.cycle,
        "extension_count": it.extension_count,
        "escalation_count": it.escalation_count,
        "claim": claim,
        "interview_id": it.interview_id,
        "resolution": it.resolution,
        "duplicate_of": it.duplicate_of,
        "closed_at": it.closed_at,
        "closed_days_late": it.closed_days_late,
        "labels": it.labels,
        "attributes": it.attributes,
        "allowed_triggers": view.allowed_triggers,
        "version": it.version,
        "created_at": it.created_at,
        "updated_at": it.updated_at,
    }


class ItemPageOut(Shape):
    items: list[ItemOut] = Field(max_length=200)
    next_cursor: Text | None
    total: Count | None = Field(None, description="Only with include=total.")
    truncated: bool | None = Field(
        None, description="Only with q: whether the search stopped at its newest 5,000 candidates."
    )


class ItemBatchOut(Shape):
    items: list[ItemOut] = Field(max_length=1000)


class ProspectOut(Shape):
    trigger: Trigger
    allowed: bool
    code: Line | None
    guard: Line | None
    detail: Text | None


class ProspectsOut(Shape):
    items: list[ProspectOut] = Field(max_length=8)


class ProgressOut(Shape):
    id: UUID
    item_id: UUID
    cycle: int = Field(ge=1, le=1_000_000)
    at: datetime
    principal_id: UUID
    name: Line
    side: Line = Field(description="`responsible` or `supervising`.")
    text: Text
    percent: int | None = Field(ge=0, le=100)
    attachment_ids: list[UUID] = Field(max_length=20)


class ProgressPageOut(Shape):
    items: list[ProgressOut] = Field(max_length=200)
    next_cursor: Text | None


def progress(entry: Progress) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Progress.__dataclass_fields__}


class ActorOut(Shape):
    principal_id: UUID | None = Field(description="null for the clock.")
    name: Line | None = Field(description="null once lawfully erased.")
    via: UUID | None = Field(description="The platform that acted for the person, if one did.")


class EventOut(Shape):
    id: UUID
    position: int | None = Field(ge=1, le=2**53 - 1, description="null until the event is sequenced.")
    type: Line
    at: datetime
    actor: ActorOut
    item_id: UUID | None = Field(description="null where the event is about no item.")
    item_version: int | None = Field(ge=1, le=2_147_483_647)
    unit_id: UUID | None
    ledger_id: UUID | None
    data: dict[str, Any]


class EventPageOut(Shape):
    items: list[EventOut] = Field(max_length=200)
    next_cursor: Text | None


class FeedOut(Shape):
    items: list[EventOut] = Field(max_length=200)
    last_position: int = Field(
        ge=0, le=2**53 - 1, description="How far was looked: where to go on, also when nothing was in scope."
    )


class InterviewOut(Shape):
    id: UUID
    item_id: UUID
    unit_id: UUID
    cycle: int = Field(ge=1, le=1_000_000)
    state: InterviewState
    opened_at: datetime
    due_on: date
    held_on: date | None
    attendees: list[Line] = Field(max_length=50)
    minutes: Text | None
    commitments: Text | None
    recorded_by: UUID | None
    recorded_at: datetime | None
    scheduled_at: datetime | None
    place: Line | None
    notice_id: UUID | None = Field(description="The notice that summons to it (约谈通知书).")


class InterviewListOut(Shape):
    items: list[InterviewOut] = Field(max_length=100)


class InterviewPageOut(Shape):
    items: list[InterviewOut] = Field(max_length=200)
    next_cursor: Text | None


def interview(talk: Interview) -> dict[str, Any]:
    return {name: getattr(talk, name) for name in InterviewOut.model_fields}
