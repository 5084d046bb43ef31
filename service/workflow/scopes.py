"""What a caller sees: units with everything below them, and units by themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from service.workflow.permissions import Grant


@dataclass(frozen=True, slots=True)
class Scope:
    """`whole` are the units whose subtrees are seen, `alone` those of which nothing below is; none is both."""

    whole: tuple[UUID, ...] = ()
    alone: tuple[UUID, ...] = ()

    @classmethod
    def of(cls, grants: Iterable[Grant]) -> "Scope":
        """What these grants let see, whatever their roles: each of them reads."""
        whole: dict[UUID, None] = {}
        alone: dict[UUID, None] = {}
        for grant in grants:
            (whole if grant.subtree else alone)[grant.unit_id] = None
        return cls(tuple(whole), tuple(unit for unit in alone if unit not in whole))

    def __bool__(self) -> bool:
        return bool(self.whole or self.alone)

    @property
    def units(self) -> tuple[UUID, ...]:
        """Those that it is made of."""
        return self.whole + self.alone if self.alone else self.whole

    def covers(self, line: tuple[UUID, ...]) -> bool:
        """Whether the unit lies in it whose line (itself first, root last) is given; of an empty line none does."""
        return self.covers_all(line) or (bool(line) and line[0] in self.alone)

    def covers_all(self, line: tuple[UUID, ...]) -> bool:
        """The same of the unit with everything below it."""
        return not set(self.whole).isdisjoint(line)
