"""Mixed work by many callers at once over a real port, and what they were told: for load and for crashes.

Each operation carries a mark of its own in a text that its event keeps. So the record itself says, past every answer,
how often an operation was done: once where it was acknowledged, never where it was refused, at most once where the
answer was lost, whatever was retried.
"""

import asyncio
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import time_machine

from service.settings import Settings
from tests.checks.records import answered_with, untrue
from tests.invariants import Everything
from tests.servers import Server
from tests.world import TREE, World

UNITS = [code for code, *_ in TREE]
PEOPLE = (
    ("admin", "root"),
    ("admin", "root"),
    ("supervisor", "root"),
    ("supervisor", "t1"),
    ("responsible", "root"),
    ("responsible", "t1v1"),
)
HOT = 25
"""Operations go to the newest items, so that callers meet on the same ones."""

REFUSALS = {403, 404, 409, 412, 422}
SAMPLE = "标"
ZONE = ZoneInfo("Asia/Shanghai")
AGO = timedelta(days=40)
OLD = 40
"""Items that were listed so long ago and that nobody has cared for: the clock has something to do about them."""

EVENTS = (
    "item.created", "item.updated", "item.progressed", "item.claimed", "item.extended", "item.closed",
    "item.escalated", "item.resumed", "item.transferred", "item.reopened", "item.annulled",
    "interview.opened", "interview.scheduled", "interview.recorded", "interview.cancelled",
    "request.submitted", "request.approved", "request.returned", "request.withdrawn", "request.cancelled",
    "notice.issued", "notice.receipted", "notice.cancelled",
)  # fmt: skip
"""What a workload of some size brings about, each at least once."""

BY_THE_CLOCK = ("deadline.passed", "rung.fired", "rung.skipped")
"""What it brings about besides, where the workers run."""


@dataclass
class Operation:
    """One request, and what came back; `done` counts the events that it writes when it succeeds."""

    number: int
    person: int
    method: str
    path: str
    body: dict[str, Any]
    done: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    answer: Any = None

    @property
    def mark(self) -> str:
        return mark(self.number)

    @property
    def acknowledged(self) -> bool:
        return self.status in (200, 201)

    @property
    def may_lose_sight(self) -> bool:
        """Whether what this caller did may be out of its scope later: then a retry is told that nothing is there."""
        return PEOPLE[self.person][1] != "root"

    @property
    def retriable(self) -> bool:
        return "Idempotency-Key" in self.headers


def mark(number: int) -> str:
    return f"{SAMPLE}{number}号"


async def people_of(settings: Settings) -> list[str]:
    """The keys of PEOPLE in a small county (see tests/world.py) that is set up here; nobody serves it yet.

    Offices are open day and night, so that the clock finds the old items whenever the tests run.
    """
    now = datetime.now(UTC)
    today = now.astimezone(ZONE).date()
    async with World.running(settings) as world:
        keys = [await world.key(role, unit) for role, unit in PEOPLE]
        for day in (today, today + timedelta(days=1)):
            await _always_open(world, day)
        with time_machine.travel(now - AGO, tick=False):
            for number in range(OLD):
                due_on = today - timedelta(days=number % 12)
                item = await world.item(responsible_unit=UNITS[number % len(UNITS)], due_on=due_on.isoformat())
                if number % 3:
                    claimed = await world.fire(world.admin, item["id"], "claim", signed_by="张伟")
                    assert claimed.is_success, claimed.text
    return keys


async def _always_open(world: World, day: date) -> None:
    """It is a working day, and offices are open."""
    table = (await world.admin.get(f"/v1/calendars/{day.year}")).json()
    worked = {"workdays": sorted({*table["workdays"], day.isoformat()}), "holidays": [], "complete": False}
    changed = await world.admin.put(f"/v1/calendars/{day.year}", json=worked)
    assert changed.is_success, changed.text
    ledger = (await world.admin.get("/v1/ledgers")).json()["items"][0]
    hours = {"open": time().isoformat("minutes"), "close": time(23, 59).isoformat("minutes")}
    changed = await world.admin.patch(
        f"/v1/ledgers/{ledger['id']}",
        json={"policy": {"office_hours": hours}},
        headers={"If-Match": f'"{ledger["version"]}"'},
    )
    assert changed.is_success, changed.text


class Workload:
    """Operations drawn from a seed, sent by `workers` callers until there were enough, or until the server is gone."""

    def __init__(self, server: Server, keys: list[str], seed: int) -> None:
        self.server = server
        self.keys = keys
        self.random = random.Random(seed)
        self.operations: list[Operation] = []
        self.known: dict[str, dict[str, Any]] = {}
        """The latest answer about each item."""
        self.requests: dict[str, dict[str, Any]] = {}
        self.notices: dict[str, dict[str, Any]] = {}
        """The same of requests, and of notices by hand."""
        self.lost: list[httpx.TransportError] = []
        """Why workers got no answer and ended."""
        self.today = datetime.now(UTC).astimezone(ZONE).date()
        self._clients: list[httpx.AsyncClient] = []
        self._acknowledged = 0
        self._awaited: tuple[int, asyncio.Event] | None = None

    async def run(self, count: int, workers: int) -> None:
        """Do `count` operations more. Workers end quietly where nobody answers any more."""
        remaining = iter(range(count))
        self._clients = [self.server.client(key) for key in self.keys]
        try:
            await self._look_around()
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(remaining))
        finally:
            for client in self._clients:
                await client.aclose()

    async def _look_around(self) -> None:
        """What is there already, the newest last: nobody has been told of it yet."""
        if not self.known:
            found = await self._clients[0].get("/v1/items", params={"limit": OLD})
            self.known = {item["id"]: item for item in reversed(found.json()["items"])}

    async def _work(self, remaining: Any) -> None:
        for _ in remaining:
            operation = self._draw()
            try:
                await self.send(operation)
            except httpx.TransportError as error:
                self.lost.append(error)
                return

    async def send(self, operation: Operation) -> None:
        """Send it, now and then twice at once under its key; keep what came back."""
        client = self._clients[operation.person]
        request = (operation.method, operation.path)
        twice = operation.retriable and self.random.random() < 0.1
        results = await asyncio.gather(
            *(
                client.request(*request, json=operation.body, headers=operation.headers)
                for _ in range(2 if twice else 1)
            ),
            return_exceptions=True,
        )
        answers = [each for each in results if isinstance(each, httpx.Response)]
        if answers:
            answer = next((each for each in answers if each.is_success), answers[0])
            assert all(not each.is_success or each.json() == answer.json() for each in answers), "one key, two answers"
            self._learn(operation, answer)
        for error in results:
            if isinstance(error, BaseException):
                raise error

    async def again(self, operation: Operation) -> httpx.Response:
        """Send it once more, under the same key; nothing is learnt of the answer."""
        async with self.server.client(self.keys[operation.person]) as client:
            return await client.request(
                operation.method, operation.path, json=operation.body, headers=operation.headers
            )

    async def retry(self, operation: Operation) -> None:
        """Send again what was not answered."""
        self._learn(operation, await self.again(operation))

    async def acknowledged(self, more: int) -> None:
        """Wait until as many operations more were acknowledged."""
        self._awaited = (self._acknowledged + more, asyncio.Event())
        await self._awaited[1].wait()

    def _learn(self, operation: Operation, answer: httpx.Response) -> None:
        operation.status, operation.answer = answer.status_code, answer.json()
        self._acknowledged += operation.acknowledged
        if self._awaited is not None and self._acknowledged >= self._awaited[0]:
            self._awaited[1].set()
        assert answer.is_success or answer.status_code in REFUSALS, f"{operation.path}: {answer.text}"
        if answer.is_success:
            for each in operation.answer.get("items", [operation.answer]):
                self._keep(each)

    def _keep(self, each: dict[str, Any]) -> None:
        match answered_with(each):
            case "items":
                self.known[each["id"]] = each
            case "requests":
                self.requests[each["id"]] = each
            case "notices":
                self.notices[each["id"]] = each
            case "interviews" if each["state"] == "recorded" and each["item_id"] in self.known:
                self.known[each["item_id"]]["allowed_triggers"] = ["resume", "close"]

    # -- what to do next

    def _draw(self) -> Operation:
        kinds = {
            self._create: 9, self._batch: 1, self._unit: 1, self._progress: 12, self._correct: 6, self._record: 6,
            self._schedule: 3, self._ask: 12, self._decide: 9, self._withdraw: 2, self._notify: 4, self._sign: 3,
            self._cancel: 1, self._move: 50,
        }  # fmt: skip
        kind = self.random.choices(list(kinds), weights=list(kinds.values()))[0]
        if not self.known:
            kind = self._create
        operation = Operation(len(self.operations) + 1, 0, "POST", "", {})
        kind(operation)
        if operation.method == "POST":
            operation.headers["Idempotency-Key"] = f"key-{operation.number}"
        self.operations.append(operation)
        return operation

    def _person(self, operation: Operation) -> None:
        operation.person = self.random.choices(range(len(PEOPLE)), weights=(6, 6, 3, 1, 2, 1))[0]

    def _item(self) -> dict[str, Any]:
        return self.known[self.random.choice(list(self.known)[-HOT:])]

    def _day(self, first: int, last: int) -> str:
        return (self.today + timedelta(days=self.random.randint(first, last))).isoformat()

    def _listing(self, text: str) -> dict[str, Any]:
        responsible, *co_units = self.random.sample(UNITS, self.random.choice((1, 1, 1, 2, 3)))
        body: dict[str, Any] = {
            "ledger": "default", "title": f"饮水管网漏损 {text}", "responsible_unit": responsible, "co_units": co_units,
        }  # fmt: skip
        match self.random.randrange(5):
            case 0:
                body["due_on"] = self._day(-5, 30)
            case 1:
                body["deadline"] = {"kind": self.random.choice(("immediate", "standing"))}
            case 2:
                body["severity"] = "critical"
        return body

    def _create(self, operation: Operation) -> None:
        operation.person = self.random.randrange(2)
        operation.path, operation.body = "/v1/items", self._listing(operation.mark)

    def _batch(self, operation: Operation) -> None:
        operation.person, operation.done = self.random.randrange(2), 3
        operation.path, operation.body = "/v1/items/batch", {"items": [self._listing(operation.mark) for _ in range(3)]}

    def _unit(self, operation: Operation) -> None:
        """No event tells of a unit yet; it stirs the tree from which others derive their rows."""
        operation.done = 0
        operation.path = "/v1/units"
        operation.body = {
            "code": f"v{operation.number}", "name": operation.mark, "parent": "t2", "level": "village",
        }  # fmt: skip

    def _progress(self, operation: Operation) -> None:
        self._person(operation)
        operation.path = f"/v1/items/{self._item()['id']}/progress"
        operation.body = {"text": f"已更换管道 {operation.mark}", "percent": self.random.randint(0, 100)}

    def _correct(self, operation: Operation) -> None:
        self._person(operation)
        item = self._item()
        operation.method, operation.path = "PATCH", f"/v1/items/{item['id']}"
        operation.headers["If-Match"] = f'"{item["version"]}"'
        operation.body = {"responsible_person": f"李明 {operation.mark}"}
        if self.random.random() < 0.3:
            operation.body["title"] = self.random.choice(("道路塌陷", "饮水管网漏损", "垃圾清运不及时"))

    def _record(self, operation: Operation) -> None:
        """The minutes of a talk are in no event, only their digest: such an operation is counted by its interview."""
        operation.done = 0
        talks = [item["interview_id"] for item in list(self.known.values())[-HOT:] if item["interview_id"]]
        if not talks:
            self._progress(operation)
            operation.done = 1
            return
        operation.person = self.random.randrange(3)
        operation.path = f"/v1/interviews/{self.random.choice(talks)}/record"
        operation.body = {"held_on": self._day(-1, -1), "attendees": ["李明"], "minutes": operation.mark}

    def _schedule(self, operation: Operation) -> None:
        talks = [item["interview_id"] for item in list(self.known.values())[-HOT:] if item["interview_id"]]
        if not talks:
            self._progress(operation)
            return
        operation.person = self.random.randrange(3)
        operation.path = f"/v1/interviews/{self.random.choice(talks)}/schedule"
        operation.body = {"at": f"{self._day(1, 5)}T02:00:00Z", "place": operation.mark}

    def _ask(self, operation: Operation) -> None:
        operation.person = self.random.choice((0, 4, 4, 5))
        operation.path = f"/v1/items/{self._item()['id']}/requests"
        match self.random.choice(("extension", "closure", "closure", "transfer")):
            case "extension":
                operation.body = {"kind": "extension", "due_on": self._day(1, 50), "reason": operation.mark}
            case "closure":
                operation.body = {"kind": "closure", "summary": operation.mark}
            case _:
                operation.body = {"kind": "transfer", "reason": operation.mark}
                if self.random.random() < 0.5:
                    operation.body["responsible_unit"] = self.random.choice(UNITS)

    def _pending(self) -> dict[str, Any] | None:
        pending = [each for each in self.requests.values() if each["status"] == "pending"][-HOT:]
        return self.random.choice(pending) if pending else None

    def _decide(self, operation: Operation) -> None:
        """An approval writes two events: what was decided, and what it fired."""
        request = self._pending()
        if request is None:
            self._ask(operation)
            return
        operation.person = self.random.choice((0, 1, 1, 2))
        operation.path = f"/v1/requests/{request['id']}/decision"
        if self.random.random() < 0.3:
            operation.body = {"verdict": "return", "reason": operation.mark}
            return
        operation.done = 2
        operation.body = {"verdict": "approve", "reason": operation.mark}
        if request["kind"] == "closure":
            operation.body |= self._input("close", operation.mark)
        elif request["kind"] == "transfer":
            operation.body["responsible_unit"] = self.random.choice(UNITS)

    def _withdraw(self, operation: Operation) -> None:
        request = self._pending()
        if request is None:
            self._ask(operation)
            return
        operation.person = self.random.choice((0, 4))
        operation.path = f"/v1/requests/{request['id']}/withdrawal"
        operation.body = {"reason": operation.mark}

    def _notify(self, operation: Operation) -> None:
        """About one or two items of one unit; each has the notice's event."""
        item = self._item()
        alike = [
            each["id"] for each in self.known.values()
            if all(each[name] == item[name] for name in ("responsible_unit_id", "supervising_unit_id", "ledger_id"))
            and each["state"] != "closed" and each["id"] != item["id"]
        ]  # fmt: skip
        covered = [item["id"], *(self.random.sample(alike, 1) if alike and self.random.random() < 0.5 else [])]
        operation.person, operation.done = self.random.randrange(3), len(covered)
        operation.path = "/v1/notices"
        operation.body = {
            "kind": self.random.choice(("reminder", "urging", "urging", "supervision", "warning", "circular")),
            "unit_id": item["responsible_unit_id"], "item_ids": covered, "text": operation.mark,
        }  # fmt: skip

    def _sign(self, operation: Operation) -> None:
        self._of_notice(operation, "receipt", {"signed_by": operation.mark})

    def _cancel(self, operation: Operation) -> None:
        self._of_notice(operation, "cancel", {"reason": operation.mark})

    def _of_notice(self, operation: Operation, verb: str, body: dict[str, Any]) -> None:
        if not self.notices:
            self._notify(operation)
            return
        notice = self.notices[self.random.choice(list(self.notices)[-HOT:])]
        operation.person, operation.done = self.random.choice((0, 0, 1, 4)), len(notice["item_ids"])
        operation.path, operation.body = f"/v1/notices/{notice['id']}/{verb}", body

    def _move(self, operation: Operation) -> None:
        self._person(operation)
        item = self._item()
        triggers = item["allowed_triggers"] or ["claim"]
        if self.random.random() < 0.2:
            triggers = ["claim", "extend", "close", "escalate", "resume", "transfer", "reopen", "annul"]
        # What needs a long way before it is taken when it can be; nothing follows an annulment.
        weights = {"reopen": 9, "resume": 9, "close": 4, "extend": 3, "annul": 0.5}
        trigger = self.random.choices(triggers, weights=[weights.get(each, 1.5) for each in triggers])[0]
        operation.path = f"/v1/items/{item['id']}/transitions"
        operation.body = {"trigger": trigger, **self._input(trigger, operation.mark)}
        if self.random.random() < 0.3:
            operation.headers["If-Match"] = f'"{item["version"]}"'

    def _input(self, trigger: str, text: str) -> dict[str, Any]:
        match trigger:
            case "claim":
                return {"signed_by": text, **({"measures": "更换老旧管道"} if self.random.random() < 0.5 else {})}
            case "extend":
                return {"due_on": self._day(1, 50), "reason": text}
            case "close":
                note = {"verification": {"method": "on_site", "on": self._day(-1, -1), "note": text}}
                return {**note, **({"waive_interview": "已整改"} if self.random.random() < 0.5 else {})}
            case "resume":
                return {"due_on": self._day(0, 50), "signed_by": text}
            case "transfer":
                return {"responsible_unit": self.random.choice(UNITS), "reason": text}
            case "reopen":
                return {"due_on": self._day(0, 50), "reason": text}
            case "annul":
                original = self._item()["id"]
                return {"reason": text, **({"duplicate_of": original} if self.random.random() < 0.5 else {})}
            case _:
                return {"reason": text}


def contradictions(operations: list[Operation], found: Everything) -> list[str]:
    """Where the record and what the callers were told do not agree."""
    done = Counter(number for row in found["events"] for number in _marks(found.told(row)["data"]))
    versions = {str(row["id"]): row["version"] for row in found["items"]}
    units = {row["code"] for row in found["units"]}
    sentences = []
    for operation in operations:
        times, name = done[operation.number], f"{operation.number} {operation.method} {operation.path}"
        if operation.acknowledged and times != operation.done:
            sentences.append(f"{name}: acknowledged, {times} of {operation.done} events")
        elif operation.status in REFUSALS and times and not (operation.status == 404 and operation.may_lose_sight):
            sentences.append(f"{name}: refused ({operation.answer['code']}), {times} events")
        elif times not in (0, operation.done):
            sentences.append(f"{name}: half done, {times} of {operation.done} events")
        if not operation.acknowledged:
            continue
        for each in operation.answer.get("items", [operation.answer]):
            kind = answered_with(each)
            if kind == "items" and versions.get(each["id"], 0) < each["version"]:
                sentences.append(f"{name}: answered version {each['version']} of item {each['id']}")
            elif kind not in ("items", None) and (problem := untrue(found, kind, each)) is not None:
                sentences.append(f"{name}: answered {kind} {each['id']}, {problem}")
            elif "parent_id" in each and each["code"] not in units:
                sentences.append(f"{name}: answered unit {each['code']}")
    return sentences


def _marks(data: dict[str, Any]) -> set[int]:
    """The marks that an event was written with; what a field held before is another event's."""
    now = {**data, "changes": {name: change["after"] for name, change in data.get("changes", {}).items()}}
    return {int(found) for found in re.findall(f"{SAMPLE}(\\d+)号", json.dumps(now, ensure_ascii=False))}
