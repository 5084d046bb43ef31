"""The policy of a ledger: time limits, extension budget, escalation ladder, lamps, numbers.

A policy is data. What an office leaves out is filled from the defaults when it is saved, and stored whole: a later
release with other defaults changes nobody's deadlines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import Any

from service.workflow.deadlines import Lamp
from service.workflow.hours import OfficeHours
from service.workflow.rungs import NOTICES, Rung
from service.workflow.states import Severity

DEFAULTS: dict[str, Any] = {
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
    "ladder": [
        {"code": code, "anchor": anchor, "offset": offset, "states": states, "after_interview": after_interview,
         "action": action, "notify": notify, "confirm": False}
        for code, anchor, offset, states, after_interview, action, notify in (
            ("remind-7", "due", -7, ["rectifying", "extended"], False, "remind", ["responsible"]),
            ("remind-3", "due", -3, ["rectifying", "extended"], False, "remind", ["responsible"]),
            ("urge+1", "due", 1, ["rectifying", "extended"], False, "urge", ["responsible"]),
            ("supervise+3", "due", 3, ["rectifying", "extended"], False, "supervise", ["responsible", "supervising"]),
            ("circulate+1", "due", 1, ["rectifying", "extended"], True, "circulate", ["responsible", "parent"]),
            ("escalate-extended+1", "due", 1, ["extended"], False, "escalate", ["responsible", "supervising"]),
            ("escalate+10", "due", 10, ["rectifying"], False, "escalate", ["responsible", "supervising"]),
            ("claim-urge+1", "claim_due", 1, ["open"], False, "urge", ["responsible"]),
            ("claim-supervise+4", "claim_due", 4, ["open"], False, "supervise", ["responsible", "supervising"]),
            ("claim-escalate+9", "claim_due", 9, ["open"], False, "escalate", ["responsible", "supervising"]),
            ("decide+1", "decision_due", 1, ["open", "rectifying", "extended", "escalated"], False, "remind",
             ["supervising", "parent"]),
            ("interview+1", "interview_due", 1, ["escalated"], False, "remind", ["supervising", "parent"]),
        )
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Extension:
    """The extension budget of one cycle. `apply_before` is in working days and binds requests only."""

    max_count: int
    max_total_days: int
    apply_before: int
    second_needs_parent: bool


@dataclass(frozen=True, slots=True)
class Closure:
    min_evidence: int
    four_eyes: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one ledger, parsed. Days are working days except `extension.max_total_days` (calendar days)."""

    limits: Mapping[str, int]
    immediate_days: int
    review_months: int
    claim_within: int
    decide_within: int
    interview_within: int
    receipt_within: int
    reply_within: int
    extension: Extension
    closure: Closure
    hours: OfficeHours
    lamps: tuple[Lamp, ...]
    numbers: Mapping[str, str]
    ladder: tuple[Rung, ...]

    @classmethod
    def parse(cls, whole: Mapping[str, Any]) -> "Policy":
        """A stored policy (whole, as `merge` returns it) as values that rules can ask."""
        limits, hours = whole["limits"], whole["office_hours"]
        return cls(
            limits={severity.value: limits[severity.value] for severity in Severity},
            immediate_days=limits["immediate_days"],
            review_months=limits["review_months"],
            claim_within=whole["claim_within"],
            decide_within=whole["decide_within"],
            interview_within=whole["interview_within"],
            receipt_within=whole["receipt_within"],
            reply_within=whole["reply_within"],
            extension=Extension(**whole["extension"]),
            closure=Closure(**whole["closure"]),
            hours=OfficeHours(time.fromisoformat(hours["open"]), time.fromisoformat(hours["close"])),
            lamps=tuple(Lamp(lamp["lamp"], lamp["from_days"]) for lamp in whole["lamps"]),
            numbers=whole["numbers"],
            ladder=tuple(Rung.parse(rung, place) for place, rung in enumerate(whole["ladder"])),
        )


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    return Policy.parse(DEFAULTS)


def merge(base: Mapping[str, Any], partial: Mapping[str, Any]) -> dict[str, Any]:
    """`partial` over `base`: objects field by field, lists (lamps, ladder) as a whole."""
    merged = dict(base)
    for name, value in partial.items():
        merged[name] = {**base[name], **value} if isinstance(value, dict) else value
    return merged


def contradictions(whole: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What no single field shows to be wrong in a whole policy, as (pointer within the policy, code)."""
    found = []
    hours = whole["office_hours"]
    if hours["open"] >= hours["close"]:
        found.append(("/office_hours/close", "conflicts_with_policy"))
    begins = [lamp["from_days"] for lamp in whole["lamps"]]
    for index in range(1, len(begins)):
        if begins[index] <= begins[index - 1]:
            found.append((f"/lamps/{index}/from_days", "conflicts_with_policy"))
    codes: set[str] = set()
    for index, rung in enumerate(whole["ladder"]):
        if rung["code"] in codes:
            found.append((f"/ladder/{index}/code", "repeated"))
        codes.add(rung["code"])
        if rung["anchor"] in ("decision_due", "interview_due") and rung["action"] not in ("remind", "urge"):
            found.append((f"/ladder/{index}/action", "conflicts_with_policy"))
        if rung["confirm"] and rung["action"] not in NOTICES:
            # There is no notice to draft: it would be sent unconfirmed.
            found.append((f"/ladder/{index}/confirm", "conflicts_with_policy"))
    patterns: set[str] = set()
    for kind, pattern in whole["numbers"].items():
        if pattern in patterns:
            found.append((f"/numbers/{kind}", "repeated"))
        patterns.add(pattern)
    return found


def revise(base: Mapping[str, Any], partial: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """`partial` over `base`, and its contradictions; without those that stood in a part which is left as it was.

    An earlier release may have let them be saved: they are for whoever changes that part.
    """
    whole, stood = merge(base, partial), contradictions(base)
    return whole, [each for each in contradictions(whole) if each not in stood or each[0].split("/")[1] in partial]


def number(pattern: str, *, ledger: str, year: int, seq: int) -> str:
    """A number in the office's own form; `pattern` was checked when the policy was saved."""
    return pattern.format(ledger=ledger, year=year, seq=seq)
