"""What the fields of events hold, as JSON Schema, by the names under which service/api/event_fields.py lists them."""

from collections.abc import Iterable
from typing import Any

from service.workflow.attachments import MAX_EACH
from service.workflow.delivery import MAX_TYPE_LENGTH, MAX_TYPES, Format
from service.workflow.erasure import CONTACT, Erasable
from service.workflow.ladder import BEFORE_CREATION, COLLAPSED, HELD
from service.workflow.states import (
    Action,
    AnchorKind,
    ChannelKind,
    DeadlineKind,
    Level,
    Locale,
    NoticeKind,
    PrincipalKind,
    RequestKind,
    Resolution,
    Role,
    Severity,
    SourceKind,
    State,
    Trigger,
    VerificationMethod,
)
from service.workflow.webhooks import Disabled

Schema = dict[str, Any]


def integer(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def text(longest: int) -> Schema:
    return {"type": "string", "maxLength": longest}


def one_of(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(each) for each in values]}


def many(schema: Schema, most: int) -> Schema:
    return {"type": "array", "items": schema, "maxItems": most}


def whole(**properties: Schema) -> Schema:
    """An object that has these fields, all of them and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


ID: Schema = {"type": "string", "format": "uuid"}
DAY: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
YES_OR_NO: Schema = {"type": "boolean"}
LINE, TEXT, REASON = text(300), text(20_000), text(2_000)
COUNT = integer(0, 1_000_000_000)
VERSION = integer(1, 2_147_483_647)
HASH: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$", "maxLength": 64}

VALUES: dict[str, Schema] = {
    # An item's facts, by the names of its columns.
    "number": told(LINE, "In the office's own form."),
    "ledger_id": ID, "external_ref": LINE, "title": LINE, "description": TEXT, "category": LINE,
    "severity": one_of(Severity), "source_kind": one_of(SourceKind), "source_ref": LINE,
    "responsible_unit_id": ID, "supervising_unit_id": ID, "co_unit_ids": many(ID, 100),
    "supervising_defaulted": told(YES_OR_NO, "Nobody named the supervising unit: it is the unit above."),
    "responsible_person": LINE, "goal": TEXT, "measures": TEXT, "found_on": DAY, "listed_at": MOMENT,
    "deadline_kind": one_of(DeadlineKind),
    "due_on": told(DAY, "The last good day, in the tenant's time zone."),
    "review_on": told(DAY, "The day of a standing item's next review."),
    "deadline_text": told(LINE, "What the clerk wrote."),
    "provisional": told(YES_OR_NO, "Computed from a calendar that is not published yet."),
    "deadline_rule": told(
        whole(name=text(32), limit=integer(0, 3650), unit=one_of(("working_days", "months")), start_on=DAY),
        "How a computed deadline came about: `limit` counted from the day after `start_on`.",
    ),
    "claim_due": told(DAY, "By when it is to be claimed."),
    "state": one_of(State), "resolution": one_of(Resolution), "cycle": integer(1, 1_000_000),
    "labels": many(LINE, 50), "attributes": told({"type": "object", "maxProperties": 500}, "Free JSON, 16 KiB."),
    "extension_count": COUNT, "extension_days": told(COUNT, "Calendar days, of all extensions of the cycle."),
    "extended_late": told(COUNT, "How often it was extended when it was overdue already."),
    "escalation_count": COUNT, "evidence_count": COUNT,
    "claim_signed_by": LINE, "claimed_at": MOMENT, "claimed_by": ID, "interview_id": ID, "duplicate_of": ID,
    "closed_days_late": COUNT,
    # What happened to it.
    "closed_on": told(DAY, "The day on which an old item was struck off."),
    "note": REASON, "contact_changed": {"const": True}, "late": told({"const": True}, "It was overdue already."),
    "trigger": one_of(Trigger), "reason": TEXT, "waive_interview": told(REASON, "Why no interview was waited for."),
    "signed_by": LINE, "method": one_of(VerificationMethod), "on": DAY,
    "progress_id": ID, "text": TEXT, "percent": integer(0, 100), "side": one_of(("responsible", "supervising")),
    "fields": told(
        many(one_of((*Erasable, CONTACT)), len(Erasable) + 1), "What was erased: `contact` is who complained."
    ),
    "attachments": told(
        many(whole(id=ID, sha256=HASH, size=integer(1, 2**53 - 1), media_type=text(100)), MAX_EACH),
        "What hangs on it: digest and size of the bytes, in which they can be known again.",
    ),
    "attachment_names": told(
        {
            "type": "object",
            "maxProperties": MAX_EACH,
            "additionalProperties": {"anyOf": [text(255), {"$ref": "#/components/schemas/Erased"}]},
        },
        "The names of those that have one, by their ids.",
    ),
    "attachment_ids": told(many(ID, 1_000_000), "The attachments whose bytes and names were erased."),
    # The clock.
    "deadline": told(DAY, "The day that passed."),
    "rung": told(text(32), "Its code in the ledger's policy."), "rungs": many(text(32), 50),
    "action": one_of(Action), "anchor": one_of(AnchorKind), "anchor_on": told(DAY, "The day it counts from."),
    "notify": many(one_of(("responsible", "supervising", "parent")), 3), "notified_unit_ids": many(ID, 3),
    "why": one_of((BEFORE_CREATION, COLLAPSED, HELD)),
    # Requests, notices, interviews.
    "request_id": ID, "request_kind": one_of(RequestKind),
    "decide_due": told(DAY, "The last good day to decide it."), "asked_due_on": DAY, "asked_unit_id": ID,
    "notice_id": ID, "notice_kind": one_of(NoticeKind), "unit_id": ID,
    "items": told(integer(1, 10_000), "How many items the notice covers; each has this event."),
    "reply_by": DAY, "receipt_due": DAY, "copy_unit_ids": many(ID, 100),
    "interview_due": told(DAY, "The last good day to hold it."), "scheduled_at": MOMENT, "place": LINE, "held_on": DAY,
    "minutes_digest": told(HASH, "The salted hash of what was said, which is not for all who may see the item."),
    # Units, ledgers, calendars.
    "version": told(VERSION, "The unit's or ledger's."),
    "code": text(64), "name": LINE, "parent_id": ID, "level": one_of(Level),
    "transfer_to_id": told(ID, "The unit that its open items went to."),
    "owner_unit_id": ID, "listing": one_of(("any", "owner")),
    "policy": told({"type": "object", "maxProperties": 100}, "The whole policy, as the ledger shows it."),
    "year": integer(1900, 2199), "workdays": many(DAY, 366), "holidays": many(DAY, 366), "complete": YES_OR_NO,
    # Who may call.
    "principal_id": ID, "principal_kind": one_of(PrincipalKind), "external_id": LINE, "delegates": many(ID, 50),
    "issuer_id": told(ID, "The OpenID provider that it came from."), "subject": LINE, "active": YES_OR_NO,
    "key_id": ID, "prefix": told(LINE, "How the key begins."), "delegate": YES_OR_NO, "expires_at": MOMENT,
    "grant_id": ID, "department_id": told(ID, "Of a hook (挂钩联系): everyone who holds a grant there."),
    "role": one_of(Role), "subtree": YES_OR_NO, "since": DAY, "until": DAY, "label": told(LINE, "A hook's."),
    "issuer": text(500), "audience": LINE, "algorithms": many(LINE, 10),
    "mapping": {"$ref": "#/components/schemas/MappingOut"},
    # The log.
    "size": told(integer(0, 2**53 - 1), "How many events the log had."),
    "root_hash": told(HASH, "The root of the tree over them."),
    "checkpoint": told(text(100_000), "The same, signed (C2SP signed note): what a witness keeps."),
    "old_key": told(text(300), "The verification key up to here, as name+id+key."),
    "new_key": told(text(300), "The verification key from here on."),
    "announcement": told(text(100_000), "A note that says so, signed by both: what leads a witness to the new key."),
    # Published months.
    "report_id": ID, "month": told({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$", "maxLength": 7}, "YYYY-MM."),
    "counted": told(integer(0, 2**53 - 1), "How many events of the log were counted."),
    "digest": told(HASH, "The hash of the report's document, in the log's algorithm."),
    # Webhooks.
    "webhook_id": ID, "host": told(text(2_000), "Of the URL no more: path and query often hold a token."),
    "owner_id": ID, "types": many(text(MAX_TYPE_LENGTH), MAX_TYPES), "format": one_of(Format),
    "rate_limit": integer(1, 1_000), "enabled": YES_OR_NO, "disabled_reason": one_of(Disabled),
    "channel_id": ID, "channel_kind": one_of(ChannelKind), "locale": one_of(Locale),
    "retargeted": told({"const": True}, "It goes to another address, or is signed with another secret."),
    "failing_since": MOMENT, "signs_until": told(MOMENT, "Until when the old secret signs as well."),
}  # fmt: skip

EMPTY = frozenset(
    {
        "description", "category", "source_kind", "source_ref", "responsible_person", "goal", "measures", "found_on",
        "due_on", "review_on", "deadline_text", "deadline_rule", "claim_due", "claim_signed_by", "claimed_at",
        "claimed_by", "interview_id", "resolution", "duplicate_of", "closed_days_late", "external_id",
        "unit_id", "rate_limit",
    }
)  # fmt: skip
"""Fields that hold null before or after some change."""
