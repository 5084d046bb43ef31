"""A unit and who answers for it in one cell of a ledger."""

import pytest

from service.workflow.unit_persons import parted


@pytest.mark.parametrize(
    ("cell", "unit", "persons"),
    [
        ("县水利局 张三", "县水利局", ("张三",)),
        ("县水利局（张三）", "县水利局", ("张三",)),
        ("县水利局：张三丰", "县水利局", ("张三丰",)),
        ("县水利局\n张三", "县水利局", ("张三",)),
        ("县水利局（张三、李四）", "县水利局", ("张三", "李四")),
        ("县水利局（张三）、县住建局（李四）", "县水利局、县住建局", ("张三", "李四")),
        ("县水利局,何强；县住建局,马伟", "县水利局；县住建局", ("何强", "马伟")),
        ("县水利局 张三 13800138000", "县水利局", ("张三 13800138000",)),
        ("责任单位：县水利局；责任人：张三", "责任单位：县水利局", ("张三",)),
        ("牵头领导：张三 责任单位：县水利局", "责任单位：县水利局", ("张三",)),
        ("县水利局（责任人：张三、李四）", "县水利局", ("张三", "李四")),
        ("县水利局（张三负责）", "县水利局", ("张三",)),
        ("县水利局 整改责任人：张三", "县水利局", ("张三",)),
        ("县水利局；联系人：张三", "县水利局", ("张三",)),
        ("县水利局（主要负责人：张三）", "县水利局", ("张三",)),
        ("包案领导：张三；责任单位：县水利局", "；责任单位：县水利局", ("张三",)),
    ],
)
def test_who_stands_behind_a_unit_is_parted_from_it(cell, unit, persons):
    assert parted(cell) == (unit, persons)


def test_a_text_that_slipped_into_the_cell_is_left_as_it_is():
    text = "县水利局" + " " * 2_000 + "；责任人：张三"
    assert parted(text) == (text, ())


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "张三",
        "县水利局 县住建局",
        "县水利局（河长办）",
        "市住建局（高新分局）",
        "高新区 金融办",
        "城关镇 王家村",
        "县水利局（李庄）",
        "县水利局（配合）",
        "县水利局（高新区负责）",
        "责任单位：县水利局",
        "郭庄镇、石桥镇",
        "县农业农村局、各乡镇",
    ],
)
def test_units_and_places_are_nobody(cell):
    assert parted(cell) == (cell, ())
