"""The same sweep as many a service writes it: an ORM session, one item and one commit at a time."""

import time
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bench.place import Place
from service.store.events import EventRow, Unsequenced
from service.store.firings import Firing
from service.store.items import ItemRow
from service.store.migrations import sqlalchemy_url
from service.store.timers import Timer

BODY = b"x" * 900


async def sweep(filled: Place, now: datetime, count: int) -> tuple[float, int]:
    """Seconds for `count` items that are due, and how many there were."""
    engine = create_async_engine(sqlalchemy_url(filled.settings.database_url, None))
    tenant_id = UUID(filled.facts.tenant_id)
    done, began = 0, time.perf_counter()
    while done < count:
        async with AsyncSession(engine) as session:
            if not await _one(session, tenant_id, now):
                break
        done += 1
    seconds = time.perf_counter() - began
    await engine.dispose()
    return seconds, done


async def _one(session: AsyncSession, tenant_id: UUID, now: datetime) -> bool:
    due = select(Timer).where(Timer.tenant_id == tenant_id, Timer.look_at <= now)  # type: ignore[arg-type]
    order = (Timer.look_at, Timer.ledger_id, Timer.unit_id, Timer.item_id)
    found = await session.execute(due.order_by(*order).limit(1).with_for_update(skip_locked=True))  # type: ignore[arg-type]
    timer = found.scalar_one_or_none()
    if timer is None:
        return False
    item = await session.get(ItemRow, (tenant_id, timer.item_id))
    assert item is not None
    timer.look_at = now + timedelta(days=7)
    item.revision += 1
    event = EventRow(
        tenant_id=tenant_id, id=uuid4(), item_id=item.id, revision=item.revision, ordinal=0, type="rung.fired", at=now,
        unit_id=item.responsible_unit_id, ledger_id=item.ledger_id, item_version=item.version,
        audience=[item.responsible_unit_id, item.supervising_unit_id], body=BODY, beside={},
    )  # fmt: skip
    session.add_all(
        [
            event,
            Unsequenced(tenant_id=tenant_id, event_id=event.id),
            Firing(
                tenant_id=tenant_id, item_id=item.id, cycle=1, rung=f"orm{now:%m%d}", anchor_on=item.due_on,
                ref=item.id, anchor="due", outcome="fired", reason=None, at=now, notice_id=None,
            ),
        ]
    )  # fmt: skip
    await session.commit()
    return True
