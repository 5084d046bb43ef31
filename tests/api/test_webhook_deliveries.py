"""What becomes of deliveries: tried again by the schedule, in order, given up, sent again; and endpoints given up."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.actions import deliveries
from service.actions.carrying import TABLE, retired, secrets_of
from service.settings import Settings
from service.store import webhooks
from service.store.database import Changes, Tx
from service.workers import courier, sequencer
from service.workflow.delivery import WAITS
from service.workflow.webhooks import OLD_SECRETS
from service.workflow.webhooks import Webhook as Row
from tests.api.calls import key_for
from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.endpoint import ALLOWED, Endpoint, Sent, endpoint, reply
from tests.world import World

JITTERED = 1.11
"""By so much a wait may be longer than the schedule says, and a little more."""


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    async with World.running(settings.model_copy(update={"webhook_allow_networks": ALLOWED})) as world:
        yield world


AHEAD = timedelta(minutes=2)
"""Couriers' time is ahead of the service's, so that what is made meanwhile is due. Signatures allow five minutes."""


class Days:
    """Time that passes for couriers when a test says so, and only then."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.start = datetime.now(UTC) + AHEAD
        self.passed = timedelta()

    def now(self) -> datetime:
        return self.start + self.passed

    async def deliver(self, later: timedelta = timedelta()) -> None:
        """So much later: everything committed has its position, and is delivered as far as it is due."""
        self.passed += later
        await sequencer.run_until_done(self.world.service)
        await courier.run_until_done(self.world.service, clock=self.now)


@pytest.fixture
async def days(world: World) -> Days:
    days = Days(world)
    await days.deliver()
    return days


@pytest.fixture
async def here() -> AsyncIterator[Endpoint]:
    async with endpoint() as here:
        yield here


@pytest.fixture
async def hook(world: World, days: Days, here: Endpoint) -> AsyncIterator[str]:
    """The path of an admin's webhook for the events of items."""
    made = ok(await world.admin.post("/v1/webhooks", json={"url": here.url, "types": ["item.*"]}), 201)
    await days.deliver()
    path = f"/v1/webhooks/{made['id']}"
    yield path
    await world.admin.delete(path)


async def rows(world: World, hook: str, **asked: str):
    """Its deliveries, oldest first."""
    return (await every_page(world.admin, f"{hook}/deliveries", **asked))[::-1]


async def patch(world: World, hook: str, **given: object) -> httpx.Response:
    version = (await read(world.admin, hook))["version"]
    return await world.admin.patch(hook, json=given, headers={"If-Match": f'"{version}"'})


def refusing(*items: str):
    """500 for what is about these items, 200 for the rest."""
    return lambda sent: reply(500 if sent.event["item_id"] in items else 200)


def about(here: Endpoint, item: dict[str, str]) -> list[str]:
    """What the endpoint was told of an item, in order."""
    return [sent.body["type"] for sent in here.sent if sent.event["item_id"] == item["id"]]


# -- again


async def test_a_delivery_is_tried_again_by_the_schedule(world: World, days: Days, here: Endpoint, hook: str) -> None:
    here.answers = lambda sent: reply(500, "维护中" * 400) if len(here.sent) < 3 else reply(204)
    item = await world.item()
    await days.deliver()
    await days.deliver(timedelta(seconds=4))
    (row,) = await rows(world, hook)
    assert (row["status"], row["done_at"], len(row["attempts"])) == ("pending", None, 1)
    await days.deliver(timedelta(seconds=2))
    await days.deliver(timedelta(minutes=4))
    assert len(here.sent) == 2
    await days.deliver(timedelta(minutes=2))
    (row,) = await rows(world, hook)
    (event,) = await every_page(world.admin, f"/v1/items/{item['id']}/events")
    assert [attempt["status_code"] for attempt in row["attempts"]] == [500, 500, 204]
    assert row["attempts"][0]["answer"].startswith("维护中") and len(row["attempts"][0]["answer"].encode()) <= 1024
    assert row["attempts"][2] == {**row["attempts"][2], "answer": "", "error": None}
    assert row == {
        "id": row["id"], "event_id": event["id"], "position": event["position"], "type": "item.created",
        "replay": False, "status": "delivered", "attempts": row["attempts"], "created_at": row["created_at"],
        "done_at": row["attempts"][2]["at"],
    }  # fmt: skip
    assert {sent.id for sent in here.sent} == {event["id"]}
    assert len({sent.headers["webhook-timestamp"] for sent in here.sent}) == 3
    found = await read(world.admin, hook)
    assert (found["failures"], found["failing_since"]) == (0, None)


async def test_an_endpoint_may_ask_for_a_longer_wait(world: World, days: Days, here: Endpoint, hook: str) -> None:
    here.answers = lambda sent: reply(429, Retry_After="3600") if len(here.sent) == 1 else reply(200)
    await world.item()
    await days.deliver()
    await days.deliver(timedelta(minutes=59))
    assert len(here.sent) == 1
    await days.deliver(timedelta(minutes=2))
    assert [each["status"] for each in await rows(world, hook)] == ["delivered"]


async def test_elsewhere_an_endpoint_gets_at_once_what_waits(
    world: World, days: Days, here: Endpoint, hook: str
) -> None:
    here.answering(500)
    await world.item()
    await days.deliver()
    await days.deliver(timedelta(seconds=6))
    async with endpoint() as there:
        ok(await patch(world, hook, url=there.url))
        await days.deliver()
        assert (len(here.sent), len(there.sent)) == (2, 1)


async def test_an_old_secret_signs_for_a_day(world: World, days: Days, here: Endpoint, hook: str) -> None:
    ok(await world.admin.post(f"{hook}/rotate", json={}))
    for later in (timedelta(hours=23), timedelta(hours=2)):
        await world.item()
        await days.deliver(later)
    assert [len(sent.headers["webhook-signature"].split(" ")) for sent in here.sent] == [2, 1]


async def test_every_old_secret_signs_to_its_own_end_and_five_at_most(
    world: World, days: Days, here: Endpoint, hook: str
) -> None:
    secrets = [ok(await world.admin.post(f"{hook}/rotate", json={}))["secret"] for _ in range(2)]
    for number in range(3, 8):
        await world.item()
        await days.deliver()
        made, sent = ok(await world.admin.post(f"{hook}/rotate", json={}))["secret"], here.sent[-1]
        assert len(sent.headers["webhook-signature"].split(" ")) == min(number, OLD_SECRETS + 1)
        for secret in secrets[-OLD_SECRETS - 1 :]:
            Webhook(secret).verify(sent.content, sent.headers)
        secrets.append(made)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(sent.content, sent.headers | {"webhook-signature": "v1,AAAA"})

    vault, tenant = world.service.vault, UUID((await read(world.admin, "/v1/me"))["tenant_id"])
    now = datetime.now(UTC)

    async def action(tx: Tx) -> Row | None:
        return await webhooks.by_id(tx, tenant, UUID(hook.rpartition("/")[2]))

    row = await world.service.read(action)
    assert row is not None
    first = vault.encrypt(secrets[0], tenant_id=tenant, table=TABLE, row=row.id)
    # As it was stored when there was one at most.
    row = replace(row, old_secret_sealed=first, old_secret_until=now + timedelta(hours=1))
    assert secrets_of(vault, tenant, row, now) == (secrets[-1], secrets[0])
    row = replace(row, old_secret_sealed=retired(vault, tenant, row, now), old_secret_until=now + timedelta(hours=24))
    assert secrets_of(vault, tenant, row, now)[1:] == (secrets[-1], secrets[0])
    assert secrets_of(vault, tenant, row, now + timedelta(hours=1))[1:] == (secrets[-1],)
    assert secrets_of(vault, tenant, row, now + timedelta(hours=24))[1:] == ()


async def test_who_changes_an_endpoint_leaves_how_it_fares_to_couriers(world: World, days: Days, hook: str) -> None:
    """Attempts make no version, so a change may have read what they have overtaken."""
    tenant, webhook_id = UUID((await read(world.admin, "/v1/me"))["tenant_id"]), UUID(hook.rpartition("/")[2])

    async def look(tx: Tx) -> Row | None:
        return await webhooks.by_id(tx, tenant, webhook_id)

    async def fail(tx: Tx) -> None:
        changes = Changes()
        changes.add(webhooks.FARE, **webhooks.faring(tenant, replace(before, failures=7, failing_since=days.now())))
        await tx.apply(changes)

    async def change(tx: Tx) -> None:
        changes, after = Changes(), replace(before, rate_limit=5, version=2)
        webhooks.change(changes, tenant, before, after, faring=False)
        await tx.apply(changes)

    before = await world.service.read(look)
    assert before is not None
    await world.service.database.write(fail)
    await world.service.database.write(change)
    found = await read(world.admin, hook)
    assert (found["rate_limit"], found["failures"], found["failing_since"] is None) == (5, 7, False)
    ok(await patch(world, hook, url="https://93.184.215.14/elsewhere"))
    found = await read(world.admin, hook)
    assert (found["failures"], found["failing_since"]) == (0, None)


async def test_what_gets_no_answer_says_why(world: World, days: Days, here: Endpoint, hook: str) -> None:
    here.answers = lambda sent: b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf\0"
    here.closes = True
    await world.item()
    await days.deliver()
    (row,) = await rows(world, hook)
    (attempt,) = row["attempts"]
    assert (row["status"], attempt["error"], attempt["answer"]) == ("pending", "closed", "half\ufffd")
    ok(await patch(world, hook, url="http://127.0.0.1:9/closed"))
    await days.deliver(timedelta(seconds=6))
    (row,) = await rows(world, hook)
    assert [each["error"] for each in row["attempts"]] == ["closed", "connect"]


async def test_of_one_item_each_waits_for_the_one_before_while_others_overtake(
    world: World, days: Days, here: Endpoint, hook: str
) -> None:
    slow, quick = await world.item(), await world.item()
    here.answers = refusing(slow["id"])
    await days.deliver()
    for item in (slow, quick):
        ok(await world.fire(world.admin, item["id"], "claim", signed_by="张伟"))
        ok(await world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": "已开工"}), 201)
    await days.deliver()
    await days.deliver(timedelta(seconds=6))
    told = ["item.created", "item.claimed", "item.progressed"]
    assert about(here, quick) == told
    assert about(here, slow) == ["item.created"] * 2
    here.answers = lambda sent: reply(200)
    await days.deliver(timedelta(minutes=6))
    assert [sent.body["type"] for sent in here.sent if sent.event["item_id"] == slow["id"]][1:] == [
        "item.created",
        *told,
    ]


# -- given up


async def by_schedule(days: Days) -> None:
    for wait in WAITS:
        await days.deliver(wait * JITTERED)


async def test_after_the_last_retry_a_delivery_is_dead_and_can_be_sent_again(
    world: World, days: Days, here: Endpoint, hook: str
) -> None:
    hopeless, other = await world.item(), await world.item()
    here.answers = refusing(hopeless["id"])
    await days.deliver()
    await by_schedule(days)
    (dead,) = await rows(world, hook, status="dead")
    assert len(dead["attempts"]) == 10 and dead["done_at"] == dead["attempts"][-1]["at"]
    await days.deliver(timedelta(days=2))
    assert len(here.sent) == 11
    here.answers = lambda sent: reply(200)
    ok(await world.fire(world.admin, hopeless["id"], "claim", signed_by="张伟"))
    await days.deliver()
    assert here.types[-1] == "item.claimed", "what comes after a dead one waits no longer"
    assert ok(await world.admin.post(f"{hook}/replay", json={"delivery_id": dead["id"]}), 202) == {
        "count": 1, "last_position": dead["position"],
    }  # fmt: skip
    await days.deliver()
    assert here.sent[-1].id == dead["event_id"] and here.sent[-1].headers["webhook-replay"] == "true"
    again = (await rows(world, hook))[-1]
    assert (again["event_id"], again["replay"], again["status"]) == (dead["event_id"], True, "delivered")
    assert [row["id"] for row in await rows(world, hook, status="dead")] == [dead["id"]]
    assert {row["status"] for row in await rows(world, hook) if row["event_id"] != dead["event_id"]} == {"delivered"}
    assert other["id"] in str([sent.event["item_id"] for sent in here.sent])


async def test_one_that_is_gone_is_disabled_and_goes_on_where_it_stopped(
    world: World, days: Days, here: Endpoint, hook: str
) -> None:
    async with endpoint() as ear:
        listening = ok(
            await world.admin.post("/v1/webhooks", json={"url": ear.url, "types": ["webhook.disabled"]}), 201
        )
        here.answers = lambda sent: reply(410)
        item = await world.item()
        await days.deliver()
        ok(await world.fire(world.admin, item["id"], "claim", signed_by="张伟"))
        await days.deliver(timedelta(days=1))
        found = await read(world.admin, hook)
        assert (found["enabled"], found["disabled_reason"], found["version"]) == (False, "gone", 2)
        assert found["failures"] == 1
        assert len(here.sent) == 1
        (told,) = ear.sent
        assert told.event["data"]["disabled_reason"] == "gone" and found["id"] == told.event["data"]["webhook_id"]
        assert told.event["actor"] == {"principal_id": None, "name": "courier", "via": None}
        assert [row["status"] for row in await rows(world, hook)] == ["pending"]
        refused(await world.admin.post(f"{hook}/replay", json={"after": 0}), "conflict")
        here.answers = lambda sent: reply(200)
        assert ok(await patch(world, hook, enabled=True))["disabled_reason"] is None
        await days.deliver()
        # What happened while it was disabled was never for it; it can be asked for.
        assert here.types == ["item.created", "item.created"]
        await world.admin.delete(f"/v1/webhooks/{listening['id']}")


async def test_after_fifty_failures_in_a_row_one_delivery_at_a_time_is_tried(
    world: World, days: Days, here: Endpoint, hook: str
) -> None:
    here.answers = lambda sent: reply(500)
    for _ in range(70):
        await world.item()
    await days.deliver()
    found = await read(world.admin, hook)
    assert found["paused"] and 50 <= found["failures"] < 60
    tried = len(here.sent)
    assert tried < 60
    for wait in WAITS[:3]:
        await days.deliver(wait * JITTERED)
        await days.deliver()
        tried += 1
        assert len(here.sent) == tried, "one probe, by the schedule"
    here.answers = lambda sent: reply(200)
    await days.deliver(WAITS[3] * JITTERED)
    found = await read(world.admin, hook)
    assert (found["paused"], found["failures"]) == (False, 0)
    await days.deliver(WAITS[3])
    assert {row["status"] for row in await rows(world, hook)} == {"delivered"}


async def test_one_that_fails_for_five_days_is_disabled(world: World, days: Days, here: Endpoint, hook: str) -> None:
    here.answers = lambda sent: reply(503)
    await world.item(), await world.item()
    await days.deliver()
    for _ in range(4):
        await days.deliver(timedelta(days=1))
    assert (await read(world.admin, hook))["enabled"]
    await days.deliver(timedelta(days=1, hours=3))
    found = await read(world.admin, hook)
    assert (found["enabled"], found["disabled_reason"]) == (False, "failing")
    sent = len(here.sent)
    assert found["failures"] == sent
    await days.deliver(timedelta(days=1))
    assert len(here.sent) == sent
    # Elsewhere, and enabled again, everything that waits arrives.
    async with endpoint() as there:
        ok(await patch(world, hook, url=there.url, enabled=True))
        await days.deliver()
        assert there.types == ["item.created"] * 2


# -- sent again


async def test_a_range_is_sent_again_as_it_is_judged_now(world: World, days: Days, here: Endpoint, hook: str) -> None:
    items = [await world.item() for _ in range(3)]
    await days.deliver()
    for item in items:
        ok(await world.fire(world.admin, item["id"], "claim", signed_by="张伟"))
    await days.deliver()
    first, here.sent = sorted(here.sent, key=lambda sent: sent.event["position"]), []
    positions = [sent.event["position"] for sent in first]
    once = {"Idempotency-Key": "replay-1"}
    body = {"after": positions[0], "before": positions[-1]}
    asked = [await world.admin.post(f"{hook}/replay", json=body, headers=once) for _ in range(2)]
    assert [ok(answer, 202) for answer in asked] == [{"count": 4, "last_position": positions[-1] - 1}] * 2
    await days.deliver()
    assert sorted(sent.id for sent in here.sent) == sorted(sent.id for sent in first[1:-1])
    assert all(sent.headers["webhook-replay"] == "true" for sent in here.sent)
    ok(await patch(world, hook, types=["item.claimed"], unit_id=world.units["t2"]))
    assert ok(await world.admin.post(f"{hook}/replay", json={"after": 0}), 202)["count"] == 0
    ok(await patch(world, hook, unit_id=world.units["t1v1"]))
    answer = ok(await world.admin.post(f"{hook}/replay", json={"after": positions[0] - 1}), 202)
    assert answer["count"] == 3 and answer["last_position"] >= positions[-1]
    assert len(await rows(world, hook, status="pending")) == 3


async def test_what_a_replay_may_be_asked_for(world: World, days: Days, here: Endpoint, hook: str) -> None:
    path = f"{hook}/replay"
    some = "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506"
    for body, pointer, code in (
        ({}, "/after", "missing"),
        ({"before": 7}, "/after", "missing"),
        ({"delivery_id": some, "after": 1}, "/after", "one_of_two"),
        ({"delivery_id": some, "before": 1}, "/before", "one_of_two"),
        ({"after": -1}, "/after", "out_of_range"),
        ({"after": "1"}, "/after", "wrong_type"),
    ):
        refused(await world.admin.post(path, json=body), "invalid_request", (pointer, code))
    refused(
        await world.admin.post(path, json={"delivery_id": NOBODY}),
        "invalid_request",
        ("/delivery_id", "unknown_reference"),
    )
    assert ok(await world.admin.post(path, json={"after": 2**50}), 202) == {"count": 0, "last_position": 2**50}
    assert ok(await world.admin.post(path, json={"after": 7, "before": 3}), 202) == {"count": 0, "last_position": 7}


async def test_another_s_delivery_is_not_there(world: World, days: Days, here: Endpoint, hook: str) -> None:
    platform = world.with_key(await key_for(world.admin, "platform", "t1"))
    own = ok(await platform.post("/v1/webhooks", json={"url": here.url, "types": ["*"]}), 201)
    await world.item()
    await days.deliver()
    (row,) = await rows(world, hook)
    refused(
        await platform.post(f"/v1/webhooks/{own['id']}/replay", json={"delivery_id": row["id"]}),
        "invalid_request",
        ("/delivery_id", "unknown_reference"),
    )
    await world.admin.delete(f"/v1/webhooks/{own['id']}")


# -- read


async def test_deliveries_are_listed_by_status_and_page(world: World, days: Days, here: Endpoint, hook: str) -> None:
    failing = await world.item()
    here.answers = refusing(failing["id"])
    for _ in range(4):
        await world.item()
    await days.deliver()
    pages = await every_page(world.admin, f"{hook}/deliveries", limit=2)
    assert [row["id"] for row in pages] == sorted((row["id"] for row in pages), reverse=True)
    assert len(pages) == 5
    by_status = {status: await rows(world, hook, status=status) for status in ("pending", "delivered", "dead")}
    assert {status: len(found) for status, found in by_status.items()} == {"pending": 1, "delivered": 4, "dead": 0}
    assert len(await every_page(world.admin, f"{hook}/deliveries", limit=1, status="delivered")) == 4
    refused(
        await world.admin.get(f"{hook}/deliveries", params={"status": "lost"}),
        "invalid_request", ("/query/status", "not_allowed"),
    )  # fmt: skip
    refused(await world.admin.get(f"/v1/webhooks/{NOBODY}/deliveries"), "not_found")


def test_what_was_sent_is_read_as_it_came() -> None:
    """The tests' own endpoint."""
    sent = Sent.of(b'POST / HTTP/1.1\r\nwebhook-id: x\r\n\r\n{"type": "a"}')
    assert (sent.id, sent.body) == ("x", {"type": "a"})


# -- forgotten


async def test_what_was_delivered_long_ago_is_forgotten_and_can_be_sent_again_all_the_same(
    world: World, days: Days, here: Endpoint, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "AT_ONCE", 2)
    hopeless, *others = [await world.item() for _ in range(6)]
    here.answers = refusing(hopeless["id"])
    await days.deliver()
    delivered = days.now()
    await by_schedule(days)
    waiting = await world.item()
    here.answers = refusing(waiting["id"])
    await days.deliver()
    tenant_id = UUID((await read(world.admin, "/v1/me"))["tenant_id"])
    whole = await rows(world, hook)
    assert [row["status"] for row in whole] == ["dead", *["delivered"] * 5, "pending"]

    await deliveries.forget(world.service, tenant_id, delivered + deliveries.KEPT - timedelta(minutes=1))
    assert await rows(world, hook) == whole
    forgotten = await deliveries.forget(world.service, tenant_id, delivered + deliveries.KEPT + timedelta(minutes=1))
    assert forgotten >= 5
    assert await rows(world, hook) == [whole[0], whole[-1]]

    here.sent.clear()
    here.answers = lambda sent: reply(200)
    between = {"after": whole[0]["position"], "before": whole[-1]["position"]}
    assert ok(await world.admin.post(f"{hook}/replay", json=between), 202)["count"] == 5
    await days.deliver()
    assert {sent.event["item_id"] for sent in here.sent} == {item["id"] for item in others}
