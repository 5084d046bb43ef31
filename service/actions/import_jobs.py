"""Imports as something that can be asked about: how far one is, what it came to, and the rows to be corrected."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from service.actions import imports
from service.actions.background import beating
from service.actions.importing import Options, may_import
from service.actions.imports import Done, Tell
from service.actions.service import Call, Replay, Service, new_id
from service.errors import FieldError, Refused
from service.outside.sheet_writer import workbook
from service.store import imports as import_store
from service.store.database import Changes, Tx
from service.store.imports import Import
from service.workflow.jobs import SILENT, JobState
from service.workflow.permissions import administers

BEAT_SECONDS = 1.0
MAX_REFUSED = 10_000
"""Refused rows that are kept for correction."""

log = structlog.get_logger("xiaohao.imports")


async def run(
    service: Service, call: Call, content: bytes, file: str, options: Options, tell: Tell = imports.silent
) -> Done | Replay:
    """Import a file and keep its report. Refuses what `imports.load` refuses."""
    import_id = new_id()

    def keep(changes: Changes, done: Done) -> None:
        done.report["id"] = str(import_id)
        changes.add(
            import_store.INSERT, **import_store.params(call.tenant_id, _finished(service, call, import_id, done))
        )

    async with service.imports_at_once:
        return await imports.load(service, call, content, file, options, keep, tell)


async def start(service: Service, call: Call, content: bytes, file: str, options: Options) -> Import | Replay:
    """Begin an import that goes on by itself. Refuses `forbidden`; whatever else is wrong its state will say."""
    may_import(call, options)
    begun = Import(new_id(), call.caller.principal_id, JobState.RUNNING.value, 0, None, None, None, call.now, call.now)

    async def action(tx: Tx) -> Import | Replay:
        replay = await call.replayed(tx)
        if replay is not None:
            return replay
        changes = Changes()
        changes.add(import_store.INSERT, **import_store.params(call.tenant_id, begun))
        call.record(changes, begun)
        await tx.apply(changes)
        return begun

    made = await service.write(call, action)
    if isinstance(made, Import):
        service.background.percent[made.id] = 0
        service.background.begin(_go_on(service, call.with_receipt(None), made, content, file, options))
    return made


async def _go_on(service: Service, call: Call, begun: Import, content: bytes, file: str, options: Options) -> None:
    def keep(changes: Changes, done: Done) -> None:
        done.report["id"] = str(begun.id)
        import_store.finish(changes, call.tenant_id, _finished(service, call, begun.id, done))

    def tell(percent: int) -> None:
        # Whose ground has changed meanwhile is read again: that takes nothing back.
        under_way[begun.id] = max(under_way[begun.id], percent)

    under_way = service.background.percent
    try:
        async with beating(_beat(service, call, begun), BEAT_SECONDS), service.imports_at_once:
            await imports.load(service, call, content, file, options, keep, tell)
    except Refused as refused:
        await _fail(service, call, begun, refused)
    except asyncio.CancelledError:
        # The process ends: nothing of it was stored, unless it was through already.
        await _fail(service, call, begun, Refused("unavailable"))
    except Exception:
        log.exception("import failed", import_id=str(begun.id))
        await _fail(service, call, begun, Refused("internal"))
    finally:
        del under_way[begun.id]


def _beat(service: Service, call: Call, begun: Import) -> Callable[[], Awaitable[None]]:
    """Write down how far it is, for other processes, and that it still goes on."""
    seconds = itertools.count(0, BEAT_SECONDS)

    async def beat() -> None:
        changes = Changes()
        changes.add(
            import_store.BEAT,
            tenant_id=call.tenant_id,
            import_id=begun.id,
            new_percent=service.background.percent[begun.id],
            new_updated_at=begun.created_at + timedelta(seconds=next(seconds)),
        )
        await service.database.write(lambda tx: tx.apply(changes))

    return beat


async def _fail(service: Service, call: Call, begun: Import, refused: Refused) -> None:
    faults = {
        "code": refused.code,
        "reason": refused.reason,
        "errors": [[error.pointer, error.code] for error in refused.errors],
    }
    failed = replace(begun, state=JobState.FAILED.value, percent=100, faults=faults)

    async def action(tx: Tx) -> None:
        changes = Changes()
        import_store.finish(changes, call.tenant_id, failed)
        await tx.apply(changes)

    await service.database.write(action)


def _finished(service: Service, call: Call, import_id: UUID, done: Done) -> Import:
    sealed = None
    if done.refused:
        table = json.dumps({"headings": done.headings, "rows": done.refused[:MAX_REFUSED]}, ensure_ascii=False)
        sealed = service.vault.encrypt(table, tenant_id=call.tenant_id, table="imports", row=import_id)
    principal = call.caller.principal_id
    return Import(import_id, principal, JobState.DONE.value, 100, done.report, None, sealed, call.now, call.now)


async def find(service: Service, call: Call, import_id: UUID) -> Import:
    """An import as it stands, for whoever made it and for admins. Refuses `not_found`."""

    async def action(tx: Tx) -> Import | None:
        return await import_store.find(tx, call.tenant_id, import_id)

    # Looked up before the row: it may come to its end between the two, and how far it was would be forgotten.
    here = service.background.percent.get(import_id)
    found = await service.read(action)
    if found is None or not (found.principal_id == call.caller.principal_id or administers(call.grants)):
        raise Refused("not_found")
    if found.state != JobState.RUNNING:
        # A last beat may have come behind the end.
        return replace(found, percent=100)
    if here is not None:
        return replace(found, percent=here)
    if call.now - found.updated_at > SILENT:
        # It went down with its process; nothing of it was stored.
        return replace(found, state=JobState.FAILED.value, faults={"code": "unavailable", "reason": None, "errors": []})
    return found


def refusal(faults: dict[str, Any]) -> Refused:
    """Why an import failed, as it would have been answered."""
    errors = tuple(FieldError(pointer, code) for pointer, code in faults["errors"])
    return Refused(faults["code"], faults["reason"], errors=errors)


Say = Callable[[dict[str, Any]], str]
"""What is said of a fault, in the reader's language."""

BESIDE = {"zh": ("工作表", "行号", "退回原因"), "en": ("Sheet", "Row", "Why refused")}


async def correction(service: Service, call: Call, import_id: UUID, say: Say, tongue: str) -> bytes:
    """A workbook of the rows that were refused, to be corrected and imported again: the reason stands in the last
    column, which says nothing to an import. Refuses `not_found`, also where no row was refused."""
    found = await find(service, call, import_id)
    if found.refused_sealed is None:
        raise Refused("not_found")
    sealed = bytes(found.refused_sealed)
    told = json.loads(service.vault.decrypt(sealed, tenant_id=call.tenant_id, table="imports", row=import_id))
    sheet, row, why = BESIDE[tongue]
    rows = [[*cells[2:-1], *cells[:2], _reasons(cells[-1], say)] for cells in told["rows"]]
    return await asyncio.to_thread(workbook, "refused", [*told["headings"], sheet, row, why], rows)


def _reasons(stored: str, say: Say) -> str:
    return "；".join(
        say({"code": code, "field": name or None, "about": about or None}) for code, name, about in json.loads(stored)
    )


def id_of(done: Done) -> UUID:
    return UUID(done.report["id"])
