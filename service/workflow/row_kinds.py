"""Rows of a ledger that are no data: what a clerk passes over without a second look."""

import re
import unicodedata
from enum import StrEnum

from service.workflow.cell_words import says_no
from service.workflow.grid import Formula, Grid, Number
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
TOTAL_OF = re.compile(rf".{{1,12}}(?:合计|小计|总计|共计)(?:\(.*\))?{_COUNT}")
"""城关镇小计: a total where nothing but figures stands beside it."""

FIGURE = re.compile(r"[-+]?\d[\d.,，]*\s*[项条个件处宗起家户%％]?")
NOTE = re.compile(
    r"(?:注|备注|说明|填表说明|填报说明|附注|注释|提示|温馨提示|备考|要求|填写说明)(?:\d?[:：.、]|\d+[.、])|(?:注释|填表说明|填报说明|填写说明)$|[★*※]"
)
NOTE_WORD = re.compile("注|备注|说明|附注|填表说明|填报说明|填写说明|备考")
_SIGNER = (
    "(?:填表|填报|制表|审核|审批|复核|经办|签发|报送|联系|统计|核对|录入|校对|编制|批准|单位|部门|主要|分管|主管|科室|整改|"
    "验收|责任|负责|领导|举报|监督|公示|受理|签收|抄送)"
)
SIGNATURE = re.compile(
    rf"(?:{_SIGNER}{{0,4}}(?:人|人员|领导|单位|部门|日期|时间|电话|签字|签名|盖章|公章)(?:签字|签名|签章|盖章|公章)?"
    r"|填表|填报|制表|审核|审批|复核|经办|签发|统计|核对|录入|校对|编制|批准)(?:\(.{0,12}\))?[:：_]"
    r"|(?:.{0,12}\((?:盖章|公章|签字|签章)\))"
)
CLOSING = re.compile(
    r"\d{4}[-年./]\d{1,2}(?:[-月./](?:\d{1,2}日?)?)?(?:00:00:00)?|[二〇○零一二三四五六七八九]{4}年.{1,3}月(?:.{1,3}日)?"
    r"|.{2,28}(?:局|办|办公室|委员会|委|政府|处|中心|组|领导小组|党组|党委|支部|公司|大队|支队)"
)
"""Who issued the ledger, and when."""
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
    if not filled or _written_in_advance(grid, header, row, filled):
        return Kind.BLANK
    if is_numbering(grid, row):
        return Kind.HEADER
    if len(filled) > 2 and isinstance(grid.own(row, filled[0]), Number):
        # Numbered, and with something behind it: nearly every row, and told at a glance.
        return Kind.DATA
    if any((row, column) in grid.below for column in header.columns.get(Field.PROBLEM, ())):
        # The next measure of a problem that goes over several rows, however it begins.
        return Kind.DATA
    first = _plain(grid.own(row, filled[0]))
    if _is_total(grid, header, row, filled, first):
        return Kind.TOTAL
    if _is_note(grid, header, row, filled, first) and not _is_item(grid, header, row):
        return Kind.NOTE
    if _is_signed(grid, header, row, filled, first):
        return Kind.SIGNATURE
    if len(filled) == 1:
        return _alone(grid, header, row, filled[0], first, in_notes)
    if _numbers_section(grid, header, row, filled, first, arabic):
        return Kind.SECTION
    return Kind.DATA


def is_numbering(grid: Grid, row: int) -> bool:
    """Whether a row numbers the columns: 1 2 3, or 甲 乙 1 2."""
    cells = grid.sheet.rows[row]
    if any(len(cell) > 4 for cell in cells):
        return False
    said = [_plain(cell).strip("().") for cell in cells if cell]
    counted = [cell for cell in said if cell not in NUMBERED_BY]
    return len(said) > 2 and len(counted) > 1 and counted == [str(number) for number in range(1, len(counted) + 1)]


NUMBERED_BY = frozenset("甲乙丙丁") | {"栏次", "列次", "栏号"}


def _written_in_advance(grid: Grid, header: Header, row: int, filled: list[int]) -> bool:
    """Rows of a form that nobody wrote in: a number, and what stands in each of them such as 否 and formulas."""
    if len(filled) > 4 or any(grid.at(row, column) for field in TELLING for column in header.columns.get(field, ())):
        return False
    number = header.columns.get(Field.SOURCE_NO, ())
    return all(
        re.fullmatch(r"\d+\.?", grid.own(row, column))
        if column in number
        else isinstance(grid.own(row, column), Formula) or says_no(grid.own(row, column))
        for column in filled
    )


TELLING = (
    Field.PROBLEM, Field.TITLE, Field.UNIT, Field.LEAD_UNIT, Field.CO_UNITS, Field.MEASURES, Field.GOAL, Field.PERSON,
    Field.DEADLINE, Field.FOUND_ON, Field.CONTACT,
)  # fmt: skip
"""What nobody writes in advance."""


def _is_note(grid: Grid, header: Header, row: int, filled: list[int], first: str) -> bool:
    """注：…, or 注 with the text beside it."""
    if NOTE.match(first):
        return True
    return bool(NOTE_WORD.fullmatch(first)) and len(filled) == 2 and not _cell(grid, header, row, Field.UNIT)


def _plain(cell: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", cell))


def _cell(grid: Grid, header: Header, row: int, field: Field) -> str:
    return next((cell for column in header.columns.get(field, ()) if (cell := grid.own(row, column))), "")


def _is_signed(grid: Grid, header: Header, row: int, filled: list[int], first: str) -> bool:
    if not SIGNATURE.match(first):
        return False
    return not _is_item(grid, header, row) or all(SIGNATURE.match(_plain(grid.own(row, column))) for column in filled)


def _is_total(grid: Grid, header: Header, row: int, filled: list[int], first: str) -> bool:
    """合计 in the first cell, or where the problem or the unit would stand while the other is blank; or 城关镇小计 with
    figures beside it."""
    if TOTAL.fullmatch(first):
        return True
    if len(filled) > 1 and TOTAL_OF.fullmatch(first):
        return all(FIGURE.fullmatch(grid.own(row, column)) for column in filled[1:])
    problem, unit = (_plain(_cell(grid, header, row, field)) for field in (Field.PROBLEM, Field.UNIT))
    return bool(TOTAL.fullmatch(problem) and not unit) or bool(TOTAL.fullmatch(unit) and not problem)


def _is_item(grid: Grid, header: Header, row: int) -> bool:
    """A row with a problem and a unit of its own is one, however its first cell begins."""
    return bool(_cell(grid, header, row, Field.PROBLEM) and _cell(grid, header, row, Field.UNIT))


def _alone(grid: Grid, header: Header, row: int, column: int, text: str, in_notes: bool) -> Kind:
    """The only cell of a row is a heading of a section, unless it stands where a problem stands and is not merged."""
    if in_notes:
        return Kind.NOTE
    field = header.field_at(column)
    if grid.width(row, column) > 1 or (NUMBERED.match(text) and field not in TOLD_IN_ITEMS):
        return Kind.SECTION
    if field not in (Field.PROBLEM, Field.TITLE) and _closes(grid, row, certain=field in TELLING):
        return Kind.SIGNATURE
    if field == Field.SOURCE_NO:
        # Rows that were numbered in advance and never written in.
        return Kind.BLANK if re.fullmatch(r"\d+\.?", text) else Kind.SECTION
    if column < min(each for columns in header.columns.values() for each in columns):
        return Kind.SECTION
    # What is filled down from above makes a row of its own of it: the next measure of the same problem.
    return Kind.DATA


TOLD_IN_ITEMS = frozenset({
    Field.UNIT, Field.LEAD_UNIT, Field.DEADLINE, Field.MEASURES, Field.PERSON, Field.GOAL, Field.STATUS,
})  # fmt: skip
"""What stands in a row of data, never in a heading of a section."""

MAX_CLOSING = 10


def _numbers_section(grid: Grid, header: Header, row: int, filled: list[int], first: str, arabic: bool) -> bool:
    """一 and 党的建设方面, with nothing of an item beside them."""
    if any(_cell(grid, header, row, field) for field in TOLD_IN_ITEMS):
        return False
    by_number = header.field_at(filled[0]) == Field.SOURCE_NO and CHINESE_NUMERAL.fullmatch(first) and arabic
    return bool(by_number or (NUMBERED.match(first) and not _cell(grid, header, row, Field.PROBLEM)))


def _closes(grid: Grid, row: int, *, certain: bool) -> bool:
    """Whether there is nothing from here on but who issued the ledger and when, each alone in its row. `certain`: the
    day alone is not enough, as it could be a deadline of the row above."""
    first = row
    while first > row - MAX_CLOSING and first > 0 and _is_closing(grid, first - 1):
        first -= 1
    last = min(row + MAX_CLOSING, len(grid.sheet.rows))
    if not all(_is_closing(grid, below) for below in range(row, last)):
        return False
    said = [grid.own(below, filled[0]) for below in range(first, last) if (filled := grid.filled(below))]
    dated = [bool(re.match("[0-9二]", each)) for each in said]
    return any(dated) and not (certain and all(dated))


def _is_closing(grid: Grid, row: int) -> bool:
    filled = grid.filled(row)
    return not filled or (len(filled) == 1 and bool(CLOSING.fullmatch(_plain(grid.own(row, filled[0])))))
