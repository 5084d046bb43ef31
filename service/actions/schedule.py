"""The rows that follow an item: its place in the work list, what is pending about it, and when to look at it again."""

from collections.abc import Collection
from operator import attrgetter

from service.actions.grounds import ground_of
from service.actions.service import Call
from service.store import calendars, timers, units, worklist
from service.store.database import Changes, Tx
from service.workflow.items import NEVER, Item
from service.workflow.ladder import Mark, next_look
from service.workflow.policy import Policy
from service.workflow.states import State
from service.workflow.waiting import INTERVIEW, Waiting

_looked_by = attrgetter(
    "state", "cycle", "due_on", "review_on", "passed_on", "rungs_from", "claim_due", "pending", "escalation_count",
    "responsible_unit_id", "policy_epoch", "calendar_epoch",
)  # fmt: skip
"""What the next look at an item depends on; where none of it changes, the timer stays."""

_units = attrgetter("responsible_unit_id", "supervising_unit_id", "co_unit_ids")


async def hold_tree(tx: Tx, changes: Changes, call: Call) -> Call:
    """What is derived from the unit tree holds only while the tree is as it was read: so read it after this.

    Comes before items are locked or guarded: whoever holds the tree may wait for an item, never the other way round.
    The call comes back by the tenant's present calendar.
    """
    row = await tx.one(units.EPOCHS_HELD if tx.contended else units.EPOCHS, tenant_id=call.tenant_id)
    tree, calendar = row if row else (0, 0)
    changes.guard(units.GUARD_TREE, tenant_id=call.tenant_id, epoch=tree)
    return call.by(await calendars.of(tx, call.tenant_id, calendar))


def start(changes: Changes, call: Call, items: list[tuple[Item, Policy]]) -> None:
    """The rows of new items."""
    changes.many(worklist.DERIVE, [_work_of_item(call, item) for item, _ in items])
    looks = [(item, next_look(item, ground_of(policy, call.calendar, call.tz), call.now)) for item, policy in items]
    changes.many(timers.INSERT, [timers.row(call.tenant_id, item, look) for item, look in looks if look])


def follow(
    changes: Changes, call: Call, before: Item, after: Item, policy: Policy, done: Collection[Mark] | None = None
) -> None:
    """After any change of an item. Where its units change, or something new is pending, the tree is held."""
    if _units(before) != _units(after):
        _derive_anew(changes, call, after)
    else:
        _follow_day(changes, call, before, after)
        _follow_pending(changes, call, before, after)
    if done is not None or _looked_by(before) != _looked_by(after):
        _follow_timer(changes, call, before, after, policy, done)


def _derive_anew(changes: Changes, call: Call, item: Item) -> None:
    """Other units see the item now, and all that is pending about it."""
    changes.add(worklist.REMOVE_OF_ITEM, tenant_id=call.tenant_id, item_id=item.id)
    changes.add(worklist.DERIVE, **_work_of_item(call, item))
    for kind in item.pending:
        _derive_pending(changes, call, item, kind)


def _follow_day(changes: Changes, call: Call, before: Item, after: Item) -> None:
    if before.deadline_day == after.deadline_day and _kind(before) == _kind(after):
        return
    changes.add(
        worklist.RESCHEDULE,
        tenant_id=call.tenant_id,
        ref=after.id,
        new_kind=_kind(after),
        new_due=after.deadline_day or NEVER,
    )


def _follow_pending(changes: Changes, call: Call, before: Item, after: Item) -> None:
    for kind in before.pending.keys() | after.pending.keys():
        had, has = before.waiting(kind), after.waiting(kind)
        if had == has:
            continue
        if had is not None and (has is None or has.id != had.id):
            changes.add(worklist.REMOVE, tenant_id=call.tenant_id, ref=had.id)
        if has is not None and (had is None or has.id != had.id):
            _derive_pending(changes, call, after, kind)
        elif has is not None:
            changes.add(
                worklist.RESCHEDULE,
                tenant_id=call.tenant_id,
                ref=has.id,
                new_kind=_work_kind(kind),
                new_due=has.due,
            )


def _follow_timer(
    changes: Changes, call: Call, before: Item, after: Item, policy: Policy, done: Collection[Mark] | None
) -> None:
    look = next_look(after, ground_of(policy, call.calendar, call.tz), call.now, done)
    if look is None:
        if before.state != State.CLOSED:
            changes.add(timers.STOP, tenant_id=call.tenant_id, item_id=after.id)
    elif before.state == State.CLOSED:
        changes.add(timers.INSERT, **timers.row(call.tenant_id, after, look))
    else:
        changes.add(
            timers.MOVE,
            tenant_id=call.tenant_id,
            item_id=after.id,
            new_look_at=look,
            new_unit_id=after.responsible_unit_id,
        )


def _kind(item: Item) -> str:
    return worklist.CLOSED_ITEM if item.state == State.CLOSED else worklist.OPEN_ITEM


def _work_kind(kind: str) -> str:
    return worklist.INTERVIEW if kind == INTERVIEW else worklist.REQUEST


def _work_of_item(call: Call, item: Item) -> dict[str, object]:
    return worklist.derive(
        tenant_id=call.tenant_id,
        ref=item.id,
        item_id=item.id,
        kind=_kind(item),
        due=item.deadline_day or NEVER,
        responsible=item.responsible_unit_id,
        supervising=item.supervising_unit_id,
        co_units=list(item.co_unit_ids),
    )


def _derive_pending(changes: Changes, call: Call, item: Item, kind: str) -> None:
    waiting = Waiting.from_dict(item.pending[kind])
    of_item = _work_of_item(call, item)
    changes.add(worklist.DERIVE, **of_item | {"ref": waiting.id, "kind": _work_kind(kind), "due": waiting.due})
