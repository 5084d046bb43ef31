"""The keys file: which keys it holds, and other ones while the service runs."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from service import composition, settings
from service.actions import rekeying
from service.actions.rekeying import Encrypted, StillNeeded, Unannounced
from service.cli.terminal import cli, err, out, run
from service.settings import Settings

keys_cli = typer.Typer(no_args_is_help=True, help="The keys file: what encrypts, and what signs the log.")
cli.add_typer(keys_cli, name="keys")

Signing = Annotated[bool, typer.Option("--signing", help="The key that signs the log, not the one that encrypts.")]


@keys_cli.command("list")
def list_keys() -> None:
    """Show the keys of the file by their fingerprints, what each is for, and how much stands encrypted by it."""
    out.print(run(_list(settings.load())))


async def _list(present: Settings) -> Table:
    async with composition.running(present) as service:
        held, counts = await rekeying.known(service), await rekeying.count(service)
        table = Table("key", "fingerprint", "is", "texts")
        for place, each in enumerate(service.vault.data_fingerprints):
            state = "encrypting" if place == 0 else "decrypting" if each in held.data else _idle(each, held.retired)
            table.add_row("data", each, state, str(counts[each]))
        for each in service.vault.log_fingerprints:
            table.add_row("signing", each, "signing" if each == held.signer else _idle(each, held.succeeded), "")
        return table


def _idle(fingerprint: str, used: Collection[str]) -> str:
    return "given up" if fingerprint in used else "prepared"


@keys_cli.command()
def prepare(signing: Signing = False) -> None:
    """Put the next key into the file without using it, so that the file can be copied to where it is needed."""
    out.print(f"{run(_prepare(settings.load(), signing))} is in the file: copy it, then rotate")


async def _prepare(present: Settings, signing: bool) -> str:
    async with composition.running(present) as service:
        return await rekeying.prepare(service, signing=signing)


@keys_cli.command()
def rotate(signing: Signing = False) -> None:
    """Encrypt everything by another key; or, with --signing, have the log signed by another one and say so itself."""
    present = settings.load()
    if signing:
        try:
            fingerprint, logs = run(_rotate_signing(present))
        except Unannounced:
            err.print("nothing was changed: another process did so just now, or there is no tenant yet")
            raise typer.Exit(1) from None
        out.print(f"{fingerprint} signs from now on: announced in {logs} logs")
        return
    fingerprint, encrypted = run(_rotate(present))
    out.print(f"{fingerprint} encrypts from now on: {encrypted.count} texts encrypted anew")
    for table, column, row in encrypted.unreadable:
        err.print(f"{table}.{column} of {row} cannot be decrypted: left as it is")
    if encrypted.unreadable:
        raise typer.Exit(1)


async def _rotate(present: Settings) -> tuple[str, Encrypted]:
    async with composition.running(present) as service:
        return await rekeying.rotate(service, datetime.now(UTC))


async def _rotate_signing(present: Settings) -> tuple[str, int]:
    async with composition.running(present) as service:
        return await rekeying.rotate_signing(service, datetime.now(UTC))


@keys_cli.command()
def retire() -> None:
    """Take out of the file what nothing needs any more: data keys without a text, signing keys that were succeeded."""
    try:
        gone = run(_retire(settings.load()))
    except StillNeeded as needed:
        err.print(str(needed))
        raise typer.Exit(1) from None
    out.print(f"{len(gone)} keys taken out" + (f": {', '.join(gone)}" if gone else ""))


async def _retire(present: Settings) -> list[str]:
    async with composition.running(present) as service:
        return await rekeying.retire(service, datetime.now(UTC))
