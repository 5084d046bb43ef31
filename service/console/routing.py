"""The console's routes: what comes before a handler, and what becomes of a refusal behind it."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from service.console import pages
from service.console.languages import CHOSEN, language_of
from service.console.visits import COOKIE, Guest, Visit
from service.errors import Refused

LONGEST_LINK = 2_000

log = structlog.get_logger("xiaohao.console")


class Desk(APIRouter):
    """The routes of one subject. Requests for something else are passed over at a glance."""

    def __init__(self, route: type[APIRoute]) -> None:
        super().__init__(include_in_schema=False, route_class=route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith("/console"):
            return Match.NONE, {}
        return super().matches(scope)


class Public(APIRoute):
    """A page for whoever comes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            guest = Guest(request.scope, request.receive)
            guest.tongue = language_of(guest)
            try:
                response = await handle(guest)
            except Refused as refused:
                response = _refusal(guest, refused)
            _remember_language(guest, response)
            return response

        return handler


class Page(APIRoute):
    """A page for those who have signed in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            visit = Visit(request.scope, request.receive)
            visit.tongue = language_of(visit)
            try:
                await visit.enter()
                if visit.method == "POST":
                    await visit.check_form()
                response = await handle(visit)
            except RequestValidationError:
                # Only addresses are declared: one with no id in it leads nowhere.
                response = _refusal(visit, Refused("not_found"))
            except Refused as refused:
                response = _refusal(visit, refused)
            except Exception:
                # People get a page also for our own mistakes.
                log.exception("page failed", request_id=visit.scope.get("request_id"), path=visit.url.path)
                response = _refusal(visit, Refused("internal"))
            visit.remember(response)
            _remember_language(visit, response)
            return response

        return handler


def _refusal(guest: Guest, refused: Refused) -> Response:
    if refused.code == "unauthenticated" and isinstance(guest, Visit):
        return _to_sign_in(guest)
    return pages.refusal(guest, refused)


def _to_sign_in(guest: Guest) -> Response:
    """To the sign-in, and back here afterwards where here is a page."""
    here = guest.url.path.removeprefix(guest.scope.get("root_path", ""))
    wanted = f"{here}?{guest.url.query}" if guest.url.query else here
    if guest.method != "GET" or here in ("/console", "/console/ticks") or len(wanted) > LONGEST_LINK:
        response = guest.to("/sign-in")
    else:
        response = guest.to("/sign-in", next=wanted)
    response.delete_cookie(COOKIE, path=guest.base)
    return response


def _remember_language(guest: Guest, response: Response) -> None:
    asked = guest.query_params.get(CHOSEN)
    if asked in ("zh", "en"):
        response.set_cookie(
            CHOSEN, asked, path=guest.base, max_age=31_536_000, secure=guest.secure, httponly=True, samesite="lax"
        )
