"""`python -m bench.figures`: tables of figures of a large county, beside what an indexed GROUP BY on items takes.

The county is filled as for `bench`; its counts are made from its items by SQL, one life each, and summed up by the
service's own worker. Every table is read through the service's own action, by turns with the GROUP BY of one figure.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg

from bench import place
from bench.__main__ import POSTGRES, _no_postgres
from bench.place import Place
from bench.wire import percentile
from service.actions import figuring, statistics
from service.actions.operator import operator_call
from service.actions.references import Named
from service.actions.service import Call, Service
from service.actions.statistics import START, Asked
from service.composition import running
from service.store import figure_sums
from service.store.database import Tx
from service.workflow.deadlines import start_of
from service.workflow.figures import FIGURES
from service.workflow.folding import BELOW, EVERY, PLAIN
from service.workflow.summing import Period, end_of, next_month

RUNS = 15
AIM = 0.2
ALONE = "a month's sums by units, the statement alone"

LIVES = """
WITH lives AS (
    SELECT tenant_id, id, responsible_unit_id, ledger_id, severity, source_kind, claim_due,
           (listed_at AT TIME ZONE 'Asia/Shanghai')::date AS listed,
           (claimed_at AT TIME ZONE 'Asia/Shanghai')::date AS claimed,
           (closed_at AT TIME ZONE 'Asia/Shanghai')::date AS closed,
           coalesce(due_on, review_on) AS due,
           row_number() OVER (ORDER BY id) AS position
    FROM items
), counts (n, metric, day, life, begun, days) AS (
    SELECT 0, 'listed', listed, lives, NULL::date, 0 FROM lives
    UNION ALL SELECT 1, 'claims_due', claim_due, lives, NULL, 0 FROM lives WHERE claim_due IS NOT NULL
    UNION ALL SELECT 2, 'claimed_on_time', claim_due, lives, NULL, 0 FROM lives WHERE claimed <= claim_due
    UNION ALL SELECT 3, 'rectifying_begun', coalesce(claimed, listed), lives, NULL, 0 FROM lives
        WHERE claimed IS NOT NULL OR closed IS NOT NULL
    UNION ALL SELECT 4, 'fell_due', due, lives, NULL, 0 FROM lives WHERE closed IS NOT NULL OR due < $1
    UNION ALL SELECT 5, 'overdue_begun', due, lives, NULL, 0 FROM lives WHERE due < coalesce(closed, $1)
    UNION ALL SELECT 6, 'overdue_ended', closed, lives, due, 0 FROM lives WHERE due < closed
    UNION ALL SELECT 7, 'rectifying_ended', closed, lives, coalesce(claimed, listed), 0 FROM lives
        WHERE closed IS NOT NULL
    UNION ALL SELECT 8, 'closed', closed, lives, NULL, greatest(0, closed - listed) FROM lives WHERE closed IS NOT NULL
    UNION ALL SELECT 9, 'closed_on_time', due, lives, NULL, 0 FROM lives WHERE closed <= due
)
INSERT INTO figure_deltas (tenant_id, position, ordinal, metric, day, month, unit_id, ledger_id, severity, source,
                           item_id, cycle, count, since, begun, days)
SELECT (life).tenant_id, (life).position, n, metric, day, date_trunc('month', day)::date, (life).responsible_unit_id,
       (life).ledger_id, (life).severity, (life).source_kind, (life).id, 1, 1, NULL, begun, days
FROM counts ORDER BY 2, 3
"""

GROUP_BY = """
SELECT ancestors.ancestor_id, count(*)
FROM items JOIN ancestors ON ancestors.tenant_id = items.tenant_id AND ancestors.unit_id = items.responsible_unit_id
WHERE items.tenant_id = $1 AND items.listed_at >= $2 AND items.listed_at < $3 AND ancestors.ancestor_id = ANY ($4)
GROUP BY 1
"""
"""One figure, what was listed, by the index on `listed_at`."""

GROUP_BY_ALL = """
SELECT ancestors.ancestor_id, count(*) FILTER (WHERE listed_at >= $2 AND listed_at < $3),
       count(*) FILTER (WHERE closed_at >= $2 AND closed_at < $3),
       count(*) FILTER (WHERE due_on >= $5 AND due_on < $6),
       count(*) FILTER (WHERE due_on < $6 AND (closed_at IS NULL OR closed_at >= $3))
FROM items JOIN ancestors ON ancestors.tenant_id = items.tenant_id AND ancestors.unit_id = items.responsible_unit_id
WHERE items.tenant_id = $1 AND ancestors.ancestor_id = ANY ($4)
GROUP BY 1
"""
"""Four figures of the present state of items; no index has them all."""


async def make(filled: Place, today: date) -> int:
    connection = await asyncpg.connect(filled.settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(LIVES, today)
            count: int = await connection.fetchval("SELECT count(*) FROM figure_deltas")
            tenant_id, last = await connection.fetchrow("SELECT tenant_id, max(position) FROM figure_deltas GROUP BY 1")
            await connection.execute("UPDATE log_heads SET size = $1", last)
            await connection.execute("INSERT INTO figure_heads VALUES ($1, $2)", tenant_id, last)
            await connection.execute("INSERT INTO figure_folds VALUES ($1, 0, -1, -1, '0001-01-01')", tenant_id)
        return count
    finally:
        await connection.close()


async def timed(ask: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await ask()
    return (time.perf_counter() - began) * 1000


async def measure(filled: Place) -> None:
    now = datetime.now(UTC)
    today = now.astimezone().date()
    began = time.perf_counter()
    count = await make(filled, today)
    print(f"{count:,} counts made in {time.perf_counter() - began:.0f} s", flush=True)
    async with running(filled.settings) as service:
        call = await operator_call(service, "default", now)
        assert call is not None
        began = time.perf_counter()
        while await figuring.sum_up(service, call.tenant_id):
            pass
        seconds = time.perf_counter() - began
        print(f"summed up in {seconds:.0f} s, {count / seconds:,.0f} counts a second", flush=True)
        connection = await asyncpg.connect(filled.settings.database_url)
        try:
            await connection.execute("VACUUM ANALYZE figures, figure_deltas, items, ancestors")
            await tables(service, call, connection, today)
        finally:
            await connection.close()


async def tables(service: Service, call: Call, connection: Any, today: date) -> None:
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    old = (month - timedelta(days=500)).replace(day=1)
    rows = await connection.fetch(
        "SELECT id, code FROM units WHERE parent_id = (SELECT id FROM units WHERE parent_id IS NULL) ORDER BY code"
    )
    towns: list[UUID] = [row[0] for row in rows]
    town = Named(towns[len(towns) // 2], "/unit")
    last = Period(month, end_of(month))
    year = Period((month - timedelta(days=334)).replace(day=1), last.last)
    kinds: dict[str, tuple[Asked, str]] = {
        "a month by units, the county": (Asked(period=last), "unit"),
        "an old month by units, the county": (Asked(period=Period(old, end_of(old))), "unit"),
        "this month so far by units, the county": (Asked(period=Period(today.replace(day=1), today)), "unit"),
        "a month by units, a town": (Asked(period=last, unit=town), "unit"),
        "a year by months, the county": (Asked(period=year), "month"),
        "a year by months, a town": (Asked(period=year, unit=town), "month"),
        "a month by sources, the county": (Asked(period=last), "source"),
        "a month by ledgers, a town": (Asked(period=last, unit=town), "ledger"),
    }

    async def sums(tx: Tx) -> None:
        begun = {"from_month": month, "until_month": month, "left_out": date.min, "other_left_out": date.min}
        asked = {"tops": towns, "own": EVERY, "levels": [PLAIN, BELOW]}
        await tx.all(figure_sums.rolled("unit"), tenant_id=call.tenant_id, **asked, **begun)

    more = (ALONE, "one figure", "four figures", "items", "overdue")
    found: dict[str, list[float]] = {name: [] for name in (*kinds, *more)}
    # From midnight to midnight where the county is, the month's last day included.
    days = (month, next_month(month))
    given = (call.tenant_id, *(start_of(day, call.tz) for day in days), towns)
    for _ in range(RUNS):
        for name, (asked, by) in kinds.items():
            found[name].append(await timed(lambda asked=asked, by=by: statistics.read(service, call, asked, by)))
        found[ALONE].append(await timed(lambda: service.read(sums, varied=True)))
        found["one figure"].append(await timed(lambda: connection.fetch(GROUP_BY, *given)))
        if len(found["four figures"]) < 3:
            found["four figures"].append(await timed(lambda: connection.fetch(GROUP_BY_ALL, *given, *days)))
        found["items"].append(
            await timed(
                lambda: statistics.items(service, call, kinds["a month by units, the county"][0], "closed", START, 50)
            )
        )
        if len(found["overdue"]) < 3:
            found["overdue"].append(
                await timed(lambda: statistics.items(service, call, Asked(period=last), "overdue", START, 50))
            )
    one = median(found["one figure"])
    four = median(found["four figures"])
    print("\n| Table | p50 ms | p95 ms | beside GROUP BY of one figure | of four |\n|---|---:|---:|---:|---:|")
    for name, runs in found.items():
        middle = median(runs)
        print(f"| {name} | {middle:.1f} | {percentile(runs, 0.95):.1f} | {middle / one:.2f} | {middle / four:.2f} |")
    print(f"\nload average {os.getloadavg()[0]:.1f}; a table has {len(FIGURES)} figures of {len(towns)} units and more")
    print(f"aim for a month by units: {AIM}; like beside like are the statement and one figure, the table and many")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.figures", description="How fast figures are read.")
    parser.add_argument("--items", type=int, default=1_000_000, help="items in the county (1,000,000)")
    parser.add_argument("--units", type=int, default=40_000, help="units in the tree (40,000)")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    options = parser.parse_args()
    if problem := _no_postgres(options.postgres):
        raise SystemExit(f"PostgreSQL is not to be had: {problem}")
    filled = place.prepare("postgresql", items=options.items, unit_count=options.units, server=options.postgres)
    try:
        asyncio.run(measure(filled))
    finally:
        filled.remove()


if __name__ == "__main__":
    main()
