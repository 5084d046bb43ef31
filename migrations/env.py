"""How Alembic reaches the database: from code with a URL, or from the command line with the service's settings."""

import asyncio
from typing import Any

from alembic import context
from sqlalchemy import ARRAY, Connection, Uuid, create_engine, event, pool, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from service import settings
from service.store import (  # noqa: F401  (importing them is what fills the metadata)
    calendars,
    counters,
    deliveries,
    events,
    figures,
    firings,
    grants,
    idempotency,
    interviews,
    issuers,
    items,
    keyring,
    keys,
    lanes,
    ledgers,
    log,
    notices,
    principals,
    progress,
    replans,
    requests,
    tenants,
    timers,
    units,
    webhooks,
    worklist,
)
from service.store.migrations import sqlalchemy_url
from service.store.sqlite import write_ahead
from service.store.types import Day, Instant, Json

LOCK = 7_209_311

WAIT_SECONDS = 30
"""For another process that brings the same SQLite file to the present tables."""

NAMES = {id(Instant): "INSTANT", id(Day): "DAY", id(Json): "JSON"}


def url() -> str:
    given = context.config.attributes.get("url")
    if given:
        return str(given)
    present = settings.load()
    return sqlalchemy_url(present.database_url, present.sqlite_path)


def own_table(table: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """The search tables differ by database and are written by hand: they are none of autogenerate's business."""
    return not (kind == "table" and (name or "").startswith(("search_", "alembic_")))


def render_item(kind: str, item: Any, autogen_context: Any) -> Any:
    """Our types by the names that every migration defines for itself."""
    if kind != "type":
        return False
    if isinstance(item, ARRAY):
        return "UUIDS" if isinstance(item.item_type, Uuid) else "TEXTS"
    if isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.Text()"
    return NAMES.get(id(item), False)


def run(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        include_object=own_table,
        render_item=render_item,
        render_as_batch=sqlite,
        compare_type=True,
        # Without this a step that fails on SQLite stays half-applied.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if not sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


def run_on_sqlite(address: str) -> None:
    engine = create_engine(address, poolclass=pool.NullPool)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        # The driver must not open transactions of its own; ours is opened below.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
        write_ahead(connection, WAIT_SECONDS)

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        run(connection)
        connection.commit()


async def run_on_postgresql(address: str) -> None:
    engine = create_async_engine(address, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


address = url()
if address.startswith("sqlite"):
    run_on_sqlite(address)
else:
    asyncio.run(run_on_postgresql(address))
