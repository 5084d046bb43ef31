"""Events about units, ledgers and calendars: of a unit seen from itself, from above it, and from where it was."""

from typing import Any
from uuid import UUID

from service.workflow.access_events import differences
from service.workflow.calendar import KeptYear
from service.workflow.events import EventDraft, Subject, plain
from service.workflow.organisation import Ledger, Unit

UNIT_FACTS = ("code", "name", "parent_id", "level")
LEDGER_FACTS = ("code", "name", "owner_unit_id", "listing", "policy")


def unit_created(unit: Unit) -> EventDraft:
    facts = {name: plain(getattr(unit, name)) for name in UNIT_FACTS}
    return _of_unit("unit.created", unit, unit, {name: fact for name, fact in facts.items() if fact is not None})


def unit_changed(before: Unit, after: Unit, transferred_to: UUID | None = None) -> list[EventDraft]:
    """An event for each kind of change that a new version of a unit brings, in a fixed order."""
    changes = differences(before, after)
    moved = {name: changes.pop(name) for name in ("parent_id",) if name in changes}
    ended = {name: changes.pop(name) for name in ("active",) if name in changes}
    drafts = []
    if changes:
        drafts.append(_of_unit("unit.updated", before, after, {"changes": changes}))
    if moved:
        drafts.append(_of_unit("unit.moved", before, after, {"changes": moved}))
    if ended and after.active:
        drafts.append(_of_unit("unit.reactivated", before, after, {}))
    elif ended:
        given = {"transfer_to_id": plain(transferred_to)} if transferred_to else {}
        drafts.append(_of_unit("unit.deactivated", before, after, given))
    return drafts


def _of_unit(type_: str, before: Unit, after: Unit, data: dict[str, Any]) -> EventDraft:
    audience = dict.fromkeys(unit for unit in (after.id, before.parent_id, after.parent_id) if unit is not None)
    return EventDraft(type_, Subject(unit_id=after.id), tuple(audience), {"version": after.version, **data})


def ledger_created(ledger: Ledger) -> EventDraft:
    facts = {name: plain(getattr(ledger, name)) for name in LEDGER_FACTS}
    return _of_ledger("ledger.created", ledger, ledger, facts)


def ledger_updated(before: Ledger, after: Ledger) -> EventDraft:
    changes = differences(before, after)
    # The policy itself says it; the epoch only counts.
    changes.pop("policy_epoch", None)
    return _of_ledger("ledger.updated", before, after, {"changes": changes})


def _of_ledger(type_: str, before: Ledger, after: Ledger, data: dict[str, Any]) -> EventDraft:
    audience = tuple(dict.fromkeys((before.owner_unit_id, after.owner_unit_id)))
    return EventDraft(type_, Subject(ledger_id=after.id), audience, {"version": after.version, **data})


def calendar_updated(after: KeptYear, root_id: UUID) -> EventDraft:
    """The tenant's table of a year, whole as it is now. It concerns every unit, and so the root."""
    data = {
        "year": after.year,
        "workdays": plain(sorted(after.table.workdays)),
        "holidays": plain(sorted(after.table.holidays)),
        "complete": after.table.complete,
    }
    return EventDraft("calendar.updated", Subject(), (root_id,), data)
