"""Files as offices upload them, made by hand: small, each of another content, and of the kind that it is said to be."""

import io
import itertools
import struct
import zipfile
from typing import Any

import httpx

from tests.api.helpers import ok

_serial = itertools.count(1)

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01"


def photo(size: int = 400) -> bytes:
    """A picture that nobody has uploaded before, of so many bytes."""
    head = JPEG + b"%08d" % next(_serial)
    return head + bytes(size - len(head))


def pdf() -> bytes:
    return b"%%PDF-1.4\n%% %d\n%%%%EOF\n" % next(_serial)


def packed(*names: str, comment: bytes = b"") -> bytes:
    """A ZIP archive with these members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = comment
        for name in names:
            archive.writestr(name, f"<{next(_serial)}/>")
    return made.getvalue()


def docx(*more: str) -> bytes:
    return packed("[Content_Types].xml", "_rels/.rels", "word/document.xml", *more)


def ole(*names: str, sectors: int = 1, circle: bool = False) -> bytes:
    """A compound file whose directory, `sectors` long, names these streams at its end."""
    size = 512
    end, table = 0xFFFFFFFE, 0xFFFFFFFD
    chain = [table, *range(2, sectors + 1), 1 if circle else end]
    fat = struct.pack("<128L", *chain, *[0xFFFFFFFF] * (128 - len(chain)))
    head = struct.pack("<8s16x5H10x5L", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 62, 3, 0xFFFE, 9, 6, 1, 1, 0, 4096, end)
    head += struct.pack("<3L109L", 0, end, 0, 0, *[0xFFFFFFFF] * 108)
    listed = ["Root Entry", *(f"s{number}" for number in range(4 * sectors - 1 - len(names))), *names]
    entries = b"".join(_entry(name) for name in listed)
    return head.ljust(size, b"\0") + fat + entries.ljust(sectors * size, b"\0")


def _entry(name: str) -> bytes:
    coded = name.encode("utf-16-le") + b"\0\0"
    return (coded.ljust(64, b"\0") + struct.pack("<HBB", len(coded), 2, 1)).ljust(128, b"\0")


def heic(brand: bytes = b"heic") -> bytes:
    return struct.pack(">L4s4sL", 24, b"ftyp", brand, 0) + b"mif1" + brand + bytes(40)


async def upload(
    client: httpx.AsyncClient, content: bytes | None = None, name: str = "现场照片.jpg", **headers: str
) -> dict[str, Any]:
    """What was made of a file; a picture unless told otherwise."""
    sent = photo() if content is None else content
    made: dict[str, Any] = ok(await client.post("/v1/attachments", files={"file": (name, sent)}, headers=headers), 201)
    return made
