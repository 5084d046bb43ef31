"""What the verbs on items share: finding one for a caller with all that rules ask, and seeing it as that caller may."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from service.actions.entries import Entry
from service.actions.service import Call, Replay, Service
from service.errors import Refused
from service.store import calendars, interviews, ledgers, tenants, units
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.store.items import Found
from service.workflow import machine
from service.workflow.guards import Case
from service.workflow.items import Interview, Item, Lines
from service.workflow.permissions import Standing
from service.workflow.policy import Policy
from service.workflow.views import ItemView, view


@dataclass(frozen=True, slots=True)
class Present:
    """An item in the caller's scope as it was read, by the rules and the calendar of this moment."""

    call: Call
    found: Found
    policy: Policy
    lines: Lines
    standing: Standing
    interview: Interview | None

    @property
    def item(self) -> Item:
        return self.found.item

    @property
    def case(self) -> Case:
        return case_of(self.call, self.item, self.standing, self.policy, self.interview)

    def entry(self) -> Entry:
        """The item to be written, planned anew where it must be."""
        return Entry.of(self.call, self.item, self.policy, self.found.policy_epoch)


async def present(tx: Tx, call: Call, item_id: UUID) -> Present:
    """The item with all that rules ask. Refuses `not_found` where it does not lie in the caller's scope."""
    return await _present(tx, call, await seen(tx, call, item_id))


async def present_to_change(tx: Tx, call: Call, item_id: UUID) -> Present | Replay:
    """The same, or the answer that was given under this Idempotency-Key already."""
    found = await item_store.find(tx, call.tenant_id, item_id, call.scope, call.key)
    if found is None:
        raise Refused("not_found")
    return call.replay(found.answered) or await _present(tx, call, found)


async def _present(tx: Tx, call: Call, found: Found) -> Present:
    call = call.by(await calendars.of(tx, call.tenant_id, found.calendar_epoch))
    policy = await ledgers.policy(tx, call.tenant_id, found.item.ledger_id, found.policy_epoch)
    lines = await lines_of(tx, call, found)
    standing = Standing.of(call.grants, lines)
    return Present(call, found, policy, lines, standing, await interview_of(tx, call, found.item))


async def seen(tx: Tx, call: Call, item_id: UUID) -> Found:
    """The item alone, where it lies in the caller's scope; refuses `not_found`."""
    found = await item_store.find(tx, call.tenant_id, item_id, call.scope)
    if found is None:
        raise Refused("not_found")
    return found


async def by_calendar(tx: Tx, call: Call) -> Call:
    """The call by the tenant's calendar, for what is not read with an item."""
    row = await tx.one(tenants.EPOCH, tenant_id=call.tenant_id)
    return call.by(await calendars.of(tx, call.tenant_id, row[0] if row else 0))


def still_at(item: Item, if_version: int | None) -> None:
    if if_version is not None and if_version != item.version:
        raise Refused("stale_version")


async def lines_of(tx: Tx, call: Call, found: Found) -> Lines:
    co_units = await units.lines(tx, call.tenant_id, set(found.item.co_unit_ids))
    return Lines(responsible=found.responsible, supervising=found.supervising, co=tuple(co_units.values()))


async def interview_of(tx: Tx, call: Call, item: Item) -> Interview | None:
    """The interview of the item's latest escalation in this cycle."""
    if item.interview_id is None:
        return None
    return await interviews.by_id(tx, call.tenant_id, item.interview_id)


def case_of(call: Call, item: Item, standing: Standing, policy: Policy, interview: Interview | None) -> Case:
    return Case(
        item=item,
        standing=standing,
        policy=policy,
        calendar=call.calendar,
        now=call.now,
        today=call.today,
        actor_id=call.actor.principal_id,
        interview=interview,
    )


def view_of(
    service: Service, call: Call, item: Item, policy: Policy, lines: Lines, interview: Interview | None
) -> ItemView:
    """The item with what this caller could do now, and who complained where that is meant for this caller."""
    standing = Standing.of(call.grants, lines)
    case = case_of(call, item, standing, policy, interview)
    return view(
        item,
        policy,
        call.calendar,
        call.today,
        allowed_triggers=tuple(name for name, refusal in machine.prospects(case) if refusal is None),
        contact=open_contact(service, call, item) if standing.sees_contact else None,
    )


def seal_contact(service: Service, call: Call, item_id: UUID, contact: str | None) -> bytes | None:
    if contact is None:
        return None
    return service.vault.encrypt(contact, tenant_id=call.tenant_id, table="items", row=item_id)


def open_contact(service: Service, call: Call, item: Item) -> str | None:
    if item.contact_sealed is None:
        return None
    return service.vault.decrypt(item.contact_sealed, tenant_id=call.tenant_id, table="items", row=item.id)


def change(changes: Changes, call: Call, item: Item, columns: dict[str, Any]) -> None:
    """Store `columns` where the item is still as it was read. No columns: hold it so until the commit."""
    statement, params = item_store.write_params(call.tenant_id, item, columns)
    changes.guard(statement, **params)
