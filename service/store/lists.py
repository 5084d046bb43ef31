"""Lists of items: what was asked for as a shape and its parameters, and one page of what was found.

A count is made only where it was asked for.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.store import list_statements
from service.store.database import Tx
from service.store.items import item_of
from service.store.list_conditions import BY_TIME, Shape
from service.store.scoping import given
from service.store.search import match_words, tsquery
from service.store.worklist import CLOSED_ITEM, OPEN_ITEM
from service.workflow.bigrams import normalise
from service.workflow.items import NEVER, Item
from service.workflow.queries import Filters, Position
from service.workflow.scopes import Scope
from service.workflow.states import State


@dataclass(slots=True)
class Page:
    items: list[Item]
    positions: list[Position]
    truncated: bool | None = None
    total: int | None = None


@dataclass(slots=True)
class _Query:
    shape: Shape
    params: dict[str, Any] = field(default_factory=dict)


async def page(
    tx: Tx,
    *,
    tenant_id: UUID,
    scope: Scope,
    filters: Filters,
    sort: str,
    after: Position | None,
    limit: int,
    today: date,
    total: bool = False,
) -> Page:
    """One page of the items in `scope` that pass the filters, `limit` + 1 at most (the last tells that there is more).

    `sort` is one of SORTS; `today` is the tenant's.
    """
    places = filters.units or scope.units
    worth_asking = filters.q is not None or sort in BY_TIME or total
    few = worth_asking and await _holds_few(tx, tenant_id, places)
    query = _query(filters, sort, after, tenant_id, scope, today, few)
    if query.shape.search and not few:
        query.shape = replace(query.shape, frequent=await _is_frequent(tx, query.params))
    rows = await tx.all(list_statements.statement(query.shape), **query.params, limit=limit + 1)
    found = Page([], [])
    if query.shape.search:
        found.truncated = not few and rows[0][-1] > list_statements.CANDIDATES
        rows = [row for row in rows if row[0] is not None]
    for row in rows:
        item = item_of(row)
        found.items.append(item)
        found.positions.append(Position(_sort_value(item, sort), item.id))
    if total:
        counted = await tx.one(list_statements.counting(query.shape), **query.params)
        found.total = counted[0] if counted else 0
    return found


async def _holds_few(tx: Tx, tenant_id: UUID, places: tuple[UUID, ...]) -> bool:
    """Whether the units see few items. Counts no further than it must."""
    row = await tx.one(list_statements.HELD, tenant_id=tenant_id, places=list(places))
    return row is not None and row[0] <= list_statements.FEW


async def _is_frequent(tx: Tx, params: dict[str, Any]) -> bool:
    """Whether so many texts hold the query's pairs that going through the newest is the shortest way to enough."""
    row = await tx.one(list_statements.SAMPLED, tenant_id=params["tenant_id"], tsquery=params["tsquery"])
    return row is not None and row[0] >= list_statements.FREQUENT


def _sort_value(item: Item, sort: str) -> date | datetime | None:
    if sort == "-listed_at":
        return item.listed_at
    if sort == "-updated_at":
        return item.updated_at
    return item.deadline_day


def _query(
    filters: Filters,
    sort: str,
    after: Position | None,
    tenant_id: UUID,
    scope: Scope,
    today: date,
    few: bool = False,
) -> _Query:
    """The shape of a list and its parameters."""
    places = filters.units or scope.units
    params: dict[str, Any] = {"tenant_id": tenant_id, **given(scope), "places": list(places), "today": today}
    named = []
    for name in ("states", "ledgers", "supervising_units", "severities", "sources", "labels", "external_refs"):
        if getattr(filters, name):
            named.append(name)
            params[name] = list(getattr(filters, name))
    for name in ("due_after", "due_before", "listed_after", "listed_before"):
        if getattr(filters, name) is not None:
            named.append(name)
            params[name] = getattr(filters, name)
    if filters.overdue is not None:
        named.append("overdue" if filters.overdue else "not_overdue")
    for index, unit in enumerate(places):
        params[f"place{index}"] = unit
    for group, days in enumerate(filters.lamps or ()):
        params[f"lamp{group}"] = list(days.ledger_ids)
        for index, (first, last) in enumerate(days.ranges):
            params[f"lamp{group}_{index}_first"] = first
            params[f"lamp{group}_{index}_last"] = last
    if after is not None:
        params |= {"after_value": after.value or NEVER, "after_id": after.id}
    search = filters.q is not None
    if filters.q is not None:
        needle = normalise(filters.q)
        params |= {"needle": needle, "tsquery": tsquery(needle), "words": match_words(needle)}
    return _Query(
        Shape(
            kinds=_kinds(filters),
            scopes=len(places),
            by_unit=bool(filters.units),
            filters=tuple(named),
            lamps=None if filters.lamps is None else tuple(len(days.ranges) for days in filters.lamps),
            sort=sort,
            starts="" if after is None else ("undated" if after.value is None else "dated"),
            search=search,
            few=few,
            alone=bool(scope.alone),
        ),
        params,
    )


def _kinds(filters: Filters) -> tuple[str, ...]:
    """Which part of the work list can hold what is asked for."""
    if filters.overdue or filters.lamps is not None:
        return (OPEN_ITEM,)
    if filters.states and State.CLOSED not in filters.states:
        return (OPEN_ITEM,)
    if filters.states == (State.CLOSED,):
        return (CLOSED_ITEM,)
    return (OPEN_ITEM, CLOSED_ITEM)
