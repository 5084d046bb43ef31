"""All that a service holds, as text to look for words in: every row, the search index, SQLite's file itself, and files
that were uploaded."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from service.settings import Settings


async def stored(settings: Settings) -> dict[str, str]:
    """By table. Bytes are read as text where they are any, and stand there in hex as well."""
    files = await asyncio.to_thread(_files, settings)
    if settings.sqlite_path is None:
        return await _postgresql(settings.database_url) | files
    return _sqlite(settings.sqlite_path) | files


def _files(settings: Settings) -> dict[str, str]:
    assert settings.blobs_path is not None
    paths = [path for path in settings.blobs_path.rglob("*") if path.is_file()]
    return {"the files": "\n".join(path.read_bytes().decode(errors="replace") for path in paths)}


async def _postgresql(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = {name: await connection.fetch(f'SELECT t::text FROM "{name}" t') for (name,) in names}
    finally:
        await connection.close()
    return {name: "\n".join(row[0] for row in found) for name, found in rows.items()}


def _sqlite(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        # What is only in the log of writes is no part of the file yet.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    return {name: "\n".join(map(_shown, found)) for name, found in rows.items()} | {
        "the file itself": path.read_bytes().decode(errors="replace")
    }


def _shown(row: tuple[object, ...]) -> str:
    return " ".join(
        f"{each.decode(errors='replace')} {each.hex()}" if isinstance(each, bytes) else str(each) for each in row
    )


def places(found: dict[str, str], word: str) -> set[str]:
    """The tables that hold a word, in any of the forms in which it may stand there."""
    forms = (word, word.encode().hex(), json.dumps(word).strip('"'))
    return {name for name, text in found.items() if any(form in text for form in forms)}
