"""The end of a unit: what it still had to do goes to another, or it does not end."""

from typing import Any
from uuid import UUID

from service.actions import moving, references, schedule
from service.actions.facts import case_of
from service.actions.references import Named
from service.actions.service import Call, new_id
from service.errors import Refused, guard
from service.store import ledgers, moves, units
from service.store.database import Changes, Tx
from service.workflow import ends, events, machine
from service.workflow.events import EventDraft
from service.workflow.guards import Command
from service.workflow.items import Item, Lines
from service.workflow.organisation import Unit
from service.workflow.permissions import Standing
from service.workflow.policy import Policy
from service.workflow.states import Trigger
from service.workflow.trees import Line

MAX_ITEMS = 1000
"""What one request hands over at most; beyond that the unit is emptied by transfers first."""


async def end(tx: Tx, changes: Changes, call: Call, unit: Unit, heir: Named | None) -> UUID | None:
    """Check that a unit may end, and hand its open items over where an heir is named; the heir's id.

    Refuses `active_children`, `open_items`, `escalated_items`, `too_many_items`, and what refuses a transfer.
    """
    if await tx.one(units.ACTIVE_CHILD, tenant_id=call.tenant_id, unit_id=unit.id) is not None:
        raise guard("active_children")
    count = await moves.count_open(tx, call.tenant_id, unit.id)
    if heir is None:
        if count:
            raise guard("open_items", count=count)
        return None
    if count > MAX_ITEMS:
        raise guard("too_many_items", count=count, max=MAX_ITEMS)
    target = (await references.find_units(tx, call.tenant_id, [heir.ref])).line_in(heir, call.scope)
    if target[0] == unit.id:
        raise guard("other_unit")
    await _hand_over(tx, changes, call, unit, target)
    return target[0]


async def _hand_over(tx: Tx, changes: Changes, call: Call, unit: Unit, target: Line) -> None:
    held = await moves.open_items(tx, call.tenant_id, unit.id)
    own = [item for item in held if item.responsible_unit_id == unit.id]
    ends.check_transferable(own)
    known = await units.lines(tx, call.tenant_id, {part for item in held for part in ends.units_of(item)})
    after = await _transfer(tx, changes, call, unit, target, own, known)
    others = [item for item in held if item.responsible_unit_id != unit.id]
    replaced = [(item, ends.replaced(item, unit.id, target, known[item.responsible_unit_id])) for item in others]
    after += moving.replace_units(changes, call, replaced)
    schedule.rederive(changes, call, after)


async def _transfer(
    tx: Tx, changes: Changes, call: Call, unit: Unit, target: Line, own: list[Item], known: dict[UUID, Line]
) -> list[Item]:
    """Through the same door as every transfer."""
    policies = {item.ledger_id: await _policy(tx, call, item.ledger_id) for item in own}
    command = Command(
        trigger=Trigger.TRANSFER, responsible_unit_id=target[0], reason=f"{unit.name}（{unit.code}）停用，整体转办"
    )
    stored: list[tuple[Item, dict[str, Any]]] = []
    drafts: list[tuple[list[EventDraft], int]] = []
    after = []
    for item in own:
        lines = Lines(
            responsible=known[item.responsible_unit_id],
            supervising=known[item.supervising_unit_id],
            co=tuple(known[part] for part in item.co_unit_ids),
        )
        standing = Standing.of(call.grants, lines)
        case = case_of(call, item, standing, policies[item.ledger_id], None)
        step = machine.advance(ends.handed_to(case, target, lines.supervising), command, new_id=new_id)
        stored.append((item, step.changes))
        drafts.append((events.of_step(step), item.revision + 1))
        after.append(step.after)
    moving.store_items(changes, call, stored)
    call.write_down_each(changes, drafts)
    return after


async def _policy(tx: Tx, call: Call, ledger_id: UUID) -> Policy:
    ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
    if ledger is None:
        raise Refused("not_found")
    return ledgers.remember(call.tenant_id, ledger)
