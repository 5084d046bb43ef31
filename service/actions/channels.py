"""Channels that tell the people of a unit: made, changed, tested, and taken away.

Who may do that is as for webhooks: a platform manages its own, an admin all; the unit lies in the owner's grants.
"""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.actions.carrying import TABLE, attempt_of, target_of, tell
from service.actions.courier import LEASE
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.actions.webhooks import kept, known, managed, may_manage, unit_in_reach
from service.errors import Refused, invalid
from service.outside.addresses import ForbiddenAddress
from service.store import deliveries, lanes, webhooks
from service.store.database import Changes, Tx
from service.workflow import channels as rules
from service.workflow.channels import EVERY, TOLD, Target
from service.workflow.messages import ping_document
from service.workflow.states import ChannelKind, Locale
from service.workflow.webhooks import Delivery, Disabled, Status, Webhook, changed

KINDS = tuple(each.value for each in ChannelKind)


@dataclass(frozen=True, slots=True)
class Asked:
    """A channel as it was asked for; the unit still as it was named."""

    kind: str
    unit: Named
    target: Target
    locale: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with its target, of which answers show the mail addresses only."""

    row: Webhook
    target: Target


async def _check(service: Service, kind: str, target: Target) -> None:
    """Refuses `invalid_request`."""
    rules.check(kind, target)
    if target.url is None:
        if service.mailer is None:
            raise invalid(("/kind", "no_mail_server"))
        return
    guard = service.webhook_addresses if rules.at_platform(kind, target.url) else service.relay_addresses
    try:
        await guard.check(target.url)
    except ForbiddenAddress:
        raise invalid(("/url", "forbidden_address")) from None


def _seal(service: Service, call: Call, channel_id: UUID, target: Target) -> bytes:
    return service.vault.encrypt(target.to_text(), tenant_id=call.tenant_id, table=TABLE, row=channel_id)


def _opened(service: Service, call: Call, row: Webhook) -> Channel:
    return Channel(row, target_of(service.vault, call.tenant_id, row))


async def create(service: Service, call: Call, asked: Asked) -> Channel | Replay:
    """A new channel of the caller's own. Refuses `forbidden`, `invalid_request` (forbidden_address, no_mail_server)."""
    may_manage(call)
    await _check(service, asked.kind, asked.target)
    channel_id = new_id()
    sealed = _seal(service, call, channel_id, asked.target)

    async def action(tx: Tx) -> Channel | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        owner_id = call.caller.principal_id
        row = Webhook(
            id=channel_id, owner_id=owner_id, url=asked.target.shown, types=TOLD,
            unit_id=await unit_in_reach(tx, call, asked.unit, owner_id), format=asked.kind, rate_limit=None,
            enabled=asked.enabled, disabled_reason=None if asked.enabled else Disabled.BY_HAND.value,
            secret_sealed=sealed, old_secret_sealed=None, old_secret_until=None,
            failures=0, failing_since=None, failed_at=None, probe_at=None,
            version=1, created_at=call.now, updated_at=call.now, locale=asked.locale,
        )  # fmt: skip
        changes = Changes()
        changes.add(webhooks.INSERT, **webhooks.params(call.tenant_id, row))
        call.write_down(changes, [rules.created(row)])
        made = Channel(row, asked.target)
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def change(
    service: Service, call: Call, channel_id: UUID, if_version: int, given: dict[str, Any], unit: Named | None
) -> Channel:
    """Change a channel; `given` holds what was sent of url, secret, to, locale and enabled.

    Enabled again, or elsewhere, it gets another chance: what waits for it is due now. Refuses `forbidden`, `not_found`,
    `stale_version`, `invalid_request` (forbidden_address, unknown_reference).
    """

    async def look(tx: Tx) -> Webhook:
        may_manage(call)
        return await known(tx, call, channel_id, for_people=True)

    read = _opened(service, call, await service.read(look))
    aimed = {name: given[name] for name in ("url", "secret", "to") if name in given}
    target = replace(read.target, **aimed)
    moved = target != read.target
    if moved:
        await _check(service, read.row.format, target)
    sealed = _seal(service, call, channel_id, target) if moved else read.row.secret_sealed

    async def action(tx: Tx) -> Webhook:
        before = await known(tx, call, channel_id, for_people=True)
        if before.version != if_version or before.version != read.row.version:
            raise Refused("stale_version")
        said = {name: given[name] for name in ("locale", "enabled") if name in given}
        after = replace(before, **said, url=target.shown, secret_sealed=sealed)
        if unit is not None:
            after = replace(after, unit_id=await unit_in_reach(tx, call, unit, before.owner_id))
        if after == before:
            return before
        after = changed(before, after, moved=moved)
        after = replace(after, version=before.version + 1, updated_at=call.now)
        changes = Changes()
        again = after.enabled and (moved or not before.enabled)
        webhooks.change(changes, call.tenant_id, before, after, faring=again)
        if again:
            beyond = call.now + 2 * LEASE
            changes.add(lanes.FORWARD, tenant_id=call.tenant_id, webhook_id=channel_id, now=call.now, beyond=beyond)
        call.write_down(changes, [rules.updated(before, after)])
        await tx.apply(changes)
        return after

    return Channel(await service.write(call, action), target)


async def ping(service: Service, call: Call, channel_id: UUID) -> dict[str, Any] | Replay:
    """Send a test message now; the attempt. Also to a disabled channel. Refuses `forbidden`, `not_found`."""
    may_manage(call)

    async def look(tx: Tx) -> tuple[Webhook | None, Replay | None]:
        replay = await call.replayed(tx)
        return (None, replay) if replay is not None else (await known(tx, call, channel_id, for_people=True), None)

    row, replay = await service.read(look)
    if row is None:
        assert replay is not None
        return replay
    channel, said = row, ping_document(row.locale or Locale.CHINESE)

    async def pace(tx: Tx) -> bool:
        return await webhooks.pace(tx, call.tenant_id, channel_id, call.now, call.now + EVERY[channel.format])

    # It is sent at once all the same; only what follows is to keep its distance.
    await service.database.write(pace)
    message_id, target = new_id(), target_of(service.vault, call.tenant_id, channel)
    outcome = await tell(service, channel, target, said, str(message_id), message_id, call.now, ping=True)
    attempt = attempt_of(channel, outcome, call.now)
    del attempt["left"]
    return await kept(service, call, attempt)


async def read(service: Service, call: Call, channel_id: UUID) -> Channel:
    """Refuses `forbidden`, `not_found`."""

    async def action(tx: Tx) -> Webhook:
        may_manage(call)
        return await known(tx, call, channel_id, for_people=True)

    return _opened(service, call, await service.read(action))


async def page(service: Service, call: Call, after: UUID, limit: int) -> list[Channel]:
    """The channels that the caller manages, oldest first."""

    async def action(tx: Tx) -> list[Webhook]:
        return await managed(tx, call, KINDS, after, limit)

    return [_opened(service, call, row) for row in await service.read(action)]


async def replay(service: Service, call: Call, channel_id: UUID, delivery_id: UUID) -> Delivery | Replay:
    """Send a message again, with what there is to say now.

    Refuses `forbidden`, `not_found`, `invalid_request` (a delivery that is not the channel's), `conflict`
    (channel_disabled).
    """

    async def action(tx: Tx) -> Delivery | Replay:
        may_manage(call)
        first = await call.replayed(tx)
        if first is not None:
            return first
        channel = await known(tx, call, channel_id, for_people=True)
        if not channel.enabled:
            raise Refused("conflict", "channel_disabled")
        told = await deliveries.by_id(tx, call.tenant_id, channel_id, delivery_id)
        if told is None:
            raise invalid(("/delivery_id", "unknown_reference"))
        id_ = new_id()
        again = replace(
            told, id=id_, lane_id=id_, replay=True, status=Status.PENDING, attempts=(), created_at=call.now,
            done_at=None,
        )  # fmt: skip
        changes = Changes()
        changes.guard(webhooks.STANDS, tenant_id=call.tenant_id, webhook_id=channel_id)
        changes.add(deliveries.INSERT, **deliveries.params(call.tenant_id, again))
        changes.add(lanes.INSERT, **lanes.params(call.tenant_id, channel_id, id_, call.now))
        call.record(changes, again)
        await tx.apply(changes)
        return again

    return await service.write(call, action)
