"""`xiaohao clock` and `xiaohao worker`: the commands as an operator calls them."""

import asyncio
import signal
import subprocess
import time
from pathlib import Path

import pytest

from service.actions import foreseeing, ledgers
from service.actions.foreseeing import Preview, preview
from service.cli.clock import _show
from service.composition import running
from service.settings import Settings
from tests import backlog, commands
from tests.checks.everything import everything
from tests.commands import Done
from tests.servers import COMMAND, READY_WITHIN, Server

ITEMS = 5


@pytest.fixture(scope="module", autouse=True)
def filled(settings: Settings) -> None:
    async def fill() -> None:
        async with running(settings) as service:
            await backlog.fill(service, await backlog.found(service), ITEMS)

    asyncio.run(fill())


def xiaohao(settings: Settings, home: Path, *words: str) -> Done:
    return commands.xiaohao(Server(settings, home).environment(), home, *words)


def rows(settings: Settings, table: str) -> int:
    return len(asyncio.run(everything(settings))[table])


@pytest.mark.parametrize("at", ["tomorrow", "2026-03-06", "2026-03-06T10:00"])
def test_an_instant_needs_its_offset(settings: Settings, tmp_path: Path, at: str) -> None:
    run = xiaohao(settings, tmp_path, "clock", "--at", at)
    assert run.returncode == 2
    assert run.stderr == "--at: an instant with its offset, as in 2026-10-09T09:00+08:00\n"


def test_a_dry_run_names_what_would_be_done_and_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    before = rows(settings, "events")
    run = xiaohao(settings, tmp_path, "clock", "--at", "2026-03-06T10:00+08:00", "--dry-run")
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert f"{ITEMS} items at 2026-03-06T02:00Z; nothing was changed" == lines[-1]
    assert sum("escalate by escalate+2, +2 working days from due 2026-03-04" in line for line in lines) == ITEMS
    assert sum("deadline 2026-03-04 passed" in line for line in lines) == ITEMS
    assert rows(settings, "events") == before


def test_workers_alone_need_postgresql(settings: Settings, kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        run = xiaohao(settings, tmp_path, "worker")
        assert run.returncode == 2
        assert "PostgreSQL" in run.stderr and len(run.stderr.splitlines()) == 1
        return
    process = subprocess.Popen([*COMMAND, "worker"], cwd=tmp_path, env=Server(settings, tmp_path).environment())
    try:
        gives_up = time.monotonic() + READY_WITHIN
        # The clock of the wall is far past that Friday; whether offices are open now or not, the deadline is noticed.
        while not _noticed(settings) and time.monotonic() < gives_up:
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    assert _noticed(settings)


def _noticed(settings: Settings) -> bool:
    return any(row["type"] == "deadline.passed" for row in asyncio.run(everything(settings))["events"])


def test_it_does_what_is_due_beside_a_running_server(settings: Settings, kind: str, tmp_path: Path) -> None:
    with Server(settings, tmp_path / "server"):
        run = xiaohao(settings, tmp_path / "clock", "clock", "--at", "2026-03-06T10:00+08:00")
        assert run.returncode == 0, run.stderr
        assert "items looked at" in run.stdout
    if kind == "sqlite":
        assert backlog.not_once(asyncio.run(everything(settings))) == []
        assert "5 escalate fired" in run.stdout
    again = xiaohao(settings, tmp_path, "clock", "--at", "2026-03-06T10:00+08:00")
    assert again.stdout == "0 items looked at, 0 deadlines passed, 0 notices\n"


def test_a_dry_run_says_what_it_does_not_show(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = backlog.at(backlog.FRIDAY)

    async def foreseen() -> tuple[Preview, Preview]:
        async with running(settings) as service:
            place = await backlog.found(service, "changed")
            await backlog.fill(service, place, ITEMS)
            whole = await preview(service, now)
            call = place.call(now)
            ledger = await ledgers.read(service, call, place.ledger_id)
            await ledgers.change(service, call, ledger.id, ledger.version, policy={"interview_within": 3})
            with monkeypatch.context() as patched:
                patched.setattr(foreseeing, "PREVIEWED", ITEMS - 1)
                cut = await preview(service, now)
            return whole, cut

    whole, cut = asyncio.run(foreseen())
    assert (len(whole.foreseen), whole.cut, whole.changes) == (ITEMS, 0, 0)
    assert (len(cut.foreseen), cut.cut, cut.changes) == (ITEMS - 1, 1, 1)
    _show(cut, now)
    said = capsys.readouterr().out.splitlines()[-3:]
    assert said[0].startswith("of 1 tenants only the first 10000 items")
    assert said[1].startswith("1 changes of a policy or calendar are still to be followed")
