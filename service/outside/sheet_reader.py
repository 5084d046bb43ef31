"""A program: a workbook on standard input, its sheets as JSON on standard output.

It runs in a process of its own, see sheets.py, and imports nothing of the service.
"""

import io
import json
import resource
import sys
from datetime import date, datetime, time
from typing import Any

MAX_SHEETS, MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 50, 100_000, 256, 2_000_000

MEMORY = 2 * 1024**3
"""Bytes of address space."""

SECONDS = 30
"""Of processor time."""

FAULTS = {"unreadable": 3, "too_large": 4}
"""Exit statuses. Whatever else ends it says that the workbook is unreadable."""

BLANKS = "\u200b\u200c\u200d\u2060\ufeff"
"""What is seen as nothing but is no white space to Unicode."""


def text(cell: Any) -> str:
    """What a clerk sees in a cell, trimmed."""
    match cell:
        case str():
            return cell.strip().strip(BLANKS).strip()
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer():
            # A spreadsheet knows no integers: the code 101 comes as 101.0.
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _bound_itself() -> None:
    for what, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound))


def _sheets(content: bytes) -> list[tuple[str, list[list[str]]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
        if len(names) > MAX_SHEETS:
            sys.exit(FAULTS["too_large"])
        found, cells = [], 0
        for name in names:
            sheet = workbook.get_sheet_by_name(name)
            last_row, last_column = sheet.end or (-1, -1)
            cells += (last_row + 1) * (last_column + 1)
            if last_row >= MAX_ROWS or last_column >= MAX_COLUMNS or cells > MAX_CELLS:
                sys.exit(FAULTS["too_large"])
            found.append((name, [[text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]))
    except (CalamineError, OSError, ValueError):
        sys.exit(FAULTS["unreadable"])
    return found


if __name__ == "__main__":
    _bound_itself()
    json.dump(_sheets(sys.stdin.buffer.read()), sys.stdout)
