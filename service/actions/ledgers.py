"""Ledgers and their policies."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from service.actions import references
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden, invalid
from service.store import ledgers, replans
from service.store.database import Changes, Duplicate, Tx
from service.workflow import organisation_events
from service.workflow.organisation import Ledger
from service.workflow.permissions import holds_anywhere
from service.workflow.policy import DEFAULTS, revise


async def create(
    service: Service, call: Call, *, code: str, name: str, owner: Named, listing: str, policy: dict[str, Any]
) -> Ledger | Replay:
    """Open a ledger; `policy` is partial and merged over the defaults. Refuses `forbidden`, `conflict` (code)."""
    whole = _whole(DEFAULTS, policy)

    async def action(tx: Tx) -> Ledger | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            if not call.grants:
                raise Refused("not_found")
            return replay
        if not holds_anywhere(call.grants, "ledger:write"):
            raise forbidden()
        owner_id = (await references.find_units(tx, call.tenant_id, [owner.ref])).line_in(owner, call.scope)[0]
        ledger = Ledger(new_id(), code, name, owner_id, listing, whole, 1, 1, call.now, call.now)
        changes = Changes()
        store(changes, call.tenant_id, ledger)
        call.write_down(changes, [organisation_events.ledger_created(ledger)])
        call.record(changes, ledger)
        await tx.apply(changes)
        return ledger

    try:
        return await service.write(call, action)
    except Duplicate:
        raise Refused("conflict", "code_taken") from None


def store(changes: Changes, tenant_id: UUID, ledger: Ledger) -> None:
    values = {name: getattr(ledger, name) for name in Ledger.__dataclass_fields__}
    changes.add(ledgers.INSERT, tenant_id=tenant_id, **values)


async def change(
    service: Service,
    call: Call,
    ledger_id: UUID,
    if_version: int,
    *,
    name: str | None = None,
    owner: Named | None = None,
    listing: str | None = None,
    policy: dict[str, Any] | None = None,
) -> Ledger:
    """Change what is given; a partial policy is merged over the present one. Refuses `stale_version`."""

    async def action(tx: Tx) -> Ledger:
        ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
        if ledger is None or not call.grants:
            raise Refused("not_found")
        if not holds_anywhere(call.grants, "ledger:write"):
            raise forbidden()
        if ledger.version != if_version:
            raise Refused("stale_version")
        after = replace(ledger, name=name or ledger.name, listing=listing or ledger.listing)
        if owner is not None:
            line = (await references.find_units(tx, call.tenant_id, [owner.ref])).line_in(owner, call.scope)
            after = replace(after, owner_unit_id=line[0])
        if policy is not None:
            whole = _whole(ledger.policy, policy)
            if whole != ledger.policy:
                after = replace(after, policy=whole, policy_epoch=ledger.policy_epoch + 1)
        if after == ledger:
            return ledger
        after = replace(after, version=ledger.version + 1, updated_at=call.now)
        changes = Changes()
        changes.guard(
            ledgers.UPDATE,
            tenant_id=call.tenant_id,
            ledger_id=ledger_id,
            read_version=ledger.version,
            **{f"new_{field}": getattr(after, field) for field in ledgers.CHANGEABLE},
        )
        if after.policy_epoch != ledger.policy_epoch:
            changes.add(replans.INSERT, **replans.first(call.tenant_id, new_id(), ledger_id, call.now))
        call.write_down(changes, [organisation_events.ledger_updated(ledger, after)])
        await tx.apply(changes)
        return after

    return await service.write(call, action)


def _whole(base: dict[str, Any], partial: dict[str, Any]) -> dict[str, Any]:
    whole, wrong = revise(base, partial)
    if wrong:
        raise invalid(*((f"/policy{pointer}", code) for pointer, code in wrong))
    return whole


async def read(service: Service, call: Call, ledger_id: UUID) -> Ledger:
    """Every principal that holds any grant reads the tenant's ledgers. Refuses `not_found`."""

    async def action(tx: Tx) -> Ledger:
        ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id) if call.grants else None
        if ledger is None:
            raise Refused("not_found")
        return ledger

    return await service.read(action)


async def page(service: Service, call: Call, after: str, limit: int) -> list[Ledger]:
    async def action(tx: Tx) -> list[Ledger]:
        return await ledgers.page(tx, call.tenant_id, after, limit) if call.grants else []

    return await service.read(action)
