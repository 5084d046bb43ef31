"""What published months look like."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from service.actions.reports import Corrections
from service.api.figure_shapes import FiguresOut, StatisticsRowOut
from service.api.shapes import Line, Shape, Text
from service.workflow.reports import FORMAT, Report, name_of

_Month = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}$", max_length=7)]
_Value = Annotated[float, Field(ge=0, le=1_000_000_000)]


class ReportOut(Shape):
    id: UUID
    month: _Month
    unit_id: UUID
    ledger_id: UUID | None = Field(description="null: all ledgers.")
    published_at: str = Field(json_schema_extra={"format": "date-time"}, max_length=40)
    published_by: UUID
    position: int = Field(ge=0, le=2**53 - 1, description="How far the log was counted.")
    checkpoint: Text = Field(description="Just that log, signed (C2SP signed note).")
    digest: Line = Field(
        description="The hash of `document` in canonical JSON (keys sorted, no white space, UTF-8), in lower-case hex, "
        "by the algorithm of the log. The event `report.published` has it too."
    )


class ReportPageOut(Shape):
    items: list[ReportOut] = Field(max_length=200)
    next_cursor: Text | None


class NamedOut(Shape):
    id: UUID
    code: Line
    name: Line


class BothOut(Shape):
    zh: Text
    en: Text


class DefinitionOut(Shape):
    name: Line
    unit: Line
    title: BothOut
    formula: BothOut
    excludes: list[BothOut] = Field(max_length=10)
    numerator: Line | None
    denominator: Line | None


class CountedPolicyOut(Shape):
    ledger_id: UUID
    code: Line
    epoch: int = Field(ge=0, le=1_000_000_000, description="Which version of the policy it was.")
    policy: dict[str, Any] = Field(json_schema_extra={"maxProperties": 100})


class DocumentOut(Shape):
    """What was published, byte for byte."""

    format: Literal[1] = Field(description="How this document is made up.")
    month: _Month
    timezone: Line
    unit: NamedOut = Field(description="As it was called then.")
    ledger: NamedOut | None
    definitions: list[DefinitionOut] = Field(max_length=100, description="By which every figure was counted.")
    policies: list[CountedPolicyOut] = Field(max_length=1_000, description="Those of the ledgers that were counted.")
    rows: list[StatisticsRowOut] = Field(max_length=40_001)
    total: FiguresOut


class ReportDocumentOut(ReportOut):
    document: DocumentOut


class ChangedOut(Shape):
    published: _Value | None
    now: _Value | None


class CorrectedOut(Shape):
    key: Line
    code: Line | None
    name: Line | None
    figures: dict[str, ChangedOut] = Field(json_schema_extra={"maxProperties": 100}, description="By the figure.")


class CorrectionsOut(Shape):
    position: int = Field(ge=0, le=2**53 - 1, description="How far the log is counted here.")
    rows: list[CorrectedOut] = Field(max_length=80_002, description="Rows that are counted otherwise by now.")
    total: dict[str, ChangedOut] = Field(json_schema_extra={"maxProperties": 100})


assert FORMAT == 1


def report(each: Report) -> dict[str, Any]:
    return {name: getattr(each, name) for name in ReportOut.model_fields} | {"month": name_of(each.month)}


def corrections(found: Corrections) -> dict[str, Any]:
    rows = [
        {"key": row.key, "code": row.code, "name": row.name, "figures": _changed(row.figures)} for row in found.rows
    ]
    return {"position": found.position, "rows": rows, "total": _changed(found.total)}


def _changed(figures: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: {"published": was, "now": has} for name, (was, has) in figures.items()}
