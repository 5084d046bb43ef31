"""The parts of the written documentation that tests hold against the code."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def fenced(path: str, info: str) -> list[str]:
    """The contents of a document's code blocks whose info string is `info`, in order."""
    return re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", (ROOT / path).read_text(), re.DOTALL | re.MULTILINE)


def between(path: str, marker: str) -> str:
    """What stands between `<!-- marker -->` and `<!-- /marker -->`, without the blank lines around it."""
    found = re.findall(rf"<!-- {marker} -->\n(.*?)<!-- /{marker} -->", (ROOT / path).read_text(), re.DOTALL)
    assert len(found) == 1, f"{path} has {len(found)} parts between {marker} markers"
    return str(found[0]).strip("\n") + "\n"
