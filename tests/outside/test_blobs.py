"""Stores of bytes: the same suite over a directory and over a bucket, and what each has for itself."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from service.errors import Refused
from service.outside import s3
from service.outside.blobs import Blobs, BytesMissing, Directory
from service.outside.s3 import S3, Bucket
from service.outside.sigv4 import Signer
from tests.bucket import NAME, TestBucket, bucket

KEY = "0198a5e2-7a10-7000-8000-000000000000/ab/cd/abcd.0198a5e2"
LIMIT = 200_000_000


@pytest.fixture(scope="module")
def there() -> Iterator[TestBucket]:
    with bucket() as made:
        yield made


def now() -> datetime:
    return datetime.now(UTC)


def in_bucket(there: TestBucket, incoming: Path, secret_key: str | None = None) -> S3:
    signer = Signer(there.access_key, secret_key or there.secret_key, "us-east-1")
    return S3(Bucket.parse(there.url), signer, incoming, now)


@pytest.fixture(params=["directory", "bucket"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "directory":
        made: Blobs = Directory(tmp_path / "blobs")
    else:
        made = in_bucket(request.getfixturevalue("there"), tmp_path / "incoming")
    yield made
    await made.close()


async def put(store: Blobs, key: str, content: bytes) -> None:
    async with store.incoming(LIMIT) as staged:
        for start in range(0, len(content), 100_000):
            await staged.write(content[start : start + 100_000])
        await staged.finish()
        assert (staged.sha256, staged.size) == (hashlib.sha256(content).hexdigest(), len(content))
        await store.put(key, staged)


async def read(store: Blobs, key: str, start: int, length: int) -> bytes:
    return b"".join([piece async for piece in await store.read(key, start, length)])


def left(tmp_path: Path) -> list[Path]:
    """Files that came in and are still there."""
    return list(tmp_path.rglob("in-*"))


async def test_what_was_put_is_read_whole_and_in_parts(store: Blobs, tmp_path: Path) -> None:
    content = os.urandom(1_000_000)
    await put(store, KEY, content)
    assert await store.holds(KEY, len(content))
    assert not await store.holds(KEY, len(content) - 1)
    for start, length in ((0, 1_000_000), (0, 1), (999_999, 1), (262_143, 2), (400_000, 600_000)):
        assert await read(store, KEY, start, length) == content[start : start + length]
    assert left(tmp_path) == []


async def test_what_is_put_twice_is_there_once_and_what_is_deleted_twice_is_gone(store: Blobs) -> None:
    await put(store, KEY, b"once")
    await put(store, KEY, b"once")
    assert await read(store, KEY, 0, 4) == b"once"
    await store.delete(KEY)
    await store.delete(KEY)
    assert not await store.holds(KEY, 4)
    with pytest.raises(BytesMissing):
        await store.read(KEY, 0, 4)


async def test_bytes_that_are_not_all_there_are_missing_before_the_first_is_sent(store: Blobs) -> None:
    await put(store, KEY, b"short")
    with pytest.raises(BytesMissing):
        await store.read(KEY, 3, 3)
    with pytest.raises(BytesMissing):
        await store.read(KEY, 9, 1)


async def test_a_file_that_grows_over_the_limit_is_refused_and_leaves_nothing(store: Blobs, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        async with store.incoming(1000) as staged:
            await staged.write(bytes(600))
            await staged.write(bytes(401))
    assert (refused.value.code, refused.value.facts) == ("payload_too_large", {"limit": 1000})
    assert left(tmp_path) == []


async def test_what_a_killed_process_left_is_swept_once_it_is_old(store: Blobs, tmp_path: Path) -> None:
    async with store.incoming(1000) as staged:
        await staged.write(b"half")
        directory = staged.path.parent
    young, old = directory / "in-young", directory / "in-old"
    for path in (young, old):
        path.write_bytes(b"half")
    long_ago = time.time() - 90_000
    os.utime(old, (long_ago, long_ago))
    assert await store.sweep(now() - timedelta(hours=24)) == 1
    assert left(tmp_path) == [young]


async def test_many_put_and_read_at_once(store: Blobs) -> None:
    contents = [os.urandom(300_000) for _ in range(8)]
    keys = [f"{KEY}{number}" for number in range(8)]
    await asyncio.gather(*(put(store, key, content) for key, content in zip(keys, contents, strict=True)))
    found = await asyncio.gather(*(read(store, key, 0, 300_000) for key in keys))
    assert list(found) == contents


# -- the directory


async def test_a_full_or_forbidden_disk_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file stands where the directory should be")
    store = Directory(tmp_path / "blobs")
    with pytest.raises(Refused, match="unavailable"):
        async with store.incoming(1000):
            pass


async def test_a_name_never_holds_half_of_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synced before it is named, and its directories after."""
    store, done = Directory(tmp_path), []
    real = {"fsync": os.fsync, "replace": Path.replace}

    def fsync(descriptor: int) -> None:
        done.append(("sync", Path(f"/proc/self/fd/{descriptor}").resolve()))
        real["fsync"](descriptor)

    def replace(source: Path, target: Path) -> Any:
        done.append(("name", target))
        return real["replace"](source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    await put(store, "t/ab/cd/x", b"bytes")
    named = done.index(("name", tmp_path / "t/ab/cd/x"))
    assert [what for what, _ in done[:named]] == ["sync"]
    assert done[0][1].name.startswith("in-")
    synced = {path for what, path in done[named + 1 :] if what == "sync"}
    assert synced == {tmp_path / "t/ab/cd", tmp_path / "t/ab", tmp_path / "t", tmp_path}


# -- the bucket


@pytest.fixture
async def s3_store(there: TestBucket, tmp_path: Path) -> AsyncIterator[S3]:
    store = in_bucket(there, tmp_path)
    yield store
    await store.close()


async def test_a_large_object_goes_in_one_piece_and_comes_in_parts(s3_store: S3, there: TestBucket) -> None:
    content = os.urandom(1_000_000) * 30
    await put(s3_store, KEY, content)
    head = there.client.head_object(Bucket=NAME, Key=f"county/{KEY}")
    assert head["ContentLength"] == len(content)
    assert there.unfinished() == []
    assert await read(s3_store, KEY, 29_999_990, 10) == content[-10:]
    whole = hashlib.sha256()
    async for piece in await s3_store.read(KEY, 0, len(content)):
        whole.update(piece)
    assert whole.digest() == hashlib.sha256(content).digest()


async def test_a_wrong_secret_is_refused_by_the_store(there: TestBucket, tmp_path: Path) -> None:
    """So the others were judged by their signatures."""
    store = in_bucket(there, tmp_path, secret_key="wrong" * 8)
    try:
        for call in (store.holds(KEY, 1), store.delete(KEY), put(store, KEY, b"x"), store.read(KEY, 0, 1)):
            with pytest.raises(Refused, match="unavailable"):
                await call
    finally:
        await store.close()


async def test_a_store_that_is_away_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAUSE_SECONDS", 0.01)
    nowhere = Bucket.parse("s3://evidence?endpoint=http://127.0.0.1:9")
    store = S3(nowhere, Signer("a", "b", "us-east-1"), tmp_path, now)
    try:
        with pytest.raises(Refused, match="unavailable"):
            await put(store, KEY, b"x")
    finally:
        await store.close()


async def test_a_store_that_stumbles_is_asked_again(
    there: TestBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and a broken connection once each; the file is sent anew from its beginning."""
    monkeypatch.setattr(s3, "PAUSE_SECONDS", 0.01)
    heard: list[bytes] = []

    async def stumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.append(await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])))
        if len(heard) == 2:
            writer.write(b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n")
        elif len(heard) == 3:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(stumble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = S3(Bucket.parse(f"s3://evidence?endpoint=http://127.0.0.1:{port}"), Signer("a", "b", "r"), tmp_path, now)
    try:
        await put(store, KEY, b"again and again")
    finally:
        await store.close()
        server.close()
    assert heard == [b"again and again"] * 3


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE"])
def test_a_signature_is_that_of_botocore(method: str) -> None:
    signer, at = Signer("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "cn-north-1"), now()
    payload = hashlib.sha256(b"bytes").hexdigest()
    ours = signer.sign(method, "s3.example.cn:9000", f"/evidence/county/{KEY}", payload, at)

    request = AWSRequest(
        method, f"https://s3.example.cn:9000/evidence/county/{KEY}", headers={"X-Amz-Content-SHA256": payload}
    )
    request.context["timestamp"] = ours["x-amz-date"]
    request.headers["X-Amz-Date"] = ours["x-amz-date"]
    theirs = S3SigV4Auth(Credentials(signer.access_key, signer.secret_key), "s3", signer.region)
    request.context["payload_signing_enabled"] = True
    text = theirs.string_to_sign(request, theirs.canonical_request(request))
    assert ours["authorization"].rpartition("=")[2] == theirs.signature(text, request)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://evidence", ("https", "s3.us-east-1.amazonaws.com", "/evidence/k")),
        ("s3://evidence/a/b/?region=cn-north-1", ("https", "s3.cn-north-1.amazonaws.com", "/evidence/a/b/k")),
        ("s3://evidence?endpoint=http://10.0.0.5:9000", ("http", "10.0.0.5:9000", "/evidence/k")),
        ("s3://evidence?endpoint=http://10.0.0.5:9000/", ("http", "10.0.0.5:9000", "/evidence/k")),
        (
            "s3://evidence/p?endpoint=https://oss-cn-beijing.aliyuncs.com&region=oss-cn-beijing&style=virtual",
            ("https", "evidence.oss-cn-beijing.aliyuncs.com", "/p/k"),
        ),
    ],
)
def test_an_address_says_where_objects_lie(url: str, place: tuple[str, str, str]) -> None:
    assert Bucket.parse(url).place("k") == place


@pytest.mark.parametrize(
    "url",
    ["s3://", "s3://E", "s3://evidence?style=other", "s3://evidence?endpoint=ftp://x",
     "s3://evidence?endpoint=http://user:pass@x", "s3://evidence/ä", "s3://evidence?regoin=x", "http://evidence"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Bucket.parse(url)
