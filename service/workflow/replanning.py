"""When the calendar has changed: which computed days of an item change with it.

Only days that have not passed, and never to one before tomorrow: nobody becomes late overnight. A day that a person
set stays, and so does every day where only the policy has changed.
"""

from datetime import date
from typing import Any

from service.workflow.calendar import Calendar
from service.workflow.deadlines import ONE_DAY, WORKING_DAYS, Rule, by_rule
from service.workflow.items import Item
from service.workflow.states import State
from service.workflow.waiting import Waiting


def replanned(item: Item, calendar: Calendar, today: date) -> dict[str, Any]:
    """The columns that the calendar changes, empty where it changes nothing. Passed days and closed items stay."""
    if item.state == State.CLOSED:
        return {}
    return {**_due(item, calendar, today), **_claim_due(item, calendar, today), **_pending(item, calendar, today)}


def _counted(present: date, counted: date, today: date) -> date:
    """Where a day goes that is counted anew; one that went to tomorrow already is not pushed on day by day."""
    tomorrow = today + ONE_DAY
    if counted >= tomorrow:
        return counted
    return present if present <= tomorrow else tomorrow


def _due(item: Item, calendar: Calendar, today: date) -> dict[str, Any]:
    rule = Rule.from_dict(item.deadline_rule) if item.deadline_rule else None
    if rule is None or rule.unit != WORKING_DAYS or item.due_on is None or item.due_on < today:
        return {}
    counted = by_rule(calendar, rule)
    if counted.due_on == item.due_on and counted.provisional == item.provisional:
        return {}
    if counted.due_on is None:
        raise ValueError("a rule in working days leads to a day")
    due_on = _counted(item.due_on, counted.due_on, today)
    changes = {"due_on": due_on, "provisional": counted.provisional}
    return {name: value for name, value in changes.items() if getattr(item, name) != value}


def _claim_due(item: Item, calendar: Calendar, today: date) -> dict[str, Any]:
    if item.state != State.OPEN or item.claim_rule is None or item.claim_due is None or item.claim_due < today:
        return {}
    rule = Rule.from_dict(item.claim_rule)
    due = _counted(item.claim_due, calendar.add(rule.start_on, rule.limit), today)
    return {"claim_due": due} if due != item.claim_due else {}


def _pending(item: Item, calendar: Calendar, today: date) -> dict[str, Any]:
    after = {}
    for kind, stored in item.pending.items():
        waiting = Waiting.from_dict(stored)
        due = waiting.due
        if due >= today:
            due = _counted(due, calendar.add(waiting.on, waiting.within), today)
        after[kind] = {**stored, "due": due.isoformat()}
    return {"pending": after} if after != item.pending else {}
