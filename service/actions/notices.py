"""Notices (督办文书): issued by hand or from a draft, signed for, cancelled."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from service.actions import entries, issuing, notice_board, references, schedule
from service.actions.entries import Entry
from service.actions.facts import by_calendar, case_of, present
from service.actions.issuing import Sheet
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden, guard, invalid
from service.store import items as item_store
from service.store import ledgers, units, worklist
from service.store import notices as notice_store
from service.store.database import Changes, Tx
from service.workflow import clock_events, notices
from service.workflow.events import EventDraft
from service.workflow.guards import Command
from service.workflow.items import Item, Lines
from service.workflow.machine import MOVES
from service.workflow.notices import Notice
from service.workflow.permissions import Standing, holds
from service.workflow.states import NoticeKind, State, Trigger


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """A notice that a supervisor issues; its unit and copy units still as they were named."""

    kind: str
    unit: Named
    item_ids: tuple[UUID, ...]
    text: str | None
    reply_by: date | None
    copies: tuple[Named, ...] = ()


async def issue_by_hand(service: Service, call: Call, asked: ByHand) -> Notice | Replay:
    """Issue a notice about open items of one ledger and unit.

    Refuses `forbidden` and `invalid_request` (unknown_reference, other_unit, other_ledger, closed_item, in_past).
    """
    if asked.reply_by is not None and asked.reply_by < call.today:
        raise invalid(("/reply_by", "in_past"))

    async def action(tx: Tx) -> Notice | Replay:
        changes = Changes()
        by = await schedule.hold_tree(tx, changes, call)
        replay = await call.replayed(tx)
        if replay is not None:
            await notice_board.still_seen(tx, call, replay)
            return replay
        named = {asked.unit.ref, *(copy.ref for copy in asked.copies)}
        found = await references.find_units(tx, call.tenant_id, named, inactive=True)
        unit_id = found.line(asked.unit)[0]
        covered = await _covered(tx, by, asked, unit_id)
        sheet = Sheet.about(covered[0], asked.kind)
        sheet.text, sheet.reply_by = asked.text, asked.reply_by
        copies = [found.line_in(copy, call.scope)[0] for copy in asked.copies]
        for entry in covered:
            sheet.cover(entry, copies=copies)
        (notice,) = await issuing.issue(tx, changes, by, [sheet])
        entries.store(changes, by, covered)
        call.record(changes, notice)
        await tx.apply(changes.merged())
        return notice

    return await service.write(call, action, locking=True)


async def _covered(tx: Tx, call: Call, asked: ByHand, unit_id: UUID) -> list[Entry]:
    """The items that a notice is about, each judged at its place in the request; locked in the order of their ids."""
    places = {item_id: place for place, item_id in enumerate(asked.item_ids)}
    by_id: dict[UUID, Entry] = {}
    for item_id in sorted(asked.item_ids):
        pointer = f"/item_ids/{places[item_id]}"
        try:
            found = await present(tx, call, item_id)
        except Refused:
            raise invalid((pointer, "unknown_reference")) from None
        if not found.standing.issues:
            raise forbidden("decide")
        entry = by_id[item_id] = found.entry()
        first = next(iter(by_id.values()))
        _belongs(entry.after, first.after, unit_id, pointer)
    return [by_id[item_id] for item_id in asked.item_ids]


def _belongs(item: Item, first: Item, unit_id: UUID, pointer: str) -> None:
    if item.responsible_unit_id != unit_id or item.supervising_unit_id != first.supervising_unit_id:
        raise invalid((pointer, "other_unit"))
    if item.ledger_id != first.ledger_id:
        raise invalid((pointer, "other_ledger"))
    if item.state == State.CLOSED:
        raise invalid((pointer, "closed_item"))


async def issue_draft(service: Service, call: Call, notice_id: UUID) -> Notice | Replay:
    """Issue what a rung has drafted; a draft of an interview escalates its items.

    Items that were closed or went to another unit meanwhile are left out. Refuses `not_found`, `forbidden`,
    `guard_refused` (notice_draft; notice_moot where no item is left).
    """

    async def action(tx: Tx) -> Notice | Replay:
        changes = Changes()
        by = await schedule.hold_tree(tx, changes, call)
        notice, replay = await notice_board.seen_or_replayed(tx, call, notice_id)
        if replay is not None:
            return replay
        await _supervises(tx, call, notice)
        notices.check_draft(notice)
        every = await _entries(tx, by, notice)
        left = [entry for entry in every if _still_covered(entry.after, notice)]
        if not left:
            raise guard("notice_moot")
        if notice.kind == NoticeKind.INTERVIEW:
            await _summon(tx, by, left, notice)
        ledger = await ledgers.by_id(tx, call.tenant_id, notice.ledger_id)
        if ledger is None:
            raise Refused("not_found")
        numbered = await issuing.number(tx, by, notice.ledger_id, notice.kind)
        drafted = replace(
            notice,
            item_ids=tuple(entry.read.id for entry in left),
            issued_by=call.actor.principal_id,
            issuer=call.actor.name,
        )
        issued = notices.issued(
            drafted, left[0].policy, by.calendar, ledger=ledger.code, numbered=numbered, today=by.today, now=by.now
        )
        gone = [item_id for item_id in notice.item_ids if item_id not in issued.item_ids]
        if gone:
            changes.add(notice_store.UNCOVER, tenant_id=call.tenant_id, notice_id=notice_id, item_ids=gone)
        for entry in left:
            entry.change({}, clock_events.notice_made(entry.after, issued))
        _store(changes, by, issued, left)
        call.record(changes, issued)
        await tx.apply(changes.merged())
        return issued

    return await service.write(call, action, locking=True)


def _still_covered(item: Item, notice: Notice) -> bool:
    if item.responsible_unit_id != notice.unit_id:
        return False
    return (
        item.state in MOVES[Trigger.ESCALATE].sources
        if notice.kind == NoticeKind.INTERVIEW
        else (item.state != State.CLOSED)
    )


async def _summon(tx: Tx, call: Call, left: list[Entry], notice: Notice) -> None:
    """Through the same door as every escalation, by whoever issues the notice."""
    wanted = {unit for entry in left for unit in (entry.after.responsible_unit_id, entry.after.supervising_unit_id)}
    lines = await units.lines(tx, call.tenant_id, wanted)
    for entry in left:
        item = entry.after
        around = Lines(responsible=lines[item.responsible_unit_id], supervising=lines[item.supervising_unit_id])
        case = case_of(call, item, Standing.of(call.grants, around), entry.policy, None)
        command = Command(trigger=Trigger.ESCALATE.value, reason=f"签发约谈通知书（{'、'.join(notice.rungs)}）")
        entry.advance(call, case, command, new_id=new_id, notice_id=notice.id)


async def sign(service: Service, call: Call, notice_id: UUID, signed_by: str) -> Notice | Replay:
    """Sign for a notice (签收). Refuses `not_found`, `forbidden`, `guard_refused` (awaits_receipt)."""

    async def action(tx: Tx) -> Notice | Replay:
        notice, replay = await notice_board.seen_or_replayed(tx, call, notice_id)
        if replay is not None:
            return replay
        line = (await units.lines(tx, call.tenant_id, {notice.unit_id}))[notice.unit_id]
        if not holds(call.grants, "notice:receipt", line):
            raise forbidden("claim")
        signed = notices.receipted(notice, signed_by=signed_by, by=call.actor.principal_id, now=call.now)
        return await _end(tx, call, signed, clock_events.notice_receipted)

    return await service.write(call, action, locking=True)


async def cancel(service: Service, call: Call, notice_id: UUID, reason: str) -> Notice | Replay:
    """Cancel a notice or a draft. What was issued keeps its number. Refuses `not_found`, `forbidden`,
    `guard_refused` (notice_cancelled)."""

    async def action(tx: Tx) -> Notice | Replay:
        notice, replay = await notice_board.seen_or_replayed(tx, call, notice_id)
        if replay is not None:
            return replay
        await _supervises(tx, call, notice)
        cancelled = notices.cancelled(notice, reason=reason, now=call.now)
        return await _end(tx, call, cancelled, clock_events.notice_cancelled)

    return await service.write(call, action, locking=True)


async def _end(tx: Tx, call: Call, after: Notice, told: Callable[[Item, Notice], EventDraft]) -> Notice:
    """Nobody has to do anything about the notice any more; written down in every item that it covers."""
    changes = Changes()
    by = await by_calendar(tx, call)
    covered = await _entries(tx, by, after)
    for entry in covered:
        entry.change({}, told(entry.after, after))
    _store(changes, by, after, covered)
    call.record(changes, after)
    await tx.apply(changes.merged())
    return after


def _store(changes: Changes, call: Call, after: Notice, covered: list[Entry]) -> None:
    changes.add(notice_store.UPDATE, **notice_store.update_params(call.tenant_id, after))
    changes.add(
        worklist.RESCHEDULE,
        tenant_id=call.tenant_id,
        ref=after.id,
        new_kind=issuing.work_kind(after),
        new_due=notices.due_day(after, call.today),
    )
    entries.store(changes, call, covered)


async def _entries(tx: Tx, call: Call, notice: Notice) -> list[Entry]:
    """The items that a notice covers, whoever sees them by now."""
    ledger = await ledgers.by_id(tx, call.tenant_id, notice.ledger_id)
    if ledger is None:
        raise Refused("not_found")
    policy = ledgers.remember(call.tenant_id, ledger)
    items = await item_store.these(tx, call.tenant_id, notice.item_ids)
    return [Entry.of(call, item, policy, ledger.policy_epoch) for item in items]


async def _supervises(tx: Tx, call: Call, notice: Notice) -> None:
    """Refuses `forbidden` to those who may neither issue nor cancel the notice."""
    line = (await units.lines(tx, call.tenant_id, {notice.supervising_unit_id}))[notice.supervising_unit_id]
    if not holds(call.grants, "notice:issue", line):
        raise forbidden("decide")
