"""`python -m bench`: fill a database, ask it for pages, drive the server, and print how it did, as Markdown."""

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime

import asyncpg

from bench import pages, pgbench, place, profiling, report, server
from bench.load import Load
from bench.report import Round
from bench.wire import Unexpected

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
ORDER = ("transition", "six", "own", "create", "get", "empty", "list", "overdue")
"""One round. What is compared stands side by side."""


def main() -> None:
    options = _options()
    kinds = [options.database] if options.database else ["postgresql", "sqlite"]
    if "postgresql" in kinds and (problem := _no_postgres(options.postgres)):
        print(f"PostgreSQL is not measured: {problem}")
        kinds.remove("postgresql")
    for kind in kinds:
        _run(kind, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="How fast the service is on this machine.")
    parser.add_argument("--items", type=int, default=1_000_000, help="items in the database (1,000,000)")
    parser.add_argument("--units", type=int, default=40_000, help="units in the tree (40,000)")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement (10)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--runs", type=int, default=pages.RUNS, help="how often each page is read")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), help="only this one (both)")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    parser.add_argument("--keep", action="store_true", help="use the database of an earlier run, and keep it")
    parser.add_argument("--explain", action="store_true", help="print the plans of pages that are over their aim")
    parser.add_argument("--only", default="", help="only pages whose name and scope contain this, and no load")
    parser.add_argument("--loads", default="", help="only these loads, by comma: " + " ".join(ORDER))
    parser.add_argument("--profile", action="store_true", help="profile 2,000 transitions instead")
    options = parser.parse_args()
    if options.items < 100 or options.units < 10 or options.seconds < 1:
        parser.error("at least 100 items, 10 units and 1 second")
    return options


def _no_postgres(url: str) -> str | None:
    try:
        asyncio.run(place.run_sql(url, "SELECT 1"))
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _run(kind: str, options: argparse.Namespace) -> None:
    _say(f"{kind}: filling with {options.items:,} items")
    filled = place.prepare(
        kind, items=options.items, unit_count=options.units, server=options.postgres, keep=options.keep
    )
    try:
        if options.profile:
            print(profiling.profile(filled))
            return
        _say(f"{kind}: pages")
        timed = []
        if not options.loads:
            timed = pages.measure(filled, runs=options.runs, explain=options.explain, only=options.only)
        loads: list[str] = []
        rounds = [] if options.only and not options.loads else _rounds(filled, options, loads)
        print(report.heading(filled.facts, loads))
        if rounds:
            print(report.rates(rounds), report.triggers(rounds), sep="\n\n", end="\n\n")
        print(report.pages(timed))
        for each in timed:
            if each.explained:
                print(f"\n### {each.kind.name}, {each.scope}\n\n```\n{each.explained}\n```")
    finally:
        filled.remove()


def _rounds(filled: place.Place, options: argparse.Namespace, loads: list[str]) -> list[Round]:
    yardstick = None
    if filled.facts.kind == "postgresql":
        program = pgbench.find()
        if program is None:
            print("pgbench is not installed: transitions are not compared with it")
        else:
            yardstick = pgbench.yardstick(filled, program)
    rounds = []
    with server.serving(filled.settings) as served:
        load = Load(filled, served.port)
        try:
            for name in ("empty", "get", "transition", "create", "list"):
                load.measure(name, 1)
            for number in range(options.rounds):
                loads.append(f"{os.getloadavg()[0]:.1f}")
                found = Round({}, {})
                for name in options.loads.split(",") if options.loads else ORDER:
                    _say(f"{filled.facts.kind}: round {number + 1}, {name}")
                    if name in ("six", "own"):
                        if yardstick is not None:
                            found.rates[name] = yardstick.measure(name, options.seconds)
                        continue
                    before = served.cpu_seconds()
                    measured = load.measure(name, options.seconds)
                    after = served.cpu_seconds()
                    measured.cpu = None if before is None or after is None else after - before
                    found.rates[name], found.measured[name] = measured.rate, measured
                rounds.append(found)
        except Unexpected as answer:
            raise SystemExit(f"a request failed: {answer}") from None
    return rounds


def _say(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
