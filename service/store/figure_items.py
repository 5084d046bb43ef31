"""The items behind a figure: exactly those that it counts, in the order of their days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, bindparam, cast, func, literal_column, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.figure_scope import Narrowed, narrow
from service.store.figures import deltas, tenant
from service.store.items import ItemRow, in_scope
from service.store.scoping import Scoped, given
from service.store.types import any_of, ids
from service.workflow.figures import LASTING, ONCE_A_PERIOD, ONCE_OVER, Metric
from service.workflow.folding import EVERY
from service.workflow.scopes import Scope
from service.workflow.summing import ONE_DAY, Period

_items, _ended = table(ItemRow), deltas.alias("ended")
_nothing: ColumnElement[int] = literal_column("0", Integer())

FACTS = ("ledger_id", "severity", "source")
"""What an item is counted by besides its unit. A correction moves all its counts, those of ends with the others."""

TITLES = Scoped(
    lambda alone: Statement(
        select(_items.c.id, _items.c.number, _items.c.title).where(
            _items.c.tenant_id == tenant,
            any_of(_items.c.id, ids("item_ids")),
            in_scope(_items.c.tenant_id, _items.c.id, alone),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Counted:
    """A cycle of an item that a figure counts, with the facts that it is counted by.

    `day` is the day on which it counts, or on which what lasts began. `count` is more than one where it is counted one
    by one (requests, interviews). `days` are those that a closing took.
    """

    day: date
    item_id: UUID
    cycle: int
    unit_id: UUID
    ledger_id: UUID
    severity: str
    source: str
    days: int
    count: int


Place = tuple[date, UUID, int, UUID]
"""Where a page begins: behind this day, item, cycle and unit."""

START: Place = (date.min, EVERY, 0, EVERY)


def _day(name: str) -> ColumnElement[date]:
    return bindparam(name, type_=deltas.c.day.type)


def _metric(name: str) -> ColumnElement[str]:
    return bindparam(name, type_=deltas.c.metric.type)


@lru_cache(maxsize=128)
def on_days(filters: tuple[str, ...], once: bool) -> Statement:
    """Of what is counted by days. `once`: of several in a period, the first of each stretch."""
    conditions = [
        deltas.c.metric == _metric("metric"),
        deltas.c.day >= _day("from_day"),
        deltas.c.day <= _day("until_day"),
    ]
    if once:
        conditions.append(or_(deltas.c.since.is_(None), deltas.c.since < _day("since")))
    return _paged(filters, func.sum(deltas.c["count"]), conditions)


@lru_cache(maxsize=128)
def lasting(filters: tuple[str, ...]) -> Statement:
    """Of what lasts: begun by a day, and not ended by another."""
    conditions = [deltas.c.metric == _metric("begins"), deltas.c.day <= _day("begun_by")]
    ended = (
        select(func.sum(_ended.c["count"]))
        .where(
            _ended.c.tenant_id == tenant,
            _ended.c.metric == _metric("ends"),
            _ended.c.begun == deltas.c.day,
            _ended.c.day <= _day("ended_by"),
            *(_ended.c[name] == deltas.c[name] for name in ("item_id", "cycle", "unit_id", *FACTS)),
        )
        .correlate(deltas)
        .scalar_subquery()
    )
    return _paged(filters, func.sum(deltas.c["count"]) - func.coalesce(ended, _nothing), conditions)


def _paged(filters: tuple[str, ...], count: ColumnElement[int], conditions: list[Any]) -> Statement:
    source, narrowed = narrow(deltas, filters)
    place = (deltas.c.day, deltas.c.item_id, deltas.c.cycle, deltas.c.unit_id)
    names = ("after_day", "after_item", "after_cycle", "after_unit")
    after = [bindparam(name, type_=column.type) for name, column in zip(names, place, strict=True)]
    facts = [deltas.c[name] for name in FACTS]
    counted = (
        select(*place, *facts, func.max(deltas.c.days, type_=Integer()), cast(count, Integer()))
        .select_from(source)
        # The day by itself first: by it an index is gone through.
        .where(*narrowed, *conditions, deltas.c.day >= after[0], tuple_(*place) > tuple_(*after))
        .group_by(*place, *facts)
        .having(count > _nothing)
        .order_by(*place)
        .limit(bindparam("limit"))
    )
    return Statement(counted)


async def page(
    tx: Tx,
    tenant_id: UUID,
    figure: str,
    narrowed: Narrowed,
    period: Period,
    *,
    today: date,
    after: Place,
    limit: int,
) -> list[Counted]:
    """What a count of FIGURES counts in a period, behind a place."""
    params: dict[str, Any] = {
        "tenant_id": tenant_id, "after_day": after[0], "after_item": after[1], "after_cycle": after[2],
        "after_unit": after[3], "limit": limit, **narrowed.params,
    }  # fmt: skip
    if figure in LASTING:
        lasts = LASTING[figure]
        # Rectifying is what lasted at some time in the period: what ended before it did not.
        ended_by = period.last if figure == "overdue" else period.first - ONE_DAY
        params |= {"begins": lasts.begun, "ends": lasts.ended, "begun_by": period.last, "ended_by": ended_by}
        statement = lasting(narrowed.filters)
    else:
        metric = Metric(figure)
        last = min(period.last, today - ONE_DAY) if metric in ONCE_OVER else period.last
        params |= {"metric": metric.value, "from_day": period.first, "until_day": last, "since": period.first}
        statement = on_days(narrowed.filters, metric in ONCE_A_PERIOD)
    return [Counted(*row) for row in await tx.all(statement, **params)]


async def titles(tx: Tx, tenant_id: UUID, item_ids: Iterable[UUID], scope: Scope) -> dict[UUID, tuple[str, str]]:
    """Number and title of those items that lie in the scope now."""
    rows = await tx.all(TITLES.over(scope), tenant_id=tenant_id, item_ids=list(item_ids), **given(scope))
    return {row[0]: (row[1], row[2]) for row in rows}
