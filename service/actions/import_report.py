"""What an import answers: what became of each sheet and each row, as plain values."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from service.workflow.import_plan import Outcome, Placed
from service.workflow.ledger_sheet import SheetRead
from service.workflow.row_faults import Fault

MAX_SHOWN = 5_000
"""Rows that a report names at most: refused ones first, then those with warnings, then ignored, then the others."""

ACCEPTED, REFUSED, IGNORED = "accepted", "refused", "ignored"


def column_name(index: int) -> str:
    """0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(65 + letter) + name
    return name


def report(
    sheets: list[SheetRead], placed: list[Placed], *, file: str, dry_run: bool, stored: bool, new_units: Iterable[str]
) -> dict[str, Any]:
    """The report, JSON throughout. A sheet without a name, a CSV, has the file's."""
    accepted = [each for each in placed if not each.errors]
    refused = [each for each in placed if each.errors]
    warned = [each for each in accepted if each.warnings]
    plain = [each for each in accepted if not each.warnings]
    outcomes = Counter(each.outcome for each in accepted)
    passed = [each for sheet in sheets for each in sheet.passed]
    rows: list[dict[str, Any]] = []
    for each in (*refused, *warned):
        if len(rows) < MAX_SHOWN:
            rows.append(_row(each, file))
    for line in passed[: max(0, MAX_SHOWN - len(rows))]:
        rows.append({
            "sheet": line.sheet or file, "row": line.row, "status": IGNORED, "outcome": None, "reason": line.kind.value,
            "errors": [], "warnings": [], "item": None,
        })  # fmt: skip
    rows += [_row(each, file) for each in plain[: max(0, MAX_SHOWN - len(rows))]]
    place = {(sheet.name or file): index for index, sheet in enumerate(sheets)}
    rows.sort(key=lambda row: (place[row["sheet"]], row["row"]))
    return {
        "file": file,
        "dry_run": dry_run,
        "stored": stored,
        "accepted": len(accepted),
        "refused": len(refused),
        "warned": len(warned),
        "ignored": len(passed),
        **{outcome.value: outcomes[outcome] for outcome in Outcome},
        "new_units": list(new_units)[:1_000],
        "mapping": {
            heading: field.value if (field := header.field_at(column)) else None
            for sheet in sheets
            for header in reversed(sheet.headers)
            for column, heading in header.headings.items()
        },
        "sheets": [_sheet(sheet, placed, file) for sheet in sheets],
        "rows": rows,
        "truncated": len(placed) + len(passed) > MAX_SHOWN,
    }


def _sheet(sheet: SheetRead, placed: list[Placed], file: str) -> dict[str, Any]:
    header = sheet.header
    refused = sum(bool(each.errors) for each in placed if each.row.sheet == sheet.name)
    return {
        "name": sheet.name or file,
        "skipped": sheet.skipped,
        "header_rows": [header.first + 1, header.last + 1] if header else None,
        "columns": [
            {
                "column": column_name(column),
                "heading": heading,
                "field": field.value if (field := header.field_at(column)) else None,
            }
            for column, heading in header.headings.items()
        ]
        if header
        else [],
        "accepted": sheet.count - refused,
        "refused": refused,
        "ignored": len(sheet.passed),
    }


def _row(placed: Placed, file: str) -> dict[str, Any]:
    row = placed.row
    return {
        "sheet": row.sheet or file,
        "row": row.row,
        "status": REFUSED if placed.errors else ACCEPTED,
        "outcome": placed.outcome.value if placed.outcome and not placed.errors else None,
        "reason": None,
        "errors": [_fault(each) for each in placed.errors],
        "warnings": [_fault(each) for each in placed.warnings],
        "item": str(placed.item_id) if placed.item_id else None,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {"code": fault.code, "field": str(fault.field) if fault.field else None, "about": fault.about}
