"""The composition root: settings in, application out. The only place where everything meets."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from service.actions.doorkeeper import Doorkeeper
from service.actions.feed import Newsstand
from service.actions.jobs import Jobs
from service.actions.ladder import Tally
from service.actions.service import Service
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
from service.console.rooms import ROUTERS
from service.errors import Refused
from service.outside import vault
from service.outside.addresses import Guard, Names
from service.outside.blobs import Blobs, Directory
from service.outside.counts import Shared
from service.outside.letters import Letters
from service.outside.mail import Mailer, Server
from service.outside.s3 import S3, Bucket
from service.outside.sender import Sender
from service.outside.sigv4 import Signer
from service.outside.workbooks import Scratch
from service.settings import BadSettings, Settings, networks
from service.store import keyring, migrations
from service.store.database import Changes, Database, Tx
from service.store.postgres import Postgres
from service.store.sqlite import Sqlite
from service.workers import clock, figures, housekeeping, sequencer
from service.workers.courier import Courier
from service.workers.loop import Loop


def database_of(settings: Settings) -> Database:
    if settings.sqlite_path is not None:
        return Sqlite(settings.sqlite_path)
    return Postgres(settings.database_url, pool_size=settings.pool_size)


def mailer_of(settings: Settings) -> Mailer | None:
    if settings.smtp_url is None or settings.smtp_from is None:
        return None
    return Mailer(Server.of(settings.smtp_url), settings.smtp_from)


def blobs_of(settings: Settings) -> Blobs:
    """The store of attachments' bytes. Raises BadSettings."""
    if settings.blobs_path is not None:
        return Directory(settings.blobs_path)
    try:
        bucket = Bucket.parse(settings.blobs_url)
    except ValueError as wrong:
        raise BadSettings([f"XIAOHAO_BLOBS_URL: {wrong}"]) from None
    if not settings.blobs_access_key or not settings.blobs_secret_key:
        raise BadSettings(["XIAOHAO_BLOBS_ACCESS_KEY and XIAOHAO_BLOBS_SECRET_KEY are needed for a bucket"])
    signer = Signer(settings.blobs_access_key, settings.blobs_secret_key, bucket.region)
    return S3(bucket, signer, settings.data_dir / "incoming", lambda: datetime.now(UTC))


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Service]:
    """The service without its HTTP side: an open, migrated database and the keys it was written with.

    Raises KeysUnusable where the keys file is missing or another.
    """
    database, blobs = database_of(settings), blobs_of(settings)
    await database.open()
    try:
        guard = Guard(networks(settings.issuer_allow_networks))
        endpoints = Guard(networks(settings.webhook_allow_networks), names := Names())
        named_only = Guard(networks(settings.webhook_allow_networks), names, public=False)
        sender, relays, mailer = Sender(endpoints), Sender(named_only), mailer_of(settings)
        try:
            yield Service(
                database, await _keys(settings, database), blobs, log_name=settings.log_name, issuer_addresses=guard,
                webhook_addresses=endpoints, sender=sender, relays=relays, relay_addresses=named_only, mailer=mailer,
                public_url=settings.item_url,
                attachment_quota=settings.attachment_quota_bytes,
                scratch=Scratch(settings.data_dir / "scratch"),
                letters=Letters(settings.fonts_dir, settings.templates_dir),
            )  # fmt: skip
        finally:
            sender.close()
            relays.close()
            if mailer is not None:
                mailer.close()
            names.close()
    finally:
        await blobs.close()
        await database.close()


async def _keys(settings: Settings, database: Database) -> vault.Vault:
    async def action(tx: Tx) -> set[str]:
        return await keyring.known(tx)

    known = await database.read(action)
    if not known and not settings.keys_path.exists():
        return vault.make(settings.keys_path)
    keys = vault.load(settings.keys_path)
    signers = {each for each in known if each.startswith(vault.LOG)}
    strange = known and not known & set(keys.fingerprints)
    if strange or (signers and keys.log_fingerprint not in signers):
        raise vault.KeysUnusable(f"{settings.keys_path} is not the keys file that this database was written with")
    if known and not signers:
        await database.write(partial(_remember_signer, keys=keys))
    return keys


async def _remember_signer(tx: Tx, keys: vault.Vault) -> None:
    """In a database from before there was a log."""
    changes = Changes()
    keyring.remember(changes, [keys.log_fingerprint], datetime.now(UTC))
    await tx.apply(changes)


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


def workers(service: Service, settings: Settings, report: Callable[[Tally], None]) -> list[Loop]:
    """Whatever runs beside the API, inside `serve` or alone; `report` is told what each round of the clock did."""
    courier = Courier(service, concurrency=settings.webhook_concurrency, sends=settings.webhook_sends)
    return [clock.loop(service, report), sequencer.loop(service), figures.loop(service), courier]


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
            collect_less()
            yield
            for task in tasks:
                task.cancel()
            # A batch under way is not torn: its transaction ends with its connection, one way or the other.
            await asyncio.gather(*tasks, app.state.newsstand.close(), app.state.jobs.close(), return_exceptions=True)
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


def collect_less() -> None:
    """Tables, statements and schemas live as long as the process: the garbage collector need not walk them again.

    A request or a look of the clock leaves hardly any cycles behind, so it may also look less often. Without this a
    sweep spends nearly half of its time in the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


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
