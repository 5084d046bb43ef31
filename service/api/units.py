"""Units over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import unit_changes, units
from service.actions.service import Recorded, Replay
from service.actions.unit_changes import Asked as Change
from service.api import organisation_shapes as shapes
from service.api.deps import (
    NO_NUL,
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    etag_of,
    page_answer,
    read_cursor,
    replayed,
    required_version,
    versioned,
    with_receipt,
    write_cursor,
)
from service.api.fields import Boolean, Code, Id, Model, Name, either, left_out
from service.api.openapi import WRITE, documented
from service.api.references import Reference, named, named_or_none, reference
from service.workflow.organisation import Unit
from service.workflow.states import Level

router = Room(route_class=Route, tags=["units"])


class UnitIn(Model):
    """A unit to hang under another, named by id or by code."""

    model_config = Model.model_config | {"json_schema_extra": either(("parent_id", "parent"))}

    code: Code
    name: Name
    parent_id: Id | None = None
    parent: Code | None = Field(None, description="The parent's code.")
    level: Level = Level.OTHER


class UnitPatch(Model):
    """What is left out stays. `parent_id` or `parent` moves the unit with everything below it."""

    code: Code = left_out()
    name: Name = left_out()
    level: Level = left_out()
    parent_id: Id = left_out()
    parent: Code = left_out()
    active: Boolean = left_out()
    transfer_to_id: Id = left_out()
    transfer_to: Code = left_out()

    def asked(self) -> Change:
        given = self.model_dump(mode="json", include={"code", "name", "level"}, exclude_unset=True)
        return Change(
            given=given,
            parent=named_or_none(self, "parent"),
            active=self.active,
            transfer_to=named_or_none(self, "transfer_to"),
        )


UnitId = Annotated[Id, Path(description="The unit's id.")]


def _recorded(unit: Unit) -> Recorded:
    return Recorded(201, to_json(shapes.unit(unit)), f"/v1/units/{unit.id}", etag_of(unit.version), unit.id)


@router.post(
    "/v1/units",
    **documented(
        "create_unit", "Hang a new unit under another", shapes.UnitOut, status=201, codes=WRITE, idempotent=True,
        headers={"Location": "The new unit.", "ETag": "Its version."},
        links={"get_unit": {"operationId": "get_unit", "parameters": {"unit_id": "$response.body#/id"}}},
        example={
            "zh": {
                "summary": "新建乡镇",
                "value": {"code": "qingxi", "name": "青溪镇", "parent": "root", "level": "town"},
            },
            "en": {
                "summary": "A town",
                "value": {"code": "north", "name": "North Town", "parent": "root", "level": "town"},
            },
        },
    ),
)  # fmt: skip
async def create_unit(request: Asked, body: UnitIn) -> Response:
    call = await with_receipt(request, _recorded)
    unit = await units.create(
        request.service, call, code=body.code, name=body.name, parent=named(body, "parent"), level=body.level.value
    )
    if isinstance(unit, Replay):
        return replayed(unit)
    return answered(to_json(shapes.unit(unit)), 201, etag=etag_of(unit.version), location=f"/v1/units/{unit.id}")


@router.get(
    "/v1/units",
    **documented("list_units", "The units of the caller's scope, by code", shapes.UnitPageOut),
)
async def list_units(
    request: Asked,
    level: Annotated[list[Level], Query(max_length=5, description="Any of these levels.")] = [],
    parent: Annotated[Reference | None, Query(description="Directly below this unit: its id or code.")] = None,
    active: Annotated[bool | None, Query(description="Only active units, or only those that ended.")] = None,
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="How the name or the code begins.", json_schema_extra=NO_NUL),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, str)
    narrowed = units.Narrowed(
        parent=reference(parent, "/query/parent") if parent is not None else None,
        levels=tuple(each.value for each in level),
        active=active,
        q=q,
    )
    rows = await units.page(request.service, request.call, narrowed, parts[0] if parts else "", limit + 1)
    more = write_cursor(context, rows[limit - 1].code) if len(rows) > limit else None
    content: list[Any] = [shapes.unit(row) for row in rows[:limit]]
    return page_answer(request, content, more)


@router.get("/v1/units/{unit_id}", **documented("get_unit", "The unit", shapes.UnitOut, etag=True))
async def get_unit(request: Asked, unit_id: UnitId) -> Response:
    unit = await units.read(request.service, request.call, unit_id)
    return versioned(request, shapes.unit(unit), unit.version)


@router.get(
    "/v1/units/{unit_id}/tree",
    **documented(
        "get_unit_tree", "The unit and what lies below it: parents before children, siblings by code", shapes.TreeOut
    ),
)
async def get_unit_tree(
    request: Asked,
    unit_id: UnitId,
    depth: Annotated[int, Query(ge=1, le=10, description="How many levels below the unit.")] = 3,
) -> Response:
    found = await units.subtree(request.service, request.call, unit_id, depth)
    return answered(to_json(shapes.tree(found.nodes, found.truncated)))


@router.patch(
    "/v1/units/{unit_id}",
    **documented(
        "update_unit", "Rename a unit, move it with all below it, end it or begin it anew", shapes.UnitOut,
        codes=(*WRITE, "guard_refused", "stale_version", "precondition_required"), if_match=True,
        headers={"ETag": "Its version."},
        example={
            "zh": {"summary": "划归另一乡镇", "value": {"parent": "root", "name": "青溪社区"}},
            "en": {"summary": "Another level", "value": {"level": "village"}},
        },
    ),
)  # fmt: skip
async def update_unit(request: Asked, unit_id: UnitId, body: UnitPatch) -> Response:
    version = required_version(request)
    unit = await unit_changes.change(request.service, request.call, unit_id, version, body.asked())
    return answered(to_json(shapes.unit(unit)), etag=etag_of(unit.version))
