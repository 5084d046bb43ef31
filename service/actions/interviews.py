"""Interviews (约谈): what an escalation opened is put on record, so that the item can go on."""

import os
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from service.actions.facts import change, lines_of, seen
from service.actions.service import Call, Replay, Service
from service.errors import Refused, forbidden, guard, invalid
from service.store import interviews
from service.store.database import Changes, Tx
from service.workflow import events, sealing
from service.workflow.items import Interview, Lines
from service.workflow.permissions import Standing, holds
from service.workflow.states import InterviewState, Role


@dataclass(frozen=True, slots=True)
class Minutes:
    """What was said, and on which day."""

    held_on: date
    attendees: tuple[str, ...]
    minutes: str
    commitments: str | None


async def record(service: Service, call: Call, interview_id: UUID, minutes: Minutes) -> Interview | Replay:
    """Put a held talk on record. Refuses `not_found`, `forbidden`, `guard_refused` (interview_pending)."""
    if minutes.held_on > call.today:
        raise invalid(("/held_on", "in_future"))

    async def action(tx: Tx) -> Interview | Replay:
        replay = await call.replayed(tx)
        interview = await interviews.by_id(tx, call.tenant_id, interview_id)
        if interview is None:
            raise Refused("not_found")
        found = await seen(tx, call, interview.item_id)
        # Once more, now that the item's revision is known: what others record from here on makes that stale.
        interview = await interviews.by_id(tx, call.tenant_id, interview_id) or interview
        replay = replay or await call.replayed(tx)
        lines = await lines_of(tx, call, found)
        if replay is not None:
            return await _replayed(tx, call, replay, interview_id, lines)
        if not Standing.of(call.grants, lines).records_interviews:
            raise forbidden("decide")
        if interview.state not in (InterviewState.PENDING, InterviewState.SCHEDULED):
            raise guard("interview_pending")
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
        changes = Changes()
        change(changes, call, found.item, {})
        changes.add(
            interviews.RECORD,
            tenant_id=call.tenant_id,
            interview_id=interview_id,
            **{f"new_{field}": getattr(recorded, field) for field in interviews.RECORDED},
        )
        call.write_down(changes, [events.of_interview(found.item, recorded)], found.item.revision + 1)
        call.record(changes, _without_minutes(recorded))
        await tx.apply(changes)
        return recorded

    return await service.write(call, action)


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
            interviews.PAGE,
            tenant_id=call.tenant_id,
            scope=list(call.scope),
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
