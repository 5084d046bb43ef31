"""Rows of a ledger that are no data: what a clerk passes over without a second look."""

import re
import unicodedata
from enum import StrEnum

from service.workflow.grid import Grid, Number
from service.workflow.headers import Header
from service.workflow.headings import Field


class Kind(StrEnum):
    """What a row is; all but DATA are ignored."""

    DATA = "data"
    TITLE = "title"
    HEADER = "header"
    BLANK = "blank"
    TOTAL = "total"
    NOTE = "note"
    SECTION = "section"
    SIGNATURE = "signature"
    ANNULLED = "annulled"


_COUNT = r"[:：]?(?:共?\d*[项条个件处宗]?)?"
TOTAL = re.compile(
    rf"(?:合计|小计|总计|共计|累计|总数|合计数|本页合计|本页小计|总合计)(?:\(.*\))?{_COUNT}|共\d+[项条个件处](?:问题)?"
)
NOTE = re.compile(
    r"(?:注|备注|说明|填表说明|填报说明|附注|注释|提示|温馨提示|备考|要求|填写说明)(?:\d?[:：.、]|\d+[.、])|(?:注释|填表说明|填报说明|填写说明)$|[★*※]"
)
SIGNATURE = re.compile(
    r"(?:填表|填报|制表|审核|审批|复核|经办|签发|报送|联系|统计|核对|录入|单位|部门|主要|分管|科室|整改|验收)?"
    r"(?:人|负责人|领导|人员|单位|部门|日期|时间|电话|人签字|领导签字|签字|签名|盖章|公章)(?:\(.{0,12}\))?[:：_]"
    r"|(?:.{0,12}\((?:盖章|公章|签字|签章)\))"
)  # fmt: skip
NUMBERED = re.compile(
    r"(?:[一二三四五六七八九十百]+[、.．,，]|\([一二三四五六七八九十百]+\)|第[一二三四五六七八九十百\d]+(?:部分|类|章|批|大项|方面))"
)
CHINESE_NUMERAL = re.compile(r"[一二三四五六七八九十百]+[、.]?|\([一二三四五六七八九十]+\)")


def kind_of(grid: Grid, header: Header, row: int, *, in_notes: bool, arabic: bool) -> Kind:
    """What a row below the headings is.

    `in_notes`: behind a note, where its further lines stand; `arabic`: the items of the sheet are numbered 1, 2, 3, so
    that 一 numbers sections.
    """
    filled = grid.filled(row)
    if not filled:
        return Kind.BLANK
    if len(filled) > 2 and isinstance(grid.own(row, filled[0]), Number):
        # Numbered, and with something behind it: nearly every row, and told at a glance.
        return Kind.DATA
    first = _plain(grid.own(row, filled[0]))
    if _is_total(grid, header, row, first):
        return Kind.TOTAL
    if NOTE.match(first) and not _is_item(grid, header, row):
        return Kind.NOTE
    if SIGNATURE.match(first) and not _is_item(grid, header, row):
        return Kind.SIGNATURE
    if len(filled) == 1:
        return _alone(grid, header, row, filled[0], first, in_notes)
    if _numbers_section(grid, header, row, filled, first, arabic):
        return Kind.SECTION
    return Kind.DATA


def _plain(cell: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", cell))


def _cell(grid: Grid, header: Header, row: int, field: Field) -> str:
    return next((cell for column in header.columns.get(field, ()) if (cell := grid.own(row, column))), "")


def _is_total(grid: Grid, header: Header, row: int, first: str) -> bool:
    """合计 in the first cell, or where the problem or the unit would stand while the other is blank."""
    if TOTAL.fullmatch(first):
        return True
    problem, unit = (_plain(_cell(grid, header, row, field)) for field in (Field.PROBLEM, Field.UNIT))
    return bool(TOTAL.fullmatch(problem) and not unit) or bool(TOTAL.fullmatch(unit) and not problem)


def _is_item(grid: Grid, header: Header, row: int) -> bool:
    """A row with a problem and a unit of its own is one, however its first cell begins."""
    return bool(_cell(grid, header, row, Field.PROBLEM) and _cell(grid, header, row, Field.UNIT))


def _alone(grid: Grid, header: Header, row: int, column: int, text: str, in_notes: bool) -> Kind:
    """The only cell of a row is a heading of a section, unless it stands where a problem stands and is not merged."""
    if in_notes:
        return Kind.NOTE
    if grid.width(row, column) > 1 or NUMBERED.match(text):
        return Kind.SECTION
    field = header.field_at(column)
    if field == Field.SOURCE_NO:
        # Rows that were numbered in advance and never written in.
        return Kind.BLANK if re.fullmatch(r"\d+\.?", text) else Kind.SECTION
    if column < min(each for columns in header.columns.values() for each in columns):
        return Kind.SECTION
    # What is filled down from above makes a row of its own of it: the next measure of the same problem.
    return Kind.DATA


def _numbers_section(grid: Grid, header: Header, row: int, filled: list[int], first: str, arabic: bool) -> bool:
    """一 and 党的建设方面, with nothing of an item beside them."""
    telling = {
        Field.UNIT, Field.LEAD_UNIT, Field.DEADLINE, Field.MEASURES, Field.PERSON, Field.GOAL, Field.STATUS,
    }  # fmt: skip
    if any(_cell(grid, header, row, field) for field in telling):
        return False
    by_number = header.field_at(filled[0]) == Field.SOURCE_NO and CHINESE_NUMERAL.fullmatch(first) and arabic
    return bool(by_number or (NUMBERED.match(first) and not _cell(grid, header, row, Field.PROBLEM)))
