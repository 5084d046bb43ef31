"""Keys of principals: made and shown once, listed without their secrets, revoked for good."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.actions.principals import active, hold, known, may_read, may_write
from service.actions.service import Call, Replay, Service, new_id
from service.actions.tenants import PREFIX_LENGTH, new_key, store_key
from service.errors import Refused, guard, invalid
from service.store import keys
from service.store.database import Changes, Tx
from service.workflow import access_events
from service.workflow.identities import Key
from service.workflow.states import PrincipalKind


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which nobody sees again."""

    key: Key
    secret: str


async def create(
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
        principal = await active(tx, call, principal_id)
        if delegate and principal.kind != PrincipalKind.PLATFORM:
            raise guard("delegate_platform")
        secret = new_key()
        key = Key(
            id=new_id(), principal_id=principal_id, prefix=secret[:PREFIX_LENGTH], delegate=delegate,
            expires_at=expires_at, revoked_at=None, last_used_at=None, created_at=call.now,
        )  # fmt: skip
        changes = Changes()
        hold(changes, call, principal)
        store_key(changes, call.tenant_id, key, secret)
        call.write_down(changes, [access_events.key_created(key)])
        made = NewKey(key, secret)
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def revoke(service: Service, call: Call, principal_id: UUID, key_id: UUID) -> None:
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


async def page(service: Service, call: Call, principal_id: UUID, after: UUID, limit: int) -> list[Key]:
    async def action(tx: Tx) -> list[Key]:
        may_read(call)
        await known(tx, call, principal_id)
        return await keys.page(tx, call.tenant_id, principal_id, after, limit)

    return await service.read(action)
