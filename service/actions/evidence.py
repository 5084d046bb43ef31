"""Hanging attachments on what they prove: on exactly one thing, by whoever uploaded them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from service.actions.service import Call
from service.errors import invalid
from service.store import attachments
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.workflow.attachments import Attachment, HangsOn
from service.workflow.items import Item


async def hung_on(
    tx: Tx, call: Call, item: Item, kind: HangsOn, of: UUID | None, attachment_ids: Sequence[UUID]
) -> list[Attachment]:
    """The named attachments as they will be once they hang on a thing of the item, in the order of their naming.

    Refuses `invalid_request` at each: `already_attached` where the caller sees that it hangs somewhere, and else, as
    what is another's is not told from what is nowhere, `unknown_reference`.
    """
    if not attachment_ids:
        return []
    found = await attachments.by_ids(tx, call.tenant_id, attachment_ids)
    elsewhere = {each.item_id for each in found.values() if each.item_id is not None}
    seen = await item_store.seen_of(tx, call.tenant_id, elsewhere, call.scope) if elsewhere else set()
    wrong, hung = [], []
    for index, attachment_id in enumerate(attachment_ids):
        each = found.get(attachment_id)
        if each is not None and each.is_loose_for(call.caller.principal_id, call.now):
            hung.append(
                replace(
                    each,
                    item_id=item.id,
                    hangs_on=kind.value,
                    hangs_on_id=of,
                    cycle=item.cycle,
                    attached_at=call.now,
                )
            )
        else:
            taken = each is not None and each.item_id in seen
            wrong.append((f"/attachment_ids/{index}", "already_attached" if taken else "unknown_reference"))
    if wrong:
        raise invalid(*wrong)
    return hung


def store(changes: Changes, call: Call, hung: Iterable[Attachment]) -> None:
    """Hang them, each only while it hangs nowhere: behind the other writes of the transaction."""
    changes.many(attachments.HANG, [attachments.hung(call.tenant_id, each) for each in hung], sure=True)
