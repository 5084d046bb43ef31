"""Checking a stored log against itself and against checkpoints kept elsewhere; writing it out for others to check."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from service.actions import record
from service.actions.service import Service
from service.outside.vault import verifier
from service.store import audit, log
from service.store.database import Tx
from service.store.log import Head
from service.workflow.audit import Audit, Entry, Fault, announced, followed, misplaced, note_of, opened
from service.workflow.merkle import HASHINGS, Hashing, Node, Place
from service.workflow.notes import Key
from service.workflow.receipts import origin_of
from service.workflow.signers import Signers

BATCH = 1_000
MOST_FAULTS = 100

CHECKPOINT, ROTATED, PUBLISHED, ERASED = "log.checkpoint", "log.key_rotated", "report.published", "item.redacted"


@dataclass(frozen=True, slots=True)
class Held:
    """What a tenant's record says of itself, at one moment: its head, the events that hold checkpoints, changes of keys
    and published months, and the published months."""

    head: Head
    signer: Key
    checkpoints: list[tuple[int | None, bytes]]
    rotated: list[tuple[int | None, bytes]]
    published: list[tuple[int | None, bytes]]
    reports: list[tuple[UUID, str, str]]

    @property
    def announcements(self) -> list[tuple[int | None, str]]:
        """The notes that announce keys, with their positions."""
        return [(position, note_of(body, "announcement")) for position, body in self.rotated]

    @property
    def notes(self) -> list[tuple[int | None, str]]:
        """All signed checkpoints in it, those in events with their positions."""
        return [(position, note_of(body)) for position, body in self.checkpoints] + [
            (None, note) for _, _, note in self.reports
        ]


async def check(
    service: Service, tenant_id: UUID, kept: tuple[str, ...] = (), key: Key | None = None
) -> tuple[Audit, list[Fault]]:
    """Go through a tenant's whole log; at most MOST_FAULTS of what is wrong with it.

    It must fit the checkpoints `kept` elsewhere, and those that it holds itself, signed by `key` or by those that it
    leads to: the installation's present one unless another is given. Raises BadNote for a bad one of those kept.
    """

    async def look(tx: Tx) -> Held:
        head, signer = await record.standing(service, tx, tenant_id)
        checkpoints, rotated, published = [
            await audit.of_type(tx, tenant_id, type_) for type_ in (CHECKPOINT, ROTATED, PUBLISHED)
        ]
        return Held(head, signer, checkpoints, rotated, published, await audit.reports(tx, tenant_id))

    held = await service.read(look, varied=True, whole=True)
    end, signers = held.head, Signers(key or held.signer, verifier)
    hashing = HASHINGS[end.hashing]
    origin = origin_of(signers.key.name, tenant_id, hashing)
    faults = followed(held.announcements, signers) + misplaced(signers, origin)
    own, unproved = announced(held.notes, origin, signers)
    witnessed, strange = opened(kept, origin_of(service.log_name, tenant_id, hashing), signers)
    faults += unproved + strange
    passing = Audit(hashing, (*witnessed, *own, *signers.heads))
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
    passing.erased_later(await erased_later(service, tenant_id, end.size))
    faults += await _wrong_reports(service, tenant_id, hashing, held) + passing.end()
    return passing, faults[:MOST_FAULTS]


async def rotated_later(service: Service, tenant_id: UUID, size: int) -> bool:
    """Whether another key signs, and the first `size` events of the log do not say so."""

    return bool(await _later(service, tenant_id, ROTATED, size))


async def erased_later(service: Service, tenant_id: UUID, size: int) -> list[bytes]:
    """The events of erasures behind the first `size` of the log, also of those that have no position yet."""

    return await _later(service, tenant_id, ERASED, size)


async def _later(service: Service, tenant_id: UUID, type_: str, size: int) -> list[bytes]:
    async def action(tx: Tx) -> list[tuple[int | None, bytes]]:
        return await audit.of_type(tx, tenant_id, type_)

    found = await service.read(action, varied=True)
    return [body for position, body in found if position is None or position > size]


async def _wrong_reports(service: Service, tenant_id: UUID, hashing: Hashing, held: Held) -> list[Fault]:
    """Published months that are not the documents of which the log holds the digests."""
    sealed = {data["report_id"]: (position, data) for position, data in map(_published, held.published)}
    faults = []
    for report_id, digest, _ in held.reports:
        position, data = sealed.pop(str(report_id), (None, {}))

        async def action(tx: Tx, report_id: UUID = report_id) -> str:
            return await audit.document(tx, tenant_id, report_id)

        document = await service.read(action)
        if not data:
            faults.append(Fault(None, f"no event tells of the published month {report_id}"))
        elif not data["digest"] == digest == hashing.digest(document.encode()).hex():
            faults.append(Fault(position, f"the month {data['month']} is not the document that was published"))
    return faults + [Fault(at, f"the month {data['month']} that was published is gone") for at, data in sealed.values()]


def _published(told: tuple[int | None, bytes]) -> tuple[int | None, dict[str, Any]]:
    """What an event says of a published month; whether it is as it was sealed, the pass over the log finds."""
    position, body = told
    try:
        data = json.loads(body)["data"]
        return position, {name: data[name] for name in ("report_id", "month", "digest")}
    except (ValueError, KeyError, TypeError):
        return position, {"report_id": None, "month": "", "digest": ""}


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


async def checkpoint(service: Service, tenant_id: UUID, now: datetime) -> tuple[Head, Key, str]:
    """The log's head, the key that signs now, and the head signed by it."""

    head, key = await service.read(lambda tx: record.standing(service, tx, tenant_id))
    return head, key, record.signed(service, tenant_id, head, key, now)
