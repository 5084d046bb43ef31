"""Reading a whole log as it is stored, to be checked."""

from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, func, select

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.events import EventRow, Unsequenced
from service.store.log import LogEntry
from service.store.reports import ReportRow
from service.workflow.audit import COLUMNS, Entry, columns_of

_log, _events, _unsequenced, _reports = table(LogEntry), table(EventRow), table(Unsequenced), table(ReportRow)
_tenant = bindparam("tenant_id", type_=_log.c.tenant_id.type)

ENTRIES = Statement(
    select(
        _log.c.position, _log.c.leaf_hash, _events.c.body, _events.c.beside, *(_events.c[name] for name in COLUMNS)
    )
    .select_from(_log.outerjoin(_events, and_(_events.c.tenant_id == _tenant, _events.c.id == _log.c.event_id)))
    .where(_log.c.tenant_id == _tenant, _log.c.position > bindparam("after", type_=_log.c.position.type))
    .order_by(_log.c.position)
    .limit(bindparam("limit"))
)  # fmt: skip

STRAYS = Statement(
    select(func.count())
    .select_from(_events)
    .where(
        _events.c.tenant_id == _tenant,
        ~exists().where(_log.c.tenant_id == _tenant, _log.c.event_id == _events.c.id),
        ~exists().where(_unsequenced.c.tenant_id == _tenant, _unsequenced.c.event_id == _events.c.id),
    )
)
"""Events that neither have a position nor wait for one."""

OF_TYPE = Statement(
    select(_log.c.position, _events.c.body)
    .select_from(_events.outerjoin(_log, and_(_log.c.tenant_id == _tenant, _log.c.event_id == _events.c.id)))
    .where(_events.c.tenant_id == _tenant, _events.c.type == bindparam("type", type_=_events.c.type.type))
)
REPORTS = Statement(
    select(_reports.c.id, _reports.c.digest, _reports.c.checkpoint).where(_reports.c.tenant_id == _tenant)
)
DOCUMENT = Statement(
    select(_reports.c.document).where(
        _reports.c.tenant_id == _tenant, _reports.c.id == bindparam("id", type_=_reports.c.id.type)
    )
)


async def of_type(tx: Tx, tenant_id: UUID, type_: str) -> list[tuple[int | None, bytes]]:
    """The events of one type with their positions, also those that have none yet."""
    return [(row[0], bytes(row[1])) for row in await tx.all(OF_TYPE, tenant_id=tenant_id, type=type_)]


async def reports(tx: Tx, tenant_id: UUID) -> list[tuple[UUID, str, str]]:
    """The published months: id, digest and signed note of each."""
    return [(row[0], row[1], row[2]) for row in await tx.all(REPORTS, tenant_id=tenant_id)]


async def document(tx: Tx, tenant_id: UUID, report_id: UUID) -> str:
    """What was published; empty where it is gone."""
    row = await tx.one(DOCUMENT, tenant_id=tenant_id, id=report_id)
    return str(row[0]) if row else ""


async def entries(tx: Tx, tenant_id: UUID, after: int, limit: int) -> list[Entry]:
    """What is stored of the positions after `after`."""
    rows = await tx.all(ENTRIES, tenant_id=tenant_id, after=after, limit=limit)
    return [_entry(row) for row in rows]


def _entry(row: Any) -> Entry:
    position, leaf_hash, body, beside, *columns = row
    if body is None:
        return Entry(position, None, {}, bytes(leaf_hash))
    return Entry(position, bytes(body), beside, bytes(leaf_hash), columns_of(dict(zip(COLUMNS, columns, strict=True))))
