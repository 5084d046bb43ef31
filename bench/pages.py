"""Pages straight from the database: the statements of the store's lists with their values, timed at the bare driver."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from bench import words
from bench.place import Place
from bench.wire import percentile
from service.store import lists, overdue, postgres, sqlite
from service.store.database import Row, Statement
from service.workflow import deadlines
from service.workflow.calendar import BASE
from service.workflow.policy import default_policy
from service.workflow.queries import Filters, LampDays
from service.workflow.scopes import Scope

LIMIT = 50
RUNS = 200
AT_MOST_SECONDS = 20.0
"""A kind of page that is far over its aim is not asked for all its runs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of page, and the milliseconds that its 95th percentile may take."""

    name: str
    aim: float
    filters: Filters | None = field(default_factory=Filters)
    """Of the list of items; None is the work list."""
    sort: str = "due_on"
    stated: bool = False


@dataclass(slots=True)
class Timed:
    kind: Kind
    scope: str
    runs: list[float] = field(default_factory=list)
    inside: list[float] = field(default_factory=list)
    """The database's own account (planning and execution); on SQLite the same as `runs`."""
    rows: int = 0
    explained: str = ""

    def ms(self, share: float) -> float:
        """In the database."""
        return percentile(self.inside, share) * 1000

    def driver_ms(self, share: float) -> float:
        """Until the driver has the rows."""
        return percentile(self.runs, share) * 1000

    @property
    def met(self) -> bool:
        return self.ms(0.95) <= self.kind.aim


def kinds(ledger_ids: tuple[UUID, ...], today: date) -> list[Kind]:
    yellow = deadlines.lamp_ranges(BASE, default_policy().lamps, "yellow", today)
    lamps = (LampDays(ledger_ids, tuple((first or date.min, last or date.max) for first, last in yellow)),)
    return [
        Kind("overdue", 2, Filters(overdue=True), stated=True),
        Kind("work list of all that is overdue", 2, None),
        Kind("list due_on", 10),
        Kind("list -due_on", 10, sort="-due_on"),
        Kind("list -listed_at", 20, sort="-listed_at"),
        Kind("list -updated_at", 20, sort="-updated_at"),
        Kind("list state=escalated", 20, Filters(states=("escalated",))),
        Kind("list state=closed -updated_at", 20, Filters(states=("closed",)), "-updated_at"),
        Kind("list lamp=yellow", 20, Filters(lamps=lamps)),
        Kind(f"search rare ({words.RARE})", 50, Filters(q=words.RARE)),
        Kind(f"search common ({words.COMMON})", 100, Filters(q=words.COMMON)),
        Kind(f"search never together ({words.COMMON} {words.APART})", 100, Filters(q=f"{words.COMMON} {words.APART}")),
    ]


def measure(place: Place, *, runs: int = RUNS, explain: bool = False, only: str = "") -> list[Timed]:
    """Every kind of page for the county, for towns and for villages; first and second pages by turns."""
    return asyncio.run(_measure(place, runs, explain, only))


async def _measure(place: Place, runs: int, explain: bool, only: str) -> list[Timed]:
    found = []
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
    async with _timing(place) as tx:
        scopes = await _scopes(tx, place.facts.tenant)
        ledger_ids = tuple(row[0] for row in await tx.plain("SELECT id FROM ledgers", UUID))
        for kind in kinds(ledger_ids, today):
            for scope, unit_ids in scopes.items():
                if only and only not in f"{kind.name} {scope}":
                    continue
                timed = Timed(kind, scope)
                await _pages(tx, place.facts.tenant, timed, unit_ids, today, runs)
                if explain and not timed.met:
                    timed.explained = await tx.explain()
                found.append(timed)
    return found


async def _pages(tx: "_Timing", tenant: UUID, timed: Timed, unit_ids: list[UUID], today: date, runs: int) -> None:
    after = None
    began = time.perf_counter()
    for run in range(-2, runs):
        unit = unit_ids[(run // 2) % len(unit_ids)]
        tx.spent = tx.inside = 0.0
        rows, behind = await _page(tx, tenant, timed.kind, unit, today, after)
        if run >= 0:
            timed.runs.append(tx.spent)
            timed.inside.append(tx.inside)
            timed.rows += rows
        after = behind if run % 2 == 0 else None
        if run > 2 and time.perf_counter() - began > AT_MOST_SECONDS:
            break


async def _page(tx: "_Timing", tenant: UUID, kind: Kind, unit: UUID, today: date, after: Any) -> tuple[int, Any]:
    """How many rows one page has, and where the next begins, if there is one."""
    if kind.filters is None:
        work = await overdue.page(
            tx, tenant, Scope((unit,)), today=today, after=after or (date.min, UUID(int=0)), limit=LIMIT + 1
        )
        return len(work), (work[LIMIT - 1].due, work[LIMIT - 1].ref) if len(work) > LIMIT else None
    page = await lists.page(
        tx, tenant_id=tenant, scope=Scope((unit,)), filters=kind.filters, sort=kind.sort, after=after, limit=LIMIT,
        today=today,
    )  # fmt: skip
    return len(page.items), page.positions[LIMIT - 1] if len(page.items) > LIMIT else None


async def _scopes(tx: "_Timing", tenant: UUID) -> dict[str, list[UUID]]:
    """The county, towns and villages, each a sample that begins with the largest."""
    scopes = {}
    for name in ("county", "town", "village"):
        rows = await tx.plain(f"SELECT id FROM units WHERE level = '{name}' ORDER BY id", UUID)
        found = [row[0] for row in rows]
        scopes[name] = found[:1] + Random(3).sample(found[1:], min(len(found) - 1, RUNS // 2 - 1))
    return scopes


class _Timing:
    """A read-only transaction that adds up the time spent in the driver, and remembers the slowest statement."""

    contended = False

    def __init__(self) -> None:
        self.spent = self.inside = 0.0
        self.slowest: tuple[float, str, list[Any]] = (0.0, "", [])

    @contextmanager
    def noting(self, text: str, arguments: list[Any]) -> Iterator[None]:
        began = time.perf_counter()
        yield
        took = time.perf_counter() - began
        self.spent += took
        if took > self.slowest[0]:
            self.slowest = (took, text, arguments)

    async def one(self, statement: Statement, **params: Any) -> Row | None:
        rows = await self.all(statement, **params)
        return rows[0] if rows else None

    async def all(self, statement: Statement, **params: Any) -> list[Row]:
        raise NotImplementedError

    async def plain(self, text: str, decode: Any) -> list[Row]:
        raise NotImplementedError

    async def explain(self) -> str:
        raise NotImplementedError

    async def lock(self, statement: Statement, **params: Any) -> None:
        raise NotImplementedError

    async def apply(self, changes: Any) -> None:
        raise NotImplementedError


class _Postgres(_Timing):
    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    async def all(self, statement: Statement, **params: Any) -> list[Row]:
        form = statement.form(postgres.DIALECT)
        arguments = form.arguments(params)
        with self.noting(form.text, arguments):
            rows = await self._connection.fetch(form.text, *arguments)
        told = await self._connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {form.text}", *arguments)
        told = json.loads(told)
        self.inside += (told[0]["Planning Time"] + told[0]["Execution Time"]) / 1000
        return [form.read(row) for row in rows]

    async def plain(self, text: str, decode: Any) -> list[Row]:
        return await self._connection.fetch(text)  # type: ignore[no-any-return]

    async def explain(self) -> str:
        took, text, arguments = self.slowest
        self.slowest = (0.0, "", [])
        rows = await self._connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) {text}", *arguments)
        return f"-- {took * 1000:.1f} ms\n{text}\n\n" + "\n".join(row[0] for row in rows)


class _Sqlite(_Timing):
    def __init__(self, connection: Any) -> None:
        super().__init__()
        self._connection = connection

    async def all(self, statement: Statement, **params: Any) -> list[Row]:
        form = statement.form(sqlite.DIALECT)
        arguments = form.arguments(params)
        with self.noting(form.text, arguments):
            rows = self._connection.execute(form.text, arguments).fetchall()
        self.inside = self.spent
        return [form.read(row) for row in rows]

    async def plain(self, text: str, decode: Any) -> list[Row]:
        return [[decode(row[0])] for row in self._connection.execute(text)]

    async def explain(self) -> str:
        took, text, arguments = self.slowest
        self.slowest = (0.0, "", [])
        rows = self._connection.execute(f"EXPLAIN QUERY PLAN {text}", arguments).fetchall()
        return f"-- {took * 1000:.1f} ms\n{text}\n\n" + "\n".join(row[3] for row in rows)


@asynccontextmanager
async def _timing(place: Place) -> Any:
    if place.settings.sqlite_path is not None:
        connection = sqlite.connect(place.settings.sqlite_path, read_only=True)
        try:
            yield _Sqlite(connection)
        finally:
            connection.close()
        return
    # As the service connects for lists.
    settings = postgres.Postgres("", pool_size=1)._settings | {"plan_cache_mode": "force_custom_plan"}
    connected = await asyncpg.connect(place.settings.database_url, server_settings=settings, statement_cache_size=512)
    try:
        await postgres._prepare(connected)
        yield _Postgres(connected)
    finally:
        await connected.close()
