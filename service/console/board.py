"""Today's board: what is late, what is next, who waits for whom, and how the units are doing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fastapi import Response

from service.actions import board, names, overdue, requests, statistics
from service.actions.board import MOST, week_of
from service.actions.statistics import Asked, Row
from service.console import charts, pages
from service.console.paging import OLDEST
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused
from service.workflow.folding import month_of
from service.workflow.permissions import holds_anywhere
from service.workflow.summing import Period

URGENT = 8
URGENT_KINDS = ("item", "request", "interview")
"""Papers to be signed for stand apart: there are many, and they press less."""

UNITS_SHOWN, UNITS_ALL = 12, 1_000
MONTHS = 12

HEAT = ("overdue", "due", "listed", "closed", "fell_due", "on_time_rate", "extended", "interviews_held")
"""Columns of the table of units; `due` is what falls due this week."""

GOOD = frozenset({"closed", "on_time_rate"})
"""Of these much is good."""

PLAIN = frozenset({"listed", "fell_due"})
"""Of these much is neither good nor bad."""

router = Desk(Page)


@dataclass(frozen=True, slots=True)
class Cell:
    """`heat` runs from 0 to 4; `shown` is the number as it is read."""

    name: str
    shown: str
    heat: int
    good: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """What is counted by statistics: the table of units (None while figures are counted anew) and the months.

    `more` units have something and are left out; `uncounted` are so many that what falls due there is not told.
    """

    rows: list["UnitRow"] | None = None
    months: tuple[charts.Month, ...] = ()
    more: int = 0
    uncounted: int = 0


@dataclass(frozen=True, slots=True)
class UnitRow:
    id: UUID
    code: str
    name: str
    alone: bool
    cells: tuple[Cell, ...]


@router.get("/console/")
async def with_slash(visit: Visit) -> Response:
    return visit.to("")


@router.get("/console")
async def today(visit: Visit) -> Response:
    service, call = visit.service, visit.call
    counted = await board.read(service, call)
    urgent = await overdue.page(service, call, URGENT_KINDS, (date.min, OLDEST), URGENT)
    waiting = await requests.inbox(service, call, None, (date.min, OLDEST), URGENT)
    figures = await _figures(visit)
    wanted = {each.view.item.responsible_unit_id for each in urgent if each.view}
    return pages.html(
        visit,
        "board.html",
        board=counted,
        most=MOST,
        urgent=urgent,
        waiting=waiting,
        units=await names.units_seen(service, call, wanted),
        lamp_parts=charts.parts(counted.lamps),
        heat=HEAT,
        rows=figures.rows,
        more=figures.more,
        uncounted=figures.uncounted,
        trend=charts.trend(figures.months) if figures.months else None,
        months=figures.months,
        decides=holds_anywhere(call.grants, "request:decide"),
    )


async def _figures(visit: Visit) -> Shown:
    today = visit.call.today
    first = month_of(today)
    try:
        table = await statistics.read(visit.service, visit.call, Asked(period=Period(first, today)), "unit")
        since = month_of(first - timedelta(days=30 * (MONTHS - 1)))
        by_month = await statistics.read(visit.service, visit.call, Asked(period=Period(since, today)), "month")
    except Refused as refused:
        if refused.code != "unavailable":
            raise
        return Shown()
    due = await board.due_by_unit(visit.service, visit.call, [row.key for row in table.rows], week_of(today))
    values = [(row, {**row.figures, "due": due[row.key][row.alone] if row.key in due else None}) for row in table.rows]
    active = [each for each in values if any(each[1][name] for name in HEAT)]
    active.sort(key=lambda each: (-(each[1]["overdue"] or 0), -(each[1]["due"] or 0), -(each[1]["listed"] or 0)))
    shown = active[: UNITS_ALL if visit.query_params.get("units") == "all" else UNITS_SHOWN]
    return Shown(
        rows=list(_rows(shown)),
        months=tuple(charts.Month(row.key, _count(row, "listed"), _count(row, "closed")) for row in by_month.rows),
        more=len(active) - len(shown),
        uncounted=len(table.rows) - len(due),
    )


def _count(row: Row, name: str) -> int:
    return int(row.figures[name] or 0)


def _rows(values: Iterable[tuple[Row, dict[str, Any]]]) -> Iterable[UnitRow]:
    values = list(values)
    most = {name: max((each[name] or 0 for _, each in values), default=0) for name in HEAT}
    for row, figures in values:
        yield UnitRow(
            row.key, row.code or "", row.name or "", row.alone,
            tuple(_cell(name, figures[name], most[name]) for name in HEAT),
        )  # fmt: skip


def _cell(name: str, value: float | None, most: float) -> Cell:
    if name == "on_time_rate":
        if value is None:
            return Cell(name, "—", 0, True)
        # A share is judged as it is: eight in ten on time are no better because all others are worse.
        return Cell(name, f"{value:.0%}", charts.level(max(value - 0.5, 0), 0.5), True)
    if value is None:
        return Cell(name, "—", 0, name in GOOD)
    heat = 0 if name in PLAIN else charts.level(value, most)
    return Cell(name, f"{int(value)}", heat, name in GOOD)
