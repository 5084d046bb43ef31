"""The clock's look at items: what has come due is done, through the same door that people use.

A look takes up to BATCH items of one tenant, in the order of their ledgers and units, and is one transaction: rungs,
the notices that they share, escalations, and when to look again.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from service.actions import entries, schedule
from service.actions.entries import Entry
from service.actions.facts import case_of
from service.actions.grounds import ground_of
from service.actions.issuing import Sheet, issue
from service.actions.marking import fired, skip
from service.actions.service import Call, Service, new_id
from service.errors import Refused
from service.store import firings, ledgers, timers, units
from service.store.database import Blocked, Changes, Tx
from service.workflow import clock_events, ladder
from service.workflow.access import Caller, Home
from service.workflow.events import Actor
from service.workflow.guards import Command
from service.workflow.items import Item
from service.workflow.ladder import Look, Meeting
from service.workflow.permissions import CLOCK
from service.workflow.rungs import NOTICES
from service.workflow.states import AnchorKind, PrincipalKind, Trigger

BATCH = 200
"""Items that one look takes at most: so long others may wait for a counter or, on SQLite, for the writer."""

PUT_OFF = timedelta(minutes=10)
"""How long the clock lets an item be at which a look fails: it would come first in every batch until it is mended."""

ACTOR = Actor(None, "clock")
NOBODY = UUID(int=0)

log = structlog.get_logger("xiaohao.clock")


class ClockCall(Call):
    """A call behind which nobody stands but time."""

    __slots__ = ()

    @property
    def actor(self) -> Actor:
        return ACTOR


def clock_call(home: Home, now: datetime) -> ClockCall:
    caller = Caller(
        tenant_id=home.tenant_id, timezone=home.timezone, hashing=home.hashing, principal_id=NOBODY, name=ACTOR.name,
        kind=PrincipalKind.PERSON, active=True, grants=(), expires_at=None,
    )  # fmt: skip
    return ClockCall(caller=caller, now=now, today=now.astimezone(home.timezone).date(), grants=())


@dataclass(slots=True)
class Tally:
    """What looks did. `fired` by action, `skipped` by reason; `failed` items a look could not be taken at.

    `forwarded` items a change made to be looked at, in `steps` that each went past many more.
    """

    looked: int = 0
    failed: int = 0
    steps: int = 0
    forwarded: int = 0
    passed: int = 0
    rescheduled: int = 0
    notices: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def busy(self) -> bool:
        """Whether there was anything to do, so that there may be more."""
        return bool(self.looked or self.steps)

    def add(self, other: "Tally") -> None:
        self.looked += other.looked
        self.failed += other.failed
        self.steps += other.steps
        self.forwarded += other.forwarded
        self.passed += other.passed
        self.rescheduled += other.rescheduled
        self.notices += other.notices
        self.fired += other.fired
        self.skipped += other.skipped


async def fire(service: Service, home: Home, now: datetime, limit: int = BATCH) -> Tally:
    """Look at up to `limit` items of a tenant that are due, and that nobody else has in hand.

    Where that fails they are looked at one by one, so that only those at fault are left: these are logged, counted and
    put off. Refuses `unavailable` where the database is away, or somebody holds the tree or a counter for too long.
    """

    async def take(tx: Tx) -> list[Item]:
        return await timers.take(tx, home.tenant_id, now, limit)

    try:
        return await _look(service, home, now, take)
    except Exception as error:
        if unavailable(error):
            raise
        log.exception("a look failed and is done item by item", tenant=str(home.tenant_id))
        return await _one_by_one(service, home, now, limit)


def unavailable(error: Exception) -> bool:
    """Whether it is nobody's fault, and the same may succeed a moment later."""
    return isinstance(error, Refused) and error.code == "unavailable"


async def _one_by_one(service: Service, home: Home, now: datetime, limit: int) -> Tally:
    async def due(tx: Tx) -> list[UUID]:
        return [row[0] for row in await tx.all(timers.DUE_IDS, tenant_id=home.tenant_id, now=now, limit=limit)]

    tally = Tally()
    for item_id in await service.read(due):

        async def take(tx: Tx, item_id: UUID = item_id) -> list[Item]:
            return await timers.take_one(tx, home.tenant_id, now, item_id)

        try:
            tally.add(await _look(service, home, now, take))
        except Exception as error:
            if unavailable(error):
                raise
            log.error("a look at an item failed", tenant=str(home.tenant_id), item=str(item_id), error=repr(error))
            await _put_off(service, home, now, item_id)
            tally.add(Tally(looked=1, failed=1))
    return tally


async def _put_off(service: Service, home: Home, now: datetime, item_id: UUID) -> None:
    async def action(tx: Tx) -> None:
        changes = Changes()
        key = {"tenant_id": home.tenant_id, "item_id": item_id}
        changes.add(timers.PUT_OFF, **key, now=now, new_look_at=now + PUT_OFF)
        await tx.apply(changes)

    await service.database.write(action)


async def _look(service: Service, home: Home, now: datetime, take: Callable[[Tx], Awaitable[list[Item]]]) -> Tally:
    """One look at the items that `take` takes. Refuses as `fire` does, and raises what any of them raises."""

    async def action(tx: Tx) -> Tally:
        changes = Changes()
        call = await schedule.hold_tree(tx, changes, clock_call(home, now))
        taken = await take(tx)
        tally = Tally(looked=len(taken))
        if not taken:
            return tally
        found = await looks(tx, call, taken)
        sheets = await _fire_all(tx, call, found, tally)
        tally.notices = len(await issue(tx, changes, call, sheets))
        written = [entry for entry, _ in found]
        entries.store(changes, call, written)
        for entry in written:
            if entry.empty:
                schedule.follow(changes, call, entry.read, entry.after, entry.policy, entry.done)
        await tx.apply(changes.merged())
        return tally

    try:
        return await service.database.write(action, locking=True)
    except Blocked:
        raise Refused("unavailable") from None


async def looks(tx: Tx, call: Call, taken: list[Item]) -> list[tuple[Entry, Look]]:
    """Each item with what a look at it finds; planned anew before it is judged."""
    done = await firings.of_items(tx, call.tenant_id, [item.id for item in taken])
    policies = {}
    for ledger_id in {item.ledger_id for item in taken}:
        ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
        if ledger is None:
            raise LookupError(f"ledger {ledger_id} is gone")
        policies[ledger_id] = ledgers.remember(call.tenant_id, ledger), ledger.policy_epoch
    found = []
    for item in taken:
        policy, epoch = policies[item.ledger_id]
        entry = Entry.of(call, item, policy, epoch)
        entry.done = done.get((item.id, item.cycle), set())
        ground = ground_of(policy, call.calendar, call.tz)
        found.append((entry, ladder.look(entry.after, ground, call.now, entry.done)))
    return found


async def _fire_all(tx: Tx, call: Call, found: list[tuple[Entry, Look]], tally: Tally) -> list[Sheet]:
    overseers = {entry.after.supervising_unit_id for entry, look in found if look.fires or look.escalation}
    lines = await units.lines(tx, call.tenant_id, overseers)
    sheets: dict[tuple[object, ...], Sheet] = {}
    for entry, look in found:
        tally.rescheduled += any(draft.type == "item.rescheduled" for draft in entry.drafts)
        if look.passed is not None:
            tally.passed += 1
            entry.change({"passed_on": look.passed}, clock_events.deadline_passed(entry.after, look.passed))
        for met, why in look.skips:
            tally.skipped[why] += 1
            skip(call, entry, met, why)
        for met in (*look.fires, *([look.escalation] if look.escalation else [])):
            tally.fired[met.rung.action] += 1
            sheet = _cover(entry, met, sheets)
            notified = _notified(entry.after, met, lines)
            if sheet is not None:
                sheet.cover(entry, met.rung.code, notified)
            fired(call, entry, met, sheet.id if sheet else None, notified)
            if met is look.escalation and sheet is not None and not sheet.draft:
                _escalate(call, entry, met, sheet)
    return list(sheets.values())


def _cover(entry: Entry, met: Meeting, sheets: dict[tuple[object, ...], Sheet]) -> Sheet | None:
    """The notice of this look that the rung belongs on; None where it only notifies."""
    kind = NOTICES.get(met.rung.action)
    if kind is None:
        return None
    item = entry.after
    key = (item.ledger_id, item.responsible_unit_id, item.supervising_unit_id, kind, met.rung.confirm)
    sheet = sheets.get(key)
    if sheet is None:
        sheet = sheets[key] = Sheet.about(entry, kind, draft=met.rung.confirm)
    return sheet


def _notified(item: Item, met: Meeting, lines: dict[UUID, tuple[UUID, ...]]) -> tuple[UUID, ...]:
    """The units that a rung notifies; `parent` is the one above the supervising unit, at the root that itself."""
    above = lines[item.supervising_unit_id]
    meant = {
        "responsible": item.responsible_unit_id,
        "supervising": item.supervising_unit_id,
        "parent": (above[1:] or above)[0],
    }
    return tuple(dict.fromkeys(meant[name] for name in met.rung.notify))


LATE: Mapping[str, str] = {AnchorKind.DUE: "到期未办结", AnchorKind.CLAIM_DUE: "逾期未认领"}
"""What an escalation is for, by the day from which its rung counts; no rung that counts from another escalates."""


def _escalate(call: Call, entry: Entry, met: Meeting, sheet: Sheet) -> None:
    case = case_of(call, entry.after, CLOCK, entry.policy, None)
    command = Command(trigger=Trigger.ESCALATE.value, reason=f"{LATE[met.anchor.kind]}，按规则 {met.rung.code} 约谈")
    entry.advance(call, case, command, new_id=new_id, notice_id=sheet.id)


# -- what is waiting


async def due_tenants(service: Service, now: datetime) -> list[Home]:
    """The tenants that have something to look at."""

    async def action(tx: Tx) -> list[Home]:
        return await timers.due_tenants(tx, now)

    return await service.read(action)
