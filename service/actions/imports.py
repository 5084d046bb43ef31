"""Importing ledgers: a file read, judged and listed, whole or its accepted rows, in one transaction."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from service.actions import bulk_listing, bulk_updating, importing, moving, schedule
from service.actions.bulk_listing import Lister, Numbers
from service.actions.import_report import report
from service.actions.importing import Ground, Options, Plan
from service.actions.service import Call, Replay, Service
from service.errors import Refused, invalid
from service.outside import sheets
from service.store.database import Changes, Duplicate, Tx
from service.workflow import own_export
from service.workflow.corrections import Correction
from service.workflow.import_plan import Outcome, Placed
from service.workflow.ledger_rows import LedgerRow, judge
from service.workflow.ledger_sheet import SheetRead, read_sheets

CHUNK = 200
"""Items that are written at once: others have their turn in between."""

TRIES = 5

Tell = Callable[[int], None]
"""Told how many percent are done; from any thread."""

READ, JUDGED, PLANNED = 20, 35, 40
"""Percent that are done when the file is read, its rows are judged, and it is known what they come to."""


@dataclass(slots=True)
class Ledgers:
    """What a file holds; the refused rows, once they are known, with their cells under `headings`, each with why."""

    file: str
    sheets: list[SheetRead]
    rows: list[LedgerRow]
    headings: list[str] = field(default_factory=list)
    refused: list[list[str]] = field(default_factory=list)

    def set_aside(self, placed: list[Placed]) -> None:
        """Keep the refused rows for correction, and let go of the cells of all others: a large file has two million."""
        self.headings, self.refused = _refused(self, placed)
        for sheet in self.sheets:
            sheet.forget()


@dataclass(slots=True)
class Done:
    """A report, and the cells of the rows that were refused, each with why."""

    report: dict[str, Any]
    headings: list[str]
    refused: list[list[str]]


def silent(percent: int) -> None:
    """Nobody wants to know."""


def read(content: bytes, file: str, options: Options, tell: Tell = silent) -> Ledgers:
    """The rows of a file, judged. Takes its time. Refuses `invalid_request` at /file."""
    try:
        found = read_sheets(sheets.read(content, file), options.columns)
    except sheets.Unreadable as unreadable:
        raise invalid(("/file", UNREADABLE.get(unreadable.reason, "unreadable"))) from None
    except sheets.TooLarge as large:
        raise invalid(("/file", TOO_LARGE.get(large.limit, "too_long"))) from None
    if not any(sheet.header for sheet in found):
        raise invalid(("/file", "no_ledger_header"))
    tell(READ)
    rows = judge(line for sheet in found for line in own_export.lines(sheet))
    tell(JUDGED)
    return Ledgers(file, found, rows)


UNREADABLE = {
    "extension": "wrong_extension", "macros": "macros", "external_links": "external_links", "entities": "entities",
    "protected": "protected_file",
}  # fmt: skip
TOO_LARGE = {
    "parts": "zip_bomb", "declared": "zip_bomb", "unpacked": "zip_bomb", "ratio": "zip_bomb", "memory": "zip_bomb",
    "time": "too_slow",
}  # fmt: skip
"""All other limits are too_long."""


Keep = Callable[[Changes, Done], None]
"""Adds to the write that lists the rows what is kept of the import itself."""


async def load(
    service: Service, call: Call, content: bytes, file: str, options: Options, keep: Keep, tell: Tell = silent
) -> Done | Replay:
    """Import a file, or only say what would come of it.

    Refuses `forbidden`, and `invalid_request` for what is no ledger, an unknown ledger or parent.
    """
    importing.may_import(call, options)
    for _ in range(TRIES):
        ledgers, stands, plan = await _planned(service, call, content, file, options, tell)
        if options.dry_run:
            return await _keep_alone(service, call, _done(ledgers, plan, options, stored=False), keep)
        reserved = await _reserve(service, call, plan)
        try:
            stored = await _store(service, call, options, ledgers, Prepared(stands, plan, reserved), keep, tell)
        except Duplicate as duplicate:
            # Somebody else made a unit or took a number meanwhile: it is there to be found the next time.
            if duplicate.constraint not in ("uq_units_tenant_id_code", "uq_items_tenant_id_ledger_id_number"):
                raise
            continue
        if stored is not None:
            return stored
    raise Refused("unavailable")


async def _planned(
    service: Service, call: Call, content: bytes, file: str, options: Options, tell: Tell
) -> tuple[Ledgers, Ground, Plan]:
    """What the file holds, what is there, and what the one comes to beside the other."""
    ledgers = await asyncio.to_thread(read, content, file, options, tell)
    stands = await service.read(lambda tx: importing.ground(tx, call, options, ledgers.rows), whole=True)
    plan = await asyncio.to_thread(importing.plan, stands, call, options, ledgers.rows)
    ledgers.set_aside(plan.placed)
    tell(PLANNED)
    return ledgers, stands, plan


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was worked out before the write, on what ground, and the numbers that were taken for it."""

    stands: Ground
    plan: Plan
    numbers: dict[int, range]


async def _reserve(service: Service, call: Call, plan: Plan) -> dict[int, range]:
    """Numbers for the new items, before the write: reserving is a transaction of its own."""
    return {
        year: await service.numbers.take(service.database, call.tenant_id, plan.ledger.id, year, count)
        for year, count in plan.years(call.today).items()
    }


async def _store(
    service: Service, call: Call, options: Options, ledgers: Ledgers, made: Prepared, keep: Keep, tell: Tell
) -> Done | Replay | None:
    """The write. None where the ground is another than the plan stands on: it is to be made anew."""
    plan = made.plan

    async def action(tx: Tx) -> Done | Replay | None:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        plan.begin_again()
        changes = Changes()
        present = await _hold_tree(tx, changes, call, options)
        if await importing.ground(tx, present, options, ledgers.rows) != made.stands:
            return None
        stores = not (options.all_or_nothing and any(each.errors for each in plan.placed))
        if stores:
            bulk_listing.create_units(changes, present, plan.new_units)
            await tx.apply(changes)
            await _write(tx, Lister(service, present, plan, Numbers(made.numbers)), options, tell)
            changes = Changes()
        done = _done(ledgers, plan, options, stored=stores)
        keep(changes, done)
        call.record(changes, done)
        await tx.apply(changes)
        return done

    return await service.write(call, action, locking=True)


async def _keep_alone(service: Service, call: Call, done: Done, keep: Keep) -> Done | Replay:
    """Of a dry run only the report is kept."""

    async def action(tx: Tx) -> Done | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        changes = Changes()
        keep(changes, done)
        call.record(changes, done)
        await tx.apply(changes)
        return done

    return await service.write(call, action)


async def _hold_tree(tx: Tx, changes: Changes, call: Call, options: Options) -> Call:
    """Shared by whoever lists; alone where units are made of names, which no other import may make meanwhile."""
    if options.create_units:
        await moving.epoch(tx, call)
    return await schedule.hold_tree(tx, changes, call)


async def _write(tx: Tx, lister: Lister, options: Options, tell: Tell) -> None:
    """Everything in one transaction, so many rows at a time."""
    plan = lister.plan
    new = plan.of(Outcome.CREATED)
    changed = plan.of(Outcome.CHANGED) if options.update else []
    total = max(1, len(new) + len(changed))

    def listed() -> Iterator[Changes]:
        for start in range(0, len(new), CHUNK):
            changes = Changes()
            lister.store(changes, new[start : start + CHUNK])
            tell(PLANNED + (99 - PLANNED) * start // total)
            yield changes.merged()

    await tx.apply_each(listed())
    for start in range(0, len(changed), CHUNK):
        changes = Changes()
        await bulk_updating.update(tx, changes, lister.call, plan, changed[start : start + CHUNK])
        await tx.apply(changes.merged())
        tell(PLANNED + (99 - PLANNED) * (len(new) + min(start + CHUNK, len(changed))) // total)


def _done(ledgers: Ledgers, plan: Plan, options: Options, *, stored: bool) -> Done:
    for each in plan.placed:
        if not stored and each.outcome == Outcome.CREATED:
            each.item_id = None
    told = report(
        ledgers.sheets,
        plan.placed,
        file=ledgers.file,
        dry_run=options.dry_run,
        stored=stored,
        new_units=[unit.name for unit in plan.new_units],
    )
    return Done(told, ledgers.headings, ledgers.refused)


def _refused(ledgers: Ledgers, placed: list[Placed]) -> tuple[list[str], list[list[str]]]:
    """The refused rows under the headings of their ledgers, with sheet and row before and the faults as JSON behind."""
    by_name = {sheet.name: sheet for sheet in ledgers.sheets}
    refused = [each for each in placed if each.errors]
    table = Correction()
    found = []
    for each in refused:
        sheet = by_name[each.row.sheet]
        header = sheet.header_of(each.row.row)
        said = table.row(header, sheet.cells(each.row.row)) if header else {}
        faults = json.dumps([[fault.code, str(fault.field or ""), fault.about or ""] for fault in each.errors])
        found.append(([each.row.sheet or ledgers.file, str(each.row.row)], said, faults))
    headings = list(table.headings)
    return headings, [[*beside, *(said.get(name, "") for name in headings), faults] for beside, said, faults in found]
