"""Reading a table of figures: which sums and which counts it is made of.

To be run in one snapshot, so that nothing is counted twice or not at all while a worker sums up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from service.store import figure_sums as statements
from service.store.database import Statement, Tx
from service.store.figure_scope import Narrowed
from service.store.figure_sums import Head
from service.workflow.figures import LASTING_METRICS, METRICS, ONCE_A_PERIOD, ONCE_OVER, Metric
from service.workflow.folding import ALL_TIME, BELOW, FULL, PLAIN, WHOLE, month_of
from service.workflow.summing import ONE_DAY, Cuts, Key, Period, Sums, end_of, next_month

FACTS = frozenset({"ledger", "severity", "source", "ledgers", "severities", "sources"})
"""What a table is by or narrowed to, where that is something of the items."""


@dataclass(slots=True)
class Reading:
    """Reads one table. `units` are those that it is about, also where they are the whole tenant."""

    tx: Tx
    tenant_id: UUID
    by: str
    narrowed: Narrowed
    units: tuple[UUID, ...]
    period: Period
    today: date
    head: Head
    sums: Sums = field(default_factory=Sums)

    async def read(self) -> Sums:
        """All that the table is made of."""
        if self.narrowed.category is None:
            await self._from_sums(self.period.cuts(self.today))
        else:
            await self._days(self.sums.counted, METRICS, self.period)
            await self._closings(self.period)
            await self._days(self.sums.lasting, LASTING_METRICS, Period(date.min, self.period.last))
        await self._repeated()
        # Whoever still has time has failed nothing.
        not_over = Period(max(self.period.first, self.today), self.period.last)
        await self._days(self.sums.counted, ONCE_OVER, not_over, -1)
        return self.sums

    @property
    def _rolled(self) -> bool:
        """Whether sums of the units are there as they are asked for."""
        return self.head.rolled and not self.narrowed.alone and not FACTS & {self.by, *self.narrowed.filters}

    @property
    def _level(self) -> int:
        """The kind of sums that has what is asked for, and the fewest rows."""
        if not self.narrowed.tops:
            return WHOLE
        return FULL if FACTS & {self.by, *self.narrowed.filters} else PLAIN

    # -- from sums

    async def _from_sums(self, cuts: Cuts) -> None:
        period, sums = self.period, self.sums
        begins, ends = period.months
        await self._months(sums.counted, METRICS, begins, ends, cuts.left_out)
        for part in cuts.more:
            await self._days(sums.counted, METRICS, part)
        for rest in cuts.less:
            await self._days(sums.counted, METRICS, rest, -1)
        await self._months(sums.lasting, LASTING_METRICS, ALL_TIME, ALL_TIME)
        if period.last < self.today:
            await self._months(sums.lasting, LASTING_METRICS, next_month(ends), ALL_TIME - ONE_DAY, sign=-1)
            await self._days(sums.lasting, LASTING_METRICS, Period(period.last + ONE_DAY, end_of(ends)), -1)
        await self._closings_from_sums(cuts)
        await self._unfolded(cuts)

    async def _months(
        self,
        into: defaultdict[Key, Counter[str]],
        metrics: tuple[Metric, ...],
        first: date,
        last: date,
        left_out: tuple[date, ...] = (),
        sign: int = 1,
    ) -> None:
        given = _months(first, last, left_out)
        if self._rolled:
            rows = await self._of_units(statements.rolled(self.by, metrics), given)
        else:
            rows = await self._all(statements.joined, metrics, **given, level=self._level)
        names = [metric.value for metric in metrics]
        for key, *counts in rows:
            found = into[key]
            for name, count in zip(names, counts, strict=True):
                if count:
                    found[name] += sign * count

    async def _closings_from_sums(self, cuts: Cuts) -> None:
        if not self._rolled:
            await self._closings(self.period)
            return
        begins, ends = self.period.months
        given = _months(begins, ends, cuts.left_out)
        self._add_days(await self._of_units(statements.rolled_closings(self.by), given))
        for part in cuts.more:
            await self._closings(part)
        for rest in cuts.less:
            await self._closings(rest, -1)

    async def _unfolded(self, cuts: Cuts) -> None:
        """What no sum has yet. What days were taken off, these too: so they are added for all of a month."""
        begins, ends = self.period.months
        for key, metric, day, took, count in await self._all(statements.unfolded, folded=self.head.folded):
            if begins <= month_of(day) <= ends and month_of(day) not in cuts.left_out:
                self.sums.counted[key][metric] += count
                if metric == Metric.CLOSED and self._rolled:
                    self._add_days([(key, took, count)])
            if metric in LASTING_METRICS and (day <= end_of(ends) or self.period.last >= self.today):
                self.sums.lasting[key][metric] += count

    # -- from counts

    async def _days(
        self, into: defaultdict[Key, Counter[str]], metrics: Iterable[Metric], period: Period, sign: int = 1
    ) -> None:
        if period.first > period.last:
            return
        for key, metric, count in await self._all(statements.days, metrics=_values(metrics), **_range(period)):
            into[key][metric] += sign * count

    async def _closings(self, period: Period, sign: int = 1) -> None:
        rows = await self._all(statements.closings, metric=Metric.CLOSED.value, **_range(period))
        self._add_days(rows, sign)

    def _add_days(self, rows: Iterable[Any], sign: int = 1) -> None:
        for key, took, count in rows:
            self.sums.days[key][took] += sign * count

    async def _repeated(self) -> None:
        given = {"metrics": _values(ONCE_A_PERIOD), "since": self.period.first, **_range(self.period)}
        rows = await self._all(statements.days, "period", **given)
        for _, metric, count in rows:
            self.sums.over_all[metric] += count
        for key, metric, count in await self._all(statements.days, "month", **given) if self.by == "month" else rows:
            self.sums.repeated[key][metric] += count

    # -- statements

    async def _all(self, compose: Any, *more: Any, **params: Any) -> list[Any]:
        statement = compose(self.by, self.narrowed.filters, *more)
        return await self.tx.all(statement, tenant_id=self.tenant_id, **self.narrowed.params, **params)

    async def _of_units(self, statement: Statement, given: dict[str, Any]) -> list[Any]:
        asked = {"tops": list(self.units), "own": self.narrowed.own, "levels": [PLAIN, BELOW]}
        return await self.tx.all(statement, tenant_id=self.tenant_id, **asked, **given)


def _values(metrics: Iterable[Metric]) -> list[str]:
    return [metric.value for metric in metrics]


def _range(period: Period) -> dict[str, date]:
    return {"from_day": period.first, "until_day": period.last}


def _months(first: date, last: date, left_out: tuple[date, ...]) -> dict[str, date]:
    one, other, *_ = (*left_out, date.min, date.min)
    return {"from_month": first, "until_month": last, "left_out": one, "other_left_out": other}
