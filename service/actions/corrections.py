"""Correcting the facts of an item. Its state and its units move by triggers only."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.actions import entries, references, schedule
from service.actions.facts import open_contact, present, seal_contact, still_at, view_of
from service.actions.references import Named
from service.actions.service import Call, Service
from service.errors import forbidden, invalid
from service.store.database import Changes, Tx
from service.workflow import deadlines, events, listing
from service.workflow.items import DeadlineAsked, Item, Lines, deadline_columns
from service.workflow.permissions import Standing
from service.workflow.policy import Policy
from service.workflow.views import ItemView

OWN_FIELDS = frozenset({"measures", "responsible_person"})
"""What the responsible side may correct on its own item."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Facts to correct, by column; `contact` and units as they were sent. `contact_given` tells null from left out."""

    given: dict[str, Any]
    contact: str | None = None
    contact_given: bool = False
    co_units: tuple[Named, ...] | None = None
    deadline: DeadlineAsked | None = None


async def correct(service: Service, call: Call, item_id: UUID, correction: Correction, if_version: int) -> ItemView:
    """Correct facts. Refuses `not_found`, `forbidden`, `stale_version`, `guard_refused` (deadline_fixed).

    A correction that changes nothing is no change: the item keeps its version.
    """
    found_on = correction.given.get("found_on")
    if found_on is not None and found_on > call.today:
        raise invalid(("/found_on", "in_future"))

    async def action(tx: Tx) -> ItemView:
        changes = Changes()
        if correction.co_units is not None:
            await schedule.hold_tree(tx, changes, call)
        found = await present(tx, call, item_id)
        _may_correct(found.standing, correction)
        still_at(found.item, if_version)
        entry, lines = found.entry(), found.lines
        item, by = entry.after, found.call
        given = dict(correction.given)
        if correction.co_units is not None:
            units_found = await references.find_units(tx, call.tenant_id, {named.ref for named in correction.co_units})
            co_lines = tuple(units_found.line(named) for named in correction.co_units)
            lines = Lines(responsible=lines.responsible, supervising=lines.supervising, co=co_lines)
            given["co_unit_ids"] = tuple({line[0]: None for line in co_lines if line[0] != item.responsible_unit_id})
        if correction.deadline is not None:
            given |= _deadline(by, item, correction, found.policy)
        if correction.contact_given and open_contact(service, call, item) != correction.contact:
            given["contact_sealed"] = seal_contact(service, call, item.id, correction.contact)
        columns = listing.corrected(item, given, now=call.now)
        if columns:
            after = replace(item, **columns)
            entry.change(columns, events.of_correction(item, after, columns))
            entries.store(changes, by, [entry])
            await tx.apply(changes)
        return view_of(service, by, entry.after, found.policy, lines, found.interview)

    return await service.write(call, action)


def _deadline(call: Call, item: Item, correction: Correction, policy: Policy) -> dict[str, Any]:
    """The deadline that was asked for, counted as if the item had been listed with it."""
    asked = listing.deadline_for(
        correction.deadline,
        policy,
        call.calendar,
        severity=correction.given.get("severity", item.severity),
        found_on=correction.given.get("found_on", item.found_on),
        listed_on=deadlines.local_day(item.listed_at, call.caller.timezone),
    )
    return deadline_columns(asked)


def _may_correct(standing: Standing, correction: Correction) -> None:
    if standing.updates:
        return
    if not standing.claims:
        raise forbidden("decide")
    touched = {*correction.given, *(["source"] if correction.contact_given else [])}
    if not touched <= OWN_FIELDS or correction.co_units is not None or correction.deadline is not None:
        raise forbidden("own_fields")
