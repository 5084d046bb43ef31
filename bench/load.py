"""What is asked of the server: each request is made to succeed, on items that nobody else touches.

Even items belong to the load over HTTP, odd ones to pgbench, so that both work on the same tables and pages.
"""

import asyncio
import itertools
import json
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import uvloop

from bench import wire, words
from bench.place import Place
from bench.wire import Measured, Request

CONNECTIONS = 16
POOL = 120_000
EXTENDABLE = 45
"""Days that a deadline may lie back for an extension to fit into the budget of 60."""

SAID_EVERY = 5
"""One claim in so many names measures."""

_AT = "state, due_on, deadline_kind"
_serial = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Target:
    """An item of the load's half, as it was filled."""

    id: str
    state: str
    due_on: date


class Load:
    """The requests of one run against one server."""

    def __init__(self, place: Place, port: int) -> None:
        self.facts, self.port = place.facts, port
        self.run = os.urandom(4).hex()
        self.today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
        self.chance = Random(7)
        targets = _targets(place)
        self.units = _villages(place)
        fresh = [each for each in targets if each.state == "open"]
        closed = [each for each in targets if each.state == "closed"]
        # Each connection has its own items, and begins with those that nobody has claimed.
        self.chains = [
            itertools.chain(fresh[index::CONNECTIONS], itertools.cycle(closed[index::CONNECTIONS]))
            for index in range(CONNECTIONS)
        ]
        self.moves = [self._transitions(chain) for chain in self.chains]
        self.targets = targets

    def measure(self, name: str, seconds: float) -> Measured:
        """Drive one kind of request for so long."""
        makers = {
            "transition": lambda index: self.moves[index],
            "create": lambda index: self._creates(),
            "get": lambda index: self._gets(),
            "empty": lambda index: itertools.repeat(("empty", wire.request("GET", "/livez"))),
            "list": lambda index: self._lists("/v1/items?limit=50"),
            "overdue": lambda index: self._lists("/v1/overdue?limit=50"),
        }
        requests = [makers[name](index) for index in range(CONNECTIONS)]
        return uvloop.run(wire.drive(self.port, requests, seconds))

    def _fire(self, key: str, target: Target, **given: object) -> Request:
        body = json.dumps(given, ensure_ascii=False).encode()
        path = f"/v1/items/{target.id}/transitions"
        return str(given["trigger"]), wire.request("POST", path, key, body, f"{self.run}-{next(_serial)}")

    def _transitions(self, targets: Iterator[Target]) -> Iterator[Request]:
        """Whole lives: (reopen,) claim, extend where the budget allows, close."""
        clerk, claimer = self.facts.clerk_key, self.facts.claimer_key
        verification = {"method": "on_site", "on": self.today.isoformat(), "note": "现场核验，问题已解决，群众认可。"}
        for number, target in enumerate(targets):
            due = target.due_on
            if target.state == "closed":
                due = self.today + timedelta(days=20)
                yield self._fire(clerk, target, trigger="reopen", due_on=str(due), reason="回头看发现问题反弹。")
            # What is said in a claim is searched for later: it costs more than a bare one.
            said = {} if number % SAID_EVERY else {"measures": "三天内完成抢修；落实管护责任；公示结果"}
            yield self._fire(claimer, target, trigger="claim", signed_by="张建国", **said)
            if (self.today - due).days < EXTENDABLE:
                later = max(due, self.today) + timedelta(days=10)
                yield self._fire(clerk, target, trigger="extend", due_on=str(later), reason="受汛期影响，同意延期。")
            yield self._fire(clerk, target, trigger="close", verification=verification)

    def _creates(self) -> Iterator[Request]:
        while True:
            text = words.problem(self.chance, words.place(self.chance.randrange(900)) + "村", 0)
            body = {**text, "ledger": "default", "responsible_unit_id": self.chance.choice(self.units)}
            content = json.dumps(body, ensure_ascii=False).encode()
            key = f"{self.run}-{next(_serial)}"
            yield "create", wire.request("POST", "/v1/items", self.facts.clerk_key, content, key)

    def _gets(self) -> Iterator[Request]:
        while True:
            target = self.chance.choice(self.targets)
            yield "get", wire.request("GET", f"/v1/items/{target.id}", self.facts.clerk_key)

    def _lists(self, path: str) -> Iterator[Request]:
        return itertools.repeat(("list", wire.request("GET", path, self.facts.clerk_key)))


def half(facts_items: int, first: int) -> list[int]:
    """A sample of the even (`first` 0) or odd (1) items by number, in no order."""
    numbers = range(first, facts_items, 2)
    return Random(first).sample(numbers, min(POOL, len(numbers)))


def _targets(place: Place) -> list[Target]:
    facts = place.facts
    wanted = [facts.clock.id(n) for n in half(facts.items, 0)]
    if facts.kind == "sqlite":
        connection = sqlite3.connect(str(place.settings.sqlite_path))
        sql = f"SELECT id, {_AT} FROM items WHERE id IN (SELECT value FROM json_each(?))"
        rows = connection.execute(sql, [json.dumps([each.hex for each in wanted])]).fetchall()
        connection.close()
        found = {each[0]: (each[1], date.fromisoformat(each[2]) if each[2] else None, each[3]) for each in rows}
    else:
        rows = asyncio.run(_fetch(place, f"SELECT id, {_AT} FROM items WHERE id = ANY($1)", wanted))
        found = {each[0].hex: (each[1], each[2], each[3]) for each in rows}
    return [
        Target(str(each), found[each.hex][0], found[each.hex][1])
        for each in wanted
        if found[each.hex][1] is not None and found[each.hex][2] != "standing"
    ]


def _villages(place: Place) -> list[str]:
    sql = "SELECT id FROM units WHERE level = 'village'"
    if place.facts.kind == "sqlite":
        connection = sqlite3.connect(str(place.settings.sqlite_path))
        rows = connection.execute(sql).fetchall()
        connection.close()
    else:
        rows = asyncio.run(_fetch(place, sql))
    return [str(UUID(str(row[0]))) for row in rows]


async def _fetch(place: Place, sql: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(place.settings.database_url)
    try:
        return await connection.fetch(sql, *values)  # type: ignore[no-any-return]
    finally:
        await connection.close()
