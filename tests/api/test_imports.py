"""Ledgers imported over HTTP: what becomes of their rows, and of files that are none."""

import asyncio
import io
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook

from tests.api.helpers import every_page, ok, read, refused
from tests.api.importing import HEAD, by_row, codes, items_of, ledger, load
from tests.spreadsheets import archive, sheet_xml, xlsx

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


async def test_words_about_progress_are_an_entry_and_a_yes_closes(world):
    code = await ledger(world, "progress")
    table = (
        "存在问题,责任单位,完成情况\n甲,t1,正在施工，已完成一半\n乙,t1,已完成\n丙,t1,基本完成\n丁,t1,\n"
        "戊,t1,该问题已完成整改\n"
    )
    report = ok(await load(world, table, ledger=code))
    assert report["created"] == 5
    items = {item["title"]: item for item in await items_of(world, code)}
    assert {title: item["state"] for title, item in items.items()} == {
        "甲": "open", "乙": "closed", "丙": "open", "丁": "open", "戊": "closed",
    }  # fmt: skip
    said = {"甲": ["正在施工，已完成一半"], "乙": [], "丙": ["基本完成"], "丁": [], "戊": ["该问题已完成整改"]}
    for title, expected in said.items():
        told = (await read(world.admin, f"/v1/items/{items[title]['id']}/progress"))["items"]
        assert [each["text"] for each in told] == expected
    assert items["甲"]["version"] == 2 and items["丁"]["version"] == 1
    assert items["乙"]["resolution"] == "rectified"
    again = ok(await load(world, table, ledger=code, changed_rows="update"))
    assert (again["unchanged"], again["created"]) == (5, 0)


async def test_what_is_said_about_progress_may_be_as_long_as_over_http(world):
    code = await ledger(world, "told")
    said = "正在施工，" * 4_000
    ok(await load(world, f"存在问题,责任单位,完成情况\n甲,t1,{said}\n", ledger=code))
    (item,) = await items_of(world, code)
    told = (await read(world.admin, f"/v1/items/{item['id']}/progress"))["items"]
    assert [each["text"] for each in told] == [said]


async def test_a_period_that_goes_on_is_no_day_in_the_future(world):
    code = await ledger(world, "period")
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    table = (
        "存在问题,责任单位,检查时间,是否销号,销号时间\n"
        f"甲,t1,{now.year}年{now.month}月,是,{now.year}年\n乙,t1,{now.year + 1}年,否,\n"
    )
    for outcome in ("created", "unchanged"):
        report = ok(await load(world, table, ledger=code))
        assert (report[outcome], codes(by_row(report)[3])) == (1, ["invalid_date"])
    (item,) = await items_of(world, code)
    assert item["found_on"] == str(now.date()) and item["state"] == "closed"


async def test_an_item_that_was_struck_off_long_ago_is_dated_by_its_ledger(world):
    code = await ledger(world, "old")
    table = (
        "存在问题,责任单位,整改时限,是否销号,销号时间,登记日期\n"
        "甲,t1,2021年6月底,是,2021-07-02,2021-03-01\n乙,t1,2021年6月底,是,2021年5月,\n丙,t1,,否,,2021.3.1\n"
    )
    ok(await load(world, table, ledger=code))
    items = {item["title"]: item for item in await items_of(world, code)}
    assert items["甲"]["closed_at"].startswith("2021-07-02T15:59:59") and items["甲"]["closed_days_late"] == 2
    assert items["甲"]["listed_at"].startswith("2021-02-28T16:00:00")
    assert items["乙"]["closed_days_late"] == 0 and items["乙"]["listed_at"].startswith("2021-05-30T16:00:00")
    assert items["丙"]["state"] == "open" and items["丙"]["deadline"]["due_on"] == "2021-04-13"


# -- nothing twice


async def test_the_same_file_again_lists_nothing_and_a_longer_one_only_what_is_new(world):
    code = await ledger(world, "twice")
    table = HEAD + "1,甲问题,t1,修,2027年6月底,\n2,乙问题,t1v1,修,,\n3,甲问题,t1,修,2027年12月底,\n"
    first = ok(await load(world, table, ledger=code))
    again = ok(await load(world, table, ledger=code))
    assert (first["created"], again["created"], again["unchanged"]) == (3, 0, 3)
    assert [row["item"] for row in again["rows"] if row["item"]] == [
        row["item"] for row in first["rows"] if row["item"]
    ]
    longer = ok(await load(world, table + "4,丙问题,t1,修,,\n", ledger=code))
    assert (longer["created"], longer["unchanged"]) == (1, 3)
    assert len(await items_of(world, code)) == 4
    elsewhere = ok(await load(world, table, ledger=await ledger(world, "twice-b")))
    assert elsewhere["created"] == 3, "a ledger of its own"


async def test_a_changed_row_is_named_and_its_item_follows_on_request(world):
    code = await ledger(world, "changed")
    first = ok(await load(world, HEAD + "1,甲,t1v1,修,2027年6月底,\n2,乙,t1,修,,\n", ledger=code))
    item_id = by_row(first)[2]["item"]
    changed = HEAD + "1,甲,t1v1,换新管,2027年9月底,已进场\n2,乙,t1,修,,\n"
    report = ok(await load(world, changed, ledger=code))
    assert (report["changed"], report["updated"], report["unchanged"]) == (1, 0, 1)
    assert by_row(report)[2]["outcome"] == "changed" and by_row(report)[2]["item"] == item_id
    assert (await read(world.admin, f"/v1/items/{item_id}"))["measures"] == "修"
    report = ok(await load(world, changed, ledger=code, changed_rows="update"))
    assert (report["changed"], report["updated"]) == (0, 1)
    item = await read(world.admin, f"/v1/items/{item_id}")
    assert (item["measures"], item["deadline"]["due_on"], item["version"]) == ("换新管", "2027-09-30", 3)
    assert ok(await load(world, changed, ledger=code, changed_rows="update"))["unchanged"] == 2


async def test_what_only_people_decide_stays_and_is_named_again(world):
    code = await ledger(world, "decide")
    first = ok(await load(world, HEAD + "1,甲,t1v1,修,2027年6月底,\n", ledger=code))
    item_id = by_row(first)[2]["item"]
    ok(await world.fire(await world.person("responsible", "t1v1"), item_id, "claim", signed_by="张三"))
    for _ in range(2):
        later = HEAD + "1,甲,t1v1,修,2027年12月底,已完成\n"
        report = ok(await load(world, later, ledger=code, changed_rows="update"))
        warned = by_row(report)[2]["warnings"]
        assert [(each["code"], each["field"]) for each in warned] == [
            ("needs_decision", "deadline"), ("needs_decision", "struck_off"),
        ]  # fmt: skip
    item = await read(world.admin, f"/v1/items/{item_id}")
    assert (item["state"], item["deadline"]["due_on"]) == ("rectifying", "2027-06-30")


async def test_a_dry_run_says_the_same_and_writes_nothing(world):
    code = await ledger(world, "dry")
    table = HEAD + "1,甲,t1,修,尽快,\n2,乙,待建单位,修,,\n3,丙,新单位,,,\n"
    units = len(await every_page(world.admin, "/v1/units"))
    dry = ok(await load(world, table, ledger=code, dry_run=True, unknown_units="create"))
    assert (dry["created"], dry["stored"], dry["new_units"]) == (3, False, ["待建单位", "新单位"])
    assert all(row["item"] is None for row in dry["rows"])
    assert await items_of(world, code) == [] and len(await every_page(world.admin, "/v1/units")) == units
    real = ok(await load(world, table, ledger=code, unknown_units="create"))
    same = ("accepted", "refused", "warned", "created", "new_units", "mapping", "sheets")
    assert {name: real[name] for name in same} == {name: dry[name] for name in same}


async def test_all_or_nothing_lists_nothing_beside_a_refused_row(world):
    code = await ledger(world, "all")
    table = HEAD + "1,甲,t1,修,,\n2,,t1,修,,\n"
    report = ok(await load(world, table, ledger=code, mode="all"))
    assert (report["stored"], report["accepted"], report["refused"]) == (False, 1, 1)
    assert await items_of(world, code) == []
    assert ok(await load(world, table, ledger=code))["created"] == 1


async def test_of_two_imports_at_once_the_second_finds_what_the_first_listed(world):
    code = await ledger(world, "race")
    table = HEAD + "".join(f"{n},问题{n},竞争单位{n % 3},修,,\n" for n in range(60))
    reports = [ok(each) for each in await asyncio.gather(
        *(load(world, table, ledger=code, unknown_units="create") for _ in range(3)))]  # fmt: skip
    assert sorted(report["created"] + 1000 * report["unchanged"] for report in reports) == [60, 60_000, 60_000]
    assert len(await items_of(world, code)) == 60
    made = [unit["name"] for unit in await every_page(world.admin, "/v1/units") if unit["name"].startswith("竞争单位")]
    assert len(made) == 3


# -- refused rows


FAULTY = {
    "1,,t1,修,,": ["missing_problem"],
    "1,甲,,修,,": ["missing_unit"],
    "1,甲,同上,修,,": ["missing_unit"],
    "1,/,t1,修,,": ["missing_problem"],
    "1,甲,没有的单位,修,,": ["unknown_unit"],
    "1,甲,各镇,修,,": ["unknown_unit"],
    "1,甲,同名村,修,,": ["unknown_unit"],
    "1,甲,t1,修,2月30日,": ["invalid_date"],
    "1,甲,t1,修,2023年13月,": ["invalid_date"],
    "1,甲\u200b乙,t1,修,,": ["control_char"],
    "1,甲\x07乙,t1,修,,": ["control_char"],
    f"1,{'长' * 5001},t1,修,,": ["too_long"],
    "1,甲,t1,修": ["column_count"],
    "1,甲,t1,修,,,多": ["column_count"],
    "1,甲,,修,2023.2.30,": ["missing_unit", "invalid_date"],
}


async def test_each_fault_is_named_by_row(world):
    for code in ("same-a", "same-b"):
        ok(
            await world.admin.post(
                "/v1/units", json={"code": code, "name": "同名村", "parent": "t1", "level": "village"}
            ),
            201,
        )
    table = HEAD + "".join(f"{line}\n" for line in FAULTY)
    report = ok(await load(world, table, ledger=await ledger(world, "faulty")))
    assert report["accepted"] == 0
    found = by_row(report)
    for number, (line, expected) in enumerate(FAULTY.items(), start=2):
        assert codes(found[number]) == expected, line
    assert found[7]["errors"][0]["detail"] == "须写明具体单位，不能用统称：各镇"
    assert found[8]["errors"][0]["detail"].startswith("有多个单位叫这个名称")


async def test_the_reason_is_said_in_the_readers_language(world):
    answer = await world.admin.post(
        "/v1/imports", files={"file": ("a.csv", (HEAD + "1,甲,,,,\n").encode())},
        params={"ledger": "default", "dry_run": True}, headers={"Accept-Language": "en"},
    )  # fmt: skip
    assert by_row(ok(answer))[2]["errors"][0]["detail"] == "There is no responsible unit."


async def test_formulas_are_refused_and_what_begins_like_one_is_kept_as_text(world):
    code = await ledger(world, "formulas")

    def said(place, text):
        return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'

    cells = (
        f'<row r="1">{said("A1", "存在问题")}{said("B1", "责任单位")}{said("C1", "整改时限")}</row>'
        f'<row r="2"><c r="A2" t="str"><f>CONCATENATE("a","b")</f><v>ab</v></c>{said("B2", "t1")}</row>'
        f'<row r="3">{said("A3", "=1+1 写在题头")}{said("B3", "t1")}</row>'
        f'<row r="4">{said("A4", "乙")}{said("B4", "t1")}<c r="C4"><f>TODAY()+30</f><v>46000</v></c></row>'
    )
    report = ok(await load(world, archive({"台账": sheet_xml(cells)}), "台账.xlsx", ledger=code))
    found = by_row(report)
    assert (codes(found[2]), codes(found[4])) == (["formula_cell"], ["formula_cell"])
    assert codes(found[3], "warnings") == ["formula_like_text", "no_deadline"]
    apostrophe = ok(await load(world, "存在问题,责任单位\n'=cmd|x,t1\n", ledger=code))
    assert codes(by_row(apostrophe)[2], "warnings") == ["formula_like_text", "no_deadline"]
    assert {item["title"] for item in await items_of(world, code)} == {"=1+1 写在题头", "=cmd|x"}


async def test_only_an_export_is_read_without_what_follows_from_its_items(world):
    code = await ledger(world, "by-hand")
    ok(await load(world, "编号,存在问题,责任单位,当前状态,亮灯,到期日\n9,甲,t1,整改中,红灯,尽快\n", ledger=code))
    (item,) = await items_of(world, code)
    assert item["attributes"] == {"source_no": "9", "columns": {"当前状态": "整改中", "亮灯": "红灯"}}
    assert item["deadline"]["text"] == "尽快"


async def test_phone_and_card_numbers_are_warned_of(world):
    table = (
        "存在问题,责任单位,责任人,整改时限\n张某13800138000反映,t1,,2027.6.30\n"
        "甲,t1,李某11010519491231002X,2027.6.30\n乙,t1,李某110105194912310021,2027.6.30\n丙,t1,编号13800138000123,2027.6.30\n"
    )
    report = ok(await load(world, table, ledger=await ledger(world, "personal")))
    assert [codes(by_row(report)[row], "warnings") for row in range(2, 6)] == [
        ["personal_data"], ["personal_data"], [], [],
    ]  # fmt: skip


async def test_refused_rows_come_back_as_a_workbook_and_corrected_they_are_imported(world):
    code = await ledger(world, "corrected")
    table = HEAD + "007,甲,t1,修,2027年6月底,\n008,乙,,修,,\n009,=丙,没有的单位,修,2月30日,\n"
    report = ok(await load(world, table, ledger=code))
    answer = await world.admin.get(f"/v1/imports/{report['id']}/refused.xlsx")
    assert answer.status_code == 200 and answer.headers["content-type"].endswith("spreadsheetml.sheet")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["序号", "存在问题", "责任单位", "整改措施", "整改时限", "整改进展", "工作表", "行号", "退回原因"]
    assert rows[1] == ["008", "乙", "", "修", "", "", "台账.csv", "3", "没有责任单位"]
    assert rows[2][:2] == ["009", "=丙"] and "没有的单位" in rows[2][-1]
    mended = xlsx(
        refused=[rows[0], [*rows[1][:2], "t1", *rows[1][3:]], [*rows[2][:2], "t2", "修", "尽快", *rows[2][5:]]]
    )
    again = ok(await load(world, mended, "refused.xlsx", ledger=code))
    assert (again["created"], again["refused"]) == (2, 0)
    items = {item["title"]: item for item in await items_of(world, code)}
    assert items["乙"]["attributes"] == {"source_no": "008"} and "=丙" in items
    other = await world.person("supervisor")
    refused(await other.get(f"/v1/imports/{report['id']}"), "not_found")
    refused(await other.get(f"/v1/imports/{report['id']}/refused.xlsx"), "not_found")
    refused(await world.admin.get(f"/v1/imports/{again['id']}/refused.xlsx"), "not_found")


# -- who may


async def test_whoever_may_list_may_import_where_they_may_list(world):
    code = await ledger(world, "who")
    table = HEAD + "1,甲,t1v1,修,,\n2,乙,t2v1,修,,\n3,丙,t1,修,,已完成\n"
    for role in ("responsible", "viewer", "auditor"):
        refused(await load(world, table, by=await world.person(role, "root"), ledger=code), "forbidden")
    platform = await world.person("platform", "t1")
    report = ok(await load(world, table, by=platform, ledger=code))
    assert [codes(by_row(report)[row]) for row in (2, 3, 4)] == [[], ["forbidden"], ["forbidden"]]
    supervisor = await world.person("supervisor", "t1")
    report = ok(await load(world, table, by=supervisor, ledger=code))
    assert [by_row(report)[row]["status"] for row in (2, 3, 4)] == ["accepted", "refused", "accepted"]
    refused(await load(world, table, by=supervisor, ledger=code, unknown_units="create"), "forbidden")


async def test_a_ledger_of_its_owner_takes_no_imports_of_others(world):
    body = {"code": "owned", "name": "主管台账", "owner_unit_id": world.units["d1"], "listing": "owner"}
    ok(await world.admin.post("/v1/ledgers", json=body), 201)
    table = HEAD + "1,甲,t1v1,修,,\n"
    refused(await load(world, table, by=await world.person("supervisor", "t1"), ledger="owned"), "forbidden")
    assert ok(await load(world, table, ledger="owned"))["created"] == 1


async def test_new_units_hang_where_they_are_told_to(world):
    code = await ledger(world, "hang")
    table = HEAD + "1,甲,新村委会、一镇,修,,\n"
    report = ok(await load(world, table, ledger=code, unknown_units="create", parent="t2"))
    made = next(unit for unit in await every_page(world.admin, "/v1/units") if unit["name"] == "新村委会")
    assert (report["new_units"], made["parent_id"], made["level"]) == (["新村委会"], world.units["t2"], "other")
    item = (await items_of(world, code))[0]
    assert (item["responsible_unit_id"], item["co_unit_ids"]) == (made["id"], [world.units["t1"]])
    assert item["supervising_unit_id"] == world.units["t2"]
    answer = await load(world, table, ledger=code, unknown_units="create", parent="nowhere")
    refused(answer, "invalid_request", ("/query/parent", "unknown_reference"))


async def test_phrases_beside_a_unit_are_kept_as_they_are_written(world):
    code = await ledger(world, "phrases")
    ok(await load(world, "问题,责任单位,配合单位\n甲,县水利局（牵头）、一镇,各乡镇党委、政府，二镇\n", ledger=code))
    item = (await items_of(world, code))[0]
    assert item["responsible_unit_id"] == world.units["d1"]
    assert sorted(item["co_unit_ids"]) == sorted([world.units["t1"], world.units["t2"]])
    assert item["attributes"]["units_as_written"] == ["各乡镇党委", "政府"]


# -- the call


async def test_a_cell_of_co_units_that_says_none_refuses_no_row_and_makes_no_unit(world):
    code = await ledger(world, "none")
    marks = ("无", "—", "/", "暂无")
    table = "存在问题,责任单位,配合单位\n" + "".join(f"问题{mark},t1,{mark}\n" for mark in marks)
    report = ok(await load(world, table, ledger=code, unknown_units="create"))
    assert (report["created"], report["refused"]) == (len(marks), 0)
    assert all(item["co_unit_ids"] == [] for item in await items_of(world, code))
    assert not {unit["name"] for unit in await every_page(world.admin, "/v1/units")} & set(marks)


async def test_what_a_heading_means_may_be_said(world):
    code = await ledger(world, "mapped")
    table = "整治对象,现象,主责,办结要求\n甲,乙,t1,2027年6月底\n"
    refused(await load(world, table, ledger=code), "invalid_request", ("/file", "no_ledger_header"))
    report = ok(await load(world, table, ledger=code, column=["现象=problem", "主责=unit", "办结要求=deadline"]))
    assert report["mapping"] == {"整治对象": None, "现象": "problem", "主责": "unit", "办结要求": "deadline"}
    item = (await items_of(world, code))[0]
    assert (item["title"], item["deadline"]["due_on"]) == ("乙", "2027-06-30")
    assert item["attributes"] == {"columns": {"整治对象": "甲"}}
    bad = await load(world, table, ledger=code, column=["现象=nonsense"])
    refused(bad, "invalid_request", ("/query/column/0", "unknown_column"))


async def test_under_one_key_a_file_is_imported_once(world):
    code = await ledger(world, "key")
    table = HEAD + "1,甲,t1,修,,\n"
    first = await load(world, table, ledger=code, key="import-1")
    again = await load(world, table, ledger=code, key="import-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    refused(await load(world, table + "2,乙,t1,,,\n", ledger=code, key="import-1"), "idempotency_key_reused")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"\xff\xfe\x00\x01\x80\x81\xff", "unreadable"),
        ("a.xlsx", b"PK\x03\x04 no", "unreadable"),
        ("a.xlsx", b"PK\x03\x04" + b"\0" * 100, "unreadable"),
        ("a.csv", xlsx(s=[["a"]]), "wrong_extension"),
        ("a.xls", xlsx(s=[["a"]]), "wrong_extension"),
        ("a.xlsx", HEAD.encode(), "wrong_extension"),
        ("a.xlsm", xlsx(s=[["a"]]), "wrong_extension"),
        ("a.xls", b"<html><table></table></html>", "wrong_extension"),
        ("a.xlsx", archive({"s": sheet_xml("")}, {"xl/vbaProject.bin": b"x"}), "macros"),
        ("a.xlsx", archive({"s": sheet_xml("")}, {"xl/externalLinks/externalLink1.xml": b"<x/>"}), "external_links"),
        ("a.xlsx", archive({"s": f'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///x">]>{sheet_xml("")}'}), "entities"),
        ("a.xlsx", archive({"s": sheet_xml(" " * (64 << 20))}), "zip_bomb"),
        ("a.csv", b"a,b\n1,2\n", "no_ledger_header"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)  # fmt: skip
async def test_what_is_no_ledger_or_no_honest_file_is_refused(world, name, content, code):
    refused(await load(world, content, name), "invalid_request", ("/file", code))


async def test_words_are_tried_out_before_anything_is_imported(world):
    async def tried(text, **params):
        return await read(world.admin, "/v1/deadline-words", text=text, **params)

    found = await tried("2023年12月底前，并长期坚持")
    assert (found["kind"], found["due_on"], found["warnings"], found["errors"]) == ("date", "2023-12-31", [], [])
    found = await tried("三日内", listed_on="2024-03-29")
    assert (found["due_on"], found["counted"], found["reason"]) == ("2024-04-01", True, "relative")
    assert codes(await tried("12月底"), "warnings") == ["year_missing"]
    assert codes(await tried("2月30日")) == ["invalid_date"]
    assert (await tried("长期坚持"))["kind"] == "standing"
    refused(await world.admin.get("/v1/deadline-words", params={"text": "字" * 501}), "invalid_request")
