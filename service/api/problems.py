"""Refusals as problem+json (RFC 9457), in the reader's language."""

from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from service.api.shapes import Line, Shape
from service.api.shapes import Text as Prose
from service.errors import PROBLEMS, FieldError, Refused
from service.reasons import FIELDS
from service.wording import describe, language, say

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1


class FieldErrorOut(Shape):
    pointer: Line
    code: Line
    detail: Line


class ProblemOut(BaseModel):
    """RFC 9457. Some codes carry further members: `state` and `allowed_triggers`, `guard`, `existing_id`, `limit`."""

    model_config = ConfigDict(extra="allow")

    type: Line
    title: Line
    status: int = Field(ge=400, le=599)
    detail: Prose
    instance: Annotated[str, Field(max_length=500)]
    code: Line
    request_id: Line
    errors: list[FieldErrorOut] | None = Field(None, max_length=100)


def body(refused: Refused, *, tongue: str, instance: str, request_id: str) -> dict[str, Any]:
    kind = PROBLEMS[refused.code]
    problem: dict[str, Any] = {
        "type": f"/problems/{refused.code}",
        "title": say(kind.title, tongue),
        "status": kind.status,
        "detail": describe(refused, tongue),
        "instance": instance,
        "code": refused.code,
        "request_id": request_id,
        **refused.facts,
    }
    if refused.errors:
        problem["errors"] = [
            {"pointer": error.pointer, "code": error.code, "detail": say(FIELDS[error.code], tongue)}
            for error in refused.errors
        ]
    return problem


def answer(request: Request, refused: Refused) -> Response:
    content = body(
        refused,
        tongue=language(request.headers.get("accept-language")),
        instance=request.url.path[:500],
        request_id=request.scope.get("request_id", ""),
    )
    response = Response(to_json(content), PROBLEMS[refused.code].status, media_type=MEDIA_TYPE)
    response.headers["cache-control"] = "no-store"
    if refused.code == "unauthenticated":
        # RFC 6750, 3.1: what is wrong is named to whoever sent a token.
        error = f', error="{refused.reason}"' if refused.reason else ""
        response.headers["www-authenticate"] = f'Bearer realm="xiaohao"{error}'
    if refused.code == "range_not_satisfiable":
        response.headers["content-range"] = f"bytes */{refused.facts['size']}"
    if refused.code in ("unavailable", "rate_limited", "idempotency_in_flight"):
        response.headers["retry-after"] = str(refused.facts.get("retry_after", RETRY_SECONDS))
    return response


# -- what the framework refuses, in our words

_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_pattern_mismatch": "bad_format",
    "enum": "not_allowed",
    "literal_error": "not_allowed",
    "union_tag_invalid": "not_allowed",
    "union_tag_not_found": "missing",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "greater_than": "out_of_range",
    "less_than": "out_of_range",
}

MAX_ERRORS = 100
"""A batch of a thousand items can be wrong in as many places; this many are named."""


def from_validation(error: RequestValidationError) -> Refused:
    """The framework's findings as `invalid_request`: a pointer and a code each, nothing of the input."""
    found = []
    for each in error.errors()[:MAX_ERRORS]:
        kind = each["type"]
        code = kind if kind in FIELDS else _CODES.get(kind, "bad_format" if "parsing" in kind else "wrong_type")
        pointer = _pointer(each["loc"], error.body)
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            # The framework writes the name of the field that says which of several bodies it is in quotes.
            pointer += "/" + each["ctx"]["discriminator"].strip("'")
        found.append(FieldError(pointer, code))
    return Refused("invalid_request", errors=tuple(dict.fromkeys(found)))


def _pointer(loc: tuple[int | str, ...], content: Any) -> str:
    """Where in the body (or `/query/name`, `/path/name`) something is wrong.

    The framework puts the tag of a union (`claim`) into the path although no such field is there: it is left out.
    """
    place, *steps = loc
    if place != "body":
        return "/" + "/".join(escape(step) for step in loc)
    parts: list[str] = []
    here = content
    for index, step in enumerate(steps):
        last = index == len(steps) - 1
        if isinstance(here, dict) and step not in here and not last:
            continue
        if isinstance(here, dict) and step == here.get("trigger") and last and step not in here:
            continue
        parts.append(escape(step))
        here = _inside(here, step)
    return "".join(f"/{part}" for part in parts)


def _inside(content: Any, step: int | str) -> Any:
    if isinstance(content, dict):
        return content.get(step)
    if isinstance(content, list) and isinstance(step, int) and step < len(content):
        return content[step]
    return None


def escape(step: int | str) -> str:
    # A field's name is the caller's own text: it is shortened, and only as a pointer given back.
    return str(step)[:100].replace("~", "~0").replace("/", "~1")


def from_http(error: HTTPException) -> Refused:
    """What routing refuses; and a refusal that the framework wrapped while it read the body."""
    if isinstance(error.__cause__, Refused):
        return error.__cause__
    codes = {404: "not_found", 405: "method_not_allowed", 413: "payload_too_large", 415: "unsupported_media_type"}
    return Refused(codes.get(error.status_code, "invalid_request" if error.status_code < 500 else "internal"))
