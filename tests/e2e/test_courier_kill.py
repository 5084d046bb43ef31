"""At least once, in order, under sequencers and couriers that are killed while they work and endpoints of every kind.

Writers write; two processes with a sequencer and a courier each are ended by SIGKILL after a random while and started
anew. Then time is made to pass until nothing is due any more, and what arrived is held against the events.
"""

import asyncio
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.outside.addresses import Guard
from service.outside.sender import Sender
from service.settings import Settings, networks
from service.workers import courier, sequencer
from service.workflow.delivery import WAITS, Message, Outcome
from tests.api.helpers import ok
from tests.checks.everything import everything
from tests.endpoint import ALLOWED, Sent, reply
from tests.outside.receiver import Receiver, receiving
from tests.servers import Server, Worker
from tests.world import World

pytestmark = pytest.mark.long

WORKERS = 2
WRITERS, SECONDS, KILLS, LIVES = 4, 5, 3, 3
WRITERS_IN_FULL, SECONDS_IN_FULL, KILLS_IN_FULL, LIVES_IN_FULL = 16, 60, 15, 8
"""It goes on until so many seconds have passed, so many workers were killed, none older than so many seconds, and
something has arrived."""

KILLS_AT_MOST = 60
"""However slow the machine is: whoever has sent nothing by then sends nothing."""

HOPELESS = "无望"
HOPELESS_EVERY, HOPELESS_MOST = 10, 12
"""Some items have this in their title: there is an endpoint that never takes their first event."""

STEPS = (timedelta(seconds=61), *(wait * 1.11 for wait in WAITS), timedelta(hours=1))
"""The end of every lease, then of every wait."""

chance = random.Random(20261128)


@dataclass
class Ear:
    """An endpoint: how it answers, and what it heard. None: not at all."""

    name: str
    answer: Callable[["Ear", Sent], bytes | None]
    closes: bool = False
    url: str = ""
    id: str = ""
    well: bool = True
    """From here on what it does now and then it does no more."""
    heard: Counter[str] = field(default_factory=Counter)
    contents: dict[str, bytes] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    """Events that came a second time with another content."""
    first: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By item: the positions of what arrived, each when it did for the first time."""
    taken: set[str] = field(default_factory=set)

    def hears(self, sent: Sent) -> bytes | None:
        self.heard[sent.id] += 1
        if self.contents.setdefault(sent.id, sent.content) != sent.content:
            self.changed.append(sent.id)
        if sent.id not in self.taken:
            self.first[sent.event["item_id"]].append(sent.event["position"])
            self.taken.add(sent.id)
        return self.answer(self, sent)

    def now_and_then(self, share: float) -> bool:
        return self.well and chance.random() < share


HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf of i"


def ears() -> list[Ear]:
    def some(ear: Ear, sent: Sent) -> bytes:
        hopeless = sent.body["type"] == "item.created" and HOPELESS in sent.event["data"]["title"]
        return reply(500 if hopeless else 200)

    def halves(ear: Ear, sent: Sent) -> bytes:
        ear.closes = ear.now_and_then(0.2)
        return HALF if ear.closes else reply(200)

    return [
        Ear("well", lambda ear, sent: reply(200)),
        Ear("erring", lambda ear, sent: reply(500 if ear.now_and_then(0.2) else 200)),
        Ear("busy", lambda ear, sent: reply(429, Retry_After="1") if ear.now_and_then(0.2) else reply(204)),
        Ear("breaking off", halves),
        Ear("picky", some),
        Ear("gone", lambda ear, sent: reply(410)),
        Ear("hanging", lambda ear, sent: None),
    ]


@asynccontextmanager
async def listening(ear: Ear) -> AsyncIterator[Ear]:
    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        content = ear.hears(Sent.of(receiver.requests.pop()))
        closes = ear.closes
        if content is not None:
            writer.write(content)
            await writer.drain()
            if closes:
                writer.close()

    async with receiving(answer) as receiver:
        ear.url = receiver.url
        yield ear


class Brief(Sender):
    """As every sender, but with one endpoint that never answers it has little patience."""

    def __init__(self, guard: Guard, hanging: str) -> None:
        super().__init__(guard)
        self._hanging, self._briefly = hanging, Sender(guard, within=0.15)

    async def send(self, url: str, message: Message) -> Outcome:
        return await (self._briefly.send(url, message) if url == self._hanging else super().send(url, message))

    def close(self) -> None:
        self._briefly.close()
        super().close()


# -- those who write, and those who are killed


async def write(world: World, going: Callable[[], bool], serial: Any) -> None:
    while going():
        number = next(serial)
        hopeless = number % HOPELESS_EVERY == 0 and number <= HOPELESS_EVERY * HOPELESS_MOST
        item = await world.item(title=f"第{number}号{HOPELESS if hopeless else ''}")
        ok(await world.fire(world.admin, item["id"], "claim", signed_by="李村长"))
        for step in range(3):
            path = f"/v1/items/{item['id']}/progress"
            ok(await world.admin.post(path, json={"text": f"第{step}步"}), 201)


async def kill_and_restart(
    settings: Settings, home: Path, kills: int, lives: float, ends: float, heard: Callable[[], int]
) -> None:
    """So many times at least, until then, and until something is heard; each when it is at work."""
    server = Server(settings, home, webhook_allow_networks=ALLOWED)
    workers = [Worker(server, home / f"worker{place}").start() for place in range(WORKERS)]
    try:
        for count, worker in enumerate(itertools.cycle(workers), 1):
            while not worker.up:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(chance.uniform(1, lives))
            worker.kill()
            if count > kills and time.monotonic() > ends and (heard() or count > KILLS_AT_MOST):
                return
            worker.start()
    finally:
        for worker in workers:
            worker.kill()


async def test_every_endpoint_that_is_well_gets_everything_in_order(
    settings: Settings, kind: str, full: bool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    allowed = settings.model_copy(update={"webhook_allow_networks": ALLOWED})
    began = time.monotonic()
    async with AsyncExitStack() as stack, World.running(allowed) as world:
        every = [await stack.enter_async_context(listening(ear)) for ear in ears()]
        await sequencer.run_until_done(world.service)
        for ear in every:
            made = await world.admin.post("/v1/webhooks", json={"url": ear.url, "types": ["item.*"]})
            ear.id = ok(made, 201)["id"]
        serial, over = itertools.count(1), asyncio.Event()
        in_full = (WRITERS_IN_FULL, SECONDS_IN_FULL, KILLS_IN_FULL, LIVES_IN_FULL)
        writers, seconds, kills, lives = in_full if full else (WRITERS, SECONDS, KILLS, LIVES)
        writing = asyncio.gather(*(write(world, lambda: not over.is_set(), serial) for _ in range(writers)))

        def heard() -> int:
            return sum(sum(ear.heard.values()) for ear in every)

        await kill_and_restart(settings, tmp_path, kills, lives, time.monotonic() + seconds, heard)
        over.set()
        await writing
        # All are killed. In the time that passes now nobody errs any more who only did so now and then.
        before = heard()
        hanging = next(ear.url for ear in every if ear.name == "hanging")
        world.service.sender = Brief(Guard(networks(ALLOWED)), hanging)
        for ear in every:
            ear.well = False
        passed = timedelta()
        for step in STEPS:
            passed += step
            # Something arrives everywhere now and then, so that nobody is given up for what is hopeless.
            await world.item(title="又一条")
            await sequencer.run_until_done(world.service)
            await courier.run_until_done(world.service, clock=lambda: datetime.now(UTC) + passed)  # noqa: B023
        world.service.sender.close()
    found = await everything(settings)
    events = {str(row["id"]): row for row in found["events"] if row["type"].startswith("item.")}
    by_ear = defaultdict(list)
    for row in found["deliveries"]:
        by_ear[str(row["webhook_id"])].append(row)
    enabled = {str(row["id"]): (row["enabled"], row["disabled_reason"]) for row in found["webhooks"]}
    doubled = 0
    for ear in every:
        states = Counter(row["status"] for row in by_ear[ear.id])
        attempts = sum(len(row["attempts"]) for row in by_ear[ear.id])
        print(f"{kind} {ear.name}: heard {sum(ear.heard.values())} of {len(ear.heard)} events; "
              f"{dict(states)}, {attempts} attempts written")  # fmt: skip
        assert ear.changed == [], "an event is the same at every attempt"
        if ear.name in ("gone", "hanging"):
            continue
        doubled += sum(ear.heard.values()) - attempts
        assert ear.heard.keys() == events.keys()
        assert not [item for item, positions in ear.first.items() if positions != sorted(positions)]
        assert enabled[ear.id] == (True, None)
        hopeless = {
            event_id
            for event_id, row in events.items()
            if ear.name == "picky" and row["type"] == "item.created" and HOPELESS in found.told(row)["data"]["title"]
        }
        assert {str(row["event_id"]) for row in by_ear[ear.id] if row["status"] == "dead"} == hopeless
        assert Counter(row["status"] for row in by_ear[ear.id]) == Counter(
            {"delivered": len(events) - len(hopeless), **({"dead": len(hopeless)} if hopeless else {})}
        )
        assert not [row for row in found["lanes"] if str(row["webhook_id"]) == ear.id]
    gone = next(ear for ear in every if ear.name == "gone")
    assert enabled[gone.id] == (False, "gone") and not [
        row for row in by_ear[gone.id] if row["status"] in ("delivered", "dead")
    ]
    assert before > 0
    print(f"{kind}: {len(events)} events, {len(found['deliveries'])} deliveries, {kills} and more killed, {before} "
          f"sends under the kills, {doubled} sent and not written down, {time.monotonic() - began:.0f} s")  # fmt: skip
    record_property("events under killed couriers", len(events))
