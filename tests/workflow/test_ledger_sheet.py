"""Ledgers as offices lay them out: where the headings stand, what they mean, and which rows are no data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.grid import Area, Number, Sheet, Visibility
from service.workflow.headings import NAMES, Field, field_of
from service.workflow.ledger_sheet import read_sheets
from service.workflow.row_kinds import Kind
from tests.workflow.builders import examples

HEAD = ["序号", "存在问题", "责任单位", "整改时限"]


def row(number, problem="路面破损", unit="一镇", deadline="2027年6月底"):
    return [Number(number), problem, unit, deadline]


def sheet(rows, *merged, name="台账", **given):
    return Sheet(name, rows, tuple(Area(*each) for each in merged), **given)


def only(rows, *merged, wanted=None, **given):
    """What became of one sheet, and its lines."""
    (found,) = read_sheets([sheet(rows, *merged, **given)], wanted)
    lines = list(found.lines)
    return found, lines


def kinds(found):
    return {each.row: each.kind for each in found.passed}


# -- headings


def test_headings_are_found_below_titles_and_to_the_right_of_nothing():
    rows = [[], ["", "", "附件2"], ["", "", "某县问题整改台账"], ["", "", *HEAD], ["", "", *row(1)]]
    found, lines = only(rows, (2, 2, 2, 5))
    assert found.header.columns == {
        Field.SOURCE_NO: (2,), Field.PROBLEM: (3,), Field.UNIT: (4,), Field.DEADLINE: (5,),
    }  # fmt: skip
    assert [(line.row, line.cells[Field.PROBLEM]) for line in lines] == [(5, "路面破损")]
    assert kinds(found) == {1: Kind.BLANK, 2: Kind.TITLE, 3: Kind.TITLE, 4: Kind.HEADER}


@pytest.mark.parametrize(
    "heading",
    ["存 在 问 题", "存在\n问题", "存在问题（必填）", "＊存在问题", "存在问题：", "【存在问题】存在问题", "存在的问题"],
)
def test_a_heading_is_the_same_however_it_is_spaced(heading):
    assert field_of((heading,)) is not None
    assert field_of((heading,))[0] == Field.PROBLEM


def test_full_width_letters_are_letters():
    assert field_of(("Ｎｏ",))[0] == Field.SOURCE_NO


CALLED = {
    "问题及隐患情况": Field.PROBLEM,
    "督察反馈问题": Field.PROBLEM,
    "省级反馈意见": Field.PROBLEM,
    "拟采取整改措施": Field.MEASURES,
    "整改措施及完成情况": Field.MEASURES,
    "市级牵头部门": Field.LEAD_UNIT,
    "协办责任单位": Field.CO_UNITS,
    "问题责任单位": Field.UNIT,
    "涉及乡镇": Field.UNIT,
    "县级包抓领导": Field.PERSON,
    "整改责任人姓名": Field.PERSON,
    "计划整改完成时间": Field.DEADLINE,
    "整改时限要求": Field.DEADLINE,
    "目前整改进展情况": Field.STATUS,
    "整改完成情况说明": Field.STATUS,
    "是否已完成销号": Field.STRUCK_OFF,
    "实际完成时间": Field.CLOSED_ON,
    "发现问题时间": Field.FOUND_ON,
    "问题移交时间": Field.LISTED_ON,
    "隐患整改级别": Field.SEVERITY,
    "问题线索来源": Field.SOURCE,
    "行业监管部门": Field.SUPERVISING,
}


@pytest.mark.parametrize(("heading", "expected"), CALLED.items())
def test_headings_that_no_table_has_are_met_by_patterns(heading, expected):
    assert field_of((heading,)) is not None, heading
    assert field_of((heading,))[0] == expected


def test_no_name_stands_for_two_fields():
    names = [name for each in NAMES.values() for name in each]
    assert len(names) == len(set(names))


def test_two_rows_of_headings_with_merged_cells():
    rows = [
        ["序号", "反馈问题", "责任分工", "", "", "整改时限"],
        ["", "", "单位", "责任人", "配合", ""],
        [Number("1"), "甲", "一镇", "张三", "二镇", "2027.6.30"],
    ]
    found, lines = only(rows, (0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 0, 4), (0, 5, 1, 5))
    assert (found.header.first, found.header.last) == (0, 1)
    assert lines[0].cells == {
        Field.SOURCE_NO: "1", Field.PROBLEM: "甲", Field.UNIT: "一镇", Field.PERSON: "张三", Field.CO_UNITS: "二镇",
        Field.DEADLINE: "2027.6.30",
    }  # fmt: skip


def test_three_rows_of_headings():
    rows = [
        ["序号", "问题", "整改情况", "", "", ""],
        ["", "", "责任", "", "进度", ""],
        ["", "", "单位", "责任人", "时限", "完成情况"],
        [Number("1"), "甲", "一镇", "张三", "2027.6.30", "已开工"],
    ]
    merged = [(0, 0, 2, 0), (0, 1, 2, 1), (0, 2, 0, 5), (1, 2, 1, 3), (1, 4, 1, 5)]
    found, lines = only(rows, *merged)
    assert found.header.last == 2
    assert lines[0].cells[Field.UNIT] == "一镇" and lines[0].cells[Field.STATUS] == "已开工"
    assert lines[0].cells[Field.DEADLINE] == "2027.6.30"


def test_two_rows_of_headings_without_merged_cells_as_a_csv_has_them():
    rows = [
        ["序号", "问题", "责任分工", "", "整改时限"],
        ["", "", "责任单位", "责任人", ""],
        ["1", "甲", "一镇", "张三", "2027.6.30"],
        ["2", "乙", "二镇", "李四", "2027.6.30"],
    ]
    found, lines = only(rows, plain=True)
    assert (found.header.last, [line.row for line in lines]) == (1, [3, 4])
    assert lines[0].cells[Field.PERSON] == "张三"


def test_a_first_row_of_short_words_is_no_second_row_of_headings():
    rows = [["问题", "责任单位", "整改时限"], ["隐患", "责任部门", "限期整改"], ["道路", "一镇", "尽快"]]
    found, lines = only(rows)
    assert (found.header.last, [line.row for line in lines]) == (0, [2, 3])


def test_headings_that_come_again_are_passed_over_and_others_count_from_there():
    rows = [HEAD, row(1), HEAD, row(2), ["编号", "责任单位", "反馈问题", "整改措施"], [Number("3"), "二镇", "丙", "修"]]
    found, lines = only(rows)
    assert [line.cells[Field.PROBLEM] for line in lines] == ["路面破损", "路面破损", "丙"]
    assert lines[2].cells[Field.MEASURES] == "修"
    assert kinds(found) == {1: Kind.HEADER, 3: Kind.HEADER, 5: Kind.HEADER}


def test_of_two_columns_for_one_field_the_plainer_counts_and_the_other_is_kept():
    rows = [["问题类别", "问题", "问题描述", "单位名称", "责任单位"], ["水", "甲", "乙", "某厂", "一镇"]]
    _, (line,) = only(rows)
    assert (line.cells[Field.PROBLEM], line.cells[Field.UNIT], line.cells[Field.CATEGORY]) == ("甲", "一镇", "水")
    assert line.extra == {"问题描述": "乙", "单位名称": "某厂"}


def test_when_it_is_to_be_done_and_when_it_was():
    _, (line,) = only([["问题", "责任单位", "完成时间"], ["甲", "一镇", "2027.6.30"]])
    assert line.cells[Field.DEADLINE] == "2027.6.30"
    _, (line,) = only([["问题", "责任单位", "整改时限", "完成时间"], ["甲", "一镇", "2027.6.30", "2027.5.1"]])
    assert (line.cells[Field.DEADLINE], line.cells[Field.CLOSED_ON]) == ("2027.6.30", "2027.5.1")


def test_the_caller_knows_better():
    rows = [["现象", "主责", "序号"], ["甲", "一镇", Number("1")]]
    found, lines = only(rows)
    assert (found.skipped, lines) == ("no_header", [])
    _, (line,) = only(rows, wanted={"现象": Field.PROBLEM, "主 责": Field.UNIT, "序号": None})
    assert line.cells == {Field.PROBLEM: "甲", Field.UNIT: "一镇"} and line.extra == {"序号": "1"}


# -- rows


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([], Kind.BLANK),
        (["", "", ""], Kind.BLANK),
        ([Number("8")], Kind.BLANK),
        (["合计", "", "", Number("20")], Kind.TOTAL),
        (["合 计"], Kind.TOTAL),
        (["小计：", "5项"], Kind.TOTAL),
        (["", "总计", "", "20"], Kind.TOTAL),
        (["共20项"], Kind.TOTAL),
        (["合计（项）", "", "", "3"], Kind.TOTAL),
        (["注：本表一式两份。"], Kind.NOTE),
        (["备注: 每月5日前报送"], Kind.NOTE),
        (["说明：1.略"], Kind.NOTE),
        (["填表人：张三", "", "审核人：李四", "联系电话：123"], Kind.SIGNATURE),
        (["单位负责人（签字）：", "", "填报日期："], Kind.SIGNATURE),
        (["某县整改办（盖章）"], Kind.SIGNATURE),
        (["举报电话：123", "邮箱：a@b.cn"], Kind.SIGNATURE),
        (["签收人：", "", "签收时间："], Kind.SIGNATURE),
        (["一、生态环境方面"], Kind.SECTION),
        (["（二）安全生产方面"], Kind.SECTION),
        (["第三部分 其他"], Kind.SECTION),
        (["二", "党的建设方面"], Kind.SECTION),
        (["一、农村饮水（3项）", "", "", ""], Kind.SECTION),
    ],
)
def test_rows_that_are_no_data(cells, kind):
    found, lines = only([HEAD, row(1), cells, row(2)])
    assert kinds(found)[3] == kind
    assert [line.row for line in lines] == [2, 4]


def test_a_total_may_stand_first():
    found, lines = only([HEAD, ["合计", "2项"], row(1), row(2)])
    assert (kinds(found)[2], [line.row for line in lines]) == (Kind.TOTAL, [3, 4])


@pytest.mark.parametrize(
    "cells",
    [
        [Number("1"), "合计数与台账不符", "一镇"],
        ["注1", "注册登记不规范", "一镇"],
        ["一", "党的建设方面弱化", "一镇", "尽快"],
        ["", "一、二组道路破损", "一镇"],
        [Number("9"), "", "一镇", "尽快"],
        ["", "只写了问题"],
    ],
)
def test_rows_that_are_data_though_something_is_amiss(cells):
    _, lines = only([HEAD, row(1), cells])
    assert [line.row for line in lines] == [2, 3]


def test_the_lines_behind_a_note_belong_to_it_until_there_is_a_table_again():
    rows = [HEAD, row(1), ["注：1.略"], ["2.略"], [], ["3.略"], HEAD, row(2)]
    found, lines = only(rows)
    assert [line.row for line in lines] == [2, 8]
    assert {kinds(found)[number] for number in (3, 4, 6)} == {Kind.NOTE}


def test_a_merged_row_is_a_section_whatever_it_says():
    found, lines = only([HEAD, ["生态环境保护督察"], row(1)], (1, 0, 1, 3))
    assert (kinds(found)[2], [line.row for line in lines]) == (Kind.SECTION, [3])


def test_merged_cells_say_the_same_in_each_of_their_rows():
    rows = [HEAD, row(1, "甲", "一镇"), ["", "", "二镇", "尽快"], ["", "乙", "", ""]]
    _, lines = only(rows, (1, 0, 3, 0), (1, 1, 2, 1), (2, 2, 3, 2), (2, 3, 3, 3))
    assert [tuple(line.cells.values()) for line in lines] == [
        ("1", "甲", "一镇", "2027年6月底"), ("1", "甲", "二镇", "尽快"), ("1", "乙", "二镇", "尽快"),
    ]  # fmt: skip


def test_sheets_that_are_hidden_empty_or_no_ledger_are_named():
    found = read_sheets([
        sheet([HEAD, row(1)], name="一"), sheet([HEAD, row(1)], name="二", visibility=Visibility.HIDDEN),
        sheet([HEAD, row(1)], name="三", visibility=Visibility.VERY_HIDDEN), sheet([], name="四"),
        sheet([["填表说明"], ["1.略"]], name="五"), sheet([["问题", "单位"], ["乙", "二镇"]], name="六"),
    ])  # fmt: skip
    assert [each.skipped for each in found] == [None, "hidden", "very_hidden", "empty", "no_header", None]
    assert [line.sheet for each in found for line in each.lines] == ["一", "六"]


def test_a_csv_has_as_many_cells_as_its_headings():
    rows = [
        HEAD,
        ["1", "甲", "一镇"],
        ["2", "乙", "一镇", "尽快"],
        ["3", "丙", "一镇", "尽快", ""],
        ["4", "丁", "一镇", "", "x"],
    ]
    _, lines = only(rows, plain=True)
    assert [line.odd for line in lines] == [True, False, False, True]
    _, lines = only(rows)
    assert not any(line.odd for line in lines)


CELLS = st.sampled_from(["", "序号", "问题", "责任单位", "甲", "合计", "注：", "一、", Number("1"), "整改时限", "尽快"])


@given(st.lists(st.lists(CELLS, max_size=6), max_size=12), st.booleans())
@examples(100)
def test_every_row_of_a_ledger_is_a_line_or_named_as_passed_over(rows, plain):
    found, lines = only(rows, plain=plain)
    if found.header is None:
        assert not lines
        return
    seen = [line.row for line in lines] + [each.row for each in found.passed]
    assert sorted(seen) == list(range(1, len(rows) + 1))
