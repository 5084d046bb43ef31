"""Coming late: what a look that finds several rungs at once does, what it leaves out, and what it never leaves out."""

from dataclasses import replace
from itertools import combinations

import pytest

from service.workflow.ladder import look
from service.workflow.policy import default_policy
from tests.workflow.ladders import DEFAULT, UNCLOSED, a_ground, a_rung, at, due, marks, met, on, waits

# -- coming late


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-10 10:00", ["urge+1", "(remind-7: collapsed)", "(remind-3: collapsed)"]),
        ("2026-03-13 10:00", ["supervise+3", "(remind-7: collapsed)", "(remind-3: collapsed)", "(urge+1: collapsed)"]),
        ("2026-03-20 09:00", ["!escalate+10", "(remind-7: collapsed)", "(remind-3: collapsed)", "(urge+1: collapsed)",
                              "(supervise+3: collapsed)"]),
    ],
)  # fmt: skip
def test_a_clock_that_was_down_catches_up_with_one_step(now: str, expected: list[str]) -> None:
    item = due("2026-03-06")
    assert met(item, now) == ["passed 03-06", *expected]
    # And after it there is nothing left to do.
    found = look(item, DEFAULT, at(now), ())
    assert met(replace(item, passed_on=on("2026-03-06")), now, done=marks(found)) == []


def test_what_was_done_before_the_clock_went_down_is_not_done_again() -> None:
    item = due("2026-03-06")
    before = marks(look(item, DEFAULT, at("2026-03-04"), ()))
    assert before == {("remind-7", item.id, on("2026-03-06")), ("remind-3", item.id, on("2026-03-06"))}
    assert met(item, "2026-03-13 10:00", done=before) == ["passed 03-06", "supervise+3", "(urge+1: collapsed)"]
    # Another day of the same item is another matter.
    assert met(due("2026-03-05"), "2026-03-04 10:00", done=before) == ["remind-3", "(remind-7: collapsed)"]


def test_an_item_that_is_claimed_late_meets_what_it_missed() -> None:
    item = due("2026-03-06", "open", claim_due=on("2026-03-04"), passed_on=on("2026-03-06"))
    claim = [("claim-urge+1", item.id, on("2026-03-04")), ("claim-supervise+4", item.id, on("2026-03-04"))]
    assert met(item, "2026-03-11 10:00", done=claim) == []
    claimed = replace(item, state="rectifying")
    expected = ["supervise+3", "(remind-7: collapsed)", "(remind-3: collapsed)", "(urge+1: collapsed)"]
    assert met(claimed, "2026-03-11 10:00", done=claim) == expected
    assert met(claimed, "2026-03-11 20:00", done=claim) == []
    assert met(claimed, "2026-03-12 09:00", done=claim) == expected


def test_what_lies_before_creation_is_skipped_when_met_and_summons_nobody() -> None:
    old = due("2025-06-30", "extended", escalation_count=1, created_at=at("2026-03-10 12:00"))
    reasons = [f"({code}: before_creation)" for code in ("remind-7", "remind-3", "urge+1", "supervise+3",
               "circulate+1", "escalate-extended+1")]  # fmt: skip
    assert met(old, "2026-03-10 14:00") == ["passed 06-30", *reasons]
    recent = due("2026-03-06", created_at=at("2026-03-10 12:00"), passed_on=on("2026-03-06"))
    early = {("remind-7", recent.id, on("2026-03-06")), ("remind-3", recent.id, on("2026-03-06"))}
    assert met(recent, "2026-03-10 14:00", done=early) == ["(urge+1: before_creation)"]
    assert met(recent, "2026-03-11", done=early) == ["supervise+3", "(urge+1: before_creation)"]
    # At the very moment is not before it.
    assert met(replace(recent, created_at=at("2026-03-09")), "2026-03-09", done=early) == ["urge+1"]
    assert met(replace(recent, created_at=at("2026-03-09 09:01")), "2026-03-09 10:00", done=early) == [
        "(urge+1: before_creation)"
    ]


# -- collapse

MILD = ("remind", "urge", "supervise", "warn")
"""From the mildest to the strongest."""

COMBINATIONS = [
    pytest.param(chosen, id="+".join(chosen))
    for size in range(1, 7)
    for chosen in combinations((*MILD, "circulate", "escalate"), size)
]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("chosen", COMBINATIONS)
def test_the_mild_collapse_into_the_strongest_and_the_two_strong_are_never_skipped(
    chosen: tuple[str, ...], backwards: bool
) -> None:
    """Whatever their order in the ladder: what stands where among them changes nothing."""
    order = chosen[::-1] if backwards else chosen
    ground = a_ground(*(a_rung(action, action) for action in order))
    mild = [action for action in chosen if action in MILD]
    strong = [action for action in chosen if action not in MILD]
    fires = ["circulate"] if "circulate" in strong else []
    left_out = mild
    if not strong:
        fires, left_out = mild[-1:], mild[:-1]
    expected = [*fires, *(["!escalate"] if "escalate" in strong else [])]
    skips = [f"({action}: collapsed)" for action in order if action in left_out]
    assert met(due("2026-03-06"), "2026-03-10", ground) == ["passed 03-06", *expected, *skips]


@pytest.mark.parametrize(
    ("rungs", "expected"),
    [
        # Of two equals the later offset; of two on the same day the later in the ladder.
        ([("a", "urge", 1), ("b", "urge", 2)], ["b", "(a: collapsed)"]),
        ([("a", "urge", 2), ("b", "urge", 1)], ["a", "(b: collapsed)"]),
        ([("a", "urge", 1), ("b", "urge", 1)], ["b", "(a: collapsed)"]),
        # Strength goes before the offset, before it too.
        ([("a", "supervise", -5), ("b", "urge", 2)], ["a", "(b: collapsed)"]),
        ([("a", "warn", 0), ("b", "supervise", 2), ("c", "remind", 1)], ["a", "(b: collapsed)", "(c: collapsed)"]),
        # Circulars all go out, in the ladder's order and not in that of their days.
        ([("a", "circulate", 2), ("b", "circulate", 1)], ["a", "b"]),
        ([("a", "circulate", 1), ("b", "warn", 2), ("c", "circulate", -3)], ["a", "c", "(b: collapsed)"]),
        # One escalation; the other waits, and nobody writes that it was left out.
        ([("a", "escalate", 2), ("b", "escalate", 1)], ["!a"]),
        ([("a", "escalate", 1), ("b", "escalate", 2)], ["!a"]),
        ([("a", "escalate", 1), ("b", "circulate", 2), ("c", "remind", 2), ("d", "escalate", 1)],
         ["b", "!a", "(c: collapsed)"]),
    ],
)  # fmt: skip
def test_what_goes_before_what(rungs: list[tuple[str, str, int]], expected: list[str]) -> None:
    ground = a_ground(*(a_rung(code, action, offset) for code, action, offset in rungs))
    assert met(due("2026-03-06", passed_on=on("2026-03-06")), "2026-03-10", ground) == expected


def test_an_escalation_that_was_left_over_meets_the_new_state() -> None:
    ground = a_ground(a_rung("a", "escalate", 1), a_rung("b", "escalate", 2))
    item = due("2026-03-06", passed_on=on("2026-03-06"))
    done = marks(look(item, ground, at("2026-03-10"), ()))
    assert done == {("a", item.id, on("2026-03-06"))}
    # Escalated already: a rung that would escalate it is none of its.
    escalated = replace(item, state="escalated", escalation_count=1)
    assert met(escalated, "2026-03-10", ground, done) == []
    # Where the first was only a draft, the item stands as it stood.
    assert met(item, "2026-03-10", ground, done) == ["!b"]


def test_anchors_collapse_each_for_itself() -> None:
    requests = waits("extension", "2026-03-02", "2026-03-06") | waits("closure", "2026-03-10", "2026-03-06")
    item = due("2026-03-06", "open", claim_due=on("2026-03-04"), passed_on=on("2026-03-06"), pending=requests)
    ground = a_ground(
        a_rung("due-urge", "urge", 0), a_rung("due-remind", "remind", 0),
        a_rung("claim-supervise", "supervise", 1, anchor="claim_due"),
        a_rung("claim-urge", "urge", 1, anchor="claim_due"),
        a_rung("decide", "remind", 1, anchor="decision_due"), a_rung("decide-urge", "urge", 1, anchor="decision_due"),
    )  # fmt: skip
    found = look(item, ground, at("2026-03-10"), ())
    assert met(item, "2026-03-10", ground) == [
        "due-urge", "claim-supervise", "decide-urge", "decide-urge",
        "(due-remind: collapsed)", "(claim-urge: collapsed)", "(decide: collapsed)", "(decide: collapsed)",
    ]  # fmt: skip
    # The deadline first, then the claim, then the requests, each with its own.
    assert [(each.anchor.kind, each.anchor.ref.int) for each in found.fires] == [
        ("due", 41), ("claim_due", 41), ("decision_due", 71), ("decision_due", 72),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "escalates"),
    [("due", "claim_due", "first"), ("claim_due", "due", "second"), ("claim_due", "claim_due", "first")],
)
def test_of_two_anchors_that_escalate_the_deadline_goes_first(first: str, second: str, escalates: str) -> None:
    ground = a_ground(
        a_rung("first", "escalate", 1, anchor=first), a_rung("mild", "warn", 1, anchor="claim_due"),
        a_rung("second", "escalate", 1, anchor=second), a_rung("circulate", "circulate", 2, anchor="claim_due"),
    )  # fmt: skip
    item = due("2026-03-06", "open", claim_due=on("2026-03-06"), passed_on=on("2026-03-06"))
    assert met(item, "2026-03-10", ground) == ["circulate", f"!{escalates}", "(mild: collapsed)"]


def test_a_mild_rung_collapses_although_another_anchor_escalates() -> None:
    """An escalation by the claim is none of the deadline's: what is mild there fires beside it."""
    ground = a_ground(
        a_rung("urge", "urge", 1), a_rung("remind", "remind", 1),
        a_rung("claim-escalate", "escalate", 1, anchor="claim_due"),
    )  # fmt: skip
    item = due("2026-03-06", "open", claim_due=on("2026-03-06"), passed_on=on("2026-03-06"))
    assert met(item, "2026-03-09", ground) == ["urge", "!claim-escalate", "(remind: collapsed)"]


def test_what_lies_before_creation_collapses_nothing() -> None:
    ground = a_ground(
        a_rung("circulate", "circulate", 0), a_rung("warn", "warn", 0), a_rung("escalate", "escalate", 0),
        a_rung("remind", "remind", 1), a_rung("urge", "urge", 2),
    )  # fmt: skip
    item = due("2026-03-06", passed_on=on("2026-03-06"), created_at=at("2026-03-07 12:00"))
    early = ["(circulate: before_creation)", "(warn: before_creation)", "(escalate: before_creation)"]
    assert met(item, "2026-03-09", ground) == ["remind", *early]
    assert met(item, "2026-03-10", ground) == ["urge", *early, "(remind: collapsed)"]


def test_only_the_states_of_a_rung_and_only_after_a_talk() -> None:
    for state in UNCLOSED:
        ground = a_ground(a_rung("here", "remind", 1, states=[state]),
                          a_rung("after", "circulate", 1, states=[state], after_interview=True))  # fmt: skip
        for other in UNCLOSED:
            item = due("2026-03-06", other, passed_on=on("2026-03-06"), escalation_count=0)
            assert met(item, "2026-03-09", ground) == (["here"] if other == state else [])
            talked = replace(item, escalation_count=1)
            expected = ["after", "(here: collapsed)"]
            assert met(talked, "2026-03-09", ground) == (expected if other == state else [])


def test_a_policy_without_a_ladder_moves_nobody() -> None:
    assert default_policy().ladder
    assert met(due("2026-03-06", "extended"), "2026-03-20", a_ground()) == ["passed 03-06"]
