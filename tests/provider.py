"""A real OpenID provider on a real port of 127.0.0.1: Authlib's own, in a Flask application, in a thread.

People log in by the authorization-code flow and get an access token (RFC 9068) and an ID token. Its keys can be
rotated, it can be made slow, broken or silent, and it counts what it is asked. `sign` forges what no provider would.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.models import AuthorizationCodeMixin
from flask import Flask, Response, abort, jsonify, request
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, KeySet, RSAKey
from joserfc.jws import JWSRegistry
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tests.servers import UNENCRYPTED, free_port

REDIRECT = "https://client.example/callback"
LASTS = 600


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class _Client(ClientMixin):
    def __init__(self, client_id: str, secret: str) -> None:
        self.client_id, self.secret = client_id, secret

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return REDIRECT

    def get_allowed_scope(self, scope: str | None) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == REDIRECT

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret, self.secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code(AuthorizationCodeMixin):
    client_id: str
    user: str
    scope: str

    def get_redirect_uri(self) -> str:
        return REDIRECT

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> None:
        return None

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:  # type: ignore[override]
        return None

    def get_amr(self) -> None:  # type: ignore[override]
        return None


@dataclass
class _User:
    name: str

    def get_user_id(self) -> str:
        return self.name


@dataclass
class Provider:
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The claims of each person beside sub, by subject."""
    clients: dict[str, _Client] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    """The first signs; all are published."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each path was asked for."""
    answers: dict[str, Any] = field(default_factory=dict)
    """What a path answers instead of the truth: a Flask response, or a function that gives one."""
    realm: str = field(default_factory=lambda: f"/realms/{secrets.token_hex(4)}")
    """Its own, for a port may come back: of a stopped one the next has another issuer all the same."""
    _server: BaseWSGIServer | None = None
    _port: int = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._port}{self.realm}"

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def start(self) -> "Provider":
        """On the port that it had before, if it had one."""
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        if not self.keys:
            self.rotate()
        self._port = self._port or free_port()
        self._server = make_server("127.0.0.1", self._port, self._application(), threaded=True, request_handler=_Quiet)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def rotate(self, key: Key | None = None, *, keep: bool = False) -> Key:
        """Sign with a new key; the former are published on only where told."""
        new = key or RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(8), "use": "sig"})
        self.keys = [new, *(self.keys if keep else [])]
        return new

    def client(self, audience: str) -> None:
        """Register an application; tokens for it have its id as their audience."""
        self.clients[audience] = _Client(audience, secrets.token_urlsafe(16))

    def login(self, person: str, audience: str) -> dict[str, str]:
        """What the token endpoint answers once the person logged in and agreed: access_token, id_token."""
        known = self.clients[audience]
        with httpx.Client(base_url=self.issuer, **UNENCRYPTED) as browser:
            query = {
                "response_type": "code", "client_id": audience, "scope": "openid profile",
                "redirect_uri": REDIRECT, "state": "s", "user": person,
            }  # fmt: skip
            sent_back = browser.get("/authorize", params=query)
            assert sent_back.status_code == 302, sent_back.text
            code = parse_qs(urlsplit(sent_back.headers["location"]).query)["code"][0]
            given = browser.post(
                "/token",
                auth=(audience, known.secret),
                data={"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT},
            )
            assert given.status_code == 200, given.text
            return given.json()  # type: ignore[no-any-return]

    def token(self, person: str, audience: str) -> str:
        return self.login(person, audience)["access_token"]

    def claims(self, person: str, audience: str, **given: Any) -> dict[str, Any]:
        """The claims of a sound token; None takes one away."""
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": person, "aud": audience, "iat": now, "exp": now + LASTS,
            **self.people.get(person, {}), **given,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims: dict[str, Any], *, key: Key | None = None, **header: Any) -> str:
        """A token with any claims and header; None takes a header away."""
        signer = key or self.keys[0]
        whole = {"alg": "ES256" if isinstance(signer, ECKey) else "RS256", "kid": signer.kid, "typ": "JWT", **header}
        whole = {name: value for name, value in whole.items() if value is not None}
        registry = JWSRegistry(algorithms=[whole["alg"]], strict_check_header=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(whole, claims, signer, registry=registry, default_type=None)

    def _application(self) -> Flask:
        app = Flask("provider")
        server = AuthorizationServer(app, query_client=self.clients.get, save_token=lambda token, request: None)
        codes: dict[str, _Code] = {}
        provider = self

        class Grant(AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

            def save_authorization_code(self, code: str, request: Any) -> None:
                codes[code] = _Code(request.client.client_id, request.user.name, request.scope)

            def query_authorization_code(self, code: str, client: Any) -> _Code | None:
                found = codes.get(code)
                return found if found is not None and found.client_id == client.client_id else None

            def delete_authorization_code(self, authorization_code: _Code) -> None:
                for code in [each for each, known in codes.items() if known is authorization_code]:
                    del codes[code]

            def authenticate_user(self, authorization_code: _Code) -> _User:
                return _User(authorization_code.user)

        class AccessTokens(JWTBearerTokenGenerator):  # type: ignore[misc]
            def get_jwks(self) -> KeySet:
                return KeySet(provider.keys[:1])

            def get_extra_claims(self, client: Any, grant_type: str, user: _User, scope: str) -> dict[str, Any]:
                return dict(provider.people[user.name])

        class IdTokens(OpenIDCode):
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return False

            def resolve_client_private_key(self, client: Any) -> Key:
                return provider.keys[0]

            def get_encode_header(self, client: Any) -> dict[str, Any]:
                return {"alg": self.get_client_algorithm(client), "kid": provider.keys[0].kid}

            def get_client_claims(self, client: Any) -> dict[str, Any]:
                return {"iss": provider.issuer, "aud": client.get_client_id()}

            def generate_user_info(self, user: _User, scope: str) -> UserInfo:
                return UserInfo(sub=user.name, **provider.people[user.name])

        server.register_grant(Grant, [IdTokens()])
        server.register_token_generator("default", AccessTokens(issuer=self.issuer))

        @app.before_request
        def told_otherwise() -> Any:
            path = request.path.removeprefix(self.realm)
            provider.asked[path] += 1
            answer = provider.answers.get(path)
            return answer() if callable(answer) else answer

        @app.get(f"{self.realm}/.well-known/openid-configuration")
        def discovery() -> Response:
            return jsonify(
                {
                    "issuer": provider.issuer,
                    "authorization_endpoint": f"{provider.issuer}/authorize",
                    "token_endpoint": f"{provider.issuer}/token",
                    "jwks_uri": f"{provider.issuer}/jwks",
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256"],
                }
            )

        @app.get(f"{self.realm}/jwks")
        def jwks() -> Response:
            return jsonify(provider.jwks)

        @app.get(f"{self.realm}/authorize")
        def authorize() -> Any:
            person = request.args.get("user", "")
            if person not in provider.people:
                abort(403)
            user = _User(person)
            grant = server.get_consent_grant(end_user=user)
            return server.create_authorization_response(grant_user=user, grant=grant)

        @app.post(f"{self.realm}/token")
        def token() -> Any:
            return server.create_token_response()

        return app


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    """A token with the algorithm `none`, unless told otherwise, and no signature."""
    parts = ({"alg": "none", "typ": "JWT", **header}, claims)
    return ".".join(_encoded(json.dumps(part).encode()) for part in parts) + "."


def by_secret(claims: dict[str, Any], secret: bytes, **header: Any) -> str:
    """A token with the algorithm HS256, unless told otherwise, as libraries make it that take any bytes for a key."""
    text = unsigned(claims, **{"alg": "HS256", **header})
    return text + _encoded(hmac.new(secret, text[:-1].encode(), hashlib.sha256).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
