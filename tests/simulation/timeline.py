"""One item's history against the looks that fell into it: what had to happen at each, and what did.

The history is walked through in its own order. Between two deeds of people the item stands still, so it is worked out
when it next wants something done and which tick came first after that; there the transactions of the clock must be
those that domain.md asks for, and nowhere else may there be any.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from tests.simulation import judgement, rungs
from tests.simulation.circumstances import Circumstances, Setting
from tests.simulation.lives import LEADS, Life
from tests.simulation.record import ZONE, Event
from tests.simulation.rungs import Outcome
from tests.simulation.workdays import ONE_DAY

OF_THE_CLOCK = {
    "deadline.passed", "rung.fired", "rung.skipped", "item.rescheduled", "item.escalated", "interview.opened",
    "request.cancelled", "notice.issued", "notice.drafted",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Covered:
    """An item as a notice found it when it was drafted or issued; by the clock in its `round`-th look of that tick."""

    notice_id: str
    item_id: str
    at: datetime
    type: str
    kind: str
    ledger_id: str
    responsible: str
    supervising: str
    round: int | None


@dataclass(slots=True)
class Walk:
    """What is learnt of an item on the way, for the checks of notices and rows."""

    life: Life
    covered: list[Covered] = field(default_factory=list)
    rungs: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """Each rung that fired by a notice: that, the rung's code, and whom it notified."""
    awaits: datetime | None = None
    """When it wants to be looked at next, once the run is over."""


class Timeline:
    """Walks through the history of one item."""

    def __init__(self, history: list[Event], circumstances: Circumstances, parents: Mapping[str, str | None]) -> None:
        self._circumstances = circumstances
        self._parents = parents
        self._created = history[0]
        self._todo = [list(events) for _, events in groupby(history[1:], key=lambda event: event.revision)]
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
            instant = min(filter(None, (tick, coming)), default=None)
            if instant is None:
                break
            looked = instant == tick or instant in self._circumstances.looked or self._todo[0][0].clock
            told = self._looked(instant) if looked else self._acted(self._todo.pop(0))
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
        wanted: list[Outcome] = []
        for event in events:
            if event.type == "request.approved":
                wait = self.life.pending.get(event.data["kind"])
                if wait is not None and self.life.holds(wait):
                    wanted = rungs.approved(self.life, setting)
        yield from judgement.met(self.life, events, wanted)
        yield from judgement.missing(self.life, wanted)
        if "item.escalated" in kinds and not {"interview.opened", "notice.issued"} <= kinds:
            yield "was escalated without an interview and its notice"
        for event in events:
            if event.clock:
                yield f"{event.type} by the clock among the deeds of a person"
            yield from self._follow(event, setting)

    # -- the clock

    def _looked(self, now: datetime) -> Iterator[str]:
        """All that happened at the instant of a tick. People may act at the same, before the clock or behind it."""
        setting, round_ = self._setting(now), 0
        if now not in self._circumstances.looked:
            yield "the clock acted when nobody looked"
        wanted, passed = self._due(setting)
        while self._todo and self._todo[0][0].at == now:
            events = self._todo.pop(0)
            if events[0].clock:
                if self.life.epoch < setting.epoch:
                    events = yield from self._replanned(events, setting, must=True)
                    wanted, passed = self._due(setting)
                passed = yield from self._looked_once(events, setting, wanted, passed, round_)
                round_ += 1
                if not wanted:
                    # Another look at the same instant: the item may be in another state now.
                    wanted = rungs.look(self.life, setting)
            else:
                yield from self._acted(events)
                wanted, passed = self._due(setting)
        if self.life.epoch < setting.epoch:
            yield from self._replanned([], setting, must=True)
            wanted, passed = self._due(setting)
        if passed is not None:
            yield f"deadline.passed of {passed} was not written"
            self.life.passed_on = passed
        yield from judgement.missing(self.life, wanted)

    def _looked_once(
        self, events: list[Event], setting: Setting, wanted: list[Outcome], passed: date | None, round_: int
    ) -> Generator[str, None, date | None]:
        """One look, a transaction; the deadline whose passing is still to be written."""
        for event in events:
            if event.type not in OF_THE_CLOCK or not event.clock:
                yield f"{event.type} at a look"
            elif event.type == "item.rescheduled":
                yield "was rescheduled without a change of the calendar"
            elif event.type == "deadline.passed":
                if passed is None or event.data["deadline"] != str(passed):
                    yield f"deadline.passed of {event.data['deadline']} was not to be written"
                passed = None
        yield from judgement.met(self.life, events, wanted)
        yield from judgement.issued(self.life, events, setting, self._parents)
        for event in events:
            yield from self._follow(event, setting, round_)
        return passed

    def _due(self, setting: Setting) -> tuple[list[Outcome], date | None]:
        """What a look at the item, as it is, has to do: rungs, and the deadline whose passing is new."""
        instant = rungs.passes(self.life)
        passed = self.life.deadline if instant is not None and instant <= setting.now else None
        return rungs.look(self.life, setting), passed

    # -- both

    def _replanned(self, events: list[Event], setting: Setting, *, must: bool) -> Generator[str, None, list[Event]]:
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

    def _follow(self, event: Event, setting: Setting, round_: int | None = None) -> Iterator[str]:
        life, data = self.life, event.data
        if event.type in ("notice.issued", "notice.drafted"):
            self.walk.covered.append(
                Covered(
                    data["notice_id"], life.id, event.at, event.type, data["kind"], life.ledger_id,
                    life.responsible_unit_id, life.supervising_unit_id, round_,
                )
            )  # fmt: skip
        elif event.type == "rung.fired" and data.get("notice_id") is not None:
            self.walk.rungs.append((data["notice_id"], data["rung"], tuple(data.get("notified_unit_ids", ()))))
        yield from life.follow(event, setting)


def _named(changes: Mapping[str, object]) -> str:
    return ", ".join(f"{name} to {value}" for name, value in changes.items()) or "nothing"
