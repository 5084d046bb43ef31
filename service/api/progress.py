"""Progress entries over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import progress
from service.actions.service import Recorded, Replay
from service.api import item_shapes as shapes
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
from service.api.fields import Integer, LongText, Model
from service.api.openapi import WRITE, documented
from service.api.references import AttachmentIds, ItemId

router = Room(route_class=Route, tags=["items"])


class ProgressIn(Model):
    text: LongText
    percent: Annotated[int, Field(ge=0, le=100), Integer] | None = None
    attachment_ids: AttachmentIds = []


@router.post(
    "/v1/items/{item_id}/progress",
    **documented(
        "create_item_progress", "Report what was done", shapes.ProgressOut, status=201,
        codes=(*WRITE, "invalid_transition"), idempotent=True,
        example={
            "zh": {"summary": "填报整改进展", "value": {"text": "已更换主管道120米，三组恢复供水", "percent": 60}},
            "en": {"summary": "Say what was done", "value": {"text": "120 m of the main replaced", "percent": 60}},
        },
    ),
)  # fmt: skip
async def create_item_progress(request: Asked, item_id: ItemId, body: ProgressIn) -> Response:
    def render(entry: Any) -> Recorded:
        return Recorded(201, to_json(shapes.progress(entry)), None, None, item_id)

    call = await with_receipt(request, render)
    entry = await progress.report(request.service, call, item_id, body.text, body.percent, tuple(body.attachment_ids))
    if isinstance(entry, Replay):
        return replayed(entry)
    return answered(to_json(shapes.progress(entry)), 201)


@router.get(
    "/v1/items/{item_id}/progress",
    **documented("list_item_progress", "What was reported on an item, oldest first", shapes.ProgressPageOut),
)
async def list_item_progress(request: Asked, item_id: ItemId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    rows = await progress.page(request.service, request.call, item_id, parts[0] if parts else UUID(int=0), limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.progress(row) for row in rows[:limit]], more)
