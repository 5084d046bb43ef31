"""A ledger as offices make them: from the sheets of a file to lines of cells by what they mean.

Nothing is judged here but where things stand. Rows are numbered as the clerk sees them, from 1.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from service.workflow import words
from service.workflow.grid import Formula, Grid, Sheet, Visibility
from service.workflow.headers import Header, header_at, headings_again
from service.workflow.headings import Field, called_plainly
from service.workflow.row_kinds import FIGURE, Kind, is_numbering, kind_of

HEADER_WITHIN = 60
"""The headings stand in one of so many first rows."""

LOOKED_AT = 200
"""Rows below the headings that tell what the sheet is like."""

NO_HEADER = "no_header"


@dataclass(slots=True)
class Line:
    """A row of data: its cells by field as far as they are filled, and under `extra` those of columns that hold no
    field, by their headings. `several` has all cells of fields that more than one column holds.

    `odd`: in a file without columns of its own, it has more or fewer cells than the headings. `closes`: its day of
    closure is that of striking off, and no column says whether it was.
    """

    sheet: str
    row: int
    cells: dict[Field, str]
    several: dict[Field, tuple[str, ...]]
    extra: dict[str, str]
    odd: bool = False
    epoch_1904: bool = False
    closes: bool = False

    def all(self, field: Field) -> tuple[str, ...]:
        """Every cell of a field."""
        if field in self.several:
            return self.several[field]
        return (self.cells[field],) if field in self.cells else ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that is no data, and what it is."""

    sheet: str
    row: int
    kind: Kind


@dataclass(slots=True)
class SheetRead:
    """What became of a sheet: `skipped` says why nothing of it was read (hidden, very_hidden, no_header, empty).

    `lines` are read as they are asked for; `passed`, `count` and `headers`, every one from the top, are whole once they
    have been.
    """

    sheet: Sheet
    grid: Grid | None = None
    skipped: str | None = None
    header: Header | None = None
    headers: list[Header] = field(default_factory=list)
    lines: Iterator[Line] = field(default_factory=lambda: iter(()))
    passed: list[Passed] = field(default_factory=list)
    count: int = 0

    @property
    def name(self) -> str:
        return self.sheet.name

    def forget(self) -> None:
        """Let go of the cells: what is known about the sheet stays."""
        self.sheet.rows.clear()
        self.grid = None

    def header_of(self, row: int) -> Header | None:
        """The headings above a row."""
        above = bisect_right(self.headers, row - 1, key=lambda header: header.first)
        return self.headers[max(above - 1, 0)] if self.headers else None

    def cells(self, row: int) -> dict[int, str]:
        """What a row says below each heading, by column, also where a merged cell says it. Without what is left out."""
        header = self.header_of(row)
        if header is None or self.grid is None:
            return {}
        cells = {column: self.grid.at(row - 1, column) for column in header.headings}
        return {
            column: cell
            for column, cell in cells.items()
            if not (isinstance(cell, Formula) and header.field_at(column) is None)
        }


def read_sheets(sheets: Iterable[Sheet], wanted: Mapping[str, Field | None] | None = None) -> list[SheetRead]:
    """Every sheet, each with its own headings. `wanted`: what the caller says that a heading means; None: nothing."""
    return [_read(sheet, wanted or {}) for sheet in sheets]


def _read(sheet: Sheet, wanted: Mapping[str, Field | None]) -> SheetRead:
    if sheet.visibility != Visibility.VISIBLE:
        return SheetRead(sheet, skipped=str(sheet.visibility))
    grid = Grid.of(sheet)
    if not any(map(any, sheet.rows)):
        return SheetRead(sheet, skipped="empty")
    header = _first_header(grid, wanted)
    if header is None:
        return SheetRead(sheet, skipped=NO_HEADER)
    found = SheetRead(sheet, grid, header=header, headers=[header])
    found.lines = _lines(grid, found, header, wanted)
    return found


def _lines(grid: Grid, found: SheetRead, header: Header, wanted: Mapping[str, Field | None]) -> Iterator[Line]:
    name = grid.sheet.name
    found.passed += [
        Passed(name, row + 1, Kind.TITLE if grid.filled(row) else Kind.BLANK) for row in range(header.first)
    ]
    for row, kind, under in _rows(grid, header, wanted):
        if under is not found.headers[-1]:
            found.headers.append(under)
        if kind == Kind.DATA:
            found.count += 1
            yield _line(grid, under, row)
        else:
            found.passed.append(Passed(name, row + 1, kind))


def _first_header(grid: Grid, wanted: Mapping[str, Field | None]) -> Header | None:
    """The first row of headings with problems below it; one that tells more counts where no item lies between."""
    found: Header | None = None
    for row in range(min(HEADER_WITHIN, len(grid.sheet.rows))):
        header = header_at(grid, row, wanted)
        if header is None or _counts(grid, header, wanted):
            continue
        if found is not None and _has_items(grid, found, row):
            break
        if found is None or len(header.columns) > len(found.columns):
            found = header
    return found


def _has_items(grid: Grid, header: Header, until: int) -> bool:
    return any(
        kind_of(grid, header, row, in_notes=False, arabic=False) == Kind.DATA and not _is_form(grid, row)
        for row in range(header.last + 1, until)
    )


def _is_form(grid: Grid, row: int) -> bool:
    """交办时间 | 2027年1月 | 整改时限 | 6月底: headings with what they say beside them, above a ledger."""
    cells = [cell for cell in grid.sheet.rows[row] if cell]
    return 3 * sum(called_plainly((cell,)) for cell in cells) > len(cells)


def _counts(grid: Grid, header: Header, wanted: Mapping[str, Field | None]) -> bool:
    """Whether the problems are figures: how many each unit has, in a summary."""
    columns = [column for each in (Field.PROBLEM, Field.TITLE) for column in header.columns.get(each, ())]
    said: list[str] = []
    for row in range(header.last + 1, min(header.last + 1 + LOOKED_AT, len(grid.sheet.rows))):
        if header_at(grid, row, wanted) is not None:
            break
        if not is_numbering(grid, row):
            said += [cell for column in columns if (cell := grid.own(row, column))]
    return bool(said) and all(map(FIGURE.fullmatch, said))


def _rows(grid: Grid, header: Header, wanted: Mapping[str, Field | None]) -> Iterator[tuple[int, Kind, Header]]:
    """Each row from the headings on, what it is, and the headings above it: a table may repeat or change them."""
    arabic = _counts_in_digits(grid, header)
    in_notes = False
    row = header.first
    until = header.last
    while row < len(grid.sheet.rows):
        if row <= until:
            yield row, Kind.HEADER, header
            row += 1
            continue
        again = headings_again(grid, row, header, wanted)
        if again is not None:
            header, until, in_notes = again, again.last, False
            continue
        kind = kind_of(grid, header, row, in_notes=in_notes, arabic=arabic)
        in_notes = kind in (Kind.NOTE, Kind.SIGNATURE) or (in_notes and kind == Kind.BLANK)
        yield row, kind, header
        row += 1


def _counts_in_digits(grid: Grid, header: Header) -> bool:
    columns = header.columns.get(Field.SOURCE_NO, ())
    return any(
        grid.own(row, column).strip(".、").isdecimal()
        for column in columns
        for row in range(header.last + 1, min(header.last + LOOKED_AT, len(grid.sheet.rows)))
    )


def _line(grid: Grid, header: Header, row: int) -> Line:
    sheet = grid.sheet
    own = sheet.rows[row]
    length = len(own)
    for column, unit in header.counted.items():
        # 15 below 整改期限（天） is 15天内.
        if column < length and re.fullmatch(r"\d{1,3}", own[column]):
            own = [*own[:column], f"{own[column]}{unit}内", *own[column + 1 :]]
    cells: dict[Field, str] = {}
    several: dict[Field, tuple[str, ...]] = {}
    for held, columns in header.columns.items():
        found = tuple(
            cell
            for column in columns
            if (cell := (own[column] if column < length else "") or grid.below.get((row, column), ""))
        )
        if found:
            cells[held] = _extended(found) if held == Field.DEADLINE and len(found) > 1 else found[0]
            if len(found) > 1:
                several[held] = found
    extra: dict[str, str] = {}
    for column, heading in header.unheld.items():
        cell = grid.at(row, column)
        # 剩余天数 that a formula counts is left out, and costs no row: nothing is known by it.
        if cell and not isinstance(cell, Formula):
            extra[heading] = f"{extra[heading]}；{cell}" if heading in extra else cell
    odd = sheet.plain and (length < header.width or any(own[header.width :]))
    return Line(sheet.name, row + 1, cells, several, extra, odd, sheet.epoch_1904, header.closes)


def _extended(cells: tuple[str, ...]) -> str:
    """What counts of 延期后整改时限, the latest first, and of 整改时限 behind them: a day, or 30天 added to the last.

    无 and 未延期 change nothing.
    """
    *later, first = cells
    for cell in later:
        said = words.read(cell)
        if said.due_on is not None:
            return cell
        if said.count is not None:
            return f"{first}延期{cell}"
    return first
