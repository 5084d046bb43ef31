"""What moving and ending units have in common: the tree held alone, and items that follow their units."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from service.actions.service import Call
from service.store import items as item_store
from service.store import moves, units
from service.store.database import Changes, Tx
from service.workflow import events
from service.workflow.events import EventDraft
from service.workflow.items import Item
from service.workflow.trees import Line, seeing_otherwise


async def epoch(tx: Tx, call: Call) -> int:
    """The tree's, to be read before anything else that a change of the tree is decided by.

    The write must be `locking`: who lists items or makes units only shares the tree and leaves the epoch as it is.
    """
    if tx.contended:
        await tx.lock(units.EPOCH, tenant_id=call.tenant_id)
    row = await tx.one(units.EPOCH, tenant_id=call.tenant_id)
    return int(row[0]) if row else 0


def change_tree(changes: Changes, call: Call, read_epoch: int) -> None:
    """The first guard of a change of the tree: whoever has read it as it was must read it again."""
    changes.guard(units.RAISE_EPOCH, tenant_id=call.tenant_id, read_epoch=read_epoch)


async def rehang(tx: Tx, changes: Changes, call: Call, unit_id: UUID, old_above: Line, new_above: Line) -> None:
    """Hang a unit with all below it under `new_above[0]`. Its own items follow where nobody named their supervisor."""
    following = await moves.followers(tx, call.tenant_id, unit_id)
    replace_units(changes, call, [(item, {"supervising_unit_id": new_above[0]}) for item in following])
    changed = seeing_otherwise(old_above, new_above)
    moves.rehang(changes, call.tenant_id, unit_id, new_above[0], old_above=old_above, changed=changed)


def replace_units(changes: Changes, call: Call, following: list[tuple[Item, dict[str, Any]]]) -> list[Item]:
    """Give items other units, by column: each a new version with its event. Their work-list rows are not touched."""
    after = []
    drafts: list[tuple[list[EventDraft], int]] = []
    stored: list[tuple[Item, dict[str, Any]]] = []
    for item, given in following:
        columns = {**given, "version": item.version + 1, "updated_at": call.now}
        after.append(replace(item, **columns))
        stored.append((item, columns))
        drafts.append(([events.of_correction(item, after[-1], columns)], item.revision + 1))
    store_items(changes, call, stored)
    call.write_down_each(changes, drafts)
    return after


def store_items(changes: Changes, call: Call, stored: list[tuple[Item, dict[str, Any]]]) -> None:
    """Store columns of many items, each still as it was read."""
    by_statement: dict[int, tuple[Any, list[Any]]] = {}
    for item, columns in stored:
        statement, params = item_store.write_params(call.tenant_id, item, columns)
        by_statement.setdefault(id(statement), (statement, []))[1].append(params)
    for statement, rows in by_statement.values():
        changes.many(statement, rows, sure=True)
