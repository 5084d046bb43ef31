"""What the service says of figures, held against what is counted plainly from the events (tests/plain_figures.py)."""

import math
import statistics as standard
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from service.actions import figuring, sequencing, statistics
from service.actions.operator import operator_call
from service.actions.references import Named
from service.actions.service import Call, Service
from service.actions.statistics import START, Asked
from service.composition import running
from service.settings import Settings
from service.workflow.summing import Period
from tests.checks.everything import Everything, everything, told
from tests.plain_figures import Hit, Told, count
from tests.simulation import simulated
from tests.simulation.county import TINY

ZONE = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)
TENANT = "default"

COUNTS = (
    "listed", "claims_due", "claimed_on_time", "closed", "fell_due", "closed_on_time", "overdue", "rectifying",
    "extended", "extended_late", "closures_decided", "closures_returned", "reopened", "interviews_held", "annulled",
    "annulled_overdue",
)  # fmt: skip
RATES = {
    "claim_rate": ("claimed_on_time", "claims_due"), "on_time_rate": ("closed_on_time", "fell_due"),
    "extension_rate": ("extended", "rectifying"), "late_extension_rate": ("extended_late", "rectifying"),
    "return_rate": ("closures_returned", "closures_decided"), "recurrence_rate": ("reopened", "closed"),
}  # fmt: skip
FIELDS = {"unit": "unit_id", "ledger": "ledger_id", "source": "source", "severity": "severity"}


@dataclass
class Sight:
    """A database at rest: its events, its tree, and a day on which its figures are read."""

    service: Service
    call: Call
    events: list[Told]
    parents: dict[str, str | None]
    ledgers: list[str]
    categories: dict[str, str | None]

    @classmethod
    async def of(cls, settings: Settings, service: Service, now: datetime | None = None) -> "Sight":
        """As of the last event, unless told."""
        found = await everything(settings)
        events = told_in(found)
        last = max(event.at for event in events)
        call = await operator_call(service, TENANT, now or last + timedelta(minutes=1))
        assert call is not None
        return cls(
            service,
            call,
            events,
            {str(row["id"]): str(row["parent_id"]) if row["parent_id"] else None for row in found["units"]},
            [str(row["id"]) for row in found["ledgers"]],
            {str(row["id"]): row["category"] for row in found["items"]},
        )

    @property
    def days(self) -> tuple[date, date]:
        days = [event.at.astimezone(ZONE).date() for event in self.events]
        return min(days), max(days)

    def line(self, unit: str | None) -> Iterator[str]:
        while unit is not None:
            yield unit
            unit = self.parents[unit]

    # -- what there should be

    def hits(self, asked: Asked) -> list[Hit]:
        """What the figures of a question count, plainly."""
        found = count(self.events, asked.period.first, asked.period.last, self.call.today, ZONE)
        ledgers = {str(named.ref) for named in asked.ledgers}
        return [
            hit
            for hit in found
            if self._in_unit(hit, asked)
            and (not ledgers or hit.ledger_id in ledgers)
            and (not asked.severities or hit.severity in asked.severities)
            and (not asked.sources or hit.source in asked.sources)
            and (asked.category is None or self.categories[hit.item_id] == asked.category)
        ]

    def _in_unit(self, hit: Hit, asked: Asked) -> bool:
        if asked.unit is None:
            return True
        unit = str(asked.unit.ref)
        return hit.unit_id == unit if asked.alone else unit in self.line(hit.unit_id)

    def expected(self, asked: Asked, by: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """A table's rows by key, without those that have nothing, and its total."""
        hits = self.hits(asked)
        groups: dict[str, list[Hit]] = defaultdict(list)
        if by == "month":
            for first, last in months(asked.period):
                counted = self.hits(replace(asked, period=Period(first, last)))
                to_come = f"{first:%Y-%m}" > f"{self.call.today:%Y-%m}"
                # What lasts now tells nothing of months to come.
                if not to_come or any(hit.figure not in ("overdue", "rectifying") for hit in counted):
                    groups[f"{first:%Y-%m}"] = counted
        else:
            for hit in hits:
                groups[self._key(hit, asked, by)].append(hit)
        return {key: summed(group) for key, group in groups.items() if group}, summed(hits)

    def _key(self, hit: Hit, asked: Asked, by: str) -> str:
        if by != "unit":
            return str(getattr(hit, FIELDS[by]))
        top = (
            str(asked.unit.ref) if asked.unit is not None else next(u for u, above in self.parents.items() if not above)
        )
        line = list(self.line(hit.unit_id))
        place = line.index(top)
        return line[max(0, place - 1)]

    # -- what there is

    async def differences(self, asked: Asked, by: str) -> list[str]:
        """Where a table, or the items behind it, is not as it should be."""
        rows, total = self.expected(asked, by)
        table = await statistics.read(self.service, self.call, asked, by)
        found = {
            f"{row.key:%Y-%m}" if isinstance(row.key, date) else str(row.key): row.figures
            for row in table.rows
            # Units and months may have nothing; a row of anything else is there because it has something.
            if (by not in ("unit", "month") or any(row.figures[name] for name in COUNTS))
            and (by != "month" or not _only_lasts(row.figures) or f"{row.key:%Y-%m}" <= f"{self.call.today:%Y-%m}")
        }
        name = f"{by} {asked}"
        sentences = [
            f"{name}: {key} has {figure} {found.get(key, {}).get(figure)}, plainly {rows.get(key, {}).get(figure)}"
            for key in found.keys() | rows.keys()
            for figure in total
            if found.get(key, {}).get(figure) != rows.get(key, {}).get(figure)
        ]
        sentences += [
            f"{name}: in all {figure} {table.total[figure]}, plainly {total[figure]}"
            for figure in total
            if table.total[figure] != total[figure]
        ]
        return sentences

    async def lineage(self, asked: Asked, limit: int) -> list[str]:
        """Where the items that a count names are not those that it counts."""
        plainly: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for hit in self.hits(asked):
            plainly[hit.figure].append((hit.item_id, hit.cycle, hit.unit_id, hit.severity, hit.source))
        sentences = []
        for figure in COUNTS:
            named: list[tuple[Any, ...]] = []
            after, places = START, []
            while page := await statistics.items(self.service, self.call, asked, figure, after, limit):
                for each in page:
                    of = each.counted
                    named += [(str(of.item_id), of.cycle, str(of.unit_id), of.severity, of.source)] * of.count
                    places.append(each.place)
                after = page[-1].place
            if sorted(named) != sorted(plainly[figure]):
                sentences.append(f"{asked}: {figure} names {sorted(named)}, plainly {sorted(plainly[figure])}")
            if places != sorted(set(places)):
                sentences.append(f"{asked}: {figure} names what it names twice, or in disorder")
        return sentences

    # -- questions

    def questions(self, seed: int, number: int) -> Iterator[tuple[Asked, str]]:
        """What might be asked, drawn from a seed: periods of every kind, narrowed in every way."""
        random = Random(seed)
        first, last = self.days
        whole = Period(first - timedelta(days=400), last + timedelta(days=400))
        sources = sorted({hit.source for hit in self.hits(Asked(period=whole))})
        for _ in range(number):
            asked = Asked(period=random.choice((whole, *(self._period(random) for _ in range(5)))))
            if random.random() < 0.5:
                unit = random.choice(list(self.parents))
                asked = replace(asked, unit=Named(UUID(unit), "/query/unit"), alone=random.random() < 0.2)
            if random.random() < 0.2:
                ledger = random.choice(self.ledgers)
                asked = replace(asked, ledgers=(Named(UUID(ledger), "/query/ledger"),))
            if random.random() < 0.2:
                asked = replace(asked, severities=tuple(random.sample(("general", "serious", "critical"), 2)))
            if random.random() < 0.2:
                asked = replace(asked, sources=tuple(random.sample(sources, 1)))
            if random.random() < 0.1:
                asked = replace(asked, category=random.choice([*self.categories.values(), "没有"]))
            yield asked, random.choice(("unit", "unit", "ledger", "month", "month", "source", "severity"))

    def _period(self, random: Random) -> Period:
        first, last = self.days
        begins = first + timedelta(days=random.randrange((last - first).days + 1))
        if random.random() < 0.5:
            begins = begins.replace(day=1)
        ends = begins + timedelta(days=random.choice((0, 1, 6, 29, 45, 100, 200)))
        if random.random() < 0.5:
            ends = (ends.replace(day=1) + timedelta(days=31)).replace(day=1) - ONE_DAY
        return Period(begins, ends)


def _only_lasts(figures: dict[str, Any]) -> bool:
    return not any(figures[name] for name in COUNTS if name not in ("overdue", "rectifying"))


def told_in(found: Everything) -> list[Told]:
    return [
        Told(str(row["item_id"]), row["revision"], row["ordinal"], row["type"], row["at"].astimezone(UTC),
             told(row)["data"])
        for row in found["events"]
    ]  # fmt: skip


def months(period: Period) -> Iterator[tuple[date, date]]:
    first = period.first
    while first <= period.last:
        last = (first.replace(day=1) + timedelta(days=31)).replace(day=1) - ONE_DAY
        yield first, min(last, period.last)
        first = last + ONE_DAY


def summed(hits: list[Hit]) -> dict[str, Any]:
    """Every figure from what is counted."""
    found: dict[str, Any] = {name: sum(hit.figure == name for hit in hits) for name in COUNTS}
    for name, (part, whole) in RATES.items():
        found[name] = round(found[part] / found[whole], 4) if found[whole] else None
    took = sorted(hit.days for hit in hits if hit.figure == "closed")
    found["median_days_to_close"] = standard.median(took) if took else None
    found["p90_days_to_close"] = took[math.ceil(len(took) * 0.9) - 1] if took else None
    return found


# -- a county that has lived

QUESTIONS, QUESTIONS_IN_FULL = 15, 400


async def lived(settings: Settings) -> None:
    """Let the simulation's county live; give its events positions in small batches, sum up a part of the counts."""
    await simulated.county(settings, TINY)
    async with running(settings) as service:
        (tenant_id,) = await sequencing.busy_tenants(service)
        while await sequencing.sequence(service, tenant_id, datetime.now(UTC), limit=37):
            pass
        for _ in ("know the tree", "sum up"):
            assert await figuring.sum_up(service, tenant_id, 700)


@asynccontextmanager
async def seen(settings: Settings) -> AsyncIterator[Sight]:
    async with running(settings) as service:
        yield await Sight.of(settings, service)


async def wrong(sight: Sight, number: int, seed: int = 1) -> list[str]:
    """What is not as it is counted plainly, of so many tables and the items behind them."""
    found = []
    for asked, by in sight.questions(seed, number):
        found += await sight.differences(asked, by)
        found += await sight.lineage(asked, limit=11)
    return found


async def is_wrong(sight: Sight) -> bool:
    """Whether anything is."""
    for asked, by in sight.questions(1, QUESTIONS):
        if await sight.differences(asked, by) or await sight.lineage(asked, limit=11):
            return True
    return False
