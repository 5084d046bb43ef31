"""A program: a table as lines of JSON on standard input, written as an .xlsx in the way that offices lay out ledgers.

It runs in a process of its own, see workbooks.py, and imports nothing of the service: writing a million rows takes
minutes of processor time, which the service has for its callers, and what it holds in memory is given back whole.

The first line says what the table looks like, each further one is a list of rows, and the last one `{"end": ...}`.
A cell is a text, a number, `[year, month, day]` or null. Whatever a text says, it is written as a text.
"""

import json
import os
import resource
import sys
from datetime import date, datetime
from typing import Any

MEMORY = 1024**3
"""Bytes of address space."""

SECONDS = 3600
"""Of processor time."""

FILE_BYTES = 64 * 1024**3
"""Of one file on the disk: the rows stand there unpacked until the workbook is closed."""

ROWS_OF_A_SHEET = 1_000_000
"""A sheet holds 1,048,576 rows with title and headings; what comes behind goes on another one."""

FAULTS = {"no_room": 3}
"""Exit statuses. Whatever else ends it is a mistake of ours."""

TITLE, LEGEND, HEADINGS = 0, 1, 2
FIRST_ROW = HEADINGS + 2

HEADING_HEIGHT, LINE_HEIGHT, PADDING, HIGHEST_ROW = 28, 13.5, 6, 409
"""Of rows, in points; none can be higher than the last."""

BODY, HEAVY, TITLES = "宋体", "黑体", "方正小标宋简体"
A4 = 9


class Table:
    """A workbook in the making."""

    def __init__(self, path: str, scratch: str, look: dict[str, Any]) -> None:
        from xlsxwriter import Workbook

        self.look = look
        self.columns: list[dict[str, Any]] = look["columns"]
        self.book = Workbook(
            path,
            {
                "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
                "strings_to_numbers": False, "tmpdir": scratch,
            },
        )  # fmt: skip
        self.book.use_zip64()
        self.book.set_properties(
            {"title": look["title"], "author": look["author"], "created": datetime.fromisoformat(look["made_at"])}
        )
        cell = {"font_name": BODY, "font_size": 10, "border": 1, "valign": "vcenter", "text_wrap": True}
        middle = {**cell, "align": "center"}
        self.title = self.book.add_format(
            {"font_name": TITLES, "font_size": 22, "align": "center", "valign": "vcenter"}
        )
        self.legend = self.book.add_format({"font_name": BODY, "font_size": 11, "valign": "vcenter"})
        self.heading = self.book.add_format({**middle, "font_name": HEAVY, "bg_color": "#F2F2F2"})
        self.formats = {
            "text": self.book.add_format({**cell, "align": "left", "num_format": "@"}),
            "short": self.book.add_format({**middle, "num_format": "@"}),
            "lamp": self.book.add_format(middle),
            "number": self.book.add_format({**middle, "num_format": "0"}),
            "day": self.book.add_format({**middle, "num_format": "yyyy-mm-dd"}),
        }
        self.paints = {
            word: self.book.add_format({**middle, "bg_color": ground, "font_color": letters})
            for word, (ground, letters) in look["paints"].items()
        }
        self.total = self.book.add_format({**middle, "font_name": HEAVY, "bg_color": "#F2F2F2"})
        self.note = self.book.add_format({"font_name": BODY, "font_size": 10})
        self.cells = [
            (self.formats[column["kind"]], column["kind"] == "lamp", int(column["width"])) for column in self.columns
        ]
        self.sheets = 0
        self.begin()

    def begin(self) -> None:
        """A sheet with its title and headings."""
        self.sheets += 1
        name = self.look["sheet"] if self.sheets == 1 else f"{self.look['sheet']}（{self.sheets}）"
        self.sheet = self.book.add_worksheet(name)
        self.row = FIRST_ROW
        for index, column in enumerate(self.columns):
            self.sheet.set_column(index, index, column["width"])
        self.sheet.set_landscape()
        self.sheet.set_paper(A4)
        self.sheet.set_margins(left=0.3, right=0.3, top=0.5, bottom=0.6)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.center_horizontally()
        self.sheet.repeat_rows(HEADINGS, HEADINGS + 1)
        self.sheet.set_footer("&C第 &P 页，共 &N 页")
        self.sheet.freeze_panes(FIRST_ROW, 0)
        last = len(self.columns) - 1
        self.sheet.set_row(TITLE, 36)
        self.sheet.merge_range(TITLE, 0, TITLE, last, self.look["title"], self.title)
        self.sheet.set_row(LEGEND, 20)
        self.sheet.merge_range(LEGEND, 0, LEGEND, last, self.look["legend"], self.legend)
        self.headings()

    def headings(self) -> None:
        """Two rows: a group over its columns, and what has none over both rows.

        The rows are written one after the other, as it must be where none stays in memory; so which cells are one is
        said beside them, not by `merge_range`, which would go back to the first row for each.
        """
        for row in (HEADINGS, HEADINGS + 1):
            self.sheet.set_row(row, HEADING_HEIGHT)
            for index, column in enumerate(self.columns):
                group = column["group"]
                first = index == 0 or self.columns[index - 1]["group"] != group
                above = (group if first else None) if group else column["heading"]
                below = column["heading"] if group else None
                self.put(row, index, above if row == HEADINGS else below, self.heading)
        index = 0
        while index < len(self.columns):
            group = self.columns[index]["group"]
            end = index
            while group and end + 1 < len(self.columns) and self.columns[end + 1]["group"] == group:
                end += 1
            if end > index:
                self.sheet.merge.append([HEADINGS, index, HEADINGS, end])
            elif not group:
                self.sheet.merge.append([HEADINGS, index, HEADINGS + 1, index])
            index = end + 1

    def add(self, row: list[Any]) -> None:
        if self.row - FIRST_ROW >= ROWS_OF_A_SHEET:
            self.finish_sheet()
            self.begin()
        lines = 1
        for value, (_, _, width) in zip(row, self.cells, strict=True):
            if isinstance(value, str):
                lines = max(lines, lines_of(value, width))
        # Not every program works out for itself how high a row with wrapped texts must be.
        self.sheet.set_row(self.row, min(lines * LINE_HEIGHT + PADDING, HIGHEST_ROW))
        for index, value in enumerate(row):
            form, lamp, _ = self.cells[index]
            self.put(self.row, index, value, self.paints.get(value, form) if lamp else form)
        # The row before is written by now; of a million heights the library would keep each.
        self.sheet.row_info.pop(self.row - 1, None)
        self.sheet.row_sizes.pop(self.row - 1, None)
        self.row += 1

    def put(self, row: int, index: int, value: Any, form: Any) -> None:
        if value is None or value == "":
            self.sheet.write_blank(row, index, None, form)
        elif isinstance(value, str):
            self.text(row, index, value, form)
        elif isinstance(value, list):
            year, month, day = value
            # Day 1 of a spreadsheet is the first of 1900; what lies before it has no number.
            self.sheet.write_datetime(row, index, date(year, month, day), form)
        else:
            self.sheet.write_number(row, index, value, form)

    def text(self, row: int, index: int, value: str, form: Any) -> None:
        if value.startswith("<r>") and value.endswith("</r>"):
            # The library takes such a text for a piece of its own markup and would write it as it stands.
            self.sheet.write_rich_string(row, index, value[:1], form, value[1:], form)
        else:
            self.sheet.write_string(row, index, value, form)

    def finish_sheet(self) -> None:
        self.sheet.autofilter(HEADINGS + 1, 0, max(self.row - 1, HEADINGS + 1), len(self.columns) - 1)

    def finish(self, end: dict[str, Any]) -> None:
        self.finish_sheet()
        if end["total"] is not None:
            for index, value in enumerate(end["total"]):
                self.put(self.row, index, value, self.total)
            self.row += 1
        for note in end["notes"]:
            self.put(self.row, 0, note, self.note)
            self.row += 1
        self.book.close()


def lines_of(text: str, width: int) -> int:
    """In how many lines a text is wrapped; a Chinese character is as wide as two others."""
    if 2 * len(text) <= width and "\n" not in text:
        return 1
    # A character that does not fit goes to the next line whole: with odd widths the last half stays empty.
    return sum(max(1, -(-_width(part) // max(2, width - width % 2))) for part in text.split("\n"))


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(2 if character > "\u2000" else 1 for character in text)


def _bound_itself() -> None:
    # Whoever waits for a table waits minutes; callers of the service wait for milliseconds.
    os.nice(10)
    for what, bound in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (bound, bound))


def main(path: str, scratch: str) -> None:
    lines = sys.stdin.buffer
    table = Table(path, scratch, json.loads(next(lines)))
    for line in lines:
        given = json.loads(line)
        if isinstance(given, dict):
            table.finish(given["end"])
            return
        for row in given:
            table.add(row)
    # Whoever wrote the lines has ended before the table did: there is no whole workbook.
    sys.exit(1)


if __name__ == "__main__":
    from xlsxwriter.exceptions import FileCreateError

    _bound_itself()
    try:
        main(*sys.argv[1:])
    except (OSError, FileCreateError):
        sys.exit(FAULTS["no_room"])
