"""Sheets with several tables, forms and summaries: which rows are items of a ledger."""

import pytest

from service.workflow.grid import Area, Formula, Number, Sheet
from service.workflow.headings import Field
from service.workflow.ledger_sheet import read_sheets
from service.workflow.row_kinds import Kind

HEAD = ["序号", "存在问题", "责任单位", "整改措施", "整改时限", "是否销号"]


def item(number, problem="路面破损"):
    return [Number(number), problem, "一镇", "修复", "2027年6月底", "否"]


def read(rows, *merged):
    (found,) = read_sheets([Sheet("台账", rows, tuple(Area(*each) for each in merged))])
    return found, list(found.lines)


def kinds(rows, *merged):
    found, lines = read(rows, *merged)
    return [line.row for line in lines], {each.row: each.kind for each in found.passed}


# -- tables


RICHER = ["序号", "反馈问题", "承办单位", "整改措施", "整改时限", "完成情况", "销号时间", "备注"]


def test_a_second_table_with_more_columns_leaves_the_first_one_its_rows():
    rows = [["未整改问题"], HEAD, item(1), item(2, "乙"), [], ["已整改问题"], RICHER]
    rows += [[Number("1"), "丙", "二镇", "修", "尽快", "已完成", "2027.1.1", "无"]]
    found, lines = read(rows)
    assert [(line.row, line.cells[Field.PROBLEM]) for line in lines] == [(3, "路面破损"), (4, "乙"), (8, "丙")]
    assert lines[-1].cells[Field.STATUS] == "已完成"
    assert [header.first for header in found.headers] == [1, 6]
    assert found.cells(3)[2] == "一镇" and found.header_of(8).headings[2] == "承办单位"


def test_of_headings_with_nothing_between_those_that_tell_more_count():
    rows = [["问题类型", "单位"], ["问题", "填报单位"], HEAD, item(1)]
    assert read(rows)[0].header.first == 2


def test_a_form_above_a_ledger_is_none():
    form = [["督办事项", "甲", "责任单位", "一镇"], ["交办时间", "2027年1月", "整改时限", "6月底"]]
    found, lines = read([*form, HEAD, item(1)])
    assert (found.header.first, [line.row for line in lines]) == (2, [4])


@pytest.mark.parametrize("figures", [["城关镇", Number("12"), "80%"], ["城关镇", "12个", "80%"]])
def test_a_summary_is_no_ledger(figures):
    assert read([["单位", "反馈问题（个）", "完成率"], figures])[0].skipped == "no_header"
    assert read([["单位", "反馈问题", "完成率"], figures, figures])[0].skipped == "no_header"


def test_a_summary_above_a_ledger_is_passed_over():
    rows = [["单位", "反馈问题", "完成率"], ["城关镇", Number("12"), "80%"], [], HEAD, item(1)]
    assert kinds(rows)[0] == [5]


def test_a_merged_cell_is_said_again_in_each_row_that_is_to_be_corrected():
    found, lines = read([HEAD, item(1), ["", "", "二镇", "另修", "尽快", "否"]], (1, 0, 2, 0), (1, 1, 2, 1))
    assert [line.row for line in lines] == [2, 3]
    assert found.cells(3) == {0: "1", 1: "路面破损", 2: "二镇", 3: "另修", 4: "尽快", 5: "否"}


def test_a_formula_in_a_column_without_a_field_is_left_out():
    found, (line,) = read([["问题", "责任单位", "剩余天数", "附件"], ["甲", "一镇", Formula("30"), "照片"]])
    assert line.extra == {"附件": "照片"}
    assert found.cells(2) == {0: "甲", 1: "一镇", 3: "照片"}


def test_of_columns_with_one_heading_none_is_lost():
    _, (line,) = read([["问题", "责任单位", "照片", "照片"], ["甲", "一镇", "前", "后"]])
    assert line.extra == {"照片": "前；后"}


# -- rows


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2", "3", "4", "5", "6"], Kind.HEADER),
        ([Number("1"), Number("2"), Number("3"), Number("4")], Kind.HEADER),
        (["甲", "乙", "1", "2", "3", "4"], Kind.HEADER),
        (["(1)", "(2)", "(3)"], Kind.HEADER),
        (["城关镇小计", "", "", "", Number("5")], Kind.TOTAL),
        (["全县合计", "12项", "", "", Formula("5")], Kind.TOTAL),
        (["制表：张三", "审核：李四", "签发：王五"], Kind.SIGNATURE),
        (["负责人签字：", "", "填表人："], Kind.SIGNATURE),
        (["单位主要负责人签字："], Kind.SIGNATURE),
        (["主管领导：", "", "", "日期："], Kind.SIGNATURE),
        (["备注", "本表每月5日前报送"], Kind.NOTE),
        (["说明", "", "以上问题均已公示"], Kind.DATA),
        ([Number("8"), "", "", "", "", "否"], Kind.BLANK),
        ([Number("8"), "", "", "", "", Formula("0")], Kind.BLANK),
        (["", "", "", "", "", "未完成"], Kind.BLANK),
        (["城关镇小计不准", "账目不清", "一镇"], Kind.DATA),
        ([Number("8"), "", "一镇", "", "", "否"], Kind.DATA),
        (["", "", "", "（二）加强巡查"], Kind.DATA),
    ],
)
def test_what_a_row_is(cells, kind):
    rows, passed = kinds([HEAD, item(1), cells, item(2)])
    assert (passed.get(3, Kind.DATA), rows) == (kind, [2, 3, 4] if kind == Kind.DATA else [2, 4])


def test_the_next_measure_of_a_merged_problem_is_no_section():
    rows, _ = kinds([HEAD, item(1), ["", "", "", "（二）加强巡查"]], (1, 1, 2, 1), (1, 2, 2, 2), (1, 4, 2, 4))
    assert rows == [2, 3]


@pytest.mark.parametrize(
    "end",
    [
        [["", "", "", "", "", "某县水利局"], ["", "", "", "", "", "2027年6月30日"]],
        [["", "", "", "", "某县整改办公室"], [], ["", "", "", "", "二〇二七年六月三十日"], []],
    ],
)
def test_who_issued_a_ledger_and_when_is_no_item(end):
    assert kinds([HEAD, item(1), *end])[0] == [2]


def test_a_unit_or_a_deadline_alone_at_the_end_is_looked_at():
    assert kinds([HEAD, item(1), ["", "", "县水利局"]])[0] == [2, 3]
    assert kinds([HEAD, item(1), ["", "", "", "", "2027年6月30日"]])[0] == [2, 3]
    assert kinds([HEAD, item(1), ["", "", "", "", "", "漏水三处"]])[0] == [2, 3]
    assert kinds([HEAD, item(1), ["", "", "县水利局"], ["", "", "", "", "2027年6月30日"], item(2)])[0] == [2, 3, 4, 5]
