"""Texts as cells of a table that a spreadsheet opens: none may be run, none may be too long, each can be taken back."""

import re

LONGEST = 32_767
"""What one cell holds, counted as spreadsheets do: a character beyond U+FFFF is two."""

CUT = "……（未完）"
"""Where a cell ends that holds less than the text."""

_RUNNABLE = re.compile(r"'*[=+\-@\t\r]")
_UNSTORABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")


def whole(text: str) -> str:
    """The text as every file can hold it: half of a character, and what is none, are shown as a missing one."""
    return _UNSTORABLE.sub("\ufffd", text)


def fitting(text: str) -> str:
    """As much of the text as a cell holds; one that was cut says so."""
    if len(text) * 2 <= LONGEST or _length(text) <= LONGEST:
        return text
    room = LONGEST - len(CUT)
    # The first that many characters are at most twice as many units: cut until the rest fits.
    kept = text[:room]
    while _length(kept) > room:
        kept = kept[: len(kept) - max(1, (_length(kept) - room) // 2)]
    return kept + CUT


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def guarded(text: str) -> str:
    """For CSV, which knows no types: an apostrophe before what a spreadsheet could run.

    A text that has apostrophes there already gets one more, so that `unguarded` gives back every text as it was.
    """
    return f"'{text}" if _RUNNABLE.match(text) else text


def unguarded(text: str) -> str:
    """Without the apostrophe that `guarded` puts there."""
    return text[1:] if text.startswith("'") and _RUNNABLE.match(text) else text
