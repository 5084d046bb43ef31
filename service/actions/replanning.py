"""After a change of calendar or policy: open items are brought forward, so that the next look plans them anew.

In bounded steps, so that a county of a million items changes its policy without anybody waiting. A second walk, once
every transaction that may not have known of the change has ended, finds the items that were written meanwhile.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from service.actions.service import Service, new_id
from service.errors import Refused
from service.store import replans, timers
from service.store.database import Blocked, Changes, Tx

STEP = 1000
"""Items that one transaction brings forward."""

AGAIN_AFTER = timedelta(seconds=65)
"""Longer than any transaction may last."""

START = UUID(int=0)


@dataclass(slots=True)
class Walked:
    """What a round did about changes: steps that were taken, items brought forward, steps that failed."""

    steps: int = 0
    items: int = 0
    failed: list[Exception] = field(default_factory=list)


async def bring_forward(service: Service, now: datetime) -> Walked:
    """One step of each change that waits. A step that fails keeps no other waiting, and is told in the answer."""

    async def waiting(tx: Tx) -> list[tuple[UUID, UUID]]:
        return [(row[0], row[1]) for row in await tx.all(replans.NEXT, now=now, limit=20)]

    walked = Walked()
    for tenant_id, each in await service.read(waiting):
        try:
            forwarded = await _step(service, tenant_id, each, now)
        except Exception as error:
            walked.failed.append(error)
            continue
        if forwarded is not None:
            walked.steps += 1
            walked.items += forwarded
    return walked


async def _step(service: Service, tenant_id: UUID, replan_id: UUID, now: datetime) -> int | None:
    """How many items it brought forward; None where another worker has the change in hand, or has just ended it.

    Refuses `unavailable` where the database is away, or somebody holds a row for too long.
    """

    async def action(tx: Tx) -> int | None:
        row = await tx.one(replans.HELD, tenant_id=tenant_id, replan_id=replan_id)
        if row is None:
            return None
        _, _, ledger_id, cursor, _, stale_only, _ = row
        rows = await tx.all(timers.NEXT_OF_TENANT, tenant_id=tenant_id, after=cursor or START, limit=STEP)
        changes = Changes()
        wanted = [item_id for item_id, of_ledger, _ in rows if ledger_id is None or of_ledger == ledger_id]
        if stale_only and wanted:
            wanted = [found[0] for found in await tx.all(replans.STALE, tenant_id=tenant_id, item_ids=wanted)]
        # The others are due already.
        ahead = {item_id for item_id, _, look_at in rows if look_at > now}.intersection(wanted)
        if wanted:
            changes.add(timers.FORWARD, tenant_id=tenant_id, item_ids=wanted, now=now)
        if len(rows) == STEP:
            changes.add(replans.MOVE, tenant_id=tenant_id, replan_id=replan_id, new_cursor=rows[-1][0])
        else:
            changes.add(replans.END, tenant_id=tenant_id, replan_id=replan_id)
            if not stale_only:
                changes.add(replans.INSERT, **_again(tenant_id, ledger_id, now))
        await tx.apply(changes)
        return len(ahead)

    try:
        return await service.database.write(action, locking=True)
    except Blocked:
        raise Refused("unavailable") from None


def _again(tenant_id: UUID, ledger_id: UUID | None, now: datetime) -> dict[str, Any]:
    return replans.first(tenant_id, new_id(), ledger_id, now) | {"not_before": now + AGAIN_AFTER, "stale_only": True}
