"""The end of a unit: what it still had to do goes to another, or it does not end."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from service.actions import entries, references
from service.actions.entries import Entry
from service.actions.facts import by_calendar, case_of
from service.actions.references import Named
from service.actions.service import Call, new_id
from service.errors import Refused, guard
from service.store import ledgers, moves, units
from service.store.database import Changes, Tx
from service.workflow import ends, events
from service.workflow.guards import Command
from service.workflow.items import Lines
from service.workflow.organisation import Ledger, Unit
from service.workflow.permissions import Standing
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
    ends.check_transferable(item for item in held if item.responsible_unit_id == unit.id)
    known = await units.lines(tx, call.tenant_id, {part for item in held for part in ends.units_of(item)})
    found = {ledger_id: await _ledger(tx, call, ledger_id) for ledger_id in {item.ledger_id for item in held}}
    by = await by_calendar(tx, call)
    handed = []
    for item in held:
        ledger = found[item.ledger_id]
        entry = Entry.of(by, item, ledgers.remember(call.tenant_id, ledger), ledger.policy_epoch)
        if item.responsible_unit_id == unit.id:
            _transfer(by, entry, unit, target, known)
        else:
            _replace(by, entry, ends.replaced(entry.after, unit.id, target, known[item.responsible_unit_id]))
        handed.append(entry)
    together = Changes()
    entries.store(together, by, handed)
    changes.extend(together.merged())


def _transfer(call: Call, entry: Entry, unit: Unit, target: Line, known: dict[UUID, Line]) -> None:
    """Through the same door as every transfer."""
    item = entry.after
    lines = Lines(
        responsible=known[item.responsible_unit_id],
        supervising=known[item.supervising_unit_id],
        co=tuple(known[part] for part in item.co_unit_ids),
    )
    case = case_of(call, item, Standing.of(call.grants, lines), entry.policy, None)
    command = Command(
        trigger=Trigger.TRANSFER, responsible_unit_id=target[0], reason=f"{unit.name}（{unit.code}）停用，整体转办"
    )
    entry.advance(call, ends.handed_to(case, target, lines.supervising), command, new_id=new_id)


def _replace(call: Call, entry: Entry, units_after: dict[str, Any]) -> None:
    before = entry.after
    columns = {**units_after, "version": before.version + 1, "updated_at": call.now}
    entry.change(columns, events.of_correction(before, replace(before, **columns), columns))


async def _ledger(tx: Tx, call: Call, ledger_id: UUID) -> Ledger:
    ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
    if ledger is None:
        raise Refused("not_found")
    return ledger
