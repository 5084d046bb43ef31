"""Reads a statement's tree and says which of its tables is bound to no tenant.

A table is bound where the conditions that must all hold say so: its tenant_id equals the tenant's parameter, or the
tenant_id of another table that is bound itself. What stands under OR or NOT says nothing. An outer join's condition
speaks for its right side only: the left side's rows come whatever it says. Whatever this reader does not know fails.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Column, CompoundSelect, Delete, Insert, Select, Table, TextClause, Update
from sqlalchemy.sql import elements, operators
from sqlalchemy.sql import selectable as s
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ColumnElement, Grouping

from service.store.postgres import DIALECT
from service.store.types import any_of, gate, joined_by, line_of, overlaps
from tests.store.tenant_text import read_text

PARAMETER = "tenant_id"

FOUND_BY = {
    "credentials": ({"digest"}, "asked before the tenant is known: a key's digest names its tenant"),
    "trusted_issuers": ({"issuer", "audience"}, "asked before the tenant is known: a token names its tenant by these"),
    "tenants": ({"code"}, "the tenant itself, by the code that the operator types"),
}
"""Tables that may also be found by their whole key, which is not the tenant's: the columns, and why."""

WITHOUT_TENANT = {
    "key_fingerprints": "the data keys are the installation's",
    "alembic_version": "which migrations the database has seen",
    "search_words": "SQLite's index of words, by row number: whoever reads it joins search_texts, which is bound",
}
"""Tables that have no tenant_id, and why."""

TEXT_TABLES = {"search_texts"}
"""Tables outside the metadata that have a tenant_id."""


@dataclass
class Reading:
    """`problems` in words; `tables` is every table that was met, so that none can be passed by unseen."""

    problems: list[str] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)


def read(clause: Any) -> Reading:
    reading = Reading()
    _statement(clause, reading, set())
    return reading


Bound = set[Any]
"""FROM elements of enclosing selects that are bound."""


def _statement(clause: Any, reading: Reading, outer: Bound) -> None:
    match clause:
        case CompoundSelect():
            for branch in clause.selects:
                _statement(branch, reading, outer)
        case s.SelectStatementGrouping() | s.Subquery():
            _statement(clause.element, reading, outer)
        case Select():
            _select(clause, reading, outer)
        case Insert():
            _insert(clause, reading)
        case Update() | Delete():
            where = list(clause._where_criteria)
            bound = _bound([clause.table, *_given_by(where)], where, reading, outer)
            changed = getattr(clause, "_values", None) or {}
            if any(getattr(column, "name", column) == "tenant_id" for column in changed):
                reading.problems.append(f"{clause.table.name} is given to another tenant")
            _inner([*clause._where_criteria, *changed.values()], reading, bound)
        case s.TextualSelect():
            _text(str(clause.element.text), reading, set())
        case TextClause():
            _text(str(clause.text), reading, set())
        case _:
            reading.problems.append(f"{type(clause).__name__} cannot be read")


def _select(select: Select[Any], reading: Reading, outer: Bound) -> None:
    compiler = DIALECT.statement_compiler(DIALECT, None)
    every: list[Any] = select._compile_state_factory(select, compiler)._get_display_froms()
    # What the select around it reads already is that one's row, as long as something else is left.
    froms = [each for each in every if each not in outer] or every
    bound = _bound(froms, list(select._where_criteria), reading, outer)
    conditions = [join.onclause for each in froms for join in _joins(each)]
    order = [*select._order_by_clauses, *select._group_by_clauses, *select._having_criteria]
    _inner([*select._raw_columns, *select._where_criteria, *conditions, *order], reading, bound)


def _insert(insert: Insert, reading: Reading) -> None:
    reading.tables.add(insert.table.name)
    names, source = insert._select_names, insert.select
    if source is None or names is None:
        reading.problems.append(f"INSERT INTO {insert.table.name} is no INSERT ... SELECT")
        return
    _statement(source, reading, set())
    if "tenant_id" not in insert.table.columns:
        _known_without(insert.table.name, reading)
        return
    if "tenant_id" not in names:
        reading.problems.append(f"INSERT INTO {insert.table.name} sets no tenant_id")
        return
    place = list(names).index("tenant_id")
    for branch in source.selects if isinstance(source, CompoundSelect) else [source]:
        if not (_is_parameter(branch._raw_columns[place]) or _is_tenant_column(branch._raw_columns[place])):
            reading.problems.append(f"INSERT INTO {insert.table.name} takes its tenant_id from elsewhere")


# -- what is bound


def _bound(froms: list[Any], where: list[Any], reading: Reading, outer: Bound) -> Bound:
    """The bound elements; those that are not are a problem each."""
    tables: list[Any] = []
    edges: list[tuple[Any, Any]] = []
    bound = set(outer)
    found_by: dict[Any, set[str]] = {}
    conditions = [(each, None) for each in _conjuncts(where)]
    for element in froms:
        tables += _leaves(element, reading)
        conditions += [
            (each, set(_leaves(join.right, Reading())) if join.isouter else None)
            for join in _joins(element)
            for each in _conjuncts([join.onclause])
        ]
        reading.problems += ["a full outer join binds neither side" for join in _joins(element) if join.full]
    for condition, only in conditions:
        _learn(condition, only, bound, edges, found_by)
    for each in tables:
        if isinstance(each, s.Subquery | s.CTE | s.Lateral):
            # Every table within is bound, or a problem by now.
            _statement(each.element, reading, outer)
            bound.add(each)
        elif each.name not in TEXT_TABLES and "tenant_id" not in each.c:
            _known_without(each.name, reading)
            bound.add(each)
        elif (keys := FOUND_BY.get(_name(each))) is not None and keys[0] <= found_by.get(each, set()):
            bound.add(each)
    while more := {to for by, to in edges if by in bound and to not in bound}:
        bound |= more
    reading.problems += [f"{_name(each)} is bound to no tenant" for each in tables if each not in bound]
    return bound


def _learn(
    condition: Any, only: set[Any] | None, bound: Bound, edges: list[tuple[Any, Any]], found_by: dict[Any, set[str]]
) -> None:
    """What one condition says; `only` are the tables that it can speak for, where it is an outer join's."""
    if not isinstance(condition, BinaryExpression) or condition.operator is not operators.eq:
        return
    sides = (condition.left, condition.right)
    for one, other in (sides, sides[::-1]):
        if not isinstance(one, Column | elements.ColumnClause):
            continue
        if only is not None and one.table not in only:
            continue
        if isinstance(other, BindParameter):
            found_by.setdefault(one.table, set()).add(one.name)
        if not _is_tenant_column(one):
            continue
        if _is_parameter(other):
            bound.add(one.table)
        elif _is_tenant_column(other):
            edges.append((other.table, one.table))


def _conjuncts(clauses: Iterable[Any]) -> Iterator[Any]:
    """The parts that must all hold."""
    for clause in clauses:
        if isinstance(clause, Grouping):
            yield from _conjuncts([clause.element])
        elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
            yield from _conjuncts(clause.clauses)
        elif clause is not None:
            yield clause


def _leaves(element: Any, reading: Reading) -> list[Any]:
    match element:
        case s.Join():
            return [*_leaves(element.left, reading), *_leaves(element.right, reading)]
        case Table() | s.Alias() | s.TableClause():
            reading.tables.add(_name(element))
            return [element]
        case s.Subquery() | s.CTE() | s.Lateral():
            return [element]
        case _:
            reading.problems.append(f"FROM {type(element).__name__} cannot be read")
            return []


def _joins(element: Any) -> list[s.Join]:
    if not isinstance(element, s.Join):
        return []
    return [element, *_joins(element.left), *_joins(element.right)]


def _name(element: Any) -> str:
    return str(element.element.name if isinstance(element, s.Alias) else element.name)


def _is_parameter(each: Any) -> bool:
    return isinstance(each, BindParameter) and each.key == PARAMETER


def _is_tenant_column(each: Any) -> bool:
    """Also one that a subquery hands on; never another value under that name."""
    if not isinstance(each, Column | elements.ColumnClause) or each.name != "tenant_id" or each.table is None:
        return False
    return all(_is_parameter(base) or getattr(base, "name", None) == "tenant_id" for base in each.base_columns)


def _known_without(name: str, reading: Reading) -> None:
    reading.tables.add(name)
    if name not in WITHOUT_TENANT:
        reading.problems.append(f"{name} has no tenant_id, and nobody said why")


def _given_by(where: list[Any]) -> list[Any]:
    """The common table expressions that an update or a delete takes its rows' keys from."""
    columns = [side for each in _conjuncts(where) for side in getattr(each, "get_children", tuple)()]
    return list(dict.fromkeys(each.table for each in columns if isinstance(getattr(each, "table", None), s.CTE)))


# -- selects within expressions, and what is written by hand


OURS = (any_of, overlaps, gate, line_of)


def _inner(expressions: Iterable[Any], reading: Reading, bound: Bound) -> None:
    """Every select inside the expressions, each read for itself; they may lean on what is bound around them."""
    pending = list(expressions)
    while pending:
        each = pending.pop()
        match each:
            case Select() | CompoundSelect() | s.SelectStatementGrouping():
                _statement(each, reading, bound)
            case s.FromClause():
                pass
            case line_of():
                for dialect in ("postgresql", "sqlite"):
                    _text(_written(each, dialect), reading, {_name(table) for table in bound})
            case any_of() | overlaps():
                pending += [each.column, each.values]
            case joined_by():
                pending += [each.column, *each.values]
            case TextClause() | elements.ColumnClause() if not isinstance(each, Column):
                text = str(getattr(each, "text", None) or each.name)
                if isinstance(each, TextClause) or each.is_literal:
                    _text(text, reading, {_name(table) for table in bound})
            case ColumnElement() | elements.ClauseElement():
                if not type(each).__module__.startswith("sqlalchemy.") and not isinstance(each, OURS):
                    reading.problems.append(f"{type(each).__name__} cannot be read")
                pending += each.get_children()
            case _:
                pass


def _written(element: line_of, dialect: str) -> str:
    compiler = type(element)._compiler_dispatcher.specs[dialect]  # type: ignore[attr-defined]
    return str(compiler(element, None))


def _text(text: str, reading: Reading, outer: set[str]) -> None:
    tables, problems = read_text(text, outer, WITHOUT_TENANT)
    reading.tables |= tables
    reading.problems += problems
