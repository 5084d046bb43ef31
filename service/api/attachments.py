"""Attachments over HTTP: uploaded and downloaded piece by piece, in any part, never held whole."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from pydantic_core import to_json

from service.actions import attachments
from service.actions.attachments import Upload
from service.actions.service import Recorded, Replay
from service.api import ranges
from service.api.deps import (
    VARY,
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    given_key,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    with_receipt,
    write_cursor,
)
from service.api.fields import Id
from service.api.openapi import READ, WRITE, documented, problems
from service.api.receiving import BYTES, check_media, receive
from service.api.references import ItemId
from service.api.shapes import Line, Shape, Text
from service.api.uploads import upload_body
from service.workflow.attachments import Attachment, HangsOn, disposition
from service.workflow.media import KINDS
from service.workflow.texts import LINE

router = Room(route_class=Route, tags=["attachments"])

SANDBOX = "sandbox; default-src 'none'"
"""Whatever a browser makes of the bytes, it may do nothing with them."""


class AttachmentOut(Shape):
    id: UUID
    sha256: str = Field(pattern="^[0-9a-f]{64}$", max_length=64, description="Of its bytes; sealed in the event.")
    size: int = Field(ge=1, le=1_073_741_824, description="In bytes.")
    media_type: Line = Field(description="By its content.")
    name: Line | None = Field(description="As it was uploaded, cleaned; null without, and once lawfully erased.")
    uploaded_by: UUID
    uploaded_at: datetime
    expires_at: datetime | None = Field(description="When it goes unless it hangs somewhere; null once it does.")
    item_id: UUID | None = Field(description="The item on which it hangs; null as long as only its uploader sees it.")
    hangs_on: HangsOn | None
    hangs_on_id: UUID | None = Field(description="The progress entry or request; a review has no id.")
    attached_at: datetime | None
    erased_at: datetime | None = Field(description="When bytes and name were lawfully erased.")


class AttachmentPageOut(Shape):
    items: list[AttachmentOut] = Field(max_length=200)
    next_cursor: Text | None


def shape(each: Attachment) -> dict[str, Any]:
    return {name: getattr(each, name) for name in AttachmentOut.model_fields}


AttachmentId = Annotated[Id, Path(description="The attachment's id.")]

FILE = """\
A photo, a scan, a short film, a PDF, an OFD, a document of Office or WPS, told by its content. No web pages, scripts, \
programs, archives, plain text, and no documents with macros."""

PDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n%%EOF\n"
EXAMPLES = {
    "zh": {"summary": "整改验收单", "value": {"file": PDF}},
    "en": {"summary": "A signed sheet", "value": {"file": PDF + "%2\n"}},
}


def _body() -> dict[str, Any]:
    body = upload_body("file", FILE, EXAMPLES)
    alone = {"type": "string", "format": "binary", "minLength": 1, "maxLength": 1_073_741_824, "description": FILE}
    examples = {tongue: {"summary": each["summary"], "value": PDF} for tongue, each in EXAMPLES.items()}
    body["content"][BYTES] = {"schema": alone, "examples": examples}
    return body


def _recorded(made: Attachment) -> Recorded:
    return Recorded(201, to_json(shape(made)), f"/v1/attachments/{made.id}", None, made.id)


@router.post(
    "/v1/attachments",
    **documented(
        "create_attachment", "Upload evidence: it can hang on one thing within a day", AttachmentOut, status=201,
        codes=(*WRITE, "quota_exceeded"), idempotent=True, body=_body(), headers={"Location": "The new attachment."},
        links={"get_attachment": {
            "operationId": "get_attachment", "parameters": {"attachment_id": "$response.body#/id"}
        }},
    ),
)  # fmt: skip
async def create_attachment(
    request: Asked,
    name: Annotated[
        str | None,
        Query(min_length=1, max_length=255, pattern=LINE, description="The file's name; before that in a form."),
    ] = None,
) -> Response:
    # What can be refused by the head alone is refused before the body is read.
    check_media(request)
    given_key(request)
    attachments.may_upload(request.call)
    limit = request.app.state.settings.attachment_max_bytes
    async with request.service.blobs.incoming(limit) as staged:
        called = await receive(request, staged, limit)
        upload = Upload(staged, name or called)
        # By what counts of the body, which is not kept: a form marks off its parts in another way each time.
        call = await with_receipt(request, _recorded, json.dumps([staged.sha256, upload.name]).encode())
        made = await attachments.keep(request.service, call, upload)
    if isinstance(made, Replay):
        return replayed(made)
    request.app.state.metrics.received(made.size)
    return answered(to_json(shape(made)), 201, location=f"/v1/attachments/{made.id}")


@router.get(
    "/v1/attachments/{attachment_id}",
    **documented("get_attachment", "What an attachment is and on what it hangs", AttachmentOut),
)
async def get_attachment(request: Asked, attachment_id: AttachmentId) -> Response:
    return answered(to_json(shape(await attachments.read(request.service, request.call, attachment_id))))


def _content_documented() -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    told = documented(
        "get_attachment_content", "The bytes of an attachment, whole or in part", None,
        codes=(*READ, "gone", "range_not_satisfiable"), content=dict.fromkeys(KINDS, binary), etag=True,
        headers={
            "Accept-Ranges": "`bytes`.",
            "Content-Disposition": "Always `attachment`, with a name whose extension says what it is.",
        },
    )  # fmt: skip
    part = {**told["responses"][200], "description": "The part that `Range` names."}
    told["responses"][206] = part
    told["responses"].update(problems(*READ, "gone", "range_not_satisfiable", "rate_limited"))
    return told


@router.get("/v1/attachments/{attachment_id}/content", **_content_documented())
async def get_attachment_content(
    request: Asked,
    attachment_id: AttachmentId,
    asked: Annotated[
        str | None, Header(alias="Range", max_length=200, description="One range of bytes; others get the whole.")
    ] = None,
    if_range: Annotated[
        str | None, Header(alias="If-Range", max_length=200, description="The ETag for which `Range` counts.")
    ] = None,
) -> Response:
    found, key = await attachments.to_send(request.service, request.call, attachment_id)
    etag = f'"{found.sha256}"'
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache",
        "vary": VARY,
        "content-security-policy": SANDBOX,
        "accept-ranges": "bytes",
    }
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        return Response(status_code=304, headers=headers)
    part = ranges.part(asked, found.size) if if_range in (None, etag) else None
    whole = ranges.Part(0, found.size)
    headers["content-disposition"] = disposition(found)
    headers["content-length"] = str((part or whole).length)
    if part is not None:
        headers["content-range"] = part.of(found.size)
    status = 206 if part else 200
    if request.scope.get("head"):
        return Response(b"", status, headers, found.media_type)
    pieces = await request.service.blobs.read(key, (part or whole).start, (part or whole).length)
    return StreamingResponse(pieces, status, headers, found.media_type)


@router.get(
    "/v1/items/{item_id}/attachments",
    **documented("list_item_attachments", "What hangs on an item, in the order of its upload", AttachmentPageOut),
)
async def list_item_attachments(request: Asked, item_id: ItemId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    after = parts[0] if parts else UUID(int=0)
    rows = await attachments.of_item(request.service, request.call, item_id, after, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shape(row) for row in rows[:limit]], more)
