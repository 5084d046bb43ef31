"""Lists of items: whose they are, what they are narrowed to, how they are sorted, paged and searched."""

import asyncio
import base64
import itertools
import json
from uuid import UUID

import pytest

from service.store import items, list_statements, worklist
from service.store.database import Changes
from service.workflow.items import NEVER
from service.workflow.scopes import Scope
from tests.api.helpers import NOBODY, day, every_page, ids, match, ok, read, refused

serial = itertools.count(1)


def fresh() -> str:
    """A label that no other item of this module has."""
    return f"列表{next(serial)}"


async def labelled(world, label, *given):
    """Items with `label`, one for each of the bodies, and their ids."""
    return [(await world.item(labels=[label], **each))["id"] for each in given]


# -- whose


async def test_everyone_sees_what_lies_at_or_below_a_grant_and_nothing_else(world):
    label = fresh()
    in_t1v1, in_t1v2, in_t2v1, of_d1 = await labelled(
        world, label, {}, {"responsible_unit": "t1v2"}, {"responsible_unit": "t2v1"},
        {"responsible_unit": "t2v1", "supervising_unit": "d1", "co_units": ["t1v2"]},
    )  # fmt: skip
    seen = {
        "t1v1": {in_t1v1}, "t1v2": {in_t1v2, of_d1}, "t1": {in_t1v1, in_t1v2, of_d1}, "t2": {in_t2v1, of_d1},
        "t2v1": {in_t2v1, of_d1}, "d1": {of_d1}, "root": {in_t1v1, in_t1v2, in_t2v1, of_d1},
    }  # fmt: skip
    for unit, expected in seen.items():
        client = await world.person("viewer", unit)
        for sort in ("due_on", "-due_on", "-listed_at", "-updated_at"):
            rows = await ids(client, label=label, sort=sort)
            assert len(rows) == len(expected) and set(rows) == expected, (unit, sort)


async def test_an_item_seen_through_two_grants_stands_once(world):
    label = fresh()
    made = set(await labelled(world, label, {"co_units": ["t2v1"]}, {"responsible_unit": "t2v1"}, {}))
    client = await two_grants(world)
    for sort in ("due_on", "-due_on", "-listed_at", "-updated_at"):
        rows = [row["id"] for row in await every_page(client, "/v1/items", label=label, sort=sort, limit=1)]
        assert len(rows) == len(made) and set(rows) == made, sort
    page = await read(client, "/v1/items", label=label, include="total")
    assert page["total"] == 3


async def two_grants(world):
    """A viewer over the town t1 and the village t2v1."""
    client = await world.person("viewer", "t1")
    me = await read(client, "/v1/me")
    given = await world.admin.post(
        f"/v1/principals/{me['principal_id']}/grants", json={"role": "viewer", "unit": "t2v1"}
    )
    assert given.status_code == 201, given.text
    world.app.state.doorkeeper.forget_everyone()
    assert len((await read(client, "/v1/me"))["grants"]) == 2
    return client


# -- narrowed to what


@pytest.fixture(scope="module")
async def varied(world):
    """Items that differ in everything a filter asks for, by a name each; all bear the label 杂."""
    ok(await world.admin.post("/v1/ledgers", json={"code": "filters", "name": "筛选台账"}), 201)
    common = {"labels": ["杂"]}
    made = {
        "plain": await world.item(due_on=day(40), **common),
        "serious": await world.item(due_on=day(41), severity="serious", labels=["杂", "饮水", "甲"]),
        "critical": await world.item(due_on=day(42), severity="critical", labels=["杂", "道路", "乙"]),
        "opinion": await world.item(due_on=day(43), source={"kind": "opinion"}, **common),
        "petition": await world.item(due_on=day(44), source={"kind": "petition"}, **common),
        "ledger": await world.item(due_on=day(45), ledger="filters", external_ref="F-1", **common),
        "t1": await world.item(due_on=day(46), responsible_unit="t1", **common),
        "t2v1": await world.item(due_on=day(47), responsible_unit="t2v1", **common),
        "d1": await world.item(due_on=day(48), supervising_unit="d1", **common),
        "old": await world.item(due_on="2025-02-05", listed_at="2025-01-06T00:00:00Z", external_ref="F-2", **common),
        "today": await world.item(due_on=day(0), **common),
        "yesterday": await world.item(due_on=day(-1), **common),
        "standing": await world.item(deadline={"kind": "standing"}, **common),
        "claimed": await world.item(due_on=day(49), **common),
        "closed": await world.item(
            due_on="2025-02-05", listed_at="2025-01-07T00:00:00Z", closed={"on": "2025-01-20"}, **common
        ),
    }
    ok(await world.fire(world.admin, made["claimed"]["id"], "claim", signed_by="张三"))
    return {name: item["id"] for name, item in made.items()}


LATE = {"old", "yesterday"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"state": "rectifying"}, {"claimed"}),
        ({"state": "closed"}, {"closed"}),
        ({"state": ["rectifying", "closed"]}, {"claimed", "closed"}),
        ({"ledger": "filters"}, {"ledger"}),
        ({"unit": "t2"}, {"t2v1"}),
        ({"unit": "d1"}, set()),
        ({"unit": ["t2", "t2v1"]}, {"t2v1"}),
        ({"supervising_unit": "d1"}, {"d1"}),
        ({"supervising_unit": ["d1", "t2", "root"]}, {"d1", "t2v1", "t1"}),
        ({"severity": "serious"}, {"serious"}),
        ({"severity": ["serious", "critical"]}, {"serious", "critical"}),
        ({"source": "opinion"}, {"opinion"}),
        ({"source": ["opinion", "petition"]}, {"opinion", "petition"}),
        ({"label": "饮水"}, {"serious"}),
        ({"label": ["饮水", "道路"]}, {"serious", "critical"}),
        ({"external_ref": "F-1"}, {"ledger"}),
        ({"external_ref": ["F-1", "F-2", "F-3"]}, {"ledger", "old"}),
        ({"overdue": "true"}, LATE),
        ({"overdue": "true", "state": "closed"}, set()),
        ({"overdue": "false", "state": "closed"}, {"closed"}),
        ({"lamp": "red"}, LATE),
        ({"lamp": "yellow"}, {"today"}),
        ({"lamp": ["red", "yellow"]}, {*LATE, "today"}),
        ({"lamp": "violet"}, set()),
        ({"due_before": "2025-02-05"}, {"old", "closed"}),
        ({"due_before": "2025-02-04"}, set()),
        ({"due_after": day(48), "due_before": day(49)}, {"d1", "claimed"}),
        ({"listed_before": "2025-01-07T00:00:00Z"}, {"old"}),
        ({"listed_after": "2025-01-06T00:00:00Z", "listed_before": "2025-02-01T00:00:00Z"}, {"old", "closed"}),
        ({"listed_before": "2025-01-07T08:00:00+08:00"}, {"old"}),
        ({"severity": "serious", "label": "甲", "unit": "t1", "state": "open", "lamp": "green"}, {"serious"}),
        ({"severity": "serious", "label": "乙"}, set()),
    ],
)
async def test_a_filter_finds_what_it_names_under_every_sort(world, varied, asked, found):
    if "label" not in asked:
        asked = {**asked, "q": "饮水管网"} if "ledger" in asked else asked
    names = {item_id: name for name, item_id in varied.items()}
    for sort in ("due_on", "-due_on", "-listed_at", "-updated_at"):
        rows = await every_page(world.admin, "/v1/items", sort=sort, limit=7, **asked)
        assert {names[row["id"]] for row in rows if row["id"] in names} == found, sort
        page = await read(world.admin, "/v1/items", sort=sort, limit=1, include="total", **asked)
        assert page["total"] == len(rows)


async def test_what_is_not_overdue_is_everything_else(world, varied):
    late = {row["id"] for row in await every_page(world.admin, "/v1/items", label="杂", overdue="true")}
    rest = {row["id"] for row in await every_page(world.admin, "/v1/items", label="杂", overdue="false")}
    assert late == {varied[name] for name in LATE} and late | rest == set(varied.values()) and not late & rest


async def test_ids_serve_as_well_as_codes(world, varied):
    for name, code in (("unit", "t2"), ("supervising_unit", "d1")):
        by_code = await ids(world.admin, **{name: code}, label="杂")
        assert await ids(world.admin, **{name: world.units[code]}, label="杂") == by_code != []


@pytest.mark.parametrize("name", ["unit", "supervising_unit", "ledger"])
async def test_what_is_unknown_or_out_of_scope_looks_the_same(world, name):
    town = await world.person("viewer", "t1")
    answers = [await town.get("/v1/items", params={name: value}) for value in ("nowhere", NOBODY)]
    if name != "ledger":
        answers += [await town.get("/v1/items", params={name: value}) for value in ("t2", world.units["t2"], "root")]
    for answer in answers:
        refused(answer, "invalid_request", (f"/query/{name}", "unknown_reference"))


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"state": "asleep"}, "/query/state/0"),
        ({"state": ["open", "asleep"]}, "/query/state/1"),
        ({"severity": "fatal"}, "/query/severity/0"),
        ({"overdue": "perhaps"}, "/query/overdue"),
        ({"due_before": "tomorrow"}, "/query/due_before"),
        ({"due_after": "2026-02-30"}, "/query/due_after"),
        ({"listed_after": "2026-01-05"}, "/query/listed_after"),
        ({"sort": "title"}, "/query/sort"),
        ({"include": "everything"}, "/query/include/0"),
        ({"q": ""}, "/query/q"),
        ({"q": "长" * 101}, "/query/q"),
        ({"cursor": "x" * 501}, "/query/cursor"),
    ],
)
async def test_a_filter_that_is_none_is_pointed_at(world, asked, pointer):
    problem = refused(await world.admin.get("/v1/items", params=asked), "invalid_request")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_total_and_allowed_triggers_come_only_when_asked_for(world):
    label = fresh()
    await labelled(world, label, {}, {})
    page = await read(world.admin, "/v1/items", label=label)
    assert page.keys() == {"items", "next_cursor"}
    assert all(row["allowed_triggers"] is None for row in page["items"])
    page = await read(world.admin, "/v1/items", label=label, include=["total", "allowed_triggers"])
    assert page["total"] == 2
    for row in page["items"]:
        assert row == await read(world.admin, f"/v1/items/{row['id']}")


# -- in which order, page by page


SORTS = ("due_on", "-due_on", "-listed_at", "-updated_at")
DUE = (3, 1, 5, 2, 1, 5, -4, 2, 1, 5, 9)


@pytest.fixture(scope="module")
async def many(world):
    return await to_page(world, "分页")


async def to_page(world, label):
    """Items with equal and different deadlines and listing times, under one label."""
    bodies = [
        {"labels": [label], "due_on": day(due), "listed_at": f"2026-01-{5 + n % 3:02}T00:00:00Z"}
        for n, due in enumerate(DUE)
    ]
    given = [{"ledger": "default", "title": "分页", "responsible_unit": "t1v1", **body} for body in bodies]
    made = ok(await world.admin.post("/v1/items/batch", json={"items": given}), 201)["items"]
    return [item["id"] for item in made]


@pytest.mark.parametrize("sort", SORTS)
async def test_a_list_is_sorted_by_what_was_asked_and_by_id_within(world, many, sort):
    rows = await every_page(world.admin, "/v1/items", label="分页", sort=sort, limit=200)
    own = [row for row in rows if row["id"] in many]

    def place(row):
        value = row["deadline"]["due_on"] if "due_on" in sort else row[sort[1:]]
        return value, row["id"]

    assert own == sorted(own, key=place, reverse=sort.startswith("-"))
    assert {row["id"] for row in own} == set(many)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("extra", [{}, {"q": "分页"}, {"unit": "t1"}, {"severity": "general"}])
async def test_pages_are_the_list_while_other_rows_are_written_in_between(world, sort, limit, extra):
    label = fresh()
    many = await to_page(world, label)
    asked = {"label": label, "sort": sort, **extra}
    whole = [row["id"] for row in (await read(world.admin, "/v1/items", limit=200, **asked))["items"]]
    assert sorted(many) == sorted(whole)
    paged, cursor, page_number = [], {}, 0
    while True:
        page = await read(world.admin, "/v1/items", limit=limit, **asked, **cursor)
        paged += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next_cursor"]}
        page_number += 1
        if page_number <= 3:
            due = (day(-30), day(2), day(60))[page_number - 1]
            await world.item(labels=[label], title="分页插入", due_on=due)
    assert [item_id for item_id in paged if item_id in whole] == whole
    assert len(set(paged)) == len(paged)


async def test_rows_without_a_date_sort_last_both_ways(world):
    """Every item has a deadline now; the order of those that have none is kept by the store and tried on it."""
    label = fresh()
    dated = await labelled(world, label, {"due_on": day(1)}, {"due_on": day(2)})
    undated = await labelled(world, label, {}, {})
    await take_deadline(world, undated)
    for extra in ({}, {"q": label}, {"external_ref": []}):
        for limit in (1, 50):
            asked = {"label": label, "limit": limit, **extra}
            rising = [row["id"] for row in await every_page(world.admin, "/v1/items", sort="due_on", **asked)]
            falling = [row["id"] for row in await every_page(world.admin, "/v1/items", sort="-due_on", **asked)]
            assert rising == [*dated, *undated]
            assert falling == [*reversed(dated), *reversed(undated)]
    (row, *_) = (await read(world.admin, "/v1/items", label=label, sort="due_on", limit=1, lamp="green"))["items"]
    assert row["lamp"] == "green"
    assert len(await ids(world.admin, label=label, lamp="green", due_after=day(2))) in (0, 1)


async def take_deadline(world, item_ids):
    tenant_id = UUID((await read(world.admin, "/v1/me"))["tenant_id"])
    scope = Scope((UUID(world.units["root"]),))

    async def action(tx):
        for item_id in map(UUID, item_ids):
            found = await items.find(tx, tenant_id, item_id, scope)
            changes = Changes()
            statement, params = items.write_params(tenant_id, found.item, {"due_on": None})
            changes.guard(statement, **params)
            changes.add(worklist.RESCHEDULE, tenant_id=tenant_id, ref=item_id, new_kind="item", new_due=NEVER)
            await tx.apply(changes)

    await world.service.database.write(action)


async def test_the_link_header_leads_to_the_next_page(world, many):
    url = "/v1/items?label=分页&sort=-listed_at&limit=4"
    first = await world.admin.get(url)
    link = first.headers["link"]
    assert link.isascii() and link.endswith('>; rel="next"')
    second = await world.admin.get(link.partition(">")[0].removeprefix("<"))
    by_cursor = await world.admin.get(url, params={
        "label": "分页", "sort": "-listed_at", "limit": 4, "cursor": first.json()["next_cursor"]})  # fmt: skip
    assert ok(second)["items"] == ok(by_cursor)["items"]
    last = await world.admin.get("/v1/items", params={"label": "分页", "limit": 200})
    assert "link" not in last.headers and last.json()["next_cursor"] is None


async def test_a_cursor_takes_another_limit_but_no_other_filter_sort_or_caller(world, many):
    asked = {"label": "分页", "sort": "due_on", "limit": 2}
    cursor = (await read(world.admin, "/v1/items", **asked))["next_cursor"]
    ok(await world.admin.get("/v1/items", params={**asked, "limit": 5, "cursor": cursor}))
    for other in ({"sort": "-due_on"}, {"sort": "-updated_at"}, {"label": "别的"}, {"state": "open"}, {"q": "分页"}):
        answer = await world.admin.get("/v1/items", params={**asked, **other, "cursor": cursor})
        refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))
    someone = await world.person("admin")
    answer = await someone.get("/v1/items", params={**asked, "cursor": cursor})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))
    for path in ("/v1/units", "/v1/ledgers", "/v1/overdue", f"/v1/items/{many[0]}/events"):
        answer = await world.admin.get(path, params={"cursor": cursor})
        refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))


def encoded(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("make", [
    lambda mark: "!!!",
    lambda mark: "钥匙",
    lambda mark: encoded([mark]),
    lambda mark: encoded([mark, None]),
    lambda mark: encoded([mark, "2026-01-05", "no-id"]),
    lambda mark: encoded([mark, "tomorrow", NOBODY]),
    lambda mark: encoded([mark, 5, NOBODY]),
    lambda mark: encoded([mark, {}, []]),
    lambda mark: encoded([mark, "2026-01-05", NOBODY, 1]),
    lambda mark: encoded(mark),
    lambda mark: encoded({}),
    lambda mark: encoded(None),
    lambda mark: encoded(["x", "2026-01-05", NOBODY]),
    lambda mark: encoded([mark, "2026-01-05", None]),
])  # fmt: skip
async def test_a_cursor_that_was_made_up_is_refused(world, many, make):
    """Even one with the right mark, which a caller could copy from a cursor of his own."""
    good = (await read(world.admin, "/v1/items", limit=1))["next_cursor"]
    mark = json.loads(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))[0]
    answer = await world.admin.get("/v1/items", params={"limit": 1, "cursor": make(mark)})
    refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))


async def test_a_cursor_of_events_that_was_made_up_breaks_nothing(world, many):
    url = f"/v1/items/{many[0]}/events"
    for _ in range(2):
        ok(await world.admin.post(f"/v1/items/{many[0]}/progress", json={"text": "已开工"}), 201)
    good = (await read(world.admin, url, limit=1))["next_cursor"]
    mark = json.loads(base64.urlsafe_b64decode(good + "=" * (-len(good) % 4)))[0]
    for position in ([1e999, 0], [2**70, 0], [None, None], ["a", 0], [0, 2**70]):
        answer = await world.admin.get(url, params={"limit": 1, "cursor": encoded([mark, *position])})
        refused(answer, "invalid_request", ("/query/cursor", "bad_cursor"))


# -- the work list


async def test_the_work_list_shows_what_is_overdue_most_overdue_first(world):
    old = await world.item(responsible_unit="d1", due_on=day(-20))
    newer = await world.item(responsible_unit="d1", due_on=day(-3))
    await world.item(responsible_unit="d1", due_on=day(0))
    escalated = await world.item(responsible_unit="d1", due_on=day(-5))
    ok(await world.fire(world.admin, escalated["id"], "escalate", reason="逾期"))
    closed = await world.item(responsible_unit="d1", due_on=day(-9))
    ok(await world.fire(await world.person("admin"), closed["id"], "annul", reason="误报"))
    rows = await every_page(await world.person("responsible", "d1"), "/v1/overdue", limit=1)
    assert [(row["item"]["id"], row["days_overdue"], row["waiting_for"]) for row in rows] == [
        (old["id"], 20, "responsible"), (escalated["id"], 5, "supervising"), (newer["id"], 3, "responsible"),
    ]  # fmt: skip
    assert all(row["kind"] == "item" and row["item"]["overdue"] for row in rows)
    assert not [row for row in await every_page(await world.person("viewer", "t2"), "/v1/overdue")
                if row["item"]["id"] in (old["id"], newer["id"])]  # fmt: skip


# -- search


TEXT = "青溪村饮水管网漏损，三组 Pump-7B 早晚缺水；ＡＢＣ型水泵 100%_完好"


@pytest.fixture(scope="module")
async def searched(world):
    """One item whose every text can be found."""
    return await world.item(
        title=TEXT, description="第一行\n第二行有ｶﾀｶﾅ", category="供水类", goal="恢复供水目标",
        measures="更换主管道措施", responsible_person="欧阳𠮷",
        source={"kind": "petition", "ref": "信访〔2026〕3号", "contact": "王大妈"},
        labels=["民生实事"], external_ref="REF-77/x", attributes={"note": "属性里的字"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "q",
    [
        "饮水", "管网漏损", "青溪村饮水管网漏损，三组", "水", "溪", "损", "三组 pump", "PUMP-7b", "7b", "b", "7",
        "abc", "ＡＢＣ", "ａｂｃ型水泵", "100%", "%_完", "100%_完好", "第一行", "第二行有カタカナ", "供水类",
        "恢复供水目标", "更换主管道措施", "欧阳𠮷", "𠮷", "信访〔2026〕3号", "民生实事", "ref-77/X", "  饮水  ",
        "三组   Pump", "；ABC", "%", "_", "%_", "〔", "，",
    ],
)  # fmt: skip
async def test_a_search_finds_what_is_written_somewhere_in_the_item(world, searched, q):
    page = await read(world.admin, "/v1/items", q=q, limit=200, include="total")
    assert searched["id"] in [row["id"] for row in page["items"]]
    assert page["truncated"] is False and page["total"] == len(page["items"])


@pytest.mark.parametrize(
    "q",
    [
        "水管网饮", "饮网", "青溪镇", "第一行第二行", "三组pump", "饮水 OR 青溪", "饮水*", '"饮水"', "NOT 饮水",
        "饮水 & 青溪", "饮%", "饮_管", "青.村", "NEAR(饮 水)", "'", '"', "\\", "*", "()", "饮水'--", "title:饮水",
        "王大妈", "属性里的字", "^饮水", "$$", "饮水)", ":*", "!饮水", "<->", "\u200b", "。", "🚰", "%%", "__",
    ],
)  # fmt: skip
async def test_quotes_operators_and_wildcards_are_only_characters(world, searched, q):
    page = await read(world.admin, "/v1/items", q=q, limit=200, include="total")
    assert searched["id"] not in [row["id"] for row in page["items"]]
    assert page["truncated"] is False


async def test_a_number_finds_its_item(world, searched):
    assert await ids(world.admin, q=searched["number"]) == [searched["id"]]
    assert await ids(world.admin, q=searched["number"].upper()) == [searched["id"]]


async def test_a_search_stays_within_scope_and_joins_the_filters(world, searched):
    assert await ids(await world.person("viewer", "t1v1"), q="管网漏损，三组") == [searched["id"]]
    assert await ids(await world.person("viewer", "t2"), q="管网漏损，三组") == []
    assert await ids(world.admin, q="管网漏损，三组", state="closed") == []
    assert await ids(world.admin, q="管网漏损，三组", state="open", unit="t1", label="民生实事") == [searched["id"]]


async def test_after_a_correction_the_old_text_is_gone_and_the_new_one_is_found(world):
    item = await world.item(title="旧桥栏杆锈蚀", description="桥面坑洼", labels=["旧签"], measures="临时围挡")
    assert await ids(world.admin, q="栏杆锈蚀") == await ids(world.admin, q="桥面坑洼") == [item["id"]]
    given = {"title": "新渠闸门卡死", "description": None, "labels": ["新签"]}
    url = f"/v1/items/{item['id']}"
    item = ok(await world.admin.patch(url, json=given, headers=match(item)))
    for gone in ("栏杆锈蚀", "桥面坑洼", "旧签"):
        assert await ids(world.admin, q=gone) == [], gone
    for there in ("闸门卡死", "新签", "临时围挡"):
        assert await ids(world.admin, q=there) == [item["id"]], there
    item = ok(await world.admin.patch(url, json={"title": "旧桥栏杆锈蚀"}, headers=match(item)))
    assert await ids(world.admin, q="栏杆锈蚀") == [item["id"]] and await ids(world.admin, q="闸门卡死") == []


async def test_what_a_trigger_writes_is_found_too(world):
    item = await world.item()
    measures = "改用球墨铸铁管"
    ok(await world.fire(world.admin, item["id"], "claim", signed_by="张三", measures=measures))
    assert await ids(world.admin, q="球墨铸铁") == [item["id"]]


async def test_a_search_that_did_not_look_at_every_candidate_says_so(world, monkeypatch):
    word = f"截断{next(serial)}字"
    made = [(await world.item(title=f"{word} {n}"))["id"] for n in range(5)]
    assert (await read(world.admin, "/v1/items", q=word))["truncated"] is False
    monkeypatch.setattr(list_statements, "CANDIDATES", 3)
    monkeypatch.setattr(list_statements, "FEW", 0)  # else the whole scope is looked at
    list_statements.statement.cache_clear()
    try:
        page = await read(world.admin, "/v1/items", q=word)
        assert page["truncated"] is True and {row["id"] for row in page["items"]} <= set(made)
        nothing = await read(world.admin, "/v1/items", q=word, state="closed")
        assert nothing["truncated"] is True and nothing["items"] == []
    finally:
        list_statements.statement.cache_clear()


async def test_lists_are_read_while_items_are_written(world):
    label = fresh()

    async def write(n):
        return await world.item(labels=[label], due_on=day(n))

    async def look():
        return await every_page(world.admin, "/v1/items", label=label, limit=2)

    made, *looks = await asyncio.gather(asyncio.gather(*map(write, range(8))), *(look() for _ in range(4)))
    for rows in looks:
        assert len({row["id"] for row in rows}) == len(rows)
    assert {row["id"] for row in await look()} == {item["id"] for item in made}
