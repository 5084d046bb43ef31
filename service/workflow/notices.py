"""Notices (督办文书): a document of a kind, about items of one unit, that the unit signs for.

A draft has no number and no effect until a supervisor issues it. What is issued keeps its number, also when cancelled.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from service.errors import guard
from service.workflow.calendar import Calendar
from service.workflow.items import NEVER
from service.workflow.policy import Policy, number
from service.workflow.states import NoticeKind, NoticeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`year` is that of issue, `seq` the number within it. `rungs` are the codes that it comes from, none by hand.

    `reply_by` is by when the unit is to say what it does about it; `receipt_due` by when it is to sign for it.
    """

    id: UUID
    ledger_id: UUID
    kind: str
    state: str
    number: str | None
    year: int | None
    seq: int | None
    unit_id: UUID
    supervising_unit_id: UUID
    copy_unit_ids: tuple[UUID, ...]
    item_ids: tuple[UUID, ...]
    rungs: tuple[str, ...]
    text: str | None
    issued_by: UUID | None
    issuer: str | None
    created_at: datetime
    issued_at: datetime | None = None
    reply_by: date | None = None
    receipt_due: date | None = None
    receipt_signed_by: str | None = None
    receipt_at: datetime | None = None
    receipt_by: UUID | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None

    @property
    def awaits_receipt(self) -> bool:
        return self.state == NoticeState.ISSUED and self.kind != NoticeKind.REMINDER and self.receipt_at is None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A place in the row of an office's numbers."""

    year: int
    seq: int


def issued(
    notice: Notice,
    policy: Policy,
    calendar: Calendar,
    *,
    ledger: str,
    numbered: Numbered | None,
    today: date,
    now: datetime,
    reply_by: date | None = None,
) -> Notice:
    """The notice with its number and days. `numbered` is None for a reminder, which has none. `ledger` is its code."""
    return replace(
        notice,
        state=NoticeState.ISSUED.value,
        number=number(policy.numbers[notice.kind], ledger=ledger, year=numbered.year, seq=numbered.seq)
        if numbered
        else None,
        year=numbered.year if numbered else None,
        seq=numbered.seq if numbered else None,
        issued_at=now,
        reply_by=reply_by or calendar.add(today, policy.reply_within),
        receipt_due=calendar.add(today, policy.receipt_within) if notice.kind != NoticeKind.REMINDER else None,
    )


def receipted(notice: Notice, *, signed_by: str, by: UUID | None, now: datetime) -> Notice:
    """Signed for. Refuses `awaits_receipt` where there is nothing to sign, or it is signed already."""
    if not notice.awaits_receipt:
        raise guard("awaits_receipt")
    return replace(notice, receipt_signed_by=signed_by, receipt_at=now, receipt_by=by)


def cancelled(notice: Notice, *, reason: str, now: datetime) -> Notice:
    """Refuses `notice_cancelled` where it is cancelled already."""
    if notice.state == NoticeState.CANCELLED:
        raise guard("notice_cancelled")
    return replace(notice, state=NoticeState.CANCELLED.value, cancelled_at=now, cancel_reason=reason)


def check_draft(notice: Notice) -> None:
    """Only a draft is issued. Refuses `notice_draft`."""
    if notice.state != NoticeState.DRAFT:
        raise guard("notice_draft")


def due_day(notice: Notice, drafted_on: date) -> date:
    """The day by which somebody must do something about it: issue a draft on its own day, sign for what is issued."""
    if notice.state == NoticeState.DRAFT:
        return drafted_on
    return notice.receipt_due if notice.awaits_receipt and notice.receipt_due else NEVER
