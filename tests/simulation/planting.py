"""Faults to be planted into the record of a sound run, each small and each of a kind that a clock could make.

A fault is a function that changes a record in one place, drawn from those where it can be; it answers with the words
by which the check must name that place: an item's, request's or notice's id, or a number.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.record import ZONE, Event, Record, Row, local
from tests.simulation.workdays import ONE_DAY

Fault = Callable[[Record, Random], str]
FAULTS: dict[str, Fault] = {}


def fault(plant: Fault) -> Fault:
    FAULTS[plant.__name__.replace("_", " ")] = plant
    return plant


# -- finding a place


def some(places: Iterable[Any], random: Random) -> Any:
    found = list(places)
    if not found:
        raise LookupError("the run has no place for this fault")
    return random.choice(found)


def events(record: Record, kind: str, **data: Any) -> list[Event]:
    return [
        event
        for event in record.events
        if event.type == kind and all(event.data.get(name) == value for name, value in data.items())
    ]


def together(record: Record, event: Event) -> list[Event]:
    """The transaction of an event, as far as its item goes."""
    return [each for each in record.events if (each.item_id, each.revision) == (event.item_id, event.revision)]


def firing(record: Record, event: Event) -> Row:
    return next(
        row
        for row in record["firings"]
        if (row["item_id"], row["rung"], str(row["anchor_on"]), row["at"])
        == (event.item_id, event.data["rung"], event.data["anchor_on"], event.at)
    )


def alone(record: Record, kind: str, action: str) -> list[Event]:
    """Rungs of an action that were met in a transaction of their own."""
    return [
        event
        for event in events(record, kind, action=action)
        if all(each is event or each.type.startswith("notice.") for each in together(record, event))
    ]


def item(record: Record, event: Event) -> Row:
    return next(row for row in record["items"] if row["id"] == event.item_id)


def notice(record: Record, notice_id: str) -> Row:
    return next(row for row in record["notices"] if row["id"] == notice_id)


def numbered(record: Record, later: int) -> list[Row]:
    """Notices behind which the same series has so many more."""
    series: dict[Any, list[Row]] = {}
    for row in sorted(record["notices"], key=lambda row: row["seq"] or 0):
        if row["seq"] is not None:
            series.setdefault((row["ledger_id"], row["kind"], row["year"]), []).append(row)
    return [row for rows in series.values() for row in rows[: len(rows) - later]]


def at_another_time(record: Record, event: Event, instant: datetime) -> str:
    row = firing(record, event)
    for each in together(record, event):
        each.at = instant
    row["at"] = instant
    return event.item_id


def later(value: Any) -> str:
    """A day of an event, one day on."""
    return str(datetime.fromisoformat(value).date() + ONE_DAY)


# -- rungs


@fault
def a_rung_a_day_late(record: Record, random: Random) -> str:
    event = some(alone(record, "rung.fired", "remind"), random)
    return at_another_time(record, event, event.at + ONE_DAY)


@fault
def a_rung_a_day_early(record: Record, random: Random) -> str:
    event = some(alone(record, "rung.fired", "remind"), random)
    return at_another_time(record, event, event.at - ONE_DAY)


@fault
def a_rung_at_midnight(record: Record, random: Random) -> str:
    event = some(alone(record, "rung.fired", "remind"), random)
    midnight = event.at.astimezone(ZONE).replace(hour=0, minute=5, second=0)
    return at_another_time(record, event, midnight)


@fault
def a_rung_twice(record: Record, random: Random) -> str:
    event = some(events(record, "rung.fired", action="remind"), random)
    last = max(each.revision for each in record.events if each.item_id == event.item_id)
    record.events.append(replace(event, revision=last + 1, ordinal=0, at=record.log.ticks[-1].at))
    return event.item_id


@fault
def a_rung_missing(record: Record, random: Random) -> str:
    event = some(alone(record, "rung.fired", "remind"), random)
    record["firings"].remove(firing(record, event))
    record.events.remove(event)
    return event.item_id


@fault
def a_rung_that_no_event_tells_of(record: Record, random: Random) -> str:
    event = some(events(record, "rung.skipped"), random)
    record.events.remove(event)
    return event.item_id


@fault
def a_rung_without_its_row(record: Record, random: Random) -> str:
    row = some(record["firings"], random)
    record["firings"].remove(row)
    return str(row["item_id"])


@fault
def a_rung_of_another_anchor_day(record: Record, random: Random) -> str:
    event = some(events(record, "rung.fired", anchor="due"), random)
    row = firing(record, event)
    event.data["anchor_on"] = later(event.data["anchor_on"])
    row["anchor_on"] += ONE_DAY
    return event.item_id


@fault
def a_circulate_that_was_skipped(record: Record, random: Random) -> str:
    event = some(events(record, "rung.fired", action="circulate"), random)
    row = firing(record, event)
    event.type = "rung.skipped"
    event.data |= {"why": "collapsed", "notice_id": None}
    row |= {"outcome": "skipped", "reason": "collapsed", "notice_id": None}
    return event.item_id


@fault
def seven_reminders_after_an_outage(record: Record, random: Random) -> str:
    event = some((each for each in events(record, "rung.skipped") if reason(each) == "collapsed"), random)
    row = firing(record, event)
    event.type = "rung.fired"
    event.data["notified_unit_ids"] = [item(record, event)["responsible_unit_id"]]
    row |= {"outcome": "fired", "reason": None}
    return event.item_id


@fault
def an_old_item_that_summons_somebody(record: Record, random: Random) -> str:
    event = some((each for each in events(record, "rung.skipped") if reason(each) == "before_creation"), random)
    row = firing(record, event)
    event.type = "rung.fired"
    row |= {"outcome": "fired", "reason": None}
    return event.item_id


@fault
def a_rung_skipped_for_another_reason(record: Record, random: Random) -> str:
    event = some(events(record, "rung.skipped"), random)
    row = firing(record, event)
    row["reason"] = "held" if reason(event) != "held" else "collapsed"
    event.data |= {"why": row["reason"], "reason": row["reason"]}
    return event.item_id


@fault
def a_reminder_where_a_notice_was_due(record: Record, random: Random) -> str:
    event = some(alone(record, "rung.fired", "urge"), random)
    row = firing(record, event)
    event.data |= {"action": "remind", "notice_id": None}
    row["notice_id"] = None
    return event.item_id


@fault
def somebody_else_is_notified(record: Record, random: Random) -> str:
    event = some((each for each in events(record, "rung.fired") if len(each.data["notified_unit_ids"]) > 1), random)
    event.data["notified_unit_ids"] = event.data["notified_unit_ids"][:1]
    return event.item_id


@fault
def an_escalation_that_opens_no_interview(record: Record, random: Random) -> str:
    event = some(events(record, "interview.opened"), random)
    record.events.remove(event)
    return event.item_id


@fault
def a_look_by_nobody(record: Record, random: Random) -> str:
    """The worker was away; the log says so."""
    event = some(events(record, "rung.fired"), random)
    record.log.ticks = [tick for tick in record.log.ticks if tick.at != event.at]
    return "when nobody looked"


def reason(event: Event) -> str:
    return str(event.data.get("reason", event.data.get("why")))


# -- deadlines


@fault
def a_deadline_that_was_moved(record: Record, random: Random) -> str:
    row = some((row for row in record["items"] if row["due_on"] is not None), random)
    row["due_on"] += ONE_DAY
    return str(row["id"])


@fault
def a_deadline_counted_wrongly(record: Record, random: Random) -> str:
    """A day too many from the first, everywhere."""
    event = some((e for e in events(record, "item.created") if e.data["deadline_kind"] == "immediate"), random)
    due = event.data["due_on"]
    for each in record.events:
        if each.item_id == event.item_id:
            for side in ("before", "after"):
                change = each.data.get("changes", {}).get("due_on", {})
                if change.get(side) == due:
                    change[side] = later(due)
    event.data["due_on"] = later(due)
    if str(item(record, event)["due_on"]) == due:
        item(record, event)["due_on"] += ONE_DAY
    return event.item_id


@fault
def a_day_to_claim_counted_wrongly(record: Record, random: Random) -> str:
    event = some((e for e in events(record, "item.created") if "claim_due" in e.data), random)
    event.data["claim_due"] = later(event.data["claim_due"])
    return event.item_id


@fault
def a_deadline_that_passed_unnoticed(record: Record, random: Random) -> str:
    event = some(events(record, "deadline.passed"), random)
    record.events.remove(event)
    return event.item_id


@fault
def a_deadline_that_passed_twice(record: Record, random: Random) -> str:
    event = some(events(record, "deadline.passed"), random)
    last = max(each.revision for each in record.events if each.item_id == event.item_id)
    record.events.append(replace(event, revision=last + 1, ordinal=0, at=record.log.ticks[-1].at))
    return event.item_id


@fault
def a_new_calendar_that_moved_nothing(record: Record, random: Random) -> str:
    event = some((e for e in events(record, "item.rescheduled") if "due_on" in e.data["changes"]), random)
    record.events.remove(event)
    return event.item_id


@fault
def a_new_calendar_that_moved_too_much(record: Record, random: Random) -> str:
    event = some((e for e in events(record, "item.rescheduled") if "due_on" in e.data["changes"]), random)
    change = event.data["changes"]["due_on"]
    change["after"] = later(change["after"])
    return event.item_id


@fault
def a_wrong_day_to_decide(record: Record, random: Random) -> str:
    row = some(record["requests"], random)
    row["decide_due"] += ONE_DAY
    return str(row["id"])


@fault
def a_wrong_day_of_an_interview(record: Record, random: Random) -> str:
    row = some(record["interviews"], random)
    row["due_on"] -= ONE_DAY
    return str(row["id"])


@fault
def days_of_an_extension_that_do_not_count(record: Record, random: Random) -> str:
    event = some(events(record, "item.extended"), random)
    event.data["changes"]["extension_days"]["after"] -= 1
    return event.item_id


@fault
def a_timer_that_rings_too_late(record: Record, random: Random) -> str:
    waiting = {row["item_id"]: row for row in record["timers"] if row["look_at"].year < 9000}
    row = some(waiting.values(), random)
    row["look_at"] += timedelta(days=1)
    return str(row["item_id"])


# -- notices


@fault
def a_gap_in_the_numbers(record: Record, random: Random) -> str:
    """Every later one of the series is one higher, the counter too."""
    first = some(numbered(record, later=1), random)
    key = (first["ledger_id"], first["kind"], first["year"])
    for row in record["notices"]:
        if (row["ledger_id"], row["kind"], row["year"]) == key and row["seq"] > first["seq"]:
            row["seq"] += 1
    for counter in record["counters"]:
        if (counter["ledger_id"], counter["kind"], counter["year"]) == key:
            counter["next"] += 1
    return "numbers of"


@fault
def a_number_given_twice(record: Record, random: Random) -> str:
    first = some(numbered(record, later=1), random)
    second = next(
        row
        for row in record["notices"]
        if row["seq"] == first["seq"] + 1
        and (row["ledger_id"], row["kind"], row["year"]) == (first["ledger_id"], first["kind"], first["year"])
    )
    second |= {"seq": first["seq"], "number": first["number"]}
    return "numbers of"


@fault
def a_number_of_last_year(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["seq"] is not None), random)
    row["year"] -= 1
    return str(row["number"])


@fault
def a_notice_to_another_unit(record: Record, random: Random) -> str:
    row = some(record["notices"], random)
    row["unit_id"] = next(unit["id"] for unit in record["units"] if unit["id"] != row["unit_id"])
    return str(row["number"] or row["id"])


@fault
def a_notice_about_an_item_of_another_unit(record: Record, random: Random) -> str:
    row = some(record["notices"], random)
    strange = next(each for each in record["items"] if each["id"] not in row["item_ids"])
    row["item_ids"] = [*row["item_ids"], strange["id"]]
    record["notice_items"].append({"notice_id": row["id"], "item_id": strange["id"]})
    return str(row["number"] or row["id"])


@fault
def a_wrong_day_to_sign(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["receipt_due"] is not None), random)
    row["receipt_due"] += ONE_DAY
    return str(row["number"])


@fault
def a_wrong_day_to_reply(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["rungs"] and row["reply_by"] is not None), random)
    row["reply_by"] -= ONE_DAY
    return str(row["number"])


@fault
def a_draft_with_a_number(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["issued_at"] is None), random)
    row |= {"seq": 1, "number": "督1号", "year": local(row["created_at"]).year}
    return "督1号"


@fault
def a_notice_that_is_not_there(record: Record, random: Random) -> str:
    row = some((row for row in record["notices"] if row["issued_at"] is None), random)
    record["notices"].remove(row)
    return str(row["id"])
