"""Search by pairs of characters: what is a substring is always among the candidates."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.workflow.bigrams import grams, normalise, query_grams
from tests.workflow.builders import examples

# Few characters of every sort, so that slices repeat and runs of all lengths meet gaps of all sorts.
MIXED = st.text(st.sampled_from("排水沟饮ＡbÇ9１_-，。《 　\n\t'\"*()%é́"), max_size=40)
TEXTS = MIXED | st.text(st.characters(codec="utf-8"), max_size=30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("村口　排水沟", "村口 排水沟"),
        ("  村口 \n\t 排水沟  ", "村口 排水沟"),
        ("ＡＢＣ１２３", "abc123"),
        ("Hello WORLD", "hello world"),
        ("①号", "1号"),
        # Composed and decomposed are the same word.
        ("cafe\u0301", "café"),
        ("", ""),
        (" 　\n", ""),
    ],
)
def test_texts_are_compared_by_width_case_and_space_alike(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(TEXTS)
@examples(200)
def test_a_normalised_text_has_single_spaces_and_none_around(text: str) -> None:
    normalised = normalise(text)
    assert normalised == normalised.strip()
    assert normalised.split() == normalised.split(" ") if normalised else True


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("排水沟", ["排水", "水沟", "沟"]),
        ("排水，沟", ["排水", "水", "沟"]),
        ("水", ["水"]),
        ("水水水", ["水水", "水"]),
        ("a_b-c", ["a", "b", "c"]),
        ("，。!", []),
        ("", []),
    ],
)
def test_a_text_is_its_pairs_and_the_ends_of_its_runs(text: str, found: list[str]) -> None:
    assert grams(text) == found


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("排水沟", (["排水", "水沟"], [])),
        ("水", ([], ["水"])),
        ("排水 沟", (["排水"], ["沟"])),
        ("a* b", ([], ["a", "b"])),
        ("水 水", ([], ["水"])),
        ('" OR (', (["or"], [])),
        ("%_%", ([], [])),
        ("", ([], [])),
    ],
)
def test_a_query_asks_for_its_pairs_and_for_single_characters(query: str, asked: tuple[list[str], list[str]]) -> None:
    assert query_grams(normalise(query)) == asked


@given(TEXTS, st.integers(0, 40), st.integers(1, 12))
@examples(400)
@example("村口排水沟，堵塞", 2, 1)
@example("村口排水沟，堵塞", 4, 3)
@example("a b", 1, 1)
def test_whatever_stands_in_a_text_is_among_the_candidates(text: str, start: int, length: int) -> None:
    normalised = normalise(text)
    query = normalise(normalised[start : start + length])
    # What the search will check in the end; that it holds for every slice is part of the claim.
    assert query in normalised
    pairs, singles = query_grams(query)
    kept = grams(normalised)
    assert set(pairs) <= set(kept)
    assert all(any(gram.startswith(single) for gram in kept) for single in singles)


@given(MIXED, MIXED)
@examples(300)
def test_a_query_that_is_found_has_its_pairs_in_the_text(text: str, query: str) -> None:
    if normalise(query) in normalise(text):
        pairs, singles = query_grams(normalise(query))
        kept = grams(normalise(text))
        assert set(pairs) <= set(kept)
        assert all(any(gram.startswith(single) for gram in kept) for single in singles)


@given(TEXTS)
@examples(200)
def test_grams_are_distinct_short_and_free_of_operators(text: str) -> None:
    kept = grams(normalise(text))
    assert len(kept) == len(set(kept))
    for gram in kept:
        assert 1 <= len(gram) <= 2
        assert all(unicodedata.category(char)[0] in "LN" for char in gram)
