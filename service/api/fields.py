"""The shapes of single values in requests, each with its bound, shared by the models that stand beside the handlers."""

import math
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.workflow.texts import CODE, LINE, TEXT

MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader understands (RFC 7493)."""


class Model(BaseModel):
    """A request body: what is not named is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def refuse(code: str) -> PydanticCustomError:
    """A field error with one of the codes of reasons.FIELDS."""
    return PydanticCustomError(code, "{code}", {"code": code})


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: Any) -> date:
    if not isinstance(value, str):
        raise refuse("wrong_type")
    if not _DAY.fullmatch(value):
        raise refuse("bad_format")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise refuse("bad_format") from None
    # Within these years the calendar can count and every database can store.
    if not 1900 <= day.year <= 2199:
        raise refuse("out_of_range")
    return day


def _month(value: Any) -> date:
    if not isinstance(value, str):
        raise refuse("wrong_type")
    if len(value) != len("2026-03"):
        raise refuse("bad_format")
    return _day(f"{value}-01")


_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise refuse("wrong_type")
    if not _INSTANT.fullmatch(value):
        raise refuse("bad_format")
    try:
        instant = datetime.fromisoformat(value.upper())
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refuse("bad_format") from None
    if not 1900 <= instant.year <= 2199:
        raise refuse("out_of_range")
    return instant


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _uuid(value: Any) -> UUID:
    if not isinstance(value, str):
        raise refuse("wrong_type")
    if not _UUID.fullmatch(value):
        raise refuse("bad_format")
    return UUID(value)


def _integer(value: Any) -> int:
    # JSON has one kind of number: 5.0 is the integer 5 to every schema and to many a writer.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse("wrong_type")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refuse("wrong_type")
    return value


Day = Annotated[
    date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date", "pattern": "^(19|20|21)[0-9]{2}-"})
]
Month = Annotated[
    date,
    BeforeValidator(_month),
    WithJsonSchema({"type": "string", "pattern": "^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", "maxLength": 7}),
]
"""A month as YYYY-MM; its value is its first day."""

Moment = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "maxLength": 35, "pattern": "^(19|20|21)[0-9]{2}-[0-9-]{5}[Tt]"}
    ),
]
Id = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Integer = BeforeValidator(_integer)
"""Put on an `int` so that neither true nor "5" passes for a number."""

Boolean = Annotated[bool, BeforeValidator(_boolean), WithJsonSchema({"type": "boolean"})]

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=CODE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE)]
Title = Name
ShortLine = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=LINE)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=20_000, pattern=TEXT)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=TEXT)]


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise refuse("repeated")
    return values


distinct = AfterValidator(_distinct)
"""Put on a list in which nothing may stand twice."""


MAX_PROPERTIES = 500


def _plain_json(value: dict[str, Any]) -> dict[str, Any]:
    """Free JSON that every reader and both databases keep as it is: no NUL, no huge number, not too deep, 16 KiB.

    A negative zero becomes a zero, which is all that PostgreSQL keeps of it: what is sealed must be what is stored.
    """
    if len(value) > MAX_PROPERTIES:
        raise refuse("too_long")
    pending: list[tuple[Any, int]] = [(value, 1)]
    size, negative_zero = 0, False
    while pending:
        each, depth = pending.pop()
        if depth > 20:
            raise refuse("too_complex")
        size += 4
        if isinstance(each, dict):
            pending += [(inner, depth + 1) for inner in each.values()]
            pending += [(key, depth) for key in each]
        elif isinstance(each, list):
            pending += [(inner, depth + 1) for inner in each]
        elif isinstance(each, str):
            size += _text_size(each)
        elif isinstance(each, int | float) and not -MAX_INTEGER <= each <= MAX_INTEGER:
            raise refuse("too_complex")
        elif each == 0 and isinstance(each, float) and math.copysign(1, each) < 0:
            negative_zero = True
        if size > 16_384:
            raise refuse("too_long")
    return _unsigned_zeros(value) if negative_zero else value


def _unsigned_zeros(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unsigned_zeros(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unsigned_zeros(inner) for inner in value]
    return 0.0 if value == 0 and isinstance(value, float) else value


def _text_size(value: str) -> int:
    if "\x00" in value:
        raise refuse("control_char")
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        raise refuse("bad_format") from None


FreeJson = Annotated[
    dict[str, Any],
    AfterValidator(_plain_json),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": True,
            "maxProperties": MAX_PROPERTIES,
            "description": "Free JSON, 16 KiB.",
        }
    ),
]


def left_out() -> Any:
    """A field of a correction that may be left out: no default that a reader could take for a value."""
    return Field(default_factory=lambda: None)


def either(*choices: tuple[str, ...]) -> dict[str, Any]:
    """JSON Schema for "exactly one of the names"; the id or the code of the same thing."""
    return {"allOf": [{"oneOf": [_given(name) for name in names]} for names in choices]}


def _given(name: str) -> dict[str, Any]:
    """null is as good as left out."""
    return {"required": [name], "properties": {name: {"type": "string"}}}
