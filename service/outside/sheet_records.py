"""An .xls taken apart: a compound file whose stream `Workbook` is a row of records (MS-CFB, MS-XLS).

Part of the program in sheet_reader.py, which runs apart with bounded memory and time: it imports nothing of the
service.
"""

import struct
from collections.abc import Iterator

_FREE = 0xFFFFFFFA


def opened(content: bytes) -> tuple[set[str], bytes]:
    """The names of its streams, and the one with the records. Raises ValueError where it cannot be put together."""
    try:
        size = 1 << struct.unpack_from("<H", content, 30)[0]
        small = 1 << struct.unpack_from("<H", content, 32)[0]
        first_directory, cutoff, first_small, _, first_more, more = struct.unpack_from("<I4xIIIII", content, 48)
        tables = list(struct.unpack_from("<109I", content, 76))
        while more and first_more < _FREE and len(tables) < 10_000:
            block = struct.unpack_from(f"<{size // 4}I", content, size * (first_more + 1))
            tables += block[:-1]
            first_more = block[-1]
        chain: list[int] = []
        for table in tables:
            if table < _FREE:
                chain += struct.unpack_from(f"<{size // 4}I", content, size * (table + 1))

        def follow(sector: int, links: list[int], source: bytes, length: int, skip: int) -> bytes:
            parts, seen = [], 0
            while sector < _FREE and seen <= len(links):
                parts.append(source[length * (sector + skip) : length * (sector + skip + 1)])
                sector, seen = links[sector], seen + 1
            return b"".join(parts)

        directory = follow(first_directory, chain, content, size, 1)
        entries = {}
        for at in range(0, len(directory) - 127, 128):
            length = struct.unpack_from("<H", directory, at + 64)[0]
            name = directory[at : at + max(0, length - 2)].decode("utf-16-le", "replace")
            entries[name] = struct.unpack_from("<II", directory, at + 116)
        start, length = entries.get("Workbook") or entries.get("Book") or (_FREE, 0)
        if length >= cutoff:
            return set(entries), follow(start, chain, content, size, 1)[:length]
        links = follow(first_small, chain, content, size, 1)
        mini = follow(entries["Root Entry"][0], chain, content, size, 1)
        return set(entries), follow(start, list(struct.unpack(f"<{len(links) // 4}I", links)), mini, small, 0)[:length]
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise ValueError("no compound file") from error


def records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Where each record stands, its kind and what is in it."""
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + size]
        at += 4 + size
