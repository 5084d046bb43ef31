"""Sends webhooks: one request to an address that was judged, and what came back of it.

Connections are made here, so that each goes where the guard said, under the name in the URL. There are no redirects, no
cookies and no proxies, because nothing here knows of any. Why this is not httpx: docs/decisions/0008.
"""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cached_property, lru_cache

import h11
import httpx

from service.outside.addresses import ForbiddenAddress, Guard, NoAddress, check_form, port_of
from service.outside.exchange import KEPT_SECONDS, Answer, Connection
from service.workflow.delivery import Failure, Message, Outcome

WITHIN = 15.0
"""Seconds for everything: looking the name up, connecting, sending, and the answer."""

MOST_KEPT = 200
"""Idle connections at a time; each takes a file descriptor."""

MOST_TRIED = 3
"""Addresses of one name that are tried, one after the other, in equal shares of the time."""

_Key = tuple[str, str, int]
"""Scheme, name and port of a URL: what the certificate of a connection vouched for."""


@dataclass(frozen=True, slots=True)
class _Place:
    url: httpx.URL
    key: _Key
    secure: bool


@lru_cache(maxsize=1024)
def _place(url: str) -> _Place:
    """Raises ForbiddenAddress."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise ForbiddenAddress from None
    check_form(parsed)
    key = (parsed.scheme, parsed.raw_host.decode("ascii"), port_of(parsed))
    return _Place(parsed, key, parsed.scheme == "https")


class Sender:
    """Sends to whoever `guard` lets pass, and keeps connections for the same scheme, name and port only.

    `tls` says whose certificates are trusted, by default those that httpx trusts; `within` are seconds.
    """

    def __init__(self, guard: Guard, *, tls: ssl.SSLContext | None = None, within: float = WITHIN) -> None:
        self._guard = guard
        self._given_tls = tls
        self._within = within
        self._kept: dict[_Key, list[Connection]] = {}
        self._count = 0
        self._next_sweep: asyncio.TimerHandle | None = None

    async def send(self, url: str, message: Message) -> Outcome:
        """POST the message once. Whatever an endpoint does is an outcome, no exception."""
        return await self._send(url, message, anew=False)

    async def ping(self, url: str, message: Message) -> Outcome:
        """The same on a connection of its own: what comes back tells of name, address and certificate as they are."""
        return await self._send(url, message, anew=True)

    def close(self) -> None:
        """Give up the idle connections. What is being sent ends with the task that sends it."""
        for key in list(self._kept):
            for connection in self._kept.pop(key):
                self._count -= 1
                connection.close()
        if self._next_sweep is not None:
            self._next_sweep.cancel()
            self._next_sweep = None

    async def _send(self, url: str, message: Message, *, anew: bool) -> Outcome:
        loop = asyncio.get_running_loop()
        began, answer = loop.time(), Answer()
        try:
            async with asyncio.timeout(self._within):
                await self._exchange(_place(url), message, answer, anew)
        except ForbiddenAddress:
            answer.failure = Failure.FORBIDDEN_ADDRESS
        except NoAddress:
            answer.failure = Failure.DNS
        except TimeoutError:
            answer.failure = Failure.TIMEOUT
        except ssl.SSLError:
            answer.failure = Failure.TLS
        except OSError:
            answer.failure = Failure.CONNECT
        return answer.outcome(round((loop.time() - began) * 1000))

    async def _exchange(self, place: _Place, message: Message, answer: Answer, anew: bool) -> None:
        request = _request(place.url, message)
        kept = None if anew else self._take(place.key)
        if kept is not None:
            await self._post(kept, place.key, request, message.body, answer)
            # Closed by the other side before our request was there: an endpoint that is well must not look ill.
            if answer.failure != Failure.CLOSED or kept.heard:
                return
        await self._post(await self._connect(place), place.key, request, message.body, answer)

    async def _post(self, connection: Connection, key: _Key, request: h11.Request, body: bytes, answer: Answer) -> None:
        try:
            await connection.post(request, body, answer)
        finally:
            self._leave(connection, key)

    async def _connect(self, place: _Place) -> Connection:
        """Raises ForbiddenAddress, NoAddress, OSError; SSLError where the certificate is not that of the URL's name."""
        _, name, port = place.key
        addresses = (await self._guard.addresses(place.url))[:MOST_TRIED]
        loop = asyncio.get_running_loop()
        failed: OSError = ConnectionError()
        for address in addresses:
            try:
                async with asyncio.timeout(self._within / len(addresses)):
                    # Given an address, the loop looks nothing up.
                    _, connection = await loop.create_connection(
                        lambda: Connection(loop.time),
                        address,
                        port,
                        ssl=self._tls if place.secure else None,
                        server_hostname=name if place.secure else None,
                    )
                    return connection
            except OSError as error:
                failed = error
        raise failed

    def _take(self, key: _Key) -> Connection | None:
        kept = self._kept.get(key, [])
        while kept:
            self._count -= 1
            connection = kept.pop()
            if connection.serves():
                return connection
            connection.close()
        return None

    def _leave(self, connection: Connection, key: _Key) -> None:
        if not connection.leave() or self._count >= MOST_KEPT:
            connection.close()
            return
        self._kept.setdefault(key, []).append(connection)
        self._count += 1
        self._sweep_later()

    def _sweep_later(self) -> None:
        if self._next_sweep is None and self._kept:
            self._next_sweep = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._sweep)

    def _sweep(self) -> None:
        self._next_sweep = None
        for key, kept in list(self._kept.items()):
            serving = [each for each in kept if each.serves()]
            for connection in kept:
                if connection not in serving:
                    connection.close()
            self._count -= len(kept) - len(serving)
            self._kept[key] = serving
            if not serving:
                del self._kept[key]
        self._sweep_later()

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or httpx.create_ssl_context()


def _request(url: httpx.URL, message: Message) -> h11.Request:
    headers: list[tuple[str, str]] = [
        ("host", url.netloc.decode("ascii")),
        ("user-agent", "xiaohao"),
        ("accept", "*/*"),
        ("content-length", str(len(message.body))),
        *message.headers,
    ]
    return h11.Request(method="POST", target=url.raw_path, headers=headers)
