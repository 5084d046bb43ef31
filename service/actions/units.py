"""Units: the organisation tree that everything else hangs on."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.actions import references, schedule
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden
from service.store import units
from service.store.database import Changes, Duplicate, Tx
from service.store.scoping import given
from service.workflow import organisation_events, trees
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
    changes.add(units.INSERT, **units.params(tenant_id, unit))
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
    row = await tx.one(units.SEEN.over(call.scope), tenant_id=call.tenant_id, unit_id=unit_id, **given(call.scope))
    return Unit(*row) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What a list of units is narrowed to; the parent still as it was named."""

    parent: Named | None = None
    levels: tuple[str, ...] = ()
    active: bool | None = None
    q: str | None = None


async def page(service: Service, call: Call, narrowed: Narrowed, after: str, limit: int) -> list[Unit]:
    """The units of the caller's scope by code, behind `after`. Refuses `invalid_request` (unknown parent)."""

    async def action(tx: Tx) -> list[Unit]:
        asked: dict[str, Any] = {}
        if narrowed.parent is not None:
            known = await references.find_units(tx, call.tenant_id, [narrowed.parent.ref], inactive=True)
            asked["unit_id"] = known.line_in(narrowed.parent, call.scope)[0]
        if narrowed.levels:
            asked["levels"] = list(narrowed.levels)
        if narrowed.active is not None:
            asked["active"] = narrowed.active
        if narrowed.q is not None:
            asked["q"] = narrowed.q.lower()
        return await units.page(tx, call.tenant_id, call.scope, after, limit, **asked)

    return await service.read(action, varied=True)


MAX_NODES = 10_000


@dataclass(frozen=True, slots=True)
class Subtree:
    """A unit and what lies below it in tree order, each with its depth; `truncated`: the farthest were left out."""

    nodes: list[tuple[int, Unit]]
    truncated: bool


async def subtree(service: Service, call: Call, unit_id: UUID, depth: int) -> Subtree:
    """A unit with what lies up to `depth` levels below it, MAX_NODES at most. Refuses `not_found`."""

    async def action(tx: Tx) -> Subtree:
        rows = await tx.all(
            units.SUBTREE.over(call.scope),
            tenant_id=call.tenant_id,
            unit_id=unit_id,
            **given(call.scope),
            depth=depth,
            limit=MAX_NODES + 1,
        )
        if not rows:
            raise Refused("not_found")
        found = [Unit(*row) for row in rows[:MAX_NODES]]
        return Subtree(trees.in_tree_order(found, unit_id), len(rows) > MAX_NODES)

    return await service.read(action, varied=True)
