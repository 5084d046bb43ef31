"""What docs/channels.md says of codes, pace and limits is what the service does."""

import re

import pytest

from service.workflow.answers import CODES
from service.workflow.channels import EVERY, HOSTS, MAX_TO, TOLD
from service.workflow.phrases import WORDS
from service.workflow.robots import MOST_BYTES
from tests.documents import ROOT

TEXT = (ROOT / "docs/channels.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("|")]
COLUMNS = {"wecom": 1, "dingtalk": 2, "feishu": 3}


def codes(cell: str) -> set[int]:
    found: set[int] = set()
    for first, last in re.findall(r"(\d{4,6})(?:-(\d{4,6}))?", cell):
        found |= set(range(int(first), int(last or first) + 1))
    return found


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize(
    ("begins", "name"), [("too fast", "too_fast"), ("no such robot", "gone"), ("keyword, signature", "hopeless")]
)
def test_codes_mean_what_is_said(kind: str, begins: str, name: str) -> None:
    (row,) = (row for row in ROWS if row[0].startswith(begins))
    assert codes(row[COLUMNS[kind]]) == getattr(CODES[kind], name)


def test_pace_limits_and_hosts_are_those_there_are() -> None:
    pace = re.search(r"every ([0-9.]+) seconds \(Feishu ([0-9.]+), mail ([0-9.]+)\)", TEXT)
    assert pace is not None
    assert [float(each) for each in pace.groups()] == [
        EVERY[kind].total_seconds() for kind in ("wecom", "feishu", "mail")
    ]
    assert EVERY["wecom"] == EVERY["dingtalk"]
    for kind, most in MOST_BYTES.items():
        assert f"{most:,}" in TEXT, kind
    assert all(f"`{host}`" in TEXT for hosts in HOSTS.values() for host in hosts)
    assert f"up to {MAX_TO} mail addresses" in TEXT


def test_every_event_that_is_told_is_named() -> None:
    told = {type_ for row in ROWS for type_ in re.findall(r"`((?:rung|notice|interview|request)\.\w+)`", row[0])}
    assert told == set(TOLD)


def test_the_keywords_stand_in_every_title() -> None:
    for locale, keyword in (("zh-CN", "销号"), ("en", "xiaohao")):
        assert keyword in WORDS[locale].title and f"`{keyword}`" in TEXT
