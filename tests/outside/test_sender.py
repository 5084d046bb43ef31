"""Sending to receivers of every kind on real ports: well, wrong, slow, endless, silent, broken off."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
import standardwebhooks
import uvicorn
from fastapi import FastAPI, Request, Response

from service.outside import exchange, sender
from service.outside.addresses import Guard
from service.outside.sender import Sender
from service.workflow.delivery import Format, Message, Outcome, Verdict, judge, message, secret
from tests.outside.receiver import (
    OK,
    Answers,
    Receiver,
    closing_after,
    dripping,
    nothing,
    receiving,
    saying,
)

LOOPBACK = [ip_network("127.0.0.0/8")]
SECRET = secret(bytes(range(32)))
EVENT = {
    "id": "0198a5e2-7a10-7c3e-8f00-000000000001",
    "type": "item.created",
    "at": "2026-03-02T09:00:00Z",
    "position": 7,
}
MESSAGE = Message((("content-type", "application/json"), ("webhook-id", "1")), b'{"type":"item.created"}')


WITHIN = 30.0
"""Seconds where no time is to be up."""


@contextmanager
def sending(within: float = WITHIN) -> Iterator[Sender]:
    made = Sender(Guard(LOOPBACK), within=within)
    try:
        yield made
    finally:
        made.close()


async def once(answers: Answers, within: float = WITHIN, given: Message = MESSAGE) -> Outcome:
    """What a receiver that answers so brings about; its connection is closed by the sender where it was not clean."""
    async with receiving(answers) as receiver:
        with sending(within) as made:
            began = time.monotonic()
            outcome = await made.send(receiver.url, given)
            took = time.monotonic() - began
            assert took < within + 5
            assert 0 <= outcome.latency_ms <= took * 1000 + 1
        # Whatever came of it, in the end nothing of it is left open.
        await asyncio.wait_for(receiver.left.wait(), 2)
    return outcome


def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


# -- what is sent


async def test_a_real_server_gets_what_was_signed() -> None:
    app = FastAPI()
    verified: list[object] = []

    @app.post("/hooks/{name}")
    async def hook(request: Request, name: str) -> Response:
        body = await request.body()
        verified.append((name, request.url.query, standardwebhooks.Webhook(SECRET).verify(body, dict(request.headers))))
        return Response(status_code=204)

    async with serving(app) as port:
        with sending() as made:
            given = message(EVENT, [SECRET], datetime.now(UTC), format=Format.STANDARD, source="/")
            for _ in range(3):
                outcome = await made.send(f"http://127.0.0.1:{port}/hooks/%E5%8E%BF?a=1&b=%20#part", given)
                assert (outcome.status, outcome.failure, outcome.answer) == (204, None, "")
    expected = {"type": "item.created", "timestamp": EVENT["at"], "data": EVENT}
    assert verified == [("县", "a=1&b=%20", expected)] * 3


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    running = asyncio.ensure_future(server.serve())
    while not server.started:
        assert not running.done()
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def test_the_request_to_the_letter() -> None:
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            await made.send(f"http://127.0.0.1:{receiver.port}/a%20b?c=d", MESSAGE)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /a%20b?c=d HTTP/1.1",
        f"host: 127.0.0.1:{receiver.port}",
        "user-agent: xiaohao",
        "accept: */*",
        "content-length: 23",
        "content-type: application/json",
        "webhook-id: 1",
    ]
    assert body == MESSAGE.body


async def test_a_large_body_arrives_whole() -> None:
    given = Message((), bytes(range(256)) * 20_000)
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            assert (await made.send(receiver.url, given)).status == 200
    assert receiver.requests[0].endswith(b"\r\n\r\n" + given.body)


async def test_no_cookie_comes_back() -> None:
    async with receiving(saying(answer("200 OK", "Set-Cookie: session=1; Path=/"))) as receiver:
        with sending() as made:
            for _ in range(2):
                await made.send(receiver.url, MESSAGE)
    assert len(receiver.requests) == 2
    assert not any(b"cookie" in request.lower() for request in receiver.requests)


# -- what comes back


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (OK, 200),
        (answer("202 Accepted"), 202),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK, 200),
        (answer("410 Gone"), 410),
        (answer("429 Too Many Requests", "Retry-After: 120"), 429),
        (answer("500 Internal Server Error", body=b"oops"), 500),
    ],
)
async def test_a_status(said: bytes, status: int) -> None:
    outcome = await once(saying(said))
    assert (outcome.status, outcome.failure) == (status, None)


async def test_retry_after_comes_along() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    outcome = await once(saying(answer("429 Too Many Requests", "Retry-After: 120")))
    assert outcome.retry_after == "120"
    assert judge(outcome, 1, now, 0.5) == Verdict("retry", datetime(2026, 3, 2, 0, 2, tzinfo=UTC))
    assert (await once(saying(OK))).retry_after is None


async def test_a_redirect_is_not_followed() -> None:
    async with receiving(saying(OK)) as elsewhere:
        for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            outcome = await once(saying(answer(status, f"Location: {elsewhere.url}")))
            assert (outcome.status, outcome.failure) == (int(status[:3]), None)
    assert elsewhere.connections == 0


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabcde",
        b"HTTP/1.1 200 OK\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
async def test_every_way_of_ending_an_answer(said: bytes) -> None:
    outcome = await once(closing_after(said))
    assert (outcome.status, outcome.failure, outcome.answer) == (200, None, "abcde")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"", None),
        (b"HTTP/1.1 200", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 200),
    ],
)
async def test_an_answer_that_breaks_off(said: bytes, status: int | None) -> None:
    outcome = await once(closing_after(said))
    assert (outcome.status, outcome.failure) == (status, "closed")
    assert outcome.answer == ("abc" if status else "")


async def test_a_connection_that_is_reset() -> None:
    async def reset(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with receiving(reset) as receiver:
        with sending() as made:
            assert (await made.send(receiver.url, MESSAGE)).failure == "closed"
    assert receiver.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x00\x01\x02\x03" * 8 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"a" * 20_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
async def test_what_is_no_http(said: bytes) -> None:
    assert (await once(saying(said))).failure == "protocol"


# -- who takes long, or does not stop


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (nothing, None),
        (saying(b"HTTP/1.1 200 OK\r\n"), None),
        (dripping(b"HTTP/1.1 200 OK\r\nA: ", b"a", 0.02), None),
        (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02), None),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), 200),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a", 0.05), 200),
        (dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 0.05), 200),
    ],
)
async def test_the_time_is_up(answers: Answers, status: int | None) -> None:
    # With a head, as long as that takes.
    within = 0.5 if status else 0.2
    outcome = await once(answers, within)
    assert (outcome.status, outcome.failure) == (status, "timeout")
    assert within * 900 < outcome.latency_ms < 3000


async def test_the_time_is_up_for_one_who_does_not_read() -> None:
    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(3)
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    with sending(0.5) as made:
        port = server.sockets[0].getsockname()[1]
        outcome = await made.send(f"http://127.0.0.1:{port}/", Message((), bytes(20_000_000)))
    server.close()
    assert outcome.failure == "timeout"
    assert outcome.latency_ms < 2500


async def test_fifteen_seconds_unless_told_otherwise() -> None:
    assert sender.WITHIN == 15


@pytest.mark.parametrize(
    "answers",
    [
        dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1000),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 5000),
        # So much came, and nothing more does.
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1024),
    ],
)
async def test_no_more_than_a_kib_is_read(answers: Answers) -> None:
    outcome = await once(answers)
    assert (outcome.status, outcome.failure, outcome.answer) == (200, None, "a" * 1024)
    assert outcome.latency_ms < WITHIN * 1000 / 2


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("text/plain", "已收到".encode(), "已收到"),
        ("text/html; charset=GBK", "已收到".encode("gbk"), "已收到"),
        ('text/html; charset="gb2312"; x=y', "已收到".encode("gb2312"), "已收到"),
        ("text/plain; charset=rot13", b"abc", "abc"),
        ("text/plain; charset=nonsense", b"abc", "abc"),
        ("text/plain", "已收到".encode("gbk"), "\ufffd\ufffd\ufffd\u0575\ufffd"),
        ("text/plain", b"a\x00b", "a\ufffdb"),
        ("text/plain", b"a\xe5", "a\ufffd"),
        # The KiB ends within a character, and nobody sees half of it.
        ("text/plain", b"a" * 1022 + "县县".encode(), "a" * 1022),
        ("text/plain", b"a" * 1020 + "县".encode(), "a" * 1020 + "县"),
    ],
)
async def test_the_text_of_an_answer(content_type: str, body: bytes, text: str) -> None:
    outcome = await once(saying(answer("200 OK", f"Content-Type: {content_type}", body=body)))
    assert outcome.answer == text


# -- who cannot be reached


async def test_nobody_listens() -> None:
    async with receiving(nothing) as receiver:
        pass
    with sending() as made:
        outcome = await made.send(receiver.url, MESSAGE)
    assert (outcome.status, outcome.failure) == (None, "connect")


async def test_a_name_without_an_address() -> None:
    with sending() as made:
        outcome = await made.send("https://nowhere.invalid/", MESSAGE)
    assert (outcome.status, outcome.failure) == (None, "dns")


async def test_who_closes_before_anything_is_said() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    with sending() as made:
        for _ in range(20):
            outcome = await made.send(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", MESSAGE)
            assert (outcome.status, outcome.failure) == (None, "closed")
    server.close()


async def test_the_next_address_where_one_does_not_listen() -> None:
    async def both(host: str, port: int) -> list[str]:
        return ["127.0.0.3", "127.0.0.1"]

    async with receiving(saying(OK)) as receiver:
        made = Sender(Guard(LOOPBACK, both))
        outcome = await made.send(f"http://two.example:{receiver.port}/", MESSAGE)
        made.close()
    assert (outcome.status, outcome.failure) == (200, None)


# -- connections that are kept


async def test_a_connection_serves_again_and_a_ping_has_its_own() -> None:
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            for _ in range(3):
                await made.send(receiver.url, MESSAGE)
            assert receiver.connections == 1
            outcome = await made.ping(receiver.url, MESSAGE)
            assert (outcome.status, outcome.answer, receiver.connections) == (200, "ok", 2)


async def test_as_many_connections_as_are_sending() -> None:
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            for _ in range(3):
                outcomes = await asyncio.gather(*(made.send(receiver.url, MESSAGE) for _ in range(40)))
                assert {outcome.status for outcome in outcomes} == {200}
    assert len(receiver.requests) == 120
    assert receiver.connections == 40


async def test_no_more_idle_connections_than_agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "MOST_KEPT", 3)
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            for _ in range(2):
                await asyncio.gather(*(made.send(receiver.url, MESSAGE) for _ in range(10)))
            await asyncio.wait_for(receiver.left.wait(), 2)
    assert receiver.connections == 17


async def test_a_kept_connection_that_the_other_side_closed_is_no_failure() -> None:
    """At the very moment at which the next request is under way: it was not heard, and goes out again."""

    async def answers(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        if len(receiver.requests) == 2:
            writer.close()
        else:
            writer.write(OK)

    async with receiving(answers) as receiver:
        with sending() as made:
            for _ in range(2):
                outcome = await made.send(receiver.url, MESSAGE)
                assert (outcome.status, outcome.failure) == (200, None)
    assert (receiver.connections, len(receiver.requests)) == (2, 3)


async def test_a_kept_connection_that_breaks_off_its_answer_is_one() -> None:
    async def answers(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if len(receiver.requests) != 2 else OK[:-1])
        if len(receiver.requests) == 2:
            writer.close()

    async with receiving(answers) as receiver:
        with sending() as made:
            outcomes = [await made.send(receiver.url, MESSAGE) for _ in range(2)]
    assert [outcome.failure for outcome in outcomes] == [None, "closed"]
    assert len(receiver.requests) == 2


@pytest.mark.parametrize("later", [False, True])
async def test_an_answer_that_nobody_asked_for_answers_nothing(later: bool) -> None:
    """Sent ahead with the first answer, or after it: the next request is not taken for answered."""
    came = asyncio.Event()

    async def answers(receiver: Receiver, writer: asyncio.StreamWriter) -> None:
        if len(receiver.requests) == 1:
            writer.write(OK if later else OK + answer("410 Gone"))
            if later:
                await came.wait()
            writer.write(answer("410 Gone"))
        else:
            writer.write(answer("202 Accepted"))

    async with receiving(answers) as receiver:
        with sending() as made:
            first = await made.send(receiver.url, MESSAGE)
            came.set()
            if later:
                # It was seen, and the connection closed for it.
                await asyncio.wait_for(receiver.left.wait(), 10)
            second = await made.send(receiver.url, MESSAGE)
    assert (first.status, second.status) == (200, 202)
    assert receiver.connections == 2


async def test_a_connection_whose_request_was_not_read_to_its_end_is_not_kept() -> None:
    connections = 0

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer("413 Content Too Large"))
        writer.transport.pause_reading()  # type: ignore[attr-defined]

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    with sending() as made:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        for _ in range(2):
            assert (await made.send(url, Message((), bytes(20_000_000)))).status == 413
    server.close()
    assert connections == 2


async def test_an_idle_connection_is_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (exchange, sender):
        monkeypatch.setattr(module, "KEPT_SECONDS", 0.1)
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            await made.send(receiver.url, MESSAGE)
            await asyncio.wait_for(receiver.left.wait(), 2)
            assert (await made.send(receiver.url, MESSAGE)).status == 200
    assert receiver.connections == 2


async def test_an_old_connection_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LIVES_SECONDS", 0.1)
    async with receiving(saying(OK)) as receiver:
        with sending() as made:
            async with asyncio.timeout(10):
                # Made anew, and not for each request.
                while not 1 < receiver.connections < len(receiver.requests):
                    assert (await made.send(receiver.url, MESSAGE)).status == 200


async def test_a_send_that_is_given_up_leaves_nothing_behind() -> None:
    async with receiving(nothing) as receiver:
        with sending() as made:
            task = asyncio.ensure_future(made.send(receiver.url, MESSAGE))
            await asyncio.wait_for(receiver.asked.wait(), 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(receiver.left.wait(), 2)
