"""Where the bytes of attachments lie: what a store must do, and the store that is a directory.

Whoever puts bytes under a key puts the same bytes there as everybody else: keys are made of their digest.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol

from service.errors import Refused
from service.outside import staging
from service.outside.staging import PIECE, Staged


class BytesMissing(Exception):
    """There is nothing under a key under which the database has something, or not all of it."""


class Blobs(Protocol):
    """A store of bytes under keys. Refuses `unavailable` where it is away."""

    def incoming(self, limit: int) -> AbstractAsyncContextManager[Staged]:
        """A place for a file that comes in, of at most `limit` bytes."""

    async def put(self, key: str, staged: Staged) -> None:
        """Keep a finished file under a key. It is durable when this returns; the staged file is used up."""

    async def holds(self, key: str, size: int) -> bool:
        """Whether so many bytes lie under the key."""

    async def read(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """`length` bytes from `start` on, piece by piece. Raises BytesMissing before it returns."""

    async def delete(self, key: str) -> None:
        """There is nothing under the key any more; there may have been nothing before."""

    async def sweep(self, before: datetime) -> int:
        """Remove files that came in and were abandoned before an instant; how many."""

    async def close(self) -> None: ...


class Directory:
    """A directory, on a file system that keeps what it said it has: names are moved there whole, never half written.

    Files come in below the same root, so that moving one to its place is a rename. A place is two levels of 256
    directories deep, which stay when they are empty.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"

    def incoming(self, limit: int) -> AbstractAsyncContextManager[Staged]:
        return staging.staged(self._incoming, limit)

    async def put(self, key: str, staged: Staged) -> None:
        try:
            await asyncio.to_thread(self._move, staged.path, self.root / key)
        except OSError as error:
            raise Refused("unavailable") from error

    def _move(self, source: Path, target: Path) -> None:
        made = [each for each in target.parents if not each.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        # A name is on the disk when its directory is; so is that of a directory that was made on the way.
        for directory in (target.parent, *(each.parent for each in made)):
            staging.settle(directory)

    async def holds(self, key: str, size: int) -> bool:
        def look() -> bool:
            try:
                return (self.root / key).stat().st_size == size
            except FileNotFoundError:
                return False

        return await asyncio.to_thread(look)

    async def read(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(_opened, self.root / key, start, length)
        except FileNotFoundError:
            raise BytesMissing(key) from None
        except OSError as error:
            raise Refused("unavailable") from error
        return _pieces(file, length)

    async def delete(self, key: str) -> None:
        def unlink() -> None:
            (self.root / key).unlink(missing_ok=True)

        try:
            await asyncio.to_thread(unlink)
        except OSError as error:
            raise Refused("unavailable") from error

    async def sweep(self, before: datetime) -> int:
        return await asyncio.to_thread(staging.sweep, self._incoming, before)

    async def close(self) -> None:
        pass


def _opened(path: Path, start: int, length: int) -> IO[bytes]:
    file = path.open("rb")
    if os.fstat(file.fileno()).st_size < start + length:
        file.close()
        raise BytesMissing(path.name)
    file.seek(start)
    return file


async def _pieces(file: IO[bytes], length: int) -> AsyncIterator[bytes]:
    try:
        while length > 0:
            piece = await asyncio.to_thread(file.read, min(PIECE, length))
            if not piece:
                raise BytesMissing(file.name)
            length -= len(piece)
            yield piece
    finally:
        file.close()
