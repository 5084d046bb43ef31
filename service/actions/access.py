"""Principals and keys: who calls, and how a new one is let in."""

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.actions import units as unit_actions
from service.actions.ledgers import store as store_ledger
from service.actions.service import Service, new_id
from service.errors import Refused
from service.store import keyring, principals, tenants, units
from service.store.database import Changes, Tx
from service.workflow.access import Caller
from service.workflow.organisation import Ledger, Unit
from service.workflow.policy import DEFAULTS
from service.workflow.states import Level, Role

KEY_PREFIX = "xh_"
PREFIX_LENGTH = 10
CACHED_SECONDS = 3.0
CACHED_KEYS = 10_000
DEFAULT_TENANT = "default"
TIMEZONE = "Asia/Shanghai"


class Doorkeeper:
    """Authenticates keys, remembering each for a few seconds: a revocation is effective when that has passed."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def admit(self, key: str, *, now: datetime, clock: float) -> Caller:
        """Who `key` belongs to. `clock` is a monotonic reading in seconds. Refuses `unauthenticated`."""
        digest = hash_key(key)
        known = self._known.get(digest)
        if known is None or clock - known[0] > CACHED_SECONDS:
            caller = await self._look_up(digest)
            self._known[digest] = (clock, caller)
            self._known.move_to_end(digest)
            if len(self._known) > CACHED_KEYS:
                self._known.popitem(last=False)
        else:
            caller = known[1]
        if not caller.alive(now):
            raise Refused("unauthenticated")
        return caller

    async def _look_up(self, digest: bytes) -> Caller:
        async def action(tx: Tx) -> Caller | None:
            return await principals.caller(tx, digest)

        caller = await self._service.read(action)
        if caller is None:
            # A key that is not there is not remembered: guesses must not push good keys out.
            self._known.pop(digest, None)
            raise Refused("unauthenticated")
        return caller


def hash_key(key: str) -> bytes:
    """Keys carry 256 bits of chance, so a plain SHA-256 is enough to keep them from being read."""
    return hashlib.sha256(key.encode()).digest()


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Founded:
    """What a fresh database holds; `admin_key` is None where it was there already."""

    tenant_id: UUID
    admin_key: str | None


async def found_tenant(service: Service, *, code: str, name: str, admin_key: str | None, now: datetime) -> Founded:
    """Make a tenant with its root unit, ledger `default` and an admin; nothing where it exists already.

    `admin_key` is the first admin key, made up where None. Writes the keys file's fingerprints on the first tenant.
    """
    key = admin_key or new_key()

    async def action(tx: Tx) -> Founded:
        existing = await tenants.find(tx, code)
        if existing is not None:
            return Founded(existing[0], None)
        tenant_id = new_id()
        changes = Changes()
        changes.add(tenants.INSERT, **tenants.new(tenant_id, code, name, TIMEZONE, now))
        changes.add(units.INSERT_TREE, tenant_id=tenant_id, epoch=1)
        root = Unit(new_id(), "root", name, None, Level.COUNTY, True, 1, now, now)
        unit_actions.store(changes, tenant_id, root)
        ledger = Ledger(new_id(), "default", "问题台账", root.id, "any", DEFAULTS, 1, 1, now, now)
        store_ledger(changes, tenant_id, ledger)
        _store_principal(changes, tenant_id, root.id, "admin", Role.ADMIN, key, now)
        if not await keyring.known(tx):
            keyring.remember(changes, service.vault.fingerprints, now)
        await tx.apply(changes)
        return Founded(tenant_id, key)

    return await service.database.write(action)


async def create_key(
    service: Service, *, tenant: str, principal: str, role: str, unit_code: str, now: datetime
) -> str | None:
    """A new principal with one grant, and its key (shown once). None where there is no such tenant or unit.

    Admin and auditor stand on the root unit only: ValueError otherwise.
    """
    key = new_key()

    async def action(tx: Tx) -> str | None:
        found = await tenants.find(tx, tenant)
        if found is None:
            return None
        rows = await tx.all(units.NAMED, tenant_id=found[0], unit_ids=[], codes=[unit_code])
        if not rows:
            return None
        unit_id, _, _, line = rows[0]
        if role in (Role.ADMIN, Role.AUDITOR) and len(line) > 1:
            raise ValueError(f"{role} is granted on the root unit only")
        changes = Changes()
        _store_principal(changes, found[0], unit_id, principal, role, key, now)
        await tx.apply(changes)
        return key

    return await service.database.write(action)


def _store_principal(
    changes: Changes, tenant_id: UUID, unit_id: UUID, name: str, role: str, key: str, now: datetime
) -> None:
    principal_id, key_id = new_id(), new_id()
    changes.add(
        principals.INSERT, tenant_id=tenant_id, id=principal_id, name=name,
        kind="platform" if role == Role.PLATFORM else "person", created_at=now,
    )  # fmt: skip
    changes.add(
        principals.INSERT_KEY, tenant_id=tenant_id, id=key_id, principal_id=principal_id, prefix=key[:PREFIX_LENGTH],
        expires_at=None, revoked_at=None, created_at=now,
    )  # fmt: skip
    changes.add(principals.INSERT_CREDENTIAL, digest=hash_key(key), tenant_id=tenant_id, key_id=key_id)
    changes.add(
        principals.INSERT_GRANT, tenant_id=tenant_id, id=new_id(), principal_id=principal_id, role=role,
        unit_id=unit_id, subtree=True, until=None, created_at=now,
    )  # fmt: skip
