"""The feed over HTTP: page by page, with a long poll, or as Server-Sent Events."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field
from pydantic_core import to_json

from service.actions import feed
from service.actions.feed import FeedPage, Newsstand
from service.api import item_shapes as shapes
from service.api.admission import still_admitted
from service.api.deps import VARY, Asked, Limit, Room, Route, answered
from service.api.openapi import READ, documented
from service.api.references import Reference, reference
from service.errors import Refused, invalid
from service.workflow.catalogue import expand

router = Room(route_class=Route, tags=["events"])

RECHECK_SECONDS = 3.0
"""How long a reader that waits is taken for whom it was: keys are revoked and grants end meanwhile."""

KEEP_ALIVE_SECONDS = 15.0
"""Proxies cut what is silent for longer."""

LONGEST_WAIT = 30
AT_ONCE = 200
"""Events that a stream reads at a time."""

LAST = 2**53 - 1

Pattern = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^([a-z_]+\.)?([a-z_]+|\*)$")]
Types = Annotated[
    list[Pattern], Query(alias="type", max_length=50, description="Types of events, as `item.closed` or `item.*`.")
]
Units = Annotated[list[Reference], Query(max_length=20, description="What concerns these units or any below.")]
Ledgers = Annotated[list[Reference], Query(max_length=50, description="Ids or codes.")]


def _wanted(types: list[str], unit: list[str], ledger: list[str]) -> feed.Asked:
    named = expand(types)
    if named is None:
        raise invalid(("/query/type", "not_allowed"))
    return feed.Asked(
        types=named,
        units=tuple(reference(each, "/query/unit") for each in unit),
        ledgers=tuple(reference(each, "/query/ledger") for each in ledger),
    )


@router.get(
    "/v1/events",
    **documented("list_events", "Events of the caller's scope in the order of their positions", shapes.FeedOut),
)
async def list_events(
    request: Asked,
    after: Annotated[
        int, Query(ge=0, le=LAST, description="The position after which to begin; 0 is the beginning.")
    ] = 0,
    types: Types = [],
    unit: Units = [],
    ledger: Ledgers = [],
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait where there is nothing yet.")] = 0,
    limit: Limit = 50,
) -> Response:
    wanted = _wanted(types, unit, ledger)
    page = await feed.read(request.service, request.call, wanted, after, limit)
    ends = time.monotonic() + wait
    checked = time.monotonic()
    while not page.events and (left := ends - time.monotonic()) > 0:
        if page.at_end:
            await _newsstand(request).beyond(request.call.tenant_id, page.last_position, min(left, RECHECK_SECONDS))
        if time.monotonic() - checked >= RECHECK_SECONDS:
            request.call, checked = await still_admitted(request), time.monotonic()
        page = await feed.read(request.service, request.call, wanted, page.last_position, limit)
    return answered(to_json({"items": page.events, "last_position": page.last_position}))


@router.get(
    "/v1/events/stream",
    **documented(
        "stream_events", "The same as Server-Sent Events: `id` is the position, `event` the type, `data` the event",
        None, codes=READ, content={"text/event-stream": {"schema": {"type": "string"}}},
    ),
)  # fmt: skip
async def stream_events(
    request: Asked,
    after: Annotated[
        int | None, Query(ge=0, le=LAST, description="Where to begin; without, at what comes next.")
    ] = None,
    types: Types = [],
    unit: Units = [],
    ledger: Ledgers = [],
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", max_length=16, pattern="^[0-9]{1,16}$", description="Resumes there.")
    ] = None,
) -> Response:
    wanted = _wanted(types, unit, ledger)
    begin = int(last_event_id) if last_event_id is not None else after
    if begin is None:
        begin = await feed.size(request.service, request.call)
    # What can be refused is refused before the answer begins.
    page = await feed.read(request.service, request.call, wanted, begin, AT_ONCE)
    return StreamingResponse(
        _stream(request, wanted, begin, page),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "vary": VARY, "x-accel-buffering": "no"},
    )


async def _stream(request: Asked, wanted: feed.Asked, told: int, page: FeedPage) -> AsyncIterator[bytes]:
    """Until the reader hangs up, is no longer let in, or the database is away: it resumes where it was.

    `told` is the position that it knows of.
    """
    said = checked = time.monotonic()
    # Some readers show nothing before the first bytes are there.
    yield b": xiaohao\n\n"
    try:
        while True:
            for event in page.events:
                yield _message(event)
                told = event["position"]
            if page.last_position > told and page.events == []:
                # Nothing there was for this reader; it need not look there again when it comes back.
                yield b"id: %d\n\n" % page.last_position
                told = page.last_position
            elif page.events == [] and time.monotonic() - said > KEEP_ALIVE_SECONDS:
                yield b": still here\n\n"
                said = time.monotonic()
            if page.at_end:
                await _newsstand(request).beyond(request.call.tenant_id, page.last_position, RECHECK_SECONDS)
            if time.monotonic() - checked >= RECHECK_SECONDS:
                request.call, checked = await still_admitted(request), time.monotonic()
            page = await feed.read(request.service, request.call, wanted, page.last_position, AT_ONCE)
    except Refused:
        return


def _message(event: dict[str, Any]) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event["position"], event["type"].encode(), to_json(event))


def _newsstand(request: Request) -> Newsstand:
    newsstand: Newsstand = request.app.state.newsstand
    return newsstand
