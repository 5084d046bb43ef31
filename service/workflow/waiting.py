"""What somebody else must do about an item by a certain day: decide a request, hold an interview."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from service.workflow.calendar import Calendar

INTERVIEW = "interview"
"""The key of the pending interview among an item's waits; those of requests are their kinds."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request (`by` is who asked) or an interview (`by` is None) with the last good day to do it.

    `due` lies `within` working days behind `on`, the day on which it was asked or opened.
    """

    id: UUID
    by: UUID | None
    on: date
    within: int
    due: date

    @classmethod
    def begin(cls, id: UUID, by: UUID | None, on: date, within: int, calendar: Calendar) -> "Waiting":
        return cls(id, by, on, within, calendar.add(on, within))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, as it is kept on the item's row."""
        return {
            "id": str(self.id), "by": str(self.by) if self.by else None,
            "on": self.on.isoformat(), "within": self.within, "due": self.due.isoformat(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Waiting":
        """What `to_dict` made."""
        by = stored["by"]
        return cls(
            UUID(stored["id"]), UUID(by) if by else None,
            date.fromisoformat(stored["on"]), stored["within"], date.fromisoformat(stored["due"]),
        )  # fmt: skip
