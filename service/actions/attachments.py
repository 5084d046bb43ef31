"""Attachments: uploading evidence, and who sees it."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from service.actions.facts import seen
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden
from service.outside import sniffing
from service.outside.staging import Staged
from service.store import attachments, blobs
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.workflow import media
from service.workflow.attachments import Attachment, clean_name
from service.workflow.blobs import CLAIMED, Blob, key_of
from service.workflow.permissions import holds_anywhere

NO_QUOTA = 2**62


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in whole, under the name that the caller gives it."""

    staged: Staged
    name: str | None


def may_upload(call: Call) -> None:
    """Refuses `forbidden`. Asked before a body is read: nobody's disk is filled by whoever may not."""
    if not holds_anywhere(call.grants, "attachment:create"):
        raise forbidden("attachments")


async def keep(service: Service, call: Call, upload: Upload) -> Attachment | Replay:
    """Keep a file as a new attachment that hangs nowhere yet; the same bytes are stored once.

    Refuses `unsupported_media_type`, `quota_exceeded`, and `unavailable` where the store is away.
    """
    staged = upload.staged
    media_type = await _kind(staged)
    replay = await service.read(lambda tx: _replayed(tx, call))
    if replay is not None:
        return replay
    blob = await _claim(service, call, staged)
    key = key_of(call.tenant_id, blob.sha256, blob.id)
    # Bytes that the database remembers and the store has lost are put there again.
    if not blob.stored or not await service.blobs.holds(key, blob.size):
        await service.blobs.put(key, staged)
    made = Attachment(
        id=new_id(),
        blob_id=blob.id,
        sha256=blob.sha256,
        size=blob.size,
        media_type=media_type,
        name=clean_name(upload.name),
        uploaded_by=call.caller.principal_id,
        uploaded_at=call.now,
    )
    return await _record(service, call, made, blob)


async def _kind(staged: Staged) -> str:
    kind = await asyncio.to_thread(sniffing.sniff, staged.path)
    if kind is None or kind == media.MACROS:
        accepted = list(media.KINDS)
        raise Refused("unsupported_media_type", "macros" if kind else "content", facts={"accepted": accepted})
    return kind


async def _claim(service: Service, call: Call, staged: Staged) -> Blob:
    """The blob of these bytes, kept from being given up until they are recorded; made where nobody has them yet."""
    sha256, size = staged.sha256, staged.size
    quota = NO_QUOTA if service.attachment_quota is None else service.attachment_quota
    until = call.now + CLAIMED

    async def action(tx: Tx) -> Blob:
        blob = await blobs.living(tx, call.tenant_id, sha256)
        changes = Changes()
        if blob is not None:
            changes.guard(blobs.CLAIM, tenant_id=call.tenant_id, blob_id=blob.id, look_at=until)
        else:
            used = await blobs.used(tx, call.tenant_id)
            if used + size > quota:
                raise Refused("quota_exceeded", facts={"quota": quota, "used": used, "size": size})
            blob = Blob(new_id(), sha256, size, stored=False, revision=1)
            changes.guard(blobs.TAKE_ROOM, tenant_id=call.tenant_id, size=size, quota=quota)
            changes.add(
                blobs.INSERT, tenant_id=call.tenant_id, id=blob.id, sha256=sha256, size=size, stored=False,
                look_at=until, dead_since=None, revision=1,
            )  # fmt: skip
        await tx.apply(changes)
        return blob

    return await service.write(call, action)


async def _record(service: Service, call: Call, made: Attachment, blob: Blob) -> Attachment | Replay:
    async def action(tx: Tx) -> Attachment | Replay:
        replay = await _replayed(tx, call)
        if replay is not None:
            return replay
        if await tx.one(blobs.ALIVE_STILL, tenant_id=call.tenant_id, blob_id=blob.id) is None:
            # It took longer than any upload may, and the bytes were given up.
            raise Refused("unavailable")
        changes = Changes()
        changes.guard(blobs.RECORD, tenant_id=call.tenant_id, blob_id=blob.id)
        changes.add(attachments.INSERT, **attachments.params(call.tenant_id, made))
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def _replayed(tx: Tx, call: Call) -> Replay | None:
    """What was answered under this key, where the caller may still see the attachment; else `not_found`."""
    replay = await call.replayed(tx)
    if replay is not None and replay.answer.subject_id is not None:
        await _visible(tx, call, replay.answer.subject_id)
    return replay


async def read(service: Service, call: Call, attachment_id: UUID) -> Attachment:
    """An attachment that this caller may see: a loose one of its own, or one of an item in scope. Else `not_found`."""
    return await service.read(lambda tx: _visible(tx, call, attachment_id))


async def to_send(service: Service, call: Call, attachment_id: UUID) -> tuple[Attachment, str]:
    """The same with the key of its bytes. Refuses `not_found`, and `gone` where they were lawfully erased."""
    found = await read(service, call, attachment_id)
    if found.blob_id is None:
        raise Refused("gone")
    return found, key_of(call.tenant_id, found.sha256, found.blob_id)


async def of_item(service: Service, call: Call, item_id: UUID, after: UUID, limit: int) -> list[Attachment]:
    """What hangs on an item, in the order in which it was uploaded, behind `after`. Refuses `not_found`."""

    async def action(tx: Tx) -> list[Attachment]:
        await seen(tx, call, item_id)
        return await attachments.of_item(tx, call.tenant_id, item_id, after, limit)

    return await service.read(action)


async def _visible(tx: Tx, call: Call, attachment_id: UUID) -> Attachment:
    found = (await attachments.by_ids(tx, call.tenant_id, [attachment_id])).get(attachment_id)
    if found is None:
        raise Refused("not_found")
    if found.item_id is None:
        visible = found.is_loose_for(call.caller.principal_id, call.now)
    else:
        visible = bool(await item_store.seen_of(tx, call.tenant_id, [found.item_id], call.scope))
    if not visible:
        raise Refused("not_found")
    return found


async def kept(service: Service) -> int:
    """The bytes that all tenants keep together."""

    async def action(tx: Tx) -> int:
        row = await tx.one(blobs.USED_BY_ALL)
        return int(row[0]) if row else 0

    return await service.read(action)
