"""Reviews of standing items (长期坚持): they are looked at again and again instead of being finished."""

from dataclasses import replace
from datetime import date
from uuid import UUID

from service.actions import entries, evidence
from service.actions.facts import present_to_change, view_of
from service.actions.service import Call, Replay, Service
from service.errors import Refused, forbidden, guard, invalid
from service.store.database import Changes, Tx
from service.workflow import clock_events, deadlines
from service.workflow.attachments import HangsOn
from service.workflow.items import deadline_columns, deadline_of
from service.workflow.states import DeadlineKind, State
from service.workflow.views import ItemView


async def review(
    service: Service, call: Call, item_id: UUID, on: date, note: str, attachment_ids: tuple[UUID, ...] = ()
) -> ItemView | Replay:
    """Record that a standing item was reviewed on a day, which moves `review_on` on, never back.

    Refuses `not_found`, `forbidden`, `invalid_transition` (closed), `guard_refused` (standing_only) and
    `invalid_request` where `on` lies in the future or before the item was listed, or an attachment cannot hang there.
    """
    if on > call.today:
        raise invalid(("/on", "in_future"))

    async def action(tx: Tx) -> ItemView | Replay:
        found = await present_to_change(tx, call, item_id)
        if isinstance(found, Replay):
            return found
        if not found.standing.decides:
            raise forbidden("decide")
        entry = found.entry()
        item = entry.after
        if on < deadlines.local_day(item.listed_at, call.tz):
            raise invalid(("/on", "before_listing"))
        if item.state == State.CLOSED:
            raise Refused("invalid_transition", facts={"state": item.state, "trigger": "review"})
        if item.deadline_kind != DeadlineKind.STANDING:
            raise guard("standing_only")
        months = item.deadline_rule["limit"] if item.deadline_rule else found.policy.review_months
        counted = deadlines.standing(on, months, item.deadline_text)
        # A review that is entered late leaves the day that a later one, or a person, has set.
        columns = deadline_columns(max(deadline_of(item), counted, key=lambda each: each.review_on or date.min))
        hung = await evidence.hung_on(tx, call, item, HangsOn.REVIEW, None, attachment_ids)
        after = replace(item, **columns, version=item.version + 1)
        event = clock_events.reviewed(item, after, columns, on, note, hung)
        columns |= {"version": after.version, "updated_at": call.now}
        if hung:
            columns["evidence_count"] = item.evidence_count + len(hung)
        entry.change(columns, event)
        changes = Changes()
        entries.store(changes, found.call, [entry])
        evidence.store(changes, call, hung)
        result = view_of(service, found.call, entry.after, found.policy, found.lines, found.interview)
        call.record(changes, result)
        await tx.apply(changes)
        return result

    return await service.write(call, action)
