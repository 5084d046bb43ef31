"""Whom an event is told, and what else goes into the same message: rungs of one look are one message, not one an item.

A rung that issues a notice is told with it, once: by the rung where the look issued the notice, by the notice where a
supervisor did, by hand or from a draft. A draft has no effect, and so nobody is told of it.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from service.workflow.notices import Notice


@dataclass(frozen=True, slots=True)
class Told:
    """`units` are those whose channels are told; what has the same `key` is told together."""

    units: tuple[UUID, ...]
    key: str
    notice_id: UUID | None = None


def told(type_: str, event_id: UUID, at: datetime, unit_id: UUID | None, data: dict[str, Any]) -> Told | None:
    """For an event as it is sealed; None where it is for nobody."""
    notice_id = UUID(data["notice_id"]) if data.get("notice_id") else None
    match type_:
        case "rung.fired":
            units = tuple(map(UUID, data["notified_unit_ids"]))
            key = str(notice_id) if notice_id else f"{at.isoformat()} {data['action']} {data['anchor']}"
            return Told(units, key, notice_id)
        case "notice.issued":
            units = (UUID(data["unit_id"]), *map(UUID, data.get("copy_unit_ids") or ()))
            return Told(units, str(notice_id), notice_id)
        case "interview.scheduled" | "request.approved" | "request.returned" if unit_id is not None:
            return Told((unit_id,), str(event_id))
    return None


def told_by(type_: str, notice: Notice) -> bool:
    """Whether it is an event of this type that tells of a notice. Behind what the clock issued stands nobody."""
    if notice.issued_at is None:
        return False
    return (notice.issued_by is None) == (type_ == "rung.fired")


def lane_of(channel_id: UUID, key: str) -> UUID:
    """The lane in which the message of a key waits: no message waits for another."""
    return UUID(bytes=blake2b(channel_id.bytes + key.encode(), digest_size=16).digest())
