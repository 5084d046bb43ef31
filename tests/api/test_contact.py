"""Who complained is nobody's business but the supervisors': the contact is looked for everywhere it could turn up."""

import json
import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from service.store.migrations import sqlalchemy_url
from tests.api.calls_clock import long_ago
from tests.api.helpers import VERIFIED, day, match, ok, read

NAME, PHONE = "举报人钱守义", "13900001234"
CONTACT = f"{NAME} {PHONE}"
TRACES = (NAME, PHONE, "钱守义", "守义", NAME.encode().hex(), PHONE.encode().hex(), json.dumps(NAME).strip('"'))

MAY_SEE = {("admin", "root"), ("supervisor", "t1"), ("supervisor", "root")}
"""Admins, and supervisors over the supervising unit (t1 for an item of t1v1)."""

EYES = [
    (role, unit)
    for role in ("admin", "supervisor", "responsible", "platform", "viewer", "auditor")
    for unit in (("root",) if role in ("admin", "auditor") else ("root", "t1", "t1v1", "t1v2", "t2v1"))
]


def traces(content) -> list[str]:
    said = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    return [trace for trace in TRACES if trace in said]


@pytest.fixture(scope="module")
async def item(world):
    """An item of t1v1 that somebody complained about, with a whole life behind it, listed by a platform."""
    platform = await world.person("platform", "root")
    source = {"kind": "petition", "ref": "信访〔2026〕7号", "contact": CONTACT}
    made = await world.item(platform, source=source, co_units=["t2v1"], external_ref="complaint-7")
    url = f"/v1/items/{made['id']}"
    supervisor, clerk = await world.person("supervisor", "root"), await world.person("responsible", "t1v1")
    ok(await clerk.post(f"{url}/transitions", json={"trigger": "claim", "signed_by": "张三"}))
    ok(await clerk.post(f"{url}/progress", json={"text": "已到场处理"}), 201)
    asked = {"kind": "closure", "summary": "水已通"}
    closure = ok(await clerk.post(f"{url}/requests", json=asked, headers={"Idempotency-Key": "asked"}), 201)
    back = {"verdict": "return", "reason": "还有一户未通水"}
    ok(await supervisor.post(f"/v1/requests/{closure['id']}/decision", json=back))
    about = {"kind": "urging", "unit": "t1v1", "item_ids": [made["id"]], "text": "请抓紧", "copy_unit_ids": []}
    notice = ok(await supervisor.post("/v1/notices", json=about, headers={"Idempotency-Key": "told"}), 201)
    ok(await clerk.post(f"/v1/notices/{notice['id']}/receipt", json={"signed_by": "张三"}))
    ok(await supervisor.post(f"{url}/transitions", json={"trigger": "escalate", "reason": "久拖不决"}))
    now = await read(supervisor, url)
    at = {"at": "2190-01-05T01:30:00Z", "place": "县督查室"}
    ok(await supervisor.post(f"/v1/interviews/{now['interview_id']}/schedule", json=at))
    now = ok(await supervisor.patch(url, json={"source": {"contact": CONTACT + "（本人）"}}, headers=match(now)))
    ok(await supervisor.patch(url, json={"title": "更正后的标题"}, headers=match(now)))
    ok(
        await supervisor.post(
            f"{url}/transitions", json={"trigger": "close", "verification": VERIFIED, "waive_interview": "已当面谈过"}
        )
    )
    return made


async def test_the_item_shows_it_to_those_alone_who_may_see_it(world, item):
    for role, unit in EYES:
        client = await world.person(role, unit)
        answer = await client.get(f"/v1/items/{item['id']}")
        listed = await client.get("/v1/items", params={"external_ref": "complaint-7"})
        if (role, unit) in MAY_SEE:
            assert traces(answer.content) and traces(listed.content), (role, unit)
        else:
            assert not traces(answer.content) and not traces(listed.content), (role, unit)


async def test_no_other_answer_has_it_for_anyone(world, item):
    url = f"/v1/items/{item['id']}"
    for role, unit in EYES:
        client = await world.person(role, unit)
        own = [f"{url}{part}" for part in ("/events", "/progress", "/transitions", "/requests", "/deadline")]
        papers = ("/v1/interviews", "/v1/requests?status=returned", "/v1/notices", f"/v1/notices?item_id={item['id']}")
        for path in (*own, *papers, "/v1/me", "/v1/ledgers", "/v1/units", "/metrics"):
            assert not traces((await client.get(path)).content), (role, unit, path)


async def test_the_work_list_shows_it_as_the_item_does(world, item):
    """Overdue are an item, the decision about it, and the interview about another."""
    platform, supervisor = await world.person("platform", "root"), await world.person("supervisor", "root")
    clerk = await world.person("responsible", "t1v1")
    source = {"source": {"kind": "petition", "contact": CONTACT}}
    with long_ago():
        late = await world.item(platform, due_on=day(3), **source)
        ok(await world.fire(clerk, late["id"], "claim", signed_by="张三"))
        ok(await clerk.post(f"/v1/items/{late['id']}/requests", json={"kind": "closure", "summary": "已完成"}), 201)
        summoned = await world.item(platform, due_on=day(300), **source)
        ok(await world.fire(supervisor, summoned["id"], "escalate", reason="久拖不决"))
    for role, unit in EYES:
        client = await world.person(role, unit)
        rows = (await read(client, "/v1/overdue"))["items"]
        kinds = {"item", "request", "interview", "receipt"} if unit not in ("t1v2", "t2v1") else set()
        assert {row["kind"] for row in rows} == kinds, (role, unit)
        seen = {row["kind"] for row in rows if traces(row)}
        assert seen == (kinds - {"receipt"} if (role, unit) in MAY_SEE else set()), (role, unit)


async def test_nobody_finds_an_item_by_it(world, item):
    for role, unit in EYES:
        client = await world.person(role, unit)
        for words in (NAME, PHONE, "守义", "钱守义", "1390000"):
            found = await read(client, "/v1/items", q=words, include="total")
            assert found["items"] == [] and found["total"] == 0, (role, unit, words)


async def test_refusals_never_repeat_it(world):
    for body in (
        {"source": {"contact": CONTACT * 500}},
        {"source": {"contact": CONTACT, "kind": "?"}},
        {"contact": CONTACT},
    ):
        listing = {"ledger": "default", "title": "投诉", "responsible_unit": "t1v1", **body}
        answer = await world.admin.post("/v1/items", json=listing)
        assert answer.status_code == 422 and not traces(answer.content)


async def test_no_log_line_has_it(world, capfd):
    made = await world.item(source={"kind": "petition", "contact": CONTACT})
    await world.admin.get(f"/v1/items/{made['id']}", params={"q": CONTACT})
    said = capfd.readouterr()
    assert made["id"] in said.out + said.err or "/v1/items/{item_id}" in said.out + said.err
    assert not traces(said.out + said.err)


async def test_the_database_holds_it_encrypted_only(world, item, settings):
    """Every value of every table, the search index among them; on SQLite the file's own bytes as well."""
    url = sqlalchemy_url(settings.database_url, settings.sqlite_path)
    if settings.sqlite_path is None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            names = (
                await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
            ).all()
            rows = {
                name: (await connection.execute(text(f'SELECT t::text FROM "{name}" t'))).all() for (name,) in names
            }
        await engine.dispose()
    else:
        with sqlite3.connect(settings.sqlite_path) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert not traces(settings.sqlite_path.read_bytes())
        with create_engine(url).connect() as connection:
            names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
            rows = {name: connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names}
    assert len(rows["items"]) >= 1 and len(rows["events"]) >= 7
    assert {name for name, found in rows.items() if traces(found)} == set()
