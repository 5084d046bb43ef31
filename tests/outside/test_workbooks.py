"""Workbooks and CSV as they are written: any text comes back as it was, and nothing in them runs."""

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from service.outside import workbook_writer, workbooks
from service.outside.workbooks import Ending, NoRoom, Scratch, csv_lines
from service.workflow.cells import unguarded, whole
from service.workflow.ledger_layouts import PAINTS
from tests.workflow.builders import examples

LOOK: dict[str, Any] = {
    "title": "测试县问题整改台账",
    "legend": "填报单位：测试县",
    "sheet": "问题整改台账",
    "author": "xiaohao",
    "made_at": "2026-03-02T01:00:00",
    "paints": PAINTS,
    "columns": [
        {"heading": "序号", "group": None, "width": 5, "kind": "number"},
        {"heading": "存在问题", "group": None, "width": 30, "kind": "text"},
        {"heading": "责任单位", "group": "整改责任", "width": 10, "kind": "short"},
        {"heading": "责任人", "group": "整改责任", "width": 8, "kind": "short"},
        {"heading": "整改时限", "group": "整改安排", "width": 11, "kind": "day"},
        {"heading": "亮灯", "group": None, "width": 6, "kind": "lamp"},
    ],
}
TOTAL = ["合计", "共 1 项", None, None, None, None]

# What an item's texts may be: anything but half a character, which is replaced before.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(whole)


async def pages_of(*pages: Any) -> AsyncIterator[Any]:
    for page in pages:
        yield page


def written(tmp_path: Path, *pages: Any, total: Any = TOTAL, notes: tuple[str, ...] = ()) -> bytes:
    async def write() -> bytes:
        async with Scratch(tmp_path).room() as room:
            path = await workbooks.write(room, LOOK, pages_of(*pages), lambda: Ending(total, notes))
            return path.read_bytes()

    return asyncio.run(write())


def rows(content: bytes, sheet: int = 0) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()


def part(content: bytes, name: str) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read(name).decode()


def line(text: str, **more: Any) -> list[Any]:
    return [1, text, "青溪村", "张伟", more.get("due", date(2026, 3, 3)), more.get("lamp", "红灯")]


@pytest.fixture(scope="module")
def example_book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    page = [line("饮水管网漏损"), line("=1+1", due="长期坚持", lamp="绿灯")]
    return written(tmp_path_factory.mktemp("book"), page, [line("三")], notes=("注：只到这里",))


def test_it_has_title_two_rows_of_headings_rows_totals_and_notes(example_book: bytes) -> None:
    found = rows(example_book)
    assert found[0][0] == "测试县问题整改台账"
    assert found[1][0] == "填报单位：测试县"
    assert found[2] == ["序号", "存在问题", "整改责任", "", "整改安排", "亮灯"]
    assert found[3] == ["", "", "责任单位", "责任人", "整改时限", ""]
    assert found[4] == [1.0, "饮水管网漏损", "青溪村", "张伟", date(2026, 3, 3), "红灯"]
    assert found[5][1:] == ["=1+1", "青溪村", "张伟", "长期坚持", "绿灯"]
    assert found[7][:2] == ["合计", "共 1 项"]
    assert found[8][0] == "注：只到这里"


def test_it_is_set_up_for_the_printer(example_book: bytes) -> None:
    sheet, book = part(example_book, "xl/worksheets/sheet1.xml"), part(example_book, "xl/workbook.xml")
    assert '<pageSetup paperSize="9" fitToHeight="0" orientation="landscape"/>' in sheet
    assert '<pageSetUpPr fitToPage="1"/>' in sheet
    assert "第 &amp;P 页，共 &amp;N 页" in sheet
    assert "问题整改台账!$3:$4</definedName>" in book, "the headings stand on every page"
    assert '<pane ySplit="4" topLeftCell="A5"' in sheet
    assert '<autoFilter ref="A4:F7"/>' in sheet
    merged = set(re.findall(r'<mergeCell ref="([A-Z0-9:]+)"/>', sheet))
    # Over 整改安排 there is nothing to merge: it has one column.
    assert merged == {"A1:F1", "A2:F2", "A3:A4", "B3:B4", "C3:D3", "F3:F4"}


def test_a_lamp_is_a_colour_with_its_word_and_no_sheet_is_hidden(example_book: bytes) -> None:
    styles = part(example_book, "xl/styles.xml")
    for word in ("红灯", "绿灯"):
        assert f'rgb="FF{PAINTS[word][0][1:]}"' in styles
    assert 'state="' not in part(example_book, "xl/workbook.xml")


def test_a_row_is_as_high_as_its_longest_text_wants(tmp_path: Path) -> None:
    content = written(tmp_path, [line("短"), line("水" * 150), line("a\nb\nc"), line("水" * 5000)])
    heights = [float(each) for each in re.findall(r'<row r="[5-8]"[^>]* ht="([0-9.]+)"', part_of(content))]
    assert heights[0] < heights[2] < heights[1] < heights[3] <= 409


def part_of(content: bytes) -> str:
    return part(content, "xl/worksheets/sheet1.xml")


def test_nothing_is_a_formula_a_link_or_a_program(tmp_path: Path) -> None:
    wicked = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "{=1}", "http://a.test", "mailto:a"]
    content = written(tmp_path, [line(text) for text in wicked])
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert "<f>" not in part_of(content) and "<hyperlink" not in part_of(content)
    assert not [name for name in names if "vba" in name or "external" in name.lower() or "connections" in name]
    assert [row[1] for row in rows(content)[4:-1]] == wicked


@given(st.lists(TEXTS.filter(bool), min_size=1, max_size=8))
@example(["<r><t>x</t></r>"])
@example(["<r></r>", "<r></bad></r>", "<r>&</r>"])
@example(["_x0041_", "_x005F_", "a_x000D_b", "\x00", "\x01\x0b\x1f", "a\r\nb", "\r"])
@example([" a ", "\n", "\t", "]]>", "<![CDATA[", "&amp;", '"', "'"])
@examples(100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_from_a_workbook_as_it_was(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "table.xlsx"
    table = workbook_writer.Table(str(path), str(tmp_path), LOOK)
    for text in texts:
        table.add([1, text, None, None, [2026, 3, 3], None])
    table.finish({"total": TOTAL, "notes": []})
    assert [row[1] for row in rows(path.read_bytes())[4:-1]] == texts


@given(st.lists(TEXTS, min_size=1, max_size=8))
@example(["=1", "'=1", "''+1", "\r", "\n", '"', ",", "'", ""])
@examples(200)
def test_any_text_comes_back_from_csv_as_it_was_and_none_of_it_runs(texts: list[str]) -> None:
    content = csv_lines([["x", text, None, 3, date(2026, 3, 3)] for text in texts])
    found = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert [unguarded(row[1]) for row in found] == texts
    assert all(row[1][:1] not in ("=", "+", "-", "@", "\t", "\r") for row in found)
    assert {tuple(row[2:]) for row in found} == {("", "3", "2026-03-03")}


def test_half_a_character_does_not_break_a_file(tmp_path: Path) -> None:
    assert rows(written(tmp_path, [line(whole("a\ud83d\uffff"))]))[4][1] == "a\ufffd\ufffd"


def test_what_one_sheet_does_not_hold_goes_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_writer, "ROWS_OF_A_SHEET", 3)
    path = tmp_path / "table.xlsx"
    table = workbook_writer.Table(str(path), str(tmp_path), LOOK)
    for number in range(7):
        table.add([number, f"第{number}条", None, None, None, None])
    table.finish({"total": TOTAL, "notes": []})
    content = path.read_bytes()
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["问题整改台账", "问题整改台账（2）", "问题整改台账（3）"]
    texts = [[row[1] for row in rows(content, sheet)[4:]] for sheet in range(3)]
    assert texts == [["第0条", "第1条", "第2条"], ["第3条", "第4条", "第5条"], ["第6条", "共 1 项"]]
    assert all(rows(content, sheet)[2][1] == "存在问题" for sheet in range(3))


def test_a_table_that_breaks_off_is_no_workbook_and_leaves_nothing(tmp_path: Path) -> None:
    async def breaks() -> AsyncIterator[Any]:
        yield [line("一")]
        raise PermissionError("the caller is gone")

    async def write() -> None:
        async with Scratch(tmp_path).room() as room:
            await workbooks.write(room, LOOK, breaks(), lambda: Ending(None))

    with pytest.raises(PermissionError):
        asyncio.run(write())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bound", ["FILE_BYTES"])
def test_a_disk_without_room_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """The program's own bound on a file is met as a full disk is: by an error of the write."""
    small = tmp_path / "writer.py"
    small.write_text(Path(workbooks.WRITER).read_text().replace("64 * 1024**3", "20_000"))
    monkeypatch.setattr(workbooks, "WRITER", small)
    with pytest.raises(NoRoom):
        written(tmp_path / "scratch", [line("水" * 1000) for _ in range(100)])


def test_a_directory_that_cannot_be_made_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoRoom):
        written(tmp_path / "file" / "below", [line("一")])


def test_what_a_killed_process_left_goes_a_day_later(tmp_path: Path) -> None:
    for name in ("export-old", "export-other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "table.xlsx").write_bytes(b"x")
    (tmp_path / "keys").mkdir()
    Scratch(tmp_path).sweep(datetime.now(UTC))
    assert len(list(tmp_path.iterdir())) == 3
    Scratch(tmp_path).sweep(datetime.now(UTC) + timedelta(days=2))
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]
