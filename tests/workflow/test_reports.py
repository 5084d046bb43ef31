"""What is reckoned from published figures: places among units, and what has changed since."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.outside.month_sheet import GROUPS
from service.workflow.figures import FIGURES
from service.workflow.reports import changed_figures, differences, ranks
from tests.workflow.builders import examples

NAMES = tuple(figure.name for figure in FIGURES)

shares = st.one_of(st.none(), st.sampled_from([0.0, 0.5, 0.75, 1.0, 1]))
rows = st.lists(
    st.builds(
        lambda rate, overdue, alone: {"rate": rate, "overdue": overdue, "alone": alone},
        shares,
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=12,
)


def row(key: str, rate: float | None, overdue: int, alone: bool = False, **figures: Any) -> dict[str, Any]:
    blank = {figure.name: None if figure.unit in ("share", "days") else 0 for figure in FIGURES}
    counted = {**blank, "on_time_rate": rate, "overdue": overdue, **figures}
    return {"key": key, "code": key, "name": key, "alone": alone, "figures": counted}


def test_places_go_by_the_share_on_time_then_by_how_few_are_overdue():
    table = [row("a", 0.5, 0), row("b", 1.0, 2), row("c", 1.0, 1), row("d", None, 0), row("e", 0.5, 0), row("f", 0, 0)]
    assert ranks(table) == {"c": 1, "b": 2, "a": 3, "e": 3, "f": 5}
    assert ranks([row("own", 1.0, 0, alone=True)]) == {}


@given(rows)
@examples(100)
def test_a_place_is_one_more_than_how_many_are_better(given_rows):
    table = [row(str(n), each["rate"], each["overdue"], each["alone"]) for n, each in enumerate(given_rows)]
    placed = ranks(table)
    of = {each["key"]: each for each in table if not each["alone"] and each["figures"]["on_time_rate"] is not None}
    assert placed.keys() == of.keys()
    for key, place in placed.items():
        mine = of[key]["figures"]
        better = [
            other
            for other in of.values()
            if (other["figures"]["on_time_rate"], -other["figures"]["overdue"])
            > (mine["on_time_rate"], -mine["overdue"])
        ]
        assert place == 1 + len(better)


def test_the_workbook_has_every_figure_once():
    assert sorted(name for _, names in GROUPS for name in names) == sorted(figure.name for figure in FIGURES)


def test_what_is_the_same_is_no_difference():
    table = [row("a", 1.0, 2, listed=3), row("b", None, 0)]
    assert differences(NAMES, table, table) == []
    # One is one, however it is written; a row of nothing is like none.
    assert differences(NAMES, [row("a", 1, 2, listed=3)], [row("a", 1.0, 2, listed=3), row("new", None, 0)]) == []


def test_what_differs_is_told_with_both_figures():
    then, now = [row("a", 0.5, 2, listed=3), row("gone", None, 1)], [row("a", 0.5, 1, listed=3), row("new", None, 4)]
    found = {each.key: each.figures for each in differences(NAMES, then, now)}
    assert found == {"a": {"overdue": (2, 1)}, "gone": {"overdue": (1, None)}, "new": {"overdue": (None, 4)}}
    assert changed_figures(NAMES, {"listed": 1}, {"listed": 2.0}) == {"listed": (1, 2)}
