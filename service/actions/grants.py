"""Grants: a role for a principal over a unit, from a first to a last day."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.actions import references
from service.actions.principals import active, hold, known, may_read, may_write
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, guard, invalid
from service.store import grants
from service.store.database import Changes, Tx
from service.workflow import access_events
from service.workflow.identities import Granted
from service.workflow.states import PrincipalKind, Role

ROLES_FOR: dict[str, frozenset[Role]] = {
    PrincipalKind.PERSON: frozenset(Role) - {Role.PLATFORM},
    PrincipalKind.PLATFORM: frozenset({Role.PLATFORM, Role.VIEWER}),
}
"""A platform never holds what only a supervisor, a responsible unit or an admin may do."""


@dataclass(frozen=True, slots=True)
class GrantAsked:
    """A grant as it was asked for; the unit still as it was named."""

    role: str
    unit: Named
    subtree: bool
    since: date | None
    until: date | None


async def give(service: Service, call: Call, principal_id: UUID, asked: GrantAsked) -> Granted | Replay:
    """Give a principal a role over a unit. Refuses `invalid_request` (a role that is not for it), `not_found`."""
    check_days(call, asked.since, asked.until)

    async def action(tx: Tx) -> Granted | Replay:
        may_write(call)
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        principal = await active(tx, call, principal_id)
        if asked.role not in ROLES_FOR[principal.kind]:
            raise guard("role_for_kind", role=asked.role, kind=principal.kind)
        line = (await references.find_units(tx, call.tenant_id, [asked.unit.ref])).line(asked.unit)
        if asked.role in (Role.ADMIN, Role.AUDITOR) and len(line) > 1:
            raise guard("root_only", role=asked.role)
        granted = Granted(
            id=new_id(), principal_id=principal_id, department_id=None, role=asked.role, unit_id=line[0],
            subtree=asked.subtree, since=asked.since, until=asked.until, label=None, issuer_id=None,
            created_at=call.now,
        )  # fmt: skip
        changes = Changes()
        hold(changes, call, principal)
        changes.add(grants.INSERT, **grants.params(call.tenant_id, granted))
        call.write_down(changes, [access_events.granted(granted)])
        call.record(changes, granted)
        await tx.apply(changes)
        return granted

    return await service.write(call, action)


def check_days(call: Call, since: date | None, until: date | None) -> None:
    """Refuses a grant that would be over before it begins."""
    if until is not None and until < max(call.today, since or call.today):
        raise invalid(("/until", "in_past"))


async def end(service: Service, call: Call, principal_id: UUID, grant_id: UUID) -> None:
    """Take a grant away. Refuses `forbidden`, `not_found`, `conflict` where an admin would lock itself out."""

    async def action(tx: Tx) -> None:
        may_write(call)
        granted = await grants.by_id(tx, call.tenant_id, grant_id)
        if granted is None or granted.principal_id != principal_id:
            raise Refused("not_found")
        if granted.role == Role.ADMIN and principal_id == call.caller.principal_id:
            raise Refused("conflict", "oneself")
        changes = Changes()
        changes.guard(grants.END, tenant_id=call.tenant_id, grant_id=grant_id)
        call.write_down(changes, [access_events.grant_ended(granted)])
        await tx.apply(changes)

    await service.write(call, action)


async def page(service: Service, call: Call, principal_id: UUID, after: UUID, limit: int) -> list[Granted]:
    async def action(tx: Tx) -> list[Granted]:
        may_read(call)
        await known(tx, call, principal_id)
        return await grants.page(tx, call.tenant_id, principal_id, after, limit)

    return await service.read(action)
