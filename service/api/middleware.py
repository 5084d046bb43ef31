"""What surrounds every request: its id, its measure, its line in the log, and an answer even to our own mistakes.

Plain ASGI layers: the framework's own kind of middleware costs a hundred times as much.
"""

import re
import time
import uuid

import structlog
from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import problems
from service.api.metrics import Metrics
from service.errors import Refused

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

ASKED = (
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Last-Event-ID",
    "Range", "X-Acting-For", "X-Request-Id", "traceparent",
)  # fmt: skip
"""Request headers that a page of another origin may send."""

TOLD = (
    "ETag", "Location", "Link", "Retry-After", "X-Request-Id", "Idempotent-Replayed", "RateLimit-Policy", "RateLimit",
    "Accept-Ranges", "Content-Disposition", "Content-Range",
)  # fmt: skip
"""Answer headers that such a page may read."""

GONE = 499
"""The status, in log and measure alone, of a request whose caller hung up before it was there."""

log = structlog.get_logger("xiaohao.request")


class Surround:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id, trace_id = _identify(headers)
        method = scope["method"]
        # HEAD is GET whose body stays here. The server keeps the scope it made: there it is HEAD still.
        scope = {**scope, "request_id": request_id, "method": "GET" if method == "HEAD" else method}
        # Whoever would fetch a body from afar need not.
        scope["head"] = method == "HEAD"
        status = 0
        ended = False
        began = time.perf_counter()

        async def answering(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    *scope.get("rate_limit_fields", ()),
                ]
            elif method == "HEAD":
                # At the first part of the body: a stream would go on, and nobody reads it.
                if ended:
                    return
                ended, message = True, {"type": "http.response.body"}
            await send(message)

        try:
            await self._app(scope, receive, answering)
        except ClientDisconnect:
            # Nobody is there to be answered, and it is no mistake of ours; in log and measure it has a number.
            status = status or GONE
        except Exception:
            log.exception("request failed", request_id=request_id, path=scope["path"])
            if status:
                raise
            response = problems.answer(Request(scope), Refused("internal"))
            await response(scope, receive, answering)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.observe(method, route, status, seconds)
            log.info(
                "request",
                request_id=request_id,
                trace_id=trace_id,
                method=method,
                route=route,
                status=status,
                ms=round(seconds * 1000, 2),
                tenant_id=str(scope.get("tenant_id", "")) or None,
                principal_id=str(scope.get("principal_id", "")) or None,
            )


def _identify(headers: dict[bytes, bytes]) -> tuple[str, str | None]:
    """The caller's request id and trace id where they are sound, else a request id of our own."""
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    trace = _TRACE.fullmatch(headers.get(b"traceparent", b"").decode("latin-1").strip())
    return (given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex), trace[1] if trace else None


def install(app: FastAPI, metrics: Metrics, origins: tuple[str, ...]) -> None:
    """Surround the application. Web pages of `origins` may call it, with keys that they hold themselves: no cookies."""
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=ASKED,
            expose_headers=TOLD,
            max_age=600,
        )
    app.add_middleware(Surround, metrics=metrics)
