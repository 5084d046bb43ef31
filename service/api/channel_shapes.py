"""What answers about channels look like. A robot's address and secret are in none; mail addresses are shown."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from service.actions.channels import Channel
from service.api.shapes import Count, Line, Shape, Text
from service.api.webhook_shapes import AttemptOut
from service.workflow.channels import MAX_TO
from service.workflow.states import ChannelKind, Locale
from service.workflow.webhooks import Delivery, Disabled, Status


class ChannelOut(Shape):
    id: UUID
    owner_id: UUID = Field(description="Who made it; it tells only what this principal may see.")
    kind: ChannelKind
    unit_id: UUID = Field(description="Whose people it reaches.")
    url: Annotated[str, Field(max_length=500)] | None = Field(
        description="The robot's address, masked: it is a credential. null for mail."
    )
    has_secret: bool = Field(description="Whether messages are signed.")
    to: list[Line] = Field(max_length=MAX_TO, description="Mail addresses; empty for robots.")
    locale: Locale
    enabled: bool
    disabled_reason: Disabled | None = Field(
        description="by_hand; or by the service: gone (the platform knows no such robot), failing (for five days), "
        "no_grants (its owner may see nothing)."
    )
    paused: bool = Field(description="It failed 50 times in a row: one message at a time is tried, by the schedule.")
    failures: Count = Field(description="Attempts that failed in a row.")
    failing_since: datetime | None
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class ChannelPageOut(Shape):
    items: list[ChannelOut] = Field(max_length=200)
    next_cursor: Text | None


def channel(each: Channel) -> dict[str, Any]:
    row = each.row
    of_mail = row.format == ChannelKind.MAIL
    own = {
        "kind": row.format, "url": None if of_mail else row.url, "has_secret": each.target.secret is not None,
        "to": each.target.to,
    }  # fmt: skip
    return {name: own[name] if name in own else getattr(row, name) for name in ChannelOut.model_fields}


class ChannelAttemptOut(AttemptOut):
    status_code: int | None = Field(ge=100, le=999, description="HTTP's, or for mail the SMTP server's.")
    code: int | None = Field(
        ge=-(2**53) + 1, le=2**53 - 1, description="The platform's own, 0 where it took the message; null for mail."
    )


class ChannelDeliveryOut(Shape):
    id: UUID
    event_id: UUID = Field(description="The first event that the message tells of.")
    events: int = Field(ge=1, le=2**31 - 1, description="How many it tells of: rungs of one look are one message.")
    position: int = Field(ge=1, le=2**53 - 1)
    type: Line
    replay: bool
    status: Status = Field(description="cancelled: when its turn came, there was nothing to tell any more.")
    attempts: list[ChannelAttemptOut] = Field(max_length=20)
    created_at: datetime
    done_at: datetime | None


class ChannelDeliveryPageOut(Shape):
    items: list[ChannelDeliveryOut] = Field(max_length=200)
    next_cursor: Text | None


def delivery(each: Delivery) -> dict[str, Any]:
    own = {
        "events": 1 + len(each.gathered),
        "attempts": [{name: attempt[name] for name in ChannelAttemptOut.model_fields} for attempt in each.attempts],
    }
    return {name: own[name] if name in own else getattr(each, name) for name in ChannelDeliveryOut.model_fields}
