"""What is exported and imported again is the same ledger: every cell that a clerk sees, of both layouts and formats."""

import csv
import io
import itertools
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from service.workflow.ledger_lines import problem
from tests.api.helpers import VERIFIED, day, every_page, ok
from tests.world import World

serial = itertools.count(1)

LOST = {"问题编号", "当前状态", "亮灯", "延期次数", "超期天数"}
"""What a ledger gives its items itself (the number) or follows from what happened to them (the rest)."""

WATCHED, ANNULLED = "癸 督办", "子 作废"
"""With a supervising unit of its own, which is kept beside; and what is passed over."""


async def rows(world: World, ledger: str, layout: str, format: str) -> tuple[bytes, list[dict[str, Any]]]:
    asked = {"ledger": ledger, "layout": layout, "sort": "due_on"}
    answer = await world.admin.get(f"/v1/exports/items.{format}", params=asked)
    assert answer.status_code == 200, answer.text
    if format == "csv":
        found = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        return answer.content, [dict(row) for row in found]
    table = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    headings = [below or above for above, below in zip(table[2], table[3], strict=True)]
    return answer.content, [dict(zip(headings, row, strict=True)) for row in table[4:-1]]


def seen(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what no import can bring back, and in the order of the problems: equal days stand in the order of ids."""
    kept = [{name: cell for name, cell in row.items() if name not in LOST | {"序号"}} for row in found]
    return sorted(kept, key=lambda row: str(row["存在问题"]))


async def filled(world: World) -> str:
    """A ledger with what makes a difference in its cells."""
    code = f"r{next(serial)}"
    ok(await world.admin.post("/v1/ledgers", json={"code": code, "name": "往返台账"}), 201)
    given: list[dict[str, Any]] = [
        {"title": "甲 饮水管网漏损", "due_on": day(40), "responsible_person": "张伟", "goal": "供水正常"},
        {"title": "乙 标题", "description": "乙 一组缺水\n乙 二组缺水", "due_on": day(41), "co_units": ["d1", "t2"]},
        {"title": "=丙+1", "measures": "@SUM(A1)\n-2", "responsible_person": "+86", "due_on": day(42)},
        {"title": "丁 立行", "deadline": {"kind": "immediate"}, "found_on": "2026-01-05", "category": "饮水安全"},
        {"title": "戊 长期", "deadline": {"kind": "standing"}, "severity": "serious"},
        {"title": "己 <r><t>x</t></r> & \"引号\", 逗号", "due_on": day(43), "responsible_unit": "t2v1"},
        {"title": "庚 来源", "source": {"kind": "inspection"}, "due_on": day(44), "severity": "critical"},
    ]  # fmt: skip
    for each in given:
        await world.item(**{"ledger": code, **each})
    village = await world.person("responsible", "t1v1")
    closed = await world.item(ledger=code, title="辛 已办结", due_on=day(45))
    ok(await world.fire(village, closed["id"], "claim", signed_by="张伟"))
    await _report(village, closed, "主管已换新，二组恢复供水")
    ok(await world.fire(world.admin, closed["id"], "close", verification=VERIFIED))
    extended = await world.item(ledger=code, title="壬 延期", due_on=day(20))
    ok(await world.fire(village, extended["id"], "claim", signed_by="张伟"))
    await _report(village, extended, "已进场\n完成一半")
    ok(await world.fire(world.admin, extended["id"], "extend", due_on=day(46), reason="汛期无法施工"))
    await world.item(ledger=code, title=WATCHED, due_on=day(47), supervising_unit="d1")
    annulled = await world.item(ledger=code, title=ANNULLED, due_on=day(48))
    ok(await world.fire(world.admin, annulled["id"], "annul", reason="经核实不属实"))
    return code


async def _report(by: httpx.AsyncClient, item: dict[str, Any], text: str) -> None:
    ok(await by.post(f"/v1/items/{item['id']}/progress", json={"text": text}), 201)


async def _import(world: World, code: str, content: bytes, format: str, **params: str) -> dict[str, Any]:
    asked = {"ledger": code, **params}
    found = await world.admin.post("/v1/imports", params=asked, files={"file": (f"台账.{format}", content)})
    return ok(found)  # type: ignore[no-any-return]


@pytest.mark.parametrize("format", ["xlsx", "csv"])
@pytest.mark.parametrize("layout", ["problems", "rectification"])
async def test_what_was_exported_comes_back(world: World, layout: str, format: str) -> None:
    content, before = await rows(world, await filled(world), layout, format)
    code = f"r{next(serial)}"
    ok(await world.admin.post("/v1/ledgers", json={"code": code, "name": "往返台账二"}), 201)
    report = await _import(world, code, content, format)
    assert (report["accepted"], report["refused"]) == (len(before) - 1, 0), report["rows"]
    _, after = await rows(world, code, layout, format)
    kept = {row["存在问题"]: row for row in seen(before)}
    del kept[ANNULLED]
    if layout == "rectification":
        assert kept[WATCHED]["督办单位"] == "县水利局"
        kept[WATCHED]["督办单位"] = "一镇"
    assert seen(after) == list(kept.values())
    _knows_what_it_was(
        await every_page(world.admin, "/v1/items", ledger=code),
        {row["存在问题"].removeprefix("'"): row for row in before},
    )


def _knows_what_it_was(items: list[dict[str, Any]], before: dict[str, dict[str, Any]]) -> None:
    """The number in the ledger that it comes from, who watched over it there, and nothing that was true there only."""
    for item in items:
        kept = dict(item["attributes"])
        row = before[problem(item["title"], item["description"])]
        assert kept.pop("source_no") == row["问题编号"]
        assert kept.pop("supervising", None) == (row.get("督办单位") or None)
        assert not kept, item["title"]


@pytest.mark.parametrize("format", ["xlsx", "csv"])
async def test_an_annulled_item_is_passed_over(world: World, format: str) -> None:
    """A row cannot say that it was annulled: it would be listed anew as open."""
    code = await filled(world)
    content, before = await rows(world, code, "problems", format)
    report = await _import(world, code, content, format, dry_run="true")
    ignored = [row for row in report["rows"] if row["reason"] == "annulled"]
    at = next(place for place, row in enumerate(before) if row["存在问题"] == ANNULLED)
    assert [row["row"] for row in ignored] == [at + (5 if format == "xlsx" else 2)]
    assert report["sheets"][0]["accepted"] == len(before) - 1


@pytest.mark.parametrize("format", ["xlsx", "csv"])
@pytest.mark.parametrize("layout", ["problems", "rectification"])
async def test_an_export_brings_its_own_ledger_nothing_twice(world: World, layout: str, format: str) -> None:
    code = await filled(world)
    content, before = await rows(world, code, layout, format)
    listed = {item["number"]: item for item in await every_page(world.admin, "/v1/items", ledger=code)}
    report = await _import(world, code, content, format, changed_rows="update")
    assert (report["created"], report["unchanged"], report["updated"]) == (0, len(before) - 1, 0)
    assert {row["item"] for row in report["rows"] if row["status"] == "accepted"} == {
        item["id"] for item in listed.values() if item["title"] != ANNULLED
    }
    assert {item["number"]: item for item in await every_page(world.admin, "/v1/items", ledger=code)} == listed


async def test_a_number_with_another_problem_is_another_item(world: World) -> None:
    code = await filled(world)
    number = (await every_page(world.admin, "/v1/items", ledger=code))[0]["number"]
    table = f"编号,存在问题,责任单位\n{number},癸 另一个问题,t1v1\n"
    assert (await _import(world, code, table.encode(), "csv"))["created"] == 1
