"""Progress entries: what was done on an item, by which side."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from service.actions import entries, evidence
from service.actions.facts import present_to_change, seen
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden
from service.store import progress
from service.store.database import Changes, Tx
from service.workflow import events
from service.workflow.attachments import HangsOn
from service.workflow.items import Progress
from service.workflow.states import State


async def report(
    service: Service, call: Call, item_id: UUID, text: str, percent: int | None, attachment_ids: tuple[UUID, ...] = ()
) -> Progress | Replay:
    """Add a progress entry. Refuses `not_found`, `forbidden`, `invalid_request` where an attachment cannot be hung
    there, and `invalid_transition` on a closed item."""

    async def action(tx: Tx) -> Progress | Replay:
        found = await present_to_change(tx, call, item_id)
        if isinstance(found, Replay):
            return found
        if not found.standing.reports:
            raise forbidden()
        entry = found.entry()
        item = entry.after
        if item.state == State.CLOSED:
            raise Refused("invalid_transition", facts={"state": item.state, "trigger": "progress"})
        principal = call.caller.principal_id
        side = "responsible" if found.standing.reports_as_responsible else "supervising"
        made = Progress(
            new_id(), item.id, item.cycle, call.now, principal, call.caller.name, side, text, percent, attachment_ids
        )
        hung = await evidence.hung_on(tx, call, item, HangsOn.PROGRESS, made.id, attachment_ids)
        columns: dict[str, Any] = {
            "version": item.version + 1,
            "updated_at": call.now,
            "evidence_count": item.evidence_count + 1 + len(hung),
        }
        if side == "responsible":
            columns["hands"] = item.with_hand("progressed", principal)
        after = replace(item, **columns)
        event = events.of_progress(after, progress_id=made.id, text=text, percent=percent, side=side, hung=hung)
        entry.change(columns, event)
        entry.row(progress.INSERT, progress.params(call.tenant_id, made))
        changes = Changes()
        entries.store(changes, found.call, [entry])
        evidence.store(changes, call, hung)
        call.record(changes, made)
        await tx.apply(changes)
        return made

    return await service.write(call, action)


async def page(service: Service, call: Call, item_id: UUID, after: UUID, limit: int) -> list[Progress]:
    """An item's progress entries, oldest first, behind `after`. Refuses `not_found`."""

    async def action(tx: Tx) -> list[Progress]:
        await seen(tx, call, item_id)
        return await progress.page(tx, call.tenant_id, item_id, after, limit)

    return await service.read(action)
