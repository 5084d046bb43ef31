"""How an item's deadline came about and what follows from it: each counted day, each move, each rung."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.actions.facts import by_calendar, present
from service.actions.grounds import ground_of
from service.actions.overdue import waiting_for
from service.actions.service import Call, Service
from service.store import events, firings
from service.store.database import Tx
from service.store.worklist import OPEN_ITEM
from service.workflow import ladder, words
from service.workflow.deadlines import Rule
from service.workflow.explain import Explanation, explain
from service.workflow.items import Item
from service.workflow.ladder import Meeting
from service.workflow.policy import Policy
from service.workflow.states import DeadlineKind, State
from service.workflow.words import Words

MOVING = (
    "item.created", "item.updated", "item.extended", "item.resumed", "item.transferred", "item.reopened",
    "item.rescheduled", "item.reviewed",
)  # fmt: skip
"""Events that may set or move a deadline."""

MOVES_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """One step of the deadline's history; `before` is None at the listing. `data` is the event's."""

    type: str
    at: str
    version: int
    before: date | None
    after: date | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RungState:
    """A rung of this cycle: `fired` or `skipped` at a time, or `due`, `planned` or `held`."""

    rung: str
    action: str | None
    anchor: str
    anchor_on: date
    ref: UUID
    at: datetime
    status: str
    why: str | None = None
    notice_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """`rule` and `explanation` are of the last deadline that was computed, None where a person set each."""

    item: Item
    policy: Policy
    rule: Rule | None
    explanation: Explanation | None
    moves: list[Moved]
    rungs: list[RungState]
    next_rung: Meeting | None
    held: bool
    waiting_for: str | None


async def explained(service: Service, call: Call, item_id: UUID) -> Explained:
    """Everything about an item's deadline. Refuses `not_found`."""

    async def action(tx: Tx) -> Explained:
        found = await present(tx, call, item_id)
        by, item = found.call, found.item
        told = await events.newest(tx, call.tenant_id, item_id, MOVING, MOVES_SHOWN)
        done = await firings.of_cycle(tx, call.tenant_id, item_id, item.cycle)
        marks = {(each["rung"], each["ref"], each["anchor_on"]) for each in done}
        ground = ground_of(found.policy, by.calendar, by.tz)
        rule = _rule(item, told)
        closed = item.state == State.CLOSED
        return Explained(
            item=item,
            policy=found.policy,
            rule=rule,
            explanation=explain(by.calendar, rule) if rule else None,
            moves=_moves(item, told),
            rungs=_rungs(item, ground, call.now, done, marks),
            next_rung=None if closed else ladder.upcoming(item, ground, marks),
            held=item.held,
            waiting_for=None if closed else waiting_for(OPEN_ITEM, item),
        )

    return await service.read(action, whole=True)


def _rule(item: Item, told: list[dict[str, Any]]) -> Rule | None:
    """The rule of the present deadline, or of the one that was moved by hand since."""
    if item.deadline_rule:
        return Rule.from_dict(item.deadline_rule)
    for event in reversed(told):
        changed = event["data"].get("changes", {}).get("deadline_rule")
        stored = changed["before"] if changed else event["data"].get("deadline_rule")
        if stored:
            return Rule.from_dict(stored)
    return None


def _moves(item: Item, told: list[dict[str, Any]]) -> list[Moved]:
    """The days one after the other, whichever column they stand in."""
    moves = []
    for event in told:
        data = event["data"]
        if event["type"] == "item.created":
            standing = data.get("deadline_kind") == DeadlineKind.STANDING
            before, after = None, data.get("review_on" if standing else "due_on")
        else:
            changed = [data["changes"][name] for name in ("due_on", "review_on") if name in data.get("changes", {})]
            if not changed:
                continue
            before = next((each["before"] for each in changed if each["before"]), None)
            after = next((each["after"] for each in changed if each["after"]), None)
        moves.append(Moved(event["type"], event["at"], event["item_version"], _day(before), _day(after), data))
    return moves


def _day(stored: str | None) -> date | None:
    return date.fromisoformat(stored) if stored else None


def _rungs(
    item: Item, ground: ladder.Ground, now: datetime, done: list[dict[str, Any]], marks: set[ladder.Mark]
) -> list[RungState]:
    actions = {rung.code: rung.action for rung in ground.policy.ladder}
    rungs = [
        RungState(
            each["rung"], actions.get(each["rung"]), each["anchor"], each["anchor_on"], each["ref"], each["at"],
            each["outcome"], each["reason"], each["notice_id"],
        )
        for each in done
    ]  # fmt: skip
    if item.state != State.CLOSED:
        free = {met.mark for met in ladder.meetings(item, ground)}
        for met in ladder.meetings(item, ground, held=False):
            if met.mark not in marks:
                status = "held" if met.mark not in free else "due" if met.moment <= now else "planned"
                rungs.append(
                    RungState(
                        met.rung.code, met.rung.action, met.anchor.kind, met.anchor.on, met.anchor.ref, met.moment,
                        status,
                    )
                )  # fmt: skip
    return sorted(rungs, key=lambda each: (each.at, each.rung))


async def of_words(service: Service, call: Call, text: str, listed_on: date | None) -> tuple[Words, date | None]:
    """What the words of a deadline cell come to by the tenant's calendar, for an item that is listed on a day."""

    async def action(tx: Tx) -> tuple[Words, date | None]:
        by = await by_calendar(tx, call)
        said = words.read(text)
        return said, said.due(listed_on or call.today, by.calendar)

    return await service.read(action)
