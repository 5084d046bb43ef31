"""Events of the clock and of what it sets going: rungs, passed deadlines, requests, notices, interviews, re-planning.

None but `item.rescheduled` and `item.reviewed` changes the item: the others carry the version that it has then. A
notice that covers several items writes its event for each, so that every item's history is whole; `notice_id` tells
that they are of one notice.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from service.workflow import attachments
from service.workflow.attachments import Attachment
from service.workflow.events import EventDraft, Subject, changes, concerned, plain
from service.workflow.guards import Command
from service.workflow.items import Interview, Item
from service.workflow.ladder import Meeting
from service.workflow.notices import Notice
from service.workflow.requests import Request
from service.workflow.states import AnchorKind

PASSED = "deadline.passed"
"""Names a day before the one on which it is recorded, however long before: the clock may come late."""


def _about(type_: str, item: Item, data: dict[str, Any], *more: UUID) -> EventDraft:
    audience = concerned(item)
    return EventDraft(
        type_,
        Subject.of(item),
        (*audience, *dict.fromkeys(unit for unit in more if unit not in audience)) if more else audience,
        {name: plain(value) for name, value in data.items() if value is not None},
    )


# -- the clock


def deadline_passed(item: Item, day: date) -> EventDraft:
    return _about(PASSED, item, {"deadline": day, "cycle": item.cycle})


def _met(item: Item, met: Meeting) -> dict[str, Any]:
    data = {
        "rung": met.rung.code, "action": met.rung.action, "anchor": met.anchor.kind, "anchor_on": met.anchor.on,
        "cycle": item.cycle,
    }  # fmt: skip
    if met.anchor.kind == AnchorKind.DECISION_DUE:
        data["request_id"] = met.anchor.ref
    elif met.anchor.kind == AnchorKind.INTERVIEW_DUE:
        data["interview_id"] = met.anchor.ref
    return data


def rung_fired(item: Item, met: Meeting, notice_id: UUID | None, notified: tuple[UUID, ...]) -> EventDraft:
    """`notified` are the units that the rung's `notify` means for this item."""
    data = {**_met(item, met), "notify": met.rung.notify, "notified_unit_ids": notified}
    draft = _about("rung.fired", item, data, *notified)
    draft.data["notice_id"] = plain(notice_id)
    return draft


def rung_skipped(item: Item, met: Meeting, why: str) -> EventDraft:
    """`why` is one of before_creation, collapsed, held."""
    draft = _about("rung.skipped", item, {**_met(item, met), "why": why})
    draft.data["notice_id"] = None
    return draft


def rescheduled(before: Item, after: Item, changed: dict[str, Any]) -> EventDraft:
    """A calendar that changed has moved days of the item."""
    return EventDraft(
        "item.rescheduled", Subject.of(after), concerned(before, after), {"changes": changes(before, changed)}
    )


def reviewed(
    before: Item, after: Item, changed: dict[str, Any], on: date, note: str, hung: Iterable[Attachment] = ()
) -> EventDraft:
    data: dict[str, Any] = {"on": plain(on), "note": note, "cycle": after.cycle, "changes": changes(before, changed)}
    data |= attachments.in_event(hung)
    return EventDraft("item.reviewed", Subject.of(after), concerned(before, after), data)


# -- requests


def request_submitted(item: Item, request: Request, hung: Iterable[Attachment] = ()) -> EventDraft:
    data = {
        "request_id": request.id, "kind": request.kind, "cycle": request.cycle, "due_on": request.due_on,
        "responsible_unit_id": request.responsible_unit_id, "decide_due": request.decide_due, "reason": request.reason,
        **attachments.in_event(hung),
    }  # fmt: skip
    return _about("request.submitted", item, data)


def request_ended(item: Item, request: Request) -> EventDraft:
    """Returned or withdrawn."""
    data = {"request_id": request.id, "kind": request.kind, "reason": request.decision_reason}
    return _about(f"request.{request.status}", item, data)


def request_approved(item: Item, request: Request, fired: Command) -> EventDraft:
    """What was asked for, and what was granted."""
    data = {
        "request_id": request.id, "kind": request.kind, "trigger": fired.trigger,
        "asked_due_on": request.due_on, "asked_unit_id": request.responsible_unit_id,
        "due_on": fired.due_on, "responsible_unit_id": fired.responsible_unit_id,
        "reason": request.decision_reason,
    }  # fmt: skip
    return _about("request.approved", item, data)


# -- notices


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "notice_id": notice.id, "kind": notice.kind, "number": notice.number, "unit_id": notice.unit_id,
        "items": len(notice.item_ids),
    }  # fmt: skip


def notice_made(item: Item, notice: Notice) -> EventDraft:
    """Issued, or drafted for a supervisor to issue."""
    data = {
        **_notice(notice), "rungs": notice.rungs or None, "text": notice.text, "reply_by": notice.reply_by,
        "receipt_due": notice.receipt_due, "copy_unit_ids": notice.copy_unit_ids or None,
    }  # fmt: skip
    type_ = "notice.issued" if notice.issued_at is not None else "notice.drafted"
    return _about(type_, item, data, notice.unit_id, *notice.copy_unit_ids)


def notice_receipted(item: Item, notice: Notice) -> EventDraft:
    data = {**_notice(notice), "signed_by": notice.receipt_signed_by}
    return _about("notice.receipted", item, data, notice.unit_id, *notice.copy_unit_ids)


def notice_cancelled(item: Item, notice: Notice) -> EventDraft:
    data = {**_notice(notice), "reason": notice.cancel_reason}
    return _about("notice.cancelled", item, data, notice.unit_id, *notice.copy_unit_ids)


# -- interviews


def interview_scheduled(item: Item, interview: Interview) -> EventDraft:
    data = {"interview_id": interview.id, "scheduled_at": interview.scheduled_at, "place": interview.place}
    return _about("interview.scheduled", item, data)
