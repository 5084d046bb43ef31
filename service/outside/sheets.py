"""Tables as offices make them: .xlsx, .xls and CSV read into sheets of rows of text.

Workbooks are read by a program of their own (sheet_reader.py), with bounded memory and time: a damaged or a malicious
one asks for terabytes, and the reader, which is no Python, then takes its whole process down.
"""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore

from service.outside.sheet_reader import FAULTS, MAX_CELLS, MAX_COLUMNS, MAX_ROWS, SECONDS, text

READER = Path(__file__).with_name("sheet_reader.py")

_AT_ONCE = BoundedSemaphore(2)
"""Readers that one process has at work."""


class Unreadable(Exception):
    """The bytes are no .xlsx, .xls or CSV, or are protected by a password."""


class TooLarge(Exception):
    """More sheets, rows, columns or cells than are read."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows from the first of the sheet on, so that index 16 is what the clerk sees as row 17. Cells are trimmed."""

    name: str
    rows: list[list[str]]


def read(content: bytes) -> list[Sheet]:
    """The sheets of a file, whatever it is called; a CSV is one. Takes its time. Raises Unreadable, TooLarge."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return _workbook(content)
    return [_csv(content)]


def _csv(content: bytes) -> Sheet:
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            decoded = content.decode("gb18030")
        except UnicodeDecodeError:
            raise Unreadable from None
    try:
        return Sheet("", _bounded(csv.reader(io.StringIO(decoded, newline=""))))
    except csv.Error:
        raise Unreadable from None


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
        raise TooLarge from None
    if done.returncode == FAULTS["too_large"]:
        raise TooLarge
    if done.returncode != 0:
        raise Unreadable
    return [Sheet(name, rows) for name, rows in json.loads(done.stdout)]
