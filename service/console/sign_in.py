"""Signing in with a key, and out again."""

import time
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fastapi import Response

from service.actions import sessions
from service.console import pages
from service.console.routing import Desk, Page, Public
from service.console.visits import COOKIE, Guest, Visit, give
from service.errors import Refused

LONGEST_KEY = 255

router = Desk(Public)
leaving = Desk(Page)


@router.get("/console/sign-in")
async def sign_in(guest: Guest) -> Response:
    return pages.html(guest, "sign_in.html", wanted=_inside(guest.query_params.get("next", "")), refused=None)


@router.post("/console/session")
async def begin(guest: Guest) -> Response:
    now = datetime.now(UTC)
    sent = await guest.sent()
    wanted = _inside(sent.get("next", [""])[0])
    closed = guest.gates.closed_to(guest.address, now)
    try:
        if not guest.own_page():
            raise Refused("forbidden", "csrf")
        if closed is not None:
            raise closed
        key = sent.get("key", [""])[0].strip()
        if not 1 <= len(key) <= LONGEST_KEY or not key.isascii():
            raise Refused("unauthenticated")
        session, _ = await sessions.begin(guest.doorkeeper, key, now=now, clock=time.monotonic())
    except Refused as refused:
        if refused.code == "unauthenticated":
            await guest.gates.failed(guest.address, now)
        status = pages.status_of(refused)
        return pages.html(guest, "sign_in.html", status, wanted=wanted, refused=_why(guest, refused))
    response = guest.to(wanted.removeprefix("/console"))
    give(guest, response, session)
    return response


def _why(guest: Guest, refused: Refused) -> str:
    if refused.code == "unauthenticated":
        return pages.speaker(guest).word("sign_in.refused")
    return pages.reason(refused, guest.tongue)


def _inside(wanted: str) -> str:
    """Where to go afterwards: a page of the console and nothing else."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/console"
    inside = parts.path == "/console" or parts.path.startswith("/console/")
    if parts.scheme or parts.netloc or not inside or "\\" in wanted or ".." in parts.path or not wanted.isprintable():
        return "/console"
    return wanted


@leaving.post("/console/sign-out")
async def end(visit: Visit) -> Response:
    """The browser forgets the session. Whoever fears for a key revokes it, which ends every session of it at once."""
    response = visit.to("/sign-in")
    response.delete_cookie(COOKIE, path=visit.base)
    return response
