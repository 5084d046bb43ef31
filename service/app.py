"""The HTTP application: every room of the API and the console on one service."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from service.actions.doorkeeper import Doorkeeper
from service.actions.feed import Newsstand
from service.actions.jobs import Jobs
from service.actions.tokens import Tokens
from service.api import (
    attachments,
    calendars,
    channels,
    deadline_words,
    deadlines,
    erasure,
    events,
    exports,
    hooks,
    imports,
    interviews,
    issuers,
    items,
    jobs,
    ledgers,
    limits,
    listing,
    log,
    middleware,
    notices,
    openapi,
    operations,
    pages,
    principals,
    printing,
    problems,
    progress,
    reports,
    requests,
    statistics,
    transitions,
    unit_import,
    units,
    webhooks,
)
from service.api.metrics import Metrics
from service.composition import running, workers
from service.console.rooms import ROUTERS
from service.errors import Refused
from service.outside.counts import Shared
from service.outside.keys_file import KeysUnusable
from service.settings import Settings
from service.store import migrations
from service.workers import housekeeping


@asynccontextmanager
async def _limits(settings: Settings) -> AsyncIterator[limits.Limits]:
    shared = Shared(settings.redis_url) if settings.redis_url else None
    try:
        yield limits.Limits(
            shared or limits.InProcess(), per_key=settings.rate_limit, per_tenant=settings.tenant_rate_limit
        )
    finally:
        if shared is not None:
            await shared.close()


def create_app(settings: Settings) -> FastAPI:
    """The HTTP application. Its lifespan opens the database, which must be migrated."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(settings) as service, _limits(settings) as app.state.limits:
            app.state.service = service
            doorkeeper = app.state.doorkeeper = Doorkeeper(service, Tokens(service))

            async def ready() -> bool:
                return await migrations.at_head(service.database) and all(loop.beating for loop in app.state.loops)

            app.state.ready = ready
            tasks = [asyncio.create_task(housekeeping.run(service, doorkeeper))]
            app.state.newsstand = Newsstand(service)
            app.state.jobs = Jobs(service, lambda: datetime.now(UTC))
            app.state.loops = workers(service, settings, app.state.metrics.count) if settings.workers_inside else []
            tasks += [asyncio.create_task(loop.run()) for loop in app.state.loops]
            yield
            for task in tasks:
                task.cancel()
            # A batch under way is not torn: its transaction ends with its connection, one way or the other.
            await asyncio.gather(*tasks, app.state.newsstand.close(), return_exceptions=True)
            with suppress(Refused):
                await doorkeeper.write_last_used()

    # Of fastapi-offline only the viewers' files are taken: its pages say nothing to the browser.
    app = FastAPIOffline(
        docs_url=None,
        redoc_url=None,
        static_url=pages.STATIC,
        title="xiaohao 销号",
        lifespan=lifespan,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    rooms = (
        items,
        listing,
        exports,
        jobs,
        transitions,
        progress,
        attachments,
        deadlines,
        erasure,
        requests,
        # Before the notices themselves: `{id}.pdf` would pass for an id.
        printing,
        notices,
        interviews,
        events,
        log,
        webhooks,
        channels,
        statistics,
        reports,
        ledgers,
        calendars,
        imports,
        deadline_words,
        unit_import,
        units,
        hooks,
        principals,
        issuers,
    )
    routers = (*(room.router for room in rooms), operations.me_router, log.key_router, operations.router, *ROUTERS)
    for router in routers:
        app.include_router(router)
    _answer_refusals(app, _methods(routers))
    pages.install(app)
    openapi.install(app)
    middleware.install(app, app.state.metrics, settings.allowed_origins)
    return app


def _methods(routers: Iterable[APIRouter]) -> dict[str, str]:
    """The `Allow` of each path: the framework names only the methods of the path's first route."""
    methods: dict[str, set[str]] = {}
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                answered = route.methods or set()
                methods.setdefault(route.path, set()).update(answered, {"HEAD"} if "GET" in answered else ())
    return {path: ", ".join(sorted(allowed)) for path, allowed in methods.items()}


def _answer_refusals(app: FastAPI, methods: dict[str, str]) -> None:
    """Every refusal, ours or the framework's, leaves as problem+json."""

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return problems.answer(request, error)

    @app.exception_handler(KeysUnusable)
    async def without_keys(request: Request, error: KeysUnusable) -> Response:
        # For the operator to mend; whoever called may try again.
        structlog.get_logger("xiaohao").error("keys unusable", why=str(error))
        return problems.answer(request, Refused("unavailable"))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return problems.answer(request, problems.from_validation(error))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        response = problems.answer(request, problems.from_http(error))
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        path = getattr(request.scope.get("route"), "path", None)
        if error.status_code == 405 and path in methods:
            response.headers["allow"] = methods[path]
        return response
