"""Moving items through their states: people and the clock go through the same door."""

from dataclasses import dataclass, replace
from uuid import UUID

from service.actions import references, schedule
from service.actions.facts import (
    case_of,
    change,
    found_to_change,
    interview_of,
    lines_of,
    policy_of,
    seen,
    still_at,
    view_of,
)
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, invalid
from service.store import interviews, search
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.workflow import events, machine
from service.workflow.guards import Case, Command
from service.workflow.items import Lines
from service.workflow.machine import Step
from service.workflow.permissions import Standing
from service.workflow.states import Trigger
from service.workflow.views import ItemView


async def transitions(service: Service, call: Call, item_id: UUID) -> list[tuple[str, Refused | None]]:
    """Each trigger with what stands against it for this caller now. Refuses `not_found`."""

    async def action(tx: Tx) -> list[tuple[str, Refused | None]]:
        found = await seen(tx, call, item_id)
        policy = await policy_of(tx, call, found)
        standing = Standing.of(call.grants, await lines_of(tx, call, found))
        return machine.prospects(case_of(call, found.item, standing, policy, await interview_of(tx, call, found.item)))

    return await service.read(action)


@dataclass(frozen=True, slots=True)
class Move:
    """A trigger with the references of its input still as they were sent."""

    command: Command
    responsible: Named | None = None
    supervising: Named | None = None


async def advance(service: Service, call: Call, item_id: UUID, move: Move, if_version: int | None) -> ItemView | Replay:
    """Fire a trigger. Refuses `not_found`, `forbidden`, `stale_version`, `invalid_transition`, `guard_refused`."""

    async def action(tx: Tx) -> ItemView | Replay:
        found = await found_to_change(tx, call, item_id)
        if isinstance(found, Replay):
            return found
        lines = await lines_of(tx, call, found)
        policy = await policy_of(tx, call, found)
        standing = Standing.of(call.grants, lines)
        case = case_of(call, found.item, standing, policy, await interview_of(tx, call, found.item))
        machine.authorize(case, move.command)
        still_at(found.item, if_version)
        changes = Changes()
        if move.command.trigger == Trigger.TRANSFER:
            await schedule.hold_tree(tx, changes, call)
        case, command, lines = await _resolve(tx, call, case, move, lines)
        step = machine.advance(case, command, new_id=new_id)
        _store_step(changes, call, step)
        if case.twin is not None:
            # That the other item is no duplicate itself was read; this write holds only while it stays so.
            change(changes, call, case.twin, {})
        if command.trigger == Trigger.TRANSFER:
            schedule.move(changes, call, step.before, step.after)
        else:
            schedule.follow(changes, call, step.before, step.after)
        result = view_of(service, call, step.after, policy, lines, step.opens or case.interview)
        call.record(changes, result)
        await tx.apply(changes)
        return result

    return await service.write(call, action)


async def _resolve(tx: Tx, call: Call, case: Case, move: Move, lines: Lines) -> tuple[Case, Command, Lines]:
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


def _store_step(changes: Changes, call: Call, step: Step) -> None:
    tenant_id = call.tenant_id
    change(changes, call, step.before, step.changes)
    if step.opens is not None:
        changes.add(interviews.INSERT, **interviews.params(tenant_id, step.opens))
    if step.cancels_interview and step.before.interview_id is not None:
        changes.add(interviews.CANCEL, tenant_id=tenant_id, interview_id=step.before.interview_id)
    if step.changes.keys() & search.SEARCHED:
        search.replace(changes, tenant_id, step.before, step.after)
    call.write_down(changes, events.of_step(step), step.before.revision + 1)
