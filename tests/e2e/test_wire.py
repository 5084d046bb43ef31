"""What the real server does with requests that no client library would send: too large, cut short, or lying."""

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from service.api.connection import HEAD_BYTES
from service.settings import Settings
from tests.servers import Server

BODY_BYTES = 4096

CLOSES_WITHIN = 30
"""Seconds of silence after which a server that should have closed is given up."""


@pytest.fixture(scope="module")
def kind() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture(scope="module")
def server(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(settings, tmp_path_factory.mktemp("wire"), max_body_bytes=str(BODY_BYTES)) as server:
        yield server


def talk(server: Server, *pieces: bytes, end: bool = False) -> bytes:
    """What the server answers to these bytes until it closes; `end`: nothing more will come."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if end:
                connection.shutdown(socket.SHUT_WR)
            connection.settimeout(CLOSES_WITHIN)
            while piece := connection.recv(65_536):
                answer += piece
        except (TimeoutError, ConnectionError):
            pass
    return answer


def request(server: Server, *headers: str) -> bytes:
    lines = (
        "POST /v1/items HTTP/1.1", "Host: x", f"Authorization: Bearer {server.admin_key}",
        "Content-Type: application/json", "Connection: close", *headers,
    )  # fmt: skip
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


def alive(server: Server) -> bool:
    return httpx.get(f"{server.url}/livez", trust_env=False).status_code == 200


def test_a_body_that_is_announced_too_large_is_413(server: Server) -> None:
    body = b" " * (BODY_BYTES + 1)
    assert code_of(talk(server, request(server, f"Content-Length: {len(body)}"), body)) == (413, "payload_too_large")


def test_a_body_without_a_length_is_cut_off_where_it_is_too_large(server: Server) -> None:
    chunk = b"400\r\n" + b" " * 1024 + b"\r\n"
    answer = talk(server, request(server, "Transfer-Encoding: chunked"), *[chunk] * 5, b"0\r\n\r\n")
    assert code_of(answer) == (413, "payload_too_large")


def test_a_body_that_goes_on_behind_its_length_is_not_read_as_part_of_it(server: Server) -> None:
    answer = talk(server, request(server, "Content-Length: 2"), b"{}" + b" " * 100_000)
    assert code_of(answer) == (422, "invalid_request")
    assert alive(server)


def test_a_request_with_two_lengths_or_both_framings_is_refused(server: Server) -> None:
    for framing in (("Content-Length: 2", "Content-Length: 3"), ("Content-Length: 2", "Transfer-Encoding: chunked")):
        assert talk(server, request(server, *framing), b"{}").startswith(b"HTTP/1.1 400 ")


def test_a_body_that_ends_too_early_is_nobody_s_mistake(server: Server) -> None:
    before = server.log
    talk(server, request(server, "Content-Length: 100"), b'{"title": ', end=True)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(request(server, "Content-Length: 100") + b'{"title": ')
    time.sleep(0.5)
    assert alive(server)
    assert "Traceback" not in server.log.removeprefix(before) and "failed" not in server.log.removeprefix(before)


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /livez?" + b"x" * HEAD_BYTES * 10,
        b"GET /livez HTTP/1.1\r\nX-Long: " + b"x" * HEAD_BYTES * 10,
        b"GET /livez HTTP/1.1\r\n" + b"X-Many: x\r\n" * HEAD_BYTES,
        b"GET /livez HTTP/1.1\r\n\r\nGET /livez HTTP/1.1\r\nX-Long: " + b"x" * HEAD_BYTES * 10,
    ],
)
def test_a_head_that_does_not_end_is_given_up(server: Server, endless: bytes) -> None:
    answer = talk(server, *[endless[start : start + 10_000] for start in range(0, len(endless), 10_000)])
    assert b"HTTP/1.1 431 " in answer or answer == b"", answer
    assert alive(server)


def test_a_head_within_the_bound_and_a_long_body_after_it_are_read(server: Server) -> None:
    long = f"X-Long: {'x' * (HEAD_BYTES // 2)}"
    answer = talk(server, request(server, long, "Content-Length: 2"), b"{}")
    assert code_of(answer) == (422, "invalid_request")


def test_head_is_answered_without_a_body_on_a_connection_that_goes_on(server: Server) -> None:
    ask = "{} /livez HTTP/1.1\r\nHost: x\r\n{}\r\n"
    answer = talk(server, ask.format("HEAD", "").encode() + ask.format("GET", "Connection: close\r\n").encode())
    first, second, body = answer.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ") and b"content-length: 15" in first
    assert second.startswith(b"HTTP/1.1 200 ") and body == b'{"status":"ok"}'
