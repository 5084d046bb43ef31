"""Hooks over HTTP: which department or leader is assigned to which village or town."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import hooks
from service.actions.hooks import Narrowed
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.api import access_shapes as shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    with_receipt,
    write_cursor,
)
from service.api.fields import Boolean, Code, Day, Id, Model, Name, either
from service.api.openapi import READ, WRITE, documented
from service.api.references import Reference, named_or_none, reference
from service.errors import invalid
from service.workflow.identities import Granted
from service.workflow.states import Role

router = Room(route_class=Route, tags=["units"])

UnitId = Annotated[Id, Path(description="The unit's id.")]
BEGINNING = UUID(int=0)


class HookIn(Model):
    """Who is assigned: one leader, or everyone who holds a grant on a department. Both days are included."""

    model_config = Model.model_config | {"json_schema_extra": either(("principal_id", "department_id", "department"))}

    label: Name = Field(description="What the assignment is called.")
    role: Literal[Role.VIEWER, Role.SUPERVISOR, Role.RESPONSIBLE] = Role.VIEWER
    principal_id: Id | None = None
    department_id: Id | None = None
    department: Code | None = Field(None, description="The department's code.")
    subtree: Boolean = True
    since: Day | None = None
    until: Day | None = None

    def asked(self) -> hooks.Asked:
        department = named_or_none(self, "department")
        principal = Named(self.principal_id, "/principal_id") if self.principal_id else None
        if principal and department:
            raise invalid((department.pointer, "one_of_two"))
        if principal is None and department is None:
            raise invalid(("/department_id", "missing"))
        return hooks.Asked(
            label=self.label,
            role=self.role.value,
            principal=principal,
            department=department,
            subtree=self.subtree,
            since=self.since,
            until=self.until,
        )


def _recorded(granted: Granted) -> Recorded:
    return Recorded(201, to_json(shapes.hook(granted)), None, None, granted.id)


@router.post(
    "/v1/units/{unit_id}/hooks",
    **documented(
        "create_unit_hook", "Assign a department or a leader to a unit", shapes.HookOut, status=201,
        codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {"summary": "县直部门包村", "value": {"label": "县直部门包村", "department": "root"}},
            "en": {
                "summary": "For some weeks, with a say",
                "value": {"label": "Flood season", "department": "root", "role": "supervisor", "until": "2030-09-30"},
            },
        },
    ),
)  # fmt: skip
async def create_unit_hook(request: Asked, unit_id: UnitId, body: HookIn) -> Response:
    call = await with_receipt(request, _recorded)
    made = await hooks.hook(request.service, call, unit_id, body.asked())
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.hook(made)), 201)


@router.get(
    "/v1/units/{unit_id}/hooks",
    **documented("list_unit_hooks", "Who is assigned to the unit, oldest first", shapes.HookPageOut),
)
async def list_unit_hooks(request: Asked, unit_id: UnitId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    rows = await hooks.of_unit(request.service, request.call, unit_id, _after(context, cursor), limit + 1)
    return _page(request, context, rows, limit)


@router.get(
    "/v1/hooks",
    **documented("list_hooks", "The assignments to the units that the caller sees, oldest first", shapes.HookPageOut),
)
async def list_hooks(
    request: Asked,
    unit: Annotated[Reference | None, Query(description="The unit's id or code.")] = None,
    department: Annotated[Reference | None, Query(description="The department's id or code.")] = None,
    principal: Annotated[Id | None, Query(description="The leader's id.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    narrowed = Narrowed(
        unit=reference(unit, "/query/unit") if unit is not None else None,
        department=reference(department, "/query/department") if department is not None else None,
        principal_id=principal,
    )
    rows = await hooks.page(request.service, request.call, narrowed, _after(context, cursor), limit + 1)
    return _page(request, context, rows, limit)


@router.delete(
    "/v1/hooks/{hook_id}",
    **documented("end_hook", "End an assignment", None, status=204, codes=READ),
)
async def end_hook(request: Asked, hook_id: Annotated[Id, Path(description="The hook's id.")]) -> Response:
    await hooks.end(request.service, request.call, hook_id)
    return answered(b"", 204)


def _after(context: str, cursor: str | None) -> UUID:
    parts = read_cursor(context, cursor, id_of)
    return parts[0] if parts else BEGINNING


def _page(request: Asked, context: str, rows: list[Granted], limit: int) -> Response:
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    content: list[Any] = [shapes.hook(row) for row in rows[:limit]]
    return page_answer(request, content, more)
