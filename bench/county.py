"""The county of the benchmark: its units, and its items one by one as the service's own rules make them.

Ids follow from numbers, so that every tool (pgbench among them) can name the n-th item without asking: UUIDv7 whose
time rises evenly through two years and whose last bits are n.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from bench import words
from service.actions.grounds import ground_of
from service.store.worklist import CLOSED_ITEM, CO, EXACT, OPEN_ITEM, RESPONSIBLE, SUPERVISING
from service.workflow import calendar, deadlines, events, listing
from service.workflow.events import Actor, Event
from service.workflow.items import NEVER, DeadlineAsked, Draft, Interview, Item
from service.workflow.ladder import next_look
from service.workflow.listing import Place
from service.workflow.merkle import SHA256
from service.workflow.organisation import Ledger, Unit
from service.workflow.policy import Policy, number
from service.workflow.states import Level, Severity, SourceKind
from service.workflow.waiting import INTERVIEW, Waiting

DAYS = 730
TOWN_SHARE, GROUP_SHARE = 100, 20
"""One unit in so many is a town; one in so many hangs below a village (depth 4)."""

CLOSED_IF_DUE, CLOSED_IF_NOT_DUE = 0.75, 0.35
"""About 70 % are closed over all; a quarter of what was due is not: a worse backlog than real counties have."""

UNDERWAY = (("open", 0.20), ("rectifying", 0.60), ("extended", 0.14), ("escalated", 0.06))
"""How the rest divides."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When the county's items were listed: the n-th `step` milliseconds after the one before."""

    start_ms: int
    step_ms: int

    @classmethod
    def ending(cls, now: datetime, items: int) -> "Clock":
        span = DAYS * 86_400_000
        return cls(int(now.timestamp() * 1000) - span, span // max(1, items))

    def ms(self, n: int) -> int:
        return self.start_ms + n * self.step_ms

    def at(self, n: int) -> datetime:
        return datetime.fromtimestamp(self.ms(n) / 1000, UTC)

    def id(self, n: int, kind: int = 0) -> UUID:
        """The n-th item's id; with `kind` that of something that came with it."""
        return made_id(self.ms(n), n, kind)


def made_id(ms: int, n: int, kind: int) -> UUID:
    return UUID(int=ms << 80 | 7 << 76 | kind << 64 | 0b10 << 62 | n)


@dataclass(frozen=True, slots=True)
class Spot:
    """A unit with its line: itself first, the root last."""

    unit: Unit
    line: tuple[UUID, ...]


def build_units(root: Unit, count: int, clock: Clock) -> list[Spot]:
    """The root, its towns, their villages, and some groups below villages; parents before children."""
    towns = max(1, count // TOWN_SHARE)
    groups = max(0, count - 1 - towns) // GROUP_SHARE
    villages = max(1, count - 1 - towns - groups)
    spots = [Spot(root, (root.id,))]
    at = clock.at(0)

    def add(code: str, name: str, parent: Spot, level: str) -> None:
        unit_id = made_id(clock.start_ms, len(spots), 4)
        unit = Unit(unit_id, code, name, parent.unit.id, level, True, 1, at, at)
        spots.append(Spot(unit, (unit_id, *parent.line)))

    for index in range(towns):
        add(f"t{index}", f"{words.place(index)}镇", spots[0], Level.TOWN)
    for index in range(villages):
        parent = spots[1 + index % towns]
        add(f"v{index}", f"{parent.unit.name}{words.place(index + 5)}村", parent, Level.VILLAGE)
    for index in range(groups):
        parent = spots[1 + towns + index % villages]
        add(f"g{index}", f"{parent.unit.name}{index % 9 + 1}组", parent, Level.OTHER)
    return spots


@dataclass(frozen=True, slots=True)
class Filled:
    """An item with the rows that the service would have beside it; `pieces` are itself and what is pending about it."""

    item: Item
    pieces: list[tuple[UUID, str, date]]
    work: list[tuple[UUID, int]]
    event: Event
    interview: Interview | None
    look_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    tenant_id: UUID
    ledgers: list[Ledger]
    spots: list[Spot]
    clock: Clock
    now: datetime
    zone: Any
    clerk: Actor
    claimer: Actor
    make: "Maker"

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def towns(self) -> list[Spot]:
        return [spot for spot in self.spots if spot.unit.level == Level.TOWN]

    def villages(self) -> list[Spot]:
        return [spot for spot in self.spots if spot.unit.level == Level.VILLAGE]


Maker = Callable[[County, range], Iterator[Filled]]
"""Makes some of a county's items by their numbers."""


def items(county: County, numbers: range) -> Iterator[Filled]:
    """Some of the county's items, oldest first; the same ones for the same numbers."""
    chance = Random(numbers.start)
    policies = [Policy.parse(ledger.policy) for ledger in county.ledgers]
    for n in numbers:
        which = min(int(chance.expovariate(1.2)), len(policies) - 1)
        ledger, policy = county.ledgers[which], policies[which]
        at = county.clock.at(n)
        listed_on = deadlines.local_day(at, county.zone)
        spot = _somewhere(county.spots, chance)
        co_units = tuple({spot.unit.id: None for spot in chance.choices(county.spots, k=2)})
        text = words.problem(chance, spot.unit.name, n)
        draft = Draft(
            **text, severity=chance.choices(tuple(Severity), (80, 15, 5))[0].value,
            source_kind=chance.choice(tuple(SourceKind)).value, responsible_person=words.person(chance),
            found_on=listed_on, labels=words.labels(chance), deadline=_deadline(chance, listed_on),
        )  # fmt: skip
        place = Place(
            ledger_id=ledger.id, policy=policy, policy_epoch=ledger.policy_epoch, calendar=calendar.BASE,
            responsible=spot.line, supervising=spot.line[1:] or spot.line, supervising_defaulted=True,
            co_units=co_units if chance.random() < 0.02 and spot.unit.id not in co_units else (),
        )  # fmt: skip
        item = listing.list_item(
            draft, place, item_id=county.clock.id(n),
            number=number(policy.numbers["item"], ledger=ledger.code, year=listed_on.year, seq=n + 1),
            actor_id=_id_of(county.clerk), lister_id=_id_of(county.clerk), contact_sealed=None, now=at,
            today=listed_on, listed_on=listed_on, closed_at=None,
        )  # fmt: skip
        event = events.seal(
            events.of_listing(item, None, None), tenant_id=county.tenant_id, event_id=county.clock.id(n, 1),
            actor=county.clerk, at=at, revision=1, ordinal=0, salt=chance.randbytes, hashing=SHA256,
        )  # fmt: skip
        item, interview = _lived(county, item, n, chance)
        yield with_rows(county, item, policy, event, interview, spot)


def _somewhere(spots: list[Spot], chance: Random) -> Spot:
    """Four in five items lie with a village or a group, some with a town; the first units have the most."""
    towns = max(1, len(spots) // TOWN_SHARE)
    kind = chance.random()
    if kind < 0.02 or len(spots) < 3:
        return spots[0]
    if kind < 0.16:
        return spots[1 + int(towns * chance.random() ** 1.3)]
    below = len(spots) - 1 - towns
    return spots[1 + towns + int(below * chance.random() ** 1.3)]


def _deadline(chance: Random, listed_on: date) -> DeadlineAsked | None:
    """By the policy, by a given day, or a standing review."""
    kind = chance.random()
    if kind < 0.60:
        return None
    if kind < 0.97:
        return DeadlineAsked("date", listed_on + timedelta(days=chance.randint(7, 120)))
    return DeadlineAsked("standing")


def _lived(county: County, item: Item, n: int, chance: Random) -> tuple[Item, Interview | None]:
    """The item at some later state, with the columns that the way there leaves behind."""
    past = item.deadline_day is not None and item.deadline_day < county.today
    if chance.random() < (CLOSED_IF_DUE if past else CLOSED_IF_NOT_DUE):
        state = "closed"
    else:
        state = chance.choices([name for name, _ in UNDERWAY], [share for _, share in UNDERWAY])[0]
    if state == "open" or (state == "extended" and item.due_on is None):
        return item, None

    def later(after: datetime, days: float) -> datetime:
        return min(after + timedelta(days=chance.uniform(0.2, days)), county.now - timedelta(seconds=1))

    claimed_at = later(item.listed_at, 3)
    columns: dict[str, Any] = {
        "claim_signed_by": item.responsible_person, "claimed_at": claimed_at, "claimed_by": _id_of(county.claimer),
        "hands": {"claimed": [str(county.claimer.principal_id)]},
    }  # fmt: skip
    steps, last, interview = 2, claimed_at, None
    if state == "extended":
        columns |= {
            "due_on": item.due_on and item.due_on + timedelta(days=30), "deadline_kind": "date", "deadline_rule": None,
            "provisional": False, "extension_count": 1, "extension_days": 30,
        }  # fmt: skip
        steps, last = 3, later(claimed_at, 20)
    elif state == "escalated":
        steps, last = 3, later(claimed_at, 60)
        day = deadlines.local_day(last, county.zone)
        interview = Interview(
            id=county.clock.id(n, 2), item_id=item.id, unit_id=item.responsible_unit_id, cycle=1, state="pending",
            opened_at=last, due_on=calendar.BASE.add(day, 5),
        )  # fmt: skip
        waiting = Waiting(interview.id, None, day, 5, interview.due_on)
        columns |= {
            "escalation_count": 1, "interview_id": interview.id, "pending": {INTERVIEW: waiting.to_dict()},
        }  # fmt: skip
    elif state == "closed":
        steps, last = 3, later(claimed_at, 60)
        day = item.deadline_day
        late = (deadlines.local_day(last, county.zone) - day).days if day else 0
        columns |= {"resolution": "rectified", "closed_at": last, "closed_days_late": max(0, late)}
    columns |= {"state": state, "version": steps, "revision": steps, "updated_at": last}
    return replace(item, **columns), interview


def with_rows(
    county: County, item: Item, policy: Policy, event: Event, interview: Interview | None, spot: Spot
) -> Filled:
    seen: dict[UUID, int] = {}
    lines = [(RESPONSIBLE, spot.line), (SUPERVISING, spot.line[1:] or spot.line)]
    if item.co_unit_ids:
        by_id = _lines(county)
        lines += [(CO, by_id[unit]) for unit in item.co_unit_ids]
    for bit, line in lines:
        for distance, unit in enumerate(line):
            seen[unit] = seen.get(unit, 0) | bit | (0 if distance else bit << EXACT)
    look_at = next_look(item, ground_of(policy, calendar.BASE, county.zone), county.now)
    pieces = [(item.id, CLOSED_ITEM if item.state == "closed" else OPEN_ITEM, item.deadline_day or NEVER)]
    if interview is not None:
        pieces.append((interview.id, INTERVIEW, interview.due_on))
    return Filled(item, pieces, list(seen.items()), event, interview, look_at)


_LINES: dict[int, dict[UUID, tuple[UUID, ...]]] = {}


def _lines(county: County) -> dict[UUID, tuple[UUID, ...]]:
    known = _LINES.get(id(county.spots))
    if known is None:
        known = _LINES[id(county.spots)] = {spot.unit.id: spot.line for spot in county.spots}
    return known


def _id_of(actor: Actor) -> UUID:
    if actor.principal_id is None:
        raise ValueError("a person was meant")
    return actor.principal_id
