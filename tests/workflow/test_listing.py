"""Listing a problem and correcting its facts: an item's first version, its dates, and what may not be corrected."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest

from service.errors import Refused
from service.workflow.calendar import Calendar
from service.workflow.items import DeadlineAsked, Draft, Item
from service.workflow.listing import Place, check_dates, corrected, list_item
from service.workflow.policy import Policy
from tests.workflow.builders import (
    COUNTY,
    DUE_ON,
    FAR_VILLAGE,
    GROUP,
    ITEM,
    LATER,
    LEDGER,
    LISTER,
    NOW,
    OFFICE,
    STANDING_DEADLINE,
    TODAY,
    TOMORROW,
    TOWN,
    VILLAGE,
    YESTERDAY,
    a_policy,
    an_item,
    guarded,
    line,
)


def a_place(**more: Any) -> Place:
    facts: dict[str, Any] = {
        "ledger_id": LEDGER,
        "policy": a_policy(),
        "policy_epoch": 3,
        "calendar": Calendar(epoch=5),
        "responsible": line(VILLAGE),
        "supervising": line(TOWN),
        "supervising_defaulted": True,
        "co_units": (),
    }
    return Place(**{**facts, **more})


def listed(
    place: Place | None = None, listed_on: date = TODAY, closed_at: datetime | None = None, **draft: Any
) -> Item:
    return list_item(
        Draft(**{"title": "村口排水沟堵塞", **draft}),
        place or a_place(),
        item_id=ITEM,
        number="hb-2026-0007",
        actor_id=LISTER,
        lister_id=LISTER,
        contact_sealed=None,
        now=NOW,
        today=TODAY,
        listed_on=listed_on,
        closed_at=closed_at,
    )


# -- the first version


def test_a_new_item_is_open_and_waits_for_its_claim() -> None:
    assert listed(deadline=DeadlineAsked("date", DUE_ON)) == an_item(
        "open",
        listed_at=NOW,
        source_kind="other",
        # Two working days, counted from the day after the listing.
        claim_due=date(2026, 3, 13),
        claim_rule={"name": "claim", "limit": 2, "unit": "working_days", "start_on": "2026-03-11"},
        policy_epoch=3,
        calendar_epoch=5,
        version=1,
        revision=1,
        created_at=NOW,
        updated_at=NOW,
    )


def test_a_new_item_keeps_what_was_said_about_it() -> None:
    said: dict[str, Any] = {
        "description": "雨后漫水\n影响通行",
        "category": "环境卫生",
        "severity": "serious",
        "source_kind": "petition",
        "source_ref": "信访〔2026〕12号",
        "responsible_person": "李国强",
        "goal": "恢复畅通",
        "measures": "清淤",
        "found_on": YESTERDAY,
        "labels": ("汛期",),
        "attributes": {"source_no": "17"},
    }
    item = listed(a_place(co_units=(OFFICE, FAR_VILLAGE)), deadline=DeadlineAsked("date", LATER, "4月10日前"), **said)
    assert {name: getattr(item, name) for name in said} == said
    assert (item.due_on, item.deadline_text) == (LATER, "4月10日前")
    assert item.co_unit_ids == (OFFICE, FAR_VILLAGE)


def test_an_external_ref_belongs_to_whoever_sent_it() -> None:
    assert (listed().external_ref, listed().external_owner) == (None, None)
    item = listed(external_ref="12345-A")
    assert (item.external_ref, item.external_owner) == ("12345-A", LISTER)


def test_a_title_and_a_unit_are_enough() -> None:
    item = listed()
    assert (item.severity, item.deadline_kind, item.labels, item.attributes) == ("general", "date", (), {})


# -- its deadline


@pytest.mark.parametrize(
    ("severity", "limit", "due_on"),
    [
        # 12, 13, 16, 17 and 18 March.
        ("critical", 5, date(2026, 3, 18)),
        # On to 20 (7), 27 (12), 30 and 31 March, 1 April (15).
        ("serious", 15, date(2026, 4, 1)),
        # 2 and 3 April (17); 4 to 6 are off; 7 to 10 (21), 13 to 17 (26), 20 to 23 (30).
        ("general", 30, date(2026, 4, 23)),
    ],
)
def test_without_a_deadline_the_limit_by_severity_applies(severity: str, limit: int, due_on: date) -> None:
    item = listed(severity=severity, deadline=DeadlineAsked("date", text="尽快"))
    assert (item.deadline_kind, item.due_on, item.review_on, item.provisional) == ("date", due_on, None, False)
    assert item.deadline_text == "尽快"
    assert item.deadline_rule == {
        "name": "severity_limit", "limit": limit, "unit": "working_days", "start_on": "2026-03-11",
    }  # fmt: skip


def test_the_limit_is_the_ledgers_own_and_counts_from_the_listing() -> None:
    place = a_place(policy=a_policy(limits={"general": 2}))
    assert listed(place).due_on == date(2026, 3, 13)
    assert listed(place, listed_on=date(2026, 3, 6), listed_at=NOW).due_on == date(2026, 3, 10)


def test_a_limit_that_reaches_an_unpublished_year_is_provisional() -> None:
    assert listed(a_place(policy=a_policy(limits={"general": 3000}))).provisional


def test_a_given_deadline_stands_as_it_is_even_in_the_past() -> None:
    for due_on in (date(2024, 2, 29), TODAY, LATER):
        item = listed(deadline=DeadlineAsked("date", due_on), severity="critical")
        assert (item.deadline_kind, item.due_on, item.deadline_rule) == ("date", due_on, None)


@pytest.mark.parametrize(
    ("found_on", "due_on"),
    [(None, date(2026, 3, 16)), (date(2026, 3, 2), date(2026, 3, 16)), (TODAY, date(2026, 3, 16))],
)
def test_an_immediate_item_is_due_three_working_days_after_found_and_listed(found_on: date, due_on: date) -> None:
    item = listed(deadline=DeadlineAsked("immediate"), found_on=found_on)
    assert (item.deadline_kind, item.due_on, item.review_on) == ("immediate", due_on, None)


def test_an_immediate_item_found_after_its_listing_counts_from_the_finding() -> None:
    # Moved in from an old ledger: listed on the 2nd, found on the 5th, a Thursday.
    item = listed(deadline=DeadlineAsked("immediate"), found_on=date(2026, 3, 5), listed_on=date(2026, 3, 2))
    assert item.due_on == date(2026, 3, 10)


def test_a_standing_item_has_a_review_and_no_due_day() -> None:
    item = listed(deadline=DeadlineAsked("standing", text="长期坚持"))
    assert (item.deadline_kind, item.due_on, item.review_on) == ("standing", None, date(2026, 6, 11))
    assert item.deadline_day == date(2026, 6, 11)
    twice_a_year = a_place(policy=a_policy(limits={"review_months": 6}))
    assert listed(twice_a_year, deadline=DeadlineAsked("standing")).review_on == date(2026, 9, 11)


def test_the_claim_is_due_as_the_policy_says() -> None:
    assert listed(a_place(policy=a_policy(claim_within=0))).claim_due == TODAY
    assert listed(a_place(policy=a_policy(claim_within=3))).claim_due == date(2026, 3, 16)


# -- an old item, already struck off


@pytest.mark.parametrize(
    ("closed_on", "days_late"), [(date(2025, 11, 20), 0), (date(2025, 11, 28), 0), (date(2025, 12, 5), 7)]
)
def test_an_item_moved_in_closed_keeps_by_how_much_it_was_late(closed_on: date, days_late: int) -> None:
    old, end = datetime(2025, 11, 3, 1, 0, tzinfo=UTC), datetime.combine(closed_on, time(15, 59, 59), tzinfo=UTC)
    item = listed(
        listed_on=date(2025, 11, 3),
        listed_at=old,
        deadline=DeadlineAsked("date", date(2025, 11, 28)),
        closed_on=closed_on,
        closed_at=end,
    )
    assert (item.state, item.resolution, item.closed_days_late) == ("closed", "rectified", days_late)
    assert (item.listed_at, item.created_at, item.closed_at, item.claim_due) == (old, NOW, end, None)
    assert not item.overdue(TODAY)


def test_an_open_item_is_not_closed_in_any_respect() -> None:
    item = listed(deadline=DeadlineAsked("date", YESTERDAY))
    assert (item.resolution, item.closed_at, item.closed_days_late) == (None, None, None)
    assert item.overdue(TODAY)


# -- its units


@pytest.mark.parametrize("supervising", [VILLAGE, GROUP])
def test_no_unit_is_named_to_supervise_itself_or_from_below(supervising: UUID) -> None:
    with guarded("supervising_unit"):
        listed(a_place(supervising=line(supervising), supervising_defaulted=False))


@pytest.mark.parametrize("supervising", [TOWN, COUNTY, OFFICE, FAR_VILLAGE])
def test_any_other_unit_may_be_named_to_supervise(supervising: UUID) -> None:
    item = listed(a_place(supervising=line(supervising), supervising_defaulted=False))
    assert (item.supervising_unit_id, item.supervising_defaulted) == (supervising, False)


def test_the_root_supervises_itself_by_default_only() -> None:
    root = {"responsible": line(COUNTY), "supervising": line(COUNTY)}
    item = listed(a_place(**root))
    assert (item.responsible_unit_id, item.supervising_unit_id, item.supervising_defaulted) == (COUNTY, COUNTY, True)
    for supervising in (COUNTY, TOWN):
        with guarded("supervising_unit"):
            listed(a_place(**{**root, "supervising": line(supervising)}, supervising_defaulted=False))


# -- dates


@pytest.mark.parametrize(
    ("draft", "listed_on", "wrong"),
    [
        ({}, TODAY, []),
        ({"found_on": TODAY, "closed_on": TODAY}, TODAY, []),
        ({"found_on": date(2019, 1, 1)}, date(2019, 1, 5), []),
        ({"closed_on": date(2019, 1, 5)}, date(2019, 1, 5), []),
        ({"deadline": DeadlineAsked("date", date(2019, 2, 1))}, TODAY, []),
        ({"deadline": DeadlineAsked("date", date(2030, 1, 1))}, TODAY, []),
        ({"found_on": TOMORROW}, TODAY, [("/found_on", "in_future")]),
        ({}, TOMORROW, [("/listed_at", "in_future")]),
        ({"closed_on": TOMORROW}, TODAY, [("/closed/on", "in_future")]),
        ({"closed_on": YESTERDAY}, TODAY, [("/closed/on", "before_listing")]),
        ({"found_on": TOMORROW, "closed_on": TOMORROW}, TOMORROW,
         [("/found_on", "in_future"), ("/listed_at", "in_future"), ("/closed/on", "in_future")]),
    ],
)  # fmt: skip
def test_dates_may_lie_in_the_past_and_what_happened_may_not_lie_ahead(
    draft: dict[str, Any], listed_on: date, wrong: list[tuple[str, str]]
) -> None:
    found: list[tuple[str, str]] = []
    try:
        check_dates(Draft(title="村口排水沟堵塞", **draft), today=TODAY, listed_on=listed_on)
    except Refused as refusal:
        assert refusal.code == "invalid_request"
        found = [(error.pointer, error.code) for error in refusal.errors]
    assert found == wrong


# -- corrections


def test_a_correction_changes_what_differs_and_counts_as_one_version() -> None:
    item = an_item("rectifying", title="村口水沟堵塞", category="环境")
    given = {"title": "村口排水沟堵塞", "category": "环境", "labels": ("汛期",)}
    assert corrected(item, given, now=NOW) == {
        "title": "村口排水沟堵塞",
        "labels": ("汛期",),
        "version": item.version + 1,
        "updated_at": NOW,
    }


@pytest.mark.parametrize("state", ["open", "rectifying", "closed"])
def test_a_correction_that_changes_nothing_is_no_change(state: str) -> None:
    item = an_item(state)
    same = {"title": item.title, "measures": None, "due_on": item.due_on, "deadline_kind": "date"}
    assert corrected(item, same, now=NOW) == {}
    assert corrected(item, {}, now=NOW) == {}


def test_a_fact_can_be_taken_away() -> None:
    assert corrected(an_item(goal="畅通"), {"goal": None}, now=NOW)["goal"] is None


def test_a_mistyped_deadline_is_corrected_while_the_item_is_open() -> None:
    assert corrected(an_item("open"), {"due_on": LATER}, now=NOW)["due_on"] == LATER


@pytest.mark.parametrize("state", ["rectifying", "extended", "escalated", "closed"])
@pytest.mark.parametrize("column", [{"due_on": LATER}, STANDING_DEADLINE, {"review_on": LATER}])
def test_once_it_was_open_no_correction_moves_the_deadline(state: str, column: dict[str, Any]) -> None:
    with guarded("deadline_fixed"):
        corrected(an_item(state), {**column, "title": "村口"}, now=NOW)


@pytest.mark.parametrize("state", ["open", "rectifying", "closed"])
def test_sending_the_present_day_along_leaves_a_computed_deadline_as_it_came_about(state: str) -> None:
    rule = {"name": "severity_limit", "limit": 5, "unit": "working_days", "start_on": "2026-03-18"}
    item = an_item(state, deadline_rule=rule, provisional=True)
    same_day = {
        "deadline_kind": "date", "due_on": DUE_ON, "review_on": None, "deadline_rule": None, "provisional": False,
    }  # fmt: skip
    assert corrected(item, same_day, now=NOW) == {}
    changed = corrected(item, {**same_day, "category": "环境"}, now=NOW)
    assert changed.keys() == {"category", "version", "updated_at"}


def test_a_corrected_deadline_is_a_persons_own() -> None:
    rule = {"name": "severity_limit", "limit": 5, "unit": "working_days", "start_on": "2026-03-18"}
    item = an_item("open", deadline_rule=rule, provisional=True)
    given = {"due_on": LATER, "deadline_rule": None, "provisional": False}
    assert corrected(item, given, now=NOW) == {**given, "version": 5, "updated_at": NOW}


@pytest.mark.parametrize(
    ("present", "given", "differs"),
    [
        ({"a": 1}, {"a": 1}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1}, {}, True),
        ({"a": [1, {"b": 0}]}, {"a": [1, {"b": 0}]}, False),
        ({"a": [1, 2]}, {"a": [1]}, True),
        ({"a": [1]}, {"a": 1}, True),
        ({"a": 1}, {"a": [1]}, True),
        ({"a": [1]}, {"a": {"b": 1}}, True),
        ({"a": {"b": 1}}, {"a": [1]}, True),
        # To Python true is 1; to whoever reads the JSON it is not.
        ({"a": 1}, {"a": True}, True),
        ({"a": [{"b": False}]}, {"a": [{"b": 0}]}, True),
        ({"a": None}, {}, True),
    ],
)
def test_free_json_is_compared_as_json(present: dict[str, Any], given: dict[str, Any], differs: bool) -> None:
    assert bool(corrected(an_item(attributes=present), {"attributes": given}, now=NOW)) is differs


def test_a_corrected_severity_does_not_move_a_computed_deadline() -> None:
    item = listed(severity="general")
    changed = corrected(item, {"severity": "critical"}, now=NOW)
    assert changed.keys() == {"severity", "version", "updated_at"}


def test_the_policy_is_read_and_not_changed_by_listing() -> None:
    policy: Policy = a_policy()
    listed(a_place(policy=policy))
    assert policy == a_policy()
