"""The default ladder by days counted on paper, and what an item meets at a look. All days are Shanghai's.

Around National Day 2026: 20 September (Sunday) and 10 October (Saturday) are worked, 25 to 27 September and 1 to 7
October are off. Around Spring Festival: 14 and 28 February (Saturdays) are worked, 15 to 23 February are off.
"""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from service.workflow.items import Item
from service.workflow.ladder import meetings
from tests.workflow.builders import LATER, STANDING_DEADLINE, YESTERDAY, fire
from tests.workflow.ladders import (
    DEFAULT,
    REQUESTS,
    UNCLOSED,
    a_ground,
    a_rung,
    at,
    due,
    met,
    moments,
    on,
    waits,
    walk,
)

# -- when the rungs of the default ladder are due


@pytest.mark.parametrize(
    ("day", "remind_7", "remind_3", "after_1", "after_3", "after_10"),
    [
        # Wednesday, the last working day before National Day.
        ("2026-09-30", "09-20", "09-24", "10-08", "10-10", "10-20"),
        # Saturday within National Day.
        ("2026-10-03", "09-21", "09-28", "10-08", "10-10", "10-20"),
        # Thursday, the first working day after it.
        ("2026-10-08", "09-21", "09-28", "10-09", "10-12", "10-21"),
        # The worked Saturday before Spring Festival; ten working days later lies behind the other one.
        ("2026-02-14", "02-05", "02-11", "02-24", "02-26", "03-06"),
        # Spring Festival's Wednesday.
        ("2026-02-18", "02-06", "02-12", "02-24", "02-26", "03-06"),
        # An ordinary Sunday, Friday and Monday.
        ("2026-03-15", "03-05", "03-11", "03-16", "03-18", "03-27"),
        ("2026-03-13", "03-04", "03-10", "03-16", "03-18", "03-27"),
        ("2026-03-16", "03-05", "03-11", "03-17", "03-19", "03-30"),
    ],
)
def test_the_default_rungs_of_a_deadline(
    day: str, remind_7: str, remind_3: str, after_1: str, after_3: str, after_10: str
) -> None:
    common = {"remind-7": remind_7, "remind-3": remind_3, "urge+1": after_1, "supervise+3": after_3}
    assert moments(due(day)) == {**common, "escalate+10": after_10}
    assert moments(due(day, "extended")) == {**common, "escalate-extended+1": after_1}
    again = {**common, "circulate+1": after_1}
    assert moments(due(day, escalation_count=1)) == {**again, "escalate+10": after_10}
    assert moments(due(day, "extended", escalation_count=1)) == {**again, "escalate-extended+1": after_1}
    # Before it is claimed, and after it is escalated, its deadline moves nobody.
    assert moments(due(day, "open")) == moments(due(day, "escalated")) == moments(due(day, "closed")) == {}


@pytest.mark.parametrize(
    ("day", "after_1", "after_4", "after_9"),
    [
        ("2026-09-30", "10-08", "10-12", "10-19"),
        # 14 and 28 February among the nine.
        ("2026-02-13", "02-14", "02-26", "03-04"),
        ("2026-03-13", "03-16", "03-19", "03-26"),
    ],
)
def test_the_default_rungs_of_a_claim(day: str, after_1: str, after_4: str, after_9: str) -> None:
    item = due("2026-12-30", "open", claim_due=on(day))
    expected = {"claim-urge+1": after_1, "claim-supervise+4": after_4, "claim-escalate+9": after_9}
    assert moments(item) == expected
    for state in ("rectifying", "extended", "escalated", "closed"):
        assert not moments(replace(item, state=state)).keys() & expected.keys()


@pytest.mark.parametrize("state", UNCLOSED)
@pytest.mark.parametrize("kind", list(REQUESTS))
def test_a_request_is_called_in_on_the_working_day_after_its_own(state: str, kind: str) -> None:
    item = due("2026-12-30", state, pending=waits(kind, "2026-09-21", "2026-09-30"))
    assert moments(item)["decide+1"] == "10-08"
    (found,) = (each for each in meetings(item, DEFAULT) if each.rung.code == "decide+1")
    assert (found.anchor.kind, found.anchor.ref, found.anchor.on) == ("decision_due", REQUESTS[kind], on("2026-09-30"))


def test_an_interview_is_called_in_while_it_is_due_and_no_other_rung_is() -> None:
    item = due("2026-03-02", "escalated", escalation_count=1, pending=waits("interview", "2026-09-21", "2026-09-30"))
    assert moments(item) == {"interview+1": "10-08"}
    assert moments(replace(item, pending={})) == {}


@pytest.mark.parametrize(
    ("day", "offset", "moment"),
    [
        # The day itself; the next working day where it is none.
        ("2026-03-13", 0, "03-13"),
        ("2026-03-14", 0, "03-16"),
        ("2026-02-14", 0, "02-14"),
        ("2026-10-03", 0, "10-08"),
        ("2026-03-14", -1, "03-13"),
        ("2026-10-05", -1, "09-30"),
        ("2026-10-08", -4, "09-24"),
        ("2026-03-14", 1, "03-16"),
        ("2026-10-01", 2, "10-09"),
    ],
)
def test_offsets_in_working_days(day: str, offset: int, moment: str) -> None:
    ground = a_ground(a_rung("rung", "remind", offset))
    item = due(day, "open", claim_due=on(day))
    assert moments(item, ground) == {"rung": moment}
    of_claim = a_ground(a_rung("rung", "remind", offset, anchor="claim_due"))
    assert moments(item, of_claim) == {"rung": moment}


# -- whole lives, from look to look


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (
            due("2026-09-30"),
            ["09-20: remind-7", "09-24: remind-3", "10-01 00:00: passed 09-30", "10-08: urge+1", "10-10: supervise+3",
             "10-20: !escalate+10"],
        ),
        (
            due("2026-09-30", "extended"),
            ["09-20: remind-7", "09-24: remind-3", "10-01 00:00: passed 09-30",
             "10-08: !escalate-extended+1, (urge+1: collapsed)"],
        ),
        (
            due("2026-09-30", escalation_count=1),
            ["09-20: remind-7", "09-24: remind-3", "10-01 00:00: passed 09-30",
             "10-08: circulate+1, (urge+1: collapsed)", "10-10: supervise+3", "10-20: !escalate+10"],
        ),
        (
            due("2026-09-30", "extended", escalation_count=1),
            ["09-20: remind-7", "09-24: remind-3", "10-01 00:00: passed 09-30",
             "10-08: circulate+1, !escalate-extended+1, (urge+1: collapsed)"],
        ),
        (
            due("2026-12-01", "open", claim_due=on("2026-09-30")),
            ["10-08: claim-urge+1", "10-12: claim-supervise+4", "10-19: !claim-escalate+9",
             "12-02 00:00: passed 12-01"],
        ),
        (
            due("2026-09-30", **STANDING_DEADLINE | {"review_on": on("2026-09-30"), "due_on": None}),
            ["09-20: remind-7", "09-24: remind-3", "10-01 00:00: passed 09-30", "10-08: urge+1", "10-10: supervise+3",
             "10-20: !escalate+10"],
        ),
        (due("2026-09-30", "escalated"), ["10-01 00:00: passed 09-30"]),
        # A Friday: it has passed on the Saturday, and people hear of it on the Monday.
        (
            due("2026-03-13", passed_on=on("2026-03-06"), created_at=at("2026-03-12 15:00")),
            ["03-12 15:00: (remind-7: before_creation), (remind-3: before_creation)", "03-14 00:00: passed 03-13",
             "03-16: urge+1", "03-18: supervise+3", "03-27: !escalate+10"],
        ),
    ],
    ids=["rectifying", "extended", "after a talk", "extended after one", "open", "standing", "escalated", "new"],
)  # fmt: skip
def test_a_life_from_look_to_look(item: Item, lines: list[str]) -> None:
    start = "2026-03-12 15:00" if item.passed_on else "2026-09-01"
    assert walk(item, start) == lines


# -- what is passed, and when offices are shut


def test_a_deadline_passes_once_at_the_midnight_after_it_whatever_the_day() -> None:
    item = due("2026-10-02", "open")
    assert met(item, "2026-10-02 23:59") == []
    for now in ("2026-10-03 00:00", "2026-10-03 12:00", "2026-10-08 10:00", "2027-03-01 10:00"):
        assert met(item, now) == ["passed 10-02"]
        assert met(replace(item, passed_on=on("2026-10-02")), now) == []
    moved = replace(item, due_on=on("2026-10-05"), passed_on=on("2026-10-02"))
    assert met(moved, "2026-10-05 23:59") == []
    assert met(moved, "2026-10-06 00:00") == ["passed 10-05"]
    assert met(replace(item, due_on=None), "2027-03-01 10:00") == []
    assert met(replace(item, state="closed"), "2027-03-01 10:00") == []


def test_midnight_is_the_tenants() -> None:
    item = due("2026-03-27", "open")
    berlin = a_ground(tz=ZoneInfo("Europe/Berlin"))
    # Midnight in Berlin is 23:00 UTC in winter, 22:00 in summer: seven and six in the morning in Shanghai.
    assert met(item, "2026-03-28 06:59", berlin) == []
    assert met(item, "2026-03-28 07:00", berlin) == ["passed 03-27"]
    assert met(replace(item, due_on=on("2026-03-30")), "2026-03-31 05:59", berlin) == []
    assert met(replace(item, due_on=on("2026-03-30")), "2026-03-31 06:00", berlin) == ["passed 03-30"]


@pytest.mark.parametrize(
    "now", ["2026-03-14 10:00", "2026-03-16 08:59", "2026-03-16 18:00", "2026-10-01 10:00", "2026-03-17 00:00"]
)
def test_outside_office_hours_only_the_passing_is_noticed(now: str) -> None:
    assert met(due("2026-03-06", "extended", escalation_count=1), now) == ["passed 03-06"]


def test_a_reopened_cycle_begins_anew() -> None:
    closed = due("2026-03-06", "closed", resolution="rectified", passed_on=on("2026-03-06"), rungs_from=YESTERDAY,
                 escalation_count=2, closed_at=at("2026-03-10"))  # fmt: skip
    item = fire("claim", fire("reopen", closed, due_on=LATER).after).after
    # Friday 10 April; 4 to 6 April are off. Nothing is circulated: in this cycle there was no talk.
    assert moments(item) == {
        "remind-7": "03-31", "remind-3": "04-07", "urge+1": "04-13", "supervise+3": "04-15", "escalate+10": "04-24",
    }  # fmt: skip
    same_day = fire("claim", fire("reopen", replace(closed, due_on=LATER, passed_on=LATER), due_on=LATER).after).after
    assert walk(same_day, "2026-04-10 19:00") == [
        "04-11 00:00: passed 04-10", "04-13: urge+1, (remind-7: collapsed), (remind-3: collapsed)",
        "04-15: supervise+3", "04-24: !escalate+10",
    ]  # fmt: skip
