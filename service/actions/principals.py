"""Principals, their keys and their grants: who may call, and to do what."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from service.actions import references
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.actions.tenants import PREFIX_LENGTH, new_key, store_key
from service.errors import Refused, forbidden, guard, invalid
from service.store import grants, keys, principals
from service.store.database import Changes, Duplicate, Tx
from service.workflow import access_events
from service.workflow.identities import Granted, Key, Principal
from service.workflow.permissions import administers, oversees
from service.workflow.states import PrincipalKind, Role

T = TypeVar("T")

ROLES_FOR: dict[str, frozenset[Role]] = {
    PrincipalKind.PERSON: frozenset(Role) - {Role.PLATFORM},
    PrincipalKind.PLATFORM: frozenset({Role.PLATFORM, Role.VIEWER}),
}
"""A platform never holds what only a supervisor, a responsible unit or an admin may do."""


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


async def _known(tx: Tx, call: Call, principal_id: UUID) -> Principal:
    principal = await principals.by_id(tx, call.tenant_id, principal_id)
    if principal is None:
        raise Refused("not_found")
    return principal


# -- principals


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
        before = await _known(tx, call, principal_id)
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
        before = await _known(tx, call, principal_id)
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
        return await _known(tx, call, principal_id)

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


# -- keys


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which nobody sees again."""

    key: Key
    secret: str


async def create_key(
    service: Service, call: Call, principal_id: UUID, *, expires_at: datetime | None, delegate: bool
) -> NewKey | Replay:
    """A new key for a principal. Refuses `forbidden`, `not_found`, `conflict` (inactive)."""
    if expires_at is not None and expires_at <= call.now:
        raise invalid(("/expires_at", "in_past"))

    async def action(tx: Tx) -> NewKey | Replay:
        may_write(call)
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        principal = await _active(tx, call, principal_id)
        if delegate and principal.kind != PrincipalKind.PLATFORM:
            raise guard("delegate_platform")
        secret = new_key()
        key = Key(
            id=new_id(), principal_id=principal_id, prefix=secret[:PREFIX_LENGTH], delegate=delegate,
            expires_at=expires_at, revoked_at=None, last_used_at=None, created_at=call.now,
        )  # fmt: skip
        changes = Changes()
        _hold(changes, call, principal)
        store_key(changes, call.tenant_id, key, secret)
        call.write_down(changes, [access_events.key_created(key)])
        made = NewKey(key, secret)
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def _active(tx: Tx, call: Call, principal_id: UUID) -> Principal:
    principal = await _known(tx, call, principal_id)
    if not principal.active:
        raise Refused("conflict", "inactive")
    return principal


def _hold(changes: Changes, call: Call, principal: Principal) -> None:
    """The principal is as it was read: a removal at the same moment must not leave a key or a grant behind."""
    changes.guard(principals.UPDATE, **principals.changed(call.tenant_id, principal, principal))


async def revoke_key(service: Service, call: Call, principal_id: UUID, key_id: UUID) -> None:
    """End a key, for good. Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> None:
        may_write(call)
        key = await keys.by_id(tx, call.tenant_id, principal_id, key_id)
        if key is None:
            raise Refused("not_found")
        if key.revoked_at is not None:
            return
        changes = Changes()
        changes.guard(keys.REVOKE, tenant_id=call.tenant_id, key_id=key_id, revoked_at=call.now)
        call.write_down(changes, [access_events.key_revoked(key)])
        await tx.apply(changes)

    await service.write(call, action)


async def keys_of(service: Service, call: Call, principal_id: UUID, after: UUID, limit: int) -> list[Key]:
    async def action(tx: Tx) -> list[Key]:
        may_read(call)
        await _known(tx, call, principal_id)
        return await keys.page(tx, call.tenant_id, principal_id, after, limit)

    return await service.read(action)


# -- grants


@dataclass(frozen=True, slots=True)
class GrantAsked:
    """A grant as it was asked for; the unit still as it was named."""

    role: str
    unit: Named
    subtree: bool
    since: date | None
    until: date | None


async def grant(service: Service, call: Call, principal_id: UUID, asked: GrantAsked) -> Granted | Replay:
    """Give a principal a role over a unit. Refuses `invalid_request` (a role that is not for it), `not_found`."""
    check_days(call, asked.since, asked.until)

    async def action(tx: Tx) -> Granted | Replay:
        may_write(call)
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        principal = await _active(tx, call, principal_id)
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
        _hold(changes, call, principal)
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


async def end_grant(service: Service, call: Call, principal_id: UUID, grant_id: UUID) -> None:
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


async def grants_of(service: Service, call: Call, principal_id: UUID, after: UUID, limit: int) -> list[Granted]:
    async def action(tx: Tx) -> list[Granted]:
        may_read(call)
        await _known(tx, call, principal_id)
        return await grants.page(tx, call.tenant_id, principal_id, after, limit)

    return await service.read(action)
