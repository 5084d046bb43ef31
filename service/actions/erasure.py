"""Lawful erasure (个人信息保护法): texts of an item and its record are destroyed for good; every proof still holds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from service.actions import collecting, entries
from service.actions.facts import Present, present, present_to_change, still_at, view_of
from service.actions.service import Call, Replay, Service
from service.errors import Refused, forbidden, invalid
from service.store import attachments, blobs, erasure, imports, notices, search
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.workflow import erasure as rules
from service.workflow.attachments import Attachment
from service.workflow.erasure import Erasable, Written
from service.workflow.items import Item
from service.workflow.notices import Notice
from service.workflow.permissions import administers
from service.workflow.views import ItemView

EVERY = 1_000_000
"""More attachments than an item has."""

log = structlog.get_logger("xiaohao.erasure")

ON_NOTICES = frozenset({Erasable.NOTICES, Erasable.SIGNATURES, Erasable.ACTORS})
"""What stands on notices too, and so in the record of every item that one of them covers."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that an erasure goes through. `others` are the items besides that the notices cover, `told` what their
    histories tell of these; `moments` are those at which the item was written about together with others."""

    written: list[Written]
    notices: list[Notice]
    others: list[Item]
    told: list[Written]
    talks: bool
    moments: list[datetime]
    attachments: list[Attachment]


async def redact(
    service: Service,
    call: Call,
    item_id: UUID,
    fields: Collection[Erasable],
    reason: str,
    if_version: int | None,
    attachment_ids: Collection[UUID] = (),
) -> ItemView | Replay:
    """Destroy texts of an item, and attachments: these, or all. Where nothing of it is left, nothing is written.

    Refuses `not_found`, `forbidden`, `stale_version`, and `invalid_request` for an attachment that does not hang on it.
    """
    ordered = [field for field in Erasable if field in fields]

    async def action(tx: Tx) -> ItemView | Replay:
        found = await present_to_change(tx, call, item_id)
        if isinstance(found, Replay):
            return found
        _may_erase(call)
        still_at(found.item, if_version)
        record = await _gather(tx, call, found.item, ordered, attachment_ids)
        erased = [each.id for each in record.attachments]
        changes, after = Changes(), found.item
        columns = rules.emptied(found.item, ordered)
        left = rules.left_beside(ordered, [*record.written, *record.told], erased)
        if columns or left or erased or (record.talks and Erasable.INTERVIEWS in ordered):
            after = _erase(changes, found, columns, ordered, reason, erased)
            erasure.leave_beside(changes, call.tenant_id, left)
            _rows(changes, call, item_id, ordered, record)
            if columns.keys() & search.SEARCHED:
                changes.add(search.SWEEP)
        result = view_of(service, found.call, after, found.policy, found.lines, found.interview)
        call.record(changes, result)
        await tx.apply(changes)
        return result

    result = await service.write(call, action)
    if Erasable.ATTACHMENTS in ordered:
        await _delete_bytes(service, call)
    return result


async def _delete_bytes(service: Service, call: Call) -> None:
    """At once, where the store is there. That they are erased is on record: what fails here is made up for hourly."""
    try:
        await collecting.give_up(service, call.tenant_id, call.now)
    except Refused as refused:
        log.warning("erased bytes are not deleted yet", code=refused.code, tenant_id=str(call.tenant_id))


async def forget_contact(service: Service, call: Call, item_id: UUID, if_version: int | None) -> None:
    """Destroy who complained. Where nobody is known, nothing is written.

    Refuses `not_found`, `forbidden`, `stale_version`.
    """

    async def action(tx: Tx) -> None:
        found = await present(tx, call, item_id)
        _may_erase(call)
        still_at(found.item, if_version)
        if found.item.contact_sealed is None:
            return
        changes = Changes()
        _erase(changes, found, {"contact_sealed": None}, [rules.CONTACT], None)
        await tx.apply(changes)

    await service.write(call, action)


def _may_erase(call: Call) -> None:
    if not administers(call.grants):
        raise forbidden("erasure")


async def _gather(
    tx: Tx, call: Call, item: Item, fields: Collection[Erasable], attachment_ids: Collection[UUID]
) -> Gathered:
    written = await erasure.of_item(tx, call.tenant_id, item.id)
    talks, held = await erasure.talks(tx, call.tenant_id, item.id)
    about: list[Notice] = []
    others: list[Item] = []
    told: list[Written] = []
    if ON_NOTICES & set(fields):
        notice_ids = {each.notice_id for each in written if each.notice_id is not None}
        about = list((await notices.by_ids(tx, call.tenant_id, notice_ids)).values())
        covered = {item_id for notice in about for item_id in notice.item_ids} - {item.id}
        others = await item_store.these(tx, call.tenant_id, covered)
        told = [each for each in await erasure.of_notices(tx, call.tenant_id, about) if each.item_id != item.id]
    hung = await _hung(tx, call, item, attachment_ids) if Erasable.ATTACHMENTS in fields else []
    return Gathered(written, about, others, told, talks, [item.created_at, *held], hung)


async def _hung(tx: Tx, call: Call, item: Item, attachment_ids: Collection[UUID]) -> list[Attachment]:
    """Those of the item's attachments, of these or of all, whose bytes are still there."""
    found = await attachments.of_item(tx, call.tenant_id, item.id, UUID(int=0), EVERY)
    present = {each.id for each in found}
    wrong = [f"/attachment_ids/{index}" for index, each in enumerate(attachment_ids) if each not in present]
    if wrong:
        raise invalid(*((pointer, "unknown_reference") for pointer in wrong))
    meant = set(attachment_ids) or present
    return [each for each in found if each.id in meant and each.erased_at is None]


def _erase(
    changes: Changes,
    found: Present,
    columns: dict[str, object],
    fields: Collection[str],
    reason: str | None,
    attachment_ids: Collection[UUID] = (),
) -> Item:
    """The item without these columns, a version further, and the event that says so."""
    entry = found.entry()
    entry.change(columns | {"version": entry.after.version + 1, "updated_at": found.call.now})
    entry.change({}, rules.of_erasure(entry.after, fields, reason, attachment_ids))
    entries.store(changes, found.call, [entry])
    return entry.after


def _rows(changes: Changes, call: Call, item_id: UUID, fields: Collection[Erasable], record: Gathered) -> None:
    """What repeats the texts elsewhere, and the answers that hold them."""
    about = {"tenant_id": call.tenant_id, "item_id": item_id}
    for statement in (erasure.PROGRESS, erasure.REQUESTS, erasure.INTERVIEWS):
        erasure.rows(changes, statement, fields, **about)
    # A hash of a text would still tell whoever guesses it.
    changes.add(imports.FORGET_ROW, **about)
    notice_ids = [notice.id for notice in record.notices]
    if notice_ids:
        erasure.rows(changes, erasure.NOTICES, fields, tenant_id=call.tenant_id, notice_ids=notice_ids)
    for other in record.others:
        # Whoever writes about a notice writes about all its items: so nobody writes back what was read before this.
        statement, params = item_store.write_params(call.tenant_id, other, {})
        changes.many(statement, [params], sure=True)
    erased = [each.id for each in record.attachments]
    if erased:
        released = [each.blob_id for each in record.attachments]
        changes.add(attachments.ERASE, tenant_id=call.tenant_id, attachment_ids=erased, erased_at=call.now)
        changes.add(blobs.RELEASE, tenant_id=call.tenant_id, blob_ids=released, look_at=call.now)
    erasure.answers(changes, call.tenant_id, [item_id, *notice_ids, *erased], record.moments)
