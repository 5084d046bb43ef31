"""One item's history against the looks that fell into it: what had to happen at each, and what did.

The history is walked through in its own order. Between two deeds of people the item stands still, so it is worked out
when it next wants something done and which tick came first after that; there the transactions of the clock must be
those that domain.md asks for, and nowhere else may there be any.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from tests.simulation import rungs
from tests.simulation.circumstances import Circumstances, Setting
from tests.simulation.lives import LEADS, Life, met_by
from tests.simulation.record import ZONE, Event
from tests.simulation.rungs import Outcome
from tests.simulation.workdays import ONE_DAY

KINDS = {
    "urge": "urging",
    "supervise": "supervision",
    "warn": "warning",
    "circulate": "circular",
    "escalate": "interview",
}
"""The notice that each action issues; a reminder issues none."""

OF_THE_CLOCK = {
    "deadline.passed", "rung.fired", "rung.skipped", "item.rescheduled", "item.escalated", "interview.opened",
    "request.cancelled", "notice.issued", "notice.drafted",
}  # fmt: skip


@dataclass(slots=True)
class Covered:
    """An item as a notice found it when it was drafted or issued."""

    notice_id: str
    item_id: str
    at: datetime
    type: str
    kind: str
    ledger_id: str
    responsible: str
    supervising: str


@dataclass(slots=True)
class Walk:
    """What is learnt of an item on the way, for the checks of notices and rows."""

    life: Life
    covered: list[Covered] = field(default_factory=list)
    rungs: dict[str, set[str]] = field(default_factory=dict)
    """The rungs that each notice comes from, as far as this item goes."""
    awaits: datetime | None = None
    """When it wants to be looked at next, once the run is over."""


def transactions(history: list[Event]) -> list[list[Event]]:
    return [list(events) for _, events in groupby(history, key=lambda event: event.revision)]


class Timeline:
    """Walks through the history of one item."""

    def __init__(self, history: list[Event], circumstances: Circumstances, parents: Mapping[str, str | None]) -> None:
        self._circumstances = circumstances
        self._parents = parents
        self._created = history[0]
        self._todo = transactions(history[1:])
        self._last = self._created.at
        self._ledger_id: str = self._created.data["ledger_id"]
        self.walk = Walk(Life(self._created, self._setting(self._last)))
        self.life = self.walk.life

    def faults(self) -> Iterator[str]:
        for events in self._todo:
            if len({event.at for event in events}) > 1:
                yield f"the transaction of revision {events[0].revision} happened at several instants"
        yield from self.life.begin(self._created, self._setting(self._last))
        while True:
            tick = self._next_tick()
            coming = self._todo[0][0].at if self._todo else None
            if tick is None and coming is None:
                break
            if coming is None or (tick is not None and tick <= coming):
                instant, by_clock = tick, True
            else:
                instant, by_clock = coming, self._todo[0][0].clock
            assert instant is not None
            told = self._looked(instant) if by_clock else self._acted(self._todo.pop(0))
            for sentence in told:
                yield f"{instant.astimezone(ZONE):%Y-%m-%d %H:%M}: {sentence}"
            self._last = instant
        self.walk.awaits = self._awaited(self._circumstances.ticks[-1])

    def _setting(self, now: datetime) -> Setting:
        return self._circumstances.setting(self._ledger_id, now)

    def _next_tick(self) -> datetime | None:
        """The first tick after the last moment at which the item, as it is, has something to be done."""
        if self.life.closed:
            return None
        setting, find = self._setting(self._last), self._circumstances.next_tick
        passes, office = rungs.next_moments(self.life, setting)
        found = [find(self._last, passes)] if passes else []
        if office:
            found.append(find(self._last, office, setting))
        changes = self._circumstances.next_change(self._ledger_id, self._last)
        if changes:
            # Whatever was worked out holds no longer then.
            found.append(find(self._last, changes))
        if self.life.epoch < setting.epoch:
            found.append(find(self._last, self._last))
        return min(filter(None, found), default=None)

    def _awaited(self, end: datetime) -> datetime | None:
        """When the item wants to be looked at after the run's end, if ever."""
        setting = self._setting(end)
        passes, office = rungs.next_moments(self.life, setting)
        if office is not None and office <= end and not setting.in_office_hours:
            opening = setting.opening(setting.today)
            office = opening if opening > end else setting.opening(setting.today + ONE_DAY)
        return min(filter(None, (passes, office)), default=None)

    # -- people

    def _acted(self, events: list[Event]) -> Iterator[str]:
        setting = self._setting(events[0].at)
        kinds = {event.type for event in events}
        events = yield from self._replanned(events, setting, must=bool(kinds & LEADS.keys()))
        wanted = []
        for event in events:
            if event.type == "request.approved":
                wait = self.life.pending.get(event.data["kind"])
                if wait is not None and self.life.holds(wait):
                    wanted = rungs.approved(self.life, setting)
        yield from self._met(events, wanted)
        for outcome in wanted:
            yield f"{outcome}: did not happen"
            self.life.met.add(outcome.place)
        if "item.escalated" in kinds and not {"interview.opened", "notice.issued"} <= kinds:
            yield "was escalated without an interview and its notice"
        for event in events:
            if event.clock:
                yield f"{event.type} by the clock among the deeds of a person"
            yield from self._follow(event, setting)

    # -- the clock

    def _looked(self, now: datetime) -> Iterator[str]:
        done = []
        while self._todo and self._todo[0][0].at == now and self._todo[0][0].clock:
            done.append(self._todo.pop(0))
        setting = self._setting(now)
        if done and now not in self._circumstances.workers:
            yield "the clock acted when nobody looked"
        if self.life.epoch < setting.epoch:
            first = yield from self._replanned(done[0] if done else [], setting, must=True)
            done = [first, *done[1:]] if done else []
        passed = self._passes(now)
        wanted = rungs.look(self.life, setting)
        for events in done:
            for event in events:
                if event.type not in OF_THE_CLOCK or not event.clock:
                    yield f"{event.type} at a look"
                elif event.type == "item.rescheduled":
                    yield "was rescheduled without a change of the calendar"
                elif event.type == "deadline.passed":
                    if passed is None or event.data["deadline"] != str(passed):
                        yield f"deadline.passed of {event.data['deadline']} was not to be written"
                    passed = None
            yield from self._met(events, wanted)
            yield from self._issued(events, setting)
            for event in events:
                yield from self._follow(event, setting)
            if not wanted:
                # Another look at the same instant: the item may be in another state now.
                wanted = rungs.look(self.life, setting)
        if passed is not None:
            yield f"deadline.passed of {passed} was not written"
            self.life.passed_on = passed
        for outcome in wanted:
            yield f"{outcome}: did not happen"
            self.life.met.add(outcome.place)

    def _passes(self, now: datetime) -> date | None:
        instant = rungs.passes(self.life)
        return self.life.deadline if instant is not None and instant <= now else None

    def _met(self, events: list[Event], wanted: list[Outcome]) -> Iterator[str]:
        """Takes from `wanted` what happened."""
        escalated = False
        for event in events:
            if event.type not in ("rung.fired", "rung.skipped"):
                continue
            if escalated and event.type == "rung.fired":
                yield f"rung {event.data['rung']} fired behind an escalation"
            told = _told(event)
            place = met_by(event)
            expected = next((outcome for outcome in wanted if outcome.place == place), None)
            if place in self.life.met:
                yield f"{told}, a second time"
            elif expected is None:
                yield f"{told}, which it should not"
            elif told != str(expected):
                yield f"{told}; by the ladder {expected}"
            elif expected.action != event.data["action"]:
                yield f"{told} to {event.data['action']}, by the ladder to {expected.action}"
            if expected is not None:
                wanted.remove(expected)
                escalated = escalated or (expected.fires and expected.action == "escalate")

    def _issued(self, events: list[Event], setting: Setting) -> Iterator[str]:
        """What fires issues the notice of its kind, in the same transaction; escalating does what it says."""
        notices = {event.data["notice_id"]: event for event in events if event.type.startswith("notice.")}
        ladder = {rung["code"]: rung for rung in setting.policy["ladder"]}
        confirms = {code: rung["confirm"] for code, rung in ladder.items()}
        fired = [event for event in events if event.type == "rung.fired"]
        used = set()
        for event in fired:
            code, kind = event.data["rung"], KINDS.get(event.data["action"])
            units = self._notified(ladder[code]["notify"]) if code in ladder else None
            if units is not None and set(event.data.get("notified_unit_ids", ())) != units:
                yield f"rung {code} notifies {event.data.get('notified_unit_ids')}, should notify {sorted(units)}"
            notice = notices.get(event.data.get("notice_id"))
            if kind is None:
                if event.data.get("notice_id") is not None:
                    yield f"rung {code} reminds by a notice"
            elif notice is None:
                yield f"rung {code} fired without its notice"
            else:
                used.add(notice.data["notice_id"])
                deed = "notice.drafted" if confirms.get(code) else "notice.issued"
                if notice.data["kind"] != kind or notice.type != deed:
                    yield f"rung {code}: {notice.type} of kind {notice.data['kind']}, should be {deed} of {kind}"
        for notice_id in notices.keys() - used:
            yield f"notice {notice_id} comes from no rung"
        escalates = any(event.data["action"] == "escalate" and not confirms.get(event.data["rung"]) for event in fired)
        if escalates != any(event.type == "item.escalated" for event in events):
            yield f"a rung {'escalates' if escalates else 'does not escalate'}, the item does otherwise"

    def _notified(self, roles: list[str]) -> set[str]:
        """The unit above the supervising one is the root itself where there is none."""
        supervising = self.life.supervising_unit_id
        units = {
            "responsible": self.life.responsible_unit_id,
            "supervising": supervising,
            "parent": self._parents[supervising] or supervising,
        }
        return {units[role] for role in roles}

    # -- both

    def _replanned(self, events: list[Event], setting: Setting, *, must: bool) -> Iterator[str]:
        """Judges the re-planning among `events` and returns the others."""
        others = [event for event in events if event.type != "item.rescheduled"]
        moved = [event for event in events if event.type == "item.rescheduled"]
        expected = self.life.replan(setting) if self.life.epoch < setting.epoch else {}
        if not moved and expected and not must:
            return others
        if len(moved) != (1 if expected else 0):
            yield f"was rescheduled {len(moved)} times, the calendar changes {_named(expected)}"
        for event in moved:
            changes = event.data.get("changes", {})
            after = {name: change["after"] for name, change in changes.items() if name in self.life.columns}
            wanted = {name: str(day) if isinstance(day, date) else day for name, day in expected.items()}
            wanted.pop("pending", None)
            if after != wanted:
                yield f"was rescheduled to {after}, by the calendar to {wanted}"
            yield from self._follow(event, setting)
        self.life.replanned(expected, setting.epoch)
        return others

    def _follow(self, event: Event, setting: Setting) -> Iterator[str]:
        life, data = self.life, event.data
        if event.type in ("notice.issued", "notice.drafted"):
            self.walk.covered.append(
                Covered(
                    data["notice_id"], life.id, event.at, event.type, data["kind"], life.ledger_id,
                    life.responsible_unit_id, life.supervising_unit_id,
                )
            )  # fmt: skip
        elif event.type == "rung.fired" and data.get("notice_id") is not None:
            self.walk.rungs.setdefault(data["notice_id"], set()).add(data["rung"])
        yield from life.follow(event, setting)


def _told(event: Event) -> str:
    data = event.data
    how = "fires" if event.type == "rung.fired" else f"is skipped ({data.get('reason', data.get('why'))})"
    return f"rung {data['rung']} of {data['anchor']} {data['anchor_on']}, cycle {data['cycle']}, {how}"


def _named(changes: dict[str, object]) -> str:
    return ", ".join(f"{name} to {value}" for name, value in changes.items()) or "nothing"
