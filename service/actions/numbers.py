"""Item numbers: each process reserves them by the block. Unique and rising, gaps allowed."""

import asyncio
from collections import defaultdict
from uuid import UUID

from service.errors import Refused
from service.store import counters
from service.store.database import Blocked, Database, Duplicate, Tx

BLOCK = 100
LEDGERS_KEPT = 10_000


class Numbers:
    """The blocks that this process holds, by tenant, ledger and year."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[UUID, UUID, int], range] = {}
        self.ledger_ids: dict[tuple[UUID, UUID | str], UUID] = {}
        self._locks: defaultdict[tuple[UUID, UUID, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, database: Database, tenant_id: UUID, ledger_id: UUID, year: int, count: int) -> range:
        """The next `count` numbers of this process."""
        name = (tenant_id, ledger_id, year)
        block = self._blocks.get(name, range(0))
        if len(block) < count:
            async with self._locks[name]:
                block = self._blocks.get(name, range(0))
                if len(block) < count:
                    block = await self._reserve(database, name, max(BLOCK, count))
        self._blocks[name] = block[count:]
        return block[:count]

    def remember_ledger(self, tenant_id: UUID, ref: UUID | str, ledger_id: UUID) -> UUID:
        """Which ledger an id or code means; bounded, and cheap to learn anew."""
        if len(self.ledger_ids) >= LEDGERS_KEPT:
            self.ledger_ids.clear()
        self.ledger_ids[tenant_id, ref] = ledger_id
        return ledger_id

    async def _reserve(self, database: Database, name: tuple[UUID, UUID, int], count: int) -> range:
        tenant_id, ledger_id, year = name

        async def action(tx: Tx) -> range:
            first = await counters.reserve(tx, tenant_id, ledger_id, "item", year, count)
            return range(first, first + count)

        for _ in range(5):
            try:
                return await database.write(action)
            except Duplicate:
                # Another process made the year's first block at the same moment; now there is a row to count on.
                continue
            except Blocked:
                break
        raise Refused("unavailable")
