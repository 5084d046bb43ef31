"""Units as ledgers write them: several in a cell, who leads, and phrases that are no unit."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.workflow.headings import Field
from service.workflow.import_plan import Units
from service.workflow.ledger_rows import judge
from service.workflow.ledger_sheet import Line
from service.workflow.organisation import Unit
from service.workflow.unit_cells import split
from service.workflow.unit_names import Index, collective

NOW = datetime(2027, 1, 1, tzinfo=UTC)
NAMES = {
    "root": "某县",
    "sl": "县水利局",
    "zj": "县住房和城乡建设局",
    "ny": "县农业农村局",
    "yz": "一镇",
    "ez": "二镇",
    "c1": "同名村",
    "c2": "同名村",
    "ls": "林业局、草原局联合办公室",
}
IDS = {code: UUID(int=number) for number, code in enumerate(NAMES, start=1)}
UNITS = [Unit(IDS[code], code, name, None, "other", True, 1, NOW, NOW) for code, name in NAMES.items()]
ENDED = Unit(UUID(int=99), "old", "撤销镇", None, "town", False, 2, NOW, NOW)


@pytest.mark.parametrize(
    ("cell", "names", "lead"),
    [
        ("一镇", ("一镇",), 0),
        ("一镇、二镇", ("一镇", "二镇"), 0),
        ("一镇，二镇；三镇/四镇\n五镇", ("一镇", "二镇", "三镇", "四镇", "五镇"), 0),
        ("省发改委、省水利厅（牵头）", ("省发改委", "省水利厅"), 1),
        ("省水利厅(牵头单位)、省发改委（配合）", ("省水利厅", "省发改委"), 0),
        ("县发改局牵头，县财政局配合", ("县发改局", "县财政局"), 0),
        ("配合单位：县财政局；牵头单位：县发改局", ("县财政局", "县发改局"), 1),
        ("县水利局 县农业局", ("县水利局", "县农业局"), 0),
        ("一镇、一镇", ("一镇",), 0),
        ("（地名隐去）自然资源局", ("（地名隐去）自然资源局",), 0),
        ("、，", (), 0),
        ("无", (), 0),
        ("—/——/-", (), 0),
        ("一镇、/、暂无", ("一镇",), 0),
        ("牵头单位：省水利厅。责任单位：各市", ("省水利厅", "各市"), 0),
        ("配合单位：县财政局、二镇；责任单位：一镇", ("县财政局", "二镇", "一镇"), 2),
        ("整改牵头单位：县水利局；整改责任单位：一镇", ("县水利局", "一镇"), 0),
        ("协助单位：县财政局\n主责单位：县水利局", ("县财政局", "县水利局"), 1),
        ("责任单位（牵头）：县水利局", ("县水利局",), 0),
        ("牵头单位：\n县水利局\n配合单位：\n县财政局", ("县水利局", "县财政局"), 0),
        ("协办单位：县财政局 牵头单位：县水利局", ("县财政局", "县水利局"), 1),
        ("协办单位：县财政局牵头单位：县水利局", ("县财政局", "县水利局"), 1),
        ("县财政局配合，由县水利局牵头负责", ("县财政局", "县水利局"), 1),
        ("县财政局协助，县水利局负责", ("县财政局", "县水利局"), 1),
        ("县水利局（牵头", ("县水利局",), 0),
        ("县水利局、县住建局按职责分工负责", ("县水利局", "县住建局"), 0),
        ("县水利局牵头，县住建局、县财政局等按职责分工负责", ("县水利局", "县住建局", "县财政局"), 0),
        ("县水利局、县住建局分别负责", ("县水利局", "县住建局"), 0),
        ("县水利局（县住建局、县财政局配合）", ("县水利局", "县住建局", "县财政局"), 0),
        ("县水利局（配合单位：县住建局）", ("县水利局", "县住建局"), 0),
        ("县水利局（会同县住建局）", ("县水利局", "县住建局"), 0),
        ("一镇党委、政府", ("一镇党委", "一镇政府"), 0),
        ("一街道党工委、办事处", ("一街道党工委", "一街道办事处"), 0),
        ("县水利局、一镇党委、政府", ("县水利局", "一镇党委", "一镇政府"), 0),
        ("县委、政府", ("县委", "政府"), 0),
        ("一镇党委、镇政府", ("一镇党委", "一镇政府"), 0),
        ("一镇政府、县政府", ("一镇政府", "县政府"), 0),
        ("县住建局（配合单位）、县水利局", ("县住建局", "县水利局"), 1),
        ("县住建局（参与单位），县水利局（责任单位）", ("县住建局", "县水利局"), 1),
        ("县住建局（积极配合）、县水利局（牵头）", ("县住建局（积极配合）", "县水利局"), 1),
        ("县水利局（技术支持）", ("县水利局（技术支持）",), 0),
        ("县水利局（县财政局提供资金支持）", ("县水利局（县财政局提供资金支持）",), 0),
        ("（配合单位：县住建局）县水利局", ("县住建局", "县水利局"), 1),
        ("县督办", ("县督办",), 0),
        ("自然资源和规划局（林业局、草原局）、一镇", ("自然资源和规划局（林业局、草原局）", "一镇"), 0),
        ("1、县水利局；2、一镇", ("县水利局", "一镇"), 0),
        ("1.县水利局\n2.一镇", ("县水利局", "一镇"), 0),
        ("1.县水利局2.财政局", ("县水利局", "财政局"), 0),
        ("1）县水利局\n2）一镇", ("县水利局", "一镇"), 0),
        ("（1）县水利局（2）财政局", ("县水利局", "财政局"), 0),
        ("（一）县水利局；（二）一镇", ("县水利局", "一镇"), 0),
        ("①县水利局②一镇", ("县水利局", "一镇"), 0),
        ("一、县水利局二、财政局", ("县水利局", "财政局"), 0),
        ("一、二镇", ("一", "二镇"), 0),
        ("01、02", ("01", "02"), 0),
        ("第1中学、2号村、一中（1）班", ("第1中学", "2号村", "一中（1）班"), 0),
        ("县水利局以及各乡镇", ("县水利局", "各乡镇"), 0),
        ("县水利局牵头，会同县财政局", ("县水利局", "县财政局"), 0),
        ("县水利局会同各乡镇", ("县水利局", "各乡镇"), 0),
    ],
)
def test_a_cell_is_split_into_names(cell, names, lead):
    found = split(cell)
    assert (found.names, found.lead) == (names, lead)


@pytest.mark.parametrize(
    "phrase",
    [
        "各镇",
        "各乡镇",
        "各有关单位",
        "有关部门",
        "相关单位",
        "全县各单位",
        "县直各部门",
        "县直有关单位",
        "其他有关单位",
        "县住建局等单位",
        "各乡（镇）党委",
        "各责任单位",
        "所有村",
        "有关部门（县水利局、财政局）",
        "同上",
        "属地乡镇",
        "属地政府",
        "涉事企业",
        "机关各科室",
        "局属各单位",
        "沿线各乡镇",
        "领导小组成员单位",
        "三个乡镇",
        "四县两区",
        "乡镇（街道）",
        "二镇等相关镇街",
    ],
)
def test_phrases_that_mean_whoever_is_concerned(phrase):
    assert collective(phrase)


@pytest.mark.parametrize(
    "name",
    [
        "一镇",
        "市公路部门",
        "项目牵头单位和有关镇街",
        "相城区水务局",
        "全椒县",
        "三镇",
        "一村",
        "县政府",
        "属地管理局",
        "沿河镇",
        "沿河村",
        "高等学校",
        "市高等学校",
    ],
)
def test_names_that_only_begin_so_or_do_not(name):
    assert not collective(name)


def test_a_unit_is_found_by_its_code_then_by_its_name_however_it_is_spaced():
    index = Index.of([*UNITS, ENDED])
    assert index.find("sl") == index.find("县 水利局") == index.find("县水利局") == IDS["sl"]
    assert index.find("同名村") == "ambiguous" and index.find("c2") == IDS["c2"]
    assert (index.find("各镇"), index.find("三镇"), index.find("撤销镇")) == ("collective", "unknown", "unknown")


def test_the_organs_of_a_place_are_the_unit_that_governs_it():
    index = Index.of(UNITS)
    assert index.find("一镇党委") == index.find("一镇人民政府") == index.find("一镇党委政府") == IDS["yz"]
    assert index.find("三镇政府") == index.find("政府") == index.find("一镇卫生院") == "unknown"
    index.add("五镇党委", UUID(int=500))
    assert index.find("五镇") == index.find("五镇政府") == UUID(int=500)
    index.add("五镇人民政府", UUID(int=501))
    assert (index.find("五镇党委"), index.find("五镇党工委")) == (UUID(int=500), UUID(int=500))
    assert index.find("五镇人民政府") == index.find("五镇政府") == index.find("五镇") == UUID(int=501)
    index.add("五镇", UUID(int=502))
    assert (index.find("五镇"), index.find("五镇政府")) == (UUID(int=502), UUID(int=501))
    index.add("五镇办事处", UUID(int=503))
    assert index.find("五镇政府") == "ambiguous", "nobody guesses which of two"


def test_what_is_a_unit_as_a_whole_is_not_split():
    index = Index.of(UNITS)
    assert index.names("林业局、草原局联合办公室").names == ("林业局、草原局联合办公室",)
    assert index.names("县住房和城乡建设局").names == ("县住房和城乡建设局",)
    assert index.names("县水利局和县农业农村局").names == ("县水利局", "县农业农村局")
    assert index.names("甲局和乙局").names == ("甲局和乙局",)
    assert index.names("县水利局和各乡镇").names == ("县水利局", "各乡镇")
    assert index.names("各乡镇及县水利局和县住房和城乡建设局").names == ("各乡镇", "县水利局", "县住房和城乡建设局")
    assert index.names("一镇和平村").names == ("一镇和平村",), "the second half is no unit"
    assert index.names("各乡镇和街道").names == ("各乡镇和街道",)


def test_what_brackets_add_to_a_unit_is_not_cut_out_of_them():
    index = Index.of(UNITS)
    assert index.names("县水利局（水务局、河长办）").names == ("县水利局",)
    assert index.names("甲局（乙局、丙局）").names == ("甲局（乙局、丙局）",)
    assert index.names("有关部门（县水利局、县农业农村局）").names == ("县水利局", "县农业农村局")
    assert index.names("有关部门（县水利局、乙局）").names == ("有关部门（县水利局、乙局）",)


def test_a_unit_with_others_that_nobody_names_is_taken_by_itself():
    index = Index.of(UNITS)
    assert index.names("二镇、县水利局等").names == ("二镇", "县水利局")
    names = index.names("县水利局等部门配合，一镇牵头")
    assert (names.names, names.lead) == (("县水利局", "县水利局等部门", "一镇"), 2)


def place(create=False, lead="", co=(), unit="一镇"):
    cells = {Field.PROBLEM: "甲", Field.LEAD_UNIT: lead, Field.UNIT: unit}
    (row,) = judge([Line("s", 2, {name: cell for name, cell in cells.items() if cell}, {}, {})])
    row.co_cells = co
    numbers = iter(range(1000, 2000))
    units = Units(Index.of(UNITS), lambda: UUID(int=next(numbers)), create)
    return units, units.place(row)


def test_the_lead_unit_is_responsible_and_all_others_are_co_units():
    _, cells = place(lead="县水利局", unit="一镇、二镇", co=("县农业农村局",))
    assert cells.responsible == IDS["sl"]
    assert set(cells.co_units) == {IDS["yz"], IDS["ez"], IDS["ny"]} and not cells.faults


def test_an_unknown_unit_is_a_fault_wherever_it_stands():
    _, cells = place(unit="三镇、一镇")
    assert [(each.code, each.field, each.about) for each in cells.faults] == [("unknown_unit", "unit", "unknown:三镇")]
    _, cells = place(unit="一镇、三镇")
    assert [(each.field, each.about) for each in cells.faults] == [("co_units", "unknown:三镇")]
    _, cells = place(unit="同名村")
    assert cells.faults[0].about == "ambiguous:同名村"
    _, cells = place(unit="各镇")
    assert cells.faults[0].about == "collective:各镇"


def test_a_mark_is_no_unit_and_makes_none():
    for mark in ("无", "—", "/", "-", "暂无", "", "无、/"):
        units, cells = place(create=True, co=(mark,))
        assert (cells.responsible, cells.co_units, cells.kept, cells.faults) == (IDS["yz"], (), (), ()), mark
        assert units.made == {}
    units, cells = place(create=True, lead="/、无", unit="一镇、无")
    assert (cells.responsible, cells.faults, units.made) == (IDS["yz"], (), {})
    units, cells = place(create=True, unit="/、无")
    assert ([each.code for each in cells.faults], units.made) == (["missing_unit"], {})
    units, cells = place(create=True, co=("同上",))
    assert (cells.kept, cells.faults, units.made) == (("同上",), (), {})


def test_a_phrase_beside_a_unit_is_kept_with_what_belongs_to_it():
    units, cells = place(create=True, co=("各乡镇党委、政府，二镇",))
    assert (cells.co_units, cells.kept, cells.faults) == ((IDS["ez"],), ("各乡镇党委", "政府"), ())
    assert units.made == {}


def test_units_are_made_once_and_never_of_phrases():
    units, cells = place(create=True, unit="三镇、四镇")
    assert units.made == {"三镇": UUID(int=1000), "四镇": UUID(int=1001)} and cells.responsible == UUID(int=1000)
    units, cells = place(create=True, unit="各镇")
    assert units.made == {} and cells.faults[0].about == "collective:各镇"
    units, cells = place(create=True, unit="三镇党委、政府")
    assert units.made == {"三镇党委": UUID(int=1000)} and (cells.co_units, cells.faults) == ((), ())
