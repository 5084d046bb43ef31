"""Bytes on their way in: written to a file as they come, hashed and measured meanwhile, never whole in memory."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from service.errors import Refused

PIECE = 262_144
"""So many bytes go to the disk at once: a thread is not worth less."""


class Staged:
    """One file that is being received. `sha256` and `size` are final once it is `finish`ed."""

    def __init__(self, path: Path, file: IO[bytes], limit: int) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._limit = limit
        self._digest = hashlib.sha256()
        self._waiting = bytearray()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        """Refuses `payload_too_large`, and `unavailable` where the disk is full."""
        self.size += len(data)
        if self.size > self._limit:
            raise Refused("payload_too_large", facts={"limit": self._limit})
        self._waiting += data
        if len(self._waiting) >= PIECE:
            await self._put_down()

    async def finish(self) -> None:
        """Everything is in the file, and the file is on the disk."""
        await self._put_down()
        await _disk(self._sync)

    async def _put_down(self) -> None:
        piece, self._waiting = bytes(self._waiting), bytearray()
        await _disk(self._write, piece)

    def _write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._digest.update(piece)

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


async def _disk(work: Callable[..., None], *given: bytes) -> None:
    try:
        await asyncio.to_thread(work, *given)
    except OSError as error:
        raise Refused("unavailable") from error


@asynccontextmanager
async def staged(directory: Path, limit: int) -> AsyncIterator[Staged]:
    """A place for a file of at most `limit` bytes. Whatever was not moved away by then is gone afterwards."""
    file = await asyncio.to_thread(_made, directory)
    path = Path(file.name)
    try:
        yield Staged(path, file, limit)
    finally:
        # Not awaited: a caller who hung up has cancelled this task, and the next await would not come back.
        _gone(file, path)


def _gone(file: IO[bytes], path: Path) -> None:
    file.close()
    path.unlink(missing_ok=True)


def _made(directory: Path) -> IO[bytes]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return tempfile.NamedTemporaryFile(dir=directory, prefix="in-", delete=False)
    except OSError as error:
        raise Refused("unavailable") from error


def settle(directory: Path) -> None:
    """Have the names in a directory on the disk: a file is there after a crash when its name is."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(directory: Path, before: datetime) -> int:
    """Remove what processes that were killed left there: files that nobody has written to since an instant."""
    removed = 0
    for path in directory.glob("in-*") if directory.is_dir() else ():
        try:
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                removed += 1
        except FileNotFoundError:
            # Its upload has ended, or another process sweeps too.
            continue
    return removed
