"""A published month as the workbook that offices hand up: units down, figures across, ranking and total, on A4."""

import io
from typing import Any

import xlsxwriter

from service.outside.sheet_writer import TEXTS_ARE_TEXTS
from service.workflow.figures import FIGURES, Unit
from service.workflow.reports import ranks

FORMATS = {Unit.SHARE: "0.0%", Unit.DAYS: "0.0"}
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

_BY_NAME = {figure.name: figure for figure in FIGURES}
NAMES = tuple(name for _, names in GROUPS for name in names)


def workbook(document: dict[str, Any], notes: list[str]) -> bytes:
    """The document of a report; `notes` stand under the table. Takes its time."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, **TEXTS_ARE_TEXTS}) as book:
        sheet = book.add_worksheet("月报")
        _page(sheet)
        _head(book, sheet, document)
        last = _rows(book, sheet, document)
        note = book.add_format({"font_size": 9, "valign": "vcenter"})
        for number, text in enumerate(notes, start=last + 1):
            sheet.write_string(number, 0, text, note)
    return made.getvalue()


def title_of(document: dict[str, Any]) -> str:
    year, month = document["month"].split("-")
    ledger = f"《{document['ledger']['name']}》" if document["ledger"] else ""
    return f"{document['unit']['name']}{ledger}问题整改情况月报（{year}年{int(month)}月）"


def _page(sheet: Any) -> None:
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
    sheet.set_column(2, 1 + len(NAMES), 6.2)
    sheet.set_default_row(21)


def _head(book: Any, sheet: Any, document: dict[str, Any]) -> None:
    width = 1 + len(NAMES)
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    heading = book.add_format(
        {"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "border": 1, "bg_color": "#E8EEF4"}
    )
    sheet.set_row(0, 30)
    sheet.merge_range(0, 0, 0, width, title_of(document), title)
    sheet.merge_range(1, 0, 1, width, f"统计时区：{document['timezone']}", book.add_format({"align": "right"}))
    sheet.set_row(3, 50)
    for column, text in enumerate(FIRST):
        sheet.merge_range(2, column, 3, column, text, heading)
    column = len(FIRST)
    for group, names in GROUPS:
        sheet.merge_range(2, column, 2, column + len(names) - 1, group, heading)
        for name in names:
            sheet.write_string(3, column, _BY_NAME[name].title.zh, heading)
            column += 1


def _rows(book: Any, sheet: Any, document: dict[str, Any]) -> int:
    """The row behind the total."""
    edge = {"border": 1, "valign": "vcenter"}
    name = book.add_format({**edge, "text_wrap": True})
    plain = {unit: book.add_format({**edge, "align": "center", "num_format": FORMATS.get(unit, "0")}) for unit in Unit}
    total = {
        unit: book.add_format({**edge, "align": "center", "num_format": FORMATS.get(unit, "0"), "bold": True})
        for unit in Unit
    }
    places = ranks(document["rows"])
    at = HEADINGS
    for row in document["rows"]:
        sheet.write_string(at, 0, f"{row['name']}{'（本级）' if row['alone'] else ''}", name)
        _write(sheet, at, 1, places.get(row["key"]), plain[Unit.CYCLES])
        _figures(sheet, at, row["figures"], plain)
        at += 1
    sheet.write_string(at, 0, "合计", book.add_format({**edge, "bold": True}))
    sheet.write_blank(at, 1, None, total[Unit.CYCLES])
    _figures(sheet, at, document["total"], total)
    return at + 1


def _figures(sheet: Any, at: int, figures: dict[str, Any], formats: dict[Unit, Any]) -> None:
    for column, name in enumerate(NAMES, start=len(FIRST)):
        _write(sheet, at, column, figures[name], formats[_BY_NAME[name].unit])


def _write(sheet: Any, row: int, column: int, value: float | None, format: Any) -> None:
    if value is None:
        sheet.write_string(row, column, "—", format)
    else:
        sheet.write_number(row, column, value, format)
