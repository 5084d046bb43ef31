"""Units, calendars and the work list: who stands above whom, and what each therefore sees."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from tests.checks.everything import NEVER, Everything, Row, deadline_day, plain

RESPONSIBLE, SUPERVISING, CO = 1, 2, 4
ITSELF = 3  # how far a bit of `relation` is shifted where the unit itself is meant, not one above it


def lines_follow_from_the_parents(found: Everything) -> Iterator[str]:
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


def units_follow_from_their_events(found: Everything) -> Iterator[str]:
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
            if plain(unit[name]) != columns.get(name):
                yield f"unit {unit['id']}: {name} is {plain(unit[name])!r}, by its events {columns.get(name)!r}"


def unnamed_supervisors_are_the_parents(found: Everything) -> Iterator[str]:
    parents = {row["id"]: row["parent_id"] or row["id"] for row in found["units"]}
    for item in found["items"]:
        parent = parents[item["responsible_unit_id"]]
        if item["supervising_defaulted"] and item["supervising_unit_id"] != parent:
            yield f"item {item['id']}: supervised by {item['supervising_unit_id']}, unnamed, under {parent}"


def calendars_follow_from_their_events(found: Everything) -> Iterator[str]:
    """Each table is as its newest event has it, and the tenant's epoch counts the changes of all its tables."""
    told: dict[tuple[UUID, int], list[Row]] = defaultdict(list)
    for row in sorted(found["tenant_events"], key=lambda row: str(row["id"])):
        if row["type"] == "calendar.updated":
            data = found.told(row)["data"]
            told[row["tenant_id"], data["year"]].append(data)
    stored = {(row["tenant_id"], row["year"]): row for row in found["calendars"]}
    for key in told.keys() ^ stored.keys():
        yield f"calendar {key} is {'stored' if key in stored else 'told of'} only"
    for key in told.keys() & stored.keys():
        row, tables = stored[key], told[key]
        table = {name: row[name] for name in ("year", "workdays", "holidays", "complete")}
        if row["version"] != len(tables) or table not in tables:
            yield f"calendar {key} is {table} at version {row['version']}, by its events {tables}"
    changes = Counter(tenant_id for tenant_id, _ in (key for key in told for _ in told[key]))
    for tenant in found["tenants"]:
        if tenant["calendar_epoch"] != changes[tenant["tenant_id"]]:
            yield f"the calendar's epoch is {tenant['calendar_epoch']}, it changed {changes[tenant['tenant_id']]} times"


class _Work:
    """The rows that the work list must have: kind, day, why the unit sees it, and the item whose units see it."""

    def __init__(self, found: Everything) -> None:
        self.expected: dict[tuple[UUID, UUID], tuple[str, date, int, UUID | None]] = {}
        self._above: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
        for row in found["ancestors"]:
            self._above[row["unit_id"]].append((row["ancestor_id"], row["distance"]))

    def add(self, ref: UUID, kind: str, due: date | None, sides: list[tuple[UUID, int]], item_id: UUID | None) -> None:
        relations: dict[UUID, int] = defaultdict(int)
        for unit, bit in sides:
            for ancestor, distance in self._above[unit]:
                relations[ancestor] |= bit | (bit << ITSELF if distance == 0 else 0)
        for unit, relation in relations.items():
            self.expected[ref, unit] = (kind, due or NEVER, relation, item_id)


def the_work_list_follows_from_the_units(found: Everything) -> Iterator[str]:
    """An item and what is pending about it are seen by the item's units, a notice by its own, and by all above them."""
    work, sides = _Work(found), {}
    for item in found["items"]:
        sides[item["id"]] = [
            (item["responsible_unit_id"], RESPONSIBLE), (item["supervising_unit_id"], SUPERVISING),
            *((unit, CO) for unit in item["co_unit_ids"]),
        ]  # fmt: skip
        kind = "closed" if item["state"] == "closed" else "item"
        work.add(item["id"], kind, deadline_day(item), sides[item["id"]], item["id"])
    for row in found["requests"]:
        if row["status"] == "pending":
            work.add(row["id"], "request", row["decide_due"], sides[row["item_id"]], row["item_id"])
    for row in found["interviews"]:
        if row["state"] in ("pending", "scheduled"):
            work.add(row["id"], "interview", row["due_on"], sides[row["item_id"]], row["item_id"])
    for notice in found["notices"]:
        kind, due = _paper(found, notice)
        copies = [(unit, CO) for unit in notice["copy_unit_ids"]]
        own = [(notice["unit_id"], RESPONSIBLE), (notice["supervising_unit_id"], SUPERVISING)]
        work.add(notice["id"], kind, due, own + copies, None)
    stored = {
        (row["ref"], row["unit_id"]): (row["kind"], row["due"], row["relation"], row["item_id"])
        for row in found["worklist"]
    }
    for place in work.expected.keys() | stored.keys():
        if work.expected.get(place) != stored.get(place):
            yield f"work list of (what, unit) {place}: {stored.get(place)}, by the tree {work.expected.get(place)}"


def _paper(found: Everything, notice: Row) -> tuple[str, date | None]:
    """A draft is to be issued on its own day, what was issued to be signed for; a reminder asks for nothing."""
    if notice["state"] == "draft":
        return "draft", found.local(notice, notice["created_at"])
    if notice["state"] == "issued" and notice["kind"] != "reminder" and notice["receipt_at"] is None:
        return "receipt", notice["receipt_due"]
    return "notice", None
