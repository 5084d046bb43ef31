"""What answers look like: each shape once as a schema for readers, and once as the function that fills it.

Answers are plain values that pydantic-core writes down in one go. The schemas are documentation that tests hold the
answers against; no answer passes through them on its way out.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.actions.unit_import import Report
from service.workflow.identities import Granted, Issuer, Key, Principal
from service.workflow.items import Interview, Progress
from service.workflow.organisation import Ledger, Unit
from service.workflow.permissions import Grant
from service.workflow.states import (
    DeadlineKind,
    InterviewState,
    Level,
    PrincipalKind,
    Resolution,
    Role,
    Severity,
    SourceKind,
    State,
    Trigger,
)
from service.workflow.views import ItemView

Line = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=20_000)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Shape(BaseModel):
    """An answer: every field is always there, so that readers need not guess."""

    model_config = ConfigDict(extra="forbid")


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


class OverdueOut(Shape):
    kind: Line = Field(description="What is overdue: `item`.")
    item: ItemOut
    days_overdue: Count
    working_days_overdue: Count
    waiting_for: Line = Field(description="Whose move it is: `responsible` or `supervising`.")


class OverduePageOut(Shape):
    items: list[OverdueOut] = Field(max_length=200)
    next_cursor: Text | None


def overdue(view: ItemView) -> dict[str, Any]:
    return {
        "kind": "item",
        "item": item(view),
        "days_overdue": view.days_overdue,
        "working_days_overdue": view.working_days_overdue,
        "waiting_for": "supervising" if view.item.state == State.ESCALATED else "responsible",
    }


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


class InterviewPageOut(Shape):
    items: list[InterviewOut] = Field(max_length=200)
    next_cursor: Text | None


def interview(talk: Interview) -> dict[str, Any]:
    return {name: getattr(talk, name) for name in InterviewOut.model_fields}


class UnitOut(Shape):
    id: UUID
    code: Line
    name: Line
    parent_id: UUID | None
    level: Level
    active: bool
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class UnitPageOut(Shape):
    items: list[UnitOut] = Field(max_length=200)
    next_cursor: Text | None


def unit(each: Unit) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Unit.__dataclass_fields__}


class NodeOut(UnitOut):
    depth: int = Field(ge=0, le=10, description="How many levels below the unit that was asked for.")


class TreeOut(Shape):
    items: list[NodeOut] = Field(max_length=10_000)
    truncated: bool = Field(description="Whether there is more: the farthest units were left out.")


def tree(nodes: list[tuple[int, Unit]], truncated: bool) -> dict[str, Any]:
    return {"items": [{**unit(each), "depth": depth} for depth, each in nodes], "truncated": truncated}


class UnitImportRowOut(Shape):
    row: int = Field(ge=1, le=1_000_000, description="As the clerk sees it: from 1 on.")
    code: Line
    status: Literal["created", "updated", "moved"]
    unit_id: UUID | None = Field(description="null for what a dry run would create.")


class UnitImportOut(Shape):
    """How many rows of the table came to what; `rows` are those that changed something."""

    created: Count
    updated: Count
    moved: Count
    unchanged: Count
    dry_run: bool
    rows: list[UnitImportRowOut] = Field(max_length=1000)
    truncated: bool = Field(description="Whether more rows changed something than are shown.")


def unit_import(report: Report) -> dict[str, Any]:
    rows = [
        {
            "row": each.number,
            "code": each.after.code,
            "status": each.status,
            "unit_id": None if report.dry_run and each.before is None else each.after.id,
        }
        for each in report.rows
    ]
    return {**report.counts, "dry_run": report.dry_run, "rows": rows, "truncated": report.truncated}


class LedgerOut(Shape):
    id: UUID
    code: Line
    name: Line
    owner_unit_id: UUID
    listing: Line
    policy: dict[str, Any] = Field(description="The whole policy.")
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class LedgerPageOut(Shape):
    items: list[LedgerOut] = Field(max_length=200)
    next_cursor: Text | None


def ledger(each: Ledger) -> dict[str, Any]:
    return {name: getattr(each, name) for name in LedgerOut.model_fields}


class LoginOut(Shape):
    issuer_id: UUID
    subject: Line


class PrincipalOut(Shape):
    id: UUID
    name: Line
    kind: PrincipalKind
    external_id: Line | None
    delegates: list[UUID] = Field(max_length=50, description="The platforms that may act for this person.")
    login: LoginOut | None = Field(description="Which tokens of which OpenID provider are its own.")
    active: bool
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class PrincipalPageOut(Shape):
    items: list[PrincipalOut] = Field(max_length=200)
    next_cursor: Text | None


def principal(each: Principal) -> dict[str, Any]:
    login = {"issuer_id": each.issuer_id, "subject": each.subject} if each.issuer_id else None
    return {name: login if name == "login" else getattr(each, name) for name in PrincipalOut.model_fields}


class KeyOut(Shape):
    id: UUID
    prefix: Line = Field(description="How the key begins, to tell one from another.")
    delegate: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute or so.")
    created_at: datetime


class KeyPageOut(Shape):
    items: list[KeyOut] = Field(max_length=200)
    next_cursor: Text | None


class NewKeyOut(KeyOut):
    key: Line | None = Field(description="The key itself, this once; null in a replay.")
    secret_shown: bool = Field(description="Whether the key was shown before, and is so no more.")


def key(each: Key) -> dict[str, Any]:
    return {name: getattr(each, name) for name in KeyOut.model_fields}


def new_key(each: Key, secret: str | None) -> dict[str, Any]:
    return {**key(each), "key": secret, "secret_shown": secret is None}


class GrantedOut(Shape):
    id: UUID
    role: Role
    unit_id: UUID
    subtree: bool
    since: date | None
    until: date | None
    issuer_id: UUID | None = Field(description="The OpenID provider whose tokens gave the grant, if one did.")
    created_at: datetime


class GrantedPageOut(Shape):
    items: list[GrantedOut] = Field(max_length=200)
    next_cursor: Text | None


def granted(each: Granted) -> dict[str, Any]:
    return {name: getattr(each, name) for name in GrantedOut.model_fields}


class GrantRuleOut(Shape):
    claim: Line
    value: Line
    role: Role
    unit: Line | None
    unit_claim: Line | None


class MappingOut(Shape):
    subject: Line
    name: Line
    external_id: Line | None
    create: bool
    grants: list[GrantRuleOut] = Field(max_length=100)


class IssuerOut(Shape):
    id: UUID
    issuer: Annotated[str, Field(max_length=500)]
    audience: Line
    algorithms: list[Line] = Field(max_length=10)
    mapping: MappingOut
    active: bool = Field(description="Whether its tokens are taken.")
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class IssuerPageOut(Shape):
    items: list[IssuerOut] = Field(max_length=200)
    next_cursor: Text | None


def issuer(each: Issuer) -> dict[str, Any]:
    return {name: getattr(each, name) for name in IssuerOut.model_fields}


class HookOut(Shape):
    """A hook (挂钩联系): either the department or the leader is given."""

    id: UUID
    label: Line
    role: Role
    unit_id: UUID
    department_id: UUID | None
    principal_id: UUID | None
    subtree: bool
    since: date | None
    until: date | None
    created_at: datetime


class HookPageOut(Shape):
    items: list[HookOut] = Field(max_length=200)
    next_cursor: Text | None


def hook(each: Granted) -> dict[str, Any]:
    return {name: getattr(each, name) for name in HookOut.model_fields}


class GrantOut(Shape):
    role: Line
    unit_id: UUID
    subtree: bool
    since: date | None
    until: date | None


def grant(each: Grant) -> dict[str, Any]:
    return {name: getattr(each, name) for name in GrantOut.model_fields}


class MeOut(Shape):
    principal_id: UUID
    name: Line
    kind: Line
    tenant_id: UUID
    timezone: Line
    via: UUID | None = Field(description="The platform that calls for this person, if one does.")
    grants: list[GrantOut] = Field(max_length=1000)
    permissions: list[Line] = Field(max_length=100)


class StatusOut(Shape):
    status: Line
