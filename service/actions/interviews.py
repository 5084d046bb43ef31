"""Interviews (约谈): what an escalation opened is scheduled, held, and put on record, so that the item can go on."""

import os
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.actions import entries
from service.actions.entries import Entry
from service.actions.facts import Present, lines_of, present, seen
from service.actions.service import Call, Replay, Service
from service.errors import Refused, forbidden, guard, invalid
from service.store import interviews
from service.store.database import Changes, Tx
from service.store.scoping import given
from service.workflow import clock_events, events, sealing
from service.workflow.deadlines import local_day
from service.workflow.items import Interview, Lines
from service.workflow.permissions import holds
from service.workflow.states import InterviewState, Role
from service.workflow.waiting import INTERVIEW


@dataclass(frozen=True, slots=True)
class Minutes:
    """What was said, and on which day."""

    held_on: date
    attendees: tuple[str, ...]
    minutes: str
    commitments: str | None


async def schedule(
    service: Service, call: Call, interview_id: UUID, at: datetime, place: str | None
) -> Interview | Replay:
    """Say when and where the talk will be held. Refuses `not_found`, `forbidden`, `guard_refused` (interview_pending).

    A talk that is scheduled already may be scheduled anew.
    """
    if at < call.now:
        raise invalid(("/at", "in_past"))

    async def action(tx: Tx) -> Interview | Replay:
        replay = await call.replayed(tx)
        interview, found = await _to_change(tx, call, interview_id)
        replay = replay or await call.replayed(tx)
        if replay is not None:
            # There were no minutes then, and what was scheduled since is not what this call was told.
            return replay
        _check(found, interview)
        scheduled = replace(interview, state=InterviewState.SCHEDULED.value, scheduled_at=at, place=place)
        entry = found.entry()
        entry.change({}, clock_events.interview_scheduled(entry.after, scheduled))
        entry.row(interviews.SCHEDULE, _new(call, scheduled, interviews.SCHEDULED))
        changes = Changes()
        entries.store(changes, found.call, [entry])
        call.record(changes, _without_minutes(scheduled))
        await tx.apply(changes)
        return scheduled

    return await service.write(call, action)


async def record(service: Service, call: Call, interview_id: UUID, minutes: Minutes) -> Interview | Replay:
    """Put a held talk on record. Refuses `not_found`, `forbidden`, `guard_refused` (interview_pending), and
    `invalid_request` where it was held in the future or before it was opened."""
    if minutes.held_on > call.today:
        raise invalid(("/held_on", "in_future"))

    async def action(tx: Tx) -> Interview | Replay:
        replay = await call.replayed(tx)
        interview, found = await _to_change(tx, call, interview_id)
        replay = replay or await call.replayed(tx)
        if replay is not None:
            return await _replayed(tx, call, replay, interview_id, found.lines)
        recorded, entry = _recorded(call, found, interview, minutes)
        changes = Changes()
        entries.store(changes, found.call, [entry])
        call.record(changes, _without_minutes(recorded))
        await tx.apply(changes)
        return recorded

    return await service.write(call, action)


async def record_together(
    service: Service, call: Call, interview_ids: list[UUID], minutes: Minutes
) -> list[Interview] | Replay:
    """One talk about several items of one unit, put on record for each, all or none.

    Refuses `invalid_request` (unknown_reference, other_unit, in_future, before_opening), `forbidden`, `guard_refused`
    (interview_pending).
    """
    if minutes.held_on > call.today:
        raise invalid(("/held_on", "in_future"))

    async def action(tx: Tx) -> list[Interview] | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            await _still_seen(tx, call, interview_ids)
            return replay
        known = await interviews.by_ids(tx, call.tenant_id, interview_ids)
        told: dict[UUID, Interview] = {}
        written = []
        # By item, as everywhere that several are locked: so no two of these wait for each other.
        places = {interview_id: place for place, interview_id in enumerate(interview_ids)}
        for interview_id in sorted(interview_ids, key=lambda each: _item_of(known, each)):
            pointer = f"/interview_ids/{places[interview_id]}"
            try:
                interview, found = await _to_change(tx, call, interview_id)
            except Refused:
                raise invalid((pointer, "unknown_reference")) from None
            if told and interview.unit_id != next(iter(told.values())).unit_id:
                raise invalid((pointer, "other_unit"))
            told[interview_id], entry = _recorded(call, found, interview, minutes)
            written.append((found, entry))
        changes = Changes()
        entries.store(changes, written[0][0].call, [entry for _, entry in written])
        result = [told[interview_id] for interview_id in interview_ids]
        call.record(changes, [_without_minutes(each) for each in result])
        await tx.apply(changes.merged())
        return result

    return await service.write(call, action)


def _item_of(known: dict[UUID, Interview], interview_id: UUID) -> UUID:
    interview = known.get(interview_id)
    return interview.item_id if interview else interview_id


async def _still_seen(tx: Tx, call: Call, interview_ids: list[UUID]) -> None:
    """A replay shows nothing that the caller may not see at this moment."""
    for interview in (await interviews.by_ids(tx, call.tenant_id, interview_ids)).values():
        await seen(tx, call, interview.item_id)


async def _to_change(tx: Tx, call: Call, interview_id: UUID) -> tuple[Interview, Present]:
    """An interview with its item; refuses `not_found`."""
    interview = await interviews.by_id(tx, call.tenant_id, interview_id)
    if interview is None:
        raise Refused("not_found")
    found = await present(tx, call, interview.item_id)
    # Once more, now that the item's revision is known: what others record from here on makes that stale.
    return await interviews.by_id(tx, call.tenant_id, interview_id) or interview, found


def _check(found: Present, interview: Interview) -> None:
    if not found.standing.records_interviews:
        raise forbidden("decide")
    if interview.state not in (InterviewState.PENDING, InterviewState.SCHEDULED):
        raise guard("interview_pending")


def _recorded(call: Call, found: Present, interview: Interview, minutes: Minutes) -> tuple[Interview, Entry]:
    """The talk as it is kept, and its item, which waits for it no longer."""
    _check(found, interview)
    if minutes.held_on < local_day(interview.opened_at, call.tz):
        raise invalid(("/held_on", "before_opening"))
    recorded = replace(
        interview,
        state=InterviewState.RECORDED.value,
        held_on=minutes.held_on,
        attendees=minutes.attendees,
        minutes=minutes.minutes,
        commitments=minutes.commitments,
        recorded_by=call.caller.principal_id,
        recorded_at=call.now,
        seal_salt=os.urandom(sealing.SALT_BYTES),
    )
    entry = found.entry()
    pending = {kind: waiting for kind, waiting in entry.after.pending.items() if kind != INTERVIEW}
    entry.change({"pending": pending}, events.of_interview(entry.after, recorded, call.caller.hashing))
    entry.row(interviews.RECORD, _new(call, recorded, interviews.RECORDED))
    return recorded, entry


def _new(call: Call, interview: Interview, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "tenant_id": call.tenant_id,
        "interview_id": interview.id,
        **{f"new_{name}": getattr(interview, name) for name in names},
    }


async def _replayed(tx: Tx, call: Call, replay: Replay, interview_id: UUID, lines: Lines) -> Replay:
    """The first answer again, with the minutes where this caller reads them now: they are not kept for replay."""
    if call.receipt is None or not _reads_minutes(call, lines):
        return replay
    # Read after the record of the answer: what was read before it may not be recorded yet.
    interview = await interviews.by_id(tx, call.tenant_id, interview_id)
    if interview is None:
        return replay
    return Replay(replace(replay.answer, body=call.receipt.render(interview).body))


async def read(service: Service, call: Call, interview_id: UUID) -> Interview:
    """One interview, read as its item; its minutes only by those concerned. Refuses `not_found`."""

    async def action(tx: Tx) -> Interview:
        interview = await interviews.by_id(tx, call.tenant_id, interview_id)
        if interview is None:
            raise Refused("not_found")
        return await _as_seen(tx, call, interview)

    return await service.read(action)


async def page(service: Service, call: Call, states: tuple[str, ...], before: UUID, limit: int) -> list[Interview]:
    """The interviews of the caller's scope, newest first."""

    async def action(tx: Tx) -> list[Interview]:
        rows = await tx.all(
            interviews.PAGE.over(call.scope),
            tenant_id=call.tenant_id,
            **given(call.scope),
            states=list(states or [state.value for state in InterviewState]),
            before=before,
            limit=limit,
        )
        return [await _as_seen(tx, call, interviews.interview(row)) for row in rows]

    return await service.read(action, varied=True, whole=True)


async def _as_seen(tx: Tx, call: Call, interview: Interview) -> Interview:
    lines = await lines_of(tx, call, await seen(tx, call, interview.item_id))
    return interview if _reads_minutes(call, lines) else _without_minutes(interview)


def _without_minutes(interview: Interview) -> Interview:
    return replace(interview, attendees=(), minutes=None, commitments=None)


def _reads_minutes(call: Call, lines: Lines) -> bool:
    """Supervisors over the supervising unit, the responsible side, admin and auditor."""
    for grant in call.grants:
        if grant.role in (Role.ADMIN, Role.AUDITOR):
            return True
        if grant.role == Role.SUPERVISOR and holds([grant], "interview:record", lines.supervising):
            return True
        if grant.role == Role.RESPONSIBLE and holds([grant], "item:claim", lines.responsible):
            return True
    return False
