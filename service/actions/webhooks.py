"""Endpoints that a tenant's platforms and admins have their events sent to: made, changed, tested, and taken away.

A platform manages its own, an admin all. Whose events an endpoint gets is its owner's scope, whoever changes it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.actions import references
from service.actions.carrying import TABLE, attempt_of, ready, retired, secrets_of
from service.actions.courier import LEASE
from service.actions.fanning import reach_of
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden, invalid
from service.outside.addresses import ForbiddenAddress
from service.store import deliveries, lanes, webhooks
from service.store.database import Changes, Tx
from service.workflow import channels
from service.workflow import webhooks as rules
from service.workflow.delivery import PING, Format, check_types, secret
from service.workflow.events import plain
from service.workflow.permissions import administers, holds_anywhere
from service.workflow.webhooks import SIGNS_FOR, Disabled, Webhook

SECRET_BYTES = 32
FORMATS = tuple(each.value for each in Format)
"""Those of webhooks; the others are channels."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An endpoint as it was asked for; the unit still as it was named."""

    url: str
    types: tuple[str, ...]
    unit: Named | None
    format: str
    rate_limit: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint and its new secret, which nobody sees again."""

    webhook: Webhook
    secret: str


def may_manage(call: Call) -> None:
    """Refuses `forbidden`, before anything is looked at."""
    if not holds_anywhere(call.grants, "webhook:manage"):
        raise forbidden("webhooks")


async def known(tx: Tx, call: Call, webhook_id: UUID, *, for_people: bool = False) -> Webhook:
    """A webhook that the caller manages, or `for_people` a channel; another's is not there."""
    webhook = await webhooks.by_id(tx, call.tenant_id, webhook_id)
    if (
        webhook is None
        or webhook.for_people != for_people
        or not (administers(call.grants) or webhook.owner_id == call.caller.principal_id)
    ):
        raise Refused("not_found")
    return webhook


def _new_secret(service: Service, tenant_id: UUID, webhook_id: UUID) -> tuple[str, bytes]:
    made = secret(os.urandom(SECRET_BYTES))
    return made, service.vault.encrypt(made, tenant_id=tenant_id, table=TABLE, row=webhook_id)


# -- what is asked for


async def _check(service: Service, url: str | None, types: Iterable[str] | None) -> None:
    if types is not None:
        check_types(list(types))
    if url is not None:
        try:
            await service.webhook_addresses.check(url)
        except ForbiddenAddress:
            raise invalid(("/url", "forbidden_address")) from None


async def unit_in_reach(tx: Tx, call: Call, named: Named | None, owner_id: UUID) -> UUID | None:
    """The unit that an endpoint is narrowed to: one that its owner sees."""
    if named is None:
        return None
    line = (await references.find_units(tx, call.tenant_id, [named.ref])).line(named)
    reach = await reach_of(tx, call.tenant_id, owner_id, call.now)
    if reach is None or not reach.scope.covers(line):
        raise invalid((named.pointer, "unknown_reference"))
    return line[0]


async def create(service: Service, call: Call, asked: Asked) -> NewSecret | Replay:
    """A new endpoint of the caller's own. Refuses `forbidden`, `invalid_request` (forbidden_address)."""
    may_manage(call)
    await _check(service, asked.url, asked.types)
    webhook_id = new_id()
    shown, sealed = _new_secret(service, call.tenant_id, webhook_id)

    async def action(tx: Tx) -> NewSecret | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        owner_id = call.caller.principal_id
        webhook = Webhook(
            id=webhook_id, owner_id=owner_id, url=asked.url, types=asked.types,
            unit_id=await unit_in_reach(tx, call, asked.unit, owner_id), format=asked.format,
            rate_limit=asked.rate_limit, enabled=asked.enabled,
            disabled_reason=None if asked.enabled else Disabled.BY_HAND.value,
            secret_sealed=sealed, old_secret_sealed=None, old_secret_until=None,
            failures=0, failing_since=None, failed_at=None, probe_at=None,
            version=1, created_at=call.now, updated_at=call.now,
        )  # fmt: skip
        changes = Changes()
        changes.add(webhooks.INSERT, **webhooks.params(call.tenant_id, webhook))
        call.write_down(changes, [rules.created(webhook)])
        made = NewSecret(webhook, shown)
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def change(
    service: Service, call: Call, webhook_id: UUID, if_version: int, given: dict[str, Any], unit: Named | None
) -> Webhook:
    """Change an endpoint; `given` holds what was sent, `unit_id` as None where `unit` names it.

    Enabled again, or elsewhere, it gets another chance: what waits for it is due now. Refuses `forbidden`, `not_found`,
    `stale_version`, `invalid_request` (forbidden_address, unknown_reference).
    """
    may_manage(call)
    await _check(service, given.get("url"), given.get("types"))

    async def action(tx: Tx) -> Webhook:
        before = await known(tx, call, webhook_id)
        if before.version != if_version:
            raise Refused("stale_version")
        after = replace(before, **given)
        if unit is not None:
            after = replace(after, unit_id=await unit_in_reach(tx, call, unit, before.owner_id))
        if after == before:
            return before
        after = replace(rules.changed(before, after), version=before.version + 1, updated_at=call.now)
        changes = Changes()
        again = after.enabled and (not before.enabled or after.url != before.url)
        webhooks.change(changes, call.tenant_id, before, after, faring=again)
        if again:
            beyond = call.now + 2 * LEASE
            changes.add(lanes.FORWARD, tenant_id=call.tenant_id, webhook_id=webhook_id, now=call.now, beyond=beyond)
        call.write_down(changes, [rules.updated(before, after)])
        await tx.apply(changes)
        return after

    return await service.write(call, action)


async def rotate(service: Service, call: Call, webhook_id: UUID) -> NewSecret | Replay:
    """A new secret; for a day from now the present one signs as well, and those before it to their own ends.

    Refuses `forbidden`, `not_found`.
    """
    may_manage(call)
    shown, sealed = _new_secret(service, call.tenant_id, webhook_id)

    async def action(tx: Tx) -> NewSecret | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        before = await known(tx, call, webhook_id)
        after = replace(
            before, secret_sealed=sealed, old_secret_sealed=retired(service.vault, call.tenant_id, before, call.now),
            old_secret_until=call.now + SIGNS_FOR, version=before.version + 1, updated_at=call.now,
        )  # fmt: skip
        changes = Changes()
        webhooks.change(changes, call.tenant_id, before, after, faring=False)
        call.write_down(changes, [rules.rotated(after)])
        made = NewSecret(after, shown)
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def ping(service: Service, call: Call, webhook_id: UUID) -> dict[str, Any] | Replay:
    """Send a test event now; the attempt. Also to a disabled endpoint. Refuses `forbidden`, `not_found`."""
    may_manage(call)

    async def look(tx: Tx) -> tuple[Webhook | None, Replay | None]:
        replay = await call.replayed(tx)
        return (None, replay) if replay is not None else (await known(tx, call, webhook_id), None)

    webhook, replay = await service.read(look)
    if webhook is None:
        assert replay is not None
        return replay
    event = {
        "id": str(new_id()), "position": None, "type": PING, "at": plain(call.now),
        "actor": {"principal_id": str(call.caller.principal_id), "name": call.caller.name, "via": None},
        "item_id": None, "item_version": None, "unit_id": None, "ledger_id": None,
        "data": {"webhook_id": str(webhook.id)},
    }  # fmt: skip
    secrets = secrets_of(service.vault, call.tenant_id, webhook, call.now)
    outcome = await service.sender.ping(webhook.url, ready(call.tenant_id, webhook, secrets, event, call.now))
    return await kept(service, call, {"event_id": event["id"], **attempt_of(webhook, outcome, call.now)})


async def kept(service: Service, call: Call, attempt: dict[str, Any]) -> dict[str, Any] | Replay:
    """What came back of a ping, kept with its key where it has one."""
    if call.receipt is None:
        return attempt

    async def keep(tx: Tx) -> dict[str, Any] | Replay:
        first = await call.replayed(tx)
        if first is not None:
            return first
        changes = Changes()
        call.record(changes, attempt)
        await tx.apply(changes)
        return attempt

    return await service.write(call, keep)


async def remove(service: Service, call: Call, webhook_id: UUID, *, for_people: bool = False) -> None:
    """Delete an endpoint with all its deliveries. Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> None:
        may_manage(call)
        webhook = await known(tx, call, webhook_id, for_people=for_people)
        key = {"tenant_id": call.tenant_id, "webhook_id": webhook_id}
        changes = Changes()
        # Two guards, so that PostgreSQL takes all these one after the other: what is being fanned out to the endpoint
        # is there by the time its deliveries are deleted.
        changes.guard(webhooks.HOLD, **key)
        changes.guard(webhooks.DELETE, **key)
        changes.add(lanes.FORGET, **key)
        changes.add(deliveries.FORGET, **key)
        call.write_down(changes, [channels.deleted(webhook) if for_people else rules.deleted(webhook)])
        await tx.apply(changes)

    await service.write(call, action)


async def read(service: Service, call: Call, webhook_id: UUID, *, for_people: bool = False) -> Webhook:
    """Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> Webhook:
        may_manage(call)
        return await known(tx, call, webhook_id, for_people=for_people)

    return await service.read(action)


async def managed(tx: Tx, call: Call, formats: Iterable[str], after: UUID, limit: int) -> list[Webhook]:
    """The endpoints of these formats that the caller manages, oldest first. Refuses `forbidden`."""
    may_manage(call)
    own = None if administers(call.grants) else call.caller.principal_id
    return await webhooks.page(tx, call.tenant_id, own, formats, after, limit)


async def page(service: Service, call: Call, after: UUID, limit: int) -> list[Webhook]:
    """The endpoints that the caller manages, oldest first."""

    async def action(tx: Tx) -> list[Webhook]:
        return await managed(tx, call, FORMATS, after, limit)

    return await service.read(action)
