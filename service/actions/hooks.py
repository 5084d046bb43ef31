"""Hooks (挂钩联系): a department or a leader is assigned to a village or a town, for some time, under a label."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.actions import references
from service.actions.grants import ROLES_FOR, check_days
from service.actions.principals import may_write
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, guard, invalid
from service.store import grants, hooks, principals, units
from service.store.database import Changes, Tx
from service.store.scoping import given
from service.workflow import access_events
from service.workflow.identities import Granted
from service.workflow.organisation import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A hook as it was asked for: one of principal and department, still as it was named."""

    label: str
    role: str
    principal: Named | None
    department: Named | None
    subtree: bool
    since: date | None
    until: date | None


async def hook(service: Service, call: Call, unit_id: UUID, asked: Asked) -> Granted | Replay:
    """Assign a department, or one person, to a unit. Everyone who holds a grant on the department has the role there.

    Refuses `forbidden`, `not_found`, `invalid_request` (unknown_reference, in_past), `guard_refused` (inactive_unit,
    hook_apart, role_for_kind).
    """
    check_days(call, asked.since, asked.until)

    async def action(tx: Tx) -> Granted | Replay:
        may_write(call)
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        if not (await _seen(tx, call, unit_id)).active:
            raise guard("inactive_unit")
        changes = Changes()
        principal_id = await _leader(tx, changes, call, asked) if asked.principal else None
        department_id = await _department(tx, call, unit_id, asked.department) if asked.department else None
        granted = Granted(
            id=new_id(), principal_id=principal_id, department_id=department_id, role=asked.role, unit_id=unit_id,
            subtree=asked.subtree, since=asked.since, until=asked.until, label=asked.label, issuer_id=None,
            created_at=call.now,
        )  # fmt: skip
        changes.add(grants.INSERT, **grants.params(call.tenant_id, granted))
        call.write_down(changes, [access_events.granted(granted)])
        call.record(changes, granted)
        await tx.apply(changes)
        return granted

    return await service.write(call, action)


async def _seen(tx: Tx, call: Call, unit_id: UUID) -> Unit:
    row = await tx.one(units.SEEN.over(call.scope), tenant_id=call.tenant_id, unit_id=unit_id, **given(call.scope))
    if row is None:
        raise Refused("not_found")
    return Unit(*row)


async def _leader(tx: Tx, changes: Changes, call: Call, asked: Asked) -> UUID | None:
    named = asked.principal
    if named is None or not isinstance(named.ref, UUID):
        return None
    principal = await principals.by_id(tx, call.tenant_id, named.ref)
    if principal is None or not principal.active:
        raise invalid((named.pointer, "unknown_reference"))
    if asked.role not in ROLES_FOR[principal.kind]:
        raise guard("role_for_kind", role=asked.role, kind=principal.kind)
    # A removal at the same moment must not leave a hook behind.
    changes.guard(principals.UPDATE, **principals.changed(call.tenant_id, principal, principal))
    return principal.id


async def _department(tx: Tx, call: Call, unit_id: UUID, named: Named) -> UUID:
    line = (await references.find_units(tx, call.tenant_id, [named.ref])).line_in(named, call.scope)
    if line[0] == unit_id:
        raise guard("hook_apart")
    return line[0]


async def end(service: Service, call: Call, hook_id: UUID) -> None:
    """Take a hook away. Refuses `forbidden`, `not_found` (a grant without a label is no hook)."""

    async def action(tx: Tx) -> None:
        may_write(call)
        granted = await grants.by_id(tx, call.tenant_id, hook_id)
        if granted is None or granted.label is None:
            raise Refused("not_found")
        changes = Changes()
        changes.guard(grants.END, tenant_id=call.tenant_id, grant_id=hook_id)
        call.write_down(changes, [access_events.grant_ended(granted)])
        await tx.apply(changes)

    await service.write(call, action)


async def of_unit(service: Service, call: Call, unit_id: UUID, after: UUID, limit: int) -> list[Granted]:
    """The hooks of one unit, for all who see it. Refuses `not_found`."""

    async def action(tx: Tx) -> list[Granted]:
        await _seen(tx, call, unit_id)
        return await hooks.page(tx, call.tenant_id, call.scope, after, limit, unit_id=unit_id)

    return await service.read(action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What the list of hooks is narrowed to, as it was named."""

    unit: Named | None
    department: Named | None
    principal_id: UUID | None


async def page(service: Service, call: Call, narrowed: Narrowed, after: UUID, limit: int) -> list[Granted]:
    """The hooks on the units that the caller sees. Refuses `invalid_request` (unknown units)."""

    async def action(tx: Tx) -> list[Granted]:
        named = [each for each in (narrowed.unit, narrowed.department) if each is not None]
        known = await references.find_units(tx, call.tenant_id, {each.ref for each in named}, inactive=True)
        unit_id, department_id = (
            known.line_in(each, call.scope)[0] if each is not None else None
            for each in (narrowed.unit, narrowed.department)
        )
        return await hooks.page(
            tx,
            call.tenant_id,
            call.scope,
            after,
            limit,
            unit_id=unit_id,
            department_id=department_id,
            principal_id=narrowed.principal_id,
        )

    return await service.read(action, varied=True)
