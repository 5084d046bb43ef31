"""What answers about requests, notices, overdue work and the clock look like."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.actions.deadline import Explained, Moved, RungState
from service.actions.overdue import Overdue
from service.api.item_shapes import InterviewOut, ItemOut, interview, item
from service.api.shapes import Count, Line, Shape, Text
from service.workflow.ladder import Meeting
from service.workflow.notices import Notice
from service.workflow.requests import Request
from service.workflow.states import (
    Action,
    AnchorKind,
    DeadlineKind,
    NoticeKind,
    NoticeState,
    RequestKind,
    RequestStatus,
)

Cycle = Field(ge=1, le=1_000_000)


class RequestOut(Shape):
    id: UUID
    item_id: UUID
    cycle: int = Cycle
    kind: RequestKind
    status: RequestStatus
    requested_by: UUID
    requester: Line
    requested_at: datetime
    asked_on: date = Field(description="The tenant's day on which it was asked.")
    reason: Text = Field(description="Why; of a closure, what was done.")
    due_on: date | None = Field(description="The deadline that an extension asks for.")
    responsible_unit_id: UUID | None = Field(description="The unit that a transfer asks for, where it names one.")
    decide_due: date = Field(description="The last good day to decide it.")
    decided_by: UUID | None
    decider: Line | None
    decided_at: datetime | None
    decision_reason: Text | None
    attachment_ids: list[UUID] = Field(max_length=20, description="What hangs on a closure that was asked for.")


class RequestPageOut(Shape):
    items: list[RequestOut] = Field(max_length=200)
    next_cursor: Text | None


def request(each: Request) -> dict[str, Any]:
    return {name: getattr(each, name) for name in RequestOut.model_fields}


class ReceiptOut(Shape):
    signed_by: Line
    at: datetime
    principal_id: UUID | None


class NoticeOut(Shape):
    id: UUID
    number: Text | None = Field(description="null for a draft, and for a reminder, which has none.")
    kind: NoticeKind
    state: NoticeState
    ledger_id: UUID
    unit_id: UUID = Field(description="The unit that it is addressed to.")
    supervising_unit_id: UUID
    copy_unit_ids: list[UUID] = Field(max_length=100)
    item_ids: list[UUID] = Field(max_length=200, description="Those of its items that this caller may see.")
    rungs: list[Line] = Field(max_length=50, description="The rungs it comes from; none where a person issued it.")
    text: Text | None
    issued_by: UUID | None = Field(description="null for the clock.")
    issuer: Line | None
    created_at: datetime
    issued_at: datetime | None
    reply_by: date | None
    receipt_due: date | None = Field(description="The last good day to sign for it.")
    receipt: ReceiptOut | None
    cancelled_at: datetime | None
    cancel_reason: Text | None


class NoticePageOut(Shape):
    items: list[NoticeOut] = Field(max_length=200)
    next_cursor: Text | None


def notice(each: Notice) -> dict[str, Any]:
    content = {name: getattr(each, name, None) for name in NoticeOut.model_fields}
    if each.receipt_at is not None:
        content["receipt"] = {
            "signed_by": each.receipt_signed_by, "at": each.receipt_at, "principal_id": each.receipt_by,
        }  # fmt: skip
    return content


class NextRungOut(Shape):
    rung: Line
    action: Action
    anchor: AnchorKind
    anchor_on: date
    at: datetime = Field(description="From when it is due: an opening of offices.")
    notify: list[Line] = Field(max_length=3)


def next_rung(met: Meeting | None) -> dict[str, Any] | None:
    if met is None:
        return None
    return {
        "rung": met.rung.code, "action": met.rung.action, "anchor": met.anchor.kind, "anchor_on": met.anchor.on,
        "at": met.moment, "notify": met.rung.notify,
    }  # fmt: skip


class OverdueOut(Shape):
    kind: Line = Field(
        description="What is overdue: `item`, `request` (a decision), `interview`, `receipt` (of a notice) or `draft`."
    )
    id: UUID = Field(description="Of that item, request, interview or notice.")
    due_on: date = Field(description="The last good day.")
    days_overdue: Count
    working_days_overdue: Count
    waiting_for: Line = Field(description="Whose move it is: `responsible` or `supervising`.")
    next_rung: NextRungOut | None = Field(description="What the ladder does next about it, if anything.")
    item: ItemOut | None = Field(description="The item that it is, or is about; null for notices.")
    request: RequestOut | None
    interview: InterviewOut | None
    notice: NoticeOut | None


class OverduePageOut(Shape):
    items: list[OverdueOut] = Field(max_length=200)
    next_cursor: Text | None


def overdue(each: Overdue) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "id": each.ref,
        "due_on": each.due_on,
        "days_overdue": each.days_overdue,
        "working_days_overdue": each.working_days_overdue,
        "waiting_for": each.waiting_for,
        "next_rung": next_rung(each.next_rung),
        "item": item(each.view) if each.view else None,
        "request": request(each.request) if each.request else None,
        "interview": interview(each.interview) if each.interview else None,
        "notice": notice(each.notice) if each.notice else None,
    }


class RuleOut(Shape):
    name: Line = Field(description="`severity_limit`, `immediate` or `standing`.")
    limit: Count
    unit: Line = Field(description="`working_days` or `months`.")
    start_on: date = Field(description="Counted from the day after.")


class StepOut(Shape):
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    kind: Line
    name: Line | None = Field(description="The holiday that is kept, or that a make-up day pays for.")
    counted: Count = Field(description="How many working days have been counted by then.")


class MoveOut(Shape):
    type: Line
    at: datetime
    version: int = Field(ge=1, le=2_147_483_647)
    before: date | None
    after: date | None
    days: int | None = Field(ge=-1_000_000, le=1_000_000, description="Calendar days between the two.")
    late: bool = Field(description="Extended after the deadline had passed.")
    reason: Text | None


class RungOut(Shape):
    rung: Line
    action: Action | None = Field(description="null where the policy no longer has the rung.")
    anchor: AnchorKind
    anchor_on: date
    ref: UUID = Field(description="The item, request or interview whose day it is.")
    at: datetime
    status: Line = Field(description="`fired`, `skipped`, `due`, `planned` or `held`.")
    why: Line | None = Field(description="Why skipped: `before_creation`, `collapsed` or `held`.")
    notice_id: UUID | None


class BudgetOut(Shape):
    count: Count
    max_count: Count
    days: Count
    max_total_days: Count
    ask_before: Count = Field(description="Working days before the deadline by which an extension is asked for.")


class DeadlineExplainedOut(Shape):
    kind: DeadlineKind
    due_on: date | None
    review_on: date | None
    text: Text | None
    provisional: bool
    rule: RuleOut | None = Field(description="Of the last deadline that was computed; null where a person set each.")
    leads_to: date | None = Field(description="Where the rule leads by the present calendar.")
    steps: list[StepOut] = Field(max_length=400)
    steps_truncated: bool
    moves: list[MoveOut] = Field(max_length=200)
    extensions: BudgetOut
    claim_due: date | None
    held: bool = Field(description="Rungs after the deadline wait for the decider of a pending request.")
    rungs_from: date | None = Field(description="The day from which these count, where a decision was waited for.")
    waiting_for: Line | None
    next_rung: NextRungOut | None
    rungs: list[RungOut] = Field(max_length=2000)


def _move(move: Moved) -> dict[str, Any]:
    reason = move.data.get("reason", move.data.get("note"))
    return {
        "type": move.type,
        "at": move.at,
        "version": move.version,
        "before": move.before,
        "after": move.after,
        "days": (move.after - move.before).days if move.before and move.after else None,
        "late": move.data.get("late", False),
        "reason": reason if isinstance(reason, str) else None,
    }


def _rung(each: RungState) -> dict[str, Any]:
    return {name: getattr(each, name) for name in RungOut.model_fields}


def deadline(told: Explained) -> dict[str, Any]:
    it, way, budget = told.item, told.explanation, told.policy.extension
    return {
        "kind": it.deadline_kind,
        "due_on": it.due_on,
        "review_on": it.review_on,
        "text": it.deadline_text,
        "provisional": it.provisional,
        "rule": told.rule.to_dict() if told.rule else None,
        "leads_to": way.day if way else None,
        "steps": [step.to_dict() for step in way.steps] if way else [],
        "steps_truncated": way.truncated if way else False,
        "moves": [_move(move) for move in told.moves],
        "extensions": {
            "count": it.extension_count, "max_count": budget.max_count, "days": it.extension_days,
            "max_total_days": budget.max_total_days, "ask_before": budget.apply_before,
        },
        "claim_due": it.claim_due,
        "held": told.held,
        "rungs_from": it.rungs_from,
        "waiting_for": told.waiting_for,
        "next_rung": next_rung(told.next_rung),
        "rungs": [_rung(each) for each in told.rungs],
    }  # fmt: skip
