"""OpenID providers that a tenant trusts: for which audience, by which algorithms, and what their claims give."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.actions import references
from service.actions.principals import may_read, may_write
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, guard, invalid
from service.outside.addresses import ForbiddenAddress
from service.store import grants, issuers, principals
from service.store.database import Changes, Duplicate, Tx
from service.workflow import access_events
from service.workflow.identities import Issuer
from service.workflow.states import Role


@dataclass(frozen=True, slots=True)
class Trust:
    """An issuer as it was asked for."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    mapping: dict[str, Any]


async def create(service: Service, call: Call, asked: Trust) -> Issuer | Replay:
    """Trust an issuer's tokens for an audience. One that was trusted before comes back under its id, so that its people
    are the same principals. Refuses `forbidden`, `invalid_request` (forbidden_address), `conflict` (issuer_taken).
    """
    may_write(call)
    try:
        await service.issuer_addresses.check(asked.issuer)
    except ForbiddenAddress:
        raise invalid(("/issuer", "forbidden_address")) from None

    async def action(tx: Tx) -> Issuer | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        await _check_mapping(tx, call, asked.mapping)
        before = await issuers.removed(tx, call.tenant_id, asked.issuer, asked.audience)
        issuer = Issuer(
            id=before.id if before else new_id(), issuer=asked.issuer, audience=asked.audience,
            algorithms=asked.algorithms, mapping=asked.mapping, active=True,
            version=before.version + 1 if before else 1,
            created_at=before.created_at if before else call.now, updated_at=call.now,
        )  # fmt: skip
        changes = Changes()
        if before is None:
            changes.add(issuers.INSERT, **issuers.params(call.tenant_id, issuer))
        else:
            changes.guard(issuers.UPDATE, **issuers.changed(call.tenant_id, before, issuer))
        changes.add(
            issuers.INSERT_TRUSTED,
            issuer=issuer.issuer, audience=issuer.audience, tenant_id=call.tenant_id, issuer_id=issuer.id,
        )  # fmt: skip
        call.write_down(changes, [access_events.issuer_trusted(issuer)])
        call.record(changes, issuer)
        await tx.apply(changes)
        return issuer

    try:
        return await service.write(call, action)
    except Duplicate as duplicate:
        if duplicate.constraint == "pk_trusted_issuers":
            raise Refused("conflict", "issuer_taken") from None
        raise


async def _check_mapping(tx: Tx, call: Call, mapping: dict[str, Any]) -> None:
    """Units that are named must be there; admin and auditor are for the root unit, named."""
    units = await references.find_units(
        tx, call.tenant_id, (rule["unit"] for rule in mapping["grants"] if rule["unit"] is not None)
    )
    for index, rule in enumerate(mapping["grants"]):
        named = rule["unit"] is not None
        line = units.line(Named(rule["unit"], f"/mapping/grants/{index}/unit")) if named else ()
        if rule["role"] in (Role.ADMIN, Role.AUDITOR) and len(line) != 1:
            raise guard("root_only", role=rule["role"])


async def _known(tx: Tx, call: Call, issuer_id: UUID) -> Issuer:
    issuer = await issuers.by_id(tx, call.tenant_id, issuer_id)
    if issuer is None:
        raise Refused("not_found")
    return issuer


async def change(service: Service, call: Call, issuer_id: UUID, if_version: int, given: dict[str, Any]) -> Issuer:
    """Change algorithms or mapping; each as a whole. What the mapping gives follows at each person's next token.

    Refuses `forbidden`, `not_found`, `stale_version`, `conflict` (issuer_removed).
    """

    async def action(tx: Tx) -> Issuer:
        may_write(call)
        before = await _known(tx, call, issuer_id)
        if before.version != if_version:
            raise Refused("stale_version")
        if not before.active:
            raise Refused("conflict", "issuer_removed")
        if "mapping" in given:
            await _check_mapping(tx, call, given["mapping"])
        after = replace(before, **given)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, updated_at=call.now)
        changes = Changes()
        changes.guard(issuers.UPDATE, **issuers.changed(call.tenant_id, before, after))
        call.write_down(changes, [access_events.issuer_updated(before, after)])
        await tx.apply(changes)
        return after

    return await service.write(call, action)


async def remove(service: Service, call: Call, issuer_id: UUID) -> None:
    """Trust no token of it any more, and end the grants that its tokens gave. Refuses `conflict` (oneself)."""

    async def action(tx: Tx) -> None:
        may_write(call)
        before = await _known(tx, call, issuer_id)
        if not before.active:
            return
        caller = await principals.by_id(tx, call.tenant_id, call.caller.principal_id)
        if call.caller.key_id is None and caller is not None and caller.issuer_id == issuer_id:
            raise Refused("conflict", "oneself")
        after = replace(before, active=False, version=before.version + 1, updated_at=call.now)
        changes = Changes()
        changes.guard(issuers.UPDATE, **issuers.changed(call.tenant_id, before, after))
        # The second guard has PostgreSQL take these one after the other: a token that was admitted a moment ago has
        # given its grants by the time they are ended.
        changes.guard(issuers.FREE, issuer=before.issuer, audience=before.audience)
        changes.add(grants.END_ALL_BY_TOKENS, tenant_id=call.tenant_id, issuer_id=issuer_id)
        call.write_down(changes, [access_events.issuer_removed(before)])
        await tx.apply(changes)

    await service.write(call, action)


async def read(service: Service, call: Call, issuer_id: UUID) -> Issuer:
    """Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> Issuer:
        may_read(call)
        return await _known(tx, call, issuer_id)

    return await service.read(action)


async def page(service: Service, call: Call, after: UUID, limit: int) -> list[Issuer]:
    """The tenant's issuers, those it trusts no more among them, oldest first."""

    async def action(tx: Tx) -> list[Issuer]:
        may_read(call)
        return await issuers.page(tx, call.tenant_id, after, limit)

    return await service.read(action)
