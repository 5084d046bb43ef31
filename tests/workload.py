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
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import time_machine

from service.settings import Settings
from tests.checks.records import answered_with, untrue
from tests.invariants import Everything
from tests.operations import PEOPLE, SAMPLE, UNITS, ZONE, Drawing, Operation
from tests.servers import Server
from tests.world import World

REFUSALS = {403, 404, 409, 412, 422}
CLOSES = time(23, 59)
"""The last time at which offices can close, in whole minutes: for one of them they are not open."""

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
    local = datetime.now(ZONE)
    if local.time() >= CLOSES:
        # Until they open again the clock would find nothing.
        await asyncio.sleep(60 - local.second)
    return keys


async def _always_open(world: World, day: date) -> None:
    """It is a working day, and offices are open."""
    table = (await world.admin.get(f"/v1/calendars/{day.year}")).json()
    worked = {"workdays": sorted({*table["workdays"], day.isoformat()}), "holidays": [], "complete": False}
    changed = await world.admin.put(f"/v1/calendars/{day.year}", json=worked)
    assert changed.is_success, changed.text
    ledger = (await world.admin.get("/v1/ledgers")).json()["items"][0]
    hours = {"open": time().isoformat("minutes"), "close": CLOSES.isoformat("minutes")}
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
        self.drawing = Drawing(seed)
        self.operations: list[Operation] = []
        self.lost: list[httpx.TransportError] = []
        """Why workers got no answer and ended."""
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
        if not self.drawing.known:
            found = await self._clients[0].get("/v1/items", params={"limit": OLD})
            for item in reversed(found.json()["items"]):
                self.drawing.learn(item)

    async def _work(self, remaining: Any) -> None:
        for _ in remaining:
            operation = self.drawing.draw(len(self.operations) + 1)
            self.operations.append(operation)
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
            others = [each.text for each in answers if each.is_success and each.json() != answer.json()]
            assert not others, f"one key, two answers: {operation.path} {answer.text} {others}"
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
                self.drawing.learn(each)


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
