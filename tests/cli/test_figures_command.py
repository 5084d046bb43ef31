"""`xiaohao figures rebuild`, as an operator calls it."""

import asyncio
from pathlib import Path

import pytest

from service.composition import running
from service.settings import Settings
from service.workers import sequencer
from tests import backlog, commands
from tests.checks.everything import everything
from tests.commands import Done
from tests.servers import Server

ITEMS = 4


@pytest.fixture(scope="module", autouse=True)
def filled(settings: Settings) -> None:
    async def fill() -> None:
        async with running(settings) as service:
            await backlog.fill(service, await backlog.found(service), ITEMS)
            await sequencer.run_until_done(service)

    asyncio.run(fill())


def xiaohao(settings: Settings, home: Path, *words: str) -> Done:
    return commands.xiaohao(Server(settings, home).environment(), home, *words)


def test_figures_are_counted_anew(settings: Settings, tmp_path: Path) -> None:
    before = asyncio.run(everything(settings))
    run = xiaohao(settings, tmp_path, "figures", "rebuild")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == f"{len(before['log'])} events counted\n"
    after = asyncio.run(everything(settings))
    counts = [sorted(map(str, found["figure_deltas"])) for found in (before, after)]
    assert counts[0] == counts[1] and len(counts[0]) >= 2 * ITEMS
    (fold,) = after["figure_folds"]
    assert fold["folded"] == len(after["log"])


def test_a_tenant_that_is_not_there(settings: Settings, tmp_path: Path) -> None:
    run = xiaohao(settings, tmp_path, "figures", "rebuild", "--tenant", "nowhere")
    assert (run.returncode, run.stdout, run.stderr) == (2, "", "no tenant nowhere\n")
