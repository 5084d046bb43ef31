"""A rung of the escalation ladder, as a ledger's policy has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.workflow.states import Action, AnchorKind, NoticeKind

STRENGTH = {action.value: rank for rank, action in enumerate(Action)}

NEVER_SKIPPED = frozenset({Action.CIRCULATE, Action.ESCALATE})
"""Whatever else was missed, these are done: the others collapse into the strongest of a look."""

NOTICES: Mapping[str, str] = {
    Action.URGE: NoticeKind.URGING,
    Action.SUPERVISE: NoticeKind.SUPERVISION,
    Action.WARN: NoticeKind.WARNING,
    Action.CIRCULATE: NoticeKind.CIRCULAR,
    Action.ESCALATE: NoticeKind.INTERVIEW,
}
"""The notice that each action issues. A reminder only notifies."""

ANCHORS = {kind.value: rank for rank, kind in enumerate(AnchorKind)}


@dataclass(frozen=True, slots=True)
class Rung:
    """`offset` is in working days from the anchor, negative before it. `place` is its place in the ladder."""

    code: str
    anchor: str
    offset: int
    states: frozenset[str]
    after_interview: bool
    action: str
    notify: tuple[str, ...]
    confirm: bool
    place: int

    @classmethod
    def parse(cls, stored: Mapping[str, Any], place: int) -> "Rung":
        """A rung of a stored, whole policy."""
        return cls(
            code=stored["code"],
            anchor=stored["anchor"],
            offset=stored["offset"],
            states=frozenset(stored["states"]),
            after_interview=stored["after_interview"],
            action=stored["action"],
            notify=tuple(stored["notify"]),
            confirm=stored["confirm"],
            place=place,
        )
