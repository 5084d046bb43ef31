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

TOGETHER = 500
"""Rows of a line."""

MEMORY = 2 * 1024**3
"""Bytes of address space."""

SECONDS = 30
"""Of processor time."""

FAULTS = {
    "unreadable": 3, "too_large": 4, "bomb": 5, "macros": 6, "external_links": 7, "entities": 8, "protected": 9,
    "memory": 10,
}  # fmt: skip
"""Exit statuses. Whatever else ends it says that the workbook is unreadable."""

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


def _parts() -> Any:
    """The file beside this one: a program that runs isolated finds no neighbours by itself."""
    spec = spec_from_file_location("sheet_parts", Path(__file__).with_name("sheet_parts.py"))
    if spec is None or spec.loader is None:
        sys.exit(FAULTS["unreadable"])
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _lines(content: bytes) -> Iterator[Any]:
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

    parts = _parts()
    try:
        if content.startswith(b"PK"):
            parts.check_archive(content)
            facts = parts.xlsx_facts(content)
        else:
            facts = parts.xls_facts(content)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if len(workbook.sheets_metadata) > MAX_SHEETS:
            sys.exit(FAULTS["too_large"])
        cells = 0
        for listed in workbook.sheets_metadata:
            if listed.typ not in (SheetTypeEnum.WorkSheet, SheetTypeEnum.MacroSheet):
                continue
            sheet = workbook.get_sheet_by_name(listed.name)
            last_row, last_column = sheet.end or (-1, -1)
            cells += (last_row + 1) * (last_column + 1)
            if last_row >= MAX_ROWS or last_column >= MAX_COLUMNS or cells > MAX_CELLS:
                sys.exit(FAULTS["too_large"])
            merged = [[*first, *last] for first, last in sheet.merged_cell_ranges or ()]
            yield {
                "name": listed.name, "visible": listed.visible.name if hasattr(listed.visible, "name")
                else str(listed.visible).rpartition(".")[2], "merged": merged, "epoch_1904": facts.epoch_1904,
            }  # fmt: skip
            computed = _rows_of(facts.formulas.get(listed.name, []), last_row, last_column)
            coarse = facts.coarse.get(listed.name, {})
            rows = sheet.to_python(skip_empty_area=False)
            for (row, column), part in coarse.items():
                if row < len(rows) and column < len(rows[row]):
                    rows[row][column] = _coarse(rows[row][column], part, facts.epoch_1904)
            for first in range(0, len(rows), TOGETHER):
                some = rows[first : first + TOGETHER]
                yield [_row(row, computed.get(number)) for number, row in enumerate(some, start=first)]
            yield None
    except parts.Refused as refused:
        sys.exit(FAULTS[refused.args[0]])
    except MemoryError:
        sys.exit(FAULTS["memory"])
    except (CalamineError, OSError, ValueError, KeyError, IndexError):
        sys.exit(FAULTS["unreadable"])


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
