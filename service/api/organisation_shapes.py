"""What answers about units, ledgers and calendars look like."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from service.actions.unit_import import Report
from service.api.shapes import Count, Line, Shape, Text
from service.workflow.calendar import KeptYear
from service.workflow.organisation import Ledger, Unit
from service.workflow.states import (
    Level,
)


class UnitOut(Shape):
    id: UUID
    code: Line
    name: Line
    parent_id: UUID | None
    level: Level
    active: bool
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class UnitPageOut(Shape):
    items: list[UnitOut] = Field(max_length=200)
    next_cursor: Text | None


def unit(each: Unit) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Unit.__dataclass_fields__}


class NodeOut(UnitOut):
    depth: int = Field(ge=0, le=10, description="How many levels below the unit that was asked for.")


class TreeOut(Shape):
    items: list[NodeOut] = Field(max_length=10_000)
    truncated: bool = Field(description="Whether there is more: the farthest units were left out.")


def tree(nodes: list[tuple[int, Unit]], truncated: bool) -> dict[str, Any]:
    return {"items": [{**unit(each), "depth": depth} for depth, each in nodes], "truncated": truncated}


class UnitImportRowOut(Shape):
    row: int = Field(ge=1, le=1_000_000, description="As the clerk sees it: from 1 on.")
    code: Line
    status: Literal["created", "updated", "moved"]
    unit_id: UUID | None = Field(description="null for what a dry run would create.")


class UnitImportOut(Shape):
    """How many rows of the table came to what; `rows` are those that changed something."""

    created: Count
    updated: Count
    moved: Count
    unchanged: Count
    dry_run: bool
    rows: list[UnitImportRowOut] = Field(max_length=1000)
    truncated: bool = Field(description="Whether more rows changed something than are shown.")


def unit_import(report: Report) -> dict[str, Any]:
    rows = [
        {
            "row": each.number,
            "code": each.after.code,
            "status": each.status,
            "unit_id": None if report.dry_run and each.before is None else each.after.id,
        }
        for each in report.rows
    ]
    return {**report.counts, "dry_run": report.dry_run, "rows": rows, "truncated": report.truncated}


class LedgerOut(Shape):
    id: UUID
    code: Line
    name: Line
    owner_unit_id: UUID
    listing: Line
    policy: dict[str, Any] = Field(description="The whole policy.")
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class LedgerPageOut(Shape):
    items: list[LedgerOut] = Field(max_length=200)
    next_cursor: Text | None


def ledger(each: Ledger) -> dict[str, Any]:
    return {name: getattr(each, name) for name in LedgerOut.model_fields}


class CalendarOut(Shape):
    year: int = Field(ge=1900, le=2199)
    workdays: list[date] = Field(max_length=366)
    holidays: list[date] = Field(max_length=366)
    complete: bool
    known: bool = Field(description="Whether the State Council's notice of the year came with this release.")
    version: int = Field(ge=0, le=2_147_483_647, description="0: nothing was ever entered for this year.")


def calendar(kept: KeptYear) -> dict[str, Any]:
    return {
        "year": kept.year,
        "workdays": sorted(kept.table.workdays),
        "holidays": sorted(kept.table.holidays),
        "complete": kept.table.complete,
        "known": kept.known,
        "version": kept.version,
    }
