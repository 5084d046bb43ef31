"""What the clock has done, and when it will look again: each rung once, no look too late.

When a look is due is worked out here by a ladder of its own, from an item's row and its ledger's policy.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from service.workflow.calendar import Calendar
from tests.checks.everything import Everything, Row, deadline_day


def firings_have_their_events(found: Everything) -> Iterator[str]:
    """Each rung that an event tells of stands among the firings once, and no other does."""
    told: Counter[tuple[Any, ...]] = Counter()
    for row in found["events"]:
        if row["type"] not in ("rung.fired", "rung.skipped"):
            continue
        data = found.told(row)["data"]
        ref = {"decision_due": data.get("request_id"), "interview_due": data.get("interview_id")}.get(data["anchor"])
        outcome = (row["type"].removeprefix("rung."), data.get("why"), data["notice_id"], row["at"])
        told[_place(row["item_id"], data, ref or str(row["item_id"])), outcome] += 1
    stored = Counter(
        (
            _place(row["item_id"], row, str(row["ref"])),
            (row["outcome"], row["reason"], str(row["notice_id"]) if row["notice_id"] else None, row["at"]),
        )
        for row in found["firings"]
    )
    for firing in (told - stored) + (stored - told):
        where = "events" if told[firing] > stored[firing] else "firings"
        yield f"{firing} stands among the {where} only, or once too often"
    for place, times in Counter(place for place, _ in told.elements()).items():
        if times > 1:
            yield f"{place} was done {times} times"


def _place(item_id: UUID, of: Row, ref: str) -> tuple[Any, ...]:
    return (str(item_id), of["cycle"], of["rung"], of["anchor"], str(of["anchor_on"]), ref)


def timers_follow_from_the_items(found: Everything) -> Iterator[str]:
    """One for each item that is not closed, with its ledger and unit, at the latest when something is due about it."""
    stored: dict[UUID, Row] = {row["item_id"]: row for row in found["timers"]}
    unclosed = {item["id"]: item for item in found["items"] if item["state"] != "closed"}
    for item_id in unclosed.keys() ^ stored.keys():
        yield f"item {item_id} is {'not closed' if item_id in unclosed else 'closed'}, its timer {stored.get(item_id)}"
    awaited = _Awaited(found)
    for item_id in unclosed.keys() & stored.keys():
        item, timer = unclosed[item_id], stored[item_id]
        if (timer["ledger_id"], timer["unit_id"]) != (item["ledger_id"], item["responsible_unit_id"]):
            yield f"item {item_id} is with {item['responsible_unit_id']}, its timer with {timer['unit_id']}"
        latest = awaited.latest_look(item)
        if latest is not None and timer["look_at"] > latest:
            yield f"item {item_id} is looked at from {timer['look_at']} on, something is due from {latest} on"


class _Awaited:
    """The instant at which an item must be looked at, at the latest."""

    def __init__(self, found: Everything) -> None:
        self._found = found
        self._ledgers = {row["id"]: row for row in found["ledgers"]}
        self._epochs = {row["tenant_id"]: row["calendar_epoch"] for row in found["tenants"]}
        self._replans = {(row["tenant_id"], row["ledger_id"]) for row in found["replans"]}
        self._done = {
            (row["item_id"], row["cycle"], row["rung"], str(row["ref"]), row["anchor_on"]) for row in found["firings"]
        }
        # A look that finds nothing to do writes nothing: all that is known of the last one is that it may have come
        # after anything else that is on record.
        self._last: dict[UUID, datetime] = {}
        for row in (*found["events"], *found["tenant_events"]):
            known = self._last.get(row["tenant_id"])
            self._last[row["tenant_id"]] = max(known, row["at"]) if known else row["at"]
        self._moments: dict[tuple[UUID, date, int], datetime] = {}

    def latest_look(self, item: Row) -> datetime | None:
        """None where nothing is awaited, or where a change that items are still planned by leaves it open."""
        tenant_id, ledger = item["tenant_id"], self._ledgers[item["ledger_id"]]
        last = self._last[tenant_id]
        if item["policy_epoch"] < ledger["policy_epoch"] or item["calendar_epoch"] < self._epochs[tenant_id]:
            replanned = {(tenant_id, None), (tenant_id, ledger["id"])} & self._replans
            return None if replanned else max(last, datetime.now(UTC))
        own = self._found.histories[item["id"]][-1]["at"]
        moments = [max(moment, own) for moment in self._passing(item)]
        for moment in self._rungs(item, ledger):
            moments.append(moment if moment > last else self._office_after(ledger, last))
        return min(moments, default=None)

    def _passing(self, item: Row) -> Iterator[datetime]:
        day = deadline_day(item)
        if day is not None and item["passed_on"] != day:
            yield datetime.combine(day + timedelta(days=1), time(), self._found.zones[item["tenant_id"]])

    def _rungs(self, item: Row, ledger: Row) -> Iterator[datetime]:
        held = _held(item)
        for kind, ref, day in _anchors(item):
            for rung in ledger["policy"]["ladder"]:
                late = kind == "due" and rung["offset"] > 0
                if (
                    rung["anchor"] != kind
                    or item["state"] not in rung["states"]
                    or (rung["after_interview"] and not item["escalation_count"])
                    or (rung["action"] == "escalate" and item["state"] == "escalated")
                    or (late and held)
                    or (item["id"], item["cycle"], rung["code"], ref, day) in self._done
                ):
                    continue
                yield self._moment(ledger, max(day, item["rungs_from"] or day) if late else day, rung["offset"])

    def _moment(self, ledger: Row, base: date, offset: int) -> datetime:
        """The opening of offices on the first working day that is not before the day of the rung."""
        key = (ledger["id"], base, offset)
        if key not in self._moments:
            calendar = self._found.calendars[ledger["tenant_id"]]
            self._moments[key] = self._opening(ledger, calendar, calendar.add(base, offset))
        return self._moments[key]

    def _opening(self, ledger: Row, calendar: Calendar, day: date) -> datetime:
        while not calendar.is_workday(day):
            day += timedelta(days=1)
        opens = time.fromisoformat(ledger["policy"]["office_hours"]["open"])
        return datetime.combine(day, opens, self._found.zones[ledger["tenant_id"]])

    def _office_after(self, ledger: Row, instant: datetime) -> datetime:
        """The next opening: the last look may have come any time after `instant`, and after offices had closed."""
        calendar = self._found.calendars[ledger["tenant_id"]]
        local = instant.astimezone(self._found.zones[ledger["tenant_id"]])
        return self._opening(ledger, calendar, local.date() + timedelta(days=1))


def _anchors(item: Row) -> Iterator[tuple[str, str, date]]:
    day = deadline_day(item)
    if day is not None:
        yield "due", str(item["id"]), day
    if item["state"] == "open" and item["claim_due"] is not None:
        yield "claim_due", str(item["id"]), item["claim_due"]
    for kind, wait in item["pending"].items():
        due = date.fromisoformat(wait["due"])
        yield "interview_due" if kind == "interview" else "decision_due", wait["id"], due


def _held(item: Row) -> bool:
    """Whether a closure asked in time is pending, or an extension: rungs behind the deadline wait for the decider."""
    closure, day = item["pending"].get("closure"), deadline_day(item)
    in_time = closure is not None and day is not None and date.fromisoformat(closure["on"]) <= day
    return in_time or "extension" in item["pending"]
