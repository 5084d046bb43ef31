"""Deadlines and other days that are counted wrongly, moved, or passed unnoticed."""

from random import Random

from tests.simulation.planting import (
    a_second_time,
    events,
    fault,
    item,
    later,
    some,
)
from tests.simulation.record import Record
from tests.simulation.workdays import ONE_DAY


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
    return a_second_time(record, event)


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
    row["look_at"] += 400 * ONE_DAY
    return str(row["item_id"])
