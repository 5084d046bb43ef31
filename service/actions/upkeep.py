"""What a running service throws away in time: answers kept for replay, jobs, deliveries of long ago, and bytes that
nothing refers to."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from service.actions import collecting, deliveries, jobs
from service.actions.in_turn import in_turn
from service.actions.service import Service
from service.store import idempotency, imports, tenants
from service.store.database import Changes, Tx


async def forget_answers(service: Service, *, before: datetime) -> None:
    """Delete the answers for replay and the reports of imports that are older than an instant, tenant by tenant."""

    async def of(tenant_id: UUID) -> None:
        changes = Changes()
        changes.add(idempotency.FORGET, tenant_id=tenant_id, before=before)
        changes.add(imports.FORGET, tenant_id=tenant_id, before=before)
        await service.database.write(lambda tx: tx.apply(changes))

    await _for_every_tenant(service, of)


async def collect_attachments(service: Service, now: datetime) -> None:
    """Let go what hung nowhere for a day, and bytes that nothing refers to, tenant by tenant; and abandoned uploads.

    Refuses `unavailable` where the store is away.
    """
    await collecting.sweep(service, now)
    await _for_every_tenant(service, lambda tenant_id: collecting.collect(service, tenant_id, now))


async def forget_jobs(service: Service, now: datetime) -> None:
    """Delete jobs that have expired, tenant by tenant, and what killed exports have left on the disk."""
    service.scratch.sweep(now)
    await _for_every_tenant(service, lambda tenant_id: jobs.forget(service, tenant_id, now))


async def forget_deliveries(service: Service, now: datetime) -> None:
    """Delete deliveries that came to their end long ago, tenant by tenant."""
    await _for_every_tenant(service, lambda tenant_id: deliveries.forget(service, tenant_id, now))


async def _for_every_tenant(service: Service, chore: Callable[[UUID], Awaitable[object]]) -> None:
    """Raises an ExceptionGroup of what failed, once every tenant has had its turn."""

    async def every(tx: Tx) -> list[UUID]:
        return [row[0] for row in await tx.all(tenants.ALL)]

    await in_turn(partial(chore, tenant_id) for tenant_id in await service.read(every))
