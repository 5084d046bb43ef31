"""Histories written by hand: one item among units, with the days that somebody counted on a wall calendar.

root  >  town  >  village        the village is responsible, the town supervises
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from tests.simulation.record import (
    ZONE,
    CalendarChange,
    Event,
    Log,
    PolicyChange,
    Record,
    Row,
    Tick,
    local,
)
from tests.simulation.workdays import Table

ITEM, LEDGER = "item", "ledger"
CLOCKS = (time(0, 5), time(9, 0), time(14, 0))
"""When workers look, each day."""


def rung(code: str, anchor: str, offset: int, states: str, action: str, **more: Any) -> Row:
    return {
        "code": code, "anchor": anchor, "offset": offset, "states": states.split(), "action": action,
        "after_interview": False, "confirm": False, "notify": ["responsible"], **more,
    }  # fmt: skip


POLICY: Row = {
    "limits": {"general": 5, "serious": 3, "critical": 1, "immediate_days": 3, "review_months": 3},
    "claim_within": 2, "decide_within": 2, "interview_within": 5, "receipt_within": 2, "reply_within": 5,
    "extension": {"max_count": 2, "max_total_days": 60, "apply_before": 1, "second_needs_parent": True},
    "office_hours": {"open": "09:00", "close": "18:00"},
    "numbers": {
        "urging": "{ledger}催〔{year}〕{seq}号", "supervision": "{ledger}督〔{year}〕{seq}号",
        "interview": "{ledger}约〔{year}〕{seq}号", "circular": "{ledger}通〔{year}〕{seq}号",
    },
    "ladder": [
        rung("remind-1", "due", -1, "rectifying extended", "remind"),
        rung("urge+1", "due", 1, "rectifying extended", "urge"),
        rung("supervise+3", "due", 3, "rectifying extended", "supervise", notify=["responsible", "supervising"]),
        rung("escalate+5", "due", 5, "rectifying", "escalate", notify=["responsible", "parent"]),
        rung("claim-urge+1", "claim_due", 1, "open", "urge"),
        rung("decide+1", "decision_due", 1, "open rectifying extended escalated", "remind", notify=["supervising"]),
        rung("interview+1", "interview_due", 1, "escalated", "remind", notify=["parent"]),
    ],
}  # fmt: skip

CREATED: Row = {
    "ledger_id": LEDGER, "severity": "general", "responsible_unit_id": "village", "supervising_unit_id": "town",
    "deadline_kind": "date", "state": "open", "provisional": False,
}  # fmt: skip

COUNTED: Row = {
    "cycle": 1, "extension_count": 0, "extension_days": 0, "extended_late": 0, "escalation_count": 0,
    "due_on": None, "review_on": None, "claim_due": None,
}  # fmt: skip


NOTICES = {"urge": "urging", "supervise": "supervision", "circulate": "circular", "escalate": "interview"}


def when(text: str) -> datetime:
    """`2025-03-03 09:00` in China."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def changes(**columns: tuple[Any, Any]) -> Row:
    return {"changes": {name: {"before": before, "after": after} for name, (before, after) in columns.items()}}


def met(code: str, on: str, units: str = "village", **more: Any) -> Row:
    """What an event says of a rung of POLICY; `units` are those that it notifies."""
    known = next(each for each in POLICY["ladder"] if each["code"] == code)
    return {
        "rung": code, "anchor": known["anchor"], "anchor_on": on, "action": known["action"], "cycle": 1,
        "notice_id": None, "notified_unit_ids": units.split(), **more,
    }  # fmt: skip


@dataclass
class Story:
    """What happened between two days; `away` are the first and last days of outages."""

    first: str
    last: str
    away: tuple[tuple[str, str], ...] = ()
    events: list[Event] = field(default_factory=list)
    notices: list[Row] = field(default_factory=list)
    calendars: list[CalendarChange] = field(default_factory=list)

    def tell(self, at: str, *events: tuple[str, Row], clock: bool = False) -> None:
        """One transaction."""
        revision = self.events[-1].revision + 1 if self.events else 1
        for ordinal, (kind, data) in enumerate(events):
            self.events.append(Event(ITEM, revision, ordinal, kind, when(at), clock, data))

    def create(self, at: str, **data: Any) -> None:
        self.tell(at, ("item.created", {**CREATED, "listed_at": when(at).isoformat(), **data}))

    def look(self, at: str, *events: tuple[str, Row]) -> None:
        self.tell(at, *events, clock=True)

    def fire(
        self, at: str, fired: Row, *more: tuple[str, Row], number: str = "", days: tuple[str, str] = ("", "")
    ) -> None:
        """A look at which one rung fires, with its notice where it has a number; `days` are those to sign and reply."""
        events = [("rung.fired", fired), *more]
        if number:
            kind = NOTICES[fired["action"]]
            fired["notice_id"] = number
            events.append(("notice.issued", {"notice_id": number, "kind": kind, "number": number}))
            self.notices.append(
                {
                    "id": number, "ledger_id": LEDGER, "kind": kind, "state": "issued", "number": number,
                    "year": local(when(at)).year, "seq": int(number.split("〕")[1].rstrip("号")), "unit_id": "village",
                    "supervising_unit_id": "town", "item_ids": [ITEM], "rungs": [fired["rung"]],
                    "copy_unit_ids": [unit for unit in fired["notified_unit_ids"] if unit != "village"],
                    "created_at": when(at), "issued_at": when(at), "receipt_due": date.fromisoformat(days[0]),
                    "reply_by": date.fromisoformat(days[1]), "receipt_at": None, "cancelled_at": None,
                }
            )  # fmt: skip
        self.look(at, *events)

    def load(self, at: str, table: Table) -> None:
        self.calendars.append(CalendarChange(when(at), table))

    # -- what it leaves behind

    def record(self) -> Record:
        start = when(f"{self.first} 00:00") - timedelta(days=1)
        log = Log(self._ticks(), [PolicyChange(start, LEDGER, POLICY)], self.calendars)
        item = self._item()
        tables = {
            "items": [item],
            "firings": [self._firing(event) for event in self.events if event.type.startswith("rung.")],
            "requests": self._waits("request", "decide_due"),
            "interviews": self._waits("interview", "interview_due"),
            "notices": self.notices,
            "notice_items": [{"notice_id": notice["id"], "item_id": ITEM} for notice in self.notices],
            "counters": self._counters(),
            "timers": [] if item["state"] == "closed" else [{"item_id": ITEM, "look_at": start}],
            "ledgers": [{"id": LEDGER, "code": "L"}],
            "units": [
                {"id": unit, "parent_id": parent}
                for unit, parent in (("root", None), ("town", "root"), ("village", "town"))
            ],
        }
        return Record(tables, self.events, log)

    def _ticks(self) -> list[Tick]:
        ticks, day = [], date.fromisoformat(self.first)
        while day <= date.fromisoformat(self.last):
            if not any(first <= str(day) <= last for first, last in self.away):
                ticks += [Tick(datetime.combine(day, clock, ZONE)) for clock in CLOCKS]
            day += timedelta(days=1)
        return ticks

    def _item(self) -> Row:
        columns = {**COUNTED, **self.events[0].data}
        for event in self.events:
            columns |= {name: change["after"] for name, change in event.data.get("changes", {}).items()}
        passed = [event.data["deadline"] for event in self.events if event.type == "deadline.passed"]
        columns["passed_on"] = passed[-1] if passed else None
        for name in ("due_on", "review_on", "claim_due", "passed_on"):
            columns[name] = date.fromisoformat(columns[name]) if columns[name] else None
        return {**columns, "id": ITEM}

    @staticmethod
    def _firing(event: Event) -> Row:
        data = event.data
        return {
            "item_id": ITEM, "cycle": data["cycle"], "rung": data["rung"], "reason": data.get("reason"),
            "anchor_on": date.fromisoformat(data["anchor_on"]), "anchor": data["anchor"],
            "ref": data.get("request_id") or data.get("interview_id") or ITEM, "at": event.at,
            "outcome": event.type.removeprefix("rung."), "notice_id": data["notice_id"],
        }  # fmt: skip

    def _waits(self, subject: str, day: str) -> list[Row]:
        found: dict[str, Row] = {}
        for event in self.events:
            if not event.type.startswith(f"{subject}."):
                continue
            deed, data = event.type.split(".")[1], event.data
            if deed in ("submitted", "opened"):
                due = date.fromisoformat(data[day])
                found[data[f"{subject}_id"]] = {
                    "id": data[f"{subject}_id"], "item_id": ITEM, "kind": data.get("kind"), "status": "pending",
                    "state": "pending", "decide_due": due, "due_on": due, "opened_at": event.at,
                    "notice_id": next((each["id"] for each in self.notices if each["issued_at"] == event.at), None),
                }  # fmt: skip
            else:
                found[data[f"{subject}_id"]] |= {"status": deed, "state": deed}
        return list(found.values())

    def _counters(self) -> list[Row]:
        last: dict[tuple[str, int], int] = {}
        for notice in self.notices:
            key = (notice["kind"], notice["year"])
            last[key] = max(last.get(key, 0), notice["seq"])
        return [
            {"ledger_id": LEDGER, "kind": kind, "year": year, "next": seq + 1} for (kind, year), seq in last.items()
        ]
