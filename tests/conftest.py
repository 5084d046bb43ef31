"""What every test can have: a fresh, migrated database of either kind, and the real application on top of it.

Nothing is mocked. A module's tests share one database of each kind; it is dropped when the module is done.
"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from service import composition
from service.settings import Settings
from service.store import migrations
from tests.plugins.postgres import PostgresUnavailable, postgres_server, with_database
from tests.world import World

for name in [name for name in os.environ if name.startswith("XIAOHAO_")]:
    # Settings of whoever runs the tests must not decide whether they pass.
    del os.environ[name]

FULL = os.environ.get("TEST_SIZE") == "full"
"""Whether the tests run at their full size (`make soak`)."""

KINDS = ("sqlite", "postgresql")

UNLIMITED: dict[str, Any] = {"rate_limit": "", "tenant_rate_limit": "", "workers_inside": False}
"""Tests ask faster than people do, and turn the clock themselves; those about limits and workers set their own."""


@pytest.fixture(scope="session", autouse=True)
def collected_less() -> None:
    """As where it runs: what is imported by now stays, and need not be walked through again and again."""
    composition.collect_less()


@pytest.fixture(scope="session")
def full() -> bool:
    return FULL


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    migrations.upgrade(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The maintenance database of a PostgreSQL server; skips, saying why, where none can be had."""
    try:
        return postgres_server()
    except PostgresUnavailable as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[str]:
    """The name of a migrated, empty PostgreSQL database, to be used as a template."""
    name = fresh_name()
    asyncio.run(run_sql(postgres_url, f"CREATE DATABASE {name}"))
    url = with_database(postgres_url, name)
    migrations.upgrade(migrations.sqlalchemy_url(url, None))
    yield name
    asyncio.run(run_sql(postgres_url, f"DROP DATABASE {name} WITH (FORCE)"))


def fresh_name() -> str:
    return f"xiaohao_test_{os.getpid()}_{os.urandom(5).hex()}"


async def run_sql(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each test that asks for a database runs on both."""
    return str(request.param)


@pytest.fixture(scope="module")
def settings(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a service on a fresh, migrated database that nobody else uses."""
    data_dir = tmp_path_factory.mktemp("data")
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), data_dir / "xiaohao.db")
        yield Settings(data_dir=data_dir, **UNLIMITED)
        return
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("migrated_postgres")
    name = fresh_name()
    asyncio.run(run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield Settings(data_dir=data_dir, database_url=with_database(server, name), pool_size=8, **UNLIMITED)
    asyncio.run(run_sql(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    """The running application with a small county in it (see tests/world.py)."""
    async with World.running(settings) as world:
        yield world
