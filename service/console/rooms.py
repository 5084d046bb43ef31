"""Every route of the console, in the order in which they are tried."""

from uuid import UUID

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
from service.console.routing import Desk, Page, Public
from service.console.visits import Guest, Visit
from service.errors import Refused

WITH_FORMS = ("items", "requests", "notices", "interviews", "webhooks")

nowhere, back = Desk(Public), Desk(Page)


@back.get("/console/{room}/{row_id}/{deed}")
async def from_a_form(visit: Visit, room: str, row_id: UUID, deed: str) -> Response:
    """A form that was refused stands under its own address: whoever loads that again wants the page it belongs to."""
    if room not in WITH_FORMS:
        raise Refused("not_found")
    return visit.to(f"/{room}/{row_id}")


@nowhere.get("/console/session")
async def from_the_door(guest: Guest) -> Response:
    return guest.to("/sign-in")


@nowhere.get("/console/{rest:path}")
async def lost(guest: Guest, rest: str) -> Response:
    raise Refused("not_found")


ROOMS = (
    sign_in, board, items, item, inbox, notices, talks, late, webhooks, units, ticks, evidence, downloads,
)  # fmt: skip

ROUTERS = (*(room.router for room in ROOMS), sign_in.leaving, back, nowhere)
