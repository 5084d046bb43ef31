"""What a list of items may be asked for, as conditions and orders on the tables: each filter written down once.

A day is filtered wherever it stands: in the work list's row, or in the item's own columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, case, column, false, func, literal_column, or_, select, tuple_
from sqlalchemy import table as sql_table
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import Text

from service.store.base import table
from service.store.items import in_scope, items
from service.store.types import ONE, Day, any_of, ids, overlaps, texts
from service.store.worklist import CLOSED_ITEM, OPEN_ITEM, RESPONSIBLE, WorkRow, reaches, sees
from service.workflow.items import NEVER
from service.workflow.states import DeadlineKind, State

BY_TIME = ("-listed_at", "-updated_at")

work = table(WorkRow)
search_texts = sql_table(
    "search_texts", column("tenant_id"), column("item_id"), column("text", Text()), column("serial")
)

is_responsible = work.c.relation.op("&")(literal_column(str(RESPONSIBLE))) != literal_column("0")


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
    alone: bool = False


# A parameter, never a literal: the driver writes the last day that there is as PostgreSQL's infinity.
never: Any = bindparam("never", NEVER, type_=Day)

_deadline_day: ColumnElement[Any] = func.coalesce(
    case((items.c.deadline_kind == literal_column(f"'{DeadlineKind.STANDING}'", Text()), items.c.review_on),
         else_=items.c.due_on),
    never,
)  # fmt: skip


def tenant(name: str = "tenant_id") -> Any:
    return bindparam(name, type_=items.c.tenant_id.type)


def day(name: str) -> Any:
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


def item_conditions(shape: Shape) -> list[ColumnElement[bool]]:
    conditions = [_ITEM_FILTERS[name] for name in shape.filters if name in _ITEM_FILTERS]
    if "labels" in shape.filters:
        conditions.append(overlaps(items.c.labels, texts("labels")))
    return conditions


def due_conditions(shape: Shape, due: Any, kind: Any) -> list[ColumnElement[bool]]:
    """Filters on the day, wherever it stands: in the work list's row or in the item's columns."""
    conditions: list[ColumnElement[bool]] = []
    if "due_after" in shape.filters:
        conditions += [due >= day("due_after"), due < never]
    if "due_before" in shape.filters:
        conditions.append(due <= day("due_before"))
    if "overdue" in shape.filters:
        conditions.append(due < day("today"))
    if "not_overdue" in shape.filters:
        conditions.append(or_(kind == literal_column(f"'{CLOSED_ITEM}'", Text()), due >= day("today")))
    if shape.lamps is not None:
        conditions.append(
            or_(false(), *(_lamp_condition(group, count, due) for group, count in enumerate(shape.lamps)))
        )
    return conditions


def _lamp_condition(group: int, count: int, due: Any) -> ColumnElement[bool]:
    within = [
        and_(due >= day(f"lamp{group}_{index}_first"), due <= day(f"lamp{group}_{index}_last"))
        for index in range(count)
    ]
    return and_(any_of(items.c.ledger_id, ids(f"lamp{group}")), or_(false(), *within))


def asked(shape: Shape) -> list[ColumnElement[bool]]:
    """Every filter of a list, asked of the item itself; not yet whether the caller may see it."""
    open_or_closed = case(
        (items.c.state == literal_column(f"'{State.CLOSED}'", Text()), literal_column(f"'{CLOSED_ITEM}'", Text())),
        else_=literal_column(f"'{OPEN_ITEM}'", Text()),
    )
    conditions = [items.c.tenant_id == tenant(), *item_conditions(shape)]
    conditions += due_conditions(shape, _deadline_day, open_or_closed)
    if len(shape.kinds) == 1:
        closed = items.c.state == literal_column(f"'{State.CLOSED}'", Text())
        conditions.append(closed if shape.kinds == (CLOSED_ITEM,) else ~closed)
    return conditions


def seen_items(shape: Shape) -> list[ColumnElement[bool]]:
    """Every condition of a list, asked of the item itself."""
    return [*asked(shape), *under_units(shape), in_scope(items.c.tenant_id, items.c.id, shape.alone)]


def seen_work(shape: Shape) -> list[ColumnElement[bool]]:
    """Of rows of the places, which are the scope's units or lie in them: what else it takes for the item to be seen."""
    if shape.alone and shape.by_unit:
        # A place may lie in the scope by itself, and what is responsible below it by another unit of the scope.
        mine = work.alias("mine_too")
        return [select(ONE).where(mine.c.tenant_id == tenant(), mine.c.ref == work.c.ref, *sees(mine, True)).exists()]
    return reaches(work, shape.alone)


def under_units(shape: Shape) -> list[ColumnElement[bool]]:
    """That a unit of the filter is responsible, or lies above the one that is."""
    if not shape.by_unit:
        return []
    return [
        select(ONE)
        .where(
            work.c.tenant_id == items.c.tenant_id,
            work.c.ref == items.c.id,
            any_of(work.c.unit_id, ids("places")),
            is_responsible,
        )
        .exists()
    ]


def item_order(shape: Shape) -> tuple[tuple[Any, ...], list[ColumnElement[bool]]]:
    """The order of an item's own columns, and where a page begins in it."""
    there_id = bindparam("after_id", type_=items.c.id.type)
    if shape.sort in ("-listed_at", "-updated_at"):
        key = items.c[shape.sort[1:]]
        after = tuple_(key, items.c.id) < tuple_(bindparam("after_value", type_=key.type), there_id)
        return (key.desc(), items.c.id.desc()), [after] if shape.starts else []
    here = tuple_(_deadline_day, items.c.id)
    there = tuple_(day("after_value"), there_id)
    if shape.sort == "due_on":
        return (_deadline_day, items.c.id), [here > there] if shape.starts else []
    undated = case((_deadline_day == never, literal_column("1")), else_=literal_column("0"))
    start: dict[str, list[ColumnElement[bool]]] = {
        "": [],
        "dated": [or_(here < there, _deadline_day == never)],
        "undated": [and_(_deadline_day == never, here < there)],
    }
    return (undated, _deadline_day.desc(), items.c.id.desc()), start[shape.starts]


def holds_needle(rows: Any, dialect: str) -> ColumnElement[bool]:
    """The pairs find, the substring decides."""
    position = func.strpos if dialect == "postgresql" else func.instr
    return position(rows.c.text, bindparam("needle", type_=Text())) > literal_column("0")
