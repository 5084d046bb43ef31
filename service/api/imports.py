"""Ledgers imported over HTTP."""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import import_jobs
from service.actions.importing import Options
from service.actions.imports import Done
from service.actions.service import Recorded, Replay
from service.api import import_shapes as shapes
from service.api.deps import NO_NUL, Asked, Room, Route, answered, replayed, with_receipt
from service.api.downloads import XLSX
from service.api.fields import Id
from service.api.openapi import WRITE, documented
from service.api.problems import body
from service.api.references import Reference, reference
from service.api.uploads import upload_body, uploaded_file
from service.errors import invalid
from service.wording import language
from service.workflow.headings import Field as Holds

router = Room(route_class=Route, tags=["imports"])

FILE = """\
A ledger as offices make them: .xlsx, .xls, or .csv in UTF-8 or GB18030. Headings may stand anywhere among the first \
60 rows, in up to three rows; titles, totals, notes, sections and signatures are passed over."""

EXAMPLES = {
    "zh": {
        "summary": "一条问题",
        "value": {"file": "序号,存在问题,责任单位,整改时限\n1,饮水管网漏损,root,2027年12月底前\n"},
    },
    "en": {"summary": "One problem", "value": {"file": "problem,unit,deadline\nLeaking water main,root,2027-12-31\n"}},
}


ImportId = Annotated[Id, Path(description="The import's id.")]


def _columns(given: list[str]) -> dict[str, Holds | None]:
    """`heading=field`, the heading as it stands in the file. Refuses `unknown_column`."""
    found: dict[str, Holds | None] = {}
    for index, each in enumerate(given):
        heading, _, name = each.rpartition("=")
        if not heading or (name and name not in list(Holds)):
            raise invalid((f"/query/column/{index}", "unknown_column"))
        found[heading] = Holds(name) if name else None
    return found


def _recorded(tongue: str, status: int) -> Callable[[Any], Recorded]:
    def render(result: Any) -> Recorded:
        if isinstance(result, Done):
            return Recorded(status, to_json(shapes.report(result.report, tongue)), None, None, None)
        location = f"/v1/imports/{result.id}"
        return Recorded(status, to_json(_state(result, tongue, location)), location, None, None)

    return render


def _state(one: Any, tongue: str, instance: str) -> dict[str, Any]:
    problem = None
    if one.faults is not None:
        refused = import_jobs.refusal(one.faults)
        problem = body(refused, tongue=tongue, instance=instance, request_id=str(one.id))
    return {
        "id": one.id,
        "state": one.state,
        "percent": one.percent,
        "report": shapes.report(one.report, tongue) if one.report else None,
        "problem": problem,
    }


_IMPORTS = documented(
    "import_items", "List the problems of a ledger as offices make them, and again without listing any twice",
    shapes.ImportReportOut, codes=WRITE, idempotent=True, body=upload_body("file", FILE, EXAMPLES),
)  # fmt: skip
_IMPORTS["responses"][202] = {
    "description": "With `background`: it goes on by itself.",
    "model": shapes.ImportOut,
    "headers": {"Location": {"description": "Where to ask about it.", "schema": {"type": "string", "maxLength": 2000}}},
}


@router.post("/v1/imports", **_IMPORTS)
async def import_items(
    request: Asked,
    ledger: Annotated[Reference, Query(description="Id or code.")],
    dry_run: Annotated[bool, Query(description="Only say what would come of it.")] = False,
    mode: Annotated[
        Literal["accepted_rows", "all"],
        Query(description="`all`: nothing is listed unless every row is accepted. Always in one transaction."),
    ] = "accepted_rows",
    unknown_units: Annotated[
        Literal["refuse", "create"],
        Query(description="`create` (unit:write): units that nobody bears the name of are made, level other."),
    ] = "refuse",
    parent: Annotated[Reference | None, Query(description="Under what new units hang; else the root.")] = None,
    changed_rows: Annotated[
        Literal["report", "update"],
        Query(description="Rows that are here already and say something else: named, or their items corrected."),
    ] = "report",
    column: Annotated[
        list[Annotated[str, Field(min_length=2, max_length=200, json_schema_extra=NO_NUL)]],
        Query(max_length=64, description="`heading=field`: what a heading means; `heading=`: nothing."),
    ] = [],
    background: Annotated[bool, Query(description="Answer 202 at once, with where to ask how far it is.")] = False,
) -> Response:
    options = Options(
        ledger=reference(ledger, "/query/ledger"),
        dry_run=dry_run,
        all_or_nothing=mode == "all",
        create_units=unknown_units == "create",
        parent=reference(parent, "/query/parent") if parent is not None else None,
        update=changed_rows == "update",
        columns=_columns(column),
    )
    file, content = await uploaded_file(request, "file")
    tongue = language(request.headers.get("accept-language"))
    # By the file alone: a client that repeats a form marks off its parts in another way each time.
    call = await with_receipt(request, _recorded(tongue, 202 if background else 200), content)
    if background:
        begun = await import_jobs.start(request.service, call, content, file, options)
        if isinstance(begun, Replay):
            return replayed(begun)
        location = f"/v1/imports/{begun.id}"
        return answered(to_json(_state(begun, tongue, location)), 202, location=location)
    done = await import_jobs.run(request.service, call, content, file, options)
    if isinstance(done, Replay):
        return replayed(done)
    return answered(to_json(shapes.report(done.report, tongue)))


@router.get(
    "/v1/imports/{import_id}",
    **documented("get_import", "How far an import is, and what it came to; kept for two days", shapes.ImportOut),
)
async def get_import(request: Asked, import_id: ImportId) -> Response:
    found = await import_jobs.find(request.service, request.call, import_id)
    tongue = language(request.headers.get("accept-language"))
    return answered(to_json(_state(found, tongue, request.url.path)))


@router.get(
    "/v1/imports/{import_id}/refused.xlsx",
    **documented(
        "get_refused_rows", "The refused rows of an import as a workbook, the reason in the last column", None,
        content={XLSX: {"schema": {"type": "string", "format": "binary", "maxLength": 1_073_741_824}}},
    ),
)  # fmt: skip
async def get_refused_rows(request: Asked, import_id: ImportId) -> Response:
    tongue = language(request.headers.get("accept-language"))
    content = await import_jobs.correction(
        request.service, request.call, import_id, lambda fault: str(shapes.fault(fault, tongue)["detail"]), tongue
    )
    response = Response(content, media_type=XLSX)
    response.headers["content-disposition"] = f'attachment; filename="refused-{_short(import_id)}.xlsx"'
    response.headers["cache-control"] = "private, no-store"
    return response


def _short(import_id: UUID) -> str:
    return import_id.hex[-8:]
