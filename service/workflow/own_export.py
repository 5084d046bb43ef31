"""A ledger that was exported here (ledger_layouts.py) and comes back: what of it is read otherwise than of others."""

from collections.abc import Iterator
from dataclasses import replace

from service.workflow.headings import Field
from service.workflow.ledger_layouts import CODE, LAMP, LATE, LAYOUTS, RESOLUTIONS, STATE
from service.workflow.ledger_sheet import Line, Passed, SheetRead
from service.workflow.row_kinds import Kind

KNOWN_BY = frozenset(column.heading for column in (CODE, STATE, LAMP, LATE))
"""In both layouts, and in no ledger that is kept by hand."""

FOLLOWS = frozenset(
    column.heading
    for layout in LAYOUTS.values()
    for column in layout.columns
    if column.fact in ("state", "lamp", "days_overdue", "due_on", "extensions")
)
"""What follows from an item's own history: nobody's words, and untrue tomorrow."""

_ANNULLED = frozenset(RESOLUTIONS.values())


def lines(sheet: SheetRead) -> Iterator[Line]:
    """The lines of any sheet. Of an export without what FOLLOWS, and with an item's number for its place in the table.

    Items that were annulled are passed over: a row cannot say so, and would list them anew as open.
    """
    if sheet.header is None or not {_own(heading) for heading in sheet.header.headings.values()} >= KNOWN_BY:
        yield from sheet.lines
        return
    for line in sheet.lines:
        beside = {_own(heading): cell for heading, cell in line.extra.items()}
        if beside.get(STATE.heading) in _ANNULLED:
            sheet.passed.append(Passed(sheet.name, line.row, Kind.ANNULLED))
            sheet.count -= 1
            continue
        number = beside.pop(CODE.heading, None)
        cells = {**line.cells, **({Field.SOURCE_NO: number} if number else {})}
        yield replace(line, cells=cells, extra={name: cell for name, cell in beside.items() if name not in FOLLOWS})


def _own(heading: str) -> str:
    return heading.rpartition(" / ")[2]
