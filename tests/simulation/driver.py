"""Living through the days: workers look, people act, orders come from above; each at its own instant.

Time is a parameter everywhere. The log keeps what no event tells: when workers looked, and which policies and
calendars were in force.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from heapq import nsmallest
from random import Random
from uuid import UUID

from service.actions import calendars, ledgers
from service.actions.service import Call, Service
from service.workers import clock
from service.workflow.calendar import YearTable
from tests.simulation import county as counties
from tests.simulation.county import TOGETHER, County, Outage, Size
from tests.simulation.desk import Desk
from tests.simulation.newcomers import Newcomers
from tests.simulation.people import Tally, come_round
from tests.simulation.record import ZONE, CalendarChange, Log, PolicyChange, Tick
from tests.simulation.workdays import ONE_DAY, Table

LOOKS = (time(0, 5), time(9, 0), time(14, 0))
"""When workers look every day."""

OTHER_LOOKS = (time(0, 0), time(8, 30), time(9, 30), time(10, 0), time(15, 59), time(17, 0), time(17, 29), time(18, 0))
"""Around the hours at which offices open and close: one of them every day, and some minute that is drawn."""

SESSIONS = (time(10, 7), time(15, 21))
"""When people come round, on working days; now and then on others, and at night."""

DILIGENCE = (0.22, 0.08, 0.02)
"""How likely somebody comes round to an item in a session; each item has its own."""


@dataclass
class Run:
    """A county that has lived, and what it is known to have done."""

    size: Size
    log: Log = field(default_factory=Log)
    tally: Tally = field(default_factory=Tally)
    outages: list[Outage] = field(default_factory=list)
    looks: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


def days(size: Size) -> Iterator[date]:
    day = size.first
    while day <= size.last:
        yield day
        day += ONE_DAY


def at(day: date, clock_time: time) -> datetime:
    return datetime.combine(day, clock_time, ZONE).astimezone(UTC)


class Driver:
    """One run."""

    def __init__(self, service: Service, size: Size, county: County) -> None:
        self.service, self.size, self.county = service, size, county
        self.run = Run(size)
        self.random = Random(size.seed)
        self.newcomers = Newcomers(service, county, size, self.run.tally)
        self.desk = Desk(service, county, size.seed, self.run.tally)
        every = list(days(size))
        self.run.outages = counties.outages(size, self.random, [at(day, time()) for day in every])
        self._orders = {every[int(part * len(every))]: (code, policy) for part, code, policy in counties.CHANGES}
        self._tables: dict[date, Table] = dict(counties.TABLES)
        self._alive: dict[UUID, float] = {}
        """Items that are not known to be closed, and how likely somebody comes round."""
        self._closed: list[UUID] = []
        self._numbers: dict[UUID, int] = {}
        """Which of all items each is, in the order in which they were listed: in every run the same."""

    async def live(self) -> Run:
        await self._first_policies()
        for day in days(self.size):
            for instant, doing in sorted(self._plan(day), key=lambda each: each[0]):
                await doing(instant)
        await self._look(at(self.size.last, time(23, 50)), workers=2)
        return self.run

    def _plan(self, day: date) -> Iterator[tuple[datetime, Callable[[datetime], Awaitable[None]]]]:
        """What happens on a day, each at its own instant."""
        weekday = day.weekday() < 5
        drawn = time(self.random.randrange(24), self.random.randrange(60), 30)
        for moment in (*LOOKS, self.random.choice(OTHER_LOOKS), drawn):
            yield at(day, moment), self._tick
        if weekday or self.random.random() < 0.1:
            yield at(day, time(9, 41)), self._list
            for moment in SESSIONS:
                yield at(day, moment), self._session
            if self.random.random() < 0.4:
                yield at(day, time(16, 3)), self._desk
        if self.random.random() < 0.1:
            yield at(day, time(20, 47)), self._session
        if day in self._orders:
            yield at(day, time(self.random.randrange(24), 11, 11)), self._order
        if day in self._tables:
            yield at(day, time(self.random.randrange(7, 20), 13, 13)), self._load

    # -- the clock

    async def _tick(self, now: datetime) -> None:
        if not self._away(now):
            await self._look(now, workers=2 if self.random.random() < 0.3 else 1)

    def _away(self, now: datetime) -> bool:
        return any(outage.first <= now <= outage.last for outage in self.run.outages)

    async def _look(self, now: datetime, workers: int) -> None:
        self.run.log.ticks.append(Tick(now, workers))
        if workers > 1:
            await asyncio.gather(*(clock.run_once(self.service, now) for _ in range(workers)))
        await clock.run_until_done(self.service, now)
        self.run.looks["two workers" if workers > 1 else "one worker"] += 1

    # -- people

    async def _list(self, now: datetime) -> None:
        for item_id in await self.newcomers.arrive(now):
            self._numbers[item_id] = len(self._numbers)
            self._alive[item_id] = self._diligence(item_id)

    async def _session(self, now: datetime) -> None:
        """People come round; now and then just when a worker looks."""
        raced = self.random.random() < 0.2 and not self._away(now)
        if raced:
            self.run.log.ticks.append(Tick(now, raced=True))
            await asyncio.gather(self._come_round(now), clock.run_once(self.service, now))
            await clock.run_until_done(self.service, now)
            self.run.looks["among people"] += 1
        else:
            await self._come_round(now)

    async def _come_round(self, now: datetime) -> None:
        lots = {item_id: self._lots(item_id, now) for item_id in (*self._alive, *self._closed)}
        visited = [item_id for item_id, likely in self._alive.items() if lots[item_id].random() < likely / 2]
        visited += [item_id for item_id in visited if lots[item_id].random() < 0.03]
        visited += nsmallest(1 + len(self._closed) // 100, self._closed, key=lambda item_id: lots[item_id].random())
        for start in range(0, len(visited), TOGETHER):
            group = [(item_id, Random(lots[item_id].getrandbits(64))) for item_id in visited[start : start + TOGETHER]]
            states = await asyncio.gather(
                *(come_round(self.service, self.county, *each, now, self.run.tally) for each in group)
            )
            for (item_id, _), state in zip(group, states, strict=True):
                self._known(item_id, state)

    def _lots(self, item_id: UUID, *of: datetime) -> Random:
        """What is drawn for an item, by nothing but the seed: whoever wins a race changes nothing for the others."""
        return Random(f"{self.size.seed} {self._numbers[item_id]} {of}")

    def _diligence(self, item_id: UUID) -> float:
        return self._lots(item_id).choice(DILIGENCE)

    async def _desk(self, now: datetime) -> None:
        await self.desk.work(now, list(self._alive))

    def _known(self, item_id: UUID, state: str) -> None:
        if state == "closed" and item_id in self._alive:
            del self._alive[item_id]
            self._closed.append(item_id)
        elif state != "closed" and item_id not in self._alive:
            self._alive[item_id] = self._diligence(item_id)
            self._closed.remove(item_id)

    # -- orders from above

    async def _first_policies(self) -> None:
        start = at(self.size.first, time()) - timedelta(days=1)
        for ledger_id in self.county.ledgers.values():
            ledger = await ledgers.read(self.service, Call.of(self.county.people.chief, start), ledger_id)
            self.run.log.policies.append(PolicyChange(start, str(ledger_id), ledger.policy))

    async def _order(self, now: datetime) -> None:
        code, policy = self._orders[now.astimezone(ZONE).date()]
        call, ledger_id = Call.of(self.county.people.chief, now), self.county.ledgers[code]
        version = (await ledgers.read(self.service, call, ledger_id)).version
        ledger = await ledgers.change(self.service, call, ledger_id, version, policy=policy)
        self.run.log.policies.append(PolicyChange(now, str(ledger_id), ledger.policy))

    async def _load(self, now: datetime) -> None:
        table = self._tables[now.astimezone(ZONE).date()]
        year = YearTable(table.workdays, table.holidays, table.complete)
        await calendars.put(self.service, Call.of(self.county.people.chief, now), table.year, year, None)
        self.run.log.calendars.append(CalendarChange(now, table))
