"""From the ladder to the group: what the clock does at nine o'clock is read there once, by whom it concerns.

Everything is real but the platforms: policy, clock, sequencer, courier, and robots that speak their protocols.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.actions import courier as actions
from service.actions import sequencing
from service.outside.addresses import Guard
from service.outside.mail import Mailer, Server
from service.outside.sender import Sender
from service.settings import Settings, networks
from service.workers import courier, sequencer
from tests.api.calls import key_for
from tests.api.helpers import every_page, ok, read
from tests.api.office import Office, on
from tests.endpoint import ALLOWED
from tests.mailbox import Mailbox, mailbox
from tests.robots import Robot, robot
from tests.world import World

SECRETS = {"wecom": None, "dingtalk": "SEC0a1b2c3d4e5f", "feishu": "fE1sHu5eCrEt"}


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    allowed = {"webhook_allow_networks": ALLOWED, "public_url": "https://ledger.example/items/{id}"}
    async with World.running(settings.model_copy(update=allowed)) as world:
        world.service.relays = Sender(Guard(networks(ALLOWED), public=False))
        yield world
        world.service.relays.close()


class Post:
    """Channels of a test, and time that passes for couriers; the channels are gone after the test."""

    def __init__(self, world: World, office: Office, stack: AsyncExitStack) -> None:
        self.world, self.office, self.stack = world, office, stack
        self.passed = timedelta()
        self.made: list[str] = []

    async def robot(self, kind: str, unit: str, **given: Any) -> tuple[Robot, str]:
        """A robot in a unit's group, and the path of its channel."""
        here = await self.stack.enter_async_context(robot(kind, **given))
        here.clock = lambda: (self.office.now + self.passed).timestamp()
        body = {"kind": kind, "unit": unit, "url": here.url}
        if here.secret is not None:
            body["secret"] = here.secret
        return here, await self.channel(body)

    async def channel(self, body: dict[str, Any]) -> str:
        made = ok(await self.office.admin.post("/v1/channels", json=body), 201)
        self.made.append(made["id"])
        return f"/v1/channels/{made['id']}"

    async def deliver(self, later: timedelta = timedelta(), messages: int = 1) -> None:
        """So much later: everything committed has its position, and `messages` are delivered at the channels' pace."""
        self.passed += later
        await sequencer.run_until_done(self.world.service)
        for _ in range(messages + 1):
            self.passed += timedelta(seconds=4)
            await courier.run_until_done(self.world.service, clock=lambda: self.office.now + self.passed)

    async def told(self, channel: str, **asked: str) -> list[dict[str, Any]]:
        return (await every_page(self.office.admin, f"{channel}/deliveries", **asked))[::-1]


@pytest.fixture
async def post(world: World, empty_office: Office) -> AsyncIterator[Post]:
    async with AsyncExitStack() as stack:
        post = Post(world, empty_office, stack)
        yield post
        for id_ in post.made:
            await empty_office.admin.delete(f"/v1/channels/{id_}")


def version(found: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{found["version"]}"'}


# -- the ladder


@pytest.mark.parametrize("platform", SECRETS)
async def test_a_reminder_is_read_once_with_number_and_day(post: Post, platform: str) -> None:
    office = post.office
    here, channel = await post.robot(platform, "t1v1", secret=SECRETS[platform], keyword="销号")
    item = await office.claimed(due_on=on("03-13"), title="饮水管网漏损")
    await office.turn("03-04")
    await post.deliver(messages=3)
    (text,) = here.texts
    for part in (
        "【销号·提醒】",
        item["number"],
        "饮水管网漏损",
        "责任单位：一镇一村",
        "2026年3月13日，还剩 7 个工作日",
    ):
        assert part in text, text
    assert f"https://ledger.example/items/{item['id']}" in text
    (delivery,) = await post.told(channel)
    (fired,) = await office.events(item, "rung.fired")
    assert (delivery["type"], delivery["status"], delivery["event_id"]) == ("rung.fired", "delivered", fired["id"])
    (attempt,) = delivery["attempts"]
    assert (attempt["status_code"], attempt["code"], attempt["error"]) == (200, 0, None)


async def test_a_notice_reaches_unit_and_copies_once_each_and_nobody_else(post: Post) -> None:
    office = post.office
    village, _ = await post.robot("wecom", "t1v1")
    town, _ = await post.robot("dingtalk", "t1", secret=SECRETS["dingtalk"])
    county, _ = await post.robot("feishu", "root", secret=SECRETS["feishu"])
    other, _ = await post.robot("wecom", "t2")
    item = await office.claimed(due_on=on("03-13"))
    await office.turn("03-18")
    await post.deliver(messages=3)
    # Three days late at once: the strongest rung, and only that; what it swallowed is told to nobody.
    assert len(village.said) == len(town.said) == 1
    assert (county.said, other.said) == ([], [])
    (notice,) = await office.notices(item)
    (text,) = village.texts
    for part in ("督办", notice["number"], "已超期 3 个工作日", "签收期限：2026年3月20日", "回复期限：2026年3月25日",
                 "立即整改到位"):  # fmt: skip
        assert part in text, text
    assert "抄送：仅供知悉，无须签收" in town.texts[0] and "签收期限" not in town.texts[0]
    skipped = [each["data"]["rung"] for each in await office.events(item, "rung.skipped")]
    assert "urge+1" in skipped and not any("催办" in each for each in village.texts)


async def test_items_of_one_look_are_one_message_that_lists_ten(post: Post) -> None:
    office = post.office
    here, channel = await post.robot("dingtalk", "t1v1", secret=SECRETS["dingtalk"])
    items = [await office.claimed(due_on=on("03-13")) for _ in range(13)]
    await office.turn("03-16")
    await post.deliver(messages=3)
    (text,) = here.texts
    assert sum(item["number"] in text for item in items) == 10 and "另有 3 件" in text
    (delivery,) = await post.told(channel)
    assert delivery["events"] == 13


async def test_a_look_whose_events_get_their_positions_in_parts_is_one_message_still(
    post: Post,
) -> None:
    office = post.office
    here, channel = await post.robot("dingtalk", "t1v1")
    items = [await office.claimed(due_on=on("03-13")) for _ in range(12)]
    await sequencer.run_until_done(post.world.service)
    await office.turn("03-16")
    (tenant,) = await sequencing.busy_tenants(post.world.service)
    parts = 0
    while await sequencing.sequence(post.world.service, tenant, datetime.now(UTC), 7):
        parts += 1
    assert parts > 3
    await post.deliver(messages=3)
    (text,) = here.texts
    assert "另有 2 件" in text
    assert [each["events"] for each in await post.told(channel)] == [len(items)]


async def test_what_comes_when_a_message_is_in_hand_is_another_message(post: Post) -> None:
    office = post.office
    here, channel = await post.robot("dingtalk", "t1v1")
    items = [await office.claimed(due_on=on("03-13")) for _ in range(12)]
    await sequencer.run_until_done(post.world.service)
    await office.turn("03-16")
    (tenant,) = await sequencing.busy_tenants(post.world.service)
    while not await post.told(channel):
        await sequencing.sequence(post.world.service, tenant, datetime.now(UTC), 7)
    now = office.now + timedelta(seconds=5)
    (due,) = await actions.due(post.world.service, now)
    (run,) = await actions.take(post.world.service, *due, now, 10)
    await sequencer.run_until_done(post.world.service)
    # The first courier is lost; its lease ends.
    await post.deliver(timedelta(seconds=70), messages=4)
    first, second = await post.told(channel)
    assert first["events"] + second["events"] == len(items) and len(here.said) == 2
    assert run.stops[0].parcel.delivery.id == UUID(first["id"])
    assert all(sum(item["number"] in text for text in here.texts) <= 1 for item in items)


async def test_moving_an_old_ledger_in_tells_nobody(post: Post) -> None:
    office = post.office
    here, _ = await post.robot("wecom", "t1v1")
    item = await office.item(due_on=on("02-02"), listed_at="2026-01-05T02:00:00Z")
    await office.turn("03-02", "11:00")
    await post.deliver(messages=2)
    skipped = await office.events(item, "rung.skipped")
    assert skipped and all(each["data"]["why"] == "before_creation" for each in skipped)
    assert here.said == []


async def test_a_draft_is_told_of_when_it_is_issued(post: Post) -> None:
    office = post.office
    here, _ = await post.robot("wecom", "t1v1")
    rung = {"code": "warn+2", "anchor": "due", "offset": 2, "states": ["rectifying"], "action": "warn",
            "notify": ["responsible"], "confirm": True}  # fmt: skip
    ledger = await office.ledger(ladder=[rung])
    item = await office.claimed(ledger=ledger, due_on=on("03-13"))
    await office.turn("03-17")
    await post.deliver(messages=2)
    assert here.said == []
    (draft,) = await office.notices(item)
    issued = ok(await office.town.post(f"/v1/notices/{draft['id']}/issue", json={}))
    await post.deliver(messages=2)
    (text,) = here.texts
    assert "告诫" in text and issued["number"] in text


# -- by hand


async def test_a_notice_by_hand_is_told_to_its_unit_and_its_copies(post: Post) -> None:
    office = post.office
    village, _ = await post.robot("wecom", "t1v1")
    neighbour, _ = await post.robot("wecom", "t2")
    town, _ = await post.robot("wecom", "t1")
    item = await office.claimed(due_on=on("03-20"))
    body = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]], "text": "请三日内报送整改方案",
            "copy_unit_ids": [office.units["t2"]]}  # fmt: skip
    notice = ok(await office.county.post("/v1/notices", json=body), 201)
    await post.deliver(messages=2)
    for part in ("催办", notice["number"], "说明：请三日内报送整改方案", "按文书要求办理", item["number"]):
        assert part in village.texts[0]
    assert "仅供知悉" in neighbour.texts[0]
    assert town.said == []


async def test_a_notice_that_was_cancelled_meanwhile_is_not_told(post: Post) -> None:
    office = post.office
    here, channel = await post.robot("wecom", "t1v1")
    item = await office.claimed(due_on=on("03-20"))
    body = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]]}
    notice = ok(await office.county.post("/v1/notices", json=body), 201)
    ok(await office.county.post(f"/v1/notices/{notice['id']}/cancel", json={"reason": "误发"}))
    await post.deliver(messages=2)
    assert here.said == []
    assert [each["status"] for each in await post.told(channel)] == ["cancelled"]


async def test_nobody_is_reminded_of_what_is_done_meanwhile(post: Post) -> None:
    office = post.office
    here, channel = await post.robot("wecom", "t1v1")
    here.answers = [(500, {})]
    item = await office.claimed(due_on=on("03-13"))
    await office.turn("03-04")
    await post.deliver()
    assert len(here.asked) == 1
    ok(await office.approve(await office.pending(item, "closure")))
    await post.deliver(timedelta(minutes=10))
    (text,) = here.texts
    assert "销号申请已批准" in text
    statuses = {each["type"]: each["status"] for each in await post.told(channel)}
    assert statuses["rung.fired"] == "cancelled"


async def test_interviews_and_decisions_are_told_to_the_responsible_unit(post: Post) -> None:
    office = post.office
    here, _ = await post.robot("feishu", "t1v1")
    item = await office.claimed(due_on=on("03-31"))
    await office.give_back(await office.pending(item, "extension"))
    await post.deliver(messages=2)
    assert "延期申请已退回" in here.texts[0] and "佐证不足" in here.texts[0]
    now = await office.fire(office.county, item, "escalate", reason="整改不力")
    place = {"at": "2026-03-05T01:30:00Z", "place": "县督查室"}
    ok(await office.town.post(f"/v1/interviews/{now['interview_id']}/schedule", json=place))
    await post.deliver(messages=2)
    # The escalation has its notice, which the county issued by it; the two are told in no order.
    (talk,) = [text for text in here.texts if "约谈已安排" in text]
    for part in ("2026年3月5日 09:30", "县督查室", item["number"]):
        assert part in talk
    assert any("约谈" in text and "文号" in text for text in here.texts if text != talk)


# -- what must not get out, and what must not get in


async def test_who_complained_is_in_no_message_and_no_title_calls_everybody(post: Post) -> None:
    office = post.office
    robots = [(await post.robot(kind, "t1v1"))[0] for kind in SECRETS]
    title = "<@all> @所有人 <at id=all></at> [点此](https://evil.example) **井盖**"
    source = {"kind": "petition", "ref": "信访1号", "contact": "王大妈 13800001111"}
    await office.claimed(due_on=on("03-13"), title=title, source=source)
    await office.turn("03-16")
    await post.deliver(messages=2)
    for each in robots:
        (body,) = each.said
        whole = json.dumps(body, ensure_ascii=False)
        assert "13800001111" not in whole and "王大妈" not in whole
        for wrong in ("<@all>", "@所有人", "<at", "](https://evil", "https://evil"):
            assert wrong not in whole
        assert "井盖" in whole


# -- what robots answer


REFUSED = [
    ("wecom", "token", 93000, "gone"), ("dingtalk", "token", 300005, "gone"), ("feishu", "token", 19001, "gone"),
    ("dingtalk", "sign", 310000, None), ("feishu", "sign", 19021, None),
    ("dingtalk", "keyword", 310000, None), ("feishu", "keyword", 19024, None),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "fault", "code", "disabled"), REFUSED)
async def test_what_will_never_be_taken_is_dead_or_disables_the_channel(
    post: Post, platform: str, fault: str, code: int, disabled: str | None
) -> None:
    office = post.office
    here, channel = await post.robot(platform, "t1v1", secret=SECRETS[platform])
    if fault == "sign":
        here.secret = "another"
    elif fault == "keyword":
        here.keyword = "工单"
    else:
        body = {"url": here.url[:-4] + "0000"}
        ok(await office.admin.patch(channel, json=body, headers=version(await read(office.admin, channel))))
    await office.claimed(due_on=on("03-13"))
    await office.turn("03-04")
    await post.deliver(messages=2)
    assert (here.said, len(here.asked)) == ([], 1)
    (delivery,) = await post.told(channel)
    assert [(each["status_code"], each["code"]) for each in delivery["attempts"]] == [(200, code)]
    found = await read(office.admin, channel)
    if disabled:
        assert (found["enabled"], found["disabled_reason"], delivery["status"]) == (False, disabled, "pending")
        # Mended and enabled again, it goes on with what waited.
        mended = {"enabled": True, "url": here.url}
        ok(await office.admin.patch(channel, json=mended, headers=version(found)))
    else:
        assert (found["enabled"], delivery["status"]) == (True, "dead")
        here.secret, here.keyword = SECRETS[platform], None
        again = ok(await office.admin.post(f"{channel}/replay", json={"delivery_id": delivery["id"]}), 202)
        assert (again["replay"], again["event_id"]) == (True, delivery["event_id"])
    await post.deliver(messages=2)
    assert len(here.said) == 1


TOO_FAST = [
    ("wecom", (200, {"errcode": 45009, "errmsg": "api freq out of limit"}), 60),
    ("dingtalk", (200, {"errcode": 660026, "errmsg": "send too fast"}), 600),
    ("dingtalk", (200, {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}), 600),
    ("feishu", (200, {"code": 11232, "msg": "frequency limited", "data": {}}), 60),
    ("feishu", (200, {"code": 9499, "msg": "too many request", "data": {}}), 60),
    ("wecom", (429, {}), 120),
]


@pytest.mark.parametrize(("platform", "answer", "seconds"), TOO_FAST)
async def test_who_is_too_fast_waits_with_all_that_it_has_and_is_no_worse_for_it(
    post: Post, platform: str, answer: Any, seconds: int
) -> None:
    office = post.office
    here, channel = await post.robot(platform, "t1v1", answers=[answer])
    await office.claimed(due_on=on("03-13"))
    await office.turn("03-04")
    await post.deliver()
    ok(
        await office.county.post(
            "/v1/notices",
            json={"kind": "urging", "unit": "t1v1", "item_ids": [(await office.claimed(due_on=on("03-20")))["id"]]},
        ),
        201,
    )
    await post.deliver(timedelta(seconds=seconds - 40), messages=2)
    assert (len(here.asked), here.said) == (1, [])
    assert (await read(office.admin, channel))["failures"] == 0
    await post.deliver(timedelta(seconds=60), messages=4)
    assert len(here.said) == 2
    assert {each["status"] for each in await post.told(channel)} == {"delivered"}


@pytest.mark.parametrize("platform", ["wecom", "dingtalk", "feishu"])
async def test_a_storm_keeps_below_what_the_platform_allows(post: Post, platform: str) -> None:
    office = post.office
    here, _ = await post.robot(platform, "t1v1", a_minute=20 if platform != "feishu" else 100)
    items = [await office.claimed(due_on=on("03-20")) for _ in range(24)]
    for item in items:
        body = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]]}
        ok(await office.county.post("/v1/notices", json=body), 201)
    await sequencer.run_until_done(post.world.service)
    # Two couriers that look all the time: a quarter of a second passes between looks.
    for _ in range(400):
        post.passed += timedelta(seconds=0.25)
        now = office.now + post.passed
        both = (courier.Courier(post.world.service, clock=lambda now=now: now) for _ in range(2))
        await asyncio.gather(*(each.run_once(now) for each in both))
        if len(here.said) == len(items):
            break
    assert len(here.said) == len(here.asked) == len(items)
    fastest = max(sum(at <= each < at + 60 for each in here.at) for at in here.at)
    at_once = max(sum(at <= each < at + 1 for each in here.at) for at in here.at)
    assert fastest <= (20 if platform != "feishu" else 100) and at_once <= 5


BROKEN: list[tuple[Any, str | None]] = [
    ("nothing", "timeout"),
    (b"", "closed"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"errcode\":0", "closed"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", None),
    ((200, {"errcode": -1, "errmsg": "system busy"}), None),
    ((302, {}), None),
    ((502, {"errcode": 0}), None),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "error"), BROKEN)
async def test_what_may_pass_is_tried_again(
    post: Post, answer: Any, error: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = post.office
    here, channel = await post.robot("wecom", "t1v1", answers=[answer])
    await office.claimed(due_on=on("03-13"))
    await office.turn("03-04")
    with monkeypatch.context() as patched:
        if answer == "nothing":
            hasty = Sender(Guard(networks(ALLOWED), public=False), within=1.0)
            patched.setattr(post.world.service, "relays", hasty)
        await post.deliver()
    (delivery,) = await post.told(channel)
    assert delivery["status"] == "pending" and delivery["attempts"][0]["error"] == error
    await post.deliver(timedelta(seconds=20))
    (delivery,) = await post.told(channel)
    assert (delivery["status"], len(delivery["attempts"]), len(here.said)) == ("delivered", 2, 1)


async def test_a_channel_tells_nothing_when_its_owner_s_grants_have_ended(post: Post) -> None:
    office = post.office
    here, _ = await post.robot("wecom", "t1v1")
    platform = post.world.with_key(await key_for(office.admin, "platform", "t1v1"))
    mine = ok(await platform.post("/v1/channels", json={"kind": "wecom", "unit": "t1v1", "url": here.url}), 201)
    post.made.append(mine["id"])
    me = await read(platform, "/v1/me")
    for grant in await every_page(office.admin, f"/v1/principals/{me['principal_id']}/grants"):
        await office.admin.delete(f"/v1/principals/{me['principal_id']}/grants/{grant['id']}")
    await office.claimed(due_on=on("03-13"))
    await office.turn("03-04")
    await post.deliver(messages=2)
    assert len(here.said) == 1, "the admin's channel alone"
    found = await read(office.admin, f"/v1/channels/{mine['id']}")
    assert (found["enabled"], found["disabled_reason"]) == (False, "no_grants")


# -- a crash


async def test_what_was_sent_and_not_written_down_comes_again_under_the_same_name(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, channel = await post.robot("dingtalk", "t1v1")
    await post.office.claimed(due_on=on("03-13"))
    await post.office.turn("03-04")

    async def lost(*given: object) -> None:
        raise LookupError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(actions, "record", lost)
        await post.deliver()
    assert len(here.said) == 1
    await post.deliver(timedelta(seconds=30))
    assert len(here.said) == 1, "its lease has not ended"
    await post.deliver(timedelta(seconds=60))
    first, second = here.said
    assert first == second and first["msgUuid"]
    assert [each["status"] for each in await post.told(channel)] == ["delivered"]


# -- mail


@pytest.fixture
def box(world: World) -> Iterator[Mailbox]:
    """A mail server that the service is configured for."""
    with mailbox() as box:
        mailer = world.service.mailer = Mailer(Server.of(f"smtp://127.0.0.1:{box.port}"), "ledger@county.example")
        yield box
        world.service.mailer = None
        mailer.close()


ZHANG, LI, WANG = "zhang@county.example", "li@county.example", "wang@county.example"


async def test_mail_goes_once_to_each_whoever_is_refused_for_now(post: Post, box: Mailbox) -> None:
    office = post.office
    channel = await post.channel({"kind": "mail", "unit": "t1v1", "to": [ZHANG, LI, WANG]})
    box.refuses = {LI: "451 greylisted, come again", WANG: f"550 <{WANG}>: no such user"}
    item = await office.claimed(due_on=on("03-13"))
    await office.turn("03-16")
    await post.deliver()
    assert [to for to, _ in box.came] == [[ZHANG]]
    (delivery,) = await post.told(channel)
    assert (delivery["status"], delivery["attempts"][0]["status_code"]) == ("pending", 250)
    assert "left" not in delivery["attempts"][0]
    box.refuses = {}
    await post.deliver(timedelta(minutes=1))
    assert [to for to, _ in box.came] == [[ZHANG], [LI]]
    (delivery,) = await post.told(channel)
    assert delivery["status"] == "delivered"
    first, second = box.mails
    # The same letter, known by the event that it tells of.
    assert first["Message-ID"] == second["Message-ID"] and delivery["event_id"] in first["Message-ID"]
    for part in ("催办", item["number"], "2026年3月13日，已超期 1 个工作日"):
        assert part in first.get_content()


@pytest.mark.parametrize(("reply", "status"), [("554 no", "dead"), ("451 later", "pending")])
async def test_mail_that_is_refused(post: Post, box: Mailbox, reply: str, status: str) -> None:
    channel = await post.channel({"kind": "mail", "unit": "t1v1", "to": [ZHANG]})
    box.says = [reply]
    await post.office.claimed(due_on=on("03-13"))
    await post.office.turn("03-16")
    await post.deliver()
    (delivery,) = await post.told(channel)
    (attempt,) = delivery["attempts"]
    assert (delivery["status"], attempt["status_code"]) == (status, int(reply[:3]))


async def test_an_address_that_a_server_repeats_is_not_kept(post: Post, box: Mailbox) -> None:
    channel = await post.channel({"kind": "mail", "unit": "t1v1", "to": [WANG]})
    box.refuses = {WANG: f"550 5.1.1 <{WANG}>: no such user"}
    await post.office.claimed(due_on=on("03-13"))
    await post.office.turn("03-16")
    await post.deliver()
    (delivery,) = await post.told(channel)
    assert delivery["attempts"][0]["answer"] == "5.1.1 <…>: no such user"


async def test_mail_waits_while_no_server_is_configured(post: Post, box: Mailbox) -> None:
    channel = await post.channel({"kind": "mail", "unit": "t1v1", "to": [ZHANG]})
    mailer, post.world.service.mailer = post.world.service.mailer, None
    await post.office.claimed(due_on=on("03-13"))
    await post.office.turn("03-16")
    await post.deliver()
    (delivery,) = await post.told(channel)
    assert (delivery["status"], delivery["attempts"][0]["error"]) == ("pending", "connect")
    post.world.service.mailer = mailer
    await post.deliver(timedelta(minutes=1))
    assert len(box.came) == 1


async def test_in_english_where_the_channel_is(post: Post) -> None:
    here, channel = await post.robot("wecom", "t1v1")
    found = await read(post.office.admin, channel)
    ok(await post.office.admin.patch(channel, json={"locale": "en"}, headers=version(found)))
    item = await post.office.claimed(due_on=on("03-13"))
    await post.office.turn("03-04")
    await post.deliver(messages=2)
    (text,) = here.texts
    for part in ("xiaohao: Reminder", item["number"], "Until: 2026-03-13, 7 working days left"):
        assert part in text
