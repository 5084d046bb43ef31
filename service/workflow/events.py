"""Events (纪实): what is written about every change, in the transaction that makes it.

A change of an item writes exactly one `item.*` event; what comes with it (an interview opened, say) its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.workflow import attachments, sealing
from service.workflow.attachments import Attachment
from service.workflow.guards import Command
from service.workflow.items import Interview, Item
from service.workflow.machine import Step
from service.workflow.merkle import Hashing
from service.workflow.states import Trigger

FORMAT = 1
"""The version of an event's body. A body once written is never rewritten in another."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: the person or platform that counts, and the platform it came through, if another.

    `principal_id` is None for the clock.
    """

    principal_id: UUID | None
    name: str
    via: UUID | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: an item as it is afterwards, a unit, a ledger; or, all None, access to the tenant."""

    item_id: UUID | None = None
    item_version: int | None = None
    unit_id: UUID | None = None
    ledger_id: UUID | None = None

    @classmethod
    def of(cls, item: Item) -> "Subject":
        return cls(item.id, item.version, item.responsible_unit_id, item.ledger_id)


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event before it is sealed. `audience` are the units it concerns, before and after."""

    type: str
    about: Subject
    audience: tuple[UUID, ...]
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is stored: sealed body, texts beside it, and the columns by which it is found."""

    id: UUID
    item_id: UUID | None
    revision: int
    ordinal: int
    type: str
    at: datetime
    unit_id: UUID | None
    ledger_id: UUID | None
    item_version: int | None
    audience: tuple[UUID, ...]
    body: bytes
    beside: dict[str, Any]


TYPES: dict[str, str] = {
    Trigger.CLAIM: "item.claimed",
    Trigger.EXTEND: "item.extended",
    Trigger.CLOSE: "item.closed",
    Trigger.ESCALATE: "item.escalated",
    Trigger.RESUME: "item.resumed",
    Trigger.TRANSFER: "item.transferred",
    Trigger.REOPEN: "item.reopened",
    Trigger.ANNUL: "item.annulled",
}

ACTORS_NAME = "actor/name"
"""Where the name of whoever did it lies beside an event. No field of the data is called so."""

HIDDEN = frozenset(
    {
        "contact_sealed", "hands", "pending", "version", "revision", "updated_at", "closed_at", "passed_on",
        "claim_rule", "rungs_from", "policy_epoch", "calendar_epoch",
    }
)  # fmt: skip
"""Columns that no `changes` shows: who complained, and what other events say."""


def plain(value: Any) -> Any:
    """A value as JSON without floats: dates and ids as text, tuples as lists."""
    match value:
        case str() | None:
            return value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | UUID():
            return str(value)
        case tuple() | list():
            return [plain(each) for each in value]
        case _:
            return value


def changes(before: Item, changed: dict[str, Any]) -> dict[str, Any]:
    """The changed fields, each before and after."""
    return {
        column: {"before": plain(getattr(before, column)), "after": plain(value)}
        for column, value in changed.items()
        if column not in HIDDEN and getattr(before, column) != value
    }


def concerned(*items: Item) -> tuple[UUID, ...]:
    """The units that an event concerns: responsible, supervising and co-units, before and after."""
    units: dict[UUID, None] = {}
    for item in items:
        for unit in (item.responsible_unit_id, item.supervising_unit_id, *item.co_unit_ids):
            units[unit] = None
    return tuple(units)


def of_listing(item: Item, closed_note: str | None, closed_on: date | None) -> EventDraft:
    facts = {
        "number": item.number, "ledger_id": item.ledger_id, "external_ref": item.external_ref, "title": item.title,
        "description": item.description, "category": item.category, "severity": item.severity,
        "source_kind": item.source_kind, "source_ref": item.source_ref,
        "responsible_unit_id": item.responsible_unit_id, "supervising_unit_id": item.supervising_unit_id,
        "supervising_defaulted": item.supervising_defaulted, "co_unit_ids": item.co_unit_ids,
        "responsible_person": item.responsible_person, "goal": item.goal, "measures": item.measures,
        "found_on": item.found_on, "listed_at": item.listed_at, "deadline_kind": item.deadline_kind,
        "due_on": item.due_on, "review_on": item.review_on, "deadline_text": item.deadline_text,
        "provisional": item.provisional, "deadline_rule": item.deadline_rule,
        "claim_due": item.claim_due, "state": item.state,
        "resolution": item.resolution, "closed_on": closed_on, "note": closed_note,
        "labels": item.labels or None, "attributes": item.attributes or None,
    }  # fmt: skip
    data = {name: plain(value) for name, value in facts.items() if value is not None}
    return EventDraft("item.created", Subject.of(item), concerned(item), data)


def of_correction(before: Item, after: Item, changed: dict[str, Any]) -> EventDraft:
    data: dict[str, Any] = {"changes": changes(before, changed)}
    if "contact_sealed" in changed:
        data["contact_changed"] = True
    return EventDraft("item.updated", Subject.of(after), concerned(before, after), data)


def of_progress(
    after: Item, *, progress_id: UUID, text: str, percent: int | None, side: str, hung: Iterable[Attachment] = ()
) -> EventDraft:
    data: dict[str, Any] = {
        "progress_id": str(progress_id), "text": text, "percent": percent, "side": side, "cycle": after.cycle,
        **attachments.in_event(hung),
    }  # fmt: skip
    return EventDraft("item.progressed", Subject.of(after), concerned(after), data)


def of_step(step: Step) -> list[EventDraft]:
    """The `item.*` event of a transition first, then what came with it."""
    data = {"trigger": step.command.trigger, "cycle": step.after.cycle, **_said(step.command)}
    if step.late:
        data["late"] = True
    if step.opens is not None:
        data["interview_id"] = str(step.opens.id)
    data["changes"] = changes(step.before, step.changes)
    audience = concerned(step.before, step.after)
    drafts = [EventDraft(TYPES[step.command.trigger], Subject.of(step.after), audience, data)]
    if step.opens is not None:
        opened = {"interview_id": str(step.opens.id), "interview_due": plain(step.opens.due_on)}
        drafts.append(EventDraft("interview.opened", Subject.of(step.after), audience, opened))
    if step.cancels_interview:
        cancelled = {"interview_id": str(step.after.interview_id)}
        drafts.append(EventDraft("interview.cancelled", Subject.of(step.after), audience, cancelled))
    for kind in step.cancelled:
        overtaken = {"request_id": step.before.pending[kind]["id"], "kind": kind}
        drafts.append(EventDraft("request.cancelled", Subject.of(step.after), audience, overtaken))
    return drafts


def of_interview(item: Item, interview: Interview, hashing: Hashing) -> EventDraft:
    """A talk on record: its day and a digest of the minutes, which are not for everyone who may see the item."""
    record = {
        "attendees": list(interview.attendees), "minutes": interview.minutes, "commitments": interview.commitments,
    }  # fmt: skip
    if interview.seal_salt is None:
        raise ValueError("an interview on record has its salt")
    data = {
        "interview_id": str(interview.id),
        "held_on": plain(interview.held_on),
        "minutes_digest": sealing.digest(hashing, interview.seal_salt, record),
    }
    return EventDraft("interview.recorded", Subject.of(item), concerned(item), data)


def _said(command: Command) -> dict[str, Any]:
    """What was sent with a trigger, as far as the changed fields do not show it."""
    said: dict[str, Any] = {"reason": command.reason, "waive_interview": command.waive_interview}
    if command.verification is not None:
        verification = command.verification
        said["verification"] = {
            "method": verification.method, "on": plain(verification.on), "note": verification.note,
        }  # fmt: skip
    if command.signed_by is not None and command.trigger == Trigger.RESUME:
        said["signed_by"] = command.signed_by
    return {name: value for name, value in said.items() if value is not None}


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None


def seal(
    draft: EventDraft,
    *,
    tenant_id: UUID,
    event_id: UUID,
    actor: Actor,
    at: datetime,
    revision: int,
    ordinal: int,
    salt: Callable[[int], bytes],
    hashing: Hashing,
) -> Event:
    """The event as it is stored. (revision, ordinal) orders the events of one item, for ever.

    `hashing` is that of the tenant's log.
    """
    about = draft.about
    # Apart from the data, which may well have a name of its own: a principal's, or a unit's.
    actors_name, beside = sealing.seal({ACTORS_NAME: actor.name}, salt, hashing)
    data, texts = sealing.seal(draft.data, salt, hashing)
    beside |= texts
    body = {
        "format": FORMAT,
        "id": str(event_id),
        "tenant_id": str(tenant_id),
        "type": draft.type,
        "at": plain(at),
        "actor": {
            "principal_id": _id(actor.principal_id),
            "name": actors_name[ACTORS_NAME],
            "via": _id(actor.via),
        },
        "item_id": _id(about.item_id),
        "item_version": about.item_version,
        "revision": revision,
        "ordinal": ordinal,
        "unit_id": _id(about.unit_id),
        "ledger_id": _id(about.ledger_id),
        "audience": [str(unit) for unit in draft.audience],
        "data": data,
    }
    return Event(
        id=event_id,
        item_id=about.item_id,
        revision=revision,
        ordinal=ordinal,
        type=draft.type,
        at=at,
        unit_id=about.unit_id,
        ledger_id=about.ledger_id,
        item_version=about.item_version,
        audience=draft.audience,
        body=sealing.canonical(body),
        beside=beside,
    )
