"""Where the service may call: addresses judged one by one, names resolved, and connections that go where was judged."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.outside.addresses import ForbiddenAddress, Guard, Guarded, NoAddress, is_public
from service.settings import BadSettings, load

PUBLIC = ("8.8.8.8", "114.114.114.114", "2400:3200::1", "2606:4700::1111", "64:ff9b::808:808")
NOT_PUBLIC = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.2.1", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "fe80::1", "fec0::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
    "2001:0:7f00:1::", "2002:808:808::1", "64:ff9b:1::808:808", "3fff::1", "192.0.0.8",
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/latest/meta-data",
        "https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://999.1.1.1/",
        "https://[::::]/", "https://10.0.0.8:8443/", "https://[::ffff:10.0.0.8]/", "http://8.8.8.8/", "ftp://8.8.8.8/",
        "file:///etc/passwd", "https://user:password@8.8.8.8/",
    ],
)  # fmt: skip
async def test_a_forbidden_url(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        await Guard().check(url)


@pytest.mark.parametrize("given", ["", "10.8.0.0/16", "10.8.0.0/16, fd00:8::/32", "127.0.0.1"])
def test_networks_as_an_operator_names_them(given: str) -> None:
    load({"XIAOHAO_ISSUER_ALLOW_NETWORKS": given})


@pytest.mark.parametrize("given", ["all", "10.8.0.1/16", "10.8.0.0/33", "10.8.0.0/16;10.9.0.0/16", "id.example"])
def test_a_network_that_is_none_stops_the_start(given: str) -> None:
    with pytest.raises(BadSettings, match="XIAOHAO_ISSUER_ALLOW_NETWORKS"):
        load({"XIAOHAO_ISSUER_ALLOW_NETWORKS": given})


async def test_what_an_operator_allows_is_allowed_and_nothing_beside_it() -> None:
    guard = Guard([ip_network("127.0.0.0/8"), ip_network("10.8.0.0/16")])
    for url in ("http://127.0.0.1:8080/", "https://127.0.0.1/", "http://10.8.1.1/", "https://10.8.1.1/"):
        assert await guard.resolve(httpx.URL(url))
    for url in ("http://10.9.1.1/", "https://10.9.1.1/", "https://[::1]/", "ftp://127.0.0.1/", "http://8.8.8.8/"):
        with pytest.raises(ForbiddenAddress):
            await guard.check(url)


async def test_a_name_without_an_address_passes_by_https_until_it_is_called() -> None:
    await Guard().check("https://nowhere.invalid/")
    with pytest.raises(NoAddress):
        await Guard().resolve(httpx.URL("https://nowhere.invalid/"))
    with pytest.raises(ForbiddenAddress):
        await Guard().check("http://nowhere.invalid/")


async def test_one_bad_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async def two(host: str, port: int, **options: Any) -> list[Any]:
        return [(2, 1, 6, "", ("8.8.8.8", port)), (2, 1, 6, "", ("10.0.0.8", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    with pytest.raises(ForbiddenAddress):
        await Guard().resolve(httpx.URL("https://two.example/"))


class Kept(httpx.AsyncBaseTransport):
    """Keeps what it is asked for."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.request = request
        return httpx.Response(200)


async def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["8.8.8.8", "127.0.0.1"])

    async def changing(host: str, port: int, **options: Any) -> list[Any]:
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", changing)
    kept = Kept()
    async with httpx.AsyncClient(transport=Guarded(Guard(), kept)) as client:
        await client.get("https://rebinding.example:8443/path")
        assert str(kept.request.url) == "https://8.8.8.8:8443/path"
        assert kept.request.headers["host"] == "rebinding.example:8443"
        assert kept.request.extensions["sni_hostname"] == "rebinding.example"
        with pytest.raises(ForbiddenAddress):
            await client.get("https://rebinding.example:8443/path")


# -- TLS: the certificate must be the name's, though the connection is made to an address


def certificate(directory: Path, name: str) -> Path:
    """A self-signed certificate with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
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


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext, list[str | None]]]:
    """A TLS server as `localhost`: its port, a context that trusts it, and the names it was called by."""
    path = certificate(tmp_path, "localhost")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    called: list[str | None] = []
    serving.sni_callback = lambda _, name, __: called.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=serving)
    trusting = ssl.create_default_context(cafile=str(path))
    yield server.sockets[0].getsockname()[1], trusting, called
    server.close()


async def test_name_and_certificate_stay_with_a_pinned_address(
    tls: tuple[int, ssl.SSLContext, list[str | None]],
) -> None:
    port, trusting, called = tls
    guard = Guard([ip_network("127.0.0.0/8"), ip_network("::1/128")])
    transport = Guarded(guard, httpx.AsyncHTTPTransport(verify=trusting))
    async with httpx.AsyncClient(transport=transport) as client:
        # By the address alone the certificate is nobody's.
        with pytest.raises(httpx.ConnectError):
            await client.get(f"https://127.0.0.1:{port}/")
        answer = await client.get(f"https://localhost:{port}/")
    assert answer.json() == {}
    assert called[-1] == "localhost"
