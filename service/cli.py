"""The xiaohao command."""

import asyncio
import json
import os
import re
import socket
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
import uvicorn
from rich.console import Console

from service import app as composition
from service import logs, settings
from service.actions import tenants, unit_import
from service.actions.operator import operator_call
from service.actions.tenants import Founded
from service.api.connection import Connection
from service.demo import load as demo_load
from service.errors import FIELDS, Refused
from service.outside.lock import Busy, only_one
from service.outside.vault import KeysUnusable
from service.settings import BadSettings, Settings
from service.store import migrations
from service.workflow import machine
from service.workflow.states import Role

T = TypeVar("T")

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Problem ledgers (问题台账) whose items must be closed.",
)
key_cli = typer.Typer(no_args_is_help=True, help="API keys.")
tenant_cli = typer.Typer(no_args_is_help=True, help="Tenants: customers, usually a county each.")
cli.add_typer(key_cli, name="key")
cli.add_typer(tenant_cli, name="tenant")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

PORTS_TRIED = 20


def main() -> None:
    """Run the command; what an operator can mend is one line, not a traceback."""
    try:
        cli()
    except BadSettings as bad:
        for line in bad.lines:
            err.print(line)
        sys.exit(2)
    except (KeysUnusable, Busy) as error:
        err.print(str(error))
        sys.exit(2)
    except Refused as refused:
        err.print(f"{refused.code}: the database did not answer")
        sys.exit(1)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _migrate(present: Settings) -> None:
    present.data_dir.mkdir(parents=True, exist_ok=True)
    if present.sqlite_path is not None:
        present.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(migrations.sqlalchemy_url(present.database_url, present.sqlite_path))


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
    """Migrate, then serve the API."""
    present = settings.load()
    logs.configure(present.log_level, present.log_format)
    with only_one(present.data_dir if present.sqlite_path else None):
        _migrate(present)
        founded = _run(_found(present))
        if founded.admin_key and not (present.admin_key or demo):
            out.print(f"admin key (shown once): {founded.admin_key}")
        if demo:
            _show_demo(present, founded)
            port = _free_port(host, port)
        out.print(f"http://{host}:{port}  (documentation: /docs)")
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
        _keep_keys(keys_file, {"admin": founded.admin_key, **_run(_load_demo(present))})
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
    _migrate(present)
    _show_demo(present, _run(_found(present)))


@cli.command()
def migrate() -> None:
    """Bring the database to the present tables."""
    present = settings.load()
    _migrate(present)
    out.print(f"at {migrations.head()}")


@tenant_cli.command("create")
def create_tenant(
    code: Annotated[str, typer.Argument(help="Code of the new tenant: letters, digits, dot, dash, underscore.")],
    name: Annotated[str, typer.Option(help="Its name; empty: the code.")] = "",
) -> None:
    """Make a tenant with its root unit and first ledger, and print its admin key, once."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", code):
        err.print("CODE: 1 to 64 letters, digits, dots, dashes or underscores")
        raise typer.Exit(2)
    if name:
        _check_name("--name", name)
    present = settings.load()
    _migrate(present)
    founded = _run(_create_tenant(present, code, name or code))
    if founded.admin_key is None:
        err.print(f"tenant {code} exists already")
        raise typer.Exit(2)
    print(founded.admin_key)


def _check_name(option: str, name: str) -> None:
    if not name.strip() or len(name) > 200 or not name.isprintable():
        err.print(f"{option}: 1 to 200 printable characters")
        raise typer.Exit(2)


@cli.command()
def units(
    file: Annotated[Path, typer.Argument(help=".xlsx, .xls or CSV with code, name, parent code and level.")],
    tenant: Annotated[str, typer.Option(help="Code of the tenant.")] = tenants.DEFAULT_TENANT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
) -> None:
    """Make the tree of units what a table says: all rows or none."""
    try:
        content = file.read_bytes()
    except OSError as error:
        err.print(f"{file}: {error.strerror}")
        raise typer.Exit(2) from None
    present = settings.load()
    _migrate(present)
    try:
        report = _run(_load_units(present, tenant, content, dry_run))
    except Refused as refused:
        for each in refused.errors:
            err.print(f"{each.pointer}: {FIELDS[each.code].en}")
        if refused.errors:
            raise typer.Exit(2) from None
        raise
    if report is None:
        err.print(f"no tenant {tenant}")
        raise typer.Exit(2)
    out.print(", ".join(f"{count} {status}" for status, count in report.counts.items()))


async def _load_units(present: Settings, tenant: str, content: bytes, dry_run: bool) -> unit_import.Report | None:
    async with composition.running(present) as service:
        call = await operator_call(service, tenant, datetime.now(UTC))
        if call is None:
            return None
        report = await unit_import.load(service, call, content, dry_run=dry_run)
        return report if isinstance(report, unit_import.Report) else None


async def _create_tenant(present: Settings, code: str, name: str) -> Founded:
    async with composition.running(present) as service:
        return await tenants.found_tenant(service, code=code, name=name, admin_key=None, now=datetime.now(UTC))


@key_cli.command("create")
def create_key(
    principal: Annotated[str, typer.Option(help="Name of the new principal.")],
    role: Annotated[Role, typer.Option(help="What it may do.")],
    unit: Annotated[str, typer.Option(help="Code of the unit over which it may, with everything below.")] = "root",
    tenant: Annotated[str, typer.Option(help="Code of the tenant.")] = tenants.DEFAULT_TENANT,
) -> None:
    """Make a principal with one grant and print its key, once."""
    _check_name("--principal", principal)
    try:
        key = _run(_create_key(settings.load(), principal, role, unit, tenant))
    except ValueError as error:
        err.print(str(error))
        raise typer.Exit(2) from None
    if key is None:
        err.print(f"no tenant {tenant} with a unit {unit}")
        raise typer.Exit(2)
    print(key)


async def _create_key(present: Settings, principal: str, role: str, unit: str, tenant: str) -> str | None:
    async with composition.running(present) as service:
        return await tenants.create_key(
            service, tenant=tenant, principal=principal, role=role, unit_code=unit, now=datetime.now(UTC)
        )


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    document = composition.create_app(Settings()).openapi()
    print(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=False))


@cli.command("settings")
def show_settings(
    language: Annotated[Literal["en", "zh"], typer.Option(help="Language of the table.")] = "en",
) -> None:
    """Print the settings as a Markdown table."""
    print(settings.table(language), end="")


@cli.command()
def diagram() -> None:
    """Print the state diagram as Mermaid."""
    print(machine.mermaid(), end="")
