"""Requests and interviews are what their events tell, and an item waits for those that are pending."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from tests.checks.everything import Everything, Row, plain

ENDED = ("approved", "returned", "withdrawn", "cancelled")
HELD = {"interview.opened": "pending", "interview.scheduled": "scheduled", "interview.recorded": "recorded",
        "interview.cancelled": "cancelled"}  # fmt: skip


def requests_follow_from_their_events(found: Everything) -> Iterator[str]:
    expected: dict[str, Row] = {}
    for item in found["items"]:
        for row in found.histories.get(item["id"], []):
            if row["type"] == "item.rescheduled":
                # The event does not tell the days of what is pending; that they agree with the item is asked below.
                for each in expected.values():
                    if each["item_id"] == item["id"] and each["status"] == "pending":
                        each.pop("decide_due", None)
            elif row["type"].startswith("request."):
                yield from _follow(found, item, row, expected)
    stored = {str(row["id"]): row for row in found["requests"]}
    for request_id in stored.keys() ^ expected.keys():
        yield f"request {request_id} is {'stored' if request_id in stored else 'told of'} only"
    for request_id in stored.keys() & expected.keys():
        for name, value in expected[request_id].items():
            if stored[request_id][name] != value:
                yield f"request {request_id}: {name} is {stored[request_id][name]}, by its events {value}"


def _follow(found: Everything, item: Row, row: Row, expected: dict[str, Row]) -> Iterator[str]:
    event, deed = found.told(row), row["type"].removeprefix("request.")
    data, actor = event["data"], event["actor"]["principal_id"]
    request_id = data["request_id"]
    if deed == "submitted":
        if request_id in expected:
            yield f"request {request_id} was made twice"
        expected[request_id] = {
            "item_id": item["id"], "cycle": data["cycle"], "kind": data["kind"], "status": "pending",
            "requested_by": _id(actor), "requested_at": row["at"], "asked_on": found.local(item, row["at"]),
            "reason": data["reason"], "due_on": _day(data.get("due_on")),
            "responsible_unit_id": _id(data.get("responsible_unit_id")), "decide_due": _day(data["decide_due"]),
            "decided_by": None, "decided_at": None, "decision_reason": None,
        }  # fmt: skip
        return
    request = expected.get(request_id)
    if request is None or request["status"] != "pending" or deed not in ENDED or request["kind"] != data["kind"]:
        yield f"request {request_id} was {deed} when it was {request and request['status']}"
        return
    overtaken = deed == "cancelled"
    request |= {
        "status": deed, "decided_at": row["at"], "decided_by": None if overtaken else _id(actor),
        "decision_reason": data.get("reason"),
    }  # fmt: skip
    if deed != "withdrawn" and not overtaken and request["decided_by"] == request["requested_by"]:
        yield f"request {request_id} was {deed} by {actor}, who had made it"


def interviews_follow_from_their_events(found: Everything) -> Iterator[str]:
    expected: dict[str, Row] = {}
    for item in found["items"]:
        latest: dict[int, str] = {}
        for row in found.histories.get(item["id"], []):
            data = found.told(row)["data"]
            if row["type"] == "item.escalated":
                latest[data["cycle"]] = data["interview_id"]
            elif row["type"] == "item.rescheduled":
                for each in expected.values():
                    if each["item_id"] == item["id"] and each["state"] in ("pending", "scheduled"):
                        each.pop("due_on", None)
            elif row["type"] in HELD:
                yield from _held(item, row, data, expected)
        if plain(item["interview_id"]) != latest.get(item["cycle"]):
            yield f"item {item['id']}: interview {item['interview_id']}, by its events {latest.get(item['cycle'])}"
    stored = {str(row["id"]): row for row in found["interviews"]}
    for interview_id in stored.keys() ^ expected.keys():
        yield f"interview {interview_id} is {'stored' if interview_id in stored else 'told of'} only"
    for interview_id in stored.keys() & expected.keys():
        for name, value in expected[interview_id].items():
            if plain(stored[interview_id][name]) != plain(value):
                yield f"interview {interview_id}: {name} is {stored[interview_id][name]}, by its events {value}"


def _held(item: Row, row: Row, data: Row, expected: dict[str, Row]) -> Iterator[str]:
    interview_id, state = data["interview_id"], HELD[row["type"]]
    known = expected.get(interview_id, {})
    if (state == "pending") != (known == {}) or known.get("state") in ("recorded", "cancelled"):
        yield f"interview {interview_id} is {state} after it was {known.get('state')}"
    known["state"] = state
    if state == "pending":
        known |= {
            "item_id": item["id"], "opened_at": row["at"], "due_on": data["interview_due"],
            "scheduled_at": None, "place": None, "held_on": None,
        }  # fmt: skip
    elif state == "scheduled":
        known |= {"scheduled_at": data["scheduled_at"], "place": data.get("place")}
    elif state == "recorded":
        known["held_on"] = data["held_on"]
    expected[interview_id] = known


def items_wait_for_what_is_pending(found: Everything) -> Iterator[str]:
    """`pending` names each request that is pending and the interview to be held, with the days of their rows."""
    waits: dict[UUID, dict[str, Row]] = {item["id"]: {} for item in found["items"]}
    for row in found["requests"]:
        if row["status"] == "pending":
            if row["kind"] in waits[row["item_id"]]:
                yield f"item {row['item_id']}: two requests of kind {row['kind']} are pending"
            waits[row["item_id"]][row["kind"]] = _wait(row, row["requested_by"], row["asked_on"], row["decide_due"])
    for row in found["interviews"]:
        if row["state"] in ("pending", "scheduled"):
            opened = found.local(row, row["opened_at"])
            waits[row["item_id"]]["interview"] = _wait(row, None, opened, row["due_on"])
    for item in found["items"]:
        told = {kind: {name: wait[name] for name in wait if name != "within"} for kind, wait in item["pending"].items()}
        if told != waits[item["id"]]:
            yield f"item {item['id']}: waits for {told}, by the rows for {waits[item['id']]}"
        calendar = found.calendars[item["tenant_id"]]
        for kind, wait in item["pending"].items():
            due = calendar.add(date.fromisoformat(wait["on"]), wait["within"])
            if item["tenant_id"] not in found.with_own_calendar and str(due) != wait["due"]:
                yield f"item {item['id']}: its {kind} is due on {wait['due']}, {wait['within']} days count to {due}"


def _wait(row: Row, by: UUID | None, on: date, due: date) -> Row:
    return {"id": str(row["id"]), "by": plain(by), "on": str(on), "due": str(due)}


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
