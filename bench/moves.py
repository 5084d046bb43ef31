"""`python -m bench.moves`: move a subtree of 400 units with 100,000 items, to and fro, while others read and list.

Two readers, one on the town that gives and one on the town that takes, count what they see over and over; every answer
must be of before a move or of after it. A clerk lists items into the subtree meanwhile, and waits while it moves.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from bench import place, server
from bench.__main__ import POSTGRES, _no_postgres
from bench.county import Clock, Spot, made_id
from bench.report import percentile
from service import composition
from service.actions import tenants
from service.settings import Settings
from service.workflow.organisation import Unit
from service.workflow.states import Level

UNITS = 400
ROUNDS = 6
PAUSE = 0.5
"""Seconds between two moves."""


def build(root: Unit, units: int, clock: Clock) -> list[Spot]:
    """The root, two zones and a town beside them; below the first zone the town that moves, with its villages."""
    spots = [Spot(root, (root.id,))]

    def add(code: str, parent: Spot, level: str) -> Spot:
        unit_id = made_id(clock.start_ms, len(spots), 4)
        unit = Unit(unit_id, code, code, parent.unit.id, level, True, 1, clock.at(0), clock.at(0))
        spots.append(Spot(unit, (unit_id, *parent.line)))
        return spots[-1]

    gives = add("gives", spots[0], Level.OTHER)
    add("takes", spots[0], Level.OTHER)
    add("beside", spots[0], Level.TOWN)
    moves = add("moves", gives, Level.TOWN)
    for number in range(units - 1):
        add(f"v{number}", moves, Level.VILLAGE)
    return spots


@dataclass
class Seen:
    """What one reader was told, and how long it waited for it, in seconds; `rests` is what it counts between moves."""

    client: httpx.AsyncClient
    totals: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    rests: list[int] = field(default_factory=list)

    async def count(self) -> int:
        return int((await _get(self.client, "/v1/items", include="total", limit=1))["total"])


@dataclass
class Run:
    """How long moves took and others waited, in seconds; `mixed` are answers that no moment can give."""

    readers: list[Seen]
    moves: list[float] = field(default_factory=list)
    listings: list[float] = field(default_factory=list)
    refused: int = 0
    mixed: int = 0
    items: int = 0


async def measure(settings: Settings, port: int, admin_key: str) -> Run:
    keys = [await _key(settings, role, unit) for role, unit in (("viewer", "gives"), ("viewer", "takes"))]
    done = asyncio.Event()
    async with _client(port, admin_key) as admin, _client(port, keys[0]) as gives, _client(port, keys[1]) as takes:
        run = Run([Seen(gives), Seen(takes)])
        unit = (await _get(admin, "/v1/units", q="moves"))["items"][0]["id"]
        run.items = (await _get(admin, "/v1/items", unit="moves", include="total", limit=1))["total"]
        await asyncio.gather(
            _move(admin, unit, run, done),
            *(_read(seen, run, done) for seen in run.readers),
            _list(admin, run, done),
        )
    return run


async def _key(settings: Settings, role: str, unit: str) -> str:
    async with composition.running(settings) as service:
        made = await tenants.create_key(
            service, tenant="default", principal=f"{role} {unit}", role=role, unit_code=unit, now=datetime.now(UTC)
        )
    return made or ""


def _client(port: int, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False
    )


async def _get(client: httpx.AsyncClient, path: str, **params: Any) -> Any:
    return (await client.get(path, params=params)).raise_for_status().json()


async def _move(admin: httpx.AsyncClient, unit: str, run: Run, done: asyncio.Event) -> None:
    try:
        for number in range(ROUNDS):
            await _rest(run)
            present = await admin.get(f"/v1/units/{unit}")
            body = {"parent": ("takes", "gives")[number % 2]}
            began = time.perf_counter()
            answer = await admin.patch(f"/v1/units/{unit}", json=body, headers={"If-Match": present.headers["etag"]})
            run.moves.append(time.perf_counter() - began)
            answer.raise_for_status()
        await _rest(run)
    finally:
        done.set()


async def _rest(run: Run) -> None:
    await asyncio.sleep(PAUSE)
    for seen in run.readers:
        seen.rests.append(await seen.count())


async def _read(seen: Seen, run: Run, done: asyncio.Event) -> None:
    """The count of the subtree, and the units below: all of it, or nothing of it but what came from elsewhere."""
    while not done.is_set():
        began = time.perf_counter()
        total = await seen.count()
        seen.waits.append(time.perf_counter() - began)
        seen.totals[total] += 1
        units = len((await _get(seen.client, "/v1/units", level="village", limit=200))["items"])
        run.mixed += units not in (0, 200)
        await asyncio.sleep(0.05)


async def _list(admin: httpx.AsyncClient, run: Run, done: asyncio.Event) -> None:
    number = 0
    while not done.is_set():
        body = {"ledger": "default", "title": f"路灯不亮 {number}", "responsible_unit": f"v{number % (UNITS - 1)}"}
        began = time.perf_counter()
        answer = await admin.post("/v1/items", json=body)
        run.listings.append(time.perf_counter() - began)
        if answer.status_code == 503:
            run.refused += 1
        else:
            answer.raise_for_status()
        number += 1
        await asyncio.sleep(0.02)


def judge(run: Run) -> None:
    """Count the totals that no moment can give. Without the subtree a reader counts always the same; listings add."""
    for seen in run.readers:
        for total, count in seen.totals.items():
            whole = _whole(seen) - len(run.listings) <= total <= _whole(seen) + len(run.listings)
            run.mixed += 0 if whole or total == min(seen.rests) else count


def _whole(seen: Seen) -> int:
    return max(seen.rests)


def report(kind: str, run: Run) -> str:
    reads = [wait for seen in run.readers for wait in seen.waits]
    without = sum(seen.totals[min(seen.rests)] for seen in run.readers)
    cells = (
        kind,
        f"{run.items:,}",
        ", ".join(f"{each:.2f}" for each in run.moves),
        f"{len(reads) - without - run.mixed:,} + {without:,}",
        f"{run.mixed}",
        f"{percentile(reads, 0.5) * 1000:.0f} / {max(reads) * 1000:.0f}",
        f"{len(run.listings):,} ({run.refused})",
        f"{percentile(run.listings, 0.5) * 1000:.0f} / {max(run.listings) * 1000:.0f}",
    )
    return f"| {' | '.join(cells)} |"


HEADING = (
    f"A subtree of {UNITS} units moves from one parent to another and back, {ROUNDS} times.\n\n"
    "| database | items in it | each move, s | answers with + without it | mixed | read p50 / max, ms |"
    " listed meanwhile (refused) | listing p50 / max, ms |\n|---|---:|---|---:|---:|---:|---:|---:|"
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.moves", description="How long a large subtree takes to move.")
    parser.add_argument("--items", type=int, default=117_000, help="items in the county, six in seven in the subtree")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), help="only this one (both)")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    options = parser.parse_args()
    lines = []
    for kind in [options.database] if options.database else ["postgresql", "sqlite"]:
        if kind == "postgresql" and (problem := _no_postgres(options.postgres)):
            lines.append(f"PostgreSQL is not measured: {problem}")
            continue
        filled = place.prepare(kind, items=options.items, unit_count=UNITS, server=options.postgres, build=build)
        try:
            admin = asyncio.run(_key(filled.settings, "admin", "root"))
            with server.serving(filled.settings) as served:
                run = asyncio.run(measure(filled.settings, served.port, admin))
            judge(run)
            lines.append(report(kind, run))
        finally:
            filled.remove()
    print(HEADING, *lines, sep="\n")


if __name__ == "__main__":
    main()
