"""The statements behind lists of items, composed per shape (which filters, which sort); the text of a shape is kept.

By deadline, a list is read from the work list: one index range for each unit of the scope, each cut at the page's
size, then merged. By time of listing or change it follows the item's own index, and a search starts from its newest
candidates; but where the scope holds few items, both look at just these. Never an OFFSET.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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
from service.store.database import Statement
from service.store.items import COLUMNS, in_scope, items
from service.store.types import ONE, Day, any_of, ids, overlaps, texts
from service.store.worklist import CLOSED_ITEM, OPEN_ITEM, RESPONSIBLE, WorkRow
from service.workflow.items import NEVER
from service.workflow.states import DeadlineKind, State

CANDIDATES = 5000
"""How many of the newest candidates a search looks at; beyond that its answer says `truncated`."""

FEW = 5000
"""Up to so many items a scope is read whole where no index has both the scope and the order; at most CANDIDATES."""

SAMPLE, FREQUENT = 2000, 20
"""So many of the newest texts are tried before a search of a large scope; with so many hits its words are frequent."""

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
    frequent: bool = False


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

HELD = Statement(
    select(func.count()).select_from(
        select(ONE)
        .where(_work.c.tenant_id == _tenant(), any_of(_work.c.unit_id, ids("places")))
        .limit(FEW + 1)
        .subquery("held")
    )
)


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


# How many of the newest texts hold every pair of the query. PostgreSQL takes pairs to be independent: of a phrase it
# expects far too few texts, of two words that never meet far too many; so it is tried on a sample. FTS5 gives its
# matches newest first and needs no such care.
SAMPLED = Statement(
    postgresql=text(
        "SELECT count(*) FROM (SELECT grams FROM search_texts WHERE tenant_id = CAST(:tenant_id AS uuid)"
        f" ORDER BY item_id DESC LIMIT {SAMPLE}) AS newest WHERE grams @@ CAST(:tsquery AS tsquery)"
    ).bindparams(_tenant(), bindparam("tsquery", type_=Text())),
    sqlite=select(literal_column("0", Integer())),
)


def _candidates(shape: Shape, dialect: str) -> Any:
    """The newest items of the scope that hold every pair of the query."""
    query = bindparam("tsquery", type_=Text())
    own = _texts.c.tenant_id == _tenant()
    if dialect == "sqlite":
        words = sql_table("search_words", column("rowid"))
        matches = text("search_words MATCH :words").bindparams(bindparam("words", type_=Text()))
        source: Any = words.join(_texts, _texts.c.serial == words.c.rowid)
        return _newest(source, _texts, words.c.rowid, [matches, own])
    if shape.frequent:
        # IS TRUE keeps the planner from the index of pairs: it goes by id, from the newest on, until it has enough.
        matches = text("(search_texts.grams @@ CAST(:tsquery AS tsquery)) IS TRUE").bindparams(query)
        return _newest(_texts, _texts, _texts.c.item_id, [own, matches])
    # Materialised, so that no limit lures the planner away from the index of pairs.
    matches = text("search_texts.grams @@ CAST(:tsquery AS tsquery)").bindparams(query)
    held = select(_texts.c.item_id, _texts.c.text).where(own, matches).cte("held").prefix_with("MATERIALIZED")
    return _newest(held, held, held.c.item_id, [])


def _newest(source: Any, rows: Any, age: Any, conditions: list[Any]) -> Any:
    seen = in_scope(_tenant(), rows.c.item_id)
    found = select(rows.c.item_id, rows.c.text).select_from(source).where(*conditions, seen)
    return found.order_by(age.desc()).limit(CANDIDATES + 1).cte("candidates")


def _holds_needle(rows: Any, dialect: str) -> ColumnElement[bool]:
    """The pairs find, the substring decides."""
    position = func.strpos if dialect == "postgresql" else func.instr
    return position(rows.c.text, bindparam("needle", type_=Text())) > literal_column("0")


def _searched(shape: Shape, dialect: str, candidates: Any) -> tuple[Any, list[ColumnElement[bool]]]:
    source = candidates.join(items, and_(items.c.tenant_id == _tenant(), items.c.id == candidates.c.item_id))
    # The candidates lie in the scope already.
    return source, [_holds_needle(candidates, dialect), *_asked(shape), *_under_units(shape)]


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
    order, start = _item_order(shape)
    place = func.row_number().over(order_by=order).label("place")
    ranked = select(items.c.id, place).select_from(source).where(*conditions, *start).subquery("ranked")
    on_page = ranked.c.place <= bindparam("limit", type_=Integer())
    return ranked, on_page, and_(items.c.tenant_id == _tenant(), items.c.id == ranked.c.id)


def _count_searched(shape: Shape, dialect: str) -> Select[Any]:
    source, conditions = _searched(shape, dialect, _candidates(shape, dialect))
    return select(func.count()).select_from(source).where(*conditions)
