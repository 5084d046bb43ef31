"""What a courier does with the database: take deliveries that are due, and write down what became of them.

Taking is a lease in a transaction of its own, so nothing is locked while something is sent. A courier that comes back
after its lease writes nothing: whoever has the lane by then tries its deliveries again.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service.actions.carrying import attempt_of
from service.actions.fanning import disable, lines_of, reach_of
from service.actions.service import Service
from service.actions.tales import tales
from service.store import deliveries, lanes, webhooks
from service.store.database import Changes, Tx
from service.store.lanes import Lane, Parcel
from service.workflow.channels import EVERY
from service.workflow.delivery import Outcome
from service.workflow.messages import Tale
from service.workflow.webhooks import Disabled, Reach, Status, Webhook, after_attempts, failing_for_long, hears

SECOND = timedelta(seconds=1)
RUNS_A_SECOND = 5
"""How often a courier may begin another run of a lane, each of the first of what waits in it."""

LEASE = timedelta(seconds=60)
"""Longer than what a courier has in hand can take, by far: only a crash is waited for."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A delivery of a run. `heard`: it is still for this endpoint. `tale` is what a channel's people are told."""

    parcel: Parcel
    heard: bool
    tale: Tale | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The first deliveries of a lane, in hand until `leased_until`; its order is theirs."""

    tenant_id: UUID
    webhook: Webhook
    lane_id: UUID
    leased_until: datetime
    stops: tuple[Stop, ...]


@dataclass(slots=True)
class Report:
    """What became of a run: attempts that arrived or not, deliveries as they are now, and when the lane is due again.

    `gone`: the endpoint says that it will take nothing any more.
    """

    run: Run
    next_at: datetime
    arrived: list[bool] = field(default_factory=list)
    written: list[tuple[UUID, str, list[dict[str, Any]], datetime | None]] = field(default_factory=list)
    gone: bool = False
    rests_until: datetime | None = None
    """Until when its channel is left alone, which was too fast for its robot."""
    put_off: int = 0
    """How often it could not be written, because somebody else held its lane."""

    def wrote(self, stop: Stop, status: str, outcome: Outcome | None, now: datetime) -> None:
        """A delivery after an attempt, or without one where it is not made."""
        attempts = list(stop.parcel.delivery.attempts)
        if outcome is not None:
            attempts.append(attempt_of(self.run.webhook, outcome, now))
        done_at = None if status == Status.PENDING else now
        self.written.append((stop.parcel.delivery.id, status, attempts, done_at))

    @property
    def finished(self) -> int:
        return sum(status != Status.PENDING for _, status, _, _ in self.written)


async def due(service: Service, now: datetime) -> list[tuple[UUID, Webhook]]:
    """The endpoints of all tenants that have something due and may be called, each with its tenant."""

    async def action(tx: Tx) -> list[tuple[UUID, Webhook]]:
        return await lanes.due(tx, now)

    return await service.read(action)


async def take(service: Service, tenant_id: UUID, webhook: Webhook, now: datetime, limit: int) -> list[Run]:
    """Up to `limit` runs for an endpoint, of a paused one and of a channel a single one.

    A channel gets them at its pace; and where an endpoint wants only so many a second, all couriers together take no
    more. An owner without grants has it disabled.
    """
    until, rate = now + LEASE, webhook.rate_limit
    if webhook.paused or webhook.for_people:
        limit = 1
    elif rate is not None:
        limit = min(limit, rate)

    async def pace(tx: Tx) -> bool:
        every = EVERY[webhook.format] if webhook.for_people else SECOND
        return await webhooks.pace(tx, tenant_id, webhook.id, now, now + every)

    async def probe(tx: Tx) -> bool:
        return await webhooks.probe(tx, tenant_id, webhook.id, now, until)

    async def lease(tx: Tx) -> list[UUID]:
        return await lanes.lease(tx, tenant_id, webhook.id, now, until, limit)

    async def look(tx: Tx) -> list[Stop] | None:
        reach = await reach_of(tx, tenant_id, webhook.owner_id, now)
        if reach is None:
            return None
        parcels = await lanes.parcels(tx, tenant_id, lane_ids)
        if webhook.for_people:
            return await _tellings(tx, service, tenant_id, webhook, reach, parcels, now)
        lines = await lines_of(tx, tenant_id, (each.audience for each in parcels))
        concerned = [[lines.get(unit, ()) for unit in each.audience] for each in parcels]
        return [
            Stop(each, hears(webhook, reach, each.delivery.type, its))
            for each, its in zip(parcels, concerned, strict=True)
        ]

    if (webhook.for_people or rate is not None) and not await service.database.write(pace):
        return []
    if webhook.paused and not await service.database.write(probe):
        return []
    lane_ids = await service.database.write(lease)
    if not lane_ids:
        return []
    stops = await service.read(look)
    if stops is None:
        await give_up(service, tenant_id, webhook.id, Disabled.NO_GRANTS, now)
        return []
    found: dict[UUID, list[Stop]] = defaultdict(list)
    for stop in stops:
        found[stop.parcel.delivery.lane_id].append(stop)
    if rate is not None:
        # Of one lane no more than goes out while a run lasts: what is left of it then would have used up its share.
        found = _within(found, max(len(found), rate // RUNS_A_SECOND))
        sent = sum(stop.heard for its in found.values() for stop in its)
        await _rest(service, tenant_id, webhook.id, now + SECOND * sent / rate)
    return [Run(tenant_id, webhook, lane_id, until, tuple(its)) for lane_id, its in found.items()]


async def _rest(service: Service, tenant_id: UUID, webhook_id: UUID, until: datetime) -> None:
    """Nobody sends there before its share has gone out."""

    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.add(webhooks.REST, tenant_id=tenant_id, webhook_id=webhook_id, new_paced_until=until)
        await tx.apply(changes)

    await service.database.write(action)


def _within(found: dict[UUID, list[Stop]], most: int) -> dict[UUID, list[Stop]]:
    """As many of these as fit, of each lane its first."""
    left = most - len(found)
    within = {}
    for lane_id, stops in found.items():
        within[lane_id] = stops[: 1 + left]
        left -= len(within[lane_id]) - 1
    return within


async def _tellings(
    tx: Tx, service: Service, tenant_id: UUID, channel: Webhook, reach: Reach, parcels: list[Parcel], now: datetime
) -> list[Stop]:
    """Each message with what it says now, as long as the channel's unit lies in its owner's scope."""
    unit_id = channel.unit_id
    lines = await lines_of(tx, tenant_id, [[unit_id]] if unit_id else [])
    sees = unit_id is not None and reach.scope.covers(lines.get(unit_id, ()))
    told = await tales(tx, tenant_id, channel, parcels, now, service.link) if sees else {}
    found = [(each, told.get(each.delivery.id)) for each in parcels]
    # One at a time, so that its pace is kept.
    return [Stop(each, tale is not None, tale) for each, tale in found[:1]]


async def give_up(service: Service, tenant_id: UUID, webhook_id: UUID, reason: str, now: datetime) -> None:
    """Disable an endpoint and say so; what waits for it goes on waiting."""

    async def action(tx: Tx) -> None:
        webhook = await webhooks.by_id(tx, tenant_id, webhook_id, hold=True)
        if webhook is None or not webhook.enabled:
            return
        changes = Changes()
        await disable(tx, changes, tenant_id, webhook, reason, now)
        await tx.apply(changes)

    await service.database.write(action, locking=True)


async def record(
    service: Service, reports: Iterable[Report], now: datetime, chance: float, *, wait: bool = False
) -> list[Report]:
    """Write down what became of some runs, in one transaction; those left over whose lanes somebody else holds now.

    A sequencer holds the lanes that it adds to until its commit. `wait`: until it has. `chance` lies in [0, 1).
    """
    by_webhook: dict[tuple[UUID, UUID], list[Report]] = defaultdict(list)
    for report in reports:
        by_webhook[report.run.tenant_id, report.run.webhook.id].append(report)

    async def action(tx: Tx) -> list[Report]:
        changes, left_over = Changes(), []
        for (tenant_id, webhook_id), own in sorted(by_webhook.items(), key=lambda each: each[0]):
            held = await lanes.held(tx, tenant_id, [each.run.lane_id for each in own], wait=wait)
            good, others = _by_lease(own, held)
            if others:
                seen = await lanes.seen(tx, tenant_id, [each.run.lane_id for each in others])
                left_over += _by_lease(others, seen)[0]
            if good:
                await _fared(tx, changes, tenant_id, webhook_id, good, now, chance)
                _write(changes, tenant_id, webhook_id, good, held)
        await tx.apply(changes.merged())
        return left_over

    # From the first with locks: what is counted in a lane must not grow while it is written.
    return await service.database.write(action, locking=True)


def _by_lease(reports: list[Report], found: dict[UUID, Lane]) -> tuple[list[Report], list[Report]]:
    """Those whose lane is there under their lease, and those whose lane was not found.

    Whoever lost the lease is neither: what it says does not count.
    """
    there = [each for each in reports if each.run.lane_id in found]
    good = [each for each in there if found[each.run.lane_id].next_at == each.run.leased_until]
    return good, [each for each in reports if each.run.lane_id not in found]


async def _fared(
    tx: Tx, changes: Changes, tenant_id: UUID, webhook_id: UUID, reports: list[Report], now: datetime, chance: float
) -> None:
    """How the endpoint fares after these attempts."""
    rests = [report.rests_until for report in reports if report.rests_until is not None]
    if rests:
        changes.add(webhooks.REST, tenant_id=tenant_id, webhook_id=webhook_id, new_paced_until=max(rests))
    attempts = [(arrived, report.run.webhook.paused) for report in reports for arrived in report.arrived]
    gone = any(report.gone for report in reports)
    if all(arrived for arrived, _ in attempts) and not gone:
        if attempts and any(report.run.webhook.failures for report in reports):
            changes.add(webhooks.RECOVER, tenant_id=tenant_id, webhook_id=webhook_id)
        return
    webhook = await webhooks.by_id(tx, tenant_id, webhook_id, hold=True)
    if webhook is None:
        return
    after = after_attempts(webhook, attempts, now, chance)
    reason = Disabled.GONE if gone else Disabled.FAILING if failing_for_long(after, now) else None
    if webhook.enabled and reason is not None:
        await disable(tx, changes, tenant_id, webhook, reason, now, faring=after)
    else:
        changes.add(webhooks.FARE, **webhooks.faring(tenant_id, after))


def _write(changes: Changes, tenant_id: UUID, webhook_id: UUID, reports: list[Report], held: dict[UUID, Lane]) -> None:
    """The deliveries as they are now, and what is left of their lanes."""
    key = {"tenant_id": tenant_id, "webhook_id": webhook_id}
    written = [
        {**key, "delivery_id": id_, "new_status": status, "new_attempts": attempts, "new_done_at": done_at}
        for report in reports
        for id_, status, attempts, done_at in report.written
    ]
    left = {report.run.lane_id: held[report.run.lane_id].pending - report.finished for report in reports}
    moved = [
        {"tenant_id": tenant_id, "lane_id": report.run.lane_id, "new_pending": count, "new_next_at": report.next_at}
        for report in reports
        if (count := left[report.run.lane_id]) > 0
    ]
    empty = [lane_id for lane_id, count in left.items() if count <= 0]
    changes.many(deliveries.RECORD, list(written))
    changes.many(lanes.MOVE, list(moved))
    if empty:
        changes.add(lanes.EMPTY, tenant_id=tenant_id, lane_ids=empty)
