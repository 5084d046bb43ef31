"""How often a caller may ask: per key and per tenant, counted in fixed windows of the clock; and how often in vain.

The answers carry the IETF draft's fields (draft-ietf-httpapi-ratelimit-headers): `RateLimit-Policy` says what is
allowed, `RateLimit` what is left of it and for how many seconds.
"""

import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import limits
from starlette.types import Scope

from service.errors import Refused
from service.workflow.access import Caller


class Counter(Protocol):
    """Counts hits within windows of `seconds`, numbered from the epoch."""

    async def hit(self, who: str, window: int, seconds: int) -> int | None:
        """How often `who` was counted in this window, this time included; None where nobody can tell."""


class InProcess:
    """Counts in this process: a table for the present window, thrown away whole when the next begins.

    The library's own MemoryStorage starts a task at every hit that looks at every key: 400 us a request at 5,000
    callers (measured), where this takes the same at any number.
    """

    def __init__(self) -> None:
        self._tables: dict[int, tuple[int, dict[str, int]]] = {}

    async def hit(self, who: str, window: int, seconds: int) -> int:
        present, counts = self._tables.get(seconds, (-1, {}))
        # A request that began before midnight and is counted after it counts for the later day.
        if window > present:
            counts = {}
            self._tables[seconds] = window, counts
        count = counts[who] = counts.get(who, 0) + 1
        return count

    def seen(self, who: str, window: int, seconds: int) -> int:
        """How often `who` was counted in this window so far."""
        present, counts = self._tables.get(seconds, (-1, {}))
        return counts.get(who, 0) if window == present else 0


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds."""

    name: str
    amount: int
    seconds: int

    @classmethod
    def parse(cls, name: str, rate: str) -> "Limit | None":
        """`6000/minute`; None where `rate` is empty: no limit."""
        if not rate:
            return None
        item = limits.parse(rate)
        return cls(name, item.amount, item.get_expiry())


FAILURES = Limit("address", 600, 60)
"""Requests without a good credential, per client address. Ten a second: a mistaken script is not locked out for long,
and a key of 256 bits is not found in the age of the world."""


class Limits:
    """Judges each request once, right after it is known who asks."""

    def __init__(self, counter: Counter, *, per_key: str, per_tenant: str) -> None:
        self._counter = counter
        self._key, self._tenant = Limit.parse("key", per_key), Limit.parse("tenant", per_tenant)
        self._failures = InProcess() if self._key else None
        present = [limit for limit in (self._key, self._tenant) if limit]
        self._policy = ", ".join(f'"{limit.name}";q={limit.amount};w={limit.seconds}' for limit in present).encode()

    async def judge(self, caller: Caller, now: datetime, scope: Scope) -> None:
        """Count this request and leave the header fields in `scope`. Refuses `rate_limited`.

        A key that is over its limit takes nothing from its tenant. Several tokens of a person count together.
        """
        if not self._policy:
            return
        at = now.timestamp()
        left: list[str] = []
        fields = scope["rate_limit_fields"] = [(b"ratelimit-policy", self._policy)]
        wait = None
        if self._key is not None:
            wait = await self._hit(self._key, f"key/{(caller.key_id or caller.principal_id).hex}", at, left)
        if self._tenant is not None and wait is None:
            wait = await self._hit(self._tenant, f"tenant/{caller.tenant_id.hex}", at, left)
        if left:
            fields.append((b"ratelimit", ", ".join(left).encode()))
        if wait is not None:
            raise _too_many(wait)

    async def _hit(self, limit: Limit, who: str, at: float, left: list[str]) -> int | None:
        """Seconds to wait where the limit is exceeded."""
        window, wait = _window(limit, at)
        count = await self._counter.hit(who, window, limit.seconds)
        if count is None:
            return None
        left.append(f'"{limit.name}";r={max(0, limit.amount - count)};t={wait}')
        return wait if count > limit.amount else None

    def closed_to(self, address: str | None, now: datetime) -> Refused | None:
        """The refusal for an address that failed too often; each process counts for itself."""
        if self._failures is None or address is None:
            return None
        window, wait = _window(FAILURES, now.timestamp())
        failed = self._failures.seen(_neighbourhood(address), window, FAILURES.seconds)
        return _too_many(wait) if failed >= FAILURES.amount else None

    async def failed(self, address: str | None, now: datetime) -> None:
        """Note a request that nobody vouches for."""
        if self._failures is not None and address is not None:
            window, _ = _window(FAILURES, now.timestamp())
            await self._failures.hit(_neighbourhood(address), window, FAILURES.seconds)


def _window(limit: Limit, at: float) -> tuple[int, int]:
    """The number of the present window and the whole seconds until the next."""
    window = int(at // limit.seconds)
    return window, max(1, math.ceil((window + 1) * limit.seconds - at))


def _neighbourhood(address: str) -> str:
    """An IPv6 customer has a /64 and as many addresses as it likes."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def _too_many(wait: int) -> Refused:
    return Refused("rate_limited", facts={"retry_after": wait})
