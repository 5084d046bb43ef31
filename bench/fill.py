"""Filling a fresh database: straight into the tables, by COPY on PostgreSQL, in one transaction on SQLite.

Rows are those that the service would have written, but for history: each item has the event of its listing only, and
every event counts as sequenced. Indexes that are no constraint are made afterwards, as a restore would do.
"""

import json
import multiprocessing
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench.county import County, Filled
from service.store import counters, events, interviews, timers, units
from service.store import items as item_store
from service.store.search import searched_text
from service.store.sqlite import DIALECT, connect
from service.workflow.bigrams import grams

BATCH = 2_500

Row = dict[str, Any]
Records = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
"""By table: its columns, and the rows as the driver takes them."""

INSERTS = {
    "units": units.INSERT,
    "items": item_store.INSERT,
    "events": events.INSERT,
    "interviews": interviews.INSERT,
    "timers": timers.INSERT,
    "counters": counters.INSERT,
}


def _unit_rows(county: County) -> dict[str, list[Row]]:
    tenant_id = county.tenant_id
    return {
        "units": [{"tenant_id": tenant_id, **_values(spot.unit)} for spot in county.spots[1:]],
        "ancestors": [
            {"tenant_id": tenant_id, "unit_id": spot.unit.id, "distance": distance, "ancestor_id": ancestor}
            for spot in county.spots[1:]
            for distance, ancestor in enumerate(spot.line)
        ],
    }


def _counter_rows(county: County, count: int) -> dict[str, list[Row]]:
    years = {county.clock.at(n).astimezone(county.zone).year for n in (0, count // 2, count - 1)}
    years.add(county.today.year)
    return {
        "counters": [
            {"tenant_id": county.tenant_id, "ledger_id": ledger.id, "kind": "item", "year": year, "next": count + 1}
            for ledger in county.ledgers
            for year in years
        ]
    }


def _item_rows(tenant_id: UUID, batch: list[Filled], first: int) -> dict[str, list[Row]]:
    texts = [searched_text(filled.item) for filled in batch]
    return {
        "items": [item_store.insert_params(tenant_id, filled.item) for filled in batch],
        "events": [{"tenant_id": tenant_id, **_values(filled.event)} for filled in batch],
        "interviews": [interviews.params(tenant_id, each.interview) for each in batch if each.interview],
        "timers": [timers.row(tenant_id, each.item, each.look_at) for each in batch if each.look_at],
        "worklist": [
            {
                "tenant_id": tenant_id, "ref": ref, "unit_id": unit, "kind": kind, "due": due,
                "relation": relation, "item_id": each.item.id,
            }
            for each in batch
            for ref, kind, due in each.pieces
            for unit, relation in each.work
        ],
        "search_texts": [
            {"serial": serial, "tenant_id": tenant_id, "item_id": each.item.id, "text": text, "grams": grams(text)}
            for serial, (each, text) in enumerate(zip(batch, texts, strict=True), first + 1)
        ],
    }  # fmt: skip


def _values(value: Any) -> Row:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


# -- made by several processes, a few thousand items at a time

_county: County


def _make(kind: str, numbers: range) -> Records:
    rows = _item_rows(_county.tenant_id, list(_county.make(_county, numbers)), numbers.start)
    return FORMS[kind](rows)


def _records(kind: str, county: County, count: int) -> Iterator[Records]:
    """Units first, counters last; never more in memory than the processes are ahead."""
    global _county
    _county = county
    yield FORMS[kind](_unit_rows(county))
    processes = os.cpu_count() or 1
    chunks = [range(first, min(first + BATCH, count)) for first in range(0, count, BATCH)]
    began, done = time.monotonic(), 0
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        ahead: deque[Any] = deque()
        for chunk in chunks:
            ahead.append(pool.apply_async(_make, (kind, chunk)))
            if len(ahead) > processes * 2:
                yield ahead.popleft().get()
                done += BATCH
                if done % 50_000 == 0:
                    print(f"  {done:,} of {count:,} items, {time.monotonic() - began:.0f} s", file=sys.stderr)
        while ahead:
            yield ahead.popleft().get()
    yield FORMS[kind](_counter_rows(county, count))


# -- PostgreSQL

SECONDARY = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
  AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)"""
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace"""
STAGED = "CREATE TEMPORARY TABLE staged (tenant_id uuid, item_id uuid, text text, grams text[])"
INDEXED = "INSERT INTO search_texts SELECT tenant_id, item_id, text, array_to_tsvector(grams) FROM staged"


def _for_postgres(tables: dict[str, list[Row]]) -> Records:
    """As COPY takes them; search texts go through a staging table, which makes their tsvector."""
    made: Records = {}
    for table, rows in tables.items():
        if rows:
            name = "staged" if table == "search_texts" else table
            columns = [column for column in rows[0] if column != "serial"]
            made[name] = (columns, [tuple(_copied(row[column]) for column in columns) for row in rows])
    return made


def _copied(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if type(value) is dict else value


async def fill_postgres(url: str, county: County, count: int) -> None:
    made = _records("postgresql", county, count)
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off", "jit": "off"})
    try:
        indexes, keys = await connection.fetch(SECONDARY), await connection.fetch(FOREIGN_KEYS)
        for table, name, _ in keys:
            await connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            await connection.execute(f"DROP INDEX {name}")
        await connection.execute(STAGED)
        for tables in made:
            for table, (columns, records) in tables.items():
                await connection.copy_records_to_table(table, records=records, columns=columns)
            if "staged" in tables:
                await connection.execute(INDEXED)
                await connection.execute("TRUNCATE staged")
        await connection.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            await connection.execute(definition)
        for table, name, definition in keys:
            await connection.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


# -- SQLite

PLAIN = {
    "ancestors": "INSERT INTO ancestors (tenant_id, unit_id, distance, ancestor_id) VALUES (?, ?, ?, ?)",
    "worklist": "INSERT INTO worklist (tenant_id, ref, unit_id, kind, due, relation, item_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)",
    "search_texts": "INSERT INTO search_texts (serial, tenant_id, item_id, text) VALUES (?, ?, ?, ?)",
    "search_words": "INSERT INTO search_words (rowid, words) VALUES (?, ?)",
}


def _for_sqlite(tables: dict[str, list[Row]]) -> Records:
    made: Records = {}
    for table, rows in tables.items():
        if table in INSERTS:
            form = INSERTS[table].form(DIALECT)
            made[table] = ([], [tuple(form.arguments(row)) for row in rows])
        elif table == "search_texts":
            made["search_words"] = ([], [(row["serial"], " ".join(row.pop("grams"))) for row in rows])
            made[table] = ([], [tuple(map(_stored, row.values())) for row in rows])
        else:
            made[table] = ([], [tuple(map(_stored, row.values())) for row in rows])
    return made


def _stored(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else str(value) if hasattr(value, "year") else value


def fill_sqlite(path: Path, county: County, count: int) -> None:
    made = _records("sqlite", county, count)
    tables = next(made)
    connection = connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA cache_size = -1048576")
    try:
        connection.execute("BEGIN IMMEDIATE")
        listed = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        indexes = connection.execute(listed).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        while tables:
            for table, (_, records) in tables.items():
                text = INSERTS[table].form(DIALECT).text if table in INSERTS else PLAIN[table]
                connection.executemany(text, records)
            tables = next(made, {})
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


FORMS = {"postgresql": _for_postgres, "sqlite": _for_sqlite}
