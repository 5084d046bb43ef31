"""`python -m bench.sending`: how fast webhooks go out by the service's sender, and by the clients it might have used.

The receiver is a process of its own on 127.0.0.1 and answers 200 to everything. Each way posts the same signed body
from the same number of tasks; rounds are interleaved, and ratios are medians of the rounds' own.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from statistics import median
from typing import Any

import httpcore
import httpx
import uvloop

from service.outside.addresses import Guard
from service.outside.sender import Sender
from service.workflow.delivery import Format, Message, message, secret

OURS = "the service's sender"
TASKS = 32
SECRETS = [secret(bytes(32))]
EVENT: dict[str, Any] = {
    "id": "01980000-0000-7000-8000-000000000001", "position": 1, "type": "item.created", "at": "2026-03-02T01:00:00Z",
    "actor": {"principal_id": None, "name": "bench"}, "item_id": "01980000-0000-7000-8000-000000000002",
    "item_version": 1, "unit_id": "01980000-0000-7000-8000-000000000003", "ledger_id": None,
    "data": {"title": "饮水管网漏损" * 20, "note": "x" * 300},
}  # fmt: skip

Post = Callable[[Message], Awaitable[int]]
Way = Callable[[str], AbstractAsyncContextManager[Post]]


def signed() -> Message:
    return message(EVENT, SECRETS, datetime.now(UTC), format=Format.STANDARD, source="/bench")


# -- the ways


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Post]:
    sender = Sender(Guard([ip_network("127.0.0.0/8")]))

    async def post(made: Message) -> int:
        return (await sender.send(url, made)).status or 0

    yield post
    sender.close()


@asynccontextmanager
async def ours_signing(url: str) -> AsyncIterator[Post]:
    async with ours(url) as post:
        yield lambda made: post(signed())


@asynccontextmanager
async def by_aiohttp(url: str) -> AsyncIterator[Post]:
    import aiohttp  # not installed by this project: measured where somebody did

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=TASKS), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:

        async def post(made: Message) -> int:
            async with session.post(url, data=made.body, headers=made.headers, allow_redirects=False) as answer:
                await answer.content.read(1024)
                return answer.status

        yield post


def one_client(**options: Any) -> Way:
    @asynccontextmanager
    async def way(url: str) -> AsyncIterator[Post]:
        async with httpx.AsyncClient(trust_env=False, verify=False, **options) as client:

            async def post(made: Message) -> int:
                return (await client.post(url, content=made.body, headers=made.headers)).status_code

            yield post

    return way


@asynccontextmanager
async def below_the_client(url: str) -> AsyncIterator[Post]:
    async with httpx.AsyncHTTPTransport(verify=False, limits=httpx.Limits(max_connections=TASKS)) as transport:

        async def post(made: Message) -> int:
            request = httpx.Request("POST", url, content=made.body, headers=made.headers)
            answer = await transport.handle_async_request(request)
            await answer.aread()
            await answer.aclose()
            return answer.status_code

        yield post


@asynccontextmanager
async def a_client_each(url: str) -> AsyncIterator[Post]:
    idle: list[httpx.AsyncClient] = []

    async def post(made: Message) -> int:
        client = idle.pop() if idle else httpx.AsyncClient(trust_env=False, verify=False)
        answer = await client.post(url, content=made.body, headers=made.headers)
        idle.append(client)
        return answer.status_code

    yield post
    for client in idle:
        await client.aclose()


@asynccontextmanager
async def core_pool(url: str) -> AsyncIterator[Post]:
    async with httpcore.AsyncConnectionPool(max_connections=TASKS) as pool:
        yield lambda made: _core(pool, url, made)


@asynccontextmanager
async def core_connections(url: str) -> AsyncIterator[Post]:
    origin = httpcore.URL(url).origin
    idle: list[httpcore.AsyncHTTPConnection] = []

    async def post(made: Message) -> int:
        connection = idle.pop() if idle else httpcore.AsyncHTTPConnection(origin)
        status = await _core(connection, url, made)
        idle.append(connection)
        return status

    yield post
    for connection in idle:
        await connection.aclose()


async def _core(sends: httpcore.AsyncConnectionPool | httpcore.AsyncHTTPConnection, url: str, made: Message) -> int:
    host = httpx.URL(url).netloc.decode()
    headers = [("host", host), ("content-length", str(len(made.body))), *made.headers]
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return (await sends.request("POST", url, headers=raw, content=made.body)).status


WAYS: dict[str, Way] = {
    OURS: ours,
    OURS + ", signing each time": ours_signing,
    "aiohttp": by_aiohttp,
    "httpcore, its connections without its pool": core_connections,
    "httpcore, its pool": core_pool,
    "httpx, a client for each connection": a_client_each,
    "httpx, its transport below the client": below_the_client,
    "httpx, one client, 32 connections": one_client(limits=httpx.Limits(max_connections=TASKS)),
    "httpx, one client as it comes": one_client(),
}


# -- measuring


async def measure(way: Way, url: str, seconds: float) -> tuple[float, float]:
    """Deliveries a second, and milliseconds of this process's processor for each."""
    made, done = signed(), 0
    async with way(url) as post:
        await asyncio.gather(*(post(made) for _ in range(TASKS)))
        began, cpu = time.perf_counter(), time.process_time()

        async def work() -> None:
            nonlocal done
            while time.perf_counter() - began < seconds:
                assert await post(made) == 200
                done += 1

        await asyncio.gather(*(work() for _ in range(TASKS)))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
    return done / took, cpu / done * 1000


def report(rounds: list[dict[str, tuple[float, float]]]) -> str:
    lines = ["| Way | Deliveries/s | Ratio | Processor ms each |", "|---|---:|---:|---:|"]
    for name in rounds[0]:
        rates = [each[name][0] for each in rounds]
        ratios = [each[name][0] / each[OURS][0] for each in rounds]
        cpu = median(each[name][1] for each in rounds)
        spread = f"{median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
        lines.append(f"| {name} | {spread} | {median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) | {cpu:.3f} |")
    return "\n".join(lines)


@contextmanager
def receiver() -> Iterator[str]:
    """The receiver's URL."""
    command = [sys.executable, "-m", "bench.sending", "--receive"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/hook"
        finally:
            process.kill()


class Receiver(asyncio.Protocol):
    """Reads no more of a request than where it ends, and answers 200."""

    def connection_made(self, transport: Any) -> None:
        self._transport, self._got = transport, b""

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            self._got = b""
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok")


async def receive() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.sending", description="How fast webhooks go out on this machine.")
    parser.add_argument("--seconds", type=float, default=3, help="length of each measurement (3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (3)")
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        uvloop.run(receive())
        return
    ways = dict(WAYS)
    try:
        import aiohttp  # noqa: F401
    except ImportError:
        del ways["aiohttp"]
    with receiver() as url:
        rounds = [
            {name: uvloop.run(measure(way, url, options.seconds)) for name, way in ways.items()}
            for _ in range(options.rounds)
        ]
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {TASKS} sends at a time, {len(signed().body)} bytes, load average {load:.1f}.\n")
    print(report(rounds))


if __name__ == "__main__":
    main()
