"""Tokens of OpenID providers as credentials: verified, their bearer a principal, its grants as the claims have them.

The provider is asked outside any transaction. What a token changes here (a new principal, a name, grants) is stored in
one, which holds only while its issuer is trusted by the mapping that was read.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from service.actions import references
from service.actions.grants import ROLES_FOR
from service.actions.service import Service, new_id, record_events
from service.errors import Refused
from service.outside.identity import ProviderAway, Providers
from service.outside.signatures import BadToken, Unverified, Verified, check_header, peek, verify
from service.store import grants, issuers, principals
from service.store.database import Changes, Duplicate, Tx
from service.workflow import access_events, claims
from service.workflow.access import Caller, Home
from service.workflow.claims import Claimed
from service.workflow.events import Actor, EventDraft
from service.workflow.identities import Granted, Issuer, Principal
from service.workflow.states import PrincipalKind, Role

PROVIDER = Actor(None, "oidc")
"""Who grants by a token: no person here decided it. The events name the issuer."""

ATTEMPTS = 4

log = structlog.get_logger("xiaohao.tokens")


@dataclass(frozen=True, slots=True)
class _Login:
    """A verified token and the trust under which it was verified."""

    home: Home
    issuer: Issuer
    claimed: Claimed
    issued_at: datetime
    expires_at: datetime

    @property
    def tenant_id(self) -> UUID:
        return self.home.tenant_id


@dataclass(slots=True)
class _Standing:
    """What is stored of a token's bearer: None where it is new. `wanted` are the grants that the claims give it."""

    before: Principal | None
    after: Principal
    held: list[Granted]
    wanted: list[tuple[str, UUID]]

    @property
    def in_step(self) -> bool:
        ended, begun = claims.difference(self.held, self.wanted)
        return self.before == self.after and not ended and not begun


class Changed(Exception):
    """The issuer's mapping or its trust changed since the token was verified."""


class Tokens:
    """Takes a credential for a token where it looks like one."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._providers = Providers(service.issuer_addresses)

    async def caller(self, credential: str, *, now: datetime, clock: float) -> Caller | None:
        """The bearer of a token; None where the credential is none.

        Refuses `unauthenticated`, and `unavailable` where the provider's keys cannot be had.
        """
        try:
            token = peek(credential)
            if token is None:
                return None
            for _ in range(ATTEMPTS):
                try:
                    return await self._admit(await self._verify(token, now, clock), now)
                except Changed:
                    continue
        except BadToken as bad:
            log.info("token refused", reason=str(bad))
            raise Refused("unauthenticated", "invalid_token") from None
        except ProviderAway:
            raise Refused("unavailable") from None
        raise Refused("unavailable")

    async def _verify(self, token: Unverified, now: datetime, clock: float) -> _Login:
        async def trusted(tx: Tx) -> tuple[Home, Issuer] | None:
            return await issuers.meant_for(tx, token.issuer, token.audiences)

        found = await self._service.read(trusted)
        if found is None:
            raise BadToken("issuer and audience")
        home, issuer = found
        check_header(token, issuer.algorithms)
        keys = await self._providers.keys(issuer.issuer, token.kid, clock=clock)
        verified: Verified = verify(
            token, keys, issuer=issuer.issuer, audience=issuer.audience, algorithms=issuer.algorithms, now=now
        )
        return _Login(
            home, issuer, claims.interpret(verified.claims, issuer.mapping),
            verified.issued_at or now, verified.expires_at,
        )  # fmt: skip

    async def _admit(self, login: _Login, now: datetime) -> Caller:
        """Read first: nearly every token finds all as it should be."""

        async def look(tx: Tx) -> Caller | None:
            standing = await _stand(tx, login, now)
            return await _caller(tx, login, standing.after) if standing.in_step else None

        async def settle(tx: Tx) -> None:
            standing = await _stand(tx, login, now)
            if not standing.in_step:
                await tx.apply(_changes(login, standing, now))

        for _ in range(ATTEMPTS):
            caller = await self._service.read(look)
            if caller is not None:
                return caller
            try:
                await self._service.database.write(settle)
            except Duplicate:
                # The same person's other first request, or somebody else with the external_id, was quicker.
                continue
        raise Refused("unavailable")


async def _stand(tx: Tx, login: _Login, now: datetime) -> _Standing:
    issuer = await issuers.by_id(tx, login.tenant_id, login.issuer.id)
    if issuer is None or not issuer.active or issuer.version != login.issuer.version:
        raise Changed
    before = await principals.by_subject(tx, login.tenant_id, issuer.id, login.claimed.subject)
    if before is None:
        if not issuer.mapping["create"]:
            raise BadToken("unknown subject")
        after = await _newcomer(tx, login, now)
        return _Standing(None, after, [], await _wanted(tx, login, after.kind))
    held = await grants.by_tokens(tx, login.tenant_id, before.id, issuer.id)
    # An older token that is still good lets its bearer in, but what it claims is out of date.
    if not before.active or (before.claims_at is not None and login.issued_at < before.claims_at):
        return _Standing(before, before, held, [(grant.role, grant.unit_id) for grant in held])
    named = replace(
        before,
        name=login.claimed.name or before.name,
        external_id=await _free_external_id(tx, login, before) or before.external_id,
    )
    return _Standing(before, named, held, await _wanted(tx, login, before.kind))


async def _newcomer(tx: Tx, login: _Login, now: datetime) -> Principal:
    claimed = login.claimed
    return Principal(
        id=new_id(), name=claimed.name or claimed.subject[: claims.MAX_NAME], kind=PrincipalKind.PERSON,
        external_id=await _free_external_id(tx, login, None), delegates=(), issuer_id=login.issuer.id,
        subject=claimed.subject, active=True, version=1, created_at=now, updated_at=now, claims_at=login.issued_at,
    )  # fmt: skip


async def _free_external_id(tx: Tx, login: _Login, bearer: Principal | None) -> str | None:
    """The claimed external_id unless it is another's: by it platforms name the person they act for."""
    wanted = login.claimed.external_id
    if wanted is None or (bearer is not None and bearer.external_id == wanted):
        return wanted
    return wanted if await principals.by_external_id(tx, login.tenant_id, wanted) is None else None


async def _wanted(tx: Tx, login: _Login, kind: str) -> list[tuple[str, UUID]]:
    """The claimed grants on units that there are, as far as such a principal may hold them."""
    claimed = [(role, code) for role, code in login.claimed.grants if role in ROLES_FOR[kind]]
    units = await references.find_units(tx, login.tenant_id, (code for _, code in claimed))
    wanted: dict[tuple[str, UUID], None] = {}
    for role, code in claimed:
        unit_id = units.by_ref.get(code)
        if unit_id is None or (role in (Role.ADMIN, Role.AUDITOR) and len(units.lines[unit_id]) > 1):
            continue
        wanted[role, unit_id] = None
    return list(wanted)


def _changes(login: _Login, standing: _Standing, now: datetime) -> Changes:
    issuer, before, after = login.issuer, standing.before, standing.after
    changes = Changes()
    changes.guard(issuers.STANDS, tenant_id=login.tenant_id, issuer_id=issuer.id, read_version=issuer.version)
    drafts: list[EventDraft] = []
    if before is None:
        changes.add(principals.INSERT, **principals.params(login.tenant_id, after))
        drafts.append(access_events.principal_created(after))
    else:
        if before != after:
            drafts.append(access_events.principal_updated(before, after))
        # A new version also where only grants change: two tokens at once must not give the same grant twice.
        after = replace(after, version=before.version + 1, updated_at=now, claims_at=login.issued_at)
        changes.guard(principals.UPDATE, **principals.changed(login.tenant_id, before, after))
    ended, begun = claims.difference(standing.held, standing.wanted)
    for grant in ended:
        changes.add(grants.END, tenant_id=login.tenant_id, grant_id=grant.id)
        drafts.append(access_events.grant_ended(grant))
    for role, unit_id in begun:
        granted = Granted(
            id=new_id(), principal_id=after.id, department_id=None, role=role, unit_id=unit_id, subtree=True,
            since=None, until=None, label=None, issuer_id=issuer.id, created_at=now,
        )  # fmt: skip
        changes.add(grants.INSERT, **grants.params(login.tenant_id, granted))
        drafts.append(access_events.granted(granted))
    record_events(changes, login.tenant_id, drafts, hashing=login.home.hashing, actor=PROVIDER, now=now)
    return changes


async def _caller(tx: Tx, login: _Login, principal: Principal) -> Caller:
    return Caller(
        tenant_id=login.tenant_id,
        timezone=login.home.timezone,
        hashing=login.home.hashing,
        principal_id=principal.id,
        name=principal.name,
        kind=principal.kind,
        active=principal.active,
        grants=await grants.of_principal(tx, login.tenant_id, principal.id),
        expires_at=login.expires_at,
    )
