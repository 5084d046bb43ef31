"""Deadline cells: the seventy-nine that a clerk has read, those of other counties, and families of spellings."""

import json
from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow import calendar, word_table, words
from service.workflow.word_terms import Count
from tests.workflow.builders import examples

LEDGERS = Path(__file__).resolve().parent.parent / "files" / "clerk"
CLERK = json.loads((LEDGERS / "04_整改时限混合写法.xlsx.expected.json").read_text(encoding="utf-8"))
NUMBERS = ("数字，常规格式的日期序列号", "数字 yyyymmdd")
"""Notes of the clerk by cells that are numbers in the file."""


def read(text: str) -> words.Words:
    return words.read(text)


@pytest.mark.parametrize("row", CLERK["import"], ids=lambda row: f"{row['row']} {row['deadline_text']}")
def test_what_the_clerk_reads(row):
    found = words.read(row["deadline_text"], number=row["deadline_note"] in NUMBERS)
    assert (found.due_on and found.due_on.isoformat()) == row["deadline_date"]
    assert [found.reason] == (row["warnings"] or [None])
    assert not found.invalid


@pytest.mark.parametrize("row", CLERK["refuse"], ids=lambda row: row["deadline_text"])
def test_what_the_clerk_refuses(row):
    assert read(row["deadline_text"]).invalid


DATED = {
    "2023年12月31号": "2023-12-31",
    "2023年12月31日24时前": "2023-12-31",
    "2023年12月31日 17:30": "2023-12-31",
    "2023-12-31T00:00:00": "2023-12-31",
    "2023. 12. 31": "2023-12-31",
    "2023．12．31前": "2023-12-31",
    "2023 12 31": "2023-12-31",
    "2023-6": "2023-06-30",
    "2023/6": "2023-06-30",
    "2024年2月": "2024-02-29",
    "2023年2月底前": "2023-02-28",
    "202312": "2023-12-31",
    "2023": "2023-12-31",
    "2023年": "2023-12-31",
    "2023年度": "2023-12-31",
    "2023年末": "2023-12-31",
    "2023年终": "2023-12-31",
    "2023年以前": "2023-12-31",
    "2023年全年": "2023-12-31",
    "2023年下半年": "2023-12-31",
    "2023年年中": "2023-06-30",
    "2023年第一季度": "2023-03-31",
    "2023年二季度末前": "2023-06-30",
    "2023年第三、四季度": "2023-12-31",
    "2023年3-4季度": "2023-12-31",
    "2023年12月月底": "2023-12-31",
    "2023年12月份": "2023-12-31",
    "2023年12月下旬前": "2023-12-31",
    "2023年二月下旬": "2023-02-28",
    "2023年12月初": "2023-12-10",
    "不迟于2023年12月31日": "2023-12-31",
    "截至2023年12月31日": "2023-12-31",
    "力争2023年底前完成": "2023-12-31",
    "2023年完成整改": "2023-12-31",
    "2023年12月31日止": "2023-12-31",
    "2022年-2025年": "2025-12-31",
    "2022-2025年": "2025-12-31",
    "2023年1-6月": "2023-06-30",
    "2023年11-2月": "2024-02-29",
    "2023年1月—6月底": "2023-06-30",
    "2023年6月至12月底前": "2023-12-31",
    "2023年10月至次年3月": "2024-03-31",
    "2023年10月至3月": "2024-03-31",
    "2023.6-2023.12": "2023-12-31",
    "2023.6-12": "2023-12-31",
    "2023.6.1-6.30": "2023-06-30",
    "2023年6月1日-15日": "2023-06-15",
    "2023年6月1日至6月15日": "2023-06-15",
    "2023年3月、6月、9月、12月底": "2023-12-31",
    "2023年6月底前完成方案，年底前完成整改": "2023-12-31",
    "①2023年6月底前完成排查；②2023年12月底前完成整改": "2023-12-31",
    "1.2023年6月底完成；2.2024年6月底完成": "2024-06-30",
    "1、2023.6.30前；2、2023.9.30前": "2023-09-30",
    "2023年6月30日\n2023年12月31日": "2023-12-31",
    "2023年12月31日/长期坚持": "2023-12-31",
    "立行立改，2023年12月底前完成": "2023-12-31",
    "2023年底前完成，并持续推进": "2023-12-31",
    "二零二三年年底": "2023-12-31",
    "二〇二四年二月二十九日": "2024-02-29",
    "二〇二三年第四季度": "2023-12-31",
    "二〇二三年十月二十日前": "2023-10-20",
    "2023年十二月底": "2023-12-31",
    "12/31/2023": "2023-12-31",
    "31/12/2023": "2023-12-31",
    "31.12.2023": "2023-12-31",
    "31-Dec-2023": "2023-12-31",
    "Dec 31, 2023": "2023-12-31",
    "Dec 2023": "2023-12-31",
    "二０二三年十二月底": "2023-12-31",
    "二0二三年十二月底": "2023-12-31",
    "贰零贰叁年拾贰月": "2023-12-31",
    "二〇二三年十月卅日": "2023-10-30",
    "二〇二三年十月廿五日": "2023-10-25",
    "2023年七八月": "2023-08-31",
    "2021-2025": "2025-12-31",
    "2021—2025": "2025-12-31",
    "2021至2025": "2025-12-31",
    "202306-202312": "2023-12-31",
    "2023-06~12": "2023-12-31",
    "2023-06-30—12-31": "2023-12-31",
    "2023.6.1-15": "2023-06-15",
    "2023年12月1日-10": "2023-12-10",
    "2023.7月底": "2023-07-31",
    "2023-7月中旬前": "2023-07-20",
    "2023.7月31日": "2023-07-31",
    "2023年12": "2023-12-31",
    "2023、12、31": "2023-12-31",
    "2023第四季度": "2023-12-31",
    "2023Q3": "2023-09-30",
    "2023上半年": "2023-06-30",
    "2023底": "2023-12-31",
    "2023年岁末": "2023-12-31",
    "2023年前三季度": "2023-09-30",
    "2023年前两个季度": "2023-06-30",
    "2023年12月中上旬": "2023-12-20",
    "2023年12月上中旬": "2023-12-20",
    "2023年12月中下旬": "2023-12-31",
    "2023年11月-明年1月": "2024-01-31",
    "2023年，6月底前": "2023-06-30",
    "2023年：6月底前完成方案；10月底前完成整改": "2023-10-31",
    "2023年6月15日，在整改中": "2023-06-15",
    "2023年12月31日前整改完毕": "2023-12-31",
    "整改时间：2023年12月底前": "2023-12-31",
    "整改时间：2023.12.31": "2023-12-31",
    "完成时间：2023年12月底前": "2023-12-31",
    "计划完成时间：2023年12月底": "2023-12-31",
    "拟完成时间：2023年12月": "2023-12-31",
    "2025年前": "2025-12-31",
    "2023年6月初步完成": "2023-06-30",
    "2023年5月1日、15日、31日": "2023-05-31",
    "2023年5月10、20日": "2023-05-20",
    "2023-5-6月": "2023-06-30",
    "2023年5月25曰": "2023-05-25",
    "2023年12月31日前完成，之后每月5日内报送": "2023-12-31",
    "2025年之前": "2025-12-31",
    "2023.12-2024.6": "2024-06-30",
}


@pytest.mark.parametrize(("text", "day"), DATED.items())
def test_dates_as_other_counties_write_them(text, day):
    assert (str(read(text).due_on), read(text).warning) == (day, None)


DOUBTED = {
    "2023年12月31日（延期至6月30日）": ("2024-06-30", "extended"),
    "2023年6月底，现调整为2023年12月底": ("2023-12-31", "extended"),
    "2023年12月底（已完成）": ("2023-12-31", "status_in_cell"),
    "2023年12月底前（超期）": ("2023-12-31", "overdue_marked"),
    "23年12月底": ("2023-12-31", "short_year"),
    "23.12.31": ("2023-12-31", "short_year"),
    "“十四五”末": ("2025-12-31", "plan_period"),
    "2023年12月立项，6月完工": ("2023-12-31", "order_unclear"),
    "45291": ("2023-12-31", "serial_as_text"),
    "31-Dec-23": ("2023-12-31", "short_year"),
    "23.12": ("2023-12-31", "short_year"),
    "2023年6月30日延期30天": ("2023-07-30", "extended"),
    "2023年6月30日前（延长三个月）": ("2023-09-30", "extended"),
    "2023年6月底，延期1个月": ("2023-07-31", "extended"),
    "2023年12月31日调整为2023年10月31日": ("2023-10-31", "extended"),
    "原定2023年12月31日，提前至2023年10月31日": ("2023-10-31", "brought_forward"),
    "2023年9月15日起30日内": ("2023-10-15", "relative"),
    "2023年9月15日交办，30日内完成": ("2023-10-15", "relative"),
    "依据2023年3月15日通知，30日内完成": ("2023-04-14", "relative"),
    "自2023年9月15日起3个月内": ("2023-12-15", "relative"),
    "2023年底至2024年初": ("2023-12-31", "order_unclear"),
    "2022年6月发现，今年底前完成": ("2022-12-31", "order_unclear"),
    "截至2023年9月已完成50%，2023年12月底前完成": ("2023-12-31", "status_in_cell"),
    "“十四五”期间": ("2025-12-31", "plan_period"),
}


@pytest.mark.parametrize(("text", "expected"), DOUBTED.items())
def test_dates_that_a_clerk_should_look_at(text, expected):
    found = read(text)
    assert (str(found.due_on), found.reason, found.warning) == (*expected, "deadline_words")


DATELESS = {
    "": ("date", "no_deadline"),
    "  \u3000 ": ("date", "no_deadline"),
    "四季度": ("date", "year_missing"),
    "上半年": ("date", "year_missing"),
    "12月上旬": ("date", "year_missing"),
    "2月29日": ("date", "year_missing"),
    "12月31前": ("date", "year_missing"),
    "6月-12月": ("date", "year_missing"),
    "明年6月底": ("date", "relative_year"),
    "年底前": ("date", "relative_year"),
    "月底前": ("date", "relative_month"),
    "下周三": ("date", "relative_month"),
    "15日前": ("date", "day_only"),
    "03/04/2023": ("date", "either"),
    "31/12/23": ("date", "either"),
    "Dec-23": ("date", "either"),
    "23-Dec": ("date", "either"),
    "12/31": ("date", "year_missing"),
    "12-31前": ("date", "year_missing"),
    "一季度前": ("date", "year_missing"),
    "三季度内": ("date", "year_missing"),
    "9月内": ("date", "year_missing"),
    "1.5年内": ("date", "relative_year"),
    "12月中上旬": ("date", "year_missing"),
    "年中": ("date", "relative_year"),
    "2024年初": ("date", "relative_year"),
    "下月底": ("date", "relative_month"),
    "春节前": ("date", "event"),
    "2023年春季": ("date", "event"),
    "2023年9月开学前": ("date", "event"),
    "2023年12月第二周": ("date", "event"),
    "2023年1月至今": ("date", "ongoing_from"),
    "2017-至今": ("date", "ongoing_from"),
    "2017.5-今": ("date", "ongoing_from"),
    "2023年12月—": ("date", "ongoing_from"),
    "2023年起三年内": ("date", "relative"),
    "2023年国庆节前": ("date", "event"),
    "汛期前": ("date", "event"),
    "验收合格后": ("date", "event"),
    "2023年6月起": ("date", "ongoing_from"),
    "已于2023年9月完成": ("date", "status_in_cell"),
    "2023年9月已完成整改": ("date", "status_in_cell"),
    "完成时间：2023年9月": ("date", "status_in_cell"),
    "已完成": ("date", "status_in_cell"),
    "整改中": ("date", "status_in_cell"),
    "按照省定时限完成": ("date", "unspecified"),
    "按期完成": ("date", "unspecified"),
    "无": ("date", "blank_mark"),
    "-": ("date", "blank_mark"),
    "N/A": ("date", "blank_mark"),
    "同上。": ("date", "ditto"),
    "〃": ("date", "ditto"),
    "更换灭火器": ("date", "measure_in_cell"),
    "立整立改": ("immediate", "immediate"),
    "立刻整改": ("immediate", "immediate"),
    "立马整改": ("immediate", "immediate"),
    "立说立行": ("immediate", "immediate"),
    "立查立纠": ("immediate", "immediate"),
    "边查边纠": ("immediate", "immediate"),
    "现场纠正": ("immediate", "immediate"),
    "即查即纠": ("immediate", "immediate"),
    "立查立改": ("immediate", "immediate"),
    "边查边改": ("immediate", "immediate"),
    "即查即改": ("immediate", "immediate"),
    "即整即改": ("immediate", "immediate"),
    "立说立行，立即整改": ("immediate", "immediate"),
    "现场整改": ("immediate", "immediate"),
    "随查随改": ("immediate", "immediate"),
    "马上就办": ("immediate", "immediate"),
    "即时整改": ("immediate", "immediate"),
    "持续坚持": ("standing", "long_term"),
    "持续整改": ("standing", "long_term"),
    "长期推进": ("standing", "long_term"),
    "每年12月底前": ("standing", "long_term"),
    "半年一次": ("standing", "long_term"),
    "每季度末10日内": ("standing", "long_term"),
    "2023年1月至长期": ("standing", "ongoing_from"),
    "2023年1月-长期坚持": ("standing", "ongoing_from"),
    "长期": ("standing", "long_term"),
    "常态化推进": ("standing", "long_term"),
    "常抓不懈": ("standing", "long_term"),
    "坚持不懈": ("standing", "long_term"),
    "每季度一次": ("standing", "long_term"),
    "立行立改并持续巩固": ("immediate", "immediate+long_term"),
    "2023年6月起长期坚持": ("standing", "ongoing_from"),
    "2023年起每年12月底前": ("standing", "ongoing_from"),
    "定期开展": ("standing", "long_term"),
    "规定期限内": ("date", "unspecified"),
    "法定期限内": ("date", "unspecified"),
    "建立改进机制": ("date", "measure_in_cell"),
    "成立改革专班": ("date", "measure_in_cell"),
    "资金到位后3个月内": ("date", "event"),
    "开工后30日内": ("date", "event"),
    "验收合格后1个月内": ("date", "event"),
    "资金落实到位之后，3个月内": ("date", "event"),
    "检查验收合格后10日内": ("date", "event"),
    "限10日前完成": ("date", "day_only"),
}


@pytest.mark.parametrize(("text", "expected"), DATELESS.items())
def test_words_that_set_no_date(text, expected):
    found = read(text)
    assert (found.kind, found.reason) == expected
    assert (found.due_on, found.count, found.invalid) == (None, None, False)


COUNTED = {
    "15日内": Count(15, "days"),
    "十五日内": Count(15, "days"),
    "三十日以内完成": Count(30, "days"),
    "5个工作日内": Count(5, "working_days"),
    "十个工作日": Count(10, "working_days"),
    "自收到之日起30日": Count(30, "days"),
    "限7天": Count(7, "days"),
    "两周内": Count(14, "days"),
    "一个月内": Count(1, "months"),
    "3个月": Count(3, "months"),
    "半年内": Count(6, "months"),
    "半个月内": Count(15, "days"),
    "一年内": Count(12, "months"),
    "48小时内": Count(2, "days"),
    "10年内": Count(120, "months"),
    "1个季度内": Count(3, "months"),
    "立即整改，3日内完成": Count(3, "days"),
    "7日内制定方案，30日内完成整改": Count(30, "days"),
    "2个月内完成，完成后15个工作日内报告": Count(2, "months"),
    "自交办之日起7个工作日": Count(7, "working_days"),
    "一百二十天内": Count(120, "days"),
    "百日内": Count(100, "days"),
    "180日": Count(180, "days"),
    "三五天内": Count(5, "days"),
    "3-5天": Count(5, "days"),
    "1～2个月": Count(2, "months"),
    "一个半月内": Count(45, "days"),
    "一年半内": Count(18, "months"),
    "半年": Count(6, "months"),
    "用三年时间": Count(36, "months"),
    "24h内": Count(1, "days"),
    "1.30日内制定方案2.60日内完成": Count(60, "days"),
    "自收到之日起一月内": Count(1, "months"),
    "限期15日": Count(15, "days"),
    "责令限期7日整改": Count(7, "days"),
    "时限：3日": Count(3, "days"),
    "签收后5个工作日": Count(5, "working_days"),
    "收到反馈后2个月": Count(2, "months"),
    "接到交办单后7天": Count(7, "days"),
    "收到整改通知书后的15日内": Count(15, "days"),
    "此后3日内": Count(3, "days"),
    "收到督办单之后10日内": Count(10, "days"),
}


@pytest.mark.parametrize(("text", "count"), COUNTED.items())
def test_terms_are_counted_from_the_listing(text, count):
    found = read(text)
    assert (found.count, found.warning, found.due_on) == (count, "deadline_words", None)


def test_what_is_counted_comes_to_a_day():
    friday = date(2024, 3, 29)
    assert read("3日内").due(friday, calendar.BASE) == date(2024, 4, 1)
    assert read("3个工作日内").due(friday, calendar.BASE) == date(2024, 4, 3)
    assert read("11个月内").due(friday, calendar.BASE) == date(2025, 2, 28)
    assert read("2024年5月").due(friday, calendar.BASE) == date(2024, 5, 31)
    assert read("尽快").due(friday, calendar.BASE) is None
    assert read("2024年3月29日起3个工作日内").due(date(2024, 1, 1), calendar.BASE) == date(2024, 4, 3)
    assert read("每月5日内报送").count is None


def test_a_period_tells_its_first_day_too():
    for text, first in {
        "2026年11月": date(2026, 11, 1),
        "2026年12月": date(2026, 12, 1),
        "2026": date(2026, 1, 1),
        "2026年": date(2026, 1, 1),
        "2026年11月中旬": date(2026, 11, 11),
        "2026年四季度": date(2026, 10, 1),
        "2026年下半年": date(2026, 7, 1),
        "2026年11月3日": date(2026, 11, 3),
        "2026年11月3日至12月5日": date(2026, 11, 3),
    }.items():
        assert read(text).first == first, text


@pytest.mark.parametrize(
    "text",
    ["2023年0月", "13月底", "2月30日前", "2023年4月31日", "2023/2/29", "20231332", "202313", "2023.13", "20223年12月底",
     "202年12月", "1900-01-01", "1905/7/15", "2023年第四季度，2024年14月", "2023-00-10", "13/32/2023",
     "2023年12月31日（延期至2024年2月30日）"],
)  # fmt: skip
def test_days_that_no_calendar_has(text):
    found = read(text)
    assert found.invalid
    assert (found.due_on, found.warning) == (None, None)


def test_numbers_are_days_in_the_date_system_of_the_file():
    assert words.read("43465", number=True) == words.Words(due_on=date(2018, 12, 31))
    assert words.read("42003", number=True, epoch_1904=True).due_on == date(2018, 12, 31)
    assert words.read("45291.729167", number=True).due_on == date(2023, 12, 31)
    assert str(words.read("2023-12").due_on) == "2023-12-31", "a day that is shown as its month"
    assert words.read("2023.1", number=True).reason == "month_unclear"
    assert words.read("23.1", number=True).reason == "month_unclear"
    assert str(words.read("2023.12", number=True).due_on) == "2023-12-31"


def test_every_meaning_of_the_table_is_met_by_one_of_the_cells_here():
    met = {row["warnings"][0] for row in CLERK["import"] if row["warnings"]}
    met |= {reason for _, reason in (*DATELESS.values(), *DOUBTED.values())}
    assert {row.meaning for row in word_table.WORDS} <= met


# -- families

DAYS = st.dates(date(1990, 1, 1), date(2098, 12, 31))
NUMERALS = "〇一二三四五六七八九"


def in_characters(number: int) -> str:
    tens, ones = divmod(number, 10)
    if number < 10:
        return NUMERALS[number]
    return ("" if tens == 1 else NUMERALS[tens]) + "十" + (NUMERALS[ones] if ones else "")


def spelled(day: date) -> list[str]:
    year, month, number = day.year, day.month, day.day
    full = str.maketrans("0123456789", "０１２３４５６７８９")
    return [
        f"{year}年{month}月{number}日",
        f"{year}年{month:02}月{number:02}日前",
        f"{year}.{month}.{number}",
        f"{year}-{month:02}-{number:02}",
        f"{year}/{month}/{number}",
        f"{year}{month:02}{number:02}",
        f"{year} 年 {month} 月 {number} 日",
        f"{year}年{month}月{number}日".translate(full),
        "".join(NUMERALS[int(each)] for each in str(year)) + f"年{in_characters(month)}月{in_characters(number)}日",
        f"整改时限：{year}年{month}月{number}日之前完成",
    ]


@given(DAYS)
@examples(100)
def test_a_day_is_the_same_day_however_it_is_spelled(day):
    for text in spelled(day):
        assert read(text) == words.Words(due_on=day), text


@given(DAYS)
@examples(100)
def test_of_a_month_its_last_day_counts(day):
    last = day.replace(day=monthrange(day.year, day.month)[1])
    for text in (f"{day.year}年{day.month}月", f"{day.year}年{day.month}月底前", f"{day.year}.{day.month:02}"):
        assert read(text).due_on == last, text


@given(DAYS, st.timedeltas(timedelta(0), timedelta(2_000)))
@examples(100)
def test_of_a_range_and_of_milestones_the_end_counts(day, length):
    end = min(day + length, date(2098, 12, 31))
    first, last = (f"{each.year}年{each.month}月{each.day}日" for each in (day, end))
    for text in (f"{first}至{last}", f"{first}-{last}", f"{first}前完成方案，{last}前完成整改", f"{first}；\n{last}"):
        assert read(text).due_on == end, text
    assert read(f"{first}（已延期至{last}）") == words.Words(due_on=end, reason="extended")


@given(st.integers(1990, 2090), st.integers(0, 99), st.integers(0, 99))
@examples(100)
def test_a_day_is_in_the_calendar_or_refused(year, month, day):
    try:
        expected = date(year, month, day)
    except ValueError:
        expected = None
    for text in (f"{year}年{month}月{day}日", f"{year}-{month}-{day}"):
        found = read(text)
        assert (found.due_on, found.invalid) == (expected, expected is None), text


@given(
    st.text(
        alphabet="年月日底前至-、，。0123456789二〇十百三四季度上半旬内个工作立行改"
        "长期坚持已延期提明今后初Dec/.（）() \n起同",
        max_size=30,
    )
)
@examples(100)
def test_whatever_stands_there_is_answered(text):
    found = read(text)
    assert found.invalid or found.reason is not None or found.due_on is not None
    assert not (found.due_on and found.count)
