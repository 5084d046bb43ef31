"""Units: the organisation tree that everything else hangs on."""

from uuid import UUID

from service.actions import references, schedule
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden
from service.store import units
from service.store.database import Changes, Duplicate, Tx
from service.workflow import organisation_events
from service.workflow.organisation import Unit
from service.workflow.permissions import holds


async def create(service: Service, call: Call, *, code: str, name: str, parent: Named, level: str) -> Unit | Replay:
    """Hang a new unit under `parent`. Refuses `invalid_request` (unknown parent), `forbidden`, `conflict` (code)."""

    async def action(tx: Tx) -> Unit | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            subject = replay.answer.subject_id
            if subject is None or await _seen(tx, call, subject) is None:
                raise Refused("not_found")
            return replay
        changes = Changes()
        await schedule.hold_tree(tx, changes, call)
        found = await references.find_units(tx, call.tenant_id, [parent.ref])
        line = found.line_in(parent, call.scope)
        if not holds(call.grants, "unit:write", line):
            raise forbidden()
        unit = Unit(new_id(), code, name, line[0], level, True, 1, call.now, call.now)
        store(changes, call.tenant_id, unit)
        call.write_down(changes, [organisation_events.unit_created(unit)])
        call.record(changes, unit)
        await tx.apply(changes)
        return unit

    try:
        return await service.write(call, action)
    except Duplicate:
        raise Refused("conflict", "code_taken") from None


def store(changes: Changes, tenant_id: UUID, unit: Unit) -> None:
    """A new unit with its place in the tree."""
    values = {name: getattr(unit, name) for name in Unit.__dataclass_fields__}
    changes.add(units.INSERT, tenant_id=tenant_id, **values)
    changes.add(units.INSERT_ANCESTORS, tenant_id=tenant_id, unit_id=unit.id, parent_id=unit.parent_id)


async def read(service: Service, call: Call, unit_id: UUID) -> Unit:
    """A unit of the caller's scope. Refuses `not_found`."""

    async def action(tx: Tx) -> Unit:
        unit = await _seen(tx, call, unit_id)
        if unit is None:
            raise Refused("not_found")
        return unit

    return await service.read(action)


async def _seen(tx: Tx, call: Call, unit_id: UUID) -> Unit | None:
    row = await tx.one(units.SEEN, tenant_id=call.tenant_id, unit_id=unit_id, scope=list(call.scope))
    return Unit(*row) if row else None


async def page(service: Service, call: Call, after: str, limit: int) -> list[Unit]:
    """The units of the caller's scope by code, behind `after`."""

    async def action(tx: Tx) -> list[Unit]:
        rows = await tx.all(units.PAGE, tenant_id=call.tenant_id, scope=list(call.scope), after=after, limit=limit)
        return [Unit(*row) for row in rows]

    return await service.read(action, varied=True)
