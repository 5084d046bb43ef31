"""What the reader of workbooks cannot say: whether an archive may be opened at all, and which cells are formulas.

Part of the program in sheet_reader.py, which runs apart with bounded memory and time: it imports nothing of the
service.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

MAX_PARTS = 2_000
MAX_BYTES = 512 * 1024**2
"""Of an archive unpacked. A hundred thousand rows of ten cells come to a tenth of it."""

MAX_RATIO = 200
"""How much larger a part may be unpacked than packed, once it is larger than RATIO_FROM. Tables come to some twenty."""

RATIO_FROM = 4 * 1024**2
CHUNK = 1 << 16

Span = tuple[int, int, int, int]
"""First row, first column, last row, last column, from 0."""


class Refused(Exception):
    """`args[0]` says why: one of the names of sheet_reader.FAULTS."""


def check_archive(content: bytes) -> None:
    """Look at every part of an .xlsx before anything unpacks it. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise Refused("bomb")
            for part in parts:
                name = part.filename.lower()
                if part.flag_bits & 1:
                    raise Refused("protected")
                if "vbaproject" in name or "/macrosheets/" in name or "/activex/" in name:
                    raise Refused("macros")
                if "/externallinks/" in name or "/connections.xml" in name:
                    raise Refused("external_links")
            if sum(part.file_size for part in parts) > MAX_BYTES:
                raise Refused("bomb")
            left = MAX_BYTES
            for part in parts:
                left -= _check_part(archive, part, left)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError, struct.error) as error:
        raise Refused("unreadable") from error


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """What a part really comes to, counted while it is unpacked: its own word for it may be a lie."""
    size = 0
    xml = part.filename.lower().endswith((".xml", ".rels"))
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            if size == 0 and xml:
                _check_prologue(chunk)
            size += len(chunk)
            if size > left or (size > RATIO_FROM and size > MAX_RATIO * max(1, part.compress_size)):
                raise Refused("bomb")
    return size


class _Begun(Exception):
    """The first element: no document type comes after it."""


def _check_prologue(beginning: bytes) -> None:
    """No document type, so no entity of its own, inside or from elsewhere."""
    parser = expat.ParserCreate()

    def doctype(*_: Any) -> None:
        raise Refused("entities")

    def begun(*_: Any) -> None:
        raise _Begun

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = begun
    try:
        parser.Parse(beginning, False)
    except _Begun:
        return
    except expat.ExpatError as error:
        raise Refused("unreadable") from error
    # A first element that begins behind so much else hides something.
    if len(beginning) >= CHUNK:
        raise Refused("entities")


# -- .xlsx


@dataclass
class Facts:
    """What is known of a workbook's cells: whether days are counted from 1904; by sheet its formulas, and the days that
    are shown as a month or a year."""

    epoch_1904: bool = False
    formulas: dict[str, list[Span]] = field(default_factory=dict)
    coarse: dict[str, dict[tuple[int, int], str]] = field(default_factory=dict)


MONTH, YEAR = "month", "year"
_MONTHS = frozenset({17, 27, 36, 50, 52, 57})
"""Formats that spreadsheets have without saying so, as Chinese ones have them: Dec-23, 2023年12月."""

_UNSHOWN = re.compile(r'"[^"]*"|\\.|\[[^]]*]|_.|\*.')


def shows(format_id: int, code: str | None) -> str | None:
    """Whether a format shows of a day only its month or its year: who types 2023年12月 gets 1 December so."""
    if code is None:
        return MONTH if format_id in _MONTHS else None
    letters = set(_UNSHOWN.sub("", code.partition(";")[0].lower()))
    if "y" not in letters or letters & set("dhs0#?"):
        return None
    return MONTH if "m" in letters else YEAR


def xlsx_facts(content: bytes) -> Facts:
    """What an .xlsx says of its cells beside their values."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        targets: dict[str, str] = {}

        def related(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        _parse(archive, names.get("xl/_rels/workbook.xml.rels"), related)
        sheets: dict[str, str] = {}
        epoch_1904 = False

        def listed(tag: str, attributes: dict[str, str]) -> None:
            nonlocal epoch_1904
            if tag == "workbookPr":
                epoch_1904 = attributes.get("date1904", "0") in ("1", "true", "on")
            elif tag == "sheet":
                relation = next((value for name, value in attributes.items() if name.endswith(":id")), "")
                target = targets.get(relation, "").lower()
                path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                if path in names:
                    sheets[attributes.get("name", "")] = names[path]

        _parse(archive, names.get("xl/workbook.xml"), listed)
        facts = Facts(epoch_1904)
        styles = _coarse_styles(archive, names.get("xl/styles.xml"))
        for name, part in sheets.items():
            facts.formulas[name], facts.coarse[name] = _walk(archive, part, styles)
        return facts


def _coarse_styles(archive: zipfile.ZipFile, part: str | None) -> dict[str, str]:
    """The cell styles that show a day as its month or its year, by their number as cells write it."""
    codes: dict[int, str] = {}
    formats: list[int] = []
    inside = [False]

    def element(tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
            inside[0] = tag == "cellXfs"
        elif tag == "xf" and inside[0]:
            formats.append(int(attributes.get("numFmtId", "0")))

    _parse(archive, part, element)
    found = {str(number): shows(each, codes.get(each)) for number, each in enumerate(formats)}
    return {number: shown for number, shown in found.items() if shown}


def _parse(archive: zipfile.ZipFile, part: str | None, element: Callable[[str, dict[str, str]], None]) -> None:
    """Call `element` with each element's local name and attributes."""
    if part is None:
        return
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: element(name.rpartition(":")[2], attributes)
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk, False)


_FORMULA = rb"<(?:[A-Za-z0-9_]+:)?f[\s/>]|^(?:\xfe\xff|\xff\xfe)"


def _walk(archive: zipfile.ZipFile, part: str, styles: dict[str, str]) -> tuple[list[Span], dict[tuple[int, int], str]]:
    """The cells of a sheet that are formulas, and those in one of the styles. Most sheets have none: a glance at the
    bytes spares the walk."""
    styled = rb"|\ss=[\"'](?:" + "|".join(styles).encode() + rb")[\"']" if styles else b""
    glance = re.compile(_FORMULA + styled)
    formulas: list[Span] = []
    coarse: dict[tuple[int, int], str] = {}
    with archive.open(part) as stream:
        tail = b""
        while chunk := stream.read(CHUNK):
            if glance.search(tail + chunk):
                break
            tail = chunk[-40:]
        else:
            return formulas, coarse
    place = [-1, -1]

    def element(tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            place[0] = int(attributes["r"]) - 1 if "r" in attributes else place[0] + 1
            place[1] = -1
        elif tag == "c":
            place[1] = _cell(attributes["r"])[1] if "r" in attributes else place[1] + 1
            if attributes.get("s") in styles:
                coarse[place[0], place[1]] = styles[attributes["s"]]
        elif tag == "f":
            span = attributes.get("ref") if attributes.get("t") in ("array", "dataTable") else None
            formulas.append(_span(span) if span else (place[0], place[1], place[0], place[1]))

    _parse(archive, part, element)
    return formulas, coarse


def _span(reference: str) -> Span:
    first, _, last = reference.partition(":")
    return (*_cell(first), *_cell(last or first))


def _cell(reference: str) -> tuple[int, int]:
    """B7 is (6, 1)."""
    column = row = 0
    for sign in reference.replace("$", "").upper():
        if sign.isdigit():
            row = row * 10 + int(sign)
        else:
            column = column * 26 + ord(sign) - 64
    return row - 1, column - 1


# -- .xls: a compound file whose stream `Workbook` is a row of records (MS-CFB, MS-XLS)

_FREE = 0xFFFFFFFA
BOUNDSHEET, FORMULA, DATEMODE, BOF, FILEPASS, OBPROJ = 0x85, 0x06, 0x22, 0x809, 0x2F, 0xD3
FORMAT, XF, NUMBER, RK = 0x41E, 0xE0, 0x203, 0x27E


def xls_facts(content: bytes) -> Facts:
    """The same for an .xls. Raises Refused where it has macros; what cannot be followed says nothing."""
    facts = Facts()
    sheets: list[tuple[int, str]] = []
    by_offset: dict[int, tuple[list[Span], dict[tuple[int, int], str]]] = {}
    codes: dict[int, str] = {}
    formats: list[int] = []
    current: tuple[list[Span], dict[tuple[int, int], str]] = ([], {})
    for offset, kind, data in _records(_workbook_stream(content)):
        if kind == BOF:
            current = by_offset.setdefault(offset, ([], {}))
        elif kind == FILEPASS:
            raise Refused("protected")
        elif kind == OBPROJ:
            raise Refused("macros")
        elif kind == DATEMODE and len(data) >= 2:
            facts.epoch_1904 = data[0] == 1
        elif kind == BOUNDSHEET and len(data) >= 8:
            sheets.append((struct.unpack_from("<I", data)[0], _text(data, 6, 1)))
        elif kind == FORMAT and len(data) >= 5:
            codes[struct.unpack_from("<H", data)[0]] = _text(data, 2, 2)
        elif kind == XF and len(data) >= 4:
            formats.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == FORMULA and len(data) >= 4:
            row, column = struct.unpack_from("<HH", data)
            current[0].append((row, column, row, column))
        elif kind in (NUMBER, RK) and len(data) >= 6:
            row, column, style = struct.unpack_from("<HHH", data)
            shown = shows(formats[style], codes.get(formats[style])) if style < len(formats) else None
            if shown:
                current[1][row, column] = shown
    for offset, name in sheets:
        facts.formulas[name], facts.coarse[name] = by_offset.get(offset, ([], {}))
    return facts


def _text(data: bytes, at: int, width: int) -> str:
    """A text with its length before it, in a number of `width` bytes; each sign has one byte or two."""
    length = int.from_bytes(data[at : at + width], "little")
    begins, wide = at + width + 1, data[at + width] & 1
    return data[begins : begins + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")


def _records(stream: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        yield at, kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _workbook_stream(content: bytes) -> bytes:
    """The stream of the records, put together from its sectors."""
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
        if any(name.startswith("_VBA_PROJECT") for name in entries):
            raise Refused("macros")
        start, length = entries.get("Workbook") or entries.get("Book") or (_FREE, 0)
        if length >= cutoff:
            return follow(start, chain, content, size, 1)[:length]
        links = follow(first_small, chain, content, size, 1)
        mini = follow(entries["Root Entry"][0], chain, content, size, 1)
        return follow(start, list(struct.unpack(f"<{len(links) // 4}I", links)), mini, small, 0)[:length]
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise Refused("unreadable") from error
