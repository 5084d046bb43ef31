"""Work on the server itself: tenants, keys, tables of units."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from service import composition, settings
from service.actions import tenants, unit_import
from service.actions.operator import operator_call
from service.actions.tenants import Founded
from service.cli.terminal import bring_up, cli, err, out, run
from service.errors import Refused
from service.reasons import FIELDS
from service.settings import Settings
from service.workflow.merkle import HASHINGS, Hashing
from service.workflow.states import Role

key_cli = typer.Typer(no_args_is_help=True, help="API keys.")
tenant_cli = typer.Typer(no_args_is_help=True, help="Tenants: customers, usually a county each.")
cli.add_typer(key_cli, name="key")
cli.add_typer(tenant_cli, name="tenant")


class HashName(StrEnum):
    """What a tenant's record may be hashed with."""

    SHA256 = "sha256"
    SM3 = "sm3"


@tenant_cli.command("create")
def create_tenant(
    code: Annotated[str, typer.Argument(help="Code of the new tenant: letters, digits, dot, dash, underscore.")],
    name: Annotated[str, typer.Option(help="Its name; empty: the code.")] = "",
    hash_name: Annotated[
        HashName, typer.Option("--hash", help="What its record is hashed with, for ever; sm3 where 国密 is required.")
    ] = HashName.SHA256,
    timezone: Annotated[
        str, typer.Option(help="Zone of its days and office hours, as in Asia/Urumqi, for good.")
    ] = tenants.TIMEZONE,
) -> None:
    """Make a tenant with its root unit and first ledger, and print its admin key, once."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", code):
        err.print("CODE: 1 to 64 letters, digits, dots, dashes or underscores")
        raise typer.Exit(2)
    if name:
        _check_name("--name", name)
    if not tenants.is_timezone(timezone):
        err.print("--timezone: a zone of the IANA database, as in Asia/Urumqi")
        raise typer.Exit(2)
    hashing = HASHINGS[hash_name]
    if not hashing.available():
        err.print(f"--hash {hash_name}: the OpenSSL of this Python does not have it")
        raise typer.Exit(2)
    present = settings.load()
    bring_up(present)
    founded = run(_create_tenant(present, code, name or code, hashing, timezone))
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
    bring_up(present)
    try:
        report = run(_load_units(present, tenant, content, dry_run))
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


async def _create_tenant(present: Settings, code: str, name: str, hashing: Hashing, timezone: str) -> Founded:
    async with composition.running(present) as service:
        return await tenants.found_tenant(
            service, code=code, name=name, admin_key=None, now=datetime.now(UTC), hashing=hashing, timezone=timezone
        )


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
        key = run(_create_key(settings.load(), principal, role, unit, tenant))
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
