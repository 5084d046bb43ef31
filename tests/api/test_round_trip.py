"""What is exported and imported again is the same ledger: every cell that a clerk sees, of both layouts and formats."""

import csv
import io
import itertools
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.api.helpers import VERIFIED, day, ok
from tests.world import World

serial = itertools.count(1)

LOST = {"问题编号", "当前状态", "亮灯", "延期次数", "超期天数"}
"""What a ledger gives its items itself (the number) or follows from what happened to them (the rest)."""


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
    closed = await world.item(ledger=code, title="辛 已办结", due_on=day(45))
    ok(await world.fire(await world.person("responsible", "t1v1"), closed["id"], "claim", signed_by="张伟"))
    ok(await world.fire(world.admin, closed["id"], "close", verification=VERIFIED))
    return code


@pytest.mark.parametrize("format", ["xlsx", "csv"])
@pytest.mark.parametrize("layout", ["problems", "rectification"])
async def test_what_was_exported_comes_back(world: World, layout: str, format: str) -> None:
    content, before = await rows(world, await filled(world), layout, format)
    code = f"r{next(serial)}"
    ok(await world.admin.post("/v1/ledgers", json={"code": code, "name": "往返台账二"}), 201)
    answer = await world.admin.post(
        "/v1/imports", params={"ledger": code, "dry_run": "false"}, files={"file": (f"台账.{format}", content)}
    )
    report = ok(answer)
    assert (report["accepted"], report["refused"]) == (len(before), 0), report["rows"]
    _, after = await rows(world, code, layout, format)
    assert seen(after) == seen(before)
