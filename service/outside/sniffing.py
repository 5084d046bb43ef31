"""Looking into a file that came in for what kind it is; of containers no more than their lists of contents is read."""

import struct
from pathlib import Path
from typing import IO

from service.workflow import media

LONGEST_LIST = 4_194_304
"""Bytes that a container's list of contents may have: documents have some kilobytes, a thousand pictures a hundred."""

_END = struct.Struct("<4s4H2LH")
_MEMBER = struct.Struct("<4s24x3H12x")
_NO_SECTOR = 0xFFFFFFFA


def sniff(path: Path) -> str | None:
    """The media type of a file, or media.MACROS; None where it is no kind of evidence."""
    with path.open("rb") as file:
        kind = media.by_head(file.read(media.HEAD_BYTES))
        try:
            if kind == media.ZIP:
                return media.in_zip(_members(file))
            if kind == media.OLE:
                return media.in_ole(_entries(file))
        except (struct.error, IndexError, ValueError):
            return None
    return kind


def _members(file: IO[bytes]) -> set[str]:
    """The names in a ZIP archive's central directory. Raises ValueError or struct.error where that is not sound."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))
    tail = file.read(65_557)
    at = tail.rfind(b"PK\x05\x06")
    _, _, _, _, _, length, start, _ = _END.unpack_from(tail, at) if at >= 0 else _END.unpack(b"")
    if length > LONGEST_LIST or start + length > size:
        raise ValueError
    file.seek(start)
    listed, names, offset = file.read(length), set(), 0
    while offset < length:
        mark, name, extra, comment = _MEMBER.unpack_from(listed, offset)
        if mark != b"PK\x01\x02":
            raise ValueError
        names.add(listed[offset + 46 : offset + 46 + name].decode("utf-8", "replace"))
        offset += 46 + name + extra + comment
    return names


def _entries(file: IO[bytes]) -> set[str]:
    """The names in an OLE container's directory, along the chain of its sectors."""
    file.seek(0)
    head = file.read(512)
    (shift,) = struct.unpack_from("<H", head, 30)
    (sector,) = struct.unpack_from("<L", head, 48)
    if shift not in (9, 12):
        raise ValueError
    size = 1 << shift
    tables = struct.unpack_from("<109L", head, 76)
    names: set[str] = set()
    # No chain is longer than the list that is allowed: one that runs in a circle ends there too.
    for _ in range(LONGEST_LIST // size):
        if sector >= _NO_SECTOR:
            return names
        names |= _names(_sector(file, sector, size))
        table, place = divmod(sector, size // 4)
        (sector,) = struct.unpack_from("<L", _sector(file, tables[table], size), 4 * place)
    raise ValueError


def _sector(file: IO[bytes], number: int, size: int) -> bytes:
    file.seek((number + 1) * size)
    return file.read(size)


def _names(sector: bytes) -> set[str]:
    names = set()
    for offset in range(0, len(sector), 128):
        (length,) = struct.unpack_from("<H", sector, offset + 64)
        if 2 <= length <= 64:
            names.add(sector[offset : offset + length - 2].decode("utf-16-le", "replace"))
    return names
