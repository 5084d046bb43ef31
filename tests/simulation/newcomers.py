"""Items that are listed: most as they are found, a good part on the first days, when the old ledgers are moved in."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from service.actions import listing
from service.actions.listing import Listing
from service.actions.references import Named
from service.actions.service import Call, Replay, Service
from service.workflow.items import DeadlineAsked, Draft
from tests.simulation.county import County, Size
from tests.simulation.days import GIVEN
from tests.simulation.people import Tally
from tests.simulation.workdays import ONE_DAY

MOVED_IN = 0.3
"""The part of all items that the first days bring."""

BATCH = 25

SOURCES = ("inspection", "inspection", "petition", "media", "audit", "other")
CATEGORIES = (None, "饮水", "道路", "住房")


class Newcomers:
    """Which items are listed on which day; drawn beforehand."""

    def __init__(self, service: Service, county: County, size: Size, tally: Tally) -> None:
        self.service, self.county, self.tally = service, county, tally
        self._zone = county.people.head.timezone
        self.random = Random(size.seed + 1)
        self._days: dict[date, int] = defaultdict(int)
        length = (size.last - size.first).days
        for n in range(size.items):
            # People list on working days; what was drawn for another waits for the next.
            day = size.first + timedelta(days=self.random.randrange(4 if n < MOVED_IN * size.items else length - 10))
            while day.weekday() >= 5:
                day += ONE_DAY
            self._days[day] += 1

    async def arrive(self, now: datetime) -> list[UUID]:
        call = Call.of(self.county.people.head, now)
        waiting = self._days.pop(call.today, 0)
        drafts = [self._draft(call.today) for _ in range(waiting)]
        arrived: list[UUID] = []
        for start in range(0, len(drafts), BATCH):
            listed = await self.tally.attempt("list", listing.create(self.service, call, drafts[start : start + BATCH]))
            if listed is not None and not isinstance(listed, Replay):
                arrived += [view.item.id for view in listed]
        return arrived

    def _draft(self, today: date) -> Listing:
        random = self.random
        listed_at = found_on = None
        if random.random() < 0.25:
            listed_on = today - timedelta(days=random.randint(1, 60))
            listed_at = datetime(listed_on.year, listed_on.month, listed_on.day, 12, tzinfo=self._zone)
        if random.random() < 0.5:
            found_on = today - timedelta(days=random.randint(0, 20))
        closed_on = today if listed_at is not None and random.random() < 0.1 else None
        return Listing(
            draft=Draft(
                title="模拟问题",
                severity=random.choice(("general", "general", "serious", "critical")),
                source_kind=random.choice(SOURCES),
                category=random.choice(CATEGORIES),
                found_on=found_on,
                listed_at=listed_at,
                deadline=self._deadline(today),
                closed_on=closed_on,
                closed_note="已办结" if closed_on else None,
            ),
            ledger=Named(random.choice(("default", "default", "safety")), "/ledger"),
            responsible=Named(random.choice(self.county.units), "/responsible_unit"),
            supervising=Named("root", "/supervising_unit") if random.random() < 0.1 else None,
        )

    def _deadline(self, today: date) -> DeadlineAsked | None:
        drawn = self.random.random()
        if drawn < 0.55:
            return None
        if drawn < 0.75:
            return DeadlineAsked("date", today + timedelta(days=self.random.randint(-20, 60)), GIVEN)
        if drawn < 0.9:
            return DeadlineAsked("immediate", None, "立行立改")
        return DeadlineAsked("standing", None, "长期坚持")
