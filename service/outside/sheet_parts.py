"""What the reader of workbooks cannot say: whether an archive may be opened at all, and which cells are formulas.

Part of the program in sheet_reader.py, which runs apart with bounded memory and time: it imports nothing of the
service.
"""

import io
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from copy import copy
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

Record = tuple[int, int, bytes]
"""Where it stands, its kind and what is in it."""


class Refused(Exception):
    """`args[0]` says why: one of the names of sheet_reader.FAULTS."""


def check_archive(content: bytes) -> None:
    """Look at every part of an .xlsx before anything unpacks it. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > MAX_PARTS:
                raise Refused("parts")
            for part in parts:
                name = part.filename.lower()
                if part.flag_bits & 1:
                    raise Refused("protected")
                if "vbaproject" in name or "/macrosheets/" in name or "/activex/" in name:
                    raise Refused("macros")
                if "/externallinks/" in name or "/connections.xml" in name:
                    raise Refused("external_links")
            if sum(part.file_size for part in parts) > MAX_BYTES:
                raise Refused("declared")
            left = MAX_BYTES
            for part in parts:
                left -= _check_part(archive, part, left)
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, EOFError, RuntimeError, struct.error) as error:
        raise Refused("unreadable") from error


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """What a part really comes to, counted while it is unpacked: its own word for it may be a lie.

    `zipfile` stops at the size that it is told, other readers do not: here it is told of no end.
    """
    size = 0
    xml = part.filename.lower().endswith((".xml", ".rels"))
    endless = copy(part)
    endless.file_size = sys.maxsize
    with archive.open(endless) as stream:
        while chunk := stream.read(CHUNK):
            if size == 0 and xml:
                _check_prologue(chunk)
            size += len(chunk)
            if size > left:
                raise Refused("unpacked")
            if size > RATIO_FROM and size > MAX_RATIO * max(1, part.compress_size):
                raise Refused("ratio")
    if size != part.file_size:
        raise Refused("unreadable")
    return size


class _Begun(Exception):
    """The first element: no document type comes after it."""


def _check_prologue(beginning: bytes) -> None:
    """No document type, so no entity of its own, inside or from elsewhere.

    What is in UTF-16 the reader takes for an empty sheet without a word: better it is refused.
    """
    if b"\0" in beginning[:4] or beginning.startswith((b"\xfe\xff", b"\xff\xfe")):
        raise Refused("unreadable")
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


_FORMULA = rb"<(?:[A-Za-z0-9_]+:)?f[\s/>]"


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


# -- .xls: a row of records (MS-XLS), as sheet_records.py finds them

BOUNDSHEET, FORMULA, DATEMODE, BOF, FILEPASS, OBPROJ = 0x85, 0x06, 0x22, 0x809, 0x2F, 0xD3
FORMAT, XF, NUMBER, RK, MULRK, SUPBOOK = 0x41E, 0xE0, 0x203, 0x27E, 0xBD, 0x1AE

_MACROS = (1, 6)
"""Kinds of sheet: an Excel 4 macro sheet and a module of Visual Basic."""
_ITSELF, _ADD_IN = 0x401, 0x3A01
"""What stands in a SUPBOOK for the length of a name where it means the workbook's own sheets, or a function."""


def xls_facts(streams: Iterable[str], records: Iterable[Record]) -> Facts:
    """The same for an .xls. Raises Refused where it has macros or links; what cannot be followed says nothing."""
    if any(name.startswith("_VBA_PROJECT") for name in streams):
        raise Refused("macros")
    facts = Facts()
    sheets: list[tuple[int, str]] = []
    by_offset: dict[int, tuple[list[Span], dict[tuple[int, int], str]]] = {}
    codes: dict[int, str] = {}
    formats: list[int] = []
    current: tuple[list[Span], dict[tuple[int, int], str]] = ([], {})
    for offset, kind, data in records:
        if kind == BOF:
            current = by_offset.setdefault(offset, ([], {}))
        elif kind == FILEPASS:
            raise Refused("protected")
        elif kind == OBPROJ or (kind == BOUNDSHEET and len(data) >= 6 and data[5] in _MACROS):
            raise Refused("macros")
        elif kind == SUPBOOK and _elsewhere(data):
            raise Refused("external_links")
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
        elif kind in (NUMBER, RK, MULRK) and len(data) >= 6:
            for row, column, style in _styled(kind, data):
                shown = shows(formats[style], codes.get(formats[style])) if style < len(formats) else None
                if shown:
                    current[1][row, column] = shown
    for offset, name in sheets:
        facts.formulas[name], facts.coarse[name] = by_offset.get(offset, ([], {}))
    return facts


def _styled(kind: int, data: bytes) -> Iterator[tuple[int, int, int]]:
    """Row, column and style of the numbers in a record: one, or as many as stand side by side."""
    row, column, style = struct.unpack_from("<HHH", data)
    if kind != MULRK:
        yield row, column, style
        return
    # A style and a number for each; behind the last one its column.
    for beside, at in enumerate(range(4, len(data) - 7, 6)):
        yield row, column + beside, struct.unpack_from("<H", data, at)[0]


def _elsewhere(data: bytes) -> bool:
    """Whether a SUPBOOK means another file: its name is a text longer than the blank that means none."""
    length = int.from_bytes(data[2:4], "little")
    return length > 1 and length not in (_ITSELF, _ADD_IN)


def _text(data: bytes, at: int, width: int) -> str:
    """A text with its length before it, in a number of `width` bytes; each sign has one byte or two."""
    length = int.from_bytes(data[at : at + width], "little")
    begins, wide = at + width + 1, data[at + width] & 1
    return data[begins : begins + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")
