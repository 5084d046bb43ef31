"""The statements that read figures as sums, composed for what a table is by and what it is narrowed to, and kept.

Whole months come from `figures`: as they are where sums of the units asked for are there (`rolled`), else joined with
the tree. Parts of months, and what is not summed up yet, come from the counts.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, SmallInteger, Table, bindparam, func, literal_column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.figure_scope import ancestors, narrow
from service.store.figures import deltas, figure_days, figures, folds, heads, tenant
from service.store.log import LogHead
from service.store.types import any_of, ids, numbers, texts
from service.store.units import Tree
from service.workflow.figures import METRICS, Metric
from service.workflow.folding import BELOW

_logs, _trees = table(LogHead), table(Tree)
_below: ColumnElement[int] = literal_column(str(BELOW), SmallInteger())


def _key(of: Table, by: str) -> ColumnElement[Any]:
    keys = {"month": of.c.month, "ledger": of.c.ledger_id, "severity": of.c.severity, "source": of.c.source}
    return ancestors.c.ancestor_id if by == "unit" else keys[by]


def _day(name: str) -> ColumnElement[date]:
    return bindparam(name, type_=deltas.c.day.type)


_days = (deltas.c.day >= _day("from_day"), deltas.c.day <= _day("until_day"))
_count: ColumnElement[int] = func.sum(deltas.c["count"], type_=Integer())


def _months(of: Table) -> tuple[ColumnElement[bool], ...]:
    """From one to another, but for two."""
    return (
        of.c.month >= _day("from_month"), of.c.month <= _day("until_month"),
        of.c.month != _day("left_out"), of.c.month != _day("other_left_out"),
    )  # fmt: skip


def _sums(metrics: tuple[Metric, ...]) -> list[ColumnElement[int]]:
    return [func.sum(figures.c[metric], type_=Integer()) for metric in metrics]


@lru_cache(maxsize=256)
def joined(by: str, filters: tuple[str, ...], metrics: tuple[Metric, ...] = METRICS) -> Statement:
    """Sums of months, of the units below others as the tree is now; a column for each metric."""
    source, conditions = narrow(figures, filters)
    key = _key(figures, by)
    level = figures.c.level == bindparam("level", type_=figures.c.level.type)
    return Statement(
        select(key, *_sums(metrics)).select_from(source).where(*conditions, level, *_months(figures)).group_by(key)
    )


def _rolled(of: Table) -> tuple[ColumnElement[bool], ...]:
    """Units and what is below them; of one of them itself alone."""
    own = bindparam("own", type_=of.c.unit_id.type)
    return (
        of.c.tenant_id == tenant,
        any_of(of.c.level, numbers("levels")),
        any_of(of.c.unit_id, ids("tops")),
        or_(of.c.unit_id != own, of.c.level != _below),
        *_months(of),
    )


@lru_cache(maxsize=4)
def rolled(by: str, metrics: tuple[Metric, ...] = METRICS) -> Statement:
    """Sums of months by units or months, of units whose sums are there; a column for each metric."""
    key = figures.c.unit_id if by == "unit" else figures.c.month
    return Statement(select(key, *_sums(metrics)).where(*_rolled(figures)).group_by(key))


@lru_cache(maxsize=2)
def rolled_closings(by: str) -> Statement:
    """The same for closings by the days that they took."""
    key = figure_days.c.unit_id if by == "unit" else figure_days.c.month
    total = func.sum(figure_days.c["count"], type_=Integer())
    return Statement(
        select(key, figure_days.c.days, total).where(*_rolled(figure_days)).group_by(key, figure_days.c.days)
    )


@lru_cache(maxsize=256)
def days(by: str, filters: tuple[str, ...], repeated: str = "") -> Statement:
    """Counts of the days from one to another. `repeated`: only those whose stretch counted in the period before, or
    in the same month."""
    source, conditions = narrow(deltas, filters)
    key = _key(deltas, by)
    if repeated:
        conditions += [deltas.c.since.is_not(None), deltas.c.since >= _day("since")]
    if repeated == "month":
        conditions.append(deltas.c.since >= deltas.c.month)
    return Statement(
        select(key, deltas.c.metric, _count)
        .select_from(source)
        .where(*conditions, any_of(deltas.c.metric, texts("metrics")), *_days)
        .group_by(key, deltas.c.metric)
    )


@lru_cache(maxsize=256)
def closings(by: str, filters: tuple[str, ...]) -> Statement:
    """Closings of the days from one to another, by the days that they took."""
    source, conditions = narrow(deltas, filters)
    key = _key(deltas, by)
    return Statement(
        select(key, deltas.c.days, _count)
        .select_from(source)
        .where(*conditions, deltas.c.metric == bindparam("metric", type_=deltas.c.metric.type), *_days)
        .group_by(key, deltas.c.days)
    )


@lru_cache(maxsize=256)
def unfolded(by: str, filters: tuple[str, ...]) -> Statement:
    """Counts that are in no sum yet."""
    source, conditions = narrow(deltas, filters)
    what = (_key(deltas, by), deltas.c.metric, deltas.c.day, deltas.c.days)
    return Statement(
        select(*what, _count)
        .select_from(source)
        .where(*conditions, deltas.c.position > bindparam("folded", type_=deltas.c.position.type))
        .group_by(*what)
    )


HEAD = Statement(
    select(_logs.c.size, heads.c.counted, folds.c.folded, folds.c.tree_epoch == _trees.c.epoch)
    .select_from(
        _logs.join(_trees, _trees.c.tenant_id == _logs.c.tenant_id)
        .outerjoin(heads, heads.c.tenant_id == _logs.c.tenant_id)
        .outerjoin(folds, folds.c.tenant_id == _logs.c.tenant_id)
    )
    .where(_logs.c.tenant_id == tenant)
)


@dataclass(frozen=True, slots=True)
class Head:
    """How long the log is, how far it was counted, and how far the counts are summed up. `rolled`: the sums of what is
    below units are those of the present tree."""

    size: int
    counted: int
    folded: int
    rolled: bool


async def head(tx: Tx, tenant_id: UUID) -> Head:
    row = await tx.one(HEAD, tenant_id=tenant_id)
    return Head(row[0], row[1] or 0, row[2] or 0, bool(row[3])) if row else Head(0, 0, 0, rolled=False)
