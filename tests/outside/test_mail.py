"""Mail against a real SMTP server: what was taken, by whom, and what becomes of it where the server is not willing."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from service.outside.mail import Mailer, Server
from service.workflow.delivery import Outcome
from tests.mailbox import Mailbox, mailbox
from tests.outside.test_sender_guard import certificate

SENDER = "ledger@county.example"
ZHANG, LI, WANG = "zhang@county.example", "li@county.example", "wang@county.example"
LETTER = b"From: ledger@county.example\r\nSubject: x\r\n\r\n.a line that begins with a dot\r\nend\r\n"


def mark(address: str) -> str:
    return f"<{address.partition('@')[0]}>"


async def sent(
    url: str, *to: str, letter: bytes = LETTER, tls: ssl.SSLContext | None = None, within: float = 30.0
) -> Outcome:
    mailer = Mailer(Server.of(url), SENDER, tls=tls, within=within)
    try:
        return await mailer.send(letter, to or (ZHANG,), mark)
    finally:
        mailer.close()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


async def here(box: Mailbox, *to: str) -> Outcome:
    return await sent(f"smtp://127.0.0.1:{box.port}", *to)


async def test_a_letter_arrives_as_it_is(box: Mailbox) -> None:
    outcome = await here(box, ZHANG, LI)
    assert (outcome.status, outcome.failure, outcome.left) == (250, None, ())
    ((to, content),) = box.came
    assert to == [ZHANG, LI]
    assert content == LETTER


async def test_who_is_refused_for_now_is_left_and_who_is_refused_for_good_is_not(box: Mailbox) -> None:
    box.refuses = {LI: "452 mailbox full", WANG: "550 no such user"}
    outcome = await here(box, ZHANG, LI, WANG)
    assert (outcome.status, outcome.left) == (250, ("<li>",))
    assert [to for to, _ in box.came] == [[ZHANG]]


@pytest.mark.parametrize(
    ("refuses", "status", "left"),
    [
        ({ZHANG: "550 no such user", LI: "553 no"}, 550, ()),
        ({ZHANG: "550 no such user", LI: "451 greylisted"}, 451, ("<li>",)),
        ({ZHANG: "450 later", LI: "451 later"}, 450, ("<zhang>", "<li>")),
    ],
)
async def test_where_nobody_is_left_nothing_is_sent(
    box: Mailbox, refuses: dict[str, str], status: int, left: tuple[str, ...]
) -> None:
    box.refuses = refuses
    outcome = await here(box, ZHANG, LI)
    assert (outcome.status, outcome.failure, outcome.left) == (status, None, left)
    assert box.came == []


@pytest.mark.parametrize("reply", ["451 try again", "554 looks like spam"])
async def test_a_letter_that_is_refused_has_the_server_s_reply(box: Mailbox, reply: str) -> None:
    box.says = [reply]
    outcome = await here(box)
    assert (f"{outcome.status} {outcome.answer}", outcome.failure) == (reply, None)


# -- TLS and login


@pytest.fixture
def pair(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context as localhost, and one that trusts it."""
    path = certificate(tmp_path, "localhost", timedelta(days=1))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    return serving, ssl.create_default_context(cafile=str(path))


Pair = tuple[ssl.SSLContext, ssl.SSLContext]


async def test_starttls_and_a_login(pair: Pair) -> None:
    with mailbox(tls=pair[0], user=("ledger", "p@ss:w/ord")) as box:
        outcome = await sent(f"smtp://ledger:p%40ss%3Aw%2Ford@localhost:{box.port}", tls=pair[1])
        assert (outcome.status, outcome.failure) == (250, None)
        assert box.secured == [True]


async def test_a_certificate_that_nobody_vouches_for_takes_no_mail_but_on_this_machine(pair: Pair) -> None:
    with mailbox(tls=pair[0]) as box:
        strict = await sent(f"smtp://localhost:{box.port}", tls=ssl.create_default_context())
        assert (strict.status, strict.failure, box.came) == (None, "tls", [])
        assert (await sent(f"smtp://localhost:{box.port}")).status == 250
        assert box.secured == [True]


async def test_a_wrong_password_is_the_operator_s_to_mend_and_no_mail_is_dead_by_it(pair: Pair) -> None:
    with mailbox(tls=pair[0], user=("ledger", "right")) as box:
        outcome = await sent(f"smtp://ledger:wrong@localhost:{box.port}", tls=pair[1])
        assert (outcome.status, outcome.failure, box.came) == (535, "connect", [])


def elsewhere(port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same machine under a name that is not this machine's."""
    look_up = socket.getaddrinfo

    def found(host: str, *given: object, **more: object) -> object:
        return look_up("127.0.0.1" if host == "mail.example" else host, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    return f"smtp://mail.example:{port}"


async def test_elsewhere_nothing_goes_without_tls(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = await sent(elsewhere(box.port, monkeypatch))
    assert (outcome.status, outcome.failure, box.came, box.asked) == (None, "protocol", [], [])


async def test_elsewhere_a_certificate_is_the_name_s(
    tmp_path: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mailbox(tls=pair[0]) as box:
        outcome = await sent(elsewhere(box.port, monkeypatch), tls=pair[1])
        assert (outcome.failure, box.came) == ("tls", [])


# -- servers that are none


@contextmanager
def talking(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server of one connection, and its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener.accept()[0] as connection:
            talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(5)


def hangs(connection: socket.socket) -> None:
    connection.recv(1)


def closes(connection: socket.socket) -> None:
    connection.sendall(b"220 hello\r\n")


def refuses(connection: socket.socket) -> None:
    connection.sendall(b"554 go away\r\n")
    connection.recv(100)


def babbles(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    connection.recv(100)


def takes_and_goes(connection: socket.socket) -> None:
    """Takes the letter and is gone without a farewell."""
    connection.sendall(b"220 hello\r\n")
    for reply in (b"250 hello", b"250 ok", b"250 ok", b"354 go on"):
        connection.recv(1000)
        connection.sendall(reply + b"\r\n")
    content = b""
    while not content.endswith(b"\r\n.\r\n"):
        content += connection.recv(1000)
    connection.sendall(b"250 taken\r\n")


@pytest.mark.parametrize(
    ("talk", "status", "failure"),
    [
        (hangs, None, "timeout"),
        (closes, None, "closed"),
        (refuses, 554, "connect"),
        (babbles, None, "connect"),
        (takes_and_goes, 250, None),
    ],
)
async def test_whatever_a_server_does_is_an_outcome(
    talk: Callable[[socket.socket], None], status: int | None, failure: str | None
) -> None:
    with talking(talk) as port:
        outcome = await sent(f"smtp://127.0.0.1:{port}", within=0.3 if failure == "timeout" else 30.0)
    assert (outcome.status, outcome.failure) == (status, failure)


async def test_what_has_waited_too_long_for_a_thread_is_not_begun(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.outside.mail.IN_ALL", -1.0)
    outcome = await here(box)
    assert (outcome.status, outcome.failure, box.asked) == (None, "timeout", [])


async def test_no_server_and_no_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert (await sent(f"smtp://127.0.0.1:{port}")).failure == "connect"
    assert (await sent("smtp://mail.invalid")).failure == "dns"


async def test_a_slow_server_holds_up_nobody_else() -> None:
    with talking(hangs) as port:
        waiting = asyncio.create_task(sent(f"smtp://127.0.0.1:{port}", within=1.0))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        assert (await waiting).failure == "timeout"


def test_a_server_by_its_address() -> None:
    assert Server.of("smtp://mail.example").port == 587 and Server.of("smtps://mail.example").port == 465
    server = Server.of("smtps://u%40x:p%2F@mail.example:2465/")
    assert (server.host, server.port, server.secure, server.user, server.password) == (
        "mail.example", 2465, True, "u@x", "p/",
    )  # fmt: skip
    assert "p/" not in repr(server)
