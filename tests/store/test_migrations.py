"""Migrations, on both databases: up from nothing, down to nothing, no drift, whole or not at all, safe to run twice."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, ForeignKeyConstraint, Index, Table, UniqueConstraint, create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import service.app  # noqa: F401  (importing it is what fills the metadata)
from service.composition import database_of
from service.settings import Settings
from service.store import migrations
from tests.conftest import fresh_name, run_sql
from tests.plugins.postgres import with_database
from tests.servers import ROOT

WITHOUT_A_TENANT = {"credentials", "key_fingerprints", "trusted_issuers"}
"""Look-up tables: asked before the tenant is known, or the installation's own."""

UNIQUE_ACROSS_TENANTS = {"uq_tenants_code"}
"""A tenant's code is what it is found by."""

TABLES = set(SQLModel.metadata.tables)


@pytest.fixture
def empty(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a service on a database without any table."""
    if kind == "sqlite":
        yield Settings(data_dir=tmp_path)
        return
    yield from on_postgresql(request.getfixturevalue("postgres_url"), tmp_path)


@pytest.fixture
def migrated(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """The same on a copy of one that was upgraded from nothing."""
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "xiaohao.db")
        yield Settings(data_dir=tmp_path)
        return
    template = request.getfixturevalue("migrated_postgres")
    yield from on_postgresql(request.getfixturevalue("postgres_url"), tmp_path, f"TEMPLATE {template}")


def on_postgresql(server: str, data_dir: Path, *options: str) -> Iterator[Settings]:
    name = fresh_name()
    asyncio.run(run_sql(server, " ".join(("CREATE DATABASE", name, *options))))
    yield Settings(data_dir=data_dir, database_url=with_database(server, name))
    asyncio.run(run_sql(server, f"DROP DATABASE {name} WITH (FORCE)"))


def url_of(settings: Settings) -> str:
    return migrations.sqlalchemy_url(settings.database_url, settings.sqlite_path)


def rows(settings: Settings, on_sqlite: str, on_postgresql: str) -> list[tuple[Any, ...]]:
    if settings.sqlite_path is not None:
        connection = sqlite3.connect(settings.sqlite_path)
        try:
            return connection.execute(on_sqlite).fetchall()
        finally:
            connection.close()

    async def fetch() -> list[tuple[Any, ...]]:
        postgres = await asyncpg.connect(settings.database_url)
        try:
            return [tuple(row) for row in await postgres.fetch(on_postgresql)]
        finally:
            await postgres.close()

    return asyncio.run(fetch())


def names(settings: Settings) -> set[str]:
    """Every table, index and sequence that is there."""
    found = rows(
        settings,
        "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace",
    )
    return {str(row[0]) for row in found}


def versions(settings: Settings) -> list[str]:
    query = "SELECT version_num FROM alembic_version"
    return [str(row[0]) for row in rows(settings, query, query)]


def test_an_upgrade_makes_every_table_from_nothing(empty: Settings) -> None:
    migrations.upgrade(url_of(empty))

    assert names(empty) >= TABLES | {"search_texts", "alembic_version"}
    assert versions(empty) == [migrations.head()]


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(migrated: Settings) -> None:
    before = names(migrated)

    migrations.upgrade(url_of(migrated))

    assert names(migrated) == before
    assert versions(migrated) == [migrations.head()]


def test_a_downgrade_to_the_base_leaves_only_alembics_own_table(migrated: Settings) -> None:
    migrations.downgrade(url_of(migrated), "base")

    assert names(migrated) <= {"alembic_version", "alembic_version_pkc"}
    assert versions(migrated) == []
    migrations.upgrade(url_of(migrated))
    assert versions(migrated) == [migrations.head()]


def test_the_tables_are_those_that_the_code_declares(migrated: Settings) -> None:
    assert differences(migrated) == []


def test_a_column_that_nobody_declared_is_seen_as_drift(migrated: Settings) -> None:
    change(migrated, "ALTER TABLE items ADD COLUMN stray INTEGER")

    assert [found[0] for found in differences(migrated)] == ["remove_column"]


def change(settings: Settings, sql: str) -> None:
    if settings.sqlite_path is None:
        asyncio.run(run_sql(settings.database_url, sql))
        return
    with sqlite3.connect(settings.sqlite_path) as connection:
        connection.execute(sql)
    connection.close()


def differences(settings: Settings) -> list[Any]:
    """What a new migration would contain."""

    def compare(connection: Connection) -> list[Any]:
        def own(table: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
            return not (kind == "table" and (name or "").startswith(("search_", "alembic_")))

        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": own})
        return list(compare_metadata(context, SQLModel.metadata))

    if settings.sqlite_path is not None:
        engine = create_engine(url_of(settings))
        try:
            with engine.connect() as connection:
                return compare(connection)
        finally:
            engine.dispose()

    async def on_postgresql() -> list[Any]:
        engine = create_async_engine(url_of(settings))
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(compare)
        finally:
            await engine.dispose()

    return asyncio.run(on_postgresql())


# -- whole or not at all


@pytest.fixture
def another_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations with one step more, which fails after it has done half its work."""
    place = tmp_path / "migrations"
    shutil.copytree(migrations.PLACE, place, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "versions" / "9999_fails.py").write_text(
        textwrap.dedent(f'''
            """Half done."""

            import sqlalchemy as sa
            from alembic import op

            revision = "9999"
            down_revision = "{migrations.head()}"


            def upgrade() -> None:
                op.create_table("half", sa.Column("id", sa.Integer(), primary_key=True))
                with op.batch_alter_table("tenants") as tenants:
                    tenants.add_column(sa.Column("half", sa.Integer()))
                op.execute("INSERT INTO half (id) VALUES (1)")
                raise RuntimeError("the power fails")


            def downgrade() -> None:
                op.execute("UPDATE alembic_version SET version_num = 'half'")
                raise RuntimeError("the power fails")
        ''')
    )
    monkeypatch.setattr(migrations, "PLACE", place)
    return place


def test_a_step_that_fails_midway_leaves_nothing_of_itself(migrated: Settings, another_step: Path) -> None:
    present = str(migrations.head())
    before, schema = names(migrated), tenants_columns(migrated)

    with pytest.raises(RuntimeError, match="the power fails"):
        migrations.upgrade(url_of(migrated))

    assert names(migrated) == before
    assert tenants_columns(migrated) == schema
    assert versions(migrated) == [present]
    assert differences(migrated) == []


def test_an_upgrade_whose_last_step_fails_leaves_nothing_of_the_steps_before(
    empty: Settings, another_step: Path
) -> None:
    with pytest.raises(RuntimeError, match="the power fails"):
        migrations.upgrade(url_of(empty))

    assert names(empty) <= {"alembic_version", "alembic_version_pkc"}


def tenants_columns(settings: Settings) -> list[str]:
    found = rows(
        settings,
        "SELECT name FROM pragma_table_info('tenants')",
        "SELECT attname FROM pg_attribute WHERE attrelid = 'tenants'::regclass AND attnum > 0 AND NOT attisdropped",
    )
    return [str(row[0]) for row in found]


# -- at the same time


def test_two_processes_that_upgrade_at_once_both_succeed(empty: Settings) -> None:
    code = (
        # All that the migrations import, so that both begin at once.
        "import sys, service.composition; from service.store import migrations\n"
        "print('ready', flush=True); sys.stdin.read(); migrations.upgrade(sys.argv[1])"
    )
    environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), "HOME": str(empty.data_dir)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, url_of(empty)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=empty.data_dir,
        )
        for _ in range(2)
    ]
    try:
        for process in processes:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
            process.stdin = None
        results = [(process.communicate(timeout=120)[1], process.returncode) for process in processes]
    finally:
        for process in processes:
            process.kill()

    assert [(status, output.decode()[-2000:]) for output, status in results] == [(0, "")] * 2
    assert versions(empty) == [migrations.head()]
    assert differences(empty) == []


# -- is it at head?


async def test_a_database_is_at_head_after_the_upgrade_and_not_before_its_last_step(settings: Settings) -> None:
    database = database_of(settings)
    await database.open()
    try:
        assert await migrations.at_head(database)
        await _set_version(settings, "0000")
        assert not await migrations.at_head(database)
    finally:
        await _set_version(settings, str(migrations.head()))
        await database.close()


async def _set_version(settings: Settings, version: str) -> None:
    sql = f"UPDATE alembic_version SET version_num = '{version}'"
    if settings.sqlite_path is None:
        await run_sql(settings.database_url, sql)
        return
    with sqlite3.connect(settings.sqlite_path) as connection:
        connection.execute(sql)
    connection.close()


# -- names and keys, as the code declares them

every_table = pytest.mark.parametrize("table", SQLModel.metadata.tables.values(), ids=str)


@every_table
def test_every_constraint_and_index_has_a_name(table: Table) -> None:
    nameless = [each for each in (*table.constraints, *table.indexes) if not each.name]

    assert nameless == []


@every_table
def test_names_say_what_they_are_and_fit_into_what_postgresql_keeps(table: Table) -> None:
    prefixes = {UniqueConstraint: "uq_", ForeignKeyConstraint: "fk_", CheckConstraint: "ck_"}
    for each in table.constraints:
        assert str(each.name).startswith(prefixes.get(type(each), "pk_")), each.name
    for each in table.indexes:
        assert str(each.name).startswith("uq_" if each.unique else "ix_"), each.name
    assert [each.name for each in (*table.constraints, *table.indexes) if len(str(each.name)) > 63] == []


def test_every_constraint_in_the_database_has_the_name_that_the_code_gave_it(settings: Settings) -> None:
    found = rows(
        settings,
        # SQLite keeps no names but in its text; an index of its own making is a key that nobody named.
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL",
        "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
    )
    expected = {
        str(each.name)
        for table in SQLModel.metadata.tables.values()
        for each in table.constraints
        if not isinstance(each, Index)
    }
    if settings.sqlite_path is not None:
        text = "\n".join(row[0] for row in found)
        assert {name for name in expected if f"CONSTRAINT {name} " not in text} == set()
    else:
        own = {"alembic_version_pkc", "pk_search_texts"}
        assert {str(row[0]) for row in found} == expected | own


@every_table
def test_the_tenant_leads_every_key_of_its_tables(table: Table) -> None:
    keys = [table.primary_key, *(each for each in table.constraints if isinstance(each, UniqueConstraint))]
    keys += [each for each in table.indexes if each.unique]
    strangers = [key.name for key in keys if next(iter(key.columns)).name != "tenant_id"]

    if table.name in WITHOUT_A_TENANT:
        assert strangers == [table.primary_key.name]
    else:
        assert set(strangers) <= UNIQUE_ACROSS_TENANTS


@every_table
def test_the_tenant_leads_every_foreign_key_on_both_sides(table: Table) -> None:
    for each in table.foreign_key_constraints:
        assert [each.column_keys[0], each.elements[0].column.name] == ["tenant_id", "tenant_id"], each.name
        assert each.ondelete is None
    if table.name in WITHOUT_A_TENANT:
        assert not table.foreign_key_constraints


def test_the_tenant_leads_the_keys_of_the_search_tables_too(settings: Settings) -> None:
    found = rows(
        settings,
        "SELECT info.name FROM pragma_index_list('search_texts') AS list, pragma_index_info(list.name) AS info"
        ' WHERE list."unique" AND info.seqno = 0',
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
        " WHERE indrelid = 'search_texts'::regclass AND indisunique",
    )

    assert found == [("tenant_id",)]
