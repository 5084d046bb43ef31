"""What ids are called: of units that the caller sees, and of the tenant's ledgers."""

from collections.abc import Iterable
from uuid import UUID

from service.actions.service import Call, Service
from service.store import ledgers, units
from service.store.database import Tx
from service.workflow.organisation import Ledger, Unit


async def units_seen(service: Service, call: Call, unit_ids: Iterable[UUID]) -> dict[UUID, Unit]:
    """Those of the units that lie in the caller's scope. Of one above it only the id may show, nowhere its name."""
    wanted = set(unit_ids)

    async def action(tx: Tx) -> dict[UUID, Unit]:
        lines = await units.lines(tx, call.tenant_id, wanted)
        seen = [unit_id for unit_id, line in lines.items() if call.scope.covers(line)]
        return {unit.id: unit for unit in await units.some(tx, call.tenant_id, seen)}

    return await service.read(action) if wanted else {}


async def unit_named(service: Service, call: Call, given: str) -> Unit | None:
    """The one unit of the caller's scope that is called so; None where none is, or several are."""

    async def action(tx: Tx) -> Unit | None:
        found = await units.page(tx, call.tenant_id, call.scope, "", 200, q=given.lower())
        same = [unit for unit in found if unit.name == given]
        return same[0] if len(same) == 1 else None

    return await service.read(action, varied=True)


async def every_ledger(service: Service, call: Call) -> list[Ledger]:
    """The tenant's ledgers by code, 1,000 at most."""

    async def action(tx: Tx) -> list[Ledger]:
        return await ledgers.page(tx, call.tenant_id, "", 1_000) if call.grants else []

    return await service.read(action)
