"""Figures behind the sequencer: sums that grow by what was counted since, and are made anew where units have moved."""

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Insert,
    Integer,
    SmallInteger,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from service.store import units
from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.figures import deltas, figure_days, figures, folds, heads, tenant
from service.store.log import LogHead
from service.store.types import gate
from service.store.units import Ancestor, Tree
from service.workflow.figures import METRICS
from service.workflow.folding import ANY, BELOW, EVERY, PLAIN, Counted, DaysKey, Key, fold

_logs, _trees, _ancestors = table(LogHead), table(Tree), table(Ancestor)


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(value), SmallInteger())


_nothing, _month = _number(0), bindparam("month", type_=figures.c.month.type)

BEHIND = Statement(
    select(_logs.c.tenant_id)
    .select_from(
        _logs.join(_trees, _trees.c.tenant_id == _logs.c.tenant_id)
        .outerjoin(heads, heads.c.tenant_id == _logs.c.tenant_id)
        .outerjoin(folds, folds.c.tenant_id == _logs.c.tenant_id)
    )
    .where(
        or_(
            func.coalesce(heads.c.counted, _nothing) < _logs.c.size,
            func.coalesce(folds.c.folded, _nothing) < heads.c.counted,
            folds.c.tree_epoch != _trees.c.epoch,
        )
    )
)
"""Across tenants: whose log is not counted, or whose sums are not as far or not of the present tree."""

_fold = (
    select(
        folds.c.folded, heads.c.counted, folds.c.tree_epoch, folds.c.rolling_epoch, folds.c.rolled_month, _trees.c.epoch
    )
    .select_from(
        folds.join(heads, heads.c.tenant_id == folds.c.tenant_id).join(
            _trees, _trees.c.tenant_id == folds.c.tenant_id
        )
    )
    .where(folds.c.tenant_id == tenant)
)  # fmt: skip
FOLD, TAKE_FOLD = Statement(_fold), Statement(_fold.with_for_update(skip_locked=True, of=folds))


def _setting(*names: str) -> Statement:
    values = {name: bindparam(f"new_{name}", type_=folds.c[name].type) for name in names}
    return Statement(update(folds).where(folds.c.tenant_id == tenant, gate()).values(values))


SET_FOLDED, SET_TREE, SET_ROLLED = _setting("folded"), _setting("tree_epoch"), _setting("rolling_epoch", "rolled_month")

# -- summing up

_counted = ("metric", "day", "unit_id", "ledger_id", "severity", "source", "days", "count")
UNFOLDED = Statement(
    select(*(deltas.c[name] for name in _counted)).where(
        deltas.c.tenant_id == tenant,
        deltas.c.position > bindparam("after", type_=deltas.c.position.type),
        deltas.c.position <= bindparam("until", type_=deltas.c.position.type),
    )
)


def _adding(insert_into: Any, to: Table, names: tuple[str, ...]) -> Any:
    values = [bindparam(column.name, type_=column.type) for column in to.c]
    added = insert_into(to).from_select(list(to.c.keys()), select(*values).where(gate()))
    more = {name: to.c[name] + added.excluded[name] for name in names}
    return added.on_conflict_do_update(index_elements=list(to.primary_key), set_=more)


def _add(to: Table, *names: str) -> Statement:
    return Statement(
        postgresql=_adding(postgresql.insert, to, names), sqlite=_adding(sqlite.insert, to, names)
    )  # fmt: skip


ADD, ADD_DAYS = _add(figures, *(metric.value for metric in METRICS)), _add(figure_days, "count")

# -- rolling up anew

NEXT_MONTH = Statement(
    select(figures.c.month)
    .where(
        figures.c.tenant_id == tenant,
        figures.c.level == _number(PLAIN),
        figures.c.month > bindparam("after", type_=figures.c.month.type),
    )
    .order_by(figures.c.month)
    .limit(literal_column("1", Integer()))
)


def _below(of: Table) -> Statement:
    return Statement(
        delete(of).where(of.c.tenant_id == tenant, of.c.level == _number(BELOW), of.c.month == _month, gate())
    )


def _rolling(of: Table, grouped: dict[str, Any], summed: tuple[str, ...], by: ColumnElement[Any]) -> Insert:
    columns = {
        "tenant_id": tenant, "level": _number(BELOW), "month": _month, "unit_id": _ancestors.c.ancestor_id,
        **grouped, **{name: func.sum(of.c[name], type_=Integer()) for name in summed},
    }  # fmt: skip
    above = (_ancestors.c.tenant_id == of.c.tenant_id) & (_ancestors.c.unit_id == of.c.unit_id)
    return insert(of).from_select(
        list(columns),
        select(*columns.values())
        .select_from(of.join(_ancestors, above))
        .where(
            of.c.tenant_id == tenant,
            of.c.level == _number(PLAIN),
            of.c.month == _month,
            _ancestors.c.distance > _nothing,
            gate(),
        )
        .group_by(by, *(of.c[name] for name in grouped if grouped[name] is of.c[name])),
    )


def _rolled(of: Table, grouped: dict[str, Any], summed: tuple[str, ...]) -> Statement:
    """The rows of what is below each unit, from those of units alone."""
    # The plus keeps SQLite from the index that has the order of the groups: it has the whole tree to go through, too.
    return Statement(
        postgresql=_rolling(of, grouped, summed, _ancestors.c.ancestor_id),
        sqlite=_rolling(of, grouped, summed, literal_column("+ancestors.ancestor_id")),
    )


CLEAR_BELOW, CLEAR_DAYS_BELOW = _below(figures), _below(figure_days)
ROLL = _rolled(
    figures,
    {name: bindparam(f"every_{name}", type_=figures.c[name].type) for name in ("ledger_id", "severity", "source")},
    tuple(metric.value for metric in METRICS),
)
ROLL_DAYS = _rolled(figure_days, {"days": figure_days.c.days}, ("count",))


async def behind(tx: Tx) -> list[UUID]:
    """The tenants with something left to count, or to sum up."""
    return [row[0] for row in await tx.all(BEHIND)]


async def sum_up(tx: Tx, changes: Changes, tenant_id: UUID, limit: int) -> bool:
    """Add the counts of some positions to the sums, or bring a month of them to the present tree.

    Whether anything was left to do, and nobody else is at it.
    """
    row = await tx.one(TAKE_FOLD if tx.contended else FOLD, tenant_id=tenant_id)
    if row is None or row[1] < 0:
        return False
    folded, counted, tree_epoch, rolling_epoch, rolled_month, epoch = row
    if tree_epoch != epoch:
        # Read before anything that is judged by the tree: should that change now, it is another epoch's.
        await _roll(tx, changes, tenant_id, epoch, rolled_month if rolling_epoch == epoch else date.min)
        return True
    if folded >= counted:
        return False
    until = min(folded + limit, counted)
    found = [Counted(*each) for each in await tx.all(UNFOLDED, tenant_id=tenant_id, after=folded, until=until)]
    sums, days = fold(found, await units.lines(tx, tenant_id, {each.unit_id for each in found}))
    changes.add(SET_FOLDED, tenant_id=tenant_id, new_folded=until)
    changes.many(ADD, [_params(tenant_id, key, sums[key]) for key in sorted(sums)])
    changes.many(ADD_DAYS, [_days_params(tenant_id, key, days[key]) for key in sorted(days)])
    return True


def _params(tenant_id: UUID, key: Key, counts: Counter[str]) -> dict[str, Any]:
    level, month, unit_id, ledger_id, severity, source = key
    return {
        "tenant_id": tenant_id, "level": level, "month": month, "unit_id": unit_id, "ledger_id": ledger_id,
        "severity": severity, "source": source, **{metric.value: counts[metric] for metric in METRICS},
    }  # fmt: skip


def _days_params(tenant_id: UUID, key: DaysKey, count: int) -> dict[str, Any]:
    level, month, unit_id, days = key
    return {
        "tenant_id": tenant_id, "level": level, "unit_id": unit_id, "month": month, "days": days, "count": count,
    }  # fmt: skip


async def _roll(tx: Tx, changes: Changes, tenant_id: UUID, epoch: int, after: date) -> None:
    """Make the sums of what is below units anew for a month behind another; with none left they hold for the tree."""
    row = await tx.one(NEXT_MONTH, tenant_id=tenant_id, after=after)
    if row is None:
        changes.add(SET_TREE, tenant_id=tenant_id, new_tree_epoch=epoch)
        return
    given = {"tenant_id": tenant_id, "month": row[0]}
    # One after the other: what goes and what comes in its place have the same keys.
    changes.many(CLEAR_BELOW, [given])
    changes.many(CLEAR_DAYS_BELOW, [given])
    changes.many(ROLL, [{**given, "every_ledger_id": EVERY, "every_severity": ANY, "every_source": ANY}])
    changes.many(ROLL_DAYS, [given])
    changes.many(SET_ROLLED, [{"tenant_id": tenant_id, "new_rolling_epoch": epoch, "new_rolled_month": row[0]}])
