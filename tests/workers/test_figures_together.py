"""Figures stay whole whoever works: sequencers, workers and a rebuild at once, while people list, claim and close."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from service.actions import figuring, sequencing
from service.actions.service import Service
from service.settings import Settings
from service.workers import figures, sequencer
from service.workflow import counting
from tests.api.helpers import VERIFIED, ok, read, refused
from tests.figures import Sight, wrong
from tests.world import World

ITEMS, ITEMS_IN_FULL = 40, 400


async def live(world: World, hand: httpx.AsyncClient, chief: httpx.AsyncClient, number: int) -> None:
    """An item is listed, claimed, asked about and decided on; transferred, reopened or annulled now and then."""
    item = await world.item(responsible_unit=("t1v1", "t2v1", "d1")[number % 3], due_on="2030-01-01")

    async def fire(by: httpx.AsyncClient, trigger: str, **given: Any) -> None:
        ok(await world.fire(by, item["id"], trigger, **given))

    await fire(hand, "claim", signed_by="李村长")
    if number % 4 == 0:
        await fire(chief, "transfer", responsible_unit="t1v2", reason="职责划转")
        await fire(hand, "claim", signed_by="王村长")
    asked = ok(await hand.post(f"/v1/items/{item['id']}/requests", json={"kind": "closure", "summary": "已修好"}), 201)
    granted = number % 2 == 1
    verdict = (
        {"verdict": "approve", "verification": VERIFIED} if granted else {"verdict": "return", "reason": "照片不清"}
    )
    ok(await chief.post(f"/v1/requests/{asked['id']}/decision", json=verdict))
    if granted and number % 3 == 0:
        await fire(chief, "reopen", due_on="2030-02-01", reason="反弹")
    elif not granted and number % 5 == 0:
        await fire(chief, "annul", reason="误列")


async def test_figures_are_whole_after_everybody_worked_at_once(world: World, settings: Settings, full: bool) -> None:
    hand, chief = await world.person("responsible"), await world.person("supervisor")
    (tenant_id,) = await sequencing.busy_tenants(world.service)
    count = ITEMS_IN_FULL if full else ITEMS

    async def lives() -> None:
        for first in range(0, count, 8):
            await asyncio.gather(*(live(world, hand, chief, number) for number in range(first, first + 8)))
            if first == count // 2:
                await figuring.rebuild(world.service, tenant_id)

    living = asyncio.create_task(lives())

    async def work(turn: Callable[[Service], Awaitable[object]]) -> None:
        while not living.done():
            await turn(world.service)
            await asyncio.sleep(0.003)

    await asyncio.gather(
        living, *(work(sequencer.run_until_done) for _ in range(2)), *(work(figures.run_once) for _ in range(2))
    )
    await sequencer.run_until_done(world.service)
    await figures.run_until_done(world.service)
    sight = await Sight.of(settings, world.service)
    assert await wrong(sight, 12) == []
    assert await figuring.behind(world.service) == []


async def test_a_fault_in_counting_keeps_no_event_from_its_position(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.item()
    with monkeypatch.context() as patch:
        patch.setattr(counting, "_listed", None)
        made = await world.item()
        await sequencer.run_until_done(world.service)
        with pytest.raises(TypeError):
            await figures.run_once(world.service)
        refused(await world.admin.get("/v1/statistics", params={"by": "unit"}), "unavailable")
    (event,) = (await read(world.admin, f"/v1/items/{made['id']}/events"))["items"]
    page = await read(world.admin, "/v1/events", after=event["position"] - 1, limit=1)
    assert [each["item_id"] for each in page["items"]] == [made["id"]]
    await figures.run_until_done(world.service)
    sight = await Sight.of(settings, world.service)
    assert await wrong(sight, 5) == []
