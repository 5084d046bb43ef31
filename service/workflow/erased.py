"""Whether what is missing beside events was lawfully erased: then an `item.redacted` tells of it, sealed as they are.

What an erasure takes from an item it takes from all that its record held at that time, and from what the records of
others tell of the notices about it. See docs/record.md and workflow/erasure.py.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service.workflow.attachments import name_path
from service.workflow.erasure import erases

APART = timedelta(minutes=1)
"""By so much two hosts' clocks may differ: what others' records tell of a notice may get its position after the erasure
that saw it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Texts that are not there beside an event."""

    position: int
    at: datetime
    type: str
    item_id: str
    revision: int
    notice_id: str | None
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Erasure:
    position: int
    at: datetime
    fields: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(slots=True)
class Erasures:
    """What a pass over a log has seen of erasures, and of what they must account for."""

    _missing: list[Missing] = field(default_factory=list)
    _erasures: dict[str, list[_Erasure]] = field(default_factory=lambda: defaultdict(list))
    _approved: set[tuple[str, int]] = field(default_factory=set)
    _told: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """By notice: at which position the record of an item first tells of it."""

    def pass_by(self, position: int, body: dict[str, Any], missing: tuple[str, ...]) -> None:
        """An event in its turn, and the paths of its texts that are not there. Raises ValueError, KeyError, TypeError
        where it cannot be read."""
        type_, item_id, data = body["type"], body["item_id"], body["data"]
        at = datetime.fromisoformat(body["at"])
        notice_id = data.get("notice_id") if type_.startswith("notice.") else None
        if item_id is not None:
            if type_ == "item.redacted":
                names = tuple(name_path(UUID(each)) for each in data.get("attachment_ids", ()))
                self._erasures[item_id].append(_Erasure(position, at, tuple(data["fields"]), names))
            if type_ == "request.approved":
                self._approved.add((item_id, body["revision"]))
            if notice_id is not None:
                self._told[notice_id].setdefault(item_id, position)
        if missing:
            self._missing.append(
                Missing(position, at, type_, item_id or "", body["revision"], notice_id, missing),
            )

    def unaccounted(self) -> Iterator[tuple[int, str]]:
        """The missing texts that no erasure covers: their positions and paths."""
        for each in self._missing:
            for path in each.paths:
                if not any(self._covers(erasure, each, path) for erasure in self._about(each)):
                    yield each.position, path

    def _about(self, gone: Missing) -> Iterator[_Erasure]:
        for erasure in self._erasures.get(gone.item_id, ()):
            if erasure.position > gone.position:
                yield erasure
        if gone.notice_id is not None:
            for item_id, first in self._told[gone.notice_id].items():
                if item_id != gone.item_id:
                    for erasure in self._erasures.get(item_id, ()):
                        later = erasure.position > gone.position or gone.at <= erasure.at + APART
                        if erasure.position > first and later:
                            yield erasure

    def _covers(self, erasure: _Erasure, gone: Missing, path: str) -> bool:
        approved = (gone.item_id, gone.revision) in self._approved
        return erases(erasure.fields, erasure.names, gone.type, path, approved=approved)
