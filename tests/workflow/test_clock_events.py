"""What is written about the clock, requests, notices and interviews: which fields, which of them stay readable, and
whom it concerns."""

import json
from dataclasses import replace
from typing import Any

import pytest

from service.workflow import clock_events as written
from service.workflow import events, sealing
from service.workflow.events import Actor, EventDraft
from service.workflow.guards import Command
from service.workflow.items import Interview, Item
from service.workflow.ladder import Meeting, look
from service.workflow.merkle import SHA256
from service.workflow.notices import Notice
from service.workflow.requests import Request
from tests.workflow.builders import (
    CLAIMANT,
    COUNTY,
    DECIDER,
    EARLIER,
    FAR_VILLAGE,
    ITEM,
    LATER,
    LEDGER,
    NOW,
    OFFICE,
    OTHER_TOWN,
    OTHER_VILLAGE,
    TALK,
    TODAY,
    TOWN,
    TWIN,
    VILLAGE,
    a_talk,
    an_item,
    uid,
)
from tests.workflow.ladders import TALK as OTHER_TALK
from tests.workflow.ladders import TRANSFER, a_ground, a_rung, at, on, waits

REQUEST, NOTICE = uid(71), uid(81)
AROUND = an_item("rectifying", co_unit_ids=(FAR_VILLAGE,), cycle=2)
NEAR = (VILLAGE, TOWN, FAR_VILLAGE)
"""Those whom an event of the item concerns in any case."""


def body(draft: EventDraft) -> dict[str, Any]:
    event = events.seal(
        draft,
        tenant_id=uid(91),
        event_id=uid(92),
        actor=Actor(None, "clock"),
        at=NOW,
        revision=7,
        ordinal=0,
        salt=bytes,
        hashing=SHA256,
    )
    found: dict[str, Any] = json.loads(event.body)
    return found


def judge(draft: EventDraft, type_: str, data: dict[str, Any], *sealed: str, audience: tuple[Any, ...] = NEAR) -> None:
    """The whole of a draft: its data literally, the fields that are sealed in the stored bytes, its audience."""
    assert draft.type == type_
    assert draft.data == data
    assert draft.audience == audience
    about = draft.about
    assert (about.item_id, about.item_version, about.unit_id, about.ledger_id) == (ITEM, 4, VILLAGE, LEDGER)
    stored = body(draft)
    hidden = {name for name, value in stored["data"].items() if isinstance(value, dict) and value.keys() == {"sealed"}}
    assert hidden == set(sealed)
    for name in data.keys() - hidden - sealing.NESTED:
        assert stored["data"][name] == data[name]
    for name in hidden:
        assert data[name] not in json.dumps(stored, ensure_ascii=False)
    assert stored["audience"] == [str(unit) for unit in audience]


# -- the clock


def a_meeting(anchor: str) -> Meeting:
    pending = waits("transfer", "2026-03-02", "2026-03-09") | waits("interview", "2026-03-02", "2026-03-09")
    item = an_item("open", due_on=on("2026-03-09"), claim_due=on("2026-03-09"), pending=pending)
    action = "urge" if anchor in ("decision_due", "interview_due") else "supervise"
    ground = a_ground(a_rung("督办+1", action, 1, anchor=anchor, notify=["responsible", "parent"]))
    (met,) = look(replace(item, passed_on=item.due_on), ground, at("2026-03-10"), ()).fires
    return met


def test_a_deadline_that_has_passed() -> None:
    draft = written.deadline_passed(AROUND, on("2026-03-10"))
    judge(draft, "deadline.passed", {"deadline": "2026-03-10", "cycle": 2})


@pytest.mark.parametrize(
    ("anchor", "action", "of"),
    [
        ("due", "supervise", {}),
        ("claim_due", "supervise", {}),
        ("decision_due", "urge", {"request_id": str(TRANSFER)}),
        ("interview_due", "urge", {"interview_id": str(OTHER_TALK)}),
    ],
)
def test_a_rung_that_fired_or_was_skipped(anchor: str, action: str, of: dict[str, Any]) -> None:
    met = a_meeting(anchor)
    rung = {"rung": "督办+1", "action": action, "anchor": anchor, "anchor_on": "2026-03-09", "cycle": 2, **of}
    told = {"notify": ["responsible", "parent"], "notified_unit_ids": [str(VILLAGE), str(COUNTY)]}
    fired = written.rung_fired(AROUND, met, NOTICE, (VILLAGE, COUNTY))
    # Whoever is notified sees it, once.
    judge(fired, "rung.fired", {**rung, **told, "notice_id": str(NOTICE)}, audience=(*NEAR, COUNTY))
    only_told = written.rung_fired(AROUND, met, None, (VILLAGE, COUNTY))
    judge(only_told, "rung.fired", {**rung, **told, "notice_id": None}, audience=(*NEAR, COUNTY))
    for why in ("before_creation", "collapsed", "held"):
        judge(written.rung_skipped(AROUND, met, why), "rung.skipped", {**rung, "notice_id": None, "why": why})


def test_days_that_a_calendar_moved() -> None:
    changed: dict[str, Any] = {
        "due_on": LATER, "provisional": False, "claim_due": TODAY, "version": 5, "updated_at": NOW,
        "pending": waits("closure", "2026-03-02", "2026-03-10"), "calendar_epoch": 2,
    }  # fmt: skip
    before = replace(AROUND, version=3, provisional=True)
    after = replace(before, **{**changed, "version": 4})
    judge(written.rescheduled(before, after, changed), "item.rescheduled", {
        "changes": {
            "due_on": {"before": "2026-03-25", "after": "2026-04-10"},
            "provisional": {"before": True, "after": False},
            "claim_due": {"before": "2026-03-12", "after": "2026-03-11"},
        }
    })  # fmt: skip


def test_a_review() -> None:
    before = replace(AROUND, deadline_kind="standing", due_on=None, review_on=TODAY, version=3)
    after = replace(before, review_on=on("2026-06-11"), version=4)
    draft = written.reviewed(before, after, {"review_on": on("2026-06-11"), "version": 4}, on("2026-03-10"), "常态保持")
    judge(draft, "item.reviewed", {
        "on": "2026-03-10", "note": "常态保持", "cycle": 2,
        "changes": {"review_on": {"before": "2026-03-11", "after": "2026-06-11"}},
    }, "note")  # fmt: skip


# -- requests


def a_request(kind: str, **more: Any) -> Request:
    facts: dict[str, Any] = {
        "id": REQUEST, "item_id": ITEM, "cycle": 2, "kind": kind, "status": "pending", "requested_by": CLAIMANT,
        "requester": "王秀英", "requested_at": NOW, "asked_on": TODAY, "reason": "汛期停工", "due_on": None,
        "responsible_unit_id": None, "decide_due": on("2026-03-18"),
    }  # fmt: skip
    return Request(**{**facts, **more})


@pytest.mark.parametrize(
    ("kind", "asked", "shown"),
    [
        ("extension", {"due_on": LATER}, {"due_on": "2026-04-10"}),
        ("closure", {}, {}),
        ("transfer", {"responsible_unit_id": OTHER_VILLAGE}, {"responsible_unit_id": str(OTHER_VILLAGE)}),
        ("transfer", {}, {}),
    ],
)
def test_what_was_asked_for(kind: str, asked: dict[str, Any], shown: dict[str, Any]) -> None:
    draft = written.request_submitted(AROUND, a_request(kind, **asked))
    expected = {"request_id": str(REQUEST), "kind": kind, "cycle": 2, "decide_due": "2026-03-18", "reason": "汛期停工"}
    judge(draft, "request.submitted", {**expected, **shown}, "reason")


def test_how_a_request_ended() -> None:
    returned = a_request("closure", status="returned", decision_reason="照片看不清")
    shown = {"request_id": str(REQUEST), "kind": "closure"}
    judge(written.request_ended(AROUND, returned), "request.returned", {**shown, "reason": "照片看不清"}, "reason")
    withdrawn = a_request("closure", status="withdrawn")
    judge(written.request_ended(AROUND, withdrawn), "request.withdrawn", shown)


def test_an_approval_holds_what_was_asked_and_what_was_set() -> None:
    asked = a_request("extension", status="approved", due_on=LATER, decision_reason="只批三天")
    fired = Command(trigger="extend", due_on=on("2026-03-28"), reason="只批三天")
    judge(written.request_approved(AROUND, asked, fired), "request.approved", {
        "request_id": str(REQUEST), "kind": "extension", "trigger": "extend", "asked_due_on": "2026-04-10",
        "due_on": "2026-03-28", "reason": "只批三天",
    }, "reason")  # fmt: skip
    moved = a_request("transfer", status="approved", responsible_unit_id=OTHER_VILLAGE)
    fired = Command(trigger="transfer", responsible_unit_id=OTHER_TOWN, due_on=LATER)
    judge(written.request_approved(AROUND, moved, fired), "request.approved", {
        "request_id": str(REQUEST), "kind": "transfer", "trigger": "transfer", "asked_unit_id": str(OTHER_VILLAGE),
        "responsible_unit_id": str(OTHER_TOWN), "due_on": "2026-04-10",
    })  # fmt: skip


# -- notices

DRAFT = Notice(
    id=NOTICE, ledger_id=LEDGER, kind="circular", state="draft", number=None, year=None, seq=None, unit_id=VILLAGE,
    supervising_unit_id=TOWN, copy_unit_ids=(COUNTY, OFFICE), item_ids=(ITEM, TWIN), rungs=("circulate+1",),
    text="通报如下", issued_by=DECIDER, issuer="周敏", created_at=EARLIER,
)  # fmt: skip
ISSUED = replace(
    DRAFT, state="issued", number="hb通〔2026〕7号", year=2026, seq=7, issued_at=NOW, reply_by=on("2026-03-18"),
    receipt_due=on("2026-03-13"),
)  # fmt: skip
COPIED = (*NEAR, COUNTY, OFFICE)
PAPER = {"notice_id": str(NOTICE), "kind": "circular", "unit_id": str(VILLAGE), "items": 2}
NUMBERED = {**PAPER, "number": "hb通〔2026〕7号"}
LAID_OUT = {"rungs": ["circulate+1"], "text": "通报如下", "copy_unit_ids": [str(COUNTY), str(OFFICE)]}


def test_a_notice_from_draft_to_cancellation() -> None:
    judge(written.notice_made(AROUND, DRAFT), "notice.drafted", {**PAPER, **LAID_OUT}, "text", audience=COPIED)
    judge(written.notice_made(AROUND, ISSUED), "notice.issued", {
        **NUMBERED, **LAID_OUT, "reply_by": "2026-03-18", "receipt_due": "2026-03-13",
    }, "text", audience=COPIED)  # fmt: skip
    signed = replace(ISSUED, receipt_signed_by="李国强", receipt_by=CLAIMANT, receipt_at=NOW)
    shown = {**NUMBERED, "signed_by": "李国强"}
    judge(written.notice_receipted(AROUND, signed), "notice.receipted", shown, "signed_by", audience=COPIED)
    gone = replace(signed, state="cancelled", cancelled_at=NOW, cancel_reason="误发")
    shown = {**NUMBERED, "reason": "误发"}
    judge(written.notice_cancelled(AROUND, gone), "notice.cancelled", shown, "reason", audience=COPIED)
    dropped = replace(DRAFT, state="cancelled", cancelled_at=NOW, cancel_reason="不发了")
    shown = {**PAPER, "reason": "不发了"}
    judge(written.notice_cancelled(AROUND, dropped), "notice.cancelled", shown, "reason", audience=COPIED)


def test_a_notice_by_hand_comes_from_no_rung() -> None:
    by_hand = replace(ISSUED, kind="reminder", number=None, rungs=(), text=None, copy_unit_ids=(), receipt_due=None)
    judge(written.notice_made(AROUND, by_hand), "notice.issued", {
        "notice_id": str(NOTICE), "kind": "reminder", "unit_id": str(VILLAGE), "items": 2, "reply_by": "2026-03-18",
    })  # fmt: skip


def test_the_unit_that_a_notice_went_to_hears_of_it_after_the_item_was_transferred() -> None:
    moved: Item = replace(AROUND, responsible_unit_id=OTHER_VILLAGE)
    draft = written.notice_cancelled(moved, replace(ISSUED, cancel_reason="已转办"))
    assert draft.audience == (OTHER_VILLAGE, TOWN, FAR_VILLAGE, VILLAGE, COUNTY, OFFICE)


# -- interviews


def test_when_and_where_a_talk_will_be_held() -> None:
    talk: Interview = a_talk("scheduled", scheduled_at=NOW, place="镇政府三楼会议室")
    shown = {"interview_id": str(TALK), "scheduled_at": "2026-03-11T02:00:00Z", "place": "镇政府三楼会议室"}
    judge(written.interview_scheduled(AROUND, talk), "interview.scheduled", shown, "place")
    nowhere = written.interview_scheduled(AROUND, replace(talk, place=None))
    judge(nowhere, "interview.scheduled", {name: shown[name] for name in ("interview_id", "scheduled_at")})
