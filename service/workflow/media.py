"""What kinds of file evidence may be, told by what stands in them: neither their names nor what is said of them counts.

Photos, scans, short films, PDF, OFD and the documents of Office and WPS. Refused is whatever a reader's machine could
run: web pages, scalable graphics, scripts, programs, and documents with macros; and archives and plain text, which may
be any of these. A document's own container is looked into no further than its list of contents.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file; the first of its `extensions` is put behind a name that has none of them."""

    media_type: str
    extensions: tuple[str, ...]


_OOXML = "application/vnd.openxmlformats-officedocument"

KINDS: dict[str, Kind] = {
    kind.media_type: kind
    for kind in (
        Kind("image/jpeg", ("jpg", "jpeg", "jpe", "jfif")),
        Kind("image/png", ("png",)),
        Kind("image/gif", ("gif",)),
        Kind("image/webp", ("webp",)),
        Kind("image/heic", ("heic", "heif", "hif")),
        Kind("image/tiff", ("tif", "tiff")),
        Kind("image/bmp", ("bmp", "dib")),
        Kind("video/mp4", ("mp4", "m4v")),
        Kind("video/quicktime", ("mov", "qt")),
        Kind("video/3gpp", ("3gp", "3gpp")),
        Kind("application/pdf", ("pdf",)),
        Kind("application/ofd", ("ofd",)),
        Kind("application/msword", ("doc", "dot", "wps", "wpt")),
        Kind("application/vnd.ms-excel", ("xls", "xlt", "et", "ett")),
        Kind("application/vnd.ms-powerpoint", ("ppt", "pps", "pot", "dps", "dpt")),
        Kind(f"{_OOXML}.wordprocessingml.document", ("docx", "dotx", "wps")),
        Kind(f"{_OOXML}.spreadsheetml.sheet", ("xlsx", "xltx", "et")),
        Kind(f"{_OOXML}.presentationml.presentation", ("pptx", "ppsx", "potx", "dps")),
    )
}
"""By media type. WPS writes the same containers as Office, under names of its own."""

HEAD_BYTES = 64
"""So much of a file's beginning tells its kind."""

ZIP, OLE = "zip", "ole"
"""Containers: what is in them tells the kind."""

MACROS = "macros"
"""A document that brings a program along."""

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"PK\x03\x04", ZIP),
)

_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "image/heic"),
    **dict.fromkeys((b"isom", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV", b"mmp4"), "video/mp4"),
    **dict.fromkeys((b"iso%d" % number for number in range(2, 10)), "video/mp4"),
    **dict.fromkeys((b"3gp%d" % number for number in range(4, 10)), "video/3gpp"),
    b"qt  ": "video/quicktime",
}
"""The major brand of an ISO base media file. What phones make; others are refused."""

_BITMAP_HEADERS = (12, 40, 52, 56, 64, 108, 124)


def by_head(head: bytes) -> str | None:
    """The media type of a file that begins so, or ZIP or OLE; None where it is no kind of evidence."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    if head[:2] == b"BM" and head[6:10] == bytes(4) and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS:
        return "image/bmp"
    return None


def in_zip(names: Collection[str]) -> str | None:
    """The media type of a ZIP container with these members, or MACROS; None where it is an archive of anything."""
    if any(name.casefold().endswith("vbaproject.bin") for name in names):
        return MACROS
    if "OFD.xml" in names:
        return "application/ofd"
    if "[Content_Types].xml" not in names:
        return None
    parts = (
        ("word/document", f"{_OOXML}.wordprocessingml.document"),
        ("xl/workbook", f"{_OOXML}.spreadsheetml.sheet"),
        ("ppt/presentation", f"{_OOXML}.presentationml.presentation"),
    )
    for part, media_type in parts:
        if any(name.startswith(part) and name.endswith(".xml") for name in names):
            return media_type
    return None


def in_ole(entries: Collection[str]) -> str | None:
    """The same of an OLE container by the names of its streams and storages."""
    if not {"Macros", "VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR"}.isdisjoint(entries):
        return MACROS
    streams = (
        ("WordDocument", "application/msword"),
        ("Workbook", "application/vnd.ms-excel"),
        ("Book", "application/vnd.ms-excel"),
        ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    )
    return next((media_type for stream, media_type in streams if stream in entries), None)
