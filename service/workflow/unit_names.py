"""Units as they stand in a cell of a ledger: several of them, with who leads, and phrases that mean no unit at all."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from service.workflow.organisation import Unit

AMBIGUOUS, COLLECTIVE, UNKNOWN = "ambiguous", "collective", "unknown"
"""Why a name is no unit: two bear it; it means whoever is concerned; nobody bears it."""

_SEPARATORS = re.compile(r"[、,，;；/\n\r]+")
_ROLE = re.compile(
    r"[(（](?:牵头|主办|主责|责任|配合|协办|协助|参与|会办|督办)(?:责任)?(?:单位|部门)?[)）]"
    r"|^(?:牵头|主办|责任|配合|协办)(?:责任)?(?:单位|部门)?[:：]"
    r"|(?:牵头|主办|负责|配合|协办|参与)$"
)
_LEADS = re.compile(r"[(（](?:牵头|主办|主责)[^)）]*[)）]|^(?:牵头|主办)[^:：]*[:：]|(?:牵头|主办)$")
_COLLECTIVE = re.compile(
    r"(?:全[县市区省镇乡州]|[县市区省镇乡]直|[县市区省镇乡]级?|本[县市区镇乡]|辖区|所辖|属地|其他|其它|各)*?(?:各|有关|相关|全体|所有|其他|其它|涉及)"
    r"(?:有关|相关|级)?[^、]*"
    r"|.*等(?:有关|相关)?(?:单位|部门|地区|\d+个.*)"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a cell, in order; `lead` is the one that is marked as leading, else the first."""

    names: tuple[str, ...]
    lead: int = 0


def plain(name: str) -> str:
    """A name as it is compared: half-width, without blanks."""
    return "".join(unicodedata.normalize("NFKC", name).split())


def collective(name: str) -> bool:
    """各镇, 各有关单位, 相关部门: whoever is concerned."""
    return bool(_COLLECTIVE.fullmatch(plain(name)))


def split(cell: str) -> Names:
    """The names in a cell. Blanks part names only where every part could be one."""
    parts: list[str] = []
    lead = None
    for piece in _SEPARATORS.split(cell):
        words = piece.split()
        for each in words if len(words) > 1 and all(len(word) > 2 for word in words) else [" ".join(words)]:
            name = _ROLE.sub("", _ROLE.sub("", each)).strip(" 。.:：")
            if not name:
                continue
            if lead is None and _LEADS.search(each):
                lead = len(parts)
            parts.append(name)
    return Names(tuple(dict.fromkeys(parts)), _at(parts, lead))


def _at(parts: list[str], lead: int | None) -> int:
    """Where the leading one stands once no name stands twice."""
    return list(dict.fromkeys(parts)).index(parts[lead]) if lead is not None else 0


@dataclass(slots=True)
class Index:
    """The active units of a tenant, by code and by name. Names that were made on the way join them."""

    by_code: dict[str, UUID] = field(default_factory=dict)
    by_name: dict[str, list[UUID]] = field(default_factory=dict)

    @classmethod
    def of(cls, units: Iterable[Unit]) -> "Index":
        index = cls()
        for unit in units:
            if unit.active:
                index.by_code[unit.code] = unit.id
                index.by_name.setdefault(plain(unit.name), []).append(unit.id)
        return index

    def find(self, name: str) -> UUID | str:
        """The unit with this code, else with this name; else why there is none: ambiguous, collective, unknown."""
        known = self.by_code.get(name.strip())
        if known is not None:
            return known
        named = self.by_name.get(plain(name), [])
        if len(named) == 1:
            return named[0]
        if named:
            return AMBIGUOUS
        return COLLECTIVE if collective(name) else UNKNOWN

    def names(self, cell: str) -> Names:
        """The names in a cell; one that is a unit as a whole, however it is written, is not split."""
        whole = cell.strip()
        if isinstance(self.find(whole), UUID):
            return Names((whole,))
        found: list[str] = []
        split_up = split(cell)
        lead = split_up.names[split_up.lead] if split_up.names else ""
        for name in split_up.names:
            found += self._joined(name)
        return Names(tuple(dict.fromkeys(found)), next((at for at, name in enumerate(found) if name == lead), 0))

    def _joined(self, name: str) -> list[str]:
        """甲局和乙局 is two units where both are known, and 住房和城乡建设局 is one."""
        if isinstance(self.find(name), UUID):
            return [name]
        for match in re.finditer(r"和|及|与|暨", name):
            halves = [name[: match.start()], name[match.end() :]]
            if all(isinstance(self.find(half), UUID) for half in halves):
                return halves
        return [name]
