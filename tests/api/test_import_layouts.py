"""Ledgers that are laid out otherwise than the real ones, over HTTP."""

import io

from python_calamine import CalamineWorkbook

from tests.api.helpers import ok
from tests.api.importing import by_row, codes, items_of, ledger, load
from tests.spreadsheets import xlsx, xlsx_merged


async def refused_rows(world, report):
    answer = await world.admin.get(f"/v1/imports/{report['id']}/refused.xlsx")
    assert answer.status_code == 200
    return CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()


async def test_refused_rows_of_merged_cells_and_of_two_tables_say_all_that_they_said(world):
    code = await ledger(world, "layouts")
    table = [
        ["序号", "存在问题", "责任单位", "整改时限"],
        ["7", "甲", "t1", "2027.6.30"],
        [None, None, "无此单位", "2027.7.31"],
        ["序号", "反馈问题", "承办单位", "整改措施", "整改时限", "整改情况"],
        ["8", "乙", "无此单位", "修", "2027.8.31", "已开工"],
    ]
    report = ok(await load(world, xlsx_merged(table, "A2:A3", "B2:B3"), "台账.xlsx", ledger=code))
    assert (report["created"], report["refused"]) == (1, 2)
    rows = await refused_rows(world, report)
    assert rows[0][:6] == ["序号", "存在问题", "责任单位", "整改时限", "整改措施", "整改情况"]
    assert [row[:6] for row in rows[1:]] == [
        ["7", "甲", "无此单位", "2027.7.31", "", ""], ["8", "乙", "无此单位", "2027.8.31", "修", "已开工"],
    ]  # fmt: skip
    mended = xlsx(refused=[rows[0], *([*row[:2], "t2", *row[3:]] for row in rows[1:])])
    again = ok(await load(world, mended, "refused.xlsx", ledger=code))
    assert (again["created"], again["refused"]) == (2, 0)
    items = {item["deadline"]["due_on"]: item for item in await items_of(world, code)}
    assert items["2027-07-31"]["title"] == "甲" and items["2027-08-31"]["measures"] == "修"


async def test_of_two_tables_in_a_sheet_both_are_imported(world):
    code = await ledger(world, "tables")
    table = (
        "未整改问题,,,\n序号,存在问题,责任单位,整改时限\n1,甲,t1,2027.6.30\n,,,\n已整改问题,,,\n"
        "序号,反馈问题,责任单位,整改措施,整改时限,完成情况\n1,乙,t2,修,2027.6.30,已完成\n"
    )
    rows = [[cell or None for cell in line.split(",")] for line in table.splitlines()]
    report = ok(await load(world, xlsx(台账=rows), "台账.xlsx", ledger=code))
    assert (report["created"], report["refused"]) == (2, 0)
    assert (report["mapping"]["存在问题"], report["mapping"]["反馈问题"]) == ("problem", "problem")
    assert {item["title"]: item["state"] for item in await items_of(world, code)} == {"甲": "open", "乙": "closed"}


async def test_who_complained_is_in_no_attribute(world):
    table = "举报人姓名,举报人电话,存在问题,责任单位,整改时限\n王某,13800138000,甲,t1,2027.6.30\n"
    code = await ledger(world, "complaints")
    report = ok(await load(world, table, ledger=code))
    assert codes(by_row(report)[2], "warnings") == []
    (item,) = await items_of(world, code)
    assert "王某" not in str(item["attributes"]) and "138" not in str(item["attributes"])
    (shown,) = [ok(await world.admin.get(f"/v1/items/{item['id']}"))]
    assert shown["source"]["contact"] == "王某、13800138000"


async def test_in_a_ledger_of_complaints_whoever_is_named_first_complained(world):
    table = "社区,姓名,联系电话,家庭住址,诉求内容,承办单位\n东社区,王某,13800138000,东街一号,甲,t1\n"
    code = await ledger(world, "hotline")
    report = ok(await load(world, table, ledger=code))
    assert codes(by_row(report)[2], "warnings") == ["no_deadline"]
    (item,) = await items_of(world, code)
    assert item["attributes"] == {"columns": {"社区": "东社区"}}
    shown = ok(await world.admin.get(f"/v1/items/{item['id']}"))
    assert shown["source"]["contact"] == "王某、13800138000、东街一号"


async def test_a_day_of_striking_off_closes_once_it_has_come(world):
    code = await ledger(world, "struck-off")
    table = "问题,责任单位,整改时限,整改情况,销号时间\n甲,t1,2026.6.30,已清运,2026.5.3\n乙,t1,2027.6.30,,2099.5.3\n"
    ok(await load(world, table, ledger=code))
    items = {item["title"]: item for item in await items_of(world, code)}
    assert {title: item["state"] for title, item in items.items()} == {"甲": "closed", "乙": "open"}
    assert items["甲"]["closed_at"].startswith("2026-05-03") and items["乙"]["attributes"] == {
        "closed_on": "2099-05-03"
    }
    again = ok(await load(world, table, ledger=code, changed_rows="update"))
    assert (again["unchanged"], again["created"]) == (2, 0)


async def test_a_telephone_beside_who_is_responsible_is_kept_and_warned_of(world):
    table = "存在问题,责任单位,责任人,联系电话,整改时限\n甲,t1,张三,13800138000,2027.6.30\n"
    code = await ledger(world, "telephones")
    report = ok(await load(world, table, ledger=code))
    assert codes(by_row(report)[2], "warnings") == ["personal_data"]
    (item,) = await items_of(world, code)
    assert item["attributes"]["columns"] == {"联系电话": "13800138000"}
