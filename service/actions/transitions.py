"""Moving items through their states: people and the clock go through the same door."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from service.actions import entries, references, schedule
from service.actions.facts import Present, change, present, present_to_change, still_at, view_of
from service.actions.issuing import Sheet, issue
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, invalid
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.workflow import machine
from service.workflow.guards import Case, Command
from service.workflow.items import Lines
from service.workflow.states import NoticeKind, Trigger
from service.workflow.views import ItemView


async def transitions(service: Service, call: Call, item_id: UUID) -> list[tuple[str, Refused | None]]:
    """Each trigger with what stands against it for this caller now. Refuses `not_found`."""

    async def action(tx: Tx) -> list[tuple[str, Refused | None]]:
        return machine.prospects((await present(tx, call, item_id)).case)

    return await service.read(action)


@dataclass(frozen=True, slots=True)
class Move:
    """A trigger with the references of its input still as they were sent."""

    command: Command
    responsible: Named | None = None
    supervising: Named | None = None


ON_TREE = (Trigger.TRANSFER, Trigger.ESCALATE)
"""What makes rows anew for the units that see them."""


async def advance(service: Service, call: Call, item_id: UUID, move: Move, if_version: int | None) -> ItemView | Replay:
    """Fire a trigger. Refuses `not_found`, `forbidden`, `stale_version`, `invalid_transition`, `guard_refused`."""
    trigger = move.command.trigger

    async def action(tx: Tx) -> ItemView | Replay:
        changes = Changes()
        if trigger in ON_TREE:
            await schedule.hold_tree(tx, changes, call)
        found = await present_to_change(tx, call, item_id)
        if isinstance(found, Replay):
            return found
        machine.authorize(found.case, move.command)
        still_at(found.item, if_version)
        result = await fire(tx, service, changes, found, move)
        call.record(changes, result)
        await tx.apply(changes)
        return result

    # An escalation issues its notice, whose number is held until the commit.
    return await service.write(call, action, locking=trigger == Trigger.ESCALATE)


async def fire(
    tx: Tx,
    service: Service,
    changes: Changes,
    found: Present,
    move: Move,
    *,
    entry: entries.Entry | None = None,
    approving: str | None = None,
    afterwards: Callable[[Command], None] | None = None,
) -> ItemView:
    """Fire a trigger on a present item and add what it changes; the item as the caller sees it then.

    `entry` has what else is written about the item, `approving` the kind of the request that is granted. `afterwards`
    is told what was fired, its units found, and may write more about the item.
    """
    call, lines = found.call, found.lines
    entry = entry or found.entry()
    case, command, lines = await resolve(tx, call, replace(found.case, item=entry.after), move, lines)
    sheets = [Sheet.about(entry, NoticeKind.INTERVIEW)] if command.trigger == Trigger.ESCALATE else []
    notice_id = sheets[0].id if sheets else None
    step = entry.advance(call, case, command, new_id=new_id, approving=approving, notice_id=notice_id)
    if afterwards is not None:
        afterwards(command)
    for sheet in sheets:
        sheet.cover(entry)
    await issue(tx, changes, call, sheets)
    entries.store(changes, call, [entry])
    if case.twin is not None:
        # That the other item is no duplicate itself was read; this write holds only while it stays so.
        change(changes, call, case.twin, {})
    return view_of(service, call, entry.after, found.policy, lines, step.opens or case.interview)


async def resolve(tx: Tx, call: Call, case: Case, move: Move, lines: Lines) -> tuple[Case, Command, Lines]:
    """The units and the item that a trigger's input names."""
    command = move.command
    if move.responsible is not None:
        named = [move.responsible, *([move.supervising] if move.supervising else [])]
        found = await references.find_units(tx, call.tenant_id, {name.ref for name in named})
        target = found.line(move.responsible)
        if move.supervising is not None:
            overseer = found.line_in(move.supervising, call.scope)
        elif case.item.supervising_defaulted or len(target) == 1:
            overseer = target[1:] or target
        else:
            overseer = lines.supervising
        command = replace(
            command,
            responsible_unit_id=target[0],
            supervising_unit_id=overseer[0] if move.supervising else None,
        )
        case = replace(case, target=target, overseer=overseer)
        lines = Lines(responsible=target, supervising=overseer, co=lines.co)
    if command.duplicate_of is not None:
        twin = await item_store.find(tx, call.tenant_id, command.duplicate_of, call.scope)
        if twin is None:
            raise invalid(("/duplicate_of", "unknown_reference"))
        case = replace(case, twin=twin.item)
    return case, command, lines
