"""Every route of the console, in the order in which they are tried."""

from fastapi import Response

from service.console import (
    board,
    downloads,
    evidence,
    inbox,
    item,
    items,
    late,
    notices,
    sign_in,
    talks,
    ticks,
    units,
    webhooks,
)
from service.console.routing import Desk, Public
from service.console.visits import Guest
from service.errors import Refused

nowhere = Desk(Public)


@nowhere.get("/console/{rest:path}")
async def lost(guest: Guest, rest: str) -> Response:
    raise Refused("not_found")


ROOMS = (
    sign_in, board, items, item, inbox, notices, talks, late, webhooks, units, ticks, evidence, downloads,
)  # fmt: skip

ROUTERS = (*(room.router for room in ROOMS), sign_in.leaving, nowhere)
