"""Requests (申请): the responsible side asks, the supervising side decides; an approval fires its trigger with it."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from service.actions import entries, evidence, references, schedule
from service.actions.entries import Entry
from service.actions.facts import Present, present, present_to_change
from service.actions.grounds import ground_of
from service.actions.marking import skip
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.actions.transitions import Move, fire
from service.errors import Refused, forbidden
from service.store import firings
from service.store import requests as request_store
from service.store.database import Changes, Tx
from service.store.scoping import given
from service.workflow import clock_events, ladder, machine, requests
from service.workflow.attachments import HangsOn
from service.workflow.guards import Command
from service.workflow.items import NEVER
from service.workflow.requests import Ask, Request
from service.workflow.states import RequestStatus


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was sent; the unit that a transfer asks for still as it was named."""

    ask: Ask
    responsible: Named | None = None


async def submit(service: Service, call: Call, item_id: UUID, asked: Asked) -> Request | Replay:
    """Ask for something. Refuses `not_found`, `forbidden`, `invalid_transition`, `conflict` (pending_request),
    `guard_refused` (the extension budget, apply_before, other_unit) and `invalid_request` (an attachment that cannot be
    hung there)."""

    async def action(tx: Tx) -> Request | Replay:
        changes = Changes()
        await schedule.hold_tree(tx, changes, call)
        found = await present_to_change(tx, call, item_id)
        if isinstance(found, Replay):
            return found
        if not found.standing.asks:
            raise forbidden("claim")
        ask = asked.ask
        if asked.responsible is not None:
            units = await references.find_units(tx, call.tenant_id, [asked.responsible.ref])
            ask = replace(ask, responsible_unit_id=units.line(asked.responsible)[0])
        entry = found.entry()
        case = replace(found.case, item=entry.after)
        requests.check(case, ask)
        request_id = new_id()
        hung = await evidence.hung_on(tx, call, case.item, HangsOn.REQUEST, request_id, ask.attachment_ids)
        request, columns = requests.submitted(
            case, ask, request_id=request_id, actor_id=call.caller.principal_id, name=call.caller.name
        )
        entry.change(columns, clock_events.request_submitted(entry.after, request, hung))
        entry.row(request_store.INSERT, request_store.params(call.tenant_id, request))
        entries.store(changes, found.call, [entry])
        evidence.store(changes, call, hung)
        call.record(changes, request)
        await tx.apply(changes)
        return request

    return await service.write(call, action)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with what the trigger takes; units still as they were named.

    `given` are the names of the fields that came with an approval, beside its reason.
    """

    approve: bool
    command: Command
    responsible: Named | None = None
    supervising: Named | None = None
    given: frozenset[str] = frozenset()


async def decide(service: Service, call: Call, request_id: UUID, decision: Decision) -> Request | Replay:
    """Approve or return a request. An approval is one transaction with the transition that it fires.

    Refuses `not_found`, `forbidden`, `conflict` (decided), `guard_refused` (four_eyes), `invalid_request` for what the
    trigger does not take, and what refuses the trigger.
    """

    async def action(tx: Tx) -> Request | Replay:
        changes = Changes()
        if decision.approve:
            await schedule.hold_tree(tx, changes, call)
        replay = await call.replayed(tx)
        request, found = await _to_change(tx, call, request_id)
        replay = replay or await call.replayed(tx)
        if replay is not None:
            return replay
        if not found.standing.decides_requests:
            raise forbidden("decide")
        requests.still_pending(request)
        requests.decided_by_another(request, call.actor.principal_id)
        if decision.approve:
            decided = await _approve(tx, service, changes, found, request, decision)
        else:
            decided = _end(changes, found, request, RequestStatus.RETURNED, decision.command.reason)
        call.record(changes, decided)
        await tx.apply(changes)
        return decided

    return await service.write(call, action)


async def withdraw(service: Service, call: Call, request_id: UUID, reason: str | None) -> Request | Replay:
    """Take a pending request back. Refuses `not_found`, `forbidden`, `conflict` (decided)."""

    async def action(tx: Tx) -> Request | Replay:
        replay = await call.replayed(tx)
        request, found = await _to_change(tx, call, request_id)
        replay = replay or await call.replayed(tx)
        if replay is not None:
            return replay
        if not found.standing.withdraws:
            raise forbidden("claim")
        requests.still_pending(request)
        changes = Changes()
        withdrawn = _end(changes, found, request, RequestStatus.WITHDRAWN, reason)
        call.record(changes, withdrawn)
        await tx.apply(changes)
        return withdrawn

    return await service.write(call, action)


async def _to_change(tx: Tx, call: Call, request_id: UUID) -> tuple[Request, Present]:
    """A request with its item; refuses `not_found`."""
    request = await request_store.by_id(tx, call.tenant_id, request_id)
    if request is None:
        raise Refused("not_found")
    found = await present(tx, call, request.item_id)
    # Once more, now that the item's revision is known: who decides from here on makes that stale.
    return await request_store.by_id(tx, call.tenant_id, request_id) or request, found


async def _approve(
    tx: Tx, service: Service, changes: Changes, found: Present, request: Request, decision: Decision
) -> Request:
    call = found.call
    requests.takes(request.kind, decision.given)
    command = requests.command(request, decision.command, named=decision.responsible is not None)
    machine.authorize(found.case, command)
    entry = found.entry()
    decided = _decided(call, request, RequestStatus.APPROVED, decision.command.reason)
    if entry.after.held_by(request.kind):
        await _skip_held(tx, call, entry)
    entry.row(request_store.DECIDE, request_store.decision(call.tenant_id, decided))
    responsible = decision.responsible
    if responsible is None and command.responsible_unit_id is not None:
        responsible = Named(command.responsible_unit_id, "/responsible_unit_id")
    move = Move(command, responsible, decision.supervising)

    def granted(fired: Command) -> None:
        entry.change({}, clock_events.request_approved(entry.after, decided, fired))

    await fire(tx, service, changes, found, move, entry=entry, approving=request.kind, afterwards=granted)
    return decided


async def _skip_held(tx: Tx, call: Call, entry: Entry) -> None:
    """What was held while the decision was waited for will not be made up for."""
    item = entry.after
    done = (await firings.of_items(tx, call.tenant_id, [item.id])).get((item.id, item.cycle), set())
    for met in ladder.held_back(item, ground_of(entry.policy, call.calendar, call.tz), call.now, done):
        skip(call, entry, met, ladder.HELD)


def _end(changes: Changes, found: Present, request: Request, status: RequestStatus, reason: str | None) -> Request:
    """Returned or withdrawn: the item waits no longer, and what was held back counts from the next working day."""
    call = found.call
    decided = _decided(call, request, status, reason)
    entry = found.entry()
    columns = requests.ended(entry.after, request.kind, call.today)
    entry.change(columns, clock_events.request_ended(entry.after, decided))
    entry.row(request_store.DECIDE, request_store.decision(call.tenant_id, decided))
    entries.store(changes, call, [entry])
    return decided


def _decided(call: Call, request: Request, status: RequestStatus, reason: str | None) -> Request:
    return replace(
        request,
        status=status.value,
        decided_by=call.actor.principal_id,
        decider=call.actor.name,
        decided_at=call.now,
        decision_reason=reason,
    )


async def read(service: Service, call: Call, request_id: UUID) -> Request:
    """One request, read as its item. Refuses `not_found`."""

    async def action(tx: Tx) -> Request:
        return (await _to_change(tx, call, request_id))[0]

    return await service.read(action)


async def of_item(service: Service, call: Call, item_id: UUID, after: UUID, limit: int) -> list[Request]:
    """An item's requests, oldest first, behind `after`. Refuses `not_found`."""

    async def action(tx: Tx) -> list[Request]:
        await present(tx, call, item_id)
        return await request_store.of_item(tx, call.tenant_id, item_id, after, limit)

    return await service.read(action)


async def inbox(
    service: Service, call: Call, overdue: bool | None, after: tuple[date, UUID], limit: int
) -> list[Request]:
    """The pending requests of the caller's scope, by the day to decide them; `overdue`: those alone, or not those."""

    async def action(tx: Tx) -> list[Request]:
        start = max(after, (call.today, UUID(int=0))) if overdue is False else after
        rows = await tx.all(
            request_store.PENDING.over(call.scope),
            tenant_id=call.tenant_id,
            **given(call.scope),
            before=call.today if overdue else NEVER,
            after_due=start[0],
            after_id=start[1],
            limit=limit,
        )
        return [request_store.request(row) for row in rows]

    return await service.read(action, varied=True)


async def past(service: Service, call: Call, statuses: tuple[str, ...], before: UUID, limit: int) -> list[Request]:
    """Requests of these statuses in the caller's scope, newest first."""

    async def action(tx: Tx) -> list[Request]:
        rows = await tx.all(
            request_store.PAST.over(call.scope),
            tenant_id=call.tenant_id,
            **given(call.scope),
            statuses=list(statuses),
            before_id=before,
            limit=limit,
        )
        return [request_store.request(row) for row in rows]

    return await service.read(action, varied=True)
