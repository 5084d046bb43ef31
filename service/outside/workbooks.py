"""Tables written for offices: .xlsx by a program of its own (workbook_writer.py), CSV line by line.

A workbook is whole only once its last row is there, so it is written to the disk first, and sent from there.
"""

import asyncio
import csv
import io
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from service.outside.workbook_writer import FAULTS
from service.workflow.cells import guarded

WRITER = Path(__file__).with_name("workbook_writer.py")
PREFIX = "export-"
LEFT_OVER = timedelta(days=1)

Value = str | int | date | None
Rows = Sequence[Sequence[Value]]


class NoRoom(Exception):
    """The disk is full, or may not be written."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What stands under the last row."""

    total: Sequence[Value] | None
    notes: tuple[str, ...] = ()


class Scratch:
    """A directory for what is written and sent at once. What a killed process leaves there goes a day later."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @asynccontextmanager
    async def room(self) -> AsyncIterator[Path]:
        """A directory that is gone afterwards."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self.directory))
        except OSError:
            raise NoRoom from None
        try:
            yield place
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    def sweep(self, now: datetime) -> None:
        """Remove what is older than any export takes."""
        for place in self.directory.glob(f"{PREFIX}*"):
            with suppress(OSError):
                if place.stat().st_mtime < (now - LEFT_OVER).timestamp():
                    shutil.rmtree(place, ignore_errors=True)


async def write(room: Path, look: dict[str, Any], pages: AsyncIterable[Rows], ending: Callable[[], Ending]) -> Path:
    """A workbook in the room. `look` is what workbook_writer.py reads first, `ending` is asked behind the last page.

    Raises NoRoom, and whatever `pages` raises.
    """
    path = room / "table.xlsx"
    # The secrets in the environment are not for a program that does without them.
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(WRITER), str(path), str(room), stdin=asyncio.subprocess.PIPE, env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if process.stdin is None:
        raise AssertionError("it was given a pipe")
    try:
        with suppress(BrokenPipeError, ConnectionResetError):
            await _send(process.stdin, look)
            async for page in pages:
                await _send(process.stdin, [[_wire(value) for value in row] for row in page])
            end = ending()
            total = None if end.total is None else [_wire(value) for value in end.total]
            await _send(process.stdin, {"end": {"total": total, "notes": end.notes}})
            process.stdin.close()
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status == FAULTS["no_room"]:
        raise NoRoom
    if status != 0:
        raise RuntimeError(f"the writer of workbooks ended with {status}")
    return path


async def _send(pipe: asyncio.StreamWriter, line: Any) -> None:
    pipe.write(to_json(line) + b"\n")
    await pipe.drain()


def _wire(value: Value) -> str | int | list[int] | None:
    # As numbers, so that no text is ever taken for a day.
    return [value.year, value.month, value.day] if isinstance(value, date) else value


def csv_lines(rows: Iterable[Sequence[Value]]) -> bytes:
    """Rows as CSV (RFC 4180), in UTF-8; nothing in them that a spreadsheet could run."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_plain(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _plain(value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            return guarded(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)


BOM = "\ufeff".encode()
"""Without it spreadsheets take UTF-8 for something else."""
