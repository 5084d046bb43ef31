"""Positions for committed events: 1, 2, 3 ... for each tenant, without a gap, in an order that keeps each item's own.

Whatever follows events reads them by position only. So one that committed late has a late position, and none is missed.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from service.actions import fanning, figuring
from service.actions.service import Service
from service.store import log
from service.store.database import Changes, Tx
from service.store.log import Waiting
from service.workflow import merkle

BATCH = 500
"""Events that get their positions in one transaction, and few more."""


async def busy_tenants(service: Service) -> list[UUID]:
    """The tenants that have events without a position."""
    return await service.read(log.busy)


async def sequence(service: Service, tenant_id: UUID, now: datetime, limit: int = BATCH) -> int:
    """Give up to about `limit` events of a tenant their positions; how many that were.

    0 where another sequencer is at work on this tenant. Refuses `unavailable` where the database is away.
    """

    async def action(tx: Tx) -> int:
        head = await log.head(tx, tenant_id, take=tx.contended)
        if head is None:
            return 0
        waiting = await log.waiting(tx, tenant_id, limit)
        if not waiting:
            return 0
        hashing = merkle.HASHINGS[head.hashing]
        ordered = list(in_order(waiting))
        leaves = [(each.id, hashing.leaf(each.body)) for each in ordered]
        grown = merkle.extend(hashing, head.size, head.frontier, [leaf_hash for _, leaf_hash in leaves])
        changes = Changes()
        log.append(changes, tenant_id, head, grown.frontier, leaves, grown.nodes)
        await figuring.count(tx, changes, tenant_id, head.size, ordered)
        await fanning.fan_out(tx, changes, tenant_id, list(enumerate(ordered, head.size + 1)), now)
        await tx.apply(changes)
        return len(leaves)

    return await service.database.write(action, locking=True)


def in_order(waiting: list[Waiting]) -> Iterator[Waiting]:
    """By id, which is about by time; but where an item has several, its own by (revision, ordinal)."""
    own: dict[UUID, deque[Waiting]] = defaultdict(deque)
    for each in sorted(waiting, key=lambda each: (each.revision, each.ordinal)):
        if each.item_id is not None:
            own[each.item_id].append(each)
    for each in sorted(waiting, key=lambda each: each.id):
        yield own[each.item_id].popleft() if each.item_id is not None else each
