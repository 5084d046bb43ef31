"""`python -m bench.sequencing`: what the sequencer costs transitions beside it; how soon an event has a position.

Transitions are driven in turn without and with a worker process beside the server, a round each, on the same database.
Then somebody who follows the feed with a long poll lists a problem and waits for its event: from the commit, which the
answer follows, to the event in hand.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import httpx

from bench import place, server
from bench.__main__ import POSTGRES, _no_postgres
from bench.load import Load
from bench.place import Place
from bench.report import percentile
from service.settings import PREFIX

SAMPLES = 200
LISTED = "item.created"
AIM_RATE, AIM_MS = 0.85, 100


def start(filled: Place, command: str, before: str = "") -> subprocess.Popen[bytes]:
    """A command of xiaohao in a process of its own; `before` is what Python it runs first."""
    given = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    given |= {f"{PREFIX}DATA_DIR": str(filled.settings.data_dir), f"{PREFIX}DATABASE_URL": filled.settings.database_url}
    words = [sys.executable, "-c", f"{before}\nfrom service.cli import main; main()", command]
    with (filled.settings.data_dir / "worker.log").open("wb") as output:
        return subprocess.Popen(words, env=given, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


WAITING = "SELECT count(*) FROM unsequenced"


@contextmanager
def worker(filled: Place, before: str = "", left: str = WAITING) -> Iterator[None]:
    """`xiaohao worker` beside the server, once it has done what was left of what was written without it: by default,
    given positions."""
    process = start(filled, "worker", before)
    try:
        while asyncio.run(place.ask_sql(filled.settings.database_url, left)):
            time.sleep(0.5)
        time.sleep(2)
        yield
    finally:
        process.terminate()
        process.wait()


async def latencies(filled: Place, port: int, unit_id: str) -> list[float]:
    """Milliseconds from the answer to a listing until its event is read from the feed."""
    key = {"Authorization": f"Bearer {filled.facts.clerk_key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=key, timeout=60) as client:
        after = await _end(client)
        found = []
        for number in range(SAMPLES):
            reading = asyncio.create_task(client.get("/v1/events", params={"after": after, "wait": 30, "type": LISTED}))
            await asyncio.sleep(0.02 + 0.001 * (number % 50))
            body = {"ledger": "default", "title": f"第{number}号", "responsible_unit_id": unit_id}
            made = await client.post("/v1/items", json=body)
            made.raise_for_status()
            began = time.perf_counter()
            page = (await reading).json()
            assert [event["type"] for event in page["items"]] == [LISTED]
            found.append((time.perf_counter() - began) * 1000)
            after = page["last_position"]
        return found


async def _end(client: httpx.AsyncClient) -> int:
    """The end of the log, once everything has its position."""
    after, still = 0, 0
    while still < 3:
        page = (
            await client.get("/v1/events", params={"after": after, "limit": 200, "type": "calendar.updated"})
        ).json()
        still = still + 1 if page["last_position"] == after else 0
        after = page["last_position"]
        if still:
            await asyncio.sleep(0.5)
    return after


def prepared(prog: str, description: str) -> tuple[argparse.Namespace, Place]:
    """What was asked for on the command line, and a filled county on PostgreSQL."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--items", type=int, default=20_000, help="items in the county (20,000)")
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement (10)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    options = parser.parse_args()
    if problem := _no_postgres(options.postgres):
        raise SystemExit(f"PostgreSQL is not to be had: {problem}")
    return options, place.prepare("postgresql", items=options.items, unit_count=400, server=options.postgres)


def main() -> None:
    options, filled = prepared("bench.sequencing", "What giving positions costs.")
    try:
        with server.serving(filled.settings) as served:
            # What the clock finds to do in a county that was filled must not be measured as the sequencer's.
            start(filled, "clock").wait()
            load = Load(filled, served.port)
            load.measure("transition", 2)
            rates: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(options.rounds):
                rates[False].append(load.measure("transition", options.seconds).rate)
                with worker(filled):
                    rates[True].append(load.measure("transition", options.seconds).rate)
            with worker(filled):
                waits = asyncio.run(latencies(filled, served.port, load.units[0]))
    finally:
        filled.remove()
    alone, beside = median(rates[False]), median(rates[True])
    print(
        "| | without | with a sequencer | ratio | aim |\n|---|---:|---:|---:|---:|\n"
        f"| transitions a second | {alone:.0f} | {beside:.0f} | {beside / alone:.2f} | {AIM_RATE} |\n\n"
        f"from the answer to the event in hand: median {median(waits):.0f} ms (aim {AIM_MS}), "
        f"p95 {percentile(waits, 0.95):.0f} ms, {len(waits)} samples"
    )


if __name__ == "__main__":
    main()
