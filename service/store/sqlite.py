"""SQLite through the bare sqlite3 module: one writer thread with group commit, a few reader threads.

Waiting transactions share one commit, each under its own savepoint: one that fails takes no other down, and no answer
leaves before the group's COMMIT is on disk. Actions are coroutines that await nothing but `tx`, so a thread drives one
with a single `send(None)`.
"""

import asyncio
import fcntl
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar

from sqlalchemy.dialects import sqlite as dialects
from sqlmodel import SQLModel

from service.errors import Refused
from service.store.database import Changes, Database, Duplicate, Lost, Row, Statement, Tx

T = TypeVar("T")

DIALECT = dialects.dialect(paramstyle="qmark")

BUSY_SECONDS = 10
"""How long a connection waits for another process."""

GROUP_SIZE = 200
GROUP_SECONDS = 0.005
READERS = 2

OWN = (sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.NotSupportedError)
"""Mistakes of one action, not of the database that it shares with the others of its group."""


class SqliteTx:
    """One connection for one action. Nothing here waits; it is async so that an action serves both databases."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.contended = False

    async def all(self, statement: Statement, **params: Any) -> list[Row]:
        form = statement.form(DIALECT)
        rows = self._connection.execute(form.text, form.arguments(params)).fetchall()
        return [form.read(row) for row in rows] if form.readers else rows

    async def one(self, statement: Statement, **params: Any) -> Row | None:
        form = statement.form(DIALECT)
        row = self._connection.execute(form.text, form.arguments(params)).fetchone()
        return None if row is None else form.read(row)

    async def lock(self, statement: Statement, **params: Any) -> None:
        """The writer thread is the lock."""

    async def apply(self, changes: Changes) -> None:
        for statement, params in changes.guards:
            form = statement.form(DIALECT)
            cursor = self._connection.execute(form.text, form.arguments(params))
            found = cursor.fetchone() is not None if form.text.startswith("SELECT") else cursor.rowcount > 0
            if not found:
                raise Lost
        for write in changes.for_dialect(DIALECT):
            form, rows = write.statement.form(DIALECT), write.rows
            if len(rows) == 1:
                touched = self._connection.execute(form.text, form.arguments(rows[0])).rowcount
            else:
                touched = self._connection.executemany(form.text, [form.arguments(row) for row in rows]).rowcount
            if write.sure and touched < len(rows):
                raise Lost

    async def apply_each(self, parts: Iterator[Changes]) -> None:
        # The writer is a thread of its own already.
        for made in parts:
            await self.apply(made)


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, to its end."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("an action awaited something other than its tx")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is deleted is overwritten: a lawful erasure leaves nothing behind in freed pages.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA cache_size = -65536")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def write_ahead(connection: sqlite3.Connection, within: float = BUSY_SECONDS) -> None:
    """Have the file use a write-ahead log; waits so many seconds for others who are about it.

    Of two that turn a new file at once SQLite refuses one without a wait: both have read it by then.
    """
    gives_up = time.monotonic() + within
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > gives_up:
                raise
            time.sleep(0.01)
        else:
            return


class Turnstile:
    """Fair turns between processes: whoever waits holds the door, so that a busy writer cannot take turn after turn."""

    def __init__(self, database: Path) -> None:
        self._door: IO[bytes] = (database.parent / f"{database.name}.door").open("ab")
        self._room: IO[bytes] = (database.parent / f"{database.name}.room").open("ab")

    def enter(self) -> None:
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX)
        fcntl.flock(self._door, fcntl.LOCK_UN)

    def leave(self) -> None:
        fcntl.flock(self._room, fcntl.LOCK_UN)

    def close(self) -> None:
        self._door.close()
        self._room.close()


class _Job:
    """An action that waits for its turn, and who waits for its result."""

    __slots__ = ("action", "error", "future", "loop", "result")

    def __init__(self, action: Callable[[Tx], Awaitable[Any]]) -> None:
        self.action = action
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Sqlite(Database):
    """One SQLite file."""

    dialect = DIALECT

    def __init__(self, path: Path) -> None:
        self.path = path
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        # Held for a moment by whoever queues a write, so that none is queued behind the writer's last look.
        self._door = threading.Lock()
        self._shut = False

    async def open(self) -> None:
        # Here and not in its thread: a file that cannot be opened stops the start, and no write waits for ever.
        connection, turnstile = connect(self.path), Turnstile(self.path)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._writer = threading.Thread(
            target=self._write_for_ever, args=(connection, turnstile), name="sqlite-writer", daemon=True
        )
        self._writer.start()

    def connections(self) -> dict[str, tuple[int, int]]:
        """None: a file has no pool."""
        return {}

    async def close(self) -> None:
        if self._writer is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._writer.join)
        self._shut = True
        if self._readers is not None:
            self._readers.shutdown()
        for connection in self._connections:
            connection.close()

    async def read(self, action: Callable[[Tx], Awaitable[T]], *, varied: bool = False, whole: bool = False) -> T:
        if self._shut:
            raise Refused("unavailable")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, action)

    def _read(self, action: Callable[[Tx], Awaitable[T]]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = connect(self.path, read_only=True)
                self._connections.append(connection)
            connection.execute("BEGIN")
            return drive(action(SqliteTx(connection)))  # type: ignore[arg-type]
        except OWN:
            raise
        except sqlite3.DatabaseError as error:
            # A file that is gone, locked, or no database (any more).
            raise Refused("unavailable") from error
        finally:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")

    async def _write_once(self, action: Callable[[Tx], Awaitable[T]], *, contended: bool) -> T:
        job = _Job(action)
        with self._door:
            if self._shut:
                raise Refused("unavailable")
            self._jobs.put(job)
        return await job.future  # type: ignore[no-any-return]

    def _write_for_ever(self, connection: sqlite3.Connection, turnstile: Turnstile) -> None:
        try:
            while (first := self._jobs.get()) is not None:
                if not self._write_group(connection, turnstile, first):
                    break
        finally:
            turnstile.close()
            connection.close()
            self._turn_away()

    def _turn_away(self) -> None:
        """Answer whoever still waits when the writer has ended: nobody else will."""
        with self._door:
            self._shut = True
            left: list[_Job] = []
            while not self._jobs.empty():
                if (job := self._jobs.get_nowait()) is not None:
                    job.error = Refused("unavailable")
                    left.append(job)
        _answer(left)

    def _write_group(self, connection: sqlite3.Connection, turnstile: Turnstile, first: _Job) -> bool:
        """Commit `first` and whatever waits behind it together. False once the queue was closed."""
        group: list[_Job] = []
        going = True
        try:
            turnstile.enter()
            connection.execute("BEGIN IMMEDIATE")
            job: _Job | None = first
            ends = time.monotonic() + GROUP_SECONDS
            while job is not None:
                group.append(job)
                self._run(connection, job)
                if len(group) >= GROUP_SIZE or time.monotonic() > ends:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                going = job is not None
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            refused = Refused("unavailable")
            refused.__cause__ = error
            for failed in group or [first]:
                failed.error = refused
        finally:
            turnstile.leave()
        _answer(group or [first])
        return going

    def _run(self, connection: sqlite3.Connection, job: _Job) -> None:
        """One action under its own savepoint; its failure is its own."""
        connection.execute("SAVEPOINT job")
        try:
            job.result = drive(job.action(SqliteTx(connection)))  # type: ignore[arg-type]
        except sqlite3.IntegrityError as error:
            job.error = Duplicate(_constraint(error)) if "UNIQUE" in str(error) else error
        except OWN as error:
            job.error = error
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR:
                raise
            job.error = error
        except BaseException as error:
            job.error = error
        if job.error is not None:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")


def _answer(jobs: list[_Job]) -> None:
    """From the writer's thread: let each loop settle its own."""
    for loop in {job.loop for job in jobs}:
        settled = [job for job in jobs if job.loop is loop]
        # The loop may be gone when its process is shutting down; then nobody waits for an answer.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, settled)


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


def _constraint(error: sqlite3.IntegrityError) -> str:
    """The name of the constraint whose columns SQLite lists ("UNIQUE constraint failed: units.code")."""
    listed = str(error).partition("failed: ")[2].split(", ")
    columns = [name.partition(".")[2] for name in listed]
    table = SQLModel.metadata.tables.get(listed[0].partition(".")[0])
    if table is None:
        return ""
    keys: list[Any] = [*table.constraints, *table.indexes]
    for key in keys:
        if [column.name for column in getattr(key, "columns", ())] == columns:
            return str(key.name)
    return ""
