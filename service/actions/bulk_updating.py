"""Rows of a ledger that say something else than when they were imported: their items follow, as far as facts go.

Deadlines of claimed items and closures are decided by people: there the row keeps its difference, with a warning.
"""

from dataclasses import replace
from typing import Any

from service.actions import entries
from service.actions.bulk_listing import deadline_asked, lines_of, reported
from service.actions.entries import Entry
from service.actions.importing import Plan
from service.actions.service import Call
from service.store import imports, progress
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.workflow import deadlines, events, listing
from service.workflow.headings import Field
from service.workflow.import_plan import Outcome, Placed
from service.workflow.items import Item, deadline_columns
from service.workflow.permissions import Standing
from service.workflow.row_faults import FORBIDDEN, Fault
from service.workflow.states import State

NEEDS_DECISION = "needs_decision"


async def update(tx: Tx, changes: Changes, call: Call, plan: Plan, chunk: list[Placed]) -> None:
    """Correct the items of changed rows. The tree is held."""
    wanted = [each.item_id for each in chunk if each.item_id is not None]
    items = {item.id: item for item in await item_store.these(tx, call.tenant_id, wanted)}
    written: list[Entry] = []
    for placed in chunk:
        item = items.get(placed.item_id) if placed.item_id else None
        if item is None:
            continue
        if not Standing.of(call.grants, lines_of(plan, item)).updates:
            placed.warnings += (Fault(FORBIDDEN),)
            continue
        entry = Entry.of(call, item, plan.policy, plan.ledger.policy_epoch)
        _correct(call, plan, placed, entry)
        _report(call, plan, placed, entry)
        if not entry.empty:
            written.append(entry)
        placed.outcome = Outcome.UPDATED
        changes.add(imports.CHANGE_ROW, **_marks(call, placed))
    entries.store(changes, call, written)


def _correct(call: Call, plan: Plan, placed: Placed, entry: Entry) -> None:
    item, row = entry.after, placed.row
    given: dict[str, Any] = {
        "description": row.description, "goal": row.goal, "measures": row.measures, "responsible_person": row.person,
        "category": row.category, "source_kind": row.source_kind, "source_ref": row.source_ref,
        "co_unit_ids": placed.co_units, "attributes": {**item.attributes, **placed.attributes},
        **({"severity": row.severity} if row.severity else {}),
        **({"found_on": row.found_on} if row.found_on else {}),
    }  # fmt: skip
    if placed.known is not None and placed.known.deadline != placed.marks.deadline:
        if item.state == State.OPEN:
            given |= _deadline(call, plan, placed, item)
        else:
            placed.warnings += (Fault(NEEDS_DECISION, Field.DEADLINE),)
    if row.closed and item.state != State.CLOSED:
        placed.warnings += (Fault(NEEDS_DECISION, Field.STRUCK_OFF),)
    columns = listing.corrected(item, given, now=call.now)
    if columns:
        after = replace(item, **columns)
        entry.change(columns, events.of_correction(item, after, columns))


def _deadline(call: Call, plan: Plan, placed: Placed, item: Item) -> dict[str, Any]:
    listed_on = deadlines.local_day(item.listed_at, call.tz)
    found = listing.deadline_for(
        deadline_asked(placed.row, call, listed_on),
        plan.policy,
        call.calendar,
        severity=placed.row.severity or item.severity,
        found_on=item.found_on,
        listed_on=listed_on,
    )
    return deadline_columns(found)


def _report(call: Call, plan: Plan, placed: Placed, entry: Entry) -> None:
    """New words about progress are a new entry; an item that is closed takes none."""
    item, text = entry.after, placed.row.status
    said = placed.known is not None and placed.known.status == placed.marks.status
    if text is None or said or item.state == State.CLOSED:
        return
    made, after = reported(call, item, text, lines_of(plan, item).responsible)
    columns = {name: getattr(after, name) for name in ("version", "evidence_count", "hands")}
    told = events.of_progress(after, progress_id=made.id, text=text, percent=None, side=made.side)
    entry.change({**columns, "updated_at": call.now}, told)
    entry.row(progress.INSERT, progress.params(call.tenant_id, made))


def _marks(call: Call, placed: Placed) -> dict[str, Any]:
    """The row as it is now; with its old deadline and content where people have still to decide."""
    marks, known = placed.marks, placed.known
    waits = any(each.code == NEEDS_DECISION for each in placed.warnings) and known is not None
    return {
        "tenant_id": call.tenant_id,
        "item_id": placed.item_id,
        "new_deadline": known.deadline if waits and known else marks.deadline,
        "new_status": marks.status,
        "new_content": known.content if waits and known else marks.content,
    }
