"""A table of units: what its columns mean, what is wrong with it, and what it makes of the tree that is there.

Rows come in any order. Every row is judged before anything is done, and a pointer says where, as the clerk sees it:
`/rows/17/parent` is the parent in row 17.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from service.errors import invalid
from service.workflow.organisation import Unit
from service.workflow.states import Level
from service.workflow.trees import Line

MAX_UNITS = 10_000
MAX_ERRORS = 100
HEADING_WITHIN = 10
"""The headings stand in one of so many first rows; above them there may be a title."""

HEADINGS: dict[str, str] = {
    **dict.fromkeys(("编码", "单位编码", "代码", "单位代码", "机构编码", "code", "unit_code"), "code"),
    **dict.fromkeys(("名称", "单位名称", "单位", "机构名称", "name", "unit_name"), "name"),
    **dict.fromkeys(
        (
            "上级编码", "上级单位编码", "上级代码", "上级单位代码", "上级", "上级单位", "父级编码",
            "parent", "parent_code", "parentcode",
        ),
        "parent",
    ),
    **dict.fromkeys(("级别", "层级", "单位级别", "单位层级", "类别", "level"), "level"),
}  # fmt: skip

LEVELS: dict[str, Level] = {
    **dict.fromkeys(("县", "县级", "区", "市", "区县", "county"), Level.COUNTY),
    **dict.fromkeys(("乡镇", "镇", "乡", "街道", "乡级", "镇级", "乡镇级", "town", "township"), Level.TOWN),
    **dict.fromkeys(("村", "村级", "社区", "行政村", "village", "community"), Level.VILLAGE),
    **dict.fromkeys(("部门", "局", "县直部门", "县直单位", "单位", "department"), Level.DEPARTMENT),
    **dict.fromkeys(("其他", "其它", "组", "other"), Level.OTHER),
}

_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DECORATION = re.compile(r"[\s*＊:：]|[(（][^)）]*[)）]")


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A row of the table. `level` None: the column is left out or the cell blank. `parent` "": it is blank."""

    number: int
    code: str
    name: str
    parent: str
    level: str | None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a row comes to: created, updated, moved (and perhaps updated) or unchanged; the lines above of a move."""

    number: int
    before: Unit | None
    after: Unit
    old_above: Line = ()
    new_above: Line = ()

    @property
    def status(self) -> str:
        if self.before is None:
            return "created"
        if self.before.parent_id != self.after.parent_id:
            return "moved"
        return "unchanged" if self.before == self.after else "updated"


class _Faults:
    """Everything that is wrong, up to a bound, so that a clerk mends a table in one go."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def add(self, number: int, field: str, code: str) -> None:
        self.found.append((f"/rows/{number}/{field}", code))

    def refuse(self) -> None:
        if self.found:
            raise invalid(*self.found[:MAX_ERRORS])


def read_rows(sheets: Iterable[list[list[str]]]) -> list[UnitRow]:
    """The rows of the first sheet that has the headings; blank rows are left out.

    Refuses `invalid_request`: no_header, too_long (the table; a cell), missing, bad_format, control_char, not_allowed.
    """
    for rows in sheets:
        for index, row in enumerate(rows[:HEADING_WITHIN]):
            columns = _columns(row)
            if {"code", "name", "parent"} <= columns.keys():
                return _read(rows, index + 1, columns)
    raise invalid(("/file", "no_header"))


def _columns(row: list[str]) -> dict[str, int]:
    """Which column holds what; of two with the same meaning the first."""
    found: dict[str, int] = {}
    for index, cell in enumerate(row):
        field = HEADINGS.get(_DECORATION.sub("", cell).lower())
        if field is not None:
            found.setdefault(field, index)
    return found


def _read(rows: list[list[str]], first: int, columns: dict[str, int]) -> list[UnitRow]:
    found: list[UnitRow] = []
    faults = _Faults()
    for index, row in enumerate(rows[first:], start=first):
        cells = {field: row[column] if column < len(row) else "" for field, column in columns.items()}
        if not any(row):
            continue
        if len(found) >= MAX_UNITS:
            raise invalid(("/file", "too_long"))
        found.append(_row(index + 1, cells, faults))
    faults.refuse()
    return found


def _row(number: int, cells: dict[str, str], faults: _Faults) -> UnitRow:
    code, name, parent, level = (cells.get(field, "") for field in ("code", "name", "parent", "level"))
    for field, value in (("code", code), ("name", name)):
        if not value:
            faults.add(number, field, "missing")
    for field, value in (("code", code), ("parent", parent)):
        if value and not _CODE.fullmatch(value):
            faults.add(number, field, "too_long" if len(value) > 64 else "bad_format")
    if len(name) > 200:
        faults.add(number, "name", "too_long")
    elif _CONTROL.search(name):
        faults.add(number, "name", "control_char")
    known = LEVELS.get(level.lower()) if level else None
    if level and known is None:
        faults.add(number, "level", "not_allowed")
    return UnitRow(number, code, name, parent, known.value if known else None)


def plan(rows: list[UnitRow], present: Iterable[Unit], *, new_id: Callable[[], UUID], now: datetime) -> list[Planned]:
    """What the rows come to, parents before what hangs under them, so that each step leaves a sound tree.

    Refuses `invalid_request`: repeated (a code), missing (a parent; only the root has none), unknown_reference (a
    parent that is nowhere or not active), cycle.
    """
    tree = _Tree(present)
    faults = _Faults()
    wanted: dict[str, UnitRow] = {}
    for row in rows:
        if row.code in wanted:
            faults.add(row.number, "code", "repeated")
        else:
            wanted[row.code] = row
    for row in wanted.values():
        _check_parent(row, wanted, tree, faults)
    faults.refuse()
    depths = _depths(wanted, tree, faults)
    faults.refuse()
    ordered = sorted(wanted.values(), key=lambda row: (depths[row.code], row.number))
    return [tree.follow(row, new_id=new_id, now=now) for row in ordered]


def _check_parent(row: UnitRow, wanted: dict[str, UnitRow], tree: "_Tree", faults: _Faults) -> None:
    own = tree.by_code.get(row.code)
    if own is not None and own.parent_id is None:
        if row.parent:
            faults.add(row.number, "parent", "not_allowed")
        return
    if not row.parent:
        faults.add(row.number, "parent", "missing")
        return
    parent = tree.by_code.get(row.parent)
    stays = own is not None and parent is not None and own.parent_id == parent.id
    if (parent is None and row.parent not in wanted) or (parent is not None and not parent.active and not stays):
        faults.add(row.number, "parent", "unknown_reference")


def _depths(wanted: dict[str, UnitRow], tree: "_Tree", faults: _Faults) -> dict[str, int]:
    """How deep each unit will lie. A row that hangs under itself, or leads into such a ring, is a fault."""
    depths: dict[str, int] = {}
    for row in wanted.values():
        path: list[str] = []
        code: str | None = row.code
        while code is not None and code not in depths and code not in path:
            path.append(code)
            code = wanted[code].parent or None if code in wanted else tree.parent_code(code)
        if code is not None and code not in depths:
            faults.add(row.number, "parent", "cycle")
            continue
        depth = -1 if code is None else depths[code]
        for step, each in enumerate(reversed(path), start=1):
            depths[each] = depth + step
    return depths


class _Tree:
    """The units as they are after each step."""

    def __init__(self, present: Iterable[Unit]) -> None:
        self.by_id = {unit.id: unit for unit in present}
        self.by_code = {unit.code: unit for unit in self.by_id.values()}

    def parent_code(self, code: str) -> str | None:
        parent_id = self.by_code[code].parent_id
        return self.by_id[parent_id].code if parent_id is not None else None

    def line(self, unit: Unit) -> Line:
        line = [unit.id]
        while unit.parent_id is not None:
            unit = self.by_id[unit.parent_id]
            line.append(unit.id)
        return tuple(line)

    def follow(self, row: UnitRow, *, new_id: Callable[[], UUID], now: datetime) -> Planned:
        before = self.by_code.get(row.code)
        parent = self.by_code[row.parent] if row.parent else None
        parent_id = parent.id if parent else None
        if before is None:
            after = Unit(new_id(), row.code, row.name, parent_id, row.level or Level.OTHER.value, True, 1, now, now)
            planned = Planned(row.number, None, after)
        else:
            after = replace(before, name=row.name, level=row.level or before.level, parent_id=parent_id)
            if after != before:
                after = replace(after, version=before.version + 1, updated_at=now)
            moves = parent is not None and parent_id != before.parent_id
            planned = Planned(
                row.number,
                before,
                after,
                self.line(before)[1:] if moves else (),
                self.line(parent) if moves and parent is not None else (),
            )
        self.by_id[after.id] = self.by_code[after.code] = after
        return planned
