"""Ledgers and templates as files, from the server itself."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service import composition, settings
from service.actions import exporting, tenants
from service.actions.export_jobs import TableFormat
from service.actions.exporting import Export, Lines
from service.actions.items import Query
from service.actions.operator import operator_call
from service.actions.references import Named
from service.actions.service import Call, Service
from service.cli.terminal import bring_up, cli, err, out, run
from service.errors import Refused
from service.outside.letters import Letters
from service.outside.workbooks import BOM, csv_lines
from service.reasons import FIELDS
from service.settings import Settings
from service.workflow.ledger_layouts import LAYOUTS, LayoutName
from service.workflow.queries import Filters
from service.workflow.states import State


@cli.command("export")
def export(
    output: Annotated[Path, typer.Option(help="The file to write: .xlsx or .csv.")],
    layout: Annotated[LayoutName, typer.Option(help="problems: 存在问题台账; rectification: 问题整改台账.")] = (
        LayoutName.RECTIFICATION
    ),
    format: Annotated[TableFormat | None, typer.Option(help="Without: by the file's name.")] = None,
    ledger: Annotated[list[str], typer.Option(help="Codes of ledgers; without: all.")] = [],  # noqa: B006
    unit: Annotated[list[str], typer.Option(help="Codes of responsible units, with all below.")] = [],  # noqa: B006
    state: Annotated[list[State], typer.Option(help="Only items in these states.")] = [],  # noqa: B006
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue.")] = False,
    q: Annotated[str | None, typer.Option("--search", help="Chinese full text.")] = None,
    sort: Annotated[str, typer.Option(help="due_on, -due_on, -listed_at or -updated_at.")] = "due_on",
    tenant: Annotated[str, typer.Option(help="Code of the tenant.")] = tenants.DEFAULT_TENANT,
) -> None:
    """Write a ledger as a workbook that offices print, or as CSV. May run beside `serve`."""
    chosen = format or output.suffix.removeprefix(".").lower()
    if chosen not in ("xlsx", "csv"):
        err.print("--output: a name that ends in .xlsx or .csv, or --format")
        raise typer.Exit(2)
    if sort not in ("due_on", "-due_on", "-listed_at", "-updated_at"):
        err.print("--sort: due_on, -due_on, -listed_at or -updated_at")
        raise typer.Exit(2)
    query = Query(
        filters=Filters(states=tuple(each.value for each in state), overdue=overdue or None, q=q),
        ledgers=tuple(Named(code, "--ledger") for code in ledger),
        units=tuple(Named(code, "--unit") for code in unit),
        sort=sort,
    )
    present = settings.load()
    bring_up(present)
    try:
        written = run(_export(present, tenant, query, layout, chosen == "csv", output))
    except OSError as error:
        err.print(f"{output}: {error.strerror}")
        raise typer.Exit(2) from None
    except Refused as refused:
        for each in refused.errors:
            err.print(f"{each.pointer}: {FIELDS[each.code].en}")
        if refused.errors:
            raise typer.Exit(2) from None
        raise
    if written is None:
        err.print(f"no tenant {tenant}")
        raise typer.Exit(2)
    out.print(f"{written} items in {output}")


async def _export(
    present: Settings, tenant: str, query: Query, layout: LayoutName, plain: bool, output: Path
) -> int | None:
    async with composition.running(present) as service:
        call = await operator_call(service, tenant, datetime.now(UTC))
        if call is None:
            return None
        return await _write(service, call, Export(service, call, query, LAYOUTS[layout]), plain, output)


async def _write(service: Service, call: Call, export: Export, plain: bool, output: Path) -> int:
    head = await export.begin(count=True)

    async def admitted() -> Call:
        return call

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Beside the file that it becomes, so that what breaks off leaves an older one whole.
    half = output.with_name(f".{output.name}.tmp")
    try:
        with Progress(*columns, console=err, transient=True) as progress:
            bar = progress.add_task(head.title, total=head.total)

            async def lines() -> AsyncIterator[Lines]:
                async for page in export.lines(admitted):
                    yield page
                    progress.update(bar, completed=export.totals.lines)

            if plain:
                with half.open("wb") as file:
                    file.write(BOM + csv_lines([export.headings]))
                    async for page in lines():
                        file.write(csv_lines(page))
                    file.write(csv_lines([[note] for note in export.notes]))
            else:
                async with exporting.workbook(service, export, head, lines()) as path:
                    await asyncio.to_thread(shutil.copyfile, path, half)
        half.replace(output)
    finally:
        half.unlink(missing_ok=True)
    return export.totals.lines


@cli.command()
def templates(
    directory: Annotated[Path, typer.Argument(help="Where to write them: XIAOHAO_TEMPLATES_DIR once they are edited.")],
) -> None:
    """Write the built-in .docx templates of notices and records, for an office to make its own of them."""
    directory.mkdir(parents=True, exist_ok=True)
    for form in ("notice", "record"):
        path = directory / f"{form}.docx"
        if path.exists():
            # Somebody's work may be in it.
            err.print(f"{path} is there already")
            raise typer.Exit(2)
        path.write_bytes(run(Letters().example(form)))
        out.print(str(path))
