"""What docs/security.md says of tests is so: each file it names is there, and each of the ten risks names one."""

import re

from tests.documents import ROOT

TEXT = (ROOT / "docs/security.md").read_text()


def test_every_test_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(tests/[a-z_/]+\.py)`", TEXT))
    assert len(named) > 20
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def test_each_of_the_ten_says_which_test_shows_it() -> None:
    risks = re.findall(r"\*\*(API[0-9]+) [^*]+\.\*\*(.*?)(?=\n\n)", TEXT, re.DOTALL)
    assert [name for name, _ in risks] == [f"API{number}" for number in range(1, 11)]
    assert all("`tests/" in text for _, text in risks)
