"""When a unit ends: what is handed over, and who takes its place."""

from uuid import UUID

import pytest

from service.errors import Refused
from service.workflow.ends import check_transferable, handed_to, replaced
from tests.workflow.builders import a_case, an_item

ROOT, TOWN, ENDED, HEIR, RESPONSIBLE, HELPER = (UUID(int=n) for n in range(101, 107))


def test_an_escalated_item_is_not_handed_over():
    check_transferable([an_item("open"), an_item("rectifying"), an_item("extended")])
    with pytest.raises(Refused) as refused:
        check_transferable([an_item("escalated"), an_item("open"), an_item("escalated")])
    assert refused.value.facts == {"guard": "escalated_items", "count": 2}


@pytest.mark.parametrize(
    ("defaulted", "target", "supervising", "overseer"),
    [
        (True, (HEIR, TOWN, ROOT), (ENDED, ROOT), (TOWN, ROOT)),
        (False, (HEIR, TOWN, ROOT), (ROOT,), (ROOT,)),
        (False, (HEIR, TOWN, ROOT), (HEIR, TOWN, ROOT), (TOWN, ROOT)),
        (False, (HEIR, TOWN, ROOT), (HELPER, HEIR, TOWN, ROOT), (TOWN, ROOT)),
        (False, (ROOT,), (TOWN, ROOT), (ROOT,)),
    ],
    ids=["unnamed", "named", "the heir itself", "below the heir", "the heir is the root"],
)
def test_a_supervisor_that_was_named_stays_where_it_can(defaulted, target, supervising, overseer):
    case = a_case(an_item("open", supervising_defaulted=defaulted))
    handed = handed_to(case, target, supervising)
    assert (handed.target, handed.overseer) == (target, overseer)


@pytest.mark.parametrize(
    ("given", "target", "columns"),
    [
        (
            {"supervising_unit_id": ENDED},
            (HEIR, ROOT),
            {"supervising_unit_id": HEIR, "supervising_defaulted": False},
        ),
        (
            {"supervising_unit_id": ENDED},
            (HEIR, RESPONSIBLE, TOWN, ROOT),
            {"supervising_unit_id": TOWN, "supervising_defaulted": True},
        ),
        (
            {"supervising_unit_id": ENDED},
            (RESPONSIBLE, TOWN, ROOT),
            {"supervising_unit_id": TOWN, "supervising_defaulted": True},
        ),
        ({"co_unit_ids": (HELPER, ENDED)}, (HEIR, ROOT), {"co_unit_ids": (HELPER, HEIR)}),
        ({"co_unit_ids": (HEIR, ENDED)}, (HEIR, ROOT), {"co_unit_ids": (HEIR,)}),
        ({"co_unit_ids": (ENDED,)}, (RESPONSIBLE, TOWN, ROOT), {"co_unit_ids": ()}),
        ({"co_unit_ids": (HELPER,)}, (HEIR, ROOT), {}),
    ],
    ids=[
        "supervises",
        "below the responsible unit",
        "the responsible unit",
        "helps",
        "helps already",
        "itself",
        "none",
    ],
)
def test_the_heir_takes_its_place(given, target, columns):
    item = an_item("open", responsible_unit_id=RESPONSIBLE, **{"supervising_unit_id": TOWN, **given})
    assert replaced(item, ENDED, target, (RESPONSIBLE, TOWN, ROOT)) == columns
