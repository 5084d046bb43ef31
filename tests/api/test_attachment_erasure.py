"""Lawful erasure of files: bytes and names are gone at once, those of others stay, and every proof holds."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from service.actions import audit, collecting
from service.errors import Refused
from service.settings import Settings
from service.workers import sequencer
from tests import invariants
from tests.api.helpers import NOBODY, every_page, ok, read, refused
from tests.api.stored import places, stored
from tests.evidence import photo, upload
from tests.world import World


class Case:
    """An item with three files on one entry, and a second item with the bytes of the first of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.item: dict[str, Any] = {}
        self.other: dict[str, Any] = {}
        self.files: list[dict[str, Any]] = []
        self.contents = [photo() for _ in range(3)]
        self.clerk: httpx.AsyncClient

    @classmethod
    async def of(cls, world: World) -> "Case":
        case = cls(world)
        case.clerk = await world.person("responsible", "t1v1")
        case.item, case.other = await world.item(), await world.item()
        case.files = [await upload(case.clerk, each, f"证人{n}.jpg") for n, each in enumerate(case.contents)]
        await case._report(case.item, *case.files)
        await case._report(case.other, await upload(case.clerk, case.contents[0], "另一处.jpg"))
        return case

    async def _report(self, item: dict[str, Any], *files: dict[str, Any]) -> None:
        body = {"text": "见附件", "attachment_ids": [each["id"] for each in files]}
        ok(await self.clerk.post(f"/v1/items/{item['id']}/progress", json=body), 201)

    async def erase(self, *ids: str, **more: Any) -> httpx.Response:
        body = {"fields": ["attachments"], "reason": "当事人申请", "attachment_ids": ids, **more}
        return await self.world.admin.post(f"/v1/items/{self.item['id']}/redactions", json=body)

    async def content(self, number: int) -> httpx.Response:
        return await self.clerk.get(f"/v1/attachments/{self.files[number]['id']}/content")

    async def history(self) -> list[dict[str, Any]]:
        return await every_page(self.clerk, f"/v1/items/{self.item['id']}/events")


@pytest.fixture
async def case(world: World) -> Case:
    return await Case.of(world)


async def test_one_of_several_goes_and_the_others_stay(world: World, settings: Settings, case: Case) -> None:
    changed = ok(await case.erase(case.files[1]["id"]))
    assert changed["version"] == 3
    assert [(await case.content(number)).status_code for number in range(3)] == [200, 410, 200]
    refused(await case.content(1), "gone")
    gone = await read(case.clerk, f"/v1/attachments/{case.files[1]['id']}")
    assert gone["erased_at"] and gone["name"] is None
    assert (gone["sha256"], gone["size"]) == (case.files[1]["sha256"], case.files[1]["size"])
    entry, erased = (await case.history())[-2:]
    assert entry["data"]["attachment_names"] == {
        each["id"]: {"erased": True} if number == 1 else each["name"] for number, each in enumerate(case.files)
    }
    assert entry["data"]["attachments"][1]["sha256"] == case.files[1]["sha256"]
    assert erased["data"] == {
        "fields": ["attachments"], "reason": "当事人申请", "attachment_ids": [case.files[1]["id"]],
    }  # fmt: skip
    found = await stored(settings)
    assert places(found, "证人1.jpg") == set()
    assert places(found, "证人0.jpg") and places(found, "证人2.jpg")
    assert await invariants.contradictions(settings) == []


async def test_all_go_where_none_is_named_and_bytes_that_hang_elsewhere_stay_there(
    world: World, settings: Settings, case: Case
) -> None:
    ok(await case.erase())
    assert {(await case.content(number)).status_code for number in range(3)} == {410}
    (elsewhere,) = await every_page(case.clerk, f"/v1/items/{case.other['id']}/attachments")
    assert (await case.clerk.get(f"/v1/attachments/{elsewhere['id']}/content")).content == case.contents[0]
    root = world.service.blobs.root  # type: ignore[attr-defined]
    left = [len(list(root.rglob(f"{each['sha256']}.*"))) for each in case.files]
    assert left == [1, 0, 0]
    ok(await world.admin.post(
        f"/v1/items/{case.other['id']}/redactions", json={"fields": ["attachments"], "reason": "同一照片"}
    ))  # fmt: skip
    assert not list(root.rglob(f"{case.files[0]['sha256']}.*"))
    assert await invariants.contradictions(settings) == []


async def test_where_nothing_is_left_nothing_is_written(case: Case) -> None:
    first = ok(await case.erase())
    assert ok(await case.erase()) == first
    assert ok(await case.erase(case.files[0]["id"])) == first
    assert len(await case.history()) == 3


async def test_the_record_is_whole_and_the_digest_still_proves_a_copy(world: World, case: Case) -> None:
    await sequencer.run_until_done(world.service)
    ok(await case.erase())
    await sequencer.run_until_done(world.service)
    me = await read(world.admin, "/v1/me")
    _, faults = await audit.check(world.service, UUID(me["tenant_id"]))
    assert faults == []


async def test_evidence_that_was_there_counts_though_it_is_erased(case: Case) -> None:
    before = (await read(case.world.admin, f"/v1/items/{case.item['id']}"))["version"]
    ok(await case.erase())
    after = await read(case.world.admin, f"/v1/items/{case.item['id']}")
    assert after["version"] == before + 1
    (entry,) = await every_page(case.clerk, f"/v1/items/{case.item['id']}/progress")
    assert entry["attachment_ids"] == [each["id"] for each in case.files]


async def test_one_that_hangs_elsewhere_or_nowhere_is_refused(case: Case) -> None:
    (elsewhere,) = await every_page(case.clerk, f"/v1/items/{case.other['id']}/attachments")
    loose = await upload(case.clerk)
    answer = await case.erase(elsewhere["id"], case.files[0]["id"], loose["id"], NOBODY)
    refused(
        answer, "invalid_request", ("/attachment_ids/0", "unknown_reference"),
        ("/attachment_ids/2", "unknown_reference"), ("/attachment_ids/3", "unknown_reference"),
    )  # fmt: skip
    assert (await case.content(0)).status_code == 200


async def test_files_are_named_only_where_files_are_erased(case: Case) -> None:
    answer = await case.erase(case.files[0]["id"], fields=["progress"])
    refused(answer, "invalid_request", ("/attachment_ids", "needs_attachments"))


async def test_an_upload_that_was_answered_under_a_key_is_not_told_again(world: World, case: Case) -> None:
    key, content = {"Idempotency-Key": f"erased-{case.item['id']}"}, photo()
    made = await upload(case.clerk, content, "秘密.jpg", **key)
    await case._report(case.item, made)
    ok(await case.erase(made["id"]))
    again = await upload(case.clerk, content, "秘密.jpg", **key)
    assert again["id"] != made["id"], "it is another upload"


async def test_a_store_that_is_away_is_made_up_for_later(
    world: World, settings: Settings, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(key: str) -> None:
        raise Refused("unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(world.service.blobs, "delete", away)
        ok(await case.erase(case.files[2]["id"]))
    refused(await case.content(2), "gone")
    root = world.service.blobs.root  # type: ignore[attr-defined]
    assert list(root.rglob(f"{case.files[2]['sha256']}.*"))
    tenant_id = UUID((await read(world.admin, "/v1/me"))["tenant_id"])
    await collecting.collect(world.service, tenant_id, datetime.now(UTC) + timedelta(minutes=1))
    assert not list(root.rglob(f"{case.files[2]['sha256']}.*"))
