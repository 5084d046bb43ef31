"""A store of bytes in a bucket of any S3-compatible service.

An object is put by one request, which takes up to 5 GiB, five times the largest attachment that can be allowed. An
upload in parts would leave parts behind when it is killed, which nobody lists; one request leaves an object or none.
The digest of the bytes is part of what is signed, so the store itself refuses bytes that changed on the way.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from service.errors import Refused
from service.outside import staging
from service.outside.blobs import BytesMissing
from service.outside.sigv4 import NOTHING, Signer
from service.outside.staging import PIECE, Staged

TRIES = 3
PAUSE_SECONDS = 0.5
"""Before a request is made again whose answer did not come or was 5xx; twice as long the next time."""

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Of each step, not of the whole: a large file may take longer."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects lie. `virtual`: the bucket stands in the host's name instead of the path."""

    name: str
    prefix: str
    endpoint: str
    region: str
    virtual: bool

    @classmethod
    def parse(cls, url: str) -> "Bucket":
        """`s3://bucket/prefix?endpoint=https://host&region=...&style=virtual`. Raises ValueError."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        prefix = parts.path.strip("/")
        if parts.scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc):
            raise ValueError("no bucket")
        if query.keys() - {"endpoint", "region", "style"} or not re.fullmatch(r"[A-Za-z0-9._/-]{0,200}", prefix):
            raise ValueError("an unknown option, or a prefix of other characters")
        region, style = query.get("region", "us-east-1"), query.get("style", "path")
        endpoint = query.get("endpoint", f"https://s3.{region}.amazonaws.com")
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?", endpoint) or style not in ("path", "virtual"):
            raise ValueError("no endpoint")
        if not re.fullmatch(r"[a-z0-9-]{1,40}", region):
            raise ValueError("no region")
        return cls(parts.netloc, prefix, endpoint.rstrip("/"), region, style == "virtual")

    def place(self, key: str) -> tuple[str, str, str]:
        """Scheme, host and path of an object."""
        scheme, host = self.endpoint.split("://")
        path = f"/{self.prefix}/{key}" if self.prefix else f"/{key}"
        return (scheme, f"{self.name}.{host}", path) if self.virtual else (scheme, host, f"/{self.name}{path}")


class S3:
    """A bucket. `incoming` is a directory of this machine in which files wait until they are whole."""

    def __init__(self, bucket: Bucket, signer: Signer, incoming: Path, clock: Callable[[], datetime]) -> None:
        self._bucket = bucket
        self._signer = signer
        self._incoming = incoming
        self._clock = clock
        # Proxies and credentials of the environment are not meant for this.
        self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, follow_redirects=False)

    def incoming(self, limit: int) -> AbstractAsyncContextManager[Staged]:
        return staging.staged(self._incoming, limit)

    async def put(self, key: str, staged: Staged) -> None:
        fields = {"content-length": str(staged.size), "content-type": "application/octet-stream"}
        answer = await self._ask("PUT", key, fields, staged)
        await answer.aclose()
        if answer.status_code != 200:
            raise Refused("unavailable")

    async def holds(self, key: str, size: int) -> bool:
        answer = await self._ask("HEAD", key)
        await answer.aclose()
        if answer.status_code not in (200, 404):
            raise Refused("unavailable")
        return answer.status_code == 200 and answer.headers.get("content-length") == str(size)

    async def read(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        # No range in an empty file; and none is needed of one that holds no bytes.
        if length == 0:
            return _nothing()
        answer = await self._ask("GET", key, {"range": f"bytes={start}-{start + length - 1}"})
        whole = answer.status_code == 206 and answer.headers.get("content-length") == str(length)
        if not whole:
            await answer.aclose()
            if answer.status_code in (206, 404, 416):
                raise BytesMissing(key)
            raise Refused("unavailable")
        return _pieces(answer, key, length)

    async def delete(self, key: str) -> None:
        answer = await self._ask("DELETE", key)
        await answer.aclose()
        if answer.status_code not in (200, 204, 404):
            raise Refused("unavailable")

    async def sweep(self, before: datetime) -> int:
        return await asyncio.to_thread(staging.sweep, self._incoming, before)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(
        self, method: str, key: str, fields: dict[str, str] | None = None, staged: Staged | None = None
    ) -> httpx.Response:
        """The head of an answer, its body yet to be read. Every request here may be made twice: keys never change."""
        scheme, host, path = self._bucket.place(key)
        failed: Exception | None = None
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
            vouched = self._signer.sign(method, host, path, staged.sha256 if staged else NOTHING, self._clock())
            request = self._client.build_request(
                method,
                f"{scheme}://{host}{path}",
                headers={**(fields or {}), **vouched, "accept-encoding": "identity"},
                content=_file(staged.path) if staged else None,
            )
            try:
                answer = await self._client.send(request, stream=True)
            except httpx.HTTPError as error:
                failed = error
                continue
            if answer.status_code < 500:
                return answer
            await answer.aclose()
        raise Refused("unavailable") from failed


async def _file(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def _pieces(answer: httpx.Response, key: str, length: int) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw(PIECE):
            length -= len(piece)
            yield piece
    except httpx.HTTPError as error:
        raise BytesMissing(key) from error
    finally:
        await answer.aclose()
    if length:
        raise BytesMissing(key)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
