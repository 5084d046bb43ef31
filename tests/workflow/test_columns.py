"""What a column holds that is called in its own way, told from the columns beside it."""

import pytest

from service.workflow.grid import Area, Number, Sheet
from service.workflow.headings import Field
from service.workflow.ledger_sheet import read_sheets


def read(*rows, merged=()):
    (found,) = read_sheets([Sheet("台账", [list(row) for row in rows], tuple(Area(*each) for each in merged))])
    return found, list(found.lines)


def only(head, cells):
    _, (line,) = read(head, cells)
    return line


@pytest.mark.parametrize(
    ("head", "contact", "kept"),
    [
        (["问题", "单位", "责任人", "联系电话"], (), {"联系电话": "丁"}),
        (["问题", "责任人", "职务", "联系方式"], (), {"职务": "丙", "联系方式": "丁"}),
        (["问题", "单位", "举报人姓名", "举报人电话"], ("丙", "丁"), {}),
        (["问题", "责任人", "反映人", "联系电话"], ("丙", "丁"), {}),
        (["问题", "单位", "类别", "联系电话"], ("丁",), {}),
    ],
)
def test_a_telephone_belongs_to_who_stands_beside_it(head, contact, kept):
    line = only(head, ["甲", "乙", "丙", "丁"])
    assert (line.all(Field.CONTACT), line.extra) == (contact, kept)


def test_days_that_are_planned_and_days_that_were():
    line = only(["问题", "单位", "完成时间", "销号时间"], ["甲", "一镇", "2027.6.30", "2027.5.1"])
    assert (line.cells[Field.DEADLINE], line.cells[Field.CLOSED_ON]) == ("2027.6.30", "2027.5.1")
    line = only(["问题", "单位", "整改日期"], ["甲", "一镇", "2027.6.30"])
    assert line.cells[Field.DEADLINE] == "2027.6.30"


@pytest.mark.parametrize(
    ("text", "state"),
    [("整改情况", "是否完成整改"), ("整改进展", "完成状态"), ("进展情况", "状态"), ("完成情况", "整改是否完成")],
)
def test_a_column_that_only_says_whether_it_is_done_counts_beside_one_of_words(text, state):
    line = only(["问题", "单位", state, text], ["甲", "一镇", "是", "已修好"])
    assert (line.cells[Field.STATUS], line.cells[Field.STRUCK_OFF]) == ("已修好", "是")
    alone = only(["问题", "单位", state], ["甲", "一镇", "是"])
    assert alone.cells[Field.STATUS] == "是" and Field.STRUCK_OFF not in alone.cells


def test_where_a_column_says_whether_it_is_struck_off_the_other_is_kept():
    line = only(["问题", "单位", "整改情况", "是否完成整改", "是否销号"], ["甲", "一镇", "已修好", "是", "否"])
    assert (line.cells[Field.STRUCK_OFF], line.extra) == ("否", {"是否完成整改": "是"})


def told(*head):
    """Which headings hold what, each with the field it holds first."""
    found, _ = read(list(head), ["某" for _ in head])
    return {found.header.headings[columns[0]]: field for field, columns in found.header.columns.items()}


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        (("被检查单位", "检查内容", "发现的问题及隐患"), "发现的问题及隐患"),
        (("被督查单位", "督查内容", "督查发现的问题"), "督查发现的问题"),
        (("责任单位", "督察反馈问题", "整改任务"), "督察反馈问题"),
        (("责任单位", "整改任务", "存在问题"), "存在问题"),
        (("责任单位", "是否重大隐患", "隐患具体情况"), "隐患具体情况"),
        (("重点工作任务", "责任单位", "进展情况", "存在问题"), "重点工作任务"),
        (("督查事项", "责任单位", "办理情况", "存在的主要问题"), "督查事项"),
        (("重点任务", "责任单位", "存在困难和问题", "进展情况"), "重点任务"),
        (("责任单位", "存在问题和困难", "解决措施"), "存在问题和困难"),
        (("责任单位", "整改情况", "存在问题"), "存在问题"),
        (("存在问题", "责任单位", "整改情况", "需协调解决的问题"), "存在问题"),
        (("检查内容", "落实情况", "存在问题", "整改措施", "责任单位", "整改时限"), "存在问题"),
        (("检查内容", "责任单位", "落实情况", "存在问题"), "存在问题"),
        (("重点任务", "完成情况", "存在问题", "整改措施", "责任单位", "整改时限", "整改情况"), "存在问题"),
        (("重点任务", "责任单位", "完成情况", "存在问题", "整改措施", "整改时限"), "存在问题"),
        (("重点任务", "责任单位", "完成情况", "存在问题", "下一步措施"), "重点任务"),
        (("企业存在的困难和问题", "意见建议", "责任单位"), "企业存在的困难和问题"),
        (("检查内容", "违法行为", "责任单位"), "违法行为"),
    ],
)
def test_what_is_called_a_problem_comes_before_a_task_and_what_hinders_it_after(head, problem):
    assert told(*head)[problem] == Field.PROBLEM


def test_a_problem_that_is_merged_over_several_heads_those_beside_it():
    _, lines = read(
        ["反馈问题", "具体表现", "责任单位"], ["学习不深", "没有计划", "一镇"], ["", "没有笔记", "一镇"],
        merged=[(1, 0, 2, 0)],
    )  # fmt: skip
    assert [line.cells[Field.PROBLEM] for line in lines] == ["没有计划", "没有笔记"]
    assert [line.extra for line in lines] == [{"反馈问题": "学习不深"}] * 2
    _, (line,) = read(["反馈问题", "具体表现", "责任单位"], ["学习不深", "没有计划", "一镇"])
    assert line.cells[Field.PROBLEM] == "学习不深", "one beside the other is no heading of it"


@pytest.mark.parametrize(
    ("head", "contact"),
    [
        (("联系人", "联系电话", "诉求内容", "承办单位"), ["联系人", "联系电话"]),
        (("姓名", "电话", "住址", "诉求内容", "责任单位"), ["姓名", "电话", "住址"]),
        (("信访人", "身份证号", "家庭住址", "信访事项", "责任单位"), ["信访人", "身份证号", "家庭住址"]),
        (("诉求内容", "承办单位", "联系人", "联系电话"), []),
        (("联系人", "联系电话", "存在问题", "责任单位"), []),
        (("社区", "姓名", "联系电话", "诉求内容", "办理单位"), ["姓名", "联系电话"]),
        (("企业名称", "联系人", "联系电话", "企业诉求内容", "责任单位"), ["联系人", "联系电话"]),
        (("姓名", "户籍地址", "反映问题", "责任单位"), ["姓名", "户籍地址"]),
        (("姓名/联系电话", "投诉内容", "责任单位"), ["姓名/联系电话"]),
        (("诉求内容", "办理人", "联系电话", "承办单位"), []),
    ],
)
def test_in_a_ledger_of_complaints_names_and_numbers_are_who_complained(head, contact):
    found, _ = read(list(head), ["某" for _ in head])
    assert [head[column] for column in found.header.columns.get(Field.CONTACT, ())] == contact


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (("问题", "单位", "整改时限", "销号时间"), True),
        (("问题", "单位", "整改时限", "销号时间", "是否销号"), False),
        (("问题", "单位", "整改时限", "办结时间"), False),
        (("问题", "单位", "整改时限", "申请销号时间"), False),
        (("问题", "单位", "销号时间"), False),
    ],
)
def test_the_day_of_striking_off_alone_says_that_it_was_where_it_is_no_plan(head, closes):
    assert only(list(head), ["某" for _ in head]).closes == closes


def test_of_the_same_heading_month_after_month_the_last_that_says_something_counts():
    months = [f"{month}月进展" for month in range(1, 13)]
    _, (line,) = read(["问题", "责任单位", "整改时限", *months], ["甲", "一镇", "尽快", *"子丑寅卯"])
    assert line.cells[Field.STATUS] == "卯"
    assert line.extra == {"1月进展": "子", "2月进展": "丑", "3月进展": "寅", "4月进展": "卯"}


def test_an_extended_deadline_in_a_column_of_its_own_counts_where_there_is_one():
    _, (first, second) = read(
        ["问题", "责任单位", "原整改时限", "延期后整改时限"],
        ["甲", "一镇", "2027.6.30", "2027.9.30"],
        ["乙", "一镇", "2027.6.30", ""],
    )
    assert (first.cells[Field.DEADLINE], first.extra["原整改时限"]) == ("2027.9.30", "2027.6.30")
    assert second.cells[Field.DEADLINE] == "2027.6.30"


@pytest.mark.parametrize(
    ("later", "counts"),
    [
        ("2027.9.30", "2027.9.30"),
        ("30天", "2027.6.30延期30天"),
        ("无", "2027.6.30"),
        ("/", "2027.6.30"),
        ("未延期", "2027.6.30"),
    ],
)
def test_what_is_no_extension_changes_nothing(later, counts):
    line = only(["问题", "责任单位", "整改时限", "延期后整改时限"], ["甲", "一镇", "2027.6.30", later])
    assert line.cells[Field.DEADLINE] == counts


@pytest.mark.parametrize("heading", ["整改时限调整情况", "延期整改期限原因", "调整前整改时限", "是否延期整改时限"])
def test_what_is_said_about_an_extension_is_none(heading):
    assert told("问题", "责任单位", "整改时限", heading)["整改时限"] == Field.DEADLINE


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (("问题", "核查情况", "责任单位", "整改进展情况"), "整改进展情况"),
        (("问题", "处理情况", "责任单位", "目前整改进展"), "目前整改进展"),
        (("问题", "责任人处理情况", "责任单位", "问题整改落实情况"), "问题整改落实情况"),
        (("举报内容", "核查情况", "处理情况", "责任单位"), "处理情况"),
        (("问题", "责任单位", "是否整改", "目前整改进展情况", "是否销号"), "目前整改进展情况"),
    ],
)
def test_what_was_done_comes_before_what_was_found_of_it(head, status):
    assert told(*head)[status] == Field.STATUS


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        (("学校", "存在问题", "整改责任部门"), "整改责任部门"),
        (("乡镇", "存在问题", "县级责任单位"), "县级责任单位"),
        (("企业", "反映问题", "办理单位"), "办理单位"),
        (("企业", "存在问题", "整改措施"), "企业"),
        (("市", "县", "存在问题"), "县"),
        (("镇（街道）", "村（社区）", "存在问题"), "镇（街道）"),
    ],
)
def test_where_something_lies_is_who_is_responsible_only_where_nobody_else_is(head, unit):
    assert told(*head)[unit] == Field.UNIT
    assert Field.UNIT not in told("企业", "存在问题", "牵头单位").values()


@pytest.mark.parametrize(
    ("heading", "cell", "expected"),
    [
        ("整改期限（天）", Number("15"), "15天内"),
        ("办理时限（工作日）", "5", "5工作日内"),
        ("整改时限（个月）", "3", "3个月内"),
        ("整改期限（天）", "2027.6.30", "2027.6.30"),
        ("整改期限（年月日）", Number("15"), "15"),
    ],
)
def test_the_brackets_of_a_heading_say_what_its_numbers_count(heading, cell, expected):
    assert only(["问题", "单位", heading], ["甲", "一镇", cell]).cells[Field.DEADLINE] == expected


def test_measures_and_days_in_one_column_are_read_as_both():
    line = only(["问题", "单位", "整改措施及时限"], ["甲", "一镇", "修好，2027.6.30前"])
    assert line.cells[Field.MEASURES] == line.cells[Field.DEADLINE] == "修好，2027.6.30前"
    line = only(["问题", "单位", "整改措施及时限", "整改时限"], ["甲", "一镇", "修好", "2027.6.30"])
    assert (line.cells[Field.MEASURES], line.cells[Field.DEADLINE]) == ("修好", "2027.6.30")


@pytest.mark.parametrize("area", ["县（市、区）", "镇（街道）", "村（社区）", "行政区域", "属地"])
def test_whose_territory_it_is_says_who_is_responsible_where_nothing_else_does(area):
    assert told("问题描述", area, "整改时限")[area] == Field.UNIT
    assert area not in told("问题描述", area, "整改时限", "责任单位")
    assert area not in told("问题描述", area, "整改时限", "牵头单位")


def test_what_the_caller_says_counts_before_all_of_it():
    rows = [["问题", "责任单位", "整改时限", "延期后整改时限"], ["甲", "一镇", "2027.6.30", "2027.9.30"]]
    (found,) = read_sheets([Sheet("台账", rows)], {"整改时限": Field.DEADLINE})
    assert [line.cells[Field.DEADLINE] for line in found.lines] == ["2027.6.30"]
    rows = [["检查内容", "责任单位", "发现的问题"], ["消防", "一镇", "漏电"]]
    (found,) = read_sheets([Sheet("台账", rows)], {"检查内容": Field.PROBLEM})
    assert [line.cells[Field.PROBLEM] for line in found.lines] == ["消防"]
