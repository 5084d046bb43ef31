"""Ledgers as files: 《存在问题台账》 and 《问题整改台账》, from the same filters as the list of items."""

import time
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query, Response
from pydantic_core import to_json

from service.actions import export_jobs, exporting
from service.actions.export_jobs import TableFormat
from service.actions.exporting import Admitted, Export, file_name
from service.actions.items import Query as ListQuery
from service.actions.service import Call, Replay
from service.api.admission import still_admitted
from service.api.deps import Asked, Room, Route, answered, replayed, with_receipt
from service.api.downloads import CSV, SAVED, XLSX, content_of, from_disk, streamed
from service.api.item_filters import with_filters
from service.api.jobs import JobOut, jobs_of, recorded, shown
from service.api.openapi import READ, WRITE, documented
from service.errors import Refused
from service.outside.workbooks import BOM, csv_lines
from service.workflow.ledger_layouts import LAYOUTS, LayoutName

router = Room(route_class=Route, tags=["exports"])

RECHECK_SECONDS = 3.0

WhichLayout = Annotated[
    LayoutName,
    Query(alias="layout", description="`problems`: 《存在问题台账》; `rectification`: 《问题整改台账》."),
]


@router.get(
    "/v1/exports/items.xlsx",
    **documented(
        "export_items_xlsx", "The items of the list as a workbook that offices print (A4, two-row headings, totals)",
        None, codes=READ, content=content_of(XLSX), headers=SAVED,
    ),
)  # fmt: skip
@with_filters
async def export_items_xlsx(
    request: Asked, narrowed: ListQuery, layout: WhichLayout = LayoutName.RECTIFICATION
) -> Response:
    export = Export(request.service, request.call, narrowed, LAYOUTS[layout])
    head = await export.begin()
    made = exporting.workbook(request.service, export, head, export.lines(_admitted(request)))
    return await from_disk(made, XLSX, f"{file_name(head, request.call)}.xlsx", "items.xlsx")


@router.get(
    "/v1/exports/items.csv",
    **documented(
        "export_items_csv", "The items of the list as CSV, UTF-8 with BOM: one row of headings, then a row an item",
        None, codes=READ, content=content_of(CSV), headers=SAVED,
    ),
)  # fmt: skip
@with_filters
async def export_items_csv(
    request: Asked, narrowed: ListQuery, layout: WhichLayout = LayoutName.RECTIFICATION
) -> Response:
    export = Export(request.service, request.call, narrowed, LAYOUTS[layout])
    # What can be refused is refused before the answer begins.
    head = await export.begin()
    return streamed(_csv(export, _admitted(request)), CSV, f"{file_name(head, request.call)}.csv", "items.csv")


@router.post(
    "/v1/exports",
    **documented(
        "create_export", "Begin an export of any size behind the call; the job says when it can be fetched", JobOut,
        status=202, codes=WRITE, idempotent=True,
        headers={"Location": "The job."},
        links={"get_job": {"operationId": "get_job", "parameters": {"job_id": "$response.body#/id"}}},
    ),
)  # fmt: skip
@with_filters
async def create_export(
    request: Asked,
    narrowed: ListQuery,
    layout: WhichLayout = LayoutName.RECTIFICATION,
    format: Annotated[TableFormat, Query()] = "xlsx",
) -> Response:
    call = await with_receipt(request, recorded)

    async def admitted() -> Call:
        return await still_admitted(request)

    job = await export_jobs.begin(
        request.service, jobs_of(request), call, narrowed, LAYOUTS[layout], format, _now_and_then(call, admitted)
    )
    if isinstance(job, Replay):
        return replayed(job)
    return answered(to_json(shown(job)), 202, location=f"/v1/jobs/{job.id}")


async def _csv(export: Export, admitted: Admitted) -> AsyncIterator[bytes]:
    yield BOM + csv_lines([export.headings])
    async for lines in export.lines(admitted):
        yield csv_lines(lines)
    if export.notes:
        yield csv_lines([[note] for note in export.notes])


def _admitted(request: Asked) -> Admitted:
    """Who calls, and nobody once the reader has gone away."""

    async def admitted() -> Call:
        if await request.is_disconnected():
            raise Refused("unavailable")
        return await still_admitted(request)

    return _now_and_then(request.call, admitted)


def _now_and_then(call: Call, admitted: Admitted) -> Admitted:
    """Looked up again every few seconds."""
    checked, known = time.monotonic(), call

    async def lately() -> Call:
        nonlocal checked, known
        if time.monotonic() - checked >= RECHECK_SECONDS:
            known, checked = await admitted(), time.monotonic()
        return known

    return lately
