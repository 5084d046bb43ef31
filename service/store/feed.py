"""The feed: events in the order of their positions, as far as a scope reaches."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.events import EventRow, shown
from service.store.log import LogEntry, LogHead
from service.store.scoping import given, lies_in
from service.store.types import ONE, any_of, ids, list_is_empty, texts
from service.store.units import Ancestor
from service.workflow.scopes import Scope

_log, _events, _ancestors, _heads = table(LogEntry), table(EventRow), table(Ancestor), table(LogHead)
_tenant = bindparam("tenant_id", type_=_log.c.tenant_id.type)

SIZES = Statement(select(_heads.c.tenant_id, _heads.c.size).where(any_of(_heads.c.tenant_id, ids("tenant_ids"))))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader follows. An `overseer` of `scope` also sees what concerns no unit.

    Empty filters filter nothing. `units`: what concerns a unit of these subtrees.
    """

    scope: Scope
    overseer: bool
    types: tuple[str, ...] = ()
    units: tuple[UUID, ...] = ()
    ledgers: tuple[UUID, ...] = ()


def _concerns(lies: Iterable[ColumnElement[bool]]) -> ColumnElement[bool]:
    """An audience is fixed when the event is written; where its units lie is judged as the tree is now."""
    return (
        select(ONE)
        .where(
            _ancestors.c.tenant_id == _tenant,
            any_of(_ancestors.c.unit_id, _events.c.audience),
            *lies,
        )
        .correlate(_events)
        .exists()
    )


@lru_cache(maxsize=64)
def scan(overseer: bool, types: bool, units: bool, ledgers: bool, alone: bool = False) -> Statement:
    """Events of a range of positions that one of each filter's values fits."""
    seen = _concerns(lies_in(_ancestors, alone))
    wanted = [seen if not overseer else or_(list_is_empty(_events.c.audience), seen)]
    if types:
        wanted.append(any_of(_events.c.type, texts("types")))
    if ledgers:
        wanted.append(any_of(_events.c.ledger_id, ids("ledgers")))
    if units:
        wanted.append(_concerns([any_of(_ancestors.c.ancestor_id, ids("units"))]))
    return Statement(
        select(_log.c.position, _events.c.body, _events.c.beside)
        .select_from(_log.join(_events, and_(_events.c.tenant_id == _tenant, _events.c.id == _log.c.event_id)))
        .where(
            _log.c.tenant_id == _tenant,
            _log.c.position > bindparam("after", type_=_log.c.position.type),
            _log.c.position <= bindparam("until", type_=_log.c.position.type),
            *wanted,
        )
        .order_by(_log.c.position)
        .limit(bindparam("limit"))
    )


async def read(
    tx: Tx, tenant_id: UUID, wanted: Wanted, *, after: int, until: int, limit: int
) -> list[tuple[int, dict[str, Any]]]:
    """The first `limit` wanted events of the positions after `after`, up to `until`, each with its position."""
    rows = await tx.all(
        scan(wanted.overseer, bool(wanted.types), bool(wanted.units), bool(wanted.ledgers), bool(wanted.scope.alone)),
        tenant_id=tenant_id,
        **given(wanted.scope),
        types=list(wanted.types),
        units=list(wanted.units),
        ledgers=list(wanted.ledgers),
        after=after,
        until=until,
        limit=limit,
    )
    return [(position, shown(bytes(body), beside, position)) for position, body, beside in rows]


async def sizes(tx: Tx, tenant_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How long the logs of some tenants are."""
    return {row[0]: row[1] for row in await tx.all(SIZES, tenant_ids=list(tenant_ids))}
