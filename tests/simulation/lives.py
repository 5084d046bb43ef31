"""One item as its events tell it, and whether each day that they set is the one that domain.md counts.

What a person set is taken as set; what the service counted is counted again. `follow` yields a sentence for each day,
state or sum that is not as it should be, and goes on with what the event says.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from tests.simulation.circumstances import Setting
from tests.simulation.days import GIVEN, Counted, Wait, months_after, recounted
from tests.simulation.record import Event, Row, day_of, local

LEADS = {
    "item.claimed": ({"open"}, "rectifying"),
    "item.extended": ({"rectifying", "extended"}, "extended"),
    "item.closed": ({"rectifying", "extended", "escalated"}, "closed"),
    "item.escalated": ({"open", "rectifying", "extended"}, "escalated"),
    "item.resumed": ({"escalated"}, "rectifying"),
    "item.transferred": ({"open", "rectifying", "extended"}, "open"),
    "item.reopened": ({"closed"}, "open"),
    "item.annulled": ({"open", "rectifying", "extended", "escalated"}, "closed"),
}
MOVES_DEADLINE = {"item.extended", "item.resumed", "item.transferred", "item.reopened"}
DAYS = {"due_on", "review_on", "claim_due", "found_on"}
DEADLINE = {"deadline_kind", "due_on", "review_on", "deadline_text"}

KEPT = (
    "state", "cycle", "severity", "found_on", "deadline_kind", "due_on", "review_on", "deadline_text", "provisional",
    "claim_due", "extension_count", "extension_days", "extended_late", "escalation_count", "responsible_unit_id",
    "supervising_unit_id",
)  # fmt: skip
AT_FIRST = {"cycle": 1, "extension_count": 0, "extension_days": 0, "extended_late": 0, "escalation_count": 0}


class Life:
    """An item at one moment of its history."""

    def __init__(self, created: Event, setting: Setting) -> None:
        self.id = created.item_id
        self.ledger_id: str = created.data["ledger_id"]
        self.created_at = created.at
        self.listed_on = local(datetime.fromisoformat(created.data["listed_at"]))
        self.columns: Row = {name: _read(name, created.data.get(name, AT_FIRST.get(name))) for name in KEPT}
        self.counted: Counted | None = None
        self.claim_counted: Counted | None = None
        self.months: int | None = None
        """From one review to the next, as it was when the item was listed; None where a person has set the day."""
        self.pending: dict[str, Wait] = {}
        self.waits: dict[str, date] = {}
        """By when each request was to be decided and each interview to be held, at last."""
        self.rungs_from: date | None = None
        self.passed_on: date | None = None
        self.met: set[tuple[int, str, date, str]] = set()
        """Rungs that fired or were skipped: cycle, code, anchor day, and what the anchor belongs to."""
        self.epoch = setting.epoch

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def closed(self) -> bool:
        return bool(self.state == "closed")

    @property
    def deadline(self) -> date | None:
        day: date | None = self.review_on if self.deadline_kind == "standing" else self.due_on
        return day

    def holds(self, wait: Wait) -> bool:
        """Whether the unit waits for a decision that it asked for in time."""
        if wait.kind == "closure":
            return self.deadline is not None and wait.on <= self.deadline
        return wait.kind == "extension"

    @property
    def held(self) -> bool:
        return any(self.holds(wait) for wait in self.pending.values())

    # -- what events do

    def begin(self, created: Event, setting: Setting) -> Iterator[str]:
        if self.closed:
            if self.claim_due is not None:
                yield f"is closed from the first and must be claimed by {self.claim_due}"
        else:
            yield from self._opened(self.listed_on, setting)
        yield from self._listed(setting)

    def follow(self, event: Event, setting: Setting) -> Iterator[str]:
        before = dict(self.columns)
        changed = event.data.get("changes", {})
        for name in KEPT:
            if name in changed:
                was, now = (_read(name, changed[name][side]) for side in ("before", "after"))
                if was != self.columns[name]:
                    yield f"{event.type} changes {name} from {was}, it was {self.columns[name]}"
                self.columns[name] = now
        if event.type in LEADS:
            yield from self._moved(event.type, before, setting)
        elif event.type == "item.updated":
            if changed.keys() & DEADLINE:
                yield from self._listed(setting)
        elif event.type == "item.reviewed":
            yield from self._reviewed(date.fromisoformat(event.data["on"]), before["review_on"], setting)
        elif event.type == "deadline.passed":
            self.passed_on = date.fromisoformat(event.data["deadline"])
        elif event.type in ("rung.fired", "rung.skipped"):
            self.met.add(met_by(event))
        elif event.type.startswith(("request.", "interview.")):
            yield from self._waited(event, setting)
        if event.type not in ("item.updated", "item.rescheduled", "item.reviewed", *MOVES_DEADLINE):
            for name in ("due_on", "review_on", "deadline_kind", "claim_due", "provisional"):
                if self.columns[name] != before[name]:
                    yield f"{event.type} moved {name} from {before[name]} to {self.columns[name]}"

    def _moved(self, kind: str, before: Row, setting: Setting) -> Iterator[str]:
        sources, target = LEADS[kind]
        if before["state"] not in sources or self.state != target:
            yield f"{kind} leads from {before['state']} to {self.state}"
        if kind in MOVES_DEADLINE and (self.deadline != _deadline(before) or kind != "item.transferred"):
            yield from self._set_by_person(setting)
        if kind == "item.extended":
            yield from self._extended(before, setting)
        elif kind in ("item.transferred", "item.reopened"):
            yield from self._opened(setting.today, setting)
            yield from self._is("extension_count", 0)
            yield from self._is("extension_days", 0)
        if kind == "item.reopened":
            yield from self._is("cycle", before["cycle"] + 1)
            yield from self._is("escalation_count", 0)
            self.rungs_from = self.passed_on = None
        elif kind == "item.escalated":
            yield from self._is("escalation_count", before["escalation_count"] + 1)

    def _listed(self, setting: Setting) -> Iterator[str]:
        """The deadline as it is counted at listing, or at a correction before the claim."""
        limits = setting.policy["limits"]
        self.counted = self.months = None
        if self.deadline_kind == "standing":
            self.months = limits["review_months"]
            yield from self._is("due_on", None)
            yield from self._is("review_on", months_after(self.listed_on, self.months))
        elif self.deadline_kind == "immediate":
            start = max(self.found_on or self.listed_on, self.listed_on)
            self.counted = Counted(start, limits["immediate_days"])
        elif self.deadline_text != GIVEN:
            self.counted = Counted(self.listed_on, limits[self.severity])
        if self.counted is not None:
            yield from self._is("due_on", self.counted.day(setting))
        yield from self._is("provisional", self.counted is not None and self.counted.provisional(setting))

    def _opened(self, day: date, setting: Setting) -> Iterator[str]:
        self.claim_counted = Counted(day, setting.policy["claim_within"])
        yield from self._is("claim_due", self.claim_counted.day(setting))

    def _reviewed(self, day: date, present: date, setting: Setting) -> Iterator[str]:
        """A review moves the next one on. Where it would not, all stays as it was."""
        months = self.months or setting.policy["limits"]["review_months"]
        following = months_after(day, months)
        if following <= present:
            yield from self._is("review_on", present)
        else:
            self.months = months
            yield from self._is("review_on", following)

    def _set_by_person(self, setting: Setting) -> Iterator[str]:
        self.counted = self.months = None
        yield from self._is("provisional", False)
        if self.deadline is None or self.deadline < setting.today:
            yield f"the deadline was set to {self.deadline} on {setting.today}"

    def _extended(self, before: Row, setting: Setting) -> Iterator[str]:
        budget = setting.policy["extension"]
        if self.due_on <= before["due_on"] or self.due_on <= setting.today:
            yield f"was extended from {before['due_on']} to {self.due_on} on {setting.today}"
        yield from self._is("extension_count", before["extension_count"] + 1)
        yield from self._is("extension_days", before["extension_days"] + (self.due_on - before["due_on"]).days)
        yield from self._is("extended_late", before["extended_late"] + (setting.today > before["due_on"]))
        if self.extension_count > budget["max_count"] or self.extension_days > budget["max_total_days"]:
            yield f"was extended {self.extension_count} times by {self.extension_days} days, beyond {budget}"

    def _waited(self, event: Event, setting: Setting) -> Iterator[str]:
        subject, deed = event.type.split(".")
        kind = event.data["kind"] if subject == "request" else "interview"
        wait_id = event.data[f"{subject}_id"]
        if deed in ("submitted", "opened"):
            if kind in self.pending:
                yield f"a second {kind} is pending"
            within = setting.policy["decide_within" if subject == "request" else "interview_within"]
            wait = Wait(wait_id, kind, setting.today, within, setting.add(setting.today, within))
            self.pending[kind] = wait
            self.waits[wait_id] = wait.due
            told = event.data.get("decide_due", event.data.get("interview_due"))
            if told is not None and date.fromisoformat(told) != wait.due:
                yield f"{event.type} of {wait.on} is due on {told}, not on {wait.due}"
        elif deed in ("approved", "returned", "withdrawn", "cancelled", "recorded"):
            wait = self.pending.get(kind)
            if wait is None or wait.id != wait_id:
                yield f"{event.type}: no such {kind} is pending"
                return
            passed = self.deadline is not None and self.deadline < setting.today
            if deed in ("returned", "withdrawn") and self.holds(wait) and passed:
                # Before that nothing is held: what a later correction dates back was never waited for.
                self.rungs_from = setting.today
            del self.pending[kind]

    # -- what a new calendar does

    def replan(self, setting: Setting) -> Row:
        """The days that the calendar of `setting` changes: columns, and `pending` with the waits by kind."""
        changes: Row = {}
        if self.closed:
            return changes
        if self.counted is not None and self.due_on >= setting.today:
            changes["due_on"] = recounted(self.due_on, self.counted.day(setting), setting)
            changes["provisional"] = self.counted.provisional(setting)
        if self.state == "open" and self.claim_counted is not None and self.claim_due >= setting.today:
            changes["claim_due"] = recounted(self.claim_due, self.claim_counted.day(setting), setting)
        changes = {name: value for name, value in changes.items() if self.columns[name] != value}
        waits = {}
        for kind, wait in self.pending.items():
            due = recounted(wait.due, setting.add(wait.on, wait.within), setting)
            if wait.due >= setting.today and due != wait.due:
                waits[kind] = replace(wait, due=due)
        return {**changes, "pending": waits} if waits else changes

    def replanned(self, changes: Row, epoch: int) -> None:
        self.epoch = epoch
        for wait in changes.get("pending", {}).values():
            self.pending[wait.kind] = wait
            self.waits[wait.id] = wait.due
        self.columns |= {name: value for name, value in changes.items() if name != "pending"}

    def _is(self, name: str, expected: Any) -> Iterator[str]:
        if self.columns[name] != expected:
            yield f"{name} is {self.columns[name]}, should be {expected}"


def met_by(event: Event) -> tuple[int, str, date, str]:
    """Which rung of which cycle and anchor an event is about."""
    data = event.data
    ref = data.get("request_id") or data.get("interview_id")
    if data["anchor"] not in ("decision_due", "interview_due") or ref is None:
        # A rung that escalates names the interview that it opened.
        ref = event.item_id
    return data["cycle"], data["rung"], date.fromisoformat(data["anchor_on"]), ref


def _deadline(columns: Row) -> date | None:
    day: date | None = columns["review_on"] if columns["deadline_kind"] == "standing" else columns["due_on"]
    return day


def _read(name: str, value: Any) -> Any:
    return day_of(value) if name in DAYS else value
