"""A SQLite file is turned to its write-ahead log, whoever else is about it."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from service.store.sqlite import write_ahead


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that has no write-ahead log yet."""
    path = tmp_path / "new.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    return path


def impatient(path: Path) -> sqlite3.Connection:
    """For whom SQLite waits no moment, as it does where two turn a file at once."""
    return sqlite3.connect(path, isolation_level=None, timeout=0)


def reading(path: Path) -> sqlite3.Connection:
    """In the middle of a read, so that nobody else can turn the file; ended from any thread."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM t").fetchall()
    return connection


def test_it_waits_for_whoever_is_reading(path: Path) -> None:
    with closing(reading(path)) as other, closing(impatient(path)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            connection.execute("PRAGMA journal_mode = WAL")
        threading.Timer(0.1, other.rollback).start()
        write_ahead(connection)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_it_does_not_wait_for_ever(path: Path) -> None:
    locked = pytest.raises(sqlite3.OperationalError, match="locked")
    with closing(reading(path)), closing(impatient(path)) as connection, locked:
        write_ahead(connection, within=0.05)


def test_what_is_no_database_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_bytes(b"no database" * 100)
    with closing(impatient(path)) as connection, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        write_ahead(connection)
