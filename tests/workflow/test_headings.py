"""What headings mean that offices write in their own ways, by themselves and below each other."""

import pytest

from service.workflow.grid import Area, Number, Sheet
from service.workflow.headings import NAMES, OF_PROBLEMS, Field, field_of
from service.workflow.ledger_sheet import read_sheets

CALLED = {
    "举报人姓名": Field.CONTACT,
    "投诉人姓名": Field.CONTACT,
    "信访人姓名": Field.CONTACT,
    "举报人电话": Field.CONTACT,
    "来电人联系方式": Field.CONTACT,
    "信访人反映问题": Field.PROBLEM,
    "被督办单位": Field.UNIT,
    "被督查单位": Field.UNIT,
    "被检查单位": Field.UNIT,
    "被投诉单位": Field.UNIT,
    "责任单位及责任人": Field.UNIT,
    "责任单位、责任人": Field.UNIT,
    "整改单位及负责人": Field.UNIT,
    "单位及责任人": Field.UNIT,
    "单位负责人": Field.PERSON,
    "责任人及联系方式": Field.PERSON,
    "责任人联系电话": None,
    "要求办结时间": Field.DEADLINE,
    "计划销号时间": Field.DEADLINE,
    "计划完成时间": Field.DEADLINE,
    "应完成时间": Field.DEADLINE,
    "实际办结时间": Field.CLOSED_ON,
    "实际完成时间": Field.CLOSED_ON,
    "计划开始时间": None,
    "责任单位（牵头）": Field.LEAD_UNIT,
    "责任单位（配合）": Field.CO_UNITS,
    "配合整改单位": Field.CO_UNITS,
    "完成时间（计划）": Field.DEADLINE,
    "完成时间（实际）": Field.CLOSED_ON,
    "反馈问题（个）": None,
    "问题（件）": None,
    "问题数": None,
    "问题总数": None,
    "1.存在问题": Field.PROBLEM,
    "一、存在问题": Field.PROBLEM,
    "问题简述": Field.PROBLEM,
    "问题详述": Field.PROBLEM,
    "问题要点": Field.PROBLEM,
    "问题现状": Field.PROBLEM,
    "问题和不足": Field.PROBLEM,
    "检查内容": Field.PROBLEM,
    "督查内容": Field.PROBLEM,
    "重点任务": Field.PROBLEM,
    "意见建议": Field.PROBLEM,
    "信访事项": Field.PROBLEM,
    "投诉内容": Field.PROBLEM,
    "包案领导": Field.PERSON,
    "销案时间": Field.CLOSED_ON,
    "部门": Field.UNIT,
    "镇街": Field.UNIT,
    "乡镇": Field.UNIT,
    "社区": Field.UNIT,
    "责任股室": Field.UNIT,
    "责任街道": Field.UNIT,
    "所在乡镇": Field.UNIT,
    "时间要求": Field.DEADLINE,
    "完成节点": Field.DEADLINE,
    "到期日": Field.DEADLINE,
    "生态环境保护督察反馈问题整改工作落实情况": Field.STATUS,
    "责任单位（牵头单位写在前面，多个单位用顿号隔开，不得填写个人姓名）": Field.UNIT,
    "重点工作任务": Field.PROBLEM,
    "督查事项": Field.PROBLEM,
    "交办问题基本情况": Field.PROBLEM,
    "工单内容": Field.PROBLEM,
    "违法行为": Field.PROBLEM,
    "违规描述": Field.PROBLEM,
    "不符合项描述": Field.PROBLEM,
    "是否重大隐患": None,
    "有无问题": None,
    "检查对象": Field.UNIT,
    "受检查单位": Field.UNIT,
    "责任处室": Field.UNIT,
    "被巡察党组织": Field.UNIT,
    "检查单位": None,
    "验收牵头单位": Field.ACCEPTING,
    "验收责任单位": Field.ACCEPTING,
    "督导牵头单位": Field.SUPERVISING,
    "包联领导": Field.PERSON,
    "县级领导": Field.PERSON,
    "最晚整改时间": Field.DEADLINE,
    "期望完成日期": Field.DEADLINE,
    "整改时间节点": Field.DEADLINE,
    "整改完成时间要求": Field.DEADLINE,
    "责令限改时间": Field.DEADLINE,
    "排查时间": Field.FOUND_ON,
    "来电时间": Field.FOUND_ON,
    "派单时间": Field.LISTED_ON,
    "处理情况": Field.STATUS,
    "复查结果": Field.STATUS,
    "最新进展": Field.STATUS,
    "整改是否到位": Field.STATUS,
    "是否闭环": Field.STATUS,
    "检查情况": None,
}


@pytest.mark.parametrize(("heading", "expected"), CALLED.items())
def test_a_heading_by_itself(heading, expected):
    found = field_of((heading,))
    assert (found[0] if found else None) == expected


BELOW_OTHERS = {
    ("整改时限", "开始时间"): None,
    ("整改时限", "完成时间"): Field.DEADLINE,
    ("整改时间", "起"): None,
    ("整改时间", "止"): Field.DEADLINE,
    ("完成时间", "计划"): Field.DEADLINE,
    ("完成时间", "实际"): Field.CLOSED_ON,
    ("责任单位", "主办"): Field.LEAD_UNIT,
    ("责任单位", "协办"): Field.CO_UNITS,
    ("举报人", "姓名"): Field.CONTACT,
    ("举报人", "地址"): Field.CONTACT,
    ("责任分工", "单位"): Field.UNIT,
    ("反馈问题", "个数"): None,
}


@pytest.mark.parametrize(("path", "expected"), BELOW_OTHERS.items())
def test_a_heading_below_another(path, expected):
    found = field_of(path)
    assert (found[0] if found else None) == expected


def test_what_is_filled_in_above_a_table_is_no_heading_of_it():
    found, _ = read(
        ["填报单位（盖章）：县水利局", "", "填报日期：2027.5"],
        ["问题", "单位：", "时限（格式：2027.6.30）"],
        ["甲", "一镇", "尽快"],
    )
    assert list(found.header.headings.values()) == ["问题", "单位：", "时限（格式：2027.6.30）"]


def test_every_name_of_a_column_of_problems_is_told_at_a_glance():
    assert all(OF_PROBLEMS.search(name) for field in (Field.PROBLEM, Field.TITLE) for name in NAMES[field])


def read(*rows, merged=()):
    (found,) = read_sheets([Sheet("台账", [list(row) for row in rows], tuple(Area(*each) for each in merged))])
    return found, list(found.lines)


def test_a_column_that_only_the_heading_above_explains_comes_last():
    _, (line,) = read(
        ["问题", "责任单位", "整改情况", ""], ["", "", "佐证材料", "进展情况"], ["甲", "一镇", "照片三张", "已开工"],
        merged=[(0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 0, 3)],
    )  # fmt: skip
    assert (line.cells[Field.STATUS], line.extra) == ("已开工", {"整改情况 / 佐证材料": "照片三张"})


def test_what_a_person_is_and_how_they_are_reached_is_not_their_name():
    _, (line,) = read(
        ["问题", "单位", "责任人", "", ""], ["", "", "姓名", "职务", "联系电话"], ["甲", "一镇", "张三", "镇长", "138"],
        merged=[(0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 0, 4)],
    )  # fmt: skip
    assert line.all(Field.PERSON) == ("张三",) and Field.CONTACT not in line.cells
    assert line.extra == {"责任人 / 职务": "镇长", "责任人 / 联系电话": "138"}


@pytest.mark.parametrize("odd", ["2023年工作进展", "9月进展", Number("2023"), "其他需要说明的事项" * 4])
def test_one_odd_heading_among_plain_ones_spoils_no_row(odd):
    found, lines = read(["序号", "问题", "责任单位", "整改时限", odd], ["1", "甲", "一镇", "尽快", "乙"])
    assert (found.header.first, len(lines)) == (0, 1)
    tells = Field.STATUS in found.header.columns
    assert bool(read(["问题", "名单", odd], ["甲", "一镇", "乙"])[1]) == tells, "else too many, or too little beside it"
