"""Where a run takes place: a database of its own, filled, with keys that callers hold; and how it is taken away."""

import asyncio
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg

from bench import fill
from bench.county import Clock, County, Maker, Spot, build_units
from bench.county import items as county_items
from service import composition
from service.actions import ledgers as ledger_actions
from service.actions import tenants
from service.actions.doorkeeper import hash_key
from service.actions.service import Service, new_id
from service.settings import Settings
from service.store import keys, ledgers, migrations, units
from service.store.database import Changes, Tx
from service.workflow.access import Caller
from service.workflow.events import Actor
from service.workflow.organisation import Ledger, Unit

LEDGERS = (("default", ""), ("xunshi", "巡察整改台账"), ("huanbao", "环保督察台账"), ("minsheng", "民生实事台账"))
KEPT = Path(".cache/bench")


@dataclass(slots=True)
class Facts:
    """What is known of a filled database, kept beside it as JSON."""

    kind: str
    database: str
    items: int
    units: int
    clock: Clock
    tenant_id: str
    clerk_key: str
    claimer_key: str
    filled_in: float
    tables: str
    """A digest of the migrations that made the tables: a kept database with others is not used."""

    @property
    def tenant(self) -> UUID:
        return UUID(self.tenant_id)


@dataclass(slots=True)
class Place:
    settings: Settings
    facts: Facts
    remove: Callable[[], None]


Builder = Callable[[Unit, int, Clock], list[Spot]]


def prepare(
    kind: str,
    *,
    items: int,
    unit_count: int,
    server: str,
    keep: bool = False,
    build: Builder = build_units,
    make: Maker = county_items,
) -> Place:
    """A filled database: a kept one where there is one and `keep`, else a fresh one.

    `build` makes its units, `make` its items.
    """
    name = f"xiaohao_bench_{items}_{unit_count}" if keep else f"xiaohao_bench_{os.getpid()}"
    folder = (KEPT / f"{kind}-{items}-{unit_count}" if keep else KEPT / f"run-{os.getpid()}-{kind}").absolute()
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}")) if kind == "postgresql" else ""
    settings = Settings(database_url=url, data_dir=folder, rate_limit="", tenant_rate_limit="", workers_inside=False)
    known = folder / "facts.json"

    def remove() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        if url:
            asyncio.run(run_sql(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))

    if keep and known.exists():
        stored = json.loads(known.read_text())
        if stored["tables"] == _tables():
            return Place(settings, Facts(**{**stored, "clock": Clock(**stored["clock"])}), lambda: None)
    remove()
    folder.mkdir(parents=True)
    try:
        if url:
            asyncio.run(run_sql(server, f"CREATE DATABASE {name}"))
        migrations.upgrade(migrations.sqlalchemy_url(url, settings.sqlite_path))
        facts = asyncio.run(_fill(settings, kind, name, items, unit_count, build, make))
    except BaseException:
        remove()
        raise
    known.touch(mode=0o600)
    known.write_text(json.dumps(asdict(facts)))
    return Place(settings, facts, (lambda: None) if keep else remove)


def _tables() -> str:
    steps = sorted((migrations.PLACE / "versions").glob("*.py"))
    return hashlib.sha256(b"".join(step.read_bytes() for step in steps)).hexdigest()


async def run_sql(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def ask_sql(url: str, question: str) -> int:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return int(await connection.fetchval(question))
    finally:
        await connection.close()


async def _fill(
    settings: Settings, kind: str, name: str, items: int, unit_count: int, build: Builder, make: Maker
) -> Facts:
    now = datetime.now(UTC)
    began = time.monotonic()
    async with composition.running(settings) as service:
        founded = await tenants.found_tenant(service, code="default", name="清河县", admin_key=None, now=now)
        keys = [await _new_key(service, *who, now) for who in (("督办员", "supervisor"), ("责任单位", "responsible"))]
        clerk, claimer = [await caller(service, key) for key in keys]
        clock = Clock.ending(now, items)
        root = await _root(service, founded.tenant_id)
        county = County(
            tenant_id=founded.tenant_id,
            ledgers=await _open_ledgers(service, founded.tenant_id, root.id, now),
            spots=build(root, unit_count, clock),
            clock=clock,
            now=now,
            zone=clerk.timezone,
            clerk=Actor(clerk.principal_id, clerk.name),
            claimer=Actor(claimer.principal_id, claimer.name),
            make=make,
        )
    if settings.sqlite_path is not None:
        fill.fill_sqlite(settings.sqlite_path, county, items)
    else:
        await fill.fill_postgres(settings.database_url, county, items)
    seconds = time.monotonic() - began
    return Facts(kind, name, items, unit_count, clock, str(founded.tenant_id), keys[0], keys[1], seconds, _tables())


async def new_admin_key(place: Place) -> str:
    """The key of another admin: the first one's was not kept."""
    async with composition.running(place.settings) as service:
        return await _new_key(service, "管理员", "admin", datetime.now(UTC))


async def _new_key(service: Service, name: str, role: str, now: datetime) -> str:
    key = await tenants.create_key(service, tenant="default", principal=name, role=role, unit_code="root", now=now)
    return key or ""


async def caller(service: Service, key: str) -> Caller:
    async def action(tx: Tx) -> Caller:
        found = await keys.caller(tx, hash_key(key))
        if found is None:
            raise LookupError("the key that was just made is not there")
        return found

    return await service.read(action)


async def _root(service: Service, tenant_id: UUID) -> Unit:
    async def action(tx: Tx) -> Unit:
        named = (await tx.all(units.NAMED, tenant_id=tenant_id, unit_ids=[], codes=["root"]))[0]
        row = await tx.one(units.SEEN.plain, tenant_id=tenant_id, unit_id=named[0], scope=[named[0]])
        return Unit(*(row or ()))

    return await service.read(action)


async def _open_ledgers(service: Service, tenant_id: UUID, root: UUID, now: datetime) -> list[Ledger]:
    async def action(tx: Tx) -> list[Ledger]:
        first = await ledgers.by_code(tx, tenant_id, "default")
        if first is None:
            raise LookupError("a new tenant has a ledger")
        opened, changes = [first], Changes()
        for code, title in LEDGERS[1:]:
            ledger = Ledger(new_id(), code, title, root, "any", first.policy, 1, 1, now, now)
            ledger_actions.store(changes, tenant_id, ledger)
            opened.append(ledger)
        await tx.apply(changes)
        return opened

    return await service.database.write(action)
