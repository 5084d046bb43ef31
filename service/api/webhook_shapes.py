"""What answers about webhooks and their deliveries look like. No secret is in any but two, and there once."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from service.api.shapes import Count, Line, Shape, Text
from service.workflow.delivery import MAX_ANSWER, MAX_TYPES, Failure, Format
from service.workflow.webhooks import Delivery, Disabled, Status, Webhook


class WebhookOut(Shape):
    id: UUID
    owner_id: UUID = Field(description="Whose events it gets: what this principal may see.")
    url: Annotated[str, Field(max_length=2000)]
    types: list[Line] = Field(max_length=MAX_TYPES)
    unit_id: UUID | None = Field(description="Only what concerns this unit or one below it.")
    format: Format
    rate_limit: int | None = Field(ge=1, le=1000, description="Deliveries a second at most.")
    enabled: bool
    disabled_reason: Disabled | None = Field(
        description="by_hand; or by the service: gone (it answered 410), failing (for five days), no_grants (its owner "
        "may see nothing)."
    )
    paused: bool = Field(description="It failed 50 times in a row: one delivery at a time is tried, by the schedule.")
    failures: Count = Field(description="Attempts that failed in a row.")
    failing_since: datetime | None
    old_secret_until: datetime | None = Field(description="Until when the secret before this one signs as well.")
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class WebhookPageOut(Shape):
    items: list[WebhookOut] = Field(max_length=200)
    next_cursor: Text | None


class NewSecretOut(WebhookOut):
    secret: Line | None = Field(description="The signing secret (`whsec_...`), this once; null in a replay.")
    secret_shown: bool = Field(description="Whether the secret was shown before, and is so no more.")


def webhook(each: Webhook) -> dict[str, Any]:
    return {name: getattr(each, name) for name in WebhookOut.model_fields}


def new_secret(each: Webhook, secret: str | None) -> dict[str, Any]:
    return {**webhook(each), "secret": secret, "secret_shown": secret is None}


class AttemptOut(Shape):
    at: datetime = Field(description="When its outcome was known.")
    status_code: int | None = Field(ge=100, le=999)
    error: Failure | None = Field(description="Why no answer came, or not the whole of it.")
    latency_ms: Count
    answer: Annotated[str, Field(max_length=MAX_ANSWER)] = Field(description="How the answer's body began.")


class PingOut(AttemptOut):
    event_id: UUID = Field(description="The test event's id, which the endpoint saw as `webhook-id`.")


class DeliveryOut(Shape):
    id: UUID
    event_id: UUID = Field(description="What the endpoint sees as `webhook-id`, at every attempt and replay.")
    position: int = Field(ge=1, le=2**53 - 1)
    type: Line
    replay: bool
    status: Status
    attempts: list[AttemptOut] = Field(max_length=20)
    created_at: datetime
    done_at: datetime | None


class DeliveryPageOut(Shape):
    items: list[DeliveryOut] = Field(max_length=200)
    next_cursor: Text | None


class ReplayOut(Shape):
    count: Count = Field(description="How many deliveries were added.")
    last_position: int = Field(
        ge=0, le=2**53 - 1, description="How far was looked: where to go on, if that is not far enough."
    )


def delivery(each: Delivery) -> dict[str, Any]:
    return {name: getattr(each, name) for name in DeliveryOut.model_fields}
