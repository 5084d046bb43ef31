"""Webhooks over HTTP: endpoints, their secrets, what was sent to them, and sending it again."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import deliveries, webhooks
from service.actions.deliveries import Again, Replayed
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.actions.webhooks import NewSecret
from service.api import webhook_shapes as shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    etag_of,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    required_version,
    versioned,
    with_receipt,
    write_cursor,
)
from service.api.fields import MAX_INTEGER, Boolean, Code, Id, Integer, Model, left_out
from service.api.openapi import READ, WRITE, documented
from service.api.references import named_or_none
from service.errors import invalid
from service.workflow.delivery import GLOB, MAX_TYPE_LENGTH, MAX_TYPES, Format
from service.workflow.webhooks import Status

router = Room(route_class=Route, tags=["webhooks"])

BEGINNING, END = UUID(int=0), UUID(int=2**128 - 1)

Url = Annotated[str, Field(min_length=8, max_length=2000, pattern=r"^https?://[\x21-\x7e]+$")]
Type = Annotated[str, Field(min_length=1, max_length=MAX_TYPE_LENGTH, pattern=f"^{GLOB}$")]
Types = Annotated[list[Type], Field(min_length=1, max_length=MAX_TYPES)]
Rate = Annotated[int, Field(ge=1, le=1000), Integer]
Position = Annotated[int, Field(ge=0, le=MAX_INTEGER), Integer]
WebhookId = Annotated[Id, Path(description="The webhook's id.")]


class WebhookIn(Model):
    url: Url = Field(description="https; plain http only in a network that the operator allows.")
    types: Types = Field(description="Types of events: `item.created`, `item.*`, `*`.")
    unit_id: Id | None = Field(None, description="Only what concerns this unit or one below it.")
    unit: Code | None = Field(None, description="The unit's code, instead of its id.")
    format: Format = Format.STANDARD
    rate_limit: Rate | None = Field(None, description="Deliveries a second at most, of all couriers together.")
    enabled: Boolean = True


class WebhookPatch(Model):
    url: Url = left_out()
    types: Types = left_out()
    unit_id: Id | None = Field(default_factory=lambda: None, description="null: whatever its owner sees.")
    format: Format = left_out()
    rate_limit: Rate | None = left_out()
    enabled: Boolean = left_out()


class PingIn(Model):
    """Nothing is to be said."""


class RotateIn(Model):
    """Nothing is to be said."""


class ReplayIn(Model):
    """One delivery's event, or the events with positions between two, neither of which counts."""

    delivery_id: Id | None = None
    after: Position | None = None
    before: Position | None = Field(None, description="Left out: to the end of the log.")

    def again(self) -> Again:
        if self.delivery_id is None and self.after is None:
            raise invalid(("/after", "missing"))
        if self.delivery_id is not None:
            for name in ("after", "before"):
                if getattr(self, name) is not None:
                    raise invalid((f"/{name}", "one_of_two"))
        return Again(self.delivery_id, self.after or 0, self.before)


def _recorded(made: NewSecret) -> Recorded:
    """What is kept for replay: never the secret."""
    webhook = made.webhook
    content = to_json(shapes.new_secret(webhook, None))
    return Recorded(201, content, f"/v1/webhooks/{webhook.id}", etag_of(webhook.version), webhook.id)


def _recorded_secret(made: NewSecret) -> Recorded:
    return replace(_recorded(made), status=200, location=None)


@router.post(
    "/v1/webhooks",
    **documented(
        "create_webhook", "A new webhook, with its secret, shown this once", shapes.NewSecretOut, status=201,
        codes=WRITE, idempotent=True, headers={"Location": "The new webhook.", "ETag": "Its version."},
        links={
            operation: {"operationId": operation, "parameters": {"webhook_id": "$response.body#/id"}}
            for operation in ("get_webhook", "list_webhook_deliveries")
        },
        example={
            "zh": {
                "summary": "本镇条目的全部变化",
                "value": {"url": "https://platform.example.gov.cn/xiaohao", "types": ["item.*"], "unit": "root"},
            },
            "en": {
                "summary": "As CloudEvents, at most 20 a second",
                "value": {"url": "https://hooks.example.org/ledger", "types": ["item.closed", "notice.*"],
                          "format": "cloudevents", "rate_limit": 20},
            },
        },
    ),
)  # fmt: skip
async def create_webhook(request: Asked, body: WebhookIn) -> Response:
    call = await with_receipt(request, _recorded)
    asked = webhooks.Asked(
        url=body.url, types=tuple(body.types), unit=named_or_none(body, "unit"), format=body.format.value,
        rate_limit=body.rate_limit, enabled=body.enabled,
    )  # fmt: skip
    made = await webhooks.create(request.service, call, asked)
    if isinstance(made, Replay):
        return replayed(made)
    location = f"/v1/webhooks/{made.webhook.id}"
    content = to_json(shapes.new_secret(made.webhook, made.secret))
    return answered(content, 201, etag=etag_of(made.webhook.version), location=location)


@router.get(
    "/v1/webhooks",
    **documented("list_webhooks", "The webhooks that the caller manages, oldest first", shapes.WebhookPageOut),
)
async def list_webhooks(request: Asked, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    rows = await webhooks.page(request.service, request.call, parts[0] if parts else BEGINNING, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.webhook(row) for row in rows[:limit]], more)


@router.get("/v1/webhooks/{webhook_id}", **documented("get_webhook", "The webhook", shapes.WebhookOut, etag=True))
async def get_webhook(request: Asked, webhook_id: WebhookId) -> Response:
    found = await webhooks.read(request.service, request.call, webhook_id)
    return versioned(request, shapes.webhook(found), found.version)


@router.patch(
    "/v1/webhooks/{webhook_id}",
    **documented(
        "update_webhook", "Change it; enabled again, it goes on with what waits for it", shapes.WebhookOut,
        codes=(*WRITE, "stale_version", "precondition_required"), if_match=True, headers={"ETag": "Its version."},
        example={
            "zh": {"summary": "只推送销号和逾期", "value": {"types": ["item.closed", "deadline.passed"]}},
            "en": {"summary": "Enable it again", "value": {"enabled": True}},
        },
    ),
)  # fmt: skip
async def update_webhook(request: Asked, webhook_id: WebhookId, body: WebhookPatch) -> Response:
    given = body.model_dump(exclude_unset=True)
    if "types" in given:
        given["types"] = tuple(given["types"])
    if "format" in given:
        given["format"] = body.format.value
    unit = Named(body.unit_id, "/unit_id") if body.unit_id is not None else None
    version = required_version(request)
    after = await webhooks.change(request.service, request.call, webhook_id, version, given, unit)
    return answered(to_json(shapes.webhook(after)), etag=etag_of(after.version))


@router.delete(
    "/v1/webhooks/{webhook_id}",
    **documented("delete_webhook", "Delete it, with everything that was sent or waits", None, status=204, codes=READ),
)
async def delete_webhook(request: Asked, webhook_id: WebhookId) -> Response:
    await webhooks.remove(request.service, request.call, webhook_id)
    return answered(b"", 204)


@router.post(
    "/v1/webhooks/{webhook_id}/rotate",
    **documented(
        "create_webhook_secret", "A new secret, shown this once; for 24 hours the old one signs as well",
        shapes.NewSecretOut, codes=WRITE, idempotent=True, headers={"ETag": "Its version."},
        example={"zh": {"summary": "更换密钥", "value": {}}, "en": {"summary": "A new secret", "value": {}}},
    ),
)  # fmt: skip
async def rotate_webhook(request: Asked, webhook_id: WebhookId, body: RotateIn) -> Response:
    call = await with_receipt(request, _recorded_secret)
    made = await webhooks.rotate(request.service, call, webhook_id)
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.new_secret(made.webhook, made.secret)), etag=etag_of(made.webhook.version))


def _recorded_ping(attempt: dict[str, Any]) -> Recorded:
    return Recorded(200, to_json(attempt), None, None, None)


@router.post(
    "/v1/webhooks/{webhook_id}/ping",
    **documented(
        "create_webhook_ping", "Send a test event now; what came back", shapes.PingOut, codes=WRITE, idempotent=True,
        example={"zh": {"summary": "测试", "value": {}}, "en": {"summary": "Test it", "value": {}}},
    ),
)  # fmt: skip
async def ping_webhook(request: Asked, webhook_id: WebhookId, body: PingIn) -> Response:
    call = await with_receipt(request, _recorded_ping)
    attempt = await webhooks.ping(request.service, call, webhook_id)
    return replayed(attempt) if isinstance(attempt, Replay) else answered(to_json(attempt))


@router.get(
    "/v1/webhooks/{webhook_id}/deliveries",
    **documented("list_webhook_deliveries", "What was sent and what waits, newest first", shapes.DeliveryPageOut),
)
async def list_webhook_deliveries(
    request: Asked,
    webhook_id: WebhookId,
    status: Annotated[Status | None, Query(description="Only those of this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    before, wanted = parts[0] if parts else END, status.value if status else None
    rows = await deliveries.page(request.service, request.call, webhook_id, wanted, before, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.delivery(row) for row in rows[:limit]], more)


def _recorded_replay(done: Replayed) -> Recorded:
    return Recorded(202, to_json({"count": done.count, "last_position": done.last_position}), None, None, None)


@router.post(
    "/v1/webhooks/{webhook_id}/replay",
    **documented(
        "create_webhook_replay", "Send events again, outside the order", shapes.ReplayOut, status=202, codes=WRITE,
        idempotent=True,
        example={
            "zh": {"summary": "补发第 1200 号之后的全部", "value": {"after": 1200}},
            "en": {
                "summary": "One that is dead",
                "value": {"delivery_id": "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506"},
            },
        },
    ),
)  # fmt: skip
async def replay_webhook(request: Asked, webhook_id: WebhookId, body: ReplayIn) -> Response:
    call = await with_receipt(request, _recorded_replay)
    done = await deliveries.replay(request.service, call, webhook_id, body.again())
    if isinstance(done, Replay):
        return replayed(done)
    return answered(to_json({"count": done.count, "last_position": done.last_position}), 202)
