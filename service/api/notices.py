"""Notices (督办文书) over HTTP: issued by hand or from a draft, signed for, cancelled, read."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import notice_board, notices
from service.actions.notice_board import Narrowed
from service.actions.notices import ByHand
from service.actions.references import Named
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
    id_of,
    page_answer,
    read_cursor,
    replayed,
    with_receipt,
    write_cursor,
)
from service.api.fields import Code, Day, Id, LongText, Model, Name, Reason, distinct, either
from service.api.listing_inputs import CoUnitIds
from service.api.openapi import WRITE, documented
from service.api.references import named
from service.workflow.states import NoticeKind, NoticeState

router = Room(route_class=Route, tags=["notices"])

_NEWEST = UUID(int=2**128 - 1)

ByHandKind = Literal["reminder", "urging", "supervision", "warning", "circular"]
"""An interview's notice comes with its escalation, never by itself."""


class NoticeIn(Model):
    model_config = Model.model_config | {"json_schema_extra": either(("unit_id", "unit"))}

    kind: ByHandKind
    unit_id: Id | None = Field(None, description="The unit that is responsible for the items.")
    unit: Code | None = Field(None, description="Its code.")
    item_ids: Annotated[list[Id], distinct] = Field(
        min_length=1, max_length=200, json_schema_extra={"uniqueItems": True}
    )
    text: LongText | None = None
    reply_by: Day | None = Field(None, description="Else the policy's `reply_within` counts.")
    copy_unit_ids: CoUnitIds = []


class ReceiptIn(Model):
    signed_by: Name


class CancelIn(Model):
    reason: Reason


class IssueIn(Model):
    """Nothing needs to be said."""


NoticeId = Annotated[Id, Path(description="The notice's id.")]


def _recorded(status: int) -> Any:
    def render(each: Any) -> Recorded:
        location = f"/v1/notices/{each.id}" if status == 201 else None
        return Recorded(status, to_json(shapes.notice(each)), location, None, each.id)

    return render


@router.get(
    "/v1/notices",
    **documented(
        "list_notices", "The notices of the caller's scope, or of one item, newest first", shapes.NoticePageOut
    ),
)
async def list_notices(
    request: Asked,
    kind: Annotated[list[NoticeKind], Query(max_length=6)] = [],
    state: Annotated[list[NoticeState], Query(max_length=3)] = [],
    item_id: Annotated[Id | None, Query(description="Those that cover this item.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    narrowed = Narrowed(
        kinds=tuple(each.value for each in kind), states=tuple(each.value for each in state), item_id=item_id
    )
    rows = await notice_board.page(request.service, request.call, narrowed, parts[0] if parts else _NEWEST, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.notice(row) for row in rows[:limit]], more)


@router.get("/v1/notices/{notice_id}", **documented("get_notice", "The notice", shapes.NoticeOut))
async def get_notice(request: Asked, notice_id: NoticeId) -> Response:
    return answered(to_json(shapes.notice(await notice_board.read(request.service, request.call, notice_id))))


@router.post(
    "/v1/notices",
    **documented(
        "create_notice", "Issue a notice about open items of one unit", shapes.NoticeOut, status=201, codes=WRITE,
        idempotent=True, headers={"Location": "The new notice."},
        links={"get_notice": {"operationId": "get_notice", "parameters": {"notice_id": "$response.body#/id"}}},
        example={
            "zh": {
                "summary": "下发督办单",
                "value": {
                    "kind": "supervision",
                    "unit": "root",
                    "item_ids": ["0192f3a4-7d51-7c53-8a5e-3f2b9c1d4e60"],
                    "text": "请于期限内完成整改并书面回复。",
                },
            },
            "en": {
                "summary": "Urge a unit",
                "value": {"kind": "urging", "unit": "root", "item_ids": ["0192f3a4-7d51-7c53-8a5e-3f2b9c1d4e60"]},
            },
        },
    ),
)  # fmt: skip
async def create_notice(request: Asked, body: NoticeIn) -> Response:
    call = await with_receipt(request, _recorded(201))
    asked = ByHand(
        kind=body.kind,
        unit=named(body, "unit"),
        item_ids=tuple(body.item_ids),
        text=body.text,
        reply_by=body.reply_by,
        copies=tuple(Named(each, f"/copy_unit_ids/{index}") for index, each in enumerate(body.copy_unit_ids)),
    )
    made = await notices.issue_by_hand(request.service, call, asked)
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.notice(made)), 201, location=f"/v1/notices/{made.id}")


@router.post(
    "/v1/notices/{notice_id}/issue",
    **documented(
        "issue_notice", "Issue a draft (签发): it gets its number and takes effect", shapes.NoticeOut,
        codes=(*WRITE, "guard_refused", "invalid_transition"), idempotent=True,
        example={"zh": {"summary": "签发", "value": {}}, "en": {"summary": "Issue it", "value": {}}},
    ),
)  # fmt: skip
async def issue_notice(request: Asked, notice_id: NoticeId, body: IssueIn) -> Response:
    call = await with_receipt(request, _recorded(200))
    return _answer(await notices.issue_draft(request.service, call, notice_id))


@router.post(
    "/v1/notices/{notice_id}/receipt",
    **documented(
        "sign_notice", "Sign for a notice (签收)", shapes.NoticeOut, codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {"summary": "签收", "value": {"signed_by": "张伟"}},
            "en": {"summary": "Sign for it", "value": {"signed_by": "Zhang Wei"}},
        },
    ),
)  # fmt: skip
async def sign_notice(request: Asked, notice_id: NoticeId, body: ReceiptIn) -> Response:
    call = await with_receipt(request, _recorded(200))
    return _answer(await notices.sign(request.service, call, notice_id, body.signed_by))


@router.post(
    "/v1/notices/{notice_id}/cancel",
    **documented(
        "cancel_notice", "Cancel a notice or a draft; what was issued keeps its number", shapes.NoticeOut,
        codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {"summary": "撤销文书", "value": {"reason": "该单位已按期完成整改"}},
            "en": {"summary": "Cancel it", "value": {"reason": "The work had been finished in time"}},
        },
    ),
)  # fmt: skip
async def cancel_notice(request: Asked, notice_id: NoticeId, body: CancelIn) -> Response:
    call = await with_receipt(request, _recorded(200))
    return _answer(await notices.cancel(request.service, call, notice_id, body.reason))


def _answer(result: Any) -> Response:
    return replayed(result) if isinstance(result, Replay) else answered(to_json(shapes.notice(result)))
