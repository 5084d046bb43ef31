"""Attachments over HTTP: uploaded, hung on one thing, seen by whoever sees its item, downloaded in any part."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
import time_machine

from service.actions import collecting
from service.settings import Settings
from service.workflow.media import KINDS
from tests import evidence, invariants
from tests.api.helpers import NOBODY, VERIFIED, day, every_page, ok, read, refused
from tests.evidence import photo, upload
from tests.world import World

serial = itertools.count(1)
LIMIT = 50_000


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"attachment_max_bytes": LIMIT})


@pytest.fixture(scope="module")
async def village(world: World) -> httpx.AsyncClient:
    return await world.person("responsible", "t1v1")


@pytest.fixture(scope="module")
async def town(world: World) -> httpx.AsyncClient:
    return await world.person("supervisor", "t1")


def content_of(made: dict[str, Any]) -> str:
    return f"/v1/attachments/{made['id']}/content"


async def progress(client: httpx.AsyncClient, item: dict[str, Any], *ids: str) -> httpx.Response:
    body = {"text": "已更换主管道", "attachment_ids": ids}
    return await client.post(f"/v1/items/{item['id']}/progress", json=body)


async def hung(world: World, client: httpx.AsyncClient, content: bytes | None = None) -> tuple[Any, Any]:
    """An item, and what hangs on a progress entry of it."""
    item, made = await world.item(), await upload(client, content)
    ok(await progress(client, item, made["id"]), 201)
    return item, made


# -- uploading


async def test_what_was_uploaded_is_described_and_comes_back_as_it_was(village: httpx.AsyncClient) -> None:
    sent = photo()
    made = await upload(village, sent, "整改 后.jpg")
    assert made["sha256"] == hashlib.sha256(sent).hexdigest()
    assert (made["size"], made["media_type"], made["name"]) == (len(sent), "image/jpeg", "整改 后.jpg")
    assert made["item_id"] is made["hangs_on"] is made["attached_at"] is made["erased_at"] is None
    expires = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["uploaded_at"])
    assert expires == timedelta(hours=24)
    assert await read(village, f"/v1/attachments/{made['id']}") == made
    assert (await village.get(content_of(made))).content == sent


async def test_a_file_may_come_without_a_form(village: httpx.AsyncClient) -> None:
    sent = evidence.pdf()
    for media in ("application/octet-stream", "application/pdf", "image/png"):
        answer = await village.post(
            "/v1/attachments", params={"name": "验收单.pdf"}, content=sent, headers={"Content-Type": media}
        )
        made = ok(answer, 201)
        assert (made["media_type"], made["name"]) == ("application/pdf", "验收单.pdf")
        assert answer.headers["location"] == f"/v1/attachments/{made['id']}"
    nameless = await village.post("/v1/attachments", content=sent, headers={"Content-Type": "application/pdf"})
    assert ok(nameless, 201)["name"] is None


async def test_a_name_in_the_query_goes_before_that_of_the_form(village: httpx.AsyncClient) -> None:
    answer = await village.post("/v1/attachments", params={"name": "甲.jpg"}, files={"file": ("乙.jpg", photo())})
    assert ok(answer, 201)["name"] == "甲.jpg"


async def test_an_old_program_s_name_is_read_as_it_was_meant(village: httpx.AsyncClient) -> None:
    head = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + "整改.jpg".encode("gb18030") + b'"\r\n\r\n'
    )
    answer = await village.post(
        "/v1/attachments",
        content=head + photo() + b"\r\n--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert ok(answer, 201)["name"] == "整改.jpg"


async def test_the_same_bytes_give_a_new_id_and_are_stored_once(world: World, village: httpx.AsyncClient) -> None:
    sent, other = photo(), await world.person("responsible", "t2v1")
    made = [await upload(client, sent) for client in (village, village, other)]
    assert len({each["id"] for each in made}) == 3
    assert len({each["sha256"] for each in made}) == 1
    root = world.service.blobs.root  # type: ignore[attr-defined]
    assert len(list(root.rglob(f"{made[0]['sha256']}.*"))) == 1


BAD = [
    (b"<!doctype html><script>alert(1)</script>", "photo.jpg"),
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "photo.png"),
    (b"MZ\x90\x00" + bytes(100), "report.pdf"),
    (b"#!/bin/sh\nrm -rf /\n", "notes.txt"),
    (evidence.packed("run.exe"), "archive.docx"),
    ("整改说明".encode(), "说明.doc"),
]


@pytest.mark.parametrize(("sent", "name"), BAD)
async def test_what_is_no_evidence_is_refused_whatever_it_is_called(
    village: httpx.AsyncClient, sent: bytes, name: str
) -> None:
    answer = await village.post("/v1/attachments", files={"file": (name, sent, "image/jpeg")})
    problem = refused(answer, "unsupported_media_type")
    assert problem["accepted"] == list(KINDS)
    assert "照片" in problem["detail"]


async def test_a_document_with_macros_is_refused_and_told_so(village: httpx.AsyncClient) -> None:
    answer = await village.post("/v1/attachments", files={"file": ("a.docx", evidence.docx("word/vbaProject.bin"))})
    assert "宏" in refused(answer, "unsupported_media_type")["detail"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"files": {"photo": ("a.jpg", b"x")}}, ("/photo", "unknown_field")),
        ({"files": [("file", ("a.jpg", photo())), ("file", ("b.jpg", photo()))]}, ("/file", "repeated")),
        ({"files": {"file": ("a.jpg", b"")}}, ("/file", "too_short")),
        ({"files": {"file": (None, b"text")}}, ("/file", "wrong_type")),
        ({"data": {"note": "x"}, "files": {"file": ("a.jpg", photo())}}, ("/note", "unknown_field")),
    ],
)
async def test_a_form_that_is_not_one_file_is_refused(
    village: httpx.AsyncClient, form: dict[str, Any], error: tuple[str, str]
) -> None:
    refused(await village.post("/v1/attachments", **form), "invalid_request", error)


FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("body", "headers", "error"),
    [
        (b"", FORM, ("", "bad_format")),
        (b"--x--\r\n", FORM, ("/file", "missing")),
        (b"no form at all", FORM, ("", "bad_format")),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf', FORM, ("", "bad_format")),
        (b"--x\r\n" + b"a" * 70_000, FORM, ("", "bad_format")),
        (b"x", {"Content-Type": "multipart/form-data"}, ("", "bad_format")),
        (b"", {"Content-Type": "application/octet-stream"}, ("", "too_short")),
    ],
)
async def test_a_body_that_is_no_form_is_refused(
    village: httpx.AsyncClient, body: bytes, headers: dict[str, str], error: tuple[str, str]
) -> None:
    refused(await village.post("/v1/attachments", content=body, headers=headers), "invalid_request", error)


@pytest.mark.parametrize("media", ["application/json", "text/html", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_type_is_refused_by_its_head(village: httpx.AsyncClient, media: str) -> None:
    answer = await village.post("/v1/attachments", content=photo(), headers={"Content-Type": media})
    assert "multipart/form-data" in refused(answer, "unsupported_media_type")["detail"]


async def test_a_file_of_the_largest_size_is_taken_and_one_byte_more_is_not(village: httpx.AsyncClient) -> None:
    assert (await upload(village, photo(LIMIT)))["size"] == LIMIT
    large = photo(LIMIT + 1)
    for sent in ({"files": {"file": ("a.jpg", large)}}, {"content": large, "headers": {"Content-Type": "image/jpeg"}}):
        refused(await village.post("/v1/attachments", **sent), "payload_too_large", limit=LIMIT)


async def test_a_body_without_a_length_is_cut_off_where_it_is_too_large(village: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * LIMIT:
            sent += 10_000
            yield photo(10_000)

    answer = await village.post("/v1/attachments", content=endless(), headers={"Content-Type": "image/jpeg"})
    refused(answer, "payload_too_large", limit=LIMIT)
    assert sent <= LIMIT + 20_000


async def test_a_file_may_be_larger_than_other_bodies(world: World, village: httpx.AsyncClient) -> None:
    world.app.state.settings = world.app.state.settings.model_copy(update={"max_body_bytes": 1024})
    try:
        assert (await upload(village, photo(20_000)))["size"] == 20_000
    finally:
        world.app.state.settings = world.app.state.settings.model_copy(update={"max_body_bytes": 8_388_608})


async def test_nothing_is_left_of_what_was_refused(world: World, village: httpx.AsyncClient) -> None:
    await village.post("/v1/attachments", files={"file": ("a.jpg", photo(LIMIT + 1))})
    await village.post("/v1/attachments", files={"file": ("a.html", b"<html>")})
    root = world.service.blobs.root  # type: ignore[attr-defined]
    assert list((root / "incoming").iterdir()) == []


@pytest.mark.parametrize("role", ["viewer", "auditor"])
async def test_whoever_may_not_upload_is_told_so_before_the_body_is_read(world: World, role: str) -> None:
    client, asked = await world.person(role), False

    async def body() -> AsyncIterator[bytes]:
        nonlocal asked
        asked = True
        yield photo()

    answer = await client.post("/v1/attachments", content=body(), headers={"Content-Type": "image/jpeg"})
    refused(answer, "forbidden")
    assert not asked


# -- the same again


async def test_under_a_key_the_same_file_is_uploaded_once(village: httpx.AsyncClient) -> None:
    key, sent = {"Idempotency-Key": f"up-{next(serial)}"}, photo()
    first = await village.post("/v1/attachments", files={"file": ("甲.jpg", sent)}, headers=key)
    again = await village.post("/v1/attachments", files={"file": ("甲.jpg", sent)}, headers=key)
    assert ok(again, 201) == ok(first, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    for other in (("甲.jpg", photo()), ("乙.jpg", sent)):
        answer = await village.post("/v1/attachments", files={"file": other}, headers=key)
        refused(answer, "idempotency_key_reused")


async def test_at_once_under_a_key_it_is_uploaded_once(world: World, village: httpx.AsyncClient) -> None:
    key, sent = {"Idempotency-Key": f"up-{next(serial)}"}, photo()
    answers = await asyncio.gather(*(upload(village, sent, **key) for _ in range(5)))
    assert len({each["id"] for each in answers}) == 1


async def test_a_replay_is_told_only_to_whoever_may_still_see_it(world: World) -> None:
    mover = await world.person("responsible", "t1v1")
    key, sent = {"Idempotency-Key": f"up-{next(serial)}"}, photo()
    made = await upload(mover, sent, **key)
    item = await world.item()
    ok(await progress(mover, item, made["id"]), 201)
    ok(await world.fire(world.admin, item["id"], "transfer", responsible_unit="t2v1", reason="属地有误"))
    answer = await mover.post("/v1/attachments", files={"file": ("现场照片.jpg", sent)}, headers=key)
    refused(answer, "not_found")


async def test_a_key_that_is_none_is_refused_before_the_body_is_read(village: httpx.AsyncClient) -> None:
    answer = await village.post(
        "/v1/attachments", files={"file": ("a.html", b"<html>")}, headers={"Idempotency-Key": "x" * 300}
    )
    refused(answer, "invalid_request", ("/header/Idempotency-Key", "bad_format"))


# -- hanging


async def test_a_progress_entry_takes_attachments_and_its_event_vouches_for_them(
    world: World, village: httpx.AsyncClient
) -> None:
    item, made = await world.item(), [await upload(village), await upload(village, evidence.pdf(), "验收单.pdf")]
    ids = [each["id"] for each in made]
    entry = ok(await progress(village, item, *ids), 201)
    assert entry["attachment_ids"] == ids
    assert (await every_page(village, f"/v1/items/{item['id']}/progress"))[0]["attachment_ids"] == ids
    (event,) = [
        each
        for each in await every_page(village, f"/v1/items/{item['id']}/events")
        if each["type"] == "item.progressed"
    ]
    assert event["data"]["attachments"] == [
        {name: each[name] for name in ("id", "sha256", "size", "media_type")} for each in made
    ]
    assert event["data"]["attachment_names"] == {each["id"]: each["name"] for each in made}
    listed = await every_page(village, f"/v1/items/{item['id']}/attachments", limit=1)
    assert [each["id"] for each in listed] == ids
    for each in listed:
        assert (each["item_id"], each["hangs_on"], each["hangs_on_id"]) == (item["id"], "progress", entry["id"])
        assert each["expires_at"] is None and each["attached_at"] == entry["at"]


async def test_a_closure_and_a_review_take_them_too(
    world: World, village: httpx.AsyncClient, town: httpx.AsyncClient
) -> None:
    item = await world.item()
    ok(await world.fire(village, item["id"], "claim", signed_by="张伟"))
    made = await upload(village)
    body = {"kind": "closure", "summary": "已更换", "attachment_ids": [made["id"]]}
    asked = ok(await village.post(f"/v1/items/{item['id']}/requests", json=body), 201)
    assert asked["attachment_ids"] == [made["id"]]
    assert (await read(town, f"/v1/requests/{asked['id']}"))["attachment_ids"] == [made["id"]]
    assert (await read(town, f"/v1/attachments/{made['id']}"))["hangs_on_id"] == asked["id"]
    standing = await world.item(deadline={"kind": "standing"})
    made = await upload(town)
    body = {"on": day(0), "note": "记录完整", "attachment_ids": [made["id"]]}
    ok(await town.post(f"/v1/items/{standing['id']}/reviews", json=body))
    found = await read(village, f"/v1/attachments/{made['id']}")
    assert (found["hangs_on"], found["hangs_on_id"], found["item_id"]) == ("review", None, standing["id"])


async def test_extensions_and_transfers_take_none(world: World, village: httpx.AsyncClient) -> None:
    item, made = await world.item(), await upload(village)
    body = {"kind": "transfer", "reason": "职责不符", "attachment_ids": [made["id"]]}
    answer = await village.post(f"/v1/items/{item['id']}/requests", json=body)
    refused(answer, "invalid_request", ("/attachment_ids", "unknown_field"))


async def test_an_attachment_hangs_on_one_thing_only(world: World, village: httpx.AsyncClient) -> None:
    item, made = await hung(world, village)
    for there in (item, await world.item()):
        answer = await progress(village, there, (await upload(village))["id"], made["id"])
        refused(answer, "invalid_request", ("/attachment_ids/1", "already_attached"))


async def test_another_s_attachment_is_none(world: World, village: httpx.AsyncClient, town: httpx.AsyncClient) -> None:
    """Loose, or hung where the caller cannot see it: as if it were nowhere. Hung in sight: taken."""
    item, loose = await world.item(), await upload(town)
    far = await world.person("responsible", "t2v1")
    there, distant = await world.item(responsible_unit="t2v1"), await upload(far)
    ok(await progress(far, there, distant["id"]), 201)
    _, near = await hung(world, town)
    answer = await progress(village, item, loose["id"], distant["id"], NOBODY, near["id"])
    refused(
        answer, "invalid_request", ("/attachment_ids/0", "unknown_reference"),
        ("/attachment_ids/1", "unknown_reference"), ("/attachment_ids/2", "unknown_reference"),
        ("/attachment_ids/3", "already_attached"),
    )  # fmt: skip
    assert await every_page(village, f"/v1/items/{item['id']}/progress") == []


async def test_one_that_is_named_twice_or_too_many_are_refused(world: World, village: httpx.AsyncClient) -> None:
    item, made = await world.item(), await upload(village)
    refused(await progress(village, item, made["id"], made["id"]), "invalid_request", ("/attachment_ids", "repeated"))
    many = [f"00000000-0000-7000-8000-{number:012}" for number in range(21)]
    refused(await progress(village, item, *many), "invalid_request", ("/attachment_ids", "too_long"))


async def test_of_two_that_hang_the_same_at_once_one_is_refused(world: World, village: httpx.AsyncClient) -> None:
    for _ in range(5):
        made, items = await upload(village), [await world.item() for _ in range(4)]
        answers = await asyncio.gather(*(progress(village, item, made["id"]) for item in items))
        assert sorted(each.status_code for each in answers) == [201, 422, 422, 422]
        (first,) = [each.json() for each in answers if each.is_success]
        assert (await read(village, f"/v1/attachments/{made['id']}"))["hangs_on_id"] == first["id"]


# -- evidence


async def test_attachments_and_entries_are_counted_before_an_item_closes(
    world: World, village: httpx.AsyncClient, town: httpx.AsyncClient
) -> None:
    policy = {"closure": {"min_evidence": 4}}
    ledger = ok(
        await world.admin.post("/v1/ledgers", json={"code": f"ev{next(serial)}", "name": "台账", "policy": policy}), 201
    )
    item = await world.item(ledger=ledger["code"])
    ok(await world.fire(village, item["id"], "claim", signed_by="张伟"))

    async def missing(present: int) -> None:
        answer = await world.fire(town, item["id"], "close", verification=VERIFIED)
        refused(answer, "guard_refused", guard="evidence", needed=4, present=present)

    await missing(0)
    ok(await progress(village, item, (await upload(village))["id"], (await upload(village))["id"]), 201)
    await missing(3)
    body = {"kind": "closure", "summary": "已更换", "attachment_ids": [(await upload(village))["id"]]}
    asked = ok(await village.post(f"/v1/items/{item['id']}/requests", json=body), 201)
    decided = {"verdict": "approve", "verification": VERIFIED}
    ok(await town.post(f"/v1/requests/{asked['id']}/decision", json=decided))
    ok(await world.fire(town, item["id"], "reopen", due_on=day(20), reason="反弹"))
    ok(await world.fire(village, item["id"], "claim", signed_by="张伟"))
    await missing(0)


# -- who sees it


async def test_until_it_hangs_only_its_uploader_sees_it(
    world: World, village: httpx.AsyncClient, town: httpx.AsyncClient
) -> None:
    made = await upload(village)
    for client in (town, world.admin, await world.person("auditor"), await world.person("responsible", "t1v1")):
        refused(await client.get(f"/v1/attachments/{made['id']}"), "not_found")
        refused(await client.get(content_of(made)), "not_found")


async def test_once_it_hangs_whoever_sees_the_item_sees_it(
    world: World, village: httpx.AsyncClient, town: httpx.AsyncClient
) -> None:
    item, made = await hung(world, village)
    near = [village, town, world.admin, await world.person("viewer", "t1v1"), await world.person("auditor")]
    far = [await world.person("supervisor", "t2"), await world.person("viewer", "t1v2")]

    async def seen(*clients: httpx.AsyncClient) -> set[int]:
        urls = (f"/v1/attachments/{made['id']}", content_of(made), f"/v1/items/{item['id']}/attachments")
        return {(await client.get(url)).status_code for client in clients for url in urls}

    assert await seen(*near) == {200}
    assert await seen(*far) == {404}
    ok(await world.fire(world.admin, item["id"], "transfer", responsible_unit="t2v1", reason="属地有误"))
    assert await seen(far[0], world.admin) == {200}
    # The uploader's unit has nothing to do with it any more; the town may still decide.
    assert await seen(village, near[3]) == {404}


async def test_a_day_old_it_is_gone_unless_it_hangs(world: World, village: httpx.AsyncClient) -> None:
    loose, (item, kept) = await upload(village), await hung(world, village)
    late = datetime.now(UTC) + timedelta(hours=24, seconds=1)
    with time_machine.travel(late, tick=False):
        refused(await village.get(f"/v1/attachments/{loose['id']}"), "not_found")
        refused(
            await progress(village, item, loose["id"]), "invalid_request", ("/attachment_ids/0", "unknown_reference")
        )
        assert (await village.get(content_of(kept))).status_code == 200


# -- downloading

CONTENT = photo(1000)


@pytest.fixture(scope="module")
async def made(world: World, village: httpx.AsyncClient) -> dict[str, Any]:
    return (await hung(world, village, CONTENT))[1]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 100), ("bytes=100-199", 100, 200), ("bytes=990-", 990, 1000),
        ("bytes=-10", 990, 1000), ("bytes=-5000", 0, 1000), ("bytes=500-99999", 500, 1000), ("BYTES=0-0", 0, 1),
        ("bytes = 0 - 0", 0, 1), ("bytes=999-999", 999, 1000), (f"bytes=0-{'9' * 18}", 0, 1000),
    ],
)  # fmt: skip
async def test_a_range_is_answered_with_that_part(
    village: httpx.AsyncClient, made: dict[str, Any], asked: str, start: int, end: int
) -> None:
    answer = await village.get(content_of(made), headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1000"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "items=0-1", "bytes=5-2", "bytes=-", "bytes=a-b", "0-1", "bytes=0x1-2", "bytes=--1"]
)
async def test_what_is_no_single_range_gets_the_whole(
    village: httpx.AsyncClient, made: dict[str, Any], asked: str
) -> None:
    answer = await village.get(content_of(made), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=1000-1001", "bytes=-0", f"bytes={'9' * 18}-"])
async def test_a_range_beyond_the_end_is_refused(village: httpx.AsyncClient, made: dict[str, Any], asked: str) -> None:
    answer = await village.get(content_of(made), headers={"Range": asked})
    refused(answer, "range_not_satisfiable", size=1000)
    assert answer.headers["content-range"] == "bytes */1000"


async def test_a_part_is_sent_only_of_the_bytes_that_the_reader_has_begun(
    village: httpx.AsyncClient, made: dict[str, Any]
) -> None:
    etag = (await village.get(content_of(made))).headers["etag"]
    assert etag == f'"{made["sha256"]}"'
    for condition, status in (
        (etag, 206),
        ('"other"', 200),
        (f"W/{etag}", 200),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 200),
    ):
        answer = await village.get(content_of(made), headers={"Range": "bytes=0-9", "If-Range": condition})
        assert answer.status_code == status, condition


async def test_a_reader_who_has_the_bytes_is_not_sent_them(village: httpx.AsyncClient, made: dict[str, Any]) -> None:
    for known in (f'"{made["sha256"]}"', f'"other", W/"{made["sha256"]}"', "*"):
        answer = await village.get(content_of(made), headers={"If-None-Match": known, "Range": "bytes=0-9"})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == f'"{made["sha256"]}"'


async def test_a_head_says_the_same_and_sends_nothing(
    world: World, village: httpx.AsyncClient, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for headers in ({}, {"Range": "bytes=0-9"}):
        full = await village.get(content_of(made), headers=headers)

        async def never(*_: Any) -> Any:
            raise AssertionError("nobody reads the bytes")

        with monkeypatch.context() as patched:
            patched.setattr(world.service.blobs, "read", never)
            head = await village.head(content_of(made), headers=headers)
        assert (head.status_code, head.content) == (full.status_code, b"")
        varies = {"x-request-id", "date"}
        assert {k: v for k, v in head.headers.items() if k not in varies} == {
            k: v for k, v in full.headers.items() if k not in varies
        }


NAMES = [
    "现场照片.jpg", "a b.jpg", "semi;colon.jpg", "50%.jpg", "it's.jpg", "(1).jpg", "report.bat", "page.html", "",
    "naïve.jpg", "😀.jpg", "x" * 255,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_bytes_are_to_be_saved_and_never_shown(village: httpx.AsyncClient, name: str) -> None:
    answer = await village.post(
        "/v1/attachments",
        params={"name": name} if name else {},
        content=photo(),
        headers={"Content-Type": "image/jpeg"},
    )
    head = (await village.get(content_of(ok(answer, 201)))).headers
    assert head["content-type"] == "image/jpeg"
    assert head["x-content-type-options"] == "nosniff"
    assert head["content-security-policy"] == "sandbox; default-src 'none'"
    assert head["cache-control"] == "private, no-cache"
    assert head["accept-ranges"] == "bytes"
    plain, coded = head["content-disposition"].split("; filename*=UTF-8''")
    assert plain == 'attachment; filename="attachment.jpg"'
    assert coded.isascii() and not set(coded) & set("\"'; \\/()<>@,:?={}")
    said = unquote(coded)
    assert said.endswith(".jpg") and len(said.encode()) <= 255
    if name.endswith(".jpg"):
        assert said == name


@pytest.mark.parametrize("name", ["a\r\nX: 1", "a\x00", "\u2028", " ", "x" * 256])
async def test_a_name_that_is_no_line_is_refused_in_the_query(village: httpx.AsyncClient, name: str) -> None:
    answer = await village.post(
        "/v1/attachments", params={"name": name}, content=photo(), headers={"Content-Type": "image/jpeg"}
    )
    assert refused(answer, "invalid_request")["errors"][0]["pointer"] == "/query/name"


async def test_bytes_that_the_store_has_lost_are_an_accident_and_can_be_uploaded_again(
    world: World, village: httpx.AsyncClient
) -> None:
    sent = photo()
    _, made = await hung(world, village, sent)
    root = world.service.blobs.root  # type: ignore[attr-defined]
    (path,) = root.rglob(f"{made['sha256']}.*")
    path.unlink()
    assert (await village.get(content_of(made))).status_code == 500
    await upload(village, sent)
    assert (await village.get(content_of(made))).content == sent


# -- what is kept


async def test_nothing_contradicts_itself(world: World, settings: Settings) -> None:
    await collecting.collect(world.service, (await tenant_of(world)), datetime.now(UTC))
    assert await invariants.contradictions(settings) == []


async def tenant_of(world: World) -> Any:
    from uuid import UUID

    return UUID((await read(world.admin, "/v1/me"))["tenant_id"])
