"""Exactly once under four clocks that are killed while they work: nothing is done twice, nothing is lost.

Each is the real command, `xiaohao clock --at`, ended by SIGKILL after a random while and started anew, until nothing is
due any more. Then the tables are asked.
"""

import asyncio
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.actions import backlog as queues
from service.actions.service import Service
from service.composition import running
from service.settings import Settings
from tests import backlog, invariants
from tests.checks.everything import everything
from tests.servers import COMMAND, READY_WITHIN, Server, end_with_parent

pytestmark = pytest.mark.long

CLOCKS = 4
ITEMS, ITEMS_IN_FULL = 1_000, 34_000
"""Three rungs of each are due: 3,000, and 102,000 at full size."""

ON_SQLITE = 300
"""There one clock has the writer at a time: what is killed is shown with fewer."""


def start(settings: Settings, home: Path) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    return subprocess.Popen(
        [*COMMAND, "clock", "--at", backlog.LOOK.isoformat()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=home,
        env=Server(settings, home).environment(),
        preexec_fn=end_with_parent(),
    )


async def due(service: Service) -> int:
    return (await queues.measure(service, backlog.LOOK)).clock.length


async def under_way(service: Service, count: int) -> None:
    """Wait until some of it is done: before that the clocks are still on their way up."""
    gives_up = time.monotonic() + READY_WITHIN
    while await due(service) == count and time.monotonic() < gives_up:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_nothing_is_doubled_and_nothing_lost(
    settings: Settings, kind: str, full: bool, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    count = ON_SQLITE if kind == "sqlite" else ITEMS_IN_FULL if full else ITEMS
    async with running(settings) as service:
        await backlog.fill(service, await backlog.found(service, villages=40), count)
        chance, kills, midway, ended, began = random.Random(7), 0, 0, 0, time.monotonic()
        clocks: list[subprocess.Popen[bytes] | None] = [None] * CLOCKS
        try:
            while await due(service):
                for place, process in enumerate(clocks):
                    if process is None or process.poll() is not None:
                        ended += process is not None
                        clocks[place] = start(settings, tmp_path / f"clock{place}")
                # Long enough now and then for one to get up and into its work; never for all of it. The first is aimed.
                if midway:
                    await asyncio.sleep(chance.uniform(0.3, 3.0))
                else:
                    await under_way(service, count)
                victim = clocks[chance.randrange(CLOCKS)]
                if victim is not None and victim.poll() is None:
                    victim.kill()
                    victim.wait()
                    kills += 1
                    midway += 0 < await due(service) < count
        finally:
            for process in clocks:
                if process is not None:
                    process.kill()
                    process.wait()
    found = await everything(settings)
    print(f"{kind}: {count} items, {3 * count} rungs due, {kills} killed, {ended} ended, "
          f"{len(found['notices'])} notices, {time.monotonic() - began:.0f} s")  # fmt: skip
    record_property("rungs under killed clocks", len(found["firings"]))
    assert backlog.not_once(found) == []
    assert len(found["firings"]) == 3 * count
    assert kills > 0
    # Some hit while work was half done: then a part of the items had been looked at, and a part had not.
    assert midway > 0
    assert await invariants.contradictions(settings) == []
