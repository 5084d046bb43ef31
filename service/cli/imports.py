"""Ledgers imported on the server itself."""

import asyncio
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from service import composition, settings
from service.actions import import_jobs, tenants
from service.actions.importing import Options
from service.actions.imports import Done
from service.actions.operator import operator_call
from service.actions.references import Named
from service.cli.terminal import bring_up, cli, err, out, run
from service.errors import Refused
from service.reasons import FIELDS, FORBIDDEN, ROW_FAULTS
from service.settings import Settings
from service.workflow.headings import Field

SHOWN = 50
"""Refused rows and warnings that are printed."""


class Unknown(StrEnum):
    """What becomes of units that nobody bears the name of."""

    REFUSE = "refuse"
    CREATE = "create"


@cli.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A ledger: .xlsx, .xls or .csv.")],
    ledger: Annotated[str, typer.Option(help="Code of the ledger that it goes into.")] = "default",
    tenant: Annotated[str, typer.Option(help="Code of the tenant.")] = tenants.DEFAULT_TENANT,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else only say what would come of it.")] = False,
    all_rows: Annotated[bool, typer.Option("--all", help="List nothing unless every row is accepted.")] = False,
    unknown_units: Annotated[Unknown, typer.Option(help="What becomes of units that are not there.")] = Unknown.REFUSE,
    parent: Annotated[str, typer.Option(help="Code of the unit that new ones hang under; empty: the root.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Correct the items of rows that changed.")] = False,
    column: Annotated[
        list[str] | None, typer.Option(help="HEADING=FIELD: what a heading means; HEADING=: nothing. May be repeated.")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Where to write a workbook of the refused rows, to be corrected.")
    ] = None,
) -> None:
    """Import a ledger as offices make them (导入台账). Exit 0: all rows accepted; 1: some refused; 2: no ledger."""
    try:
        content = file.read_bytes()
    except OSError as error:
        err.print(f"{file}: {error.strerror}")
        raise typer.Exit(2) from None
    options = Options(
        ledger=Named(ledger, "--ledger"),
        dry_run=not apply,
        all_or_nothing=all_rows,
        create_units=unknown_units == Unknown.CREATE,
        parent=Named(parent, "--parent") if parent else None,
        update=update,
        columns=_columns(column or []),
    )
    present = settings.load()
    bring_up(present)
    try:
        report = run(_import(present, tenant, content, file.name, options, refused))
    except Refused as refusal:
        _say_why(refusal)
        raise typer.Exit(2) from None
    if report is None:
        err.print(f"no tenant {tenant}")
        raise typer.Exit(2)
    _show(report)
    if report["refused"]:
        raise typer.Exit(1)


def _columns(given: list[str]) -> dict[str, Field | None]:
    found: dict[str, Field | None] = {}
    for each in given:
        heading, _, name = each.rpartition("=")
        if not heading or (name and name not in list(Field)):
            err.print(f"--column: HEADING=FIELD, where a field is one of {', '.join(Field)}")
            raise typer.Exit(2)
        found[heading] = Field(name) if name else None
    return found


def _say_why(refusal: Refused) -> None:
    if refusal.errors:
        for each in refusal.errors:
            err.print(f"{each.pointer}: {FIELDS[each.code].zh} {FIELDS[each.code].en}")
    elif refusal.code == "forbidden" and refusal.reason in FORBIDDEN:
        err.print(FORBIDDEN[refusal.reason].en)
    else:
        raise refusal


async def _import(
    present: Settings, tenant: str, content: bytes, file: str, options: Options, refused: Path | None
) -> dict[str, Any] | None:
    async with composition.running(present) as service:
        call = await operator_call(service, tenant, datetime.now(UTC))
        if call is None:
            return None
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task(file, total=100)
            done = await import_jobs.run(
                service, call, content, file, options, lambda percent: progress.update(task, completed=percent)
            )
            progress.update(task, completed=100)
        if not isinstance(done, Done):
            return None
        if refused is not None and done.refused:
            made = await import_jobs.correction(service, call, import_jobs.id_of(done), _detail, "zh")
            await asyncio.to_thread(refused.write_bytes, made)
        return done.report


def _show(report: dict[str, Any]) -> None:
    for sheet in report["sheets"]:
        if sheet["skipped"]:
            out.print(f"{sheet['name']}: not read ({sheet['skipped']})", markup=False)
            continue
        mapped = "  ".join(f"{each['column']} {each['heading']} -> {each['field'] or '-'}" for each in sheet["columns"])
        out.print(f"{sheet['name']}: {mapped}", markup=False)
    told = [row for row in report["rows"] if row["errors"] or row["warnings"]]
    if told:
        table = Table(box=None, pad_edge=False)
        for heading in ("sheet", "row", "", "why"):
            table.add_column(heading)
        for row in told[:SHOWN]:
            faults = row["errors"] or row["warnings"]
            why = "；".join(_detail(each) for each in faults)
            table.add_row(row["sheet"], str(row["row"]), row["status"] if row["errors"] else "warning", why)
        out.print(table)
        if len(told) > SHOWN:
            out.print(f"... and {len(told) - SHOWN} more")
    counts = ("accepted", "refused", "warned", "ignored", "created", "unchanged", "changed", "updated")
    out.print(", ".join(f"{report[name]} {name}" for name in counts))
    if report["new_units"]:
        out.print(f"{len(report['new_units'])} new units")
    if report["dry_run"]:
        out.print("Nothing was written: this was a dry run. --apply does it.")
    elif not report["stored"]:
        out.print("Nothing was written: rows are refused.")


def _detail(fault: dict[str, Any]) -> str:
    about = (fault["about"] or "").rpartition(":")[2] if fault["code"] == "unknown_unit" else fault["about"]
    return ROW_FAULTS[fault["code"]].zh.format(about=about or "-")
