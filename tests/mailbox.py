"""A mail server on a real port of 127.0.0.1 (aiosmtpd), which answers as a test wants it to and keeps what it took."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

OK = "250 OK"


@dataclass
class Mailbox:
    """`refuses` are the replies to addresses; `says` replies to what was sent, first one first."""

    port: int = 0
    came: list[tuple[list[str], bytes]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    says: list[str] = field(default_factory=list)
    user: tuple[str, str] | None = None
    secured: list[bool] = field(default_factory=list)

    @property
    def mails(self) -> list[EmailMessage]:
        read = [message_from_bytes(content, policy=default) for _, content in self.came]
        return [each for each in read if isinstance(each, EmailMessage)]

    # -- what aiosmtpd calls

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.asked.append(address)
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        said = self.says.pop(0) if self.says else OK
        if said == OK:
            self.came.append((list(envelope.rcpt_tos), envelope.content))
            self.secured.append(session.ssl is not None)
        return said

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and self.user == (data.login.decode(), data.password.decode())
        return AuthResult(success=good, handled=False)


class Listening(Controller):
    """On a port that it is given when it listens: nobody can take it in between."""

    def _create_server(self) -> Any:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listener)


@contextmanager
def mailbox(*, tls: ssl.SSLContext | None = None, **given: Any) -> Iterator[Mailbox]:
    made = Mailbox(**given)
    wants = {"auth_required": True, "auth_require_tls": tls is not None} if made.user else {}
    controller = Listening(
        made, "127.0.0.1", ready_timeout=60, tls_context=tls, authenticator=made.authenticate, decode_data=False,
        **wants,
    )  # fmt: skip
    controller.start()
    made.port = controller.port
    try:
        yield made
    finally:
        controller.stop()
