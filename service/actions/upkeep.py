"""What a running service throws away in time."""

from datetime import datetime
from uuid import UUID

from service.actions import jobs
from service.actions.service import Service
from service.store import idempotency, tenants
from service.store.database import Changes, Tx


async def forget_answers(service: Service, *, before: datetime) -> None:
    """Delete the answers that were recorded for replay before an instant, tenant by tenant."""

    async def all_tenants(tx: Tx) -> list[UUID]:
        return [row[0] for row in await tx.all(tenants.ALL)]

    for tenant_id in await service.read(all_tenants):

        async def action(tx: Tx, tenant_id: UUID = tenant_id) -> None:
            changes = Changes()
            changes.add(idempotency.FORGET, tenant_id=tenant_id, before=before)
            await tx.apply(changes)

        await service.database.write(action)


async def forget_jobs(service: Service, now: datetime) -> None:
    """Delete jobs that have expired, tenant by tenant, and what killed exports have left on the disk."""

    async def all_tenants(tx: Tx) -> list[UUID]:
        return [row[0] for row in await tx.all(tenants.ALL)]

    for tenant_id in await service.read(all_tenants):
        await jobs.forget(service, tenant_id, now)
    service.scratch.sweep(now)
