"""The service with its workers inside: ready while they beat, and telling how they fare."""

import asyncio
from datetime import datetime

from service.settings import Settings
from service.workers import loop
from tests.world import World


async def test_the_service_runs_it_inside_and_says_how_it_fares(settings: Settings) -> None:
    inside = settings.model_copy(update={"workers_inside": True})
    async with World.running(inside) as world:
        assert (await world.admin.get("/readyz")).status_code == 200
        measured = (await world.admin.get("/metrics")).text
        for name in ("xiaohao_clock_backlog", "xiaohao_clock_lag_seconds", "xiaohao_looks_total", "xiaohao_replans"):
            assert f"\n{name} " in measured
        assert [each.name for each in world.app.state.loops] == ["clock", "sequencer", "figures", "courier"]
        clock, *_ = world.app.state.loops
        hanging = asyncio.Event()

        async def hang(now: datetime) -> bool:
            hanging.set()
            await asyncio.Event().wait()
            return False

        # Its last beat is behind it: none comes between what is done here and the request.
        clock._run_once = hang
        await asyncio.wait_for(hanging.wait(), 30)
        clock._beat -= loop.ALIVE_SECONDS
        assert (await world.admin.get("/readyz")).status_code == 503
