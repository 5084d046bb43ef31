"""Nobody sees on a page what the API would not show: other units' items, names of units above, who complained."""

import pytest

from tests.api.helpers import NOBODY, day, ok, read
from tests.console.desk import Desk

CONTACT = "举报人王某 13800000000"


async def test_another_unit_s_item_is_not_there(world, people):
    item = await world.item(responsible_unit="t2v1", title="二镇的问题不外传")
    ok(await world.fire(people.admin.api, item["id"], "claim", signed_by="张伟"))
    closure = {"kind": "closure", "summary": "好了"}
    asked = ok(await people.admin.api.post(f"/v1/items/{item['id']}/requests", json=closure), 201)
    paper = {"kind": "urging", "unit": "t2v1", "item_ids": [item["id"]]}
    notice = ok(await people.supervisor.api.post("/v1/notices", json=paper), 201)
    ok(await world.fire(people.supervisor.api, item["id"], "escalate", reason="未整改"))
    talk = (await read(people.admin.api, f"/v1/items/{item['id']}"))["interview_id"]
    places = {
        f"items/{item['id']}": "claim",
        f"requests/{asked['id']}": "return",
        f"notices/{notice['id']}": "receipt",
        f"interviews/{talk}": "record",
    }
    token = (await people.village.desk.read("/console")).form("sign-out").values["token"][0]
    for place, deed in places.items():
        api = await people.village.api.get(f"/v1/{place}")
        page = await people.village.desk.read(f"/console/{place}")
        assert (api.status_code, page.status) == (404, 404), place
        fields = {"token": token, "key": "a1", "signed_by": "李明", "reason": "无", "held_on": day(0)}
        fields |= {"attendees": "李明", "minutes": "无"}
        answer = await people.village.desk.client.post(f"/console/{place}/{deed}", data=fields)
        assert answer.status_code == 404, place
        nothing = await people.village.desk.read(f"/console/{place.partition('/')[0]}/{NOBODY}")
        assert nothing.status == 404
    for path in ("", "/items?q=不外传", "/overdue", "/requests", "/interviews", "/notices"):
        page = await people.village.desk.read(f"/console{path}")
        assert page.status == 200 and "不外传</a>" not in page.answer.text and item["id"] not in page.answer.text, path


async def test_another_tenant_s_is_not_there_either(world, people):
    item = await world.item(title="本县的问题")
    theirs = await world.tenant("elsewhere")
    person = ok(await theirs.post("/v1/principals", json={"name": "外县人员", "kind": "person"}), 201)
    root = next(iter((await read(theirs, "/v1/units"))["items"]))["id"]
    body = {"role": "admin", "unit_id": root}
    ok(await theirs.post(f"/v1/principals/{person['id']}/grants", json=body), 201)
    key = ok(await theirs.post(f"/v1/principals/{person['id']}/keys", json={}), 201)["key"]
    desk = await Desk.of(world, key)
    assert (await desk.read(f"/console/items/{item['id']}")).status == 404
    assert "本县的问题" not in (await desk.read("/console/items")).text
    assert (await desk.client.get("/console/units?q=一镇")).json() == {"units": []}


async def test_of_a_unit_above_there_is_no_name(world, people):
    item = await world.item()
    page = await people.village.desk.read(f"/console/items/{item['id']}")
    assert "一镇一村" in page.text and "上级单位" in page.text
    names = {unit["id"]: unit["name"] for unit in (await read(people.admin.api, "/v1/units"))["items"]}
    assert names[world.units["t1"]] == "一镇"
    assert "一镇" not in page.text.replace("一镇一村", "") and names[world.units["root"]] not in page.text
    assert "一镇" in (await people.town.desk.read(f"/console/items/{item['id']}")).text.replace("一镇一村", "")


async def test_units_are_suggested_from_one_s_own(people):
    async def suggested(seat, typed):
        answer = await seat.desk.client.get("/console/units", params={"q": typed})
        return {unit["code"] for unit in answer.json()["units"]}

    assert await suggested(people.supervisor, "一镇") == {"t1", "t1v1", "t1v2"}
    assert await suggested(people.town, "") == {"t1", "t1v1", "t1v2"}
    assert await suggested(people.village, "") == {"t1v1"}
    assert await suggested(people.village, "二镇") == set() == await suggested(people.village, "\x00")


@pytest.mark.parametrize("who", ["admin", "supervisor", "town", "village", "viewer", "platform"])
async def test_who_complained_is_told_to_those_whom_the_api_tells(world, people, who):
    item = await world.item(source={"kind": "petition", "contact": CONTACT})
    seat = getattr(people, who)
    told = (await read(seat.api, f"/v1/items/{item['id']}"))["source"]["contact"]
    page = await seat.desk.read(f"/console/items/{item['id']}")
    assert (CONTACT in page.text) == (told == CONTACT)
    assert CONTACT not in (await seat.desk.read("/console/items")).text


@pytest.mark.parametrize("who", ["admin", "supervisor", "town", "village", "viewer", "platform"])
async def test_minutes_are_read_by_those_whom_the_api_lets(world, people, who):
    item = await world.item()
    ok(await world.fire(people.supervisor.api, item["id"], "escalate", reason="未整改"))
    talk = (await read(people.admin.api, f"/v1/items/{item['id']}"))["interview_id"]
    minutes = {"held_on": day(0), "attendees": ["王强"], "minutes": "责成十日内整改到位"}
    ok(await people.supervisor.api.post(f"/v1/interviews/{talk}/record", json=minutes))
    seat = getattr(people, who)
    told = (await read(seat.api, "/v1/interviews"))["items"]
    known = next(each for each in told if each["id"] == talk)["minutes"]
    for path in (f"/console/interviews/{talk}", f"/console/items/{item['id']}"):
        page = await seat.desk.read(path)
        assert ("责成十日内整改到位" in page.text) == (known is not None), path


@pytest.mark.parametrize("who", ["supervisor", "village", "viewer"])
async def test_webhooks_are_for_platforms_and_admins(people, who):
    seat = getattr(people, who)
    page = await seat.desk.read("/console")
    assert "/console/webhooks" not in page.links
    refused = await seat.desk.read("/console/webhooks")
    assert refused.status == 403 and "只有平台和管理员可以管理推送" in refused.text


async def test_a_platform_sees_its_own_webhooks_alone(people):
    url = "https://93.184.216.34/"
    mine = ok(await people.platform.api.post("/v1/webhooks", json={"url": url + "mine", "types": ["item.*"]}), 201)
    other = ok(await people.admin.api.post("/v1/webhooks", json={"url": url + "other", "types": ["item.*"]}), 201)
    page = await people.platform.desk.read("/console/webhooks")
    assert url + "mine" in page.text and url + "other" not in page.text
    assert (await people.platform.desk.read(f"/console/webhooks/{other['id']}")).status == 404
    both = await people.admin.desk.read("/console/webhooks")
    assert url + "mine" in both.text and url + "other" in both.text
    assert mine["secret"] not in (await people.platform.desk.read(f"/console/webhooks/{mine['id']}")).answer.text
