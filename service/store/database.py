"""What a database is to the rest of the store: read(action), write(action), and statements compiled once.

An action is `async def action(tx)`. It reads what it needs, decides, and applies its changes once; whatever it applies
is stored whole or not at all. A write may run again after a lost race, so an action awaits nothing but `tx`, keeps
nothing between runs, and returns values. `write` returns only after the commit.
"""

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Dialect
from sqlalchemy.sql.base import Executable

from service.errors import Refused

T = TypeVar("T")
Params = Mapping[str, Any]
Row = Sequence[Any]

ATTEMPTS = 6


class Lost(Exception):
    """Another writer was first: the action runs again."""


class Duplicate(Exception):
    """A unique constraint, named as in the tables, refuses the write."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class Blocked(Exception):
    """A lock was not to be had in time: whoever holds it is still at work."""


@dataclass(slots=True)
class Form:
    """A statement in one dialect: its text, its parameters in order, and what its values must pass through."""

    text: str
    names: tuple[str, ...]
    defaults: dict[str, Any]
    binders: tuple[tuple[int, Callable[[Any], Any]], ...]
    readers: tuple[tuple[int, Callable[[Any], Any]], ...]

    def arguments(self, params: Params) -> list[Any]:
        given = {**self.defaults, **params} if self.defaults else params
        arguments = [given[name] for name in self.names]
        for index, binder in self.binders:
            arguments[index] = binder(arguments[index])
        return arguments

    def read(self, row: Row) -> Row:
        if not self.readers:
            return row
        values = list(row)
        for index, reader in self.readers:
            values[index] = reader(values[index])
        return values


class Statement:
    """A SQLAlchemy Core statement, built once and compiled once per dialect.

    Given by dialect (`postgresql=`, `sqlite=`) it may differ, or be nothing at all where its dialect is left out.
    `whole` counts the rows that a write must find: one that another writer took away meanwhile, and put elsewhere where
    this write does not look, means that the race was lost. `fills` names the table of a plain insert whose parameters
    are the table's columns: many rows may go into it by another way. An update `by_key` touches one row, never the same
    for two of the rows of a write: they may be stored by one statement.
    """

    __slots__ = ("_by_dialect", "_forms", "by_key", "clause", "fills", "whole")

    def __init__(
        self,
        clause: Executable | None = None,
        *,
        whole: "Statement | None" = None,
        fills: str | None = None,
        by_key: bool = False,
        **by_dialect: Executable,
    ) -> None:
        self.clause = clause
        self.whole = whole
        self.fills = fills
        self.by_key = by_key
        self._by_dialect = by_dialect
        self._forms: dict[str, Form] = {}

    def form(self, dialect: Dialect) -> Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._compile(dialect)
        return form

    def absent(self, dialect: Dialect) -> bool:
        return self.clause is None and dialect.name not in self._by_dialect

    def _compile(self, dialect: Dialect) -> Form:
        clause: Any = self._by_dialect.get(dialect.name, self.clause)
        compiled = clause.compile(dialect=dialect)
        names = tuple(compiled.positiontup or ())
        readers = []
        for index, column in enumerate(compiled._result_columns):
            reader = column.type._cached_result_processor(dialect, None)
            if reader is not None:
                readers.append((index, reader))
        return Form(
            text=compiled.string,
            names=names,
            defaults={name: compiled.binds[name].value for name in names if not compiled.binds[name].required},
            binders=tuple(
                (index, compiled._bind_processors[name])
                for index, name in enumerate(names)
                if name in compiled._bind_processors
            ),
            readers=tuple(readers),
        )


@dataclass(slots=True)
class Write:
    """A statement for each of some rows. `sure`: each must touch a row, else the race was lost."""

    statement: Statement
    rows: list[Params]
    sure: bool = False


@dataclass(slots=True)
class Changes:
    """What an action wants stored, in order. A guard that touches no row means the race was lost."""

    guards: list[tuple[Statement, Params]] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)

    def guard(self, statement: Statement, **params: Any) -> None:
        self.guards.append((statement, params))

    def add(self, statement: Statement, **params: Any) -> None:
        self.writes.append(Write(statement, [params]))

    def many(self, statement: Statement, rows: list[Params], *, sure: bool = False) -> None:
        """The same write for each row; `sure` where each is a guard that must stand behind other writes."""
        if rows:
            self.writes.append(Write(statement, rows, sure))

    def extend(self, more: "Changes") -> None:
        self.guards += more.guards
        self.writes += more.writes

    def merged(self) -> "Changes":
        """The same with the writes of one statement together, so that many rows cost few round trips."""
        together: dict[int, Write] = {}
        for write in self.writes:
            together.setdefault(id(write.statement), Write(write.statement, [], write.sure)).rows.extend(write.rows)
        return Changes(self.guards, list(together.values()))

    def for_dialect(self, dialect: Dialect) -> list[Write]:
        return [write for write in self.writes if not write.statement.absent(dialect)]


class Tx(Protocol):
    """What an action may await. `contended` is set when it runs again after a lost race, or locks from the first."""

    contended: bool

    async def all(self, statement: Statement, **params: Any) -> list[Row]: ...

    async def one(self, statement: Statement, **params: Any) -> Row | None: ...

    async def lock(self, statement: Statement, **params: Any) -> None:
        """Wait until the row is ours (SQLite: it is already). Only where `contended`."""

    async def apply(self, changes: Changes) -> None:
        """Store everything or nothing. The last thing an action does, and done once."""

    async def apply_each(self, parts: Iterator[Changes]) -> None:
        """Store very much, a part at a time. Each is made in a thread while the one before is on its way."""


class Database(ABC):
    """One of the two databases."""

    dialect: Dialect

    async def write(self, action: Callable[[Tx], Awaitable[T]], *, locking: bool = False) -> T:
        """Run `action`, again after a lost race, and return its result once that is committed.

        `locking`: it runs `contended` from the first, because what it decides by could grow behind its back.

        Refuses `unavailable` when the race was lost too often or the database is away.
        """
        for attempt in range(ATTEMPTS):
            try:
                return await self._write_once(action, contended=locking or attempt > 0)
            except Lost:
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))
        raise Refused("unavailable")

    @abstractmethod
    async def read(self, action: Callable[[Tx], Awaitable[T]], *, varied: bool = False, whole: bool = False) -> T:
        """Run an action that only reads; `varied` where the best plan of its statements depends on their values,
        `whole` where they must all see the same moment."""

    @abstractmethod
    async def _write_once(self, action: Callable[[Tx], Awaitable[T]], *, contended: bool) -> T: ...

    @abstractmethod
    def connections(self) -> dict[str, tuple[int, int]]:
        """By pool how many connections are in use, and how many stand idle."""

    @abstractmethod
    async def open(self) -> None: ...

    @abstractmethod
    async def close(self) -> None: ...
