"""Bringing the demo county to life: every item goes through the same actions that the API calls, on its own days."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from service.actions import interviews, listing, progress, tenants, transitions, unit_changes, units
from service.actions.doorkeeper import Doorkeeper
from service.actions.interviews import Minutes
from service.actions.listing import Listing
from service.actions.references import Named
from service.actions.service import Call, Replay, Service
from service.actions.tokens import Tokens
from service.actions.transitions import Move
from service.actions.unit_changes import Asked
from service.demo import county
from service.demo.county import ItemSeed
from service.workflow.access import Caller
from service.workflow.guards import Command, Verification
from service.workflow.items import Draft
from service.workflow.states import Role
from service.workflow.views import ItemView

SEED = 20260101
TOGETHER = 50
"""Items brought to life at the same time: their writes share commits."""

PEOPLE = {
    "supervisor": ("县督办专班", Role.SUPERVISOR, "root"),
    "deputy": ("县督办专班副组长", Role.SUPERVISOR, "root"),
    "responsible": ("各责任单位联络员", Role.RESPONSIBLE, "root"),
    "town": ("镇级督办员", Role.SUPERVISOR, "t01"),
    "village": ("村级联络员", Role.RESPONSIBLE, "t01v01"),
    "platform": ("县智慧治理平台", Role.PLATFORM, "root"),
    "viewer": ("县政府值班室", Role.VIEWER, "root"),
}


@dataclass(slots=True)
class Cast:
    """Who acts in the demo."""

    supervisor: Caller
    deputy: Caller
    responsible: Caller


async def load(service: Service, now: datetime) -> dict[str, str]:
    """Load the county into tenant `default`. The keys of its people, by name."""
    keys = await _people(service, now, {"admin": (county.COUNTY_NAME, Role.ADMIN, "root")})
    doorkeeper = Doorkeeper(service, Tokens(service))
    chief = await doorkeeper.admit(keys.pop("admin"), now=now, clock=0.0)
    call = Call.of(chief, now)
    (root_id,) = call.scope.units
    root = await units.read(service, call, root_id)
    await unit_changes.change(service, call, root.id, root.version, Asked(given={"name": county.COUNTY_NAME}))
    await _units(service, call)
    keys = await _people(service, now, PEOPLE)
    cast = Cast(**{name: await doorkeeper.admit(keys[name], now=now, clock=0.0) for name in Cast.__dataclass_fields__})
    seeds = county.items(Random(SEED))
    lived: dict[int, UUID] = {}
    plain = [(index, seed) for index, seed in enumerate(seeds) if seed.duplicate_of is None]
    twins = [(index, seed) for index, seed in enumerate(seeds) if seed.duplicate_of is not None]
    for group in (plain, twins):
        for start in range(0, len(group), TOGETHER):
            chunk = group[start : start + TOGETHER]
            ids = await asyncio.gather(*(_live(service, cast, seed, now, lived) for _, seed in chunk))
            lived.update({index: item_id for (index, _), item_id in zip(chunk, ids, strict=True)})
    return keys


async def _people(service: Service, now: datetime, people: dict[str, tuple[str, Role, str]]) -> dict[str, str]:
    keys = {}
    for name, (title, role, unit) in people.items():
        key = await tenants.create_key(
            service, tenant=tenants.DEFAULT_TENANT, principal=title, role=role, unit_code=unit, now=now
        )
        if key is None:
            raise LookupError(f"the demo county has no unit {unit}")
        keys[name] = key
    return keys


async def _units(service: Service, call: Call) -> None:
    """Parents come before their children; the children of one level together."""
    seeds = county.units()
    for levels in (("town", "department"), ("village",)):
        chosen = [seed for seed in seeds if seed.level in levels]
        for start in range(0, len(chosen), TOGETHER):
            await asyncio.gather(
                *(
                    units.create(
                        service, call, code=seed.code, name=seed.name, parent=Named(seed.parent or "root", "/parent"),
                        level=seed.level,
                    )
                    for seed in chosen[start : start + TOGETHER]
                )
            )  # fmt: skip


class _Life:
    """One item on its way: the clock of its own days, and who does what on them."""

    def __init__(self, service: Service, cast: Cast, seed: ItemSeed, now: datetime) -> None:
        self.service, self.cast, self.seed, self.now = service, cast, seed, now
        zone = cast.supervisor.timezone
        today = now.astimezone(zone).date()
        listed_on = today - timedelta(days=seed.listed_days_ago)
        self.at = min(datetime.combine(listed_on, time(9, 30), zone).astimezone(UTC), now - timedelta(hours=1))
        self.item: ItemView | None = None

    def later(self, days: int) -> None:
        """Move on, never past the present."""
        self.at = min(self.at + timedelta(days=days), self.now - timedelta(seconds=1))

    def until(self, day: date) -> None:
        zone = self.cast.supervisor.timezone
        self.at = max(
            self.at, min(datetime.combine(day, time(15), zone).astimezone(UTC), self.now - timedelta(seconds=1))
        )

    @property
    def today(self) -> date:
        return self.at.astimezone(self.cast.supervisor.timezone).date()

    @property
    def view(self) -> ItemView:
        if self.item is None:
            raise LookupError("not listed yet")
        return self.item

    @property
    def due(self) -> date:
        return self.view.item.deadline_day or self.today

    async def list(self) -> None:
        seed = self.seed
        new = Listing(
            draft=Draft(
                title=seed.title, description=seed.description, category=seed.category, severity=seed.severity,
                source_kind=seed.source_kind, source_ref=seed.source_ref, responsible_person=seed.responsible_person,
                goal=seed.goal, measures=seed.measures, labels=seed.labels, found_on=self.today,
            ),
            ledger=Named("default", "/ledger"),
            responsible=Named(seed.responsible_unit, "/responsible_unit"),
            co_units=tuple(Named(code, "/co_units") for code in seed.co_units),
        )  # fmt: skip
        views = await listing.create(self.service, Call.of(self.cast.supervisor, self.at), [new])
        self.item = None if isinstance(views, Replay) else views[0]

    async def fire(self, who: Caller, command: Command, responsible: Named | None = None) -> None:
        call = Call.of(who, self.at)
        moved = await transitions.advance(self.service, call, self.view.item.id, Move(command, responsible), None)
        if not isinstance(moved, Replay):
            self.item = moved

    async def claim(self) -> None:
        await self.fire(self.cast.responsible, Command(trigger="claim", signed_by=self.seed.responsible_person))

    async def report(self, text: str, percent: int) -> None:
        call = Call.of(self.cast.responsible, self.at)
        await progress.report(self.service, call, self.view.item.id, text, percent)

    async def close(self) -> None:
        check = Verification("on_site", self.today, "现场核验，问题已解决，群众认可。")
        await self.fire(self.cast.supervisor, Command(trigger="close", verification=check))

    async def escalate(self) -> None:
        await self.fire(self.cast.supervisor, Command(trigger="escalate", reason="逾期未整改，约谈责任人。"))

    async def talk(self) -> None:
        talk_id = self.view.item.interview_id
        if talk_id is None:
            raise LookupError("no interview was opened")
        record = Minutes(self.today, (self.seed.responsible_person,), "责任单位说明逾期原因。", "按新期限完成。")
        await interviews.record(self.service, Call.of(self.cast.deputy, self.at), talk_id, record)


async def _live(service: Service, cast: Cast, seed: ItemSeed, now: datetime, lived: dict[int, UUID]) -> UUID:
    """Take one item to its fate."""
    life = _Life(service, cast, seed, now)
    await life.list()
    await _FATES[seed.fate](life, lived)
    return life.view.item.id


async def _stay_open(life: _Life, lived: dict[int, UUID]) -> None:
    """Nobody has signed for it yet."""


async def _rectify(life: _Life, lived: dict[int, UUID]) -> None:
    life.later(1)
    await life.claim()
    life.later(2)
    await life.report("已制定整改方案，明确责任人和时间节点。", 20)


async def _extend(life: _Life, lived: dict[int, UUID]) -> None:
    await _rectify(life, lived)
    life.until(life.due - timedelta(days=2))
    new_due = max(life.due, life.today) + timedelta(days=45)
    await life.fire(
        life.cast.supervisor, Command(trigger="extend", due_on=new_due, reason="受汛期影响，施工推迟，同意延期。")
    )


async def _escalate(life: _Life, lived: dict[int, UUID]) -> None:
    await _rectify(life, lived)
    life.until(life.due + timedelta(days=10))
    await life.escalate()


async def _resume(life: _Life, lived: dict[int, UUID]) -> None:
    await _escalate(life, lived)
    life.later(3)
    await life.talk()
    life.later(1)
    new_due = life.now.astimezone(life.cast.supervisor.timezone).date() + timedelta(days=20)
    await life.fire(life.cast.supervisor, Command(trigger="resume", due_on=new_due))


async def _close(life: _Life, lived: dict[int, UUID]) -> None:
    await _rectify(life, lived)
    life.later(2 + len(life.seed.title) % 12)
    await life.report("整改措施已全部落实，申请核验。", 100)
    life.later(2)
    await life.close()


async def _reopen(life: _Life, lived: dict[int, UUID]) -> None:
    await _close(life, lived)
    life.until(life.now.astimezone(UTC).date() - timedelta(days=2))
    await life.fire(
        life.cast.supervisor,
        Command(trigger="reopen", due_on=life.today + timedelta(days=15), reason="回头看发现问题反弹，重新列入整改。"),
    )


async def _transfer(life: _Life, lived: dict[int, UUID]) -> None:
    life.later(1)
    await life.claim()
    life.later(1)
    unit = Named(life.seed.co_units[0], "/responsible_unit")
    await life.fire(
        life.cast.supervisor, Command(trigger="transfer", reason="职责不符，转由主管部门整改。"), responsible=unit
    )


async def _annul(life: _Life, lived: dict[int, UUID]) -> None:
    life.later(1)
    await life.fire(life.cast.deputy, Command(trigger="annul", reason="经核实不属实，予以作废。"))


async def _merge(life: _Life, lived: dict[int, UUID]) -> None:
    life.later(1)
    original = lived[life.seed.duplicate_of or 0]
    await life.fire(
        life.cast.deputy, Command(trigger="annul", reason="与已列入的问题重复，合并处理。", duplicate_of=original)
    )


_FATES = {
    "open": _stay_open,
    "rectifying": _rectify,
    "overdue": _rectify,
    "extended": _extend,
    "escalated": _escalate,
    "resumed": _resume,
    "closed": _close,
    "reopened": _reopen,
    "transferred": _transfer,
    "annulled": _annul,
    "duplicate": _merge,
}
