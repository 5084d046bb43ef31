"""`python -m bench.exporting`: a large county as one table: how long it takes, what it needs, what others notice of it.

The real server writes every item of the county for its admin, as a workbook and as CSV, while other connections go on
reading single items. Memory is what the server and the program that writes the workbook hold at their worst.
"""

import argparse
import asyncio
import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench import place, server
from bench.__main__ import POSTGRES, _no_postgres
from bench.place import Place
from bench.server import Served
from bench.wire import Request, drive, percentile, request

READERS = 4
QUIET_SECONDS = 10
MEBIBYTE = 1_048_576


@dataclass(slots=True)
class Watched:
    """Peaks of resident memory, in bytes: of the server beyond what it had before, of its writer, of the disk."""

    before: int
    server: int = 0
    writer: int = 0
    disk: int = 0


class Watch(threading.Thread):
    """Looks at the server and its children twenty times a second."""

    def __init__(self, served: Served, scratch: Path) -> None:
        super().__init__(daemon=True)
        self._pid, self._scratch = served.pid, scratch
        self._over = threading.Event()
        self.found = Watched(_resident(self._pid))

    def run(self) -> None:
        while not self._over.wait(0.05):
            found = self.found
            found.server = max(found.server, _resident(self._pid))
            found.writer = max(found.writer, sum(map(_resident, _children(self._pid))))
            found.disk = max(found.disk, sum(_size(each) for each in self._scratch.rglob("*")))

    def stop(self) -> Watched:
        self._over.set()
        self.join()
        return self.found


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0


async def download(port: int, path: str, key: str) -> tuple[float, float, int]:
    """Seconds to the first byte and to the last one, and how many bytes there were."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MEBIBYTE)
    began = time.perf_counter()
    writer.write(request("GET", path, key).replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise SystemExit(f"{path} answered {head!r}")
    first, size = time.perf_counter() - began, 0
    while piece := await reader.read(MEBIBYTE):
        size += len(piece)
    writer.close()
    return first, time.perf_counter() - began, size


def reads(filled: Place, seed: int) -> Iterator[Request]:
    """Single items, at random."""
    chance, facts = Random(seed), filled.facts
    for _ in itertools.count():
        item_id = facts.clock.id(chance.randrange(facts.items))
        yield "get", request("GET", f"/v1/items/{item_id}", facts.clerk_key)


async def measure(filled: Place, served: Served, key: str, formats: list[str]) -> None:
    def readers() -> list[Iterator[Request]]:
        return [reads(filled, seed) for seed in range(READERS)]

    quiet = await drive(served.port, readers(), QUIET_SECONDS)
    print(f"| alone | | | | | | {quiet.percentile(0.5):.1f} | {quiet.percentile(0.99):.1f} | {quiet.rate:,.0f} |")
    for name in formats:
        watch = Watch(served, filled.settings.data_dir / "scratch")
        watch.start()
        going = asyncio.create_task(download(served.port, f"/v1/exports/items.{name}", key))
        latencies: list[float] = []
        while not going.done():
            driven = await drive(served.port, readers(), 2)
            latencies += [value for each in driven.latencies.values() for value in each]
        first, seconds, size = await going
        found = watch.stop()
        print(
            f"| {name} | {first:.1f} | {seconds:.1f} | {size / MEBIBYTE:.0f} | "
            f"{found.server / MEBIBYTE:.0f} (+{(found.server - found.before) / MEBIBYTE:.0f}) + "
            f"{found.writer / MEBIBYTE:.0f} | {found.disk / MEBIBYTE:.0f} | "
            f"{percentile(latencies, 0.5) * 1000:.1f} | {percentile(latencies, 0.99) * 1000:.1f} | "
            f"{len(latencies) / seconds:,.0f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.exporting", description="How a large county is exported.")
    parser.add_argument("--items", type=int, default=1_000_000, help="items in the county (1,000,000)")
    parser.add_argument("--units", type=int, default=40_000, help="units in the tree (40,000)")
    parser.add_argument("--formats", default="xlsx,csv", help="which of xlsx and csv (both)")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    options = parser.parse_args()
    if problem := _no_postgres(options.postgres):
        raise SystemExit(f"PostgreSQL is not to be had: {problem}")
    filled = place.prepare("postgresql", items=options.items, unit_count=options.units, server=options.postgres)
    try:
        key = asyncio.run(place.new_admin_key(filled))
        print(f"{options.items:,} items; {READERS} connections read single items; load {os.getloadavg()[0]:.1f}\n")
        print(
            "| export | first byte s | seconds | MiB | memory MiB: server + writer | disk MiB | p50 ms | p99 ms | /s |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        with server.serving(filled.settings) as served:
            asyncio.run(measure(filled, served, key, options.formats.split(",")))
    finally:
        filled.remove()


if __name__ == "__main__":
    main()
