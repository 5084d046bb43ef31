"""What answers about imports look like, and how a row's faults are said."""

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from service.api.shapes import Count, Line, Shape, Text
from service.reasons import ROW_FAULTS
from service.workflow.headings import Field as Holds
from service.workflow.states import DeadlineKind
from service.workflow.words import Words


class FaultOut(Shape):
    code: Line
    field: Line | None = Field(description="The field it is about; of a column that holds none, its heading.")
    about: Line | None = Field(description="The row that says the same, the unit, the kind of words.")
    detail: Line


class ImportedRowOut(Shape):
    sheet: Line = Field(description="Of a CSV the file's name.")
    row: int = Field(ge=1, le=1_048_576, description="As the clerk sees it, from 1.")
    status: Literal["accepted", "refused", "ignored"]
    outcome: Literal["created", "unchanged", "changed", "updated"] | None = Field(
        description="`changed`: its item is here and says something else; `updated` where that was asked for."
    )
    reason: Line | None = Field(description="What an ignored row is: title, header, blank, total, note, ...")
    errors: list[FaultOut] = Field(max_length=1_000)
    warnings: list[FaultOut] = Field(max_length=1_000)
    item: UUID | None


class ImportedColumnOut(Shape):
    column: Line = Field(description="A, B, ...")
    heading: Line
    field: Holds | None


class ImportedSheetOut(Shape):
    name: Line
    skipped: Literal["hidden", "very_hidden", "empty", "no_header"] | None
    header_rows: list[int] | None = Field(min_length=2, max_length=2, description="First and last row of the headings.")
    columns: list[ImportedColumnOut] = Field(max_length=256)
    accepted: Count
    refused: Count
    ignored: Count


class ImportReportOut(Shape):
    id: UUID
    file: Line
    dry_run: bool
    stored: bool = Field(
        description="Whether anything was written: not in a dry run, nor by `mode=all` with refused rows."
    )
    accepted: Count
    refused: Count
    warned: Count
    ignored: Count
    created: Count
    unchanged: Count
    changed: Count
    updated: Count
    new_units: list[Line] = Field(max_length=1_000, description="Units that were made, or would be.")
    mapping: dict[str, Holds | None] = Field(description="What each heading was taken for.")
    sheets: list[ImportedSheetOut] = Field(max_length=50)
    rows: list[ImportedRowOut] = Field(max_length=5_000)
    truncated: bool = Field(description="There are more rows than are named; none that is refused is left out first.")


class ImportOut(Shape):
    id: UUID
    state: Literal["running", "done", "failed"]
    percent: int = Field(ge=0, le=100)
    report: ImportReportOut | None
    problem: dict[str, Any] | None = Field(description="Of a failed one: the problem that it would have been.")


class DeadlineWordsOut(Shape):
    text: Text
    kind: DeadlineKind
    due_on: date | None = Field(description="null where the words set no date: then the policy's limit counts.")
    counted: bool = Field(description="Counted from the day of listing.")
    reason: Line | None = Field(description="Why a clerk should look at it.")
    errors: list[FaultOut] = Field(max_length=1)
    warnings: list[FaultOut] = Field(max_length=1)


def report(stored: dict[str, Any], tongue: str) -> dict[str, Any]:
    """A report as it is kept, with its faults said in the reader's language."""
    rows = [
        {**row, **{name: [fault(each, tongue) for each in row[name]] for name in ("errors", "warnings")}}
        for row in stored["rows"]
    ]
    return {**stored, "rows": rows}


def fault(each: dict[str, Any], tongue: str) -> dict[str, Any]:
    code, about = each["code"], each["about"]
    sentence = ROW_FAULTS[code]
    if code == "unknown_unit" and about:
        kind, _, about = about.partition(":")
        sentence = ROW_FAULTS.get(f"{kind}_unit", sentence)
    said = sentence.zh if tongue == "zh" else sentence.en
    return {**each, "about": about, "detail": said.format(about=about or "-")}


def deadline_words(text: str, said: Words, due_on: date | None, tongue: str) -> dict[str, Any]:
    def told(code: str | None) -> list[dict[str, Any]]:
        return [fault({"code": code, "field": "deadline", "about": said.reason}, tongue)] if code else []

    return {
        "text": text,
        "kind": said.kind,
        "due_on": due_on,
        "counted": said.count is not None,
        "reason": said.reason,
        "errors": told("invalid_date" if said.invalid else None),
        "warnings": told(said.warning),
    }
