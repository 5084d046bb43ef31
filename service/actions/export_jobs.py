"""Exports as jobs: written behind the call, kept for a day, fetched once they are whole."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from service.actions import exporting
from service.actions.exporting import Admitted, Export, Head, Lines
from service.actions.items import Query
from service.actions.jobs import PART_BYTES, Desk, Jobs, Made
from service.actions.service import Call, Replay, Service
from service.outside.workbooks import BOM, csv_lines
from service.workflow.jobs import Job
from service.workflow.ledger_layouts import Layout

KIND = "export"
WRITTEN = 90
"""Percent of the way that a table is read and written; the rest is keeping it."""

TableFormat = Literal["xlsx", "csv"]
MEDIA: dict[TableFormat, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


async def begin(
    service: Service, jobs: Jobs, call: Call, query: Query, layout: Layout, format: TableFormat, admitted: Admitted
) -> Job | Replay:
    """Begin an export. Refuses `invalid_request` for unknown units and ledgers, `rate_limited`."""
    export = Export(service, call, query, layout)
    head = await export.begin(count=True)

    async def work(desk: Desk) -> Made:
        lines = _counted(export, head, desk, export.lines(admitted))
        if format == "csv":
            await desk.keep(BOM + csv_lines([export.headings]))
            async for page in lines:
                await desk.keep(csv_lines(page))
            await desk.keep(csv_lines([[note] for note in export.notes]))
        else:
            async with exporting.workbook(service, export, head, lines) as path:
                size = max(1, path.stat().st_size)
                with path.open("rb") as file:
                    while piece := await asyncio.to_thread(file.read, PART_BYTES):
                        await desk.keep(piece)
                        desk.percent = WRITTEN + (100 - WRITTEN) * file.tell() // size
        return Made(MEDIA[format], f"{exporting.file_name(head, call)}.{format}")

    return await jobs.begin(call, KIND, work)


async def _counted(export: Export, head: Head, desk: Desk, lines: AsyncIterator[Lines]) -> AsyncIterator[Lines]:
    async for page in lines:
        yield page
        # At least one, so that it reads as begun; what was listed meanwhile may make more of it than was counted.
        desk.percent = max(1, min(WRITTEN, WRITTEN * export.totals.lines // max(1, head.total or 0)))
