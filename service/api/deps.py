"""What every endpoint stands on: the caller, the body, paging, If-Match, Idempotency-Key, and how answers are written.

A route under /v1 judges in this order: who calls (401), how often (429), the shape of the request (422); the actions
judge the rest.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json, to_json
from starlette.routing import Match
from starlette.types import Scope

from service.actions.service import Call, Receipt, Recorded, Replay, Service, fingerprint
from service.api.admission import admit
from service.api.problems import escape
from service.errors import Refused, invalid

VARY = "Authorization, X-Acting-For, Accept-Language"
JSON = "application/json"


class Asked(Request):
    """A request under /v1: who calls is known, its body is bounded, and JSON in UTF-8 only."""

    call: Call

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            limit = self.app.state.settings.max_body_bytes
            chunks, size = [], 0
            async for chunk in self.stream():
                size += len(chunk)
                if size > limit:
                    raise Refused("payload_too_large", facts={"limit": limit})
                chunks.append(chunk)
            self._body = b"".join(chunks)
        return self._body

    async def json(self) -> Any:
        media = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != JSON:
            raise Refused("unsupported_media_type")
        if not hasattr(self, "_json"):
            try:
                content = await self.body()
                self._json = from_json(content, allow_inf_nan=False, cache_strings="keys")
            except ValueError as error:
                # The parser's own bound is deeper than any that can be set.
                too_deep = "recursion limit" in str(error)
                raise invalid(("", "too_complex" if too_deep else "not_json")) from None
            bound = self.app.state.settings.max_json_depth
            if content.count(b"{") + content.count(b"[") > bound and _deeper(self._json, bound):
                raise invalid(("", "too_complex"))
        return self._json


def _deeper(value: Any, bound: int) -> bool:
    """Whether arrays and objects are nested more than `bound` deep."""
    level = [value]
    for _ in range(bound + 1):
        level = [each for each in level if type(each) is dict or type(each) is list]
        if not level:
            return False
        level = [inner for each in level for inner in (each.values() if type(each) is dict else each)]
    return True


RESERVED = frozenset({"batch", "import", "record"})
"""Segments that stand where an id could: no route takes them for one."""


class Route(APIRoute):
    """A route of /v1: authenticated before anything else is looked at, strict about its query."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        if match is not Match.NONE and not RESERVED.isdisjoint(found["path_params"].values()):
            return Match.NONE, {}
        return match, found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = frozenset(parameter.alias for parameter in self.dependant.query_params)
        has_body = self.body_field is not None

        async def handler(request: Request) -> Response:
            asked = Asked(request.scope, request.receive)
            asked.call = await admit(request)
            unknown = [name for name in request.query_params if name not in known]
            if unknown:
                raise invalid(*((f"/query/{escape(name)}", "unknown_parameter") for name in unknown[:20]))
            unstorable = dict.fromkeys(name for name, value in request.query_params.multi_items() if "\x00" in value)
            if unstorable:
                raise invalid(*((f"/query/{name}", "control_char") for name in unstorable))
            if has_body:
                # The framework would take a body of another type for text, and say something else.
                await asked.json()
            return await handle(asked)

        return handler


class Room(APIRouter):
    """The routes of one subject. A path that begins as none of them does is passed over at a glance.

    The framework asks route by route, twice; with some fifty routes that was half of what an empty answer costs.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._beginnings):
            return Match.NONE, {}
        return super().matches(scope)

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        return tuple({route.path.partition("{")[0] for route in self.routes if isinstance(route, APIRoute)})


# -- answers


def answered(
    content: bytes, status: int = 200, *, etag: str | None = None, location: str | None = None, link: str | None = None
) -> Response:
    """An answer to one caller: cacheable only by asking again."""
    response = Response(content, status, media_type=JSON)
    response.headers["cache-control"] = "private, no-cache"
    response.headers["vary"] = VARY
    if etag is not None:
        response.headers["etag"] = etag
    if location is not None:
        response.headers["location"] = location
    if link is not None:
        response.headers["link"] = link
    return response


def etag_of(version: int) -> str:
    return f'"{version}"'


def versioned(request: Request, content: dict[str, Any], version: int) -> Response:
    """A versioned resource, or 304 where the reader has this version."""
    etag = etag_of(version)
    known = request.headers.get("if-none-match")
    if known is not None and (
        known.strip() == "*" or etag in [each.strip().removeprefix("W/") for each in known.split(",")]
    ):
        response = Response(status_code=304)
        response.headers.update({"etag": etag, "cache-control": "private, no-cache", "vary": VARY})
        return response
    return answered(to_json(content), etag=etag)


# -- If-Match


NO_VERSION = -1


def if_match(request: Request, *, required: bool = False) -> int | None:
    """The version that the caller read. `precondition_required` without, no version at all where it is none of ours.

    That it is stale is for the action to say: 404 and 403 come first.
    """
    given = request.headers.get("if-match")
    if given is None:
        if required:
            raise Refused("precondition_required")
        return None
    match = re.fullmatch(r'\s*(?:W/)?"([0-9]{1,15})"\s*', given)
    if match is None:
        if given.strip() == "*":
            return None
        return NO_VERSION
    return int(match[1])


def required_version(request: Request) -> int:
    version = if_match(request, required=True)
    if version is None:
        # `*` says "whatever is there": for a correction that is no precondition at all.
        raise Refused("precondition_required")
    return version


# -- Idempotency-Key

KEY_PATTERN = '^([!#-~]([ -~]{0,253}[!-~])?|"[ -~]{1,255}")$'
"""Bare or quoted, 1 to 255 printable characters."""


def given_key(request: Request) -> str | None:
    """The caller's Idempotency-Key, if one was sent; refuses one that is none."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given.strip()
    if not re.fullmatch(KEY_PATTERN, key):
        raise invalid(("/header/Idempotency-Key", "bad_format"))
    return key[1:-1] if key[0] == '"' else key


async def with_receipt(request: Asked, render: Callable[[Any], Recorded], content: bytes | None = None) -> Call:
    """The call with the caller's Idempotency-Key, if one was sent. `content`: what counts of a body that is a file."""
    key = given_key(request)
    if key is None:
        return request.call
    sent = await request.body() if content is None else content
    mark = fingerprint(request.method, f"{request.url.path}?{request.url.query}", sent)
    return request.call.with_receipt(Receipt(key, mark, render))


def replayed(replay: Replay) -> Response:
    first = replay.answer
    response = answered(bytes(first.body), first.status, etag=first.etag, location=first.location)
    response.headers["idempotent-replayed"] = "true"
    return response


# -- pages

Limit = Annotated[int, Query(ge=1, le=200, description="How many rows a page has at most.")]
Cursor = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=500,
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
        description="`next_cursor` of the page before; opaque.",
    ),
]

NO_NUL: dict[str, Any] = {"pattern": r"^[^\x00]+$"}
"""What `Route` refuses in every query parameter, for the schema of those that are free text."""


def cursor_context(request: Asked) -> str:
    """What a cursor belongs to: the query without the page itself, the caller, the day."""
    query = sorted(
        (name, value) for name, value in request.query_params.multi_items() if name not in ("cursor", "limit")
    )
    parts = json.dumps([request.url.path, query, str(request.call.caller.principal_id), request.call.today.isoformat()])
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


def write_cursor(context: str, *position: Any) -> str:
    return base64.urlsafe_b64encode(to_json([context, *position])).decode().rstrip("=")


def read_cursor(context: str, cursor: str | None, *kinds: Callable[[Any], Any]) -> list[Any] | None:
    """The position in a cursor, each part through its kind; `invalid_request` where it is not one of ours."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        mark, *position = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
        if mark != context or len(position) != len(kinds):
            raise ValueError
        return [
            None if value is None and kind is day_of else kind(value)
            for kind, value in zip(kinds, position, strict=True)
        ]
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error):
        raise invalid(("/query/cursor", "bad_cursor")) from None


def page_answer(
    request: Request, items: list[Any], next_cursor: str | None, extra: dict[str, Any] | None = None
) -> Response:
    """`{"items", "next_cursor"}`, and the next page as a Link."""
    link = None
    if next_cursor is not None:
        link = f'<{request.url.include_query_params(cursor=next_cursor)}>; rel="next"'
    return answered(to_json({"items": items, "next_cursor": next_cursor, **(extra or {})}), link=link)


def day_of(value: Any) -> date:
    return date.fromisoformat(value)


def number_of(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError
    return value


def instant_of(value: Any) -> datetime:
    return datetime.fromisoformat(value)


def id_of(value: Any) -> UUID:
    return UUID(value)
