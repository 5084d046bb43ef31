"""Reading items: one, a list of them, what happened to one, and what is overdue."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from service.actions import references
from service.actions.facts import by_calendar, interview_of, open_contact, present, seen, view_of
from service.actions.references import Named
from service.actions.service import Call, Service
from service.store import history as history_store
from service.store import items as item_store
from service.store import ledgers, lists, units
from service.store.database import Tx
from service.workflow import deadlines
from service.workflow.deadlines import Lamp
from service.workflow.items import NEVER, Item, Lines
from service.workflow.permissions import Standing
from service.workflow.queries import Filters, LampDays, Position
from service.workflow.views import ItemView, view


async def read(service: Service, call: Call, item_id: UUID) -> ItemView:
    """One item as this caller sees it now. Refuses `not_found`."""

    async def action(tx: Tx) -> ItemView:
        found = await present(tx, call, item_id)
        return view_of(service, found.call, found.item, found.policy, found.lines, found.interview)

    return await service.read(action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list as it was asked for; ledgers, units and lamps still as words. `contacts`: who complained is shown to those
    whom it is meant for."""

    filters: Filters
    ledgers: tuple[Named, ...] = ()
    units: tuple[Named, ...] = ()
    supervising_units: tuple[Named, ...] = ()
    lamps: tuple[str, ...] = ()
    sort: str = "due_on"
    after: Position | None = None
    limit: int = 50
    total: bool = False
    triggers: bool = False
    contacts: bool = True


@dataclass(frozen=True, slots=True)
class ItemPage:
    """`next` is where the next page begins; `truncated` says that a search did not look at every candidate."""

    items: list[ItemView]
    next: Position | None
    total: int | None
    truncated: bool | None


async def page(service: Service, call: Call, query: Query) -> ItemPage:
    """One page of the items that this caller sees. Refuses `invalid_request` (unknown units and ledgers)."""

    async def action(tx: Tx) -> ItemPage:
        by = await by_calendar(tx, call)
        filters = await _resolved(tx, by, query)
        if not call.scope:
            return ItemPage([], None, 0 if query.total else None, False if filters.q is not None else None)
        found = await lists.page(
            tx,
            tenant_id=call.tenant_id,
            scope=call.scope,
            filters=filters,
            sort=query.sort,
            after=query.after,
            limit=query.limit,
            today=call.today,
            total=query.total,
        )
        shown = found.items[: query.limit]
        more = found.positions[query.limit - 1] if len(found.items) > query.limit else None
        seen_so = await views(tx, service, by, shown, query.triggers, contacts=query.contacts)
        return ItemPage(seen_so, more, found.total, found.truncated)

    # A count beside a page must not be of another moment: a subtree may have moved between.
    return await service.read(action, varied=True, whole=query.total)


async def _resolved(tx: Tx, call: Call, query: Query) -> Filters:
    filters = query.filters
    if query.ledgers:
        found = [await references.find_ledger(tx, call, named) for named in query.ledgers]
        filters = replace(filters, ledgers=tuple(ledger.id for ledger in found))
    if query.units or query.supervising_units:
        named = (*query.units, *query.supervising_units)
        known = await references.find_units(tx, call.tenant_id, {each.ref for each in named}, inactive=True)
        filters = replace(
            filters,
            units=tuple(known.line_in(each, call.scope)[0] for each in query.units),
            supervising_units=tuple(known.line_in(each, call.scope)[0] for each in query.supervising_units),
        )
    if query.lamps:
        filters = replace(filters, lamps=await _lamp_days(tx, call, query.lamps))
    return filters


async def _lamp_days(tx: Tx, call: Call, lamps: tuple[str, ...]) -> tuple[LampDays, ...]:
    """The deadline days that show one of the lamps today, for each group of ledgers that have the same lamps."""
    return tuple(
        LampDays(tuple(ledger_ids), tuple(days for lamp in lamps for days in lamp_days(call, rules, lamp)))
        for rules, ledger_ids in (await lamp_groups(tx, call)).items()
    )


async def lamp_groups(tx: Tx, call: Call) -> dict[tuple[Lamp, ...], list[UUID]]:
    """The tenant's ledgers, those with the same lamps together."""
    groups: dict[tuple[Lamp, ...], list[UUID]] = {}
    after = ""
    while batch := await ledgers.page(tx, call.tenant_id, after, 200):
        for ledger in batch:
            groups.setdefault(ledgers.remember(call.tenant_id, ledger).lamps, []).append(ledger.id)
        after = batch[-1].code
    return groups


def lamp_days(call: Call, rules: tuple[Lamp, ...], lamp: str) -> list[tuple[date, date]]:
    """The deadline days that show a lamp today, as the work list has them: what is due on no day is due NEVER."""
    return [
        (first or date.min, last or NEVER)
        for first, last in deadlines.lamp_ranges(call.calendar, rules, lamp, call.today)
    ]


async def views(
    tx: Tx, service: Service, call: Call, items: list[Item], triggers: bool, *, contacts: bool = True
) -> list[ItemView]:
    """Items as this caller sees them; what each could do now only where it was asked for."""
    policies = {}
    for ledger_id in {item.ledger_id for item in items}:
        ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
        if ledger is not None:
            policies[ledger_id] = ledgers.remember(call.tenant_id, ledger)
    judged = {item.id: item for item in items if triggers or (contacts and item.contact_sealed is not None)}
    wanted = {
        unit
        for item in judged.values()
        for unit in (item.responsible_unit_id, item.supervising_unit_id, *item.co_unit_ids)
    }
    known = await units.lines(tx, call.tenant_id, wanted)
    shown = []
    for item in items:
        policy = policies[item.ledger_id]
        if item.id not in judged:
            shown.append(view(item, policy, call.calendar, call.today))
            continue
        lines = Lines(
            responsible=known[item.responsible_unit_id],
            supervising=known[item.supervising_unit_id],
            co=tuple(known[unit] for unit in item.co_unit_ids),
        )
        if triggers:
            shown.append(view_of(service, call, item, policy, lines, await interview_of(tx, call, item)))
        else:
            contact = open_contact(service, call, item) if Standing.of(call.grants, lines).sees_contact else None
            shown.append(view(item, policy, call.calendar, call.today, contact=contact))
    return shown


async def these(service: Service, call: Call, item_ids: Iterable[UUID]) -> dict[UUID, ItemView]:
    """Those of the items that the caller sees, as they are now."""
    wanted = set(item_ids)

    async def action(tx: Tx) -> dict[UUID, ItemView]:
        by = await by_calendar(tx, call)
        visible = await item_store.seen_of(tx, call.tenant_id, wanted, call.scope)
        found = await item_store.these(tx, call.tenant_id, visible)
        return {view.item.id: view for view in await views(tx, service, by, found, triggers=False)}

    return await service.read(action, whole=True) if wanted else {}


async def history(
    service: Service, call: Call, item_id: UUID, after: tuple[int, int], limit: int
) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """An item's events, oldest first, each with its (revision, ordinal). Refuses `not_found`."""

    async def action(tx: Tx) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        await seen(tx, call, item_id)
        return await history_store.of_item(tx, call.tenant_id, item_id, after, limit)

    return await service.read(action)
