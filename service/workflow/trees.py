"""The unit tree: what may hang where, and who sees items otherwise when a subtree moves.

A line runs from a unit to the root, both included.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from service.errors import guard
from service.workflow.organisation import Unit

Line = tuple[UUID, ...]


def check_move(line: Line, parent: Line) -> None:
    """Refuses `root_stays`, and `cycle` where the new parent lies below the unit or is the unit itself."""
    if len(line) == 1:
        raise guard("root_stays")
    if line[0] in parent:
        raise guard("cycle")


def seeing_otherwise(old_above: Line, new_above: Line) -> Line:
    """The units above, before or after a move, that see items of the subtree otherwise than they did.

    Those above on one side only, and both parents: they may be, or have been, the supervising unit themselves.
    """
    one_side = (*(unit for unit in old_above if unit not in new_above), *(u for u in new_above if u not in old_above))
    return tuple(dict.fromkeys((old_above[0], new_above[0], *one_side)))


def in_tree_order(units: Iterable[Unit], top: UUID) -> list[tuple[int, Unit]]:
    """`top` and what of `units` hangs below it, each behind its parent, siblings by code; with how deep each lies."""
    below: dict[UUID | None, list[Unit]] = defaultdict(list)
    ordered: list[tuple[int, Unit]] = []
    pending: list[tuple[int, Unit]] = []
    for unit in units:
        if unit.id == top:
            pending.append((0, unit))
        else:
            below[unit.parent_id].append(unit)
    while pending:
        depth, unit = pending.pop()
        ordered.append((depth, unit))
        pending += [(depth + 1, each) for each in sorted(below[unit.id], key=lambda each: each.code, reverse=True)]
    return ordered
