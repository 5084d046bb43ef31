"""The ledger as a list: every filter finds what the API finds, pages follow one another, and bad ones are named."""

import re

import pytest

from tests.api.helpers import VERIFIED, day, ids, ok, read
from tests.console.desk import Page

LINK = re.compile(r"/console/items/([0-9a-f-]{36})$")


def shown(page: Page) -> list[str]:
    """The items of a list, in its order."""
    return [found[1] for link in page.links if (found := LINK.search(link))]


@pytest.fixture(scope="module")
async def ledger(world, people):
    """Items that differ in everything that can be filtered by."""
    ok(await people.admin.api.post("/v1/ledgers", json={"code": "other", "name": "另一台账"}), 201)
    boss = people.supervisor.api
    one = await world.item(
        boss, title="饮水管网漏损", severity="critical", due_on=day(-4), source={"kind": "petition"}, labels=["饮水"]
    )
    await world.item(boss, title="道路塌陷", severity="serious", due_on=day(1), responsible_unit="t2v1")
    await world.item(boss, title="校车超员", due_on=day(60), responsible_unit="t1", external_ref="EXT-7")
    shut = await world.item(boss, title="饮水水质浑浊", due_on=day(9))
    ok(await world.fire(people.village.api, shut["id"], "claim", signed_by="李明"))
    ok(await world.fire(boss, shut["id"], "close", verification=VERIFIED))
    ok(await world.fire(people.village.api, one["id"], "claim", signed_by="李明"))
    await world.item(boss, title="常态巡查", deadline={"kind": "standing"})


FILTERS = [
    {"state": ["open"]},
    {"state": ["rectifying", "closed"]},
    {"lamp": ["red"]},
    {"lamp": ["green", "yellow"]},
    {"severity": ["critical", "serious"]},
    {"source": ["petition"]},
    {"unit": ["t1"]},
    {"unit": ["t2v1"]},
    {"supervising_unit": ["root"]},
    {"ledger": ["default"]},
    {"overdue": ["true"]},
    {"overdue": ["false"]},
    {"label": ["饮水"]},
    {"external_ref": ["EXT-7"]},
    # Several of a kind, as links have them: the form sends all of them again.
    {"unit": ["t1", "t2v1"]},
    {"ledger": ["default", "other"]},
    {"label": ["饮水", "道路"]},
    {"external_ref": ["EXT-7", "EXT-" + "8" * 196]},
    {"due_after": [day(0)], "due_before": [day(9)]},
    {"due_before": [day(-1)]},
    {"q": ["饮水"]},
    {"q": ["饮水"], "state": ["closed"]},
    {"q": ["没有这样的问题"]},
    {"sort": ["-due_on"]},
    {"sort": ["-listed_at"]},
    {"sort": ["-updated_at"], "unit": ["t1"]},
]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
@pytest.mark.parametrize("who", ["supervisor", "village"])
async def test_a_filter_finds_what_the_api_finds(ledger, people, filters, who):
    if who == "village" and set(filters) & {"unit", "supervising_unit"}:
        filters = {"unit": ["t1v1"]}
    seat = getattr(people, who)
    page = await seat.desk.read("/console/items", **filters)
    assert page.status == 200
    assert shown(page) == await ids(seat.api, **filters)
    form = next(form for form in page.forms if form.method == "get")
    for name, values in filters.items():
        assert sorted(form.values[name]) == sorted(values), name


async def test_the_way_back_to_the_first_page_keeps_the_filters(ledger, people, monkeypatch):
    monkeypatch.setattr("service.console.items.PER_PAGE", 1)
    for asked in ("unit=t1&label=%E9%A5%AE%E6%B0%B4&label=none&sort=-due_on&state=open&state=rectifying", "q="):
        first = await people.supervisor.desk.read(f"/console/items?{asked}&overdue=")
        assert first.following or asked != "q="
        place = "2026-01-01~00000000-0000-7000-8000-000000000000"
        later = await people.supervisor.desk.read(f"/console/items?{asked}&after={place}")
        assert later.status == 200
        (back,) = [given["href"] for tag, given in later.tags if given.get("rel") == "first"]
        again = await people.supervisor.desk.read(back)
        assert shown(again) == shown(first)
        assert next(form for form in again.forms if form.method == "get").values == (
            next(form for form in first.forms if form.method == "get").values
        )


async def test_without_a_filter_there_is_what_is_open(ledger, people):
    page = await people.supervisor.desk.read("/console/items")
    assert shown(page) == await ids(people.supervisor.api, state=["open", "rectifying", "extended", "escalated"])
    everything = await people.supervisor.desk.read("/console/items", q="")
    assert set(shown(everything)) == set(await ids(people.supervisor.api)) > set(shown(page))


async def test_days_of_listing_are_the_tenant_s(ledger, people):
    today = await people.supervisor.desk.read("/console/items", listed_after=day(0), listed_before=day(0))
    assert set(shown(today)) == set(await ids(people.supervisor.api))
    assert shown(await people.supervisor.desk.read("/console/items", listed_after=day(1))) == []
    assert shown(await people.supervisor.desk.read("/console/items", listed_before=day(-1))) == []


async def test_a_unit_goes_by_its_name_too(ledger, people):
    by_name = await people.supervisor.desk.read("/console/items", unit="二镇一村")
    assert shown(by_name) == await ids(people.supervisor.api, unit="t2v1") != []


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"state": "wrong"}, {"状态"}),
        ({"severity": "<b>"}, {"严重程度"}),
        ({"due_after": "2026-02-30"}, {"期限自"}),
        ({"listed_before": "gestern"}, {"列入至"}),
        ({"unit": "t9"}, {"责任单位"}),
        ({"supervising_unit": "二镇" * 60}, {"督办单位"}),
        ({"ledger": "none"}, {"台账"}),
        ({"sort": "title"}, {"排序"}),
        ({"overdue": "maybe", "source": "x"}, {"是否超期", "问题来源"}),
        ({"q": "x\x00y"}, {"关键词"}),
        ({"after": "nowhere"}, {"页码位置"}),
        ({"after": "2026-01-01~x"}, {"页码位置"}),
    ],
)
async def test_a_bad_filter_is_named_and_finds_nothing(people, given, names):
    page = await people.supervisor.desk.read("/console/items", **given)
    assert page.status == 422 and "筛选条件有误" in page.text and shown(page) == []
    for name in names:
        assert f"{name}：" in page.text


async def test_a_unit_out_of_one_s_scope_is_no_unit(people):
    page = await people.village.desk.read("/console/items", unit="t2v1")
    assert page.status == 422 and "所指对象不存在或不在您的范围内" in page.text


async def test_pages_follow_one_another(world, people, monkeypatch):
    monkeypatch.setattr("service.console.items.PER_PAGE", 3)
    for sort in ("due_on", "-due_on", "-listed_at", "-updated_at"):
        page = await people.supervisor.desk.read("/console/items", sort=sort)
        found = shown(page)
        while page.following:
            page = await people.supervisor.desk.read(page.following)
            assert page.status == 200 and 1 <= len(shown(page)) <= 3
            found += shown(page)
        assert found == await ids(people.supervisor.api, sort=sort, limit=200), sort


async def test_other_lists_have_pages_too(world, people, monkeypatch):
    for room in ("inbox", "notices", "talks", "late"):
        monkeypatch.setattr(f"service.console.{room}.PER_PAGE", 2)
    for number in range(5):
        item = await world.item(due_on=day(-3 - number))
        asked = {"kind": "closure", "summary": "完工"}
        ok(await world.fire(people.village.api, item["id"], "claim", signed_by="李明"))
        ok(await people.village.api.post(f"/v1/items/{item['id']}/requests", json=asked), 201)
        paper = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]]}
        ok(await people.supervisor.api.post("/v1/notices", json=paper), 201)
        ok(await world.fire(people.supervisor.api, item["id"], "escalate", reason="未整改"))
    for path, place in (
        ("/requests", "requests"),
        ("/notices", "notices"),
        ("/interviews", "interviews"),
        ("/overdue", "overdue"),
        ("/overdue?kind=item", "overdue"),
    ):
        pattern = re.compile(r"/console/(items|requests|notices|interviews)/([0-9a-f-]{36})$")
        page = await people.supervisor.desk.read(f"/console{path}")
        found = [each[2] for link in page.links if (each := pattern.search(link))]
        while page.following:
            page = await people.supervisor.desk.read(page.following)
            assert page.status == 200
            found += [each[2] for link in page.links if (each := pattern.search(link))]
        assert len(found) == len(set(found))
        every = (await read(people.supervisor.api, f"/v1/{place}", limit=200))["items"]
        if "kind=item" in path:
            every = [each for each in every if each["kind"] == "item"]
        if place == "interviews":
            every = [each for each in every if each["state"] in ("pending", "scheduled")]
        assert found == [each["id"] for each in every], path
