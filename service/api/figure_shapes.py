"""What answers about figures look like. Each figure is described by its own definition."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, create_model

from service.actions.statistics import Behind, Table
from service.api.shapes import Count, Line, Shape, Text
from service.workflow.figures import FIGURES, Figure, Unit
from service.workflow.states import Severity, SourceKind
from service.workflow.summing import Period

By = Literal["unit", "ledger", "month", "source", "severity"]

_Share = Annotated[float, Field(ge=0, le=1_000_000)]
_Days = Annotated[float, Field(ge=0, le=1_000_000)]
_OF_UNIT: dict[str, Any] = {Unit.SHARE: _Share | None, Unit.DAYS: _Days | None}


def _described(figure: Figure) -> Any:
    excludes = f" Without: {figure.excludes.en}" if figure.excludes else ""
    behind = f" Its items: {figure.behind[0]}." if figure.unit == Unit.DAYS else ""
    text = f"{figure.title.zh} {figure.title.en}: {figure.formula.en}{excludes}{behind}"
    return _OF_UNIT.get(figure.unit, Count), Field(description=text)


FiguresOut = create_model(
    "FiguresOut",
    __base__=Shape,
    __doc__="Every figure. A share or days of nothing are null; shares are rounded to four places.",
    **{figure.name: _described(figure) for figure in FIGURES},
)


def _example(**given: Any) -> dict[str, Any]:
    return {each.name: None if each.unit in (Unit.SHARE, Unit.DAYS) else 0 for each in FIGURES} | given


_TOWN = _example(
    listed=12, claims_due=11, claimed_on_time=10, claim_rate=0.9091, closed=9, fell_due=8, closed_on_time=6,
    on_time_rate=0.75, overdue=2, rectifying=20, extended=2, extension_rate=0.1, late_extension_rate=0.0,
    closures_decided=10, closures_returned=1, return_rate=0.1, recurrence_rate=0.0, interviews_held=1,
    median_days_to_close=17.5, p90_days_to_close=31,
)  # fmt: skip


class StatisticsRowOut(Shape):
    key: Line = Field(description="The unit's or ledger's id, the month as YYYY-MM, or the source or severity.")
    code: Line | None = Field(description="The unit's or ledger's code.")
    name: Line | None
    alone: bool = Field(description="Of a unit: without those below it, which have rows of their own.")
    figures: FiguresOut


class StatisticsOut(Shape):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "by": "unit", "from": "2026-03-01", "to": "2026-03-31", "position": 48210,
                    "rows": [
                        {
                            "key": "0192f3a4-7d51-7c53-8a5e-3f2b9c1d4e60", "code": "qingxi", "name": "青溪镇",
                            "alone": False, "figures": _TOWN,
                        }
                    ],
                    "total": _TOWN,
                }
            ]
        }
    )  # fmt: skip

    by: By
    from_: date = Field(alias="from")
    to: date
    position: int = Field(ge=0, le=2**53 - 1, description="How far the log is counted here.")
    rows: list[StatisticsRowOut] = Field(max_length=40_001)
    total: FiguresOut = Field(description="All rows together; over several months a cycle may count once for all.")


class CountedOut(Shape):
    item_id: UUID
    number: Line | None = Field(description="null where the item lies out of the caller's scope by now.")
    title: Line | None
    cycle: int = Field(ge=1, le=1_000_000)
    day: date = Field(description="The day on which it counts; of what lasts, the day on which that began.")
    unit_id: UUID = Field(description="The unit that was responsible then.")
    ledger_id: UUID
    severity: Severity
    source: SourceKind
    days: Count | None = Field(description="Of a closing: the days from the listing, or the reopening.")
    count: int = Field(ge=1, le=1_000_000, description="More than 1 where requests or interviews of a day are counted.")


class CountedPageOut(Shape):
    items: list[CountedOut] = Field(max_length=200)
    next_cursor: Text | None


def table(found: Table, by: str, period: Period) -> dict[str, Any]:
    return {
        "by": by, "from": period.first, "to": period.last, "position": found.position,
        "rows": [row.told() for row in found.rows], "total": found.total,
    }  # fmt: skip


def counted(each: Behind, figure: str) -> dict[str, Any]:
    of = each.counted
    return {
        "item_id": of.item_id, "number": each.number, "title": each.title, "cycle": of.cycle, "day": of.day,
        "unit_id": of.unit_id, "ledger_id": of.ledger_id, "severity": of.severity, "source": of.source,
        "days": of.days if figure == "closed" else None, "count": of.count,
    }  # fmt: skip
