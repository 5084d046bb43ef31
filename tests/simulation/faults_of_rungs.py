"""Rungs that are met at the wrong time, too often, never, or otherwise than the ladder has it."""

from random import Random

from tests.simulation.planting import (
    a_second_time,
    alone,
    at_another_time,
    events,
    fault,
    firing,
    item,
    later,
    reason,
    some,
)
from tests.simulation.record import ZONE, Record
from tests.simulation.workdays import ONE_DAY


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
    return a_second_time(record, event)


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
