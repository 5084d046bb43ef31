"""Files that are sent: from the disk or as they are made, under a name in Chinese."""

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Response
from fastapi.responses import StreamingResponse

from service.api.deps import VARY

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"
CSV = "text/csv; charset=utf-8"

SAVED = {"Content-Disposition": "The name under which to save it."}
"""For the OpenAPI document."""

PIECE = 262_144
MAX_FILE_BYTES = 2**53 - 1
"""What the OpenAPI document says of a file's size: there is a bound, and nobody meets it."""

_UNNAMEABLE = re.compile(r'[\x00-\x1f\x7f-\x9f"*/:<>?\\|\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def headers(name: str, plain: str) -> dict[str, str]:
    """For a file that is saved as `name`, or as `plain` by a client that knows ASCII only (RFC 6266)."""
    safe = _UNNAMEABLE.sub("_", name)[:150]
    return {
        "cache-control": "private, no-cache",
        "vary": VARY,
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}",
    }


def whole(content: bytes, media: str, name: str, plain: str) -> Response:
    return Response(content, media_type=media, headers=headers(name, plain))


def streamed(pieces: AsyncIterable[bytes], media: str, name: str, plain: str) -> Response:
    """As it is made. What breaks off in the midst is seen to: the answer then has no end."""
    return StreamingResponse(pieces, media_type=media, headers=headers(name, plain))


async def from_disk(made: AbstractAsyncContextManager[Path], media: str, name: str, plain: str) -> Response:
    """A file that is gone once it was sent, or once it turns out that it cannot be made."""
    async with AsyncExitStack() as stack:
        path = await stack.enter_async_context(made)
        size = path.stat().st_size
        rest = stack.pop_all()
    told = {**headers(name, plain), "content-length": str(size)}
    return StreamingResponse(_pieces(path, rest), media_type=media, headers=told)


async def _pieces(path: Path, rest: AsyncExitStack) -> AsyncIterator[bytes]:
    async with rest:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece


def content_of(*media: str) -> dict[str, Any]:
    """How an answer that is a file stands in the OpenAPI document."""
    schema = {"type": "string", "format": "binary", "maxLength": MAX_FILE_BYTES}
    return {each.partition(";")[0]: {"schema": schema} for each in media}
