"""Webhooks over HTTP: made, changed, tested and taken away; who may do that, and whose events they get."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import svix.webhooks
from standardwebhooks import Webhook, WebhookVerificationError

from service.settings import Settings
from service.workers import clock, courier, sequencer
from tests.api.calls import key_for, regrant
from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.checks.everything import everything
from tests.endpoint import ALLOWED, Endpoint, endpoint, reply
from tests.world import World


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    async with World.running(settings.model_copy(update={"webhook_allow_networks": ALLOWED})) as world:
        yield world


@pytest.fixture
async def here(world: World) -> AsyncIterator[Endpoint]:
    """An endpoint that hears nothing of what was before."""
    await deliver(world)
    async with endpoint() as here:
        yield here


async def deliver(world: World) -> None:
    """Everything committed has its position, and is delivered."""
    await sequencer.run_until_done(world.service)
    await courier.run_until_done(world.service)


async def hook(world: World, url: str, by=None, **given):
    """A webhook of `by`, the admin unless told; only items' events unless told."""
    body = {"url": url, "types": ["item.*"], **given}
    return ok(await (by or world.admin).post("/v1/webhooks", json=body), 201)


async def platform(world: World, unit: str = "t1"):
    return world.with_key(await key_for(world.admin, "platform", unit))


async def gone(world: World, made) -> None:
    assert (await world.admin.delete(f"/v1/webhooks/{made['id']}")).status_code == 204


# -- made and changed


async def test_a_webhook_shows_its_secret_once(world: World, here: Endpoint) -> None:
    once = {"Idempotency-Key": "webhook-1"}
    body = {"url": here.url, "types": ["item.*", "notice.issued"], "unit": "t1"}
    answer = await world.admin.post("/v1/webhooks", json=body, headers=once)
    made = ok(answer, 201)
    assert answer.headers["location"] == f"/v1/webhooks/{made['id']}"
    assert answer.headers["etag"] == '"1"'
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made["secret"]) and made["secret_shown"] is False
    again = await world.admin.post("/v1/webhooks", json=body, headers=once)
    assert again.headers["idempotent-replayed"] == "true"
    assert ok(again, 201) == {**made, "secret": None, "secret_shown": True}
    found = await read(world.admin, f"/v1/webhooks/{made['id']}")
    me = await read(world.admin, "/v1/me")
    assert found == {
        "id": made["id"], "owner_id": me["principal_id"], "url": here.url, "types": ["item.*", "notice.issued"],
        "unit_id": world.units["t1"], "format": "standard", "rate_limit": None, "enabled": True,
        "disabled_reason": None, "paused": False, "failures": 0, "failing_since": None, "old_secret_until": None,
        "version": 1, "created_at": made["created_at"], "updated_at": made["created_at"],
    }  # fmt: skip
    assert made == {**found, "secret": made["secret"], "secret_shown": False}
    await gone(world, made)
    refused(await world.admin.get(f"/v1/webhooks/{made['id']}"), "not_found")


async def test_a_secret_lies_in_no_table_as_it_is(world: World, here: Endpoint, settings: Settings) -> None:
    made = await hook(world, here.url)
    found = await everything(settings)
    bare = made["secret"].removeprefix("whsec_")
    assert not [
        name for name, rows in found.tables.items() if bare in str(rows) or bare.encode() in repr(rows).encode()
    ]
    events = [found.told(row) for row in found["tenant_events"] if row["type"] == "webhook.created"]
    assert here.url.split("/")[2] == events[-1]["data"]["host"]
    assert "/hook" not in str(events), "a path may be a secret of its own"
    await gone(world, made)


async def test_what_a_webhook_may_be_asked_for(world: World, here: Endpoint) -> None:
    good = {"url": here.url, "types": ["item.*"]}
    for wrong, pointer, code in (
        ({"url": "http://10.1.2.3/hook"}, "/url", "forbidden_address"),
        ({"url": "https://169.254.169.254/latest"}, "/url", "forbidden_address"),
        ({"url": "https://[::1]/"}, "/url", "forbidden_address"),
        ({"url": "http://1.1.1.1/"}, "/url", "forbidden_address"),
        ({"url": "https://user:word@1.1.1.1/"}, "/url", "forbidden_address"),
        ({"url": "ftp://1.1.1.1/"}, "/url", "bad_format"),
        ({"url": "https://1.1.1.1/" + "a" * 2000}, "/url", "too_long"),
        ({"types": []}, "/types", "too_short"),
        ({"types": ["item.*", "Item"]}, "/types/1", "bad_format"),
        ({"types": ["item..x"]}, "/types/0", "bad_format"),
        ({"types": ["item.*"] * 51}, "/types", "too_long"),
        ({"format": "xml"}, "/format", "not_allowed"),
        ({"rate_limit": 0}, "/rate_limit", "out_of_range"),
        ({"unit_id": NOBODY}, "/unit_id", "unknown_reference"),
        ({"unit": "nowhere"}, "/unit", "unknown_reference"),
        ({"secret": "whsec_x"}, "/secret", "unknown_field"),
    ):
        answer = await world.admin.post("/v1/webhooks", json={**good, **wrong})
        refused(answer, "invalid_request", (pointer, code))
    refused(await world.admin.post("/v1/webhooks", json={"url": here.url}), "invalid_request", ("/types", "missing"))


async def test_a_name_that_nobody_knows_now_may_be_known_when_it_is_called(world: World) -> None:
    made = await hook(world, "https://hook.invalid/x")
    pinged = ok(await world.admin.post(f"/v1/webhooks/{made['id']}/ping", json={}))
    assert (pinged["status_code"], pinged["error"]) == (None, "dns")
    await gone(world, made)


async def test_a_change_needs_the_version_that_was_read(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url)
    path = f"/v1/webhooks/{made['id']}"
    refused(await world.admin.patch(path, json={"types": ["*"]}), "precondition_required")
    refused(await world.admin.patch(path, json={"types": ["*"]}, headers={"If-Match": '"7"'}), "stale_version")
    answer = await world.admin.patch(
        path,
        json={"types": ["*"], "unit_id": world.units["t2"], "format": "cloudevents", "rate_limit": 5},
        headers={"If-Match": '"1"'},
    )
    after = ok(answer)
    assert answer.headers["etag"] == '"2"'
    assert (after["types"], after["unit_id"], after["format"], after["rate_limit"]) == (
        ["*"], world.units["t2"], "cloudevents", 5,
    )  # fmt: skip
    same = ok(await world.admin.patch(path, json={"rate_limit": 5}, headers={"If-Match": '"2"'}))
    assert same["version"] == 2
    back = {"unit_id": None, "rate_limit": None}
    assert ok(await world.admin.patch(path, json=back, headers={"If-Match": '"2"'}))["unit_id"] is None
    refused(
        await world.admin.patch(path, json={"url": "https://127.1/"}, headers={"If-Match": '"3"'}),
        "invalid_request", ("/url", "forbidden_address"),
    )  # fmt: skip
    assert (await world.admin.get(path, headers={"If-None-Match": '"3"'})).status_code == 304
    await gone(world, made)


# -- who may


async def test_a_platform_manages_its_own_and_an_admin_all(world: World, here: Endpoint) -> None:
    one, other = await platform(world), await platform(world)
    own = await hook(world, here.url, by=one)
    others = await hook(world, here.url, by=other)
    assert [row["id"] for row in await every_page(one, "/v1/webhooks")] == [own["id"]]
    listed = [row["id"] for row in await every_page(world.admin, "/v1/webhooks", limit=1)]
    assert {own["id"], others["id"]} <= set(listed)
    for path, method, body in (
        ("", "GET", None), ("", "PATCH", {"enabled": False}), ("", "DELETE", None), ("/ping", "POST", {}),
        ("/rotate", "POST", {}), ("/replay", "POST", {"after": 0}), ("/deliveries", "GET", None),
    ):  # fmt: skip
        url = f"/v1/webhooks/{others['id']}{path}"
        refused(await one.request(method, url, json=body, headers={"If-Match": '"1"'}), "not_found")
        for role, unit in (("supervisor", "t1"), ("viewer", "root"), ("auditor", "root"), ("responsible", "t1")):
            stranger = await world.person(role, unit)
            refused(await stranger.request(method, url, json=body, headers={"If-Match": '"1"'}), "forbidden")
    changed = await world.admin.patch(f"/v1/webhooks/{own['id']}", json={"enabled": False}, headers={"If-Match": '"1"'})
    assert ok(changed)["disabled_reason"] == "by_hand"
    await gone(world, own), await gone(world, others)


async def test_a_unit_lies_inside_the_owner_s_grants_whoever_names_it(world: World, here: Endpoint) -> None:
    town = await platform(world)
    body = {"url": here.url, "types": ["*"]}
    refused(
        await town.post("/v1/webhooks", json={**body, "unit": "t2"}), "invalid_request", ("/unit", "unknown_reference")
    )
    made = await hook(world, here.url, by=town, unit="t1v1")
    path, first = f"/v1/webhooks/{made['id']}", {"If-Match": '"1"'}
    for by in (town, world.admin):
        answer = await by.patch(path, json={"unit_id": world.units["t2"]}, headers=first)
        refused(answer, "invalid_request", ("/unit_id", "unknown_reference"))
    await gone(world, made)


async def test_a_person_for_whom_a_platform_acts_manages_no_webhooks(world: World, here: Endpoint) -> None:
    made = ok(await world.admin.post("/v1/principals", json={"name": "平台", "kind": "platform"}), 201)
    person = ok(await world.admin.post("/v1/principals", json={"name": "李明", "kind": "person"}), 201)
    for each, role in ((made, "platform"), (person, "supervisor")):
        body = {"role": role, "unit": "t1"}
        ok(await world.admin.post(f"/v1/principals/{each['id']}/grants", json=body), 201)
    path = f"/v1/principals/{person['id']}"
    ok(await world.admin.patch(path, json={"delegates": [made["id"]]}, headers={"If-Match": '"1"'}))
    key = ok(await world.admin.post(f"/v1/principals/{made['id']}/keys", json={"delegate": True}), 201)["key"]
    acting = world.with_key(key, **{"X-Acting-For": person["id"]})
    refused(await acting.post("/v1/webhooks", json={"url": here.url, "types": ["*"]}), "forbidden")
    refused(await acting.get("/v1/webhooks"), "forbidden")


# -- what arrives


async def test_a_delivery_is_signed_and_carries_the_event(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url)
    item = await world.item(title="饮水管网漏损")
    await deliver(world)
    (sent,) = here.sent
    assert sent.headers["content-type"].startswith("application/json")
    assert Webhook(made["secret"]).verify(sent.content, sent.headers) == sent.body
    svix.webhooks.Webhook(made["secret"]).verify(sent.content, sent.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(sent.content + b" ", sent.headers)
    (event,) = await every_page(world.admin, f"/v1/items/{item['id']}/events")
    assert sent.body == {"type": "item.created", "timestamp": event["at"], "data": event}
    assert sent.id == event["id"] and event["position"] is not None and event["data"]["title"] == "饮水管网漏损"
    assert "webhook-replay" not in sent.headers
    await gone(world, made)


async def test_cloudevents_come_in_structured_mode(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url, format="cloudevents")
    item = await world.item()
    await deliver(world)
    (sent,) = here.sent
    assert sent.headers["content-type"].startswith("application/cloudevents+json")
    assert (sent.body["specversion"], sent.body["type"]) == ("1.0", "cn.xiaohao.item.created")
    assert sent.body["subject"] == sent.event["item_id"] == item["id"]
    assert sent.body["source"] == f"urn:uuid:{(await read(world.admin, '/v1/me'))['tenant_id']}"
    Webhook(made["secret"]).verify(sent.content, sent.headers)
    await gone(world, made)


async def test_both_secrets_sign_for_a_day(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url)
    once = {"Idempotency-Key": "rotate-1"}
    rotated = ok(await world.admin.post(f"/v1/webhooks/{made['id']}/rotate", json={}, headers=once))
    assert rotated["secret"] != made["secret"] and rotated["version"] == 2 and rotated["old_secret_until"]
    again = ok(await world.admin.post(f"/v1/webhooks/{made['id']}/rotate", json={}, headers=once))
    assert again == {**rotated, "secret": None, "secret_shown": True}
    await world.item()
    await deliver(world)
    (sent,) = here.sent
    assert len(sent.headers["webhook-signature"].split(" ")) == 2
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(sent.content, sent.headers)
    await gone(world, made)


async def test_a_ping_says_what_came_back(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url, enabled=False)
    path = f"/v1/webhooks/{made['id']}/ping"
    here.answers = lambda sent: reply(503, "今日检修" * 300, Content_Type="text/plain; charset=utf-8")
    pinged = ok(await world.admin.post(path, json={}))
    (sent,) = here.sent
    assert sent.body["type"] == "webhook.ping" and sent.id == pinged["event_id"]
    Webhook(made["secret"]).verify(sent.content, sent.headers)
    assert (pinged["status_code"], pinged["error"]) == (503, None)
    assert pinged["answer"].startswith("今日检修") and len(pinged["answer"].encode()) <= 1024
    once = {"Idempotency-Key": "ping-1"}
    first = await world.admin.post(path, json={}, headers=once)
    second = await world.admin.post(path, json={}, headers=once)
    assert ok(first) == ok(second) and second.headers["idempotent-replayed"] == "true" and len(here.sent) == 2
    assert await every_page(world.admin, f"/v1/webhooks/{made['id']}/deliveries") == []
    await gone(world, made)


# -- whose events


async def test_a_platform_hears_what_it_sees_and_nothing_else(world: World, here: Endpoint) -> None:
    town = await platform(world, "t1")
    made = await hook(world, here.url, by=town, types=["*"])
    inside, outside = await world.item(), await world.item(responsible_unit="t2v1")
    supervised = await world.item(responsible_unit="t2v1", co_units=["t1v2"])
    await world.admin.post("/v1/principals", json={"name": "李明", "kind": "person"})
    await deliver(world)
    heard = {each.event["item_id"] for each in here.sent}
    assert heard == {inside["id"], supervised["id"]} and outside["id"] not in heard
    assert not [each for each in here.types if each.startswith(("access.", "webhook."))]
    await gone(world, made)


async def test_a_webhook_narrowed_to_a_unit_hears_that_unit_s(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url, types=["*"], unit="t1v1")
    inside = await world.item(responsible_unit="t1v1")
    for unit in ("t1v2", "t1", "root"):
        await world.item(responsible_unit=unit)
    await deliver(world)
    assert {each.event["item_id"] for each in here.sent} == {inside["id"]}
    await gone(world, made)


async def test_an_admin_s_webhook_hears_what_is_about_access(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url, types=["access.*", "webhook.*"])
    await world.admin.post("/v1/principals", json={"name": "李明", "kind": "person"})
    await deliver(world)
    assert here.types == ["webhook.created", "access.principal_created"]
    await gone(world, made)


async def test_types_are_globs(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url, types=["item.claimed", "request.*"])
    item = await world.item()
    ok(await world.fire(world.admin, item["id"], "claim", signed_by="张伟"))
    ok(await world.admin.post(f"/v1/items/{item['id']}/requests", json={"kind": "transfer", "reason": "职责不符"}), 201)
    await deliver(world)
    assert here.types == ["item.claimed", "request.submitted"]
    await gone(world, made)


async def test_what_is_no_longer_in_scope_when_its_turn_comes_is_cancelled(world: World, here: Endpoint) -> None:
    town = await platform(world, "root")
    made = await hook(world, here.url, by=town)
    await world.item(responsible_unit="t2v1"), await world.item(responsible_unit="t1v1")
    await sequencer.run_until_done(world.service)
    await regrant(world, town, "platform", "t1")
    await courier.run_until_done(world.service)
    assert [each.event["unit_id"] for each in here.sent] == [world.units["t1v1"]]
    rows = await every_page(town, f"/v1/webhooks/{made['id']}/deliveries")
    assert sorted(row["status"] for row in rows) == ["cancelled", "delivered"]
    await gone(world, made)


async def test_an_owner_without_grants_has_its_webhook_disabled(world: World, here: Endpoint) -> None:
    admins = await hook(world, here.url, types=["webhook.disabled"])
    while_waiting, while_idle = await platform(world), await platform(world)
    made = [await hook(world, here.url, by=each) for each in (while_waiting, while_idle)]
    await world.item()
    await sequencer.run_until_done(world.service)
    await regrant(world, while_waiting)
    await deliver(world)
    await regrant(world, while_idle)
    await world.item()
    await deliver(world), await deliver(world)
    for each in made:
        found = await read(world.admin, f"/v1/webhooks/{each['id']}")
        assert (found["enabled"], found["disabled_reason"]) == (False, "no_grants")
    told = [sent.event["data"] for sent in here.sent if sent.body["type"] == "webhook.disabled"]
    assert told == [{"webhook_id": each["id"], "disabled_reason": "no_grants"} for each in made]
    assert here.types.count("item.created") == 1, "the one before the grants were gone"
    for each in (*made, admins):
        await gone(world, each)


async def test_a_replay_for_an_owner_without_grants_disables_its_webhook(world: World, here: Endpoint) -> None:
    town = await platform(world)
    made = await hook(world, here.url, by=town)
    await world.item()
    await deliver(world)
    await regrant(world, town)
    path, body = f"/v1/webhooks/{made['id']}", {"after": 0}
    assert ok(await world.admin.post(f"{path}/replay", json=body), 202)["count"] == 0
    found = await read(world.admin, path)
    assert (found["enabled"], found["disabled_reason"]) == (False, "no_grants")
    refused(await world.admin.post(f"{path}/replay", json=body), "conflict")
    assert len(here.sent) == 1
    await gone(world, made)


async def test_what_is_dated_ahead_is_sent_now_to_owners_who_may_see_it_now(world: World, here: Endpoint) -> None:
    """As `xiaohao clock --at` dates its events, or the clock of a host that goes wrong."""
    town = await platform(world)
    me, today = (await read(town, "/v1/me"))["principal_id"], datetime.now(UTC).date()
    for_a_week = {"role": "platform", "unit": "t1", "until": str(today + timedelta(days=7))}
    await regrant(world, town)
    ok(await world.admin.post(f"/v1/principals/{me}/grants", json=for_a_week), 201)
    world.app.state.doorkeeper.forget_everyone()
    made = await hook(world, here.url, by=town, types=["deadline.*"])
    item = await world.item(due_on=str(today + timedelta(days=30)))
    await clock.run_until_done(world.service, datetime.now(UTC) + timedelta(days=60))
    await deliver(world)
    assert "deadline.passed" in here.types
    assert item["id"] in {sent.event["item_id"] for sent in here.sent}
    assert (await read(world.admin, f"/v1/webhooks/{made['id']}"))["enabled"]
    await gone(world, made)


async def test_another_tenant_hears_and_sees_nothing(world: World, here: Endpoint) -> None:
    stranger = await world.tenant("stranger")
    made = await hook(world, here.url, by=stranger, types=["item.*"])
    await world.item()
    await deliver(world)
    assert here.sent == []
    refused(await world.admin.get(f"/v1/webhooks/{made['id']}"), "not_found")
    assert made["id"] not in str(await every_page(world.admin, "/v1/webhooks"))


async def test_a_webhook_that_is_deleted_hears_no_more(world: World, here: Endpoint) -> None:
    made = await hook(world, here.url)
    await world.item()
    await sequencer.run_until_done(world.service)
    await gone(world, made)
    await deliver(world)
    await world.item()
    await deliver(world)
    assert here.sent == []
    refused(await world.admin.delete(f"/v1/webhooks/{made['id']}"), "not_found")


async def test_deleting_while_events_are_fanned_out_leaves_nothing_behind(
    world: World, here: Endpoint, settings: Settings
) -> None:
    for _ in range(5):
        made = await hook(world, here.url)
        for _ in range(3):
            await world.item()
        await asyncio.gather(sequencer.run_until_done(world.service), gone(world, made))
    found = await everything(settings)
    there = {row["id"] for row in found["webhooks"]}
    assert [row for name in ("lanes", "deliveries") for row in found[name] if row["webhook_id"] not in there] == []
