"""Refusals as sentences, in the language of whoever reads them: the same for programs and for the console's pages."""

import re
from typing import Any

from service.errors import PROBLEMS, Refused, Text
from service.reasons import CONFLICTS, CREDENTIALS, FORBIDDEN, GUARDS, INVALID, MEDIA, PRINTING, UNAVAILABLE

_SENTENCES = {
    "guard_refused": GUARDS, "forbidden": FORBIDDEN, "conflict": CONFLICTS, "unauthenticated": CREDENTIALS,
    "unsupported_media_type": MEDIA, "printing_unavailable": PRINTING,
    "unavailable": UNAVAILABLE, "invalid_request": INVALID,
}  # fmt: skip

_RANGE = re.compile(r"\s*(zh|en)(?:-[a-z0-9-]*)?\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


def language(accept: str | None) -> str:
    """`zh` or `en`, whichever the reader ranks higher; `zh` where neither is asked for."""
    best, chosen = 0.0, "zh"
    for part in (accept or "").lower().split(",")[:20]:
        asked = _RANGE.fullmatch(part)
        if asked is None:
            continue
        tongue, rank = asked[1], float(asked[2] or 1)
        if rank > best:
            best, chosen = rank, tongue
    return chosen


def describe(refused: Refused, tongue: str) -> str:
    """The sentence of a refusal: the rule's own where there is one, else the code's."""
    sentence = _SENTENCES.get(refused.code, {}).get(refused.reason or "", PROBLEMS[refused.code].detail)
    return say(sentence, tongue).format_map(_Facts(refused.facts))


class _Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "-"


def say(text: Text, tongue: str) -> str:
    return text.zh if tongue == "zh" else text.en
