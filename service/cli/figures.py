"""Figures on the server itself: counted anew from the record."""

from typing import Annotated

import typer

from service import composition, settings
from service.actions import figuring, tenants
from service.actions.operator import home_of
from service.cli.terminal import bring_up, cli, err, out, run
from service.settings import Settings

figures_cli = typer.Typer(no_args_is_help=True, help="Figures (统计).")
cli.add_typer(figures_cli, name="figures")


@figures_cli.command()
def rebuild(
    tenant: Annotated[str, typer.Option(help="Code of the tenant.")] = tenants.DEFAULT_TENANT,
) -> None:
    """Count all figures anew from the log. May run beside `serve`, which answers 503 for figures meanwhile."""
    present = settings.load()
    bring_up(present)
    counted = run(_rebuild(present, tenant))
    if counted is None:
        err.print(f"no tenant {tenant}")
        raise typer.Exit(2)
    out.print(f"{counted} events counted")


async def _rebuild(present: Settings, tenant: str) -> int | None:
    async with composition.running(present) as service:
        home = await home_of(service, tenant)
        return await figuring.rebuild(service, home.tenant_id) if home else None
