"""Where the headings of a ledger stand, and which column holds what.

Headings may stand in up to three rows, one over several of the next; rows may lie above them, columns to their left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from service.workflow.grid import Day, Formula, Grid, Number
from service.workflow.headings import NOT_KEPT, Field, called_plainly, field_of, normalised

MAX_ROWS = 3
"""Rows of headings."""

MAX_WORDS = 30
"""Characters of a heading; what is longer is a text."""

NEEDED = frozenset({Field.PROBLEM, Field.TITLE})
"""One of these, and something else beside it, makes a row of headings."""

LISTED_TWICE = frozenset({Field.CO_UNITS, Field.PERSON, Field.SUPERVISING, Field.ACCEPTING})
"""Fields that several columns may hold together, such as 配合单位(县) and 配合单位(乡镇)."""


@dataclass(frozen=True)
class Header:
    """Headings from row `first` to row `last`, counted from 0.

    `columns` says which columns hold which field; `headings` what each is called, also those that hold none. `width`:
    how many columns the headings go over; `plain`: how many fields are called what the table of names calls them.
    """

    first: int
    last: int
    columns: dict[Field, tuple[int, ...]]
    headings: dict[int, str]
    width: int
    plain: int

    @cached_property
    def unheld(self) -> dict[int, str]:
        """The columns that hold no field and are kept beside."""
        held = {column for columns in self.columns.values() for column in columns}
        return {
            column: heading
            for column, heading in self.headings.items()
            if column not in held and normalised(heading) not in NOT_KEPT
        }

    def field_at(self, column: int) -> Field | None:
        return next((field for field, columns in self.columns.items() if column in columns), None)


def header_at(grid: Grid, row: int, wanted: Mapping[str, Field | None] | None = None) -> Header | None:
    """The headings that begin in a row, if any do. `wanted`: what the caller says that headings mean."""
    cells = grid.sheet.rows[row]
    if len(cells) < 2 or any(isinstance(cell, Number) for cell in cells[:2]):
        # Nearly every row of a ledger begins with its number.
        return None
    filled = grid.filled(row)
    if len(filled) < 2 or not _heading_like(grid, row, filled):
        return None
    last = _last_row(grid, row, filled)
    paths = _paths(grid, row, last)
    columns = _columns(paths, wanted or {})
    if not NEEDED & columns.keys() or len(columns) < 2:
        return None
    headings = {column: " / ".join(path) for column, path in paths.items()}
    plain = sum(called_plainly(paths[found[0]]) for found in columns.values())
    return Header(row, last, columns, headings, max(paths) + 1, plain)


def headings_again(grid: Grid, row: int, before: Header, wanted: Mapping[str, Field | None]) -> Header | None:
    """Headings in the midst of a table: the same ones, or others that nobody could take for a row of it."""
    found = header_at(grid, row, wanted)
    if found is None:
        return None
    same = sum(before.headings.get(column) == heading for column, heading in found.headings.items())
    return found if 2 * same >= len(found.headings) or found.plain >= 3 else None


def _heading_like(grid: Grid, row: int, filled: list[int]) -> bool:
    """Short words and no numbers: most rows are told apart at a glance."""
    cells = [grid.own(row, column) for column in filled]
    return all(
        len(cell) <= MAX_WORDS and not isinstance(cell, Number | Day | Formula) and not cell[0].isdecimal()
        for cell in cells
    )


def _last_row(grid: Grid, row: int, filled: list[int]) -> int:
    """Merged cells say how far the headings go down; without them a row of nothing but headings below some of them."""
    last = row + min(MAX_ROWS, grid.height(row, filled)) - 1
    while last + 1 < min(row + MAX_ROWS, len(grid.sheet.rows)) and _continues(grid, row, last + 1):
        last += 1
    return min(last, len(grid.sheet.rows) - 1)


def _continues(grid: Grid, first: int, row: int) -> bool:
    """Whether a row divides headings of the row above it: all it has are headings, several under each that has any."""
    filled = grid.filled(row)
    above = grid.filled(row - 1)
    if len(filled) < 2 or len(above) < 2 or not _heading_like(grid, row, filled):
        return False
    for index, parent in enumerate(above):
        end = above[index + 1] if index + 1 < len(above) else max(*filled, parent) + 1
        under = [column for column in filled if parent <= column < end]
        if under and len(under) < 2 and grid.width(row - 1, parent) < 2:
            return False
        if any(field_of((grid.own(row - 1, parent), grid.own(row, column))) is None for column in under):
            return False
    return filled[0] >= above[0]


def _paths(grid: Grid, first: int, last: int) -> dict[int, tuple[str, ...]]:
    """Each column's headings from the top down; one that goes over several columns is theirs, and none stands twice."""
    width = max(len(grid.sheet.rows[row]) for row in range(first, last + 1))
    found: dict[int, list[str]] = {column: [] for column in range(width)}
    for row in range(first, last + 1):
        spanning, until = "", -1
        for column in range(width):
            own = grid.own(row, column)
            if own:
                reach = grid.width(row, column)
                # Without merged cells a heading goes on over blanks that have a heading below them.
                until = column + reach - 1 if reach > 1 else _reach(grid, row, last, column, width)
                spanning = own
            word = own or (spanning if column <= until else "")
            if word and word not in found[column]:
                found[column].append(word)
    return {column: tuple(path) for column, path in found.items() if path}


def _reach(grid: Grid, row: int, last: int, column: int, width: int) -> int:
    if row == last or grid.sheet.merged or not grid.own(row + 1, column):
        return column
    until = column
    while until + 1 < width and not grid.own(row, until + 1) and grid.own(row + 1, until + 1):
        until += 1
    return until


def _columns(paths: dict[int, tuple[str, ...]], wanted: Mapping[str, Field | None]) -> dict[Field, tuple[int, ...]]:
    """Which columns hold which field. Of two with the same meaning the one that is called so more plainly."""
    ranked: dict[Field, list[tuple[int, int]]] = {}
    for column, path in paths.items():
        chosen = _wanted(path, wanted)
        if chosen is not None:
            if chosen[0] is not None:
                ranked.setdefault(chosen[0], []).append((-1, column))
        elif (known := field_of(path)) is not None:
            ranked.setdefault(known[0], []).append((known[1], column))
    columns: dict[Field, tuple[int, ...]] = {}
    for field, found in ranked.items():
        if field in LISTED_TWICE:
            columns[field] = tuple(column for _, column in sorted(found, key=lambda each: each[1]))
        else:
            columns[field] = (min(found)[1],)
    if Field.DEADLINE not in columns and Field.CLOSED_ON in columns:
        # 完成时间 is when it is to be done, unless the ledger has both.
        column = columns[Field.CLOSED_ON][0]
        if normalised(paths[column][-1]) in ("完成时间", "完成日期", "整改完成时间"):
            columns[Field.DEADLINE] = columns.pop(Field.CLOSED_ON)
    return columns


def _wanted(path: tuple[str, ...], wanted: Mapping[str, Field | None]) -> tuple[Field | None] | None:
    for name in (" / ".join(path), path[-1]):
        for heading, field in wanted.items():
            if heading == name or normalised(heading) == normalised(name):
                return (field,)
    return None
