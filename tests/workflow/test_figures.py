"""What each event counts, by hand: histories of single items, and the figures that domain.md makes of them.

Days are the tenant's, in China. A figure that is not named is nought.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.workflow.counting import FOLLOWED, Happened, follow
from service.workflow.events import HIDDEN
from service.workflow.figures import (
    COUNTS,
    ENDED,
    FIGURES,
    LASTING,
    LASTING_METRICS,
    METRICS,
    ONCE_A_PERIOD,
    ONCE_OVER,
    Unit,
)
from service.workflow.kept import Kept
from service.workflow.sealing import PLAIN
from service.workflow.summing import Period, end_of
from service.workflow.summing import figures as figures_of
from service.workflow.turns import Delta

ZONE = ZoneInfo("Asia/Shanghai")
A, B, LEDGER = "a", "b", "ledger"
LATER = "2027-01-01"
"""A day on which all of it is over."""

Data = dict[str, Any]


def at(day: str, clock: str = "10:00") -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), ZONE).astimezone(UTC)


def event(type_: str, day: str, changes: dict[str, tuple[Any, Any]] | None = None, **data: Any) -> Happened:
    if changes is not None:
        data["changes"] = {name: {"before": before, "after": after} for name, (before, after) in changes.items()}
    return Happened(type_, at(day), data)


def created(day: str, due: str | None = "2026-03-20", claim: str | None = "2026-03-04", **more: Any) -> Happened:
    data = {
        "ledger_id": LEDGER, "severity": "general", "source_kind": "inspection", "responsible_unit_id": A,
        "listed_at": at(day).isoformat(), "deadline_kind": "date", "due_on": due, "claim_due": claim, "state": "open",
    }  # fmt: skip
    return Happened("item.created", at(day), {name: value for name, value in {**data, **more}.items() if value})


def claimed(day: str) -> Happened:
    return event("item.claimed", day, {"state": ("open", "rectifying"), "claimed_at": (None, day)})


def extended(day: str, before: str, after: str, *, late: bool = False) -> Happened:
    return event("item.extended", day, {"due_on": (before, after)}, **({"late": True} if late else {}))


def closed(day: str) -> Happened:
    return event("item.closed", day, {"resolution": (None, "rectified")})


def asked(day: str, kind: str = "closure") -> Happened:
    return event("request.submitted", day, request_id="r", kind=kind)


def approved(day: str, kind: str = "closure") -> Happened:
    return event("request.approved", day, request_id="r", kind=kind)


def returned(day: str, kind: str = "closure") -> Happened:
    return event("request.returned", day, request_id="r", kind=kind)


def passed(day: str, deadline: str) -> Happened:
    return event("deadline.passed", day, deadline=deadline, cycle=1)


def transferred(day: str, to: str = B, claim: str = "2026-03-12", **days: tuple[str, str]) -> Happened:
    return event("item.transferred", day, {"responsible_unit_id": (A, to), "claim_due": (None, claim), **days})


def reopened(day: str, due: str, claim: str) -> Happened:
    return event("item.reopened", day, {"due_on": (None, due), "claim_due": (None, claim)}, cycle=2)


def resumed(day: str, before: str, after: str, **more: tuple[Any, Any]) -> Happened:
    return event("item.resumed", day, {"due_on": (before, after), **more})


def annulled(day: str) -> Happened:
    return event("item.annulled", day, {"resolution": (None, "annulled")})


def updated(day: str, **changes: tuple[Any, Any]) -> Happened:
    return event("item.updated", day, changes)


def talked(day: str, held_on: str) -> Happened:
    return event("interview.recorded", day, interview_id="i", held_on=held_on)


@dataclass(frozen=True)
class Asks:
    """Which figures of which period, on which day they are read, at which unit (None: at all)."""

    period: str
    figures: dict[str, float]
    today: str = LATER
    unit: str | None = None
    severity: str | None = None


def march(**figures: float) -> Asks:
    return Asks("2026-03", figures)


def april(**figures: float) -> Asks:
    return Asks("2026-04", figures)


FIRST = (created("2026-03-02"), claimed("2026-03-04"))
"""Listed on 2 March, claimed on the last day for it; due on 20 March."""
LISTED = {"listed": 1}
CLAIMED = {"listed": 1, "claims_due": 1, "claimed_on_time": 1, "claim_rate": 1.0, "rectifying": 1}
DUE = {"fell_due": 1, "on_time_rate": 0.0}
MET = {"fell_due": 1, "closed_on_time": 1, "on_time_rate": 1.0}
NO_CHANGE = {"extension_rate": 0.0, "late_extension_rate": 0.0}
"""Of whatever is rectifying."""


def ended(days: float) -> dict[str, float]:
    return {"closed": 1, "median_days_to_close": days, "p90_days_to_close": days, "recurrence_rate": 0.0}


CASES: dict[str, tuple[tuple[Happened, ...], list[Asks]]] = {
    # -- claims
    "claimed on the last day for it": (FIRST, [Asks("2026-03-01..2026-03-10", {**CLAIMED, **NO_CHANGE})]),
    "claimed a day late": ((created("2026-03-02"), claimed("2026-03-05")), [
        Asks("2026-03-01..2026-03-10", {**LISTED, "claims_due": 1, "claim_rate": 0.0, "rectifying": 1, **NO_CHANGE}),
    ]),
    "never claimed": ((created("2026-03-02"),), [
        Asks("2026-03-01..2026-03-10", {**LISTED, "claims_due": 1, "claim_rate": 0.0}),
    ]),
    "who still has time to claim has failed nothing": ((created("2026-03-02"),), [
        Asks("2026-03", LISTED, today="2026-03-03"),
        Asks("2026-03", LISTED, today="2026-03-04"),
        Asks("2026-03", {**LISTED, "claims_due": 1, "claim_rate": 0.0}, today="2026-03-05"),
    ]),
    "claimed early: it counts once its day is over": (FIRST, [
        Asks("2026-03", {**LISTED, "rectifying": 1, **NO_CHANGE}, today="2026-03-04"),
        Asks("2026-03", {**CLAIMED, **NO_CHANGE}, today="2026-03-05"),
    ]),
    "transferred before the day to claim was over: only the other had to": (
        (created("2026-03-02"), transferred("2026-03-04", claim="2026-03-06"), claimed("2026-03-06")), [
            Asks("2026-03-01..2026-03-10", LISTED, unit=A),
            Asks("2026-03-01..2026-03-10", {
                "claims_due": 1, "claimed_on_time": 1, "claim_rate": 1.0, "rectifying": 1, **NO_CHANGE,
            }, unit=B),
        ]),
    "transferred after the day to claim: each had its own": (
        (created("2026-03-02"), transferred("2026-03-05", claim="2026-03-09")), [
            Asks("2026-03-01..2026-03-10", {**LISTED, "claims_due": 1, "claim_rate": 0.0}, unit=A),
            Asks("2026-03-01..2026-03-10", {"claims_due": 1, "claim_rate": 0.0}, unit=B),
        ]),
    "escalated unclaimed, signed for at the resumption in time": (
        (created("2026-03-02"), event("item.escalated", "2026-03-03", {"state": ("open", "escalated")}),
         resumed("2026-03-04", "2026-03-20", "2026-03-25", claimed_at=(None, "2026-03-04"))), [
            Asks("2026-03-01..2026-03-10", {**CLAIMED, **NO_CHANGE}),
        ]),
    "escalated and closed before the day to claim was over": (
        (created("2026-03-02"), event("item.escalated", "2026-03-03", {}), closed("2026-03-03")), [
            march(**LISTED, **ended(1), **MET),
        ]),
    "the calendar moved the day to claim": (
        (created("2026-03-02"), event("item.rescheduled", "2026-03-03", {"claim_due": ("2026-03-04", "2026-03-06")}),
         claimed("2026-03-06")), [
            Asks("2026-03-01..2026-03-04", LISTED),
            Asks("2026-03-05..2026-03-07", {
                "claims_due": 1, "claimed_on_time": 1, "claim_rate": 1.0, "rectifying": 1, **NO_CHANGE,
            }),
        ]),
    # -- deadlines and closings
    "closed directly on the deadline": ((*FIRST, closed("2026-03-20")), [
        march(**CLAIMED, **NO_CHANGE, **MET, **ended(18)), april(),
    ]),
    "closed directly a day late": ((*FIRST, passed("2026-03-21", "2026-03-20"), closed("2026-03-21")), [
        march(**CLAIMED, **NO_CHANGE, **DUE, **ended(19)),
    ]),
    "closed a month before its deadline: it counts in the deadline's": (
        (created("2026-03-02", due="2026-04-10"), claimed("2026-03-04"), closed("2026-03-09")), [
            march(**CLAIMED, **NO_CHANGE, **ended(7)), april(**MET),
        ]),
    "asked for on the deadline, granted three days later": (
        (*FIRST, asked("2026-03-20"), passed("2026-03-21", "2026-03-20"), closed("2026-03-23"),
         approved("2026-03-23")), [
            march(**CLAIMED, **NO_CHANGE, **MET, **ended(21), closures_decided=1, return_rate=0.0),
            Asks("2026-03-01..2026-03-22", {**CLAIMED, **NO_CHANGE, **MET, "overdue": 1}),
        ]),
    "asked for in time, returned, closed late": (
        (*FIRST, asked("2026-03-18"), returned("2026-03-19"), passed("2026-03-21", "2026-03-20"),
         asked("2026-03-23"), closed("2026-03-24"), approved("2026-03-24")), [
            march(**CLAIMED, **NO_CHANGE, **DUE, **ended(22), closures_decided=2, closures_returned=1,
                  return_rate=0.5),
        ]),
    "asked for in time, but closed directly and late": (
        (*FIRST, asked("2026-03-18"), passed("2026-03-21", "2026-03-20"), closed("2026-03-24"),
         event("request.cancelled", "2026-03-24", request_id="r", kind="closure")), [
            march(**CLAIMED, **NO_CHANGE, **DUE, **ended(22)),
        ]),
    "requests of other kinds are no decision on a closure": (
        (*FIRST, asked("2026-03-05", "extension"), returned("2026-03-06", "extension"),
         asked("2026-03-05", "transfer"), returned("2026-03-06", "transfer")), [
            Asks("2026-03-01..2026-03-10", {**CLAIMED, **NO_CHANGE}),
        ]),
    "what falls due on the last day is overdue at its end": (
        (created("2026-03-02", due="2026-03-31"), claimed("2026-03-04"), passed("2026-04-01", "2026-03-31"),
         closed("2026-04-02")), [
            march(**CLAIMED, **NO_CHANGE, **DUE, overdue=1),
            april(**ended(31), rectifying=1, **NO_CHANGE),
        ]),
    "what is due today is not overdue today": ((*FIRST,), [
        Asks("2026-03", {**CLAIMED, **NO_CHANGE}, today="2026-03-20"),
    ]),
    "the clock was away: the day counts all the same": ((*FIRST, passed("2026-04-03", "2026-03-20")), [
        march(**CLAIMED, **NO_CHANGE, **DUE, overdue=1), april(rectifying=1, **NO_CHANGE, overdue=1),
    ]),
    # -- deadlines that move
    "extended before its day: only the new day falls due": (
        (*FIRST, extended("2026-03-19", "2026-03-20", "2026-04-10"), passed("2026-04-11", "2026-04-10")), [
            march(**CLAIMED, extended=1, extension_rate=1.0, late_extension_rate=0.0),
            april(**DUE, rectifying=1, overdue=1, **NO_CHANGE),
        ]),
    "extended on its day: that day did not end with it": (
        (*FIRST, extended("2026-03-20", "2026-03-20", "2026-04-10")), [
            march(**CLAIMED, extended=1, extension_rate=1.0, late_extension_rate=0.0),
        ]),
    "extended late: the missed day stays": (
        (*FIRST, passed("2026-03-21", "2026-03-20"), extended("2026-03-25", "2026-03-20", "2026-04-10", late=True),
         closed("2026-04-10")), [
            march(**CLAIMED, **DUE, extended_late=1, late_extension_rate=1.0, extension_rate=0.0),
            april(**MET, **ended(39), rectifying=1, **NO_CHANGE),
            Asks("2026-03..2026-04", {
                **CLAIMED, **DUE, **ended(39), "extended_late": 1, "late_extension_rate": 1.0, "extension_rate": 0.0,
            }),
            Asks("2026-03-01..2026-03-24", {**CLAIMED, **NO_CHANGE, **DUE, "overdue": 1}),
        ]),
    "extended late while the clock was away: no deadline.passed ever": (
        (*FIRST, extended("2026-03-25", "2026-03-20", "2026-04-10", late=True)), [
            march(**CLAIMED, **DUE, extended_late=1, late_extension_rate=1.0, extension_rate=0.0),
            Asks("2026-03-01..2026-03-24", {**CLAIMED, **NO_CHANGE, **DUE, "overdue": 1}),
        ]),
    "missed and met in one month: a cycle counts once, by the first": (
        (*FIRST, passed("2026-03-21", "2026-03-20"), extended("2026-03-22", "2026-03-20", "2026-03-30", late=True),
         closed("2026-03-29")), [
            march(**CLAIMED, **DUE, **ended(27), extended_late=1, late_extension_rate=1.0, extension_rate=0.0),
            Asks("2026-03-21..2026-03-31", {
                **MET, **ended(27), "rectifying": 1, "extended_late": 1, "late_extension_rate": 1.0,
                "extension_rate": 0.0,
            }),
        ]),
    "asked for before a deadline that was then extended late: in time for both": (
        (*FIRST, asked("2026-03-20"), passed("2026-03-21", "2026-03-20"),
         extended("2026-03-25", "2026-03-20", "2026-04-10", late=True), closed("2026-04-12"),
         approved("2026-04-12")), [
            march(**CLAIMED, **MET, extended_late=1, late_extension_rate=1.0, extension_rate=0.0),
            april(**MET, **ended(41), rectifying=1, **NO_CHANGE, closures_decided=1, return_rate=0.0),
        ]),
    "extended twice in a month and once in the next": (
        (*FIRST, extended("2026-03-09", "2026-03-20", "2026-03-25"), extended("2026-03-10", "2026-03-25", "2026-04-20"),
         extended("2026-04-02", "2026-04-20", "2026-05-20")), [
            march(**CLAIMED, extended=1, extension_rate=1.0, late_extension_rate=0.0),
            april(rectifying=1, extended=1, extension_rate=1.0, late_extension_rate=0.0),
            Asks("2026-03..2026-04", {**CLAIMED, "extended": 1, "extension_rate": 1.0, "late_extension_rate": 0.0}),
        ]),
    "the calendar moved the deadline before its day": (
        (*FIRST, event("item.rescheduled", "2026-03-18", {"due_on": ("2026-03-20", "2026-04-03")}),
         passed("2026-04-04", "2026-04-03")), [
            march(**CLAIMED, **NO_CHANGE), april(**DUE, rectifying=1, overdue=1, **NO_CHANGE),
        ]),
    "mistyped, and corrected while open": (
        (created("2026-03-02"), updated("2026-03-03", due_on=("2026-03-20", "2026-04-20"))), [
            march(**LISTED, claims_due=1, claim_rate=0.0),
        ]),
    "corrected to a day that is over: overdue from now on, and never fallen due": (
        (created("2026-03-20", due="2026-04-20", claim="2026-03-24"), claimed("2026-03-20"),
         updated("2026-03-25", due_on=("2026-04-20", "2026-03-10"))), [
            Asks("2026-03-01..2026-03-24", {**CLAIMED, **NO_CHANGE}), march(**CLAIMED, **NO_CHANGE, overdue=1),
        ]),
    "the interview's new deadline ends the delay": (
        (*FIRST, passed("2026-03-21", "2026-03-20"), event("item.escalated", "2026-03-24", {}),
         talked("2026-03-26", "2026-03-25"), resumed("2026-03-26", "2026-03-20", "2026-04-15"),
         passed("2026-04-16", "2026-04-15")), [
            march(**CLAIMED, **NO_CHANGE, **DUE, interviews_held=1),
            april(**DUE, rectifying=1, overdue=1, **NO_CHANGE),
        ]),
    # -- units
    "transferred while overdue: the delay goes along, the missed day stays": (
        (*FIRST, passed("2026-03-21", "2026-03-20"), transferred("2026-03-25", claim="2026-03-27")), [
            Asks("2026-03-01..2026-03-24", {**CLAIMED, **NO_CHANGE, **DUE, "overdue": 1}, unit=A),
            Asks("2026-03", {**CLAIMED, **NO_CHANGE, **DUE}, unit=A),
            Asks("2026-03", {"claims_due": 1, "claim_rate": 0.0, "overdue": 1}, unit=B),
            Asks("2026-03", {**CLAIMED, **NO_CHANGE, **DUE, "claims_due": 2, "claim_rate": 0.5, "overdue": 1}),
        ]),
    "transferred after its day, before the clock has looked": (
        (*FIRST, transferred("2026-03-25", claim="2026-03-27", due_on=("2026-03-20", "2026-04-20"))), [
            Asks("2026-03", {**CLAIMED, **NO_CHANGE, **DUE}, unit=A),
            Asks("2026-03", {"claims_due": 1, "claim_rate": 0.0}, unit=B),
        ]),
    "transferred on its day: it falls due at the other": (
        (*FIRST, transferred("2026-03-20", claim="2026-03-24"), passed("2026-03-21", "2026-03-20")), [
            Asks("2026-03", {**CLAIMED, **NO_CHANGE}, unit=A),
            Asks("2026-03", {"claims_due": 1, "claim_rate": 0.0, **DUE, "overdue": 1}, unit=B),
        ]),
    "fallen due at two units in a month: each answers for its own": (
        (*FIRST, passed("2026-03-21", "2026-03-20"),
         transferred("2026-03-22", claim="2026-03-24", due_on=("2026-03-20", "2026-03-30")), claimed("2026-03-23"),
         closed("2026-03-30")), [
            Asks("2026-03", {**CLAIMED, **NO_CHANGE, **DUE}, unit=A),
            Asks("2026-03", {
                **MET, **ended(28), "claims_due": 1, "claimed_on_time": 1, "claim_rate": 1.0, "rectifying": 1,
                **NO_CHANGE,
            }, unit=B),
        ]),
    # -- cycles
    "reopened: a cycle of its own": (
        (*FIRST, closed("2026-03-10"), reopened("2026-03-25", "2026-04-10", "2026-03-27"), claimed("2026-03-30"),
         closed("2026-04-09")), [
            Asks("2026-03", {
                **CLAIMED, **NO_CHANGE, **MET, **ended(8), "claims_due": 2, "claim_rate": 0.5, "rectifying": 2,
                "reopened": 1, "recurrence_rate": 1.0,
            }),
            april(**MET, **ended(15), rectifying=1, **NO_CHANGE),
        ]),
    "reopened to the same days": (
        (*FIRST, closed("2026-03-05"), event("item.reopened", "2026-03-06", {"claim_due": ("2026-03-04", "2026-03-10")},
                                             cycle=2), passed("2026-03-21", "2026-03-20")), [
            Asks("2026-03", {
                **CLAIMED, **NO_CHANGE, **ended(3), "claims_due": 2, "claim_rate": 0.5, "reopened": 1,
                "recurrence_rate": 1.0, "fell_due": 2, "closed_on_time": 1, "on_time_rate": 0.5, "overdue": 1,
            }),
        ]),
    # -- annulled, corrected, moved in
    "annulled while overdue: in no statistic but these": (
        (*FIRST, asked("2026-03-18"), returned("2026-03-19"), passed("2026-03-21", "2026-03-20"),
         annulled("2026-04-02"), updated("2026-04-03", title=("x", "y"))), [
            march(), april(annulled=1, annulled_overdue=1),
        ]),
    "annulled before the clock has looked": ((*FIRST, annulled("2026-03-21")), [
        march(annulled=1, annulled_overdue=1),
    ]),
    "annulled on its last good day": ((*FIRST, annulled("2026-03-20")), [march(annulled=1)]),
    "annulled in its second cycle: the first goes too": (
        (*FIRST, closed("2026-03-10"), reopened("2026-03-25", "2026-04-10", "2026-03-27"), annulled("2026-03-26")), [
            march(annulled=1),
        ]),
    "a corrected severity moves all that it counted in": (
        (*FIRST, closed("2026-03-10"), updated("2026-04-01", severity=("general", "critical"))), [
            Asks("2026-03", {**CLAIMED, **NO_CHANGE, **MET, **ended(8)}, severity="critical"),
            Asks("2026-03", {}, severity="general"),
            Asks("2026-03", {**CLAIMED, **NO_CHANGE, **MET, **ended(8)}),
        ]),
    "corrected, and annulled after that": (
        (*FIRST, updated("2026-03-10", severity=("general", "critical")), annulled("2026-03-12")), [
            Asks("2026-03", {}, severity="general"), Asks("2026-03", {"annulled": 1}, severity="critical"),
        ]),
    "annulled, and corrected after that": (
        (*FIRST, annulled("2026-03-12"), updated("2026-03-13", severity=("general", "critical"))), [
            Asks("2026-03", {}, severity="general"), Asks("2026-03", {"annulled": 1}, severity="critical"),
        ]),
    "moved in from an old ledger: what was over before counts as no failure": (
        (created("2026-03-20", due="2026-02-10", claim="2026-01-07", listed_at=at("2026-01-05").isoformat()),
         claimed("2026-03-23"), closed("2026-04-02")), [
            Asks("2026-01", LISTED), Asks("2026-02", {}),
            Asks("2026-03-01..2026-03-19", {}),
            march(rectifying=1, **NO_CHANGE, overdue=1),
            april(**ended(87), rectifying=1, **NO_CHANGE),
        ]),
    "moved in on the day it is due": ((created("2026-03-20", claim="2026-03-20"), passed("2026-03-21", "2026-03-20")), [
        march(**LISTED, **DUE, claims_due=1, claim_rate=0.0, overdue=1),
    ]),
    "listed as closed already: listed, and nothing else": (
        (created("2026-03-20", due="2026-02-10", claim=None, listed_at=at("2026-01-05").isoformat(), state="closed",
                 resolution="rectified", closed_on="2026-02-20"),
         reopened("2026-04-02", "2026-04-20", "2026-04-07")), [
            Asks("2026-01", LISTED), Asks("2026-02", {}), march(),
            Asks("2026-04", {"reopened": 1}, today="2026-04-03"),
        ]),
    # -- standing items
    "reviewed in time: nothing falls due": (
        (created("2026-03-02", due=None, deadline_kind="standing", review_on="2026-06-02"), claimed("2026-03-04"),
         event("item.reviewed", "2026-06-02", {"review_on": ("2026-06-02", "2026-09-02")}, on="2026-06-02", cycle=1)), [
            Asks("2026-06", {"rectifying": 1, **NO_CHANGE}),
        ]),
    "a missed review is a missed deadline": (
        (created("2026-03-02", due=None, deadline_kind="standing", review_on="2026-06-02"), claimed("2026-03-04"),
         passed("2026-06-03", "2026-06-02"),
         event("item.reviewed", "2026-07-06", {"review_on": ("2026-06-02", "2026-10-06")}, on="2026-07-06", cycle=1)), [
            Asks("2026-06", {"rectifying": 1, **NO_CHANGE, **DUE, "overdue": 1}),
            Asks("2026-07", {"rectifying": 1, **NO_CHANGE}),
        ]),
    "a review that was recorded for long ago leaves it overdue": (
        (created("2026-03-02", due=None, deadline_kind="standing", review_on="2026-06-02"), claimed("2026-03-04"),
         event("item.reviewed", "2026-07-06", {"review_on": ("2026-06-02", "2026-07-01")}, on="2026-04-01", cycle=1)), [
            Asks("2026-06", {"rectifying": 1, **NO_CHANGE, **DUE, "overdue": 1}),
            Asks("2026-07", {"rectifying": 1, **NO_CHANGE, "overdue": 1}),
        ]),
    # -- interviews
    "each interview counts, by the day it was held": (
        (*FIRST, event("item.escalated", "2026-03-05", {}), event("interview.opened", "2026-03-05", interview_id="i"),
         talked("2026-03-10", "2026-03-09"), resumed("2026-03-10", "2026-03-20", "2026-05-20"),
         event("item.escalated", "2026-03-11", {}), talked("2026-04-02", "2026-03-31"),
         event("item.escalated", "2026-04-07", {}), event("interview.cancelled", "2026-04-08", interview_id="j")), [
            march(**CLAIMED, **NO_CHANGE, interviews_held=2), april(rectifying=1, **NO_CHANGE),
        ]),
    "rectifying goes on through an interview": (
        (*FIRST, event("item.escalated", "2026-03-05", {}), closed("2026-05-05")), [
            april(rectifying=1, **NO_CHANGE, overdue=1),
        ]),
}  # fmt: skip


def counted(events: tuple[Happened, ...]) -> list[Delta]:
    kept: Kept | None = None
    found: list[Delta] = []
    for each in events:
        # As it goes through the database between two batches.
        kept, deltas = follow(Kept.from_list(json.loads(json.dumps(kept.to_list()))) if kept else None, each, ZONE)
        found += deltas
    return found


def period_of(text: str) -> Period:
    first, _, last = text.partition("..")
    begins = date.fromisoformat(first if len(first) > 7 else f"{first}-01")
    ends = last or first
    return Period(begins, date.fromisoformat(ends) if len(ends) > 7 else end_of(date.fromisoformat(f"{ends}-01")))


def told(events: tuple[Happened, ...], asks: Asks) -> dict[str, Any]:
    """The figures of a period, summed up count by count."""
    period, today = period_of(asks.period), date.fromisoformat(asks.today)
    counts: Counter[str] = Counter()
    lasting: Counter[str] = Counter()
    days: Counter[int] = Counter()
    for delta in counted(events):
        if (asks.unit or delta.unit_id) != delta.unit_id or (asks.severity or delta.severity) != delta.severity:
            continue
        if delta.metric in LASTING_METRICS and delta.day <= period.last:
            lasting[delta.metric] += delta.count
        if not period.first <= delta.day <= period.last:
            continue
        if delta.metric in ONCE_A_PERIOD and delta.since is not None and delta.since >= period.first:
            continue
        if delta.metric in ONCE_OVER and delta.day >= today:
            continue
        counts[delta.metric] += delta.count
        if delta.metric == "closed":
            days[delta.days] += delta.count
    return {name: value for name, value in figures_of(counts, lasting, days).items() if value not in (0, None)}


def named(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if value}


@pytest.mark.parametrize("name", CASES)
def test_the_figures_of_a_history_are_those_counted_by_hand(name: str) -> None:
    events, asked_for = CASES[name]
    for asks in asked_for:
        assert told(events, asks) == named(asks.figures), asks


@pytest.mark.parametrize("name", CASES)
def test_what_is_annulled_at_the_end_is_in_no_statistic(name: str) -> None:
    """Whatever happened before: every count is taken back on its own day, under its own facts."""
    events, _ = CASES[name]
    if events[-1].type == "item.closed" or any(each.type == "item.annulled" for each in events):
        return
    left: Counter[tuple[Any, ...]] = Counter()
    for delta in counted((*events, annulled("2026-12-01"))):
        key = (delta.metric, delta.day, delta.unit_id, delta.cycle, delta.severity, delta.since, delta.days)
        left[key] += delta.count
    assert {key[0] for key, count in left.items() if count} <= {"annulled", "annulled_overdue"}


def test_the_tenant_s_day_counts() -> None:
    """Half past four in the afternoon of the 20th in London is the 21st in China."""
    late = Happened("item.closed", datetime(2026, 3, 20, 16, 30, tzinfo=UTC), {"changes": {}})
    figures = told((*FIRST, late), march())
    assert figures["closed"] == 1 and "closed_on_time" not in figures
    in_time = Happened("item.closed", datetime(2026, 3, 20, 15, 30, tzinfo=UTC), {"changes": {}})
    assert told((*FIRST, in_time), march())["closed_on_time"] == 1


def test_events_that_count_nothing_leave_everything_as_it_is() -> None:
    kept, _ = follow(None, FIRST[0], ZONE)
    for type_ in ("item.progressed", "item.redacted", "rung.fired", "notice.issued", "interview.opened"):
        assert type_ not in FOLLOWED
        assert follow(kept, event(type_, "2026-04-01"), ZONE) == (kept, [])


def test_an_event_of_an_unknown_item_counts_nothing() -> None:
    assert follow(None, claimed("2026-03-04"), ZONE) == (None, [])


def test_what_was_kept_is_not_changed() -> None:
    kept: Kept | None = None
    for each in (*FIRST, passed("2026-03-21", "2026-03-20"), closed("2026-03-24"), approved("2026-03-24")):
        before = json.dumps(kept.to_list()) if kept else None
        _, after = kept, follow(kept, each, ZONE)[0]
        assert (json.dumps(kept.to_list()) if kept else None) == before
        kept = after


def test_whatever_is_read_of_an_event_is_sealed_as_it_is() -> None:
    """A count must not depend on texts that may be erased."""
    read = {
        "ledger_id", "severity", "source_kind", "responsible_unit_id", "listed_at", "deadline_kind", "due_on",
        "review_on", "claim_due", "state", "cycle", "late", "kind", "held_on", "claimed_at",
    }  # fmt: skip
    assert read <= PLAIN and not read & HIDDEN


# -- definitions


def test_each_figure_is_defined_once_in_both_languages() -> None:
    names = [each.name for each in FIGURES]
    assert len(set(names)) == len(names)
    for each in FIGURES:
        for text in (each.title, each.formula, each.excludes):
            assert text is None or (text.zh and text.en and text.zh != text.en)


def test_a_rate_divides_two_counts() -> None:
    for each in FIGURES:
        assert (each.unit == Unit.SHARE) == (each.numerator is not None) == (each.denominator is not None)
        assert each.numerator is None or {each.numerator, each.denominator} <= set(COUNTS)


def test_every_count_is_counted() -> None:
    assert set(COUNTS) == {metric.value for metric in METRICS if metric not in LASTING_METRICS} | set(LASTING)
    assert set(LASTING_METRICS) > ENDED
