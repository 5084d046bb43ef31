"""A server that is killed in the middle of an import: the ledger has nothing of the file or all of it, never a part,
and the file sent again lists each row once."""

import asyncio
import random
import time
from typing import Any

import httpx
import pytest

from service.settings import Settings
from tests import invariants
from tests.api.helpers import ok
from tests.servers import Server

pytestmark = pytest.mark.long

HEAD = "序号,存在问题,责任单位,整改措施,整改时限\n"
MOMENTS = (5, 60, 90)
"""Percent at which it is killed, at the earliest."""

TRIES = 5
"""Of the small size, which ends with the first that was killed under way."""


def table(rows: int, after: int) -> bytes:
    numbers = range(after + 1, after + rows + 1)
    lines = (f"{number},第{number}号管网漏损,root,更换主管道,2027年12月底前\n" for number in numbers)
    return (HEAD + "".join(lines)).encode()


def listed(client: httpx.Client) -> list[str]:
    """The titles of all items."""
    titles: list[str] = []
    params: dict[str, Any] = {"limit": 200}
    while True:
        page = ok(client.get("/v1/items", params=params))
        titles += [item["title"] for item in page["items"]]
        if page["next_cursor"] is None:
            return titles
        params["cursor"] = page["next_cursor"]


def send(client: httpx.Client, content: bytes, **params: str) -> httpx.Response:
    return client.post(
        "/v1/imports", files={"file": ("台账.csv", content)}, params={"ledger": "default", **params}, timeout=300
    )


def killed_at(server: Server, client: httpx.Client, content: bytes, percent: int, chance: random.Random) -> Any:
    """What an import said of itself just before its server was killed."""
    made = ok(send(client, content, background="true"), 202)
    deadline = time.monotonic() + 120
    while True:
        told = ok(client.get(f"/v1/imports/{made['id']}"))
        if told["state"] != "running" or told["percent"] >= percent:
            break
        assert time.monotonic() < deadline, told
    time.sleep(chance.random() * 0.05)
    server.kill()
    return told


def client_of(server: Server) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.admin_key}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False)


def test_a_killed_import_left_nothing_or_everything(server: Server, own_settings: Settings, full: bool) -> None:
    rows, chance = 20_000 if full else 1_000, random.Random(6)
    before, under_way = 0, 0
    server.start()
    for percent in MOMENTS * 4 if full else MOMENTS[:1] * TRIES:
        # What is listed already would be passed over in no time: rows after it are new ones.
        content = table(rows, after=before)
        with client_of(server) as client:
            told = killed_at(server, client, content, percent, chance)
        server.start()
        with client_of(server) as client:
            new = len(listed(client)) - before
            assert new in (0, rows), f"{new} of {rows} items, killed at {told['percent']} percent"
            assert (ok(client.get(f"/v1/imports/{told['id']}"))["state"] == "done") == (new == rows)
        under_way += told["state"] == "running" and new == 0
        before += new
        if under_way and not full:
            break
    assert under_way, "every import was through before it was killed"

    with client_of(server) as client:
        report = ok(send(client, content))
        assert (report["created"], report["refused"]) == (rows - new, 0)
        assert ok(send(client, content))["created"] == 0
        titles = listed(client)
    assert len(titles) == len(set(titles)) == before + rows - new
    server.stop()
    assert asyncio.run(invariants.contradictions(own_settings)) == []
