"""An item as a line of a ledger: what a clerk reads in each column."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.workflow.calendar import BASE
from service.workflow.ledger_layouts import LAYOUTS, PAINTS, LayoutName
from service.workflow.ledger_lines import Around, Totals, line, problem, total
from service.workflow.policy import default_policy
from service.workflow.states import Severity, SourceKind, State
from service.workflow.views import view
from tests.workflow.builders import ITEM, TOWN, VILLAGE, an_item

ZONE = ZoneInfo("Asia/Shanghai")
AROUND = Around({VILLAGE: "青溪村", TOWN: "青溪镇"}, {ITEM: "已更换主管道"}, ZONE)
RECTIFICATION = LAYOUTS[LayoutName.RECTIFICATION]
PROBLEMS = LAYOUTS[LayoutName.PROBLEMS]


def cells(item: Any, layout: Any = RECTIFICATION, today: date = date(2026, 3, 2), **around: Any) -> dict[str, Any]:
    shown = view(item, default_policy(), BASE, today)
    values = line(layout, 7, shown, replace(AROUND, **around))
    return dict(zip([column.heading for column in layout.columns], values, strict=True))


def test_an_item_under_way() -> None:
    item = replace(an_item("rectifying"), due_on=date(2026, 3, 3), source_ref="县督〔2026〕3号", goal="供水正常")
    found = cells(item)
    assert found["序号"] == 7
    assert (found["责任单位"], found["督办单位"], found["配合单位"]) == ("青溪村", "青溪镇", None)
    assert (found["整改时限"], found["到期日"]) == (date(2026, 3, 3), date(2026, 3, 3))
    assert (found["当前状态"], found["完成情况"], found["整改目标"]) == ("整改中", "已更换主管道", "供水正常")
    assert found["问题来源"] == "督查检查（县督〔2026〕3号）"
    assert (found["亮灯"], found["超期天数"], found["是否销号"], found["销号日期"]) == ("黄灯", None, "否", None)


def test_an_overdue_one_says_since_how_many_days() -> None:
    found = cells(replace(an_item("rectifying"), due_on=date(2026, 2, 20)))
    assert (found["亮灯"], found["超期天数"]) == ("红灯", 10)


def test_a_closed_one_has_its_day_by_the_tenants_clock_and_no_lamp() -> None:
    item = replace(
        an_item("closed"), resolution="rectified", closed_at=datetime(2026, 3, 1, 17, tzinfo=UTC), closed_days_late=4
    )
    found = cells(item)
    assert (found["是否销号"], found["销号日期"], found["当前状态"]) == ("是", date(2026, 3, 2), "已销号")
    assert (found["亮灯"], found["超期天数"]) == (None, 4)


@pytest.mark.parametrize(("resolution", "word"), [("annulled", "已作废"), ("duplicate", "重复作废")])
def test_what_was_not_put_right_is_not_said_to_be_struck_off(resolution: str, word: str) -> None:
    found = cells(replace(an_item("closed"), resolution=resolution, closed_at=datetime(2026, 3, 1, tzinfo=UTC)))
    assert (found["是否销号"], found["当前状态"]) == ("否", word)


@pytest.mark.parametrize(("kind", "word"), [("immediate", "立行立改"), ("standing", "长期坚持")])
def test_a_deadline_that_is_no_day_is_said_in_the_words_of_ledgers(kind: str, word: str) -> None:
    found = cells(replace(an_item("rectifying"), deadline_kind=kind, review_on=date(2026, 6, 1)))
    assert found["整改时限"] == word
    assert isinstance(found["到期日"], date)


@pytest.mark.parametrize(
    ("title", "description", "expected"),
    [
        ("沟渠堵塞", None, "沟渠堵塞"),
        ("沟渠堵塞", "村口至桥头", "沟渠堵塞\n村口至桥头"),
        ("沟渠堵塞 村口…", "沟渠堵塞\n村口至桥头", "沟渠堵塞\n村口至桥头"),
    ],
)
def test_title_and_description_are_one_text_and_nothing_is_said_twice(
    title: str, description: str | None, expected: str
) -> None:
    assert problem(title, description) == expected


def test_a_lamp_that_the_policy_made_up_is_called_as_there() -> None:
    shown = replace(view(an_item(), default_policy(), BASE, date(2026, 3, 2)), lamp="紫灯")
    values = line(PROBLEMS, 1, shown, AROUND)
    assert "紫灯" in values and "紫灯" not in PAINTS


def test_the_total_counts_what_was_written() -> None:
    totals = Totals()
    for item in (an_item("closed"), an_item("rectifying"), replace(an_item("extended"), extension_count=2)):
        totals.count(view(item, default_policy(), BASE, date(2030, 1, 1)))
    found = dict(zip([column.heading for column in RECTIFICATION.columns], total(RECTIFICATION, totals), strict=True))
    assert (found["序号"], found["存在问题"], found["当前状态"]) == ("合计", "共 3 项", "未销号 2")
    assert (found["延期次数"], found["超期天数"], found["是否销号"]) == (2, "超期 2", 1)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
@pytest.mark.parametrize("state", State)
def test_every_line_has_a_cell_for_each_column(layout: Any, state: State) -> None:
    for severity in Severity:
        for source in SourceKind:
            item = replace(an_item(state.value), severity=severity.value, source_kind=source.value)
            found = cells(item, layout)
            assert len(found) == len(layout.columns)
            assert severity.value not in found.values() and source.value not in found.values(), "all in Chinese"


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_columns_of_a_group_stand_together(layout: Any) -> None:
    groups = [column.group for column in layout.columns if column.group]
    assert len([name for name, before in zip(groups, [None, *groups], strict=False) if name != before]) == len(
        set(groups)
    )
