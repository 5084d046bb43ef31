"""What a test with a server of its own needs: a fresh, migrated database that no other test has."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests.conftest import UNLIMITED, fresh_name, run_sql
from tests.plugins.postgres import with_database
from tests.servers import Server


@pytest.fixture
def own_settings(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a service on a database that this test alone uses."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), data_dir / "xiaohao.db")
        yield Settings(data_dir=data_dir, **UNLIMITED)
        return
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("migrated_postgres")
    name = fresh_name()
    asyncio.run(run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield Settings(data_dir=data_dir, database_url=with_database(server, name), pool_size=8, **UNLIMITED)
    asyncio.run(run_sql(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def server(own_settings: Settings, tmp_path: Path) -> Iterator[Server]:
    """A server on that database with its workers inside, not started yet; ended with the test."""
    made = Server(own_settings, tmp_path / "home", workers_inside="true")
    yield made
    made.kill()
