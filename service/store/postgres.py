"""PostgreSQL through bare asyncpg.

The usual write is two statements: one that reads, one that stores. Several changes become a single statement, a CTE
whose first part is the guard and whose other parts happen only if the guard found its row. What does not fit that form
(many rows, two guards) runs in an explicit transaction.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as dialects

from service.errors import Refused
from service.store.database import Blocked, Changes, Database, Duplicate, Lost, Params, Row, Statement, Tx, Write
from service.store.types import GATE

T = TypeVar("T")

DIALECT = dialects.dialect()  # type: ignore[no-untyped-call]

COPIED = 20
"""From so many rows on an insert goes by COPY: a round trip more, and a quarter of the work for each row."""

AWAY = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError,
        asyncpg.QueryCanceledError, asyncpg.InsufficientResourcesError, asyncpg.UndefinedTableError,
        asyncpg.IdleInTransactionSessionTimeoutError)  # fmt: skip


@lru_cache(maxsize=512)
def _one_statement(guard: Statement, writes: tuple[Statement, ...]) -> str:
    """The guard and its writes as one CTE; every write waits for the guard's row."""
    parts, counted = [], []
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
            text = text.replace(GATE, "EXISTS (SELECT 1 FROM guard)")
            parts.append(f"write{index} AS ({text}{' RETURNING 1' if statement.whole else ''})")
        offset += len(form.names)
        if statement.whole:
            counted.append(f"(SELECT count(*) FROM write{index}) = ({_renumber(_count(statement.whole), offset)})")
            offset += len(statement.whole.form(DIALECT).names)
    found = "count(*)"
    if counted:
        found = f"count(*) / (CASE WHEN count(*) = 0 OR ({' AND '.join(counted)}) THEN 1 ELSE 0 END)"
    return f"WITH {', '.join(parts)} SELECT {found} FROM guard"


@lru_cache(maxsize=32)
def _counted(statement: Statement, whole: Statement) -> str:
    """A write alone that must find what `whole` counts in the same snapshot."""
    form = statement.form(DIALECT)
    count = _renumber(_count(whole), len(form.names))
    return (
        f"WITH write AS ({form.text} RETURNING 1)"
        f" SELECT 1 / (CASE WHEN count(*) = ({count}) THEN 1 ELSE 0 END) FROM write"
    )


_TYPED = re.compile(r"\$(\d+)::([A-Z]+(?: WITH TIME ZONE)?(?:\[\])?)")
"""A parameter as SQLAlchemy writes it for asyncpg, always with its type."""


@lru_cache(maxsize=256)
def _of_many(statement: Statement) -> str | None:
    """An update by key for many rows at once, its parameters an array for each column; None where one is itself a list.

    A row that is updated alone costs a message each way, and three times the work in the server.
    """
    form = statement.form(DIALECT)
    types = {int(number): kind for number, kind in _TYPED.findall(form.text)}
    if any(kind.endswith("[]") for kind in types.values()):
        return None
    text = _TYPED.sub(lambda match: f"given.{form.names[int(match[1]) - 1]}", form.text)
    arrays = ", ".join(f"${number}::{types[number]}[]" for number in sorted(types))
    return text.replace(" WHERE ", f" FROM unnest({arrays}) AS given ({', '.join(form.names)}) WHERE ", 1)


def _count(whole: Statement) -> str:
    """The one way to make a statement fail by what it finds, without a function in the database: see `Lost` below."""
    return whole.form(DIALECT).text


def _arguments(statement: Statement, params: Params) -> list[Any]:
    arguments = statement.form(DIALECT).arguments(params)
    return arguments + statement.whole.form(DIALECT).arguments(params) if statement.whole else arguments


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
        if len(changes.guards) == 1 and all(len(write.rows) == 1 and not write.sure for write in writes):
            await self._apply_at_once(changes.guards[0], writes)
        else:
            await self._apply_in_turn(changes.guards, writes)

    async def apply_each(self, parts: Iterator[Changes]) -> None:
        making = asyncio.ensure_future(asyncio.to_thread(next, parts, None))
        try:
            while (made := await making) is not None:
                making = asyncio.ensure_future(asyncio.to_thread(next, parts, None))
                await self.apply(made)
        finally:
            # Whatever went wrong: who made `parts` is not left with a thread that still makes the next one.
            await asyncio.wait([making])

    async def _apply_at_once(self, guarded: tuple[Statement, Params], writes: list[Write]) -> None:
        guard, params = guarded
        text = _one_statement(guard, tuple(write.statement for write in writes))
        arguments = guard.form(DIALECT).arguments(params)
        for write in writes:
            arguments += _arguments(write.statement, write.rows[0])
        if not await self._connection.fetchval(text, *arguments):
            raise Lost

    async def _apply_in_turn(self, guards: list[tuple[Statement, Params]], writes: list[Write]) -> None:
        async with self._connection.transaction():
            for statement, params in guards:
                await self._guard(statement, params)
            for write in writes:
                await self._store(write)

    async def _store(self, write: Write) -> None:
        statement, rows = write.statement, write.rows
        form = statement.form(DIALECT)
        if statement.by_key and len(rows) > 1 and (text := _of_many(statement)):
            columns = zip(*(form.arguments(row) for row in rows), strict=True)
            status = await self._connection.execute(text, *(list(column) for column in columns))
            if write.sure and status != f"UPDATE {len(rows)}":
                raise Lost
        elif write.sure:
            found = await self._connection.fetchmany(f"{form.text} RETURNING 1", [form.arguments(row) for row in rows])
            if len(found) < len(rows):
                raise Lost
        elif statement.whole:
            text = _counted(statement, statement.whole)
            await self._connection.executemany(text, [_arguments(statement, row) for row in rows])
        elif len(rows) == 1:
            await self._connection.execute(form.text, *form.arguments(rows[0]))
        elif statement.fills and len(rows) >= COPIED:
            records = [form.arguments(row) for row in rows]
            await self._connection.copy_records_to_table(statement.fills, records=records, columns=form.names)
        else:
            await self._connection.executemany(form.text, [form.arguments(row) for row in rows])

    async def _guard(self, statement: Statement, params: Params) -> None:
        form = statement.form(DIALECT)
        status = await self._connection.execute(form.text, *form.arguments(params))
        if status.endswith(" 0"):
            raise Lost


def _decoded(content: bytes) -> Any:
    """JSON as it comes; most of what is kept so is an empty object."""
    return {} if content == b"{}" else json.loads(content)


async def _prepare(connection: Any) -> None:
    """JSON is encoded by the statements' own types, and decoded here, where asyncpg's dialect expects it.

    In jsonb's binary form, which COPY needs: a version byte, then the text.
    """
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda text: b"\x01" + text.encode(),
        decoder=lambda content: _decoded(content[1:]),
        format="binary",
    )


async def _keep(connection: Any) -> None:
    """Nothing to reset between two uses: every action ends its own transaction. (asyncpg's reset costs 7-29 %.)"""


def _unavailable(error: Exception) -> Exception:
    """The database is away, unless the driver only says that it was given a wrong value: that is a fault of ours."""
    return error if isinstance(error, ValueError) else Refused("unavailable")


class Postgres(Database):
    """Two pools of connections to one PostgreSQL: one for what touches an item, one for lists."""

    dialect = DIALECT

    def __init__(self, url: str, *, pool_size: int, lock_timeout_ms: int = 5000, idle_timeout_ms: int = 60_000) -> None:
        self._url = url
        self._pool_size = pool_size
        self._settings = {
            "application_name": "xiaohao",
            "lock_timeout": str(lock_timeout_ms),
            "statement_timeout": "60000",
            # Of a host that lost its power in the middle of a transaction nobody hears that it is gone, and its locks
            # stay. No action waits for anything but its statements, so none is idle for long.
            "idle_in_transaction_session_timeout": str(idle_timeout_ms),
            "tcp_keepalives_idle": "30",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "3",
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

    def connections(self) -> dict[str, tuple[int, int]]:
        pools = {"items": self._pool, "lists": self._varied}
        return {
            name: (pool.get_size() - pool.get_idle_size(), pool.get_idle_size())
            for name, pool in pools.items()
            if pool is not None
        }

    async def close(self) -> None:
        for connections in (self._pool, self._varied):
            if connections is not None:
                await connections.close()

    async def read(self, action: Callable[[Tx], Awaitable[T]], *, varied: bool = False, whole: bool = False) -> T:
        try:
            async with (self._varied if varied else self._pool).acquire(timeout=5) as connection:
                if not whole:
                    return await action(PostgresTx(connection, contended=False))
                async with connection.transaction(isolation="repeatable_read", readonly=True):
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
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.DivisionByZeroError) as error:
            # The last is ours: a write did not find the rows that were there to be found.
            raise Lost from error
        except asyncpg.LockNotAvailableError as error:
            raise Blocked from error
        except AWAY as error:
            raise _unavailable(error) from error
