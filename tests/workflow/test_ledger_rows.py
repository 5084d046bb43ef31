"""Lines of ledgers as a clerk judges them: facts, faults, and what somebody should look at."""

from datetime import date

import pytest

from service.workflow import cell_words, ledger_rows
from service.workflow.grid import Formula, Number
from service.workflow.headings import Field
from service.workflow.ledger_rows import judge
from service.workflow.ledger_sheet import Line


def line(row=2, several=None, extra=None, odd=False, **cells):
    given = {Field.PROBLEM: "路面破损", Field.UNIT: "一镇", Field.DEADLINE: "2027年6月底"}
    given |= {Field(name): cell for name, cell in cells.items()}
    return Line("台账", row, {name: cell for name, cell in given.items() if cell}, several or {}, extra or {}, odd)


def one(**given):
    (row,) = judge([line(**given)])
    return row


def codes(faults):
    return [(each.code, each.field) for each in faults]


def test_a_sound_row_has_its_facts_and_nothing_to_say():
    row = one(
        source_no="007",
        measures="修",
        goal="通",
        person="张三",
        category="道路",
        severity="重大",
        source="县委巡察反馈",
        found_on="2027.1.5",
        listed_on="2027年2月1日",
        status="已进场",
        remark="急",
        place="村口",
        supervising="县整改办",
    )
    assert (row.errors, row.warnings) == ((), ())
    assert (row.title, row.description, row.deadline.due_on) == ("路面破损", None, date(2027, 6, 30))
    assert (row.found_on, row.listed_on) == (date(2027, 1, 5), date(2027, 2, 1))
    assert (row.severity, row.source_kind, row.source_ref) == ("critical", "inspection", "县委巡察反馈")
    assert (row.status, row.closed) == ("已进场", False)
    assert row.attributes == {"source_no": "007", "remark": "急", "place": "村口", "supervising": "县整改办"}


@pytest.mark.parametrize(
    ("problem", "title", "description"),
    [
        ("甲" * 200, "甲" * 200, None),
        ("甲" * 201, "甲" * 199 + "…", "甲" * 201),
        ("第一行\n第二行", "第一行 第二行", "第一行\n第二行"),
        ("甲\t乙", "甲 乙", "甲\t乙"),
    ],
)
def test_a_title_is_one_line_and_a_longer_problem_keeps_its_text(problem, title, description):
    row = one(problem=problem)
    assert (row.title, row.description, row.errors) == (title, description, ())


def test_a_title_of_its_own_stands_before_the_problem():
    row = one(problem="路面破损三处，共十米", title="路面破损")
    assert (row.title, row.description) == ("路面破损", "路面破损三处，共十米")
    assert one(problem="", title="只有标题").title == "只有标题"
    assert one(problem="/", title="只有标题").title == "只有标题"
    assert one(title="无").title == "路面破损"


def test_marks_name_nobody():
    row = one(person="/", lead_unit="无")
    assert (row.person, row.lead_cell, row.unit_cell) == (None, "", "一镇")
    assert one(several={Field.CO_UNITS: ("无", "二镇", "—")}, co_units="无").co_cells == ("二镇",)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"problem": ""}, [("missing_problem", "problem")]),
        ({"unit": ""}, [("missing_unit", "unit")]),
        ({"unit": "", "lead_unit": "一镇"}, []),
        ({"unit": "/", "lead_unit": "一镇"}, []),
        ({"unit": "一镇", "lead_unit": "——"}, []),
        ({"unit": "无"}, [("missing_unit", "unit")]),
        ({"unit": "—", "lead_unit": "暂无"}, [("missing_unit", "unit")]),
        ({"unit": "同上"}, [("missing_unit", "unit")]),
        ({"unit": "〃"}, [("missing_unit", "unit")]),
        ({"problem": "/"}, [("missing_problem", "problem")]),
        ({"problem": "无。"}, [("missing_problem", "problem")]),
        ({"problem": "无人值守"}, []),
        ({"deadline": "2023年2月30日"}, [("invalid_date", "deadline")]),
        ({"found_on": "2023.13.1"}, [("invalid_date", "found_on")]),
        ({"problem": "甲" * 5_001}, [("too_long", "problem")]),
        ({"measures": "修" * 20_001}, [("too_long", "measures")]),
        ({"person": "人" * 201}, [("too_long", "person")]),
        ({"status": "已" * 20_000}, []),
        ({"status": "已" * 20_001}, [("too_long", "status")]),
        ({"status": "已" * 1_901, "struck_off": "否"}, []),
        ({"deadline": "限" * 501}, [("too_long", "deadline")]),
        ({"measures": Formula("1")}, [("formula_cell", "measures")]),
        ({"problem": "甲\u200b乙"}, [("control_char", "problem")]),
        ({"measures": "修\x07"}, [("control_char", "measures")]),
        ({"extra": {"附件": "a\x00b"}}, [("control_char", "附件")]),
        ({"problem": "\ud800甲乙丙"}, [("control_char", "problem")]),
        ({"odd": True, "unit": ""}, [("column_count", None)]),
    ],
)
def test_each_fault_has_its_code_and_its_field(given, expected):
    assert codes(one(**given).errors) == expected


def test_of_two_rows_with_the_same_unit_problem_and_deadline_the_later_is_a_duplicate():
    rows = judge(
        [
            line(2),
            line(3, measures="别的措施"),
            line(4, deadline="2027年7月底"),
            line(5, unit="二镇"),
            line(6, problem="路 面破损"),
            line(7, unit="", problem="路面破损"),
            line(8, unit="", problem="路面破损"),
        ]
    )
    assert [[(each.code, each.about) for each in row.errors] for row in rows] == [
        [],
        [("duplicate", "2")],
        [],
        [],
        [("duplicate", "2")],
        [("missing_unit", None)],
        [("missing_unit", None)],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+86打头", "-2层漏水", "@某人", "'=cmd"])
def test_text_that_begins_like_a_formula_is_kept(text):
    row = one(problem=text)
    assert codes(row.warnings) == [("formula_like_text", "problem")]
    assert row.title == text.lstrip("'")


@pytest.mark.parametrize("text", ["-", "——", "-5", "+3.5%", "--", "甲=乙", "'引号"])
def test_a_dash_or_a_number_is_no_formula(text):
    assert codes(one(measures=text).warnings) == []


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("联系13800138000", True),
        ("+8613800138000", True),
        ("11010519491231002X", True),
        ("110105194912310021", False),
        ("12800138000", False),
        ("编号138001380001", False),
        ("0991-1234567", False),
    ],
)
def test_phone_and_card_numbers_are_told_from_other_digits(text, warned):
    assert codes(one(remark=text).warnings) == ([("personal_data", "remark")] if warned else [])
    assert one(contact=text).warnings == (), "who complained is kept encrypted"


def test_a_phone_number_is_one_as_a_number_too():
    assert codes(one(extra={"电话": Number("13800138000")}).warnings) == [("personal_data", "电话")]


def test_numbers_of_a_spreadsheet_are_days_where_a_day_is_meant():
    assert one(deadline=Number("46568")).deadline.due_on == date(2027, 6, 30)
    assert one(closed_on=Number("46568"), struck_off="是").closed_on == date(2027, 6, 30)


def test_a_day_of_completion_without_closure_is_kept_beside():
    assert one(closed_on="2027.5.1", status="正在施工").attributes == {"closed_on": "2027.5.1"}
    assert one(closed_on=Number("46568")).attributes == {"closed_on": "2027-06-30"}
    closed = one(closed_on="2027.5.1", status="已完成")
    assert (closed.closed_on, closed.attributes) == (date(2027, 5, 1), {})


def test_a_day_in_place_of_a_yes_is_the_day_of_closure():
    row = one(struck_off="2026年5月")
    assert (row.closed, row.closed_on, row.begins) == (True, date(2026, 5, 31), ((Field.CLOSED_ON, date(2026, 5, 1)),))
    row = one(struck_off="2026.5.3", closed_on="2026.5.4")
    assert (row.closed, row.closed_on, len(row.begins)) == (True, date(2026, 5, 4), 1)


@pytest.mark.parametrize(
    ("day", "status", "closed"),
    [
        ("2026年5月3日", "", True),
        ("2026年5月3日", "已清运垃圾", True),
        ("2026年5月3日", "正在推进", False),
        ("2027年5月3日", "", False),
        ("待定", "", False),
        ("待定", "已完成", True),
        ("2026年5月1日已销号", "已完成", True),
    ],
)
def test_the_day_of_striking_off_closes_once_it_has_come(day, status, closed):
    found = line(closed_on=day, status=status)
    found.closes = True
    (row,) = judge([found])
    row.settle(date(2026, 12, 1))
    assert row.closed == closed
    if not closed and day != "待定":
        assert row.closed_on is None and row.attributes["closed_on"].startswith(day[:4])


def test_measures_that_are_read_for_a_day_may_be_as_long_as_measures():
    both = "修好路面；" * 120 + "2027年6月底前完成"
    row = one(deadline=both, measures=both)
    assert (row.errors, row.deadline.due_on, len(row.deadline_text)) == ((), date(2027, 6, 30), 500)
    assert codes(one(deadline=both).errors) == [("too_long", "deadline")]


def test_what_is_kept_beside_is_cut_where_it_is_too_long_and_costs_no_row():
    row = one(remark="急", extra={"一月": "甲" * 2_000, "二月": "乙" * 2_000, "三月": "丙"})
    kept = row.attributes["columns"]
    assert row.errors == row.warnings == ()
    assert (row.attributes["remark"], kept["三月"]) == ("急", "丙")
    assert kept["一月"] == "甲" * 1_498 + "…" and kept["二月"] == "乙" * 1_498 + "…"
    assert len(one(remark="长" * 4_000).attributes["remark"]) == 3_000
    whole = {f"{month}月": "字" * 250 for month in range(1, 13)}
    assert one(extra=whole).attributes["columns"] == whole


def test_persons_behind_a_unit_in_its_cell_are_persons():
    row = one(unit="县水利局 张三", person="李四")
    assert (row.unit_cell, row.person) == ("县水利局", "李四、张三")
    assert one(lead_unit="县水利局（张三）").lead_cell == "县水利局"


def test_all_that_is_said_of_who_complained_is_together():
    assert one(contact="王某", several={Field.CONTACT: ("王某", "13800138000")}).contact == "王某、13800138000"


def test_of_a_period_that_goes_on_today_counts():
    row = one(found_on="2026年11月", closed_on="2026年", listed_on="2026年12月", struck_off="是")
    marks = row.marks
    for today in (date(2026, 11, 28), date(2026, 11, 28)):
        row.settle(today)
        assert (row.found_on, row.closed_on) == (today, today)
    assert row.listed_on == date(2026, 12, 31), "that is in the future"
    assert row.marks == marks, "it is known again tomorrow"
    over = one(found_on="2026年10月", listed_on="2026年11月3日至12月5日", closed_on="2026年12月1日", struck_off="是")
    over.settle(date(2026, 11, 28))
    assert (over.found_on, over.listed_on) == (date(2026, 10, 31), date(2026, 11, 28))
    assert over.closed_on == date(2026, 12, 1)


def test_a_period_of_completion_of_what_is_not_closed_is_kept_beside():
    row = one(closed_on="2026年")
    row.settle(date(2026, 11, 28))
    assert row.closed_on is None and "closed_on" in row.attributes


def test_a_day_that_is_none_is_kept_beside():
    assert one(found_on="去年底").attributes == {"found_on": "去年底"}


# -- whether it is done


@pytest.mark.parametrize(
    "status",
    [
        "已完成",
        "已销号",
        "完成",
        "已整改完成",
        "已完成整改",
        "已办结。",
        "已全部完成",
        "该问题已完成整改",
        "已整改到位",
        "已整改完成，并通过核查验收",
        "已完成验收销号",
        "现场已整改",
        "已当场整改",
        "立行立改，已完成",
        "已闭环",
        "√",
    ],
)
def test_a_status_that_says_done_and_nothing_else(status):
    assert cell_words.done(status)


@pytest.mark.parametrize(
    "status",
    [
        "",
        "基本完成",
        "正在整改",
        "未完成",
        "部分完成",
        "完成50%",
        "已完成整改,具备销号条件",
        "拟申请验收销号",
        "达到验收标准",
        "整改完成时间：2021年9月",
        "已完成方案编制",
        "已立即开工",
        "立即整改",
        "已立即整改",
        "当场整改",
        "立行立改",
        "尚未销号",
        "长期坚持",
        "否",
    ],
)
def test_a_status_that_says_less_or_more(status):
    assert not cell_words.done(status)


@pytest.mark.parametrize(
    ("status", "struck_off", "closed", "told"),
    [
        ("已完成", "", True, None),
        ("已完成", "否", False, None),
        ("正在施工", "是", True, "正在施工"),
        ("正在施工", "否", False, "正在施工"),
        ("", "是", True, None),
        ("", "待验收", False, "待验收"),
        ("已完成", "待验收", False, "待验收"),
        ("正在绿化", "已整改到位", True, "正在绿化；已整改到位"),
        ("已整改完成，正在公示", "", False, "已整改完成，正在公示"),
        ("正在绿化", "2026年5月3日", True, "正在绿化"),
        ("正在绿化", "2026.5", True, "正在绿化"),
        ("正在绿化", Number("46145"), True, "正在绿化"),
        ("正在绿化", "2026年5月底前", False, "正在绿化；2026年5月底前"),
        ("正在绿化", "2026年2月30日", False, "正在绿化；2026年2月30日"),
    ],
)
def test_where_a_column_says_whether_it_is_struck_off_that_counts(status, struck_off, closed, told):
    row = one(status=status, struck_off=struck_off)
    assert (row.closed, row.status) == (closed, told)


def test_what_a_row_is_known_by_tells_no_one_who_complained():
    plain, complained = one(), one(contact="王某 13800138000")
    assert plain.marks == complained.marks
    assert one(measures="另").marks.content != plain.marks.content
    assert one(measures="另").marks.key == plain.marks.key
    assert ledger_rows.judge([]) == []
