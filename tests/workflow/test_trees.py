"""The unit tree: where a unit may hang, who sees otherwise after a move, and the order of a tree."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.errors import Refused
from service.workflow.organisation import Unit
from service.workflow.trees import check_move, in_tree_order, seeing_otherwise

ROOT, TOWN, OTHER, VILLAGE, GROUP = (UUID(int=n) for n in range(1, 6))


@pytest.mark.parametrize(
    ("line", "parent", "guard"),
    [
        ((ROOT,), (TOWN, ROOT), "root_stays"),
        ((TOWN, ROOT), (TOWN, ROOT), "cycle"),
        ((TOWN, ROOT), (GROUP, VILLAGE, TOWN, ROOT), "cycle"),
    ],
    ids=["the root", "under itself", "under what lies below it"],
)
def test_a_unit_hangs_neither_under_itself_nor_under_nothing(line, parent, guard):
    with pytest.raises(Refused) as refused:
        check_move(line, parent)
    assert refused.value.facts == {"guard": guard}


@pytest.mark.parametrize("parent", [(ROOT,), (OTHER, ROOT), (TOWN, ROOT)])
def test_elsewhere_it_may_hang(parent):
    check_move((VILLAGE, TOWN, ROOT), parent)


@pytest.mark.parametrize(
    ("old", "new", "otherwise"),
    [
        ((TOWN, ROOT), (OTHER, ROOT), {TOWN, OTHER}),
        ((TOWN, ROOT), (ROOT,), {TOWN, ROOT}),
        ((ROOT,), (TOWN, ROOT), {TOWN, ROOT}),
        ((VILLAGE, TOWN, ROOT), (TOWN, ROOT), {VILLAGE, TOWN}),
        ((VILLAGE, TOWN, ROOT), (OTHER, ROOT), {VILLAGE, TOWN, OTHER}),
    ],
    ids=["sideways", "up to the root", "down", "up", "to another branch"],
)
def test_those_on_one_side_and_both_parents_see_otherwise(old, new, otherwise):
    found = seeing_otherwise(old, new)
    assert set(found) == otherwise and len(found) == len(otherwise)


def a_unit(unit_id: UUID, code: str, parent: UUID | None) -> Unit:
    now = datetime(2026, 3, 11, tzinfo=UTC)
    return Unit(unit_id, code, code, parent, "other", True, 1, now, now)


def test_in_tree_order_siblings_stand_by_code_and_what_hangs_elsewhere_is_left_out():
    town, other = a_unit(TOWN, "b", ROOT), a_unit(OTHER, "a", ROOT)
    village, group = a_unit(VILLAGE, "0", TOWN), a_unit(GROUP, "x", VILLAGE)
    units = [group, town, a_unit(ROOT, "root", None), village, other]
    assert [(depth, unit.code) for depth, unit in in_tree_order(units, ROOT)] == [
        (0, "root"), (1, "a"), (1, "b"), (2, "0"), (3, "x"),
    ]  # fmt: skip
    assert [(depth, unit.code) for depth, unit in in_tree_order(units, TOWN)] == [(0, "b"), (1, "0"), (2, "x")]
