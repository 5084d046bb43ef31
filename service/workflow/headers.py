"""Where the headings of a ledger stand, and which column holds what.

Headings may stand in up to three rows, one over several of the next; rows may lie above them, columns to their left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from service.workflow.columns import CLOSING_DAY, LISTED_TOGETHER, columns_of
from service.workflow.grid import Day, Formula, Grid, Number
from service.workflow.headings import (
    FILLED_IN,
    NOT_KEPT,
    OF_A_TIME,
    OF_PROBLEMS,
    Field,
    called_plainly,
    counted_in,
    field_of,
    normalised,
)

MAX_ROWS = 3
"""Rows of headings."""

MAX_WORDS = 30
"""Characters of a heading without what stands in brackets; what is longer is a text."""

MAX_CELL = 300
"""Characters of a heading with it."""

ODD_AMONG = 2
"""One heading of so many may look like none: a date, the number of a month, a long text."""

PLAIN_BESIDE_ODD = 3
"""Where one does, so many fields are called what the table of names calls them."""

NEEDED = frozenset({Field.PROBLEM, Field.TITLE})
"""One of these, and something else beside it, makes a row of headings."""


@dataclass(frozen=True)
class Header:
    """Headings from row `first` to row `last`, counted from 0.

    `columns` says which columns hold which field, the one that counts first; `headings` what each is called, also those
    that hold none. `width`: how many columns the headings go over; `plain`: how many fields are called what the table
    of names calls them.
    """

    first: int
    last: int
    columns: dict[Field, tuple[int, ...]]
    headings: dict[int, str]
    width: int
    plain: int

    @cached_property
    def unheld(self) -> dict[int, str]:
        """The columns that hold no field and are kept beside, as is what a later column of the same field overrules."""
        held = {
            column
            for field, columns in self.columns.items()
            for column in (columns if field in LISTED_TOGETHER else columns[:1])
        }
        return {
            column: heading
            for column, heading in self.headings.items()
            if column not in held and normalised(heading) not in NOT_KEPT
        }

    @cached_property
    def counted(self) -> dict[int, str]:
        """In what the numbers of a column count, by the brackets of its heading: 整改期限（天）."""
        return {
            column: unit
            for column in self.columns.get(Field.DEADLINE, ())
            if (unit := counted_in(self.headings[column])) is not None
        }

    @cached_property
    def closes(self) -> bool:
        """Whether 销号时间 alone tells what is struck off, and a deadline stands beside it so that it is no plan."""
        days = self.columns.get(Field.CLOSED_ON, ())
        return (
            Field.STRUCK_OFF not in self.columns
            and Field.DEADLINE in self.columns
            and any(CLOSING_DAY.fullmatch(normalised(self.headings[column].rpartition(" / ")[2])) for column in days)
        )

    def field_at(self, column: int) -> Field | None:
        return next((field for field, columns in self.columns.items() if column in columns), None)


def header_at(grid: Grid, row: int, wanted: Mapping[str, Field | None] | None = None) -> Header | None:
    """The headings that begin in a row, if any do. `wanted`: what the caller says that headings mean."""
    cells = grid.sheet.rows[row]
    if len(cells) < 2 or any(isinstance(cell, Number) or cell.isdecimal() for cell in cells[:2]):
        # Nearly every row of a ledger begins with its number.
        return None
    if not wanted and not _names_problems(grid, row):
        return None
    filled = grid.filled(row)
    odd = _odd(grid, row, filled)
    if len(filled) < 2 or ODD_AMONG * odd > len(filled):
        return None
    last = _last_row(grid, row, filled)
    paths = _paths(grid, row, last)
    columns = columns_of(paths, wanted or {}, lambda column: _goes_down(grid, last, column))
    if not NEEDED & columns.keys() or len(columns) < 2:
        return None
    headings = {column: " / ".join(path) for column, path in paths.items()}
    plain = sum(called_plainly(paths[found[0]]) for found in columns.values())
    if odd and plain < PLAIN_BESIDE_ODD:
        return None
    return Header(row, last, columns, headings, max(paths) + 1, plain)


def headings_again(grid: Grid, row: int, before: Header, wanted: Mapping[str, Field | None]) -> Header | None:
    """Headings in the midst of a table: the same ones, or others that nobody could take for a row of it."""
    found = header_at(grid, row, wanted)
    if found is None:
        return None
    same = sum(before.headings.get(column) == heading for column, heading in found.headings.items())
    return found if 2 * same >= len(found.headings) or found.plain >= 3 else None


def _goes_down(grid: Grid, last: int, column: int) -> bool:
    """Whether a merged cell of a column stands for several rows below the headings."""
    return any(row > last and filled == column for row, filled in grid.below)


def _names_problems(grid: Grid, row: int) -> bool:
    """Whether one of the rows of headings that may begin here names problems at all."""
    return any(OF_PROBLEMS.search(cell) for cells in grid.sheet.rows[row : row + MAX_ROWS] for cell in cells)


def _odd(grid: Grid, row: int, filled: list[int]) -> int:
    """How many cells are no short words, as far as it takes to tell that they are too many: most rows are told apart
    at a glance."""
    odd = 0
    for column in filled:
        odd += _is_odd(grid.own(row, column))
        if ODD_AMONG * odd > len(filled):
            break
    return odd


def _is_odd(cell: str) -> bool:
    if isinstance(cell, Number | Day | Formula) or len(cell) > MAX_CELL or FILLED_IN.match(cell):
        return True
    if len(cell) <= MAX_WORDS and not cell[0].isdecimal():
        return False
    words = normalised(cell)
    return not words or len(words) > MAX_WORDS or (words[0].isdecimal() and not OF_A_TIME.fullmatch(words))


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
    if len(filled) < 2 or len(above) < 2 or any(_is_odd(grid.own(row, column)) for column in filled):
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
