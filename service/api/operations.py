"""For those who run the service: is it alive, is it ready, how does it fare; and what each problem code means."""

import html
import ipaddress
import secrets
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic_core import to_json

from service.actions import attachments, backlog
from service.api import access_shapes as shapes
from service.api.deps import Asked, Room, Route, answered
from service.api.openapi import documented, problems
from service.api.pages import guarded
from service.api.shapes import StatusOut
from service.errors import PROBLEMS, Refused
from service.wording import language
from service.workflow.permissions import PERMISSIONS

router = Room(tags=["operations"])
me_router = Room(route_class=Route, tags=["access"])


@me_router.get("/v1/me", **documented("get_me", "Who I am, my grants, my permissions", shapes.MeOut))
async def get_me(request: Asked) -> Response:
    caller = request.call.caller
    granted = {permission for grant in request.call.grants for permission in PERMISSIONS[grant.role]}
    content = {
        "principal_id": caller.principal_id,
        "name": caller.name,
        "kind": caller.kind,
        "tenant_id": caller.tenant_id,
        "timezone": str(caller.timezone),
        "via": caller.via,
        "grants": [shapes.grant(each) for each in request.call.grants],
        "permissions": sorted(granted),
    }
    return answered(to_json(content))


@router.get(
    "/livez",
    operation_id="get_livez",
    summary="The process answers",
    response_model=None,
    responses={200: {"model": StatusOut, "description": "It does."}, **problems("method_not_allowed")},
)
async def livez() -> Response:
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get(
    "/readyz",
    operation_id="get_readyz",
    summary="The database is reachable and its migrations are at head",
    response_model=None,
    responses={200: {"model": StatusOut, "description": "Both hold."}, **problems("method_not_allowed")},
)
async def readyz(request: Request) -> Response:
    if not await request.app.state.ready():
        raise Refused("unavailable")
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Prometheus metrics, from loopback or with the metrics token",
    response_model=None,
    responses={
        200: {"description": "Text exposition format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems("unauthenticated"),
    },
)
async def metrics(request: Request) -> Response:
    if not _may_measure(request):
        raise Refused("unauthenticated")
    await _measure_waiting(request)
    request.app.state.metrics.connected(request.app.state.service.database.connections())
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _measure_waiting(request: Request) -> None:
    """What waits is asked of the database; while that is away the other numbers are worth having all the same."""
    service, now = request.app.state.service, datetime.now(UTC)
    try:
        found = await backlog.measure(service, now)
        kept = await attachments.kept(service)
    except Refused:
        return
    request.app.state.metrics.waiting(found)
    request.app.state.metrics.kept(kept)


def _may_measure(request: Request) -> bool:
    token = request.app.state.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token is not None and secrets.compare_digest(given.encode(), token.encode()):
        return True
    # A proxy on this machine speaks for others: with its header on, the call is not from loopback.
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


@router.get(
    "/problems/{code}",
    operation_id="get_problem",
    summary="What a problem code means, as a page or as JSON",
    response_model=None,
    responses={
        200: {
            "description": "The code's meaning in the reader's language.",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["code", "status", "title", "detail"],
                        "properties": {
                            "code": {"type": "string", "maxLength": 64},
                            "status": {"type": "integer", "minimum": 400, "maximum": 599},
                            "title": {"type": "string", "maxLength": 200},
                            "detail": {"type": "string", "maxLength": 500},
                        },
                    }
                },
                "text/html": {"schema": {"type": "string"}},
            },
        },
        **problems("not_found", "invalid_request"),
    },
)
async def get_problem(
    request: Request, code: Annotated[str, Path(min_length=1, max_length=64, examples=["guard_refused"])]
) -> Response:
    kind = PROBLEMS.get(code)
    if kind is None:
        raise Refused("not_found")
    tongue = language(request.headers.get("accept-language"))
    title, detail = getattr(kind.title, tongue), getattr(kind.detail, tongue)
    if "text/html" in request.headers.get("accept", ""):
        page = (
            f'<!doctype html><html lang="{tongue}"><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f"<h1>{html.escape(title)}</h1><p>{html.escape(detail)}</p>"
            f"<p><code>{code}</code> · HTTP {kind.status}</p></html>"
        )
        return guarded(page)
    return Response(
        to_json({"code": code, "status": kind.status, "title": title, "detail": detail}), media_type="application/json"
    )
