"""The rows that follow an item: its work-list rows and its timer, kept with its state, deadline and units."""

from datetime import datetime, timedelta

from service.actions.service import Call
from service.store import timers, units, worklist
from service.store.database import Changes, Tx
from service.workflow import deadlines
from service.workflow.items import NEVER, Item
from service.workflow.states import State


async def hold_tree(tx: Tx, changes: Changes, call: Call) -> None:
    """What is derived from the unit tree holds only while the tree is as it was read: so read it after this.

    Comes before the guards of items: whoever holds the tree may wait for an item, never the other way round.
    """
    epoch = await tx.one(units.EPOCH_HELD if tx.contended else units.EPOCH, tenant_id=call.tenant_id)
    changes.guard(units.GUARD_TREE, tenant_id=call.tenant_id, epoch=epoch[0] if epoch else 0)


def start(changes: Changes, call: Call, items: list[Item]) -> None:
    """The rows of new items."""
    changes.many(worklist.DERIVE, [_work(call, item) for item in items])
    looks = [(item.id, look_at(call, item)) for item in items]
    changes.many(
        timers.INSERT,
        [{"tenant_id": call.tenant_id, "item_id": item_id, "look_at": look} for item_id, look in looks if look],
    )


def follow(changes: Changes, call: Call, before: Item, after: Item) -> None:
    """After a change of state or deadline; the units are the same."""
    was_closed, is_closed = before.state == State.CLOSED, after.state == State.CLOSED
    if before.deadline_day == after.deadline_day and was_closed == is_closed:
        return
    changes.add(
        worklist.RESCHEDULE,
        tenant_id=call.tenant_id,
        ref=after.id,
        new_kind=_kind(after),
        new_due=after.deadline_day or NEVER,
    )
    _follow_timer(changes, call, before, after)


def move(changes: Changes, call: Call, before: Item, after: Item) -> None:
    """After a change of units: other units see the item now, so its rows are derived anew. The tree is held."""
    changes.add(worklist.REMOVE, tenant_id=call.tenant_id, ref=after.id)
    changes.add(worklist.DERIVE, **_work(call, after))
    if before.deadline_day != after.deadline_day:
        _follow_timer(changes, call, before, after)


def rederive(changes: Changes, call: Call, items: list[Item]) -> None:
    """The same for many items whose deadline stays. The tree is held."""
    changes.many(worklist.REMOVE, [{"tenant_id": call.tenant_id, "ref": item.id} for item in items])
    changes.many(worklist.DERIVE, [_work(call, item) for item in items])


def _follow_timer(changes: Changes, call: Call, before: Item, after: Item) -> None:
    had, look = look_at(call, before), look_at(call, after)
    if look is None:
        changes.add(timers.STOP, tenant_id=call.tenant_id, item_id=after.id)
    elif had is None:
        changes.add(timers.INSERT, tenant_id=call.tenant_id, item_id=after.id, look_at=look)
    else:
        changes.add(timers.MOVE, tenant_id=call.tenant_id, item_id=after.id, new_look_at=look)


def look_at(call: Call, item: Item) -> datetime | None:
    """The instant at which the item's deadline has passed; None where there is nothing to wait for."""
    day = item.deadline_day
    if day is None or item.state == State.CLOSED:
        return None
    return deadlines.start_of(day + timedelta(days=1), call.caller.timezone)


def _kind(item: Item) -> str:
    return worklist.CLOSED_ITEM if item.state == State.CLOSED else worklist.OPEN_ITEM


def _work(call: Call, item: Item) -> dict[str, object]:
    return worklist.derive(
        tenant_id=call.tenant_id,
        ref=item.id,
        kind=_kind(item),
        due=item.deadline_day or NEVER,
        responsible=item.responsible_unit_id,
        supervising=item.supervising_unit_id,
        co_units=list(item.co_unit_ids),
    )
