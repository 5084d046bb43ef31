"""Keys of a real OpenID provider: discovered, remembered, rotated, missed; and tokens verified by them."""

import asyncio
import base64
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Response, redirect
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from service.outside import identity
from service.outside.addresses import Guard
from service.outside.identity import BadAnswer, ProviderAway, Providers, signing_keys
from service.outside.signatures import MAX_TOKEN, BadToken, Verified, peek, verify
from tests.provider import Provider, by_secret, unsigned

LOOPBACK = Guard([ip_network("127.0.0.0/8")])
AUDIENCE = "xiaohao"


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider(people={"li": {"name": "李明", "roles": ["clerk"]}})
    running.client(AUDIENCE)
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    yield Providers(LOOPBACK)


def kids(keys: tuple[Key, ...]) -> list[str | None]:
    return [key.kid for key in keys]


# -- keys


async def test_keys_are_discovered_and_remembered(provider: Provider, providers: Providers) -> None:
    kid = provider.keys[0].kid
    for clock in (0.0, 1.0, 600.0):
        assert kids(await providers.keys(provider.issuer, kid, clock=clock)) == [kid]
    assert provider.asked == {"/.well-known/openid-configuration": 1, "/jwks": 1}
    await providers.keys(provider.issuer, kid, clock=601.0)
    assert provider.asked["/jwks"] == 2


async def test_many_ask_once(provider: Provider, providers: Providers) -> None:
    kid = provider.keys[0].kid
    found = await asyncio.gather(*(providers.keys(provider.issuer, kid, clock=0.0) for _ in range(50)))
    assert all(kids(keys) == [kid] for keys in found)
    assert provider.asked["/jwks"] == 1


async def test_a_rotated_key_is_fetched_and_an_unknown_one_at_most_every_half_minute(
    provider: Provider, providers: Providers
) -> None:
    await providers.keys(provider.issuer, provider.keys[0].kid, clock=0.0)
    new = provider.rotate()
    assert kids(await providers.keys(provider.issuer, new.kid, clock=1.0)) == [new.kid]
    for clock in (2.0, 10.0, 30.9):
        assert "made-up" not in kids(await providers.keys(provider.issuer, "made-up", clock=clock))
    assert provider.asked["/jwks"] == 2
    await providers.keys(provider.issuer, "made-up", clock=31.0)
    assert provider.asked["/jwks"] == 3


async def test_keys_serve_for_an_hour_while_the_provider_is_away(provider: Provider, providers: Providers) -> None:
    issuer, kid = provider.issuer, provider.keys[0].kid
    await providers.keys(issuer, kid, clock=0.0)
    provider.stop()
    assert kids(await providers.keys(issuer, kid, clock=3600.0)) == [kid]
    with pytest.raises(ProviderAway):
        await providers.keys(issuer, kid, clock=3601.0)
    provider.start()
    # A failure is remembered for ten seconds.
    with pytest.raises(ProviderAway):
        await providers.keys(issuer, kid, clock=3609.9)
    assert kids(await providers.keys(issuer, kid, clock=3610.1)) == [kid]


async def test_a_provider_that_never_answered_has_no_keys(provider: Provider, providers: Providers) -> None:
    provider.stop()
    with pytest.raises(ProviderAway):
        await providers.keys(provider.issuer, "any", clock=0.0)


DISCOVERY, JWKS = "/.well-known/openid-configuration", "/jwks"

BAD_ANSWERS = {
    "another issuer": (DISCOVERY, lambda p: {"issuer": p.issuer + "/", "jwks_uri": f"{p.issuer}/jwks"}),
    "no issuer": (DISCOVERY, lambda p: {"jwks_uri": f"{p.issuer}/jwks"}),
    "no jwks_uri": (DISCOVERY, lambda p: {"issuer": p.issuer}),
    "a list": (DISCOVERY, lambda p: "[]"),
    "no JSON": (DISCOVERY, lambda p: "<html>"),
    "nested without end": (DISCOVERY, lambda p: "[" * 100_000),
    "an error": (DISCOVERY, lambda p: Response("{}", 500)),
    "a redirect": (DISCOVERY, lambda p: redirect(f"{p.issuer}/jwks")),
    "too large": (DISCOVERY, lambda p: Response(" " * 1_100_000)),
    "compressed": (DISCOVERY, lambda p: Response("x", headers={"Content-Encoding": "gzip"})),
    "a place within": (DISCOVERY, lambda p: {"issuer": p.issuer, "jwks_uri": "https://169.254.169.254/keys"}),
    "a file": (DISCOVERY, lambda p: {"issuer": p.issuer, "jwks_uri": "file:///etc/passwd"}),
    "plain http elsewhere": (DISCOVERY, lambda p: {"issuer": p.issuer, "jwks_uri": "http://8.8.8.8/keys"}),
    "no URL": (DISCOVERY, lambda p: {"issuer": p.issuer, "jwks_uri": "https://[::::]/"}),
    "no keys": (JWKS, lambda p: {"keys": []}),
    "keys that are none": (JWKS, lambda p: {"keys": [{"kty": "RSA"}, 7, {"kty": "new"}]}),
    "a secret only": (JWKS, lambda p: {"keys": [OctKey.generate_key(256).as_dict(private=True)]}),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_ANSWERS)
async def test_a_provider_that_answers_badly_is_as_good_as_away(
    case: str, provider: Provider, providers: Providers
) -> None:
    path, answer = BAD_ANSWERS[case]
    provider.answers[path] = lambda: answer(provider)
    with pytest.raises(ProviderAway):
        await providers.keys(provider.issuer, provider.keys[0].kid, clock=0.0)
    assert provider.asked[path] == 1
    del provider.answers[path]
    assert await providers.keys(provider.issuer, provider.keys[0].kid, clock=11.0)


async def test_a_slow_provider_is_given_up(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "ANSWER_WITHIN", 0.3)

    def trickle() -> Response:
        return Response((time.sleep(0.1) or b" " for _ in range(30)), 200)  # type: ignore[func-returns-value]

    provider.answers[JWKS] = trickle
    began = time.monotonic()
    with pytest.raises(ProviderAway):
        await providers.keys(provider.issuer, "any", clock=0.0)
    assert time.monotonic() - began < 2


async def test_private_addresses_are_not_called(provider: Provider) -> None:
    with pytest.raises(ProviderAway):
        await Providers(Guard()).keys(provider.issuer, provider.keys[0].kid, clock=0.0)
    assert not provider.asked


async def test_the_environments_proxy_is_not_asked(
    provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert await providers.keys(provider.issuer, provider.keys[0].kid, clock=0.0)


async def test_the_memory_is_bounded(provider: Provider, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "MAX_ISSUERS", 3)
    kid = provider.keys[0].kid
    await providers.keys(provider.issuer, kid, clock=0.0)
    for number in range(3):
        with pytest.raises(ProviderAway):
            await providers.keys(f"http://127.0.0.1:9/{number}", None, clock=0.0)
    assert len(providers._known) == 3
    await providers.keys(provider.issuer, kid, clock=0.0)
    assert provider.asked[JWKS] == 2


def test_of_a_key_set_only_what_signs_is_taken() -> None:
    good = RSAKey.generate_key(2048, parameters={"kid": "good"})
    encrypts = RSAKey.generate_key(2048, parameters={"kid": "encrypts", "use": "enc"})
    secret = OctKey.generate_key(256, parameters={"kid": "secret"})
    listed: list[Any] = [
        good.as_dict(private=False), encrypts.as_dict(private=False), secret.as_dict(private=True),
        {"kty": "AKP", "kid": "new"}, {"kty": "RSA", "kid": "half", "n": "AQAB"}, {"kty": "EC", "crv": "P-1"}, None,
    ]  # fmt: skip
    assert kids(signing_keys({"keys": listed})) == ["good"]
    with pytest.raises(BadAnswer):
        signing_keys({"keys": "none"})


# -- tokens

RSA, OTHER_RSA = (RSAKey.generate_key(2048, parameters={"kid": kid}) for kid in ("rsa", "other"))
P256 = ECKey.generate_key("P-256", parameters={"kid": "p256"})
P384 = ECKey.generate_key("P-384", parameters={"kid": "p384"})
P521 = ECKey.generate_key("P-521", parameters={"kid": "p521"})
ED25519 = OKPKey.generate_key("Ed25519", parameters={"kid": "ed"})
FOR_PS = RSAKey.generate_key(2048, parameters={"kid": "ps", "alg": "PS256"})
with warnings.catch_warnings(action="ignore", category=SecurityWarning):
    SMALL_RSA = RSAKey.generate_key(1024, parameters={"kid": "small"})
    SIGNERS = Provider(keys=[RSA, OTHER_RSA, SMALL_RSA, P256, P384, P521, ED25519, FOR_PS])
    PUBLIC = signing_keys(SIGNERS.jwks)

NOW = datetime.now(UTC).replace(microsecond=0)
SECOND = int(NOW.timestamp())
EVERY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


def claims(**given: Any) -> dict[str, Any]:
    return SIGNERS.claims("li", AUDIENCE, **{"iat": SECOND, "exp": SECOND + 300, **given})


def judged(text: str, algorithms: tuple[str, ...] = EVERY, keys: tuple[Key, ...] = PUBLIC) -> Verified:
    token = peek(text)
    assert token is not None
    return verify(token, keys, issuer=SIGNERS.issuer, audience=AUDIENCE, algorithms=algorithms, now=NOW)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSA), ("RS384", RSA), ("RS512", RSA), ("PS256", RSA), ("PS384", RSA), ("PS512", RSA),
        ("PS256", FOR_PS), ("ES256", P256), ("ES384", P384), ("ES512", P521), ("EdDSA", ED25519),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("error::joserfc.errors.SecurityWarning")
def test_every_algorithm_that_can_be_allowed(algorithm: str, key: Key) -> None:
    text = SIGNERS.sign(claims(), key=key, alg=algorithm)
    assert judged(text, (algorithm,)).claims["sub"] == "li"
    with pytest.raises(BadToken, match="algorithm"):
        judged(text, tuple(each for each in EVERY if each != algorithm))


def test_what_a_good_token_says() -> None:
    found = judged(SIGNERS.sign(claims(aud=["another", AUDIENCE], azp="someone")))
    assert (found.issued_at, found.expires_at) == (NOW, datetime.fromtimestamp(SECOND + 300, UTC))
    assert judged(SIGNERS.sign(claims(iat=None))).issued_at is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"exp": None}, "exp"), ({"exp": SECOND}, "exp"), ({"exp": SECOND - 1}, "exp"), ({"exp": SECOND - 3600}, "exp"),
        ({"exp": str(SECOND + 300)}, "exp"), ({"exp": True}, "exp"), ({"exp": [SECOND]}, "exp"),
        ({"nbf": SECOND + 61}, "nbf"), ({"nbf": "soon"}, "nbf"), ({"iat": SECOND + 61}, "iat"),
        ({"iat": "today"}, "iat"), ({"iss": "https://other.example"}, "iss"), ({"aud": "other"}, "aud"),
        ({"aud": ["other", "another"]}, "aud"),
    ],
)  # fmt: skip
def test_claims_that_are_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadToken, match=reason):
        judged(SIGNERS.sign(claims(**given)))


@pytest.mark.parametrize("given", [{"nbf": SECOND + 60}, {"iat": SECOND + 60}, {"exp": SECOND + 1}, {"exp": 10**30}])
def test_claims_at_the_edge_pass(given: dict[str, Any]) -> None:
    assert judged(SIGNERS.sign(claims(**given)))


def tampered(text: str) -> str:
    head, body, signature = text.split(".")
    other = SIGNERS.sign(claims(sub="admin")).split(".")[1]
    assert body != other
    return f"{head}.{other}.{signature}"


FORGED = {
    "another's signature": lambda: SIGNERS.sign(claims(), key=OTHER_RSA, kid="rsa"),
    "other claims": lambda: tampered(SIGNERS.sign(claims())),
    "no signature": lambda: SIGNERS.sign(claims()).rpartition(".")[0] + ".",
    "none": lambda: unsigned(claims()),
    "None": lambda: unsigned(claims(), alg="None"),
    "none with a kid": lambda: unsigned(claims(), kid="rsa"),
    "HS256 by the public key": lambda: by_secret(claims(), RSA.as_pem(private=False), kid="rsa"),
    "HS256 by the public key in DER": lambda: by_secret(claims(), RSA.as_der(private=False), kid="rsa"),
    "HS256 by the public key's number": lambda: by_secret(claims(), str(RSA.as_dict()["n"]).encode(), kid="rsa"),
    "RS256 by a secret": lambda: by_secret(claims(), RSA.as_pem(private=False), kid="rsa", alg="RS256"),
    "an unknown kid": lambda: SIGNERS.sign(claims(), key=RSA, kid="unknown"),
    "no kid among many": lambda: SIGNERS.sign(claims(), key=RSA, kid=None),
    "a small key": lambda: SIGNERS.sign(claims(), key=SMALL_RSA),
    "a curve of another algorithm": lambda: SIGNERS.sign(claims(), key=P256, kid="p384"),
    "an algorithm of another key": lambda: SIGNERS.sign(claims(), key=P256, kid="rsa"),
    "a key of its own": lambda: SIGNERS.sign(
        claims(), key=OTHER_RSA, kid="rsa", jwk=OTHER_RSA.as_dict(private=False)
    ),
    "an algorithm that the key is not for": lambda: SIGNERS.sign(claims(), key=RSA, alg="PS512", kid="ps"),
    "a logout token": lambda: SIGNERS.sign(claims(), typ="logout+jwt"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_token_is_refused(case: str) -> None:
    with pytest.raises(BadToken):
        judged(FORGED[case]())


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False}, {"kid": 7}, {"typ": 7}])
def test_a_header_that_asks_for_more_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        judged(unsigned(claims(), **{"alg": "RS256", "kid": "rsa", **header}))


def test_without_a_kid_the_only_key_that_fits_serves() -> None:
    text = SIGNERS.sign(claims(), key=P256, kid=None)
    assert judged(text).claims["sub"] == "li"


def test_an_empty_list_of_algorithms_allows_none() -> None:
    with pytest.raises(BadToken, match="algorithm"):
        judged(SIGNERS.sign(claims()), ())


@pytest.mark.parametrize("text", ["xh_secret", "a.b.c", "a.b", "....", "e30.e30.", "W10.W10.W10", "{}.{}.{}"])
def test_what_does_not_look_like_a_token(text: str) -> None:
    assert peek(text) is None


@pytest.mark.parametrize(
    "given",
    [
        {"iss": None}, {"iss": 7}, {"iss": "a\x00"}, {"aud": None}, {"aud": []}, {"aud": [1]}, {"aud": ["a", None]},
        {"aud": ["a"] * 11}, {"aud": {"a": 1}},
    ],
)  # fmt: skip
def test_a_token_that_names_no_issuer_or_audience_is_broken(given: dict[str, Any]) -> None:
    text = unsigned({"iss": "https://id.example", "aud": "xiaohao", **given}, alg="RS256")
    with pytest.raises(BadToken):
        peek(text)


def test_a_token_is_bounded() -> None:
    with pytest.raises(BadToken):
        peek(SIGNERS.sign(claims(padding="x" * MAX_TOKEN)))


def test_a_token_nested_without_end_is_broken() -> None:
    head = SIGNERS.sign(claims()).split(".")[0]
    body = base64.urlsafe_b64encode(b"[" * 9000).decode().rstrip("=")
    with pytest.raises(BadToken):
        peek(f"{head}.{body}.c2ln")
