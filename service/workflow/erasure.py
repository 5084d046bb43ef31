"""Lawful erasure (个人信息保护法): what may be destroyed of an item and its record, and where each of it lies.

Sealed bytes are never touched. What goes are texts beside events with their salts, the same texts in the rows of the
item, its progress, requests and interviews, and the notices about it; and the bytes of attachments.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.workflow.attachments import name_path
from service.workflow.events import ACTORS_NAME, EventDraft, Subject, concerned
from service.workflow.items import Item

ERASED = "（已依法删除）"
"""Where a text must stand, and the one that stood there is gone."""


class Erasable(StrEnum):
    """What can be erased. The first are facts of the item; the others lie in the record around it."""

    TITLE = "title"
    DESCRIPTION = "description"
    CATEGORY = "category"
    EXTERNAL_REF = "external_ref"
    SOURCE_REF = "source_ref"
    RESPONSIBLE_PERSON = "responsible_person"
    GOAL = "goal"
    MEASURES = "measures"
    DEADLINE_TEXT = "deadline_text"
    LABELS = "labels"
    ATTRIBUTES = "attributes"
    SIGNATURES = "signatures"
    """Who signed: for the item, and for the notices about it."""
    REASONS = "reasons"
    """Why triggers were fired, an interview waived, something erased before."""
    NOTES = "notes"
    """What was found when it was verified or reviewed, and the note with which an old item was listed as closed."""
    PROGRESS = "progress"
    REQUESTS = "requests"
    """What was asked for and decided in words, also where an approval passed it on as the reason of its trigger."""
    NOTICES = "notices"
    """What notices about the item say, and why they were cancelled."""
    INTERVIEWS = "interviews"
    """Minutes, attendees, commitments and place, and the salt without which their digest says nothing."""
    ATTACHMENTS = "attachments"
    """The bytes and names of what hangs on it; digests, sizes and kinds stay in the record."""
    ACTORS = "actors"
    """The names of those who did it. Their ids stay: who is who, principals say."""


CONTACT = "contact"
"""Who complained. It stands in no event, and is erased by a call of its own."""

FACTS = (
    Erasable.TITLE, Erasable.DESCRIPTION, Erasable.CATEGORY, Erasable.EXTERNAL_REF, Erasable.SOURCE_REF,
    Erasable.RESPONSIBLE_PERSON, Erasable.GOAL, Erasable.MEASURES, Erasable.DEADLINE_TEXT, Erasable.LABELS,
    Erasable.ATTRIBUTES,
)  # fmt: skip
"""Those that are columns of the item by the same name."""

EMPTY: dict[str, Any] = {Erasable.TITLE: ERASED, Erasable.LABELS: (), Erasable.ATTRIBUTES: {}}
"""What an erased column holds, where not None."""

Place = tuple[str, str]
"""How an event's type begins, and the path of a text beside it."""

PLACES: dict[str, tuple[Place, ...]] = {
    **{fact: (("item.", fact.value), ("item.", f"changes/{fact}")) for fact in FACTS},
    Erasable.SIGNATURES: (("item.", "changes/claim_signed_by"), ("item.", "signed_by"), ("notice.", "signed_by")),
    Erasable.REASONS: (("item.", "reason"), ("item.", "waive_interview")),
    Erasable.NOTES: (("item.", "verification/note"), ("item.", "note")),
    Erasable.PROGRESS: (("item.progressed", "text"),),
    Erasable.REQUESTS: (("request.", "reason"),),
    Erasable.NOTICES: (("notice.", "text"), ("notice.", "reason")),
    Erasable.INTERVIEWS: (("interview.", "place"),),
    # By the attachments that are erased, see `left_beside`: each name lies at a place of its own.
    Erasable.ATTACHMENTS: (),
    Erasable.ACTORS: (("", ACTORS_NAME),),
}


@dataclass(frozen=True, slots=True)
class Written:
    """An event that was written, as far as an erasure looks at it. `notice_id`: the notice that it tells of."""

    id: UUID
    item_id: UUID
    type: str
    revision: int
    beside: dict[str, Any]
    notice_id: UUID | None


def left_beside(
    fields: Collection[Erasable], written: Iterable[Written], attachment_ids: Iterable[UUID] = ()
) -> dict[UUID, dict[str, Any]]:
    """What is left beside those of an item's events that lose a text; `attachment_ids` are those whose names go."""
    written, names = list(written), {name_path(each) for each in attachment_ids}
    # An approval fires its trigger with the reason of the request or of the decision.
    approved = {each.revision for each in written if each.type == "request.approved"}
    left = {}
    for each in written:
        by_request = each.revision in approved
        gone = {path for path in each.beside if erases(fields, names, each.type, path, approved=by_request)}
        if gone:
            left[each.id] = {path: text for path, text in each.beside.items() if path not in gone}
    return left


def erases(fields: Collection[str], names: Collection[str], type_: str, path: str, *, approved: bool) -> bool:
    """Whether an erasure of these fields, and of attachments' names at these paths, destroys a text beside an event.

    `approved`: the event's transaction approved a request.
    """
    if path in names:
        return True
    places = [place for field in fields for place in PLACES.get(field, ())]
    if approved and Erasable.REQUESTS in fields:
        places.append(("item.", "reason"))
    return any(path == where and type_.startswith(begins) for begins, where in places)


def emptied(item: Item, fields: Collection[Erasable]) -> dict[str, Any]:
    """The item's columns that change with the erasure."""
    columns = {field.value: EMPTY.get(field) for field in FACTS if field in fields}
    if Erasable.SIGNATURES in fields:
        columns["claim_signed_by"] = None
    return {name: value for name, value in columns.items() if getattr(item, name) != value}


def of_erasure(
    after: Item, fields: Iterable[str], reason: str | None, attachment_ids: Iterable[UUID] = ()
) -> EventDraft:
    """That something was erased, and why; never what. Attachments are named by their ids."""
    data: dict[str, Any] = {"fields": [str(field) for field in fields], "reason": reason}
    if named := [str(each) for each in attachment_ids]:
        data["attachment_ids"] = named
    return EventDraft("item.redacted", Subject.of(after), concerned(after), data)
