"""Reading notices: by the units that they are to, from or copied to, and through the items that they cover."""

from dataclasses import dataclass, replace
from uuid import UUID

from service.actions.facts import seen
from service.actions.service import Call, Replay, Service
from service.errors import Refused, forbidden, guard
from service.store import items as item_store
from service.store import notices as notice_store
from service.store import units
from service.store.database import Tx
from service.store.scoping import given
from service.workflow.notices import Notice
from service.workflow.permissions import holds
from service.workflow.states import NoticeKind, NoticeState


async def find(tx: Tx, call: Call, notice_id: UUID) -> Notice:
    """A notice that the caller sees; refuses `not_found`."""
    found = await notice_store.seen(tx, call.tenant_id, notice_id, call.scope)
    if found is None:
        raise Refused("not_found")
    return found


async def seen_or_replayed(tx: Tx, call: Call, notice_id: UUID) -> tuple[Notice, Replay | None]:
    """The notice, held from here on, and what was answered under this key: looked for once nobody else changes it.

    Refuses `not_found`. To be told again what was done, reading is enough.
    """
    # A key that stands for another request is refused before anything is looked for.
    replay = await call.replayed(tx)
    notice = await find(tx, call, notice_id)
    replay = replay or await call.replayed(tx)
    if replay is not None:
        await _seen_whole(tx, call, notice)
    return notice, replay


async def _seen_whole(tx: Tx, call: Call, notice: Notice) -> None:
    """What was answered once names every item of a notice: it is not there for who does not see them all now."""
    if await as_seen(tx, call, [notice]) != [notice]:
        raise Refused("not_found")


async def still_seen(tx: Tx, call: Call, replay: Replay) -> None:
    """Whether the notice of a first answer may be shown again now; refuses `not_found`."""
    subject = replay.answer.subject_id
    if subject is None:
        raise Refused("not_found")
    await _seen_whole(tx, call, await find(tx, call, subject))


async def read(service: Service, call: Call, notice_id: UUID) -> Notice:
    """A notice, read by its units and through the items that it covers. Refuses `not_found`."""

    async def action(tx: Tx) -> Notice:
        return (await as_seen(tx, call, [await find(tx, call, notice_id)]))[0]

    return await service.read(action)


RECEIPT, ISSUE, CANCEL = "receipt", "issue", "cancel"
"""What may be done about a notice."""


async def possible(service: Service, call: Call, notice: Notice) -> dict[str, Refused | None]:
    """Each of these with what stands against it for this caller now, None where nothing does."""

    async def action(tx: Tx) -> dict[UUID, tuple[UUID, ...]]:
        return await units.lines(tx, call.tenant_id, {notice.unit_id, notice.supervising_unit_id})

    lines = await service.read(action)
    signs = holds(call.grants, "notice:receipt", lines[notice.unit_id])
    issues = holds(call.grants, "notice:issue", lines[notice.supervising_unit_id])
    draft, cancelled = notice.state == NoticeState.DRAFT, notice.state == NoticeState.CANCELLED
    return {
        RECEIPT: forbidden("claim") if not signs else None if notice.awaits_receipt else guard("awaits_receipt"),
        ISSUE: forbidden("decide") if not issues else None if draft else guard("notice_draft"),
        CANCEL: forbidden("decide") if not issues else guard("notice_cancelled") if cancelled else None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What a list of notices is narrowed to; empty means any."""

    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    item_id: UUID | None = None


async def page(service: Service, call: Call, narrowed: Narrowed, before: UUID, limit: int) -> list[Notice]:
    """Notices to or from the units of the caller's scope, or about one item; newest first. Refuses `not_found`."""

    async def action(tx: Tx) -> list[Notice]:
        asked = {
            "tenant_id": call.tenant_id,
            "kinds": list(narrowed.kinds or NoticeKind),
            "states": list(narrowed.states or NoticeState),
            "before": before,
            "limit": limit,
        }
        if narrowed.item_id is not None:
            await seen(tx, call, narrowed.item_id)
            rows = await tx.all(notice_store.OF_ITEM, **asked, item_id=narrowed.item_id)
        else:
            rows = await tx.all(notice_store.PAGE.over(call.scope), **asked, **given(call.scope))
        return await as_seen(tx, call, [notice_store.notice(row) for row in rows])

    return await service.read(action, varied=True, whole=True)


async def as_seen(tx: Tx, call: Call, found: list[Notice]) -> list[Notice]:
    """Who sees a notice through an item only sees no other items on it."""
    own = await notice_store.addressed(tx, call.tenant_id, [notice.id for notice in found], call.scope)
    strange = {item_id for notice in found if notice.id not in own for item_id in notice.item_ids}
    visible = await item_store.seen_of(tx, call.tenant_id, strange, call.scope) if strange else set()
    return [
        notice
        if notice.id in own
        else replace(notice, item_ids=tuple(each for each in notice.item_ids if each in visible))
        for notice in found
    ]
