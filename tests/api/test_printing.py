"""Printed notices and records over HTTP: what stands in them, for whom, and what is refused."""

import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from docx import Document
from pypdf import PdfReader

from service.outside import letter_pdf, letters
from service.outside.letters import Letters
from service.workers import sequencer
from service.workflow.notice_letters import TITLES
from tests.api.helpers import NOBODY, VERIFIED, day, ok, read, refused
from tests.world import World

CONTACT = "刘大娘 13800000000"
PDF, DOCX = "application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture(scope="session")
def fonts() -> bool:
    return Letters().can_print()


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u200b\xad]+", "", text)


def docx_text(content: bytes) -> str:
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return squeezed("\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells]))


def without_fonts(tmp_path: Path) -> Path:
    """The real program, on a machine that has no fonts but those that the compiler brings."""
    alone = tmp_path / "letter_pdf.py"
    source = Path(letter_pdf.__file__).read_text()
    alone.write_text(source.replace("typst.Fonts(", "typst.Fonts(include_system_fonts=False, "))
    return alone


async def printed(client: httpx.AsyncClient, path: str, fonts: bool) -> list[str]:
    """What stands in the .docx and in the PDF; on a machine without a font the PDF is refused for want of it."""
    answer = await client.get(f"{path}.docx")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == DOCX and "filename*=UTF-8''" in answer.headers["content-disposition"]
    texts = [docx_text(answer.content)]
    answer = await client.get(f"{path}.pdf")
    if fonts:
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == PDF
        texts.append(squeezed("".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)))
    else:
        assert "fonts-noto-cjk" in refused(answer, "printing_unavailable")["detail"]
    return texts


async def issued(world: World, *items: dict[str, Any], kind: str = "supervision", **given: Any) -> dict[str, Any]:
    body = {"kind": kind, "unit": "t1v1", "item_ids": [item["id"] for item in items], **given}
    made: dict[str, Any] = ok(await world.admin.post("/v1/notices", json=body), 201)
    return made


@pytest.mark.parametrize("sort", ["reminder", "urging", "supervision", "warning", "circular"])
async def test_every_kind_by_hand_says_what_it_must(world: World, fonts: bool, sort: str) -> None:
    item = await world.item(title=f"管网漏损{sort}", responsible_person="张伟", due_on=day(9))
    notice = await issued(
        world, item, kind=sort, text="请{reply_by}前回填。\n{{ 7*7 }}", copy_unit_ids=[world.units["d1"]]
    )
    for text in await printed(world.admin, f"/v1/notices/{notice['id']}", fonts):
        assert TITLES[sort] in text and item["title"] in text and item["number"] in text
        assert "请{reply_by}前回填。" in text and "{{7*7}}" in text, "an office's words are not a template"
        assert "县水利局" in text and "一镇一村" in text and day(9) in text and "张伟" in text
        assert (notice["number"] or "督〔") in text or sort == "reminder"
        assert "草稿" not in text and "已撤销" not in text and "节录" not in text


async def test_an_interview_s_notice_says_when_and_where(world: World, fonts: bool) -> None:
    item = await world.item()
    await world.fire(world.admin, item["id"], "escalate", reason="多次催办未动")
    interview_id = (await read(world.admin, f"/v1/items/{item['id']}"))["interview_id"]
    (notice,) = (await read(world.admin, "/v1/notices", item_id=item["id"], kind="interview"))["items"]
    path = f"/v1/notices/{notice['id']}"
    for text in await printed(world.admin, path, fonts):
        assert TITLES["interview"] in text and "另行通知" in text and notice["number"] in text
    ok(
        await world.admin.post(
            f"/v1/interviews/{interview_id}/schedule", json={"at": f"{day(3)}T01:30:00Z", "place": "县督查室"}
        )
    )
    for text in await printed(world.admin, path, fonts):
        assert "09:30，地点：县督查室" in text and "另行通知" not in text


async def test_a_receipt_a_cancellation_and_a_draft_are_seen(world: World, fonts: bool) -> None:
    notice = await issued(world, await world.item())
    path = f"/v1/notices/{notice['id']}"
    responsible = await world.person("responsible", "t1v1")
    ok(await responsible.post(f"{path}/receipt", json={"signed_by": "李明亮"}))
    for text in await printed(responsible, path, fonts):
        assert "李明亮" in text and "签收回执" in text
    ok(await world.admin.post(f"{path}/cancel", json={"reason": "该单位已办结"}))
    for text in await printed(world.admin, path, fonts):
        assert "已撤销" in text and "该单位已办结" in text and notice["number"] in text


async def test_a_letter_does_not_change_with_the_deadline(world: World, fonts: bool) -> None:
    item = await world.item(due_on=day(5))
    ok(await world.fire(await world.person("responsible", "t1v1"), item["id"], "claim", signed_by="张伟"))
    notice = await issued(world, item)
    ok(await world.fire(world.admin, item["id"], "extend", due_on=day(25), reason="汛期"))
    ok(await world.fire(world.admin, item["id"], "extend", due_on=day(35), reason="汛期"))
    for text in await printed(world.admin, f"/v1/notices/{notice['id']}", fonts):
        assert day(5) in text and day(25) not in text and day(35) not in text
    for text in await printed(world.admin, f"/v1/notices/{(await issued(world, item))['id']}", fonts):
        assert day(35) in text


async def test_who_sees_one_of_its_items_gets_an_excerpt(world: World, fonts: bool) -> None:
    mine, other = await world.item(co_units=["t2v1"], title="公用水塔漏水"), await world.item(title="私家院墙外排水")
    notice = await issued(world, mine, other)
    village = await world.person("viewer", "t2v1")
    for text in await printed(village, f"/v1/notices/{notice['id']}", fonts):
        assert "公用水塔漏水" in text and "私家院墙外排水" not in text
        assert "节录" in text and "共2项" in text
    stranger = await world.person("viewer", "t2")
    other_notice = await issued(world, await world.item())
    for suffix in (".pdf", ".docx"):
        refused(await stranger.get(f"/v1/notices/{other_notice['id']}{suffix}"), "not_found")
        refused(await world.admin.get(f"/v1/notices/{NOBODY}{suffix}"), "not_found")
        refused(await world.admin.get(f"/v1/notices/x{suffix}"), "invalid_request")


async def test_a_record_has_everything_that_happened(world: World, fonts: bool) -> None:
    item = await world.item(
        title="饮水管网漏损", description="三组\n高峰期无水 <b>&amp;</b> {{ 7*7 }} #pagebreak()", severity="serious",
        source={"kind": "petition", "contact": CONTACT}, co_units=["d1"], measures="更换管道",
    )  # fmt: skip
    responsible = await world.person("responsible", "t1v1")
    ok(await world.fire(responsible, item["id"], "claim", signed_by="张伟"))
    ok(await responsible.post(f"/v1/items/{item['id']}/progress", json={"text": "已开工", "percent": 40}), 201)
    notice = await issued(world, item, text="限期整改。")
    ok(await world.fire(world.admin, item["id"], "extend", due_on=day(60), reason="汛期无法施工"))
    ok(await world.fire(world.admin, item["id"], "transfer", responsible_unit="t2v1", reason="属地有误"))
    ok(await world.fire(await world.person("responsible", "t2v1"), item["id"], "claim", signed_by="赵强"))
    ok(await world.fire(world.admin, item["id"], "close", verification=VERIFIED))
    await sequencer.run_until_done(world.service)
    path = f"/v1/items/{item['id']}/record"
    for text in await printed(world.admin, path, fonts):
        for said in (
            item["number"], "高峰期无水<b>&amp;</b>{{7*7}}#pagebreak()", "签字认领", "张伟", "已开工", "40",
            notice["number"], "汛期无法施工", "一镇一村→二镇一村", "属地有误", "赵强", "现场核验", "供水正常",
            "15个工作日", "已销号", "叶哈希", "xiaohao/",
        ):  # fmt: skip
            assert said in text, said
        assert "刘大娘" not in text and "13800000000" not in text
        # The checkpoint names the log by its tenant; no other id is printed: it would tell a reader nothing.
        assert len(re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-7", text.replace("xiaohao/", "\n"))) == 1
    receipt = await read(world.admin, "/v1/log/receipt", position=1)
    (event, *_) = (await read(world.admin, f"/v1/items/{item['id']}/events"))["items"]
    leaf = (await read(world.admin, "/v1/log/receipt", position=event["position"]))["leaf_hash"]
    assert all(leaf in text for text in await printed(world.admin, path, fonts)) and receipt["leaf_hash"] != leaf
    for role in ("supervisor", "responsible", "platform", "viewer"):
        client = await world.person(role, "t2")
        (text, *_) = await printed(client, path, fonts)
        assert "叶哈希" not in text and leaf not in text and f"1→{event['position']}" in text
        refused(await (await world.person(role, "t1")).get(f"{path}.pdf"), "not_found")


async def test_what_was_erased_is_not_printed(world: World, fonts: bool) -> None:
    item = await world.item(description="王某某家的厕所")
    ok(
        await world.admin.post(
            f"/v1/items/{item['id']}/redactions", json={"fields": ["description"], "reason": "当事人申请"}
        ),
    )
    for text in await printed(world.admin, f"/v1/items/{item['id']}/record", fonts):
        assert "王某某" not in text and "依法删除" in text


async def test_an_office_s_own_template_and_its_mistakes(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    notice = await issued(world, await world.item())
    path = f"/v1/notices/{notice['id']}.docx"
    monkeypatch.setattr(world.service, "letters", Letters(templates=tmp_path))
    document = Document()
    document.add_paragraph("县水利局专用：{{ number }}")
    document.save(str(tmp_path / "supervision.docx"))
    assert docx_text((await world.admin.get(path)).content) == squeezed(f"县水利局专用：{notice['number']}")
    document.add_paragraph("{{ numbr }}")
    document.save(str(tmp_path / "supervision.docx"))
    answer = await world.admin.get(path, headers={"Accept-Language": "en"})
    problem = refused(answer, "printing_unavailable", template="supervision.docx", fault="unknown_name")
    assert "supervision.docx" in problem["detail"] and str(tmp_path) not in answer.text and "numbr" not in answer.text


async def test_without_a_font_the_package_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(letters.PROGRAMS, "pdf", without_fonts(tmp_path))
    notice = await issued(world, await world.item())
    for tongue in ("zh-CN", "en"):
        answer = await world.admin.get(f"/v1/notices/{notice['id']}.pdf", headers={"Accept-Language": tongue})
        assert "fonts-noto-cjk" in refused(answer, "printing_unavailable")["detail"]
    assert (await world.admin.get(f"/v1/notices/{notice['id']}.docx")).status_code == 200
