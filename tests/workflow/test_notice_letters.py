"""What a notice says as a letter, and what happened to an item in the words of a record."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

import service.api
from service.workflow import event_words
from service.workflow.catalogue import EVENT_TYPES
from service.workflow.notice_letters import KINDS, LONGEST_PROBLEM, Facts, Letter, chinese, compose, printable
from service.workflow.notices import Notice
from service.workflow.states import AnchorKind, NoticeKind, NoticeState
from tests.workflow.builders import ITEM, LEDGER, TOWN, VILLAGE, an_item

ZONE = ZoneInfo("Asia/Shanghai")
EXAMPLES = json.loads((Path(service.api.__file__).parent / "event_examples.json").read_text())


def letter(kind: str = "supervision", *, items: int = 1, anchors: tuple[str, ...] = ("due",), **given: Any) -> Letter:
    notice = Notice(
        id=UUID(int=9), ledger_id=LEDGER, kind=kind, state="issued", number="qh督〔2026〕12号", year=2026, seq=12,
        unit_id=VILLAGE, supervising_unit_id=TOWN, copy_unit_ids=(), item_ids=(ITEM,) * items, rungs=(), text=None,
        issued_by=None, issuer=None, created_at=datetime(2026, 3, 2, tzinfo=UTC), reply_by=date(2026, 3, 9),
    )  # fmt: skip
    return compose(
        Facts(
            notice=replace(notice, **given), ledger="《饮水台账》", unit="青溪村", organ="青溪镇", copies=["县水利局"],
            items=[replace(an_item("rectifying"), title="管网漏损")], anchors=frozenset(anchors),
            days={"issued": "2026年3月2日", "cancelled": "2026年3月4日"},
        )
    )  # fmt: skip


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_a_title_a_demand_and_no_braces(kind: NoticeKind) -> None:
    made = letter(kind.value)
    assert made.kind_name == KINDS[kind] and KINDS[kind] in made.title
    assert len(made.paragraphs) >= 2
    assert not [each for each in made.paragraphs if "{" in each or "None" in each]
    assert made.to == ("各有关单位" if kind == NoticeKind.CIRCULAR else "青溪村")
    assert made.copies == ("青溪村、县水利局" if kind == NoticeKind.CIRCULAR else "县水利局")
    assert "2026年3月9日" in "".join(made.paragraphs) or kind == NoticeKind.REMINDER


def test_the_cause_is_what_the_rungs_are_counted_from() -> None:
    assert "整改期限已到" in letter().paragraphs[0]
    assert "尚未签字认领" in letter(anchors=(AnchorKind.CLAIM_DUE,)).paragraphs[0]
    both = letter(anchors=(AnchorKind.DUE, AnchorKind.CLAIM_DUE)).paragraphs[0]
    assert "整改期限已到" in both and "尚未签字认领" in both
    assert "须进一步抓紧整改" in letter(anchors=()).paragraphs[0]
    assert "期限已到" not in letter("reminder").paragraphs[0], "it is not late yet"


def test_what_an_office_wrote_is_said_line_by_line_and_never_filled_in() -> None:
    made = letter(text="请于{reply_by}前办结。\n\n  {0} {unit.__class__} \n")
    assert made.paragraphs[1:3] == ("请于{reply_by}前办结。", "{0} {unit.__class__}")


@pytest.mark.parametrize(
    ("given", "mark"),
    [
        ({"state": NoticeState.DRAFT, "number": None}, "草稿"),
        ({"state": NoticeState.CANCELLED, "cancel_reason": "已办结"}, "已撤销"),
        ({"items": 2}, "节录"),
        ({}, ""),
    ],
)
def test_what_it_is_not_is_marked(given: dict[str, Any], mark: str) -> None:
    made = letter(**given)
    assert made.mark == mark
    assert made.mark_reason == ("2026年3月4日撤销：已办结" if mark == "已撤销" else "")
    assert (made.number == "") == (mark == "草稿")


def test_a_problem_that_is_a_document_is_cut_in_the_list() -> None:
    facts = Facts(
        notice=Notice(
            id=UUID(int=9), ledger_id=LEDGER, kind="urging", state="issued", number="1", year=2026, seq=1,
            unit_id=VILLAGE, supervising_unit_id=TOWN, copy_unit_ids=(), item_ids=(ITEM,), rungs=(), text=None,
            issued_by=None, issuer=None, created_at=datetime(2026, 3, 2, tzinfo=UTC),
        ),
        ledger="", unit="", organ="", copies=[], items=[replace(an_item(), description="水" * 5000)],
        anchors=frozenset(), days={},
    )  # fmt: skip
    (entry,) = compose(facts).entries
    assert len(entry.problem) == LONGEST_PROBLEM + 2 and entry.problem.endswith("……")


def test_what_no_file_can_hold_is_left_out() -> None:
    found = printable({"a": "x\x00\x0by\ud800", "b": [{"c": "\x1f\n\t"}], "d": 3})
    assert found == {"a": "x  y\ufffd", "b": [{"c": " \n\t"}], "d": 3}


def test_a_day_is_written_without_leading_zeros() -> None:
    assert chinese(date(2026, 3, 2)) == "2026年3月2日"


# -- the words of a record


def about_items() -> list[str]:
    return [
        name
        for name in EXAMPLES
        if name.partition(".")[0] in ("item", "deadline", "rung", "request", "notice", "interview")
    ]


def event(name: str) -> dict[str, Any]:
    given = EXAMPLES[name]
    data = given.get("data", given)
    return {
        "type": name, "at": "2026-03-02T01:00:00Z", "position": 3, "data": data,
        "actor": {"principal_id": "p", "name": "李明", "via": None},
    }  # fmt: skip


@pytest.mark.parametrize("name", about_items())
def test_every_type_of_event_is_told_in_chinese_without_codes_and_ids(name: str) -> None:
    told = event(name)
    names = dict.fromkeys(event_words.unit_ids(told), "青溪村")
    text = event_words.text(told, names, ZONE)
    assert event_words.what(told) == EVENT_TYPES[name][0]
    assert event_words.who(told) == "李明"
    assert "0198a5e2-" not in text, "an id tells a reader nothing"
    codes = {"rectifying", "extended", "escalated", "serious", "on_site", "supervise", "claim_due", "extension", "urge"}
    assert not [code for code in codes if code in text.replace("urge+1", "").replace("default", "")]
    # What it says of reasons, days and people is there.
    data = told["data"]
    for said in ("reason", "text", "note", "signed_by", "number", "held_on", "place"):
        once = event_words.NAMED_ONCE.get(name, ())
        if isinstance(data.get(said), str) and said in event_words.LABELS and said not in once:
            assert data[said].rstrip("。") in text


def test_what_was_erased_is_said_to_be() -> None:
    told = event("item.progressed")
    told["data"] = {**told["data"], "text": {"erased": True}}
    told["actor"] = {"principal_id": "p", "name": None, "via": "q"}
    assert "内容：（已依法删除）" in event_words.text(told, {}, ZONE)
    assert event_words.who(told) == "（已依法删除）（平台代办）"
    assert event_words.who({"actor": {"principal_id": None, "name": None}}) == "系统"
