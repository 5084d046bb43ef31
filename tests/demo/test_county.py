"""The demo county is whole, plausible to the API, and the same every time."""

import re
import unicodedata
from collections import Counter
from dataclasses import FrozenInstanceError
from random import Random
from typing import get_args

import pytest

from service.demo.county import (
    COUNTY_NAME,
    FATES,
    ROOT,
    SOURCES,
    Fate,
    ItemSeed,
    SourceKind,
    items,
    problems,
    units,
)
from service.workflow.states import Severity

SEEDS = range(20)
UNITS = {unit.code: unit for unit in units()}
TITLE_LIMIT = 200


@pytest.fixture(scope="module", params=SEEDS)
def seeds(request: pytest.FixtureRequest) -> list[ItemSeed]:
    return items(Random(request.param))


def texts(seed: ItemSeed) -> list[str]:
    return [
        *(seed.title, seed.description, seed.category, seed.source_ref),
        *(seed.responsible_person, seed.goal, seed.measures, *seed.labels),
    ]


def test_fifteen_towns_two_hundred_villages_and_153_departments() -> None:
    assert Counter(unit.level for unit in units()) == {"town": 15, "village": 200, "department": 153}


def test_the_root_is_not_seeded_and_is_not_a_department() -> None:
    assert ROOT not in UNITS
    assert COUNTY_NAME.endswith("县")
    assert COUNTY_NAME not in {unit.name for unit in units()}


def test_codes_and_names_are_distinct_and_codes_readable() -> None:
    assert len(UNITS) == len({unit.name for unit in units()}) == 368
    form = {"town": r"t\d\d", "village": r"t\d\dv\d\d", "department": r"d\d{3}"}
    assert [unit for unit in units() if not re.fullmatch(form[unit.level], unit.code)] == []


def test_parents_come_before_their_children() -> None:
    known = {ROOT}
    for unit in units():
        assert unit.parent in known, unit
        known.add(unit.code)


def test_villages_hang_under_the_town_of_their_code_and_all_else_under_the_root() -> None:
    for unit in units():
        assert unit.parent == (unit.code[:3] if unit.level == "village" else ROOT)


def test_every_town_has_its_share_of_villages() -> None:
    villages = Counter(unit.parent for unit in units() if unit.level == "village")
    assert set(villages) == {unit.code for unit in units() if unit.level == "town"}
    assert 10 <= min(villages.values()) < max(villages.values()) <= 20


def test_what_units_gives_is_the_callers_own() -> None:
    units().clear()
    assert len(units()) == 368


def test_seeds_are_frozen() -> None:
    seed = items(Random(1), 50)[0]
    with pytest.raises(FrozenInstanceError):
        seed.title = "改"  # type: ignore[misc]


def test_at_least_sixty_problems_all_distinct() -> None:
    assert len({problem.title for problem in problems()}) == len(problems()) >= 60


def test_a_heading_names_departments_and_sources_that_exist() -> None:
    departments = {unit.name for unit in units() if unit.level == "department"}
    for problem in problems():
        assert set(problem.departments) <= departments | {"*"}, problem
        assert len(problem.departments) >= 2, problem
        assert set(problem.sources) <= set(SOURCES), problem
        assert set(problem.answerable) <= set("村镇县"), problem
        # A village cannot answer for a problem that is placed in a town, nor a town for one without a place.
        assert not set(problem.answerable) & set({"村": "", "镇": "村", "县": "村镇"}[problem.place]), problem


def test_a_title_says_where_and_what() -> None:
    for problem in problems():
        assert ("{place}" in problem.title) == (problem.place != "县"), problem
        assert problem.measures.count("；") == 2, problem


def test_the_count_is_what_was_asked_for() -> None:
    assert [len(items(Random(7), count)) for count in (0, 1, 50, 333, 600)] == [0, 1, 50, 333, 600]


def test_the_same_seed_gives_the_same_items_and_another_gives_others() -> None:
    assert items(Random(7)) == items(Random(7))
    assert items(Random(7)) != items(Random(8))


def test_the_shares_of_the_fates_make_a_hundred() -> None:
    assert set(FATES) == set(get_args(Fate))
    assert sum(course.share for course in FATES.values()) == 100


def test_every_fate_stands_many_times(seeds: list[ItemSeed]) -> None:
    found = Counter(seed.fate for seed in seeds)
    assert set(found) == set(get_args(Fate))
    assert min(found.values()) >= 10
    assert found.most_common(1)[0][0] == "closed"


def test_fifty_items_are_enough_for_every_fate() -> None:
    assert {seed.fate for seed in items(Random(3), 50)} == set(get_args(Fate))


def test_every_severity_and_source_stands_in_a_plausible_share(seeds: list[ItemSeed]) -> None:
    severities = Counter(seed.severity for seed in seeds)
    assert set(severities) == {str(severity.value) for severity in Severity}
    assert severities["general"] > severities["serious"] > severities["critical"] >= 10
    assert {seed.source_kind for seed in seeds} == set(SOURCES) == set(get_args(SourceKind))


def test_titles_are_one_short_line_and_hardly_repeat(seeds: list[ItemSeed]) -> None:
    titles = [seed.title for seed in seeds]
    assert max(map(len, titles)) <= TITLE_LIMIT
    assert all(title == title.strip() and title for title in titles)
    assert not [title for title in titles if any(unicodedata.category(char).startswith("C") for char in title)]
    assert len(set(titles)) >= 0.97 * len(titles)


def test_no_slot_is_left_and_no_text_is_empty(seeds: list[ItemSeed]) -> None:
    for seed in seeds:
        for text in texts(seed):
            assert text.strip(), seed
            assert not re.search(r"[{}|*]", text), seed


def test_no_text_holds_what_looks_like_a_phone_or_identity_number(seeds: list[ItemSeed]) -> None:
    assert [text for seed in seeds for text in texts(seed) if re.search(r"\d{5}", text)] == []


def test_units_of_an_item_exist_and_differ(seeds: list[ItemSeed]) -> None:
    for seed in seeds:
        named = (seed.responsible_unit, *seed.co_units)
        assert set(named) <= set(UNITS)
        assert len(set(named)) == len(named) <= 3


def test_villages_towns_and_departments_all_answer_for_something(seeds: list[ItemSeed]) -> None:
    levels = Counter(UNITS[seed.responsible_unit].level for seed in seeds)
    assert min(levels[level] for level in ("village", "town", "department")) >= 40
    assert {seed.responsible_unit for seed in seeds if UNITS[seed.responsible_unit].level == "town"} == {
        unit.code for unit in units() if unit.level == "town"
    }


def test_a_village_or_town_answers_only_for_what_happened_there(seeds: list[ItemSeed]) -> None:
    for seed in seeds:
        unit = UNITS[seed.responsible_unit]
        if unit.level != "department":
            assert unit.name in seed.title, seed


def test_a_transferred_item_has_a_unit_to_go_to(seeds: list[ItemSeed]) -> None:
    assert [seed for seed in seeds if seed.fate == "transferred" and not seed.co_units] == []


def test_a_duplicate_tells_of_an_earlier_item_that_stands(seeds: list[ItemSeed]) -> None:
    originals = []
    for index, seed in enumerate(seeds):
        assert (seed.duplicate_of is not None) == (seed.fate == "duplicate")
        if seed.duplicate_of is None:
            continue
        first = seeds[seed.duplicate_of]
        originals.append(seed.duplicate_of)
        assert seed.duplicate_of < index
        assert first.fate not in ("duplicate", "annulled")
        assert first.responsible_unit == seed.responsible_unit
        assert first.title in seed.title != first.title
    assert len(set(originals)) == len(originals)


def test_items_are_listed_in_order_within_eighteen_months(seeds: list[ItemSeed]) -> None:
    days = [seed.listed_days_ago for seed in seeds]
    assert days == sorted(days, reverse=True)
    assert 0 <= days[-1] <= 3
    assert 365 < days[0] <= 540


def test_a_fate_is_old_enough_for_its_deadline(seeds: list[ItemSeed]) -> None:
    calendar_days = {"general": 42, "serious": 21, "critical": 7}
    for seed in seeds:
        limit = calendar_days[seed.severity]
        if seed.fate in ("extended", "overdue", "escalated", "resumed"):
            assert seed.listed_days_ago > limit, seed
        elif seed.fate == "rectifying":
            assert seed.listed_days_ago < limit, seed


def test_a_unit_is_answered_for_by_two_people_at_most_and_nobody_answers_for_two_units(seeds: list[ItemSeed]) -> None:
    people = {(seed.responsible_unit, seed.responsible_person) for seed in seeds}
    assert max(Counter(unit for unit, _ in people).values()) <= 2
    assert max(Counter(person for _, person in people).values()) == 1
