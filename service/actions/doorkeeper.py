"""Who knocks: keys, tokens and the people that platforms act for, each remembered for a few seconds."""

import hashlib
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from service.actions.service import Service, record_events
from service.errors import Refused, forbidden
from service.store import grants, keys, principals, units
from service.store.database import Changes, Tx
from service.workflow import access_events
from service.workflow.access import Caller
from service.workflow.events import Actor
from service.workflow.identities import Principal
from service.workflow.permissions import Grant, lent

K = TypeVar("K")
V = TypeVar("V")

CACHED_SECONDS = 3.0
"""A revocation is effective everywhere when so much time has passed."""

CACHED_CALLERS = 10_000
REFUSALS_NOTED_EVERY = timedelta(hours=1)
NOBODY = Actor(None, "")


class Remembered(Generic[K, V]):
    """What was looked up in the last few seconds, and never more than so many."""

    def __init__(self) -> None:
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K, clock: float) -> V | None:
        known = self._known.get(key)
        return known[1] if known is not None and clock - known[0] <= CACHED_SECONDS else None

    def put(self, key: K, clock: float, value: V) -> None:
        self._known[key] = (clock, value)
        self._known.move_to_end(key)
        if len(self._known) > CACHED_CALLERS:
            self._known.popitem(last=False)

    def forget(self, key: K) -> None:
        self._known.pop(key, None)

    def __contains__(self, key: K) -> bool:
        """Whether it was looked up at all, however long ago."""
        return key in self._known

    def clear(self) -> None:
        self._known.clear()


class Reader(Protocol):
    """Knows another kind of credential."""

    async def caller(self, credential: str, *, now: datetime, clock: float) -> Caller | None:
        """Whose it is; None where it is not of that kind. Refuses `unauthenticated`, `unavailable`."""


class Doorkeeper:
    """Authenticates. With the database away nobody new is let in, and nobody longer than a few seconds."""

    def __init__(self, service: Service, tokens: Reader) -> None:
        self._service = service
        self._tokens = tokens
        self._callers: Remembered[bytes, Caller] = Remembered()
        self._people: Remembered[tuple[UUID, UUID | str], tuple[Principal, tuple[Grant, ...]]] = Remembered()
        self._used: dict[tuple[UUID, UUID], datetime] = {}
        self._refused: dict[UUID, datetime] = {}

    async def admit(self, credential: str, *, now: datetime, clock: float) -> Caller:
        """Who `credential` belongs to. `clock` is a monotonic reading in seconds. Refuses `unauthenticated`."""
        digest = hash_key(credential)
        caller = self._callers.get(digest, clock)
        if caller is None:
            try:
                caller = await self._tokens.caller(credential, now=now, clock=clock) or await self._look_up(digest)
            except Refused as refused:
                if refused.code == "unauthenticated":
                    # What is good for nobody is not remembered: guesses must not push good credentials out.
                    self._callers.forget(digest)
                raise
            self._callers.put(digest, clock, caller)
        return await self._alive(caller, now)

    async def admit_digest(self, digest: bytes, *, now: datetime, clock: float) -> Caller:
        """The same for a key of which only the digest is at hand: that of whoever signed in with it earlier."""
        caller = self._callers.get(digest, clock)
        if caller is None:
            caller = await self._look_up(digest)
            self._callers.put(digest, clock, caller)
        return await self._alive(caller, now)

    async def _alive(self, caller: Caller, now: datetime) -> Caller:
        if not caller.alive(now):
            await self._note_refusal(caller, now)
            raise Refused("unauthenticated", None if caller.key_id else "invalid_token")
        if caller.key_id is not None:
            self._used[caller.tenant_id, caller.key_id] = now
        return caller

    async def _look_up(self, digest: bytes) -> Caller:
        async def action(tx: Tx) -> Caller | None:
            return await keys.caller(tx, digest)

        caller = await self._service.read(action)
        if caller is None:
            raise Refused("unauthenticated")
        return caller

    def remembers(self, credential: str) -> bool:
        """Whether `credential` was good when it was last looked up here, however long ago."""
        return hash_key(credential) in self._callers

    def forget_everyone(self) -> None:
        """Look up every caller anew: what another process would see."""
        self._callers.clear()
        self._people.clear()

    async def acting_for(self, platform: Caller, person: UUID | str, *, now: datetime, clock: float) -> Caller:
        """The person (by id or external_id) that a platform acts for, with what it may do for that person.

        Refuses `forbidden`; an unknown person and one who did not agree look the same.
        """
        if not platform.delegate:
            raise forbidden("delegate")
        found = self._people.get((platform.tenant_id, person), clock)
        if found is None:
            found = await self._find_person(platform.tenant_id, person)
            if found is None:
                raise forbidden("acting_for")
            self._people.put((platform.tenant_id, person), clock, found)
        principal, granted = found
        if not principal.active or platform.principal_id not in principal.delegates:
            raise forbidden("acting_for")
        today = now.astimezone(platform.timezone).date()
        bounds = platform.grants_on(today)
        wanted = {grant.unit_id for grant in (*granted, *bounds)}

        # Which unit lies above which is never remembered: a unit may have moved this moment.
        async def lines(tx: Tx) -> dict[UUID, tuple[UUID, ...]]:
            return await units.lines(tx, platform.tenant_id, wanted)

        return replace(
            platform,
            principal_id=principal.id,
            name=principal.name,
            kind=principal.kind,
            grants=lent(granted, bounds, await self._service.read(lines)),
            delegate=False,
            via=platform.principal_id,
        )

    async def _find_person(self, tenant_id: UUID, ref: UUID | str) -> tuple[Principal, tuple[Grant, ...]] | None:
        async def action(tx: Tx) -> tuple[Principal, tuple[Grant, ...]] | None:
            if isinstance(ref, UUID):
                principal = await principals.by_id(tx, tenant_id, ref)
            else:
                principal = await principals.by_external_id(tx, tenant_id, ref)
            if principal is None or principal.kind != "person":
                return None
            return principal, await grants.of_principal(tx, tenant_id, principal.id)

        return await self._service.read(action)

    async def _note_refusal(self, caller: Caller, now: datetime) -> None:
        """Once an hour for a key: whoever tries a dead one a thousand times must not fill the record."""
        if caller.key_id is None:
            return
        last = self._refused.get(caller.key_id)
        if last is not None and now - last < REFUSALS_NOTED_EVERY:
            return
        if len(self._refused) >= CACHED_CALLERS:
            self._refused.clear()
        self._refused[caller.key_id] = now

        async def action(tx: Tx) -> None:
            changes = Changes()
            draft = access_events.key_refused(caller.principal_id, caller.key_id)
            record_events(changes, caller.tenant_id, [draft], hashing=caller.hashing, actor=NOBODY, now=now)
            await tx.apply(changes)

        await self._service.database.write(action)

    async def write_last_used(self) -> None:
        """Store when keys were last used: from time to time, so that no request pays for it."""
        used, self._used = self._used, {}
        if not used:
            return

        async def action(tx: Tx) -> None:
            changes = Changes()
            changes.many(
                keys.USED,
                [
                    {"tenant_id": tenant_id, "key_id": key_id, "used_at": at}
                    for (tenant_id, key_id), at in sorted(used.items())
                ],
            )
            await tx.apply(changes)

        await self._service.database.write(action)


def hash_key(key: str) -> bytes:
    """Keys carry 256 bits of chance, so a plain SHA-256 is enough to keep them from being read."""
    return hashlib.sha256(key.encode()).digest()
