"""What stands beside the items: places in the log, the search texts, item numbers, and answers kept for replay."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator

from tests.checks.everything import Everything, Row


def every_event_has_its_position_or_waits_for_it(found: Everything) -> Iterator[str]:
    events = {(row["tenant_id"], row["id"]) for row in (*found["events"], *found["tenant_events"])}
    waiting = {(row["tenant_id"], row["event_id"]) for row in found["unsequenced"]}
    placed = {(row["tenant_id"], row["event_id"]) for row in found["log"]}
    for _, event_id in events - waiting - placed:
        yield f"event {event_id} has no position and waits for none"
    for _, event_id in waiting & placed:
        yield f"event {event_id} has a position and waits for another"
    for _, event_id in placed - events:
        yield f"event {event_id} has a position and is not there"
    for _, event_id in waiting - events:
        yield f"event {event_id} waits for a position and is not there"


def what_is_searched_is_what_is_there(found: Everything) -> Iterator[str]:
    stored = {row["item_id"]: row["text"] for row in found["search_texts"]}
    for stray in stored.keys() - {item["id"] for item in found["items"]}:
        yield f"search text of item {stray}, which is not there"
    for item in found["items"]:
        kept = _kept(stored.get(item["id"], ""))
        for name in ("number", "external_ref", "title", "description", "measures", "responsible_person"):
            if _kept(item[name] or "") not in kept:
                yield f"item {item['id']}: its {name} {item[name]!r} is not searched"


def _kept(text: str) -> str:
    """Of a text only what normalising leaves alone: its digits and Chinese characters; ³ is a 3 by then."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(each for each in plain if each.isdigit() or "一" <= each <= "鿿")


def numbers_were_reserved(found: Everything) -> Iterator[str]:
    """Numbers are unique; the default form ends in the serial number, which lies below the counter."""
    numbers = Counter((row["tenant_id"], row["ledger_id"], row["number"]) for row in found["items"])
    for (_, _, number), count in numbers.items():
        if count > 1:
            yield f"number {number} was given {count} times"
    free = {(row["ledger_id"], row["year"]): row["next"] for row in found["counters"] if row["kind"] == "item"}
    for item in found["items"]:
        _, year, serial = item["number"].rsplit("-", 2)
        if int(serial) >= free.get((item["ledger_id"], int(year)), 0):
            yield f"number {item['number']} was never reserved"


def recorded_answers_are_true(found: Everything) -> Iterator[str]:
    """What a retry would be told is there: the item at that version, what has an id by its id, a number as it was."""
    versions = {str(row["id"]): row["version"] for row in found["items"]}
    for record in found["idempotency"]:
        answer = json.loads(record["body"])
        for each in answer.get("items", [answer]):
            kind = answered_with(each)
            if kind == "items":
                if versions.get(each["id"], 0) < each["version"]:
                    yield f"key {record['key']}: answered item {each['id']} at version {each['version']}"
            elif kind is not None and (problem := untrue(found, kind, each)) is not None:
                yield f"key {record['key']}: answered {kind} {each['id']}, {problem}"


def answered_with(each: Row) -> str | None:
    """The table of what an answer shows, None where it is none of those here."""
    if "version" in each and "number" in each:
        return "items"
    if "report" in each:
        return "imports"
    if "percent" in each:
        return "progress"
    if "decide_due" in each:
        return "requests"
    if "receipt_due" in each:
        return "notices"
    return "interviews" if "minutes" in each else None


BECOMES = {
    "requests": {"pending": ("approved", "returned", "withdrawn", "cancelled")},
    "imports": {"running": ("done", "failed")},
    "interviews": {"pending": ("scheduled", "recorded", "cancelled"), "scheduled": ("recorded", "cancelled")},
    "notices": {"draft": ("issued", "cancelled"), "issued": ("cancelled",)},
}
"""What a state may have become since it was answered."""


def untrue(found: Everything, kind: str, each: Row) -> str | None:
    """Why what was answered of a progress entry, request, interview or notice cannot have been true."""
    row = found.row(kind, each["id"])
    if row is None:
        return "which is not there"
    if kind in BECOMES:
        name = "status" if kind == "requests" else "state"
        if row[name] != each[name] and row[name] not in BECOMES[kind].get(each[name], ()):
            return f"{each[name]}, which is {row[name]}"
    if kind == "notices" and each["number"] not in (None, row["number"]):
        return f"number {each['number']}, which has {row['number']}"
    if kind == "notices" and each["receipt"] is not None and row["receipt_at"] is None:
        return "signed for, which nobody has signed for"
    return None
