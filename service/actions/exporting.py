"""Ledgers as tables: every item of a list, page by page, as lines of a layout.

Each page is a read of its own, so that an export of a million items holds no snapshot for minutes; what its sort key
promises of pages holds for the whole (see lists).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import UUID

from service.actions import items, references
from service.actions.items import ItemPage, Query
from service.actions.service import Call, Service
from service.errors import Refused
from service.outside import workbooks
from service.outside.workbooks import Ending, NoRoom
from service.store import ledgers, progress, units
from service.store.database import Tx
from service.workflow.ledger_layouts import PAINTS, Layout
from service.workflow.ledger_lines import Around, Totals, Value, line, total
from service.workflow.views import ItemView

PAGE = 200

Lines = list[list[Value]]
Admitted = Callable[[], Awaitable[Call]]
"""Who calls, asked again between the pages: keys are revoked and grants end while an export goes on."""

CUT_SEARCH = "注：检索词命中过多，本表只在最新列入的条目中查找，可能不全；请加上其他筛选条件后再导出。"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the lines, and how many there will be, where that was asked for."""

    title: str
    legend: str
    total: int | None


class Export:
    """One export under way. `begin` refuses what can be refused, before anything is sent."""

    def __init__(self, service: Service, call: Call, query: Query, layout: Layout) -> None:
        self._service = service
        self._call = call
        self._query = replace(query, limit=PAGE, triggers=False, contacts=False, total=False, after=None)
        self._layout = layout
        self._names: dict[UUID, str] = {}
        self._first: ItemPage | None = None
        self.totals = Totals()
        self.notes: tuple[str, ...] = ()

    @property
    def headings(self) -> list[Value]:
        return [column.heading for column in self._layout.columns]

    async def begin(self, *, count: bool = False) -> Head:
        """The first page and the head. Refuses `invalid_request` for unknown units and ledgers."""
        self._first = await items.page(self._service, self._call, replace(self._query, total=count))
        if self._first.truncated:
            self.notes = (CUT_SEARCH,)

        async def action(tx: Tx) -> tuple[str, str]:
            return await self._place(tx), await self._ledgers(tx)

        place, named = await self._service.read(action)
        today = self._call.today
        legend = f"填报单位：{place}　　台账：{named}　　制表日期：{today.year}年{today.month}月{today.day}日"
        return Head(f"{place}{self._layout.title}", legend, self._first.total)

    async def lines(self, admitted: Admitted) -> AsyncIterator[Lines]:
        """All lines, a page at a time. Refuses what `admitted` refuses: then the table is not whole."""
        page = self._first or await items.page(self._service, self._call, self._query)
        while True:
            if page.items:
                yield await self._page(page.items)
            if page.next is None:
                return
            # The day of the first page holds for all: a lamp must not change in the midst of a table.
            now = await admitted()
            self._call = replace(self._call, caller=now.caller, grants=now.grants)
            page = await items.page(self._service, self._call, replace(self._query, after=page.next))

    def ending(self) -> Ending:
        return Ending(total(self._layout, self.totals), self.notes)

    def look(self, head: Head) -> dict[str, Any]:
        """The table as the writer of workbooks wants to know it."""
        return {
            "title": head.title,
            "legend": head.legend,
            "sheet": self._layout.title,
            "author": "xiaohao",
            "made_at": self._call.now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
            "paints": PAINTS,
            "columns": [
                {"heading": each.heading, "group": each.group, "width": each.width, "kind": each.kind.value}
                for each in self._layout.columns
            ],
        }

    async def _page(self, views: list[ItemView]) -> Lines:
        async def action(tx: Tx) -> dict[UUID, str]:
            wanted = {
                unit
                for view in views
                for unit in (view.item.responsible_unit_id, view.item.supervising_unit_id, *view.item.co_unit_ids)
                if unit not in self._names
            }
            if wanted:
                found = await units.some(tx, self._call.tenant_id, wanted)
                self._names.update((unit.id, unit.name) for unit in found)
            return await progress.newest_of_each(tx, self._call.tenant_id, [view.item.id for view in views])

        around = Around(self._names, await self._service.read(action), self._call.tz)
        written = []
        for view in views:
            self.totals.count(view)
            written.append(line(self._layout, self.totals.lines, view, around))
        return written

    async def _place(self, tx: Tx) -> str:
        """Whose ledger it is: the one unit that was asked for, or else the one that the caller stands on."""
        if len(self._query.units) == 1:
            named = self._query.units[0]
            known = await references.find_units(tx, self._call.tenant_id, {named.ref}, inactive=True)
            wanted = {known.line_in(named, self._call.scope)[0]}
        else:
            wanted = set(self._call.scope.units)
        found = await units.some(tx, self._call.tenant_id, wanted) if len(wanted) == 1 else []
        return found[0].name if found else ""

    async def _ledgers(self, tx: Tx) -> str:
        if self._query.ledgers:
            found = [await references.find_ledger(tx, self._call, named) for named in self._query.ledgers]
            return "、".join(ledger.name for ledger in found)
        rows = await ledgers.page(tx, self._call.tenant_id, "", 2)
        return rows[0].name if len(rows) == 1 else "全部台账"


@asynccontextmanager
async def workbook(service: Service, export: Export, head: Head, lines: AsyncIterator[Lines]) -> AsyncIterator[Path]:
    """The export as an .xlsx on the disk, which is gone afterwards. Refuses `unavailable` where there is no room."""
    try:
        async with service.scratch.room() as room:
            async with service.writers:
                path = await workbooks.write(room, export.look(head), lines, export.ending)
            yield path
    except NoRoom:
        raise Refused("unavailable") from None


def file_name(head: Head, call: Call) -> str:
    """What a table is saved as, without what says its format."""
    return f"{head.title}-{call.today:%Y%m%d}"
