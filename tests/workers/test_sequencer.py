"""Positions: every committed event gets one, once, without a gap, each item's in its own order; whoever is killed."""

import asyncio
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.actions import sequencing
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
    assert await sequencer.run_once(world.service) == 0


async def test_small_batches_keep_the_order_of_each_item(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await churn(world, 8)
    (tenant_id,) = await sequencing.busy_tenants(world.service)

    while await sequencing.sequence(world.service, tenant_id, limit=3):
        pass

    await check(world)


async def test_many_sequencers_while_events_come(world: World) -> None:
    before = await check(world)
    writing = asyncio.create_task(churn(world, 30))

    async def follow() -> int:
        done = 0
        while not writing.done() or await sequencing.busy_tenants(world.service):
            done += await sequencer.run_once(world.service)
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
