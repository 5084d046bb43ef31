"""A table as it stands in a file: rows of what a clerk sees, and what else a spreadsheet knows about its cells.

A cell is a text; its class says what it is in the file where that is not text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Number(str):
    """A number, without the zero that a spreadsheet puts behind it: 101, not 101.0."""

    __slots__ = ()


class Day(str):
    """A date, as YYYY-MM-DD, and the time of the day behind it where there is one."""

    __slots__ = ()


class Formula(str):
    """What was once computed. It is shown to nobody and taken for nothing: formulas are not evaluated."""

    __slots__ = ()


class Visibility(StrEnum):
    """Very hidden is what only a macro can show again."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    VERY_HIDDEN = "very_hidden"


@dataclass(frozen=True, slots=True)
class Area:
    """Merged cells, both ends included; rows and columns count from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows from the first of the sheet on, so that index 16 is what the clerk sees as row 17. Cells are trimmed.

    `plain`: a file without types, merged cells or columns of its own, such as a CSV.
    """

    name: str
    rows: list[list[str]]
    merged: tuple[Area, ...] = ()
    visibility: str = Visibility.VISIBLE
    epoch_1904: bool = False
    plain: bool = False


@dataclass(slots=True)
class Grid:
    """A sheet with a look at its merged cells: by their first row, and what they say in the rows below it."""

    sheet: Sheet
    starting: dict[int, list[Area]] = field(default_factory=dict)
    below: dict[tuple[int, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, sheet: Sheet) -> "Grid":
        grid = cls(sheet)
        for area in sheet.merged:
            if area.top >= len(sheet.rows):
                continue
            grid.starting.setdefault(area.top, []).append(area)
            value = grid.own(area.top, area.left)
            # What is merged over all columns is a heading; and no file pays for areas that lie below its last row.
            if value:
                for row in range(area.top + 1, min(area.bottom + 1, len(sheet.rows))):
                    grid.below[row, area.left] = value
        return grid

    def own(self, row: int, column: int) -> str:
        cells = self.sheet.rows[row]
        return cells[column] if column < len(cells) else ""

    def at(self, row: int, column: int) -> str:
        """What the cell says: its own, else that of the merged cell that reaches down over it."""
        return self.own(row, column) or self.below.get((row, column), "")

    def filled(self, row: int) -> list[int]:
        """The columns that have something of their own in a row."""
        return [column for column, cell in enumerate(self.sheet.rows[row]) if cell]

    def width(self, row: int, column: int) -> int:
        """How many columns the cell that begins here goes over."""
        for area in self.starting.get(row, ()):
            if area.left == column:
                return area.right - area.left + 1
        return 1

    def height(self, row: int, columns: Iterable[int]) -> int:
        """How many rows the tallest of the cells that begin here goes over."""
        wanted = set(columns)
        return max(
            (area.bottom - area.top + 1 for area in self.starting.get(row, ()) if area.left in wanted), default=1
        )
