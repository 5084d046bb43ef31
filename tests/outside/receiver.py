"""A receiver on a real port of 127.0.0.1 that answers, byte for byte, what a test wants it to, and keeps count."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Receiver:
    host: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    """Whole, as they came."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a sender has closed a connection."""

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/hook"


Answers = Callable[[Receiver, asyncio.StreamWriter], Awaitable[None]]


def saying(*answers: bytes) -> Answers:
    """The first answer to the first request, and so on; the last one to all that follow."""

    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(len(receiver.requests), len(answers)) - 1])
        await writer.drain()

    return answer


def closing_after(*answers: bytes) -> Answers:
    """The same, and closes the connection after each."""
    say = saying(*answers)

    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        await say(receiver, writer)
        writer.close()

    return answer


async def nothing(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
    """No answer, and the connection stays open."""


def dripping(head: bytes, drop: bytes, every: float = 0.0) -> Answers:
    """Writes `head` and then `drop` over and over, until the sender goes away."""

    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(every)

    return answer


@asynccontextmanager
async def receiving(
    answers: Answers, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    receiver = Receiver(host)
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                receiver.requests.append(head + await reader.readexactly(length))
                receiver.asked.set()
                await answers(receiver, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            receiver.left.set()
        finally:
            writer.close()

    def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(met, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
