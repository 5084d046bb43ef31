"""A published month as the workbook that offices hand up: units down, figures across, ranking and total, on A4.

Which figures there are, what they are called and measured in is told by the document itself: a month that was published
stays as it was published, whatever figures there are today. Of today is only how its columns are put in groups.
"""

import io
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from service.outside.sheet_writer import TEXTS_ARE_TEXTS
from service.workflow.figures import Unit
from service.workflow.reports import ranks

FORMATS: dict[str, str] = {Unit.SHARE: "0.0%", Unit.DAYS: "0.0"}
FIRST = ("单位", "排名")
HEADINGS = 4
"""Rows above the first unit: title, what it is of, and a heading of two rows."""

GROUPS = (
    ("接收", ("listed", "claims_due", "claimed_on_time", "claim_rate")),
    ("销号", ("closed", "fell_due", "closed_on_time", "on_time_rate", "overdue")),
    ("延期", ("rectifying", "extended", "extended_late", "extension_rate", "late_extension_rate")),
    ("销号审核", ("closures_decided", "closures_returned", "return_rate")),
    ("反弹与约谈", ("reopened", "recurrence_rate", "interviews_held")),
    ("作废", ("annulled", "annulled_overdue")),
    ("销号用时（天）", ("median_days_to_close", "p90_days_to_close")),
)
"""Every figure once, in the columns' order."""

OTHERS = "其他"
"""The group of figures that are in none of these any more."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure as the document defines it."""

    name: str
    title: str
    unit: str


Groups = list[tuple[str, list[Column]]]


def groups_of(document: dict[str, Any]) -> Groups:
    """The document's figures, each once, by the groups that they stand in."""
    defined = {
        each["name"]: Column(each["name"], each["title"]["zh"], each["unit"]) for each in document["definitions"]
    }
    grouped = [(title, [defined.pop(name) for name in names if name in defined]) for title, names in GROUPS]
    return [(title, columns) for title, columns in (*grouped, (OTHERS, list(defined.values()))) if columns]


def workbook(document: dict[str, Any], notes: list[str]) -> bytes:
    """The document of a report; `notes` stand under the table. Takes its time."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, **TEXTS_ARE_TEXTS}) as book:
        sheet = book.add_worksheet("月报")
        groups = groups_of(document)
        columns = [column for _, of_group in groups for column in of_group]
        _page(sheet, len(columns))
        _head(book, sheet, document, groups)
        last = _rows(book, sheet, document, columns)
        note = book.add_format({"font_size": 9, "valign": "vcenter"})
        for number, text in enumerate(notes, start=last + 1):
            sheet.write_string(number, 0, text, note)
    return made.getvalue()


def title_of(document: dict[str, Any]) -> str:
    year, month = document["month"].split("-")
    ledger = f"《{document['ledger']['name']}》" if document["ledger"] else ""
    return f"{document['unit']['name']}{ledger}问题整改情况月报（{year}年{int(month)}月）"


def _page(sheet: Any, figures: int) -> None:
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADINGS - 2, HEADINGS - 1)
    sheet.freeze_panes(HEADINGS, 1)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&C第 &P 页，共 &N 页")
    # As narrow as their headings allow, in three lines: 26 columns are to be read on A4.
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 5)
    sheet.set_column(2, 1 + figures, 6.2)
    sheet.set_default_row(21)


def _head(book: Any, sheet: Any, document: dict[str, Any], groups: Groups) -> None:
    width = 1 + sum(len(columns) for _, columns in groups)
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    heading = book.add_format(
        {"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "border": 1, "bg_color": "#E8EEF4"}
    )
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, width, title_of(document), title)
    sheet.merge_range(1, 0, 1, width, f"统计时区：{document['timezone']}", book.add_format({"align": "right"}))
    sheet.set_row(3, 50)
    for number, text in enumerate(FIRST):
        sheet.merge_range(2, number, 3, number, text, heading)
    at = len(FIRST)
    for group, columns in groups:
        if len(columns) > 1:
            sheet.merge_range(2, at, 2, at + len(columns) - 1, group, heading)
        else:
            sheet.write_string(2, at, group, heading)
        for number, column in enumerate(columns, at):
            sheet.write_string(3, number, column.title, heading)
        at += len(columns)


def _rows(book: Any, sheet: Any, document: dict[str, Any], columns: list[Column]) -> int:
    """The row behind the total."""
    edge = {"border": 1, "valign": "vcenter"}
    name = book.add_format({**edge, "text_wrap": True})
    units = {Unit.CYCLES.value, *(column.unit for column in columns)}
    plain, total = (
        {unit: book.add_format({**edge, "align": "center", "num_format": FORMATS.get(unit, "0"), **more})
         for unit in units}
        for more in ({}, {"bold": True})
    )  # fmt: skip
    places = ranks(document["rows"])
    at = HEADINGS
    for row in document["rows"]:
        sheet.write_string(at, 0, f"{row['name']}{'（本级）' if row['alone'] else ''}", name)
        _write(sheet, at, 1, places.get(row["key"]), plain[Unit.CYCLES])
        _figures(sheet, at, row["figures"], columns, plain)
        at += 1
    sheet.write_string(at, 0, "合计", book.add_format({**edge, "bold": True}))
    sheet.write_blank(at, 1, None, total[Unit.CYCLES])
    _figures(sheet, at, document["total"], columns, total)
    return at + 1


def _figures(sheet: Any, at: int, figures: dict[str, Any], columns: list[Column], formats: dict[str, Any]) -> None:
    for number, column in enumerate(columns, start=len(FIRST)):
        _write(sheet, at, number, figures[column.name], formats[column.unit])


def _write(sheet: Any, row: int, column: int, value: float | None, format: Any) -> None:
    if value is None:
        sheet.write_string(row, column, "—", format)
    else:
        sheet.write_number(row, column, value, format)
