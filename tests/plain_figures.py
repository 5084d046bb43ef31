"""The figures counted plainly from the events themselves, as domain.md words them: slow, without a memory, day by day.

Nothing of the service's own counting is imported. For every item there is a picture of it after each of its events;
what it was at the end of a day is the last picture of that day or of one before.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """An event as the record tells it; ids as text."""

    item_id: str
    revision: int
    ordinal: int
    type: str
    at: datetime
    data: dict[str, Any]


class Hit(NamedTuple):
    """Something that a figure counts."""

    figure: str
    item_id: str
    cycle: int
    unit_id: str
    ledger_id: str
    severity: str
    source: str
    day: date
    days: int = 0


@dataclass(frozen=True)
class Picture:
    """An item after an event. `stretch` counts the units and cycles it has lain with."""

    day: date
    unit: str
    cycle: int
    stretch: int
    begun: date
    closed: bool
    kind: str
    due_on: date | None
    review_on: date | None
    claim_due: date | None
    claimed: bool

    @property
    def deadline(self) -> date | None:
        return self.review_on if self.kind == "standing" else self.due_on


def count(events: Iterable[Told], first: date, last: date, today: date, zone: ZoneInfo) -> list[Hit]:
    """Everything that the figures of a period count, as they stand on a day."""
    histories: dict[str, list[Told]] = defaultdict(list)
    for event in events:
        histories[event.item_id].append(event)
    hits: list[Hit] = []
    for history in histories.values():
        history.sort(key=lambda event: (event.revision, event.ordinal))
        hits += _Life(history, zone).hits(first, last, today)
    return hits


def by(hits: Iterable[Hit], *names: str) -> dict[tuple[Any, ...], Counter[str]]:
    """How many of each figure, by some fields."""
    found: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for hit in hits:
        found[tuple(getattr(hit, name) for name in names)][hit.figure] += 1
    return dict(found)


class _Life:
    def __init__(self, history: list[Told], zone: ZoneInfo) -> None:
        self.history = history
        self.zone = zone
        self.listing = history[0].data
        self.days = [self.local(event.at) for event in history]
        self.pictures = list(self._pictures())
        self.severity, self.source = self.listing["severity"], self.listing.get("source_kind", "other")
        for event in history:
            changed = event.data.get("changes", {})
            self.severity = changed.get("severity", {}).get("after", self.severity)
            self.source = changed.get("source_kind", {}).get("after", self.source)

    def local(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _pictures(self) -> Iterator[Picture]:
        data, picture = self.listing, None
        for event, day in zip(self.history, self.days, strict=True):
            changed = {name: each["after"] for name, each in event.data.get("changes", {}).items()}
            if picture is None:
                assert event.type == "item.created"
                picture = Picture(
                    day=day, unit=data["responsible_unit_id"], cycle=1, stretch=0,
                    begun=self.local(datetime.fromisoformat(data["listed_at"])), closed=data["state"] == "closed",
                    kind=data["deadline_kind"], due_on=_read(data.get("due_on")),
                    review_on=_read(data.get("review_on")), claim_due=_read(data.get("claim_due")), claimed=False,
                )  # fmt: skip
                yield picture
                continue
            picture = replace(picture, day=day)
            for name in ("due_on", "review_on", "claim_due"):
                if name in changed:
                    picture = replace(picture, **{name: _read(changed[name])})
            if "deadline_kind" in changed:
                picture = replace(picture, kind=changed["deadline_kind"])
            if event.type == "item.claimed" or (event.type == "item.resumed" and changed.get("claimed_at")):
                picture = replace(picture, claimed=True)
            elif event.type == "item.transferred":
                unit, stretch = changed["responsible_unit_id"], picture.stretch + 1
                picture = replace(picture, unit=unit, stretch=stretch, claimed=False)
            elif event.type == "item.reopened":
                picture = replace(
                    picture, cycle=picture.cycle + 1, stretch=picture.stretch + 1, claimed=False, closed=False,
                    begun=day,
                )  # fmt: skip
            elif event.type in ("item.closed", "item.annulled"):
                picture = replace(picture, closed=True)
            yield picture

    def at_end_of(self, day: date) -> Picture | None:
        place = bisect_right(self.days, day)
        return self.pictures[place - 1] if place else None

    def whole(self, until: date) -> Iterator[tuple[date, Picture]]:
        """Each day from the one on which it came here until one before `until`, with what it was at its end."""
        day = self.days[0]
        while day < until:
            picture = self.at_end_of(day)
            assert picture is not None
            yield day, picture
            day += ONE_DAY

    # -- what is counted

    def hits(self, first: date, last: date, today: date) -> Iterator[Hit]:
        annulment = next((place for place, event in enumerate(self.history) if event.type == "item.annulled"), None)
        if annulment is not None:
            day, before = self.days[annulment], self.pictures[annulment - 1]
            if first <= day <= last:
                yield self._hit("annulled", before, day)
                if before.deadline is not None and before.deadline < day:
                    yield self._hit("annulled_overdue", before, day)
            return
        for hit in (*self._events(), *self._claims(today), *self._lasting(first, last, today)):
            if hit.figure in ("overdue", "rectifying") or first <= hit.day <= last:
                yield hit
        yield from self._due(first, last, today)
        yield from self._extensions(first, last)

    def _hit(self, figure: str, picture: Picture, day: date, days: int = 0) -> Hit:
        return Hit(
            figure, self.history[0].item_id, picture.cycle, picture.unit, self.listing["ledger_id"], self.severity,
            self.source, day, days,
        )  # fmt: skip

    def _events(self) -> Iterator[Hit]:
        """What happens on a day and is counted by it."""
        for event, day, picture in zip(self.history, self.days, self.pictures, strict=True):
            match event.type:
                case "item.created":
                    yield self._hit("listed", picture, picture.begun)
                case "item.closed":
                    yield self._hit("closed", picture, day, (day - picture.begun).days)
                case "item.reopened":
                    yield self._hit("reopened", picture, day)
                case "interview.recorded":
                    yield self._hit("interviews_held", picture, date.fromisoformat(event.data["held_on"]))
                case "request.approved" | "request.returned" if event.data["kind"] == "closure":
                    yield self._hit("closures_decided", picture, day)
                    if event.type == "request.returned":
                        yield self._hit("closures_returned", picture, day)

    def _claims(self, today: date) -> Iterator[Hit]:
        for day, picture in self.whole(today):
            if not picture.closed and not picture.claimed and picture.claim_due == day:
                yield self._hit("claims_due", picture, day)
        for before, after, day in zip(self.pictures, self.pictures[1:], self.days[1:], strict=False):
            claimed = after.claimed and not before.claimed
            if claimed and before.claim_due is not None and day <= before.claim_due < today:
                yield self._hit("claims_due", after, before.claim_due)
                yield self._hit("claimed_on_time", after, before.claim_due)

    def _closings(self) -> Iterator[tuple[Picture, date, date]]:
        """What it was when it was closed, the day, and the day on which the work was done."""
        asked: dict[str, date] = {}
        for place, (event, day) in enumerate(zip(self.history, self.days, strict=True)):
            if event.type == "request.submitted":
                asked[event.data["request_id"]] = day
            if event.type == "item.closed":
                together = [each for each in self.history if each.revision == event.revision]
                granted = [
                    each.data["request_id"]
                    for each in together
                    if each.type == "request.approved" and each.data["kind"] == "closure"
                ]
                yield self.pictures[place - 1], day, asked[granted[0]] if granted else day

    def _due(self, first: date, last: date, today: date) -> Iterator[Hit]:
        fell: dict[int, dict[date, Picture]] = defaultdict(dict)
        for day, picture in self.whole(today):
            if not picture.closed and picture.deadline == day:
                fell[picture.stretch][day] = picture
        done: dict[int, date] = {}
        for before, closed_on, work_done in self._closings():
            done[before.stretch] = work_done
            if before.deadline is not None and before.deadline >= closed_on:
                fell[before.stretch][before.deadline] = before
        for stretch, deadlines in fell.items():
            within = [day for day in sorted(deadlines) if first <= day <= last]
            if within:
                yield self._hit("fell_due", deadlines[within[0]], within[0])
                if stretch in done and done[stretch] <= within[0]:
                    yield self._hit("closed_on_time", deadlines[within[0]], within[0])

    def _extensions(self, first: date, last: date) -> Iterator[Hit]:
        seen = set()
        for event, day, picture in zip(self.history, self.days, self.pictures, strict=True):
            if event.type != "item.extended" or not first <= day <= last:
                continue
            before = self.pictures[self.history.index(event) - 1]
            late = before.deadline is not None and before.deadline < day
            if (picture.stretch, late) not in seen:
                seen.add((picture.stretch, late))
                yield self._hit("extended_late" if late else "extended", picture, day)

    def _lasting(self, first: date, last: date, today: date) -> Iterator[Hit]:
        end = min(last, today)
        picture = self.at_end_of(end)
        over = min(last, today - ONE_DAY)
        if picture is not None and not picture.closed and picture.deadline is not None and picture.deadline <= over:
            yield self._hit("overdue", picture, end)
        lasted: dict[int, tuple[date, date | None, Picture]] = {}
        for after in self.pictures:
            if after.claimed and not after.closed and after.stretch not in lasted:
                lasted[after.stretch] = (after.day, None, after)
            for stretch, (begun, ended, of) in lasted.items():
                if ended is None and (after.closed or after.stretch != stretch):
                    lasted[stretch] = (begun, after.day, of)
        for begun, ended, of in lasted.values():
            if begun <= last and (ended is None or ended >= first):
                yield self._hit("rectifying", of, begun)


def _read(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
