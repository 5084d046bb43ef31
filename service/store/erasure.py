"""What a lawful erasure reads and destroys: texts beside events, and the rows around an item that hold them again.

Each table has one statement: on PostgreSQL several writes are one statement, and no row may be written twice in it.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, bindparam, case, delete, null, select, update
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.events import EventRow
from service.store.idempotency import IdempotencyRow
from service.store.interviews import InterviewRow
from service.store.notices import NoticeRow
from service.store.progress import ProgressRow
from service.store.requests import RequestRow
from service.store.types import any_of, gate, ids, texts
from service.workflow.erasure import ERASED, Erasable, Written
from service.workflow.notices import Notice

_events, _records, _interviews = table(EventRow), table(IdempotencyRow), table(InterviewRow)
_progress, _requests, _notices = table(ProgressRow), table(RequestRow), table(NoticeRow)
_tenant = bindparam("tenant_id", type_=_events.c.tenant_id.type)
_item = bindparam("item_id", type_=_events.c.item_id.type)

_written = select(*(_events.c[name] for name in ("id", "item_id", "type", "revision", "beside", "body")))
OF_ITEM = Statement(_written.where(_events.c.tenant_id == _tenant, _events.c.item_id == _item))
OF_ITEMS = Statement(
    _written.where(
        _events.c.tenant_id == _tenant,
        any_of(_events.c.item_id, ids("item_ids")),
        any_of(_events.c.type, texts("types")),
    )
)
LEAVE_BESIDE = Statement(
    update(_events)
    .where(
        _events.c.tenant_id == _tenant, _events.c.id == bindparam("event_id", type_=_events.c.id.type), gate()
    )
    .values(beside=bindparam("new_beside", type_=_events.c.beside.type)),
    by_key=True,
)  # fmt: skip

TALKS = Statement(
    select(*(_interviews.c[name] for name in ("seal_salt", "place", "recorded_at"))).where(
        _interviews.c.tenant_id == _tenant, _interviews.c.item_id == _item
    )
)


def _erased(column: ColumnElement[Any], flag: str, value: Any = ERASED) -> ColumnElement[Any]:
    """The column, unless the flag is set; then what stands in its place."""
    instead = null() if value is None else bindparam(f"in_place_of_{column.key}", value, type_=column.type)
    return case((bindparam(flag, type_=Boolean()), instead), else_=column)


PROGRESS = Statement(
    update(_progress)
    .where(_progress.c.tenant_id == _tenant, _progress.c.item_id == _item, gate())
    .values(text=_erased(_progress.c.text, "progress"), name=_erased(_progress.c.name, "actors"))
)
REQUESTS = Statement(
    update(_requests)
    .where(_requests.c.tenant_id == _tenant, _requests.c.item_id == _item, gate())
    .values(
        reason=_erased(_requests.c.reason, "requests"),
        decision_reason=_erased(_requests.c.decision_reason, "requests", None),
        requester=_erased(_requests.c.requester, "actors"),
        decider=_erased(_requests.c.decider, "actors", None),
    )
)
NOTICES = Statement(
    update(_notices)
    .where(_notices.c.tenant_id == _tenant, any_of(_notices.c.id, ids("notice_ids")), gate())
    .values(
        text=_erased(_notices.c.text, "notices", None),
        cancel_reason=_erased(_notices.c.cancel_reason, "notices", None),
        receipt_signed_by=_erased(_notices.c.receipt_signed_by, "signatures", None),
        issuer=_erased(_notices.c.issuer, "actors", None),
    )
)
INTERVIEWS = Statement(
    update(_interviews)
    .where(_interviews.c.tenant_id == _tenant, _interviews.c.item_id == _item, gate())
    .values(
        attendees=bindparam("nobody", [], type_=_interviews.c.attendees.type),
        minutes=None,
        commitments=None,
        place=None,
        seal_salt=None,
    )
)

ANSWERS = Statement(
    delete(_records).where(_records.c.tenant_id == _tenant, any_of(_records.c.subject_id, ids("subject_ids")), gate())
)
ANSWERS_AT = Statement(
    delete(_records).where(
        _records.c.tenant_id == _tenant,
        _records.c.created_at == bindparam("at", type_=_records.c.created_at.type),
        gate(),
    )
)
"""Of calls that wrote about several items at once: their answers have one of them for their subject."""

FLAGS = {
    PROGRESS: (Erasable.PROGRESS, Erasable.ACTORS),
    REQUESTS: (Erasable.REQUESTS, Erasable.ACTORS),
    NOTICES: (Erasable.NOTICES, Erasable.SIGNATURES, Erasable.ACTORS),
    INTERVIEWS: (Erasable.INTERVIEWS,),
}
"""By whose texts a statement is needed, and which of them it takes as flags."""


def _written_of(row: Any) -> Written:
    event_id, item_id, type_, revision, beside, body = row
    notice_id = json.loads(bytes(body))["data"].get("notice_id") if type_.startswith("notice.") else None
    return Written(event_id, item_id, type_, revision, beside, UUID(notice_id) if notice_id else None)


async def of_item(tx: Tx, tenant_id: UUID, item_id: UUID) -> list[Written]:
    """Every event of an item."""
    return [_written_of(row) for row in await tx.all(OF_ITEM, tenant_id=tenant_id, item_id=item_id)]


NOTICE_TYPES = ("notice.drafted", "notice.issued", "notice.receipted", "notice.cancelled")


async def of_notices(tx: Tx, tenant_id: UUID, notices: Iterable[Notice]) -> list[Written]:
    """What the histories of the items that some notices cover tell of these."""
    by_id = {notice.id: notice for notice in notices}
    item_ids = list({item_id for notice in by_id.values() for item_id in notice.item_ids})
    rows = await tx.all(OF_ITEMS, tenant_id=tenant_id, item_ids=item_ids, types=list(NOTICE_TYPES))
    return [each for each in map(_written_of, rows) if each.notice_id in by_id]


async def talks(tx: Tx, tenant_id: UUID, item_id: UUID) -> tuple[bool, list[datetime]]:
    """Whether the interviews about an item hold anything that could be erased, and when they were put on record."""
    rows = await tx.all(TALKS, tenant_id=tenant_id, item_id=item_id)
    return any(salt or place for salt, place, _ in rows), [at for _, _, at in rows if at is not None]


def rows(changes: Changes, statement: Statement, fields: Iterable[Erasable], **params: Any) -> None:
    """Erase what the fields name in the rows of a statement, if anything."""
    wanted, flags = set(fields), FLAGS[statement]
    if wanted & set(flags):
        changes.add(statement, **params, **{flag.value: flag in wanted for flag in flags})


def answers(changes: Changes, tenant_id: UUID, subject_ids: Iterable[UUID], moments: Iterable[datetime]) -> None:
    """Delete the answers kept for replay that are about something, or were given at one of these instants."""
    changes.add(ANSWERS, tenant_id=tenant_id, subject_ids=list(subject_ids))
    for at in sorted(set(moments)):
        changes.add(ANSWERS_AT, tenant_id=tenant_id, at=at)


def leave_beside(changes: Changes, tenant_id: UUID, left: dict[UUID, dict[str, Any]]) -> None:
    """Destroy what is not left beside these events."""
    changes.many(
        LEAVE_BESIDE,
        [{"tenant_id": tenant_id, "event_id": event_id, "new_beside": beside} for event_id, beside in left.items()],
    )
