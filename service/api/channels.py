"""Channels over HTTP: how the people of a unit are told, what was told, and telling it again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import channels, deliveries, webhooks
from service.actions.channels import Channel
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.api import channel_shapes as shapes
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
from service.api.fields import Boolean, Code, Id, Model, either, left_out
from service.api.openapi import READ, WRITE, documented
from service.api.references import named
from service.workflow.channels import ADDRESS, MAX_TO, Target
from service.workflow.states import ChannelKind, Locale
from service.workflow.webhooks import Delivery, Status

router = Room(route_class=Route, tags=["channels"])

BEGINNING, END = UUID(int=0), UUID(int=2**128 - 1)

Url = Annotated[str, Field(min_length=8, max_length=2000, pattern=r"^https?://[\x21\x22\x24-\x7e]+$")]
Secret = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
To = Annotated[list[Annotated[str, Field(max_length=254, pattern=ADDRESS)]], Field(max_length=MAX_TO)]
ChannelId = Annotated[Id, Path(description="The channel's id.")]


NOTHING, NO_ADDRESSES = {"type": "null"}, {"maxItems": 0}

BY_KIND: dict[str, Any] = {
    "oneOf": [
        {
            "required": ["kind", "url"],
            "properties": {"kind": {"enum": ["dingtalk", "feishu"]}, "url": {"type": "string"}, "to": NO_ADDRESSES},
        },
        {
            "required": ["kind", "url"],
            "properties": {
                "kind": {"const": "wecom"}, "url": {"type": "string"}, "to": NO_ADDRESSES, "secret": NOTHING,
            },
        },
        {
            "required": ["kind", "to"],
            "properties": {"kind": {"const": "mail"}, "to": {"minItems": 1}, "url": NOTHING, "secret": NOTHING},
        },
    ]
}  # fmt: skip
"""What each kind has, for the document; it is judged in workflow/channels.py."""


class ChannelIn(Model):
    model_config = Model.model_config | {
        "json_schema_extra": {"allOf": [*either(("unit_id", "unit"))["allOf"], BY_KIND]}
    }

    kind: ChannelKind
    unit_id: Id | None = Field(None, description="Whose people it reaches; it lies inside the caller's grants.")
    unit: Code | None = Field(None, description="The unit's code, instead of its id.")
    url: Url | None = Field(
        None, description="The robot's address, a credential; elsewhere than with its platform only in a network that "
        "the operator allows. Not for mail."
    )  # fmt: skip
    secret: Secret | None = Field(None, description="What messages are signed with (DingTalk 加签, Feishu 签名校验).")
    to: To = Field(default=[], description="Mail addresses; for mail only.")
    locale: Locale = Locale.CHINESE
    enabled: Boolean = True


class ChannelPatch(Model):
    unit_id: Id = left_out()
    url: Url = left_out()
    secret: Secret | None = Field(default_factory=lambda: None, description="null: messages are not signed any more.")
    to: To = left_out()
    locale: Locale = left_out()
    enabled: Boolean = left_out()


class ChannelPingIn(Model):
    """Nothing is to be said."""


class ChannelReplayIn(Model):
    delivery_id: Id


def _recorded(made: Channel) -> Recorded:
    content = to_json(shapes.channel(made))
    return Recorded(201, content, f"/v1/channels/{made.row.id}", etag_of(made.row.version), made.row.id)


@router.post(
    "/v1/channels",
    **documented(
        "create_channel", "A new channel to the people of a unit", shapes.ChannelOut, status=201, codes=WRITE,
        idempotent=True, headers={"Location": "The new channel.", "ETag": "Its version."},
        links={
            operation: {"operationId": operation, "parameters": {"channel_id": "$response.body#/id"}}
            for operation in ("get_channel", "list_channel_deliveries")
        },
        example={
            "zh": {
                "summary": "本单位的钉钉群机器人，已启用加签",
                "value": {"kind": "dingtalk", "unit": "root", "secret": "SEC0a1b2c3d4e5f60718293a4b5c6d7e8f9",
                          "url": "https://oapi.dingtalk.com/robot/send?access_token=0a1b2c3d4e5f60718293a4b5"},
            },
            "en": {
                "summary": "A WeCom group's robot, in English",
                "value": {"kind": "wecom", "unit": "root", "locale": "en",
                          "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=0a1b2c3d-4e5f-6071-8293-a4b5c6d7"},
            },
        },
    ),
)  # fmt: skip
async def create_channel(request: Asked, body: ChannelIn) -> Response:
    call = await with_receipt(request, _recorded)
    asked = channels.Asked(
        kind=body.kind.value, unit=named(body, "unit"), target=Target(body.url, body.secret, tuple(body.to)),
        locale=body.locale.value, enabled=body.enabled,
    )  # fmt: skip
    made = await channels.create(request.service, call, asked)
    if isinstance(made, Replay):
        return replayed(made)
    location = f"/v1/channels/{made.row.id}"
    return answered(to_json(shapes.channel(made)), 201, etag=etag_of(made.row.version), location=location)


@router.get(
    "/v1/channels",
    **documented("list_channels", "The channels that the caller manages, oldest first", shapes.ChannelPageOut),
)
async def list_channels(request: Asked, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    rows = await channels.page(request.service, request.call, parts[0] if parts else BEGINNING, limit + 1)
    more = write_cursor(context, rows[limit - 1].row.id) if len(rows) > limit else None
    return page_answer(request, [shapes.channel(row) for row in rows[:limit]], more)


@router.get("/v1/channels/{channel_id}", **documented("get_channel", "The channel", shapes.ChannelOut, etag=True))
async def get_channel(request: Asked, channel_id: ChannelId) -> Response:
    found = await channels.read(request.service, request.call, channel_id)
    return versioned(request, shapes.channel(found), found.row.version)


@router.patch(
    "/v1/channels/{channel_id}",
    **documented(
        "update_channel", "Change it; enabled again, it goes on with what waits for it", shapes.ChannelOut,
        codes=(*WRITE, "stale_version", "precondition_required"), if_match=True, headers={"ETag": "Its version."},
        example={
            "zh": {"summary": "停用", "value": {"enabled": False}},
            "en": {"summary": "In English from now on", "value": {"locale": "en"}},
        },
    ),
)  # fmt: skip
async def update_channel(request: Asked, channel_id: ChannelId, body: ChannelPatch) -> Response:
    given = body.model_dump(exclude_unset=True)
    if "to" in given:
        given["to"] = tuple(given["to"])
    if "locale" in given:
        given["locale"] = body.locale.value
    unit = Named(body.unit_id, "/unit_id") if "unit_id" in given else None
    version = required_version(request)
    after = await channels.change(request.service, request.call, channel_id, version, given, unit)
    return answered(to_json(shapes.channel(after)), etag=etag_of(after.row.version))


@router.delete(
    "/v1/channels/{channel_id}",
    **documented("delete_channel", "Delete it, with everything that was told or waits", None, status=204, codes=READ),
)
async def delete_channel(request: Asked, channel_id: ChannelId) -> Response:
    await webhooks.remove(request.service, request.call, channel_id, for_people=True)
    return answered(b"", 204)


def _recorded_ping(attempt: dict[str, Any]) -> Recorded:
    return Recorded(200, to_json(attempt), None, None, None)


@router.post(
    "/v1/channels/{channel_id}/ping",
    **documented(
        "create_channel_ping", "Send a test message now; what came back", shapes.ChannelAttemptOut, codes=WRITE,
        idempotent=True,
        example={"zh": {"summary": "测试", "value": {}}, "en": {"summary": "Test it", "value": {}}},
    ),
)  # fmt: skip
async def ping_channel(request: Asked, channel_id: ChannelId, body: ChannelPingIn) -> Response:
    call = await with_receipt(request, _recorded_ping)
    attempt = await channels.ping(request.service, call, channel_id)
    return replayed(attempt) if isinstance(attempt, Replay) else answered(to_json(attempt))


@router.get(
    "/v1/channels/{channel_id}/deliveries",
    **documented(
        "list_channel_deliveries", "What was told and what waits, newest first", shapes.ChannelDeliveryPageOut
    ),
)
async def list_channel_deliveries(
    request: Asked,
    channel_id: ChannelId,
    status: Annotated[Status | None, Query(description="Only those of this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    before, wanted = parts[0] if parts else END, status.value if status else None
    rows = await deliveries.page(request.service, request.call, channel_id, wanted, before, limit + 1, for_people=True)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.delivery(row) for row in rows[:limit]], more)


def _recorded_replay(again: Delivery) -> Recorded:
    return Recorded(202, to_json(shapes.delivery(again)), None, None, None)


@router.post(
    "/v1/channels/{channel_id}/replay",
    **documented(
        "create_channel_replay", "Send a message again, with what there is to say now", shapes.ChannelDeliveryOut,
        status=202, codes=WRITE, idempotent=True,
        example={
            "zh": {"summary": "重发", "value": {"delivery_id": "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506"}},
            "en": {"summary": "Again", "value": {"delivery_id": "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506"}},
        },
    ),
)  # fmt: skip
async def replay_channel(request: Asked, channel_id: ChannelId, body: ChannelReplayIn) -> Response:
    call = await with_receipt(request, _recorded_replay)
    again = await channels.replay(request.service, call, channel_id, body.delivery_id)
    return replayed(again) if isinstance(again, Replay) else answered(to_json(shapes.delivery(again)), 202)
