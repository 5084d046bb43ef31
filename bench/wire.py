"""A load generator that costs next to nothing: kept-alive HTTP/1.1 on bare protocols, one request at a time each.

A client library would take more of the machine than the server under test. An answer that is not 2xx ends the run.
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

Request = tuple[str, bytes]
"""What it is called in the report, and the bytes to send."""


class Unexpected(Exception):
    """An answer that no load test may get."""


@dataclass(slots=True)
class Measured:
    """What was answered in `seconds`: how long each answer took, by what it is called."""

    seconds: float
    cpu: float | None = None
    """Processor seconds that the server spent on it."""
    latencies: dict[str, list[float]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.latencies.values()))

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_ms(self) -> float | None:
        """Processor milliseconds of the server for each answer."""
        return None if self.cpu is None else self.cpu * 1000 / max(1, self.count)

    def percentile(self, share: float) -> float:
        """In milliseconds, over all."""
        return percentile([value for each in self.latencies.values() for value in each], share) * 1000


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def request(method: str, path: str, key: str = "", body: bytes = b"", idempotency: str = "") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    if key:
        head.append(f"authorization: Bearer {key}")
    if idempotency:
        head.append(f"idempotency-key: {idempotency}")
    if body:
        head += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


async def drive(port: int, requests: list[Iterator[Request]], seconds: float) -> Measured:
    """Send what each iterator gives, one connection each, until the time is over. Raises Unexpected."""
    loop = asyncio.get_running_loop()
    measured = Measured(seconds)
    ends = time.perf_counter() + seconds
    clients = []
    began = time.perf_counter()
    for given in requests:
        _, client = await loop.create_connection(lambda given=given: _Client(given, measured, ends), "127.0.0.1", port)
        clients.append(client)
    try:
        await asyncio.wait_for(asyncio.gather(*(client.done for client in clients)), seconds + 60)
    finally:
        for client in clients:
            client.close()
    measured.seconds = time.perf_counter() - began
    return measured


class _Client(asyncio.Protocol):
    def __init__(self, requests: Iterator[Request], measured: Measured, ends: float) -> None:
        self._requests, self._measured, self._ends = requests, measured, ends
        self._buffer = b""
        self._name, self._sent, self._needed = "", 0.0, -1
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(Unexpected(f"the server closed the connection: {error}"))

    def close(self) -> None:
        if not self.done.done():
            self.done.cancel()
        self._transport.close()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        if self._sent >= self._ends:
            self.done.set_result(None)
            return
        self._name, content = next(self._requests)
        self._needed = -1
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        if self._needed < 0:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            at = buffer.find(b"content-length:")
            self._needed = end + 4 + int(buffer[at + 15 : buffer.find(b"\r", at)])
        if len(buffer) < self._needed:
            return
        self._buffer = b""
        if buffer[9:10] != b"2":
            self.done.set_exception(Unexpected(f"{self._name}: {buffer.decode(errors='replace')[:1500]}"))
            return
        self._measured.latencies.setdefault(self._name, []).append(time.perf_counter() - self._sent)
        self._send()
