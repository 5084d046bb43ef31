"""Evidence on the console: files that come with a form hang on what it makes, and are handed out to be saved."""

from typing import Any
from urllib.parse import unquote

import pytest

from service.settings import Settings
from tests.api.helpers import day, every_page, ok, read
from tests.console.desk import ORIGIN
from tests.evidence import photo

LIMIT = 50_000
NASTY = "\"><img src=x onerror=alert(1)>'.jpg"


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"attachment_max_bytes": LIMIT})


async def claimed(world, people) -> str:
    item = await world.item(due_on=day(20))
    ok(await world.fire(people.village.api, item["id"], "claim", signed_by="李明"))
    return item["id"]


async def hung(seat, item_id: str) -> list[Any]:
    return await every_page(seat.api, f"/v1/items/{item_id}/attachments")


async def test_photos_come_with_a_progress_report(world, people):
    item_id = await claimed(world, people)
    files = [("现场照片.jpg", photo()), ("整改后.jpg", photo())]
    page = await people.village.desk.do(f"/console/items/{item_id}", "progress", files, text="已更换管道", percent="60")
    assert "进展已填报。" in page.text and "现场照片.jpg" in page.text and "本轮佐证3项" in page.text
    told = await hung(people.village, item_id)
    assert [each["name"] for each in told] == ["现场照片.jpg", "整改后.jpg"]
    entry = (await read(people.village.api, f"/v1/items/{item_id}/progress"))["items"][0]
    assert {each["hangs_on_id"] for each in told} == {entry["id"]}
    assert "附件 现场照片.jpg、整改后.jpg" in page.text
    for each, (name, content) in zip(told, files, strict=True):
        assert f"/console/attachments/{each['id']}" in page.links
        answer = await people.supervisor.desk.client.get(f"/console/attachments/{each['id']}")
        assert answer.status_code == 200 and answer.content == content
        assert answer.headers["content-type"] == "image/jpeg" and answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        kept = answer.headers["content-disposition"]
        assert kept.startswith("attachment; ") and unquote(kept.partition("UTF-8''")[2]) == name


async def test_a_closure_shows_its_evidence_to_who_decides(world, people):
    item_id = await claimed(world, people)
    page = await people.village.desk.do(
        f"/console/items/{item_id}", "request-closure", [("验收单.jpg", photo())], summary="完工"
    )
    assert "销号申请已提交。" in page.text
    asked = (await read(people.supervisor.api, f"/v1/items/{item_id}/requests"))["items"][0]
    assert "验收单.jpg" in (await people.supervisor.desk.read(f"/console/requests/{asked['id']}")).text


async def test_a_name_stays_text(world, people):
    item_id = await claimed(world, people)
    page = await people.village.desk.do(f"/console/items/{item_id}", "progress", [(NASTY, photo())], text="看名字")
    assert not [tag for tag, given in page.tags if tag == "img" or "onerror" in given]
    (each,) = await hung(people.village, item_id)
    assert each["name"] in page.text


async def test_no_file_is_none(world, people):
    item_id = await claimed(world, people)
    page = await people.village.desk.do(f"/console/items/{item_id}", "progress", text="没有照片")
    assert "进展已填报。" in page.text and await hung(people.village, item_id) == []


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ([("说明.html", b"<!doctype html><script>alert(1)</script>")], 415, "未能办理"),
        ([("照片.jpg", b"no picture at all")], 415, "未能办理"),
        ([("照片.jpg", photo()), ("木马.exe", b"MZ" + b"\0" * 100)], 415, "未能办理"),
        ([(f"{number}.jpg", photo()) for number in range(21)], 422, "太长"),
    ],
    ids=["page", "no picture", "program", "too many"],
)
async def test_what_is_no_evidence_is_refused_and_nothing_reported(world, people, files, status, words):
    item_id = await claimed(world, people)
    page = await people.village.desk.do(f"/console/items/{item_id}", "progress", files, text="写了很久的进展")
    assert page.status == status and words in page.text
    assert page.form("progress").values["text"] == ["写了很久的进展"]
    assert await hung(people.village, item_id) == []
    assert (await read(people.village.api, f"/v1/items/{item_id}/progress"))["items"] == []


async def test_together_they_are_as_large_as_one_may_be(world, people):
    item_id = await claimed(world, people)
    big = photo() + b"\0" * (LIMIT - 5_000)
    page = await people.village.desk.do(f"/console/items/{item_id}", "progress", [("大.jpg", big)], text="正好")
    assert "进展已填报。" in page.text
    more = photo() + b"\0" * (LIMIT + 600_000)
    page = await people.village.desk.do(f"/console/items/{item_id}", "progress", [("大.jpg", more)], text="太大")
    assert page.status == 413
    assert len(await hung(people.village, item_id)) == 1


async def test_the_same_form_twice_hangs_its_files_once(world, people):
    item_id = await claimed(world, people)
    form = (await people.village.desk.read(f"/console/items/{item_id}")).form("progress")
    files = [("照片.jpg", photo())]
    for _ in range(2):
        assert (await people.village.desk.send(form, files, text="只报一次")).status == 200
    assert len(await hung(people.village, item_id)) == 1
    page = await people.village.desk.send(form, [("照片.jpg", photo())], text="只报一次")
    assert page.status == 422


async def test_another_page_cannot_send_files(world, people):
    item_id = await claimed(world, people)
    form = (await people.village.desk.read(f"/console/items/{item_id}")).form("progress")
    files = [("attachment_ids", ("照片.jpg", photo()))]
    for headers in ({"Origin": "https://evil.example"}, {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}):
        answer = await people.village.desk.client.post(
            form.action, data={**form.values, "text": ["x"]}, files=files, headers=headers
        )
        assert answer.status_code == 403
    answer = await people.village.desk.client.post(form.action, data={"text": "x", "token": "y"}, files=files)
    assert answer.status_code == 403
    assert await hung(people.village, item_id) == []


async def test_a_file_is_seen_as_its_item_is(world, people):
    item = await world.item(responsible_unit="t2v1")
    page = await people.admin.desk.do(
        f"/console/items/{item['id']}", "progress", [("照片.jpg", photo())], text="二镇的照片"
    )
    (each,) = await hung(people.admin, item["id"])
    assert f"/console/attachments/{each['id']}" in page.links
    assert (await people.village.desk.read(f"/console/attachments/{each['id']}")).status == 404
    assert (await people.viewer.desk.client.get(f"/console/attachments/{each['id']}")).status_code == 200
    answer = await world.with_key(None).get(f"/console/attachments/{each['id']}")
    assert answer.status_code == 303


async def test_what_was_erased_is_gone(world, people):
    item_id = await claimed(world, people)
    await people.village.desk.do(f"/console/items/{item_id}", "progress", [("张三身份证.jpg", photo())], text="误传")
    (each,) = await hung(people.village, item_id)
    body = {"fields": ["attachments"], "reason": "误传个人证件"}
    ok(await people.admin.api.post(f"/v1/items/{item_id}/redactions", json=body))
    page = await people.village.desk.read(f"/console/items/{item_id}")
    assert "张三身份证" not in page.answer.text and "（已依法删除）" in page.text
    assert (await people.village.desk.read(f"/console/attachments/{each['id']}")).status == 410
