"""Reading figures: a table by units, ledgers, months, sources or severities; the items behind one of its figures."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from service.actions import references
from service.actions.references import Named
from service.actions.service import Call, Service
from service.errors import Refused, invalid
from service.store import figure_items, figure_sums, ledgers, units
from service.store.database import Tx
from service.store.figure_items import START, Counted, Place
from service.store.figure_reading import Reading
from service.store.figure_scope import Narrowed
from service.store.figure_sums import Head
from service.workflow.folding import EVERY
from service.workflow.organisation import Unit
from service.workflow.states import Severity, SourceKind
from service.workflow.summing import Figures, Key, Period, Sums, months_of, rows_of, something, whole_of

__all__ = ["START", "Asked", "Behind", "Place", "Row", "Table", "items", "read", "table_of"]

MOST_CHILDREN = 40_000
"""Units below one that a table by units shows at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What figures are asked for; the unit and ledgers still as words. `alone`: the unit without those below it.

    Without a unit the caller's whole scope counts. Empty filters filter nothing.
    """

    period: Period
    unit: Named | None = None
    alone: bool = False
    ledgers: tuple[Named, ...] = ()
    severities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table. `alone`: a unit without those below it, which have rows of their own."""

    key: Key
    code: str | None
    name: str | None
    alone: bool
    figures: Figures

    def told(self) -> dict[str, Any]:
        """As readers see it."""
        key = f"{self.key:%Y-%m}" if isinstance(self.key, date) else str(self.key)
        return {"key": key, "code": self.code, "name": self.name, "alone": self.alone, "figures": self.figures}


@dataclass(frozen=True, slots=True)
class Table:
    """`position` is how far the log is counted in it."""

    rows: list[Row]
    total: Figures
    position: int


async def read(service: Service, call: Call, asked: Asked, by: str) -> Table:
    """A table of figures. Refuses `invalid_request` for unknown units and ledgers, and for none where several could be
    meant; `unavailable` while figures are counted anew."""

    async def action(tx: Tx) -> Table:
        return await table_of(tx, call, asked, by)

    # In one snapshot: a worker may be summing up what is read here in parts.
    return await service.read(action, varied=True, whole=True)


async def table_of(tx: Tx, call: Call, asked: Asked, by: str) -> Table:
    """The same in a snapshot of the caller's own."""
    head = await _head(tx, call)
    narrowed, named = await _narrowed(tx, call, asked)
    below: list[Unit] = []
    if by == "unit" and len(named) == 1 and not asked.alone and named[0] not in narrowed.alone:
        # Its own, and each right below it with the rest.
        below = await units.children(tx, call.tenant_id, named[0], MOST_CHILDREN)
        narrowed = replace(narrowed, own=named[0])
    if by == "unit" and named:
        named = (*named, *(unit.id for unit in below))
        narrowed = replace(narrowed, tops=named)
    reading = Reading(tx, call.tenant_id, by, narrowed, named, asked.period, call.today, head)
    sums = await reading.read()
    found = months_of(sums, asked.period, call.today) if by == "month" else rows_of(sums)
    return Table(await _rows(tx, call, by, narrowed, below, found), whole_of(sums), head.counted)


@dataclass(frozen=True, slots=True)
class Behind:
    """What a figure counts; number and title of the item where the caller sees it still."""

    counted: Counted
    number: str | None
    title: str | None

    @property
    def place(self) -> Place:
        return self.counted.day, self.counted.item_id, self.counted.cycle, self.counted.unit_id


async def items(service: Service, call: Call, asked: Asked, figure: str, after: Place, limit: int) -> list[Behind]:
    """The items behind a count, in the order of their days, behind a place. Refuses as `read` does."""

    async def action(tx: Tx) -> list[Behind]:
        await _head(tx, call)
        narrowed, _ = await _narrowed(tx, call, asked)
        found = await figure_items.page(
            tx, call.tenant_id, figure, narrowed, asked.period, today=call.today, after=after, limit=limit
        )
        titles = await figure_items.titles(tx, call.tenant_id, {each.item_id for each in found}, call.scope)
        return [Behind(each, *titles.get(each.item_id, (None, None))) for each in found]

    return await service.read(action, varied=True, whole=True)


async def _head(tx: Tx, call: Call) -> Head:
    """How far is counted; refuses `unavailable` where that is not the whole log."""
    head = await figure_sums.head(tx, call.tenant_id)
    if head.counted < head.size:
        raise Refused("unavailable")
    return head


async def _narrowed(tx: Tx, call: Call, asked: Asked) -> tuple[Narrowed, tuple[UUID, ...]]:
    """What is asked for, as far as the caller may see it; and the units that it is about."""
    ledger_ids = tuple([(await references.find_ledger(tx, call, named)).id for named in asked.ledgers])
    narrowed = Narrowed(
        ledgers=ledger_ids, severities=asked.severities, sources=asked.sources, category=asked.category
    )  # fmt: skip
    if asked.unit is not None:
        known = await references.find_units(tx, call.tenant_id, [asked.unit.ref], inactive=True)
        lines = {(line := known.line_in(asked.unit, call.scope))[0]: line}
    else:
        lines = await units.lines(tx, call.tenant_id, set(call.scope.units))
    alone = tuple(unit for unit, line in lines.items() if not call.scope.covers_all(line))
    # One of several that stands below another is counted with that, where that is more than itself.
    above = lines.keys() - set(alone)
    tops = tuple(unit for unit, line in lines.items() if not above & set(line[1:]))
    if asked.alone:
        if len(tops) != 1:
            raise invalid(("/query/unit", "missing"))
        return replace(narrowed, tops=tops, own=tops[0]), tops
    # The root has everything below it, whatever moves.
    whole = any(len(lines[unit]) == 1 and unit not in alone for unit in tops)
    return replace(narrowed, tops=() if whole else tops or (EVERY,), alone=alone), tops


async def _rows(
    tx: Tx, call: Call, by: str, narrowed: Narrowed, below: list[Unit], found: dict[Key, Figures]
) -> list[Row]:
    """The rows in their order: of units every one, of all else what has anything.

    Months are a stretch of time: of them the blank ones at both ends are left out already.
    """
    nothing = whole_of(Sums())
    if by == "unit":
        there = {unit.id for unit in below}
        known = below + await units.some(tx, call.tenant_id, [unit for unit in narrowed.tops if unit not in there])
        alone = {narrowed.own, *narrowed.alone}
        return [
            Row(unit.id, unit.code, unit.name, unit.id in alone, found.get(unit.id, nothing))
            for unit in sorted(known, key=lambda unit: (unit.id != narrowed.own, unit.code))
        ]
    if by != "month":
        # Sums may have rows of nothing where counts have none: what was taken back, or was over before the period.
        found = {key: figures for key, figures in found.items() if something(figures)}
    if by == "ledger":
        ledger_of = {ledger_id: await ledgers.by_id(tx, call.tenant_id, ledger_id) for ledger_id in found}
        rows = [
            Row(ledger.id, ledger.code, ledger.name, False, found[ledger.id]) for ledger in ledger_of.values() if ledger
        ]
        return sorted(rows, key=lambda row: row.code or "")
    order: list[Key] = sorted(found)
    if by in ("severity", "source"):
        order = [word.value for word in (Severity if by == "severity" else SourceKind) if word.value in found]
    return [Row(key, None, None, False, found[key]) for key in order]
