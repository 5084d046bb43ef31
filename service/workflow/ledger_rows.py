"""A line of a ledger as a clerk judges it: its facts, why it is not imported, and what somebody should look at.

Which units there are is not known here, nor what was imported before.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from service.workflow import cell_words, words
from service.workflow.cell_checks import check
from service.workflow.cells import unguarded
from service.workflow.grid import Number
from service.workflow.headings import Field
from service.workflow.ledger_sheet import Line
from service.workflow.row_faults import (
    COLUMN_COUNT,
    DUPLICATE,
    INVALID_DATE,
    MISSING_PROBLEM,
    MISSING_UNIT,
    TOO_LONG,
    Fault,
)
from service.workflow.states import SourceKind
from service.workflow.texts import shortened
from service.workflow.unit_names import plain
from service.workflow.unit_persons import parted
from service.workflow.words import Words

MAX_TITLE = 200
MAX_PROBLEM = 5_000
"""Characters of a problem: what is longer is a document that slipped into a cell."""

MAX_TEXT = 20_000
MAX_LINE = 200
MAX_DEADLINE = 500
MAX_ATTRIBUTES = 3_000
"""Characters of what goes to `attributes`: of more the longest cells are cut. Names of units have room behind it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """By what a row is known again: its unit and problem, its deadline, its status, and all that it says. Hashes."""

    key: str
    deadline: str
    status: str
    content: str


NO_MARKS = Marks("", "", "", "")
NOTHING_SAID = Words()
NOTHING_BESIDE: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class LedgerRow:
    """A line with its facts. What has `errors` is refused.

    There are 100,000 of them at once: what most have nothing of is one empty thing for all.
    """

    sheet: str
    row: int
    errors: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    title: str = ""
    description: str | None = None
    goal: str | None = None
    measures: str | None = None
    lead_cell: str = ""
    unit_cell: str = ""
    co_cells: tuple[str, ...] = ()
    person: str | None = None
    deadline: Words = NOTHING_SAID
    deadline_text: str | None = None
    status: str | None = None
    closed: bool = False
    closes: bool = False
    """Whether the day of closure alone says that it is closed, once that day has come."""

    closed_on: date | None = None
    found_on: date | None = None
    listed_on: date | None = None
    category: str | None = None
    severity: str | None = None
    source_kind: str = SourceKind.OTHER.value
    source_ref: str | None = None
    contact: str | None = None
    source_no: str | None = None
    beside: Mapping[str, Any] = field(default_factory=lambda: NOTHING_BESIDE)
    problem: str = ""
    begins: tuple[tuple[Field, date], ...] = ()
    """Of the days above that a period stands for, its last one, the first."""

    marks: Marks = NO_MARKS

    @property
    def attributes(self) -> dict[str, Any]:
        """What an item keeps of it beside its fields."""
        number = {Field.SOURCE_NO.value: self.source_no} if self.source_no else {}
        return {**number, **self.beside}

    def keep_day(self, said: str) -> None:
        """Keep a day of completion that is none of closure beside, as it was said."""
        self.beside = {**self.beside, Field.CLOSED_ON.value: said}
        self.closed_on = None

    def settle(self, today: date) -> None:
        """Of a period that goes on (检查时间 is 2026年11月, in November) today counts: its end is yet to come.

        The marks stay as they are, so that the row is known again tomorrow.
        """
        for name, first in self.begins:
            last = getattr(self, name)
            if last is not None and first <= today < last:
                setattr(self, name, today)
        if self.closes and self.closed_on is not None:
            self.closed = self.closed_on <= today
            if not self.closed:
                self.keep_day(self.closed_on.isoformat())


def judge(lines: Iterable[Line]) -> list[LedgerRow]:
    """Every line with its facts; one that an earlier one says already is refused as a duplicate of that."""
    rows: list[LedgerRow] = []
    first: dict[tuple[str, str], LedgerRow] = {}
    for line in lines:
        row = _judge(line)
        rows.append(row)
        row.marks = _marks(row)
        if line.odd or not row.problem or not (row.lead_cell or row.unit_cell):
            continue
        earlier = first.setdefault((row.marks.key, row.marks.deadline), row)
        if earlier is not row:
            where = str(earlier.row) if earlier.sheet == row.sheet else f"{earlier.sheet}!{earlier.row}"
            row.errors += (Fault(DUPLICATE, None, where),)
    return rows


def _marks(row: LedgerRow) -> Marks:
    """Who complained is in none of them: a hash would tell whoever guesses it."""
    content = repr(
        (
            row.title, row.description, row.goal, row.measures, row.co_cells, row.person, row.deadline_text, row.status,
            row.closed, row.closed_on, row.found_on, row.listed_on, row.category, row.severity, row.source_kind,
            row.source_ref, row.attributes,
        )
    )  # fmt: skip
    key = f"{_plain(row.lead_cell)}\n{_plain(row.unit_cell)}\n{plain(row.problem)}"
    return Marks(_hash(key), _known_hash(row.deadline_text or ""), _known_hash(row.status or ""), _hash(content))


_plain = lru_cache(maxsize=2_000)(plain)


def _hash(text: str) -> str:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


@lru_cache(maxsize=2_000)
def _known_hash(text: str) -> str:
    """The same deadlines stand in a thousand rows."""
    return _hash(plain(text))


def _judge(line: Line) -> LedgerRow:
    row = LedgerRow(line.sheet, line.row)
    if line.odd:
        row.errors += (Fault(COLUMN_COUNT),)
    errors, warnings = check(line)
    row.errors += errors
    row.warnings += warnings
    cells = {each: unguarded(cell) for each, cell in line.cells.items()}
    _problem(row, cells, line)
    row.lead_cell, leading = parted(_units(cells, Field.LEAD_UNIT))
    row.unit_cell, responsible = parted(_units(cells, Field.UNIT))
    row.co_cells = tuple(cell for cell in line.all(Field.CO_UNITS) if not cell_words.blank(cell))
    if not row.lead_cell and not row.unit_cell and not line.odd:
        row.errors += (Fault(MISSING_UNIT, Field.UNIT),)
    row.goal = _text(row, Field.GOAL, cells.get(Field.GOAL, ""))
    row.measures = _text(row, Field.MEASURES, cells.get(Field.MEASURES, ""))
    people = [cell for cell in map(unguarded, line.all(Field.PERSON)) if not cell_words.blank(cell)]
    row.person = _line(row, Field.PERSON, "、".join(dict.fromkeys([*people, *responsible, *leading])))
    row.category = _line(row, Field.CATEGORY, cells.get(Field.CATEGORY, ""), 100)
    _deadline(row, line)
    _status(row, line, cells)
    _days(row, line)
    row.closes = bool(line.closes and row.closed_on and not row.closed and not cell_words.goes_on(row.status or ""))
    if row.closed_on and not row.closed and not row.closes:
        # A day of completion is none of closure: it is kept beside.
        cell = line.cells[Field.CLOSED_ON]
        row.keep_day(row.closed_on.isoformat() if isinstance(cell, Number) else cell)
    _beside(row, line, cells)
    return row


# -- the facts


def _units(cells: dict[Field, str], name: Field) -> str:
    """A cell of units. 无, — and 同上 name none: who is responsible is not guessed from the row above."""
    cell = cells.get(name, "")
    return "" if cell_words.blank(cell) or cell_words.ditto(cell) else cell


def _problem(row: LedgerRow, cells: dict[Field, str], line: Line) -> None:
    found = (cells.get(name, "") for name in (Field.PROBLEM, Field.TITLE))
    problem, title = ("" if cell_words.blank(cell) else cell for cell in found)
    row.problem = problem or title
    if not row.problem:
        if not line.odd:
            row.errors += (Fault(MISSING_PROBLEM, Field.PROBLEM),)
        return
    if len(row.problem) > MAX_PROBLEM:
        row.errors += (Fault(TOO_LONG, Field.PROBLEM),)
    in_one_line = " ".join((title or problem).split())
    # Of all that a row holds it is the longest: where both are the same, they are one text.
    row.title = shortened(row.problem if in_one_line == row.problem else in_one_line, MAX_TITLE)
    row.description = problem if problem and problem != row.title else None


def _text(row: LedgerRow, name: Field, cell: str) -> str | None:
    if len(cell) > MAX_TEXT:
        row.errors += (Fault(TOO_LONG, name),)
    return cell or None


def _line(row: LedgerRow, name: Field, cell: str, longest: int = MAX_LINE) -> str | None:
    in_one_line = " ".join(cell.split())
    if len(in_one_line) > longest:
        row.errors += (Fault(TOO_LONG, name),)
    return in_one_line or None


def _deadline(row: LedgerRow, line: Line) -> None:
    cell = line.cells.get(Field.DEADLINE, "")
    if len(cell) > MAX_DEADLINE and cell is not line.cells.get(Field.MEASURES):
        row.errors += (Fault(TOO_LONG, Field.DEADLINE),)
        return
    # Of measures that are read for a day the end tells.
    row.deadline = _words(line, cell if len(cell) <= MAX_DEADLINE else cell[-MAX_DEADLINE:])
    row.deadline_text = shortened(" ".join(cell.split()), MAX_DEADLINE) or None
    if row.deadline.invalid:
        row.errors += (Fault(INVALID_DATE, Field.DEADLINE),)
    elif row.deadline.warning is not None:
        row.warnings += (Fault(row.deadline.warning, Field.DEADLINE, row.deadline.reason),)


def _words(line: Line, cell: str) -> Words:
    return words.read(unguarded(cell), number=isinstance(cell, Number), epoch_1904=line.epoch_1904)


def _status(row: LedgerRow, line: Line, cells: dict[Field, str]) -> None:
    """Where a column says whether it is struck off, that counts, and on which day as well; else what the status says
    word for word."""
    status, struck_off = cells.get(Field.STATUS, ""), cells.get(Field.STRUCK_OFF, "")
    said = cell_words.struck_off(struck_off)
    if said is None and cell_words.day_alone(struck_off):
        said = _set_day(row, Field.CLOSED_ON, _words(line, struck_off)) or None
    row.closed = said if said is not None else cell_words.done(struck_off or status)
    told = [status] if status and not cell_words.bare(status) else []
    if struck_off and said is None:
        told.append(struck_off)
    row.status = _text(row, Field.STATUS, "；".join(told))


def _days(row: LedgerRow, line: Line) -> None:
    for name in (Field.CLOSED_ON, Field.FOUND_ON, Field.LISTED_ON):
        cell = line.cells.get(name, "")
        if not cell or len(cell) > MAX_DEADLINE:
            continue
        said = _words(line, cell)
        if said.invalid:
            row.errors += (Fault(INVALID_DATE, name),)
        elif not _set_day(row, name, said):
            row.beside = {**row.beside, name: cell}


def _set_day(row: LedgerRow, name: Field, said: Words) -> bool:
    """Whether a cell says a day, which is then the row's."""
    if said.due_on is None:
        return False
    setattr(row, name, said.due_on)
    row.begins = (*(each for each in row.begins if each[0] != name), (name, said.first or said.due_on))
    return True


def _beside(row: LedgerRow, line: Line, cells: dict[Field, str]) -> None:
    """What an item has no place of its own for, and what is told from words."""
    severity = cells.get(Field.SEVERITY, "")
    row.severity = cell_words.severity(severity)
    source = cells.get(Field.SOURCE, "")
    row.source_kind = cell_words.source_kind(source)
    row.source_ref = _line(row, Field.SOURCE, source)
    row.contact = "、".join(dict.fromkeys(map(unguarded, line.all(Field.CONTACT)))) or None
    if row.contact and len(row.contact) > 2_000:
        row.errors += (Fault(TOO_LONG, Field.CONTACT),)
    kept = {
        Field.SOURCE_NO: cells.get(Field.SOURCE_NO),
        Field.SEVERITY: severity if row.severity is None else None,
        Field.PLACE: cells.get(Field.PLACE),
        Field.REMARK: cells.get(Field.REMARK),
        Field.SUPERVISING: "、".join(line.all(Field.SUPERVISING)),
        Field.ACCEPTING: "、".join(line.all(Field.ACCEPTING)),
    }
    beside: dict[str, Any] = {**row.beside, **{name.value: cell for name, cell in kept.items() if cell}}
    if line.extra:
        beside["columns"] = {heading[:100]: cell for heading, cell in line.extra.items()}
    _shorten(beside)
    row.source_no = beside.pop(Field.SOURCE_NO.value, None)
    row.beside = beside or NOTHING_BESIDE


def _shorten(attributes: dict[str, Any]) -> None:
    """The longest cells are cut to one length, so that all have room: what is kept beside costs no item."""
    beside = attributes.get("columns", {})
    lengths = sorted(len(cell) for each in (attributes, beside) for cell in each.values() if isinstance(cell, str))
    room, left = MAX_ATTRIBUTES, len(lengths)
    if sum(lengths) <= room:
        return
    while lengths[-left] * left <= room:
        room -= lengths[-left]
        left -= 1
    longest = max(room // left, 1)
    for each in (attributes, beside):
        each |= {name: shortened(cell, longest) for name, cell in each.items() if isinstance(cell, str)}
