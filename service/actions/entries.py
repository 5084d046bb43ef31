"""An item within a write: as it was read, as it will be, and all that is written about it in the same transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from service.actions import schedule
from service.actions.service import Call
from service.store import interviews, requests, search
from service.store import items as item_store
from service.store.database import Changes, Statement
from service.workflow import clock_events, events, machine
from service.workflow.events import EventDraft
from service.workflow.guards import Case, Command
from service.workflow.items import Item
from service.workflow.ladder import Mark
from service.workflow.machine import Step
from service.workflow.policy import Policy
from service.workflow.replanning import replanned
from service.workflow.states import RequestStatus
from service.workflow.waiting import INTERVIEW


@dataclass(slots=True, eq=False)
class Entry:
    """`done` are the rungs that were done in the item's cycle, where the ladder was looked up; else None."""

    read: Item
    after: Item
    policy: Policy
    columns: dict[str, Any] = field(default_factory=dict)
    drafts: list[EventDraft] = field(default_factory=list)
    rows: list[tuple[Statement, dict[str, Any]]] = field(default_factory=list)
    done: set[Mark] | None = None

    @classmethod
    def of(cls, call: Call, item: Item, policy: Policy, policy_epoch: int) -> "Entry":
        """An item as it was read, planned anew where the calendar is another than it was planned by."""
        entry = cls(item, item, policy)
        if item.calendar_epoch != call.calendar.epoch:
            changed = replanned(item, call.calendar, call.today)
            if changed:
                changed |= {"version": item.version + 1, "updated_at": call.now}
                after = replace(item, **changed)
                entry.change(changed, clock_events.rescheduled(item, after, changed))
                entry.rows += _rescheduled(call.tenant_id, item, after)
            entry.change({"calendar_epoch": call.calendar.epoch})
        if item.policy_epoch != policy_epoch:
            entry.change({"policy_epoch": policy_epoch})
        return entry

    def change(self, columns: dict[str, Any], *drafts: EventDraft) -> None:
        if columns:
            self.after = replace(self.after, **columns)
            self.columns |= columns
        self.drafts += drafts

    def row(self, statement: Statement, params: dict[str, Any]) -> None:
        """One more write of the transaction."""
        self.rows.append((statement, params))

    def advance(
        self,
        call: Call,
        case: Case,
        command: Command,
        *,
        new_id: Callable[[], UUID],
        approving: str | None = None,
        notice_id: UUID | None = None,
    ) -> Step:
        """Fire a trigger on the item as it is by now; refuses what `machine.advance` refuses.

        `notice_id` is the notice that summons to the interview, where the trigger opens one.
        """
        step = machine.advance(replace(case, item=self.after), command, new_id=new_id, approving=approving)
        self.change(step.changes, *events.of_step(step))
        tenant_id = call.tenant_id
        if step.opens is not None:
            self.row(interviews.INSERT, interviews.params(tenant_id, replace(step.opens, notice_id=notice_id)))
        if step.cancels_interview and step.before.interview_id is not None:
            self.row(interviews.CANCEL, {"tenant_id": tenant_id, "interview_id": step.before.interview_id})
        for kind in step.cancelled:
            ended = {"status": RequestStatus.CANCELLED.value, "decided_at": call.now}
            params = {f"new_{name}": ended.get(name) for name in requests.DECIDED}
            request_id = UUID(step.before.pending[kind]["id"])
            self.row(requests.DECIDE, {"tenant_id": tenant_id, "request_id": request_id, **params})
        return step

    @property
    def empty(self) -> bool:
        return not self.columns and not self.drafts and not self.rows

    @property
    def only_planned(self) -> bool:
        """Whether nothing happened but that the item is known to agree with the present policy and calendar."""
        return not self.drafts and not self.rows and self.columns.keys() <= PLANNED_BY


def _rescheduled(tenant_id: UUID, before: Item, after: Item) -> list[tuple[Statement, dict[str, Any]]]:
    """Pending requests and interviews whose day a changed calendar has moved."""
    rows = []
    for kind in after.pending:
        had, has = before.waiting(kind), after.waiting(kind)
        if has is None or had == has:
            continue
        if kind == INTERVIEW:
            rows.append((interviews.RESCHEDULE, {"tenant_id": tenant_id, "interview_id": has.id, "new_due": has.due}))
        else:
            rows.append((requests.RESCHEDULE, {"tenant_id": tenant_id, "request_id": has.id, "new_due": has.due}))
    return rows


PLANNED_BY = {"policy_epoch", "calendar_epoch"}


def store(changes: Changes, call: Call, entries: Iterable[Entry]) -> None:
    """Everything that the entries say, each item only as it was read. Work rows that are new need the tree held."""
    written = [entry for entry in entries if not entry.empty]
    for entry in written:
        if entry.only_planned:
            changes.add(item_store.PLANNED, **item_store.planned(call.tenant_id, entry.after))
    for entry in written:
        if entry.only_planned:
            continue
        statement, params = item_store.write_params(call.tenant_id, entry.read, entry.columns)
        if len(written) == 1:
            changes.guard(statement, **params)
        else:
            changes.many(statement, [params], sure=True)
    call.write_down_each(changes, [(entry.drafts, entry.read.revision + 1) for entry in written if entry.drafts])
    for entry in written:
        for statement, params in entry.rows:
            changes.add(statement, **params)
        if entry.columns.keys() & search.SEARCHED:
            search.replace(changes, call.tenant_id, entry.read, entry.after)
        schedule.follow(changes, call, entry.read, entry.after, entry.policy, entry.done)
