"""Serving: the API with its workers, workers alone, the demo county, the tables."""

import asyncio
import json
import os
import signal
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from prometheus_client import start_http_server

from service import app as composition
from service import logs, settings
from service.actions import tenants
from service.actions.tenants import Founded
from service.api.connection import Connection
from service.api.metrics import Metrics
from service.cli.terminal import bring_up, cli, err, out, run
from service.demo import load as demo_load
from service.outside.letters import Letters
from service.outside.lock import only_one
from service.settings import Settings
from service.store import migrations

PORTS_TRIED = 20

log = structlog.get_logger("xiaohao.serve")


async def _found(present: Settings) -> Founded:
    async with composition.running(present) as service:
        return await tenants.found_tenant(
            service,
            code=tenants.DEFAULT_TENANT,
            name="默认租户",
            admin_key=present.admin_key,
            now=datetime.now(UTC),
        )


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
        founded = run(_found(present))
        if founded.admin_key and not (present.admin_key or demo):
            out.print(f"admin key (shown once): {founded.admin_key}")
        if demo:
            _show_demo(present, founded)
            port = _free_port(host, port)
        out.print(f"http://{host}:{port}  (documentation: /docs)")
        out.print(f"http://{host}:{port}/console  (the operator page: sign in with a key)")
        # Beside the start: looking through a machine's fonts takes longer than all else.
        threading.Thread(target=_look_for_fonts, args=(present,), name="fonts", daemon=True).start()
        uvicorn.run(
            composition.create_app(present),
            host=host,
            port=port,
            loop="uvloop",
            http=Connection,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=present.shutdown_seconds,
            server_header=False,
            date_header=True,
        )


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


def _show_demo(present: Settings, founded: Founded) -> None:
    """Load the demo county where it is not there yet, and print its keys, which are kept beside the database."""
    keys_file = present.data_dir / "demo-keys.json"
    if founded.admin_key is not None:
        out.print("loading the demo county ...")
        _keep_keys(keys_file, {"admin": founded.admin_key})
        _keep_keys(keys_file, {"admin": founded.admin_key, **run(_load_demo(present))})
    elif not keys_file.exists():
        err.print("the database is not fresh: no demo county was loaded")
        return
    for name, key in json.loads(keys_file.read_text()).items():
        out.print(f"{name}: {key}")


def _keep_keys(keys_file: Path, keys: dict[str, str]) -> None:
    descriptor = os.open(keys_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(keys, file, ensure_ascii=False, indent=1)


async def _load_demo(present: Settings) -> dict[str, str]:
    async with composition.running(present) as service:
        return await demo_load.load(service, datetime.now(UTC))


@cli.command()
def demo() -> None:
    """Load the demo county into a fresh database, and print its keys."""
    present = settings.load()
    bring_up(present)
    _show_demo(present, run(_found(present)))


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
