"""An item as a line of a printed ledger, and what stands under the last of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from service.workflow.cells import fitting, whole
from service.workflow.items import Item
from service.workflow.ledger_layouts import DEADLINES, LAMPS, RESOLUTIONS, SEVERITIES, SOURCES, STATES, Layout
from service.workflow.states import Resolution, SourceKind, State
from service.workflow.views import ItemView

Value = str | int | date | None


@dataclass(frozen=True, slots=True)
class Around:
    """What a line says that does not stand in the item: names of units, the newest report of progress of each item."""

    names: Mapping[UUID, str]
    progress: Mapping[UUID, str]
    zone: ZoneInfo


@dataclass(slots=True)
class Totals:
    """What was written so far."""

    lines: int = 0
    closed: int = 0
    overdue: int = 0
    extensions: int = 0

    def count(self, view: ItemView) -> None:
        self.lines += 1
        self.closed += view.item.state == State.CLOSED
        self.overdue += view.overdue
        self.extensions += view.item.extension_count


def line(layout: Layout, position: int, view: ItemView, around: Around) -> list[Value]:
    """The cells of an item, one for each column of the layout; `position` is its place in the table, from 1."""
    facts = _facts(position, view, around)
    return [_cell(facts[column.fact]) for column in layout.columns]


def total(layout: Layout, totals: Totals) -> list[Value]:
    """The last line (合计): an import knows it by its first cell."""
    facts: dict[str, Value] = {
        "position": "合计",
        "problem": f"共 {totals.lines} 项",
        "state": f"未销号 {totals.lines - totals.closed}",
        "days_overdue": f"超期 {totals.overdue}",
        "extensions": totals.extensions,
        "struck_off": totals.closed,
    }
    return [facts.get(column.fact) for column in layout.columns]


def _cell(value: Value) -> Value:
    return fitting(whole(value)) if isinstance(value, str) else value


def _facts(position: int, view: ItemView, around: Around) -> dict[str, Value]:
    item, names = view.item, around.names
    closed = item.state == State.CLOSED
    return {
        "position": position,
        "number": item.number,
        "problem": problem(item.title, item.description),
        "category": item.category,
        "source": _source(item),
        "found_on": item.found_on,
        "severity": SEVERITIES.get(item.severity, item.severity),
        "unit": names.get(item.responsible_unit_id),
        "co_units": "、".join(names[unit] for unit in item.co_unit_ids if unit in names) or None,
        "supervising": names.get(item.supervising_unit_id),
        "person": item.responsible_person,
        "goal": item.goal,
        "measures": item.measures,
        "deadline": DEADLINES.get(item.deadline_kind) or item.due_on,
        "due_on": item.deadline_day,
        "progress": around.progress.get(item.id),
        "state": _state(item),
        "extensions": item.extension_count,
        "days_overdue": (item.closed_days_late if closed else view.days_overdue) or None,
        "lamp": None if view.lamp is None else LAMPS.get(view.lamp, view.lamp),
        "struck_off": "是" if closed and item.resolution == Resolution.RECTIFIED else "否",
        "closed_on": item.closed_at.astimezone(around.zone).date() if item.closed_at else None,
    }


def problem(title: str, description: str | None) -> str:
    """Title and description as one text. A title that is only the beginning of the description is not said twice."""
    if not description:
        return title
    # A problem that was imported with more than a title holds has its whole text as description.
    if " ".join(description.split()).startswith(title.rstrip("…")):
        return description
    return f"{title}\n{description}"


def _source(item: Item) -> str | None:
    if item.source_kind == SourceKind.OTHER:
        return item.source_ref
    kind = SOURCES.get(item.source_kind, item.source_kind) if item.source_kind else None
    if kind and item.source_ref and item.source_ref.startswith(kind):
        # What was imported from such a cell has all of it already.
        return item.source_ref
    return f"{kind}（{item.source_ref}）" if kind and item.source_ref else kind or item.source_ref


def _state(item: Item) -> str:
    if item.state == State.CLOSED and item.resolution in RESOLUTIONS:
        return RESOLUTIONS[item.resolution]
    return STATES.get(item.state, item.state)
