"""Tenants: a new one with its root unit, its first ledger and its first admin; and keys made on the server itself."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import available_timezones

from service.actions import units as unit_actions
from service.actions.doorkeeper import hash_key
from service.actions.ledgers import store as store_ledger
from service.actions.service import Service, new_id, record_events
from service.store import grants, keyring, keys, log, principals, tenants, units
from service.store.database import Changes, Tx
from service.workflow import access_events
from service.workflow.events import Actor
from service.workflow.identities import Granted, Key, Principal
from service.workflow.merkle import SHA256, Hashing
from service.workflow.organisation import Ledger, Unit
from service.workflow.policy import DEFAULTS
from service.workflow.states import Level, PrincipalKind, Role

KEY_PREFIX = "xh_"
PREFIX_LENGTH = 10
DEFAULT_TENANT = "default"
TIMEZONE = "Asia/Shanghai"

OPERATOR = Actor(None, "xiaohao")
"""Whoever works on the server itself, with the command line."""


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)


def is_timezone(name: str) -> bool:
    """Whether it is a zone of the IANA database, as this machine has it; `localtime` is one of the machine's own."""
    return name != "localtime" and name in available_timezones()


@dataclass(frozen=True, slots=True)
class Founded:
    """What a fresh database holds; `admin_key` is None where it was there already."""

    tenant_id: UUID
    admin_key: str | None


async def found_tenant(
    service: Service,
    *,
    code: str,
    name: str,
    admin_key: str | None,
    now: datetime,
    hashing: Hashing = SHA256,
    timezone: str = TIMEZONE,
) -> Founded:
    """Make a tenant with its root unit, ledger `default` and an admin; nothing where it exists already.

    `admin_key` is the first admin key, made up where None. `hashing` is for its log, for ever, and must be available;
    `timezone` says what its days are, for ever too, and must be one that `is_timezone` knows.
    Writes the keys file's fingerprints on the first tenant.
    """
    key = admin_key or new_key()

    async def action(tx: Tx) -> Founded:
        existing = await tenants.find(tx, code)
        if existing is not None:
            return Founded(existing.tenant_id, None)
        tenant_id = new_id()
        changes = Changes()
        changes.add(tenants.INSERT, **tenants.new(tenant_id, code, name, timezone, now))
        changes.add(units.INSERT_TREE, tenant_id=tenant_id, epoch=1)
        changes.add(log.INSERT_HEAD, **log.new_head(tenant_id, hashing.name))
        root = Unit(new_id(), "root", name, None, Level.COUNTY, True, 1, now, now)
        unit_actions.store(changes, tenant_id, root)
        ledger = Ledger(new_id(), "default", "问题台账", root.id, "any", DEFAULTS, 1, 1, now, now)
        store_ledger(changes, tenant_id, ledger)
        _store_principal(changes, tenant_id, hashing, root.id, "admin", Role.ADMIN, key, now)
        if (await keyring.known(tx)).signer is None:
            for fingerprint in service.vault.data_fingerprints:
                keyring.remember_data(changes, fingerprint, now)
            keyring.remember_signer(changes, service.vault.log_fingerprints[0], now)
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
        rows = await tx.all(units.NAMED, tenant_id=found.tenant_id, unit_ids=[], codes=[unit_code])
        if not rows:
            return None
        unit_id, _, _, line = rows[0]
        if role in (Role.ADMIN, Role.AUDITOR) and len(line) > 1:
            raise ValueError(f"{role} is granted on the root unit only")
        changes = Changes()
        _store_principal(changes, found.tenant_id, found.hashing, unit_id, principal, role, key, now)
        await tx.apply(changes)
        return key

    return await service.database.write(action)


def _store_principal(
    changes: Changes,
    tenant_id: UUID,
    hashing: Hashing,
    unit_id: UUID,
    name: str,
    role: str,
    secret: str,
    now: datetime,
) -> None:
    principal = Principal(
        id=new_id(), name=name, kind=PrincipalKind.PLATFORM if role == Role.PLATFORM else PrincipalKind.PERSON,
        external_id=None, delegates=(), issuer_id=None, subject=None, active=True, version=1,
        created_at=now, updated_at=now,
    )  # fmt: skip
    key = Key(
        id=new_id(), principal_id=principal.id, prefix=secret[:PREFIX_LENGTH], delegate=False, expires_at=None,
        revoked_at=None, last_used_at=None, created_at=now,
    )  # fmt: skip
    granted = Granted(
        id=new_id(), principal_id=principal.id, department_id=None, role=role, unit_id=unit_id, subtree=True,
        since=None, until=None, label=None, issuer_id=None, created_at=now,
    )  # fmt: skip
    changes.add(principals.INSERT, **principals.params(tenant_id, principal))
    store_key(changes, tenant_id, key, secret)
    changes.add(grants.INSERT, **grants.params(tenant_id, granted))
    drafts = [
        access_events.principal_created(principal),
        access_events.key_created(key),
        access_events.granted(granted),
    ]
    record_events(changes, tenant_id, drafts, hashing=hashing, actor=OPERATOR, now=now)


def store_key(changes: Changes, tenant_id: UUID, key: Key, secret: str) -> None:
    """A key, its secret kept as a digest only."""
    changes.add(keys.INSERT, **keys.params(tenant_id, key))
    changes.add(keys.INSERT_CREDENTIAL, digest=hash_key(secret), tenant_id=tenant_id, key_id=key.id)
