"""Units loaded in bulk from a table: all or nothing, and again without doing anything twice."""

import asyncio
from dataclasses import dataclass
from itertools import groupby

from service.actions import moving
from service.actions.service import Call, Replay, Service, new_id
from service.errors import Refused, forbidden, invalid
from service.outside import sheets
from service.store import units
from service.store.database import Changes, Duplicate, Tx
from service.workflow import organisation_events as events
from service.workflow import unit_sheet
from service.workflow.permissions import holds_anywhere
from service.workflow.unit_sheet import Planned, UnitRow

MAX_SHOWN = 1000
"""Rows that an answer names at most."""

STATUSES = ("created", "updated", "moved", "unchanged")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the table: how many rows of each status, and those that changed something."""

    counts: dict[str, int]
    rows: list[Planned]
    truncated: bool
    dry_run: bool


async def load(service: Service, call: Call, content: bytes, *, dry_run: bool) -> Report | Replay:
    """Make the tree what the table says, where it says anything; `dry_run`: only say what would come of it.

    Refuses `forbidden` and `invalid_request`, whose pointers name rows as the clerk sees them.
    """
    if not holds_anywhere(call.grants, "unit:write"):
        raise forbidden()
    rows = await asyncio.to_thread(_rows, content)

    async def action(tx: Tx) -> Report | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        epoch = 0 if dry_run else await moving.epoch(tx, call)
        present = await units.every(tx, call.tenant_id)
        planned = unit_sheet.plan(rows, present, new_id=new_id, now=call.now)
        report = _report(planned, dry_run)
        if not dry_run:
            changes = Changes()
            await _store(tx, changes, call, epoch, [each for each in planned if each.status != "unchanged"])
            call.record(changes, report)
            await tx.apply(changes)
        return report

    if dry_run:
        return await service.read(action, whole=True)
    try:
        return await service.write(call, action, locking=True)
    except Duplicate as duplicate:
        if duplicate.constraint != "uq_units_tenant_id_code":
            raise
        raise Refused("conflict", "code_taken") from None


def _rows(content: bytes) -> list[UnitRow]:
    try:
        found = sheets.read(content)
    except sheets.Unreadable:
        raise invalid(("/file", "unreadable")) from None
    except sheets.TooLarge:
        raise invalid(("/file", "too_long")) from None
    return unit_sheet.read_rows(sheet.rows for sheet in found)


def _report(planned: list[Planned], dry_run: bool) -> Report:
    counts = dict.fromkeys(STATUSES, 0)
    for each in planned:
        counts[each.status] += 1
    changed = sorted((each for each in planned if each.status != "unchanged"), key=lambda each: each.number)
    return Report(counts, changed[:MAX_SHOWN], len(changed) > MAX_SHOWN, dry_run)


async def _store(tx: Tx, changes: Changes, call: Call, epoch: int, planned: list[Planned]) -> None:
    """In the order of the plan: what hangs under a row comes after it, and a move sees the moves before it."""
    if not planned:
        return
    moving.change_tree(changes, call, epoch)
    for status, group in groupby(planned, key=lambda each: each.status):
        together = list(group)
        if status == "created":
            _create(changes, call, together)
            continue
        changes.many(
            units.UPDATE,
            [units.changed(call.tenant_id, each.before, each.after) for each in together if each.before],
            sure=True,
        )
        for each in together:
            if status == "moved":
                await moving.rehang(tx, changes, call, each.after.id, each.old_above, each.new_above)
    drafts = [
        ([events.unit_created(each.after)] if each.before is None else events.unit_changed(each.before, each.after), 0)
        for each in planned
    ]
    call.write_down_each(changes, drafts)


def _create(changes: Changes, call: Call, planned: list[Planned]) -> None:
    made = [each.after for each in planned]
    changes.many(units.INSERT, [units.params(call.tenant_id, unit) for unit in made])
    changes.many(
        units.INSERT_ANCESTORS,
        [{"tenant_id": call.tenant_id, "unit_id": unit.id, "parent_id": unit.parent_id} for unit in made],
    )
