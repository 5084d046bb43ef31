"""Figures read as sums: whole months from `figures`, parts of months and what is not summed up yet from the counts.

Each statement is composed for what a table is by and what it is narrowed to, and kept. They are to be run in one
snapshot, so that nothing is counted twice or not at all while a worker sums up.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Table, bindparam, func, select
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.figure_scope import Narrowed, ancestors, narrow
from service.store.figures import deltas, figures, folds, heads, tenant
from service.store.log import LogHead
from service.store.types import any_of, texts
from service.workflow.figures import LASTING_METRICS, METRICS, ONCE_A_PERIOD, ONCE_OVER, Metric
from service.workflow.folding import ALL_TIME, FULL, month_of
from service.workflow.summing import ONE_DAY, Key, Period, Sums, end_of, next_month

_logs = table(LogHead)


def _key(of: Table, by: str) -> ColumnElement[Any]:
    keys = {"month": of.c.month, "ledger": of.c.ledger_id, "severity": of.c.severity, "source": of.c.source}
    return ancestors.c.ancestor_id if by == "unit" else keys[by]


def _day(name: str) -> ColumnElement[date]:
    return bindparam(name, type_=deltas.c.day.type)


_count: ColumnElement[int] = func.sum(deltas.c.count, type_=Integer())


@lru_cache(maxsize=256)
def months(by: str, filters: tuple[str, ...]) -> Statement:
    """Sums of the months from one to another, but for two that are cut."""
    source, conditions = narrow(figures, filters)
    key = _key(figures, by)
    return Statement(
        select(key, *(func.sum(figures.c[metric], type_=Integer()) for metric in METRICS))
        .select_from(source)
        .where(
            *conditions,
            figures.c.level == bindparam("level", type_=figures.c.level.type),
            figures.c.month >= _day("from_month"),
            figures.c.month <= _day("until_month"),
            figures.c.month != _day("cut"),
            figures.c.month != _day("other_cut"),
        )
        .group_by(key)
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
        .where(
            *conditions,
            any_of(deltas.c.metric, texts("metrics")),
            deltas.c.day >= _day("from_day"),
            deltas.c.day <= _day("until_day"),
        )
        .group_by(key, deltas.c.metric)
    )


@lru_cache(maxsize=256)
def unfolded(by: str, filters: tuple[str, ...]) -> Statement:
    """Counts that are in no sum yet."""
    source, conditions = narrow(deltas, filters)
    key = _key(deltas, by)
    return Statement(
        select(key, deltas.c.metric, deltas.c.day, _count)
        .select_from(source)
        .where(*conditions, deltas.c.position > bindparam("folded", type_=deltas.c.position.type))
        .group_by(key, deltas.c.metric, deltas.c.day)
    )


@lru_cache(maxsize=256)
def closings(by: str, filters: tuple[str, ...]) -> Statement:
    """Closings by the days that they took."""
    source, conditions = narrow(deltas, filters)
    key = _key(deltas, by)
    return Statement(
        select(key, deltas.c.days, _count)
        .select_from(source)
        .where(
            *conditions,
            deltas.c.metric == bindparam("metric", type_=deltas.c.metric.type),
            deltas.c.day >= _day("from_day"),
            deltas.c.day <= _day("until_day"),
        )
        .group_by(key, deltas.c.days)
    )


HEAD = Statement(
    select(_logs.c.size, heads.c.counted, folds.c.folded)
    .select_from(
        _logs.outerjoin(heads, heads.c.tenant_id == _logs.c.tenant_id).outerjoin(
            folds, folds.c.tenant_id == _logs.c.tenant_id
        )
    )
    .where(_logs.c.tenant_id == tenant)
)


@dataclass(frozen=True, slots=True)
class Head:
    """How long the log is, how far it was counted, and how far the counts are summed up."""

    size: int
    counted: int
    folded: int


async def head(tx: Tx, tenant_id: UUID) -> Head:
    row = await tx.one(HEAD, tenant_id=tenant_id)
    return Head(row[0], row[1] or 0, row[2] or 0) if row else Head(0, 0, 0)


@dataclass(slots=True)
class Reading:
    """Reads one table of figures; `level` is that of FULL, PLAIN and WHOLE which has what it is by and narrowed to."""

    tx: Tx
    tenant_id: UUID
    by: str
    narrowed: Narrowed
    period: Period
    today: date
    level: int = FULL
    sums: Sums = field(default_factory=Sums)

    async def read(self, folded: int) -> Sums:
        """All that the table is made of, with what lies behind the sums, which go up to the position `folded`."""
        if self.narrowed.category is None:
            await self._folded(folded)
        else:
            await self._days(self.sums.counted, METRICS, self.period)
            await self._days(self.sums.lasting, LASTING_METRICS, Period(date.min, self.period.last))
        await self._repeated()
        # Whoever still has time has failed nothing.
        not_over = Period(max(self.period.first, self.today), self.period.last)
        await self._days(self.sums.counted, ONCE_OVER, not_over, -1)
        found = await self._all(closings, metric=Metric.CLOSED.value, **_range(self.period))
        for key, took, count in found:
            self.sums.days.setdefault(key, Counter())[took] += count
        return self.sums

    async def _folded(self, folded: int) -> None:
        period, sums = self.period, self.sums
        begins, ends = period.months
        await self._months(sums.counted, begins, ends, period.cut)
        for month in period.cut:
            await self._days(sums.counted, METRICS, period.part_of(month))
        await self._months(sums.lasting, ALL_TIME, ALL_TIME)
        if period.last < self.today:
            await self._months(sums.lasting, next_month(ends), ALL_TIME - ONE_DAY, sign=-1)
            await self._days(sums.lasting, LASTING_METRICS, Period(period.last + ONE_DAY, end_of(ends)), -1)
        for key, metric, day, count in await self._all(unfolded, folded=folded):
            if period.first <= day <= period.last and month_of(day) not in period.cut:
                sums.counted.setdefault(key, Counter())[metric] += count
            if metric in LASTING_METRICS and (day <= end_of(ends) or period.last >= self.today):
                sums.lasting.setdefault(key, Counter())[metric] += count

    async def _months(
        self, into: dict[Key, Counter[str]], first: date, last: date, cut: tuple[date, ...] = (), sign: int = 1
    ) -> None:
        cuts = (*cut, date.min, date.min)
        params = {"from_month": first, "until_month": last, "cut": cuts[0], "other_cut": cuts[1], "level": self.level}
        for key, *counts in await self._all(months, **params):
            found = into.setdefault(key, Counter())
            for metric, count in zip(METRICS, counts, strict=True):
                found[metric.value] += sign * count

    async def _days(
        self, into: dict[Key, Counter[str]], metrics: Iterable[Metric], period: Period, sign: int = 1
    ) -> None:
        if period.first > period.last:
            return
        for key, metric, count in await self._all(days, metrics=_values(metrics), **_range(period)):
            into.setdefault(key, Counter())[metric] += sign * count

    async def _repeated(self) -> None:
        given = {"metrics": _values(ONCE_A_PERIOD), "since": self.period.first, **_range(self.period)}
        rows = await self._all(days, "period", **given)
        for _, metric, count in rows:
            self.sums.over_all[metric] += count
        for key, metric, count in await self._all(days, "month", **given) if self.by == "month" else rows:
            self.sums.repeated.setdefault(key, Counter())[metric] += count

    async def _all(self, compose: Any, *more: str, **params: Any) -> list[Any]:
        statement = compose(self.by, self.narrowed.filters, *more)
        return await self.tx.all(statement, tenant_id=self.tenant_id, **self.narrowed.params, **params)


def _values(metrics: Iterable[Metric]) -> list[str]:
    return [metric.value for metric in metrics]


def _range(period: Period) -> dict[str, date]:
    return {"from_day": period.first, "until_day": period.last}
