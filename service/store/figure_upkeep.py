"""Figures behind the sequencer: sums that grow by what was counted since, and counts that are thrown away."""

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.figures import advance, deltas, figures, folds, heads, states, tenant
from service.store.log import LogHead
from service.store.types import ONE, any_of, gate, ids
from service.workflow.figures import METRICS
from service.workflow.folding import Key, fold

_logs = table(LogHead)
_after = bindparam("after", type_=deltas.c.position.type)
_until = bindparam("until", type_=deltas.c.position.type)
_one: ColumnElement[int] = literal_column("1", Integer())
_nothing: ColumnElement[int] = literal_column("0", Integer())

BEHIND = Statement(
    select(_logs.c.tenant_id)
    .select_from(
        _logs.outerjoin(heads, heads.c.tenant_id == _logs.c.tenant_id).outerjoin(
            folds, folds.c.tenant_id == _logs.c.tenant_id
        )
    )
    .where(
        or_(
            func.coalesce(heads.c.counted, _nothing) < _logs.c.size,
            func.coalesce(folds.c.folded, _nothing) < heads.c.counted,
        )
    )
)
"""Across tenants: whose log is not counted or whose counts are not summed up to the end."""

# -- summing up

_fold = (
    select(folds.c.folded, heads.c.counted)
    .select_from(folds.join(heads, heads.c.tenant_id == folds.c.tenant_id))
    .where(folds.c.tenant_id == tenant)
)
FOLD, TAKE_FOLD = Statement(_fold), Statement(_fold.with_for_update(skip_locked=True, of=folds))
ADVANCE_FOLD = Statement(
    update(folds)
    .where(
        folds.c.tenant_id == tenant, folds.c.folded == bindparam("read_folded", type_=folds.c.folded.type), gate()
    )
    .values(folded=bindparam("new_folded", type_=folds.c.folded.type))
)  # fmt: skip
UNFOLDED = Statement(
    select(
        *(deltas.c[name] for name in ("metric", "day", "unit_id", "ledger_id", "severity", "source", "count"))
    ).where(deltas.c.tenant_id == tenant, deltas.c.position > _after, deltas.c.position <= _until)
)


def _adding(insert: Any) -> Any:
    values = [bindparam(column.name, type_=column.type) for column in figures.c]
    added = insert(figures).from_select(list(figures.c.keys()), select(*values).where(gate()))
    return added.on_conflict_do_update(
        index_elements=list(figures.primary_key),
        set_={metric.value: figures.c[metric] + added.excluded[metric] for metric in METRICS},
    )


ADD = Statement(postgresql=_adding(postgresql.insert), sqlite=_adding(sqlite.insert))

# -- throwing away

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
FIRST_SUM = Statement(
    select(figures.c.level, figures.c.month)
    .where(figures.c.tenant_id == tenant)
    .order_by(figures.c.level, figures.c.month)
    .limit(_one)
)
CLEAR_DELTAS = Statement(delete(deltas).where(deltas.c.tenant_id == tenant, deltas.c.position <= _until, gate()))
CLEAR_STATES = Statement(
    delete(states).where(states.c.tenant_id == tenant, any_of(states.c.item_id, ids("item_ids")), gate())
)
CLEAR_SUMS = Statement(
    delete(figures).where(
        figures.c.tenant_id == tenant,
        figures.c.level == bindparam("level", type_=figures.c.level.type),
        figures.c.month == bindparam("month", type_=figures.c.month.type),
        gate(),
    )
)

CLEARED = -1
"""How far is counted while what was counted is still to be thrown away."""

AT_ONCE = 5_000
"""Positions, or items, whose counts one transaction throws away."""


async def behind(tx: Tx) -> list[UUID]:
    """The tenants with something left to count, or to sum up."""
    return [row[0] for row in await tx.all(BEHIND)]


async def sum_up(tx: Tx, changes: Changes, tenant_id: UUID, limit: int) -> bool:
    """Add the counts of some positions to the sums; whether there were any, and nobody else is at it."""
    head = await tx.one(TAKE_FOLD if tx.contended else FOLD, tenant_id=tenant_id)
    if head is None or head[0] >= head[1]:
        return False
    folded, until = head[0], min(head[0] + limit, head[1])
    sums = fold([(*row,) for row in await tx.all(UNFOLDED, tenant_id=tenant_id, after=folded, until=until)])
    moved = {"tenant_id": tenant_id, "read_folded": folded, "new_folded": until}
    changes.many(ADVANCE_FOLD, [moved], sure=True)
    changes.many(ADD, [_params(tenant_id, key, sums[key]) for key in sorted(sums)])
    return True


def _params(tenant_id: UUID, key: Key, counts: dict[str, int]) -> dict[str, Any]:
    level, month, unit_id, ledger_id, severity, source = key
    return {
        "tenant_id": tenant_id, "level": level, "month": month, "unit_id": unit_id, "ledger_id": ledger_id,
        "severity": severity, "source": source, **{metric.value: counts.get(metric, 0) for metric in METRICS},
    }  # fmt: skip


def forget(changes: Changes, tenant_id: UUID, counted: int | None) -> None:
    """That all is to be counted anew."""
    if counted is None:
        advance(changes, tenant_id, None, CLEARED)
    else:
        changes.add(FORGET, tenant_id=tenant_id, new_counted=CLEARED)
        changes.add(FORGET_FOLD, tenant_id=tenant_id, new_folded=0)


async def clear(tx: Tx, changes: Changes, tenant_id: UUID) -> None:
    """Throw away a part of what was counted; once there is nothing left, counting may begin."""
    first = await tx.one(FIRST_DELTA, tenant_id=tenant_id)
    some = await tx.all(SOME_STATES, tenant_id=tenant_id, limit=AT_ONCE)
    sums = await tx.one(FIRST_SUM, tenant_id=tenant_id)
    if first is not None:
        changes.add(CLEAR_DELTAS, tenant_id=tenant_id, until=first[0] + AT_ONCE)
    elif some:
        changes.add(CLEAR_STATES, tenant_id=tenant_id, item_ids=[row[0] for row in some])
    elif sums is not None:
        changes.add(CLEAR_SUMS, tenant_id=tenant_id, level=sums[0], month=sums[1])
    else:
        advance(changes, tenant_id, CLEARED, 0)
