"""Which addresses the service calls of its own accord: public ones, and the networks that an operator named.

Whoever may write a URL here could otherwise have the service read what only it can reach: its own machine, its
neighbours, the metadata of its cloud. A name is resolved, every address that it has is judged, and the connection goes
to an address that was judged: a name that answers differently a moment later is no way in.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a name that is to be called at a port. Raises OSError."""

RESOLVE_WITHIN = 5.0
"""Seconds after which a name counts as one that has no address."""

PORTS = {"https": 443, "http": 80}

_ENDS_IN_NUMBER = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9a-fA-F]*)")

TRANSLATED = IPv6Network("64:ff9b::/96")
"""An address here stands for the IPv4 address in its last 32 bits (RFC 6052)."""

NEVER_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        # Azure's metadata and name service has an address that looks public.
        "168.63.129.16/32",
        # What IANA keeps for special ends, and not every Python knows of.
        "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "100::/64", "2001::/23", "3fff::/20", "5f00::/16",
        "fec0::/10",
        # 6to4: given up, and whatever answers there answers for an IPv4 address.
        "2002::/16",
    )
)  # fmt: skip


class ForbiddenAddress(Exception):
    """The URL leads where the service does not call."""


class NoAddress(Exception):
    """The name has no address now."""


class Guard:
    """Judges URLs. `allowed` are networks that may be called though they are not public, and over plain http.

    `public`: whether public addresses may be called at all.
    """

    def __init__(self, allowed: Iterable[Network] = (), lookup: Lookup | None = None, *, public: bool = True) -> None:
        self._allowed = tuple(allowed)
        self._public = public
        self._lookup = lookup or _lookup

    async def check(self, url: str) -> None:
        """Refuse with ForbiddenAddress what could not be called as things stand.

        A name that has no address now passes where it is called by https: it is judged again when it is called. Where
        nothing public may be called, it does not.
        """
        try:
            await self.resolve(httpx.URL(url))
        except httpx.InvalidURL:
            raise ForbiddenAddress from None
        except NoAddress:
            if not self._public or not url.startswith("https:"):
                raise ForbiddenAddress from None

    async def resolve(self, url: httpx.URL) -> str:
        """The address to connect to. Raises ForbiddenAddress, NoAddress."""
        return (await self.addresses(url))[0]

    async def addresses(self, url: httpx.URL) -> list[str]:
        """The addresses to connect to, best first, all of them judged. Raises ForbiddenAddress, NoAddress."""
        check_form(url)
        found = await self._find(url.raw_host.decode("ascii"), port_of(url))
        # One bad address among good ones is how a name would be made to lead elsewhere at the second try.
        if not all(self._may_call(each, url.scheme) for each in found):
            raise ForbiddenAddress
        return [str(each) for each in found]

    async def _find(self, host: str, port: int) -> list[Address]:
        try:
            return [_unmapped(host)]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(RESOLVE_WITHIN):
                found = await self._lookup(host, port)
        except (OSError, TimeoutError, UnicodeError):
            raise NoAddress from None
        if not found:
            raise NoAddress
        return [_unmapped(each) for each in found]

    def _may_call(self, address: Address, scheme: str) -> bool:
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        return self._public and scheme == "https" and is_public(address)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could call the address as well."""
    if isinstance(address, IPv6Address) and address in TRANSLATED:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if any(address in network for network in NEVER_PUBLIC if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def check_form(url: httpx.URL) -> None:
    """Refuse with ForbiddenAddress what no address could make right.

    A name written as another name would be kept apart from it, and a number in an old form (octal, hexadecimal, short)
    is one address to one reader and another to the next.
    """
    if url.scheme not in PORTS or not url.host or url.userinfo or url.host.endswith("."):
        raise ForbiddenAddress
    if ":" not in url.host and _ENDS_IN_NUMBER.fullmatch(url.host):
        try:
            IPv4Address(url.host)
        except ValueError:
            raise ForbiddenAddress from None


def port_of(url: httpx.URL) -> int:
    return url.port or PORTS[url.scheme]


def _unmapped(text: str) -> Address:
    """An address as text, without its zone; the IPv4 address where an IPv6 one only wraps it. Raises ValueError."""
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


async def _lookup(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class Names:
    """Looks names up in threads of its own, and each name once at a time.

    A name whose servers are silent holds up one of these threads for as long as the system waits, and nobody who
    needs a thread for something else.
    """

    def __init__(self, threads: int = 16) -> None:
        self._threads = ThreadPoolExecutor(threads, "names")
        self._asked: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        asked = self._asked.get((host, port))
        if asked is None:
            asked = asyncio.get_running_loop().run_in_executor(self._threads, _system_addresses, host, port)
            self._asked[host, port] = asked
            asked.add_done_callback(lambda done: self._answered(host, port, done))
        # Whoever gives up waiting leaves the look-up to the others.
        return await asyncio.shield(asked)

    def _answered(self, host: str, port: int, done: asyncio.Future[list[str]]) -> None:
        del self._asked[host, port]
        if not done.cancelled():
            done.exception()  # looked at, where nobody waits for it any more

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _system_addresses(host: str, port: int) -> list[str]:
    return [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Guarded(httpx.AsyncBaseTransport):
    """Calls only what the guard lets pass, at the address that was judged; the certificate must be the name's.

    Raises ForbiddenAddress, NoAddress. `connects` must keep no connection: another name at the same address would
    find it open, and the certificate of the first name vouched for.
    """

    def __init__(self, guard: Guard, connects: httpx.AsyncBaseTransport) -> None:
        self._guard = guard
        self._connects = connects

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        address = await self._guard.resolve(request.url)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")},
        )
        return await self._connects.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._connects.aclose()
