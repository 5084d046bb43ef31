"""Roles, grants and standings against tables written down here by hand."""

from datetime import date
from itertools import product
from uuid import UUID

import pytest

from service.workflow.items import Lines
from service.workflow.permissions import (
    CLOCK,
    PERMISSIONS,
    Grant,
    Standing,
    holds,
    holds_above,
    holds_anywhere,
    in_force,
)
from service.workflow.states import Role
from tests.workflow.builders import (
    COUNTY,
    FAR_VILLAGE,
    GROUP,
    LISTER,
    OFFICE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TODAY,
    TOMORROW,
    TOWN,
    VILLAGE,
    YESTERDAY,
    a_standing,
    an_item,
    fire,
    guarded,
    line,
)

ROLES = ("admin", "supervisor", "responsible", "platform", "viewer", "auditor")

MATRIX = """
    item:read           x x x x x x
    unit:read           x x x x x x
    event:read          x x x x x x
    figures:read        x x x x x x
    figures:publish     x x . . . .
    item:create         x x . x . .
    import              x x . x . .
    item:update         x x . . . .
    item:annul          x x . . . .
    item:decide         x x . . . .
    request:decide      x x . . . .
    notice:issue        x x . . . .
    interview:record    x x . . . .
    item:claim          x . x . . .
    request:create      x . x . . .
    request:withdraw    x . x . . .
    notice:receipt      x . x . . .
    item:progress       x x x x . .
    attachment:create   x x x x . .
    webhook:manage      x . . x . .
    unit:write          x . . . . .
    ledger:write        x . . . . .
    calendar:write      x . . . . .
    access:write        x . . . . .
    log:read            x . . . . x
"""
"""In the order of ROLES."""

MARKS = {words[0]: words[1:] for row in MATRIX.strip().splitlines() if (words := row.split())}


# -- the matrix


def test_the_matrix_names_every_role_and_every_permission() -> None:
    assert tuple(Role) == ROLES
    assert PERMISSIONS.keys() == set(ROLES)
    assert frozenset().union(*PERMISSIONS.values()) == MARKS.keys()


@pytest.mark.parametrize(("permission", "role"), list(product(MARKS, ROLES)))
def test_a_role_has_the_permissions_of_the_matrix_and_no_others(permission: str, role: str) -> None:
    has = MARKS[permission][ROLES.index(role)] == "x"
    assert (permission in PERMISSIONS[role]) is has
    assert holds((Grant(role, VILLAGE),), permission, line(VILLAGE)) is has
    assert holds_anywhere((Grant(role, VILLAGE),), permission) is has


# -- where a grant reaches


@pytest.mark.parametrize(
    ("unit", "reached"),
    [
        (TOWN, True),
        (VILLAGE, True),
        (OTHER_VILLAGE, True),
        (GROUP, True),
        (COUNTY, False),
        (OTHER_TOWN, False),
        (FAR_VILLAGE, False),
        (OFFICE, False),
    ],
)
def test_a_grant_reaches_its_unit_and_everything_below(unit: UUID, reached: bool) -> None:
    assert holds((Grant("viewer", TOWN),), "item:read", line(unit)) is reached
    # Without the subtree it reaches the unit alone.
    assert holds((Grant("viewer", TOWN, subtree=False),), "item:read", line(unit)) is (unit == TOWN)


def test_each_grant_brings_its_own_role_to_its_own_place() -> None:
    grants = (Grant("viewer", TOWN), Grant("responsible", OTHER_TOWN))
    assert holds(grants, "item:read", line(VILLAGE))
    assert not holds(grants, "item:claim", line(VILLAGE))
    assert holds(grants, "item:claim", line(FAR_VILLAGE))
    assert not holds((), "item:read", line(VILLAGE))
    assert not holds_anywhere((), "item:read")


def test_a_grant_is_in_force_through_its_last_day() -> None:
    endless, ended, ending, to_come = (
        Grant("viewer", TOWN, until=until) for until in (None, YESTERDAY, TODAY, date(2099, 12, 31))
    )
    grants = (endless, ended, ending, to_come)
    assert in_force(grants, TODAY) == (endless, ending, to_come)
    assert in_force(grants, TOMORROW) == (endless, to_come)
    assert in_force((), TODAY) == ()


@pytest.mark.parametrize(
    ("grant", "unit", "above"),
    [
        (Grant("supervisor", COUNTY), TOWN, True),
        (Grant("supervisor", COUNTY), VILLAGE, True),
        (Grant("supervisor", TOWN), VILLAGE, True),
        (Grant("admin", COUNTY), TOWN, True),
        # On the unit itself, below or beside it is not above it.
        (Grant("supervisor", TOWN), TOWN, False),
        (Grant("supervisor", VILLAGE), TOWN, False),
        (Grant("supervisor", OTHER_TOWN), VILLAGE, False),
        # A grant that does not reach down is not over the unit.
        (Grant("supervisor", COUNTY, subtree=False), TOWN, False),
        # Another role lies above, but does not decide.
        (Grant("responsible", COUNTY), TOWN, False),
        (Grant("viewer", COUNTY), TOWN, False),
        (Grant("auditor", COUNTY), TOWN, False),
        # Nothing lies above the root: there its own grant serves.
        (Grant("supervisor", COUNTY), COUNTY, True),
        (Grant("supervisor", COUNTY, subtree=False), COUNTY, True),
        (Grant("admin", COUNTY), COUNTY, True),
        (Grant("responsible", COUNTY), COUNTY, False),
        (Grant("supervisor", TOWN), COUNTY, False),
    ],
)
def test_the_level_above_is_a_deciding_grant_on_a_true_ancestor(grant: Grant, unit: UUID, above: bool) -> None:
    assert holds_above((grant,), "item:decide", line(unit)) is above


# -- what a caller is to an item of VILLAGE, supervised by TOWN, with GROUP's neighbour FAR_VILLAGE helping

AROUND = Lines(responsible=line(VILLAGE), supervising=line(TOWN), co=(line(FAR_VILLAGE),))

NOTHING: tuple[str, ...] = ()
CLAIMS = ("claims", "asks", "withdraws", "reports", "reports_as_responsible")
HELPS = ("reports", "reports_as_responsible")
DECIDES = (
    "decides", "decides_requests", "issues", "annuls", "updates", "reports", "records_interviews", "sees_contact",
)  # fmt: skip

STANDINGS: dict[tuple[str, UUID], tuple[str, ...]] = {
    ("admin", COUNTY): (*DECIDES, *CLAIMS, "higher"),
    ("supervisor", COUNTY): (*DECIDES, "higher"),
    ("supervisor", TOWN): DECIDES,
    # A supervisor over the responsible or a co-unit may say what it saw; that is no report of the responsible side.
    ("supervisor", VILLAGE): ("reports",),
    ("supervisor", FAR_VILLAGE): ("reports",),
    ("supervisor", GROUP): NOTHING,
    ("supervisor", OTHER_VILLAGE): NOTHING,
    ("responsible", COUNTY): CLAIMS,
    ("responsible", TOWN): CLAIMS,
    ("responsible", VILLAGE): CLAIMS,
    # A co-unit reports, but does not sign.
    ("responsible", FAR_VILLAGE): HELPS,
    ("responsible", OTHER_TOWN): HELPS,
    ("responsible", GROUP): NOTHING,
    ("responsible", OTHER_VILLAGE): NOTHING,
    ("platform", COUNTY): HELPS,
    ("platform", TOWN): HELPS,
    ("platform", VILLAGE): HELPS,
    ("platform", FAR_VILLAGE): HELPS,
    ("platform", GROUP): NOTHING,
    ("platform", OTHER_VILLAGE): NOTHING,
    ("viewer", COUNTY): NOTHING,
    ("viewer", VILLAGE): NOTHING,
    ("auditor", COUNTY): NOTHING,
}


@pytest.mark.parametrize(("role", "unit"), list(STANDINGS))
def test_a_grant_makes_the_caller_to_an_item_what_the_table_says(role: str, unit: UUID) -> None:
    assert Standing.of((Grant(role, unit),), AROUND) == a_standing(*STANDINGS[role, unit])


def test_without_grants_a_caller_is_nothing_to_an_item() -> None:
    assert Standing.of((), AROUND) == a_standing()


def test_grants_add_up() -> None:
    both = Standing.of((Grant("supervisor", TOWN), Grant("responsible", VILLAGE)), AROUND)
    assert both == a_standing(*DECIDES, *CLAIMS)


def test_a_grant_without_its_subtree_counts_on_the_very_unit_only() -> None:
    assert Standing.of((Grant("responsible", VILLAGE, subtree=False),), AROUND) == a_standing(*CLAIMS)
    assert Standing.of((Grant("responsible", TOWN, subtree=False),), AROUND).claims is False
    # Over the supervising unit it decides, and it does not lie above it.
    assert Standing.of((Grant("supervisor", TOWN, subtree=False),), AROUND) == a_standing(*DECIDES)
    assert Standing.of((Grant("supervisor", COUNTY, subtree=False),), AROUND) == a_standing()


def test_deciding_goes_by_the_supervising_unit_wherever_that_lies() -> None:
    from_beside = Lines(responsible=line(VILLAGE), supervising=line(OFFICE))
    # The town lies above the village, but the office supervises.
    assert Standing.of((Grant("supervisor", TOWN),), from_beside) == a_standing("reports")
    assert Standing.of((Grant("supervisor", OFFICE),), from_beside) == a_standing(*DECIDES)
    assert Standing.of((Grant("supervisor", COUNTY),), from_beside) == a_standing(*DECIDES, "higher")
    assert Standing.of((Grant("responsible", OFFICE),), from_beside).claims is False


def test_at_the_root_no_higher_level_is_asked_for() -> None:
    at_the_top = Lines(responsible=line(TOWN), supervising=line(COUNTY))
    supervisor = Standing.of((Grant("supervisor", COUNTY),), at_the_top)
    assert supervisor == a_standing(*DECIDES, "higher")
    under_the_root = {"responsible_unit_id": TOWN, "supervising_unit_id": COUNTY}
    fire("extend", an_item("extended", **under_the_root), standing=supervisor)
    overdue = an_item("rectifying", due_on=YESTERDAY, **under_the_root)
    assert fire("annul", overdue, standing=supervisor).after.resolution == "annulled"
    # But not by the one who listed it.
    with guarded("annul_by_other"):
        fire("annul", overdue, standing=supervisor, actor_id=LISTER)


def test_the_clock_decides_at_every_level_and_is_no_side_of_the_item() -> None:
    assert a_standing("decides", "higher") == CLOCK
