"""Checking a stored log against itself and against checkpoints kept elsewhere; writing it out for others to check."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from service.actions.record import EMPTY, signed
from service.actions.service import Service
from service.store import audit, log
from service.store.database import Tx
from service.store.log import Head
from service.workflow.audit import Audit, Entry, Fault
from service.workflow.merkle import HASHINGS, Node, Place
from service.workflow.notes import Checkpoint

BATCH = 1_000
MOST_FAULTS = 100


async def check(service: Service, tenant_id: UUID, witnessed: tuple[Checkpoint, ...] = ()) -> tuple[Audit, list[Fault]]:
    """Go through a tenant's whole log; at most MOST_FAULTS of what is wrong with it."""

    async def head(tx: Tx) -> Head:
        return await log.head(tx, tenant_id) or EMPTY

    end = await service.read(head)
    passing = Audit(HASHINGS[end.hashing], witnessed)
    faults: list[Fault] = []
    async for entries in read(service, tenant_id, end.size):
        found, nodes = passing.go_on(entries)
        faults += found + await _wrong_nodes(service, tenant_id, nodes)
        if len(faults) >= MOST_FAULTS:
            return passing, faults[:MOST_FAULTS]
    if (passing.size, passing.frontier) != (end.size, end.frontier):
        faults.append(Fault(None, f"the head says {end.size} events; there are {passing.size}, or of another root"))

    async def strays(tx: Tx) -> int:
        row = await tx.one(audit.STRAYS, tenant_id=tenant_id)
        return int(row[0]) if row else 0

    if count := await service.read(strays, varied=True):
        faults.append(Fault(None, f"{count} events have no position and wait for none"))
    return passing, faults + passing.end()


async def _wrong_nodes(service: Service, tenant_id: UUID, nodes: tuple[Node, ...]) -> list[Fault]:
    """Nodes of the tree that are not stored as the events below them want it."""

    async def action(tx: Tx) -> dict[Place, bytes]:
        return await log.tree(tx, tenant_id, [(node.level, node.index) for node in nodes])

    stored = await service.read(action)
    return [
        Fault(None, f"the tree's node {node.level}/{node.index} is not that of the events below it")
        for node in nodes
        if stored.get((node.level, node.index)) != node.hash
    ]


async def read(service: Service, tenant_id: UUID, size: int) -> AsyncIterator[list[Entry]]:
    """The entries of a log up to a size, in batches: each read by itself, so that a long log holds nothing up."""
    after = 0
    while after < size:

        async def action(tx: Tx, after: int = after) -> list[Entry]:
            return await audit.entries(tx, tenant_id, after, min(BATCH, size - after))

        entries = await service.read(action)
        if not entries:
            return
        yield entries
        after = entries[-1].position


async def checkpoint(service: Service, tenant_id: UUID, now: datetime) -> tuple[Head, str]:
    """The log's head, and the same signed."""

    async def action(tx: Tx) -> Head:
        return await log.head(tx, tenant_id) or EMPTY

    head = await service.read(action)
    return head, signed(service, tenant_id, head, now)
