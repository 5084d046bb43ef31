"""`python -m bench.importing`: a ledger of 100,000 rows imported over HTTP: seconds, and the server's peak memory.

The database is the bench's own, with the units that the ledger names; the server a process of its own. What the server
uses before the import is told too, and how long a request of somebody else waits meanwhile.
"""

import argparse
import asyncio
import os
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from random import Random

import asyncpg
import httpx
import xlsxwriter

from bench import place, words
from bench.__main__ import POSTGRES
from bench.server import Served, serving

HEADINGS = ("序号", "存在问题", "整改措施", "整改目标", "责任单位", "责任人", "整改时限", "整改进展")
DEADLINES = ("2027年12月底前", "2027.6.30", "立行立改", "长期坚持", "3个月内", "2027年四季度", "")
PEOPLE = ("张建国", "李明", "王芳", "赵志强", "陈静")


@dataclass(slots=True)
class Measured:
    seconds: float
    cpu: float
    created: int
    before: int
    peak: int
    waited: list[float]


def ledger(rows: int, units: list[str]) -> bytes:
    """A workbook with a title and so many rows."""
    chance = Random(11)
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"constant_memory": True, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("台账")
        sheet.write_row(0, 0, ["问题整改台账"])
        sheet.write_row(1, 0, HEADINGS)
        for number in range(1, rows + 1):
            text = words.problem(chance, words.place(chance.randrange(900)) + "村", 0)
            cells = [
                number, f"{text['title']}（第{number}号）", "三天内完成抢修；落实管护责任；公示结果", "年底前全面解决",
                chance.choice(units), chance.choice(PEOPLE), chance.choice(DEADLINES),
                chance.choice(("", "", "正在整改")),
            ]  # fmt: skip
            sheet.write_row(number + 1, 0, cells)
    return made.getvalue()


async def measure(served: Served, key: str, content: bytes) -> Measured:
    waited: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", timeout=600) as client:
        client.headers["Authorization"] = f"Bearer {key}"

        async def neighbour() -> None:
            while True:
                begun = time.monotonic()
                (await client.get("/v1/me")).raise_for_status()
                waited.append(time.monotonic() - begun)
                await asyncio.sleep(0.05)

        await client.get("/v1/me")
        before = _memory(served, "VmHWM")
        beside = asyncio.create_task(neighbour())
        used = served.cpu_seconds() or 0.0
        begun = time.monotonic()
        answer = await client.post("/v1/imports", params={"ledger": "default"}, files={"file": ("台账.xlsx", content)})
        seconds, used = time.monotonic() - begun, (served.cpu_seconds() or 0.0) - used
        beside.cancel()
        answer.raise_for_status()
        return Measured(seconds, used, answer.json()["created"], before, _memory(served, "VmHWM"), waited)


def _memory(served: Served, name: str) -> int:
    """Of the server, in MB."""
    lines = Path(f"/proc/{served.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1]) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.importing", description="How fast a ledger is imported.")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the ledger (100,000)")
    parser.add_argument("--units", type=int, default=500, help="units in the tree (500)")
    parser.add_argument("--rounds", type=int, default=3, help="how often it is measured (3)")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES_URL", POSTGRES), help="the server's URL")
    options = parser.parse_args()
    for number in range(options.rounds):
        filled = place.prepare(options.database, items=100, unit_count=options.units, server=options.postgres)
        try:
            content = ledger(options.rows, asyncio.run(_codes(filled)))
            with serving(filled.settings) as served:
                found = asyncio.run(measure(served, filled.facts.clerk_key, content))
        finally:
            filled.remove()
        slowest = max(found.waited, default=0.0)
        print(
            f"round {number + 1}: {found.created:,} items from {len(content) / 1e6:.1f} MB in {found.seconds:.1f} s"
            f" ({found.cpu:.1f} s of the server's processor time);"
            f" the server's memory {found.before} -> {found.peak} MB at most; others waited {slowest:.2f} s at most;"
            f" load average {os.getloadavg()[0]:.1f}",
            flush=True,
        )


async def _codes(filled: place.Place) -> list[str]:
    """Codes of units that are in the tree."""
    sql = "SELECT code FROM units WHERE level = 'village' ORDER BY code LIMIT 400"
    if filled.facts.kind == "sqlite":
        import sqlite3

        connection = sqlite3.connect(str(filled.settings.sqlite_path))
        try:
            return [row[0] for row in connection.execute(sql)]
        finally:
            connection.close()
    connection = await asyncpg.connect(filled.settings.database_url)
    try:
        return [row["code"] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
