"""Whether the evidence is still what was handed in: bytes in the store, held against the digests that the log seals."""

import hashlib
import json
from collections.abc import AsyncIterator
from uuid import UUID

from service.actions import audit
from service.actions.service import Service
from service.outside.blobs import BytesMissing
from service.store import attachments, blobs
from service.store.database import Tx
from service.workflow.attachments import Attachment
from service.workflow.audit import Entry, Fault
from service.workflow.blobs import Blob, key_of

BATCH = 500


async def check(service: Service, tenant_id: UUID, size: int) -> tuple[int, list[Fault]]:
    """How many files there are, and what is wrong with those that the first `size` events of the log tell of.

    Lawfully erased ones have no bytes and are no fault. Reads every byte that the tenant keeps. Refuses `unavailable`.
    """
    faults: list[Fault] = []
    async for entries in audit.read(service, tenant_id, size):
        for position, told in _told(entries):
            faults += await _held_against(service, tenant_id, position, told)
    count = 0
    async for blob in _stored(service, tenant_id):
        count += 1
        wrong = await _wrong_bytes(service, tenant_id, blob)
        faults += [Fault(None, f"file {blob.sha256} {wrong}")] if wrong else []
    return count, faults


def _told(entries: list[Entry]) -> list[tuple[int, dict[str, str]]]:
    """Positions whose events tell of attachments, with the digest of each by its id."""
    found = []
    for entry in entries:
        # What cannot be read is a fault of the log, and said by whoever checks that.
        if entry.body is None or b'"attachments":[' not in entry.body:
            continue
        hung = json.loads(entry.body)["data"].get("attachments", ())
        found.append((entry.position, {each["id"]: each["sha256"] for each in hung}))
    return found


async def _held_against(service: Service, tenant_id: UUID, position: int, told: dict[str, str]) -> list[Fault]:
    """Attachments whose rows are not what the event sealed."""

    async def action(tx: Tx) -> dict[UUID, Attachment]:
        return await attachments.by_ids(tx, tenant_id, [UUID(each) for each in told])

    stored = await service.read(action)
    faults = []
    for attachment_id, sha256 in told.items():
        found = stored.get(UUID(attachment_id))
        if found is None:
            faults.append(Fault(position, f"attachment {attachment_id} is gone"))
        elif found.sha256 != sha256:
            faults.append(Fault(position, f"attachment {attachment_id} is not the one that was sealed"))
    return faults


async def _stored(service: Service, tenant_id: UUID) -> AsyncIterator[Blob]:
    after = UUID(int=0)
    while True:

        async def action(tx: Tx, after: UUID = after) -> list[Blob]:
            rows = await tx.all(blobs.STORED, tenant_id=tenant_id, after=after, limit=BATCH)
            return [Blob(*row) for row in rows]

        found = await service.read(action)
        if not found:
            return
        for blob in found:
            yield blob
        after = found[-1].id


async def _wrong_bytes(service: Service, tenant_id: UUID, blob: Blob) -> str | None:
    """What is wrong with the bytes of a blob, if anything; one that died meanwhile is none of ours."""
    digest = hashlib.sha256()
    try:
        async for piece in await service.blobs.read(key_of(tenant_id, blob.sha256, blob.id), 0, blob.size):
            digest.update(piece)
    except BytesMissing:
        return None if await _died(service, tenant_id, blob) else "is gone or cut short"
    if digest.hexdigest() != blob.sha256 or not await service.blobs.holds(
        key_of(tenant_id, blob.sha256, blob.id), blob.size
    ):
        return "has other bytes"
    return None


async def _died(service: Service, tenant_id: UUID, blob: Blob) -> bool:
    async def action(tx: Tx) -> bool:
        return await tx.one(blobs.ALIVE_STILL, tenant_id=tenant_id, blob_id=blob.id) is None

    return await service.read(action)
