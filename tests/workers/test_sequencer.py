"""Positions: every committed event gets one, once, without a gap, each item's in its own order; whoever is killed."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.actions import fanning, sequencing
from service.store.database import Statement, Tx
from service.store.events import EventRow
from service.store.log import LogEntry, LogHead, LogNode, place_of
from service.workers import sequencer
from service.workflow import merkle
from tests.world import World

ENTRIES = Statement(
    select(
        LogEntry.position,
        LogEntry.event_id,
        LogEntry.leaf_hash,
        EventRow.item_id,
        EventRow.revision,
        EventRow.ordinal,
        EventRow.body,
    )
    .join(EventRow, (EventRow.tenant_id == LogEntry.tenant_id) & (EventRow.id == LogEntry.event_id))
    .order_by(LogEntry.position)
)
EVENTS = Statement(select(EventRow.id))
NODES = Statement(select(LogNode.place, LogNode.hash))
HEADS = Statement(select(LogHead.size, LogHead.frontier))


async def rows(world: World, statement: Statement) -> list[Any]:
    async def action(tx: Tx) -> list[Any]:
        return list(await tx.all(statement))

    return await world.service.read(action)


async def check(world: World) -> int:
    """The whole log held against the events; how long it is."""
    entries = await rows(world, ENTRIES)
    assert [entry[0] for entry in entries] == list(range(1, len(entries) + 1))
    assert sorted(entry[1] for entry in entries) == sorted(row[0] for row in await rows(world, EVENTS))
    own: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
    for _, _, leaf_hash, item_id, revision, ordinal, body in entries:
        assert bytes(leaf_hash) == merkle.SHA256.leaf(bytes(body))
        if item_id is not None:
            own[item_id].append((revision, ordinal))
    assert all(places == sorted(places) for places in own.values())
    whole = merkle.extend(merkle.SHA256, 0, (), [bytes(entry[2]) for entry in entries])
    ((size, frontier),) = await rows(world, HEADS)
    assert (size, bytes(frontier)) == (len(entries), b"".join(whole.frontier))
    stored = {place: bytes(hash_) for place, hash_ in await rows(world, NODES)}
    assert stored == {place_of(node.level, node.index): node.hash for node in whole.nodes}
    return len(entries)


async def churn(world: World, items: int) -> None:
    """Items, each listed, claimed and reported on, several at a time."""

    async def live(number: int) -> None:
        item = await world.item(title=f"第{number}号")
        await world.fire(world.admin, item["id"], "claim", signed_by="李村长")
        for each in range(3):
            await world.admin.post(f"/v1/items/{item['id']}/progress", json={"text": f"第{each}步"})

    for start in range(0, items, 10):
        await asyncio.gather(*(live(number) for number in range(start, min(start + 10, items))))


async def test_every_event_has_its_position_in_one_tree(world: World) -> None:
    await churn(world, 20)

    done = await sequencer.run_until_done(world.service)

    assert done >= 100
    assert await check(world) == done
    assert await sequencer.run_once(world.service, datetime.now(UTC)) == 0


async def test_small_batches_keep_the_order_of_each_item(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await churn(world, 8)
    (tenant_id,) = await sequencing.busy_tenants(world.service)

    while await sequencing.sequence(world.service, tenant_id, datetime.now(UTC), limit=3):
        pass

    await check(world)


async def test_many_sequencers_while_events_come(world: World) -> None:
    before = await check(world)
    writing = asyncio.create_task(churn(world, 30))

    async def follow() -> int:
        done = 0
        while not writing.done() or await sequencing.busy_tenants(world.service):
            done += await sequencer.run_once(world.service, datetime.now(UTC))
            await asyncio.sleep(0.002)
        return done

    counts = await asyncio.gather(*(follow() for _ in range(4)))

    await writing
    assert before + sum(counts) == await check(world)
    assert sum(counts) == 30 * 5


def test_events_of_an_item_whose_ids_came_in_disorder_stand_in_the_order_of_their_revisions() -> None:
    item, other = UUID(int=7), UUID(int=8)
    waiting = [
        sequencing.Waiting(UUID(int=1), item, 3, 0, b""),
        sequencing.Waiting(UUID(int=2), other, 1, 0, b""),
        sequencing.Waiting(UUID(int=3), item, 2, 1, b""),
        sequencing.Waiting(UUID(int=4), None, 0, 0, b""),
        sequencing.Waiting(UUID(int=5), item, 2, 0, b""),
    ]

    ordered = [each.id.int for each in sequencing.in_order(waiting)]

    assert ordered == [5, 2, 3, 4, 1]


async def test_a_tenant_whose_turn_fails_keeps_no_other_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [await world.tenant(f"county{number}") for number in range(2)]
    await world.item()
    for each in others:
        assert (await each.post("/v1/units", json={"code": "x", "name": "村", "parent": "root"})).is_success
    busy = await sequencing.busy_tenants(world.service)
    assert len(busy) == 3
    fan_out, tried = fanning.fan_out, []

    async def fails_for_the_first(tx: Tx, changes: Any, tenant_id: UUID, *given: Any) -> None:
        tried.append(tenant_id)
        if tenant_id == busy[0]:
            raise ValueError("unsupported hash type sm3")
        await fan_out(tx, changes, tenant_id, *given)

    now, resting = datetime.now(UTC), dict[UUID, datetime]()
    with monkeypatch.context() as patched:
        patched.setattr(fanning, "fan_out", fails_for_the_first)
        with pytest.raises(ValueError, match="sm3"):
            await sequencer.run_once(world.service, now, resting)
        assert await sequencing.busy_tenants(world.service) == busy[:1]
        # It is left alone for a while, so that its failures do not make the others wait either; then tried again.
        assert await sequencer.run_once(world.service, now + timedelta(seconds=1), resting) == 0
        assert tried.count(busy[0]) == 1
        with pytest.raises(ValueError, match="sm3"):
            await sequencer.run_once(world.service, now + sequencer.RESTS, resting)
    assert await sequencer.run_once(world.service, now + 2 * sequencer.RESTS, resting) > 0
    assert await sequencing.busy_tenants(world.service) == []
    assert resting == {}
