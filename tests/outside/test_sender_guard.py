"""Where webhooks may go: what is not public is refused however it is written, and names lead to one judged address."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.outside.addresses import ForbiddenAddress, Guard, Lookup, Names
from service.outside.sender import Sender
from service.workflow.delivery import Message
from tests.outside.receiver import OK, Receiver, receiving, saying

MESSAGE = Message((), b"{}")
LOOPBACK = [ip_network("127.0.0.1/32")]

NOT_PUBLIC = {
    "private 10": "10.0.0.1",
    "private 172.16": "172.16.0.1",
    "private 172.31": "172.31.255.254",
    "private 192.168": "192.168.1.1",
    "loopback": "127.0.0.1",
    "loopback, elsewhere": "127.255.255.254",
    "this machine": "0.0.0.0",
    "this network": "0.1.2.3",
    "link-local": "169.254.1.1",
    "carrier-grade NAT": "100.64.0.1",
    "carrier-grade NAT, its end": "100.127.255.254",
    "metadata": "169.254.169.254",
    "metadata, containers": "169.254.170.2",
    "metadata, Alibaba": "100.100.100.200",
    "metadata, Azure": "168.63.129.16",
    "metadata, Oracle": "192.0.0.192",
    "benchmarks": "198.18.0.1",
    "documentation": "203.0.113.1",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "multicast, scoped": "239.255.255.250",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "IPv6 loopback": "::1",
    "IPv6 this machine": "::",
    "IPv6 link-local": "fe80::1",
    "IPv6 site-local": "fec0::1",
    "IPv6 unique local": "fd12:3456::1",
    "IPv6 metadata": "fd00:ec2::254",
    "IPv6 multicast": "ff02::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 discard": "100::1",
    "NAT64 of loopback": "64:ff9b::7f00:1",
    "NAT64 of private": "64:ff9b::a00:1",
    "NAT64 of metadata": "64:ff9b::a9fe:a9fe",
    "NAT64, local": "64:ff9b:1::808:808",
    "6to4 of loopback": "2002:7f00:1::1",
    "6to4 of a public address": "2002:808:808::1",
    "Teredo": "2001:0:808:808::1",
    "IPv4-mapped loopback": "::ffff:127.0.0.1",
    "IPv4-mapped metadata": "::ffff:a9fe:a9fe",
    "IPv4-compatible loopback": "::127.0.0.1",
    "IPv4-compatible private": "::a00:1",
    "IPv4-translated loopback": "::ffff:0:7f00:1",
}

OTHERWISE_WRITTEN = {
    "decimal": "2130706433",
    "hexadecimal": "0x7f000001",
    "hexadecimal, in capitals": "0X7F000001",
    "octal": "017700000001",
    "octal, dotted": "0177.0.0.1",
    "hexadecimal, dotted": "0x7f.0.0.1",
    "short": "127.1",
    "short, three": "127.0.1",
    "leading zeros": "127.000.000.001",
    "full-width": "１２７.０.０.１",
    "percent-encoded": "%31%32%37.0.0.1",
    "trailing dot": "127.0.0.1.",
    "a name with a trailing dot": "localhost.",
    "userinfo": "user:password@127.0.0.1",
    "userinfo before another name": "good.example@127.0.0.1",
    "a backslash": "good.example\\@127.0.0.1",
    "an empty label": "127..0.0.1",
}


def found(*addresses: str) -> Lookup:
    """Names that have these addresses."""

    async def lookup(host: str, port: int) -> list[str]:
        return list(addresses)

    return lookup


async def unasked(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


@contextmanager
def sending(guard: Guard, tls: ssl.SSLContext | None = None, within: float = 30.0) -> Iterator[Sender]:
    made = Sender(guard, tls=tls, within=within)
    try:
        yield made
    finally:
        made.close()


def bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


async def refuses(guard: Guard, url: str) -> None:
    """At registration and at every sending."""
    with pytest.raises(ForbiddenAddress):
        await guard.check(url)
    with sending(guard) as made:
        for sends in (made.send, made.ping):
            outcome = await sends(url, MESSAGE)
            assert (outcome.status, outcome.failure) == (None, "forbidden_address")
            assert outcome.latency_ms < 1000


# -- addresses


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
async def test_an_address_that_is_not_public(address: str) -> None:
    await refuses(Guard((), unasked), f"https://{bracketed(address)}/hook")


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
async def test_a_name_with_an_address_that_is_not_public(address: str) -> None:
    await refuses(Guard((), found(address)), "https://hooks.example/")


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
async def test_a_name_with_a_good_and_a_bad_address(address: str) -> None:
    await refuses(Guard((), found("8.8.8.8", address)), "https://hooks.example/")
    await refuses(Guard((), found(address, "8.8.8.8")), "https://hooks.example/")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", OTHERWISE_WRITTEN.values(), ids=OTHERWISE_WRITTEN)
async def test_a_host_otherwise_written_is_refused_though_the_address_is_allowed(scheme: str, host: str) -> None:
    """The receiver listens at the address that each of these stands for, and hears nothing."""
    async with receiving(saying(OK)) as receiver:
        guard = Guard([ip_network("127.0.0.0/8")])
        with sending(guard) as made:
            assert (await made.send(receiver.url, MESSAGE)).status == 200
        await refuses(guard, f"{scheme}://{host}:{receiver.port}/hook")
    assert (receiver.connections, len(receiver.requests)) == (1, 1)


async def test_userinfo_is_refused_over_an_open_connection_as_well() -> None:
    async with receiving(saying(OK)) as receiver:
        with sending(Guard(LOOPBACK)) as made:
            assert (await made.send(receiver.url, MESSAGE)).status == 200
            outcome = await made.send(f"http://user@127.0.0.1:{receiver.port}/hook", MESSAGE)
    assert outcome.failure == "forbidden_address"
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/", "ftp://8.8.8.8/", "file:///etc/passwd", "https:///hook", "8.8.8.8", "", "https://[::::]/", "https://[fe80::1%25lo]/",
        "https://a b/\x00", "https://127。0。0。1/",
    ],
)  # fmt: skip
async def test_no_address_that_is_called(url: str) -> None:
    await refuses(Guard(), url)


async def test_the_allowed_networks_and_nothing_beside_them() -> None:
    async with receiving(saying(OK)) as receiver:
        for guard in (Guard(), Guard([ip_network("127.0.0.2/32")]), Guard([ip_network("::/0")])):
            await refuses(guard, receiver.url)
        assert receiver.connections == 0
        with sending(Guard(LOOPBACK)) as made:
            assert (await made.send(receiver.url, MESSAGE)).status == 200


async def test_an_allowed_address_as_a_resolver_may_wrap_it() -> None:
    async with receiving(saying(OK)) as receiver:
        url = f"http://inside.example:{receiver.port}/"
        with sending(Guard(LOOPBACK, found("::ffff:127.0.0.1"))) as made:
            assert (await made.send(url, MESSAGE)).status == 200
        await refuses(Guard(LOOPBACK, found("::ffff:127.0.0.2")), url)


async def test_a_redirect_to_a_private_address() -> None:
    async with receiving(saying(OK), "127.0.0.2") as inside:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n"
        async with receiving(saying(answer.encode())) as receiver:
            with sending(Guard(LOOPBACK)) as made:
                outcome = await made.send(receiver.url, MESSAGE)
    assert (outcome.status, outcome.failure, inside.connections) == (302, None, 0)


# -- names


async def test_a_name_that_answers_differently_the_second_time() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"]])

    async def rebinding(host: str, port: int) -> list[str]:
        return next(answers)

    async with receiving(saying(OK)) as public, receiving(saying(OK), "127.0.0.2", public.port) as inside:
        with sending(Guard(LOOPBACK, rebinding)) as made:
            url = f"http://rebinding.example:{public.port}/hook"
            # One look-up serves the judgement and the connection, and what goes over it later.
            for _ in range(2):
                assert (await made.send(url, MESSAGE)).status == 200
            assert (public.connections, inside.connections) == (1, 0)
            # A new connection is a new judgement.
            assert (await made.ping(url, MESSAGE)).failure == "forbidden_address"
            made.close()
            assert (await made.send(url, MESSAGE)).failure == "forbidden_address"
    assert (public.connections, inside.connections) == (1, 0)
    assert f"host: rebinding.example:{public.port}\r\n".encode() in public.requests[0]


async def test_a_connection_is_kept_for_its_name_only() -> None:
    """Plain http: two names at one address and port each have their own."""
    async with receiving(saying(OK)) as receiver:
        with sending(Guard(LOOPBACK, found("127.0.0.1"))) as made:
            for name in ("a.example", "b.example", "a.example", "A.EXAMPLE"):
                assert (await made.send(f"http://{name}:{receiver.port}/", MESSAGE)).status == 200
    assert receiver.connections == 2


async def test_names_are_looked_up_by_the_system_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    silent = threading.Event()
    system = socket.getaddrinfo

    def counted(host: str, *args: int, **options: int) -> object:
        asked.append(host)
        if host == "silent.example":
            silent.wait(10)
            raise socket.gaierror
        time.sleep(0.1)
        return system("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", counted)
    names = Names(threads=2)
    try:
        async with receiving(saying(OK)) as receiver:
            with sending(Guard(LOOPBACK, names)) as made, sending(Guard(LOOPBACK, names), within=2) as hasty:
                hanging = [asyncio.ensure_future(hasty.send("https://silent.example/", MESSAGE)) for _ in range(20)]
                url = f"http://well.example:{receiver.port}/"
                outcomes = await asyncio.gather(*(made.send(url, MESSAGE) for _ in range(20)))
                # Those who wait for a silent name keep nobody else waiting.
                assert {outcome.status for outcome in outcomes} == {200}
                assert not any(each.done() for each in hanging)
                assert {each.failure for each in await asyncio.gather(*hanging)} == {"timeout"}
    finally:
        silent.set()
        names.close()
    assert sorted(asked) == ["silent.example", "well.example"]


# -- the environment


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving(saying(OK)) as proxy, receiving(saying(OK)) as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        for name in ("NO_PROXY", "no_proxy", "REQUEST_METHOD"):
            monkeypatch.delenv(name, raising=False)
        with sending(Guard(LOOPBACK)) as made:
            assert (await made.send(receiver.url, MESSAGE)).status == 200
        with sending(Guard(LOOPBACK), within=0.5) as made:
            assert (await made.send(f"https://127.0.0.1:{receiver.port}/", MESSAGE)).failure
        assert (proxy.connections, len(receiver.requests)) == (0, 1)
        # Whoever listens to the environment does go there.
        async with httpx.AsyncClient() as client:
            await client.post(receiver.url, content=b"{}")
        assert (proxy.connections, len(receiver.requests)) == (1, 1)


# -- TLS: the certificate must be that of the name in the URL


def certificate(directory: Path, name: str, until: timedelta) -> Path:
    """A self-signed certificate with its key in one file; `until` counts from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


Tls = tuple[Receiver, ssl.SSLContext, list[str | None]]


@asynccontextmanager
async def serving(directory: Path, until: timedelta = timedelta(days=1)) -> AsyncIterator[Tls]:
    """A TLS receiver as a.example: itself, a context that trusts it, and the names it was called by."""
    path = certificate(directory, "a.example", until)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    called: list[str | None] = []
    context.sni_callback = lambda _, name, __: called.append(name)
    async with receiving(saying(OK), tls=context) as receiver:
        yield receiver, ssl.create_default_context(cafile=str(path)), called


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[Tls]:
    async with serving(tmp_path) as made:
        yield made


async def test_name_and_certificate_stay_with_the_pinned_address(tls: Tls) -> None:
    receiver, trusting, called = tls
    with sending(Guard(LOOPBACK, found("127.0.0.1")), trusting) as made:
        for _ in range(2):
            outcome = await made.send(f"https://a.example:{receiver.port}/", MESSAGE)
            assert (outcome.status, outcome.failure) == (200, None)
    assert (receiver.connections, called) == (1, ["a.example"])


async def test_one_name_is_not_vouched_for_by_the_certificate_of_another(tls: Tls) -> None:
    """Both are at the same address, and the connection of the first is open."""
    receiver, trusting, called = tls
    with sending(Guard(LOOPBACK, found("127.0.0.1")), trusting) as made:
        assert (await made.send(f"https://a.example:{receiver.port}/", MESSAGE)).status == 200
        outcome = await made.send(f"https://b.example:{receiver.port}/", MESSAGE)
        assert (outcome.status, outcome.failure) == (None, "tls")
        outcome = await made.send(f"https://127.0.0.1:{receiver.port}/", MESSAGE)
        assert (outcome.status, outcome.failure) == (None, "tls")
    assert len(receiver.requests) == 1
    assert called[:2] == ["a.example", "b.example"]


async def test_a_certificate_that_nobody_vouches_for(tls: Tls) -> None:
    receiver, _, _ = tls
    with sending(Guard(LOOPBACK, found("127.0.0.1"))) as made:
        outcome = await made.send(f"https://a.example:{receiver.port}/", MESSAGE)
    assert (outcome.status, outcome.failure, receiver.requests) == (None, "tls", [])


async def test_a_certificate_that_has_run_out(tmp_path: Path) -> None:
    async with serving(tmp_path, until=timedelta(days=-1)) as (receiver, trusting, _):
        with sending(Guard(LOOPBACK, found("127.0.0.1")), trusting) as made:
            outcome = await made.send(f"https://a.example:{receiver.port}/", MESSAGE)
    assert (outcome.status, outcome.failure, receiver.requests) == (None, "tls", [])


async def test_plain_http_where_tls_is_expected() -> None:
    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    with sending(Guard(LOOPBACK)) as made:
        outcome = await made.send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", MESSAGE)
    server.close()
    assert (outcome.status, outcome.failure) == (None, "tls")


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and does not go on."""
    await reader.read()
    writer.close()


async def test_a_handshake_that_never_comes() -> None:
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    with sending(Guard(LOOPBACK), within=0.5) as made:
        outcome = await made.send(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", MESSAGE)
    server.close()
    assert outcome.failure == "timeout"
    assert 450 < outcome.latency_ms < 5000


async def test_a_silent_address_leaves_time_for_the_next(tls: Tls) -> None:
    receiver, trusting, _ = tls
    server = await asyncio.start_server(silent, "127.0.0.3", receiver.port)
    guard = Guard([ip_network("127.0.0.0/8")], found("127.0.0.3", "127.0.0.1"))
    with sending(guard, trusting, within=2) as made:
        outcome = await made.send(f"https://a.example:{receiver.port}/", MESSAGE)
    server.close()
    assert (outcome.status, outcome.failure) == (200, None)
