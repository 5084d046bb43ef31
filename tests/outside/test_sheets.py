"""Files as offices make them, and files that nobody should make: what is read, and what is refused."""

import contextlib
import random
import subprocess
from pathlib import Path

import pytest

from service.outside import sheets
from tests.spreadsheets import archive, sheet_xml, xlsx

FAR = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>'
OLD = Path(__file__).resolve().parent.parent / "files" / "units.xls"


def rows(content: bytes) -> list[list[str]]:
    (sheet,) = sheets.read(content)
    return sheet.rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_offices_use(encoding):
    assert rows("编码,名称\r\nqx,青溪镇\r\n".encode(encoding)) == [["编码", "名称"], ["qx", "青溪镇"]]


def test_a_csv_keeps_its_row_numbers_and_its_quoted_line_breaks():
    assert rows(b'a,"b\nc"\n\n"d ""e""",f\n') == [["a", "b\nc"], [], ['d "e"', "f"]]


def test_a_workbook_has_its_sheets_by_name_and_its_rows_from_the_first():
    content = xlsx(空={}, 单位=[[None], [None, "编码", " 名称\u3000"], [None, 101, 1.5]])
    empty, found = sheets.read(content)
    assert (empty.name, empty.rows, found.name) == ("空", [], "单位")
    assert found.rows[1:] == [["", "编码", "名称"], ["", "101", "1.5"]]


def test_an_old_workbook_is_read_too():
    (sheet,) = sheets.read(OLD.read_bytes())
    assert sheet.name == "单位"
    assert sheet.rows[1] == ["101", "旧表镇", "root", "镇"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [("  a\u00a0", "a"), ("\ufeffb\u200b", "b"), ("\u3000c\t", "c"), ("", "")],
)
def test_what_is_seen_as_nothing_is_trimmed(cell, text):
    assert rows(xlsx(s=[["x", cell or None, "y"]])) == [["x", text, "y"]]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00\x01\x80\x81\xff",
        b"PK\x03\x04" + b"\0" * 50,
        b"\xd0\xcf\x11\xe0" + b"\0" * 600,
        xlsx(s=[["a"]])[:-40],
        archive({"s": sheet_xml('<row r="1"><c r="?"><v>1</v></c></row>')}),
    ],
    ids=["no text", "no archive", "no old workbook", "cut short", "a cell nowhere"],
)
def test_what_is_no_table_is_unreadable(content):
    with pytest.raises(sheets.Unreadable):
        sheets.read(content)


@pytest.mark.parametrize("seed", [71, 561, *range(6)])
def test_a_damaged_file_is_unreadable_and_nothing_worse(seed):
    """The first two make the reader ask for 686 GB, and end."""
    chance = random.Random(seed)
    damaged = bytearray(OLD.read_bytes())
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    if seed in (71, 561):
        with pytest.raises(sheets.Unreadable):
            sheets.read(bytes(damaged))
    else:
        with contextlib.suppress(sheets.Unreadable, sheets.TooLarge):
            sheets.read(bytes(damaged))


@pytest.mark.parametrize(
    "far",
    ['<c r="XFD1"><v>1</v></c>', '<c r="A1048576"><v>1</v></c>', "<c\n s='1' r = 'zz1'><v>1</v></c>"],
    ids=["to the right", "down", "written otherwise"],
)
def test_a_cell_far_away_makes_no_room_for_what_lies_between(far):
    with pytest.raises((sheets.TooLarge, sheets.Unreadable)):
        sheets.read(archive({"s": sheet_xml(f'<row r="1"><c r="A1"><v>1</v></c>{far}</row>')}))


def test_an_archive_that_unpacks_to_terabytes_ends_the_reader_and_nothing_else():
    spaces = " " * (64 << 20)
    with pytest.raises((sheets.Unreadable, sheets.TooLarge)):
        sheets.read(archive({f"s{n}": sheet_xml(spaces) for n in range(3)} | {"wide": sheet_xml(FAR)}))


def test_the_reader_is_told_no_secrets(monkeypatch):
    monkeypatch.setenv("XIAOHAO_ADMIN_KEY", "secret")
    seen = {}
    run = subprocess.run

    def watched(*given, **more):
        seen.update(more["env"])
        return run(*given, **more)

    monkeypatch.setattr(sheets.subprocess, "run", watched)
    assert rows(xlsx(s=[["a"]])) == [["a"]]
    assert seen.keys() <= {"PATH", "LD_LIBRARY_PATH"}


def test_a_reader_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(sheets, "SECONDS", 0.001)
    with pytest.raises(sheets.TooLarge):
        sheets.read(xlsx(s=[["a"]]))


@pytest.mark.parametrize("name", ["MAX_ROWS", "MAX_COLUMNS", "MAX_CELLS"])
def test_a_csv_with_more_than_is_read_is_too_large(monkeypatch, name):
    table = "\n".join(",".join(["a"] * 4) for _ in range(4)).encode()
    assert len(rows(table)) == 4
    monkeypatch.setattr(sheets, name, 3)
    with pytest.raises(sheets.TooLarge):
        sheets.read(table)


def test_a_workbook_with_more_than_is_read_is_too_large():
    with pytest.raises(sheets.TooLarge):
        sheets.read(archive({f"s{n}": sheet_xml("") for n in range(51)}))
    with pytest.raises(sheets.TooLarge):
        sheets.read(archive({"s": sheet_xml('<row r="1"><c r="A1"><v>1</v></c><c r="IW1"><v>1</v></c></row>')}))
