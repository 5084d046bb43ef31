"""Bytes that nothing refers to are given up, and none that something is about to refer to, whoever is how slow."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.actions import collecting
from service.settings import Settings
from service.workers import housekeeping
from tests import invariants
from tests.api.helpers import ok, read, refused
from tests.evidence import photo, upload
from tests.world import World

serial = itertools.count(1)
DAY = timedelta(hours=24)
LATER = timedelta(hours=25)
"""By then every claim that was made now has run out."""


@pytest.fixture(scope="module")
async def tenant_id(world: World) -> UUID:
    return UUID((await read(world.admin, "/v1/me"))["tenant_id"])


@pytest.fixture(scope="module")
async def village(world: World) -> httpx.AsyncClient:
    return await world.person("responsible", "t1v1")


@pytest.fixture
def root(world: World) -> Path:
    return world.service.blobs.root  # type: ignore[attr-defined, no-any-return]


def now() -> datetime:
    return datetime.now(UTC)


async def send(client: httpx.AsyncClient, content: bytes) -> httpx.Response:
    return await client.post("/v1/attachments", files={"file": ("照片.jpg", content)})


async def content_of(client: httpx.AsyncClient, made: dict[str, Any]) -> httpx.Response:
    return await client.get(f"/v1/attachments/{made['id']}/content")


def lying(root: Path, made: dict[str, Any]) -> list[Path]:
    """The files that hold the bytes of an attachment, or held them."""
    return list(root.rglob(f"{made['sha256']}.*"))


async def hang(world: World, client: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    item = await world.item()
    body = {"text": "见附件", "attachment_ids": [made["id"]]}
    ok(await client.post(f"/v1/items/{item['id']}/progress", json=body), 201)
    return item


async def erase(world: World, item: dict[str, Any]) -> httpx.Response:
    body = {"fields": ["attachments"], "reason": "申请"}
    return await world.admin.post(f"/v1/items/{item['id']}/redactions", json=body)


async def dead(settings: Settings, sha256: str) -> list[bool]:
    """Of every blob with this digest whether it is dead."""
    found = await invariants.everything(settings)
    return [row["dead_since"] is not None for row in found["blobs"] if row["sha256"] == sha256]


# -- what goes, and when


async def test_what_hung_nowhere_for_a_day_goes_with_its_bytes_and_its_answer(
    world: World, settings: Settings, tenant_id: UUID, village: httpx.AsyncClient, root: Path
) -> None:
    key = {"Idempotency-Key": f"loose-{next(serial)}"}
    content = photo()
    loose, kept = await upload(village, content, **key), await upload(village)
    await hang(world, village, kept)
    await collecting.collect(world.service, tenant_id, now() + DAY - timedelta(minutes=1))
    assert (await content_of(village, loose)).status_code == 200
    await collecting.collect(world.service, tenant_id, now() + DAY)
    refused(await content_of(village, loose), "not_found")
    assert lying(root, loose) == []
    assert (await content_of(village, kept)).status_code == 200
    again = await upload(village, content, **key)
    assert again["id"] != loose["id"]
    assert await invariants.contradictions(settings) == []


async def test_bytes_stay_as_long_as_one_attachment_has_them(
    world: World, tenant_id: UUID, village: httpx.AsyncClient, root: Path
) -> None:
    content = photo()
    one, other = await upload(village, content), await upload(village, content)
    item = await hang(world, village, one)
    await collecting.collect(world.service, tenant_id, now() + LATER)
    refused(await content_of(village, other), "not_found")
    assert (await content_of(village, one)).content == content
    ok(await erase(world, item))
    assert lying(root, one) == []


async def test_a_dead_blob_s_row_is_buried_a_day_later(
    world: World, settings: Settings, tenant_id: UUID, village: httpx.AsyncClient
) -> None:
    made = await upload(village)
    died = now() + LATER
    await collecting.collect(world.service, tenant_id, died)
    assert await dead(settings, made["sha256"]) == [True]
    await collecting.collect(world.service, tenant_id, died + DAY)
    assert await dead(settings, made["sha256"]) == [True]
    await collecting.collect(world.service, tenant_id, died + LATER)
    assert await dead(settings, made["sha256"]) == []


async def test_the_housekeeping_does_it_for_every_tenant(world: World, root: Path) -> None:
    other = await world.tenant(f"other{next(serial)}")
    made = [await upload(world.admin), await upload(other)]
    left = root / "incoming" / "in-killed"
    left.write_bytes(b"half")
    await housekeeping.run_once(world.service, now() + LATER)
    assert [lying(root, each) for each in made] == [[], []]
    assert not left.exists()


async def test_equal_bytes_of_two_tenants_have_nothing_to_do_with_each_other(
    world: World, village: httpx.AsyncClient, tenant_id: UUID, root: Path
) -> None:
    other, content = await world.tenant(f"other{next(serial)}"), photo()
    own, foreign = await upload(village, content), await upload(other, content)
    assert len(lying(root, own)) == 2
    refused(await content_of(other, own), "not_found")
    await collecting.collect(world.service, tenant_id, now() + LATER)
    assert (await content_of(other, foreign)).content == content
    refused(await content_of(village, own), "not_found")


# -- the quota


async def test_a_quota_is_kept_to_the_byte_however_many_come_at_once(
    world: World, village: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.tenant(f"quota{next(serial)}")
    tenant = UUID((await read(admin, "/v1/me"))["tenant_id"])
    monkeypatch.setattr(world.service, "attachment_quota", 5 * 1000 + 999)
    contents = [photo(1000) for _ in range(12)]
    answers = await asyncio.gather(*(send(admin, each) for each in contents))
    assert sorted(each.status_code for each in answers) == [201] * 5 + [413] * 7
    for answer in answers:
        if not answer.is_success:
            refused(answer, "quota_exceeded", quota=5999, used=5000, size=1000)
    known = next(content for content, answer in zip(contents, answers, strict=True) if answer.is_success)
    ok(await send(admin, known), 201)
    ok(await send(admin, photo(999)), 201)
    refused(await send(admin, photo(400)), "quota_exceeded")
    ok(await send(village, photo(4000)), 201)
    await collecting.collect(world.service, tenant, now() + LATER)
    ok(await send(admin, photo(5999)), 201)


async def test_many_who_bring_the_same_bytes_at_once_store_and_count_them_once(
    world: World, settings: Settings, village: httpx.AsyncClient, root: Path
) -> None:
    for _ in range(5):
        content = photo(5000)
        answers = await asyncio.gather(*(send(village, content) for _ in range(8)))
        assert [each.status_code for each in answers] == [201] * 8
        assert len(lying(root, answers[0].json())) == 1
    assert await invariants.contradictions(settings) == []


# -- one who is slow


class Held:
    """A call of the store that waits on its way in or out until it is let go on."""

    def __init__(self, call: Callable[..., Awaitable[Any]], *, after: bool) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._call, self._after, self._used = call, after, False

    async def __call__(self, *given: Any) -> Any:
        if self._used:
            return await self._call(*given)
        self._used = True
        if self._after:
            await self._call(*given)
        self.reached.set()
        await self.go_on.wait()
        return None if self._after else await self._call(*given)


@pytest.mark.parametrize("after", [False, True], ids=["before its bytes are put", "before it is recorded"])
async def test_an_upload_that_is_overtaken_by_its_own_claim_is_refused_and_leaves_nothing(
    world: World, settings: Settings, tenant_id: UUID, village: httpx.AsyncClient, root: Path,
    monkeypatch: pytest.MonkeyPatch, after: bool,
) -> None:  # fmt: skip
    held, content = Held(world.service.blobs.put, after=after), photo()
    monkeypatch.setattr(world.service.blobs, "put", held)
    slow = asyncio.create_task(send(village, content))
    await held.reached.wait()
    await collecting.give_up(world.service, tenant_id, now())
    assert await collecting.give_up(world.service, tenant_id, now() + LATER) >= 1
    held.go_on.set()
    refused(await slow, "unavailable")
    made = await upload(village, content)
    assert (await content_of(village, made)).content == content
    # Its late bytes are found by the next look, because the dead blob's row is still there.
    await collecting.give_up(world.service, tenant_id, now() + timedelta(minutes=1))
    assert len(lying(root, made)) == 1
    assert (await content_of(village, made)).content == content
    assert await invariants.contradictions(settings) == []


async def test_a_claim_keeps_bytes_from_being_given_up_while_their_last_attachment_goes(
    world: World, tenant_id: UUID, village: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = photo()
    first = await upload(village, content)
    item = await hang(world, village, first)
    held = Held(world.service.blobs.holds, after=False)
    monkeypatch.setattr(world.service.blobs, "holds", held)
    second = asyncio.create_task(send(village, content))
    await held.reached.wait()
    ok(await erase(world, item))
    held.go_on.set()
    answer = await second
    if answer.status_code == 503:  # The erasure was first and took the bytes: then nothing was promised.
        answer = await send(village, content)
    assert (await content_of(village, ok(answer, 201))).content == content


async def test_a_deletion_that_is_slow_does_not_hit_the_same_bytes_that_came_again(
    world: World, settings: Settings, tenant_id: UUID, village: httpx.AsyncClient, root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    content = photo()
    item = await hang(world, village, await upload(village, content))
    held = Held(world.service.blobs.delete, after=False)
    monkeypatch.setattr(world.service.blobs, "delete", held)
    erasing = asyncio.create_task(erase(world, item))
    await held.reached.wait()
    made = await upload(village, content)
    await hang(world, village, made)
    assert len(lying(root, made)) == 2
    held.go_on.set()
    ok(await erasing)
    assert len(lying(root, made)) == 1
    assert (await content_of(village, made)).content == content
    assert await invariants.contradictions(settings) == []


async def test_a_look_that_still_saw_an_attachment_does_not_forget_that_it_went(
    world: World, tenant_id: UUID, village: httpx.AsyncClient, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading of a look and its writing the last attachment is released: the blob is looked at again."""
    content = photo()
    one, other = await upload(village, content), await upload(village, content)
    items = [await hang(world, village, each) for each in (one, other)]
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "give_up", _nothing)
        ok(await erase(world, items[0]))
    held = Held(collecting._judge, after=False)
    monkeypatch.setattr(collecting, "_judge", held)
    looking = asyncio.create_task(collecting.give_up(world.service, tenant_id, now()))
    await held.reached.wait()
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "give_up", _nothing)
        ok(await erase(world, items[1]))
    held.go_on.set()
    await looking
    await collecting.give_up(world.service, tenant_id, now())
    assert lying(root, one) == []


async def test_a_look_that_saw_no_attachment_yet_takes_nothing_from_one_that_was_recorded_since(
    world: World, settings: Settings, tenant_id: UUID, village: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It read a blob whose claim had run out, and writes after the upload was acknowledged."""
    content = photo()
    uploading, looking = Held(world.service.blobs.put, after=True), Held(collecting._judge, after=False)
    monkeypatch.setattr(world.service.blobs, "put", uploading)
    monkeypatch.setattr(collecting, "_judge", looking)
    upload_ = asyncio.create_task(send(village, content))
    await uploading.reached.wait()
    look = asyncio.create_task(collecting.give_up(world.service, tenant_id, now() + LATER))
    await looking.reached.wait()
    uploading.go_on.set()
    made = ok(await upload_, 201)
    looking.go_on.set()
    await look
    assert (await content_of(village, made)).content == content
    assert await invariants.contradictions(settings) == []


async def _nothing(*_: Any) -> int:
    return 0


async def test_uploads_and_looks_in_any_order_lose_nothing_that_was_acknowledged(
    world: World, settings: Settings, tenant_id: UUID, village: httpx.AsyncClient, root: Path, full: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Looks that take every claim for ended, erasures, and uploads of few contents, all at once; the disk is slow."""
    put = world.service.blobs.put

    async def slowly(*given: Any) -> None:
        await asyncio.sleep(chance.random() / 50)
        if acknowledged and chance.random() < 0.2:
            # Otherwise it would be left to the machine whether any upload is overtaken.
            await collecting.give_up(world.service, tenant_id, now() + LATER)
        await put(*given)
        await asyncio.sleep(chance.random() / 50)

    async def look() -> None:
        await asyncio.sleep(chance.random() / 30)
        await collecting.give_up(world.service, tenant_id, now() + LATER)

    monkeypatch.setattr(world.service.blobs, "put", slowly)
    chance, contents = random.Random(20261128), [photo(3000) for _ in range(3)]
    acknowledged: list[tuple[dict[str, Any], bytes]] = []
    answered: Counter[int] = Counter()
    for _ in range(100 if full else 15):
        # The third content is new each time: its blob is claimed and not stored yet.
        contents[2] = photo(3000)
        tasks: list[Awaitable[Any]] = []
        sent = [chance.choice(contents) for _ in range(6)]
        tasks += [send(village, each) for each in sent]
        # As long as nothing is acknowledged nobody looks, so that something is.
        tasks += [look() for _ in range(3 if acknowledged else 0)]
        if acknowledged and chance.random() < 0.7:
            made, _ = acknowledged.pop(chance.randrange(len(acknowledged)))
            tasks.append(erase(world, await hang(world, village, made)))
        answers = await asyncio.gather(*tasks)
        for answer, content in zip(answers[:6], sent, strict=True):
            answered[answer.status_code] += 1
            if answer.is_success:
                acknowledged.append((answer.json(), content))
            else:
                refused(answer, "unavailable")
        for made, content in acknowledged:
            assert (await content_of(village, made)).content == content
    assert answered[201] and answered[503], answered
    assert await invariants.contradictions(settings) == []
    await collecting.collect(world.service, tenant_id, now() + 3 * DAY)
    await collecting.collect(world.service, tenant_id, now() + 6 * DAY)
    found = await invariants.everything(settings)
    rows = {f"{row['sha256']}.{row['id'].hex}" for row in found["blobs"] if row["tenant_id"] == tenant_id}
    assert {path.name for path in (root / str(tenant_id)).rglob("*") if path.is_file()} == rows
