"""Sends mail by the operator's SMTP server, in threads of its own: smtplib waits where others go on.

An address that is refused for now is told as left, so that the next attempt is for it alone; one refused for good is
dropped while there are others. Where nobody is left to send to, the server's refusal is the outcome.
"""

import asyncio
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from service.workflow.delivery import MAX_ANSWER, Failure, Outcome

WITHIN = 10.0
"""Seconds for each step of a conversation: connecting, and each reply."""

IN_ALL = 35.0
"""Seconds after which no further step is begun, waiting for a thread included: a lease must not end before."""

THREADS = 4

PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """`secure`: TLS from the first byte. Otherwise STARTTLS, but for this machine, where it may be missing."""

    host: str
    port: int
    secure: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        parts = urlsplit(url)
        user, password = (unquote(each) if each else None for each in (parts.username, parts.password))
        return cls(parts.hostname or "", parts.port or PORTS[parts.scheme], parts.scheme == "smtps", user, password)

    @property
    def here(self) -> bool:
        return self.host in ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class _Reply:
    code: int
    said: str


class _Unready(Exception):
    """The server takes no mail from us now."""

    def __init__(self, reply: _Reply) -> None:
        super().__init__(reply)
        self.reply = reply


class Mailer:
    """`sender` is the address that every mail comes from. `tls` says whose certificates are trusted."""

    def __init__(
        self, server: Server, sender: str, *, tls: ssl.SSLContext | None = None, within: float = WITHIN
    ) -> None:
        self._server = server
        self.sender = sender
        self._tls = tls
        self._within = within
        self._threads = ThreadPoolExecutor(THREADS, "mail")

    async def send(self, letter: bytes, to: Iterable[str], mark: Callable[[str], str]) -> Outcome:
        """Send a letter once. Whatever the server does is an outcome; `mark` stands for an address in it."""
        run, ends = asyncio.get_running_loop().run_in_executor, time.monotonic() + IN_ALL
        return await run(self._threads, self._send, letter, list(to), mark, ends)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, letter: bytes, to: list[str], mark: Callable[[str], str], ends: float) -> Outcome:
        began = time.monotonic()

        def outcome(reply: _Reply | None, failure: str | None = None, left: Iterable[str] = ()) -> Outcome:
            latency = round((time.monotonic() - began) * 1000)
            if reply is None:
                return Outcome(None, failure, latency)
            # A reply that is none has no status that could be kept.
            status = reply.code if 200 <= reply.code <= 599 else None
            broken = None if status else Failure.PROTOCOL
            return Outcome(status, broken, latency, reply.said, None, tuple(mark(each) for each in left))

        try:
            _in_time(ends)
            smtp = self._connected()
            try:
                return outcome(*self._deliver(smtp, letter, to, ends))
            finally:
                _leave(smtp)
        except _Unready as error:
            # Before there was a mail: what an operator has to mend, and not the mail's fault.
            return replace(outcome(error.reply), failure=Failure.CONNECT)
        except smtplib.SMTPResponseException as error:
            return outcome(_reply(error.smtp_code, error.smtp_error))
        except smtplib.SMTPServerDisconnected as error:
            # smtplib says the same of both.
            slow = isinstance(error.__context__, TimeoutError)
            return outcome(None, Failure.TIMEOUT if slow else Failure.CLOSED)
        except smtplib.SMTPException:
            return outcome(None, Failure.PROTOCOL)
        except TimeoutError:
            return outcome(None, Failure.TIMEOUT)
        except ssl.SSLError:
            return outcome(None, Failure.TLS)
        except socket.gaierror:
            return outcome(None, Failure.DNS)
        except (ConnectionResetError, BrokenPipeError):
            return outcome(None, Failure.CLOSED)
        except OSError:
            return outcome(None, Failure.CONNECT)

    def _connected(self) -> smtplib.SMTP:
        """Raises _Unready where the server does not let us in."""
        server, tls = self._server, self._trusted()
        try:
            if server.secure:
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._within, context=tls)
            else:
                smtp = smtplib.SMTP(server.host, server.port, timeout=self._within)
        except smtplib.SMTPConnectError as error:
            raise _Unready(_reply(error.smtp_code, error.smtp_error)) from None
        try:
            smtp.ehlo_or_helo_if_needed()
            if not server.secure and (smtp.has_extn("starttls") or not server.here):
                # Without it nothing is sent: what is expected of whom is not for every wire.
                smtp.starttls(context=tls)
                smtp.ehlo()
            if server.user is not None:
                smtp.login(server.user, server.password or "")
        except smtplib.SMTPResponseException as error:
            smtp.close()
            raise _Unready(_reply(error.smtp_code, error.smtp_error)) from None
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _trusted(self) -> ssl.SSLContext:
        if self._tls is not None:
            return self._tls
        context = ssl.create_default_context()
        if self._server.here:
            # Nobody stands between us and our own machine, whose server has rarely a certificate for it.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _deliver(self, smtp: smtplib.SMTP, letter: bytes, to: list[str], ends: float) -> tuple[_Reply, None, list[str]]:
        """The reply that counts, no failure, and who is left."""
        _in_time(ends)
        _expect(smtp.mail(self.sender))
        taken, left = 0, []
        refused: list[_Reply] = []
        for address in to:
            _in_time(ends)
            reply = _reply(*smtp.rcpt(address))
            if 200 <= reply.code < 300:
                taken += 1
                continue
            refused.append(reply)
            if reply.code < 500:
                left.append(address)
        if not taken:
            # One that may be taken later counts before one that never will.
            return min(refused, key=lambda reply: reply.code), None, left
        _in_time(ends)
        return _reply(*_expect(smtp.data(letter))), None, left


def _in_time(ends: float) -> None:
    """Raises TimeoutError once it is too late to begin anything."""
    if time.monotonic() > ends:
        raise TimeoutError


def _leave(smtp: smtplib.SMTP) -> None:
    """Whatever becomes of the farewell, the mail was taken or was not."""
    try:
        smtp.quit()
    except (smtplib.SMTPException, OSError):
        smtp.close()


def _expect(reply: tuple[int, bytes]) -> tuple[int, bytes]:
    if not 200 <= reply[0] < 300:
        raise smtplib.SMTPResponseException(*reply)
    return reply


def _reply(code: int, said: bytes | str) -> _Reply:
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    return _Reply(code, text[:MAX_ANSWER].replace("\0", "�"))
