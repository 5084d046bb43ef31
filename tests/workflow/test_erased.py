"""Texts that are gone: which of them an erasure accounts for, and which it does not."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service.workflow.attachments import name_path
from service.workflow.erased import Erasures

ITEM, OTHER, NOTICE, FILE = (str(UUID(int=number)) for number in (1, 2, 3, 4))
AT = datetime.fromisoformat("2026-03-02T02:00:00+00:00")


def event(
    type_: str, item: str | None = ITEM, revision: int = 1, after: timedelta = timedelta(), **data: Any
) -> dict[str, Any]:
    at = (AT + after).isoformat().replace("+00:00", "Z")
    return {"type": type_, "item_id": item, "revision": revision, "at": at, "data": data}


def redacted(*fields: str, item: str = ITEM, after: timedelta = timedelta(), **more: Any) -> dict[str, Any]:
    return event("item.redacted", item, 9, after, fields=list(fields), **more)


def unaccounted(*passed: tuple[dict[str, Any], tuple[str, ...]]) -> list[tuple[int, str]]:
    erasures = Erasures()
    for position, (body, missing) in enumerate(passed, 1):
        erasures.pass_by(position, body, missing)
    return list(erasures.unaccounted())


def test_an_erasure_accounts_for_what_it_names_of_what_stood_before_it() -> None:
    created = event("item.created")
    assert unaccounted((created, ("title", "goal")), (redacted("title", "goal"), ())) == []
    assert unaccounted((created, ("title", "goal")), (redacted("title"), ())) == [(1, "goal")]
    assert unaccounted((created, ("title",)), (redacted("title", item=OTHER), ())) == [(1, "title")]
    assert unaccounted((redacted("title"), ()), (created, ("title",))) == [(2, "title")]
    assert unaccounted((created, ("actor/name",)), (redacted("actors"), ("actor/name",))) == [(2, "actor/name")]


def test_what_is_about_no_item_is_never_erased() -> None:
    assert unaccounted((event("unit.created", None), ("name",)), (redacted("actors", "title"), ())) == [(1, "name")]


def test_a_reason_goes_with_the_request_whose_approval_passed_it_on() -> None:
    moved, approved = event("item.extended", revision=4), event("request.approved", revision=4)
    erasure = (redacted("requests"), ())
    assert unaccounted((moved, ("reason",)), (approved, ("reason",)), erasure) == []
    assert unaccounted((moved, ("reason",)), erasure) == [(1, "reason")]


def test_names_of_attachments_go_with_these_alone() -> None:
    entry, path = event("item.progressed"), name_path(UUID(FILE))
    assert unaccounted((entry, (path,)), (redacted("attachments", attachment_ids=[FILE]), ())) == []
    assert unaccounted((entry, (path,)), (redacted("attachments"), ())) == [(1, path)]


@pytest.mark.parametrize("told_before", [True, False])
def test_a_notice_is_erased_in_the_records_of_all_its_items(told_before: bool) -> None:
    own = (event("notice.issued", ITEM, notice_id=NOTICE), ("text",) if told_before else ())
    erasure = (redacted("notices", after=timedelta(minutes=5)), ())
    others = (event("notice.issued", OTHER, notice_id=NOTICE), ("text",))
    passed = [own, others, erasure] if told_before else [erasure, own, others]
    assert unaccounted(*passed) == ([] if told_before else [(3, "text")])
    signed = (event("notice.receipted", OTHER, after=timedelta(hours=1), notice_id=NOTICE), ("signed_by",))
    assert unaccounted(own, (redacted("signatures"), ()), signed) == [
        *([(1, "text")] if told_before else []),
        (3, "signed_by"),
    ]


def test_what_the_erasure_saw_may_stand_behind_it_in_the_log_where_clocks_differ() -> None:
    own = (event("notice.issued", ITEM, notice_id=NOTICE), ())
    others = (event("notice.issued", OTHER, after=timedelta(seconds=5), notice_id=NOTICE), ("text",))
    assert unaccounted(own, (redacted("notices"), ()), others) == []
