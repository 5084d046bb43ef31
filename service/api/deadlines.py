"""Deadlines over HTTP: how one came about, reviews of standing items, and the work list of what is overdue."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic_core import to_json

from service.actions import deadline, overdue, reviews
from service.actions.service import Recorded, Replay
from service.api import clock_shapes as shapes
from service.api import item_shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    day_of,
    etag_of,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    with_receipt,
    write_cursor,
)
from service.api.fields import Day, Model, Reason
from service.api.openapi import WRITE, documented
from service.api.references import AttachmentIds, ItemId

router = Room(route_class=Route, tags=["items"])

_FIRST = UUID(int=0)


@router.get(
    "/v1/items/{item_id}/deadline",
    **documented("get_item_deadline", "How the deadline came about, and what follows", shapes.DeadlineExplainedOut),
)
async def get_item_deadline(request: Asked, item_id: ItemId) -> Response:
    told = await deadline.explained(request.service, request.call, item_id)
    return answered(to_json(shapes.deadline(told)))


class ReviewIn(Model):
    on: Day
    note: Reason
    attachment_ids: AttachmentIds = []


def _recorded(view: Any) -> Recorded:
    content = item_shapes.item(view)
    content["source"]["contact"] = None
    return Recorded(200, to_json(content), None, etag_of(view.item.version), view.item.id)


@router.post(
    "/v1/items/{item_id}/reviews",
    **documented(
        "review_item", "Record the review of a standing item: its next review moves on", item_shapes.ItemOut,
        codes=(*WRITE, "guard_refused", "invalid_transition"), idempotent=True, headers={"ETag": "Its version."},
        example={
            "zh": {"summary": "长期坚持事项复查", "value": {"on": "2026-01-05", "note": "巡查制度正常运行，台账齐全"}},
            "en": {"summary": "The rounds are still made", "value": {"on": "2026-01-05", "note": "Records complete"}},
        },
    ),
)  # fmt: skip
async def review_item(request: Asked, item_id: ItemId, body: ReviewIn) -> Response:
    call = await with_receipt(request, _recorded)
    view = await reviews.review(request.service, call, item_id, body.on, body.note, tuple(body.attachment_ids))
    if isinstance(view, Replay):
        return replayed(view)
    return answered(to_json(item_shapes.item(view)), etag=etag_of(view.item.version))


Kind = Literal["item", "request", "interview", "receipt", "draft"]


@router.get(
    "/v1/overdue",
    **documented(
        "list_overdue",
        "The work list: overdue items, decisions, interviews, receipts and drafts, most overdue first",
        shapes.OverduePageOut,
    ),
)
async def list_overdue(
    request: Asked,
    kind: Annotated[list[Kind], Query(max_length=5)] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, day_of, id_of)
    after = (parts[0] or date.min, parts[1]) if parts else (date.min, _FIRST)
    rows = await overdue.page(request.service, request.call, tuple(dict.fromkeys(kind)), after, limit + 1)
    more = write_cursor(context, rows[limit - 1].due_on, rows[limit - 1].ref) if len(rows) > limit else None
    return page_answer(request, [shapes.overdue(row) for row in rows[:limit]], more)
