"""Figures that are thrown away, a part at a time, to be counted anew."""

from uuid import UUID

from sqlalchemy import Integer, Table, bindparam, delete, literal_column, select, update
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.figures import advance, deltas, figure_days, figures, folds, heads, states, tenant
from service.store.log import LogHead
from service.store.types import ONE, any_of, gate, ids

CLEARED = -1
"""How far is counted while what was counted is still to be thrown away."""

AT_ONCE = 5_000
"""Positions, or items, whose counts one transaction throws away."""

_logs = table(LogHead)
_one: ColumnElement[int] = literal_column("1", Integer())

HOLD_LOG = Statement(select(ONE).select_from(_logs).where(_logs.c.tenant_id == tenant))
FORGET = Statement(
    update(heads)
    .where(heads.c.tenant_id == tenant, gate())
    .values(counted=bindparam("new_counted", type_=heads.c.counted.type))
)
FORGET_FOLD = Statement(
    update(folds)
    .where(folds.c.tenant_id == tenant, gate())
    .values(folded=bindparam("new_folded", type_=folds.c.folded.type))
)

FIRST_DELTA = Statement(
    select(deltas.c.position).where(deltas.c.tenant_id == tenant).order_by(deltas.c.position).limit(_one)
)
SOME_STATES = Statement(
    select(states.c.item_id).where(states.c.tenant_id == tenant).order_by(states.c.item_id).limit(bindparam("limit"))
)


def _first(of: Table) -> Statement:
    return Statement(
        select(of.c.level, of.c.month).where(of.c.tenant_id == tenant).order_by(of.c.level, of.c.month).limit(_one)
    )


def _month(of: Table) -> Statement:
    return Statement(
        delete(of).where(
            of.c.tenant_id == tenant,
            of.c.level == bindparam("level", type_=of.c.level.type),
            of.c.month == bindparam("month", type_=of.c.month.type),
            gate(),
        )
    )


FIRST_SUM, FIRST_DAYS = _first(figures), _first(figure_days)
CLEAR_DELTAS = Statement(
    delete(deltas).where(
        deltas.c.tenant_id == tenant, deltas.c.position <= bindparam("until", type_=deltas.c.position.type), gate()
    )
)
CLEAR_STATES = Statement(
    delete(states).where(states.c.tenant_id == tenant, any_of(states.c.item_id, ids("item_ids")), gate())
)
CLEAR_SUMS, CLEAR_DAYS = _month(figures), _month(figure_days)


def forget(changes: Changes, tenant_id: UUID, counted: int | None) -> None:
    """That all is to be counted anew. Whoever sums up at this moment comes first, and nobody after this."""
    if counted is None:
        advance(changes, tenant_id, None, CLEARED)
    else:
        changes.add(FORGET_FOLD, tenant_id=tenant_id, new_folded=0)
        changes.add(FORGET, tenant_id=tenant_id, new_counted=CLEARED)


async def clear(tx: Tx, changes: Changes, tenant_id: UUID) -> None:
    """Throw away a part of what was counted; once there is nothing left, counting may begin."""
    first = await tx.one(FIRST_DELTA, tenant_id=tenant_id)
    some = await tx.all(SOME_STATES, tenant_id=tenant_id, limit=AT_ONCE)
    sums, days = await tx.one(FIRST_SUM, tenant_id=tenant_id), await tx.one(FIRST_DAYS, tenant_id=tenant_id)
    if first is not None:
        changes.add(CLEAR_DELTAS, tenant_id=tenant_id, until=first[0] + AT_ONCE)
    elif some:
        changes.add(CLEAR_STATES, tenant_id=tenant_id, item_ids=[row[0] for row in some])
    elif sums is not None:
        changes.add(CLEAR_SUMS, tenant_id=tenant_id, level=sums[0], month=sums[1])
    elif days is not None:
        changes.add(CLEAR_DAYS, tenant_id=tenant_id, level=days[0], month=days[1])
    else:
        advance(changes, tenant_id, CLEARED, 0)
