"""What grants let see: units with all below them, and units alone."""

from uuid import UUID

from service.workflow.permissions import Grant
from service.workflow.scopes import Scope
from service.workflow.states import Role

ROOT, TOWN, VILLAGE, OTHER = (UUID(int=number) for number in range(1, 5))
LINES = {ROOT: (ROOT,), TOWN: (TOWN, ROOT), VILLAGE: (VILLAGE, TOWN, ROOT), OTHER: (OTHER, ROOT)}


def covered(scope: Scope) -> set[UUID]:
    return {unit for unit, line in LINES.items() if scope.covers(line)}


def covered_whole(scope: Scope) -> set[UUID]:
    return {unit for unit, line in LINES.items() if scope.covers_all(line)}


def test_a_grant_covers_what_lies_below_unless_it_is_for_the_unit_alone() -> None:
    assert covered(Scope((TOWN,))) == covered_whole(Scope((TOWN,))) == {TOWN, VILLAGE}
    assert covered(Scope(alone=(TOWN,))) == {TOWN} and not covered_whole(Scope(alone=(TOWN,)))
    assert covered(Scope(alone=(ROOT,))) == {ROOT}
    assert covered(Scope((VILLAGE,), (ROOT,))) == {ROOT, VILLAGE}


def test_nothing_covers_a_unit_that_is_not_known() -> None:
    assert not Scope((ROOT,), (TOWN,)).covers(()) and not Scope((ROOT,)).covers_all(())


def test_of_two_grants_on_a_unit_the_wider_counts() -> None:
    narrow, wide = Grant(Role.SUPERVISOR, TOWN, subtree=False), Grant(Role.VIEWER, TOWN)
    for grants in ((narrow, wide), (wide, narrow)):
        assert Scope.of(grants) == Scope((TOWN,))


def test_a_scope_names_each_unit_once_and_is_empty_without_grants() -> None:
    twice = [Grant(Role.VIEWER, OTHER, subtree=False), Grant(Role.RESPONSIBLE, OTHER, subtree=False)]
    scope = Scope.of([*twice, Grant(Role.VIEWER, TOWN)])
    assert scope.units == (TOWN, OTHER) and scope
    assert not Scope.of(()) and Scope(alone=(OTHER,))
