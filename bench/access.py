"""`python -m bench.access`: what authentication costs of a GET, and how soon a revoked key is refused elsewhere.

The first is measured inside one process, the same request with and without the doorkeeper by turns, so that
nothing but authentication lies between the two. The second asks a second replica ten times a second.
"""

import argparse
import asyncio
import statistics
import time
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import httpx
import uvloop

from bench import place, server
from bench.load import half
from bench.place import Place
from service import logs
from service.actions.doorkeeper import Doorkeeper
from service.app import create_app
from service.workflow.access import Caller

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
ITEMS, UNITS = 2_000, 400
BLOCK, BLOCKS = 500, 20
REVOCATIONS = 8


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.access", description=__doc__)
    parser.add_argument("--postgres", default=POSTGRES, help="the server's URL")
    options = parser.parse_args()
    logs.configure("error", "json")
    for kind in ("postgresql", "sqlite"):
        filled = place.prepare(kind, items=ITEMS, unit_count=UNITS, server=options.postgres, keep=False)
        try:
            bare, whole = uvloop.run(_shares(filled))
            print(
                f"{kind}: GET /v1/items/{{id}} {whole:.0f} us of the processor, {bare:.0f} us without authentication:"
                f" {(whole - bare) / whole:.1%}"
            )
            if kind == "postgresql":
                print(f"postgresql, two replicas: {_revocations(filled)}")
        finally:
            filled.remove()


class _Open:
    """A door without a keeper: everyone is the one caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def admit(self, *_: Any, **__: Any) -> Caller:
        return self._caller


async def _shares(filled: Place) -> tuple[float, float]:
    """Microseconds of this process for a GET, without and with authentication: the medians of the blocks."""
    app = create_app(filled.settings)
    key = filled.facts.clerk_key
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        keeper: Doorkeeper = app.state.doorkeeper
        caller = await place.caller(app.state.service, key)
        paths = [f"/v1/items/{filled.facts.clock.id(number)}" for number in half(filled.facts.items, 0)[:BLOCK]]
        found: dict[bool, list[float]] = {False: [], True: []}
        for block in range(2 * BLOCKS + 2):
            kept = block % 2 == 1
            app.state.doorkeeper = keeper if kept else _Open(caller)
            began = time.process_time()
            for path in paths:
                await _get(app, path, key)
            if block > 1:
                found[kept].append((time.process_time() - began) / len(paths) * 1e6)
        app.state.doorkeeper = keeper
    return statistics.median(found[False]), statistics.median(found[True])


async def _get(app: Any, path: str, key: str) -> None:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {key}".encode())],
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    if status != 200:
        raise SystemExit(f"GET {path} answered {status}")


def _revocations(filled: Place) -> str:
    """How long a key goes on working on one replica after another has answered that it is revoked."""
    with ExitStack() as stack:
        first, second = (stack.enter_context(server.serving(filled.settings)) for _ in range(2))
        admin = asyncio.run(place.new_admin_key(filled))
        bearer = {"Authorization": f"Bearer {admin}"}
        here = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{first.port}", headers=bearer, trust_env=False)
        )
        took = []
        for number in range(REVOCATIONS):
            who = here.post("/v1/principals", json={"name": f"试用{number}", "kind": "person"}).json()
            key = here.post(f"/v1/principals/{who['id']}/keys", json={}).json()
            there = httpx.Client(
                base_url=f"http://127.0.0.1:{second.port}", headers={"Authorization": f"Bearer {key['key']}"},
                trust_env=False,
            )  # fmt: skip
            with there:
                if there.get("/v1/me").status_code != 200:
                    raise SystemExit("the second replica does not know the new key")
                time.sleep(number * 0.35)
                there.get("/v1/me")
                here.delete(f"/v1/principals/{who['id']}/keys/{key['id']}").raise_for_status()
                began = time.monotonic()
                while there.get("/v1/me").status_code == 200:
                    time.sleep(0.1)
                took.append(time.monotonic() - began)
    return f"a revoked key was refused after {min(took):.1f} to {max(took):.1f} s (promised: 5)"


if __name__ == "__main__":
    main()
