"""An item is what its events tell: replayed from its own record, column by column."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

from tests.checks.everything import Everything, Row, plain

TRANSITIONS = {
    "item.claimed": "rectifying",
    "item.extended": "extended",
    "item.closed": "closed",
    "item.escalated": "escalated",
    "item.resumed": "rectifying",
    "item.transferred": "open",
    "item.reopened": "open",
    "item.annulled": "closed",
}

AT_FIRST: Row = {
    "cycle": 1,
    "extension_count": 0,
    "extension_days": 0,
    "extended_late": 0,
    "escalation_count": 0,
    "evidence_count": 0,
    "labels": [],
    "attributes": {},
    "co_unit_ids": [],
}
"""A new item's columns, where its first event does not name them; all others are null."""

NOT_RECORDED = {
    "tenant_id", "id", "external_owner", "listed_by", "contact_sealed", "hands", "pending", "claim_rule", "passed_on",
    "rungs_from", "closed_at", "policy_epoch", "calendar_epoch", "version", "revision", "created_at", "updated_at",
}  # fmt: skip
"""Columns that events do not tell, or that are checked by a rule of their own."""


def items_follow_from_their_events(found: Everything) -> Iterator[str]:
    known = {row["id"] for row in found["items"]}
    for stray in found.histories.keys() - known:
        yield f"events of item {stray}, which is not there"
    for item in found["items"]:
        for sentence in _replayed(found, item):
            yield f"item {item['id']}: {sentence}"


def _replayed(found: Everything, item: Row) -> Iterator[str]:
    events = found.histories.get(item["id"], [])
    versions = [row["item_version"] for row in events if row["type"].startswith("item.")]
    if versions != list(range(1, item["version"] + 1)):
        yield f"is at version {item['version']}, its events at {versions}"
        return
    now = _Replay(found, item)
    for row in events:
        event = found.told(row)
        for name in ("id", "item_id", "type", "revision", "ordinal", "item_version"):
            if event[name] != plain(row[name]):
                yield f"event {row['id']} says {name} = {event[name]}, its row {row[name]}"
        yield from now.follow(event, row["at"])
    for name, value in item.items():
        if name not in NOT_RECORDED and not _same(value, now.columns.get(name)):
            yield f"{name} is {plain(value)!r}, by its events {now.columns.get(name)!r}"
    for name, by_events in (("hands", now.hands), ("passed_on", now.passed_on), ("rungs_from", now.rungs_from)):
        if item[name] != by_events:
            yield f"{name} is {item[name]}, by its events {by_events}"
    yield from _claim_rule(found, item, now)
    closed = item["state"] == "closed"
    if closed != (item["resolution"] is not None) or closed != (item["closed_at"] is not None):
        yield f"is {item['state']} with resolution {item['resolution']}, closed at {item['closed_at']}"


def _same(value: Any, told: Any) -> bool:
    """An instant is the same in every zone."""
    if isinstance(value, datetime) and isinstance(told, str):
        return value == datetime.fromisoformat(told)
    return bool(plain(value) == told)


def _claim_rule(found: Everything, item: Row, now: "_Replay") -> Iterator[str]:
    """It counts from the day on which the item became open last; a calendar that changed may have moved the day."""
    rule = item["claim_rule"]
    if (rule is None) != (now.opened_on is None) or (rule is None) != (item["claim_due"] is None):
        yield f"is to be claimed by {item['claim_due']}, by rule {rule}; became open on {now.opened_on}"
    elif rule is not None:
        if rule["start_on"] != str(now.opened_on) or (rule["name"], rule["unit"]) != ("claim", "working_days"):
            yield f"claim rule {rule}, became open on {now.opened_on}"
        due = found.calendars[item["tenant_id"]].add(now.opened_on, rule["limit"])
        if item["tenant_id"] not in found.with_own_calendar and item["claim_due"] != due:
            yield f"is to be claimed by {item['claim_due']}, by its rule by {due}"


class _Replay:
    """An item as its events tell it."""

    def __init__(self, found: Everything, item: Row) -> None:
        self._found, self._item = found, item
        self.columns: Row = {}
        self.hands: dict[str, list[str]] = {}
        self.version = 0
        self.passed_on: date | None = None
        self.rungs_from: date | None = None
        self.opened_on: date | None = None
        self._asked: dict[str, date] = {}
        """When each pending request was asked, by kind."""

    def follow(self, event: Row, at: datetime) -> Iterator[str]:
        kind, data = event["type"], event["data"]
        today = self._found.local(self._item, at)
        if kind.startswith("item."):
            self.version += 1
            yield from self._own(event, today)
        elif kind == "deadline.passed":
            self.passed_on = date.fromisoformat(data["deadline"])
            if self.passed_on != self._deadline or self.passed_on >= today:
                yield f"deadline {self._deadline} passed as {self.passed_on} on {today}"
        elif kind.startswith("request."):
            self._request(kind.removeprefix("request."), event, today)
        if event["item_version"] != self.version:
            yield f"{kind} says version {event['item_version']}, the item is at {self.version}"
        if data.get("cycle", self.columns["cycle"]) != self.columns["cycle"]:
            yield f"{kind} at version {self.version} is of cycle {data['cycle']}, the item in {self.columns['cycle']}"

    def _own(self, event: Row, today: date) -> Iterator[str]:
        data, kind, actor = event["data"], event["type"], event["actor"]["principal_id"]
        if kind == "item.created":
            facts = {name: value for name, value in data.items() if name not in ("closed_on", "note")}
            self.columns = {**AT_FIRST, **facts}
            if data["state"] == "open":
                self.opened_on = self._found.local(self._item, datetime.fromisoformat(data["listed_at"]))
            else:
                late = (date.fromisoformat(data["closed_on"]) - self._deadline).days if self._deadline else 0
                self.columns["closed_days_late"] = max(0, late)
            return
        unclaimed = self.columns.get("claimed_at") is None
        for name, change in data.get("changes", {}).items():
            if change["before"] != self.columns.get(name):
                yield f"version {self.version} changes {name} from {change['before']!r}, was {self.columns.get(name)!r}"
            self.columns[name] = change["after"]
        if kind in TRANSITIONS and self.columns["state"] != TRANSITIONS[kind]:
            yield f"version {self.version} ({kind}) leads to {self.columns['state']}"
        if kind == "item.progressed":
            self.columns["evidence_count"] += 1 + len(data.get("attachments", ()))
            if data["side"] == "responsible":
                self._mark("progressed", actor)
        elif kind == "item.reviewed":
            self.columns["evidence_count"] += len(data.get("attachments", ()))
        elif kind == "item.claimed" or (kind == "item.resumed" and unclaimed):
            self._mark("claimed", actor)
        elif kind == "item.closed" and any(actor in people for people in self.hands.values()):
            yield f"version {self.version} was closed by {actor}, who had a hand in it"
        if kind in ("item.transferred", "item.reopened"):
            self.opened_on = today
        if kind == "item.reopened":
            self.hands, self.passed_on, self.rungs_from = {}, None, None

    def _request(self, deed: str, event: Row, today: date) -> None:
        kind = event["data"]["kind"]
        if deed == "submitted":
            self._asked[kind] = today
            self.columns["evidence_count"] += len(event["data"].get("attachments", ()))
            if kind == "closure":
                self._mark("asked", event["actor"]["principal_id"])
            return
        if deed in ("returned", "withdrawn") and self._held_by(kind) and self._deadline and self._deadline < today:
            self.rungs_from = today
        self._asked.pop(kind, None)

    @property
    def _deadline(self) -> date | None:
        day = self.columns.get("review_on" if self.columns["deadline_kind"] == "standing" else "due_on")
        return date.fromisoformat(day) if day else None

    def _held_by(self, kind: str) -> bool:
        """Whether this request, which is pending, was asked in time: while it waits, the unit's rungs do."""
        day = self._deadline
        return kind == "extension" or (kind == "closure" and day is not None and self._asked[kind] <= day)

    def _mark(self, deed: str, actor: str) -> None:
        people = self.hands.setdefault(deed, [])
        if actor not in people:
            people.append(actor)


def revisions_count_transactions(found: Everything) -> Iterator[str]:
    """Each transaction on an item raises its revision by one: those with events, and those that only held it still."""
    held: Counter[Any] = Counter(
        change["after"]
        for row in found["events"]
        if row["type"] == "item.annulled"
        and (change := found.told(row)["data"]["changes"].get("duplicate_of")) is not None
    )
    for item in found["items"]:
        ordinals: dict[int, list[int]] = {}
        for row in found.histories.get(item["id"], []):
            ordinals.setdefault(row["revision"], []).append(row["ordinal"])
        expected = len(ordinals) + held[str(item["id"])]
        if item["revision"] != expected or (ordinals and max(ordinals) > item["revision"]):
            yield f"item {item['id']}: revision {item['revision']}, transactions {expected}"
        for revision, places in ordinals.items():
            if places != list(range(len(places))):
                yield f"item {item['id']}: revision {revision} has the ordinals {places}"


OPERATOR = str(UUID(int=0))
"""Who reports where there is no principal: whoever works on the server itself."""


def entries_have_their_events(found: Everything) -> Iterator[str]:
    recorded = sorted(
        (
            event["data"]["progress_id"],
            event["item_id"],
            event["data"]["cycle"],
            event["actor"]["principal_id"] or OPERATOR,
        )
        for row in found["events"]
        if row["type"] == "item.progressed" and (event := found.told(row))
    )
    stored = sorted(
        (str(row["id"]), str(row["item_id"]), row["cycle"], str(row["principal_id"])) for row in found["progress"]
    )
    if recorded != stored:
        yield f"progress entries {stored} are not those of the events {recorded}"
    cycles = {row["id"]: row["cycle"] for row in found["items"]}
    given = [*found["progress"], *(row for row in found["attachments"] if row["item_id"] is not None)]
    present = Counter(row["item_id"] for row in given if row["cycle"] == cycles.get(row["item_id"]))
    for item in found["items"]:
        if item["evidence_count"] != present[item["id"]]:
            yield f"item {item['id']}: evidence_count {item['evidence_count']}, entries {present[item['id']]}"
