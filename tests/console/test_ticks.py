"""The live tick: it tells of what happens in one's scope, and ends with the session."""

import asyncio

import pytest

from service.console import ticks
from service.console.visits import COOKIE, Visit
from service.workers import sequencer
from tests.api.helpers import ok
from tests.console.conftest import Seat
from tests.console.desk import Desk


async def visiting(world, seat: Seat, *more: tuple[bytes, bytes]) -> Visit:
    """The request for ticks of somebody's browser, as the server would hand it on."""
    cookie = f"{COOKIE}={seat.desk.client.cookies[COOKIE]}".encode()
    visit = Visit(
        {
            "type": "http", "app": world.app, "method": "GET", "path": "/console/ticks", "query_string": b"",
            "headers": [(b"cookie", cookie), (b"host", b"xiaohao.test"), *more], "client": ("127.0.0.1", 5),
            "scheme": "http",
        }
    )  # fmt: skip
    await visit.enter()
    return visit


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(ticks, "RECHECK_SECONDS", 0.1)


async def told(stream) -> bytes:
    async with asyncio.timeout(20):
        return await anext(stream)


async def test_it_tells_of_what_happens_in_one_s_scope(world, people):
    await sequencer.run_until_done(world.service)
    answer = await ticks.ticks(await visiting(world, people.village))
    assert answer.media_type == "text/event-stream" and answer.headers["cache-control"] == "no-store"
    stream = answer.body_iterator
    assert await told(stream) == b"retry: 5000\n\n"
    await world.item(responsible_unit="t2v1")
    mine = await world.item(responsible_unit="t1v1")
    await sequencer.run_until_done(world.service)
    tick = await told(stream)
    assert tick.startswith(b"id: ") and b"event: tick\n" in tick
    assert b'"count":1' in tick and mine["id"].encode() in tick
    await stream.aclose()


async def test_a_reader_that_comes_back_is_told_what_it_missed(world, people):
    await sequencer.run_until_done(world.service)
    missed = await world.item()
    await sequencer.run_until_done(world.service)
    for last, hears in ((b"1", True), (b"999999999", False), (b"x", False)):
        visit = await visiting(world, people.supervisor, (b"last-event-id", last))
        stream = (await ticks.ticks(visit)).body_iterator
        assert await told(stream) == b"retry: 5000\n\n"
        if hears:
            heard = b""
            while missed["id"].encode() not in heard:
                heard = await told(stream)
        else:
            new = await world.item()
            await sequencer.run_until_done(world.service)
            heard = await told(stream)
            assert new["id"].encode() in heard and missed["id"].encode() not in heard
        await stream.aclose()


async def test_it_ends_with_the_session(world):
    named = ok(await world.admin.post("/v1/principals", json={"name": "看板", "kind": "person"}), 201)
    body = {"role": "viewer", "unit_id": world.units["root"]}
    ok(await world.admin.post(f"/v1/principals/{named['id']}/grants", json=body), 201)
    made = ok(await world.admin.post(f"/v1/principals/{named['id']}/keys", json={}), 201)
    seat = Seat(made["key"], await Desk.of(world, made["key"]), world.admin)
    await sequencer.run_until_done(world.service)
    stream = (await ticks.ticks(await visiting(world, seat))).body_iterator
    await told(stream)
    assert (await world.admin.delete(f"/v1/principals/{named['id']}/keys/{made['id']}")).status_code == 204
    world.app.state.doorkeeper.forget_everyone()
    with pytest.raises(StopAsyncIteration):
        await told(stream)


async def test_without_a_session_there_is_none(world):
    answer = await world.with_key(None).get("/console/ticks")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
