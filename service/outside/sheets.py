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
from collections.abc import Iterable
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from service.outside.sheet_reader import FAULTS, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, SECONDS, text
from service.workflow.grid import Area, Day, Formula, Number, Sheet, Visibility

READER = Path(__file__).with_name("sheet_reader.py")

MAX_BYTES = 64 * 1024**2
"""Of a file. Over HTTP the bound on bodies is met first."""

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
    """More than is read; `limit` says of what: bytes, cells (also sheets, rows and columns), bomb, memory or time."""

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
    """The comma, unless the first lines have none and have something else."""
    beginning = "\n".join(decoded[:20_000].splitlines()[:20])
    if "," in beginning:
        return ","
    return max("\t;", key=beginning.count) if set("\t;") & set(beginning) else ","


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
    try:
        with _AT_ONCE:
            done = subprocess.run(
                [sys.executable, "-I", str(READER)],
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=2 * SECONDS,
            )
    except subprocess.TimeoutExpired:
        raise TooLarge("time") from None
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise TooLarge("time")
    if done.returncode != 0:
        fault = next((name for name, status in FAULTS.items() if status == done.returncode), "unreadable")
        if fault in ("too_large", "bomb", "memory"):
            raise TooLarge("cells" if fault == "too_large" else fault)
        raise Unreadable(fault)
    return _sheets(done.stdout)


def _sheets(told: bytes) -> list[Sheet]:
    found: list[Sheet] = []
    known: dict[str, str] = {}
    lines = io.BytesIO(told)
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
