"""An endpoint for webhooks on a real port of 127.0.0.1: it answers what a test wants, and keeps what it was sent."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.outside.receiver import Receiver, receiving

ALLOWED = "127.0.0.0/8"
"""The network that a service under test must be allowed to call."""


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    headers: dict[str, str]
    content: bytes

    @classmethod
    def of(cls, request: bytes) -> "Sent":
        head, _, content = request.partition(b"\r\n\r\n")
        lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
        return cls({name.lower(): value for name, _, value in lines}, content)

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def event(self) -> Any:
        return self.body["data"]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


def reply(status: int, content: str = "", **headers: str) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    encoded = content.encode()
    return f"HTTP/1.1 {status} x\r\n{lines}Content-Length: {len(encoded)}\r\n\r\n".encode() + encoded


@dataclass
class Endpoint:
    """`answers` gives the answer to a request, None for none at all; by default 200."""

    url: str = ""
    sent: list[Sent] = field(default_factory=list)
    answers: Callable[[Sent], bytes | None] = lambda sent: reply(200, "ok")
    seconds: float = 0.0
    """How long it takes."""
    closes: bool = False
    """Whether it closes the connection behind an answer."""
    handle: Callable[[], Awaitable[None]] | None = None
    """What it does with a request before it answers."""

    @property
    def types(self) -> list[str]:
        return [each.body["type"] for each in self.sent]

    def answering(self, *statuses: int) -> None:
        """These one after the other, then the last for ever."""
        first = len(self.sent)
        self.answers = lambda sent: reply(statuses[min(len(self.sent) - first, len(statuses)) - 1])


@asynccontextmanager
async def endpoint(**given: Any) -> AsyncIterator[Endpoint]:
    made = Endpoint(**given)

    async def answer(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        sent = Sent.of(receiver.requests[-1])
        made.sent.append(sent)
        content = made.answers(sent)
        await asyncio.sleep(made.seconds)
        if made.handle is not None:
            await made.handle()
        if content is not None:
            writer.write(content)
            await writer.drain()
        if made.closes:
            writer.close()

    async with receiving(answer) as receiver:
        made.url = receiver.url
        yield made
