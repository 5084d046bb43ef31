"""Counting events as they get their positions, summing the counts up behind, and counting everything anew.

Whoever holds the head of a tenant's log counts: the sequencer what it has just given positions, a worker what the log
has already (after an upgrade, or at a rebuild). So nothing is counted twice, and nothing is left out.
"""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog
from pydantic_core import from_json, to_json

from service.actions.service import Service
from service.store import figure_clearing, figure_upkeep, figures, log
from service.store.database import Changes, Params, Tx
from service.store.figures import Logged
from service.store.log import Waiting
from service.workflow.counting import FOLLOWED, Happened, follow
from service.workflow.kept import Kept

logger = structlog.get_logger("xiaohao.figures")

BATCH = 1_000
"""Positions that are counted anew in one transaction."""

SUMMED = 2_000
"""Positions whose counts go into the sums in one transaction."""

WAIT_SECONDS = 0.05
"""Before a rebuild looks again where another holds the log."""


async def count(tx: Tx, changes: Changes, tenant_id: UUID, size: int, ordered: list[Waiting]) -> None:
    """Add what events count that get the positions after `size`; left to a worker where figures are not that far.

    Nor does a fault of ours keep events from their positions: the worker meets it again, and figures are refused.
    """
    happened = [
        Logged(position, event.item_id, event.type, event.at, event.body)
        for position, event in enumerate(ordered, size + 1)
        if event.item_id is not None and event.type in FOLLOWED
    ]
    known = await figures.kept(tx, tenant_id, {event.item_id for event in happened})
    if (known.counted or 0) != size:
        return
    try:
        counted = _count(tenant_id, known, happened)
    except Exception:
        logger.exception("not counted", tenant_id=str(tenant_id), position=size)
        return
    _store(changes, tenant_id, known, counted, size + len(ordered))


@dataclass(frozen=True, slots=True)
class _Counted:
    """What events have counted, and what is kept of their items now."""

    deltas: list[Params]
    states: dict[UUID, str]


def _count(tenant_id: UUID, known: figures.Kept, happened: list[Logged]) -> _Counted:
    after: dict[UUID, Kept | None] = {
        item_id: Kept.from_list(from_json(state)) for item_id, state in known.states.items()
    }
    rows: list[Params] = []
    for event in happened:
        item_id, data = event.item_id, from_json(event.body, cache_strings="keys")["data"]
        after[item_id], deltas = follow(after.get(item_id), Happened(event.type, event.at, data), known.tz)
        for ordinal, delta in enumerate(deltas):
            rows.append(figures.delta_params(tenant_id, event.position, ordinal, item_id, delta))
    states = {item_id: to_json(kept.to_list()).decode() for item_id, kept in after.items() if kept is not None}
    return _Counted(rows, states)


def _store(changes: Changes, tenant_id: UUID, known: figures.Kept, counted: _Counted, until: int) -> None:
    changes.many(figures.INSERT_DELTA, counted.deltas)
    figures.keep(changes, tenant_id, known.states, counted.states)
    figures.advance(changes, tenant_id, known.counted, until)


# -- behind the sequencer


async def behind(service: Service) -> list[UUID]:
    """The tenants with something left to count, or to sum up."""
    return await service.read(figure_upkeep.behind)


async def catch_up(service: Service, tenant_id: UUID, limit: int = BATCH) -> bool:
    """Count some of what the log has and figures have not, or throw away some of what is to be counted anew.

    Whether anything was done: not where nothing is left, nor where another holds the log.
    """

    async def action(tx: Tx) -> bool:
        head = await log.head(tx, tenant_id, take=tx.contended)
        if head is None:
            return False
        counted, changes = (await figures.kept(tx, tenant_id, ())).counted or 0, Changes()
        if counted == figure_clearing.CLEARED:
            await figure_clearing.clear(tx, changes, tenant_id)
        elif counted < head.size:
            until = min(counted + limit, head.size)
            happened = await figures.logged(tx, tenant_id, counted, until, FOLLOWED)
            known = await figures.kept(tx, tenant_id, {event.item_id for event in happened})
            _store(changes, tenant_id, known, _count(tenant_id, known, happened), until)
        else:
            return False
        await tx.apply(changes)
        return True

    return await service.database.write(action, locking=True)


async def sum_up(service: Service, tenant_id: UUID, limit: int = SUMMED) -> bool:
    """Add some counts to the sums. Whether anything was done: not where nothing is left, nor where another is at it."""

    async def action(tx: Tx) -> bool:
        changes = Changes()
        if not await figure_upkeep.sum_up(tx, changes, tenant_id, limit):
            return False
        await tx.apply(changes)
        return True

    return await service.database.write(action, locking=True)


# -- anew


async def rebuild(service: Service, tenant_id: UUID) -> int:
    """Count everything anew from the log, in the order of its positions; how many positions that were.

    Readers are refused meanwhile. Where this is broken off, the workers finish it.
    """

    async def forget(tx: Tx) -> None:
        # Held so that no sequencer is at work that goes by what is counted now.
        await tx.lock(figure_clearing.HOLD_LOG, tenant_id=tenant_id)
        changes = Changes()
        figure_clearing.forget(changes, tenant_id, (await figures.kept(tx, tenant_id, ())).counted)
        await tx.apply(changes)

    async def left(tx: Tx) -> bool:
        return tenant_id in await figure_upkeep.behind(tx)

    await service.database.write(forget, locking=True)
    while await service.read(left):
        if not await catch_up(service, tenant_id) and not await sum_up(service, tenant_id):
            await asyncio.sleep(WAIT_SECONDS)

    async def counted(tx: Tx) -> int:
        return (await figures.kept(tx, tenant_id, ())).counted or 0

    return await service.read(counted)
