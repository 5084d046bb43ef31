"""The check on histories whose days were counted by hand: it finds nothing in a right one, and each wrong day in it."""

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from chinese_calendar import is_workday

from tests.simulation import oracle
from tests.simulation.histories import Story, changes, met, when
from tests.simulation.record import Event, Record
from tests.simulation.workdays import PUBLISHED, Table, Workdays, days


def claimed(first: str, last: str, *away: tuple[str, str]) -> Story:
    """Listed on Monday 3 March 2025 with five days, claimed the day after."""
    story = Story(first, last, away)
    story.create("2025-03-03 10:00", due_on="2025-03-10", claim_due="2025-03-05")
    story.tell("2025-03-04 10:00", ("item.claimed", changes(state=("open", "rectifying"))))
    return story


def neglected() -> Story:
    """Left alone until the talk, and beyond its day."""
    story = claimed("2025-03-03", "2025-03-26")
    story.fire("2025-03-07 09:00", met("remind-1", "2025-03-10"))
    story.look("2025-03-11 00:05", ("deadline.passed", {"deadline": "2025-03-10", "cycle": 1}))
    story.fire(
        "2025-03-11 09:00", met("urge+1", "2025-03-10"), number="L催〔2025〕1号", days=("2025-03-13", "2025-03-18")
    )
    story.fire(
        "2025-03-13 09:00",
        met("supervise+3", "2025-03-10", "village town"),
        number="L督〔2025〕1号",
        days=("2025-03-17", "2025-03-20"),
    )
    story.fire(
        "2025-03-17 09:00",
        met("escalate+5", "2025-03-10", "village root"),
        ("item.escalated", changes(state=("rectifying", "escalated"), escalation_count=(0, 1))),
        ("interview.opened", {"interview_id": "talk", "interview_due": "2025-03-24"}),
        number="L约〔2025〕1号",
        days=("2025-03-19", "2025-03-24"),
    )
    story.fire("2025-03-25 09:00", met("interview+1", "2025-03-24", "root", interview_id="talk"))
    return story


def asleep() -> Story:
    """Nobody looked from Monday to Thursday: what was missed collapses into the strongest."""
    story = claimed("2025-03-03", "2025-03-14", ("2025-03-10", "2025-03-13"))
    story.fire("2025-03-07 09:00", met("remind-1", "2025-03-10"))
    story.look("2025-03-14 00:05", ("deadline.passed", {"deadline": "2025-03-10", "cycle": 1}))
    story.fire(
        "2025-03-14 09:00",
        met("supervise+3", "2025-03-10", "village town"),
        ("rung.skipped", met("urge+1", "2025-03-10", reason="collapsed")),
        number="L督〔2025〕1号",
        days=("2025-03-18", "2025-03-21"),
    )
    return story


def waiting(ended: str) -> Story:
    """Closure was asked for on the last good day, and decided on Thursday 13 March."""
    story = claimed("2025-03-03", "2025-03-14")
    story.fire("2025-03-07 09:00", met("remind-1", "2025-03-10"))
    asked = {"request_id": "r", "kind": "closure"}
    story.tell("2025-03-10 16:00", ("request.submitted", {**asked, "decide_due": "2025-03-12"}))
    story.look("2025-03-11 00:05", ("deadline.passed", {"deadline": "2025-03-10", "cycle": 1}))
    story.fire("2025-03-13 09:00", met("decide+1", "2025-03-12", "town", request_id="r"))
    if ended == "approved":
        story.tell(
            "2025-03-13 11:00",
            ("item.closed", changes(state=("rectifying", "closed"))),
            ("request.approved", asked),
            ("rung.skipped", met("urge+1", "2025-03-10", reason="held")),
            ("rung.skipped", met("supervise+3", "2025-03-10", reason="held")),
        )
    else:
        story.tell("2025-03-13 11:00", (f"request.{ended}", asked))
        story.fire(
            "2025-03-14 09:00", met("urge+1", "2025-03-10"), number="L催〔2025〕1号", days=("2025-03-18", "2025-03-21")
        )
    return story


def moved_in() -> Story:
    """An old item: its deadline passed before it was created here, and nobody claims it."""
    story = Story("2025-03-03", "2025-03-07")
    story.create(
        "2025-03-03 10:00",
        listed_at=when("2025-02-10 10:00").isoformat(),
        due_on="2025-02-17",
        claim_due="2025-02-12",
    )
    passed = ("deadline.passed", {"deadline": "2025-02-17", "cycle": 1})
    story.look(
        "2025-03-03 14:00", passed, ("rung.skipped", met("claim-urge+1", "2025-02-12", reason="before_creation"))
    )
    return story


def replanned() -> Story:
    """Five days from 30 December 2026 reach into a year that is not published, and then is."""
    story = Story("2026-12-28", "2027-01-04")
    story.create("2026-12-30 10:00", due_on="2027-01-07", claim_due="2027-01-04", provisional=True)
    story.tell("2026-12-30 11:00", ("item.claimed", changes(state=("open", "rectifying"))))
    notice = Table(2027, frozenset({date(2027, 1, 9)}), frozenset({date(2027, 1, 1), date(2027, 1, 4)}), complete=True)
    story.load("2026-12-31 12:00", notice)
    moved = changes(due_on=("2027-01-07", "2027-01-08"), provisional=(True, False))
    story.look("2026-12-31 14:00", ("item.rescheduled", moved))
    return story


def reviewed(*following: str) -> Story:
    """Two reviews of a standing item were entered in the wrong order; what came of each."""
    story = Story("2025-03-03", "2025-03-21")
    story.create(
        "2025-03-03 10:00", deadline_kind="standing", review_on="2025-06-03", deadline_text="长期坚持",
        claim_due="2025-03-05",
    )  # fmt: skip
    story.tell("2025-03-04 10:00", ("item.claimed", changes(state=("open", "rectifying"))))
    before = "2025-06-03"
    for on, after in zip(("2025-03-20", "2025-03-10"), following, strict=True):
        moved = changes(review_on=(before, after)) if after != before else {}
        story.tell("2025-03-20 11:00", ("item.reviewed", {"on": on, "note": "已落实", **moved}))
        before = after
    return story


RIGHT: dict[str, Callable[[], Story]] = {
    "neglected": neglected,
    "asleep": asleep,
    "approved": lambda: waiting("approved"),
    "returned": lambda: waiting("returned"),
    "withdrawn": lambda: waiting("withdrawn"),
    "moved in": moved_in,
    "replanned": replanned,
    "reviewed": lambda: reviewed("2025-06-20", "2025-06-20"),
}


@pytest.mark.parametrize("story", RIGHT.values(), ids=RIGHT)
def test_nothing_is_found_in_a_right_history(story: Callable[[], Story]) -> None:
    assert oracle.faults(story().record()) == []


@pytest.mark.parametrize("story", RIGHT.values(), ids=RIGHT)
def test_whatever_the_clock_did_is_missed_where_it_is_gone(story: Callable[[], Story]) -> None:
    count = sum(event.clock for event in story().events)
    for index in range(count):
        record = story().record()
        gone = [event for event in record.events if event.clock][index]
        record.events.remove(gone)
        assert oracle.faults(record) != [], gone


@pytest.mark.parametrize("story", RIGHT.values(), ids=RIGHT)
def test_whatever_the_clock_did_is_too_much_where_it_was_done_twice(story: Callable[[], Story]) -> None:
    for index, event in enumerate(story().events):
        if event.clock:
            record = story().record()
            last = record.events[-1].revision
            record.events.append(replace(event, revision=last + 1, ordinal=0, at=record.log.ticks[-1].at))
            assert oracle.faults(record) != [], (index, event)


def a_day_later(event: Event, record: Record) -> None:
    """The same at the next tick of the same time of day."""
    ticks = [tick.at for tick in record.log.ticks]
    place = ticks.index(event.at) + 3
    event.at = ticks[place] if place < len(ticks) else ticks[-1]


@pytest.mark.parametrize("story", RIGHT.values(), ids=RIGHT)
def test_whatever_the_clock_did_is_wrong_a_day_later(story: Callable[[], Story]) -> None:
    for index, event in enumerate(story().events):
        if event.clock:
            record = story().record()
            before = record.events[index].at
            a_day_later(record.events[index], record)
            if record.events[index].at != before:
                assert oracle.faults(record) != [], event


@pytest.mark.parametrize("following", [("2025-06-20", "2025-06-10"), ("2025-06-03", "2025-06-10")])
def test_a_next_review_that_moves_back_or_does_not_move_on_is_noticed(following: tuple[str, str]) -> None:
    assert any("review_on is" in sentence for sentence in oracle.faults(reviewed(*following).record()))


ORACLE = (
    "oracle", "timeline", "rungs", "judgement", "lives", "papers", "circumstances", "days", "record", "workdays",
)  # fmt: skip


@pytest.mark.parametrize("module", ORACLE)
def test_the_check_knows_nothing_of_the_service(module: str) -> None:
    """It imports the standard library and itself: what it says is worked out from domain.md alone."""
    tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text())
    imported = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    own = {f"tests.simulation.{each}" for each in ORACLE}
    assert {name for name in imported - own if name.split(".")[0] not in sys.stdlib_module_names} <= {
        "tests.simulation"
    }
    named = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "tests.simulation"
        for alias in node.names
    }
    assert named <= set(ORACLE)
    assert "import_module" not in ast.dump(tree) and "__import__" not in ast.dump(tree)


def test_the_table_of_workdays_is_the_published_one() -> None:
    calendar = Workdays()
    for year in PUBLISHED:
        for day in days(date(year, 1, 1), date(year, 12, 31)):
            assert calendar.works_on(day) == is_workday(day), day


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        (date(2025, 1, 24), 1, date(2025, 1, 26)),
        (date(2025, 1, 24), 3, date(2025, 2, 5)),
        (date(2026, 9, 30), 1, date(2026, 10, 8)),
        (date(2026, 10, 3), -1, date(2026, 9, 30)),
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (date(2027, 2, 4), 1, date(2027, 2, 11)),
        (date(2025, 10, 1), 0, date(2025, 10, 1)),
    ],
)
def test_counting_working_days(day: date, n: int, expected: date) -> None:
    assert Workdays().add(day, n) == expected
