"""Followers of the feed on a real port, while callers write and sequencers are killed: everything, in order, once.

One follows by pages with a long poll, one by Server-Sent Events over connections that it drops again and again.
"""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.settings import Settings
from service.workflow import merkle
from tests.checks.everything import Everything, everything
from tests.servers import Server, Worker

WRITERS = 8
EACH, EACH_IN_FULL = 25, 400
"""Items that every writer lists, each with two entries of progress."""

SEQUENCERS = 2
"""Processes beside the server's own, on PostgreSQL, where several may run."""


class Followers:
    """What two followers saw, until they are told that `end` events are all."""

    def __init__(self, server: Server) -> None:
        self.by_pages: list[dict[str, Any]] = []
        self.by_stream: list[dict[str, Any]] = []
        self.end: int | None = None
        self.resumed = 0
        self._server = server

    def _client(self) -> httpx.AsyncClient:
        key = {"Authorization": f"Bearer {self._server.admin_key}"}
        return httpx.AsyncClient(base_url=self._server.url, headers=key, timeout=60)

    async def pages(self) -> None:
        async with self._client() as client:
            after = 0
            while after != self.end:
                answer = await client.get("/v1/events", params={"after": after, "wait": 1, "limit": 37})
                answer.raise_for_status()
                self.by_pages += answer.json()["items"]
                after = answer.json()["last_position"]

    async def stream(self) -> None:
        chance, last = random.Random(3), 0
        async with self._client() as client:
            while last != self.end:
                patience = chance.randrange(1, 60)
                async with client.stream("GET", "/v1/events/stream", headers={"Last-Event-ID": str(last)}) as answer:
                    assert answer.status_code == 200
                    assert answer.headers["content-type"].startswith("text/event-stream")
                    heard = messages(answer)
                    while patience and last != self.end:
                        try:
                            message = await asyncio.wait_for(anext(heard), 5)
                        except TimeoutError:
                            # Nothing more came; perhaps that was all.
                            break
                        assert int(message["id"]) > last
                        last = int(message["id"])
                        if "data" in message:
                            event = json.loads(message["data"])
                            assert (message["event"], event["position"]) == (event["type"], last)
                            self.by_stream.append(event)
                        patience -= 1
                self.resumed += 1


async def messages(answer: httpx.Response) -> AsyncIterator[dict[str, str]]:
    """The messages of a stream, field by field; comments are none."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line:
            if fields:
                yield fields
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


async def write(server: Server, each: int, struck: asyncio.Event) -> None:
    """So much at least, and until then."""

    async def one(writer: int) -> None:
        key = {"Authorization": f"Bearer {server.admin_key}"}
        async with httpx.AsyncClient(base_url=server.url, headers=key, timeout=60) as client:
            for number in itertools.count():
                if number >= each and struck.is_set():
                    return
                body = {"ledger": "default", "title": f"{writer}-{number}", "responsible_unit": "root"}
                made = await client.post("/v1/items", json=body)
                assert made.status_code == 201, made.text
                for step in ("一", "二"):
                    told = await client.post(f"/v1/items/{made.json()['id']}/progress", json={"text": step})
                    assert told.status_code == 201, told.text

    await asyncio.gather(*(one(writer) for writer in range(WRITERS)))


async def harass(server: Server, home: Path, struck: asyncio.Event, done: asyncio.Event) -> int:
    """Start sequencers and kill them at work, again and again; how many were killed. `struck`: each of them once."""
    chance, kills = random.Random(5), 0
    workers = [Worker(server, home / str(place)).start() for place in range(SEQUENCERS)]
    try:
        while True:
            worker = workers[kills % SEQUENCERS]
            while not (worker.up or done.is_set()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), chance.uniform(0.2, 1.5))
            if done.is_set():
                return kills
            worker.kill()
            kills += 1
            if kills == SEQUENCERS:
                struck.set()
            worker.start()
    finally:
        for worker in workers:
            worker.kill()


async def all_sequenced(settings: Settings) -> Everything:
    gives_up = time.monotonic() + 60
    while (found := await everything(settings))["unsequenced"]:
        assert time.monotonic() < gives_up, f"{len(found['unsequenced'])} events wait for a position"
        await asyncio.sleep(0.2)
    return found


@pytest.mark.long
async def test_followers_end_with_exactly_the_events_of_the_database(
    server: Server, kind: str, full: bool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    server.start()
    followers, struck, done = Followers(server), asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(followers.pages())
        streaming = tasks.create_task(followers.stream())
        killing = None
        if kind == "postgresql":
            killing = tasks.create_task(harass(server, tmp_path / "worker", struck, done))
        else:
            struck.set()
        await write(server, EACH_IN_FULL if full else EACH, struck)
        done.set()
        found = await all_sequenced(server.settings)
        followers.end = len(found["log"])
        if len(followers.by_stream) == followers.end:
            streaming.cancel()  # it waits for more, and there is none
    record_property("events followed", followers.end)
    kills = killing.result() if killing else 0
    print(f"{kind}: {followers.end} events, {followers.resumed} streams, {kills} sequencers killed")
    positions = {row["event_id"]: row["position"] for row in found["log"]}
    stored = sorted((positions[row["id"]], str(row["id"])) for row in [*found["events"], *found["tenant_events"]])
    assert [position for position, _ in stored] == list(range(1, followers.end + 1))
    assert [(event["position"], event["id"]) for event in followers.by_pages] == stored
    assert followers.by_stream == followers.by_pages
    assert in_order_of_each_item(followers.by_pages)
    leaves = [bytes(row["leaf_hash"]) for row in sorted(found["log"], key=lambda row: row["position"])]
    whole = merkle.extend(merkle.SHA256, 0, (), leaves)
    assert bytes(found["log_heads"][0]["frontier"]) == b"".join(whole.frontier)


def in_order_of_each_item(events: list[dict[str, Any]]) -> bool:
    versions: dict[str, int] = {}
    for event in events:
        if event["item_id"] and event["type"].startswith("item."):
            if event["item_version"] != versions.get(event["item_id"], 0) + 1:
                return False
            versions[event["item_id"]] = event["item_version"]
    return True


# -- on one server, wherever its log has come to


@pytest.fixture(scope="module")
def standing(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(settings, tmp_path_factory.mktemp("standing"), workers_inside="true") as server:
        yield server


async def told_of(client: httpx.AsyncClient, item_id: str) -> None:
    """Wait until the feed has come to an item."""
    after, page = 0, {"items": []}
    async with asyncio.timeout(60):
        while item_id not in [event["item_id"] for event in page["items"]]:
            page = (await client.get("/v1/events", params={"after": after, "wait": 20})).json()
            after = page["last_position"]


async def test_a_stream_begins_with_what_comes_next_and_ends_with_the_key(standing: Server) -> None:
    key = {"Authorization": f"Bearer {standing.admin_key}"}
    async with httpx.AsyncClient(base_url=standing.url, headers=key, timeout=30) as client:
        person = (await client.post("/v1/principals", json={"kind": "person", "name": "旁听"})).json()
        made = await client.post(f"/v1/principals/{person['id']}/keys", json={"expires_at": "2099-01-01T00:00:00Z"})
        grant = {"role": "viewer", "unit": "root"}
        assert (await client.post(f"/v1/principals/{person['id']}/grants", json=grant)).status_code == 201
        body = {"ledger": "default", "title": "桥面破损", "responsible_unit": "root"}
        await told_of(client, (await client.post("/v1/items", json=body)).json()["id"])
        listener = {"Authorization": f"Bearer {made.json()['key']}"}
        async with client.stream("GET", "/v1/events/stream", headers=listener, params={"type": "item.*"}) as answer:
            heard = messages(answer)
            item = (await client.post("/v1/items", json=body)).json()
            first = await asyncio.wait_for(anext(heard), 10)
            while "data" not in first:  # only how far it has come
                first = await asyncio.wait_for(anext(heard), 10)
            assert json.loads(first["data"])["item_id"] == item["id"], "nothing of before it came"

            gone = await client.delete(f"/v1/principals/{person['id']}")
            assert gone.status_code == 204, gone.text
            with pytest.raises(StopAsyncIteration):
                while True:
                    await asyncio.wait_for(anext(heard), 15)


async def test_a_town_s_stream_tells_of_others_events_nothing_but_how_far_the_log_has_come(standing: Server) -> None:
    admin = {"Authorization": f"Bearer {standing.admin_key}"}
    async with httpx.AsyncClient(base_url=standing.url, headers=admin, timeout=30) as client:

        async def made(path: str, **body: Any) -> dict[str, Any]:
            answer = await client.post(path, json=body)
            assert answer.is_success, answer.text
            return dict(answer.json())

        for code in ("own", "other"):
            await made("/v1/units", code=code, name=f"{code}镇", parent="root")
        platform = await made("/v1/principals", kind="platform", name="镇平台")
        await made(f"/v1/principals/{platform['id']}/grants", role="platform", unit="own")
        user = await made("/v1/principals", kind="person", name="镇干部")
        await made(f"/v1/principals/{user['id']}/grants", role="supervisor", unit="root")
        agreed = {"json": {"delegates": [platform["id"]]}, "headers": {"If-Match": f'"{user["version"]}"'}}
        assert (await client.patch(f"/v1/principals/{user['id']}", **agreed)).is_success
        key = (await made(f"/v1/principals/{platform['id']}/keys", delegate=True))["key"]
        before = (await client.get("/v1/events", params={"limit": 200})).json()["last_position"]
        theirs = await made("/v1/items", ledger="default", title="邻镇桥面破损", responsible_unit="other")
        own = await made("/v1/items", ledger="default", title="本镇桥面破损", responsible_unit="own")
        town = {"Authorization": f"Bearer {key}", "Last-Event-ID": str(before)}
        for acting in ({}, {"X-Acting-For": user["id"]}):
            told, text = [], ""
            async with client.stream("GET", "/v1/events/stream", headers=town | acting) as answer:
                assert answer.status_code == 200, await answer.aread()
                heard = messages(answer)
                # What was made before the items may have had no position yet: it comes first, where it is for the town.
                while own["id"] not in text:
                    told.append(await asyncio.wait_for(anext(heard), 15))
                    text = json.dumps(told, ensure_ascii=False)
            assert theirs["id"] not in text and "邻镇" not in text
            assert all(message.keys() == {"id"} for message in told if "data" not in message)


async def test_a_stream_cannot_be_resumed_behind_the_end_of_the_log(standing: Server) -> None:
    key = {"Authorization": f"Bearer {standing.admin_key}", "Last-Event-ID": "999999999"}
    async with httpx.AsyncClient(base_url=standing.url, headers=key, timeout=30) as client:
        answer = await client.get("/v1/events/stream")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "out_of_range"


async def test_a_stream_cannot_be_resumed_at_what_is_no_position(standing: Server) -> None:
    async with httpx.AsyncClient(base_url=standing.url, timeout=30) as client:
        for resume in ("abc", "-1", "99999999999999999"):
            key = {"Authorization": f"Bearer {standing.admin_key}", "Last-Event-ID": resume}
            assert (await client.get("/v1/events/stream", headers=key)).status_code == 422
