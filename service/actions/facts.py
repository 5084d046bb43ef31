"""What the verbs on items share: finding one for a caller, and seeing it as that caller may."""

from typing import Any
from uuid import UUID

from service.actions.service import Call, Replay, Service
from service.errors import Refused
from service.store import interviews, ledgers, units
from service.store import items as item_store
from service.store.database import Changes, Tx
from service.store.items import Found
from service.workflow import machine
from service.workflow.guards import Case
from service.workflow.items import Interview, Item, Lines
from service.workflow.permissions import Standing
from service.workflow.policy import Policy
from service.workflow.views import ItemView, view


async def seen(tx: Tx, call: Call, item_id: UUID) -> Found:
    """The item, where it lies in the caller's scope; refuses `not_found`."""
    found = await item_store.find(tx, call.tenant_id, item_id, call.scope)
    if found is None:
        raise Refused("not_found")
    return found


async def found_to_change(tx: Tx, call: Call, item_id: UUID) -> Found | Replay:
    """The item, or the answer that was given under this Idempotency-Key already."""
    found = await item_store.find(tx, call.tenant_id, item_id, call.scope, call.key)
    if found is None:
        raise Refused("not_found")
    return call.replay(found.answered) or found


def still_at(item: Item, if_version: int | None) -> None:
    if if_version is not None and if_version != item.version:
        raise Refused("stale_version")


async def lines_of(tx: Tx, call: Call, found: Found) -> Lines:
    co_units = await units.lines(tx, call.tenant_id, set(found.item.co_unit_ids))
    return Lines(responsible=found.responsible, supervising=found.supervising, co=tuple(co_units.values()))


async def policy_of(tx: Tx, call: Call, found: Found) -> Policy:
    return await ledgers.policy(tx, call.tenant_id, found.item.ledger_id, found.policy_epoch)


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
        actor_id=call.caller.principal_id,
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
