"""Lawful erasure over HTTP: of texts of an item and its record, and of who complained."""

from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import erasure
from service.actions.service import Recorded, Replay
from service.api import item_shapes as shapes
from service.api.deps import Asked, Room, Route, answered, etag_of, if_match, replayed, with_receipt
from service.api.fields import Id, Model, Reason, distinct
from service.api.openapi import READ, WRITE, documented
from service.api.references import ItemId
from service.errors import invalid
from service.workflow.erasure import Erasable

router = Room(route_class=Route, tags=["items"])

Fields = Annotated[
    list[Erasable],
    distinct,
    Field(
        min_length=1,
        max_length=len(Erasable),
        json_schema_extra={"uniqueItems": True},
        description="Facts of the item by their names (in place of a title stands that it was erased); and of its "
        "record `signatures` (who signed for it and for its notices), `reasons` (of triggers), `notes` (of "
        "verifications, reviews and closed listings), `progress`, `requests` (what was asked for and decided), "
        "`notices` (their words, for all items that they cover), `interviews` (minutes, attendees, commitments, place)"
        ", `attachments` (their bytes and names: all of them, or those in `attachment_ids`) "
        "and `actors` (the names of those who did it; their ids stay).",
    ),
]


AttachmentIds = Annotated[
    list[Id],
    distinct,
    Field(
        max_length=200,
        json_schema_extra={"uniqueItems": True},
        description="With `attachments` in `fields`: those to be erased. Left out: all that hang on the item.",
    ),
]


class RedactionIn(Model):
    """What is destroyed is gone for good, from every earlier event too. The reason becomes part of the record."""

    fields: Fields
    reason: Reason
    attachment_ids: AttachmentIds = []


def _recorded(view: Any) -> Recorded:
    content = shapes.item(view)
    content["source"]["contact"] = None
    return Recorded(200, to_json(content), None, etag_of(view.item.version), view.item.id)


@router.post(
    "/v1/items/{item_id}/redactions",
    **documented(
        "create_item_redaction", "Lawfully erase texts of an item and of its record (admins)", shapes.ItemOut,
        codes=(*WRITE, "stale_version"), idempotent=True, if_match=False, headers={"ETag": "Its version."},
        example={
            "zh": {
                "summary": "当事人要求删除个人信息",
                "value": {"fields": ["description", "progress"], "reason": "当事人依个人信息保护法申请删除"},
            },
            "en": {
                "summary": "A person asked to be forgotten",
                "value": {"fields": ["responsible_person", "signatures"], "reason": "Erasure was asked for"},
            },
        },
    ),
)  # fmt: skip
async def create_item_redaction(request: Asked, item_id: ItemId, body: RedactionIn) -> Response:
    if body.attachment_ids and Erasable.ATTACHMENTS not in body.fields:
        raise invalid(("/attachment_ids", "needs_attachments"))
    version = if_match(request)
    call = await with_receipt(request, _recorded)
    view = await erasure.redact(request.service, call, item_id, body.fields, body.reason, version, body.attachment_ids)
    if isinstance(view, Replay):
        return replayed(view)
    return answered(to_json(shapes.item(view)), etag=etag_of(view.item.version))


@router.delete(
    "/v1/items/{item_id}/contact",
    **documented(
        "delete_item_contact", "Lawfully erase who complained (admins)", None, status=204,
        codes=(*READ, "stale_version"), if_match=False,
    ),
)  # fmt: skip
async def delete_item_contact(request: Asked, item_id: ItemId) -> Response:
    await erasure.forget_contact(request.service, request.call, item_id, if_match(request))
    return answered(b"", 204)
