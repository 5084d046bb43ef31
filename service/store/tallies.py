"""Counts of open work that stop at a bound: a board says "999+" and never counts what a whole county has.

They follow the work list, as every list by deadline does: one index range for each unit of the scope.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, case, func, literal_column, select, union_all
from sqlalchemy.types import Integer

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.items import items
from service.store.scoping import given
from service.store.types import Day, any_of, ids
from service.store.worklist import EXACT, OPEN_ITEM, RESPONSIBLE, WorkRow, reaches
from service.workflow.scopes import Scope

_work = table(WorkRow)
_tenant = bindparam("tenant_id", type_=_work.c.tenant_id.type)
_within = (_work.c.due >= bindparam("first", type_=Day), _work.c.due <= bindparam("last", type_=Day))
_most = bindparam("most", type_=Integer())


def _branch(place: int, of_ledgers: bool, alone: bool) -> Select[Any]:
    source: Any = _work
    conditions = reaches(_work, alone)
    if of_ledgers:
        source = _work.join(items, and_(items.c.tenant_id == _work.c.tenant_id, items.c.id == _work.c.ref))
        conditions.append(any_of(items.c.ledger_id, ids("ledgers")))
    return (
        select(_work.c.ref)
        .select_from(source)
        .where(
            _work.c.tenant_id == _tenant,
            _work.c.unit_id == bindparam(f"place{place}", type_=_work.c.unit_id.type),
            _work.c.kind == bindparam("kind", type_=_work.c.kind.type),
            *_within,
            *conditions,
        )
        .limit(_most)
    )


@lru_cache(maxsize=64)
def statement(places: int, of_ledgers: bool, alone: bool = False) -> Statement:
    """The text for a scope of so many units, and for all ledgers or some."""
    branches = [_branch(place, of_ledgers, alone) for place in range(places)]
    merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    # Distinct, because units of a scope that overlap bring the same work more than once.
    return Statement(select(func.count()).select_from(select(merged.c.ref).distinct().limit(_most).subquery()))


async def count(
    tx: Tx,
    tenant_id: UUID,
    scope: Scope,
    kind: str,
    days: tuple[date, date],
    most: int,
    ledgers: tuple[UUID, ...] | None = None,
) -> int:
    """How much work of a kind the scope sees whose day lies within `days`, both good; `most` at most."""
    if not scope:
        return 0
    params: dict[str, Any] = {f"place{place}": unit for place, unit in enumerate(scope.units)}
    if ledgers is not None:
        params["ledgers"] = list(ledgers)
    row = await tx.one(
        statement(len(scope.units), ledgers is not None, bool(scope.alone)),
        tenant_id=tenant_id,
        kind=kind,
        first=days[0],
        last=days[1],
        most=most,
        **given(scope),
        **params,
    )
    return int(row[0]) if row else 0


def _bit(bits: int) -> Any:
    return _work.c.relation.op("&")(literal_column(str(bits))) != literal_column("0")


_itself = case((_bit(RESPONSIBLE << EXACT), literal_column("1")), else_=literal_column("0"))

# A unit's row in the work list says whether it is itself responsible or lies above whoever is.
BY_UNIT = Statement(
    select(_work.c.unit_id, func.count(), func.sum(_itself))
    .where(
        _work.c.tenant_id == _tenant,
        any_of(_work.c.unit_id, ids("unit_ids")),
        _work.c.kind == OPEN_ITEM,
        *_within,
        _bit(RESPONSIBLE),
    )
    .group_by(_work.c.unit_id)
)


async def by_unit(
    tx: Tx, tenant_id: UUID, unit_ids: Iterable[UUID], days: tuple[date, date]
) -> dict[UUID, tuple[int, int]]:
    """Open items whose day lies within `days`, by responsible unit: with everything below it, and of itself alone."""
    rows = await tx.all(BY_UNIT, tenant_id=tenant_id, unit_ids=list(unit_ids), first=days[0], last=days[1])
    return {unit: (int(whole), int(alone)) for unit, whole, alone in rows}
