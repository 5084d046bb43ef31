"""docs/deadlines.md is so: every table of it is worked out again, and every timeline is lived through.

A table is known by its headings. A timeline is a story about one item: what people do (`>`) is done to it, and what
the clock does meanwhile must be what is written, no more and no less.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from service.workflow import deadlines, ladder, machine, replanning, requests
from service.workflow.calendar import BASE, Calendar, YearTable
from service.workflow.deadlines import Lamp, by_limit
from service.workflow.explain import explain
from service.workflow.guards import Case, Command
from service.workflow.items import Item, deadline_columns
from service.workflow.ladder import Ground, Look, Mark, Meeting
from service.workflow.permissions import CLOCK
from service.workflow.policy import DEFAULTS, default_policy
from service.workflow.requests import Ask
from service.workflow.waiting import INTERVIEW
from tests.documents import ROOT, fenced
from tests.workflow.builders import CLAIMANT, GIVEN, IN_STATE, a_case, an_item, guarded, uid

PAGE = "docs/deadlines.md"
SHANGHAI = ZoneInfo("Asia/Shanghai")
POLICY = default_policy()
GROUND = Ground(POLICY, BASE, SHANGHAI)

Row = list[str]


def day(cell: str) -> date:
    """`Sat 2026-02-14`; the name of the day is checked too."""
    found = date.fromisoformat(cell[4:])
    assert f"{found:%a}" == cell[:3], cell
    return found


def instant(cell: str) -> datetime:
    """`Sat 2026-02-14 09:00`, by the tenant's clock."""
    clock = datetime.fromisoformat(f"{day(cell[:14]).isoformat()}T{cell[15:]}")
    return clock.replace(tzinfo=SHANGHAI).astimezone(UTC)


def written(found: date | datetime | None) -> str:
    if isinstance(found, datetime):
        return f"{found.astimezone(SHANGHAI):%a %Y-%m-%d %H:%M}"
    return f"{found:%a %Y-%m-%d}"


def entered() -> Calendar:
    """The calendar once the page's table of 2027 is entered."""
    (block,) = fenced(PAGE, "json calendar")
    table = json.loads(block)
    days = [frozenset(map(date.fromisoformat, table[name])) for name in ("workdays", "holidays")]
    return Calendar({2027: YearTable(days[0], days[1], table["complete"])}, epoch=1)


# -- tables

CHECKS: dict[str, Callable[[list[Row]], list[Row]]] = {}
"""By the headings of a table: what its rows should be."""


def rows_of(*headings: str) -> Callable[[Callable[..., Row]], Callable[..., Row]]:
    """Each row by itself: the function makes it anew from its cells."""

    def keep(check: Callable[..., Row]) -> Callable[..., Row]:
        CHECKS[" | ".join(headings)] = lambda rows: [check(*row) for row in rows]
        return check

    return keep


@rows_of("instant", "day")
def _(at: str, _day: str) -> Row:
    return [at, written(deadlines.local_day(datetime.fromisoformat(at), SHANGHAI))]


@rows_of("due on", "today", "days overdue", "working days overdue")
def _(due_on: str, today: str, _late: str, _worked: str) -> Row:
    late = deadlines.days_overdue(day(due_on), day(today))
    return [due_on, today, str(late), str(deadlines.working_days_overdue(BASE, day(due_on), day(today)))]


@rows_of("day", "offices", "because of")
def _(on: str, _offices: str, _name: str) -> Row:
    return [on, "work" if BASE.is_workday(day(on)) else "rest", str(BASE.holiday_name(day(on)))]


@rows_of("listed on", "severity", "limit", "due on")
def _(listed_on: str, severity: str, _limit: str, _due_on: str) -> Row:
    limit = POLICY.limits[severity]
    return [listed_on, severity, str(limit), written(by_limit(BASE, day(listed_on), limit).due_on)]


@rows_of("found on", "listed on", "due on")
def _(found_on: str, listed_on: str, _due_on: str) -> Row:
    found = deadlines.immediate(BASE, day(found_on), day(listed_on), POLICY.immediate_days)
    return [found_on, listed_on, written(found.due_on)]


@rows_of("listed on", "review on")
def _(listed_on: str, _review_on: str) -> Row:
    return [listed_on, written(deadlines.standing(day(listed_on), POLICY.review_months).review_on)]


@rows_of("listed on", "limit", "provisional", "by the notice")
def _(listed_on: str, limit: str, _guessed: str, _due_on: str) -> Row:
    found = [by_limit(calendar, day(listed_on), int(limit)) for calendar in (BASE, entered())]
    assert [each.provisional for each in found] == [True, False]
    return [listed_on, limit, *(written(each.due_on) for each in found)]


@rows_of("listed on", "limit", "due on", "entered on", "due on from then")
def _(listed_on: str, limit: str, _due_on: str, entered_on: str, _then: str) -> Row:
    before = by_limit(BASE, day(listed_on), int(limit))
    item = an_item("rectifying", **deadline_columns(before))
    after = replace(item, **replanning.replanned(item, entered(), day(entered_on)))
    return [listed_on, limit, written(before.due_on), entered_on, written(after.due_on)]


@rows_of("due on", "today", "lamp")
def _(due_on: str, today: str, _lamp: str) -> Row:
    return [due_on, today, deadlines.lamp_of(BASE, POLICY.lamps, day(due_on), day(today))]


@rows_of("due on", "today", "of blue -5, yellow -3, red 1, black 6")
def _(due_on: str, today: str, _lamp: str) -> Row:
    lamps = [Lamp("blue", -5), Lamp("yellow", -3), Lamp("red", 1), Lamp("black", 6)]
    return [due_on, today, deadlines.lamp_of(BASE, lamps, day(due_on), day(today))]


@rows_of("it is", "a rung that is due is met at")
def _(now: str, _at: str) -> Row:
    return [now, written(GROUND.next_opening(instant(now)))]


@rows_of("due on", "asked for until")
def _(due_on: str, until: str) -> Row:
    item = an_item("rectifying", due_on=day(due_on))
    requests.asked_in_time(a_case(item, today=day(until)))
    with guarded("apply_before", until=day(until).isoformat()):
        requests.asked_in_time(a_case(item, today=day(until) + deadlines.ONE_DAY))
    return [due_on, until]


def steps(rows: list[Row]) -> list[Row]:
    rule = by_limit(BASE, day(rows[0][0]), int(rows[-1][-1])).rule
    assert rule is not None
    return [
        [written(step.first), written(step.last), step.kind, step.name or "", str(step.counted)]
        for step in explain(BASE, rule).steps
    ]


def rungs(_rows: list[Row]) -> list[Row]:
    return [
        [
            rung["code"], rung["anchor"], str(rung["offset"]),
            ", ".join([*rung["states"], *(["after an interview"] if rung["after_interview"] else [])]),
            rung["action"], ", ".join(rung["notify"]),
        ]
        for rung in DEFAULTS["ladder"]
    ]  # fmt: skip


CHECKS["from | to | kind | name | counted"] = steps
CHECKS["rung | counts from | working days | states | does | tells"] = rungs


def tables() -> list[tuple[str, list[Row]]]:
    """The headings and the rows of every table of the page."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / PAGE).read_text(), flags=re.DOTALL | re.MULTILINE)
    found = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        headings, _, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        found.append((" | ".join(headings), rows))
    return found


@pytest.mark.parametrize(("headings", "rows"), tables())
def test_a_table_is_worked_out_as_it_stands(headings: str, rows: list[Row]) -> None:
    assert rows and CHECKS[headings](rows) == rows


def test_every_check_has_a_table() -> None:
    assert {headings for headings, _ in tables()} == CHECKS.keys()


# -- timelines

BEGINS = re.compile(r"(?P<state>\w+), due (?P<due>\w{3} [\d-]+), created (?P<created>\w{3} [\d-]+ [\d:]+)")
LINE = re.compile(r"(?P<at>\w{3} [\d-]+ [\d:]+)  (?P<what>.+)")


@dataclass
class Story:
    """An item, what was done about it, and what was told of that."""

    item: Item
    now: datetime
    done: set[Mark] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    away_until: datetime | None = None

    @property
    def today(self) -> date:
        return deadlines.local_day(self.now, SHANGHAI)

    def tell(self, what: str) -> None:
        self.told.append(f"{written(self.now)}  {what}")

    def case(self, **more: Any) -> Case:
        return a_case(self.item, now=self.now, today=self.today, **more)

    def fire(self, trigger: str, approving: str | None = None, **more: Any) -> None:
        command = Command(**{"trigger": trigger, **GIVEN[trigger], **more.pop("given", {})})
        step = machine.advance(self.case(**more), command, new_id=lambda: uid(90), approving=approving)
        self.item = step.after

    def next_look(self) -> datetime:
        found = ladder.next_look(self.item, GROUND, self.now, self.done) or ladder.NO_LOOK
        return max(found, self.away_until) if self.away_until else found

    def look(self) -> None:
        found = ladder.look(self.item, GROUND, self.now, self.done)
        assert not found.empty, "a look for nothing"
        if found.passed:
            self.tell("the deadline passes")
            self.item = replace(self.item, passed_on=found.passed)
        self.skip(found.skips)
        self.climb(found)

    def skip(self, skips: tuple[tuple[Meeting, str], ...]) -> None:
        for met, why in skips:
            self.done.add(met.mark)
            self.tell(f"{met.rung.code}: skipped, {why}")

    def climb(self, found: Look) -> None:
        for met in (*found.fires, *([found.escalation] if found.escalation else [])):
            self.done.add(met.mark)
            self.tell(f"{met.rung.code}: {met.rung.action}")
            if met is found.escalation:
                self.fire("escalate", standing=CLOCK, actor_id=None)

    def do(self, what: str) -> None:
        self.tell(f"> {what}")
        match what.split(" until "):
            case ["claimed"]:
                self.fire("claim", actor_id=CLAIMANT)
            case ["closure asked"]:
                ask, case = Ask(kind="closure", reason="已疏通"), self.case()
                requests.check(case, ask)
                _, changes = requests.submitted(case, ask, request_id=uid(91), actor_id=CLAIMANT, name="李国强")
                self.item = replace(self.item, **changes)
            case ["closure returned"]:
                self.item = replace(self.item, **requests.ended(self.item, "closure", self.today))
            case ["closure approved"]:
                held = ladder.held_back(self.item, GROUND, self.now, self.done)
                self.skip(tuple((met, ladder.HELD) for met in held))
                self.fire("close", approving="closure")
            case ["the interview is held, resumed", until]:
                waits = {kind: each for kind, each in self.item.pending.items() if kind != INTERVIEW}
                self.item = replace(self.item, pending=waits)
                self.fire("resume", given={"due_on": day(until)})
            case ["the service is away", until]:
                self.away_until = instant(until)
            case _:
                raise AssertionError(f"nobody can do that here: {what}")


def lived(block: str) -> list[str]:
    """The timeline as it comes about, with what the people of the block do, up to the time of its last line."""
    first, *lines = block.splitlines()
    begins = BEGINS.fullmatch(first)
    assert begins, first
    found = [line for each in lines if (line := LINE.fullmatch(each))]
    assert len(found) == len(lines) > 0, "a line that is none"
    deeds = [(instant(line["at"]), line["what"][2:]) for line in found if line["what"].startswith("> ")]
    ends = instant(found[-1]["at"])
    created = instant(begins["created"])
    claim_due = BASE.add(deadlines.local_day(created, SHANGHAI), POLICY.claim_within)
    state = begins["state"]
    facts = {**IN_STATE[state], "due_on": day(begins["due"]), "claim_due": claim_due, "created_at": created}
    story = Story(an_item(state, **facts), created)
    while True:
        look = story.next_look()
        if deeds and deeds[0][0] <= look:
            story.now, what = deeds.pop(0)
            story.do(what)
        elif look <= ends:
            story.now = look
            story.look()
        else:
            return [first, *story.told]


@pytest.mark.parametrize("block", fenced(PAGE, "timeline"))
def test_a_timeline_comes_about_as_it_stands(block: str) -> None:
    assert lived(block) == block.splitlines()


def test_there_are_timelines() -> None:
    assert len(fenced(PAGE, "timeline")) >= 6


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        # A rung that is left out, one at another time, and one that does not come.
        ("Tue 2026-02-10 09:00  remind-3: remind\n", ""),
        ("Sat 2026-02-14 09:00  urge+1", "Mon 2026-02-16 09:00  urge+1"),
        (
            "Sat 2026-02-14 09:00  urge+1: urge\n",
            "Sat 2026-02-14 09:00  urge+1: urge\nSat 2026-02-14 09:00  urge+1: warn\n",
        ),
    ],
)
def test_a_timeline_that_is_not_so_is_noticed(wrong: str, right: str) -> None:
    block = fenced(PAGE, "timeline")[0]
    changed = block.replace(wrong, right)
    assert changed != block and lived(changed) != changed.splitlines()
