"""Texts as cells: nothing runs, nothing is longer than a cell, and everything can be taken back."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.workflow.cells import CUT, LONGEST, fitting, guarded, unguarded, whole
from tests.workflow.builders import examples

RUN = "=+-@\t\r"


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r a1中")))
@example("'=1")
@example("''=1")
@example("'")
@examples(400)
def test_every_text_comes_back_and_none_begins_like_a_formula(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in tuple(RUN)


@pytest.mark.parametrize("first", RUN)
def test_what_a_spreadsheet_could_run_gets_an_apostrophe(first: str) -> None:
    assert guarded(f"{first}1+1") == f"'{first}1+1"


@pytest.mark.parametrize("text", ["", "a=1", " =1", "'quoted'", "2026-01-01", "（=1）"])
def test_all_else_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text == unguarded(text)


@pytest.mark.parametrize("character", ["水", "𠮷", "a"])
@pytest.mark.parametrize("length", [10, LONGEST // 2, LONGEST // 2 + 1, LONGEST, LONGEST + 1, 40_000])
def test_a_cell_holds_what_a_spreadsheet_counts(character: str, length: int) -> None:
    text = character * length
    found = fitting(text)
    assert len(found.encode("utf-16-le")) // 2 <= LONGEST
    if len(text.encode("utf-16-le")) // 2 <= LONGEST:
        assert found == text
    else:
        assert found.endswith(CUT)
        assert text.startswith(found.removesuffix(CUT))
        assert len(found.encode("utf-16-le")) // 2 >= LONGEST - 2, "no more is cut than must be"


def test_half_a_character_is_shown_as_a_missing_one() -> None:
    assert whole("a\ud83db") == "a\ufffdb"
