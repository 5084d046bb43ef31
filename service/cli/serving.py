"""Serving: the API with its workers, workers alone, the tables."""

import asyncio
import signal
import socket
import threading
from contextlib import suppress
from typing import Annotated

import structlog
import typer
from prometheus_client import start_http_server

from service import composition, logs, settings
from service.api.metrics import Metrics
from service.cli.demo import show
from service.cli.founding import found
from service.cli.terminal import bring_up, cli, err, out, run
from service.outside.letters import Letters
from service.outside.lock import only_one
from service.settings import Settings
from service.store import migrations

PORTS_TRIED = 20

log = structlog.get_logger("xiaohao.serve")


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    demo: Annotated[bool, typer.Option("--demo", help="Load the demo county once; take the next free port.")] = False,
) -> None:
    """Migrate, then serve the API and run the workers."""
    present = settings.load()
    logs.configure(present.log_level, present.log_format)
    with only_one(present.data_dir if present.sqlite_path else None):
        bring_up(present)
        founded = run(found(present))
        if founded.admin_key and not (present.admin_key or demo):
            out.print(f"admin key (shown once): {founded.admin_key}")
        if demo:
            show(present, founded)
            port = _free_port(host, port)
        out.print(f"http://{host}:{port}  (documentation: /docs)")
        out.print(f"http://{host}:{port}/console  (the operator page: sign in with a key)")
        # Beside the start: looking through a machine's fonts takes longer than all else.
        threading.Thread(target=_look_for_fonts, args=(present,), name="fonts", daemon=True).start()
        # The API is loaded by who serves it: every other command starts in half the time.
        from service import server

        server.run(present, host, port)


def _look_for_fonts(present: Settings) -> None:
    if not Letters(present.fonts_dir, present.templates_dir).can_print():
        log.warning(
            "no font for Chinese: notices are not printed", package="fonts-noto-cjk", setting="XIAOHAO_FONTS_DIR"
        )


def _free_port(host: str, port: int) -> int:
    """`port`, or the next one that nobody holds."""
    for candidate in range(port, min(port + PORTS_TRIED, 65536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return candidate
    raise typer.BadParameter(f"no free port from {port} on")


@cli.command()
def migrate() -> None:
    """Bring the database to the present tables."""
    present = settings.load()
    bring_up(present)
    out.print(f"at {migrations.head()}")


@cli.command()
def worker(
    metrics: Annotated[
        str | None, typer.Option(help="HOST:PORT where Prometheus may read what this process did.")
    ] = None,
) -> None:
    """Run the workers alone, beside `serve` processes with XIAOHAO_WORKERS_INSIDE=false; on PostgreSQL."""
    present = settings.load()
    logs.configure(present.log_level, present.log_format)
    if present.sqlite_path is not None:
        err.print("with SQLite `serve` runs the workers; for workers alone set XIAOHAO_DATABASE_URL to PostgreSQL")
        raise typer.Exit(2)
    bring_up(present)
    counted = Metrics()
    if metrics is not None:
        _show_metrics(counted, metrics)
    run(_work(present, counted))


def _show_metrics(counted: Metrics, where: str) -> None:
    host, _, port = where.rpartition(":")
    try:
        start_http_server(int(port), host or "127.0.0.1", counted.registry)
    except (OSError, ValueError, OverflowError) as problem:
        err.print(f"--metrics {where}: {problem}")
        raise typer.Exit(2) from None


async def _work(present: Settings, counted: Metrics) -> None:
    """Until SIGTERM or SIGINT: what is under way then is given up whole, for another to do."""
    async with composition.running(present) as service:
        loops = composition.workers(service, present, counted.count)
        composition.collect_less()
        working = asyncio.gather(*(loop.run() for loop in loops))
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, working.cancel)
        with suppress(asyncio.CancelledError):
            await working
