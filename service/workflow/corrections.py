"""The columns of a workbook of refused rows, which come from tables with different headings and are imported again."""

from dataclasses import dataclass, field

from service.workflow.headers import Header
from service.workflow.headings import NAMES, NOT_KEPT, Field, field_of, normalised

Held = tuple[Field, int] | None
"""What a column holds, and the how manyeth of its kind it is; None where it holds no field."""


@dataclass(slots=True)
class Correction:
    """Of several tables the columns that hold the same are one, under the heading of the first."""

    headings: dict[str, Held] = field(default_factory=dict)
    _named: dict[int, dict[int, str]] = field(default_factory=dict)

    def row(self, header: Header, cells: dict[int, str]) -> dict[str, str]:
        """The cells of a row, by column, under the headings of the workbook."""
        if id(header) not in self._named:
            self._named[id(header)] = self._name(header)
        return {name: cells.get(column, "") for column, name in self._named[id(header)].items()}

    def _name(self, header: Header) -> dict[int, str]:
        names: dict[int, str] = {}
        for column, heading in header.headings.items():
            if normalised(heading) in NOT_KEPT:
                continue
            held = _held(header, column)
            known = (name for name, what in self.headings.items() if what == held and (held or name == heading))
            name = next((each for each in known if each not in names.values()), None) or self._free(heading, held)
            self.headings[name] = held
            names[column] = name
        return names

    def _free(self, heading: str, held: Held) -> str:
        """The last of the headings above each other, where it says enough and no other column is called so."""
        last = heading.rpartition(" / ")[2]
        known = field_of((last,))
        enough = (known[0] if known else None) == (held[0] if held else None)
        offered = [*([last] if enough else []), heading, *(NAMES[held[0]] if held else ())]
        numbered = (f"{heading}{number}" for number in range(2, len(self.headings) + 3))
        return next(name for name in (*offered, *numbered) if name not in self.headings)


def _held(header: Header, column: int) -> Held:
    found = header.field_at(column)
    return (found, header.columns[found].index(column)) if found is not None else None
