"""`python -m bench.clock`: what a look of the clock costs an item, and how long catching up after an outage takes.

Every item of the county is being rectified and due on the same day. The clock looks at all of them on the mornings of
the default ladder; beside it, in the same database and the same run, one SQL statement writes the same rows for batches
of the same size, and an ORM session writes them item by item. Then the same county sleeps through a working week.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import uvloop

from bench import orm, place
from bench.__main__ import POSTGRES, _no_postgres
from bench.county import County, Filled, _id_of, with_rows
from bench.place import Place
from service import composition
from service.actions.ladder import BATCH, Tally
from service.workers import clock
from service.workflow import calendar, events, listing
from service.workflow.items import DeadlineAsked, Draft
from service.workflow.listing import Place as Listed
from service.workflow.merkle import SHA256
from service.workflow.policy import Policy, number

T = TypeVar("T")

ITEMS, UNITS = 100_000, 400
ROW_BY_ROW = 1_000
"""Items that the ORM session is given: it is slow enough to be told by these."""

ZONE = ZoneInfo("Asia/Shanghai")
DUE_IN = timedelta(days=60)

ONE_STATEMENT = f"""
WITH due AS (
  SELECT timers.tenant_id, timers.item_id, items.revision, items.version, items.due_on, items.ledger_id, items.cycle,
         items.responsible_unit_id, items.supervising_unit_id, gen_random_uuid() AS event_id
  FROM timers JOIN items ON items.tenant_id = timers.tenant_id AND items.id = timers.item_id
  WHERE timers.tenant_id = $1 AND timers.look_at <= $2
  ORDER BY timers.look_at, timers.ledger_id, timers.unit_id, timers.item_id LIMIT {BATCH}
  FOR UPDATE OF timers, items SKIP LOCKED),
moved AS (UPDATE timers SET look_at = $2 + interval '7 days' FROM due
  WHERE timers.tenant_id = due.tenant_id AND timers.item_id = due.item_id),
raised AS (UPDATE items SET revision = items.revision + 1 FROM due
  WHERE items.tenant_id = due.tenant_id AND items.id = due.item_id),
fired AS (INSERT INTO firings (tenant_id, item_id, cycle, rung, anchor_on, ref, anchor, outcome, at)
  SELECT tenant_id, item_id, cycle, $3, due_on, item_id, 'due', 'fired', $2 FROM due),
told AS (INSERT INTO events (tenant_id, id, item_id, revision, ordinal, type, at, unit_id, ledger_id, item_version,
                             audience, body, beside)
  SELECT tenant_id, event_id, item_id, revision + 1, 0, 'rung.fired', $2, responsible_unit_id, ledger_id, version,
         ARRAY[responsible_unit_id, supervising_unit_id], $4, '{{}}' FROM due),
waits AS (INSERT INTO unsequenced (tenant_id, event_id) SELECT tenant_id, event_id FROM due)
SELECT count(*) FROM due"""
"""The least that a sweep must write: a row that says it was done, an event of the usual size, when to look again."""

BODY = b"x" * 900


def make(county: County, numbers: range) -> Iterator[Filled]:
    """Items under way, all due on one working day, listed a while ago."""
    chance = Random(numbers.start)
    ledger = county.ledgers[0]
    policy = Policy.parse(ledger.policy)
    due_on = due_day(county.today)
    for n in numbers:
        at = county.clock.at(n)
        spot = county.spots[1 + n % (len(county.spots) - 1)]
        listed = Listed(
            ledger_id=ledger.id, policy=policy, policy_epoch=ledger.policy_epoch, calendar=calendar.BASE,
            responsible=spot.line, supervising=spot.line[1:] or spot.line, supervising_defaulted=True, co_units=(),
        )  # fmt: skip
        day = at.astimezone(ZONE).date()
        item = listing.list_item(
            Draft(title=f"{spot.unit.name}第{n}号问题", deadline=DeadlineAsked("date", due_on)), listed,
            item_id=county.clock.id(n),
            number=number(policy.numbers["item"], ledger=ledger.code, year=day.year, seq=n + 1),
            actor_id=_id_of(county.clerk), lister_id=_id_of(county.clerk), contact_sealed=None, now=at,
            today=day, listed_on=day, closed_at=None,
        )  # fmt: skip
        event = events.seal(
            events.of_listing(item, None, None), tenant_id=county.tenant_id, event_id=county.clock.id(n, 1),
            actor=county.clerk, at=at, revision=1, ordinal=0, salt=chance.randbytes, hashing=SHA256,
        )  # fmt: skip
        claimed = replace(item, state="rectifying", claimed_at=at, claimed_by=_id_of(county.claimer))
        yield with_rows(county, claimed, policy, event, None, spot)


def due_day(today: date) -> date:
    return calendar.BASE.add(today + DUE_IN, 1)


def morning(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZONE) + timedelta(hours=9, minutes=30)


async def sweep(filled: Place, now: datetime) -> tuple[float, Tally]:
    """Seconds that the clock takes for all that is due, and what it did."""
    async with composition.running(filled.settings) as service:
        composition.collect_less()
        began = time.perf_counter()
        tally = await clock.run_until_done(service, now)
        return time.perf_counter() - began, tally


async def one_statement(filled: Place, now: datetime, rung: str) -> tuple[float, int]:
    """Seconds and items of the same sweep as one SQL statement a batch."""
    connection = await asyncpg.connect(filled.settings.database_url)
    try:
        began, items = time.perf_counter(), 0
        while found := await connection.fetchval(ONE_STATEMENT, UUID(filled.facts.tenant_id), now, rung, BODY):
            items += found
        return time.perf_counter() - began, items
    finally:
        await connection.close()


async def make_due(filled: Place, now: datetime) -> None:
    await place.run_sql(
        filled.settings.database_url, f"UPDATE timers SET look_at = '{now.isoformat()}'", "VACUUM ANALYZE"
    )


def _run(work: Coroutine[Any, Any, T]) -> T:
    """On the event loop that the clock runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def told(name: str, seconds: float, items: int, limit: float | None, tally: Tally | None = None) -> str:
    each = seconds / max(1, items) * 1e6
    ratio = f"{each / limit:.1f}" if limit else "-"
    fired = f"{sum(tally.fired.values()):,} / {sum(tally.skipped.values()):,} / {tally.notices:,}" if tally else "-"
    return f"| {name} | {items:,} | {seconds:.1f} | {each:.0f} | {ratio} | {fired} |"


HEADING = (
    "| sweep | items | s | us an item | to one statement | fired / skipped / notices |\n|---|---:|---:|---:|---:|---:|"
)


def measure(filled: Place) -> list[str]:
    today = datetime.now(ZONE).date()
    due = due_day(today)
    lines = []
    limit = None
    for offset in (-7, -3):
        day = calendar.BASE.add(due, offset)
        _run(make_due(filled, morning(day)))
        seconds, items = _run(one_statement(filled, morning(day), f"sql{offset}"))
        limit = seconds / items * 1e6
        lines.append(told("one statement a batch", seconds, items, limit))
        _run(make_due(filled, morning(day)))
        rows, count = _run(orm.sweep(filled, morning(day), ROW_BY_ROW))
        lines.append(told("row by row through an ORM session", rows, count, limit))
        _run(make_due(filled, morning(day)))
        seconds, tally = _run(sweep(filled, morning(day)))
        lines.append(told(f"the clock: remind{offset}", seconds, tally.looked, limit, tally))
    after = calendar.BASE.add(due, 1)
    seconds, tally = _run(sweep(filled, morning(due + timedelta(days=1)) - timedelta(hours=9)))
    lines.append(told("the clock: deadlines passed", seconds, tally.looked, limit, tally))
    seconds, tally = _run(sweep(filled, morning(after)))
    lines.append(told("the clock: urge+1", seconds, tally.looked, limit, tally))
    return lines


def catch_up(filled: Place) -> list[str]:
    """Down from the morning before the first reminder until a working week after the deadline."""
    back = calendar.BASE.add(due_day(datetime.now(ZONE).date()), 5)
    seconds, tally = _run(sweep(filled, morning(back)))
    return [told("the clock, after an outage over the deadline", seconds, tally.looked, None, tally)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.clock", description="What a look of the clock costs.")
    parser.add_argument("--items", type=int, default=ITEMS, help=f"items in the county ({ITEMS:,})")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    parser.add_argument("--only", choices=("sweep", "outage"), help="only this one (both)")
    options = parser.parse_args()
    if problem := _no_postgres(options.postgres):
        raise SystemExit(f"PostgreSQL is not to be had: {problem}")
    lines = []
    for name, work in (("sweep", measure), ("outage", catch_up)):
        if options.only in (None, name):
            filled = place.prepare(
                "postgresql", items=options.items, unit_count=UNITS, server=options.postgres, make=make
            )
            try:
                lines += work(filled)
            finally:
                filled.remove()
    print(HEADING, *lines, sep="\n")


if __name__ == "__main__":
    main()
