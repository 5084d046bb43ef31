"""Every page: what it lets the browser do, that nothing runs in it, that it escapes, that it speaks both languages."""

import pytest

from tests.api.helpers import day, ok
from tests.console.desk import Desk, Page
from tests.world import World

POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
}
NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{911*911}}${911*911}&lt;b&gt;"


async def lived(world: World) -> dict[str, str]:
    """An item with something of everything; the paths of all that there is about it."""
    village = await world.person("responsible", "t1v1")
    boss = await world.person("supervisor")
    item = await world.item(
        boss, title=NASTY, description=NASTY, goal=NASTY, measures=NASTY, labels=[NASTY[:40]], responsible_person=NASTY,
        category=NASTY[:90], source={"kind": "petition", "ref": NASTY, "contact": NASTY}, due_on=day(20),
        external_ref=NASTY,
    )  # fmt: skip
    at = f"/v1/items/{item['id']}"
    ok(await world.fire(village, item["id"], "claim", signed_by=NASTY, measures=NASTY))
    ok(await village.post(f"{at}/progress", json={"text": NASTY, "percent": 40}), 201)
    asked = ok(await village.post(f"{at}/requests", json={"kind": "closure", "summary": NASTY}), 201)
    paper = ok(
        await boss.post(
            "/v1/notices",
            json={"kind": "supervision", "unit": "t1v1", "item_ids": [item["id"]], "text": NASTY},
        ),
        201,
    )
    ok(await world.fire(boss, item["id"], "escalate", reason=NASTY))
    talk = ok(await boss.get(at))["interview_id"]
    ok(await boss.post(f"/v1/interviews/{talk}/schedule", json={"at": f"{day(3)}T02:00:00Z", "place": NASTY}))
    hook = ok(
        await world.admin.post("/v1/webhooks", json={"url": "https://93.184.216.34/<script>", "types": ["item.*"]}), 201
    )["id"]
    return {
        "board": "/console",
        "list": "/console/items",
        "searched": "/console/items?q=script&unit=t1v1&state=escalated",
        "item": f"/console/items/{item['id']}",
        "overdue": "/console/overdue",
        "requests": "/console/requests",
        "past requests": "/console/requests?status=past",
        "request": f"/console/requests/{asked['id']}",
        "interviews": "/console/interviews",
        "interview": f"/console/interviews/{talk}",
        "notices": "/console/notices",
        "notice": f"/console/notices/{paper['id']}",
        "webhooks": "/console/webhooks",
        "webhook": f"/console/webhooks/{hook}",
        "bad filter": "/console/items?state=<script>&due_after=<script>&q=" + "x" * 200,
        "nothing there": "/console/<script>alert(1)</script>",
        "no item": "/console/items/00000000-0000-7000-8000-000000000000",
        "no id": "/console/items/<script>",
        "bad place": "/console/overdue?after=<script>",
    }


@pytest.fixture(scope="module")
async def pages(world: World) -> dict[str, Page]:
    desk = await Desk.of(world, await world.key("admin"))
    read = {name: await desk.read(path) for name, path in (await lived(world)).items()}
    read["sign-in"] = Page(await world.with_key(None).get("/console/sign-in?next=/console/<script>"))
    return read


def policy_of(page: Page) -> dict[str, list[str]]:
    directives = page.answer.headers["content-security-policy"].split("; ")
    return {name: values for name, *values in (directive.split(" ") for directive in directives)}


async def test_all_are_there(pages):
    refused = {"bad filter": 422, "bad place": 422, "nothing there": 404, "no item": 404, "no id": 404}
    assert {name: page.status for name, page in pages.items()} == {name: refused.get(name, 200) for name in pages}


async def test_the_browser_may_do_nothing_but_what_a_page_needs(pages):
    for name, page in pages.items():
        headers = page.answer.headers
        assert headers["content-type"] == "text/html; charset=utf-8", name
        assert policy_of(page) == POLICY, name
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store" and headers["vary"] == "Cookie"
        assert "camera=()" in headers["permissions-policy"]


async def test_no_script_and_no_style_stands_in_a_page(pages):
    for name, page in pages.items():
        assert page.inline == [], name
        handlers = [each for _, given in page.tags for each in given if each.startswith("on") or each == "style"]
        assert not handlers, name
        scripts = [given for tag, given in page.tags if tag == "script"]
        assert all(given["type"] == "module" and given["src"].startswith("/console/static/") for given in scripts), name
        assert not any((link or "").lower().startswith(("javascript:", "data:")) for link in page.links), name


async def test_what_people_wrote_stays_text(pages):
    for name, page in pages.items():
        # An element that they wrote would have these names.
        assert not [tag for tag, given in page.tags if tag in ("b", "img") or "onerror" in given], name
        assert "829921" not in page.answer.text, name
    for name in ("item", "request", "interview", "notice", "searched"):
        assert NASTY.split("{{")[0][:25] in pages[name].text, name


async def test_everything_a_page_loads_is_there(world, pages):
    loaded = {
        given.get("src") or given.get("href")
        for page in pages.values()
        for tag, given in page.tags
        if tag == "script" or (tag == "link" and given.get("rel") in ("stylesheet", "icon"))
    }
    assert len(loaded) == 3
    for address in loaded:
        assert (await world.with_key(None).get(address)).status_code == 200, address


async def test_every_link_leads_somewhere(world, pages):
    desk = await Desk.of(world, await world.key("admin"))
    links = {link for page in pages.values() for link in page.links if link.startswith("/console")}
    assert len(links) > 20
    for link in links:
        answer = await desk.client.get(link)
        assert answer.status_code == 200, link


async def test_ids_are_unique_and_labels_name_what_is_there(pages):
    for name, page in pages.items():
        ids = [given["id"] for _, given in page.tags if given.get("id")]
        assert len(ids) == len(set(ids)), (name, sorted(each for each in ids if ids.count(each) > 1))
        wanted = [given["for"] for tag, given in page.tags if tag == "label" and given.get("for")]
        wanted += [given["aria-labelledby"] for _, given in page.tags if given.get("aria-labelledby")]
        assert set(wanted) <= set(ids), (name, set(wanted) - set(ids))


async def test_english_is_chosen_once_and_remembered(world):
    desk = await Desk.of(world, await world.key("viewer"))
    page = await desk.read("/console/items")
    assert page.answer.text.startswith('<!doctype html>\n<html lang="zh-CN">') and "台账" in page.text
    page = await desk.read("/console/items", lang="en")
    assert '<html lang="en">' in page.answer.text and "Ledger" in page.text
    assert "HttpOnly" in page.answer.headers["set-cookie"] and "Path=/console" in page.answer.headers["set-cookie"]
    assert "Ledger" in (await desk.read("/console/items")).text
    assert "台账" in (await desk.read("/console/items", lang="zh")).text
    assert "台账" in (await desk.read("/console/items", lang="xx")).text


async def test_what_the_browser_prefers_does_not_count(world):
    guest = world.with_key(None, **{"Accept-Language": "en"})
    assert "登录" in (await guest.get("/console/sign-in")).text


async def test_the_api_knows_no_cookie_and_the_console_no_bearer(world, people):
    answer = await people.admin.desk.client.get("/v1/me")
    assert answer.status_code == 401
    answer = await people.admin.api.get("/console")
    assert answer.status_code == 303
    document = ok(await world.admin.get("/openapi.json"))
    assert not [path for path in document["paths"] if path.startswith("/console")]
