"""Published months over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query, Response
from pydantic_core import to_json

from service.actions import reports
from service.actions.references import Named
from service.actions.reports import LAST
from service.actions.service import Recorded, Replay
from service.api import report_shapes as shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    day_of,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    with_receipt,
    write_cursor,
)
from service.api.downloads import SAVED, XLSX, content_of, whole
from service.api.fields import Code, Id, Model, Month, either
from service.api.openapi import READ, WRITE, documented
from service.api.references import Reference, named_or_none, reference
from service.errors import invalid
from service.workflow.reports import Report

router = Room(route_class=Route, tags=["statistics"])

ReportId = Annotated[Id, Path(description="The report's id.")]


class ReportIn(Model):
    """The figures of a unit and of each unit right below it."""

    model_config = Model.model_config | {"json_schema_extra": either(("unit_id", "unit"))}

    month: Month
    unit_id: Id | None = None
    unit: Code | None = None
    ledger_id: Id | None = None
    ledger: Code | None = None

    def whose(self) -> Named:
        named = named_or_none(self, "unit")
        if named is None:
            raise invalid(("/unit", "missing"))
        return named


def _recorded(report: Report) -> Recorded:
    return Recorded(201, to_json(shapes.report(report)), f"/v1/statistics/reports/{report.id}", None, report.id)


@router.post(
    "/v1/statistics/reports",
    **documented(
        "create_report", "Publish a month: its figures are frozen as they stand", shapes.ReportOut, status=201,
        codes=(*WRITE, "unavailable"), idempotent=True, headers={"Location": "The published month."},
        links={
            operation: {"operationId": operation, "parameters": {"report_id": "$response.body#/id"}}
            for operation in ("get_report", "get_report_corrections")
        },
        example={
            "zh": {"summary": "公布全县 2026 年 3 月", "value": {"month": "2026-03", "unit": "root"}},
            "en": {
                "summary": "One ledger of a town", "value": {"month": "2026-03", "unit": "qingxi", "ledger": "default"},
            },
        },
    ),
)  # fmt: skip
async def create_report(request: Asked, body: ReportIn) -> Response:
    call = await with_receipt(request, _recorded)
    made = await reports.publish(request.service, call, body.month, body.whose(), named_or_none(body, "ledger"))
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.report(made)), 201, location=f"/v1/statistics/reports/{made.id}")


@router.get(
    "/v1/statistics/reports",
    **documented("list_reports", "The published months of units in scope, newest month first", shapes.ReportPageOut),
)
async def list_reports(
    request: Asked,
    month: Annotated[Month | None, Query(description="Of this month alone.")] = None,
    unit: Annotated[Reference | None, Query(description="Id or code: of this unit alone.")] = None,
    ledger: Annotated[Reference | None, Query(description="Id or code: of this ledger alone.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, day_of, id_of)
    before: tuple[date, Id] = (parts[0], parts[1]) if parts else LAST
    rows = await reports.page(
        request.service, request.call, month,
        reference(unit, "/query/unit") if unit is not None else None,
        reference(ledger, "/query/ledger") if ledger is not None else None,
        before, limit + 1,
    )  # fmt: skip
    more = write_cursor(context, rows[limit - 1].month, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.report(row) for row in rows[:limit]], more)


@router.get(
    "/v1/statistics/reports/{report_id}.xlsx",
    **documented(
        "get_report_xlsx", "The same as the monthly table that offices hand up: units down, figures across, ranked",
        None, content=content_of(XLSX), headers=SAVED,
    ),
)  # fmt: skip
async def get_report_xlsx(request: Asked, report_id: ReportId) -> Response:
    title, content = await reports.workbook(request.service, request.call, report_id)
    return whole(content, XLSX, f"{title}.xlsx", "report.xlsx")


@router.get(
    "/v1/statistics/reports/{report_id}",
    **documented("get_report", "A published month, as it was published", shapes.ReportDocumentOut),
)
async def get_report(request: Asked, report_id: ReportId) -> Response:
    found, document = await reports.read(request.service, request.call, report_id)
    # Put in as it is: these are the bytes that the digest is of.
    return answered(to_json(shapes.report(found))[:-1] + b',"document":' + document + b"}")


@router.get(
    "/v1/statistics/reports/{report_id}/corrections",
    **documented(
        "get_report_corrections", "What has been corrected since: the same figures as they are counted now, where "
        "they are others", shapes.CorrectionsOut, codes=(*READ, "unavailable"),
    ),
)  # fmt: skip
async def get_report_corrections(request: Asked, report_id: ReportId) -> Response:
    found = await reports.corrections(request.service, request.call, report_id)
    return answered(to_json(shapes.corrections(found)))
