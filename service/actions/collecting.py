"""Giving up bytes that nothing refers to, without ever giving up any that something is about to refer to.

An upload goes: receive into a file of its own; *claim* the blob of its digest (make its row, or prolong the claim);
*put* the bytes under the blob's key; *record* the attachment, on condition that the blob is alive. Giving up goes: look
at blobs whose claim ran out or that something *released*, mark those *dead* that nothing refers to, on condition that
nobody claimed, recorded or released them since; *delete* their bytes; a day later delete them again and *bury* the row.

No evidence is lost. An attachment is recorded only in a transaction that finds its blob alive and raises the blob's
revision, after the bytes were durable; a blob is marked dead only in one that finds unraised the revision that it was
read with, together with the absence of attachments. Both change the blob's row, so one of them is first and the other
sees it: it is alive and stays, or dead and the upload is refused, to be made again. And bytes are deleted only under
keys of dead blobs, which never live again: the same bytes that come later make another row with another key, whatever a
slow deletion still does to the old one.

Nothing is kept for ever. A key is written only while its row is there: claimed before, and buried a day after it died,
longer than an upload runs; so whatever lies in the store has a row. A claim ends at a look; whatever takes an
attachment away releases its blob in the same transaction, which raises the revision, so a look that still saw the
attachment comes to nothing and is made again.

Killed at any step: after the file came in, `sweep` removes it, a day old; after the claim, with or without the bytes,
the look that the claim ends with finds it; after the record, the attachment is there, and it expires if it hangs
nowhere. After the mark, or after the deletion, the blob is found dead at the next look, and deleting twice is
deleting once. The room that a blob takes is given back in the transaction that marks it dead, so exactly once.
"""

from datetime import datetime
from uuid import UUID

from service.actions.service import Service
from service.store import attachments, blobs, erasure
from service.store.database import Changes, Row, Tx
from service.workflow.attachments import LOOSE
from service.workflow.blobs import CLAIMED, MOURNED, Blob, key_of

BATCH = 100


async def collect(service: Service, tenant_id: UUID, now: datetime) -> int:
    """Let expired attachments go, and bytes that nothing refers to with them; how many blobs died."""
    while await _forget_some(service, tenant_id, now) == BATCH:
        pass
    return await give_up(service, tenant_id, now)


async def sweep(service: Service, now: datetime) -> int:
    """Remove files that came in and whose process is gone."""
    return await service.blobs.sweep(now - CLAIMED)


async def _forget_some(service: Service, tenant_id: UUID, now: datetime) -> int:
    """Attachments that hung nowhere for too long, with the answers that named them."""

    async def action(tx: Tx) -> int:
        rows = await tx.all(attachments.EXPIRED, tenant_id=tenant_id, before=now - LOOSE, limit=BATCH)
        expired = [row[0] for row in rows]
        if expired:
            changes = Changes()
            changes.add(attachments.FORGET, tenant_id=tenant_id, attachment_ids=expired)
            changes.add(blobs.RELEASE, tenant_id=tenant_id, blob_ids=[row[1] for row in rows], look_at=now)
            erasure.answers(changes, tenant_id, expired, ())
            await tx.apply(changes)
        return len(expired)

    return await service.database.write(action)


async def give_up(service: Service, tenant_id: UUID, now: datetime) -> int:
    """Mark blobs dead that nothing refers to, and delete the bytes of all that are dead; how many died.

    Refuses `unavailable` where the store is away: what is marked is deleted later.
    """
    died = 0
    while judged := await _look_at_some(service, tenant_id, now):
        died += sum(judged)
    await _delete_dead(service, tenant_id, now)
    return died


async def _look_at_some(service: Service, tenant_id: UUID, now: datetime) -> list[bool]:
    """Of each blob that was to be looked at whether it died of it; nothing where there is none."""
    rows = await service.read(lambda tx: tx.all(blobs.TO_LOOK_AT, tenant_id=tenant_id, now=now, limit=BATCH))
    return [await _judge(service, tenant_id, Blob(*row[:-1]), bool(row[-1]), now) for row in rows]


async def _judge(service: Service, tenant_id: UUID, blob: Blob, referred_to: bool, now: datetime) -> bool:
    """What comes of a look; nothing where the blob has changed since: then it is looked at again, or need not be."""
    as_read = {"tenant_id": tenant_id, "blob_id": blob.id, "read_revision": blob.revision}

    async def action(tx: Tx) -> bool:
        if await tx.one(blobs.UNCHANGED, **as_read) is None:
            return False
        changes = Changes()
        if referred_to:
            changes.guard(blobs.KEEP, **as_read)
        else:
            changes.guard(blobs.GIVE_UP, **as_read, now=now)
            changes.add(blobs.GIVE_ROOM, tenant_id=tenant_id, size=blob.size)
        await tx.apply(changes)
        return not referred_to

    return await service.database.write(action)


async def _delete_dead(service: Service, tenant_id: UUID, now: datetime) -> None:
    after = UUID(int=0)
    while rows := await _dead(service, tenant_id, after):
        for row in rows:
            blob, dead_since = Blob(*row[:-1]), row[-1]
            await service.blobs.delete(key_of(tenant_id, blob.sha256, blob.id))
            if dead_since < now - MOURNED:
                await _bury(service, tenant_id, blob)
        after = rows[-1][0]


async def _dead(service: Service, tenant_id: UUID, after: UUID) -> list[Row]:
    return await service.read(lambda tx: tx.all(blobs.DEAD, tenant_id=tenant_id, after=after, limit=BATCH))


async def _bury(service: Service, tenant_id: UUID, blob: Blob) -> None:
    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.add(blobs.BURY, tenant_id=tenant_id, blob_id=blob.id)
        await tx.apply(changes)

    await service.database.write(action)
