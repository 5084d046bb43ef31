"""The courier as a worker: nobody waits for another's endpoint, and nothing is lost or doubled beyond a crash."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from service.actions import courier as actions
from service.errors import Refused
from service.outside.addresses import Guard
from service.outside.sender import Sender
from service.settings import Settings, networks
from service.store.database import Changes, Statement, Tx
from service.store.deliveries import DeliveryRow
from service.store.lanes import LaneRow
from service.store.webhooks import WebhookRow
from service.workers import courier, sequencer
from service.workers.courier import Courier
from tests.api.helpers import ok, read
from tests.endpoint import ALLOWED, Endpoint, endpoint, reply
from tests.world import World

WITHIN = 15.0
"""Seconds that an endpoint has here."""

STATUSES = Statement(select(DeliveryRow.webhook_id, DeliveryRow.status, DeliveryRow.attempts))
LANES = Statement(select(LaneRow.id, LaneRow.pending, LaneRow.next_at))
WAITING = Statement(select(func.count()).select_from(LaneRow))


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    async with World.running(settings.model_copy(update={"webhook_allow_networks": ALLOWED})) as world:
        world.service.sender = Sender(Guard(networks(ALLOWED)), within=WITHIN)
        await sequencer.run_until_done(world.service)
        yield world
        world.service.sender.close()


@pytest.fixture
async def here() -> AsyncIterator[Endpoint]:
    async with endpoint() as here:
        yield here


@pytest.fixture
async def hook(world: World) -> AsyncIterator[Callable[..., Any]]:
    """Makes webhooks for the events of items, which are gone after the test."""
    made = []

    async def make(url: str, **given: Any) -> dict[str, Any]:
        found = ok(await world.admin.post("/v1/webhooks", json={"url": url, "types": ["item.*"], **given}), 201)
        made.append(found["id"])
        await sequencer.run_until_done(world.service)
        return found

    yield make
    for id_ in made:
        await world.admin.delete(f"/v1/webhooks/{id_}")


async def rows(world: World, statement: Statement) -> list[Any]:
    async def action(tx: Tx) -> list[Any]:
        return list(await tx.all(statement))

    return await world.service.read(action)


async def listed(world: World, count: int) -> list[str]:
    """Items, each with an event that has its position."""
    items = [(await world.item())["id"] for _ in range(count)]
    await sequencer.run_until_done(world.service)
    return items


async def until(true: Callable[[], Any], seconds: float = 20.0) -> float:
    """Wait until it is; how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "too long"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


class Running:
    """Couriers at work until the end of the block."""

    def __init__(self, world: World, count: int = 1, **given: Any) -> None:
        self.couriers = [Courier(world.service, **given) for _ in range(count)]

    async def __aenter__(self) -> "Running":
        self.tasks = [asyncio.create_task(each.run()) for each in self.couriers]
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


# -- endpoints beside each other


async def test_a_slow_and_a_hanging_endpoint_hold_up_nobody(
    world: World, here: Endpoint, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither is given up while the others are waited for.
    patient = Sender(Guard(networks(ALLOWED)), within=600)
    monkeypatch.setattr(world.service, "sender", patient)
    monkeypatch.setattr(courier, "GRACE_SECONDS", 0.1)
    answers = asyncio.Event()
    async with endpoint(answers=lambda sent: None) as hanging, endpoint(handle=answers.wait) as slow:
        for each in (hanging, slow, here):
            await hook(each.url)
        await listed(world, 100)
        # Fewer shared sends than the two have in hand.
        async with Running(world, concurrency=10, sends=12):
            # The slow one has answered nothing yet.
            await until(lambda: len(here.sent) == 100, 60)
            assert 0 < len(hanging.sent) <= 10 and 0 < len(slow.sent) <= 10
            answers.set()
            await until(lambda: len(slow.sent) > 10)
    patient.close()


async def test_shared_sends_go_to_whoever_has_the_fewest(world: World, here: Endpoint, hook: Any) -> None:
    async with AsyncExitStack() as stack:
        # Too quick to give their sends back for being slow; three of them could keep all of those that are shared.
        slow = [await stack.enter_async_context(endpoint(seconds=0.3)) for _ in range(7)]
        for each in slow:
            await hook(each.url)
        await listed(world, 40)
        async with Running(world, concurrency=2, sends=6):
            await until(lambda: sum(len(each.sent) for each in slow) >= 12)
            await hook(here.url)
            await listed(world, 10)
            await until(lambda: len(here.sent) == 10)
            assert all(each.sent for each in slow)
            # Otherwise it would only have had its turn when those before it had nothing left.
            assert all(len(each.sent) < 40 for each in slow)


async def test_an_endpoint_gets_so_many_at_a_time_and_an_ailing_one_a_single_one(
    world: World, here: Endpoint, hook: Any
) -> None:
    now, most, ten = 0, 0, asyncio.Event()

    async def handled() -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        if most == 10:
            ten.set()
        # The first wait for each other; then there is time for one too many.
        await asyncio.wait_for(ten.wait(), 10)
        await asyncio.sleep(0.05)
        now -= 1

    here.handle = handled
    made = await hook(here.url)
    await listed(world, 40)
    await courier.run_until_done(world.service)
    assert (len(here.sent), most) == (40, 10)
    here.answers = lambda sent: reply(500)
    await listed(world, 30)
    await Courier(world.service).run_once(datetime.now(UTC))
    most = 0
    found = await read(world.admin, f"/v1/webhooks/{made['id']}")
    assert found["failures"] >= 5
    await listed(world, 10)
    await Courier(world.service).run_once(datetime.now(UTC))
    assert most == 1


@pytest.mark.parametrize("couriers", [1, 3])
async def test_an_endpoint_gets_as_many_a_second_as_it_wants_of_all_together(
    world: World, here: Endpoint, hook: Any, couriers: int
) -> None:
    await hook(here.url, rate_limit=40)
    items = await listed(world, 31)
    # Many for one item, which are taken together otherwise.
    for number in range(9):
        body = {"text": f"第{number}天", "percent": number}
        ok(await world.admin.post(f"/v1/items/{items[0]}/progress", json=body), 201)
    await sequencer.run_until_done(world.service)
    began = time.monotonic()
    async with Running(world, couriers):
        await until(lambda: len(here.sent) == 40)
    assert 0.95 <= time.monotonic() - began < 12


async def test_a_fault_with_one_endpoint_does_not_stop_the_others(world: World, here: Endpoint, hook: Any) -> None:
    async with endpoint() as broken:
        bad, good = await hook(broken.url), await hook(here.url)

        async def spoil(tx: Tx) -> None:
            changes = Changes()
            changes.add(
                Statement(update(WebhookRow).where(WebhookRow.id == UUID(bad["id"])).values(secret_sealed=b"nothing")),
            )
            await tx.apply(changes)

        await world.service.database.write(spoil)
        items = await listed(world, 5)
        async with Running(world) as running:
            await until(lambda: len(here.sent) == 5)
            assert running.couriers[0].beating
        assert broken.sent == [] and {sent.event["item_id"] for sent in here.sent} == set(items)
        assert good["id"] != bad["id"]


async def test_what_is_committed_arrives_within_a_second(world: World, here: Endpoint, hook: Any) -> None:
    await hook(here.url)
    loop = sequencer.loop(world.service)
    task = asyncio.create_task(loop.run())
    try:
        async with Running(world):
            took = []
            for number in range(5):
                await world.item()
                took.append(await until(lambda number=number: len(here.sent) > number))
        assert sorted(took)[2] < 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# -- leases


async def take(world: World, now: datetime, limit: int = 10) -> list[actions.Run]:
    (each,) = await actions.due(world.service, now)
    return await actions.take(world.service, *each, now, limit)


def delivered(runs: list[actions.Run], now: datetime) -> list[actions.Report]:
    reports = []
    for run in runs:
        report = actions.Report(run, now, arrived=[True] * len(run.stops))
        for stop in run.stops:
            report.wrote(stop, "delivered", None, now)
        reports.append(report)
    return reports


async def test_what_one_courier_has_in_hand_no_other_takes_before_its_lease_ends(
    world: World, here: Endpoint, hook: Any
) -> None:
    await hook(here.url)
    await listed(world, 6)
    now = datetime.now(UTC) + timedelta(seconds=1)
    first, second = await take(world, now, 4), await take(world, now)
    lanes = [{run.lane_id for run in runs} for runs in (first, second)]
    assert (len(lanes[0]), len(lanes[1])) == (4, 2) and not lanes[0] & lanes[1]
    assert await actions.due(world.service, now + timedelta(seconds=59)) == []
    later = now + timedelta(seconds=61)
    third = await take(world, later)
    assert {run.lane_id for run in third} == lanes[0] | lanes[1]
    # The first comes back after its lease, when its lanes are another's: nothing of what it says counts.
    await actions.record(world.service, delivered(first, later), later, 0.5)
    assert {row[1] for row in await rows(world, STATUSES)} == {"pending"}
    await actions.record(world.service, delivered(third, later), later, 0.5)
    assert {row[1] for row in await rows(world, STATUSES)} == {"delivered"}
    assert await rows(world, LANES) == []


async def test_what_was_sent_and_not_written_down_is_sent_again(
    world: World, here: Endpoint, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hook(here.url)
    items = await listed(world, 3)

    async def lost(*given: object) -> None:
        raise LookupError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(actions, "record", lost)
        await Courier(world.service).run_once(datetime.now(UTC))
    assert len(here.sent) == 3
    assert await courier.run_until_done(world.service) == 0
    await courier.run_until_done(world.service, clock=lambda: datetime.now(UTC) + timedelta(seconds=61))
    assert sorted(sent.event["item_id"] for sent in here.sent[3:]) == sorted(items)
    assert len(here.sent) == 6 and await rows(world, LANES) == []


async def test_while_the_database_is_away_outcomes_are_kept(
    world: World, here: Endpoint, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hook(here.url)
    # Of several the outcomes might be written one after the other.
    await listed(world, 1)
    record, tries = actions.record, 0

    async def away(*given: Any) -> list[actions.Report]:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Refused("unavailable")
        return await record(*given)

    monkeypatch.setattr(actions, "record", away)
    monkeypatch.setattr("service.workers.outcomes.AGAIN_SECONDS", 0.01)
    await Courier(world.service).run_once(datetime.now(UTC))
    assert (tries, len(here.sent)) == (3, 1)
    assert {row[1] for row in await rows(world, STATUSES)} == {"delivered"}


async def test_a_courier_that_is_told_to_stop_gives_back_what_waits(
    world: World, here: Endpoint, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy the machine is, what is on its way arrives.
    monkeypatch.setattr(courier, "GRACE_SECONDS", 60)
    here.seconds = 0.5
    await hook(here.url)
    await listed(world, 30)
    async with Running(world, concurrency=3):
        # Long enough for it to know the endpoint's pace, and to take more than it can send at once.
        await until(lambda: len(here.sent) >= 7)
    # What was on its way arrived, and is written down; all else is due now, and not when a lease would end.
    done = sum(row[1] == "delivered" for row in await rows(world, STATUSES))
    assert done == len(here.sent) < 30
    here.seconds = 0.0
    assert all(row[2] <= datetime.now(UTC) for row in await rows(world, LANES))
    await courier.run_until_done(world.service)
    assert len(here.sent) == 30


# -- several


async def test_four_couriers_deliver_each_event_once_and_each_item_s_in_order(
    world: World, here: Endpoint, hook: Any
) -> None:
    async with endpoint() as there:
        await hook(here.url), await hook(there.url)
        sequencing = asyncio.create_task(sequencer.loop(world.service).run())

        async def live() -> str:
            item = await world.item()
            await world.fire(world.admin, item["id"], "claim", signed_by="李村长")
            for each in range(4):
                await world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": f"第{each}步"})
            return str(item["id"])

        async with Running(world, 4):
            items = [each for _ in range(4) for each in await asyncio.gather(*(live() for _ in range(10)))]
            for each in (here, there):
                await until(lambda each=each: len(each.sent) == 6 * len(items))
            await asyncio.sleep(0.2)
        sequencing.cancel()
        await asyncio.gather(sequencing, return_exceptions=True)
        for each in (here, there):
            assert len({sent.id for sent in each.sent}) == len(each.sent)
            versions: dict[str, list[int]] = defaultdict(list)
            for sent in each.sent:
                versions[sent.event["item_id"]].append(sent.event["item_version"])
            assert versions == {item: [1, 2, 3, 4, 5, 6] for item in items}
    assert await rows(world, LANES) == []


async def test_a_long_lane_is_delivered_a_few_at_a_time(
    world: World, here: Endpoint, hook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A run ends by how many it has, and not by how long they take.
    monkeypatch.setattr(courier, "RUN_SECONDS", 60)
    await hook(here.url)
    (item,) = await listed(world, 1)
    for number in range(20):
        await world.admin.post(f"/v1/items/{item}/progress", json={"text": f"第{number}步"})
    await sequencer.run_until_done(world.service)
    assert [row[1] for row in await rows(world, LANES)] == [21]
    taken = [await Courier(world.service).run_once(datetime.now(UTC)) for _ in range(4)]
    assert taken == [1, 1, 1, 0]
    assert [sent.event["item_version"] for sent in here.sent] == list(range(1, 22))
