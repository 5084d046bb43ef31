"""What happened to one item, oldest first; with positions as far as the sequencer has come."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, and_, bindparam, select, tuple_

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.events import EventRow, shown
from service.store.log import LogEntry

_events, _log = table(EventRow), table(LogEntry)
_tenant = bindparam("tenant_id", type_=_events.c.tenant_id.type)

OF_ITEM = Statement(
    select(_events.c.body, _events.c.beside, _log.c.position, _events.c.revision, _events.c.ordinal)
    .select_from(_events.outerjoin(_log, and_(_log.c.tenant_id == _tenant, _log.c.event_id == _events.c.id)))
    .where(
        _events.c.tenant_id == _tenant,
        _events.c.item_id == bindparam("item_id", type_=_events.c.item_id.type),
        tuple_(_events.c.revision, _events.c.ordinal)
        > tuple_(bindparam("revision", type_=BigInteger()), bindparam("ordinal", type_=_events.c.ordinal.type)),
    )
    .order_by(_events.c.revision, _events.c.ordinal)
    .limit(bindparam("limit"))
)


async def of_item(
    tx: Tx, tenant_id: UUID, item_id: UUID, after: tuple[int, int], limit: int
) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """An item's events, oldest first, each with its (revision, ordinal)."""
    rows = await tx.all(OF_ITEM, tenant_id=tenant_id, item_id=item_id, revision=after[0], ordinal=after[1], limit=limit)
    return [
        ((revision, ordinal), shown(bytes(body), beside, position))
        for body, beside, position, revision, ordinal in rows
    ]
