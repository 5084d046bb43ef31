"""What each deed asks for: one description, from which its form is drawn and what was sent is read.

Bounds are those of the API. What a rule says about a value is for the actions to judge.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from service.errors import FieldError, Refused
from service.workflow.states import NoticeKind, VerificationMethod
from service.workflow.texts import LINE, TEXT

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` is line, text, day, moment, percent, choice, unit, item, files or lines (one a line).

    `today`: begins as that.
    """

    name: str
    kind: str
    required: bool = False
    most: int = 2_000
    choices: tuple[str, ...] = ()
    terms: str = ""
    today: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """`grave` deeds look it: they are hard to take back."""

    name: str
    fields: tuple[Field, ...]
    grave: bool = False

    @property
    def takes_files(self) -> bool:
        return any(field.kind == "files" for field in self.fields)


NAME, LONG = 200, 20_000

EVIDENCE = Field("attachment_ids", "files")
"""Files that are kept as attachments. They are no part of what `read` reads."""

SIGNED_BY = Field("signed_by", "line", required=True, most=NAME)
REASON = Field("reason", "text", required=True)
DUE_ON = Field("due_on", "day", required=True)
METHOD = Field(
    "verification.method", "choice", required=True, choices=tuple(each.value for each in VerificationMethod),
    terms="method",
)  # fmt: skip
VERIFICATION = (
    METHOD,
    Field("verification.on", "day", required=True, today=True),
    Field("verification.note", "text", required=True),
)
WAIVE = Field("waive_interview", "text")
BY_HAND = tuple(kind.value for kind in NoticeKind if kind != NoticeKind.INTERVIEW)

TRIGGERS = (
    Form("claim", (SIGNED_BY, Field("measures", "text", most=LONG))),
    Form("extend", (DUE_ON, REASON)),
    Form("close", (*VERIFICATION, WAIVE)),
    Form("escalate", (REASON,), grave=True),
    Form("resume", (DUE_ON, Field("signed_by", "line", most=NAME))),
    Form(
        "transfer",
        (
            Field("responsible_unit", "unit", required=True), REASON, Field("due_on", "day"),
            Field("supervising_unit", "unit"),
        ),
    ),
    Form("reopen", (DUE_ON, REASON)),
    Form("annul", (REASON, Field("duplicate_of", "item")), grave=True),
)  # fmt: skip

REQUESTS = (
    Form("request-extension", (DUE_ON, REASON)),
    Form("request-closure", (Field("summary", "text", required=True, most=LONG), EVIDENCE)),
    Form("request-transfer", (Field("responsible_unit", "unit"), REASON)),
)

OTHERS = (
    Form("progress", (Field("text", "text", required=True, most=LONG), Field("percent", "percent"), EVIDENCE)),
    Form("review", (Field("on", "day", required=True, today=True), Field("note", "text", required=True), EVIDENCE)),
    Form(
        "notice",
        (
            Field("kind", "choice", required=True, choices=BY_HAND, terms="notice"),
            Field("text", "text", most=LONG),
            Field("reply_by", "day"),
        ),
    ),
)

DECISIONS = (
    Form("approve-extension", (Field("due_on", "day"), Field("reason", "text"))),
    Form("approve-closure", (*VERIFICATION, WAIVE, Field("reason", "text"))),
    Form(
        "approve-transfer",
        (Field("responsible_unit", "unit"), Field("supervising_unit", "unit"), Field("reason", "text")),
    ),
    Form("return", (REASON,), grave=True),
    Form("withdraw", (Field("reason", "text"),)),
)

NOTICES = (Form("receipt", (SIGNED_BY,)), Form("issue", ()), Form("cancel", (REASON,), grave=True))

INTERVIEWS = (
    Form("schedule", (Field("at", "moment", required=True), Field("place", "line", most=NAME))),
    Form(
        "record",
        (
            Field("held_on", "day", required=True, today=True),
            Field("attendees", "lines", required=True, most=50),
            Field("minutes", "text", required=True, most=LONG),
            Field("commitments", "text", most=LONG),
        ),
    ),
)

FORMS = {form.name: form for form in (*TRIGGERS, *REQUESTS, *OTHERS, *DECISIONS, *NOTICES, *INTERVIEWS)}


@dataclass(frozen=True, slots=True)
class Tried:
    """A form that was sent and refused: what was typed is shown again beside the reason."""

    form: str
    typed: dict[str, str]
    refused: Refused

    @classmethod
    def of(cls, form: str, sent: Mapping[str, list[str]], refused: Refused) -> "Tried":
        return cls(form, {name: values[0] for name, values in sent.items()}, refused)


def read(form: Form, sent: Mapping[str, list[str]], tz: ZoneInfo) -> Values:
    """What was sent, each field as what it is; None where it was left empty. Refuses `invalid_request`."""
    values: Values = {}
    errors = []
    for field in form.fields:
        if field.kind == "files":
            continue
        given = sent.get(field.name, [""])[0].strip()
        try:
            values[field.name] = _value(field, given, tz)
        except Wrong as wrong:
            errors.append(FieldError("/" + field.name.replace(".", "/"), wrong.code))
    if errors:
        raise Refused("invalid_request", errors=tuple(errors))
    return values


class Wrong(Exception):
    """A value that cannot be taken; `code` is one of reasons.FIELDS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _value(field: Field, given: str, tz: ZoneInfo) -> Any:
    if not given:
        if field.required:
            raise Wrong("missing")
        return None
    match field.kind:
        case "line":
            return _bounded(given, LINE, field.most)
        case "text":
            return _bounded(given, TEXT, field.most)
        case "unit":
            return _bounded(given, LINE, NAME)
        case "day":
            return day(given)
        case "moment":
            return moment(given, tz)
        case "percent":
            return percent(given)
        case "choice":
            if given not in field.choices:
                raise Wrong("not_allowed")
            return given
        case "item":
            return last_id(given)
        case "lines":
            lines = tuple(_bounded(line.strip(), LINE, NAME) for line in given.split("\n") if line.strip())
            if len(lines) > field.most:
                raise Wrong("too_long")
            return lines
    raise LookupError(field.kind)


def _bounded(given: str, pattern: str, most: int) -> str:
    if len(given) > most:
        raise Wrong("too_long")
    if not re.fullmatch(pattern, given):
        raise Wrong("control_char")
    return given


def day(given: str) -> date:
    """A day as browsers write it. The calendar counts within these years."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
        raise Wrong("bad_format")
    try:
        found = date.fromisoformat(given)
    except ValueError:
        raise Wrong("bad_format") from None
    if not 1900 <= found.year <= 2199:
        raise Wrong("out_of_range")
    return found


def moment(given: str, tz: ZoneInfo) -> datetime:
    """A time of the tenant's day, as browsers write it."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?", given):
        raise Wrong("bad_format")
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Wrong("bad_format") from None
    if not 1900 <= found.year <= 2199:
        raise Wrong("out_of_range")
    return found.replace(tzinfo=tz).astimezone(UTC)


def percent(given: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", given):
        raise Wrong("bad_format")
    if int(given) > 100:
        raise Wrong("out_of_range")
    return int(given)


def last_id(given: str) -> UUID:
    """An id, or the address of a page that ends with one."""
    try:
        return UUID(given.split("?")[0].rstrip("/").rpartition("/")[2])
    except ValueError:
        raise Wrong("bad_format") from None
