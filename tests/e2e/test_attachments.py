"""Attachments on a real server: killed while files come in, with files far larger than its memory may grow, and with a
bucket instead of a directory."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.composition import running
from service.settings import Settings
from service.workers import housekeeping
from tests import invariants
from tests.api.helpers import ok
from tests.bucket import bucket
from tests.evidence import JPEG, photo
from tests.servers import Server

LARGE = 100 * 1024 * 1024
GROWS_AT_MOST = 20 * 1024 * 1024


on_linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="no /proc to look at a process in")

on_one_database = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
"""The store of files is the same, whichever the database."""


def content_of(made: dict[str, Any]) -> str:
    return f"/v1/attachments/{made['id']}/content"


# -- killed


async def _keep_uploading(
    server: Server, contents: list[bytes], told: list[tuple[dict[str, Any], bytes]], one_more: asyncio.Semaphore
) -> None:
    """Until nobody answers. Few contents, so that several bring the same at once; each in slow pieces."""
    chance = random.Random(len(told))

    async def slowly(content: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(content), 50_000):
            await asyncio.sleep(chance.random() / 200)
            yield content[start : start + 50_000]

    async with server.client() as client:
        while True:
            content = chance.choice(contents)
            try:
                headers = {"Content-Type": "image/jpeg"}
                answer = await client.post("/v1/attachments", content=slowly(content), headers=headers)
            except httpx.TransportError:
                return
            told.append((ok(answer, 201), content))
            one_more.release()


async def test_what_was_acknowledged_survives_a_kill_and_what_was_not_leaves_nothing(
    server: Server, own_settings: Settings, full: bool
) -> None:
    root = own_settings.data_dir / "blobs"
    told: list[tuple[dict[str, Any], bytes]] = []
    torn = 0
    for round_ in range(20 if full else 2):
        server.start()
        contents = [photo(300_000) for _ in range(4)]
        one_more = asyncio.Semaphore(0)
        load = asyncio.gather(*(_keep_uploading(server, contents, told, one_more) for _ in range(6)))
        for _ in range(3 + round_):
            await one_more.acquire()
        # Not right behind an answer: perhaps nothing else is coming in by then.
        async with asyncio.timeout(60):
            while not list((root / "incoming").glob("in-*")):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        server.kill()
        await load
        torn += len(list((root / "incoming").glob("in-*")))
    assert torn, "no upload was under way when it was killed"

    server.start()
    async with server.client() as client:
        for made, content in told:
            assert (await client.get(content_of(made))).content == content
    server.kill()
    assert await invariants.contradictions(own_settings) == []

    # Two days later nothing of all this is left, half or whole, in the store or in the database.
    async with running(own_settings) as service:
        for days in (2, 4, 6):
            await housekeeping.run_once(service, datetime.now(UTC) + timedelta(days=days))
    assert [path for path in root.rglob("*") if path.is_file()] == []
    found = await invariants.everything(own_settings)
    assert (found["attachments"], found["blobs"]) == ([], [])
    assert [row["bytes"] for row in found["blob_uses"]] == [0]


# -- large


def peak(server: Server) -> int:
    """The most memory that the process has had since it was last reset, in bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def reset_peak(server: Server) -> int:
    assert server.process is not None
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    return peak(server)


async def _large() -> AsyncIterator[bytes]:
    yield JPEG.ljust(1024 * 1024, b"\x01")
    for number in range(1, LARGE // 1024 // 1024):
        yield bytes([number]) * (1024 * 1024)


@on_linux
@on_one_database
@pytest.mark.parametrize("form", [False, True], ids=["alone", "in a form"])
async def test_a_file_of_100_mb_comes_and_goes_in_little_memory(
    own_settings: Settings, tmp_path: Path, form: bool
) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="large.jpg"\r\n\r\n' if form else b""
    tail = b"\r\n--x--\r\n" if form else b""

    async def body() -> AsyncIterator[bytes]:
        yield head
        async for piece in _large():
            yield piece
        yield tail

    whole = hashlib.sha256()
    async for piece in _large():
        whole.update(piece)
    with Server(own_settings, tmp_path / "home", attachment_max_bytes=str(LARGE)) as server:
        media = "multipart/form-data; boundary=x" if form else "image/jpeg"
        async with server.client() as client:
            small = await client.post("/v1/attachments", content=photo(), headers={"Content-Type": "image/jpeg"})
            await client.get(content_of(ok(small, 201)))
            before = reset_peak(server)
            made = ok(await client.post("/v1/attachments", content=body(), headers={"Content-Type": media}), 201)
            uploaded = peak(server)
            assert (made["size"], made["sha256"]) == (LARGE, whole.hexdigest())
            received = hashlib.sha256()
            async with client.stream("GET", content_of(made)) as answer:
                assert answer.headers["content-length"] == str(LARGE)
                async for piece in answer.aiter_raw():
                    received.update(piece)
            assert received.digest() == whole.digest()
            part = await client.get(content_of(made), headers={"Range": f"bytes={LARGE - 10}-"})
            assert (part.status_code, part.content) == (206, bytes([LARGE // 1024 // 1024 - 1]) * 10)
            assert uploaded - before < GROWS_AT_MOST, f"grew by {(uploaded - before) >> 20} MiB as it came in"
            assert peak(server) - before < GROWS_AT_MOST, f"grew by {(peak(server) - before) >> 20} MiB as it went out"


@on_linux
@on_one_database
async def test_a_reader_who_hangs_up_holds_no_file_open(server: Server, own_settings: Settings) -> None:
    server.start()
    async with server.client() as client:
        sent = {"content": photo(20_000_000), "headers": {"Content-Type": "image/jpeg"}}
        made = ok(await client.post("/v1/attachments", **sent), 201)
        for _ in range(3):
            async with client.stream("GET", content_of(made)) as answer:
                async for _ in answer.aiter_raw():
                    break
        assert server.process is not None
        descriptors = Path(f"/proc/{server.process.pid}/fd")

        def held() -> list[str]:
            return [str(each.resolve()) for each in descriptors.iterdir() if made["sha256"] in str(each.resolve())]

        for _ in range(100):
            if not held():
                return
            await asyncio.sleep(0.1)
        assert held() == []


@on_one_database
async def test_a_body_that_is_refused_early_is_answered_though_it_is_large(server: Server) -> None:
    """The rest of it is read past: the answer reaches a client that sends before it reads."""
    server.start()
    async with server.client() as client:
        for headers, status in (({"Content-Type": "text/html"}, 415), ({"Content-Type": "image/jpeg"}, 413)):
            answer = await client.post("/v1/attachments", content=photo(60_000_000), headers=headers)
            assert answer.status_code == status
        assert (await client.get("/v1/me")).status_code == 200


# -- in a bucket


@on_one_database
async def test_a_bucket_serves_as_well(own_settings: Settings, tmp_path: Path) -> None:
    with bucket() as there:
        more = {
            "blobs_url": there.url, "blobs_access_key": there.access_key, "blobs_secret_key": there.secret_key,
        }  # fmt: skip
        with Server(own_settings, tmp_path / "home", **more) as server:
            async with server.client() as client:
                content = photo(3_000_000)
                files = {"file": ("整改后.jpg", content)}
                made, again = [ok(await client.post("/v1/attachments", files=files), 201) for _ in range(2)]
                assert made["sha256"] == again["sha256"] and len(there.keys()) == 1
                assert made["sha256"] in there.keys()[0] and there.keys()[0].startswith("county/")
                assert (await client.get(content_of(made))).content == content
                part = await client.get(content_of(made), headers={"Range": "bytes=2999990-"})
                assert (part.status_code, part.content) == (206, content[-10:])
                body = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "root"}
                item = ok(await client.post("/v1/items", json=body), 201)["id"]
                for each in (made, again):
                    entry = {"text": "见附件", "attachment_ids": [each["id"]]}
                    ok(await client.post(f"/v1/items/{item}/progress", json=entry), 201)
                order = {"fields": ["attachments"], "reason": "当事人申请"}
                ok(await client.post(f"/v1/items/{item}/redactions", json=order))
                assert (await client.get(content_of(made))).status_code == 410
                assert there.keys() == []
            assert list((own_settings.data_dir / "incoming").iterdir()) == []
            assert there.secret_key not in server.log
    assert await invariants.contradictions(own_settings) == []
