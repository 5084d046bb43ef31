"""What a running service throws away in time: answers kept for replay, and bytes that nothing refers to."""

from datetime import datetime
from uuid import UUID

from service.actions import collecting, jobs
from service.actions.service import Service
from service.store import idempotency, imports, tenants
from service.store.database import Changes, Tx


async def forget_answers(service: Service, *, before: datetime) -> None:
    """Delete the answers for replay and the reports of imports that are older than an instant, tenant by tenant."""
    for tenant_id in await service.read(_all_tenants):

        async def action(tx: Tx, tenant_id: UUID = tenant_id) -> None:
            changes = Changes()
            changes.add(idempotency.FORGET, tenant_id=tenant_id, before=before)
            changes.add(imports.FORGET, tenant_id=tenant_id, before=before)
            await tx.apply(changes)

        await service.database.write(action)


async def collect_attachments(service: Service, now: datetime) -> None:
    """Let go what hung nowhere for a day, and bytes that nothing refers to, tenant by tenant; and abandoned uploads.

    Refuses `unavailable` where the store is away.
    """

    await collecting.sweep(service, now)
    for tenant_id in await service.read(_all_tenants):
        await collecting.collect(service, tenant_id, now)


async def forget_jobs(service: Service, now: datetime) -> None:
    """Delete jobs that have expired, tenant by tenant, and what killed exports have left on the disk."""
    for tenant_id in await service.read(_all_tenants):
        await jobs.forget(service, tenant_id, now)
    service.scratch.sweep(now)


async def _all_tenants(tx: Tx) -> list[UUID]:
    return [row[0] for row in await tx.all(tenants.ALL)]
