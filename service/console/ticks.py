"""A live tick: that something happened in the reader's scope, for the console's own script to look again."""

import time
from collections.abc import AsyncIterator

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from service.actions import feed
from service.actions.feed import Asked, Newsstand
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused

RECHECK_SECONDS = 3.0
"""How long a reader that waits is taken for whom it was: keys are revoked and grants end meanwhile."""

KEEP_ALIVE_SECONDS = 15.0
AT_ONCE = 200

router = Desk(Page)


@router.get("/console/ticks")
async def ticks(visit: Visit) -> Response:
    size = await feed.size(visit.service, visit.call)
    given = visit.headers.get("last-event-id", "")
    known = given.isascii() and given.isdigit() and len(given) < 16
    # Whoever comes back with a position that this log never had has slept over a restore: it begins anew.
    begin = min(int(given), size) if known else size
    return StreamingResponse(
        _stream(visit, begin),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "vary": "Cookie", "x-accel-buffering": "no"},
    )


async def _stream(visit: Visit, told: int) -> AsyncIterator[bytes]:
    """Until the reader hangs up or is no longer let in: its browser comes back by itself, and is told then."""
    newsstand: Newsstand = visit.app.state.newsstand
    said = checked = time.monotonic()
    yield b"retry: 5000\n\n"
    try:
        while True:
            page = await feed.read(visit.service, visit.call, Asked(), told, AT_ONCE)
            if page.events:
                about = dict.fromkeys(event["item_id"] for event in page.events if event["item_id"])
                told = page.last_position
                yield b"id: %d\nevent: tick\ndata: %b\n\n" % (
                    told, to_json({"count": len(page.events), "items": list(about)}),
                )  # fmt: skip
                said = time.monotonic()
                continue
            told = page.last_position
            if time.monotonic() - said > KEEP_ALIVE_SECONDS:
                yield b"id: %d\n: still here\n\n" % told
                said = time.monotonic()
            if page.at_end:
                await newsstand.beyond(visit.call.tenant_id, told, RECHECK_SECONDS)
            if time.monotonic() - checked >= RECHECK_SECONDS:
                await visit.still()
                checked = time.monotonic()
    except Refused:
        return
