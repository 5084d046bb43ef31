"""What tests of the ladder share: days by the clock on Shanghai's walls, small ladders, and what a look found as words.

`walk` lives an item through time: it goes from one look to the next, as the clock does, and writes down what it meets.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from service.workflow.calendar import BASE, Calendar
from service.workflow.items import Item
from service.workflow.ladder import NO_LOOK, Ground, Look, Mark, look, meetings, next_look
from service.workflow.policy import default_policy
from tests.workflow.builders import CLAIMANT, a_policy, an_item, uid

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = datetime(2025, 1, 6, 2, 0, tzinfo=UTC)
"""When items of these tests were created, where it does not matter."""

EXTENSION, CLOSURE, TRANSFER, TALK = uid(71), uid(72), uid(73), uid(74)
REQUESTS = {"extension": EXTENSION, "closure": CLOSURE, "transfer": TRANSFER}
UNCLOSED = ("open", "rectifying", "extended", "escalated")

DEFAULT = Ground(default_policy(), BASE, SHANGHAI)


def at(text: str) -> datetime:
    """`2026-03-11 09:00` by Shanghai's clocks; a day alone is its opening at nine."""
    return datetime.fromisoformat(text if " " in text else f"{text} 09:00").replace(tzinfo=SHANGHAI)


def on(text: str) -> date:
    return date.fromisoformat(text)


def said(instant: datetime) -> str:
    """`03-11` for an opening at nine in Shanghai, else `03-11 00:00`; in UTC, as all instants are kept."""
    assert instant.tzinfo is UTC
    if instant == NO_LOOK:
        return "never"
    local = instant.astimezone(SHANGHAI)
    assert local.second == local.microsecond == 0
    return f"{local:%m-%d}" if f"{local:%H:%M}" == "09:00" else f"{local:%m-%d %H:%M}"


def a_rung(code: str, action: str, offset: int = 1, **more: Any) -> dict[str, Any]:
    """A rung as a policy stores it: of the deadline, for every unclosed item."""
    rung = {"code": code, "anchor": "due", "offset": offset, "states": list(UNCLOSED), "after_interview": False}
    return {**rung, "action": action, "notify": ["responsible"], "confirm": False, **more}


def a_ground(*rungs: dict[str, Any], calendar: Calendar = BASE, tz: ZoneInfo = SHANGHAI, **policy: Any) -> Ground:
    return Ground(a_policy(ladder=list(rungs), **policy), calendar, tz)


def due(day: str, state: str = "rectifying", **more: Any) -> Item:
    """An item with its deadline on `day`, created long before."""
    return an_item(state, **{"due_on": on(day), "claim_due": None, "created_at": LONG_AGO, **more})


def waits(kind: str, asked: str, decide: str) -> dict[str, dict[str, Any]]:
    """A pending request, or the pending interview, as an item has it."""
    ref, by = (TALK, None) if kind == "interview" else (REQUESTS[kind], str(CLAIMANT))
    return {kind: {"id": str(ref), "by": by, "on": asked, "within": 5, "due": decide}}


def moments(item: Item, ground: Ground = DEFAULT) -> dict[str, str]:
    """When each rung that applies is due."""
    return {met.rung.code: said(met.moment) for met in meetings(item, ground)}


def words(found: Look) -> list[str]:
    """`passed 03-11`, then what fires, `!` before the escalation, and what is skipped with its reason."""
    return [
        *([f"passed {found.passed:%m-%d}"] if found.passed else []),
        *(met.rung.code for met in found.fires),
        *([f"!{found.escalation.rung.code}"] if found.escalation else []),
        *(f"({met.rung.code}: {why})" for met, why in found.skips),
    ]


def met(item: Item, now: str, ground: Ground = DEFAULT, done: Collection[Mark] = ()) -> list[str]:
    return words(look(item, ground, at(now), done))


def marks(found: Look) -> set[Mark]:
    every = [*found.fires, *([found.escalation] if found.escalation else []), *(each for each, _ in found.skips)]
    return {each.mark for each in every}


def taken(item: Item, found: Look) -> Item:
    """The item after what a look found was done, as far as the ladder sees it."""
    if found.passed is not None:
        item = replace(item, passed_on=found.passed)
    if found.escalation is not None:
        item = replace(item, state="escalated", escalation_count=item.escalation_count + 1)
    return item


def walk(item: Item, start: str, ground: Ground = DEFAULT, done: Collection[Mark] = ()) -> list[str]:
    """Look after look from `start` on, until nothing is waited for: one line each."""
    lines: list[str] = []
    now, known = at(start).astimezone(UTC), set(done)
    while len(lines) < 50:
        following = next_look(item, ground, now, known)
        assert following is not None and following >= now
        if following == NO_LOOK:
            return lines
        now = following
        found = look(item, ground, now, known)
        lines.append(f"{said(now)}: {', '.join(words(found))}")
        known |= marks(found)
        item = taken(item, found)
    raise AssertionError(lines)
