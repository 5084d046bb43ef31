"""Workbooks that are handed back: plain texts, never formulas or links."""

import io

import xlsxwriter

TEXTS_ARE_TEXTS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
"""For every workbook: nothing that somebody wrote is run, followed or reckoned with."""

WIDTHS = range(8, 61)
"""Of columns, in characters."""


def workbook(name: str, headings: list[str], rows: list[list[str]]) -> bytes:
    """One sheet of texts with its headings on top, held in place and to be filtered by."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, **TEXTS_ARE_TEXTS}) as book:
        sheet = book.add_worksheet(name)
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1})
        plain = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        for column, text in enumerate(headings):
            sheet.write_string(0, column, text, heading)
            longest = max((len(row[column]) for row in rows[:200]), default=0)
            sheet.set_column(column, column, min(max(2 * max(longest, len(text)), WIDTHS.start), WIDTHS.stop))
        for number, row in enumerate(rows, start=1):
            for column, text in enumerate(row):
                # A spreadsheet takes no longer text.
                sheet.write_string(number, column, text[:32_000], plain)
        sheet.freeze_panes(1, 0)
        if headings:
            sheet.autofilter(0, 0, max(1, len(rows)), len(headings) - 1)
    return made.getvalue()
