"""What has become moot between an event and its message: nobody is reminded of what is done."""

from typing import Any

from service.workflow.items import Item
from service.workflow.states import AnchorKind, State


def moot(type_: str, data: dict[str, Any], unit_id: str | None, item: Item) -> bool:
    """Whether nothing is to be said about an item any more. `unit_id` was responsible for it then.

    A notice stands until it is cancelled, whatever has become of its items: it is to be signed for.
    """
    if data.get("notice_id"):
        return False
    if type_ != "rung.fired":
        return type_ == "interview.scheduled" and item.state == State.CLOSED
    if item.state == State.CLOSED or str(item.responsible_unit_id) != unit_id or item.cycle != data["cycle"]:
        return True
    match data["anchor"]:
        case AnchorKind.DUE:
            return str(item.deadline_day) != str(data["anchor_on"])
        case AnchorKind.CLAIM_DUE:
            return item.state != State.OPEN
        case _:
            waited_for = data.get("request_id") or data.get("interview_id")
            return all(waiting["id"] != waited_for for waiting in item.pending.values())
