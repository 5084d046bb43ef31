"""Tables as offices make them: .xlsx, .xls and CSV read into sheets of rows of text.

Workbooks are read by a program of their own (sheet_reader.py), with bounded memory and time: a damaged or a malicious
one asks for terabytes, and the reader, which is no Python, then takes its whole process down.
"""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import BoundedSemaphore, Thread, Timer
from typing import IO, Any

from service.outside.sheet_reader import (
    FAULTS,
    LIMITS,
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_COLUMNS,
    MAX_ROWS,
    SECONDS,
    text,
)
from service.workflow.grid import Area, Day, Formula, Number, Sheet, Visibility

READER = Path(__file__).with_name("sheet_reader.py")

MAX_BYTES = 64 * 1024**2
"""Of a file. Over HTTP the bound on bodies is met first."""

MAX_TOLD = 4 * MAX_CHARACTERS
"""Bytes that the reader may say: it bounds itself, and nobody relies on it. A Chinese sign takes three."""

_AT_ONCE = BoundedSemaphore(2)
"""Readers that one process has at work."""

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BEGINNINGS = {".xlsx": ZIP, ".xls": OLE}


class Unreadable(Exception):
    """The bytes are no .xlsx, .xls or CSV that is read; `reason` is one of sheet_reader.FAULTS, or `extension`."""

    def __init__(self, reason: str = "unreadable") -> None:
        super().__init__(reason)
        self.reason = reason


class TooLarge(Exception):
    """More than is read; `limit` says of what: one of sheet_reader.LIMITS, `bytes` of the file, `told` or `time`.

    `cells` are also sheets, rows and columns.
    """

    def __init__(self, limit: str = "cells") -> None:
        super().__init__(limit)
        self.limit = limit


def read(content: bytes, name: str | None = None) -> list[Sheet]:
    """The sheets of a file; a CSV is one. Takes its time. Raises Unreadable, TooLarge.

    `name`: the file is also held to what its name says it is.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("bytes")
    if name is not None:
        _check_name(content, name)
    if content.startswith((ZIP, OLE)):
        return _workbook(content)
    return [_csv(content)]


def _check_name(content: bytes, name: str) -> None:
    extension = Path(name).suffix.lower()
    beginning = _BEGINNINGS.get(extension)
    if not extension:
        # It says nothing about itself: what it is shows.
        fits = True
    elif extension == ".csv":
        fits = not content.startswith((ZIP, OLE))
    else:
        fits = beginning is not None and content.startswith(beginning)
    if not fits:
        raise Unreadable("extension")


def _csv(content: bytes) -> Sheet:
    decoded = _decoded(content)
    if "\x00" in decoded:
        raise Unreadable
    try:
        rows = csv.reader(io.StringIO(decoded, newline=""), delimiter=_delimiter(decoded))
        return Sheet("", _bounded(rows), plain=True)
    except csv.Error:
        raise Unreadable from None


def _decoded(content: bytes) -> str:
    for encoding in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unreadable


def _delimiter(decoded: str) -> str:
    """What parts the first lines most alike, and into most columns: a comma may stand in a sentence between tabs."""
    beginning = decoded[:20_000]
    return max(",\t;", key=lambda each: _alike(beginning, each))


def _alike(beginning: str, delimiter: str) -> tuple[int, int]:
    """How many of the first rows have the same number of columns, more than one; and how many columns."""
    found = csv.reader(io.StringIO(beginning, newline=""), delimiter=delimiter)
    widths = Counter(len(row) for row in islice(found, 20) if len(row) > 1)
    return max(((rows, width) for width, rows in widths.items()), default=(0, 0))


def _bounded(rows: Iterable[list[str]]) -> list[list[str]]:
    found: list[list[str]] = []
    cells = 0
    for row in rows:
        cells += len(row)
        if len(found) >= MAX_ROWS or len(row) > MAX_COLUMNS or cells > MAX_CELLS:
            raise TooLarge
        found.append([text(cell) for cell in row])
    return found


def _workbook(content: bytes) -> list[Sheet]:
    # The secrets in the environment are not for a program that reads what strangers made.
    environment = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    with (
        _AT_ONCE,
        subprocess.Popen(
            [sys.executable, "-I", str(READER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        ) as reader,
    ):
        if reader.stdin is None or reader.stdout is None:
            raise LookupError("a pipe was asked for")
        alarm = Timer(2 * SECONDS, reader.kill)
        feeder = Thread(target=_feed, args=(reader.stdin, content))
        alarm.start()
        feeder.start()
        try:
            found = _sheets(_told(reader.stdout))
            status = reader.wait()
        finally:
            alarm.cancel()
            reader.kill()
            feeder.join()
    _check_end(status)
    return found


def _feed(pipe: IO[bytes], content: bytes) -> None:
    # A reader that has seen enough ends before it is told all.
    with suppress(OSError), pipe:
        pipe.write(content)


def _told(pipe: IO[bytes]) -> Iterator[bytes]:
    """What the reader says, line by line. Raises TooLarge where it says more than it may."""
    left = MAX_TOLD
    while line := pipe.readline(left + 1):
        left -= len(line)
        if left < 0:
            raise TooLarge("told")
        if line.endswith(b"\n"):
            yield line


def _check_end(status: int) -> None:
    """By how the reader ended. Raises Unreadable, TooLarge."""
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TooLarge("time")
    if status == -signal.SIGABRT:
        # What it is written in gives up so where there is no more memory.
        raise TooLarge("memory")
    if status != 0:
        fault = next((name for name, known in FAULTS.items() if known == status), "unreadable")
        raise TooLarge(fault) if fault in LIMITS else Unreadable(fault)


def _sheets(lines: Iterator[bytes]) -> list[Sheet]:
    """Sheets, as far as they were told."""
    found: list[Sheet] = []
    known: dict[str, str] = {}
    for line in lines:
        about = json.loads(line)
        rows: list[list[str]] = []
        for each in lines:
            some = json.loads(each)
            if some is None:
                break
            # Units, people and states stand in a thousand rows: one text serves them all.
            rows += [
                [known.setdefault(cell, cell) if type(cell) is str else _cell(cell) for cell in row] for row in some
            ]
        merged = tuple(Area(*area) for area in about["merged"])
        found.append(Sheet(about["name"], rows, merged, _VISIBLE[about["visible"]], about["epoch_1904"]))
    return found


_VISIBLE = {"Visible": Visibility.VISIBLE, "Hidden": Visibility.HIDDEN, "VeryHidden": Visibility.VERY_HIDDEN}


def _cell(cell: Any) -> str:
    """A cell that is no text, as sheet_reader wrote it down."""
    if isinstance(cell, list):
        return Day(cell[0])
    return Number(cell["n"]) if "n" in cell else Formula(cell["f"])
