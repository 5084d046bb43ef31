"""Chinese full-text search without a word list: texts and queries as overlapping pairs of characters.

A query finds an item where the query, both normalised (NFKC, lower case, single spaces), is a substring of the item's
text. Pairs find the candidates, the substring decides; so operators and quotes that users type are just characters.
"""

import re
import unicodedata

_GAP = re.compile(r"[\W_]+")
_SPACE = re.compile(r"\s+")


def normalise(text: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", text).lower()).strip()


def grams(normalised: str) -> list[str]:
    """The distinct pairs of a normalised text, and the last character of each run for queries of one character."""
    found: dict[str, None] = {}
    for run in _GAP.split(normalised):
        for index in range(len(run) - 1):
            found[run[index : index + 2]] = None
        if run:
            found[run[-1]] = None
    return list(found)


def query_grams(normalised: str) -> tuple[list[str], list[str]]:
    """What a query asks for: whole pairs, and single characters that a pair must begin with."""
    pairs: dict[str, None] = {}
    singles: dict[str, None] = {}
    for run in _GAP.split(normalised):
        if len(run) == 1:
            singles[run] = None
        for index in range(len(run) - 1):
            pairs[run[index : index + 2]] = None
    return list(pairs), list(singles)
