"""Waiting for the decider is not the unit's delay: what is held meanwhile, from when it counts afterwards, and what an
approval leaves behind. Also which rung comes next, as readers are told."""

from dataclasses import replace
from typing import Any

import pytest

from service.workflow.items import Item
from service.workflow.ladder import held_back, upcoming
from service.workflow.requests import ended
from tests.workflow.builders import STANDING_DEADLINE
from tests.workflow.ladders import (
    DEFAULT,
    EXTENSION,
    UNCLOSED,
    a_ground,
    a_rung,
    at,
    due,
    met,
    moments,
    on,
    said,
    waits,
    walk,
)

FRIDAY = "2026-03-13"
"""The deadline: urge+1 is due on Monday the 16th, supervise+3 on the 18th, escalate+10 on the 27th."""

REMINDED = [("remind-7", due(FRIDAY).id, on(FRIDAY)), ("remind-3", due(FRIDAY).id, on(FRIDAY))]


def waiting(kind: str, asked: str, state: str = "rectifying", **more: Any) -> Item:
    """An item whose deadline has passed while a request of it was pending, to be decided by far later."""
    return due(FRIDAY, state, **{"passed_on": on(FRIDAY), "pending": waits(kind, asked, "2026-12-30"), **more})


# -- what holds


@pytest.mark.parametrize(
    ("kind", "asked", "held"),
    [
        ("closure", "2026-03-02", True),
        ("closure", "2026-03-12", True),
        # On the deadline itself is in time, on the day after it is not.
        ("closure", "2026-03-13", True),
        ("closure", "2026-03-14", False),
        ("closure", "2026-03-16", False),
        # An extension cannot be asked for too late.
        ("extension", "2026-03-12", True),
        ("extension", "2026-03-02", True),
        ("transfer", "2026-03-02", False),
        ("interview", "2026-03-02", False),
    ],
)
def test_what_is_asked_in_time_holds_the_rungs_behind_the_deadline(kind: str, asked: str, held: bool) -> None:
    item = waiting(kind, asked)
    assert item.held is item.held_by(kind) is held
    assert not any(due(FRIDAY).held_by(each) for each in ("closure", "extension", "transfer", "interview"))
    assert met(item, "2026-03-16", done=REMINDED) == ([] if held else ["urge+1"])
    assert met(item, "2026-03-27", done=REMINDED)[:1] == ([] if held else ["!escalate+10"])
    # It is late all the same, and that is noticed.
    assert item.overdue(on("2026-03-14"))
    assert met(replace(item, passed_on=None), "2026-03-14 00:00", done=REMINDED) == ["passed 03-13"]


def test_one_request_that_holds_is_enough() -> None:
    late = waits("closure", "2026-03-16", "2026-12-30") | waits("transfer", "2026-03-02", "2026-12-30")
    assert not due(FRIDAY, pending=late).held
    assert due(FRIDAY, pending=late | waits("extension", "2026-03-02", "2026-12-30")).held


def test_a_closure_asked_late_is_in_time_for_a_deadline_that_moved() -> None:
    item = waiting("closure", "2026-03-16", "extended", due_on=on("2026-03-20"))
    assert item.held
    assert met(item, "2026-03-23", done=[("remind-3", item.id, on("2026-03-20"))]) == ["passed 03-20", "remind-7"]


def test_the_deadline_of_a_standing_item_is_its_review() -> None:
    standing = STANDING_DEADLINE | {"review_on": on(FRIDAY), "due_on": None}
    assert waiting("closure", "2026-03-13", **standing).held
    assert not waiting("closure", "2026-03-14", **standing).held


@pytest.mark.parametrize("state", UNCLOSED)
def test_only_what_comes_after_the_deadline_is_held(state: str) -> None:
    item = waiting("extension", "2026-03-02", state, claim_due=on(FRIDAY))
    item = replace(item, pending=item.pending | waits("closure", "2026-03-02", FRIDAY))
    ground = a_ground(
        a_rung("before", "remind", -1), a_rung("itself", "urge", 0), a_rung("after", "circulate", 1),
        a_rung("claim", "supervise", 1, anchor="claim_due"), a_rung("decide", "urge", 1, anchor="decision_due"),
    )  # fmt: skip
    claim = ["claim"] if state == "open" else []
    assert met(item, "2026-03-16", ground) == ["itself", *claim, "decide", "(before: collapsed)"]
    free = ["after", *claim, "decide", "(before: collapsed)", "(itself: collapsed)"]
    assert met(replace(item, pending=waits("closure", "2026-03-14", FRIDAY)), "2026-03-16", ground) == free


def test_while_it_is_held_the_decider_is_called_in() -> None:
    item = due(FRIDAY, pending=waits("closure", "2026-03-12", "2026-03-19"))
    assert walk(item, "2026-03-13 19:00", done=REMINDED) == ["03-14 00:00: passed 03-13", "03-20: decide+1"]


# -- returned or withdrawn: from the next working day


@pytest.mark.parametrize(
    ("day", "asked", "returned", "expected"),
    [
        # On Wednesday: Thursday is the first.
        (FRIDAY, "2026-03-12", "2026-03-18", ["03-19", "03-23", "04-01"]),
        # On Saturday and Sunday: Monday, as if nothing had been asked.
        (FRIDAY, "2026-03-12", "2026-03-14", ["03-16", "03-18", "03-27"]),
        (FRIDAY, "2026-03-12", "2026-03-15", ["03-16", "03-18", "03-27"]),
        # On the deadline itself, or before it: nothing was held.
        (FRIDAY, "2026-03-12", "2026-03-13", ["03-16", "03-18", "03-27"]),
        (FRIDAY, "2026-03-02", "2026-03-04", ["03-16", "03-18", "03-27"]),
        # During National Day, and on the Friday before the Saturday that pays for it.
        ("2026-09-30", "2026-09-29", "2026-10-03", ["10-08", "10-10", "10-20"]),
        ("2026-09-30", "2026-09-29", "2026-10-09", ["10-10", "10-13", "10-22"]),
    ],
)
@pytest.mark.parametrize("kind", ["closure", "extension"])
def test_after_a_return_the_rungs_count_from_the_next_working_day(
    kind: str, day: str, asked: str, returned: str, expected: list[str]
) -> None:
    item = due(day, pending=waits(kind, asked, "2026-12-30"), passed_on=on(day))
    back = replace(item, **ended(item, kind, on(returned)))
    assert not back.held
    after = {code: moment for code, moment in moments(back).items() if "+" in code}
    assert after == dict(zip(["urge+1", "supervise+3", "escalate+10"], expected, strict=True))
    # What comes before the deadline keeps its day.
    assert moments(back)["remind-3"] == moments(due(day))["remind-3"]


def test_after_a_return_a_unit_is_not_met_at_once() -> None:
    item = waiting("closure", "2026-03-12")
    back = replace(item, **ended(item, "closure", on("2026-03-30")))
    # All its moments lay behind it, and none counts any more.
    assert met(back, "2026-03-30 17:00", done=REMINDED) == []
    assert walk(back, "2026-03-30 17:00", done=REMINDED) == [
        "03-31: urge+1",
        "04-02: supervise+3",
        "04-14: !escalate+10",
    ]


def test_what_was_done_before_it_was_held_is_not_done_again() -> None:
    item = waiting("extension", "2026-03-12", rungs_from=on("2026-03-18"), pending={})
    urged = [*REMINDED, ("urge+1", item.id, on(FRIDAY))]
    assert walk(item, "2026-03-18 12:00", done=urged) == ["03-23: supervise+3", "04-01: !escalate+10"]


def test_the_day_of_a_return_is_forgotten_by_a_later_deadline() -> None:
    extended = due("2026-03-25", "extended", rungs_from=on("2026-03-18"))
    assert moments(extended) == moments(due("2026-03-25", "extended"))


def test_a_return_moves_no_other_anchor() -> None:
    item = due(FRIDAY, "open", claim_due=on(FRIDAY), rungs_from=on("2026-03-18"))
    item = replace(item, pending=waits("transfer", "2026-03-06", FRIDAY))
    assert moments(item) == {
        "claim-urge+1": "03-16", "claim-supervise+4": "03-19", "claim-escalate+9": "03-26", "decide+1": "03-16",
    }  # fmt: skip
    assert moments(item, a_ground(a_rung("itself", "urge", 0), a_rung("after", "urge", 1))) == {
        "itself": "03-13", "after": "03-19",
    }  # fmt: skip


# -- approved: what was held is recorded, and not made up for


@pytest.mark.parametrize(
    ("kind", "asked", "now", "codes"),
    [
        ("closure", "2026-03-12", "2026-03-13 17:00", []),
        ("closure", "2026-03-12", "2026-03-16 08:59", []),
        ("closure", "2026-03-12", "2026-03-16 09:00", ["urge+1"]),
        ("closure", "2026-03-12", "2026-03-18 08:59", ["urge+1"]),
        ("extension", "2026-03-12", "2026-03-18 10:00", ["urge+1", "supervise+3"]),
        ("extension", "2026-03-12", "2026-03-28 23:00", ["urge+1", "supervise+3", "escalate+10"]),
        # It held nothing.
        ("closure", "2026-03-14", "2026-03-18 10:00", []),
        ("transfer", "2026-03-02", "2026-03-18 10:00", []),
    ],
)
def test_what_was_held_back_by_the_time_of_an_approval(kind: str, asked: str, now: str, codes: list[str]) -> None:
    item = waiting(kind, asked)
    assert [met.rung.code for met in held_back(item, DEFAULT, at(now), REMINDED)] == codes
    # Reminders are not held, whether they were sent or not.
    assert [met.rung.code for met in held_back(item, DEFAULT, at(now), [])] == codes
    if codes:
        fired = [(codes[0], item.id, on(FRIDAY))]
        assert [met.rung.code for met in held_back(item, DEFAULT, at(now), fired)] == codes[1:]


def test_what_is_never_skipped_by_others_is_skipped_by_an_approval() -> None:
    item = waiting("closure", "2026-03-12", "extended", escalation_count=1)
    codes = [met.rung.code for met in held_back(item, DEFAULT, at("2026-03-16"), ())]
    assert codes == ["urge+1", "circulate+1", "escalate-extended+1"]


# -- which rung comes next


@pytest.mark.parametrize(
    ("item", "done", "expected"),
    [
        (due(FRIDAY), [], ("remind-7", "03-04")),
        (due(FRIDAY), REMINDED, ("urge+1", "03-16")),
        # Of several at one moment the strongest.
        (due(FRIDAY, "extended", escalation_count=1), REMINDED, ("escalate-extended+1", "03-16")),
        # What lies before its creation it will not meet.
        (due(FRIDAY, created_at=at("2026-03-05 10:00")), [], ("remind-3", "03-10")),
        (waiting("closure", "2026-03-12", pending=waits("closure", "2026-03-12", "2026-03-19")), REMINDED,
         ("decide+1", "03-20")),
        (due(FRIDAY, "escalated"), [], None),
        (due(FRIDAY, "closed"), [], None),
        (due(FRIDAY, "open", claim_due=on("2026-03-12")), [], ("claim-urge+1", "03-13")),
    ],
)  # fmt: skip
def test_the_rung_that_comes_next(item: Item, done: list[Any], expected: tuple[str, str] | None) -> None:
    found = upcoming(item, DEFAULT, done)
    assert (found and (found.rung.code, said(found.moment))) == expected


def test_the_rung_that_comes_next_for_one_request() -> None:
    item = due(FRIDAY, pending=waits("extension", "2026-03-02", "2026-03-09") | waits("closure", "2026-03-02", FRIDAY))
    found = upcoming(item, DEFAULT, [], EXTENSION)
    assert found is not None
    assert (found.rung.code, said(found.moment), found.anchor.ref) == ("decide+1", "03-10", EXTENSION)
    assert upcoming(item, DEFAULT, [("decide+1", EXTENSION, on("2026-03-09"))], EXTENSION) is None
