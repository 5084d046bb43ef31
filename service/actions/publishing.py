"""Checkpoints as events: once a day, and when an admin asks for one. They reach whoever follows the log or has a
webhook, and every copy that somebody keeps is a witness."""

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from service.actions.in_turn import in_turn
from service.actions.record import checkpoint_of, sign, signer
from service.actions.service import Call, Replay, Service, record_events
from service.errors import forbidden
from service.store import published
from service.store.database import Changes, Tx
from service.store.events import shown
from service.store.published import Standing
from service.workflow import receipts
from service.workflow.access import Home
from service.workflow.deadlines import local_day
from service.workflow.events import Actor, EventDraft
from service.workflow.notes import Key
from service.workflow.permissions import administers

ACTOR = Actor(None, "log")
"""Who publishes a checkpoint where nobody asks for one."""


async def publish(service: Service, call: Call) -> dict[str, Any] | Replay:
    """Publish a checkpoint of the log as it is now; its event, as readers see it. Refuses `forbidden`."""

    async def action(tx: Tx) -> dict[str, Any] | Replay:
        if not administers(call.grants):
            raise forbidden("checkpoints")
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        changes = Changes()
        standing = await published.standing(tx, call.tenant_id)
        draft = _published(service, changes, call.tenant_id, standing, await signer(service, tx), call.now)
        (event,) = call.write_down(changes, [draft])
        result = shown(event.body, event.beside, None)
        call.record(changes, result)
        await tx.apply(changes)
        return result

    return await service.write(call, action)


async def publish_due(service: Service, now: datetime) -> int:
    """Publish a checkpoint for every tenant whose log has grown and that has none of its present day; of how many.

    Any number may do so at once. Raises an ExceptionGroup of what failed, once every tenant has had its turn.
    """

    async def action(tx: Tx) -> list[tuple[Home, datetime | None]]:
        return await published.grown(tx)

    grown = await service.read(action)
    return sum(
        await in_turn(
            partial(_publish_due, service, home, now) for home, last in grown if not _of_today(home, last, now)
        )
    )


async def _publish_due(service: Service, home: Home, now: datetime) -> bool:
    async def action(tx: Tx) -> bool:
        standing = await published.standing(tx, home.tenant_id)
        if not standing.grown or _of_today(home, standing.published_at, now):
            # Another was first.
            return False
        changes = Changes()
        draft = _published(service, changes, home.tenant_id, standing, await signer(service, tx), now)
        record_events(changes, home.tenant_id, [draft], hashing=home.hashing, actor=ACTOR, now=now)
        await tx.apply(changes)
        return True

    return await service.database.write(action)


def _of_today(home: Home, at: datetime | None, now: datetime) -> bool:
    return at is not None and local_day(at, home.timezone) >= local_day(now, home.timezone)


def _published(
    service: Service, changes: Changes, tenant_id: UUID, standing: Standing, key: Key, now: datetime
) -> EventDraft:
    published.publish(changes, tenant_id, standing, now)
    checkpoint = checkpoint_of(service, tenant_id, standing.head, now)
    return receipts.published(checkpoint, sign(service, checkpoint, key))
