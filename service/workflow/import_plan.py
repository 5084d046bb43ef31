"""What the rows of a ledger come to: which units they name, which of them are here already, and which are refused.

A row is known again by its unit and its problem; of several such rows by its deadline, and then by their order.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.workflow.headings import Field
from service.workflow.ledger_rows import LedgerRow, Marks
from service.workflow.row_faults import MISSING_UNIT, TOO_LONG, UNKNOWN_UNIT, Fault
from service.workflow.unit_cells import Names
from service.workflow.unit_names import COLLECTIVE, LONGEST, UNKNOWN, Index, plain

MAX_CO_UNITS = 50


class Outcome(StrEnum):
    """What becomes of an accepted row. CHANGED: it is here, and says something else now."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    UPDATED = "updated"


@dataclass(frozen=True, slots=True)
class Known:
    """A row that was imported before."""

    key: str
    deadline: str
    status: str
    content: str
    item_id: UUID


@dataclass(frozen=True, slots=True, order=True)
class Numbered:
    """An item of the ledger by its number there, and its problem as an export says it."""

    number: str
    item_id: UUID
    problem: str


@dataclass(slots=True)
class Placed:
    """A row with its units, in this tenant. `outcome` None: it is refused. `known`: the item that is here already.

    `kept` are units as they are written where they mean no unit; `item_id` is the item's, here already or new.
    """

    row: LedgerRow
    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    responsible: UUID | None = None
    co_units: tuple[UUID, ...] = ()
    kept: tuple[str, ...] = ()
    outcome: Outcome | None = None
    known: Known | None = None
    item_id: UUID | None = None

    @property
    def marks(self) -> Marks:
        return self.row.marks

    @property
    def attributes(self) -> dict[str, Any]:
        more = {"units_as_written": list(self.kept)} if self.kept else {}
        return {**self.row.attributes, **more}


@dataclass(frozen=True, slots=True)
class Cells:
    """What the cells of a row come to: its units, phrases that are kept as they are written, and faults."""

    responsible: UUID | None
    co_units: tuple[UUID, ...] = ()
    kept: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class Units:
    """The units of a tenant, and those that the rows make where that is asked for."""

    index: Index
    new_id: Callable[[], UUID]
    create: bool
    made: dict[str, UUID] = field(default_factory=dict)
    """Names of new units, each with its id."""
    _cells: dict[tuple[str, str, tuple[str, ...]], Cells] = field(default_factory=dict)

    def place(self, row: LedgerRow) -> Cells:
        """The responsible unit and the co-units of a row. What is no unit is a fault; a phrase beside one is kept."""
        cells = (row.lead_cell, row.unit_cell, row.co_cells)
        found = self._cells.get(cells)
        if found is None:
            found = self._cells[cells] = self._place(*cells)
        return found

    def _place(self, lead_cell: str, unit_cell: str, co_cells: tuple[str, ...]) -> Cells:
        leads = self.index.names(lead_cell) if lead_cell else Names(())
        units = self.index.names(unit_cell) if unit_cell else Names(())
        first = leads if leads.names else units
        if not first.names:
            return Cells(None, faults=(Fault(MISSING_UNIT, Field.UNIT),))
        chief = first.names[first.lead]
        responsible = self._unit(chief)
        faults = [] if isinstance(responsible, UUID) else [Fault(UNKNOWN_UNIT, Field.UNIT, f"{responsible}:{chief}")]
        beside: dict[UUID, None] = {}
        kept: list[str] = []
        for names in (leads, units, *map(self.index.names, co_cells)):
            phrase = False
            for name in names.names:
                if name == chief:
                    continue
                unit = self._unit(name, phrase)
                if isinstance(unit, UUID):
                    beside[unit] = None
                elif unit == COLLECTIVE:
                    # 各乡镇党委、政府: what follows belongs to the phrase, unless it is a unit that is known.
                    phrase = True
                    kept.append(name)
                else:
                    faults.append(Fault(UNKNOWN_UNIT, Field.CO_UNITS, f"{unit}:{name}"))
        if not isinstance(responsible, UUID):
            return Cells(None, faults=tuple(faults))
        beside.pop(responsible, None)
        if len(beside) > MAX_CO_UNITS:
            faults.append(Fault(TOO_LONG, Field.CO_UNITS))
        return Cells(responsible, tuple(beside), tuple(kept), tuple(faults))

    def _unit(self, name: str, phrase: bool = False) -> UUID | str:
        found = self.index.find(name)
        if found != UNKNOWN:
            return found
        if phrase:
            return COLLECTIVE
        if not self.create or len(name) > LONGEST:
            return UNKNOWN
        unit_id = self.made[name] = self.new_id()
        self.index.add(name, unit_id)
        return unit_id


def recognise(rows: Iterable[Placed], known: Iterable[Known], numbered: Iterable[Numbered] = ()) -> None:
    """Give each accepted row its outcome: first what is the same in all, then by the same deadline, then by order.

    A row that is none of these may still bear the number of an item, `numbered`, and its problem: an export brings back
    what was never imported. It is left as it is: nothing says what its row said before.
    """
    here: defaultdict[str, list[Known]] = defaultdict(list)
    for each in known:
        here[each.key].append(each)
    accepted = [each for each in rows if not each.errors]
    passes: tuple[Callable[[Marks, Known], bool], ...] = (
        lambda marks, each: marks.deadline == each.deadline and marks.content == each.content,
        lambda marks, each: marks.deadline == each.deadline,
        lambda marks, each: True,
    )
    for alike in passes:
        for placed in accepted:
            if placed.outcome is None and (candidates := here.get(placed.marks.key)):
                match = next((each for each in candidates if alike(placed.marks, each)), None)
                if match is not None:
                    candidates.remove(match)
                    placed.item_id, placed.known = match.item_id, match
                    same = match.content == placed.marks.content
                    placed.outcome = Outcome.UNCHANGED if same else Outcome.CHANGED
    taken = {placed.item_id for placed in accepted}
    free = {each.number: each for each in numbered if each.item_id not in taken}
    for placed in accepted:
        if placed.outcome is None:
            item = free.get(placed.row.source_no or "")
            if item is not None and plain(item.problem) == plain(placed.row.problem):
                del free[item.number]
                placed.item_id, placed.outcome = item.item_id, Outcome.UNCHANGED
        placed.outcome = placed.outcome or Outcome.CREATED
