"""What happens in a tenant in March 2026, chapter by chapter, until there was an event of every type."""

from collections.abc import Awaitable, Callable
from typing import Any

from service.actions import rekeying
from service.workers import sequencer
from tests.api.helpers import every_page, match, ok, read
from tests.api.office import VERIFIED, Office, on
from tests.evidence import JPEG, upload

CONFIRMED = {
    "code": "urge+1", "anchor": "due", "offset": 1, "states": ["rectifying"], "action": "urge",
    "notify": ["responsible", "supervising"], "confirm": True,
}  # fmt: skip

FACTS: dict[str, Any] = {
    "title": "一镇一村饮水管网漏损", "description": "一镇一村三组饮水管网漏损，约四十户用水不稳定。",
    "category": "饮水安全", "severity": "serious",
    "source": {"kind": "inspection", "ref": "县巡察〔2026〕3号", "contact": "李女士"},
    "co_units": ["d1"], "responsible_person": "张伟", "goal": "恢复稳定供水", "measures": "更换老旧主管道",
    "found_on": on("02-26"), "due_on": on("03-20"), "labels": ["饮水", "巡察"],
    "attributes": {"households": 40, "group": "三组"}, "external_ref": "XC-2026-0031",
}  # fmt: skip

Chapter = Callable[[Office], Awaitable[None]]
CHAPTERS: list[Chapter] = []


def chapter(happens: Chapter) -> Chapter:
    CHAPTERS.append(happens)
    return happens


# -- an item


@chapter
async def it_is_closed_and_opened_again(office: Office) -> None:
    item = ok(
        await office.platform.post("/v1/items", json={"ledger": "default", "responsible_unit": "t1v1", **FACTS}), 201
    )
    corrected = {
        "title": "一镇一村三组饮水管网漏损", "labels": ["饮水"], "co_unit_ids": [], "due_on": on("03-18"),
        "source": {"contact": None},
    }  # fmt: skip
    ok(await office.county.patch(f"/v1/items/{item['id']}", json=corrected, headers=match(item)))
    item = await office.fire(office.village, item, "claim", signed_by="张伟", measures="更换三组主管道并改造入户支管")
    photo = await upload(office.village, JPEG + "开挖现场".encode(), "开挖现场.jpg")
    body = {"text": "主管道已开挖三十米", "percent": 40, "attachment_ids": [photo["id"]]}
    ok(await office.village.post(f"/v1/items/{item['id']}/progress", json=body), 201)
    ok(await office.withdraw(await office.pending(item, "extension", due_on=on("04-20"))))
    asked = await office.pending(item, "extension", due_on=on("04-20"))
    ok(await office.approve(asked, due_on=on("04-10"), reason="同意延期至四月十日"))
    sheet = await upload(office.village, "%PDF-1.7\n%验收单\n%%EOF\n".encode(), "验收单.pdf")
    ok(await office.give_back(await office.pending(item, "closure", attachment_ids=[sheet["id"]])))
    ok(await office.approve(await office.pending(item, "closure"), reason="核验属实"))
    await office.fire(office.town, item, "reopen", due_on=on("04-20"), reason="回头看发现再次漏损")


@chapter
async def it_goes_to_another_unit_and_is_a_duplicate(office: Office) -> None:
    first = await office.claimed(title="二组道路积水")
    await office.pending(first, "transfer", responsible_unit_id=office.units["t1v2"])
    moved = {"responsible_unit": "t1v2", "due_on": on("04-02"), "reason": "该路段由一镇二村管护"}
    await office.fire(office.town, first, "transfer", **moved)
    ok(await office.approve(await office.pending(await office.claimed(title="路灯不亮"), "transfer")))
    again = await office.item(title="二组路面积水")
    await office.fire(office.county, again, "annul", reason="与在册条目重复", duplicate_of=first["id"])


@chapter
async def somebody_is_summoned(office: Office) -> None:
    item = await office.fire(office.town, await office.item(title="河道垃圾"), "escalate", reason="多次催办未动")
    talk = f"/v1/interviews/{item['interview_id']}"
    ok(await office.town.post(f"{talk}/schedule", json={"at": f"{on('03-03')}T01:30:00Z", "place": "县督查室"}))
    ok(await office.record(item["interview_id"]))
    await office.fire(office.town, item, "resume", due_on=on("03-27"), signed_by="张伟")
    other = await office.fire(office.town, await office.claimed(title="沟渠淤堵"), "escalate", reason="逾期未整改")
    closed = {"verification": VERIFIED, "waive_interview": "整改已在约谈前完成"}
    await office.fire(office.town, other, "close", **closed)


@chapter
async def a_standing_item_is_reviewed_and_a_text_is_erased(office: Office) -> None:
    january = f"{on('01-05')}T02:00:00Z"
    item = await office.item(title="河长制日常巡河", deadline={"kind": "standing"}, listed_at=january)
    record = await upload(office.county, "%PDF-1.7\n%巡河记录\n%%EOF\n".encode(), "巡河记录.pdf")
    reviewed = {"on": on("03-02"), "note": "巡查记录完整", "attachment_ids": [record["id"]]}
    ok(await office.county.post(f"/v1/items/{item['id']}/reviews", json=reviewed))
    group = await upload(office.village, JPEG + "群众合影".encode(), "群众合影.jpg")
    body = {"text": "群众参与巡河", "attachment_ids": [group["id"]]}
    ok(await office.village.post(f"/v1/items/{item['id']}/progress", json=body), 201)
    erased = {
        "fields": ["title", "reasons", "attachments"], "reason": "当事人依个人信息保护法申请删除",
        "attachment_ids": [group["id"]],
    }  # fmt: skip
    ok(await office.admin.post(f"/v1/items/{item['id']}/redactions", json=erased))


# -- the clock


@chapter
async def deadlines_pass(office: Office) -> None:
    body = {"code": "water-works", "name": "水利设施台账", "policy": {"ladder": [CONFIRMED]}}
    ledger = ok(await office.admin.post("/v1/ledgers", json=body), 201)["code"]
    items = [await office.claimed(title=title, due_on=on("03-13"), ledger=ledger) for title in ("水井失修", "阀门锈蚀")]
    plain = await office.claimed(title="垃圾清运不及时", due_on=on("03-13"))
    await office.turn("03-16")
    await office.turn("03-18")
    (draft,) = await office.notices(items[0])
    ok(await office.town.post(f"/v1/notices/{draft['id']}/issue", json={}))
    (issued, *_) = await office.notices(plain)
    ok(await office.village.post(f"/v1/notices/{issued['id']}/receipt", json={"signed_by": "张伟"}))
    body = {
        "kind": "supervision", "unit": "t1v1", "item_ids": [each["id"] for each in items], "reply_by": on("03-25"),
        "text": "请于三月二十五日前书面回复整改情况。", "copy_unit_ids": [office.units["t1"]],
    }  # fmt: skip
    ordered = ok(await office.county.post("/v1/notices", json=body), 201)
    ok(await office.county.post(f"/v1/notices/{ordered['id']}/cancel", json={"reason": "该单位已完成整改"}))


@chapter
async def a_holiday_is_entered(office: Office) -> None:
    item = await office.item(title="围墙开裂")
    table = {"workdays": [on("03-21")], "holidays": [on("03-19"), on("03-20")], "complete": False}
    ok(await office.admin.put("/v1/calendars/2026", json=table))
    await office.fire(office.village, item, "claim", signed_by="张伟")


# -- units and ledgers


async def _change(office: Office, path: str, made: dict[str, Any], **given: Any) -> dict[str, Any]:
    changed: dict[str, Any] = ok(await office.admin.patch(f"{path}/{made['id']}", json=given, headers=match(made)), 200)
    return changed


@chapter
async def the_tree_changes(office: Office) -> None:
    body = {"code": "t1v3", "name": "一镇三村", "parent": "t1", "level": "village"}
    unit = ok(await office.admin.post("/v1/units", json=body), 201)
    unit = await _change(office, "/v1/units", unit, name="一镇新三村", code="t1v3x", level="other")
    unit = await _change(office, "/v1/units", unit, parent="t2")
    await office.item(title="候车亭破损", responsible_unit="t1v3x")
    unit = await _change(office, "/v1/units", unit, active=False, transfer_to="t2v1")
    await _change(office, "/v1/units", unit, active=True)
    body = {"code": "water", "name": "饮水台账", "owner_unit_id": office.units["d1"], "listing": "owner"}
    ledger = ok(await office.admin.post("/v1/ledgers", json=body), 201)
    await _change(office, "/v1/ledgers", ledger, name="农村饮水台账", listing="any", owner_unit_id=office.units["root"])


# -- who may call


@chapter
async def people_come_and_go(office: Office) -> None:
    admin = office.admin
    mapping = {
        "subject": "sub", "name": "name", "external_id": "preferred_username", "create": True,
        "grants": [{"claim": "realm_access.roles", "value": "village", "role": "responsible", "unit_claim": "org"}],
    }  # fmt: skip
    body = {
        "issuer": "https://1.1.1.1/realms/county",
        "audience": "xiaohao",
        "algorithms": ["ES256"],
        "mapping": mapping,
    }
    issuer = ok(await admin.post("/v1/issuers", json=body), 201)
    body = {"name": "赵敏", "kind": "person", "external_id": "zhaomin"}
    login = {"issuer_id": issuer["id"], "subject": "f:1:zhaomin"}
    person = ok(await admin.post("/v1/principals", json={**body, "login": login}), 201)
    platform = ok(await admin.post("/v1/principals", json={"name": "市平台", "kind": "platform"}), 201)
    given = {"name": "赵敏（水利局）", "external_id": "zhaomin-d1", "delegates": [platform["id"]]}
    await _change(office, "/v1/principals", person, **given)
    url = f"/v1/principals/{platform['id']}"
    key = ok(await admin.post(f"{url}/keys", json={"delegate": True, "expires_at": f"{on('12-31')}T16:00:00Z"}), 201)
    assert (await admin.delete(f"{url}/keys/{key['id']}")).status_code == 204
    office.world.app.state.doorkeeper.forget_everyone()
    assert (await office.world.with_key(key["key"]).get("/v1/me")).status_code == 401
    body = {
        "label": "县直部门包村",
        "department": "d1",
        "role": "supervisor",
        "since": on("03-01"),
        "until": on("12-31"),
    }
    hook = ok(await admin.post(f"/v1/units/{office.units['t2v1']}/hooks", json=body), 201)
    assert (await admin.delete(f"/v1/hooks/{hook['id']}")).status_code == 204
    assert (await admin.delete(f"/v1/principals/{person['id']}")).status_code == 204
    issuer = await _change(
        office, "/v1/issuers", issuer, algorithms=["ES256", "RS256"], mapping={**mapping, "create": False}
    )
    assert (await admin.delete(f"/v1/issuers/{issuer['id']}")).status_code == 204


# -- the log


@chapter
async def a_checkpoint_is_published(office: Office) -> None:
    ok(await office.admin.post("/v1/log/checkpoints"), 201)


@chapter
async def another_key_signs_it(office: Office) -> None:
    await rekeying.rotate_signing(office.world.service, office.now)


# -- figures


@chapter
async def a_month_is_published(office: Office) -> None:
    await sequencer.run_until_done(office.world.service)
    ok(await office.county.post("/v1/statistics/reports", json={"month": "2026-02", "unit": "root"}), 201)


# -- webhooks


@chapter
async def endpoints_come_and_go(office: Office) -> None:
    admin = office.admin
    body = {"url": "https://hooks.example/xiaohao", "types": ["item.*"], "unit": "t1", "rate_limit": 20}
    made = ok(await admin.post("/v1/webhooks", json=body), 201)
    given = {
        "url": "https://new.example/xiaohao", "types": ["item.closed", "notice.*"], "unit_id": office.units["root"],
        "format": "cloudevents", "rate_limit": None, "enabled": False,
    }  # fmt: skip
    made = await _change(office, "/v1/webhooks", made, **given)
    ok(await admin.post(f"/v1/webhooks/{made['id']}/rotate", json={}))
    assert (await admin.delete(f"/v1/webhooks/{made['id']}")).status_code == 204
    url = "https://oapi.dingtalk.com/robot/send?access_token=0a1b2c3d4e5f60718293"
    channel = {"kind": "dingtalk", "unit": "t1", "url": url, "secret": "SEC0a1b2c3d"}
    told = ok(await admin.post("/v1/channels", json=channel), 201)
    given = {"unit_id": office.units["root"], "locale": "en", "enabled": False, "secret": None}
    told = await _change(office, "/v1/channels", told, **given)
    assert (await admin.delete(f"/v1/channels/{told['id']}")).status_code == 204
    # Whose owner may see nothing any more is given up at the next event that may be for it.
    ok(await office.platform.post("/v1/channels", json={**channel, "unit": "t1v1"}), 201)
    ok(await office.platform.post("/v1/webhooks", json={"url": "https://hooks.example/all", "types": ["*"]}), 201)
    me = await read(office.platform, "/v1/me")
    for grant in await every_page(admin, f"/v1/principals/{me['principal_id']}/grants"):
        ended = await admin.delete(f"/v1/principals/{me['principal_id']}/grants/{grant['id']}")
        assert ended.status_code == 204, ended.text
    item = await office.item()
    body = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]]}
    ok(await admin.post("/v1/notices", json=body), 201)
