"""Thousands of items listed in one transaction, some hundreds at a time.

All is written that listing one item writes, in few statements.
"""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from service.actions.facts import seal_contact
from service.actions.grounds import ground_of
from service.actions.importing import Plan, listed_on
from service.actions.service import Call, Service, new_id
from service.store import imports, progress, search, timers, units, worklist
from service.store import items as item_store
from service.store.database import Changes
from service.workflow import deadlines, events, listing
from service.workflow import organisation_events as unit_events
from service.workflow.events import EventDraft
from service.workflow.import_plan import Placed
from service.workflow.items import NEVER, DeadlineAsked, Draft, Item, Lines, Progress
from service.workflow.ladder import next_look
from service.workflow.ledger_rows import LedgerRow
from service.workflow.listing import Place
from service.workflow.organisation import Unit
from service.workflow.permissions import holds
from service.workflow.policy import number
from service.workflow.states import DeadlineKind, Severity, State
from service.workflow.texts import shortened

ALREADY_CLOSED = "台账载明已销号"
"""The note of an item that came closed."""

MAX_NOTE = 2_000


class Numbers:
    """The numbers that were reserved for an import, by year of listing."""

    def __init__(self, reserved: dict[int, range]) -> None:
        self._left = {year: iter(numbers) for year, numbers in reserved.items()}

    def next(self, year: int) -> int:
        return next(self._left[year])


class Lister:
    """Makes items of rows, and writes down what follows from them."""

    def __init__(self, service: Service, call: Call, plan: Plan, numbers: Numbers) -> None:
        self.service, self.call, self.plan, self.numbers = service, call, plan, numbers
        self._sees: dict[tuple[UUID, tuple[UUID, ...]], worklist.Sees] = {}
        self._ground = ground_of(plan.policy, call.calendar, call.tz)

    def store(self, changes: Changes, chunk: list[Placed]) -> None:
        """List the problems of these rows."""
        call = self.call
        drafts: list[tuple[list[EventDraft], int]] = []
        items: list[Item] = []
        entries: list[Progress] = []
        for placed in chunk:
            item, told, entry = self._list(placed)
            placed.item_id = item.id
            items.append(item)
            drafts.append((told, item.revision))
            if entry is not None:
                entries.append(entry)
        tenant_id = call.tenant_id
        changes.many(item_store.INSERT, [item_store.insert_params(tenant_id, item) for item in items])
        changes.many(progress.INSERT, [progress.params(tenant_id, entry) for entry in entries])
        changes.many(worklist.INSERT, [row for item in items for row in self._work(item)])
        changes.many(timers.INSERT, [timers.row(tenant_id, item, look) for item in items if (look := self._look(item))])
        search.add_many(changes, tenant_id, items)
        changes.many(imports.INSERT_ROW, [_imported(call, self.plan, placed) for placed in chunk])
        call.write_down_each(changes, drafts)

    def _list(self, placed: Placed) -> tuple[Item, list[EventDraft], Progress | None]:
        call, plan, row = self.call, self.plan, placed.row
        if placed.responsible is None:
            raise LookupError("a row without a unit is refused")
        day = listed_on(row, call.today)
        closed_on = (row.closed_on or call.today) if row.closed else None
        item_id = new_id()
        line = plan.lines[placed.responsible]
        draft = draft_of(placed, call, day)
        item = listing.list_item(
            draft,
            Place(
                ledger_id=plan.ledger.id,
                policy=plan.policy,
                policy_epoch=plan.ledger.policy_epoch,
                calendar=call.calendar,
                responsible=line,
                supervising=line[1:] or line,
                supervising_defaulted=True,
                co_units=placed.co_units,
            ),
            item_id=item_id,
            number=number(
                plan.policy.numbers["item"], ledger=plan.ledger.code, year=day.year, seq=self.numbers.next(day.year)
            ),
            actor_id=call.caller.principal_id,
            lister_id=call.lister_id,
            contact_sealed=seal_contact(self.service, call, item_id, row.contact),
            now=call.now,
            today=call.today,
            listed_on=day,
            closed_at=closed_at(call, closed_on),
        )
        told = [events.of_listing(item, draft.closed_note, draft.closed_on)]
        if row.status is None:
            return item, told, None
        # Of what came closed too: it stands in the ledger, and only here does an export find it again.
        entry, after = reported(call, item, row.status, line)
        told.append(events.of_progress(after, progress_id=entry.id, text=entry.text, percent=None, side=entry.side))
        return after, told, entry

    def _work(self, item: Item) -> list[dict[str, Any]]:
        key = (item.responsible_unit_id, item.co_unit_ids)
        sees = self._sees.get(key)
        if sees is None:
            lines = lines_of(self.plan, item)
            sees = self._sees[key] = worklist.seen_by(lines.responsible, lines.supervising, lines.co)
        kind = worklist.CLOSED_ITEM if item.state == State.CLOSED else worklist.OPEN_ITEM
        return worklist.rows_of(self.call.tenant_id, item.id, kind, item.deadline_day or NEVER, sees)

    def _look(self, item: Item) -> datetime | None:
        return next_look(item, self._ground, self.call.now)


def lines_of(plan: Plan, item: Item) -> Lines:
    return Lines(
        responsible=plan.lines[item.responsible_unit_id],
        supervising=plan.lines[item.responsible_unit_id][1:] or plan.lines[item.responsible_unit_id],
        co=tuple(plan.lines[unit] for unit in item.co_unit_ids),
    )


def draft_of(placed: Placed, call: Call, day: date) -> Draft:
    """The facts of a row as they are listed on `day`."""
    row = placed.row
    return Draft(
        title=row.title,
        description=row.description,
        category=row.category,
        severity=row.severity or Severity.GENERAL.value,
        source_kind=row.source_kind,
        source_ref=row.source_ref,
        contact=row.contact,
        responsible_person=row.person,
        goal=row.goal,
        measures=row.measures,
        found_on=row.found_on,
        listed_at=deadlines.start_of(day, call.tz) if day != call.today else None,
        deadline=deadline_asked(row, call, day),
        closed_on=(row.closed_on or call.today) if row.closed else None,
        closed_note=_note(row) if row.closed else None,
        attributes=placed.attributes,
    )


def _note(row: LedgerRow) -> str:
    """Why an item came closed and what its ledger says of that, cut where a note ends; its progress has it whole."""
    return shortened(f"{ALREADY_CLOSED}：{row.status}", MAX_NOTE) if row.status else ALREADY_CLOSED


def deadline_asked(row: LedgerRow, call: Call, day: date) -> DeadlineAsked:
    kind = row.deadline.kind
    due = row.deadline.due(day, call.calendar) if kind == DeadlineKind.DATE else None
    return DeadlineAsked(kind, due, row.deadline_text)


def closed_at(call: Call, closed_on: date | None) -> datetime | None:
    """Of an old item only the day is known: it counts as closed by its end, and never in the future."""
    if closed_on is None:
        return None
    return min(datetime.combine(closed_on, time(23, 59, 59), call.tz), call.now)


def reported(call: Call, item: Item, text: str, responsible: tuple[UUID, ...]) -> tuple[Progress, Item]:
    """What a ledger says about progress, as an entry of whoever imports it; and the item after it.

    Who decides on the item has only copied what the unit wrote: that takes nobody's right to close it.
    """
    caller = call.caller
    supervises = holds(call.grants, "item:decide", responsible[1:] or responsible)
    side = "supervising" if supervises else "responsible"
    entry = Progress(
        new_id(), item.id, item.cycle, call.now, caller.principal_id, caller.name, side, text, None
    )  # fmt: skip
    after = replace(
        item,
        version=item.version + 1,
        evidence_count=item.evidence_count + 1,
        hands=item.hands if supervises else item.with_hand("progressed", caller.principal_id),
    )
    return entry, after


def _imported(call: Call, plan: Plan, placed: Placed) -> dict[str, Any]:
    marks = placed.marks
    return {
        "tenant_id": call.tenant_id, "item_id": placed.item_id, "ledger_id": plan.ledger.id, "key": marks.key,
        "deadline": marks.deadline, "status": marks.status, "content": marks.content,
    }  # fmt: skip


def create_units(changes: Changes, call: Call, made: list[Unit]) -> None:
    """Units that the rows name and nobody has made yet."""
    changes.many(units.INSERT, [units.params(call.tenant_id, unit) for unit in made])
    changes.many(
        units.INSERT_ANCESTORS,
        [{"tenant_id": call.tenant_id, "unit_id": unit.id, "parent_id": unit.parent_id} for unit in made],
    )
    call.write_down_each(changes, [([unit_events.unit_created(unit)], 0) for unit in made])
