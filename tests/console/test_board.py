"""Today's board: its numbers are what the lists behind them hold, they stop at a bound, and figures do not delay it."""

import re
from datetime import date, timedelta
from uuid import UUID

import pytest

from service.actions import figuring
from service.console import charts
from service.console.charts import Month
from service.workers import figures, sequencer
from tests.api.helpers import VERIFIED, day, ok, read, today
from tests.console.desk import Desk, Page

OPEN = ["open", "rectifying", "extended", "escalated"]
TILE = re.compile(r'data-tile="(\w+)"><span class="tile-num num">([^<]+)<')


def tiles(page: Page) -> dict[str, str]:
    return dict(TILE.findall(page.answer.text))


def lamps(page: Page) -> dict[str, str]:
    return dict(re.findall(r'lamp=(\w+)">.*?<span class="num">([^<]+)<', page.answer.text, re.DOTALL))


@pytest.fixture(scope="module")
async def county(world, people):
    boss = people.supervisor.api
    for days in (-8, -3, -1, 0, 1, 3, 6, 20, 60):
        item = await world.item(boss, due_on=day(days))
        if days == -1:
            ok(await world.fire(people.village.api, item["id"], "claim", signed_by="李明"))
            asked = {"kind": "closure", "summary": "完工"}
            ok(await people.village.api.post(f"/v1/items/{item['id']}/requests", json=asked), 201)
        elif days == 3:
            ok(await world.fire(boss, item["id"], "escalate", reason="未整改"))
    other = await world.item(boss, due_on=day(-2), responsible_unit="t2v1")
    ok(await world.fire(people.admin.api, other["id"], "claim", signed_by="张伟"))
    ok(await world.fire(boss, other["id"], "close", verification=VERIFIED))
    # A ledger with lamps of its own: the counts by lamp are then made ledger by ledger.
    policy = {"lamps": [{"lamp": "blue", "from_days": -10}, {"lamp": "red", "from_days": 1}]}
    body = {"code": "audit", "name": "审计整改", "policy": policy}
    ok(await people.admin.api.post("/v1/ledgers", json=body), 201)
    for days in (-5, 4, 90):
        await world.item(boss, ledger="audit", due_on=day(days), responsible_unit="t2v1")
    await sequencer.run_until_done(world.service)
    await figures.run_until_done(world.service)


async def held(seat, path: str, **params) -> int:
    answer = await read(seat.api, path, **{"limit": 200, **params})
    return len(answer["items"])


@pytest.mark.parametrize("who", ["supervisor", "town", "village", "viewer"])
async def test_every_number_is_what_its_list_holds(county, people, who):
    seat = getattr(people, who)
    page = await seat.desk.read("/console")
    sunday = today() + timedelta(days=6 - today().weekday())
    papers = (await read(seat.api, "/v1/notices", limit=200))["items"]
    expected = {
        "overdue": await held(seat, "/v1/items", overdue="true"),
        "due_this_week": await held(
            seat, "/v1/items", due_after=day(0), due_before=sunday.isoformat(),
            state=OPEN,
        ),
        "to_decide": await held(seat, "/v1/requests"),
        "interviews": await held(seat, "/v1/interviews", state=["pending", "scheduled"]),
        "receipts": sum(1 for each in papers if each["state"] == "issued" and not each["receipt"]
                        and each["kind"] != "reminder"),
        "drafts": sum(1 for each in papers if each["state"] == "draft"),
    }  # fmt: skip
    assert tiles(page) == {name: str(count) for name, count in expected.items()}
    assert expected["overdue"] > 0 and expected["to_decide"] == 1 and expected["interviews"] == 1
    for name, link in re.findall(r'href="/console(/items\?[^"]+)" data-tile="(\w+)"', page.answer.text):
        listed = await seat.desk.read("/console" + name.replace("&amp;", "&"))
        assert len(re.findall(r'class="cell-title"', listed.answer.text)) == expected[link]
    for lamp, count in lamps(page).items():
        assert int(count) == await held(seat, "/v1/items", lamp=lamp), lamp
    assert set(lamps(page)) == {"green", "yellow", "blue", "red"}


async def test_counts_stop_at_a_bound(county, people, monkeypatch):
    monkeypatch.setattr("service.actions.board.MOST", 3)
    monkeypatch.setattr("service.console.board.MOST", 3)
    page = await people.supervisor.desk.read("/console")
    assert tiles(page)["overdue"] == "2+" and tiles(page)["to_decide"] == "1"


async def test_the_table_of_units_says_what_the_statistics_say(county, people):
    page = await people.supervisor.desk.read("/console")
    told_by_unit = (await read(people.supervisor.api, "/v1/statistics", by="unit"))["rows"]
    figures_of = {row["name"]: row["figures"] for row in told_by_unit}
    rows = re.findall(r'<tr><th scope="row"><a [^>]*>([^<]+)</a>.*?</th>(.*?)</tr>', page.answer.text, re.DOTALL)
    found = {name: re.findall(r">([^<]+)</td>", cells) for name, cells in rows}
    assert set(found) == {"一镇", "二镇"}
    for name, cells in found.items():
        told = figures_of[name]
        assert cells[0] == str(told["overdue"]) and cells[2] == str(told["listed"]) and cells[3] == str(told["closed"])
    sunday = today() + timedelta(days=6 - today().weekday())
    due = {"due_after": day(0), "due_before": sunday.isoformat(), "state": OPEN}
    for name, code in (("一镇", "t1"), ("二镇", "t2")):
        assert found[name][1] == str(await held(people.supervisor, "/v1/items", unit=code, **due))


async def test_while_figures_are_counted_the_rest_is_there(world, county, people, monkeypatch):
    async def breaks_off(*_):
        raise InterruptedError

    tenant_id = UUID((await read(people.admin.api, "/v1/me"))["tenant_id"])
    with monkeypatch.context() as patch:
        patch.setattr(figuring, "catch_up", breaks_off)
        with pytest.raises(InterruptedError):
            await figuring.rebuild(world.service, tenant_id)
    page = await people.supervisor.desk.read("/console")
    assert page.status == 200 and tiles(page)["overdue"] != "0"
    # Instead of the table, and of the bars.
    assert page.text.count("统计正在更新") == 2 and 'class="heat"' not in page.answer.text
    await figures.run_until_done(world.service)
    assert "统计正在更新" not in (await people.supervisor.desk.read("/console")).text


async def test_where_there_are_too_many_units_the_board_says_so(county, people, monkeypatch):
    assert "单位太多" not in (await people.supervisor.desk.read("/console")).text
    monkeypatch.setattr("service.actions.board.MOST_UNITS", 3)
    page = await people.supervisor.desk.read("/console")
    # The county itself and two of its three towns are within the bound; of the last one no number is made up.
    assert "另有1个单位的本周到期数未计" in page.text
    rows = re.findall(r'<tr><th scope="row"><a [^>]*>([^<]+)</a>.*?</th>(.*?)</tr>', page.answer.text, re.DOTALL)
    due = {name: re.findall(r">([^<]+)</td>", cells)[1] for name, cells in rows}
    assert due["二镇"] == "—" and due["一镇"].isdigit()


async def test_somebody_without_grants_sees_an_empty_board(world):
    named = ok(await world.admin.post("/v1/principals", json={"name": "待授权", "kind": "person"}), 201)
    key = ok(await world.admin.post(f"/v1/principals/{named['id']}/keys", json={}), 201)["key"]
    desk = await Desk.of(world, key)
    for path in ("", "/items", "/overdue", "/requests", "/interviews", "/notices"):
        assert (await desk.read(f"/console{path}")).status == 200, path
    assert set(tiles(await desk.read("/console")).values()) == {"0"}


# -- what is drawn


@pytest.mark.parametrize(
    ("value", "most", "expected"), [(0, 9, 0), (1, 100, 1), (25, 100, 1), (26, 100, 2), (100, 100, 4), (5, 0, 0)]
)
def test_heat(value, most, expected):
    assert charts.level(value, most) == expected


@pytest.mark.parametrize("most", [0, 1, 4, 5, 9, 37, 100, 101, 999, 12_345, 1_000_000])
def test_bars_fit_their_grid(most):
    months = [Month(date(2026, month, 1), most, most // 2) for month in range(1, 13)]
    drawn = charts.trend(months)
    assert len(drawn.lines) == 5 and drawn.lines[-1][1] >= most and drawn.lines[-1][1] < max(20, most * 2.6)
    for group in drawn.groups:
        for bar in (group.listed, group.closed):
            assert drawn.left <= bar.x and bar.x + bar.width <= drawn.right + 0.2
            assert bar.y >= 0 and abs(bar.y + bar.height - drawn.base) < 0.2
    assert all(first.middle < second.middle for first, second in zip(drawn.groups, drawn.groups[1:], strict=False))


def test_parts_fill_their_bar():
    parts = charts.parts([("green", 5), ("yellow", 0), ("red", 15)])
    assert [(part.x, part.width) for part in parts] == [(0, 25), (25, 0), (25, 75)]
    assert [part.width for part in charts.parts([("green", 0)])] == [0]
