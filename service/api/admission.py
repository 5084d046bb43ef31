"""Who is let in: the credential of a request, the limits on it, and for whom it acts."""

import time
from datetime import UTC, datetime
from uuid import UUID

from fastapi import Request

from service.actions.doorkeeper import Doorkeeper
from service.actions.service import Call
from service.api.limits import Limits
from service.errors import Refused, invalid
from service.workflow.access import Caller

LONGEST_CREDENTIAL = 16_384


async def admit(request: Request) -> Call:
    """Who calls, and as whom. Refuses `unauthenticated`, `rate_limited`, `forbidden`, `unavailable`."""
    now, clock = datetime.now(UTC), time.monotonic()
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    limits: Limits = request.app.state.limits
    address = request.client.host if request.client else None
    key = _credential(request)
    closed = limits.closed_to(address, now)
    # Whoever was let in before goes on: one mistaken script behind an address must not lock its neighbours out.
    if closed is not None and not (key and doorkeeper.remembers(key)):
        raise closed
    try:
        if key is None:
            raise Refused("unauthenticated")
        caller = await doorkeeper.admit(key, now=now, clock=clock)
    except Refused as refused:
        if refused.code == "unauthenticated":
            await limits.failed(address, now)
        raise
    # By the key that was sent: a platform that acts for many people is one caller.
    await limits.judge(caller, now, request.scope)
    call = await _as_whom(request, caller, now, clock)
    request.scope["principal_id"], request.scope["tenant_id"] = call.caller.principal_id, call.tenant_id
    return call


async def still_admitted(request: Request) -> Call:
    """The same call as of now, for an answer that takes long: keys are revoked and grants end meanwhile.

    Refuses as `admit` does, but counts no further request.
    """
    now, clock = datetime.now(UTC), time.monotonic()
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    caller = await doorkeeper.admit(_credential(request) or "", now=now, clock=clock)
    return await _as_whom(request, caller, now, clock)


async def _as_whom(request: Request, caller: Caller, now: datetime, clock: float) -> Call:
    person = request.headers.get("x-acting-for")
    if person is not None:
        doorkeeper: Doorkeeper = request.app.state.doorkeeper
        caller = await doorkeeper.acting_for(caller, _person(person), now=now, clock=clock)
    return Call.of(caller, now)


def _credential(request: Request) -> str | None:
    """The bearer credential as it was sent; None where there is none or it can be none of ours."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not 1 <= len(key) <= LONGEST_CREDENTIAL or not key.isascii():
        return None
    return key


def _person(given: str) -> UUID | str:
    """Whom X-Acting-For names: an id, or what the platform calls the person."""
    named = given.strip()
    try:
        return UUID(named)
    except ValueError:
        pass
    # Header values come as Latin-1; what was sent is UTF-8, as everywhere.
    try:
        named = named.encode("latin-1").decode()
    except UnicodeError:
        named = ""
    if not 1 <= len(named) <= 200 or not named.isprintable():
        raise invalid(("/header/X-Acting-For", "bad_format"))
    return named
