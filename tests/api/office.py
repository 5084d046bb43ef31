"""A county whose days pass when a test says so: HTTP calls and the clock take one instant for now, and it stands still.

Days are of 2026, written "03-02" (a Monday). March is without holidays; 4 to 6 April and 1 to 5 May are off, and
Saturday 9 May is worked. A test begins at ten o'clock of 2 March.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import time_machine

from service.actions.ladder import Tally
from service.workers import clock
from tests.api.calls import Side, key_for, side
from tests.api.helpers import every_page, ok, read
from tests.world import World

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = "03-02"

serial = itertools.count(1)

ASKED: dict[str, dict[str, Any]] = {
    "extension": {"due_on": "2026-04-20", "reason": "汛期无法施工"},
    "closure": {"summary": "主管道已全部更换，恢复供水"},
    "transfer": {"reason": "职责不符"},
}
VERIFIED = {"method": "on_site", "on": "2026-03-02", "note": "现场核验，供水正常"}
GRANTED: dict[str, dict[str, Any]] = {
    "extension": {},
    "closure": {"verification": VERIFIED},
    "transfer": {"responsible_unit": "t1v2"},
}
MINUTES = {"attendees": ["王强", "李明"], "minutes": "责成十日内完成整改", "commitments": "十日内完成"}


def instant(day: str, hour: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"2026-{day}T{hour}").replace(tzinfo=SHANGHAI).astimezone(UTC)


def on(day: str) -> str:
    return f"2026-{day}"


def local(at: str) -> str:
    """An instant of an answer by the county's clock: "03-02 10:00"."""
    return f"{datetime.fromisoformat(at).astimezone(SHANGHAI):%m-%d %H:%M}"


@dataclass
class Office:
    """`village` and `colleague` act for t1v1, `town` and `deputy` decide for it, `county` stands above them."""

    world: World
    side: Side
    wall: Any
    now: datetime
    people: dict[str, httpx.AsyncClient]

    def __getattr__(self, name: str) -> httpx.AsyncClient:
        try:
            return self.__dict__["people"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def admin(self) -> httpx.AsyncClient:
        return self.side.admin

    @property
    def units(self) -> dict[str, str]:
        return self.side.units

    async def person(self, role: str, unit: str) -> httpx.AsyncClient:
        return self.world.with_key(await key_for(self.admin, role, unit))

    # -- time

    def at(self, day: str, hour: str = "10:00") -> datetime:
        """It is that instant from now on."""
        self.now = instant(day, hour)
        self.wall.move_to(self.now)
        return self.now

    async def turn(self, day: str, hour: str = "09:00") -> Tally:
        """It is that instant, and the clock has done all that is due. What it did is told of every tenant."""
        tally = await clock.run_until_done(self.world.service, self.at(day, hour))
        assert not tally.failed
        return tally

    # -- what people do

    async def ledger(self, **policy: Any) -> str:
        """The code of a new ledger."""
        code = f"l{next(serial)}"
        ok(await self.admin.post("/v1/ledgers", json={"code": code, "name": "饮水台账", "policy": policy}), 201)
        return code

    async def item(self, **given: Any) -> dict[str, Any]:
        """Listed by the county, for t1v1 unless told."""
        body = {"ledger": "default", "title": f"饮水管网漏损 {next(serial)}", "responsible_unit": "t1v1", **given}
        made: dict[str, Any] = ok(await self.county.post("/v1/items", json=body), 201)
        return made

    async def fire(self, by: httpx.AsyncClient, item: dict[str, Any], trigger: str, **given: Any) -> dict[str, Any]:
        """The item after the trigger."""
        url = f"/v1/items/{item['id']}/transitions"
        fired: dict[str, Any] = ok(await by.post(url, json={"trigger": trigger, **given}))
        return fired

    async def claimed(self, **given: Any) -> dict[str, Any]:
        return await self.fire(self.village, await self.item(**given), "claim", signed_by="张伟")

    async def ask(
        self, item: dict[str, Any], kind: str, by: httpx.AsyncClient | None = None, **given: Any
    ) -> httpx.Response:
        body = {"kind": kind, **ASKED[kind], **given}
        return await (by or self.village).post(f"/v1/items/{item['id']}/requests", json=body)

    async def pending(self, item: dict[str, Any], kind: str, **given: Any) -> dict[str, Any]:
        made: dict[str, Any] = ok(await self.ask(item, kind, **given), 201)
        return made

    async def approve(
        self, request: dict[str, Any], by: httpx.AsyncClient | None = None, **given: Any
    ) -> httpx.Response:
        body = {"verdict": "approve", **GRANTED[request["kind"]], **given}
        return await (by or self.town).post(f"/v1/requests/{request['id']}/decision", json=body)

    async def give_back(self, request: dict[str, Any], by: httpx.AsyncClient | None = None) -> httpx.Response:
        body = {"verdict": "return", "reason": "佐证不足"}
        return await (by or self.town).post(f"/v1/requests/{request['id']}/decision", json=body)

    async def withdraw(self, request: dict[str, Any], by: httpx.AsyncClient | None = None) -> httpx.Response:
        return await (by or self.village).post(f"/v1/requests/{request['id']}/withdrawal", json={"reason": "改期"})

    async def record(self, interview_id: str, by: httpx.AsyncClient | None = None, **given: Any) -> httpx.Response:
        body = {"held_on": self.now.astimezone(SHANGHAI).date().isoformat(), **MINUTES, **given}
        return await (by or self.town).post(f"/v1/interviews/{interview_id}/record", json=body)

    # -- what can be read

    async def look(self, item: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = await read(self.county, f"/v1/items/{item['id']}")
        return found

    async def deadline(self, item: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = await read(self.county, f"/v1/items/{item['id']}/deadline")
        return found

    async def events(self, item: dict[str, Any], *types: str) -> list[dict[str, Any]]:
        """The item's history, oldest first; of these types, or all."""
        found = await every_page(self.county, f"/v1/items/{item['id']}/events", limit=200)
        return [event for event in found if not types or event["type"] in types]

    async def notices(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        """What covers the item, oldest first."""
        return (await every_page(self.county, "/v1/notices", item_id=item["id"]))[::-1]

    async def rungs(self, item: dict[str, Any]) -> list[str]:
        """What the clock did about it, in order: "03-16 09:00 urge+1" and, where it was skipped, why."""
        told = await self.events(item, "rung.fired", "rung.skipped", "deadline.passed")
        return [
            " ".join(filter(None, (local(each["at"]), each["data"].get("rung", "passed"), each["data"].get("why"))))
            for each in told
        ]


PEOPLE = (
    ("village", "responsible", "t1v1"), ("colleague", "responsible", "t1v1"), ("town", "supervisor", "t1"),
    ("deputy", "supervisor", "t1"), ("county", "supervisor", "root"),
)  # fmt: skip


@dataclass(frozen=True)
class Staff:
    """A tenant and its people, who outlast the day."""

    world: World
    side: Side
    people: dict[str, httpx.AsyncClient]

    @classmethod
    async def of(cls, world: World) -> "Staff":
        """Of a new tenant."""
        of = await side(world, await world.tenant(f"office{next(serial)}"))
        people = {name: world.with_key(await key_for(of.admin, role, unit)) for name, role, unit in PEOPLE}
        return cls(world, of, people)

    @contextmanager
    def at_work(self) -> Iterator[Office]:
        """It is Monday morning."""
        with time_machine.travel(instant(MONDAY), tick=False) as wall:
            yield Office(self.world, self.side, wall, instant(MONDAY), self.people)
