"""What somebody who comes round to an item may do about it, and how often what is tried.

Every act goes through the action that the API calls, with the time as a parameter.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from service.actions import corrections, interviews, progress, requests, reviews, transitions
from service.actions.corrections import Correction
from service.actions.interviews import Minutes
from service.actions.references import Named
from service.actions.requests import Asked, Decision
from service.actions.service import Call, Service
from service.actions.transitions import Move
from service.workflow.access import Caller
from service.workflow.guards import Command, Verification
from service.workflow.items import DeadlineAsked, Item
from service.workflow.requests import Ask
from tests.simulation.county import County
from tests.simulation.days import GIVEN

Act = Callable[["Visit"], Awaitable[Any]]


@dataclass
class Visit:
    """Somebody comes round to an item at an instant."""

    service: Service
    county: County
    item: Item
    now: datetime
    today: date
    random: Random

    def in_days(self, first: int, last: int) -> date:
        return self.today + timedelta(days=self.random.randint(first, last))

    def call(self, who: Caller) -> Call:
        return Call.of(who, self.now)

    @property
    def decider(self) -> Call:
        """Whoever supervises: the county's people, or the town's own."""
        town = self.county.towns.get(self.item.supervising_unit_id)
        if town is not None and self.random.random() < 0.6:
            return self.call(self.county.people.towns[town][0])
        return self.call(self.random.choice((self.county.people.head, self.county.people.deputy)))

    @property
    def contact(self) -> Call:
        town = self.county.towns.get(self.item.supervising_unit_id)
        if town is not None and self.random.random() < 0.6:
            return self.call(self.county.people.towns[town][1])
        return self.call(self.random.choice((self.county.people.contact, self.county.people.second_contact)))

    @property
    def other_unit(self) -> Named:
        return Named(self.random.choice(self.county.units), "/responsible_unit")

    @property
    def verification(self) -> Verification:
        return Verification("on_site", self.today, "现场核验，问题已解决。")

    async def fire(self, call: Call, unit: Named | None = None, **command: Any) -> None:
        await transitions.advance(self.service, call, self.item.id, Move(Command(**command), unit), None)

    async def ask(self, kind: str, due_on: date | None = None, unit: Named | None = None) -> None:
        asked = Asked(Ask(kind=kind, reason="情况说明附后。", due_on=due_on), unit)
        await requests.submit(self.service, self.contact, self.item.id, asked)


# -- triggers


async def claim(visit: Visit) -> None:
    await visit.fire(visit.contact, trigger="claim", signed_by="张伟")


async def extend(visit: Visit) -> None:
    due_on = (visit.item.due_on or visit.today) + timedelta(days=visit.random.randint(1, 35))
    await visit.fire(visit.decider, trigger="extend", due_on=due_on, reason="受汛期影响")


async def close(visit: Visit) -> None:
    waive = "负责人已调离，免予约谈。" if visit.random.random() < 0.3 else None
    await visit.fire(visit.decider, trigger="close", verification=visit.verification, waive_interview=waive)


async def escalate(visit: Visit) -> None:
    await visit.fire(visit.decider, trigger="escalate", reason="整改不力")


async def resume(visit: Visit) -> None:
    await visit.fire(visit.decider, trigger="resume", due_on=visit.in_days(0, 30), signed_by="李强")


async def transfer(visit: Visit) -> None:
    due_on = visit.in_days(0, 30) if visit.random.random() < 0.3 else None
    if due_on == visit.item.deadline_day:
        due_on = None
    await visit.fire(visit.decider, visit.other_unit, trigger="transfer", reason="职责不符", due_on=due_on)


async def reopen(visit: Visit) -> None:
    await visit.fire(visit.decider, trigger="reopen", due_on=visit.in_days(0, 20), reason="问题反弹")


async def annul(visit: Visit) -> None:
    await visit.fire(visit.decider, trigger="annul", reason="经核实不属实")


# -- requests


async def ask_extension(visit: Visit) -> None:
    due_on = (visit.item.due_on or visit.today) + timedelta(days=visit.random.randint(3, 30))
    await visit.ask("extension", due_on=due_on)


async def ask_closure(visit: Visit) -> None:
    await visit.ask("closure")


async def ask_transfer(visit: Visit) -> None:
    await visit.ask("transfer", unit=visit.other_unit if visit.random.random() < 0.7 else None)


async def decide(visit: Visit) -> None:
    waiting = [kind for kind in visit.item.pending if kind != "interview"]
    kind = visit.random.choice(waiting)
    request_id = UUID(visit.item.pending[kind]["id"])
    if visit.random.random() < 0.15:
        await requests.withdraw(visit.service, visit.contact, request_id, "另行处理")
        return
    approve = visit.random.random() < 0.6
    command = Command(
        trigger={"extension": "extend", "closure": "close", "transfer": "transfer"}[kind],
        reason="同意" if approve else "理由不充分",
        verification=visit.verification if kind == "closure" and approve else None,
        waive_interview="整改到位，免予约谈。" if kind == "closure" and approve else None,
    )
    unit = visit.other_unit if kind == "transfer" and approve and visit.random.random() < 0.5 else None
    await requests.decide(visit.service, visit.decider, request_id, Decision(approve, command, unit))


# -- everything else


async def report(visit: Visit) -> None:
    await progress.report(
        visit.service, visit.contact, visit.item.id, "整改推进中。", visit.random.randrange(0, 101, 10)
    )


async def correct(visit: Visit) -> None:
    """Of a deadline only while the item is open; severity and source at any time, which moves no deadline."""
    asked = visit.random.choice(
        (
            DeadlineAsked("date", visit.in_days(-8, 30), GIVEN),
            DeadlineAsked("date", None, "按规定时限"),
            DeadlineAsked("immediate", None, "立行立改"),
            DeadlineAsked("standing", None, "长期坚持"),
            None,
        )
    )
    given = {
        "severity": visit.random.choice(("general", "serious", "critical")),
        "source_kind": visit.random.choice(("inspection", "petition", "self_check")),
    }
    given = {name: value for name, value in given.items() if visit.random.random() < 0.7} or given
    correction = Correction(given if asked is None or visit.random.random() < 0.3 else {}, deadline=asked)
    await corrections.correct(visit.service, visit.decider, visit.item.id, correction, visit.item.version)


async def review(visit: Visit) -> None:
    on = visit.in_days(-3, 0)
    await reviews.review(visit.service, visit.decider, visit.item.id, on, "措施持续落实。")


async def schedule(visit: Visit) -> None:
    assert visit.item.interview_id is not None
    at = visit.now + timedelta(days=visit.random.randint(1, 6))
    await interviews.schedule(visit.service, visit.decider, visit.item.interview_id, at, "三楼会议室")


async def record(visit: Visit) -> None:
    assert visit.item.interview_id is not None
    minutes = Minutes(visit.today, ("王芳",), "说明了逾期原因。", "按新期限完成。")
    await interviews.record(visit.service, visit.decider, visit.item.interview_id, minutes)


async def nothing(visit: Visit) -> None:
    """Whoever came round went away again."""


ACTS: dict[str, tuple[tuple[int, Act], ...]] = {
    "open": (
        (55, claim), (6, correct), (5, ask_transfer), (4, transfer), (1, escalate), (3, annul), (5, report),
        (15, nothing),
    ),
    "rectifying": (
        (22, report), (13, ask_extension), (16, ask_closure), (3, ask_transfer), (4, extend), (5, close),
        (1, escalate), (2, transfer), (1, annul), (2, correct), (25, nothing),
    ),
    "extended": (
        (20, report), (10, ask_extension), (18, ask_closure), (2, ask_transfer), (3, extend), (5, close),
        (2, escalate), (2, transfer), (1, annul), (30, nothing),
    ),
    "escalated": (
        (12, schedule), (35, record), (25, resume), (6, close), (5, ask_closure), (2, annul), (15, nothing),
    ),
    "closed": ((1, reopen), (4, nothing)),
}  # fmt: skip
"""How often what is tried in each state."""
