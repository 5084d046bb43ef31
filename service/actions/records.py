"""The full record of an item (全程纪实), printed for whoever sees the item."""

from typing import Any
from uuid import UUID

from service.actions import deadline, letters, notice_board
from service.actions.facts import present, seen
from service.actions.record import signed, standing
from service.actions.service import Call, Service
from service.errors import Refused
from service.outside.letters import RECORD, Format
from service.store import history, ledgers, log, units
from service.store import notices as notice_store
from service.store.database import Tx
from service.workflow import event_words, record_sheet
from service.workflow.items import Item
from service.workflow.notices import Notice
from service.workflow.permissions import holds_anywhere
from service.workflow.record_sheet import Facts, Proof
from service.workflow.states import NoticeKind, NoticeState
from service.workflow.views import view

MAX_EVENTS = 2_000
"""Of one record; an item that has more is followed over the API."""

BATCH = 500
NEWEST = UUID(int=2**128 - 1)
HASH_NAMES = {"sha256": "SHA-256", "sm3": "SM3"}


async def print_record(service: Service, call: Call, item_id: UUID, format: Format) -> tuple[Item, bytes]:
    """The record of an item. Refuses `not_found`, `printing_unavailable`, `unavailable`."""
    explained = await deadline.explained(service, call, item_id)

    async def action(tx: Tx) -> Facts:
        found = await present(tx, call, item_id)
        ledger = await ledgers.by_id(tx, call.tenant_id, found.item.ledger_id)
        if ledger is None:
            raise Refused("not_found")
        events = await _events(tx, call, item_id)
        shown = events[:MAX_EVENTS]
        return Facts(
            view=view(found.item, found.policy, found.call.calendar, call.today),
            ledger=ledger.name,
            names=await _names(tx, call, found.item, shown),
            explanation=explained.explanation,
            rule=explained.rule,
            events=shown,
            more=len(events) > MAX_EVENTS,
            notices=await _notices(tx, call, item_id),
            proof=await _proof(service, tx, call, shown),
            printed_at=call.now,
            zone=call.tz,
        )

    facts = await service.read(action, whole=True)
    return facts.view.item, await letters.set_in_type(service, RECORD, format, record_sheet.compose(facts))


async def _events(tx: Tx, call: Call, item_id: UUID) -> list[dict[str, Any]]:
    """What happened to the item, oldest first, and one more than a record holds where there is more."""
    await seen(tx, call, item_id)
    found: list[tuple[tuple[int, int], dict[str, Any]]] = []
    after = (0, 0)
    while len(found) <= MAX_EVENTS:
        batch = await history.of_item(tx, call.tenant_id, item_id, after, BATCH)
        found += batch
        if len(batch) < BATCH:
            break
        after = batch[-1][0]
    return [event for _, event in found[: MAX_EVENTS + 1]]


async def _names(tx: Tx, call: Call, item: Item, events: list[dict[str, Any]]) -> dict[str, str]:
    """The units of the item and of everything that happened to it, by their ids as events write them."""
    wanted = {item.responsible_unit_id, item.supervising_unit_id, *item.co_unit_ids}
    wanted |= {UUID(each) for event in events for each in event_words.unit_ids(event)}
    return {str(unit.id): unit.name for unit in await units.some(tx, call.tenant_id, wanted)}


async def _notices(tx: Tx, call: Call, item_id: UUID) -> list[Notice]:
    rows = await tx.all(
        notice_store.OF_ITEM, tenant_id=call.tenant_id, item_id=item_id, before=NEWEST, kinds=list(NoticeKind),
        states=list(NoticeState), limit=BATCH,
    )  # fmt: skip
    return await notice_board.as_seen(tx, call, [notice_store.notice(row) for row in reversed(rows)])


async def _proof(service: Service, tx: Tx, call: Call, events: list[dict[str, Any]]) -> Proof | None:
    """The leaves of these events under a signed checkpoint; None for those who may not read the log."""
    if not holds_anywhere(call.grants, "log:read"):
        return None
    head, key = await standing(service, tx, call.tenant_id)
    places = [(0, event["position"] - 1) for event in events if event["position"] is not None]
    hashes = await log.tree(tx, call.tenant_id, places)
    return Proof(
        leaves={index + 1: leaf.hex() for (_, index), leaf in hashes.items()},
        note=signed(service, call.tenant_id, head, key, call.now),
        key=key.text,
        hashing=HASH_NAMES.get(head.hashing, head.hashing),
    )
