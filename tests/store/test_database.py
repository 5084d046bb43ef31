"""What `Database` promises, on both: whole or not at all, again after a lost race, no answer before COMMIT."""

import asyncio
import fcntl
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, SmallInteger, Table, Text, Uuid, bindparam, select
from sqlalchemy.schema import CreateTable

from service.composition import database_of
from service.errors import Refused
from service.settings import Settings
from service.store import counters, idempotency, sqlite, tenants, units
from service.store.database import ATTEMPTS, Blocked, Changes, Database, Duplicate, Lost, Statement, Tx
from service.store.postgres import Postgres
from service.store.sqlite import Sqlite, Turnstile
from service.store.types import Day, Instant, Json, TextList, UuidList, any_of, texts
from tests.proxy import Proxy
from tests.world import World

NOW = datetime(2026, 1, 5, 8, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """A database of its own instance, beside whatever else is open on it."""
    made = database_of(settings)
    await made.open()
    yield made
    await made.close()


# -- a counter is the smallest thing that can be written: a row, guarded by the value that was read


def place() -> dict[str, Any]:
    """The key of a counter that nobody else has."""
    return {"tenant_id": uuid4(), "ledger_id": uuid4(), "kind": "item", "year": 2026}


async def put(tx: Tx, *places: dict[str, Any], value: int = 1) -> None:
    changes = Changes()
    changes.many(counters.INSERT, [{**each, "next": value} for each in places])
    await tx.apply(changes)


def puts(*places: dict[str, Any], value: int = 1) -> Callable[[Tx], Awaitable[None]]:
    async def action(tx: Tx) -> None:
        await put(tx, *places, value=value)

    return action


async def value_of(database: Database, key: dict[str, Any]) -> int | None:
    async def action(tx: Tx) -> int | None:
        row = await tx.one(counters.NEXT, **key)
        return row[0] if row else None

    return await database.read(action)


def raised(key: dict[str, Any]) -> Callable[[Tx], Awaitable[int]]:
    """Raise a counter by one; what it was before."""

    async def action(tx: Tx) -> int:
        row = await tx.one(counters.NEXT, **key)
        assert row is not None
        changes = Changes()
        changes.guard(counters.TAKE, **key, read=row[0], new_next=row[0] + 1)
        await tx.apply(changes)
        return int(row[0])

    return action


# -- whole or not at all


@pytest.mark.parametrize("rows", [1, 3], ids=["one row behind the guard", "several rows behind the guard"])
async def test_a_guard_that_finds_no_row_lets_nothing_be_stored(database: Database, rows: int) -> None:
    guarded, others = place(), [place() for _ in range(rows)]
    await database.write(puts(guarded, value=5))

    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.guard(counters.TAKE, **guarded, read=4, new_next=9)
        changes.many(counters.INSERT, [{**each, "next": 1} for each in others])
        await tx.apply(changes)

    with pytest.raises(Refused) as refused:
        await database.write(action)

    assert refused.value.code == "unavailable"
    assert await value_of(database, guarded) == 5
    assert [await value_of(database, each) for each in others] == [None] * rows


@pytest.mark.parametrize("rows", [1, 3], ids=["one row behind the guard", "several rows behind the guard"])
async def test_a_guard_that_finds_its_row_lets_everything_be_stored(database: Database, rows: int) -> None:
    guarded, others = place(), [place() for _ in range(rows)]
    await database.write(puts(guarded, value=5))

    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.guard(counters.TAKE, **guarded, read=5, new_next=9)
        changes.many(counters.INSERT, [{**each, "next": 1} for each in others])
        await tx.apply(changes)

    await database.write(action)

    assert await value_of(database, guarded) == 9
    assert [await value_of(database, each) for each in others] == [1] * rows


@pytest.mark.parametrize("rows", [1, 3], ids=["one row", "several rows"])
async def test_a_sure_write_behind_others_that_misses_a_row_undoes_them(database: Database, rows: int) -> None:
    made, guarded = place(), [place() for _ in range(rows)]
    await database.write(puts(*guarded, value=5))

    def raising(read: int) -> Callable[[Tx], Awaitable[None]]:
        async def action(tx: Tx) -> None:
            changes = Changes()
            changes.add(counters.INSERT, **made, next=1)
            reads = [*[5] * (rows - 1), read]
            changes.many(
                counters.TAKE,
                [{**each, "read": value, "new_next": 6} for each, value in zip(guarded, reads, strict=True)],
                sure=True,
            )
            await tx.apply(changes)

        return action

    with pytest.raises(Refused):
        await database.write(raising(4))
    assert await value_of(database, made) is None
    assert [await value_of(database, each) for each in guarded] == [5] * rows

    await database.write(raising(5))
    assert await value_of(database, made) == 1
    assert [await value_of(database, each) for each in guarded] == [6] * rows


async def test_what_is_read_whole_is_of_one_moment(database: Database) -> None:
    one, other = place(), place()
    await database.write(puts(one, other, value=5))
    read, written = asyncio.Event(), asyncio.Event()

    async def action(tx: Tx) -> list[Any]:
        first = await tx.one(counters.NEXT, **one)
        if isinstance(database, Postgres):
            read.set()
            await written.wait()
        second = await tx.one(counters.NEXT, **other)
        return [first, second]

    async def raised_together(tx: Tx) -> None:
        changes = Changes()
        changes.many(counters.TAKE, [{**each, "read": 5, "new_next": 6} for each in (one, other)])
        await tx.apply(changes)

    async def write() -> None:
        if isinstance(database, Postgres):
            await read.wait()
        await database.write(raised_together)
        written.set()

    found, _ = await asyncio.gather(database.read(action, whole=True), write())
    assert len({row[0] for row in found}) == 1


async def test_of_two_guards_the_second_undoes_what_the_first_did(database: Database) -> None:
    first, second = place(), place()
    await database.write(puts(first, second, value=5))

    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.guard(counters.TAKE, **first, read=5, new_next=6)
        changes.guard(counters.TAKE, **second, read=4, new_next=6)
        await tx.apply(changes)

    with pytest.raises(Refused):
        await database.write(action)

    assert await value_of(database, first) == 5


@pytest.mark.parametrize("epoch", [1, 2], ids=["as it was read", "moved meanwhile"])
async def test_a_guard_may_be_a_row_that_only_has_to_hold_still(database: Database, epoch: int) -> None:
    tenant, key = uuid4(), place()

    async def plant(tx: Tx) -> None:
        changes = Changes()
        changes.add(units.INSERT_TREE, tenant_id=tenant, epoch=1)
        await tx.apply(changes)

    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.guard(units.GUARD_TREE, tenant_id=tenant, epoch=epoch)
        changes.add(counters.INSERT, **key, next=1)
        await tx.apply(changes)

    await database.write(plant)
    if epoch == 1:
        await database.write(action)
    else:
        with pytest.raises(Refused):
            await database.write(action)

    assert await value_of(database, key) == (1 if epoch == 1 else None)


async def test_the_rows_before_one_that_is_refused_are_not_stored(database: Database) -> None:
    taken, new = place(), place()
    await database.write(puts(taken))

    with pytest.raises(Duplicate):
        await database.write(puts(new, taken))

    assert await value_of(database, new) is None


async def test_an_action_that_raises_leaves_nothing(database: Database) -> None:
    key = place()

    async def action(tx: Tx) -> None:
        row = await tx.one(counters.NEXT, **key)
        assert row is None
        raise Refused("not_found")

    with pytest.raises(Refused) as refused:
        await database.write(action)

    assert refused.value.code == "not_found"
    assert await value_of(database, key) is None


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_read_can_write_nothing(database: Database) -> None:
    key = place()

    with pytest.raises(Refused):
        await database.read(puts(key))

    assert await value_of(database, key) is None


# -- lost races


async def test_a_lost_race_is_run_again_a_bounded_number_of_times_and_then_refused(database: Database) -> None:
    runs = []

    async def action(tx: Tx) -> None:
        runs.append(tx.contended)
        raise Lost

    with pytest.raises(Refused) as refused:
        await database.write(action)

    assert refused.value.code == "unavailable"
    assert len(runs) == ATTEMPTS
    assert runs[0] is False


async def test_on_postgresql_an_action_that_runs_again_may_lock_first(database: Database, kind: str) -> None:
    runs = []

    async def action(tx: Tx) -> str:
        runs.append(tx.contended)
        if len(runs) == 1:
            raise Lost
        return "stored"

    assert await database.write(action) == "stored"
    assert runs == [False, kind == "postgresql"]


async def test_changes_of_many_at_once_are_none_of_them_lost(database: Database) -> None:
    key = place()
    await database.write(puts(key, value=0))

    async def patient() -> int:
        while True:
            try:
                return await database.write(raised(key))
            except Refused as refused:
                assert refused.code == "unavailable"

    before = await asyncio.gather(*(patient() for _ in range(40)))

    assert sorted(before) == list(range(40))
    assert await value_of(database, key) == 40


async def test_two_instances_on_one_database_lose_no_change_of_each_other(
    database: Database, settings: Settings
) -> None:
    other = database_of(settings)
    await other.open()
    key = place()
    await database.write(puts(key, value=0))

    async def patient(instance: Database) -> int:
        while True:
            try:
                return await instance.write(raised(key))
            except Refused as refused:
                assert refused.code == "unavailable"

    try:
        before = await asyncio.gather(*(patient(each) for each in (database, other) for _ in range(25)))
    finally:
        await other.close()

    assert sorted(before) == list(range(50))


# -- names of what refuses


async def test_a_duplicate_names_its_constraint(database: Database) -> None:
    key, tenant = place(), tenants.new(uuid4(), f"t-{uuid4()}", "测试县", "Asia/Shanghai", NOW)
    record = {
        "tenant_id": uuid4(), "caller": "c", "key": "k", "fingerprint": b"", "status": 200, "location": None,
        "etag": None, "body": b"", "subject_id": None, "created_at": NOW,
    }  # fmt: skip
    expected = {
        "pk_counters": (counters.INSERT, {**key, "next": 1}, {}),
        "uq_tenants_code": (tenants.INSERT, tenant, {"tenant_id": uuid4()}),
        "pk_idempotency": (idempotency.INSERT, record, {"status": 201}),
    }

    for constraint, (statement, row, different) in expected.items():

        async def action(tx: Tx, statement: Statement = statement, row: dict[str, Any] = row) -> None:
            changes = Changes()
            changes.add(statement, **row)
            await tx.apply(changes)

        await database.write(action)
        with pytest.raises(Duplicate) as duplicate:
            await database.write(lambda tx, row={**row, **different}: action(tx, row=row))
        assert duplicate.value.constraint == constraint


# -- a lock that is not to be had


@asynccontextmanager
async def somebody_at_work(settings: Settings, sql: str) -> AsyncIterator[None]:
    """Another process in the middle of a transaction that has done `sql` (SQLite: that writes anything at all)."""
    if settings.sqlite_path is not None:
        holder = sqlite3.connect(settings.sqlite_path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        return
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(sql)
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def impatient(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database that waits for a lock for a moment only."""
    if settings.sqlite_path is None:
        made: Database = Postgres(settings.database_url, pool_size=8, lock_timeout_ms=100)
    else:
        connect = sqlite.connect

        def hasty(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
            connection = connect(path, read_only=read_only)
            connection.execute("PRAGMA busy_timeout = 100")
            return connection

        monkeypatch.setattr(sqlite, "connect", hasty)
        made = Sqlite(settings.sqlite_path)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


async def test_a_lock_that_is_not_had_in_time_stops_the_write(
    database: Database, settings: Settings, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = place()
    await database.write(puts(key, value=5))

    async with impatient(settings, monkeypatch) as hurried:
        async with somebody_at_work(settings, f"UPDATE counters SET next = 7 WHERE tenant_id = '{key['tenant_id']}'"):
            with pytest.raises(Blocked if kind == "postgresql" else Refused):
                await hurried.write(raised(key))
        assert await value_of(hurried, key) is not None
        assert await hurried.write(raised(key)) == (7 if kind == "postgresql" else 5)


async def test_whoever_falls_silent_in_a_transaction_loses_what_it_holds(
    database: Database, settings: Settings, kind: str
) -> None:
    if kind != "postgresql":
        pytest.skip("with SQLite's process its transaction ends")
    key, silent = place(), Postgres(settings.database_url, pool_size=2, idle_timeout_ms=1000)
    await database.write(puts(key, value=5))
    await silent.open()
    held, written = asyncio.Event(), asyncio.Event()

    async def hold(tx: Tx) -> None:
        changes = Changes()
        changes.guard(counters.TAKE, **key, read=5, new_next=7)
        await tx.apply(changes)
        held.set()
        await written.wait()
        await tx.one(counters.NEXT, **key)

    try:
        holding = asyncio.create_task(silent.write(hold, locking=True))
        await asyncio.wait((holding, asyncio.create_task(held.wait())), return_when=asyncio.FIRST_COMPLETED)
        assert held.is_set(), "it took so long that it had fallen silent before"
        assert await database.write(raised(key)) == 5, "after a moment, and not when the lock timeout ends"
        written.set()
        with pytest.raises(Refused):
            await holding
        assert await value_of(database, key) == 6
    finally:
        written.set()
        await silent.close()


@pytest.mark.parametrize("held", ["items", "counters", "trees"])
async def test_whoever_waits_too_long_for_another_is_asked_to_come_again(
    world: World, settings: Settings, kind: str, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await world.item()
    listing = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1"}
    usual, usual_numbers = world.service.database, world.service.numbers
    world.service.numbers = type(usual_numbers)()
    try:
        async with impatient(settings, monkeypatch) as hurried:
            world.service.database = hurried
            async with somebody_at_work(settings, f"SELECT * FROM {held} FOR UPDATE"):
                if held == "items":
                    plain = await world.fire(world.admin, item["id"], "claim", signed_by="张伟")
                    keyed = await world.admin.post(
                        f"/v1/items/{item['id']}/progress", json={"text": "x"}, headers={"Idempotency-Key": "blocked"}
                    )
                else:
                    plain = await world.admin.post("/v1/items", json=listing)
                    keyed = None
            after = await world.fire(world.admin, item["id"], "claim", signed_by="张伟")
    finally:
        world.service.database, world.service.numbers = usual, usual_numbers

    assert (plain.status_code, plain.json()["code"]) == (503, "unavailable")
    assert int(plain.headers["retry-after"]) >= 1
    if keyed is not None:
        expected = (409, "idempotency_in_flight") if kind == "postgresql" else (503, "unavailable")
        assert (keyed.status_code, keyed.json()["code"]) == expected
        assert "retry-after" in keyed.headers
    assert after.status_code == 200


# -- the database away


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_with_the_server_gone_everything_is_unavailable_until_it_is_back(settings: Settings) -> None:
    proxy = Proxy(settings.database_url)
    await proxy.open()
    database = Postgres(proxy.url, pool_size=4)
    await database.open()
    key = place()
    await database.write(puts(key, value=1))

    async def cut_off(tx: Tx) -> None:
        await tx.one(counters.NEXT, **key)
        await proxy.cut()
        await put(tx, place())

    try:
        for attempt in (database.write(cut_off), database.write(raised(key)), value_of(database, key)):
            with pytest.raises(Refused) as refused:
                await attempt
            assert refused.value.code == "unavailable"
        await proxy.open()
        assert await value_of(database, key) == 1
        assert await database.write(raised(key)) == 1
    finally:
        await database.close()
        await proxy.cut()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_with_the_file_gone_reads_are_unavailable(settings: Settings, tmp_path: Path) -> None:
    assert settings.sqlite_path is not None
    there = tmp_path / "there"
    there.mkdir()
    (there / "x.db").write_bytes(settings.sqlite_path.read_bytes())
    database = Sqlite(there / "x.db")
    await database.open()
    there.rename(tmp_path / "elsewhere")

    with pytest.raises(Refused) as refused:
        await value_of(database, place())

    assert refused.value.code == "unavailable"
    await database.close()


def damage(path: Path, *pages: int) -> None:
    """Write over whole pages, counted from 0."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)


async def test_with_a_file_that_is_no_database_any_more_everything_is_unavailable(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copyfile(migrated_sqlite, tmp_path / "x.db"))
    database = Sqlite(path)
    await database.open()
    damage(path, *range(50))
    await refused_as_unavailable(value_of(database, place()))
    await refused_as_unavailable(database.write(puts(place())))
    await database.close()


async def test_a_page_that_cannot_be_read_is_unavailable_and_the_rest_goes_on(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copyfile(migrated_sqlite, tmp_path / "x.db"))
    with sqlite3.connect(path) as connection:
        roots = connection.execute("SELECT rootpage - 1 FROM sqlite_master WHERE tbl_name = 'counters'").fetchall()
    damage(path, *(page for (page,) in roots))
    database = Sqlite(path)
    await database.open()
    await refused_as_unavailable(value_of(database, place()))
    assert await database.read(lambda tx: tx.all(tenants.ALL)) == []
    await database.close()


async def refused_as_unavailable(answer: Awaitable[Any]) -> None:
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(answer, 30)
    assert refused.value.code == "unavailable"


async def test_a_file_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        await Sqlite(tmp_path / "nowhere" / "x.db").open()


# -- what is stored comes back as it was

_shelf = Table(
    "shelf",
    MetaData(),
    Column("id", Uuid(), primary_key=True),
    Column("instant", Instant),
    Column("day", Day),
    Column("json", Json),
    Column("ids", UuidList),
    Column("texts", TextList),
    Column("bytes", LargeBinary()),
    Column("text", Text()),
    Column("big", BigInteger()),
    Column("small", SmallInteger()),
)
_COLUMNS = [column.name for column in _shelf.columns if column.name != "id"]
_PUT = Statement(_shelf.insert().values({c.name: bindparam(c.name, type_=c.type) for c in _shelf.columns}))
_GET = Statement(select(*_shelf.columns).where(_shelf.c.id == bindparam("id", type_=Uuid())))
_BY_TIME = Statement(select(_shelf.c.id).where(_shelf.c.text == bindparam("text", type_=Text())).order_by("instant"))
_ANY = Statement(select(_shelf.c.id).where(any_of(_shelf.c.text, texts("wanted"))).order_by(_shelf.c.text))


@pytest.fixture
async def shelf(database: Database, settings: Settings) -> AsyncIterator[Database]:
    """A table with a column of every type in use."""
    create = str(CreateTable(_shelf).compile(dialect=database.dialect))
    await _run(settings, create)
    yield database
    await _run(settings, "DROP TABLE shelf")


async def _run(settings: Settings, sql: str) -> None:
    if settings.sqlite_path is not None:
        with sqlite3.connect(settings.sqlite_path) as connection:
            connection.execute(sql)
        connection.close()
        return
    on_postgres = await asyncpg.connect(settings.database_url)
    await on_postgres.execute(sql)
    await on_postgres.close()


async def _stored(database: Database, **values: Any) -> dict[str, Any]:
    """A row of the shelf as it comes back; what is not given is null."""
    row = {"id": uuid4(), **dict.fromkeys(_COLUMNS), **values}

    async def write(tx: Tx) -> None:
        changes = Changes()
        changes.add(_PUT, **row)
        await tx.apply(changes)

    async def read(tx: Tx) -> dict[str, Any]:
        found = await tx.one(_GET, id=row["id"])
        assert found is not None
        return dict(zip((column.name for column in _shelf.columns), found, strict=True))

    await database.write(write)
    found = await database.read(read)
    assert found["id"] == row["id"]
    return found


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("instant", NOW),
        ("instant", NOW.replace(microsecond=0)),
        ("instant", datetime(2026, 1, 5, 8, 30, 0, 1, tzinfo=timezone(timedelta(hours=8)))),
        ("instant", datetime(1949, 10, 1, tzinfo=UTC)),
        ("day", date(2026, 2, 28)),
        ("day", date(9999, 12, 31)),
        ("json", {}),
        ("json", []),
        ("json", {"a": [1, None, True, "饮水 \"'\\ \u2028"], "深": {"b": {}}, "float": 1.5, "big": 2**53}),
        ("json", "text"),
        ("json", 0),
        ("json", False),
        ("ids", []),
        ("ids", [UUID(int=0), UUID(int=2**128 - 1), uuid4()]),
        ("texts", []),
        ("texts", ["", "饮水", 'a"b', "a,b", "{}", "NULL", "null", "\\", " "]),
        ("bytes", b""),
        ("bytes", bytes(range(256))),
        ("text", ""),
        ("text", "饮水\n\t'\"; -- 🚰"),
        ("big", 2**63 - 1),
        ("big", -(2**63)),
        ("small", 511),
    ],
    ids=lambda value: str(value)[:40] if not isinstance(value, bytes) else f"{len(value)} bytes",
)
async def test_a_value_comes_back_as_it_was_and_all_others_as_null(shelf: Database, column: str, value: Any) -> None:
    found = await _stored(shelf, **{column: value})

    assert found.pop("id") is not None
    back = found.pop(column)
    if column in ("ids", "texts"):
        back = list(back)
    if column == "bytes":
        back = bytes(back)
    assert back == value
    assert type(back) is type(value)
    assert set(found.values()) == {None}


async def test_instants_sort_as_time_and_come_back_in_utc(shelf: Database) -> None:
    instants = [
        datetime(1999, 12, 31, 23, 59, tzinfo=UTC),
        NOW,
        NOW + timedelta(microseconds=1),
        # Earlier on the clock on the wall, later in time.
        datetime(2026, 1, 5, 3, 0, tzinfo=timezone(timedelta(hours=-6))),
        datetime(2026, 1, 5, 10, 0, tzinfo=UTC),
    ]
    mark = str(uuid4())
    stored = [await _stored(shelf, instant=each, text=mark) for each in reversed(instants)]

    async def action(tx: Tx) -> list[UUID]:
        return [row[0] for row in await tx.all(_BY_TIME, text=mark)]

    assert await shelf.read(action) == [row["id"] for row in reversed(stored)]
    assert {row["instant"].utcoffset() for row in stored} == {timedelta(0)}


async def test_a_list_parameter_matches_its_values_and_no_other(shelf: Database) -> None:
    rows = {text: (await _stored(shelf, text=text))["id"] for text in ("x-1", "x-2", "x-饮水", "x-'")}

    async def action(tx: Tx, wanted: list[str]) -> list[UUID]:
        return [row[0] for row in await tx.all(_ANY, wanted=wanted)]

    async def found(*wanted: str) -> set[UUID]:
        return set(await shelf.read(lambda tx: action(tx, list(wanted))))

    assert await found("x-饮水", "x-'", "x-3") == {rows["x-饮水"], rows["x-'"]}
    assert await found() == set()


# -- SQLite: the group that shares a commit


class Watched:
    """The writer's connection, its statements written down; and how its actions can be held up."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    @property
    def commits(self) -> int:
        return self.statements.count("COMMIT")

    async def hold_up(self, tx: Tx) -> None:
        """An action that occupies the writer until it may go on."""
        self.begun.set()
        assert self.go_on.wait(60)


def copied(template: Path, directory: Path) -> Path:
    return Path(shutil.copyfile(template, directory / "x.db"))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watch = Watched()
    connect = sqlite.connect

    def watching(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
        connection = connect(path, read_only=read_only)
        if not read_only:
            connection.set_trace_callback(watch.statements.append)
        return connection

    monkeypatch.setattr(sqlite, "connect", watching)
    # Time must not part what is looked at together.
    monkeypatch.setattr(sqlite, "GROUP_SECONDS", 60)
    yield watch
    watch.go_on.set()


@pytest.fixture
async def group(watched: Watched, migrated_sqlite: Path, tmp_path: Path) -> AsyncIterator[Sqlite]:
    """A SQLite database whose writer can be watched and held up."""
    made = Sqlite(copied(migrated_sqlite, tmp_path))
    await made.open()
    yield made
    watched.go_on.set()
    await made.close()


async def behind(database: Database, watched: Watched, *actions: Callable[[Tx], Awaitable[Any]]) -> list[Any]:
    """Queue the actions while the writer is busy, then let it go on; what each came to."""
    holding = asyncio.create_task(database.write(watched.hold_up))
    await asyncio.to_thread(watched.begun.wait, 60)
    waiting = [asyncio.create_task(database.write(action)) for action in actions]
    await asyncio.sleep(0)
    watched.go_on.set()
    await asyncio.gather(holding, return_exceptions=True)
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_waiting_writes_share_one_commit(group: Sqlite, watched: Watched) -> None:
    places = [place() for _ in range(20)]

    results = await behind(group, watched, *(puts(each) for each in places))

    assert results == [None] * 20
    assert watched.commits == 1
    assert [await value_of(group, each) for each in places] == [1] * 20


async def test_a_group_is_bounded(group: Sqlite, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "GROUP_SIZE", 5)

    await behind(group, watched, *(puts(place()) for _ in range(14)))

    assert watched.commits == 3


async def test_one_that_fails_takes_no_other_of_its_group_down(group: Sqlite, watched: Watched) -> None:
    good, half = [place() for _ in range(4)], place()
    taken = place()
    await group.write(puts(taken))
    before = watched.commits

    async def fails_midway(tx: Tx) -> None:
        await put(tx, half)
        raise ValueError("a mistake")

    async def wrong_statement(tx: Tx) -> None:
        await put(tx, half)
        await tx.all(Statement(select(Table("no_such_table", MetaData(), Column("x", Text())))))

    async def wrong_value(tx: Tx) -> None:
        await put(tx, {**half, "kind": object()})

    results = await behind(
        group, watched, puts(good[0]), fails_midway, puts(good[1]), puts(taken, half), wrong_statement, puts(good[2]),
        wrong_value, puts(good[3]),
    )  # fmt: skip

    assert [results[index] for index in (0, 2, 5, 7)] == [None] * 4
    assert isinstance(results[1], ValueError)
    assert isinstance(results[3], Duplicate)
    assert isinstance(results[4], sqlite3.OperationalError)
    assert isinstance(results[6], sqlite3.ProgrammingError)
    assert watched.commits == before + 1
    assert [await value_of(group, each) for each in good] == [1] * 4
    assert await value_of(group, half) is None


async def test_no_answer_leaves_before_the_groups_commit(group: Sqlite, watched: Watched) -> None:
    key, queued, done = place(), threading.Event(), threading.Event()

    async def first(tx: Tx) -> None:
        done.clear()
        # Otherwise it might be committed before there is a second.
        assert queued.wait(60)
        await put(tx, key)
        done.set()

    # The first waits in the group's transaction for the second, which holds the commit up.
    opening = asyncio.create_task(group.write(first))
    holding = asyncio.create_task(group.write(watched.hold_up))
    await asyncio.sleep(0)
    queued.set()
    await asyncio.to_thread(watched.begun.wait, 60)
    assert done.is_set()
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not opening.done()
    assert await value_of(group, key) is None
    assert watched.commits == 0

    watched.go_on.set()
    await asyncio.gather(opening, holding)
    assert watched.commits == 1
    assert await value_of(group, key) == 1


async def test_an_action_that_awaits_something_else_is_a_mistake(group: Sqlite, watched: Watched) -> None:
    key = place()

    async def action(tx: Tx) -> None:
        await put(tx, key)
        await asyncio.sleep(0)

    for attempt in (group.write(action), group.read(lambda tx: asyncio.sleep(0))):
        with pytest.raises(RuntimeError, match="awaited something other than its tx"):
            await attempt
    assert await value_of(group, key) is None
    await group.write(puts(key))


async def test_a_full_disk_fails_the_whole_group_and_the_next_goes_on(group: Sqlite, watched: Watched) -> None:
    small, next_one = [place() for _ in range(3)], place()
    limited = threading.Event()

    async def no_more_room(tx: Any) -> None:
        pages = tx._connection.execute("PRAGMA page_count").fetchone()[0]
        tx._connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        limited.set()

    async def too_big(tx: Tx) -> None:
        changes = Changes()
        changes.add(
            idempotency.INSERT, tenant_id=uuid4(), caller="c", key="k", fingerprint=b"", status=200, location=None,
            etag=None, body=bytes(10_000_000), subject_id=None, created_at=NOW,
        )  # fmt: skip
        await tx.apply(changes)

    async def room_again(tx: Any) -> None:
        tx._connection.execute("PRAGMA max_page_count = 1000000")

    results = await behind(group, watched, no_more_room, puts(small[0]), puts(small[1]), too_big)
    await group.write(room_again)

    assert limited.is_set()
    assert [getattr(result, "code", result) for result in results] == ["unavailable"] * 4
    assert [await value_of(group, each) for each in small] == [None] * 3
    await group.write(puts(next_one))
    assert await value_of(group, next_one) == 1


async def test_a_commit_that_fails_is_told_to_everyone_in_its_group(
    migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied(migrated_sqlite, tmp_path)
    connect, broken = sqlite.connect, threading.Event()

    class Broken:
        """A connection whose disk fails when it comes to the commit."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "COMMIT" and broken.is_set():
                raise sqlite3.OperationalError("disk I/O error")
            return self._connection.execute(sql, *parameters)

    def breaking(path: Path, *, read_only: bool = False) -> Any:
        connection = connect(path, read_only=read_only)
        return connection if read_only else Broken(connection)

    monkeypatch.setattr(sqlite, "connect", breaking)
    database = Sqlite(path)
    await database.open()
    places = [place() for _ in range(5)]
    try:
        broken.set()
        results = await asyncio.gather(*(database.write(puts(each)) for each in places), return_exceptions=True)
        assert [getattr(result, "code", result) for result in results] == ["unavailable"] * 5
        assert [await value_of(database, each) for each in places] == [None] * 5
        broken.clear()
        await database.write(puts(places[0]))
        assert await value_of(database, places[0]) == 1
    finally:
        await database.close()


async def test_after_the_end_nothing_waits_for_ever(migrated_sqlite: Path, tmp_path: Path) -> None:
    database = Sqlite(copied(migrated_sqlite, tmp_path))
    await database.open()
    await database.close()
    await refused_as_unavailable(database.write(puts(place())))
    await refused_as_unavailable(value_of(database, place()))


async def test_what_is_queued_while_the_writer_ends_is_answered(group: Sqlite, watched: Watched) -> None:
    holding = asyncio.create_task(group.write(watched.hold_up))
    await asyncio.to_thread(watched.begun.wait, 60)
    before = asyncio.create_task(group.write(puts(place())))
    await asyncio.sleep(0)
    closing = asyncio.create_task(group.close())
    await asyncio.sleep(0)
    behind_the_end = asyncio.create_task(group.write(puts(place())))
    await asyncio.sleep(0)
    watched.go_on.set()
    await asyncio.wait_for(asyncio.gather(holding, before, closing), 30)
    await refused_as_unavailable(behind_the_end)


async def test_a_read_sees_one_state_from_its_first_statement_to_its_last(group: Sqlite, watched: Watched) -> None:
    key = place()
    await group.write(puts(key, value=1))
    looked, written = threading.Event(), threading.Event()

    async def twice(tx: Tx) -> list[Any]:
        first = await tx.one(counters.NEXT, **key)
        looked.set()
        assert written.wait(60)
        second = await tx.one(counters.NEXT, **key)
        return [first, second]

    reading = asyncio.create_task(group.read(twice))
    await asyncio.to_thread(looked.wait, 60)
    await group.write(raised(key))
    written.set()

    assert await reading == [(1,), (1,)]
    assert await value_of(group, key) == 2


def test_who_waits_at_the_turnstile_goes_before_who_comes_back(tmp_path: Path) -> None:
    first, second = Turnstile(tmp_path / "x.db"), Turnstile(tmp_path / "x.db")
    order = []

    def wait_and_go() -> None:
        second.enter()
        order.append("the one who waited")
        second.leave()

    first.enter()
    waiting = threading.Thread(target=wait_and_go)
    waiting.start()
    gives_up = time.monotonic() + 30
    while not _held(tmp_path / "x.db.door") and time.monotonic() < gives_up:
        time.sleep(0.001)
    first.leave()
    first.enter()
    order.append("the one who came back")
    first.leave()
    waiting.join()

    assert order == ["the one who waited", "the one who came back"]


def _held(path: Path) -> bool:
    """Whether somebody holds the lock on this file."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
