"""Units change: another code, name or level; another place in the tree; an end, and a new beginning."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.actions import ending, moving, references
from service.actions.references import Named
from service.actions.service import Call, Service
from service.errors import Refused, forbidden, guard, invalid
from service.store import units
from service.store.database import Changes, Duplicate, Tx
from service.workflow import organisation_events as events
from service.workflow import trees
from service.workflow.organisation import Unit
from service.workflow.permissions import holds
from service.workflow.trees import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to change: plain fields by name; parent and heir still as they were named."""

    given: dict[str, Any]
    parent: Named | None = None
    active: bool | None = None
    transfer_to: Named | None = None


async def change(service: Service, call: Call, unit_id: UUID, if_version: int, asked: Asked) -> Unit:
    """Change a unit. Refuses `not_found`, `forbidden`, `stale_version`, `conflict` (code), and `guard_refused`:

    `root_stays`, `cycle` (move); `active_children`, `open_items`, `escalated_items`, `too_many_items` (end);
    `inactive_parent` (new beginning). A change that changes nothing is no change: the unit keeps its version.
    """
    if asked.transfer_to is not None and asked.active is not False:
        raise invalid((asked.transfer_to.pointer, "needs_inactive"))

    on_tree = asked.parent is not None or asked.active is not None

    async def action(tx: Tx) -> Unit:
        epoch = await moving.epoch(tx, call) if on_tree else 0
        before, line = await _known(tx, call, unit_id, if_version)
        after = replace(before, **asked.given)
        parent: Line = ()
        if asked.parent is not None:
            parent = await _parent(tx, call, before, asked.parent)
            after = replace(after, parent_id=parent[0])
        if asked.active is not None:
            after = replace(after, active=asked.active)
        if after == before:
            return before
        after = replace(after, version=before.version + 1, updated_at=call.now)
        _check(before, after, line, parent)
        changes = Changes()
        if (after.parent_id, after.active) != (before.parent_id, before.active):
            moving.change_tree(changes, call, epoch)
        changes.guard(units.UPDATE, **units.changed(call.tenant_id, before, after))
        heir = None
        if after.parent_id != before.parent_id:
            await moving.rehang(tx, changes, call, unit_id, line[1:], parent)
        elif before.active and not after.active:
            heir = await ending.end(tx, changes, call, before, asked.transfer_to)
        elif after.active and not before.active:
            await _check_parent_active(tx, call, line)
        call.write_down(changes, events.unit_changed(before, after, heir))
        await tx.apply(changes)
        return after

    try:
        return await service.write(call, action, locking=on_tree)
    except Duplicate as duplicate:
        if duplicate.constraint != "uq_units_tenant_id_code":
            raise
        raise Refused("conflict", "code_taken") from None


async def _known(tx: Tx, call: Call, unit_id: UUID, if_version: int) -> tuple[Unit, Line]:
    found = await units.placed(tx, call.tenant_id, unit_id, call.scope)
    if found is None:
        raise Refused("not_found")
    unit, line = found
    if not holds(call.grants, "unit:write", line):
        raise forbidden()
    if unit.version != if_version:
        raise Refused("stale_version")
    return unit, line


async def _parent(tx: Tx, call: Call, unit: Unit, named: Named) -> Line:
    """The new parent's line: an active unit, or the one that the unit hangs under already."""
    found = await references.find_units(tx, call.tenant_id, [named.ref], inactive=True)
    if found.by_ref.get(named.ref) != unit.parent_id:
        found = await references.find_units(tx, call.tenant_id, [named.ref])
    line = found.line_in(named, call.scope)
    if not holds(call.grants, "unit:write", line):
        raise forbidden()
    return line


def _check(before: Unit, after: Unit, line: Line, parent: Line) -> None:
    if after.parent_id != before.parent_id:
        trees.check_move(line, parent)
        if after.active != before.active:
            raise invalid(("/active", "one_of_two"))
    if before.parent_id is None and (after.code, after.active) != (before.code, before.active):
        raise guard("root_stays")


async def _check_parent_active(tx: Tx, call: Call, line: Line) -> None:
    found = await references.find_units(tx, call.tenant_id, [line[1]])
    if line[1] not in found.lines:
        raise guard("inactive_parent")
