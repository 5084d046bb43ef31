"""Listing problems: one or a thousand, all or none."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from service.actions import references, schedule
from service.actions.facts import seal_contact, view_of
from service.actions.references import Named, Units
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden, invalid
from service.store import items as item_store
from service.store import ledgers, search, units
from service.store.database import Changes, Duplicate, Tx
from service.store.scoping import given
from service.workflow import deadlines, events, listing
from service.workflow.items import Draft, Item, Lines
from service.workflow.listing import Place
from service.workflow.organisation import Ledger
from service.workflow.permissions import holds
from service.workflow.policy import Policy, number
from service.workflow.states import Role
from service.workflow.views import ItemView


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A problem to be listed: its facts, and where it belongs. `pointer` is its place in the request."""

    draft: Draft
    ledger: Named
    responsible: Named
    supervising: Named | None = None
    co_units: tuple[Named, ...] = ()
    pointer: str = ""


async def create(service: Service, call: Call, listings: list[Listing]) -> list[ItemView] | Replay:
    """List problems, all or none.

    Refuses `invalid_request` (unknown references, dates), `forbidden`, `guard_refused` (supervising_unit) and
    `conflict` with `existing_id` where an `external_ref` is taken.
    """
    for each in listings:
        _check_dates(call, each)
    reserved = await _reserve_numbers(service, call, listings)

    async def action(tx: Tx) -> list[ItemView] | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            await _still_seen(tx, call, replay, len(listings))
            return replay
        return await _list_all(tx, service, call, listings, reserved)

    try:
        return await service.write(call, action)
    except Duplicate as duplicate:
        if duplicate.constraint != "uq_items_external_ref":
            raise
        raise await _taken(service, call, listings) from None


def _check_dates(call: Call, each: Listing) -> None:
    try:
        listing.check_dates(each.draft, today=call.today, listed_on=_listed_on(call, each.draft))
    except Refused as refused:
        raise invalid(*((each.pointer + error.pointer, error.code) for error in refused.errors)) from None


def _listed_on(call: Call, draft: Draft) -> date:
    return deadlines.local_day(draft.listed_at, call.caller.timezone) if draft.listed_at else call.today


async def _reserve_numbers(service: Service, call: Call, listings: list[Listing]) -> list[int]:
    """A number for each listing, before the write: reserving is a transaction of its own."""
    numbers = []
    for each in listings:
        ledger_id = await _ledger_id(service, call, each.ledger)
        year = _listed_on(call, each.draft).year
        taken = await service.numbers.take(service.database, call.tenant_id, ledger_id, year, 1)
        numbers.append(taken[0])
    return numbers


async def _ledger_id(service: Service, call: Call, named: Named) -> UUID:
    """The id behind a ledger's code; neither ever changes, so it is remembered."""
    known = service.numbers.ledger_ids.get((call.tenant_id, named.ref))
    if known is None:

        async def action(tx: Tx) -> Ledger:
            return await references.find_ledger(tx, call, named)

        known = service.numbers.remember_ledger(call.tenant_id, named.ref, (await service.read(action)).id)
    return known


async def _list_all(
    tx: Tx, service: Service, call: Call, listings: list[Listing], reserved: list[int]
) -> list[ItemView]:
    changes = Changes()
    call = await schedule.hold_tree(tx, changes, call)
    found = await references.find_units(tx, call.tenant_id, {ref for each in listings for ref in _unit_refs(each)})
    known: dict[references.Ref, Ledger] = {}
    for each in listings:
        if each.ledger.ref not in known:
            known[each.ledger.ref] = await references.find_ledger(tx, call, each.ledger)
    owners = {ledger.owner_unit_id for ledger in known.values() if ledger.listing == "owner"}
    found.lines.update(await units.lines(tx, call.tenant_id, owners))
    listed = [
        _list_one(service, call, each, known[each.ledger.ref], found, seq)
        for each, seq in zip(listings, reserved, strict=True)
    ]
    items = [item for item, _, _ in listed]
    changes.many(item_store.INSERT, [item_store.insert_params(call.tenant_id, item) for item in items])
    schedule.start(changes, call, [(item, policy) for item, _, policy in listed])
    search.add(changes, call.tenant_id, items)
    for (item, _, _), each in zip(listed, listings, strict=True):
        call.write_down(changes, [events.of_listing(item, each.draft.closed_note, each.draft.closed_on)], 1)
    views = [view_of(service, call, item, policy, lines, interview=None) for item, lines, policy in listed]
    call.record(changes, views)
    await tx.apply(changes.merged())
    return views


def _unit_refs(each: Listing) -> list[references.Ref]:
    named = [each.responsible, *each.co_units, *([each.supervising] if each.supervising else [])]
    return [name.ref for name in named]


def _list_one(
    service: Service, call: Call, each: Listing, ledger: Ledger, found: Units, seq: int
) -> tuple[Item, Lines, Policy]:
    responsible = found.line(each.responsible)
    co_lines = tuple(found.line(named) for named in each.co_units)
    if each.supervising is not None:
        supervising = found.line_in(each.supervising, call.scope)
        permitted = holds(call.grants, "item:create", supervising)
    else:
        supervising = responsible[1:] or responsible
        permitted = holds(call.grants, "item:create", responsible)
    if not permitted:
        raise forbidden()
    _may_list(call, ledger, found, each.draft, responsible, supervising)
    policy = ledgers.remember(call.tenant_id, ledger)
    draft = each.draft
    listed_on = _listed_on(call, draft)
    item_id = new_id()
    item = listing.list_item(
        draft,
        Place(
            ledger_id=ledger.id,
            policy=policy,
            policy_epoch=ledger.policy_epoch,
            calendar=call.calendar,
            responsible=responsible,
            supervising=supervising,
            supervising_defaulted=each.supervising is None,
            co_units=tuple({line[0]: None for line in co_lines if line[0] != responsible[0]}),
        ),
        item_id=item_id,
        number=number(policy.numbers["item"], ledger=ledger.code, year=listed_on.year, seq=seq),
        actor_id=call.caller.principal_id,
        lister_id=call.lister_id,
        contact_sealed=seal_contact(service, call, item_id, draft.contact),
        now=call.now,
        today=call.today,
        listed_on=listed_on,
        closed_at=_closed_at(call, draft.closed_on),
    )
    return item, Lines(responsible=responsible, supervising=supervising, co=co_lines), policy


def _closed_at(call: Call, closed_on: date | None) -> datetime | None:
    """Of an old item only the day is known: it counts as closed by its end, and never in the future."""
    if closed_on is None:
        return None
    end = deadlines.start_of(closed_on + timedelta(days=1), call.caller.timezone) - timedelta(seconds=1)
    return min(end, call.now)


def _may_list(
    call: Call,
    ledger: Ledger,
    found: Units,
    draft: Draft,
    responsible: tuple[UUID, ...],
    supervising: tuple[UUID, ...],
) -> None:
    """Ledgers that only their owner lists in, and dates that only admin and supervisor set."""
    if ledger.listing == "owner" and not holds(call.grants, "item:create", found.lines[ledger.owner_unit_id]):
        raise forbidden("owner_listing")
    if draft.listed_at is not None or draft.closed_on is not None:
        trusted = tuple(grant for grant in call.grants if grant.role in (Role.ADMIN, Role.SUPERVISOR))
        if not (holds(trusted, "item:create", supervising) or holds(trusted, "item:create", responsible)):
            raise forbidden("backdating")


async def _taken(service: Service, call: Call, listings: list[Listing]) -> Refused:
    """`conflict`, with the id of the item that bears the `external_ref` where the caller may see it."""

    async def action(tx: Tx) -> UUID | None:
        for each in listings:
            ledger = await references.find_ledger(tx, call, each.ledger)
            row = await tx.one(
                item_store.BY_EXTERNAL_REF.over(call.scope),
                tenant_id=call.tenant_id,
                ledger_id=ledger.id,
                owner=call.lister_id,
                external_ref=each.draft.external_ref,
                **given(call.scope),
            )
            if row is not None:
                return UUID(str(row[0]))
        return None

    existing = await service.read(action)
    return Refused("conflict", "external_ref", {"existing_id": str(existing)} if existing else {})


async def _still_seen(tx: Tx, call: Call, replay: Replay, count: int) -> None:
    """A replay shows nothing that the caller may not see at this moment: of a batch, every item must be seen."""
    listed = json.loads(replay.answer.body)
    wanted = {UUID(item["id"]) for item in listed.get("items", [listed])}
    if len(wanted) != count or await item_store.seen_of(tx, call.tenant_id, wanted, call.scope) != wanted:
        raise Refused("not_found")
