"""What the commands share: the command itself, where they write, and the database that they work on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer
import uvloop
from rich.console import Console

from service.settings import Settings
from service.store import migrations

T = TypeVar("T")

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Problem ledgers (问题台账) whose items must be closed.",
)

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def run(work: Coroutine[Any, Any, T]) -> T:
    """On the event loop that the server runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def bring_up(present: Settings) -> None:
    """Bring the database to the present tables."""
    present.data_dir.mkdir(parents=True, exist_ok=True)
    if present.sqlite_path is not None:
        present.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(migrations.sqlalchemy_url(present.database_url, present.sqlite_path))
