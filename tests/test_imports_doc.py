"""docs/imports.md is so: every deadline cell of it is read, every heading, code and bound is the service's."""

import re

import pytest

from service.outside import sheet_parts, sheet_reader, sheets
from service.reasons import FIELDS, ROW_FAULTS
from service.workflow import ledger_rows, words
from service.workflow.headings import Field, field_of
from tests.servers import ROOT

TEXT = (ROOT / "docs/imports.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the table under this row of headings."""
    lines = TEXT.split(f"| {heading} |", 1)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


WORDS = table("cell | means | look at it")


@pytest.mark.parametrize(("cell", "means", "reason"), WORDS, ids=[row[0] for row in WORDS])
def test_a_deadline_cell_means_what_the_page_says(cell, means, reason):
    found = words.read(cell)
    if found.invalid:
        told = "refused"
    elif found.due_on:
        told = found.due_on.isoformat()
    elif found.count:
        told = f"{found.count.number} {found.count.unit}"
    else:
        told = "nothing" if found.kind == "date" else found.kind
    assert (told, found.reason or "") == (means, reason)


def test_every_heading_of_the_page_is_known():
    shown = set()
    for names, headings, _ in table("field | headings, for example | becomes"):
        fields = re.findall(r"`(\w+)`", names)
        shown |= set(fields)
        for heading in re.split(r"[,;] ", headings):
            known = field_of((heading,))
            assert known is not None and known[0] in fields, heading
    assert shown == set(Field)


def test_every_code_is_named():
    assert {code for row in table("code | why the row is refused") for code in re.findall(r"`(\w+)`", row[0])} == {
        "missing_problem", "missing_unit", "unknown_unit", "invalid_date", "duplicate", "formula_cell", "control_char",
        "too_long", "column_count", "forbidden",
    }  # fmt: skip
    for code in ROW_FAULTS.keys() - {"ambiguous_unit", "collective_unit"}:
        assert f"`{code}`" in TEXT
    for code in ("zip_bomb", "too_slow", "macros", "external_links", "entities", "protected_file", "wrong_extension"):
        assert code in FIELDS and f"`{code}`" in TEXT


def test_every_bound_is_the_one_that_holds():
    assert ledger_rows.MAX_PROBLEM == 5_000 and "over 5,000 characters" in TEXT
    assert ledger_rows.MAX_TEXT == 20_000 and "over 20,000" in TEXT
    assert (sheet_reader.MEMORY, sheet_reader.SECONDS) == (2 * 1024**3, 30)
    assert (sheet_parts.MAX_PARTS, sheet_parts.MAX_BYTES, sheet_parts.MAX_RATIO) == (2_000, 512 * 1024**2, 200)
    assert (sheets.MAX_BYTES, sheet_reader.MAX_SHEETS, sheet_reader.MAX_ROWS) == (64 * 1024**2, 50, 101_000)
    assert (sheet_reader.MAX_COLUMNS, sheet_reader.MAX_CELLS) == (256, 2_000_000)
