"""Evidence: files that come with a form, kept as attachments; and handing attachments out."""

import asyncio
import hashlib
from typing import IO
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile

from service.actions import attachments
from service.actions.attachments import Upload
from service.actions.service import Replay
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import invalid
from service.workflow.attachments import MAX_EACH, disposition

SANDBOX = "sandbox; default-src 'none'"
"""Whatever a browser makes of the bytes, it may do nothing with them."""

PIECE = 262_144

router = Desk(Page)


@router.get("/console/attachments/{attachment_id}")
async def content(visit: Visit, attachment_id: UUID) -> Response:
    """The file, to be saved and never shown. Refuses `not_found`, `gone`."""
    found, key = await attachments.to_send(visit.service, visit.call, attachment_id)
    headers = {
        "cache-control": "private, no-cache",
        "vary": "Cookie",
        "content-security-policy": SANDBOX,
        "content-disposition": disposition(found),
        "content-length": str(found.size),
    }
    if visit.scope.get("head"):
        return Response(b"", 200, headers, found.media_type)
    pieces = await visit.service.blobs.read(key, 0, found.size)
    return StreamingResponse(pieces, 200, headers, found.media_type)


async def sent_files(visit: Visit, field: str) -> list[UploadFile]:
    """The files that were chosen in a field of the form; an empty field is none."""
    files = [each for each in (await visit.files()).get(field, []) if each.filename and each.size]
    if len(files) > MAX_EACH:
        raise invalid((f"/{field}", "too_long"))
    return files


async def marks(files: list[UploadFile]) -> list[str]:
    """What tells the files from others: the same form sent twice brings the same."""
    return [f"{await asyncio.to_thread(_digest, each.file)} {each.filename}" for each in files]


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


async def keep(visit: Visit, files: list[UploadFile]) -> tuple[UUID, ...]:
    """Keep the files as attachments that hang nowhere yet, in their order. What is not hung goes after a day.

    Refuses `forbidden`, `unsupported_media_type`, `quota_exceeded`, `payload_too_large`.
    """
    if files:
        attachments.may_upload(visit.call)
    kept = []
    for each in files:
        async with visit.service.blobs.incoming(visit.app.state.settings.attachment_max_bytes) as staged:
            await each.seek(0)
            while piece := await each.read(PIECE):
                await staged.write(piece)
            await staged.finish()
            made = await attachments.keep(visit.service, visit.call, Upload(staged, each.filename))
        assert not isinstance(made, Replay), "kept under no key"
        visit.app.state.metrics.received(made.size)
        kept.append(made.id)
    return tuple(kept)
