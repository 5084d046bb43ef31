"""Real ledgers over HTTP: each against what a careful clerk does with it."""

import json
from pathlib import Path

import pytest

from service.demo import desk
from tests.api.helpers import every_page, ok, read
from tests.api.importing import codes, items_of, ledger, load

CLERK = Path(__file__).resolve().parent.parent / "files" / "clerk"
REAL = sorted(desk.FILES.iterdir())

UNSAID = {"规定时限内", "规定时间内"}
"""The clerk of 04 warns of these words, the clerk of 09 does not; the service keeps to the rule of 04."""

STANDING = {"长期坚持", "持续推进", "从2017年开始,持续推进"}
IMMEDIATE = {
    "立行立改", "立行立改，长期坚持", "立行立改,长期坚持,巩固成效。", "立即整改", "即知即改", "当场整改",
    "责令立即改正",
}  # fmt: skip
TERMS = {"3日内", "三日内整改完毕", "2个月内", "24小时内", "收到通知之日起15个工作日内"}
"""They count from the day of listing, which no clerk could know."""

SEVERAL = {
    "县农业农村局、各乡镇": ("县农业农村局", "", "各乡镇"),
    "宣城市委、市政府": ("宣城市委", "市政府", ""),
    "草原局、应急管理局、市生态环境局分局": (
        "（地名隐去）自然资源局", "草原局 应急管理局 市生态环境局分局", "各乡（镇）党委 政府 管委会",
    ),
    "**区委、区政府": ("**区委", "区政府", ""),
    "省水利厅（牵头）、省发改委、省自然资源厅、省生态环境厅、省林业局、省能源局，襄阳市、宜昌市、黄石市、十堰市、荆门市、"
    "孝感市、黄冈市、咸宁市、随州市、恩施州、神农架林区党委和人民政府": (
        "省水利厅",
        "省发改委 省自然资源厅 省生态环境厅 省林业局 省能源局 襄阳市 宜昌市 黄石市 十堰市 荆门市 孝感市 黄冈市 咸宁市 "
        "随州市 恩施州 神农架林区党委和人民政府",
        "",
    ),
    "国网西藏电力有限公司、日喀则市人民政府": ("区水利厅", "国网西藏电力有限公司 日喀则市人民政府", ""),
    "自然保护区管理局、市生态环境局瓜州分局、县自然资源局": (
        "自然保护区管理局", "市生态环境局瓜州分局 县自然资源局", "",
    ),
}  # fmt: skip
"""Cells with more than one unit: who is responsible (the lead unit, if any), who takes part, and what is no unit."""


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


@pytest.mark.parametrize("file", REAL, ids=lambda path: path.name[:2])
async def test_a_real_ledger_is_imported_as_a_careful_clerk_imports_it(world, file):
    clerk = json.loads((CLERK / f"{file.name}.expected.json").read_text(encoding="utf-8"))
    code = await ledger(world, f"clerk{file.name[:2]}")
    report = ok(await load(world, file.read_bytes(), file.name, ledger=code, unknown_units="create"))
    named = {file.name if each["sheet"] == "csv" else each["sheet"] for each in clerk["import"]}
    rows = {(row["sheet"], row["row"]): row for row in report["rows"]}
    places = {(row["sheet"] if file.suffix == ".xlsx" else file.name, row["row"]) for row in clerk["import"]}
    assert {place for place, row in rows.items() if row["status"] == "accepted"} == places
    assert {name for name, _ in places} == named
    assert {
        (row["row"], each["code"]) for row in report["rows"] if row["status"] == "refused" for each in row["errors"]
    } == {(row["row"], row["code"]) for row in clerk["refuse"]}
    _is_passed_over(clerk, report)
    listed = {item["id"]: item for item in await items_of(world, code)}
    assert len(listed) == report["created"] == clerk["counts"]["import"]
    units = {unit["id"]: unit["name"] for unit in await every_page(world.admin, "/v1/units")}
    for expected in clerk["import"]:
        row = rows[expected["sheet"] if file.suffix == ".xlsx" else file.name, expected["row"]]
        assert codes(row, "warnings") == _warnings(expected, file), expected
        _is_as_the_clerk_has_it(listed[row["item"]], expected, units)
        told = (await read(world.admin, f"/v1/items/{row['item']}/progress"))["items"]
        said = expected["status_text"]
        assert [each["text"] for each in told] == ([said] if said and said not in ("是", "否") else []), expected


def _is_passed_over(clerk, report):
    passed = {(row["sheet"], row["row"]) for row in report["rows"] if row["status"] == "ignored"}
    skipped = {sheet["name"] for sheet in report["sheets"] if sheet["skipped"]}
    for each in clerk["ignore"]:
        first, _, last = each["rows"].partition("-")
        name = report["file"] if each["sheet"] == "csv" else each["sheet"]
        for row in range(int(first), int(last or first) + 1):
            assert name in skipped or (name, row) in passed, each


def _warnings(expected, file):
    """The clerk's words as the API's codes."""
    said = expected["warnings"]
    if file.name.startswith("09") and expected["deadline_text"] in UNSAID:
        said = [*said, "unspecified"]
    return [each if each in ("no_deadline", "year_missing") else "deadline_words" for each in said]


def _is_as_the_clerk_has_it(item, expected, units):
    assert item["description"] == (expected["problem"] if len(expected["problem"]) > 200 else None)
    assert item["title"] == expected["problem"][:200]
    assert item["measures"] == expected["measures"]
    assert item["responsible_person"] == expected["responsible_person"]
    assert item["attributes"]["source_no"] == expected["no"]
    assert item["attributes"].get("remark") == expected.get("remark")
    assert item["attributes"].get("accepting") == expected.get("accept_unit")
    if expected["deadline_text"] and "（" not in expected["deadline_text"] and ":" not in expected["deadline_text"]:
        assert item["deadline"]["text"] == expected["deadline_text"]
    if expected["deadline_date"] is not None:
        assert (item["deadline"]["kind"], item["deadline"]["due_on"]) == ("date", expected["deadline_date"])
    else:
        _has_no_day_of_its_own(item["deadline"], expected["deadline_text"])
    written = expected["responsible_unit"]
    responsible, beside, kept = SEVERAL.get(written, (written, "", ""))
    assert units[item["responsible_unit_id"]] == responsible
    assert [units[unit] for unit in item["co_unit_ids"]] == beside.split()
    assert item["attributes"].get("units_as_written", []) == kept.split()
    assert (item["state"] == "closed") == (expected["status_text"] == "是")


def _has_no_day_of_its_own(deadline, text):
    """Words that name no day: they mean something else, or the policy's limit counts."""
    if text in TERMS:
        assert (deadline["kind"], deadline["provisional"]) == ("date", False)
    elif text in STANDING or text in IMMEDIATE:
        assert deadline["kind"] == ("standing" if text in STANDING else "immediate")
    else:
        assert (deadline["kind"], deadline["provisional"]) == ("date", True), text
