"""What every action works with: the running service, and the call that it answers."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import uuid_utils.compat

from service.actions.background import Background
from service.actions.numbers import Numbers
from service.errors import Refused
from service.outside.addresses import Guard
from service.outside.blobs import Blobs
from service.outside.letters import Letters
from service.outside.mail import Mailer
from service.outside.sender import Sender
from service.outside.vault import Vault
from service.outside.workbooks import Scratch
from service.store import events as event_store
from service.store import idempotency
from service.store.database import Blocked, Changes, Database, Duplicate, Tx
from service.store.idempotency import Answer
from service.workflow import calendar, events
from service.workflow.access import Caller
from service.workflow.calendar import Calendar
from service.workflow.events import Actor, Event, EventDraft
from service.workflow.merkle import Hashing
from service.workflow.permissions import Grant
from service.workflow.scopes import Scope

T = TypeVar("T")

WRITERS = 2


@dataclass(slots=True)
class Service:
    """The parts that a process starts once."""

    database: Database
    vault: Vault
    blobs: Blobs
    log_name: str = "xiaohao"
    """What the installation signs checkpoints of its logs as."""
    numbers: Numbers = field(default_factory=Numbers)
    issuer_addresses: Guard = field(default_factory=Guard)
    webhook_addresses: Guard = field(default_factory=Guard)
    sender: Sender = field(default_factory=lambda: Sender(Guard()))
    relays: Sender = field(default_factory=lambda: Sender(Guard(public=False)))
    """Sends to robots that lie elsewhere than with their platform: to networks that the operator named, and nowhere."""
    relay_addresses: Guard = field(default_factory=lambda: Guard(public=False))
    mailer: Mailer | None = None
    public_url: str = ""
    """Where people see an item, with `{id}` for its id."""
    attachment_quota: int | None = None
    """So many bytes of attachments a tenant may keep; None: as many as there is room for."""
    imports_at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Whole files are in memory meanwhile."""

    background: Background = field(default_factory=Background)
    scratch: Scratch = field(default_factory=lambda: Scratch(Path("data/scratch")))
    letters: Letters = field(default_factory=Letters)
    writers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WRITERS))
    """Whoever has a workbook or a letter written holds one: each is a process of its own, busy for as long."""

    def link(self, item_id: UUID) -> str | None:
        """Where people see an item, if the operator has said so."""
        return self.public_url.replace("{id}", str(item_id)) or None

    async def read(self, action: Callable[[Tx], Awaitable[T]], *, varied: bool = False, whole: bool = False) -> T:
        return await self.database.read(action, varied=varied, whole=whole)

    async def write(self, call: "Call", action: Callable[[Tx], Awaitable[T]], *, locking: bool = False) -> T:
        """Run a writing action. A record under the same Idempotency-Key makes it run again and find that record."""
        for attempt in range(3):
            try:
                return await self.database.write(action, locking=locking)
            except Duplicate as duplicate:
                # Whatever the same request made a moment ago may be in the way before its record is.
                same_request = call.receipt is not None and attempt == 0
                if not same_request and duplicate.constraint not in (
                    "pk_idempotency",
                    "uq_items_tenant_id_ledger_id_number",
                    # Another upload has claimed the same bytes a moment ago: its blob serves both.
                    "uq_blobs_alive",
                ):
                    raise
            except Blocked:
                raise Refused("idempotency_in_flight" if call.receipt else "unavailable") from None
        raise Refused("unavailable")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer as it is kept for replay: never with a secret or a complainant in it."""

    status: int
    body: bytes
    location: str | None
    etag: str | None
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The Idempotency-Key of a call and the fingerprint of its request; `render` writes a result down for replay."""

    key: str
    fingerprint: bytes
    render: Callable[[Any], Recorded]


@dataclass(frozen=True, slots=True)
class Replay:
    """The first answer again."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Call:
    """One call: who, when, and under which Idempotency-Key. `today` and the grants in force are the tenant's day."""

    caller: Caller
    now: datetime
    today: date
    grants: tuple[Grant, ...]
    receipt: Receipt | None = None
    calendar: Calendar = calendar.BASE

    @classmethod
    def of(cls, caller: Caller, now: datetime, receipt: Receipt | None = None) -> "Call":
        today = now.astimezone(caller.timezone).date()
        return cls(caller=caller, now=now, today=today, grants=caller.grants_on(today), receipt=receipt)

    @property
    def tenant_id(self) -> UUID:
        return self.caller.tenant_id

    @property
    def tz(self) -> ZoneInfo:
        return self.caller.timezone

    @property
    def scope(self) -> Scope:
        """The units that this caller sees."""
        return Scope.of(self.grants)

    @property
    def actor(self) -> Actor:
        return Actor(self.caller.principal_id, self.caller.name, self.caller.via)

    @property
    def lister_id(self) -> UUID:
        """Whose `external_ref`s these are: those of the platform, for whomever it acts."""
        return self.caller.via or self.caller.principal_id

    @property
    def key(self) -> tuple[str, str] | None:
        """(caller, Idempotency-Key) under which an answer may be recorded; acting for another is another caller."""
        if self.receipt is None:
            return None
        caller = self.caller.principal_id.hex
        return (f"{self.caller.via.hex}:{caller}" if self.caller.via else caller), self.receipt.key

    def by(self, calendar: Calendar) -> "Call":
        """The same call by the tenant's present calendar."""
        return self if calendar is self.calendar else replace(self, calendar=calendar)

    def with_receipt(self, receipt: Receipt | None) -> "Call":
        return replace(self, receipt=receipt)

    async def replayed(self, tx: Tx) -> Replay | None:
        """What was answered under this key before; `idempotency_key_reused` where it was to another request."""
        if self.key is None:
            return None
        return self.replay(await idempotency.find(tx, self.tenant_id, *self.key))

    def replay(self, answered: Answer | None) -> Replay | None:
        if answered is None or self.receipt is None:
            return None
        if answered.fingerprint != self.receipt.fingerprint:
            raise Refused("idempotency_key_reused")
        return Replay(answered)

    def record(self, changes: Changes, result: Any) -> None:
        """Keep the answer with the work itself, so that a lost answer can be given again."""
        if self.receipt is None or self.key is None:
            return
        recorded = self.receipt.render(result)
        changes.add(
            idempotency.INSERT,
            tenant_id=self.tenant_id,
            caller=self.key[0],
            key=self.key[1],
            fingerprint=self.receipt.fingerprint,
            status=recorded.status,
            location=recorded.location,
            etag=recorded.etag,
            body=recorded.body,
            subject_id=recorded.subject_id,
            created_at=self.now,
        )

    def write_down(self, changes: Changes, drafts: list[EventDraft], revision: int = 0) -> list[Event]:
        """Record events of one item in this transaction; `revision` is the item's after it."""
        return self.write_down_each(changes, [(drafts, revision)])

    def write_down_each(self, changes: Changes, drafts: list[tuple[list[EventDraft], int]]) -> list[Event]:
        """Record events of many items in this transaction, each item's with its revision after it."""
        tenant_id, hashing, actor = self.tenant_id, self.caller.hashing, self.actor
        sealed = [
            event
            for each, revision in drafts
            for event in _sealed(tenant_id, each, hashing=hashing, actor=actor, now=self.now, revision=revision)
        ]
        event_store.record(changes, tenant_id, sealed)
        return sealed


def record_events(
    changes: Changes, tenant_id: UUID, drafts: list[EventDraft], *, hashing: Hashing, actor: Actor, now: datetime
) -> list[Event]:
    """Record events about no item in this transaction, in order. `hashing` is that of the tenant's log."""
    sealed = _sealed(tenant_id, drafts, hashing=hashing, actor=actor, now=now, revision=0)
    event_store.record(changes, tenant_id, sealed)
    return sealed


def _sealed(
    tenant_id: UUID, drafts: list[EventDraft], *, hashing: Hashing, actor: Actor, now: datetime, revision: int
) -> list[Event]:
    return [
        events.seal(
            draft,
            tenant_id=tenant_id,
            event_id=new_id(),
            actor=actor,
            at=now,
            revision=revision,
            ordinal=ordinal,
            salt=os.urandom,
            hashing=hashing,
        )
        for ordinal, draft in enumerate(drafts)
    ]


def new_id() -> UUID:
    """UUIDv7: ids rise with time, so that new rows lie together."""
    return uuid_utils.compat.uuid7()


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()
