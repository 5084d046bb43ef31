"""Column types and SQL forms that mean the same on both databases and cost nothing on PostgreSQL.

PostgreSQL has them natively. SQLite keeps instants and days as ISO text (which sorts as it should) and lists as JSON.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    BindParameter,
    Date,
    DateTime,
    Dialect,
    Integer,
    Text,
    Uuid,
    bindparam,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Join
from sqlalchemy.types import Boolean, TypeDecorator


class _IsoInstant(TypeDecorator[datetime]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        # A fixed width, so that text order is time order.
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class _IsoDay(TypeDecorator[date]):
    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class _JsonList(TypeDecorator[list[Any]]):
    """A list as JSON text; ids in the form in which SQLite keeps them, so that json_each() can be joined."""

    impl = Text
    cache_ok = True

    def __init__(self, decode: Callable[[str], Any] = str) -> None:
        super().__init__()
        self.decode = decode

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps([each.hex if isinstance(each, UUID) else each for each in value], ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> list[Any] | None:
        return None if value is None else [self.decode(each) for each in json.loads(value)]


Instant = DateTime(timezone=True).with_variant(_IsoInstant(), "sqlite")
Day = Date().with_variant(_IsoDay(), "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
UuidList = ARRAY(Uuid()).with_variant(_JsonList(UUID), "sqlite")
NumberList = ARRAY(BigInteger()).with_variant(_JsonList(int), "sqlite")
TextList = ARRAY(Text()).with_variant(_JsonList(), "sqlite")


class any_of(ColumnElement[bool]):
    """`column` is one of the values of a list (an expanding IN has no fixed text for a bare driver)."""

    inherit_cache = False
    type = Boolean()
    # Without this SQLite gets "... = 1" behind it, and no index is used.
    _is_implicitly_boolean = True

    def __init__(self, column: ColumnElement[Any], values: ColumnElement[Any]) -> None:
        self.column = column
        self.values = values


@compiles(any_of, "postgresql")
def _any_of_postgresql(element: any_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} = ANY ({compiler.process(element.values, **kw)})"


@compiles(any_of, "sqlite")
def _any_of_sqlite(element: any_of, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    return f"{column} IN (SELECT value FROM json_each({compiler.process(element.values, **kw)}))"


class also_any_of(any_of):
    """The same of rows that are found by something else: no index on the column is used.

    Without statistics PostgreSQL takes the index that has the units in it for as good as the key, and goes through all
    that a county sees for each of its rows.
    """

    inherit_cache = False


@compiles(also_any_of, "postgresql")
def _also_any_of_postgresql(element: also_any_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"ARRAY[{compiler.process(element.column, **kw)}] && {compiler.process(element.values, **kw)}"


@compiles(also_any_of, "sqlite")
def _also_any_of_sqlite(element: also_any_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{_any_of_sqlite(element, compiler, **kw)}"


class overlaps(ColumnElement[bool]):
    """A list column holds at least one of the values of a list parameter."""

    inherit_cache = False
    type = Boolean()
    _is_implicitly_boolean = True

    def __init__(self, column: ColumnElement[Any], values: BindParameter[Any]) -> None:
        self.column = column
        self.values = values


@compiles(overlaps, "postgresql")
def _overlaps_postgresql(element: overlaps, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{compiler.process(element.column, **kw)} && {compiler.process(element.values, **kw)}"


@compiles(overlaps, "sqlite")
def _overlaps_sqlite(element: overlaps, compiler: SQLCompiler, **kw: Any) -> str:
    column = compiler.process(element.column, **kw)
    values = compiler.process(element.values, **kw)
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value IN (SELECT value FROM json_each({values})))"


class list_is_empty(ColumnElement[bool]):
    """A list column holds nothing."""

    inherit_cache = False
    type = Boolean()
    _is_implicitly_boolean = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column


@compiles(list_is_empty, "postgresql")
def _list_is_empty_postgresql(element: list_is_empty, compiler: SQLCompiler, **kw: Any) -> str:
    return f"cardinality({compiler.process(element.column, **kw)}) = 0"


@compiles(list_is_empty, "sqlite")
def _list_is_empty_sqlite(element: list_is_empty, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array_length({compiler.process(element.column, **kw)}) = 0"


class joined_by(ColumnElement[Any]):
    """A list column with the values of some other columns beside its own."""

    inherit_cache = False
    type = UuidList

    def __init__(self, column: ColumnElement[Any], *values: ColumnElement[Any]) -> None:
        self.column = column
        self.values = values


@compiles(joined_by, "postgresql")
def _joined_by_postgresql(element: joined_by, compiler: SQLCompiler, **kw: Any) -> str:
    values = ", ".join(compiler.process(value, **kw) for value in element.values)
    return f"ARRAY[{values}] || {compiler.process(element.column, **kw)}"


@compiles(joined_by, "sqlite")
def _joined_by_sqlite(element: joined_by, compiler: SQLCompiler, **kw: Any) -> str:
    values = "".join(f", '$[#]', {compiler.process(value, **kw)}" for value in element.values)
    return f"json_insert({compiler.process(element.column, **kw)}{values})"


class line_of(ColumnElement[Any]):
    """A unit and everything above it as a list, itself first. Written by hand: the two databases share no list form."""

    inherit_cache = False
    type = UuidList

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.tenant = unit.partition(".")[0] + ".tenant_id"


@compiles(line_of, "postgresql")
def _line_of_postgresql(element: line_of, compiler: SQLCompiler, **kw: Any) -> str:
    return (
        f"ARRAY(SELECT line.ancestor_id FROM ancestors AS line WHERE line.tenant_id = {element.tenant}"
        f" AND line.unit_id = {element.unit} ORDER BY line.distance)"
    )


@compiles(line_of, "sqlite")
def _line_of_sqlite(element: line_of, compiler: SQLCompiler, **kw: Any) -> str:
    return (
        "(SELECT json_group_array(ancestor_id) FROM (SELECT line.ancestor_id FROM ancestors AS line"
        f" WHERE line.tenant_id = {element.tenant}"
        f" AND line.unit_id = {element.unit} ORDER BY line.distance))"
    )


class in_order(Join):
    """An inner join that SQLite does from left to right: without statistics it takes the side whose index has the order
    that is asked for, however few rows the other side has. PostgreSQL decides for itself."""

    inherit_cache = False


@compiles(in_order, "sqlite")
def _in_order_sqlite(element: in_order, compiler: SQLCompiler, **kw: Any) -> str:
    kw["asfrom"] = True
    left, right = compiler.process(element.left, **kw), compiler.process(element.right, **kw)
    condition: Any = element.onclause
    return f"{left} CROSS JOIN {right} ON {compiler.process(condition, **(kw | {'asfrom': False}))}"


def ids(name: str) -> BindParameter[Any]:
    """A parameter that is a list of ids."""
    return bindparam(name, type_=UuidList)


def numbers(name: str) -> BindParameter[Any]:
    """A parameter that is a list of integers."""
    return bindparam(name, type_=NumberList)


def texts(name: str) -> BindParameter[Any]:
    """A parameter that is a list of texts."""
    return bindparam(name, type_=TextList)


GATE = "('gate' = 'gate')"


class gate(ColumnElement[bool]):
    """True; and, where a write is one of several in one statement, "the guard before it found its row"."""

    inherit_cache = False
    type = Boolean()
    _is_implicitly_boolean = True


@compiles(gate)
def _gate(element: gate, compiler: SQLCompiler, **kw: Any) -> str:
    return GATE


ONE: ColumnElement[int] = literal_column("1", Integer())
"""What an EXISTS selects."""
