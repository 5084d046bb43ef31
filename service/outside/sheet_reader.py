"""A program: a workbook on standard input, its sheets on standard output as lines of JSON.

It runs in a process of its own, see sheets.py, and imports nothing of the service. Each sheet is an object with its
name, visibility and merged cells, then its rows in lists of some hundreds, then null. A cell is a text, a list with a
date in it, or an object with a number or with what a formula once came to.
"""

import io
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

MAX_SHEETS, MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 50, 101_000, 256, 2_000_000

MAX_CHARACTERS = 64 * 1024**2
"""Of all cells together: a text that the file holds once may stand in every cell. 100,000 rows have 600 each."""

MAX_AREAS = 200_000
"""Merged areas of all sheets. What they cover counts against MAX_CELLS: honest ones do not overlap."""

TOGETHER = 500
"""Rows of a line."""

MEMORY = 2 * 1024**3
"""Bytes of address space."""

SECONDS = 30
"""Of processor time."""

LIMITS = {
    "cells": 4, "memory": 5, "parts": 11, "declared": 12, "unpacked": 13, "ratio": 14, "characters": 15, "merged": 16,
}  # fmt: skip
FAULTS = {"unreadable": 3, "macros": 6, "external_links": 7, "entities": 8, "protected": 9, **LIMITS}
"""Exit statuses. Whatever else ends it says that the workbook is unreadable; LIMITS say what it has too much of."""

BLANKS = "\u200b\u200c\u200d\u2060\ufeff"
"""What is seen as nothing but is no white space to Unicode."""


def text(cell: Any) -> str:
    """What a clerk sees in a cell, trimmed."""
    match cell:
        case str():
            trimmed = cell.strip()
            if "\r" in trimmed:
                trimmed = trimmed.replace("\r\n", "\n").replace("\r", "\n")
            if trimmed and (trimmed[0] in BLANKS or trimmed[-1] in BLANKS):
                return trimmed.strip(BLANKS).strip()
            return trimmed
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            # A spreadsheet knows no integers: the code 101 comes as 101.0.
            return str(int(cell))
        case float():
            # It shows fifteen digits, whatever the binary fraction is.
            return f"{cell:.15g}"
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
        case _:
            return str(cell)


def shown(cell: Any) -> Any:
    """A cell as it is written down here."""
    if isinstance(cell, Month):
        return [cell]
    if isinstance(cell, str):
        return text(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        # As text, so that nobody on the way rounds it.
        return {"n": text(cell)}
    if isinstance(cell, date | time | timedelta):
        return [text(cell)]
    return text(cell)


class Month(str):
    """A day that is shown as its month or its year."""


def _coarse(cell: Any, part: str, epoch_1904: bool) -> Any:
    """2023年12月 is kept as the first of December, which nobody meant."""
    if isinstance(cell, float) and 1 <= cell < 100_000:
        cell = (date(1904, 1, 1) if epoch_1904 else date(1899, 12, 30)) + timedelta(days=int(cell))
    if isinstance(cell, date):
        return Month(cell.strftime("%Y-%m" if part == "month" else "%Y"))
    return cell


def _bound_itself() -> None:
    for what, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound))


def _beside(name: str) -> Any:
    """A file beside this one: a program that runs isolated finds no neighbours by itself."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    if spec is None or spec.loader is None:
        sys.exit(FAULTS["unreadable"])
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Bounds:
    """How much there was in sheet after sheet; ends the program by name of the limit that is passed."""

    def __init__(self) -> None:
        self._cells = self._characters = self._areas = self._covered = 0

    def range(self, last_row: int, last_column: int) -> None:
        self._cells += (last_row + 1) * (last_column + 1)
        if last_row >= MAX_ROWS or last_column >= MAX_COLUMNS or self._cells > MAX_CELLS:
            sys.exit(FAULTS["cells"])

    def row(self, row: list[Any]) -> None:
        self._characters += sum(len(cell) for cell in row if type(cell) is str)
        if self._characters > MAX_CHARACTERS:
            sys.exit(FAULTS["characters"])

    def merged(self, sheet: Any, last_row: int, last_column: int) -> list[list[int]]:
        """The merged areas that begin where there are cells."""
        found = []
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
            if top > last_row or left > last_column:
                continue
            self._areas += 1
            self._covered += (min(bottom, last_row) - top + 1) * (min(right, last_column) - left + 1)
            if self._areas > MAX_AREAS or self._covered > MAX_CELLS:
                sys.exit(FAULTS["merged"])
            found.append([top, left, bottom, right])
        return found


def _lines(content: bytes) -> Iterator[Any]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

    parts, old = _beside("sheet_parts"), _beside("sheet_records")
    try:
        if content.startswith(b"PK"):
            parts.check_archive(content)
            facts = parts.xlsx_facts(content)
        else:
            names, stream = old.opened(content)
            facts = parts.xls_facts(names, old.records(stream))
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if len(workbook.sheets_metadata) > MAX_SHEETS:
            sys.exit(FAULTS["cells"])
        bounds = _Bounds()
        for listed in workbook.sheets_metadata:
            if listed.typ == SheetTypeEnum.MacroSheet:
                sys.exit(FAULTS["macros"])
            if listed.typ == SheetTypeEnum.WorkSheet:
                yield from _sheet(workbook.get_sheet_by_name(listed.name), listed, facts, bounds)
    except parts.Refused as refused:
        sys.exit(FAULTS[refused.args[0]])
    except MemoryError:
        sys.exit(FAULTS["memory"])
    except (CalamineError, OSError, ValueError, KeyError, IndexError):
        sys.exit(FAULTS["unreadable"])


def _sheet(sheet: Any, listed: Any, facts: Any, bounds: _Bounds) -> Iterator[Any]:
    last_row, last_column = sheet.end or (-1, -1)
    bounds.range(last_row, last_column)
    visible = listed.visible.name if hasattr(listed.visible, "name") else str(listed.visible).rpartition(".")[2]
    merged = bounds.merged(sheet, last_row, last_column)
    yield {"name": listed.name, "visible": visible, "merged": merged, "epoch_1904": facts.epoch_1904}
    computed = _rows_of(facts.formulas.get(listed.name, []), last_row, last_column)
    coarse: dict[int, list[tuple[int, str]]] = {}
    for (row, column), part in facts.coarse.get(listed.name, {}).items():
        coarse.setdefault(row, []).append((column, part))
    some: list[list[Any]] = []
    for number, cells in enumerate(_rows(sheet)):
        bounds.row(cells)
        for column, part in coarse.get(number, ()):
            if column < len(cells):
                cells[column] = _coarse(cells[column], part, facts.epoch_1904)
        some.append(_row(cells, computed.get(number)))
        if len(some) == TOGETHER:
            yield some
            some = []
    if some:
        yield some
    yield None


def _rows(sheet: Any) -> Iterator[list[Any]]:
    """One after the other, so that they are counted before there are many. It leaves out the columns before the first
    cell."""
    if sheet.start is not None:
        before = [""] * sheet.start[1]
        for row in sheet.iter_rows():
            yield before + row


def _rows_of(spans: list[tuple[int, int, int, int]], last_row: int, last_column: int) -> dict[int, set[int]]:
    """The columns with a formula, by row."""
    found: dict[int, set[int]] = {}
    for top, left, bottom, right in spans:
        for row in range(top, min(bottom, last_row) + 1):
            found.setdefault(row, set()).update(range(left, min(right, max(left, last_column)) + 1))
    return found


def _row(row: list[Any], formulas: set[int] | None) -> list[Any]:
    cells = [text(cell) if type(cell) is str else shown(cell) for cell in row]
    for column in formulas or ():
        if column < len(cells):
            cells[column] = {"f": text(row[column])}
    while cells and cells[-1] == "":
        cells.pop()
    return cells


if __name__ == "__main__":
    _bound_itself()
    out = sys.stdout.buffer
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for line in _lines(sys.stdin.buffer.read()):
        out.write(encode(line).encode("utf-8", "surrogatepass") + b"\n")
