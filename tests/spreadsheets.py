"""Small .xlsx files written by hand, so that a test may put into one whatever no program would."""

import io
import struct
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="xl/workbook.xml"/></Relationships>'
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def xlsx(**sheets: list[list[Any]]) -> bytes:
    """Sheets by name, each a list of rows of texts, numbers and None."""
    return archive({name: _sheet(rows) for name, rows in sheets.items()})


def xlsx_merged(rows: list[list[Any]], *merged: str) -> bytes:
    """One sheet with merged cells, such as A2:A3."""
    return archive({"台账": _sheet(rows, *merged)})


def archive(sheets: dict[str, str], more: dict[str, bytes] | None = None) -> bytes:
    """Sheets by name as XML; `more` are further files of the archive."""
    numbered = list(enumerate(sheets.items(), start=1))
    listed = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, (name, _) in numbered)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n, _ in numbered
    )
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELS,
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{related}'
            "</Relationships>"
        ),
        **{f"xl/worksheets/sheet{n}.xml": xml for n, (_, xml) in numbered},
        **(more or {}),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return made.getvalue()


def _sheet(rows: list[list[Any]], *merged: str) -> str:
    lines = "".join(
        f'<row r="{number}">'
        + "".join(_cell(f"{chr(65 + column)}{number}", value) for column, value in enumerate(row) if value is not None)
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
    return sheet_xml(lines, *merged)


def sheet_xml(rows: str, *merged: str) -> str:
    areas = "".join(f'<mergeCell ref="{area}"/>' for area in merged)
    behind = f"<mergeCells>{areas}</mergeCells>" if merged else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{behind}</worksheet>'


def _cell(place: str, value: Any) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


Cells = dict[tuple[int, int], Any]


def xls(
    name: str,
    cells: Cells,
    formulas: Cells,
    *,
    epoch: bytes = b"\0\0",
    stream_name: str = "Workbook",
    number_format: str = "General",
    sheet_kind: int = 0,
    more: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """An .xls (BIFF8) of one sheet: texts and numbers, and formulas with what they once came to.

    A list stands for whole numbers side by side, in one record; `more` are further records of the workbook.
    """

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def text(value: str) -> bytes:
        return struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")

    bof = struct.pack("<HHHHII", 0x0600, 0, 0x0DBB, 0x07CC, 0, 6)

    def beginning(at: int) -> bytes:
        """The records of the workbook; its sheet begins at `at`."""
        listed = struct.pack("<IBBBB", at, 0, sheet_kind, len(name), 1) + name.encode("utf-16-le")
        records = [
            (0x809, bof[:2] + b"\x05\0" + bof[4:]), (0x42, struct.pack("<H", 1200)), (0x22, epoch),
            (0x41E, struct.pack("<H", 180) + text(number_format)), (0xE0, struct.pack("<HH", 0, 180) + bytes(16)),
            (0x85, listed), *more, (0x0A, b""),
        ]  # fmt: skip
        return b"".join(record(kind, data) for kind, data in records)

    sheet = record(0x809, bof[:2] + b"\x10\0" + bof[4:])
    places = [*cells, *formulas]
    last = max(row for row, _ in places) + 1, max(column for _, column in places) + 1
    sheet += record(0x200, struct.pack("<IIHHH", 0, last[0], 0, last[1], 0))
    for (row, column), value in cells.items():
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            sheet += record(0x204, place + text(value))
        elif isinstance(value, list):
            numbers = b"".join(struct.pack("<HI", 0, number << 2 | 2) for number in value)
            end = struct.pack("<H", column + len(value) - 1)
            sheet += record(0xBD, place[:4] + numbers + end)
        else:
            sheet += record(0x203, place + struct.pack("<d", value))
    for (row, column), value in formulas.items():
        # The tokens say 1 + 1.
        tokens = b"\x1e\x01\x00\x1e\x01\x00\x03"
        body = struct.pack("<HHHdHI", row, column, 0, value, 0, 0) + struct.pack("<H", len(tokens)) + tokens
        sheet += record(0x06, body)
    sheet += record(0x0A, b"")
    stream = beginning(len(beginning(0))) + sheet
    return _compound(stream.ljust(4096, b"\0"), stream_name)


def _compound(stream: bytes, stream_name: str) -> bytes:
    """A compound file (MS-CFB) of one stream: sector 0 is its table, 1 the directory, the rest the stream."""
    size, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    count = -(-len(stream) // size)
    table = [0xFFFFFFFD, end, *range(3, count + 2), end]
    table += [free] * (size // 4 - len(table))

    def entry(name: str, kind: int, child: int, start: int, length: int) -> bytes:
        encoded = name.encode("utf-16-le") + b"\0\0"
        head = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
        return head + struct.pack("<III", free, free, child) + bytes(36) + struct.pack("<IQ", start, length)

    directory = entry("Root Entry", 5, 1, end, 0) + entry(stream_name, 2, free, 2, len(stream))
    directory += (bytes(64) + struct.pack("<HBB", 0, 0, 1) + struct.pack("<III", free, free, free) + bytes(48)) * 2
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    return header + struct.pack(f"<{size // 4}I", *table) + directory + stream.ljust(count * size, b"\0")
