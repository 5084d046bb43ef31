"""A tenant in which everything happens that there is a type of event for, and what is told of it.

The examples in the OpenAPI document are taken from here. Where the story (tests/api/story.py) or an event has changed:

    python -m tests.api.telling && make openapi
"""

import asyncio
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import time_machine

from service.settings import Settings
from service.store import migrations
from service.workers import courier, sequencer
from service.workflow.catalogue import EVENT_TYPES
from service.workflow.delivery import PING, Format
from service.workflow.notes import parse_checkpoint
from service.workflow.signers import Announcement, announce
from tests.api.calls import side
from tests.api.helpers import ok, read
from tests.api.office import MONDAY, Office, instant
from tests.api.story import CHAPTERS
from tests.endpoint import ALLOWED, Sent, endpoint
from tests.workflow.test_notes import made
from tests.world import World

EXAMPLES = Path(__file__).resolve().parents[2] / "service" / "api" / "event_examples.json"

PEOPLE = {
    "village": ("张伟", "responsible", "t1v1"), "town": ("李国强", "supervisor", "t1"),
    "county": ("王芳", "supervisor", "root"), "platform": ("县智慧治理平台", "platform", "root"),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the feed shows of the story, and what endpoints of either format were sent of it, a test event last."""

    feed: list[dict[str, Any]]
    sent: dict[str, list[Sent]]


async def told(world: World) -> Told:
    """Live through it. The service must be allowed to call this machine."""
    with time_machine.travel(instant(MONDAY), tick=False) as wall:
        admin = await world.tenant("story")
        of = await side(world, admin)
        people = {name: await _person(world, admin, *each) for name, each in PEOPLE.items()}
        office = Office(world, of, wall, instant(MONDAY), people)
        async with endpoint() as one, endpoint() as other:
            ears = {Format.STANDARD: one, Format.CLOUDEVENTS: other}
            hooks = []
            for format, ear in ears.items():
                body = {"url": ear.url, "types": ["*"], "format": format}
                hooks.append(ok(await admin.post("/v1/webhooks", json=body), 201)["id"])
            for happens in CHAPTERS:
                await happens(office)
                await sequencer.run_until_done(world.service)
                await courier.run_until_done(world.service)
            for webhook_id in hooks:
                assert ok(await admin.post(f"/v1/webhooks/{webhook_id}/ping", json={}))["status_code"] == 200
            return Told(await _feed(admin), {format.value: ear.sent for format, ear in ears.items()})


async def _person(world: World, admin: httpx.AsyncClient, name: str, role: str, unit: str) -> httpx.AsyncClient:
    kind = "platform" if role == "platform" else "person"
    made = ok(await admin.post("/v1/principals", json={"name": name, "kind": kind}), 201)
    ok(await admin.post(f"/v1/principals/{made['id']}/grants", json={"role": role, "unit": unit}), 201)
    return world.with_key(ok(await admin.post(f"/v1/principals/{made['id']}/keys", json={}), 201)["key"])


# -- what was told


async def _feed(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """All events that the reader may see, in order."""
    found: list[dict[str, Any]] = []
    position = 0
    while (page := await read(client, "/v1/events", after=position, limit=200))["last_position"] > position:
        found += page["items"]
        position = page["last_position"]
    return found


ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOTE = """\
xiaohao/0198a5e2-7a10-7000-8000-000000000000
1199
5sSzAGPp9WlAUWh3RZ7Ep9MHGzpnN0V5lrqBjrkAdEk=
time 2026-03-18T01:00:00Z

— xiaohao jQ+Sb9JGK3Lyl7pPG6/D4xGu72JCR3cM+joRGktQF0t/5fyJTcyv/P4EbJj/w7J1/+XO0d5p11jsNk5FqcFPKYvhbrI=
"""
_OLD, _NEW = (made("xiaohao", bytes([number]) * 32) for number in (1, 2))
ANNOUNCEMENT = Announcement(parse_checkpoint(NOTE.partition("\n\n")[0] + "\n"), _OLD[0], _NEW[0])
BY_CHANCE = {
    "old_key": _OLD[0].text, "new_key": _NEW[0].text, "announcement": announce(ANNOUNCEMENT, _OLD[1], _NEW[1]),
    "prefix": "xh_0vT2mQa", "minutes_digest": "5f" * 32, "checkpoint": NOTE, "size": 1_199,
    "root_hash": "e6c4b30063e9f56940516877459ec4a7d3071b3a6737457996ba818eb9007449", "digest": "a3" * 32,
}  # fmt: skip
"""What is another each time: keys, hashes, signatures."""


def examples(told: Told) -> dict[str, Any]:
    """Of each type the event that says most. Ids are counted and what chance made is replaced: always the same."""
    chosen: dict[str, Any] = {}
    for event in (*told.feed, told.sent[Format.STANDARD][-1].event):
        best = chosen.get(event["type"])
        if '"erased"' not in json.dumps(event) and (best is None or _fields(event) > _fields(best)):
            chosen[event["type"]] = event
    ids: dict[str, str] = {}
    calm = {type_: _calm(chosen[type_], ids) for type_ in (*EVENT_TYPES, PING) if type_ in chosen}
    for number, event in enumerate(calm.values()):
        event["position"] = event["position"] and 1_200 + number
    return calm


def _fields(value: Any) -> int:
    return sum(1 + _fields(each) for each in value.values()) if isinstance(value, dict) else 0


def _calm(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        by_chance = BY_CHANCE if "sha256" not in value else {}
        return {_calm(name, ids): by_chance.get(name) or _calm(value[name], ids) for name in sorted(value)}
    if isinstance(value, list):
        return [_calm(each, ids) for each in value]
    if isinstance(value, str) and ID.fullmatch(value):
        return ids.setdefault(value, f"0198a5e2-7a10-7000-8000-{len(ids) + 1:012x}")
    return value


def written(found: dict[str, Any]) -> str:
    """The file of examples: an event a line."""
    lines = (f"{json.dumps(type_)}: {json.dumps(event, ensure_ascii=False)}" for type_, event in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


async def _record() -> None:
    with tempfile.TemporaryDirectory() as data_dir:
        settings = Settings(
            data_dir=Path(data_dir), webhook_allow_networks=ALLOWED, workers_inside=False, rate_limit="",
            tenant_rate_limit="",
        )  # fmt: skip
        await asyncio.to_thread(migrations.upgrade, f"sqlite:///{settings.sqlite_path}")
        async with World.running(settings) as world:
            found = examples(await told(world))
    await asyncio.to_thread(EXAMPLES.write_text, written(found))


if __name__ == "__main__":
    asyncio.run(_record())
