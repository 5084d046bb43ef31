"""An item's history as people read it: who did what when, what was said, and what changed from what to what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.console.texts import Speaker
from service.workflow.attachments import NAMES
from service.workflow.organisation import Unit

SAID = (
    "reason", "note", "text", "percent", "signed_by", "verification", "waive_interview", "due_on", "review_on",
    "responsible_unit_id", "supervising_unit_id", "co_unit_ids", "severity", "source_kind", "claim_due", "deadline",
    "number", "kind", "asked_due_on", "decide_due", "rung", "action", "anchor", "anchor_on", "why",
    "notified_unit_ids", "unit_id", "reply_by", "receipt_due", "interview_due", "scheduled_at", "place", "held_on",
    "on", "closed_on", "duplicate_of", "fields",
)  # fmt: skip
"""What an event may tell, in the order in which it is told."""

HIDDEN_CHANGES = frozenset(
    {"interview_id", "claimed_by", "deadline_rule", "extension_days", "supervising_defaulted", "attributes"}
)

TERMS = {
    "severity": "severity", "source_kind": "source", "action": "action", "anchor": "anchor", "why": "why",
    "state": "state", "resolution": "resolution", "deadline_kind": "deadline", "method": "method",
}  # fmt: skip


NOTHING = "—"
ERASED = {"erased": True}
"""What stands in the place of a text that was lawfully erased."""


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `tone` says how it looks: what people did, what the clock did, what was merely noted."""

    at: datetime
    title: str
    who: str
    tone: str
    version: int | None
    position: int | None
    facts: tuple[Fact, ...]
    changes: tuple[Change, ...]


def units_in(events: Iterable[dict[str, Any]]) -> set[UUID]:
    """Every unit that the events name."""
    found: set[UUID] = set()
    for event in events:
        data = event["data"]
        values = [data.get(name) for name in data if name.endswith(("unit_id", "unit_ids"))]
        for name, change in data.get("changes", {}).items():
            if name.endswith(("unit_id", "unit_ids")):
                values += [change["before"], change["after"]]
        for value in values:
            found |= {UUID(each) for each in (value if isinstance(value, list) else [value]) if each}
    return found


def entry(event: dict[str, Any], speaker: Speaker, units: Mapping[UUID, Unit]) -> Entry:
    reader = _Reader(event["type"], speaker, units)
    data = event["data"]
    clock = event["actor"]["principal_id"] is None
    return Entry(
        at=datetime.fromisoformat(event["at"]),
        title=speaker.event(event["type"]),
        who=_who(event, speaker),
        tone="clock" if clock else "note" if event["type"].startswith(("rung.", "deadline.")) else "person",
        version=event["item_version"] if event["type"].startswith("item.") else None,
        position=event["position"],
        facts=tuple(
            Fact(speaker.field(name), reader.value(name, data[name]))
            for name in SAID
            if name in data and data[name] not in (None, "", [])
        )
        + _files(data, speaker),
        changes=tuple(
            reader.change(name, change)
            for name, change in data.get("changes", {}).items()
            if name not in HIDDEN_CHANGES
        ),
    )


def _files(data: dict[str, Any], speaker: Speaker) -> tuple[Fact, ...]:
    """What hangs on the thing that the event tells of, by name; one that came without, or whose name was erased, by
    its kind and digest."""
    names = data.get(NAMES) or {}
    called = []
    for each in data.get("attachments", ()):
        name = names.get(each["id"])
        called.append(name if isinstance(name, str) else f"{each['media_type']} {each['sha256'][:8]}")
    return (Fact(speaker.field("attachments"), "、".join(called)),) if called else ()


def _who(event: dict[str, Any], speaker: Speaker) -> str:
    actor = event["actor"]
    if actor["principal_id"] is None:
        # Whoever works on the server itself has a name, though no principal stands behind it.
        return speaker.word("timeline.clock") if actor["name"] == "clock" else str(actor["name"])
    return actor["name"] or speaker.word("erased")


class _Reader:
    """Values of one event in words."""

    def __init__(self, event_type: str, speaker: Speaker, units: Mapping[UUID, Unit]) -> None:
        self._type, self._speaker, self._units = event_type, speaker, units

    def change(self, name: str, change: dict[str, Any]) -> Change:
        label = self._speaker.field(name)
        if change == ERASED:
            return Change(label, NOTHING, self._speaker.word("erased"))
        return Change(label, self.value(name, change["before"]), self.value(name, change["after"]))

    def value(self, name: str, value: Any) -> str:
        if value is None or value == []:
            return NOTHING
        if value == ERASED:
            return self._speaker.word("erased")
        if isinstance(value, bool):
            return self._speaker.word("yes" if value else "no")
        if isinstance(value, list):
            return "、".join(self.value(name.removesuffix("s"), each) for each in value)
        if isinstance(value, dict):
            return "；".join(f"{self._speaker.field(key)} {self.value(key, inner)}" for key, inner in value.items())
        if name.endswith("unit_id"):
            unit = self._units.get(UUID(value))
            return unit.name if unit else self._speaker.word("unit.above")
        if name == "kind":
            group = "notice" if self._type.startswith("notice.") else "request"
            return self._speaker.term(group, value)
        if name == "field":
            return self._speaker.field(value)
        if name == "percent":
            return f"{value}%"
        if name in TERMS:
            return self._speaker.term(TERMS[name], value)
        if name.endswith("_at") and isinstance(value, str):
            return self._speaker.moment(datetime.fromisoformat(value))
        if name.endswith(("_on", "_due")) and isinstance(value, str):
            return self._speaker.day(date.fromisoformat(value))
        return str(value)
