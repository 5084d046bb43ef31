"""Units that cells of a ledger name: which of a tenant's they are, and phrases that mean no unit at all."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from service.workflow.cell_words import ditto
from service.workflow.organisation import Unit
from service.workflow.unit_cells import LONGEST_CELL, SEAT, Names, split

AMBIGUOUS, COLLECTIVE, UNKNOWN = "ambiguous", "collective", "unknown"
"""Why a name is no unit: two bear it; it means whoever is concerned; nobody bears it."""

LONGEST = 200
"""Characters of a unit's name."""

_BRACKETED = re.compile(r"[(（][^()（）]*[)）]")
_CATEGORY = "单位|部门|地区|乡镇|镇街|乡|镇|街道|县市区|县区|社区|村|科室|股室|处室|企业|园区|学校"
_NUMERAL = r"[一二两三四五六七八九十\d]+"
_AND_OTHERS = re.compile(rf"(.+?)(?<![高中初特优])等(?:有关|相关)?(?:(?:{_CATEGORY})+|\d+[个家].*)?")
_COLLECTIVE = re.compile(
    r"(?:全[县市区省镇乡州]|[县市区省镇乡]直|[县市区省镇乡]级?|本[县市区镇乡]|辖区|所辖|属地|其他|其它|各)*?(?:各|有关|相关|全体|所有|其他|其它|涉及)"
    r"(?:有关|相关|级)?[^、]*"
    rf"|.*(?<![高中初特优])等(?:有关|相关)?(?:(?:{_CATEGORY})+|\d+个.*)"
    rf"|.{{0,6}}各(?:有关|相关|成员|级)?(?:{_CATEGORY})+"
    rf"|(?:属地|所在地?|辖区|当地|涉事|涉及)(?:的)?(?:{_CATEGORY}|政府|党委)+"
    rf"|沿[线河江湖路](?:乡镇|镇街|县区|单位|部门|企业)+"
    rf"|{_NUMERAL}个(?:{_CATEGORY}|[县市区])+|(?:{_NUMERAL}[县市区镇乡村]){{2,}}|(?:{_CATEGORY})+|.*成员单位"
)  # fmt: skip


def plain(name: str) -> str:
    """A name as it is compared: half-width, without blanks."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def collective(name: str) -> bool:
    """各镇, 各有关单位, 相关部门（见附件）: whoever is concerned; and 同上, which names nobody by itself."""
    return ditto(name) or bool(_COLLECTIVE.fullmatch(_BRACKETED.sub("", plain(name))))


@lru_cache(maxsize=4_000)
def governed(name: str) -> tuple[str, str]:
    """The place that a name is an organ of, and of which kind: 东城镇 of 东城镇党委 and of 东城镇人民政府."""
    bare = plain(name)
    found = SEAT.fullmatch(bare)
    if found is None:
        return bare, ""
    return found["seat"], "party" if found["organ"].startswith("党") else "government"


@dataclass(slots=True)
class Index:
    """The active units of a tenant, by code, by name, and by the place that they govern. Names that were made on the
    way join them."""

    by_code: dict[str, UUID] = field(default_factory=dict)
    by_name: dict[str, list[UUID]] = field(default_factory=dict)
    by_place: dict[str, dict[str, list[UUID]]] = field(default_factory=dict)

    @classmethod
    def of(cls, units: Iterable[Unit]) -> "Index":
        index = cls()
        for unit in units:
            if unit.active:
                index.by_code[unit.code] = unit.id
                index.add(unit.name, unit.id)
        return index

    def add(self, name: str, unit_id: UUID) -> None:
        """One more unit that bears a name."""
        self.by_name.setdefault(plain(name), []).append(unit_id)
        place, organ = governed(name)
        self.by_place.setdefault(place, {}).setdefault(organ, []).append(unit_id)

    def find(self, name: str) -> UUID | str:
        """The unit with this code, else with this name, else the one that governs the same place; else why there is
        none: ambiguous, collective, unknown."""
        known = self.by_code.get(name.strip())
        if known is not None:
            return known
        if len(name) > LONGEST:
            return UNKNOWN
        named = self.by_name.get(plain(name)) or self._governing(name)
        if len(named) == 1:
            return named[0]
        if named:
            return AMBIGUOUS
        return COLLECTIVE if collective(name) else UNKNOWN

    def _governing(self, name: str) -> list[UUID]:
        """The units that govern the same place: by the same organ, else the place itself, else its government."""
        place, organ = governed(name)
        known = self.by_place.get(place, {})
        return next((known[each] for each in (organ, "", "government", "party") if each in known), [])

    def names(self, cell: str) -> Names:
        """The names in a cell; one that is a unit as a whole, however it is written, is not split, nor is a text."""
        whole = cell.strip()
        if len(whole) > LONGEST_CELL or self._known(whole):
            return Names((whole,))
        found: list[str] = []
        lead = 0
        told = split(cell)
        for at, name in enumerate(told.names):
            if at == told.lead:
                lead = len(found)
            found += self._within(name)
        names = tuple(dict.fromkeys(found))
        return Names(names, names.index(found[lead]) if found else 0)

    def _known(self, name: str) -> bool:
        return isinstance(self.find(name), UUID)

    def _within(self, name: str) -> list[str]:
        """甲局和乙局 is two units where both are known, 甲局（乙局） is 甲局 under its other name."""
        if len(name) > LONGEST or self._known(name):
            return [name]
        bare = _BRACKETED.sub("", name).strip()
        if bare != name and bare:
            if self._known(bare):
                return [bare]
            # 有关部门（甲局、乙局）: those are meant.
            listed = [each for inside in _BRACKETED.findall(name) for each in split(inside[1:-1]).names]
            if collective(bare) and listed and all(map(self._known, listed)):
                return listed
        first = _AND_OTHERS.fullmatch(name)
        if first and self._known(first[1]):
            # The phrase stays beside the unit that it begins with.
            return [first[1], name] if collective(name) else [first[1]]
        return self._joined(name)

    def _joined(self, name: str) -> list[str]:
        """住房和城乡建设局 is one: parts are taken only where each is a unit, or means whoever is concerned."""
        parts: list[str] = []
        start = 0
        for match in re.finditer(r"和|及|与|暨", name):
            part = name[start : match.start()]
            if self.find(part) != UNKNOWN:
                parts.append(part)
                start = match.end()
        parts.append(name[start:])
        sure = any(map(self._known, parts)) and all(self.find(part) != UNKNOWN for part in parts)
        return parts if sure else [name]
