"""Exports: the items of the list in its order, as workbook and as CSV, and nothing that is not for the reader."""

import csv
import io
import itertools
from datetime import date
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from service.actions import exporting
from service.api import exports
from service.workflow.cells import unguarded
from tests.api.calls import regrant
from tests.api.helpers import NOBODY, VERIFIED, day, every_page, ids, ok, read, refused
from tests.world import World

serial = itertools.count(1)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CONTACT = "刘大娘 13800000000"


def fresh() -> str:
    return f"导出{next(serial)}"


async def table(client: httpx.AsyncClient, **params: Any) -> list[dict[str, str]]:
    """The rows of a CSV, by their headings."""
    answer = await client.get("/v1/exports/items.csv", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf"), "without it a spreadsheet takes the file for another encoding"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def sheet(client: httpx.AsyncClient, **params: Any) -> list[list[Any]]:
    answer = await client.get("/v1/exports/items.xlsx", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == XLSX
    assert int(answer.headers["content-length"]) == len(answer.content)
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    return book.get_sheet_by_index(0).to_python()


async def numbers(client: httpx.AsyncClient, **params: Any) -> list[str]:
    return [row["问题编号"] for row in await table(client, **params)]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every export goes over several."""
    monkeypatch.setattr(exporting, "PAGE", 3)


async def test_both_have_the_items_of_the_list_in_its_order(world: World) -> None:
    label = fresh()
    for offset in (9, -3, 4, 4, 30, -8, 2):
        await world.item(labels=[label], due_on=day(offset))
    await world.item(labels=[label], deadline={"kind": "standing"})
    for sort in ("due_on", "-due_on", "-listed_at", "-updated_at"):
        listed = [row["number"] for row in await every_page(world.admin, "/v1/items", label=label, sort=sort)]
        assert await numbers(world.admin, label=label, sort=sort) == listed
        rows = await sheet(world.admin, label=label, sort=sort)
        assert [row[1] for row in rows[4:-1]] == listed
        assert [row[0] for row in rows[4:-1]] == [float(place) for place in range(1, 9)]
        assert rows[-1][:3] == ["合计", "", "共 8 项"]


@pytest.mark.parametrize(
    "asked",
    [
        {"overdue": "true"},
        {"state": "open", "severity": "serious"},
        {"lamp": "red"},
        {"q": "石桥"},
        {"unit": "t1"},
        {"due_before": day(1)},
        {"ledger": "default", "source": "opinion"},
        {"external_ref": "没有这样的编号"},
    ],
    ids=str,
)
async def test_it_is_narrowed_as_the_list_is(world: World, asked: dict[str, str]) -> None:
    if not await ids(world.admin, label="筛"):
        for offset, unit in itertools.product((-2, 1, 5), ("t1v1", "t2v1")):
            more = {"severity": "serious"} if offset == 1 else {"source": {"kind": "opinion"}, "title": "石桥塌了一角"}
            await world.item(labels=["筛"], due_on=day(offset), responsible_unit=unit, **more)
    listed = [row["number"] for row in await every_page(world.admin, "/v1/items", label="筛", **asked)]
    assert await numbers(world.admin, label="筛", **asked) == listed
    assert ("external_ref" in asked) == (listed == [])
    rows = await sheet(world.admin, label="筛", **asked)
    assert [row[1] for row in rows[4:-1]] == listed


async def test_a_line_says_what_the_item_says(world: World) -> None:
    label = fresh()
    item = await world.item(
        labels=[label], title="饮水管网漏损", description="一组\n二组", category="饮水", severity="critical",
        source={"kind": "opinion", "ref": "意见3", "contact": CONTACT}, responsible_person="张伟", goal="供水正常",
        measures="更换管道", found_on="2026-01-05", due_on=day(2), co_units=["d1", "t2"],
    )  # fmt: skip
    responsible = await world.person("responsible", "t1v1")
    ok(await world.fire(responsible, item["id"], "claim", signed_by="张伟"))
    for text in ("已开工", "已更换主管道"):
        ok(await responsible.post(f"/v1/items/{item['id']}/progress", json={"text": text}), 201)
    (row,) = await table(world.admin, label=label)
    assert row == {
        "序号": "1", "问题编号": item["number"], "存在问题": "饮水管网漏损\n一组\n二组",
        "问题来源": "群众意见（意见3）", "责任单位": "一镇一村", "配合单位": "县水利局、二镇", "督办单位": "一镇",
        "责任人": "张伟", "整改目标": "供水正常", "整改措施": "更换管道", "整改时限": day(2), "到期日": day(2),
        "完成情况": "已更换主管道", "当前状态": "整改中", "延期次数": "0", "超期天数": "", "亮灯": "黄灯",
        "是否销号": "否", "销号日期": "",
    }  # fmt: skip
    (row,) = await table(world.admin, label=label, layout="problems")
    assert (row["问题类别"], row["严重程度"], row["发现日期"]) == ("饮水", "重大", "2026-01-05")
    rows = await sheet(world.admin, label=label, layout="problems")
    assert rows[0][0] == "测试县存在问题台账" and "制表日期" in rows[1][0]
    assert date(2026, 1, 5) in rows[4] and date.fromisoformat(day(2)) in rows[4]
    ok(await world.fire(world.admin, item["id"], "close", verification=VERIFIED))
    (row,) = await table(world.admin, label=label)
    assert (row["是否销号"], row["销号日期"], row["亮灯"], row["当前状态"]) == ("是", day(0), "", "已销号")


async def test_everyone_gets_what_they_see_and_nobody_who_complained(world: World) -> None:
    label = fresh()
    contact = {"source": {"kind": "petition", "contact": CONTACT}}
    for unit in ("t1v1", "t1v1", "t1v2", "t2v1", "d1"):
        await world.item(labels=[label], responsible_unit=unit, **contact)
    for unit, expected in (("root", 5), ("t1", 3), ("t1v1", 2), ("t2", 1)):
        for role in ("supervisor", "responsible", "platform", "viewer"):
            client = await world.person(role, unit)
            answer = await client.get("/v1/exports/items.csv", params={"label": label})
            assert answer.text.count("\r\n") == expected + 1, (role, unit)
            assert not [word for word in ("刘大娘", "13800000000") if word in answer.text]
    found = await sheet(world.admin, label=label)
    assert len(found) == 4 + 5 + 1 and "刘大娘" not in str(found)


async def test_whose_ledger_it_is_stands_in_its_title(world: World) -> None:
    town = await world.person("viewer", "t1")
    assert (await sheet(town))[0][0] == "一镇问题整改台账"
    assert (await sheet(world.admin, unit="t2"))[0][0] == "二镇问题整改台账"
    answer = await world.admin.get("/v1/exports/items.csv", params={"unit": "t2", "layout": "problems"})
    assert "filename*=UTF-8''%E4%BA%8C%E9%95%87" in answer.headers["content-disposition"]


async def test_what_a_spreadsheet_could_run_is_text(world: World) -> None:
    label, wicked = (
        fresh(),
        ["=1+1", "@SUM(A1)", "+86", "-1", "=cmd|' /C calc'!A0", "'=2", "<r><t>x</t></r>", "<r></b></r>"],
    )
    for title in wicked:
        await world.item(labels=[label], title=title, measures=title, responsible_person=title)
    rows = await table(world.admin, label=label, sort="-listed_at")
    for column in ("存在问题", "整改措施", "责任人"):
        assert all(row[column][:1] not in "=+-@" for row in rows)
        assert [unguarded(row[column]) for row in rows] == wicked[::-1]
    found = await sheet(world.admin, label=label, sort="-listed_at")
    assert [row[2] for row in found[4:-1]] == wicked[::-1]


async def test_a_search_that_did_not_look_everywhere_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.actions import items

    label, page = fresh(), items.page
    await world.item(labels=[label])

    async def cut(*given: Any) -> Any:
        found = await page(*given)
        found_so = items.ItemPage(found.items, found.next, found.total, truncated=True)
        return found_so

    assert "注" not in (await sheet(world.admin, label=label, q="饮水"))[-1][0]
    monkeypatch.setattr(items, "page", cut)
    assert (await sheet(world.admin, label=label, q="饮水"))[-1][0] == exporting.CUT_SEARCH
    assert (await table(world.admin, label=label, q="饮水"))[-1]["序号"] == exporting.CUT_SEARCH


@pytest.mark.parametrize("name", ["items.xlsx", "items.csv"])
async def test_what_can_be_refused_is_refused_before_anything_is_sent(world: World, name: str) -> None:
    path = f"/v1/exports/{name}"
    for asked, error in (
        ({"unit": NOBODY}, ("/query/unit", "unknown_reference")),
        ({"ledger": "nowhere"}, ("/query/ledger", "unknown_reference")),
        ({"layout": "fancy"}, ("/query/layout", "not_allowed")),
        ({"limit": "5"}, ("/query/limit", "unknown_parameter")),
        ({"include": "total"}, ("/query/include", "unknown_parameter")),
        ({"q": "　"}, ("/query/q", "too_short")),
    ):
        refused(await world.admin.get(path, params=asked), "invalid_request", error)
    refused(await world.with_key(None).get(path), "unauthenticated")
    town = await world.person("viewer", "t1")
    refused(await town.get(path, params={"unit": "t2"}), "invalid_request", ("/query/unit", "unknown_reference"))


async def test_who_has_no_grant_gets_an_empty_table(world: World) -> None:
    await world.item()
    caller = await world.person("viewer", "t1")
    await regrant(world, caller)
    assert await table(caller) == []
    rows = await sheet(caller)
    assert rows[-1][:3] == ["合计", "", "共 0 项"] and len(rows) == 5


@pytest.mark.parametrize("name", ["items.xlsx", "items.csv"])
async def test_an_export_whose_caller_is_let_in_no_more_breaks_off(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Between two pages the key is gone: nothing that looks like a whole table is sent."""
    label = fresh()
    for _ in range(7):
        await world.item(labels=[label])
    caller = await world.person("viewer", "root")
    monkeypatch.setattr(exports, "RECHECK_SECONDS", 0.0)
    page, reads = exporting.Export._page, itertools.count()

    async def slow(self: Any, views: Any) -> Any:
        if next(reads) == 1:
            me = await read(caller, "/v1/me")
            (key,) = await every_page(world.admin, f"/v1/principals/{me['principal_id']}/keys")
            ended = await world.admin.delete(f"/v1/principals/{me['principal_id']}/keys/{key['id']}")
            assert ended.status_code == 204
            world.app.state.doorkeeper.forget_everyone()
        return await page(self, views)

    monkeypatch.setattr(exporting.Export, "_page", slow)
    if name == "items.xlsx":
        refused(await caller.get(f"/v1/exports/{name}", params={"label": label}), "unauthenticated")
    else:
        answer = await caller.get(f"/v1/exports/{name}", params={"label": label})
        assert answer.text.count("\r\n") < 8, "no more than the pages that were read before"


async def test_a_grant_that_ends_meanwhile_narrows_what_is_still_to_come(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = fresh()
    for offset in range(1, 10):
        await world.item(labels=[label], due_on=day(offset), responsible_unit="t2v1" if offset > 6 else "t1v1")
    caller = await world.person("viewer", "root")
    monkeypatch.setattr(exports, "RECHECK_SECONDS", 0.0)
    page, reads = exporting.Export._page, itertools.count()

    async def slow(self: Any, views: Any) -> Any:
        if next(reads) == 0:
            await regrant(world, caller, "viewer", "t1")
        return await page(self, views)

    monkeypatch.setattr(exporting.Export, "_page", slow)
    found = await table(caller, label=label)
    assert [row["责任单位"] for row in found] == ["一镇一村"] * 6


async def test_a_disk_without_room_is_unavailable(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(world.service.scratch, "directory", tmp_path / "file" / "below")
    refused(await world.admin.get("/v1/exports/items.xlsx"), "unavailable")
    assert await table(world.admin, external_ref="nothing") == []


async def test_nothing_stays_on_the_disk(world: World) -> None:
    await sheet(world.admin, external_ref="nothing")
    assert list(world.service.scratch.directory.iterdir()) == []
