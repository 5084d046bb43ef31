"""Principals: the people and platforms that may call, and who may change them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from service.actions import references
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden, guard, invalid
from service.store import grants, keys, principals
from service.store.database import Changes, Duplicate, Tx
from service.workflow import access_events
from service.workflow.identities import Principal
from service.workflow.permissions import administers, oversees
from service.workflow.states import PrincipalKind

T = TypeVar("T")


def may_write(call: Call) -> None:
    """Refuses `forbidden` to all but admins, before anything is looked at: what is not theirs has no shape to them."""
    if not administers(call.grants):
        raise forbidden("access")


def may_read(call: Call) -> None:
    if not oversees(call.grants):
        raise forbidden("access")


async def _written(service: Service, call: Call, action: Callable[[Tx], Awaitable[T]]) -> T:
    try:
        return await service.write(call, action)
    except Duplicate as duplicate:
        if duplicate.constraint == "uq_principals_tenant_id_external_id":
            raise Refused("conflict", "external_id") from None
        if duplicate.constraint == "uq_principals_subject":
            raise Refused("conflict", "subject") from None
        raise


async def known(tx: Tx, call: Call, principal_id: UUID) -> Principal:
    principal = await principals.by_id(tx, call.tenant_id, principal_id)
    if principal is None:
        raise Refused("not_found")
    return principal


async def active(tx: Tx, call: Call, principal_id: UUID) -> Principal:
    principal = await known(tx, call, principal_id)
    if not principal.active:
        raise Refused("conflict", "inactive")
    return principal


def hold(changes: Changes, call: Call, principal: Principal) -> None:
    """The principal is as it was read: a removal at the same moment must not leave a key or a grant behind."""
    changes.guard(principals.UPDATE, **principals.changed(call.tenant_id, principal, principal))


@dataclass(frozen=True, slots=True)
class Person:
    """A principal as it was asked for; the issuer of its login still as it was named."""

    name: str
    kind: str
    external_id: str | None
    login: tuple[Named, str] | None


async def create(service: Service, call: Call, asked: Person) -> Principal | Replay:
    """A new principal without keys or grants. Refuses `forbidden`, `conflict` (external_id, subject)."""

    async def action(tx: Tx) -> Principal | Replay:
        may_write(call)
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        issuer_id, subject = None, None
        if asked.login is not None:
            named, subject = asked.login
            issuer_id = (await references.find_issuer(tx, call.tenant_id, named)).id
        principal = Principal(
            id=new_id(), name=asked.name, kind=asked.kind, external_id=asked.external_id, delegates=(),
            issuer_id=issuer_id, subject=subject, active=True, version=1, created_at=call.now, updated_at=call.now,
        )  # fmt: skip
        changes = Changes()
        changes.add(principals.INSERT, **principals.params(call.tenant_id, principal))
        call.write_down(changes, [access_events.principal_created(principal)])
        call.record(changes, principal)
        await tx.apply(changes)
        return principal

    return await _written(service, call, action)


async def change(
    service: Service,
    call: Call,
    principal_id: UUID,
    if_version: int,
    given: dict[str, Any],
    delegates: tuple[Named, ...] | None,
) -> Principal:
    """Change name, external_id or the platforms that may act for a person. Refuses `stale_version`."""

    async def action(tx: Tx) -> Principal:
        may_write(call)
        before = await known(tx, call, principal_id)
        if before.version != if_version:
            raise Refused("stale_version")
        after = replace(before, **given)
        if delegates is not None:
            after = replace(after, delegates=await _platforms(tx, call, before, delegates))
        if after == before:
            return before
        after = replace(after, version=before.version + 1, updated_at=call.now)
        changes = Changes()
        changes.guard(principals.UPDATE, **principals.changed(call.tenant_id, before, after))
        call.write_down(changes, [access_events.principal_updated(before, after)])
        await tx.apply(changes)
        return after

    return await _written(service, call, action)


async def _platforms(tx: Tx, call: Call, person: Principal, named: tuple[Named, ...]) -> tuple[UUID, ...]:
    if named and person.kind != PrincipalKind.PERSON:
        raise guard("delegates_of_person")
    found: dict[UUID, None] = {}
    for name in named:
        platform = await principals.by_id(tx, call.tenant_id, name.ref) if isinstance(name.ref, UUID) else None
        if platform is None or not platform.active or platform.kind != PrincipalKind.PLATFORM:
            raise invalid((name.pointer, "unknown_reference"))
        found[platform.id] = None
    return tuple(found)


async def remove(service: Service, call: Call, principal_id: UUID) -> None:
    """Revoke a principal's keys and end its grants. What it did stays on record. Refuses `conflict` (last_admin)."""

    async def action(tx: Tx) -> None:
        may_write(call)
        before = await known(tx, call, principal_id)
        if not before.active:
            return
        if principal_id == call.caller.principal_id:
            raise Refused("conflict", "oneself")
        after = replace(before, active=False, version=before.version + 1, updated_at=call.now)
        changes = Changes()
        changes.guard(principals.UPDATE, **principals.changed(call.tenant_id, before, after))
        changes.add(keys.REVOKE_ALL, tenant_id=call.tenant_id, principal_id=principal_id, revoked_at=call.now)
        changes.add(grants.END_ALL, tenant_id=call.tenant_id, principal_id=principal_id)
        call.write_down(changes, [access_events.principal_removed(before)])
        await tx.apply(changes)

    await service.write(call, action)


async def read(service: Service, call: Call, principal_id: UUID) -> Principal:
    """Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> Principal:
        may_read(call)
        return await known(tx, call, principal_id)

    return await service.read(action)


async def page(service: Service, call: Call, external_id: str | None, after: UUID, limit: int) -> list[Principal]:
    """The tenant's principals, oldest first; or the one that bears an external_id."""

    async def action(tx: Tx) -> list[Principal]:
        may_read(call)
        if external_id is None:
            return await principals.page(tx, call.tenant_id, after, limit)
        found = await principals.by_external_id(tx, call.tenant_id, external_id)
        return [found] if found is not None and found.id > after else []

    return await service.read(action)
