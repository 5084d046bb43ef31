"""Rungs that were done, or left out for a reason: a row that keeps it from being done again, and its event."""

from datetime import datetime
from typing import Any
from uuid import UUID

from service.actions.entries import Entry
from service.actions.service import Call
from service.store import firings
from service.workflow import clock_events
from service.workflow.ladder import Meeting


def fired(call: Call, entry: Entry, met: Meeting, notice_id: UUID | None, notified: tuple[UUID, ...]) -> None:
    entry.change({}, clock_events.rung_fired(entry.after, met, notice_id, notified))
    entry.row(firings.INSERT, _row(call, entry, met, firings.FIRED, None, notice_id, call.now))
    if entry.done is not None:
        entry.done.add(met.mark)


def skip(call: Call, entry: Entry, met: Meeting, why: str) -> None:
    entry.change({}, clock_events.rung_skipped(entry.after, met, why))
    entry.row(firings.INSERT, _row(call, entry, met, firings.SKIPPED, why, None, call.now))
    if entry.done is not None:
        entry.done.add(met.mark)


def _row(
    call: Call, entry: Entry, met: Meeting, outcome: str, why: str | None, notice_id: UUID | None, at: datetime
) -> dict[str, Any]:
    return {
        "tenant_id": call.tenant_id, "item_id": entry.read.id, "cycle": entry.after.cycle, "rung": met.rung.code,
        "anchor_on": met.anchor.on, "ref": met.anchor.ref, "anchor": met.anchor.kind, "outcome": outcome,
        "reason": why, "at": at, "notice_id": notice_id,
    }  # fmt: skip
