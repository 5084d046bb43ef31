"""Figures over HTTP: tables, and the items behind each count."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic_core import to_json

from service.actions import statistics
from service.actions.statistics import START, Asked
from service.api import deps
from service.api import figure_shapes as shapes
from service.api.deps import (
    NO_NUL,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    day_of,
    id_of,
    number_of,
    page_answer,
    read_cursor,
    write_cursor,
)
from service.api.fields import Day
from service.api.openapi import READ, documented
from service.api.references import Reference, reference
from service.errors import FieldError, Refused, invalid
from service.workflow.figures import COUNTS, FIGURES
from service.workflow.folding import month_of
from service.workflow.states import Severity, SourceKind
from service.workflow.summing import Period

router = Room(route_class=Route, tags=["statistics"])

CODES = (*READ, "unavailable")

BEHIND = {figure.name: figure.behind for figure in FIGURES}

First = Annotated[
    Day | None, Query(alias="from", description="The first day, the tenant's; else the first of the last day's month.")
]
Last = Annotated[Day | None, Query(alias="to", description="The last day; else today.")]
Unit = Annotated[Reference | None, Query(description="Id or code: this unit with all below; else the caller's scope.")]
Subtree = Annotated[bool, Query(description="false: the unit alone, without those below it.")]
Ledgers = Annotated[list[Reference], Query(max_length=50, description="Ids or codes.")]
Severities = Annotated[list[Severity], Query(max_length=3)]
Sources = Annotated[list[SourceKind], Query(max_length=9)]
Category = Annotated[
    str | None,
    Query(min_length=1, max_length=100, json_schema_extra=NO_NUL, description="As the items have it now."),
]


def _asked(
    today: date,
    first: date | None,
    last: date | None,
    unit: str | None,
    subtree: bool,
    ledger: list[str],
    severity: list[Severity],
    source: list[SourceKind],
    category: str | None,
) -> Asked:
    until = last or today
    since = first or month_of(until)
    if until < since:
        raise invalid(("/query/to", "before_first"))
    return Asked(
        period=Period(since, until),
        unit=reference(unit, "/query/unit") if unit is not None else None,
        alone=not subtree,
        ledgers=tuple(reference(each, "/query/ledger") for each in ledger),
        severities=tuple(each.value for each in severity),
        sources=tuple(each.value for each in source),
        category=category,
    )


def _must_be_a_count(metric: str) -> None:
    """Of another figure the refusal says which counts it is made of."""
    if metric in COUNTS:
        return
    wrong = (FieldError("/query/metric", "not_allowed"),)
    if metric not in BEHIND:
        raise Refused("invalid_request", errors=wrong)
    raise Refused("invalid_request", "no_count", {"figure": metric, "counts": ", ".join(BEHIND[metric])}, wrong)


@router.get(
    "/v1/statistics",
    **documented(
        "get_statistics", "Figures of a period by units, ledgers, months, sources or severities",
        shapes.StatisticsOut, codes=CODES,
    ),
)  # fmt: skip
async def get_statistics(
    request: deps.Asked,
    by: Annotated[shapes.By, Query(description="What the rows are. Of units: the one asked for and those below it.")],
    first: First = None,
    last: Last = None,
    unit: Unit = None,
    subtree: Subtree = True,
    ledger: Ledgers = [],
    severity: Severities = [],
    source: Sources = [],
    category: Category = None,
) -> Response:
    asked = _asked(request.call.today, first, last, unit, subtree, ledger, severity, source, category)
    found = await statistics.read(request.service, request.call, asked, by)
    return answered(to_json(shapes.table(found, by, asked.period)))


@router.get(
    "/v1/statistics/items",
    **documented(
        "get_statistics_items", "The items behind a figure, by the days on which they count", shapes.CountedPageOut,
        codes=CODES,
    ),
)  # fmt: skip
async def get_statistics_items(
    request: deps.Asked,
    metric: Annotated[
        str,
        Query(
            description="A count. A rate is named by its numerator, or its denominator; days to close by `closed`.",
            json_schema_extra={"enum": list(COUNTS)},
        ),
    ],
    first: First = None,
    last: Last = None,
    unit: Unit = None,
    subtree: Subtree = True,
    ledger: Ledgers = [],
    severity: Severities = [],
    source: Sources = [],
    category: Category = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    _must_be_a_count(metric)
    asked = _asked(request.call.today, first, last, unit, subtree, ledger, severity, source, category)
    context = cursor_context(request)
    parts = read_cursor(context, cursor, day_of, id_of, number_of, id_of)
    after: Any = tuple(parts) if parts else START
    rows = await statistics.items(request.service, request.call, asked, metric, after, limit + 1)
    more = write_cursor(context, *rows[limit - 1].place) if len(rows) > limit else None
    return page_answer(request, [shapes.counted(row, metric) for row in rows[:limit]], more)
