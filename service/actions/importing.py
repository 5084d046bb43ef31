"""What the rows of a file come to in this tenant: read, placed among its units, and held against what is there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from service.actions import references
from service.actions.references import Named
from service.actions.service import Call, new_id
from service.errors import forbidden, invalid
from service.store import imports, ledgers, units
from service.store.database import Tx
from service.workflow import import_plan, unit_names
from service.workflow.headings import Field
from service.workflow.import_plan import Known, Numbered, Outcome, Placed
from service.workflow.ledger_rows import LedgerRow
from service.workflow.organisation import Ledger, Unit
from service.workflow.permissions import holds, holds_anywhere
from service.workflow.policy import Policy
from service.workflow.row_faults import FORBIDDEN, INVALID_DATE, Fault
from service.workflow.states import Role

Line = tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a file is to be imported. `columns` says what headings mean, where the caller knows better."""

    ledger: Named
    dry_run: bool = False
    all_or_nothing: bool = False
    create_units: bool = False
    parent: Named | None = None
    update: bool = False
    columns: dict[str, Field | None] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """Rows with their places. `lines` of every unit that they name, each unit first, the root last."""

    ledger: Ledger
    policy: Policy
    placed: list[Placed]
    lines: dict[UUID, Line]
    new_units: list[Unit]

    @property
    def accepted(self) -> list[Placed]:
        return [each for each in self.placed if each.outcome is not None]

    def of(self, outcome: Outcome) -> list[Placed]:
        return [each for each in self.placed if each.outcome == outcome]

    def begin_again(self) -> None:
        """As it was before it was carried out: the write that did so was lost."""
        for each in self.of(Outcome.UPDATED):
            each.outcome, each.warnings = Outcome.CHANGED, each.row.warnings

    def years(self, today: date) -> Counter[int]:
        """How many items are to be listed in each year."""
        return Counter(listed_on(each.row, today).year for each in self.of(Outcome.CREATED))


def listed_on(row: LedgerRow, today: date) -> date:
    """The day of listing: as the ledger says, else today; what was closed before that was listed by then."""
    day = row.listed_on or today
    return min(day, row.closed_on) if row.closed and row.closed_on else day


def may_import(call: Call, options: Options) -> None:
    """Refuses `forbidden` whoever imports nowhere, and units made by one who makes none."""
    if not holds_anywhere(call.grants, "import"):
        raise forbidden()
    if options.create_units and not holds_anywhere(call.grants, "unit:write"):
        raise forbidden("import_units")


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan stands on, as it was read: while it is the same, the plan holds."""

    ledger: Ledger
    units: list[Unit]
    known: list[Known]
    numbered: list[Numbered]


async def ground(tx: Tx, call: Call, options: Options, rows: Iterable[LedgerRow]) -> Ground:
    """Refuses `unknown_reference` where there is no such ledger."""
    ledger = await references.find_ledger(tx, call, options.ledger)
    present = await units.every(tx, call.tenant_id)
    known: list[Known] = []
    if await imports.any_of_ledger(tx, call.tenant_id, ledger.id):
        keys = {row.marks.key for row in rows if not row.errors}
        known = await imports.known(tx, call.tenant_id, ledger.id, keys)
    # Ledgers that are kept by hand count from 1: only what is no mere count can be an item's number.
    numbers = {number for row in rows if (number := row.source_no) and not number.isdecimal()}
    numbered = await imports.numbered(tx, call.tenant_id, ledger.id, numbers) if numbers else []
    return Ground(ledger, sorted(present, key=lambda unit: unit.id), known, numbered)


def plan(ground: Ground, call: Call, options: Options, rows: Iterable[LedgerRow]) -> Plan:
    """What the rows come to. Takes its time.

    Refuses `forbidden` where the ledger is its owner's, and `unknown_reference` for an unknown parent of new units.
    """
    ledger, present = ground.ledger, ground.units
    tree = _Tree(present)
    if ledger.listing == "owner" and not holds(call.grants, "item:create", tree.line(ledger.owner_unit_id)):
        raise forbidden("owner_listing")
    parent = _parent(call, options, present, tree)
    found = import_plan.Units(unit_names.Index.of(present), new_id, options.create_units)
    placed = [_place(call, found, tree, parent, row) for row in rows]
    import_plan.recognise(placed, ground.known, ground.numbered)
    made = _new_units(call, found, placed, parent)
    return Plan(ledger, ledgers.remember(call.tenant_id, ledger), placed, tree.lines, made)


class _Tree:
    """Lines, worked out from parents as they are asked for."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self.parents = {unit.id: unit.parent_id for unit in units}
        self.lines: dict[UUID, Line] = {}

    def line(self, unit_id: UUID) -> Line:
        known = self.lines.get(unit_id)
        if known is None:
            parent = self.parents[unit_id]
            known = self.lines[unit_id] = (unit_id, *(self.line(parent) if parent is not None else ()))
        return known


def _parent(call: Call, options: Options, present: list[Unit], tree: _Tree) -> UUID:
    """Under what new units hang: the root unless told. Refuses `unknown_reference`."""
    if options.parent is None:
        return next(unit.id for unit in present if unit.parent_id is None)
    ref = options.parent.ref
    for unit in present:
        if ref in (unit.id, unit.code) and unit.active and call.scope.covers(tree.line(unit.id)):
            return unit.id
    raise invalid((options.parent.pointer, "unknown_reference"))


def _place(call: Call, found: import_plan.Units, tree: _Tree, parent: UUID, row: LedgerRow) -> Placed:
    row.settle(call.today)
    placed = Placed(row, row.errors, row.warnings)
    if not (row.lead_cell or row.unit_cell):
        return placed
    if row.errors and found.create:
        # What is refused anyway makes no unit.
        return placed
    cells = found.place(row)
    placed.errors += cells.faults
    if cells.responsible is None or placed.errors:
        return placed
    placed.responsible, placed.co_units, placed.kept = cells.responsible, cells.co_units, cells.kept
    for unit_id in (placed.responsible, *placed.co_units):
        if unit_id not in tree.parents:
            tree.parents[unit_id] = parent
        tree.line(unit_id)
    placed.errors += _forbidden(call, row, tree.line(placed.responsible))
    placed.errors += _impossible(call, row)
    return placed


def _forbidden(call: Call, row: LedgerRow, responsible: Line) -> tuple[Fault, ...]:
    """Where this caller may not list, and dates that only admin and supervisor set."""
    if not holds(call.grants, "item:create", responsible):
        return (Fault(FORBIDDEN, Field.UNIT),)
    trusted = tuple(grant for grant in call.grants if grant.role in (Role.ADMIN, Role.SUPERVISOR))
    if (row.closed or row.listed_on is not None) and not holds(trusted, "item:create", responsible):
        return (Fault(FORBIDDEN, Field.STRUCK_OFF if row.closed else Field.LISTED_ON),)
    return ()


def _impossible(call: Call, row: LedgerRow) -> tuple[Fault, ...]:
    """What was found, listed or closed does not lie in the future."""
    days = {Field.FOUND_ON: row.found_on, Field.LISTED_ON: row.listed_on}
    if row.closed:
        days[Field.CLOSED_ON] = row.closed_on
    return tuple(Fault(INVALID_DATE, name) for name, day in days.items() if day is not None and day > call.today)


def _new_units(call: Call, found: import_plan.Units, placed: Iterable[Placed], parent: UUID) -> list[Unit]:
    """Those of the made units that an accepted row names. Their codes follow from their ids."""
    named = {unit_id for each in placed if not each.errors for unit_id in (each.responsible, *each.co_units) if unit_id}
    return [
        Unit(unit_id, f"i-{unit_id.hex[-12:]}", name, parent, "other", True, 1, call.now, call.now)
        for name, unit_id in found.made.items()
        if unit_id in named
    ]
