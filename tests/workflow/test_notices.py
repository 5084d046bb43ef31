"""Notices by themselves: numbers in the office's form, days counted over holidays, and what their states refuse."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest

from service.reasons import GUARDS
from service.workflow.calendar import BASE, Calendar, YearTable
from service.workflow.notices import Notice, Numbered, cancelled, check_draft, due_day, issued, receipted
from service.workflow.policy import DEFAULTS
from service.workflow.rungs import NOTICES, Rung
from service.workflow.states import NoticeKind, NoticeState
from tests.workflow.builders import (
    CLAIMANT,
    DECIDER,
    EARLIER,
    ITEM,
    LEDGER,
    NOW,
    OFFICE,
    TODAY,
    TOWN,
    TWIN,
    VILLAGE,
    a_policy,
    guarded,
    uid,
)
from tests.workflow.ladders import a_rung, on

KINDS = ("reminder", "urging", "supervision", "warning", "interview", "circular")
NUMBERED = KINDS[1:]
LATER_ON = datetime(2026, 3, 12, 6, 30, tzinfo=UTC)


def a_draft(kind: str = "urging", **more: Any) -> Notice:
    facts: dict[str, Any] = {
        "id": uid(81), "ledger_id": LEDGER, "kind": kind, "state": "draft", "number": None, "year": None, "seq": None,
        "unit_id": VILLAGE, "supervising_unit_id": TOWN, "copy_unit_ids": (OFFICE,), "item_ids": (ITEM, TWIN),
        "rungs": ("urge+1",), "text": "请于三日内办结", "issued_by": DECIDER, "issuer": "周敏", "created_at": EARLIER,
    }  # fmt: skip
    return Notice(**{**facts, **more})


def issue(kind: str = "urging", *, today: date = TODAY, number: Numbered | None = None, **more: Any) -> Notice:
    """Issued today under the ledger hb, as number 7 of 2026 where it is of a kind that has numbers."""
    if kind != "reminder":
        number = number or Numbered(2026, 7)
    policy, calendar = more.pop("policy", a_policy()), more.pop("calendar", BASE)
    return issued(a_draft(kind), policy, calendar, ledger="hb", numbered=number, today=today, now=NOW, **more)


def test_there_are_six_kinds_and_each_action_but_a_reminder_issues_its_own() -> None:
    assert tuple(NoticeKind) == KINDS
    assert tuple(NoticeState) == ("draft", "issued", "cancelled")
    assert dict(NOTICES) == {
        "urge": "urging", "supervise": "supervision", "warn": "warning", "circulate": "circular",
        "escalate": "interview",
    }  # fmt: skip


def test_a_rung_is_read_as_the_policy_has_it() -> None:
    stored = a_rung("约谈", "escalate", 10, states=["rectifying"], notify=["responsible", "parent"], confirm=True)
    assert Rung.parse(stored, 4) == Rung(
        "约谈", "due", 10, frozenset({"rectifying"}), False, "escalate", ("responsible", "parent"), True, 4
    )


# -- numbers


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("urging", "hb催〔2026〕7号"),
        ("supervision", "hb督〔2026〕7号"),
        ("warning", "hb告〔2026〕7号"),
        ("interview", "hb约〔2026〕7号"),
        ("circular", "hb通〔2026〕7号"),
    ],
)
def test_each_kind_has_numbers_of_its_own_form(kind: str, number: str) -> None:
    notice = issue(kind)
    assert (notice.number, notice.year, notice.seq) == (number, 2026, 7)


@pytest.mark.parametrize(
    ("pattern", "numbered", "number"),
    [
        ("{ledger}-{year}-{seq:04}", Numbered(2026, 7), "hb-2026-0007"),
        ("{ledger}-{year}-{seq:04}", Numbered(2026, 12345), "hb-2026-12345"),
        ("皖督字〔{year}〕第{seq}号", Numbered(2027, 1), "皖督字〔2027〕第1号"),
        ("{seq}/{year}", Numbered(2026, 100), "100/2026"),
    ],
)
def test_an_office_has_its_own_form(pattern: str, numbered: Numbered, number: str) -> None:
    notice = issue("supervision", number=numbered, policy=a_policy(numbers={"supervision": pattern}))
    assert (notice.number, notice.year, notice.seq) == (number, numbered.year, numbered.seq)
    # Of the others each keeps its own.
    assert issue("urging", policy=a_policy(numbers={"supervision": pattern})).number == "hb催〔2026〕7号"


def test_a_reminder_has_no_number_and_asks_for_no_receipt() -> None:
    assert "reminder" not in DEFAULTS["numbers"]
    notice = issue("reminder")
    assert (notice.state, notice.issued_at) == ("issued", NOW)
    assert (notice.number, notice.year, notice.seq, notice.receipt_due) == (None, None, None, None)
    assert notice.reply_by == on("2026-03-18")
    assert not notice.awaits_receipt


# -- days


@pytest.mark.parametrize(
    ("today", "receipt_due", "reply_by"),
    [
        ("2026-03-11", "2026-03-13", "2026-03-18"),
        # On a Friday, and by hand on a Saturday.
        ("2026-03-13", "2026-03-17", "2026-03-20"),
        ("2026-03-14", "2026-03-17", "2026-03-20"),
        # Over National Day: 30 September, 8, 9, 10 (a Saturday) and 12 October.
        ("2026-09-29", "2026-10-08", "2026-10-12"),
        ("2026-09-30", "2026-10-09", "2026-10-13"),
        # Over Spring Festival: Saturday the 14th is worked, as is the 28th.
        ("2026-02-13", "2026-02-24", "2026-02-27"),
        ("2026-02-14", "2026-02-25", "2026-02-28"),
    ],
)
def test_receipt_and_reply_are_due_in_working_days(today: str, receipt_due: str, reply_by: str) -> None:
    for kind in NUMBERED:
        notice = issue(kind, today=on(today))
        assert (notice.receipt_due, notice.reply_by) == (on(receipt_due), on(reply_by))


def test_the_days_are_the_ledgers_own_and_a_reply_may_be_asked_by_any_day() -> None:
    policy = a_policy(receipt_within=0, reply_within=1)
    notice = issue(policy=policy)
    assert (notice.receipt_due, notice.reply_by) == (TODAY, on("2026-03-12"))
    assert issue(policy=policy, reply_by=on("2026-03-15")).reply_by == on("2026-03-15")
    closed = Calendar({2026: YearTable(frozenset(), frozenset({on("2026-03-12")}), complete=False)})
    assert issue(calendar=closed).receipt_due == on("2026-03-16")


# -- states


def test_issuing_a_draft_changes_what_belongs_to_it_and_nothing_else() -> None:
    draft = a_draft("warning")
    assert (draft.number, draft.awaits_receipt) == (None, False)
    notice = issue("warning")
    assert notice == replace(
        draft, state="issued", number="hb告〔2026〕7号", year=2026, seq=7, issued_at=NOW,
        reply_by=on("2026-03-18"), receipt_due=on("2026-03-13"),
    )  # fmt: skip
    assert type(notice.state) is str
    assert draft == a_draft("warning")


def test_a_notice_is_signed_for_once() -> None:
    notice = issue()
    assert notice.awaits_receipt
    signed = receipted(notice, signed_by="李国强", by=CLAIMANT, now=LATER_ON)
    assert signed == replace(notice, receipt_signed_by="李国强", receipt_by=CLAIMANT, receipt_at=LATER_ON)
    assert not signed.awaits_receipt
    with guarded("awaits_receipt"):
        receipted(signed, signed_by="刘洋", by=CLAIMANT, now=LATER_ON)


def test_a_cancelled_notice_keeps_its_number_and_a_cancelled_draft_never_had_one() -> None:
    notice = issue("circular")
    gone = cancelled(notice, reason="误发", now=LATER_ON)
    assert gone == replace(notice, state="cancelled", cancelled_at=LATER_ON, cancel_reason="误发")
    assert gone.number == "hb通〔2026〕7号"
    assert type(gone.state) is str
    draft = cancelled(a_draft("circular"), reason="不发了", now=LATER_ON)
    assert (draft.state, draft.number, draft.issued_at) == ("cancelled", None, None)
    signed = cancelled(receipted(notice, signed_by="李国强", by=None, now=NOW), reason="撤回", now=LATER_ON)
    assert (signed.state, signed.receipt_signed_by) == ("cancelled", "李国强")


def stages(kind: str) -> dict[str, Notice]:
    notice = issue(kind)
    return {
        "draft": a_draft(kind),
        "issued": notice,
        "signed": replace(notice, receipt_signed_by="李国强", receipt_by=CLAIMANT, receipt_at=LATER_ON),
        "cancelled": replace(notice, state="cancelled", cancelled_at=LATER_ON, cancel_reason="误发"),
        "cancelled draft": replace(a_draft(kind), state="cancelled", cancelled_at=LATER_ON, cancel_reason="误发"),
    }


# What each stage allows: to issue it, to sign for it, to cancel it.
ALLOWED = {
    "draft": (True, False, True),
    "issued": (False, True, True),
    "signed": (False, False, True),
    "cancelled": (False, False, False),
    "cancelled draft": (False, False, False),
}


# Nobody signs for a reminder.
STAGES = [each for each in product(KINDS, ALLOWED) if each != ("reminder", "signed")]


@pytest.mark.parametrize(("kind", "stage"), STAGES)
def test_what_a_notice_allows(kind: str, stage: str) -> None:
    notice = stages(kind)[stage]
    issuable, signable, cancellable = ALLOWED[stage]
    attempts: list[tuple[bool, str, Any]] = [
        (issuable, "notice_draft", lambda: check_draft(notice)),
        (signable and kind != "reminder", "awaits_receipt",
         lambda: receipted(notice, signed_by="李国强", by=CLAIMANT, now=LATER_ON)),
        (cancellable, "notice_cancelled", lambda: cancelled(notice, reason="误发", now=LATER_ON)),
    ]  # fmt: skip
    for allowed, name, attempt in attempts:
        assert name in GUARDS
        if allowed:
            attempt()
        else:
            with guarded(name):
                attempt()


@pytest.mark.parametrize("kind", NUMBERED)
def test_by_when_somebody_must_do_something_about_it(kind: str) -> None:
    drafted_on = on("2026-03-10")
    found = {stage: due_day(notice, drafted_on) for stage, notice in stages(kind).items()}
    never = date(9999, 12, 31)
    assert found == {
        "draft": drafted_on, "issued": on("2026-03-13"), "signed": never, "cancelled": never,
        "cancelled draft": never,
    }  # fmt: skip
    assert due_day(issue("reminder"), drafted_on) == never
