"""The service put together, without its HTTP side: settings in, an open database with all that works on it out."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from service.actions.background import Background
from service.actions.ladder import Tally
from service.actions.service import Service
from service.outside import keys_file
from service.outside.addresses import Guard, Names
from service.outside.blobs import Blobs, Directory
from service.outside.keys_file import KeysUnusable
from service.outside.letters import Letters
from service.outside.mail import Mailer, Server
from service.outside.s3 import S3, Bucket
from service.outside.sender import Sender
from service.outside.sigv4 import Signer
from service.outside.vault import Vault
from service.outside.workbooks import Scratch
from service.settings import BadSettings, Settings, networks
from service.store import keyring
from service.store.database import Changes, Database, Tx
from service.store.postgres import Postgres
from service.store.sqlite import Sqlite
from service.workers import clock, figures, sequencer
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
        background = Background()
        try:
            yield Service(
                database, await _keys(settings, database), blobs, log_name=settings.log_name, issuer_addresses=guard,
                webhook_addresses=endpoints, sender=sender, relays=relays, relay_addresses=named_only, mailer=mailer,
                public_url=settings.item_url,
                attachment_quota=settings.attachment_quota_bytes,
                background=background,
                scratch=Scratch(settings.data_dir / "scratch"),
                letters=Letters(settings.fonts_dir, settings.templates_dir),
            )  # fmt: skip
        finally:
            await background.close()
            sender.close()
            relays.close()
            if mailer is not None:
                mailer.close()
            names.close()
    finally:
        await blobs.close()
        await database.close()


async def _keys(settings: Settings, database: Database) -> Vault:
    """The keys, if they are all that the database needs. Raises KeysUnusable with one line that says what is wrong."""
    path = settings.keys_path
    known = await database.read(keyring.known)
    if not known.data and not path.exists():
        keys_file.make(path)
    keys = Vault(path)
    if known.data and not set(known.data) & set(keys.data_fingerprints):
        raise KeysUnusable(f"{path} is not the keys file that this database was written with")
    needed = {*known.data, *({known.signer} if known.signer else ())}
    if not needed <= {*keys.data_fingerprints, *keys.log_fingerprints}:
        raise KeysUnusable(f"{path} lacks a key that this database needs: the keys were rotated, copy the present file")
    if known.data and known.signer is None:
        await database.write(partial(_remember_signer, fingerprint=keys.log_fingerprints[0]))
    return keys


async def _remember_signer(tx: Tx, fingerprint: str) -> None:
    """In a database from before there was a log."""
    changes = Changes()
    keyring.remember_signer(changes, fingerprint, datetime.now(UTC))
    await tx.apply(changes)


def workers(service: Service, settings: Settings, report: Callable[[Tally], None]) -> list[Loop]:
    """Whatever runs beside the API, inside `serve` or alone; `report` is told what each round of the clock did."""
    courier = Courier(service, concurrency=settings.webhook_concurrency, sends=settings.webhook_sends)
    return [clock.loop(service, report), sequencer.loop(service), figures.loop(service), courier]


def collect_less() -> None:
    """Tables, statements and schemas live as long as the process: the garbage collector need not walk them again.

    A request or a look of the clock leaves hardly any cycles behind, so it may also look less often. Without this a
    sweep spends nearly half of its time in the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
