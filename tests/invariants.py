"""What must be true of a database at rest, whatever was done to it and however it was interrupted.

Everything is read past the service, table by table, and worked out again from the events: an item is replayed from
its own record, counters are counted, the work list is derived from units, timers from deadlines. What does not agree
comes back as a list of sentences, empty where all is well.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import service.app  # noqa: F401  (importing it is what fills the metadata)
from service.settings import Settings
from service.store.migrations import sqlalchemy_url
from service.workflow.sealing import reveal

Row = dict[str, Any]

NEVER = date(9999, 12, 31)
RESPONSIBLE, SUPERVISING, CO = 1, 2, 4
ITSELF = 3  # how far a bit of `relation` is shifted where the unit itself is meant, not one above it

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
    "tenant_id", "id", "external_owner", "listed_by", "contact_sealed", "deadline_rule", "hands", "closed_at",
    "closed_days_late", "policy_epoch", "calendar_epoch", "version", "revision", "created_at", "updated_at",
}  # fmt: skip
"""Columns that events do not tell, or that are checked by a rule of their own."""


@dataclass
class Everything:
    """Every row of every table, read in one transaction."""

    tables: dict[str, list[Row]]

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables[name]

    def by_unit(self) -> dict[UUID, list[Row]]:
        """The events about each unit, oldest first, with their texts."""
        found: dict[UUID, list[Row]] = defaultdict(list)
        for row in sorted(self.tables["tenant_events"], key=lambda row: str(row["id"])):
            if row["type"].startswith("unit."):
                event = told(row)
                found[row["unit_id"]].append(event)
        for events in found.values():
            events.sort(key=lambda event: event["data"]["version"])
        return found

    def by_item(self, name: str, key: str = "item_id") -> dict[UUID, list[Row]]:
        found: dict[UUID, list[Row]] = defaultdict(list)
        for row in self.tables[name]:
            found[row[key]].append(row)
        return found


def _read(connection: Connection) -> Everything:
    tables = {
        name: [dict(row._mapping) for row in connection.execute(select(table))]
        for name, table in SQLModel.metadata.tables.items()
    }
    searched = connection.execute(text("SELECT item_id, text FROM search_texts"))
    tables["search_texts"] = [{"item_id": UUID(str(row.item_id)), "text": row.text} for row in searched]
    tables["tenant_events"] = [row for row in tables["events"] if row["item_id"] is None]
    tables["events"] = [row for row in tables["events"] if row["item_id"] is not None]
    return Everything(tables)


async def everything(settings: Settings) -> Everything:
    """All that the database of `settings` holds. Nobody may be writing."""
    url = sqlalchemy_url(settings.database_url, settings.sqlite_path)
    if settings.sqlite_path is not None:
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                return _read(connection)
        finally:
            engine.dispose()
    on_postgres = create_async_engine(url, isolation_level="REPEATABLE READ")
    try:
        async with on_postgres.connect() as connection:
            return await connection.run_sync(_read)
    finally:
        await on_postgres.dispose()


async def contradictions(settings: Settings) -> list[str]:
    """What in the database of `settings` does not agree with the rest of it."""
    found = await everything(settings)
    return [
        sentence
        for check in (
            _items_follow_from_their_events,
            _revisions_count_transactions,
            _entries_have_their_events,
            _interviews_have_their_events,
            _every_event_waits_for_its_position,
            _lines_follow_from_the_parents,
            _units_follow_from_their_events,
            _unnamed_supervisors_are_the_parents,
            _the_work_list_follows_from_the_units,
            _timers_follow_from_the_deadlines,
            _what_is_searched_is_what_is_there,
            _numbers_were_reserved,
            _recorded_answers_are_true,
        )
        for sentence in check(found)
    ]


def no_contradictions(settings: Settings) -> None:
    """For tests that run no event loop of their own."""
    assert asyncio.run(contradictions(settings)) == []


# -- each check yields one sentence for each thing that does not agree


def told(row: Row) -> Row:
    """An event with its texts in their places."""
    body = json.loads(row["body"])
    return {**body, "data": reveal(body["data"], row["beside"])}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | UUID():
            return str(value)
        case list() | tuple():
            return [_plain(each) for each in value]
        case _:
            return value


def _ordered(events: list[Row]) -> list[Row]:
    return sorted(events, key=lambda row: (row["revision"], row["ordinal"]))


def _items_follow_from_their_events(found: Everything) -> Iterator[str]:
    events = found.by_item("events")
    known = {row["id"] for row in found["items"]}
    for stray in events.keys() - known:
        yield f"events of item {stray}, which is not there"
    for item in found["items"]:
        for sentence in _replayed(item, _ordered(events[item["id"]])):
            yield f"item {item['id']}: {sentence}"


def _replayed(item: Row, events: list[Row]) -> Iterator[str]:
    own = [row for row in events if row["type"].startswith("item.")]
    versions = [row["item_version"] for row in own]
    if versions != list(range(1, item["version"] + 1)):
        yield f"is at version {item['version']}, its events at {versions}"
        return
    now = _Replay()
    for row in own:
        event = told(row)
        for name in ("id", "item_id", "type", "revision", "ordinal", "item_version"):
            if event[name] != (str(row[name]) if isinstance(row[name], UUID) else row[name]):
                yield f"event {row['id']} says {name} = {event[name]}, its row {row[name]}"
        yield from now.follow(event)
    for name, value in item.items():
        if name not in NOT_RECORDED and _plain(value) != now.columns.get(name):
            yield f"{name} is {_plain(value)!r}, by its events {now.columns.get(name)!r}"
    if item["hands"] != now.hands:
        yield f"hands are {item['hands']}, by its events {now.hands}"
    closed = item["state"] == "closed"
    if closed != (item["resolution"] is not None) or closed != (item["closed_at"] is not None):
        yield f"is {item['state']} with resolution {item['resolution']}, closed at {item['closed_at']}"


class _Replay:
    """An item as its events tell it."""

    def __init__(self) -> None:
        self.columns: Row = {}
        self.hands: dict[str, list[str]] = {}

    def follow(self, event: Row) -> Iterator[str]:
        data, kind, actor = event["data"], event["type"], event["actor"]["principal_id"]
        if kind == "item.created":
            facts = {name: value for name, value in data.items() if name not in ("closed_on", "note")}
            self.columns = {**AT_FIRST, **facts}
            return
        version = event["item_version"]
        unclaimed = self.columns.get("claimed_at") is None
        for name, change in data.get("changes", {}).items():
            if change["before"] != self.columns.get(name):
                yield f"version {version} changes {name} from {change['before']!r}, was {self.columns.get(name)!r}"
            self.columns[name] = change["after"]
        if kind in TRANSITIONS and self.columns["state"] != TRANSITIONS[kind]:
            yield f"version {version} ({kind}) leads to {self.columns['state']}"
        if data.get("cycle", self.columns["cycle"]) != self.columns["cycle"]:
            yield f"version {version} is of cycle {data['cycle']}, the item in {self.columns['cycle']}"
        if kind == "item.progressed":
            self.columns["evidence_count"] += 1
            if data["side"] == "responsible":
                self._mark("progressed", actor)
        elif kind == "item.claimed" or (kind == "item.resumed" and unclaimed):
            self._mark("claimed", actor)
        elif kind == "item.reopened":
            self.hands = {}
        elif kind == "item.closed" and any(actor in people for people in self.hands.values()):
            yield f"version {version} was closed by {actor}, who had a hand in it"

    def _mark(self, deed: str, actor: str) -> None:
        people = self.hands.setdefault(deed, [])
        if actor not in people:
            people.append(actor)


def _revisions_count_transactions(found: Everything) -> Iterator[str]:
    """Each transaction on an item raises its revision by one: those with events, and those that only held it still."""
    events = found.by_item("events")
    held = Counter(
        change["after"]
        for row in found["events"]
        if row["type"] == "item.annulled" and (change := told(row)["data"]["changes"].get("duplicate_of")) is not None
    )
    for item in found["items"]:
        revisions = {row["revision"] for row in events[item["id"]]}
        expected = len(revisions) + held[str(item["id"])]
        if item["revision"] != expected or (revisions and max(revisions) > item["revision"]):
            yield f"item {item['id']}: revision {item['revision']}, transactions {expected}"
        for revision in revisions:
            ordinals = sorted(row["ordinal"] for row in events[item["id"]] if row["revision"] == revision)
            if ordinals != list(range(len(ordinals))):
                yield f"item {item['id']}: revision {revision} has the ordinals {ordinals}"


def _entries_have_their_events(found: Everything) -> Iterator[str]:
    events = {row["id"]: told(row) for row in found["events"] if row["type"] == "item.progressed"}
    recorded = sorted(
        (event["data"]["progress_id"], event["item_id"], event["data"]["cycle"], event["actor"]["principal_id"])
        for event in events.values()
    )
    stored = sorted(
        (str(row["id"]), str(row["item_id"]), row["cycle"], str(row["principal_id"])) for row in found["progress"]
    )
    if recorded != stored:
        yield f"progress entries {stored} are not those of the events {recorded}"
    cycles = {row["id"]: row["cycle"] for row in found["items"]}
    present = Counter(row["item_id"] for row in found["progress"] if row["cycle"] == cycles.get(row["item_id"]))
    for item in found["items"]:
        if item["evidence_count"] != present[item["id"]]:
            yield f"item {item['id']}: evidence_count {item['evidence_count']}, entries {present[item['id']]}"


def _interviews_have_their_events(found: Everything) -> Iterator[str]:
    states: dict[str, str] = {}
    latest: dict[tuple[str, int], str] = {}
    for row in sorted(found["events"], key=lambda row: (row["item_id"], row["revision"], row["ordinal"])):
        event = told(row)
        if row["type"].startswith("interview."):
            states[event["data"]["interview_id"]] = {
                "interview.opened": "pending",
                "interview.recorded": "recorded",
                "interview.cancelled": "cancelled",
            }[row["type"]]
        if row["type"] == "item.escalated":
            latest[event["item_id"], event["data"]["cycle"]] = event["data"]["interview_id"]
    stored = {str(row["id"]): row["state"] for row in found["interviews"]}
    if stored != states:
        yield f"interviews {stored} are not those of the events {states}"
    for item in found["items"]:
        interview = latest.get((str(item["id"]), item["cycle"]))
        if _plain(item["interview_id"]) != interview:
            yield f"item {item['id']}: interview {item['interview_id']}, by its events {interview}"


def _every_event_waits_for_its_position(found: Everything) -> Iterator[str]:
    events = {(row["tenant_id"], row["id"]) for row in (*found["events"], *found["tenant_events"])}
    waiting = {(row["tenant_id"], row["event_id"]) for row in found["unsequenced"]}
    for _, event_id in events - waiting:
        yield f"event {event_id} waits for no position"
    for _, event_id in waiting - events:
        yield f"event {event_id} waits for a position and is not there"


def deadline_day(item: Row) -> date | None:
    day: date | None = item["review_on"] if item["deadline_kind"] == "standing" else item["due_on"]
    return day


def _lines_follow_from_the_parents(found: Everything) -> Iterator[str]:
    """Every unit has a row for itself and for everything above it, and no other; nothing hangs under itself."""
    parents = {row["id"]: row["parent_id"] for row in found["units"]}
    expected: set[tuple[UUID, UUID, int]] = set()
    for unit in parents:
        above, distance = unit, 0
        while above is not None:
            if distance > len(parents):
                yield f"unit {unit} hangs in a cycle"
                break
            expected.add((unit, above, distance))
            above, distance = parents[above], distance + 1
    stored = {(row["unit_id"], row["ancestor_id"], row["distance"]) for row in found["ancestors"]}
    for place in expected ^ stored:
        yield f"line (unit, ancestor, distance) {place} is {'stored' if place in stored else 'not stored'}"


def _units_follow_from_their_events(found: Everything) -> Iterator[str]:
    """Of a unit whose beginning is on record, the record tells what it is now."""
    events = found.by_unit()
    for unit in found["units"]:
        own = events[unit["id"]]
        if not own or own[0]["type"] != "unit.created":
            continue
        columns = {**own[0]["data"], "active": True}
        for event in own[1:]:
            columns |= {name: change["after"] for name, change in event["data"].get("changes", {}).items()}
            columns["version"] = event["data"]["version"]
            if event["type"] in ("unit.deactivated", "unit.reactivated"):
                columns["active"] = event["type"] == "unit.reactivated"
        for name in ("code", "name", "parent_id", "level", "active", "version"):
            if _plain(unit[name]) != columns.get(name):
                yield f"unit {unit['id']}: {name} is {_plain(unit[name])!r}, by its events {columns.get(name)!r}"


def _unnamed_supervisors_are_the_parents(found: Everything) -> Iterator[str]:
    parents = {row["id"]: row["parent_id"] or row["id"] for row in found["units"]}
    for item in found["items"]:
        parent = parents[item["responsible_unit_id"]]
        if item["supervising_defaulted"] and item["supervising_unit_id"] != parent:
            yield f"item {item['id']}: supervised by {item['supervising_unit_id']}, unnamed, under {parent}"


def _the_work_list_follows_from_the_units(found: Everything) -> Iterator[str]:
    above: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    for row in found["ancestors"]:
        above[row["unit_id"]].append((row["ancestor_id"], row["distance"]))
    expected: dict[tuple[UUID, UUID], tuple[str, date, int]] = {}
    for item in found["items"]:
        relations: dict[UUID, int] = defaultdict(int)
        sides = [(item["responsible_unit_id"], RESPONSIBLE), (item["supervising_unit_id"], SUPERVISING)]
        for unit, bit in [*sides, *((unit, CO) for unit in item["co_unit_ids"])]:
            for ancestor, distance in above[unit]:
                relations[ancestor] |= bit | (bit << ITSELF if distance == 0 else 0)
        kind = "closed" if item["state"] == "closed" else "item"
        for unit, relation in relations.items():
            expected[item["id"], unit] = (kind, deadline_day(item) or NEVER, relation)
    stored = {(row["ref"], row["unit_id"]): (row["kind"], row["due"], row["relation"]) for row in found["worklist"]}
    for place in expected.keys() | stored.keys():
        if expected.get(place) != stored.get(place):
            yield f"work list of (item, unit) {place}: {stored.get(place)}, by the tree {expected.get(place)}"


def _timers_follow_from_the_deadlines(found: Everything) -> Iterator[str]:
    zones = {row["tenant_id"]: ZoneInfo(row["timezone"]) for row in found["tenants"]}
    expected = {
        item["id"]: datetime.combine(day + timedelta(days=1), time(), zones[item["tenant_id"]])
        for item in found["items"]
        if item["state"] != "closed" and (day := deadline_day(item)) is not None
    }
    stored = {row["item_id"]: row["look_at"] for row in found["timers"]}
    for item_id in expected.keys() | stored.keys():
        if expected.get(item_id) != stored.get(item_id):
            yield f"timer of item {item_id}: {stored.get(item_id)}, by its deadline {expected.get(item_id)}"


def _what_is_searched_is_what_is_there(found: Everything) -> Iterator[str]:
    stored = {row["item_id"]: row["text"] for row in found["search_texts"]}
    for stray in stored.keys() - {item["id"] for item in found["items"]}:
        yield f"search text of item {stray}, which is not there"
    for item in found["items"]:
        for name in ("number", "external_ref", "title", "description", "measures", "responsible_person"):
            # Of the text only what normalising leaves alone is asked for: its digits and Chinese characters.
            said = "".join(each for each in item[name] or "" if each.isdigit() or "一" <= each <= "鿿")
            kept = "".join(each for each in stored.get(item["id"], "") if each.isdigit() or "一" <= each <= "鿿")
            if said not in kept:
                yield f"item {item['id']}: its {name} {item[name]!r} is not searched"


def _numbers_were_reserved(found: Everything) -> Iterator[str]:
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


def _recorded_answers_are_true(found: Everything) -> Iterator[str]:
    """What a retry would be told is there: the item at that version, the progress entry by its id."""
    versions = {str(row["id"]): row["version"] for row in found["items"]}
    entries = {str(row["id"]) for row in found["progress"]}
    for record in found["idempotency"]:
        answer = json.loads(record["body"])
        for each in answer.get("items", [answer]):
            if "version" in each and "number" in each:
                if versions.get(each["id"], 0) < each["version"]:
                    yield f"key {record['key']}: answered item {each['id']} at version {each['version']}"
            elif "percent" in each and each["id"] not in entries:
                yield f"key {record['key']}: answered progress entry {each['id']}"
