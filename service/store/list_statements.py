"""The statements behind lists of items, composed per shape (which filters, which sort); the text of a shape is kept.

By deadline, a list is read from the work list: one index range for each unit of the scope, each cut at the page's
size, then merged. By time of listing or change it follows the item's own index, and a search starts from its newest
candidates; but where the scope holds few items, both look at just these. Never an OFFSET.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, column, func, literal_column, select, text, tuple_, union_all
from sqlalchemy import table as sql_table
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Integer, Text

from service.store.database import Statement
from service.store.items import COLUMNS, in_scope, items
from service.store.list_conditions import (
    BY_TIME,
    Shape,
    asked,
    day,
    due_conditions,
    holds_needle,
    is_responsible,
    item_conditions,
    item_order,
    never,
    search_texts,
    seen_items,
    seen_work,
    tenant,
    under_units,
    work,
)
from service.store.types import ONE, any_of, ids, in_order

CANDIDATES = 5000
"""How many of the newest candidates a search looks at; beyond that its answer says `truncated`."""

FEW = 5000
"""Up to so many items a scope is read whole where no index has both the scope and the order; at most CANDIDATES."""

SAMPLE, FREQUENT = 2000, 20
"""So many of the newest texts are tried before a search of a large scope; with so many hits its words are frequent."""


@lru_cache(maxsize=512)
def statement(shape: Shape) -> Statement:
    if shape.search and not shape.few:
        return Statement(postgresql=_searching(shape, "postgresql"), sqlite=_searching(shape, "sqlite"))
    if shape.few and (shape.search or shape.sort in BY_TIME):
        return Statement(postgresql=_among_few(shape, "postgresql"), sqlite=_among_few(shape, "sqlite"))
    if shape.sort in BY_TIME or "external_refs" in shape.filters:
        return Statement(_by_item(shape))
    return Statement(_by_work(shape))


@lru_cache(maxsize=128)
def counting(shape: Shape) -> Statement:
    if shape.few:
        return Statement(postgresql=_count_few(shape, "postgresql"), sqlite=_count_few(shape, "sqlite"))
    if shape.search:
        return Statement(postgresql=_count_searched(shape, "postgresql"), sqlite=_count_searched(shape, "sqlite"))
    return Statement(select(func.count()).select_from(items).where(*seen_items(shape)))


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
        .select_from(picked.join(items, and_(items.c.tenant_id == tenant(), items.c.id == picked.c.ref)))
        .order_by(*_work_order(shape, picked))
    )


def _work_order(shape: Shape, rows: Any) -> tuple[Any, ...]:
    if shape.sort == "due_on":
        return rows.c.due, rows.c.ref
    undated = case((rows.c.due == never, literal_column("1")), else_=literal_column("0"))
    return undated, rows.c.due.desc(), rows.c.ref.desc()


def _branches(shape: Shape, kind: str, place: str) -> list[Select[Any]]:
    conditions = [
        work.c.tenant_id == tenant(),
        work.c.unit_id == bindparam(place, type_=work.c.unit_id.type),
        work.c.kind == literal_column(f"'{kind}'", Text()),
        *due_conditions(shape, work.c.due, work.c.kind),
    ]
    if shape.by_unit:
        conditions.append(is_responsible)
    conditions += seen_work(shape)
    source: Any = work
    on_items = item_conditions(shape)
    if on_items or shape.lamps is not None:
        source = work.join(items, and_(items.c.tenant_id == work.c.tenant_id, items.c.id == work.c.ref))
    base = select(work.c.due, work.c.ref).select_from(source).where(*conditions, *on_items)
    here = tuple_(work.c.due, work.c.ref)
    there = tuple_(day("after_value"), bindparam("after_id", type_=work.c.ref.type))
    limit = bindparam("limit", type_=Integer())
    if shape.sort == "due_on":
        start = [here > there] if shape.starts else []
        return [base.where(*start).order_by(work.c.due, work.c.ref).limit(limit)]
    dated = base.where(work.c.due < never, *([here < there] if shape.starts == "dated" else []))
    undated = base.where(work.c.due == never, *([here < there] if shape.starts == "undated" else []))
    order = (work.c.due.desc(), work.c.ref.desc())
    wanted = [undated] if shape.starts == "undated" else [dated, undated]
    return [each.order_by(*order).limit(limit) for each in wanted]


# Sorted by time, or by reference: along the item's own index


def _by_item(shape: Shape) -> Select[Any]:
    order, start = item_order(shape)
    return (
        select(*COLUMNS).where(*seen_items(shape), *start).order_by(*order).limit(bindparam("limit", type_=Integer()))
    )


# Where the scope holds few items: all of them, by no order but the one asked for

HELD = Statement(
    select(func.count()).select_from(
        select(ONE)
        .where(work.c.tenant_id == tenant(), any_of(work.c.unit_id, ids("places")))
        .limit(FEW + 1)
        .subquery("held")
    )
)


def _few(shape: Shape, dialect: str) -> tuple[Any, list[ColumnElement[bool]]]:
    """The items of the places, which are the scope itself or lie in it."""
    conditions = [work.c.tenant_id == tenant(), any_of(work.c.unit_id, ids("places"))]
    if shape.by_unit:
        conditions.append(is_responsible)
    conditions += seen_work(shape)
    held = select(work.c.ref).where(*conditions)
    mine = (held if shape.scopes == 1 else held.distinct()).subquery("mine")
    source: Any = in_order(mine, items, and_(items.c.tenant_id == tenant(), items.c.id == mine.c.ref))
    wanted = asked(shape)
    if shape.search:
        source = source.join(
            search_texts, and_(search_texts.c.tenant_id == tenant(), search_texts.c.item_id == mine.c.ref)
        )
        wanted.append(holds_needle(search_texts, dialect))
    return source, wanted


def _among_few(shape: Shape, dialect: str) -> Select[Any]:
    ranked, on_page, on_item = _ranked(shape, *_few(shape, dialect))
    return select(*COLUMNS).select_from(ranked.join(items, on_item)).where(on_page).order_by(ranked.c.place)


def _count_few(shape: Shape, dialect: str) -> Select[Any]:
    source, conditions = _few(shape, dialect)
    return select(func.count()).select_from(source).where(*conditions)


# Searched: from the newest candidates of the scope


# How many of the newest texts hold every pair of the query. PostgreSQL takes pairs to be independent: of a phrase it
# expects far too few texts, of two words that never meet far too many; so it is tried on a sample. FTS5 gives its
# matches newest first and needs no such care.
SAMPLED = Statement(
    postgresql=text(
        "SELECT count(*) FROM (SELECT grams FROM search_texts WHERE tenant_id = CAST(:tenant_id AS uuid)"
        f" ORDER BY item_id DESC LIMIT {SAMPLE}) AS newest WHERE grams @@ CAST(:tsquery AS tsquery)"
    ).bindparams(tenant(), bindparam("tsquery", type_=Text())),
    sqlite=select(literal_column("0", Integer())),
)


def _candidates(shape: Shape, dialect: str) -> Any:
    """The newest items of the scope that hold every pair of the query."""
    query = bindparam("tsquery", type_=Text())
    own = search_texts.c.tenant_id == tenant()
    if dialect == "sqlite":
        words = sql_table("search_words", column("rowid"))
        matches = text("search_words MATCH :words").bindparams(bindparam("words", type_=Text()))
        source: Any = words.join(search_texts, search_texts.c.serial == words.c.rowid)
        return _newest(shape, source, search_texts, words.c.rowid, [matches, own])
    if shape.frequent:
        # IS TRUE keeps the planner from the index of pairs: it goes by id, from the newest on, until it has enough.
        matches = text("(search_texts.grams @@ CAST(:tsquery AS tsquery)) IS TRUE").bindparams(query)
        return _newest(shape, search_texts, search_texts, search_texts.c.item_id, [own, matches])
    # Materialised, so that no limit lures the planner away from the index of pairs.
    matches = text("search_texts.grams @@ CAST(:tsquery AS tsquery)").bindparams(query)
    held = (
        select(search_texts.c.item_id, search_texts.c.text).where(own, matches).cte("held").prefix_with("MATERIALIZED")
    )
    return _newest(shape, held, held, held.c.item_id, [])


def _newest(shape: Shape, source: Any, rows: Any, age: Any, conditions: list[Any]) -> Any:
    seen = in_scope(tenant(), rows.c.item_id, shape.alone)
    found = select(rows.c.item_id, rows.c.text).select_from(source).where(*conditions, seen)
    return found.order_by(age.desc()).limit(CANDIDATES + 1).cte("candidates")


def _searched(shape: Shape, dialect: str, candidates: Any) -> tuple[Any, list[ColumnElement[bool]]]:
    source = candidates.join(items, and_(items.c.tenant_id == tenant(), items.c.id == candidates.c.item_id))
    # The candidates lie in the scope already.
    return source, [holds_needle(candidates, dialect), *asked(shape), *under_units(shape)]


def _searching(shape: Shape, dialect: str) -> Select[Any]:
    candidates = _candidates(shape, dialect)
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
    order, start = item_order(shape)
    place = func.row_number().over(order_by=order).label("place")
    ranked = select(items.c.id, place).select_from(source).where(*conditions, *start).subquery("ranked")
    on_page = ranked.c.place <= bindparam("limit", type_=Integer())
    return ranked, on_page, and_(items.c.tenant_id == tenant(), items.c.id == ranked.c.id)


def _count_searched(shape: Shape, dialect: str) -> Select[Any]:
    source, conditions = _searched(shape, dialect, _candidates(shape, dialect))
    return select(func.count()).select_from(source).where(*conditions)
