"""PostgreSQL through bare asyncpg.

The usual write is two statements: one that reads, one that stores. Several changes become a single statement, a CTE
whose first part is the guard and whose other parts happen only if the guard found its row. What does not fit that form
(many rows, two guards) runs in an explicit transaction.
"""

import json
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialects

from service.errors import Refused
from service.store.database import Blocked, Changes, Database, Duplicate, Lost, Params, Row, Statement, Tx
from service.store.types import GATE

T = TypeVar("T")
Writes = list[tuple[Statement, list[Params]]]

DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]

AWAY = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
        asyncpg.QueryCanceledError, asyncpg.InsufficientResourcesError, asyncpg.UndefinedTableError)  # fmt: skip


@lru_cache(maxsize=512)
def _one_statement(guard: Statement, writes: tuple[Statement, ...]) -> str:
    """The guard and its writes as one CTE; every write waits for the guard's row."""
    parts = []
    offset = 0
    for index, statement in enumerate((guard, *writes)):
        form = statement.form(DIALECT)
        text = _renumber(form.text, offset)
        if index == 0:
            found = text if text.startswith("SELECT") else f"{text} RETURNING 1"
            parts.append(f"guard AS ({found})")
        else:
            if GATE not in text:
                raise AssertionError(f"a write without a gate: {text}")
            parts.append(f"write{index} AS ({text.replace(GATE, 'EXISTS (SELECT 1 FROM guard)')})")
        offset += len(form.names)
    return f"WITH {', '.join(parts)} SELECT count(*) FROM guard"


def _renumber(text: str, offset: int) -> str:
    return re.sub(r"\$(\d+)", lambda match: f"${int(match[1]) + offset}", text) if offset else text


class PostgresTx:
    """One connection for one action."""

    def __init__(self, connection: Any, *, contended: bool) -> None:
        self._connection = connection
        self.contended = contended

    async def all(self, statement: Statement, **params: Any) -> list[Row]:
        form = statement.form(DIALECT)
        rows = await self._connection.fetch(form.text, *form.arguments(params))
        return [form.read(row) for row in rows] if form.readers else rows

    async def one(self, statement: Statement, **params: Any) -> Row | None:
        form = statement.form(DIALECT)
        row = await self._connection.fetchrow(form.text, *form.arguments(params))
        return None if row is None else form.read(row)

    async def lock(self, statement: Statement, **params: Any) -> None:
        form = statement.form(DIALECT)
        await self._connection.execute(f"{form.text} FOR UPDATE", *form.arguments(params))

    async def apply(self, changes: Changes) -> None:
        writes = changes.for_dialect(DIALECT)
        if len(changes.guards) == 1 and all(len(rows) == 1 for _, rows in writes):
            await self._apply_at_once(changes.guards[0], writes)
        else:
            await self._apply_in_turn(changes.guards, writes)

    async def _apply_at_once(self, guarded: tuple[Statement, Params], writes: Writes) -> None:
        guard, params = guarded
        text = _one_statement(guard, tuple(statement for statement, _ in writes))
        arguments = guard.form(DIALECT).arguments(params)
        for statement, rows in writes:
            arguments += statement.form(DIALECT).arguments(rows[0])
        if not await self._connection.fetchval(text, *arguments):
            raise Lost

    async def _apply_in_turn(self, guards: list[tuple[Statement, Params]], writes: Writes) -> None:
        async with self._connection.transaction():
            for statement, params in guards:
                await self._guard(statement, params)
            for statement, rows in writes:
                form = statement.form(DIALECT)
                if len(rows) == 1:
                    await self._connection.execute(form.text, *form.arguments(rows[0]))
                else:
                    await self._connection.executemany(form.text, [form.arguments(row) for row in rows])

    async def _guard(self, statement: Statement, params: Params) -> None:
        form = statement.form(DIALECT)
        status = await self._connection.execute(form.text, *form.arguments(params))
        if status.endswith(" 0"):
            raise Lost


async def _prepare(connection: Any) -> None:
    """JSON is encoded by the statements' own types, and decoded here, where asyncpg's dialect expects it."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=json.loads, format="text")


async def _keep(connection: Any) -> None:
    """Nothing to reset between two uses: every action ends its own transaction. (asyncpg's reset costs 7-29 %.)"""


def _unavailable(error: Exception) -> Exception:
    """The database is away, unless the driver only says that it was given a wrong value: that is a fault of ours."""
    return error if isinstance(error, ValueError) else Refused("unavailable")


class Postgres(Database):
    """Two pools of connections to one PostgreSQL: one for what touches an item, one for lists."""

    dialect = DIALECT

    def __init__(self, url: str, *, pool_size: int, lock_timeout_ms: int = 5000) -> None:
        self._url = url
        self._pool_size = pool_size
        self._settings = {
            "application_name": "xiaohao",
            "lock_timeout": str(lock_timeout_ms),
            "statement_timeout": "60000",
            "timezone": "UTC",
            # Compiling a plan to machine code costs more than any statement here takes.
            "jit": "off",
        }
        self._pool: Any = None
        self._varied: Any = None

    async def open(self) -> None:
        varied = max(1, self._pool_size // 4)
        # Its plans are kept, so a table that was empty when one was made must not be scanned through when it is not.
        self._pool = await self._connect(max(1, self._pool_size - varied), enable_seqscan="off")
        # The same list text serves a village and a county: a plan fit for one is ruin for the other, so lists are
        # planned each time. What touches one item is not: planning would cost it a third of its throughput.
        self._varied = await self._connect(varied, plan_cache_mode="force_custom_plan")

    async def _connect(self, size: int, **settings: str) -> Any:
        return await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=size,
            init=_prepare,
            reset=_keep,
            server_settings=self._settings | settings,
            statement_cache_size=512,
            # A plan is kept as long as its connection: one made for an almost empty table must not live for days.
            max_queries=10_000,
            command_timeout=60,
        )

    async def close(self) -> None:
        for connections in (self._pool, self._varied):
            if connections is not None:
                await connections.close()

    async def read(self, action: Callable[[Tx], Awaitable[T]], *, varied: bool = False) -> T:
        try:
            async with (self._varied if varied else self._pool).acquire(timeout=5) as connection:
                return await action(PostgresTx(connection, contended=False))
        except AWAY as error:
            raise _unavailable(error) from error

    async def _write_once(self, action: Callable[[Tx], Awaitable[T]], *, contended: bool) -> T:
        try:
            async with self._pool.acquire(timeout=5) as connection:
                if not contended:
                    return await action(PostgresTx(connection, contended=False))
                async with connection.transaction():
                    return await action(PostgresTx(connection, contended=True))
        except asyncpg.UniqueViolationError as error:
            raise Duplicate(error.constraint_name or "") from error
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
            raise Lost from error
        except asyncpg.LockNotAvailableError as error:
            raise Blocked from error
        except AWAY as error:
            raise _unavailable(error) from error
