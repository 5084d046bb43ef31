"""The work list: whatever is overdue in a caller's scope, whose move it is, and what the ladder does next."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.actions.facts import by_calendar
from service.actions.grounds import ground_of
from service.actions.items import views
from service.actions.service import Call, Service
from service.store import firings, interviews, ledgers, notices, overdue, requests
from service.store import items as item_store
from service.store.database import Tx
from service.store.firings import Done
from service.store.overdue import Work
from service.store.worklist import DRAFT, INTERVIEW, OPEN_ITEM, OVERDUE_KINDS, RECEIPT, REQUEST
from service.workflow import deadlines, ladder
from service.workflow.items import Interview, Item
from service.workflow.ladder import Meeting
from service.workflow.notices import Notice
from service.workflow.policy import Policy
from service.workflow.requests import Request
from service.workflow.states import State
from service.workflow.views import ItemView

RESPONSIBLE, SUPERVISING = "responsible", "supervising"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """One piece of work. `view` is the item that it is or is about; a notice has none, for it may cover many."""

    kind: str
    ref: UUID
    due_on: date
    days_overdue: int
    working_days_overdue: int
    waiting_for: str
    next_rung: Meeting | None
    view: ItemView | None = None
    request: Request | None = None
    interview: Interview | None = None
    notice: Notice | None = None


async def page(
    service: Service, call: Call, kinds: tuple[str, ...], after: tuple[date, UUID], limit: int
) -> list[Overdue]:
    """Overdue items, requests, interviews, receipts and drafts of the scope, most overdue first."""

    async def action(tx: Tx) -> list[Overdue]:
        if not call.scope:
            return []
        by = await by_calendar(tx, call)
        found = await overdue.page(
            tx, call.tenant_id, call.scope, today=call.today, after=after, limit=limit, kinds=kinds or OVERDUE_KINDS
        )
        return await _shown(tx, service, by, found)

    # Of one moment: what is listed must still be there when it is read.
    return await service.read(action, varied=True, whole=True)


async def _shown(tx: Tx, service: Service, call: Call, found: list[Work]) -> list[Overdue]:
    refs = {kind: [work.ref for work in found if work.kind == kind] for kind in OVERDUE_KINDS}
    items = await item_store.these(tx, call.tenant_id, {work.item_id for work in found if work.item_id})
    seen = {view.item.id: view for view in await views(tx, service, call, items, triggers=False)}
    policies = {ledger_id: await _policy(tx, call, ledger_id) for ledger_id in {item.ledger_id for item in items}}
    done = await firings.of_items(tx, call.tenant_id, seen)
    asked = await requests.by_ids(tx, call.tenant_id, refs[REQUEST])
    talks = await interviews.by_ids(tx, call.tenant_id, refs[INTERVIEW])
    papers = await notices.by_ids(tx, call.tenant_id, [*refs[RECEIPT], *refs[DRAFT]])
    rows = []
    for work in found:
        view = seen.get(work.item_id) if work.item_id else None
        rows.append(
            Overdue(
                kind=work.kind,
                ref=work.ref,
                due_on=work.due,
                days_overdue=deadlines.days_overdue(work.due, call.today),
                working_days_overdue=deadlines.working_days_overdue(call.calendar, work.due, call.today),
                waiting_for=waiting_for(work.kind, view.item if view else None),
                next_rung=_next(call, work, view.item, policies[view.item.ledger_id], done) if view else None,
                view=view,
                request=asked.get(work.ref),
                interview=talks.get(work.ref),
                notice=papers.get(work.ref),
            )
        )
    return rows


async def _policy(tx: Tx, call: Call, ledger_id: UUID) -> Policy:
    ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
    if ledger is None:
        raise LookupError(f"ledger {ledger_id} is gone")
    return ledgers.remember(call.tenant_id, ledger)


def waiting_for(kind: str, item: Item | None) -> str:
    """Whose move it is: waiting for a decision is not the unit's delay."""
    if kind == OPEN_ITEM and item is not None:
        return SUPERVISING if item.state == State.ESCALATED or item.held else RESPONSIBLE
    return RESPONSIBLE if kind == RECEIPT else SUPERVISING


def _next(call: Call, work: Work, item: Item, policy: Policy, done: Done) -> Meeting | None:
    """The next rung of the item, or of the very request or interview."""
    marks = done.get((item.id, item.cycle), set())
    ref = None if work.kind == OPEN_ITEM else work.ref
    return ladder.upcoming(item, ground_of(policy, call.calendar, call.tz), marks, ref)
