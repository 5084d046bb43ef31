"""Faults to be planted into the record of a sound run, each small and each of a kind that a clock could make.

A fault is a function that changes a record in one place, drawn from those where it can be; it answers with the words
by which the check must name that place: an item's, request's or notice's id, or a number.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

from tests.simulation.record import Event, Record, Row
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


def reason(event: Event) -> str:
    return str(event.data.get("reason", event.data.get("why")))


def a_second_time(record: Record, event: Event) -> str:
    """The same event again at the last tick."""
    last = max(each.revision for each in record.events if each.item_id == event.item_id)
    record.events.append(replace(event, revision=last + 1, ordinal=0, at=record.log.ticks[-1].at))
    return event.item_id
