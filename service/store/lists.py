"""Lists of items: composed per shape (which filters, which sort), the text of a shape kept.

By deadline, a list is read from the work list: one index range for each unit of the scope, each cut at the page's
size, then merged. By time of listing or change it follows the item's own index, and a search starts from its newest
candidates; but where the scope holds few items, both look at just these. Never an OFFSET; a count only where it was
asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    case,
    column,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy import table as sql_table
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, Text

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.items import COLUMNS, in_scope, item_of, items
from service.store.search import match_words, tsquery
from service.store.types import ONE, Day, any_of, ids, overlaps, texts
from service.store.worklist import CLOSED_ITEM, OPEN_ITEM, RESPONSIBLE, WorkRow
from service.workflow.bigrams import normalise
from service.workflow.items import NEVER, Item
from service.workflow.queries import Filters, Position
from service.workflow.states import DeadlineKind, State

CANDIDATES = 5000
"""How many of the newest candidates a search looks at; beyond that its answer says `truncated`."""

FEW = 5000
"""Up to so many items a scope is read whole where no index has both the scope and the order; at most CANDIDATES."""

BY_TIME = ("-listed_at", "-updated_at")

_work = table(WorkRow)
_texts = sql_table("search_texts", column("tenant_id"), column("item_id"), column("text", Text()), column("serial"))


_is_responsible = _work.c.relation.op("&")(literal_column(str(RESPONSIBLE))) != literal_column("0")


@dataclass(frozen=True, slots=True)
class Shape:
    """Everything about a list that changes its text."""

    kinds: tuple[str, ...]
    scopes: int
    by_unit: bool
    filters: tuple[str, ...]
    lamps: tuple[int, ...] | None
    sort: str
    starts: str
    search: bool
    few: bool


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
    scope: tuple[UUID, ...],
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
    places = filters.units or scope
    few = (filters.q is not None or sort in BY_TIME or total) and await _holds_few(tx, tenant_id, places)
    query = _query(filters, sort, after, tenant_id, scope, today, few)
    rows = await tx.all(_statement(query.shape), **query.params, limit=limit + 1)
    found = Page([], [])
    if query.shape.search:
        found.truncated = not few and rows[0][-1] > CANDIDATES
        rows = [row for row in rows if row[0] is not None]
    for row in rows:
        item = item_of(row)
        found.items.append(item)
        found.positions.append(Position(_sort_value(item, sort), item.id))
    if total:
        counted = await tx.one(_counting(query.shape), **query.params)
        found.total = counted[0] if counted else 0
    return found


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
    scope: tuple[UUID, ...],
    today: date,
    few: bool = False,
) -> _Query:
    """The shape of a list and its parameters."""
    places = filters.units or scope
    params: dict[str, Any] = {"tenant_id": tenant_id, "scope": list(scope), "places": list(places), "today": today}
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


# -- from a shape to a statement

# A parameter, never a literal: the driver writes the last day that there is as PostgreSQL's infinity.
_never: Any = bindparam("never", NEVER, type_=Day)

_deadline_day: ColumnElement[Any] = func.coalesce(
    case((items.c.deadline_kind == literal_column(f"'{DeadlineKind.STANDING}'", Text()), items.c.review_on),
         else_=items.c.due_on),
    _never,
)  # fmt: skip


def _tenant(name: str = "tenant_id") -> Any:
    return bindparam(name, type_=items.c.tenant_id.type)


def _day(name: str) -> Any:
    return bindparam(name, type_=Day)


_ITEM_FILTERS: Mapping[str, ColumnElement[bool]] = {
    "states": any_of(items.c.state, texts("states")),
    "ledgers": any_of(items.c.ledger_id, ids("ledgers")),
    "supervising_units": any_of(items.c.supervising_unit_id, ids("supervising_units")),
    "severities": any_of(items.c.severity, texts("severities")),
    "sources": any_of(items.c.source_kind, texts("sources")),
    "external_refs": any_of(items.c.external_ref, texts("external_refs")),
    "listed_after": items.c.listed_at >= bindparam("listed_after", type_=items.c.listed_at.type),
    "listed_before": items.c.listed_at < bindparam("listed_before", type_=items.c.listed_at.type),
}


def _item_conditions(shape: Shape) -> list[ColumnElement[bool]]:
    conditions = [_ITEM_FILTERS[name] for name in shape.filters if name in _ITEM_FILTERS]
    if "labels" in shape.filters:
        conditions.append(overlaps(items.c.labels, texts("labels")))
    return conditions


def _due_conditions(shape: Shape, due: Any, kind: Any) -> list[ColumnElement[bool]]:
    """Filters on the day, wherever it stands: in the work list's row or in the item's columns."""
    conditions: list[ColumnElement[bool]] = []
    if "due_after" in shape.filters:
        conditions += [due >= _day("due_after"), due < _never]
    if "due_before" in shape.filters:
        conditions.append(due <= _day("due_before"))
    if "overdue" in shape.filters:
        conditions.append(due < _day("today"))
    if "not_overdue" in shape.filters:
        conditions.append(or_(kind == literal_column(f"'{CLOSED_ITEM}'", Text()), due >= _day("today")))
    if shape.lamps is not None:
        conditions.append(
            or_(false(), *(_lamp_condition(group, count, due) for group, count in enumerate(shape.lamps)))
        )
    return conditions


def _lamp_condition(group: int, count: int, due: Any) -> ColumnElement[bool]:
    within = [
        and_(due >= _day(f"lamp{group}_{index}_first"), due <= _day(f"lamp{group}_{index}_last"))
        for index in range(count)
    ]
    return and_(any_of(items.c.ledger_id, ids(f"lamp{group}")), or_(false(), *within))


@lru_cache(maxsize=512)
def _statement(shape: Shape) -> Statement:
    if shape.search and not shape.few:
        return Statement(postgresql=_searching(shape, "postgresql"), sqlite=_searching(shape, "sqlite"))
    if shape.few and (shape.search or shape.sort in BY_TIME):
        return Statement(postgresql=_among_few(shape, "postgresql"), sqlite=_among_few(shape, "sqlite"))
    if shape.sort in BY_TIME or "external_refs" in shape.filters:
        return Statement(_by_item(shape))
    return Statement(_by_work(shape))


@lru_cache(maxsize=128)
def _counting(shape: Shape) -> Statement:
    if shape.few:
        return Statement(postgresql=_count_few(shape, "postgresql"), sqlite=_count_few(shape, "sqlite"))
    if shape.search:
        return Statement(postgresql=_count_searched(shape, "postgresql"), sqlite=_count_searched(shape, "sqlite"))
    return Statement(select(func.count()).select_from(items).where(*_seen_items(shape)))


# Sorted by deadline: one branch for every kind and unit, cut at the page, merged


def _by_work(shape: Shape) -> Select[Any]:
    branches = [
        branch
        for kind in shape.kinds
        for place in range(shape.scopes)
        for branch in _branches(shape, kind, f"place{place}")
    ]
    if len(branches) == 1:
        picked: Any = branches[0].subquery("picked")
    else:
        merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
        merged_order = _work_order(shape, merged)
        limit = bindparam("limit", type_=Integer())
        # Grouped, because units of a scope that overlap bring the same item more than once.
        rows = select(merged.c.due, merged.c.ref).group_by(merged.c.due, merged.c.ref)
        picked = rows.order_by(*merged_order).limit(limit).subquery("picked")
    return (
        select(*COLUMNS)
        .select_from(picked.join(items, and_(items.c.tenant_id == _tenant(), items.c.id == picked.c.ref)))
        .order_by(*_work_order(shape, picked))
    )


def _work_order(shape: Shape, rows: Any) -> tuple[Any, ...]:
    if shape.sort == "due_on":
        return rows.c.due, rows.c.ref
    undated = case((rows.c.due == _never, literal_column("1")), else_=literal_column("0"))
    return undated, rows.c.due.desc(), rows.c.ref.desc()


def _branches(shape: Shape, kind: str, place: str) -> list[Select[Any]]:
    conditions = [
        _work.c.tenant_id == _tenant(),
        _work.c.unit_id == bindparam(place, type_=_work.c.unit_id.type),
        _work.c.kind == literal_column(f"'{kind}'", Text()),
        *_due_conditions(shape, _work.c.due, _work.c.kind),
    ]
    if shape.by_unit:
        conditions.append(_is_responsible)
    source: Any = _work
    on_items = _item_conditions(shape)
    if on_items or shape.lamps is not None:
        source = _work.join(items, and_(items.c.tenant_id == _work.c.tenant_id, items.c.id == _work.c.ref))
    base = select(_work.c.due, _work.c.ref).select_from(source).where(*conditions, *on_items)
    here = tuple_(_work.c.due, _work.c.ref)
    there = tuple_(_day("after_value"), bindparam("after_id", type_=_work.c.ref.type))
    limit = bindparam("limit", type_=Integer())
    if shape.sort == "due_on":
        start = [here > there] if shape.starts else []
        return [base.where(*start).order_by(_work.c.due, _work.c.ref).limit(limit)]
    dated = base.where(_work.c.due < _never, *([here < there] if shape.starts == "dated" else []))
    undated = base.where(_work.c.due == _never, *([here < there] if shape.starts == "undated" else []))
    order = (_work.c.due.desc(), _work.c.ref.desc())
    wanted = [undated] if shape.starts == "undated" else [dated, undated]
    return [each.order_by(*order).limit(limit) for each in wanted]


# Sorted by time, or by reference: along the item's own index


def _asked(shape: Shape) -> list[ColumnElement[bool]]:
    """Every filter of a list, asked of the item itself; not yet whether the caller may see it."""
    open_or_closed = case(
        (items.c.state == literal_column(f"'{State.CLOSED}'", Text()), literal_column(f"'{CLOSED_ITEM}'", Text())),
        else_=literal_column(f"'{OPEN_ITEM}'", Text()),
    )
    conditions = [items.c.tenant_id == _tenant(), *_item_conditions(shape)]
    conditions += _due_conditions(shape, _deadline_day, open_or_closed)
    if len(shape.kinds) == 1:
        closed = items.c.state == literal_column(f"'{State.CLOSED}'", Text())
        conditions.append(closed if shape.kinds == (CLOSED_ITEM,) else ~closed)
    return conditions


def _seen_items(shape: Shape) -> list[ColumnElement[bool]]:
    """Every condition of a list, asked of the item itself."""
    return [*_asked(shape), *_under_units(shape), in_scope(items.c.tenant_id, items.c.id)]


def _under_units(shape: Shape) -> list[ColumnElement[bool]]:
    """That a unit of the filter is responsible, or lies above the one that is."""
    if not shape.by_unit:
        return []
    return [
        select(ONE)
        .where(
            _work.c.tenant_id == items.c.tenant_id,
            _work.c.ref == items.c.id,
            any_of(_work.c.unit_id, ids("places")),
            _is_responsible,
        )
        .exists()
    ]


def _item_order(shape: Shape) -> tuple[tuple[Any, ...], list[ColumnElement[bool]]]:
    """The order of an item's own columns, and where a page begins in it."""
    there_id = bindparam("after_id", type_=items.c.id.type)
    if shape.sort in ("-listed_at", "-updated_at"):
        key = items.c[shape.sort[1:]]
        after = tuple_(key, items.c.id) < tuple_(bindparam("after_value", type_=key.type), there_id)
        return (key.desc(), items.c.id.desc()), [after] if shape.starts else []
    here = tuple_(_deadline_day, items.c.id)
    there = tuple_(_day("after_value"), there_id)
    if shape.sort == "due_on":
        return (_deadline_day, items.c.id), [here > there] if shape.starts else []
    undated = case((_deadline_day == _never, literal_column("1")), else_=literal_column("0"))
    start: dict[str, list[ColumnElement[bool]]] = {
        "": [],
        "dated": [or_(here < there, _deadline_day == _never)],
        "undated": [and_(_deadline_day == _never, here < there)],
    }
    return (undated, _deadline_day.desc(), items.c.id.desc()), start[shape.starts]


def _by_item(shape: Shape) -> Select[Any]:
    order, start = _item_order(shape)
    return (
        select(*COLUMNS).where(*_seen_items(shape), *start).order_by(*order).limit(bindparam("limit", type_=Integer()))
    )


# Where the scope holds few items: all of them, by no order but the one asked for

_HELD = Statement(
    select(func.count()).select_from(
        select(ONE)
        .where(_work.c.tenant_id == _tenant(), any_of(_work.c.unit_id, ids("places")))
        .limit(FEW + 1)
        .subquery("held")
    )
)


async def _holds_few(tx: Tx, tenant_id: UUID, places: tuple[UUID, ...]) -> bool:
    """Whether the units see few items. Counts no further than it must."""
    row = await tx.one(_HELD, tenant_id=tenant_id, places=list(places))
    return row is not None and row[0] <= FEW


def _few(shape: Shape, dialect: str) -> tuple[Any, list[ColumnElement[bool]]]:
    """The items of the places, which are the scope itself or lie in it."""
    conditions = [_work.c.tenant_id == _tenant(), any_of(_work.c.unit_id, ids("places"))]
    if shape.by_unit:
        conditions.append(_is_responsible)
    held = select(_work.c.ref).where(*conditions)
    mine = (held if shape.scopes == 1 else held.distinct()).subquery("mine")
    source = mine.join(items, and_(items.c.tenant_id == _tenant(), items.c.id == mine.c.ref))
    wanted = _asked(shape)
    if shape.search:
        source = source.join(_texts, and_(_texts.c.tenant_id == _tenant(), _texts.c.item_id == mine.c.ref))
        wanted.append(_holds_needle(_texts, dialect))
    return source, wanted


def _among_few(shape: Shape, dialect: str) -> Select[Any]:
    ranked, on_page, on_item = _ranked(shape, *_few(shape, dialect))
    return select(*COLUMNS).select_from(ranked.join(items, on_item)).where(on_page).order_by(ranked.c.place)


def _count_few(shape: Shape, dialect: str) -> Select[Any]:
    source, conditions = _few(shape, dialect)
    return select(func.count()).select_from(source).where(*conditions)


# Searched: from the newest candidates of the scope


def _candidates(dialect: str) -> Any:
    """The newest items of the scope that hold every pair of the query."""
    seen = in_scope(_texts.c.tenant_id, _texts.c.item_id)
    newest = _texts.c.item_id.desc()
    if dialect == "postgresql":
        matches: Any = text("search_texts.grams @@ CAST(:tsquery AS tsquery)").bindparams(
            bindparam("tsquery", type_=Text())
        )
        found = select(_texts.c.item_id, _texts.c.text).where(_texts.c.tenant_id == _tenant(), matches, seen)
    else:
        words = sql_table("search_words", column("rowid"))
        matches = text("search_words MATCH :words").bindparams(bindparam("words", type_=Text()))
        found = (
            select(_texts.c.item_id, _texts.c.text)
            .select_from(words.join(_texts, _texts.c.serial == words.c.rowid))
            .where(matches, _texts.c.tenant_id == _tenant(), seen)
        )
        newest = words.c.rowid.desc()
    return found.order_by(newest).limit(CANDIDATES + 1).cte("candidates")


def _holds_needle(rows: Any, dialect: str) -> ColumnElement[bool]:
    """The pairs find, the substring decides."""
    position = func.strpos if dialect == "postgresql" else func.instr
    return position(rows.c.text, bindparam("needle", type_=Text())) > literal_column("0")


def _searched(shape: Shape, dialect: str, candidates: Any) -> tuple[Any, list[ColumnElement[bool]]]:
    source = candidates.join(items, and_(items.c.tenant_id == _tenant(), items.c.id == candidates.c.item_id))
    # The candidates lie in the scope already.
    return source, [_holds_needle(candidates, dialect), *_asked(shape), *_under_units(shape)]


def _searching(shape: Shape, dialect: str) -> Select[Any]:
    candidates = _candidates(dialect)
    source, conditions = _searched(shape, dialect, candidates)
    ranked, on_page, on_item = _ranked(shape, source, conditions)
    # One row at least, so that an empty page still says how far was looked.
    looked_at = select(func.count().label("seen")).select_from(candidates).subquery("looked_at")
    return (
        select(*COLUMNS, looked_at.c.seen)
        .select_from(looked_at.outerjoin(ranked, on_page).outerjoin(items, on_item))
        .order_by(ranked.c.place)
    )


def _ranked(shape: Shape, source: Any, conditions: list[ColumnElement[bool]]) -> tuple[Any, Any, Any]:
    """The ids of a list with their places in it, what keeps a place on the page, and what brings its item.

    Sorted by id and place alone, and without a limit that would lure a planner along an index with few matches.
    """
    order, start = _item_order(shape)
    place = func.row_number().over(order_by=order).label("place")
    ranked = select(items.c.id, place).select_from(source).where(*conditions, *start).subquery("ranked")
    on_page = ranked.c.place <= bindparam("limit", type_=Integer())
    return ranked, on_page, and_(items.c.tenant_id == _tenant(), items.c.id == ranked.c.id)


def _count_searched(shape: Shape, dialect: str) -> Select[Any]:
    source, conditions = _searched(shape, dialect, _candidates(dialect))
    return select(func.count()).select_from(source).where(*conditions)
