"""Channels over HTTP: made, changed, tested and taken away; who may do that, and that no credential is ever shown."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from service.outside.mail import Mailer, Server
from service.settings import Settings
from tests.api.calls import key_for
from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.checks.everything import everything
from tests.endpoint import ALLOWED
from tests.mailbox import Mailbox, mailbox
from tests.robots import PATHS, TOKEN, Robot, robot
from tests.world import World

SECRET = "SEC0a1b2c3d4e5f6071"
PLATFORM = f"https://oapi.dingtalk.com{PATHS['dingtalk']}"


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    async with World.running(settings.model_copy(update={"webhook_allow_networks": ALLOWED})) as world:
        yield world


@pytest.fixture
async def here() -> AsyncIterator[Robot]:
    async with robot("dingtalk", secret=SECRET) as here:
        yield here


@pytest.fixture
def box(world: World) -> Iterator[Mailbox]:
    """A mail server that the service is configured for."""
    with mailbox() as box:
        mailer = world.service.mailer = Mailer(Server.of(f"smtp://127.0.0.1:{box.port}"), "ledger@county.example")
        yield box
        world.service.mailer = None
        mailer.close()


async def channel(by: httpx.AsyncClient, **given: Any) -> dict[str, Any]:
    body = {"kind": "dingtalk", "unit": "t1", "url": PLATFORM, **given}
    made: dict[str, Any] = ok(await by.post("/v1/channels", json=body), 201)
    return made


async def patch(by: httpx.AsyncClient, made: dict[str, Any], version: int, **given: Any) -> httpx.Response:
    return await by.patch(f"/v1/channels/{made['id']}", json=given, headers={"If-Match": f'"{version}"'})


# -- made and changed


async def test_a_channel_shows_how_its_address_ends_and_never_its_secret(world: World) -> None:
    once = {"Idempotency-Key": "channel-1"}
    body = {"kind": "dingtalk", "unit": "t1", "url": PLATFORM, "secret": SECRET}
    answer = await world.admin.post("/v1/channels", json=body, headers=once)
    made = ok(answer, 201)
    assert (answer.headers["location"], answer.headers["etag"]) == (f"/v1/channels/{made['id']}", '"1"')
    me = await read(world.admin, "/v1/me")
    assert made == {
        "id": made["id"], "owner_id": me["principal_id"], "kind": "dingtalk", "unit_id": world.units["t1"],
        "url": f"https://oapi.dingtalk.com/…{TOKEN[-4:]}", "has_secret": True, "to": [], "locale": "zh-CN",
        "enabled": True, "disabled_reason": None, "paused": False, "failures": 0, "failing_since": None, "version": 1,
        "created_at": made["created_at"], "updated_at": made["created_at"],
    }  # fmt: skip
    again = await world.admin.post("/v1/channels", json=body, headers=once)
    assert again.headers["idempotent-replayed"] == "true" and ok(again, 201) == made
    assert await read(world.admin, f"/v1/channels/{made['id']}") == made
    assert made in await every_page(world.admin, "/v1/channels", limit=1)


async def test_no_credential_lies_open_anywhere(world: World, settings: Settings, box: Mailbox) -> None:
    made = await channel(world.admin, secret=SECRET)
    mail = await channel(world.admin, kind="mail", url=None, to=["zhang@county.example"])
    ok(await patch(world.admin, made, 1, secret=SECRET + "x", url=PLATFORM[:-4] + "9999"))
    ok(await patch(world.admin, mail, 1, to=["li@county.example"]))
    found = await everything(settings)
    for word in (TOKEN[:20], SECRET, "zhang@county", "li@county"):
        assert not [
            name for name, rows in found.tables.items() if word in str(rows) or word.encode() in repr(rows).encode()
        ]
    told = [found.told(row) for row in found["tenant_events"] if row["type"].startswith("channel.")]
    updated = [each["data"] for each in told if each["type"] == "channel.updated"]
    assert [each["retargeted"] for each in updated] == [True, True]
    assert TOKEN[-4:] not in json.dumps(told)


async def test_what_a_channel_may_be_asked_for(world: World) -> None:
    for wrong, pointer, code in (
        ({"kind": "qq"}, "/kind", "not_allowed"),
        ({"url": None}, "/url", "missing"),
        ({"url": "https://oapi.dingtalk.com/robot/send"}, "/url", "bad_format"),
        ({"url": f"http://oapi.dingtalk.com{PATHS['dingtalk']}"}, "/url", "forbidden_address"),
        ({"url": "https://robots.example.com/robot/send?access_token=x"}, "/url", "forbidden_address"),
        ({"url": "https://1.1.1.1/robot/send?access_token=x"}, "/url", "forbidden_address"),
        ({"url": "http://10.1.2.3/robot/send?access_token=x"}, "/url", "forbidden_address"),
        ({"url": "https://169.254.169.254/latest"}, "/url", "forbidden_address"),
        ({"url": "https://hook.invalid/x"}, "/url", "forbidden_address"),
        ({"url": "ftp://oapi.dingtalk.com/"}, "/url", "bad_format"),
        ({"secret": ""}, "/secret", "too_short"),
        ({"secret": "x y"}, "/secret", "bad_format"),
        ({"to": ["zhang@county.example"]}, "/to", "other_kind"),
        (
            {"kind": "wecom", "url": f"https://qyapi.weixin.qq.com{PATHS['wecom']}", "secret": "s"},
            "/secret",
            "other_kind",
        ),
        ({"kind": "wecom"}, "/url", "forbidden_address"),
        ({"kind": "mail", "url": None, "to": ["zhang@county.example"]}, "/kind", "no_mail_server"),
        ({"locale": "fr"}, "/locale", "not_allowed"),
        ({"enabled": "yes"}, "/enabled", "wrong_type"),
        ({"unit": "nowhere"}, "/unit", "unknown_reference"),
        ({"unit": None}, "/unit_id", "missing"),
        ({"unit": None, "unit_id": NOBODY}, "/unit_id", "unknown_reference"),
        ({"types": ["*"]}, "/types", "unknown_field"),
    ):
        before = await every_page(world.admin, "/v1/channels")
        body = {"kind": "dingtalk", "unit": "t1", "url": PLATFORM, **wrong}
        refused(await world.admin.post("/v1/channels", json=body), "invalid_request", (pointer, code))
        assert await every_page(world.admin, "/v1/channels") == before


async def test_without_a_mail_server_a_mail_channel_is_refused_with_a_reason(world: World) -> None:
    body = {"kind": "mail", "unit": "t1", "to": ["zhang@county.example"]}
    answer = await world.admin.post("/v1/channels", json=body, headers={"Accept-Language": "zh-CN"})
    problem = refused(answer, "invalid_request", ("/kind", "no_mail_server"))
    assert "XIAOHAO_SMTP_URL" in problem["errors"][0]["detail"]


async def test_a_change_needs_the_version_that_was_read(world: World) -> None:
    made = await channel(world.admin)
    path = f"/v1/channels/{made['id']}"
    refused(await world.admin.patch(path, json={"locale": "en"}), "precondition_required")
    refused(await patch(world.admin, made, 7, locale="en"), "stale_version")
    after = ok(await patch(world.admin, made, 1, locale="en", unit_id=world.units["t2"], secret=SECRET))
    assert (after["version"], after["locale"], after["unit_id"], after["has_secret"]) == (
        2,
        "en",
        world.units["t2"],
        True,
    )
    assert ok(await patch(world.admin, made, 2, locale="en"))["version"] == 2
    assert ok(await patch(world.admin, made, 2, url=PLATFORM, secret=SECRET))["version"] == 2, "nothing changed"
    bare = ok(await patch(world.admin, made, 2, secret=None))
    assert (bare["version"], bare["has_secret"]) == (3, False)
    for wrong, pointer, code in (
        ({"kind": "wecom"}, "/kind", "unknown_field"),
        ({"url": "https://1.1.1.1/x"}, "/url", "forbidden_address"),
        ({"url": None}, "/url", "wrong_type"),
        ({"to": ["zhang@county.example"]}, "/to", "other_kind"),
        ({"unit_id": None}, "/unit_id", "wrong_type"),
        ({"unit_id": NOBODY}, "/unit_id", "unknown_reference"),
    ):
        refused(await patch(world.admin, made, 3, **wrong), "invalid_request", (pointer, code))
    assert (await world.admin.get(path, headers={"If-None-Match": '"3"'})).status_code == 304
    assert (await world.admin.delete(path)).status_code == 204
    refused(await world.admin.get(path), "not_found")


# -- who may


async def test_a_platform_manages_its_own_inside_its_grants_and_an_admin_all(world: World) -> None:
    one, other = [world.with_key(await key_for(world.admin, "platform", unit)) for unit in ("t1", "t1")]
    body = {"kind": "dingtalk", "url": PLATFORM}
    refused(
        await one.post("/v1/channels", json={**body, "unit": "t2"}), "invalid_request", ("/unit", "unknown_reference")
    )
    own, others = await channel(one, unit="t1v1"), await channel(other)
    assert [row["id"] for row in await every_page(one, "/v1/channels")] == [own["id"]]
    assert {own["id"], others["id"]} <= {row["id"] for row in await every_page(world.admin, "/v1/channels")}
    for by in (one, world.admin):
        answer = await patch(by, own, 1, unit_id=world.units["t2"])
        refused(answer, "invalid_request", ("/unit_id", "unknown_reference"))
    for path, method, body_ in (
        ("", "GET", None), ("", "PATCH", {"enabled": False}), ("", "DELETE", None), ("/ping", "POST", {}),
        ("/replay", "POST", {"delivery_id": NOBODY}), ("/deliveries", "GET", None),
    ):  # fmt: skip
        url = f"/v1/channels/{others['id']}{path}"
        refused(await one.request(method, url, json=body_, headers={"If-Match": '"1"'}), "not_found")
        for role, unit in (("supervisor", "t1"), ("viewer", "root"), ("auditor", "root"), ("responsible", "t1")):
            stranger = await world.person(role, unit)
            refused(await stranger.request(method, url, json=body_, headers={"If-Match": '"1"'}), "forbidden")


async def test_a_channel_is_no_webhook_and_a_webhook_no_channel(world: World) -> None:
    made = await channel(world.admin)
    hook = ok(await world.admin.post("/v1/webhooks", json={"url": "https://hook.invalid/x", "types": ["*"]}), 201)
    for kind, id_ in (("webhooks", made["id"]), ("channels", hook["id"])):
        path = f"/v1/{kind}/{id_}"
        assert id_ not in [row["id"] for row in await every_page(world.admin, f"/v1/{kind}")]
        refused(await world.admin.get(path), "not_found")
        refused(await world.admin.patch(path, json={"enabled": False}, headers={"If-Match": '"1"'}), "not_found")
        refused(await world.admin.post(f"{path}/ping", json={}), "not_found")
        refused(await world.admin.get(f"{path}/deliveries"), "not_found")
        again = {"delivery_id": NOBODY}
        refused(await world.admin.post(f"{path}/replay", json=again), "not_found")
        refused(await world.admin.delete(path), "not_found")
    refused(await world.admin.post(f"/v1/webhooks/{made['id']}/rotate", json={}), "not_found")


# -- tested


async def test_a_ping_is_read_in_the_group_now(world: World, here: Robot) -> None:
    made = await channel(world.admin, url=here.url, secret=SECRET, enabled=False)
    pinged = ok(await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}))
    assert (pinged["status_code"], pinged["code"], pinged["error"]) == (200, 0, None)
    assert pinged.keys() == {"at", "status_code", "code", "error", "latency_ms", "answer"}
    (text,) = here.texts
    assert "【销号·测试消息】" in text
    ok(await patch(world.admin, made, 1, locale="en", secret="wrong"))
    pinged = ok(await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}))
    assert (pinged["status_code"], pinged["code"]) == (200, 310000)
    assert len(here.said) == 1


async def test_a_ping_with_a_key_is_sent_once(world: World, here: Robot) -> None:
    made = await channel(world.admin, url=here.url, secret=SECRET)
    once = {"Idempotency-Key": "channel-ping"}
    first = await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}, headers=once)
    again = await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}, headers=once)
    assert again.headers["idempotent-replayed"] == "true" and ok(first) == ok(again)
    assert len(here.said) == 1


async def test_a_relay_is_judged_again_when_it_is_called(world: World, here: Robot) -> None:
    made = await channel(world.admin, url=here.url.replace("127.0.0.1", "localhost"), secret=SECRET)
    guard = world.service.relays._guard
    look_up, guard._lookup = guard._lookup, lambda host, port: answering("93.184.216.34")
    try:
        pinged = ok(await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}))
    finally:
        guard._lookup = look_up
    assert (pinged["error"], here.asked) == ("forbidden_address", [])
    assert ok(await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}))["code"] == 0


async def answering(address: str) -> list[str]:
    return [address]


async def test_mail_is_tested_too(world: World, box: Mailbox) -> None:
    made = await channel(world.admin, kind="mail", url=None, to=["zhang@county.example", "li@county.example"])
    assert (made["url"], made["to"], made["has_secret"]) == (None, ["zhang@county.example", "li@county.example"], False)
    pinged = ok(await world.admin.post(f"/v1/channels/{made['id']}/ping", json={}))
    assert (pinged["status_code"], pinged["code"], pinged["error"]) == (250, None, None)
    ((to, content),) = box.came
    assert to == made["to"]
    (mail,) = box.mails
    assert mail["Subject"] == "【销号·测试消息】" and "zhang" not in str(content)


# -- again


async def test_a_replay_is_of_the_channel_s_own_and_of_an_enabled_one(world: World) -> None:
    made = await channel(world.admin)
    path = f"/v1/channels/{made['id']}/replay"
    answer = await world.admin.post(path, json={"delivery_id": NOBODY})
    refused(answer, "invalid_request", ("/delivery_id", "unknown_reference"))
    refused(await world.admin.post(path, json={}), "invalid_request", ("/delivery_id", "missing"))
    ok(await patch(world.admin, made, 1, enabled=False))
    refused(await world.admin.post(path, json={"delivery_id": NOBODY}), "conflict", detail="该渠道已停用，请先启用。")
