"""A request of somebody's browser: who sits before it, what the form holds, and how the answer leaves.

A page is judged in this order: the session (else to the sign-in), how often (429), whether the form comes from a page
of this session (403); the actions judge the rest, as they do for the API.
"""

import hmac
import time
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

from fastapi import Request, Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.types import Scope

from service.actions import sessions
from service.actions.doorkeeper import Doorkeeper
from service.actions.service import Call, Receipt, Recorded, Service, fingerprint
from service.actions.sessions import Session
from service.errors import Refused, invalid
from service.workflow.access import Caller

COOKIE = "xiaohao_console"
FORM, FILES = "application/x-www-form-urlencoded", "multipart/form-data"
MAX_FILES = 40
FORM_BYTES = 512 * 1024
"""A text of 20,000 characters, as forms write them, and some."""

MAX_FIELDS = 500


class Gates(Protocol):
    """How often somebody may come, by key and by address: counted together with calls of the API."""

    async def judge(self, caller: Caller, now: datetime, scope: Scope) -> None: ...

    def closed_to(self, address: str | None, now: datetime) -> Refused | None: ...

    async def failed(self, address: str | None, now: datetime) -> None: ...


class Guest(Request):
    """A request of nobody in particular."""

    tongue: str
    _most = FORM_BYTES

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    @property
    def doorkeeper(self) -> Doorkeeper:
        doorkeeper: Doorkeeper = self.app.state.doorkeeper
        return doorkeeper

    @property
    def gates(self) -> Gates:
        gates: Gates = self.app.state.limits
        return gates

    @property
    def base(self) -> str:
        """Where the console stands; behind a proxy that may be further down."""
        return f"{self.scope.get('root_path', '')}/console"

    @property
    def secure(self) -> bool:
        return self.url.scheme == "https"

    @property
    def address(self) -> str | None:
        return self.client.host if self.client else None

    async def sent(self) -> dict[str, list[str]]:
        """The fields of the form that was sent. Refuses what is no form, too large, or no UTF-8."""
        if not hasattr(self, "_sent"):
            media = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media not in (FORM, FILES):
                raise Refused("unsupported_media_type")
            self._files: dict[str, list[UploadFile]] = {}
            pairs = _parsed(await self.body()) if media == FORM else await self._with_files()
            self._sent: dict[str, list[str]] = {}
            for name, value in pairs:
                self._sent.setdefault(name, []).append(value.replace("\r\n", "\n"))
        return self._sent

    async def files(self) -> dict[str, list[UploadFile]]:
        """The files of the form that was sent, by field."""
        await self.sent()
        return self._files

    async def _with_files(self) -> list[tuple[str, str]]:
        """The form's other fields. Files go to the disk as they come; together they are as large as one may be."""
        self._most = self.app.state.settings.attachment_max_bytes + FORM_BYTES
        try:
            form = await self.form(max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=FORM_BYTES)
        except HTTPException:
            raise invalid(("", "bad_format")) from None
        pairs = []
        for name, value in form.multi_items():
            if isinstance(value, str):
                pairs.append((name, value))
            else:
                self._files.setdefault(name, []).append(value)
        return pairs

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, and no more of it than a form may have."""
        size = 0
        async for chunk in super().stream():
            size += len(chunk)
            if size > self._most:
                raise Refused("payload_too_large", facts={"limit": self._most})
            yield chunk

    def own_page(self) -> bool:
        """Whether a page of this very site sends this: every browser says so of a form that is posted.

        Behind a proxy that ends TLS the scheme is another here; host and port are what the reader sees.
        """
        site = self.headers.get("sec-fetch-site")
        origin = self.headers.get("origin")
        if site is None and origin is None:
            return False
        same_site = site is None or site == "same-origin"
        return same_site and (origin is None or _place(origin) == self.headers.get("host"))

    def to(self, path: str, **query: str) -> Response:
        """Go and read another page of the console."""
        return RedirectResponse(f"{self.base}{path}" + (f"?{urlencode(query)}" if query else ""), 303)


def _place(origin: str) -> str | None:
    """Host and port of an origin; None of what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _parsed(content: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise invalid(("", "bad_format")) from None


class Visit(Guest):
    """A request of somebody who has signed in."""

    signed: Session
    call: Call

    async def enter(self) -> None:
        """Who this is, by the cookie. Refuses `unauthenticated`, `rate_limited`, `unavailable`."""
        now = datetime.now(UTC)
        session = sessions.opened(self.service, self.cookies.get(COOKIE, ""), now)
        if session is None:
            raise Refused("unauthenticated")
        self.signed = session
        caller = await self.doorkeeper.admit_digest(session.digest, now=now, clock=time.monotonic())
        await self.gates.judge(caller, now, self.scope)
        self._is(caller, now)

    async def still(self) -> None:
        """The same as of now, for an answer that takes long. Refuses as `enter` does, but counts no further request."""
        now = datetime.now(UTC)
        if not self.signed.lives(now):
            raise Refused("unauthenticated")
        self._is(await self.doorkeeper.admit_digest(self.signed.digest, now=now, clock=time.monotonic()), now)

    def _is(self, caller: Caller, now: datetime) -> None:
        self.call = Call.of(caller, now)
        self.scope["principal_id"], self.scope["tenant_id"] = caller.principal_id, caller.tenant_id

    async def check_form(self) -> None:
        """Refuses `forbidden` (csrf) where the form does not come from a page of this session.

        What another site sends is not even read.
        """
        if not self.own_page():
            raise Refused("forbidden", "csrf")
        token = (await self.sent()).get("token", [""])[0]
        if not hmac.compare_digest(token.encode(), self.signed.token.encode()):
            raise Refused("forbidden", "csrf")

    async def keyed(self, subject: UUID | None = None, marks: Iterable[str] = ()) -> Call:
        """The call under the key that the form carries: sent twice, it does its work once.

        `subject` is what it is about; without, what it makes. `marks` are of the files that came with it.
        """
        sent = await self.sent()
        key = sent.get("key", [""])[0]
        if not (key.isalnum() and key.isascii() and len(key) <= 64):
            raise invalid(("/key", "bad_format"))
        # Without the token: the same form after a new sign-in is the same work.
        content = urlencode([(name, value) for name in sorted(sent) for value in sent[name] if name != "token"])
        mark = fingerprint(self.method, self.url.path, "\n".join([content, *marks]).encode())

        def done(result: Any) -> Recorded:
            return Recorded(303, b"", None, None, subject or result.id)

        return self.call.with_receipt(Receipt(f"console:{key}", mark, done))

    def remember(self, response: Response) -> None:
        """What the browser is to remember."""
        session = sessions.renewed(self.signed, self.call.now) if hasattr(self, "call") else None
        if session is not None:
            give(self, response, session)


def give(guest: Guest, response: Response, session: Session) -> None:
    """Let the browser keep the session. It forgets it when it is closed; twelve idle hours end it anyhow."""
    response.set_cookie(
        COOKIE, sessions.sealed(guest.service, session), path=guest.base, secure=guest.secure, httponly=True,
        samesite="lax",
    )  # fmt: skip
