"""Requests (申请) over HTTP: asked for, decided, withdrawn, and the deciders' inbox."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Body, Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import requests
from service.actions.requests import Asked as AskedFor
from service.actions.requests import Decision
from service.actions.service import Recorded, Replay
from service.api import clock_shapes as shapes
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
from service.api.fields import Code, Day, Id, LongText, Model, Reason
from service.api.openapi import WRITE, documented
from service.api.references import AttachmentIds, ItemId, named_or_none
from service.api.transitions import VerificationIn, verification
from service.errors import invalid
from service.workflow.guards import Command
from service.workflow.requests import Ask
from service.workflow.states import RequestStatus

router = Room(route_class=Route, tags=["requests"])

_FIRST, _NEWEST = UUID(int=0), UUID(int=2**128 - 1)


class ExtensionIn(Model):
    kind: Literal["extension"]
    due_on: Day
    reason: Reason


class ClosureIn(Model):
    kind: Literal["closure"]
    summary: LongText = Field(description="What was done.")
    attachment_ids: AttachmentIds = []


class TransferIn(Model):
    """Without a unit it says: not ours."""

    kind: Literal["transfer"]
    responsible_unit_id: Id | None = None
    responsible_unit: Code | None = Field(None, description="The unit's code.")
    reason: Reason


RequestIn = Annotated[ExtensionIn | ClosureIn | TransferIn, Field(discriminator="kind")]

EXAMPLES: dict[str, Any] = {
    f"{value['kind']}_{tongue}": {"summary": summary, "value": value}
    for tongue, summary, value in (
        ("zh", "申请延期", {"kind": "extension", "due_on": "2030-07-15", "reason": "汛期无法施工"}),
        ("en", "Ask for more time", {"kind": "extension", "due_on": "2030-07-15", "reason": "No work in the floods"}),
        ("zh", "申请销号", {"kind": "closure", "summary": "主管道已全部更换，三组恢复供水"}),
        ("en", "Ask for closure", {"kind": "closure", "summary": "The main was replaced, water runs again"}),
        ("zh", "申请转办", {"kind": "transfer", "responsible_unit": "root", "reason": "职责不符"}),
        ("en", "Not ours", {"kind": "transfer", "reason": "The road is the county's"}),
    )
}


class DecisionIn(Model):
    """`approve` takes what the trigger takes and nothing else; what was asked for stands where nothing is given."""

    verdict: Literal["approve", "return"]
    reason: Reason | None = Field(None, description="Needed to return it.")
    due_on: Day | None = None
    verification: VerificationIn | None = Field(None, description="Needed to approve a closure.")
    waive_interview: Reason | None = None
    responsible_unit_id: Id | None = None
    responsible_unit: Code | None = None
    supervising_unit_id: Id | None = None
    supervising_unit: Code | None = None


class WithdrawalIn(Model):
    reason: Reason | None = None


RequestId = Annotated[Id, Path(description="The request's id.")]


def _recorded(status: int) -> Any:
    def render(each: Any) -> Recorded:
        location = f"/v1/requests/{each.id}" if status == 201 else None
        return Recorded(status, to_json(shapes.request(each)), location, None, each.item_id)

    return render


@router.post(
    "/v1/items/{item_id}/requests",
    **documented(
        "create_item_request", "Ask for an extension, a closure or a transfer", shapes.RequestOut, status=201,
        codes=(*WRITE, "invalid_transition", "guard_refused"), idempotent=True,
        headers={"Location": "The new request."},
        links={"get_request": {"operationId": "get_request", "parameters": {"request_id": "$response.body#/id"}}},
    ),
)  # fmt: skip
async def create_item_request(
    request: Asked, item_id: ItemId, body: Annotated[RequestIn, Body(openapi_examples=EXAMPLES)]
) -> Response:
    call = await with_receipt(request, _recorded(201))
    if isinstance(body, TransferIn):
        asked = AskedFor(Ask(kind=body.kind, reason=body.reason), named_or_none(body, "responsible_unit"))
    elif isinstance(body, ExtensionIn):
        asked = AskedFor(Ask(kind=body.kind, reason=body.reason, due_on=body.due_on))
    else:
        asked = AskedFor(Ask(kind=body.kind, reason=body.summary, attachment_ids=tuple(body.attachment_ids)))
    made = await requests.submit(request.service, call, item_id, asked)
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.request(made)), 201, location=f"/v1/requests/{made.id}")


@router.get(
    "/v1/items/{item_id}/requests",
    **documented("list_item_requests", "The requests of an item, oldest first", shapes.RequestPageOut),
)
async def list_item_requests(request: Asked, item_id: ItemId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    rows = await requests.of_item(request.service, request.call, item_id, parts[0] if parts else _FIRST, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.request(row) for row in rows[:limit]], more)


@router.get(
    "/v1/requests",
    **documented(
        "list_requests",
        "The requests of the caller's scope: pending ones by the day to decide them, others newest first",
        shapes.RequestPageOut,
    ),
)
async def list_requests(
    request: Asked,
    status: Annotated[
        list[RequestStatus], Query(max_length=5, description="`pending` alone is the deciders' inbox, and the default.")
    ] = [],
    overdue: Annotated[bool | None, Query(description="Pending ones: past their day to decide, or not.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    statuses = tuple(dict.fromkeys(each.value for each in status)) or (RequestStatus.PENDING.value,)
    if statuses == (RequestStatus.PENDING,):
        parts = read_cursor(context, cursor, day_of, id_of)
        after = (parts[0] or date.min, parts[1]) if parts else (date.min, _FIRST)
        rows = await requests.inbox(request.service, request.call, overdue, after, limit + 1)
        last = [rows[limit - 1].decide_due, rows[limit - 1].id] if len(rows) > limit else []
    else:
        if overdue is not None:
            raise invalid(("/query/overdue", "needs_pending"))
        parts = read_cursor(context, cursor, id_of)
        rows = await requests.past(request.service, request.call, statuses, parts[0] if parts else _NEWEST, limit + 1)
        last = [rows[limit - 1].id] if len(rows) > limit else []
    more = write_cursor(context, *last) if last else None
    return page_answer(request, [shapes.request(row) for row in rows[:limit]], more)


@router.get("/v1/requests/{request_id}", **documented("get_request", "The request", shapes.RequestOut))
async def get_request(request: Asked, request_id: RequestId) -> Response:
    return answered(to_json(shapes.request(await requests.read(request.service, request.call, request_id))))


@router.post(
    "/v1/requests/{request_id}/decision",
    **documented(
        "decide_request", "Approve a request, which fires its trigger, or return it", shapes.RequestOut,
        codes=(*WRITE, "invalid_transition", "guard_refused"), idempotent=True,
        example={
            "zh": {"summary": "退回", "value": {"verdict": "return", "reason": "佐证不足，请补充现场照片"}},
            "en": {"summary": "Grant less than was asked", "value": {"verdict": "approve", "due_on": "2030-07-01"}},
        },
    ),
)  # fmt: skip
async def decide_request(request: Asked, request_id: RequestId, body: DecisionIn) -> Response:
    call = await with_receipt(request, _recorded(200))
    decided = await requests.decide(request.service, call, request_id, _decision(body, request.call.today))
    if isinstance(decided, Replay):
        return replayed(decided)
    return answered(to_json(shapes.request(decided)))


def _decision(body: DecisionIn, today: date) -> Decision:
    """What was sent, as a verdict. To return a request needs a reason and nothing else."""
    given = {name for name in body.model_fields_set - {"verdict", "reason"} if getattr(body, name) is not None}
    if body.verdict == "return":
        if body.reason is None:
            raise invalid(("/reason", "missing"))
        if given:
            raise invalid(*((f"/{name}", "needs_approval") for name in sorted(given)))
    command = Command(
        trigger="",
        reason=body.reason,
        due_on=body.due_on,
        verification=verification(body.verification, today) if body.verification else None,
        waive_interview=body.waive_interview,
    )
    return Decision(
        body.verdict == "approve",
        command,
        named_or_none(body, "responsible_unit"),
        named_or_none(body, "supervising_unit"),
        frozenset(given),
    )


@router.post(
    "/v1/requests/{request_id}/withdrawal",
    **documented(
        "withdraw_request", "Take a pending request back", shapes.RequestOut, codes=WRITE, idempotent=True,
        example={
            "zh": {"summary": "撤回申请", "value": {"reason": "已提前完工，改为申请销号"}},
            "en": {"summary": "Take it back", "value": {"reason": "Finished early after all"}},
        },
    ),
)  # fmt: skip
async def withdraw_request(request: Asked, request_id: RequestId, body: WithdrawalIn) -> Response:
    call = await with_receipt(request, _recorded(200))
    withdrawn = await requests.withdraw(request.service, call, request_id, body.reason)
    if isinstance(withdrawn, Replay):
        return replayed(withdrawn)
    return answered(to_json(shapes.request(withdrawn)))
