"""What the figures keep of an item between two events: as little as it takes to count the next one.

It is read and written for every event that counts, so its days are ordinals and its ids text: nothing has to be
converted on the way to JSON and back.
"""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from service.workflow.states import DeadlineKind

Entry = tuple[int, int, int, int, int, int]
"""What something was counted as: (metric's place, day, unit's place, cycle, since or 0, days)."""


@dataclass(slots=True)
class Kept:
    """`units` were responsible one after the other; the last one is now.

    A stretch is the time between two changes of unit or cycle. `begun` is the day of the listing or the reopening.
    `due` is the deadline in force, None once closed; `passed`: it counts as fallen due already, or never will.
    `waits`: for a claim, counted on `claim_due`. `asked` is the day of the latest closure request. `fell` are the
    deadlines of this stretch that fell due, `met` those that were kept; `lasting` is what lasts, with its first day.
    `counted` is every count of the item so far: an entry and how many.

    Stored by the places of its fields: a new one goes to the end and has a value for items from before.
    """

    ledger_id: str
    severity: str
    source: str
    units: list[str]
    begun: int
    kind: str
    due_on: int | None
    review_on: int | None
    claim_due: int | None
    closed: bool
    annulled: bool = False
    cycle: int = 1
    due: int | None = None
    passed: bool = False
    waits: bool = False
    asked: int | None = None
    extended: int | None = None
    extended_late: int | None = None
    fell: list[int] = field(default_factory=list)
    met: list[int] = field(default_factory=list)
    lasting: dict[str, int] = field(default_factory=dict)
    counted: list[list[int]] = field(default_factory=list)

    @property
    def unit(self) -> str:
        return self.units[-1]

    @property
    def deadline_day(self) -> int | None:
        """For standing items the deadline means the review everywhere."""
        return self.review_on if self.kind == DeadlineKind.STANDING else self.due_on

    def begin_stretch(self, unit: str) -> None:
        if unit != self.unit:
            self.units.append(unit)
        self.asked = self.extended = self.extended_late = None
        self.fell, self.met = [], []

    def copy(self) -> "Kept":
        values: list[Any] = list(_values(self))
        for place in _HELD:
            values[place] = values[place].copy()
        return Kept(*values)

    def to_list(self) -> list[Any]:
        """As it is stored: its fields by their places."""
        return list(_values(self))

    @classmethod
    def from_list(cls, stored: list[Any]) -> "Kept":
        """What `to_list` made."""
        return cls(*stored)


_NAMES = [each.name for each in fields(Kept)]
_HELD = [_NAMES.index(name) for name in ("units", "fell", "met", "lasting", "counted")]
_values = attrgetter(*_NAMES)
