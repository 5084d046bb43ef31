"""Files as offices make them, and files that nobody should make: what is read, and what is refused."""

import contextlib
import io
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import xlsxwriter

from service.outside import sheet_parts, sheets
from service.outside.sheet_reader import MAX_ROWS
from service.workflow.grid import Area, Day, Formula, Grid, Number, Sheet, Visibility
from tests.spreadsheets import archive, sheet_xml, xls, xlsx

FAR = '<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>'
READER = sheets.READER
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
        with pytest.raises(sheets.TooLarge) as stopped:
            sheets.read(bytes(damaged))
        assert stopped.value.limit == "memory"
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
    begin = subprocess.Popen

    def watched(*given, **more):
        seen.update(more["env"])
        return begin(*given, **more)

    monkeypatch.setattr(sheets.subprocess, "Popen", watched)
    assert rows(xlsx(s=[["a"]])) == [["a"]]
    assert seen.keys() <= {"PATH", "LD_LIBRARY_PATH"}


def test_a_reader_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(sheets, "SECONDS", 0.001)
    with pytest.raises(sheets.TooLarge) as stopped:
        sheets.read(xlsx(s=[["a"]]))
    assert stopped.value.limit == "time"


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


# -- what else a spreadsheet knows


def test_numbers_dates_and_formulas_are_told_from_texts():
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts><font/></fonts><fills>'
        '<fill/></fills><borders><border/></borders><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>'
        "</cellXfs></styleSheet>"
    )
    cells = (
        '<row r="1"><c r="A1"><v>7</v></c><c r="B1" t="str"><v>007</v></c><c r="C1" s="1"><v>45291</v></c>'
        '<c r="D1" s="2"><v>45291.5</v></c><c r="E1"><v>0.30000000000000004</v></c><c r="F1"><v>2023.12</v></c>'
        '<c r="G1" t="b"><v>1</v></c></row>'
    )
    ((found,),) = (rows(archive({"s": sheet_xml(cells)}, {"xl/styles.xml": styles.encode()})),)
    assert found == ["7", "007", "2023-12-31", "2023-12-31 12:00:00", "0.3", "2023.12", "TRUE"]
    assert [type(cell) for cell in found] == [Number, str, Day, Day, Number, Number, str]


SHOWN = {
    'yyyy"年"m"月"': "2023-12",
    "yyyy\\.mm": "2023-12",
    '[$-804]yyyy"年"': "2023",
    'yyyy"年"m"月"d"日"': "2023-12-01",
    "m/d": "2023-12-01",
}


@pytest.mark.parametrize(("code", "expected"), SHOWN.items())
def test_a_day_that_is_shown_as_a_month_is_one(code, expected):
    """Who types 2023年12月 into a spreadsheet gets the first of December, shown as a month."""
    styles = (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts>'
        f'<numFmt numFmtId="180" formatCode="{escape(code, {chr(34): "&quot;"})}"/></numFmts>'
        "<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>"
        '<cellStyleXfs><xf numFmtId="180"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="180"/><xf numFmtId="57"/></cellXfs></styleSheet>'
    )
    cells = "".join(
        f'<c r="{place}" s="{style}"><v>45261</v></c>' for place, style in (("A1", 1), ("B1", 2), ("C1", 0))
    )
    content = archive({"s": sheet_xml(f'<row r="1">{cells}</row>')}, {"xl/styles.xml": styles.encode()})
    assert rows(content) == [[expected, "2023-12", "45261"]]
    assert type(rows(content)[0][0]) is Day


@pytest.mark.parametrize("flag", ["", ' date1904="0"', ' date1904="1"', ' date1904="true"'])
def test_the_date_system_is_told(flag):
    content = archive({"s": sheet_xml('<row r="1"><c r="A1"><v>43465</v></c></row>')})
    book = f"<workbookPr{flag}/><sheets>".encode()
    (sheet,) = sheets.read(repacked(content, "xl/workbook.xml", lambda part: part.replace(b"<sheets>", book)))
    assert sheet.epoch_1904 == ("1904" in flag and '"0"' not in flag)


def repacked(content, name, change):
    """The archive with one part changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, change(old.read(each)) if each == name else old.read(each))
    return made.getvalue()


def test_formulas_are_found_by_their_cells_whatever_they_came_to():
    cells = (
        '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c>'
        '<c r="B1" t="str"><f t="shared" ref="B1:B2" si="0">A1</f><v>x</v></c></row>'
        '<row r="2"><c r="A2"><v>3</v></c><c r="B2" t="str"><f t="shared" si="0"/><v>y</v></c></row>'
        '<row r="3"><c r="A3"><f t="array" ref="A3:B4">A1:B2</f><v>1</v></c><c r="B3"><v>2</v></c></row>'
        '<row r="4"><c><v>3</v></c><c><v>4</v></c><c><v>5</v></c></row>'
    )
    found = rows(archive({"s": sheet_xml(cells)}))
    assert [[type(cell) is Formula for cell in row] for row in found] == [
        [True, True], [False, True], [True, True], [True, True, False],
    ]  # fmt: skip


def test_a_sheet_in_utf_16_is_refused_and_not_taken_for_an_empty_one():
    xml = '<?xml version="1.0" encoding="UTF-16"?>' + sheet_xml('<row r="1"><c r="A1"><f>1+1</f><v>2</v></c></row>')
    content = repacked(archive({"s": ""}), "xl/worksheets/sheet1.xml", lambda part: xml.encode("utf-16"))
    with pytest.raises(sheets.Unreadable) as stopped:
        sheets.read(content)
    assert stopped.value.reason == "unreadable"


def test_an_old_workbook_tells_its_formulas_and_its_date_system():
    cells = {(0, 0): "问题", (1, 0): 45291.0}
    (sheet,) = sheets.read(xls("台账", cells, {(1, 1): 2.0}), "台账.xls")
    assert [[type(cell) for cell in row] for row in sheet.rows] == [[str], [Number, Formula]]
    assert not sheet.epoch_1904
    (sheet,) = sheets.read(xls("台账", cells, {(1, 1): 2.0}, epoch=b"\x01\0"))
    assert sheet.epoch_1904


def test_an_old_workbook_tells_which_days_are_shown_as_a_month():
    for code, expected in (('yyyy"年"m"月"', "2023-12"), ('yyyy"年"m"月"d"日"', "2023-12-01")):
        (sheet,) = sheets.read(xls("台账", {(0, 0): 45261.0}, {}, number_format=code))
        assert [(type(cell), cell) for cell in sheet.rows[0]] == [(Day, expected)]


def test_numbers_that_stand_side_by_side_in_an_old_workbook_are_days_too():
    """Excel writes neighbours into one record."""
    cells = {(0, 0): "时限", (1, 1): [45261, 45291, 45323], (2, 0): 45261.0}
    (sheet,) = sheets.read(xls("台账", cells, {}, number_format='yyyy"年"m"月"'))
    assert sheet.rows[1] == ["", "2023-12", "2023-12", "2024-02"]
    assert {type(cell) for cell in sheet.rows[1][1:]} == {Day} and sheet.rows[2] == ["2023-12"]


def test_a_workbook_that_refers_to_itself_and_to_functions_has_no_links():
    itself, function, none = b"\1\0\1\4", b"\1\0\1\x3a", b"\1\0\1\0\0 "
    for supbook in (itself, function, none):
        assert rows(xls("s", {(0, 0): 1.0}, {}, more=[(0x1AE, supbook)])) == [["1"]]


def test_line_breaks_within_a_cell_are_kept_and_escaped_signs_are_signs():
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        book.add_worksheet().write_string(0, 0, "甲\r\n乙\x07")
    assert rows(made.getvalue()) == [["甲\n乙\x07"]]


def test_merged_cells_and_hidden_sheets_are_told():
    xml = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>').replace(
        "</sheetData>", '</sheetData><mergeCells><mergeCell ref="A1:C2"/></mergeCells>'
    )
    content = archive({"一": xml, "二": sheet_xml(""), "三": sheet_xml("")})
    hidden = repacked(
        content,
        "xl/workbook.xml",
        lambda part: part.replace('name="二"'.encode(), 'name="二" state="hidden"'.encode()).replace(
            'name="三"'.encode(), 'name="三" state="veryHidden"'.encode()
        ),
    )
    found = sheets.read(hidden)
    assert found[0].merged == (Area(0, 0, 1, 2),)
    assert [each.visibility for each in found] == [Visibility.VISIBLE, Visibility.HIDDEN, Visibility.VERY_HIDDEN]


def test_merged_cells_where_nothing_stands_are_nothing():
    (sheet,) = sheets.read(merging(ONE, "A1:B900", "A5:B9", "C1:D1"))
    assert sheet.merged == (Area(0, 0, 899, 1),)
    Grid.of(Sheet("s", [["a"]], (Area(7, 0, 9, 0),)))


def test_what_a_sheet_says_of_its_size_and_rows_that_are_only_coloured_cost_nothing():
    coloured = "".join(f'<row r="{n}"><c r="A{n}" s="0"/><c r="B{n}" s="0"/></row>' for n in range(2, 10_002))
    xml = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>' + coloured)
    xml = xml.replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    assert rows(archive({"s": xml})) == [["1"]]


PARTED = {
    "a;b\n1;2\n": [["a", "b"], ["1", "2"]],
    "a\tb\n": [["a", "b"]],
    "题, 头\na\tb\tc\n1\t2, 3\t4\n5\t6, 7\t8\n": [["题, 头"], ["a", "b", "c"], ["1", "2, 3", "4"], ["5", "6, 7", "8"]],
    "a;b;c\n1,5;2,5;x\n": [["a", "b", "c"], ["1,5", "2,5", "x"]],
    'a,b,c\n1,"2\t2;3\n4",5\n6;6,7,8\n': [["a", "b", "c"], ["1", "2\t2;3\n4", "5"], ["6;6", "7", "8"]],
    "只有一列\n甲；乙\n": [["只有一列"], ["甲；乙"]],
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PARTED.items())
def test_a_csv_may_be_parted_otherwise(text, expected):
    assert rows(text.encode()) == expected
    assert rows(text.encode("utf-16")) == expected


# -- which limit


def lied(content, name, size):
    """The archive with another word for how large a part is unpacked."""
    changed = bytearray(content)
    at = changed.rindex(name.encode()) - 46
    changed[at + 24 : at + 28] = size.to_bytes(4, "little")
    return bytes(changed)


def spaces(count, megabytes):
    """A workbook of so many sheets, each as large as this with nothing in it."""
    return archive(dict.fromkeys((f"s{n}" for n in range(count)), sheet_xml(" " * (megabytes << 20))))


ONE = '<row r="1"><c r="A1"><v>1</v></c></row>'
TALL = ONE + '<row r="100000"><c r="A100000"><v>1</v></c></row>'


def merging(cells, *areas):
    """A workbook with these merged cells."""
    merged = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    return archive({"s": sheet_xml(cells).replace("</sheetData>", f"</sheetData><mergeCells>{merged}</mergeCells>")})


def repeating(text, count):
    """A workbook that has a text once and refers to it from many cells."""
    cells = "".join(
        f'<row r="{row}">{"".join(f"""<c r="{column}{row}" t="s"><v>0</v></c>""" for column in "ABCDEFGHIJ")}</row>'
        for row in range(1, count // 10 + 1)
    )
    texts = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{text}</t></si></sst>'
    content = archive({"s": sheet_xml(cells)}, {"xl/sharedStrings.xml": texts.encode()})
    related = (
        b'<Relationship Id="rId9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        b'sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    return repacked(content, "xl/_rels/workbook.xml.rels", lambda part: part.replace(b"</Relationships>", related))


STEALING = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><sst/>'
HIDING = b"<!--" + b" " * (1 << 17) + b"--><!DOCTYPE a [<!ENTITY b 'c'>]><sst/>"

REFUSED = {
    "ratio": (lambda: spaces(1, 40), sheets.TooLarge, "ratio"),
    "ratio, whatever it says": (
        lambda: lied(spaces(1, 40), "xl/worksheets/sheet1.xml", 9), sheets.TooLarge, "ratio"
    ),
    "size, by its own word": (lambda: spaces(8, 70), sheets.TooLarge, "declared"),
    "another size than its word": (
        lambda: lied(archive({"s": sheet_xml("")}), "xl/worksheets/sheet1.xml", 10), sheets.Unreadable, "unreadable"
    ),
    "parts": (lambda: archive({"s": ""}, {f"xl/media/{n}.png": b"x" for n in range(2_001)}), sheets.TooLarge, "parts"),
    "characters": (lambda: repeating("字" * 32_767, 3_000), sheets.TooLarge, "characters"),
    "merged cells, again and again": (lambda: merging(TALL, *["A1:A100000"] * 10_000), sheets.TooLarge, "merged"),
    "merged cells, their number": (
        lambda: merging(ONE, *(f"A1:B{n}" for n in range(1, 200_002))), sheets.TooLarge, "merged"
    ),
    "cells": (lambda: archive({"s": sheet_xml('<row r="1"><c r="IW1"><v>1</v></c></row>')}), sheets.TooLarge, "cells"),
    "macros": (lambda: archive({"s": ""}, {"xl/vbaProject.bin": b"x"}), sheets.Unreadable, "macros"),
    "old macros": (lambda: xls("s", {(0, 0): 1.0}, {}, stream_name="_VBA_PROJECT_CUR"), sheets.Unreadable, "macros"),
    "old macro sheets": (lambda: xls("s", {(0, 0): 1.0}, {}, sheet_kind=1), sheets.Unreadable, "macros"),
    "old links": (
        lambda: xls("s", {(0, 0): 1.0}, {}, more=[(0x1AE, b"\1\0\5\0\0\1b.xls")]), sheets.Unreadable, "external_links"
    ),
    "links": (lambda: archive({"s": ""}, {"xl/externalLinks/e1.xml": b"<x/>"}), sheets.Unreadable, "external_links"),
    "entities": (
        lambda: archive({"s": '<!DOCTYPE a [<!ENTITY b "c">]>' + sheet_xml("")}), sheets.Unreadable, "entities"
    ),
    "entities in another part": (
        lambda: archive({"s": ""}, {"xl/sharedStrings.xml": STEALING}),
        sheets.Unreadable,
        "entities",
    ),
    "entities behind much else": (
        lambda: archive({"s": ""}, {"xl/sharedStrings.xml": HIDING}),
        sheets.Unreadable,
        "entities",
    ),
    "name": (lambda: xlsx(s=[["a"]]), sheets.Unreadable, "extension"),
}  # fmt: skip
"""Made only where they are needed: some are large."""


@pytest.mark.parametrize("name", REFUSED)
def test_each_limit_is_the_one_that_stops_it(name):
    made, kind, why = REFUSED[name]
    content = made()
    with pytest.raises(kind) as stopped:
        sheets.read(content, "台账.csv" if name == "name" else None)
    found = stopped.value
    said = found.limit if isinstance(found, sheets.TooLarge) else found.reason
    assert said == why


def test_what_an_archive_comes_to_is_counted_whatever_it_says(monkeypatch):
    """Of what cannot be packed: no ratio stops it."""
    noise = random.Random(1).randbytes(2 << 20)
    content = lied(archive({"s": ""}, {"xl/media/1.png": noise}), "xl/media/1.png", 100)
    monkeypatch.setattr(sheet_parts, "MAX_BYTES", 1 << 20)
    with pytest.raises(sheet_parts.Refused) as refused:
        sheet_parts.check_archive(content)
    assert refused.value.args == ("unpacked",)


@pytest.mark.parametrize(
    ("program", "limit"),
    [
        ("import sys\nwhile True: sys.stdout.write('x' * 1000)", "told"),
        ("while True: print('[]')", "told"),
        ("import os; os.abort()", "memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "time"),
    ],
    ids=["one line", "many lines", "aborted", "out of time"],
)
def test_nobody_relies_on_the_reader(monkeypatch, tmp_path, program, limit):
    """Another program in its place says without end, or ends as the system ends it."""
    other = tmp_path / "reader.py"
    other.write_text(program)
    monkeypatch.setattr(sheets, "READER", other)
    monkeypatch.setattr(sheets, "MAX_TOLD", 1 << 16)
    with pytest.raises(sheets.TooLarge) as stopped:
        sheets.read(xlsx(s=[["a"]]))
    assert stopped.value.limit == limit


def test_a_file_of_a_hundred_megabytes_is_not_even_looked_at():
    with pytest.raises(sheets.TooLarge) as stopped:
        sheets.read(b"a" * (100 << 20))
    assert stopped.value.limit == "bytes"


@pytest.mark.parametrize(("work", "ended"), [("while True: pass", (-24, -9)), ("bytes(1 << 40)", (1,))])
def test_processor_time_and_memory_of_the_reader_are_bounded(tmp_path, work, ended):
    """By the limits that it sets itself: a loop and a greedy program in its place end by them."""
    text = READER.read_text()
    assert "SECONDS = 30" in text and "    _bound_itself()\n    out" in text
    program = tmp_path / "reader.py"
    greedy = text.replace("    _bound_itself()\n    out", f"    _bound_itself()\n    {work}\n    out")
    program.write_text(greedy.replace("SECONDS = 30", "SECONDS = 1"))
    done = subprocess.run([sys.executable, "-I", str(program)], input=b"", capture_output=True, timeout=60)
    assert done.returncode in ended, done.stderr
    assert done.returncode != 1 or b"MemoryError" in done.stderr


def test_a_hundred_thousand_rows_are_read(full):
    count = 100_000 if full else 10_000
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, count + 1))
    found = rows(archive({"s": sheet_xml(cells)}))
    assert (len(found), found[-1]) == (count, [str(count)])
    assert MAX_ROWS > 100_000
