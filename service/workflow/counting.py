"""Counting: from an event of an item, and a small state kept of it, to what it adds to the figures.

Pure: the same events in the same order give the same counts, at the first time as at a rebuild. A count is never
changed. What turns out otherwise (a day to claim that moved, an item that is annulled) is taken back by another of -1
on the same day.

A deadline falls due when its own day has ended in force. Days pass without an event; so each event that could move a
deadline first settles what the days before it have brought. `deadline.passed` is the clock's, for items that nobody
touches: it may come late, and names the day.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.workflow.deadlines import local_day
from service.workflow.figures import Metric
from service.workflow.kept import Kept
from service.workflow.states import RequestKind, SourceKind, State
from service.workflow.turns import Delta, Turn

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event about an item. `data` as it is sealed: no text in it is needed."""

    type: str
    at: datetime
    data: Data


def follow(kept: Kept | None, event: Happened, tz: ZoneInfo) -> tuple[Kept | None, list[Delta]]:
    """What an event leaves to be kept of its item, and what it counts. `kept` is None before the listing."""
    day = local_day(event.at, tz).toordinal()
    if event.type == LISTING:
        turn = Turn(_listed(event.data, tz), day)
        turn.add(Metric.LISTED, turn.kept.begun)
        if not turn.kept.closed:
            turn.begin_stretch(turn.kept.unit)
    elif kept is None or event.type not in FOLLOWED:
        return kept, []
    else:
        turn = Turn(kept.copy(), day)
        _follow(turn, event.type, event.data)
    return turn.kept, turn.deltas


def _listed(data: Data, tz: ZoneInfo) -> Kept:
    return Kept(
        ledger_id=data["ledger_id"],
        severity=data["severity"],
        source=_source(data.get("source_kind")),
        units=[data["responsible_unit_id"]],
        begun=local_day(datetime.fromisoformat(data["listed_at"]), tz).toordinal(),
        kind=data["deadline_kind"],
        due_on=_day(data.get("due_on")),
        review_on=_day(data.get("review_on")),
        claim_due=_day(data.get("claim_due")),
        closed=data["state"] == State.CLOSED,
    )


def _source(kind: str | None) -> str:
    return kind or SourceKind.OTHER.value


def _day(value: str | None) -> int | None:
    return date.fromisoformat(value).toordinal() if value else None


def _follow(turn: Turn, type_: str, data: Data) -> None:
    changes: Data = data.get("changes", {})
    if "severity" in changes or "source_kind" in changes:
        kept = turn.kept
        turn.refile(
            changes["severity"]["after"] if "severity" in changes else kept.severity,
            _source(changes["source_kind"]["after"]) if "source_kind" in changes else kept.source,
        )
    if turn.kept.annulled:
        return
    if type_ == ANNULMENT:
        _annulled(turn)
    else:
        turn.settle()
        FOLLOWED[type_](turn, data, changes)


# -- events


def _annulled(turn: Turn) -> None:
    """It was overdue where its deadline is over, whether the clock has looked since or not."""
    overdue = turn.kept.due is not None and turn.kept.due < turn.day
    turn.take_back()
    turn.add(Metric.ANNULLED, turn.day)
    if overdue:
        turn.add(Metric.ANNULLED_OVERDUE, turn.day)
    turn.kept.annulled = True


def _claimed(turn: Turn, data: Data, changes: Data) -> None:
    turn.claim()


def _extended(turn: Turn, data: Data, changes: Data) -> None:
    kept = turn.kept
    if data.get("late"):
        turn.add(Metric.EXTENDED_LATE, turn.day, since=kept.extended_late)
        kept.extended_late = turn.day
    else:
        turn.add(Metric.EXTENDED, turn.day, since=kept.extended)
        kept.extended = turn.day
    _moved(turn, data, changes)


def _closed(turn: Turn, data: Data, changes: Data) -> None:
    kept = turn.kept
    if kept.due is not None and not kept.passed:
        turn.fall_due(kept.due)
    turn.end_stretch()
    turn.add(Metric.CLOSED, turn.day, days=turn.day - kept.begun)
    kept.closed, kept.due = True, None
    # By an approval it was done on the day it was asked for; that is told by the event behind this one.
    turn.done(turn.day)


def _resumed(turn: Turn, data: Data, changes: Data) -> None:
    if changes.get("claimed_at", {}).get("after"):
        turn.claim()
    _moved(turn, data, changes)


def _transferred(turn: Turn, data: Data, changes: Data) -> None:
    turn.end_stretch()
    _take_days(turn, changes)
    turn.begin_stretch(changes["responsible_unit_id"]["after"])


def _reopened(turn: Turn, data: Data, changes: Data) -> None:
    kept = turn.kept
    kept.cycle, kept.closed, kept.begun = data["cycle"], False, turn.day
    turn.add(Metric.REOPENED, turn.day)
    _take_days(turn, changes)
    turn.begin_stretch(kept.unit)


def _moved(turn: Turn, data: Data, changes: Data) -> None:
    """Days may have moved: by a person, by a review, or with the calendar."""
    _take_days(turn, changes)
    if not turn.kept.closed and turn.kept.deadline_day != turn.kept.due:
        turn.enforce()


def _take_days(turn: Turn, changes: Data) -> None:
    kept = turn.kept
    if "deadline_kind" in changes:
        kept.kind = changes["deadline_kind"]["after"]
    if "due_on" in changes:
        kept.due_on = _day(changes["due_on"]["after"])
    if "review_on" in changes:
        kept.review_on = _day(changes["review_on"]["after"])
    if "claim_due" in changes:
        turn.move_claim(_day(changes["claim_due"]["after"]))


def _asked(turn: Turn, data: Data, changes: Data) -> None:
    if data["kind"] == RequestKind.CLOSURE:
        turn.kept.asked = turn.day


def _approved(turn: Turn, data: Data, changes: Data) -> None:
    if data["kind"] == RequestKind.CLOSURE:
        turn.add(Metric.CLOSURES_DECIDED, turn.day)
        if turn.kept.asked is not None:
            turn.done(turn.kept.asked)


def _returned(turn: Turn, data: Data, changes: Data) -> None:
    if data["kind"] == RequestKind.CLOSURE:
        turn.add(Metric.CLOSURES_DECIDED, turn.day)
        turn.add(Metric.CLOSURES_RETURNED, turn.day)


def _talked(turn: Turn, data: Data, changes: Data) -> None:
    turn.add(Metric.INTERVIEWS_HELD, _day(data["held_on"]) or turn.day)


def _nothing_more(turn: Turn, data: Data, changes: Data) -> None:
    """That a day is over was settled already."""


LISTING, ANNULMENT = "item.created", "item.annulled"

FOLLOWED: dict[str, Callable[[Turn, Data, Data], None]] = {
    LISTING: _nothing_more,
    ANNULMENT: _nothing_more,
    "item.claimed": _claimed,
    "item.extended": _extended,
    "item.closed": _closed,
    "item.resumed": _resumed,
    "item.transferred": _transferred,
    "item.reopened": _reopened,
    "item.updated": _moved,
    "item.rescheduled": _moved,
    "item.reviewed": _moved,
    "deadline.passed": _nothing_more,
    "request.submitted": _asked,
    "request.approved": _approved,
    "request.returned": _returned,
    "interview.recorded": _talked,
}
"""The events that count or must be kept in mind. All others tell the figures nothing."""
