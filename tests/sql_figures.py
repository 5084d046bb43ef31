"""The main figures counted once more, in plain SQL over the events: nothing is shared with the service, and nothing
with the counting in Python (tests/plain_figures.py) but what an event is.

Whatever database the events come from, they are put into one of SQLite's in memory. Days are those of Asia/Shanghai.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from tests.plain_figures import Told

ZONE = ZoneInfo("Asia/Shanghai")

FIGURES = (
    "listed", "closed", "reopened", "interviews_held", "closures_decided", "closures_returned", "annulled", "overdue",
    "fell_due", "closed_on_time",
)  # fmt: skip

EVENTS = """
CREATE TABLE event (item, place, revision, type, day, data, PRIMARY KEY (item, place))
"""

SAID = """
CREATE TABLE said AS
SELECT item, place, key AS name, atom AS value FROM event, json_each(data) WHERE event.type = 'item.created'
UNION ALL
SELECT item, place, key, value ->> 'after' FROM event, json_each(data, '$.changes')
"""
"""What an event tells of its item: the listing everything, the others what they change."""


def _last(name: str, until: str = "event.place") -> str:
    return (
        f"(SELECT value FROM said WHERE said.item = event.item AND name = '{name}' AND said.place <= {until}"
        " ORDER BY said.place DESC LIMIT 1)"
    )


PICTURES = f"""
CREATE TABLE picture AS
SELECT event.*,
       {_last("responsible_unit_id")} AS unit,
       {_last("ledger_id")} AS ledger,
       {_last("severity", "1000000")} AS severity,
       COALESCE({_last("source_kind", "1000000")}, 'other') AS source,
       CASE {_last("deadline_kind")} WHEN 'standing' THEN {_last("review_on")} ELSE {_last("due_on")} END AS deadline,
       (SELECT type = 'item.closed' OR data ->> 'state' IS 'closed' FROM event AS turn
        WHERE turn.item = event.item AND turn.place <= event.place
          AND type IN ('item.created', 'item.closed', 'item.reopened') ORDER BY turn.place DESC LIMIT 1) AS closed,
       (SELECT COUNT(*) FROM event AS turn WHERE turn.item = event.item AND turn.place <= event.place
          AND type IN ('item.transferred', 'item.reopened')) AS stretch,
       (SELECT day FROM event AS later WHERE later.item = event.item AND later.place = event.place + 1) AS until,
       EXISTS (SELECT 1 FROM event AS end WHERE end.item = event.item AND end.type = 'item.annulled') AS annulled
FROM event
"""
"""An item after each of its events, which holds at the end of every day before `until`."""

DONE = """
CREATE TABLE done AS
SELECT closing.item, closing.stretch, before.deadline, closing.day,
       COALESCE((SELECT asked.day FROM event AS granted JOIN event AS asked
                   ON asked.item = granted.item AND asked.data ->> 'request_id' = granted.data ->> 'request_id'
                 WHERE granted.item = closing.item AND granted.revision = closing.revision
                   AND granted.type = 'request.approved' AND granted.data ->> 'kind' = 'closure'
                   AND asked.type = 'request.submitted'), closing.day) AS worked
FROM picture AS closing JOIN picture AS before ON before.item = closing.item AND before.place = closing.place - 1
WHERE closing.type = 'item.closed'
"""
"""Closings, and the day by which the work was done: that of the request that was granted."""

FELL = """
CREATE TABLE fell AS
SELECT item, stretch, deadline AS day FROM picture
WHERE NOT closed AND deadline >= day AND deadline < COALESCE(until, :today) AND deadline < :today
UNION
SELECT item, stretch, deadline FROM done WHERE deadline >= day
"""
"""Deadlines that were in force at the end of their own day, or at a closing before."""

COUNTED = """
WITH due AS (
    SELECT item, stretch, MIN(day) AS day FROM fell WHERE day BETWEEN :first AND :last GROUP BY item, stretch
), hit AS (
    SELECT picture.*, day AS on_day,
           CASE type WHEN 'item.closed' THEN 'closed' WHEN 'item.reopened' THEN 'reopened' ELSE 'closures_decided' END
           AS figure
    FROM picture
    WHERE type IN ('item.closed', 'item.reopened')
       OR type IN ('request.approved', 'request.returned') AND data ->> 'kind' = 'closure'
    UNION ALL
    SELECT *, day, 'closures_returned' FROM picture WHERE type = 'request.returned' AND data ->> 'kind' = 'closure'
    UNION ALL
    SELECT *, date(data ->> 'listed_at', '+8 hours'), 'listed' FROM picture WHERE type = 'item.created'
    UNION ALL
    SELECT *, data ->> 'held_on', 'interviews_held' FROM picture WHERE type = 'interview.recorded'
    UNION ALL
    SELECT *, :last, 'overdue' FROM picture
    WHERE NOT closed AND deadline <= :last AND deadline < :today
      AND place = (SELECT MAX(place) FROM event WHERE event.item = picture.item AND event.day <= :last)
    UNION ALL
    SELECT picture.*, due.day, 'fell_due' FROM due JOIN picture USING (item, stretch) GROUP BY item, stretch
    UNION ALL
    SELECT picture.*, due.day, 'closed_on_time' FROM due JOIN picture USING (item, stretch)
    WHERE EXISTS (SELECT 1 FROM done WHERE done.item = due.item AND done.stretch = due.stretch AND worked <= due.day)
    GROUP BY item, stretch
)
SELECT figure, unit, ledger, severity, source, COUNT(*) FROM hit
WHERE NOT annulled AND on_day BETWEEN :first AND :last GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT 'annulled', unit, ledger, severity, source, COUNT(*) FROM picture
WHERE type = 'item.annulled' AND day BETWEEN :first AND :last GROUP BY 1, 2, 3, 4, 5
"""


class InSql:
    """Some events as they stand on a day."""

    def __init__(self, events: Iterable[Told], today: date) -> None:
        self.database = sqlite3.connect(":memory:")
        self.today = today
        histories: dict[str, list[Told]] = defaultdict(list)
        for event in sorted(events, key=lambda event: (event.revision, event.ordinal)):
            histories[event.item_id].append(event)
        self.database.execute(EVENTS)
        self.database.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
            [
                (item, place, each.revision, each.type, str(each.at.astimezone(ZONE).date()), json.dumps(each.data))
                for item, history in histories.items() for place, each in enumerate(history)
            ],
        )  # fmt: skip
        for statement in (SAID, "CREATE INDEX of_item ON said (item, name, place)", PICTURES,
                          "CREATE INDEX in_order ON picture (item, place)", DONE):  # fmt: skip
            self.database.execute(statement)
        self.database.execute(FELL, {"today": str(today)})

    def count(self, first: date, last: date, by: str) -> dict[str, Counter[str]]:
        """Every figure of FIGURES in a period, by unit, ledger, severity or source."""
        given = {"first": str(first), "last": str(last), "today": str(self.today)}
        found: dict[str, Counter[str]] = defaultdict(Counter)
        row: tuple[Any, ...]
        for row in self.database.execute(COUNTED, given):
            key = dict(zip(("unit", "ledger", "severity", "source"), row[1:5], strict=True))[by]
            found[key][row[0]] += row[5]
        return dict(found)
