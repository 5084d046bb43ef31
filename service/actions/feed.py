"""Following the log: what happened after a position, and waiting for more."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from service.actions import references
from service.actions.references import Named
from service.actions.service import Call, Service
from service.errors import Refused, invalid
from service.store import feed, log
from service.store.database import Tx
from service.store.feed import Wanted
from service.workflow.permissions import oversees

LOOK = 2_000
"""Positions that one answer goes through at most, however few of them are for the reader."""

POLL_SECONDS = 0.05

logger = structlog.get_logger("xiaohao.feed")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for; ledgers and units still as words. Empty filters filter nothing."""

    types: tuple[str, ...] = ()
    units: tuple[Named, ...] = ()
    ledgers: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedPage:
    """`last_position` is how far was looked, also where nothing there was for the reader; `size` how far there is."""

    events: list[dict[str, Any]]
    last_position: int
    size: int

    @property
    def at_end(self) -> bool:
        return self.last_position == self.size


async def read(service: Service, call: Call, asked: Asked, after: int, limit: int) -> FeedPage:
    """Events after a position, at most `limit`.

    Refuses `invalid_request` for unknown units and ledgers, and for a position that the log has not reached: whoever
    comes with one has followed another log, or this one before it was restored from a copy, and must begin anew.
    """

    async def action(tx: Tx) -> FeedPage:
        head = await log.head(tx, call.tenant_id)
        size = head.size if head else 0
        if after > size:
            raise invalid(("/query/after", "out_of_range"))
        wanted = await _wanted(tx, call, asked)
        until = min(after + LOOK, size)
        if until == after or not call.scope:
            return FeedPage([], until, size)
        found = await feed.read(tx, call.tenant_id, wanted, after=after, until=until, limit=limit)
        last = found[-1][0] if len(found) == limit else until
        return FeedPage([event for _, event in found], last, size)

    # The best plan depends on how much of the tenant the scope is.
    return await service.read(action, varied=True)


async def size(service: Service, call: Call) -> int:
    """How long the tenant's log is."""

    async def action(tx: Tx) -> int:
        head = await log.head(tx, call.tenant_id)
        return head.size if head else 0

    return await service.read(action)


async def _wanted(tx: Tx, call: Call, asked: Asked) -> Wanted:
    units: tuple[UUID, ...] = ()
    if asked.units:
        known = await references.find_units(tx, call.tenant_id, {each.ref for each in asked.units}, inactive=True)
        units = tuple(known.line_in(each, call.scope)[0] for each in asked.units)
    ledgers = tuple([(await references.find_ledger(tx, call, named)).id for named in asked.ledgers])
    return Wanted(call.scope, oversees(call.grants), asked.types, units, ledgers)


class Newsstand:
    """Tells those who wait that a log has grown: one question to the database for all of them, and none without any."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: dict[UUID, list[tuple[int, asyncio.Future[None]]]] = {}
        self._asking: asyncio.Task[None] | None = None

    async def beyond(self, tenant_id: UUID, position: int, seconds: float) -> bool:
        """Wait until the tenant's log is longer than `position`, at most so many seconds; whether it is."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, []).append((position, told))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        try:
            async with asyncio.timeout(seconds):
                await told
        except TimeoutError:
            return False
        finally:
            self._forget(tenant_id, told)
        return True

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _forget(self, tenant_id: UUID, told: asyncio.Future[None]) -> None:
        left = [each for each in self._waiting.get(tenant_id, ()) if each[1] is not told]
        if left:
            self._waiting[tenant_id] = left
        else:
            self._waiting.pop(tenant_id, None)

    async def _ask(self) -> None:
        while self._waiting:
            try:
                sizes = await self._service.read(self._sizes)
            except Refused as refused:
                # They learn of it when they ask themselves.
                logger.warning("feed waits", code=refused.code)
                sizes = {}
            for tenant_id, size in sizes.items():
                for position, told in self._waiting.get(tenant_id, ()):
                    if size > position and not told.done():
                        told.set_result(None)
            await asyncio.sleep(POLL_SECONDS)

    async def _sizes(self, tx: Tx) -> dict[UUID, int]:
        return await feed.sizes(tx, tuple(self._waiting))
