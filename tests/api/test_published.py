"""Published checkpoints: once a day for a log that has grown, by whichever process comes first, and on request."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.actions import audit, publishing
from service.outside.vault import verifier
from service.workers import housekeeping, sequencer
from service.workflow import notes
from service.workflow.notes import Checkpoint
from service.workflow.signers import Signers
from tests.api.helpers import ok, read, refused
from tests.world import World

NOON = datetime(2190, 3, 1, 4, tzinfo=UTC)
"""Twelve o'clock of a day in Shanghai, whose day begins at 16:00 UTC."""

DAY = timedelta(days=1)


async def sequenced(world: World) -> None:
    await sequencer.run_until_done(world.service)


async def opened(world: World, event: dict[str, Any]) -> Checkpoint:
    key = notes.parse_key((await world.admin.get("/v1/log/key")).text.strip())
    return Signers(key, verifier).checkpoint(event["data"]["checkpoint"])


async def published(by: httpx.AsyncClient) -> list[dict[str, Any]]:
    found, after = [], 0
    while (page := await read(by, "/v1/events", type="log.checkpoint", after=after))["last_position"] > after:
        found += page["items"]
        after = page["last_position"]
    return found


@pytest.fixture
async def fresh(world: World, request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """The admin of a tenant in which nothing was published, while all others have had their day's."""
    await sequenced(world)
    await publishing.publish_due(world.service, NOON - DAY)
    admin = await world.tenant(f"fresh-{abs(hash(request.node.name))}")
    await sequenced(world)
    return admin


async def test_on_request_a_checkpoint_of_the_log_as_it_is_becomes_an_event(world: World) -> None:
    await world.item()
    await sequenced(world)

    event = ok(await world.admin.post("/v1/log/checkpoints"), 201)

    checkpoint = await opened(world, event)
    assert (event["type"], event["position"], event["item_id"], event["unit_id"]) == (
        "log.checkpoint",
        None,
        None,
        None,
    )
    assert event["data"].keys() == {"size", "root_hash", "checkpoint"}
    assert (event["data"]["size"], event["data"]["root_hash"]) == (checkpoint.size, checkpoint.root.hex())
    await sequenced(world)
    (shown,) = [each for each in await published(world.admin) if each["id"] == event["id"]]
    assert shown == event | {"position": checkpoint.size + 1}
    tenant_id = UUID((await read(world.admin, "/v1/me"))["tenant_id"])
    assert checkpoint.origin.endswith(str(tenant_id))
    _, faults = await audit.check(world.service, tenant_id, (event["data"]["checkpoint"],))
    assert faults == []


async def test_it_is_for_those_who_see_the_whole_tenant_and_made_by_admins(world: World) -> None:
    ok(await world.admin.post("/v1/log/checkpoints"), 201)
    await sequenced(world)
    for role, sees in (("auditor", True), ("supervisor", False), ("platform", False), ("viewer", False)):
        person = await world.person(role)
        said = refused(await person.post("/v1/log/checkpoints", headers={"Accept-Language": "en"}), "forbidden")
        assert said["detail"] == "Checkpoints are published by admins."
        assert bool(await published(person)) == sees, role


async def test_it_goes_out_by_webhook_to_those_who_see_the_whole_tenant(world: World) -> None:
    platform = await world.person("platform")
    body = {"url": "https://witness.invalid/", "types": ["log.checkpoint"]}
    urls = [f"/v1/webhooks/{ok(await by.post('/v1/webhooks', json=body), 201)['id']}" for by in (world.admin, platform)]
    event = ok(await world.admin.post("/v1/log/checkpoints"), 201)
    await sequenced(world)
    sent, unsent = [(await read(world.admin, f"{url}/deliveries"))["items"] for url in urls]
    assert [(each["event_id"], each["type"]) for each in sent] == [(event["id"], "log.checkpoint")]
    assert unsent == []


async def test_a_key_gives_the_first_checkpoint_again(world: World) -> None:
    headers = {"Idempotency-Key": "witness"}
    first = ok(await world.admin.post("/v1/log/checkpoints", headers=headers), 201)
    again = await world.admin.post("/v1/log/checkpoints", headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert ok(again, 201) == first


async def test_several_at_once_are_each_published(world: World) -> None:
    answers = await asyncio.gather(*(world.admin.post("/v1/log/checkpoints") for _ in range(4)))
    ids = {ok(answer, 201)["id"] for answer in answers}
    await sequenced(world)
    assert ids <= {event["id"] for event in await published(world.admin)}


async def test_once_a_day_each_log_that_grew_has_one(world: World, fresh: httpx.AsyncClient) -> None:
    at = NOON
    assert await publishing.publish_due(world.service, at) >= 1
    await sequenced(world)
    (first,) = await published(fresh)
    assert first["actor"] == {"principal_id": None, "name": "log", "via": None}
    assert (await opened(world, first)).at == at

    # Four in the afternoon of that day, Shanghai's: it grew, and has its checkpoint.
    ok(await fresh.post("/v1/units", json={"code": "t1", "name": "一镇", "parent": "root"}), 201)
    await sequenced(world)
    await publishing.publish_due(world.service, at + timedelta(hours=4))
    await sequenced(world)
    assert await published(fresh) == [first]

    # One minute past midnight there, still the same day by UTC.
    at = datetime(2190, 3, 1, 16, 1, tzinfo=UTC)
    await publishing.publish_due(world.service, at)
    await sequenced(world)
    _, second = await published(fresh)
    assert (await opened(world, second)).size > (await opened(world, first)).size


async def test_a_log_that_did_not_grow_beyond_its_last_checkpoint_has_no_other(
    world: World, fresh: httpx.AsyncClient
) -> None:
    for day in range(4):
        await publishing.publish_due(world.service, NOON + day * DAY)
        await sequenced(world)
    assert len(await published(fresh)) == 1
    ok(await fresh.post("/v1/log/checkpoints"), 201)
    await sequenced(world)
    await publishing.publish_due(world.service, NOON + 5 * DAY)
    await sequenced(world)
    assert len(await published(fresh)) == 2


async def test_of_many_processes_one_publishes(world: World, fresh: httpx.AsyncClient) -> None:
    counts = await asyncio.gather(*(publishing.publish_due(world.service, NOON) for _ in range(6)))
    await sequenced(world)
    assert len(await published(fresh)) == 1
    assert sum(counts) >= 1


async def test_whoever_looked_before_another_published_does_not_publish_again(
    world: World, kind: str, fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "sqlite":
        pytest.skip("one writer: nobody publishes between its looking and its writing")
    looked, go_on = asyncio.Event(), asyncio.Event()
    standing = publishing.published.standing
    me = UUID((await read(fresh, "/v1/me"))["tenant_id"])

    async def slowly(tx: Any, tenant_id: UUID) -> Any:
        found = await standing(tx, tenant_id)
        if tenant_id == me and not looked.is_set():
            looked.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(publishing.published, "standing", slowly)
    slow = asyncio.create_task(publishing.publish_due(world.service, NOON))
    await looked.wait()
    await publishing.publish_due(world.service, NOON)
    go_on.set()
    await slow
    await sequenced(world)
    assert len(await published(fresh)) == 1


async def test_housekeeping_publishes(world: World, fresh: httpx.AsyncClient) -> None:
    await housekeeping.run_once(world.service, NOON)
    await sequenced(world)
    assert len(await published(fresh)) == 1


async def test_one_tenant_whose_turn_fails_keeps_no_other_waiting(
    world: World, fresh: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = await world.tenant(f"broken-{id(fresh)}")
    await sequenced(world)
    theirs = UUID((await read(broken, "/v1/me"))["tenant_id"])
    make = publishing.checkpoint_of

    def failing(service: Any, tenant_id: UUID, *more: Any) -> Checkpoint:
        if tenant_id == theirs:
            raise ValueError("unsupported hash type")
        return make(service, tenant_id, *more)

    monkeypatch.setattr(publishing, "checkpoint_of", failing)
    with pytest.raises(ExceptionGroup) as failed:
        await publishing.publish_due(world.service, NOON + DAY)
    assert [str(each) for each in failed.value.exceptions] == ["unsupported hash type"]
    monkeypatch.undo()
    await sequenced(world)
    assert len(await published(fresh)) == 1
    assert await published(broken) == []
