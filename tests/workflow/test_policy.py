"""The default policy word for word, partial ones laid over it, and what contradicts itself."""

from copy import deepcopy
from typing import Any

import pytest

from service.workflow.deadlines import Lamp
from service.workflow.policy import (
    DEFAULTS,
    Closure,
    Extension,
    Policy,
    contradictions,
    default_policy,
    merge,
    number,
    revise,
)
from service.workflow.states import Severity

UNDERWAY = ["rectifying", "extended"]
UNCLOSED = ["open", "rectifying", "extended", "escalated"]

# (code, anchor, offset, states, action, notify), in the order of the contract.
LADDER = [
    ("remind-7", "due", -7, UNDERWAY, "remind", ["responsible"]),
    ("remind-3", "due", -3, UNDERWAY, "remind", ["responsible"]),
    ("urge+1", "due", 1, UNDERWAY, "urge", ["responsible"]),
    ("supervise+3", "due", 3, UNDERWAY, "supervise", ["responsible", "supervising"]),
    ("circulate+1", "due", 1, UNDERWAY, "circulate", ["responsible", "parent"]),
    ("escalate-extended+1", "due", 1, ["extended"], "escalate", ["responsible", "supervising"]),
    ("escalate+10", "due", 10, ["rectifying"], "escalate", ["responsible", "supervising"]),
    ("claim-urge+1", "claim_due", 1, ["open"], "urge", ["responsible"]),
    ("claim-supervise+4", "claim_due", 4, ["open"], "supervise", ["responsible", "supervising"]),
    ("claim-escalate+9", "claim_due", 9, ["open"], "escalate", ["responsible", "supervising"]),
    ("decide+1", "decision_due", 1, UNCLOSED, "remind", ["supervising", "parent"]),
    ("interview+1", "interview_due", 1, ["escalated"], "remind", ["supervising", "parent"]),
]


def with_rung(**changed: Any) -> dict[str, Any]:
    """The defaults with their first rung changed."""
    ladder = deepcopy(DEFAULTS["ladder"])
    ladder[0].update(changed)
    return merge(DEFAULTS, {"ladder": ladder})


# -- defaults


def test_the_defaults_are_those_of_the_contract() -> None:
    rest = {name: value for name, value in DEFAULTS.items() if name != "ladder"}
    assert rest == {
        "limits": {"general": 30, "serious": 15, "critical": 5, "immediate_days": 3, "review_months": 3},
        "claim_within": 2,
        "decide_within": 5,
        "interview_within": 5,
        "receipt_within": 2,
        "reply_within": 5,
        "extension": {"max_count": 2, "max_total_days": 60, "apply_before": 1, "second_needs_parent": True},
        "closure": {"min_evidence": 0, "four_eyes": True},
        "office_hours": {"open": "09:00", "close": "18:00"},
        "lamps": [{"lamp": "yellow", "from_days": -3}, {"lamp": "red", "from_days": 1}],
        "numbers": {
            "item": "{ledger}-{year}-{seq:04}",
            "urging": "{ledger}催〔{year}〕{seq}号",
            "supervision": "{ledger}督〔{year}〕{seq}号",
            "warning": "{ledger}告〔{year}〕{seq}号",
            "interview": "{ledger}约〔{year}〕{seq}号",
            "circular": "{ledger}通〔{year}〕{seq}号",
        },
    }


def test_the_default_ladder_is_that_of_the_contract() -> None:
    keys = ("code", "anchor", "offset", "states", "action", "notify")
    assert [tuple(rung[key] for key in keys) for rung in DEFAULTS["ladder"]] == LADDER
    assert [rung["code"] for rung in DEFAULTS["ladder"] if rung["after_interview"]] == ["circulate+1"]
    assert not any(rung["confirm"] for rung in DEFAULTS["ladder"])


def test_the_defaults_do_not_contradict_themselves() -> None:
    assert contradictions(DEFAULTS) == []


def test_a_whole_policy_becomes_values_that_rules_can_ask() -> None:
    policy = Policy.parse(DEFAULTS)
    assert policy == default_policy()
    assert policy.limits == {"general": 30, "serious": 15, "critical": 5}
    assert policy.limits[Severity.SERIOUS] == 15
    assert (policy.immediate_days, policy.review_months) == (3, 3)
    assert (policy.claim_within, policy.decide_within, policy.interview_within) == (2, 5, 5)
    assert policy.extension == Extension(2, 60, 1, True)
    assert policy.closure == Closure(0, True)
    assert policy.lamps == (Lamp("yellow", -3), Lamp("red", 1))
    assert policy.numbers["item"] == "{ledger}-{year}-{seq:04}"


# -- merging


def test_a_partial_policy_changes_what_it_names_and_nothing_else() -> None:
    merged = merge(DEFAULTS, {"limits": {"general": 45}, "claim_within": 1, "closure": {"min_evidence": 2}})
    expected = deepcopy(DEFAULTS)
    expected["limits"]["general"] = 45
    expected["claim_within"] = 1
    expected["closure"]["min_evidence"] = 2
    assert merged == expected


def test_an_empty_partial_policy_changes_nothing() -> None:
    assert merge(DEFAULTS, {}) == DEFAULTS
    assert merge(DEFAULTS, {"limits": {}, "numbers": {}}) == DEFAULTS


def test_lamps_and_ladder_are_replaced_as_a_whole() -> None:
    blue = [{"lamp": "blue", "from_days": -5}]
    merged = merge(DEFAULTS, {"lamps": blue, "ladder": []})
    assert (merged["lamps"], merged["ladder"]) == (blue, [])
    assert Policy.parse(merged).lamps == (Lamp("blue", -5),)


def test_merging_again_keeps_what_was_merged_before() -> None:
    first = merge(DEFAULTS, {"limits": {"general": 45}})
    second = merge(first, {"limits": {"critical": 3}})
    assert (second["limits"]["general"], second["limits"]["critical"]) == (45, 3)


def test_merging_leaves_the_base_and_the_partial_policy_alone() -> None:
    base, untouched = deepcopy(DEFAULTS), deepcopy(DEFAULTS)
    partial = {"limits": {"general": 45}, "lamps": []}
    merge(base, partial)
    assert base == untouched
    assert partial == {"limits": {"general": 45}, "lamps": []}


# -- contradictions


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        ({"open": "09:00", "close": "09:01"}, []),
        ({"open": "09:00", "close": "09:00"}, [("/office_hours/close", "conflicts_with_policy")]),
        ({"open": "18:00", "close": "09:00"}, [("/office_hours/close", "conflicts_with_policy")]),
        # Over the default 18:00 only by the field that was sent.
        ({"open": "19:00"}, [("/office_hours/close", "conflicts_with_policy")]),
    ],
)
def test_an_office_opens_before_it_closes(hours: dict[str, str], found: list[tuple[str, str]]) -> None:
    assert contradictions(merge(DEFAULTS, {"office_hours": hours})) == found


@pytest.mark.parametrize(
    ("begins", "wrong"),
    [([], []), ([1], []), ([-5, -3, 1, 10], []), ([-3, -3], [1]), ([1, -3], [1]), ([-3, 1, 0, 0], [2, 3])],
)
def test_lamps_stand_in_the_order_in_which_they_begin(begins: list[int], wrong: list[int]) -> None:
    lamps = [{"lamp": f"lamp{index}", "from_days": begin} for index, begin in enumerate(begins)]
    found = contradictions(merge(DEFAULTS, {"lamps": lamps}))
    assert found == [(f"/lamps/{index}/from_days", "conflicts_with_policy") for index in wrong]


def test_a_rung_has_a_code_of_its_own() -> None:
    assert contradictions(with_rung(code="urge+1")) == [("/ladder/2/code", "repeated")]


@pytest.mark.parametrize("anchor", ["decision_due", "interview_due"])
@pytest.mark.parametrize("action", ["remind", "urge", "supervise", "warn", "circulate", "escalate"])
def test_the_rungs_of_deciders_only_remind_or_urge(anchor: str, action: str) -> None:
    found = contradictions(with_rung(anchor=anchor, action=action))
    assert found == ([] if action in ("remind", "urge") else [("/ladder/0/action", "conflicts_with_policy")])


@pytest.mark.parametrize("anchor", ["due", "claim_due"])
@pytest.mark.parametrize("action", ["remind", "urge", "supervise", "warn", "circulate", "escalate"])
def test_the_rungs_of_the_responsible_side_may_do_anything(anchor: str, action: str) -> None:
    assert contradictions(with_rung(anchor=anchor, action=action)) == []


@pytest.mark.parametrize("action", ["remind", "urge", "supervise", "warn", "circulate", "escalate"])
def test_only_what_makes_a_notice_can_be_confirmed(action: str) -> None:
    found = contradictions(with_rung(action=action, confirm=True))
    assert found == ([("/ladder/0/confirm", "conflicts_with_policy")] if action == "remind" else [])


def test_what_was_saved_once_stands_until_its_part_is_changed() -> None:
    old = with_rung(action="remind", confirm=True)
    assert Policy.parse(old).ladder[0].confirm
    assert revise(old, {"claim_within": 3}) == ({**old, "claim_within": 3}, [])
    wrong = ("/ladder/0/confirm", "conflicts_with_policy")
    assert revise(old, {"ladder": old["ladder"]})[1] == [wrong]
    assert revise(old, {"lamps": [{"lamp": "a", "from_days": 1}] * 2})[1] == [
        ("/lamps/1/from_days", "conflicts_with_policy")
    ]


def test_two_equal_number_patterns_are_refused() -> None:
    same = merge(DEFAULTS, {"numbers": {"warning": "{ledger}催〔{year}〕{seq}号"}})
    assert contradictions(same) == [("/numbers/warning", "repeated")]


def test_all_contradictions_are_named_at_once() -> None:
    whole = merge(
        with_rung(code="urge+1"), {"lamps": [{"lamp": "red", "from_days": 1}] * 2, "office_hours": {"open": "20:00"}}
    )
    assert [pointer for pointer, _ in contradictions(whole)] == [
        "/office_hours/close",
        "/lamps/1/from_days",
        "/ladder/2/code",
    ]


# -- numbers


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("{ledger}-{year}-{seq:04}", "hb-2026-0007"),
        ("{ledger}催〔{year}〕{seq}号", "hb催〔2026〕7号"),
        ("{seq}", "7"),
    ],
)
def test_a_number_has_the_offices_own_form(pattern: str, expected: str) -> None:
    assert number(pattern, ledger="hb", year=2026, seq=7) == expected


def test_a_number_grows_beyond_its_padding() -> None:
    assert number("{ledger}-{year}-{seq:04}", ledger="hb", year=2026, seq=12345) == "hb-2026-12345"
