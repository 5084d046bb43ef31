"""The public keys of OpenID providers: found by discovery, remembered for minutes, fetched by one request at a time.

A provider that is away for a while takes nobody's access: its last keys serve for an hour. Whoever sends tokens with
made-up key ids makes the service ask a provider twice a minute at most.
"""

import asyncio
import ssl
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from pydantic_core import from_json

from service.outside.addresses import ForbiddenAddress, Guard, Guarded, NoAddress

FRESH_SECONDS = 600.0
"""Keys so old are fetched anew before they are used."""

STALE_SECONDS = 3600.0
"""So long they serve when that fails."""

UNKNOWN_KEY_SECONDS = 30.0
"""An unknown key id is asked for so often at most."""

FAILED_SECONDS = 10.0
"""After a failure the provider is left alone so long."""

ANSWER_WITHIN = 5.0
"""Seconds for a whole answer, however slowly it comes."""

MAX_BYTES = 1_048_576
MAX_KEYS = 100
MAX_ISSUERS = 1_000
MAX_URL = 2_000

ASYMMETRIC = frozenset({"RSA", "EC", "OKP"})
"""Key types that say nothing secret. A symmetric key in a public set is no key."""

log = structlog.get_logger("xiaohao.identity")


class ProviderAway(Exception):
    """The provider does not answer as one does, and no keys of it are young enough to be used."""


class BadAnswer(Exception):
    """What the provider answers is no discovery document or no key set; the text says what is wrong."""


@dataclass(slots=True)
class _Known:
    """What is known of one issuer; times are readings of the caller's monotonic clock, in seconds."""

    keys: tuple[Key, ...] = ()
    fetched: float = -inf
    failed: float = -inf
    asked_for_unknown: float = -inf
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    def serves(self, kid: str | None, clock: float) -> bool:
        return clock - self.fetched <= FRESH_SECONDS and self.has(kid)

    def has(self, kid: str | None) -> bool:
        return kid is None or any(key.kid == kid for key in self.keys)

    def may_ask(self, clock: float) -> bool:
        if clock - self.failed < FAILED_SECONDS:
            return False
        return clock - self.fetched > FRESH_SECONDS or clock - self.asked_for_unknown >= UNKNOWN_KEY_SECONDS


class Providers:
    """Keys of OpenID providers by issuer. `guard` says which addresses may be called."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def keys(self, issuer: str, kid: str | None, *, clock: float) -> tuple[Key, ...]:
        """The issuer's signing keys, the one called `kid` among them if there is such a key. Raises ProviderAway."""
        known = self._of(issuer)
        if not known.serves(kid, clock):
            # Whoever waited here finds what the first one fetched, or that it failed.
            async with known.fetching:
                if not known.serves(kid, clock) and known.may_ask(clock):
                    await self._refresh(known, issuer, clock)
        if clock - known.fetched > STALE_SECONDS:
            raise ProviderAway
        return known.keys

    def _of(self, issuer: str) -> _Known:
        known = self._known.setdefault(issuer, _Known())
        self._known.move_to_end(issuer)
        if len(self._known) > MAX_ISSUERS:
            self._known.popitem(last=False)
        return known

    async def _refresh(self, known: _Known, issuer: str, clock: float) -> None:
        if clock - known.fetched <= FRESH_SECONDS:
            known.asked_for_unknown = clock
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                known.keys = await self._fetch(issuer)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, BadAnswer, ForbiddenAddress, NoAddress) as error:
            known.failed = clock
            log.warning("provider away", issuer=issuer, error=type(error).__name__, detail=str(error)[:200])
        else:
            known.fetched = clock

    async def _fetch(self, issuer: str) -> tuple[Key, ...]:
        connects = httpx.AsyncHTTPTransport(verify=self._tls, limits=httpx.Limits(max_keepalive_connections=0))
        async with httpx.AsyncClient(
            transport=Guarded(self._guard, connects), timeout=ANSWER_WITHIN, follow_redirects=False, trust_env=False
        ) as client:
            about = await _document(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
            # Else a provider that serves many could vouch for another of them (OpenID Connect Discovery 1.0, 4.3).
            if about.get("issuer") != issuer:
                raise BadAnswer("the discovery document is another issuer's")
            place = about.get("jwks_uri")
            if not isinstance(place, str) or len(place) > MAX_URL:
                raise BadAnswer("the discovery document names no jwks_uri")
            return signing_keys(await _document(client, place))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    # An encoded answer could be small on the way and huge here.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    async with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code != 200 or answer.headers.get("content-encoding", "identity") != "identity":
            raise BadAnswer(f"status {answer.status_code}")
        content = bytearray()
        async for chunk in answer.aiter_raw():
            content += chunk
            if len(content) > MAX_BYTES:
                raise BadAnswer("the answer is too large")
    try:
        document = from_json(bytes(content))
    except ValueError:
        raise BadAnswer("the answer is no JSON") from None
    if not isinstance(document, dict):
        raise BadAnswer("the answer is no JSON object")
    return document


def signing_keys(document: dict[str, Any]) -> tuple[Key, ...]:
    """The keys of a JWK Set that can verify a signature; those of unknown make are passed over (RFC 7517, 5)."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise BadAnswer("the key set has no keys")
    found = []
    for each in listed[:MAX_KEYS]:
        if not isinstance(each, dict) or each.get("kty") not in ASYMMETRIC or each.get("use", "sig") != "sig":
            continue
        try:
            found.append(JWKRegistry.import_key(each))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
    if not found:
        raise BadAnswer("the key set has no signing keys")
    return tuple(found)
