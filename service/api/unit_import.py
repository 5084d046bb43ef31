"""Bulk load of units over HTTP."""

from typing import Annotated

from fastapi import Query, Response
from pydantic_core import to_json

from service.actions import unit_import
from service.actions.service import Recorded, Replay
from service.actions.unit_import import Report
from service.api import organisation_shapes as shapes
from service.api.deps import Asked, Room, Route, answered, replayed, with_receipt
from service.api.openapi import WRITE, documented
from service.api.uploads import upload_body, uploaded

router = Room(route_class=Route, tags=["units"])

FILE = """\
.xlsx, .xls, or CSV in UTF-8 or GB18030. A row of headings (within the first ten) names the columns code, name, parent \
(its code) and level, in Chinese or English; at most 10,000 units, in any order."""

EXAMPLES = {
    "zh": {"summary": "乡镇和村", "value": {"file": "编码,名称,上级编码,级别\nqx,青溪镇,root,镇\nqx01,青溪村,qx,村\n"}},
    "en": {"summary": "One village", "value": {"file": "code,name,parent,level\nnorth01,North Village,root,village\n"}},
}


def _recorded(report: Report) -> Recorded:
    return Recorded(200, to_json(shapes.unit_import(report)), None, None, None)


@router.post(
    "/v1/units/import",
    **documented(
        "import_units", "Make the tree what a table says: all rows or none, and again without doing anything twice",
        shapes.UnitImportOut, codes=WRITE, idempotent=True,
        body=upload_body("file", FILE, EXAMPLES),
    ),
)  # fmt: skip
async def import_units(
    request: Asked,
    dry_run: Annotated[bool, Query(description="Only say what would come of it.")] = False,
) -> Response:
    content = await uploaded(request, "file")
    # By the file alone: a client that repeats a form marks off its parts in another way each time.
    call = await with_receipt(request, _recorded, content)
    report = await unit_import.load(request.service, call, content, dry_run=dry_run)
    if isinstance(report, Replay):
        return replayed(report)
    return answered(to_json(shapes.unit_import(report)))
