"""Signed tokens (JWS, RFC 7515; JWT, RFC 7519): read unverified to learn whose they would be, then verified.

RFC 8725 says what goes wrong with them. The algorithm is the issuer's choice, never the token's; a key fits one kind of
algorithm; what a header asks for beyond that (`crit`, `b64`, a key of its own) is not done.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from pydantic_core import from_json

MAX_TOKEN = 16_384
MAX_AUDIENCES = 10

LEEWAY_SECONDS = 60
"""How far the provider's clock may be ahead of ours; nothing is added to the end of a token."""

TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token that grants access may call itself. A logout token of the same provider calls itself otherwise."""

LATEST = datetime(2199, 12, 31, tzinfo=UTC)
MIN_RSA_BITS = 2048

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


class BadToken(Exception):
    """The token is not good; the text is for the log, and names nothing that the token holds."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself. Nothing here is true yet."""

    text: str
    header: dict[str, Any]
    issuer: str
    audiences: tuple[str, ...]

    @property
    def kid(self) -> str | None:
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None


@dataclass(frozen=True, slots=True)
class Verified:
    """`issued_at` is None where the token does not say."""

    claims: dict[str, Any]
    issued_at: datetime | None
    expires_at: datetime


def peek(credential: str) -> Unverified | None:
    """The credential as a token; None where it does not look like one. Raises BadToken where it is a broken one."""
    parts = _COMPACT.fullmatch(credential)
    header = _object(parts[1]) if parts else None
    if parts is None or header is None or "alg" not in header:
        return None
    claims = _object(parts[2])
    if len(credential) > MAX_TOKEN or claims is None:
        raise BadToken("malformed")
    issuer, audience = claims.get("iss"), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    named = [each for each in (issuer, *audiences) if isinstance(each, str) and "\x00" not in each]
    if not 2 <= len(named) == 1 + len(audiences) <= 1 + MAX_AUDIENCES:
        raise BadToken("no issuer or audience")
    first, *rest = named
    return Unverified(credential, header, first, tuple(dict.fromkeys(rest)))


def _object(part: str) -> dict[str, Any] | None:
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = from_json(decoded, allow_inf_nan=False)
    except (ValueError, binascii.Error):
        return None
    return value if isinstance(value, dict) else None


def check_header(token: Unverified, algorithms: Iterable[str]) -> None:
    """What can be refused before any key is looked at. Raises BadToken."""
    if token.header["alg"] not in tuple(algorithms):
        raise BadToken("algorithm")
    if "crit" in token.header or "b64" in token.header:
        raise BadToken("extension")
    type_ = token.header.get("typ", "JWT")
    if not isinstance(type_, str) or type_.lower() not in TYPES:
        raise BadToken("type")
    if "kid" in token.header and token.kid is None:
        raise BadToken("kid")


class _OneAlgorithm(JWSRegistry):
    """Allows exactly the algorithm that was chosen; joserfc's own falls back to a list of its own, HS256 among them."""

    max_header_length = MAX_TOKEN
    max_payload_length = MAX_TOKEN
    max_signature_length = MAX_TOKEN

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)
        self._algorithm = algorithm

    def get_alg(self, name: str) -> Any:
        if name != self._algorithm:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


def verify(
    token: Unverified, keys: Iterable[Key], *, issuer: str, audience: str, algorithms: Iterable[str], now: datetime
) -> Verified:
    """The token's claims, its signature, issuer, audience and times judged. Raises BadToken."""
    check_header(token, algorithms)
    algorithm = str(token.header["alg"])
    registry = _OneAlgorithm(algorithm)
    key = _key(token, keys, registry, algorithm)
    try:
        signed = jws.deserialize_compact(token.text, key, registry=registry)
        claims = from_json(signed.payload or b"", allow_inf_nan=False)
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
        raise BadToken("signature") from None
    return _judged(claims, issuer, audience, now)


def _key(token: Unverified, keys: Iterable[Key], registry: JWSRegistry, algorithm: str) -> Key:
    """The key that the token names; without a name the only one that fits."""
    fitting = [key for key in keys if token.kid in (None, key.kid) and _fits(key, registry, algorithm)]
    if len(fitting) != 1:
        raise BadToken("key")
    return fitting[0]


def _fits(key: Key, registry: JWSRegistry, algorithm: str) -> bool:
    try:
        registry.get_alg(algorithm).check_key(key)
        key.check_key_op("verify")
    except JoseError:
        return False
    if isinstance(key, RSAKey):
        public = key.public_key
        return isinstance(public, RSAPublicKey) and public.key_size >= MIN_RSA_BITS
    return True


def _judged(claims: Any, issuer: str, audience: str, now: datetime) -> Verified:
    if not isinstance(claims, dict):
        raise BadToken("malformed")
    rules = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )
    try:
        rules.validate(claims)
    except JoseError as error:
        raise BadToken(getattr(error, "claim", None) or "claims") from None
    expires_at = _instant(claims["exp"])
    if expires_at <= now:
        raise BadToken("exp")
    return Verified(claims, _instant(claims["iat"]) if "iat" in claims else None, expires_at)


def _instant(seconds: float) -> datetime:
    """Seconds since 1970 as an instant that every database can keep."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST.timestamp()), UTC)
