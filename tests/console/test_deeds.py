"""What a person can do on an item's page: exactly what the API would allow, each with what it needs, once, and kept
where it is refused."""

import pytest

from service.console import conduct, forms
from service.workflow.states import Trigger
from tests.api.helpers import VERIFIED, day, ok, read
from tests.world import World

TRIGGERS = {trigger.value for trigger in Trigger}
CLOSE = {
    "verification__method": "on_site",
    "verification__on": "2026-01-05",
    "verification__note": "现场核验，供水正常",
}


async def in_state(world: World, people, state: str) -> str:
    """An item of the village t1v1 in a state."""
    item = await world.item(people.admin.api, due_on=day(20))
    if state != "open":
        ok(await world.fire(people.village.api, item["id"], "claim", signed_by="李明"))
    boss = people.supervisor.api
    if state == "extended":
        ok(await world.fire(boss, item["id"], "extend", due_on=day(30), reason="汛期"))
    elif state == "escalated":
        ok(await world.fire(boss, item["id"], "escalate", reason="未整改"))
    elif state == "closed":
        ok(await world.fire(boss, item["id"], "close", verification=VERIFIED))
    return item["id"]


@pytest.mark.parametrize("state", ["open", "rectifying", "extended", "escalated", "closed"])
@pytest.mark.parametrize("who", ["admin", "supervisor", "town", "village", "viewer", "platform"])
async def test_the_buttons_are_what_the_api_allows(world, people, state, who):
    item_id = await in_state(world, people, state)
    seat = getattr(people, who)
    page = await seat.desk.read(f"/console/items/{item_id}")
    allowed = set((await read(seat.api, f"/v1/items/{item_id}"))["allowed_triggers"])
    assert page.deeds & TRIGGERS == allowed
    assert set(page.shut) & TRIGGERS == TRIGGERS - allowed
    assert page.deeds | set(page.shut) == set(conduct.ON_ITEMS) and not page.deeds & set(page.shut)


@pytest.mark.parametrize("who", ["admin", "village", "supervisor", "viewer"])
@pytest.mark.parametrize("state", ["open", "rectifying", "escalated", "closed"])
async def test_so_are_the_other_deeds(world, people, state, who):
    """Tried with good input on an item each: what has a button is done, what has none is refused."""
    given = {
        "progress": ("progress", {"text": "已开工"}),
        "request-extension": ("requests", {"kind": "extension", "due_on": day(40), "reason": "汛期"}),
        "request-closure": ("requests", {"kind": "closure", "summary": "完工"}),
        "request-transfer": ("requests", {"kind": "transfer", "reason": "职责不符"}),
        "review": ("reviews", {"on": day(0), "note": "正常"}),
    }
    seat = getattr(people, who)
    for deed, (path, body) in given.items():
        item_id = await in_state(world, people, state)
        page = await seat.desk.read(f"/console/items/{item_id}")
        answer = await seat.api.post(f"/v1/items/{item_id}/{path}", json=body)
        assert (deed in page.deeds) == (answer.status_code < 300), (deed, answer.text)


async def test_what_is_not_possible_says_why_in_words(world, people):
    item_id = await in_state(world, people, "rectifying")
    page = await people.village.desk.read(f"/console/items/{item_id}")
    assert "只有督办单位可以办理" in page.text
    assert "条目处于 整改中 状态，不接受 签字认领" in page.text
    english = await people.village.desk.client.get(f"/console/items/{item_id}?lang=en")
    assert "The item is Rectifying; it does not accept claim." in english.text
    await people.village.desk.client.get("/console?lang=zh")


async def test_from_the_claim_to_the_closing(world, people):
    village, boss = people.village.desk, people.supervisor.desk
    item = await world.item(due_on=day(20))
    path = f"/console/items/{item['id']}"
    page = await village.do(path, "claim", signed_by="李明", measures="更换管道\n三组先行")
    assert page.status == 200 and "已签字认领。" in page.text and "整改中" in page.text and "李明" in page.text
    page = await village.do(path, "progress", text="管道到货", percent="40")
    assert "进展已填报。" in page.text and "管道到货" in page.text and "40%" in page.text
    page = await village.do(path, "request-extension", due_on=day(35), reason="连续降雨")
    assert "延期申请已提交。" in page.text and "待审批" in page.text
    assert "request-extension" in page.shut and "同类申请正在等待审批。" in page.text
    asked = (await read(people.supervisor.api, f"/v1/items/{item['id']}/requests"))["items"][0]
    page = await boss.read(path)
    assert "审批延期申请" in page.text and f"/console/requests/{asked['id']}" in page.links
    assert "审批延期申请" not in (await village.read(path)).text
    assert f"/console/requests/{asked['id']}" in (await boss.read("/console/requests")).links
    page = await boss.read(f"/console/requests/{asked['id']}")
    assert page.form("approve-extension").values["due_on"] == [day(35)]
    page = await boss.send(page.form("approve-extension"), due_on=day(30), reason="同意十天")
    assert "延期申请已批准。" in page.text and "延期整改" in page.text and day(30) in page.text
    page = await village.do(path, "request-closure", summary="全部完工")
    asked = (await read(people.supervisor.api, f"/v1/items/{item['id']}/requests"))["items"][-1]
    page = await boss.do(f"/console/requests/{asked['id']}", "approve-closure", **CLOSE)
    assert "销号申请已批准。" in page.text and "已销号" in page.text
    now = await read(people.supervisor.api, f"/v1/items/{item['id']}")
    assert (now["state"], now["resolution"]) == ("closed", "rectified")
    page = await boss.do(path, "reopen", due_on=day(25), reason="回头看发现反弹")
    assert "第2轮" in page.text and "待认领" in page.text
    for words in ("列入台账", "签字认领", "整改进展", "延期", "申请批准", "销号", "重开"):
        assert words in page.text, words
    assert "连续降雨" in page.text and "现场核验，供水正常" in page.text


async def test_the_talk_and_its_papers(world, people):
    boss, village = people.supervisor.desk, people.village.desk
    item = await world.item(due_on=day(20))
    path = f"/console/items/{item['id']}"
    page = await boss.do(path, "escalate", reason="拒不认领")
    assert "已发起约谈。" in page.text and "约谈通知书" in page.text
    talk = (await read(people.supervisor.api, f"/v1/items/{item['id']}"))["interview_id"]
    page = await boss.do(f"/console/interviews/{talk}", "schedule", at=f"{day(1)}T15:30", place="三楼会议室")
    assert "约谈已排期。" in page.text and f"{day(1)} 15:30" in page.text
    kept = await read(people.supervisor.api, "/v1/interviews")
    assert next(each for each in kept["items"] if each["id"] == talk)["scheduled_at"] == f"{day(1)}T07:30:00Z"
    page = await boss.do(
        f"/console/interviews/{talk}", "record", held_on=day(0), attendees="王强\n 李明 \n\n", minutes="责成整改"
    )
    assert "约谈已记录。" in page.text and "王强、李明" in page.text and not page.deeds
    page = await boss.do(path, "resume", due_on=day(15), signed_by="李明")
    assert "已恢复整改。" in page.text
    page = await boss.do(path, "notice", kind="supervision", text="请加快进度")
    assert "文书已下发。" in page.text and "督办单" in page.text
    notice = (await read(people.supervisor.api, "/v1/notices", item_id=item["id"]))["items"][0]
    page = await village.do(f"/console/notices/{notice['id']}", "receipt", signed_by="李明")
    assert "已签收。" in page.text and page.deeds == set()
    page = await boss.do(f"/console/notices/{notice['id']}", "cancel", reason="已完成")
    assert "文书已撤销。" in page.text


async def test_transfer_and_its_request_by_name_and_code(world, people):
    boss, village = people.supervisor.desk, people.village.desk
    item = await world.item()
    path = f"/console/items/{item['id']}"
    page = await village.do(path, "request-transfer", responsible_unit="d1", reason="职责不符")
    assert "县水利局" not in page.text and "转办申请已提交。" in page.text
    asked = (await read(people.supervisor.api, f"/v1/items/{item['id']}/requests"))["items"][0]
    page = await boss.read(f"/console/requests/{asked['id']}")
    assert "县水利局" in page.text
    page = await boss.send(page.form("return"), reason="属村级职责")
    assert "申请已退回。" in page.text and "属村级职责" in page.text
    page = await boss.do(path, "transfer", responsible_unit="县水利局", reason="统一管护")
    assert "已转办。" in page.text
    assert (await read(people.admin.api, f"/v1/items/{item['id']}"))["responsible_unit_id"] == world.units["d1"]


async def test_taking_a_request_back(world, people):
    item_id = await in_state(world, people, "rectifying")
    await people.village.desk.do(f"/console/items/{item_id}", "request-closure", summary="完工")
    asked = (await read(people.village.api, f"/v1/items/{item_id}/requests"))["items"][0]
    page = await people.village.desk.read(f"/console/requests/{asked['id']}")
    assert page.deeds == {"withdraw"}
    page = await people.village.desk.send(page.form("withdraw"), reason="还差一段")
    assert "申请已撤回。" in page.text


async def test_annul_as_a_duplicate_by_the_address_of_the_other(world, people):
    first, second = await world.item(), await world.item()
    original = f"http://xiaohao.test/console/items/{first['id']}?done=claim"
    page = await people.other.desk.do(
        f"/console/items/{second['id']}", "annul", reason="同一问题", duplicate_of=original
    )
    assert "已作废。" in page.text and "重复" in page.text
    assert (await read(people.admin.api, f"/v1/items/{second['id']}"))["duplicate_of"] == first["id"]


async def test_a_review_of_a_standing_item(world, people):
    item = await world.item(deadline={"kind": "standing"})
    page = await people.supervisor.desk.do(f"/console/items/{item['id']}", "review", note="制度正常运行")
    assert "复查已记录。" in page.text
    plain = await world.item()
    assert "review" in (await people.supervisor.desk.read(f"/console/items/{plain['id']}")).shut


# -- refused


async def test_a_refusal_stands_beside_the_form_and_what_was_typed_stays(world, people):
    item_id = await in_state(world, people, "rectifying")
    page = await people.supervisor.desk.do(
        f"/console/items/{item_id}", "extend", due_on=day(-3), reason="理由写了很久\n第二行"
    )
    assert page.status == 409
    assert "未能办理： 新的期限必须晚于今天" in page.text
    form = page.form("extend")
    assert form.values["due_on"] == [day(-3)] and form.values["reason"] == ["理由写了很久\n第二行"]
    assert [given for tag, given in page.tags if tag == "details" and "open" in given]
    page = await people.supervisor.desk.send(form, due_on=day(30))
    assert page.status == 200 and "已延期。" in page.text


async def test_a_refused_form_in_the_other_language_leads_back_to_its_page(world, people):
    item_id = await in_state(world, people, "rectifying")
    desk = people.supervisor.desk
    page = await desk.do(f"/console/items/{item_id}", "extend", due_on=day(-3), reason="x")
    other = next(link for link in page.links if "lang=en" in link)
    answer = await desk.client.get(f"/console/items/{item_id}/extend{other}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/items/{item_id}")
    assert '<html lang="en">' in (await desk.client.get(answer.headers["location"])).text
    await desk.client.get("/console?lang=zh")
    assert (await desk.client.get(f"/console/nothing/{item_id}/extend")).status_code == 404
    refused = await desk.client.post("/console/session", data={"key": "wrong"})
    assert refused.status_code == 401 and (await desk.client.get("/console/session")).status_code == 303


async def test_missing_and_wrong_fields_are_named(world, people):
    item_id = await in_state(world, people, "rectifying")
    desk = people.supervisor.desk
    page = await desk.do(f"/console/items/{item_id}", "close", verification__on=day(2), verification__note="好")
    assert page.status == 422 and "不能晚于今天" in page.text
    page = await desk.do(
        f"/console/items/{item_id}", "close", verification__method="magic", verification__on="2026-13-01"
    )
    assert page.status == 422
    for words in ("不是允许的取值", "格式不对", "必填"):
        assert words in page.text
    invalid = {given["name"] for _, given in page.tags if given.get("aria-invalid")}
    assert invalid == {"verification.method", "verification.on", "verification.note"}
    page = await desk.do(f"/console/items/{item_id}", "transfer", responsible_unit="没有这个单位", reason="职责不符")
    assert page.status == 422 and "所指对象不存在或不在您的范围内" in page.text
    assert page.form("transfer").values["responsible_unit"] == ["没有这个单位"]
    assert (await read(people.admin.api, f"/v1/items/{item_id}"))["state"] == "rectifying"


async def test_four_eyes(world, people):
    item_id = await in_state(world, people, "open")
    await people.admin.desk.do(f"/console/items/{item_id}", "claim", signed_by="张伟")
    page = await people.admin.desk.read(f"/console/items/{item_id}")
    assert "close" in page.shut and "须由他人办理" in page.text
    page = await people.admin.desk.do(f"/console/items/{item_id}", "request-closure", summary="完工")
    asked = (await read(people.admin.api, f"/v1/items/{item_id}/requests"))["items"][0]
    page = await people.admin.desk.do(f"/console/requests/{asked['id']}", "approve-closure", **CLOSE)
    assert page.status == 409 and "须由他人办理" in page.text and "现场核验，供水正常" in page.answer.text


async def test_a_page_that_is_out_of_date_does_nothing(world, people):
    item_id = await in_state(world, people, "rectifying")
    old = await people.supervisor.desk.read(f"/console/items/{item_id}")
    ok(await people.village.api.post(f"/v1/items/{item_id}/progress", json={"text": "刚有新进展"}), 201)
    page = await people.supervisor.desk.send(old.form("extend"), due_on=day(30), reason="汛期")
    assert page.status == 412 and "已被他人修改" in page.text and "刚有新进展" in page.text
    page = await people.supervisor.desk.send(page.form("extend"))
    assert page.status == 200 and "已延期。" in page.text


async def test_a_button_that_went_away_meanwhile_says_why(world, people):
    item_id = await in_state(world, people, "open")
    first = await people.village.desk.read(f"/console/items/{item_id}")
    again = await people.village.desk.read(f"/console/items/{item_id}")
    await people.village.desk.send(first.form("claim"), signed_by="李明")
    page = await people.village.desk.send(again.form("claim"), signed_by="李明")
    assert page.status == 412
    assert "该记录已被他人修改" in page.text and "claim" not in page.deeds


async def test_the_same_form_twice_does_its_work_once(world, people):
    item_id = await in_state(world, people, "rectifying")
    form = (await people.village.desk.read(f"/console/items/{item_id}")).form("progress")
    for _ in range(3):
        page = await people.village.desk.send(form, text="只报一次", percent="10")
        assert page.status == 200
    told = (await read(people.village.api, f"/v1/items/{item_id}/progress"))["items"]
    assert [each["text"] for each in told] == ["只报一次"]
    page = await people.village.desk.send(form, text="换了内容")
    assert page.status == 422
    assert len((await read(people.village.api, f"/v1/items/{item_id}/progress"))["items"]) == 1


@pytest.mark.parametrize("deed", ["request-extension", "notice", "escalate", "transfer"])
async def test_so_do_all_the_others(world, people, deed):
    item_id = await in_state(world, people, "rectifying")
    given = {
        "request-extension": {"due_on": day(30), "reason": "汛期"},
        "notice": {"kind": "urging"},
        "escalate": {"reason": "未整改"},
        "transfer": {"responsible_unit": "t1v2", "reason": "职责不符"},
    }[deed]
    who = people.village if deed.startswith("request") else people.supervisor
    form = (await who.desk.read(f"/console/items/{item_id}")).form(deed)
    events = []
    for _ in range(2):
        page = await who.desk.send(form, **given)
        assert page.status == 200, page.text
        events.append(len((await read(people.admin.api, f"/v1/items/{item_id}/events"))["items"]))
    assert events[0] == events[1]


@pytest.mark.parametrize("key", ["", "a" * 65, "mit leer", "é"])
async def test_a_key_that_no_form_has_is_refused(world, people, key):
    item_id = await in_state(world, people, "open")
    form = (await people.village.desk.read(f"/console/items/{item_id}")).form("claim")
    page = await people.village.desk.send(form, signed_by="李明", key=key)
    assert page.status == 422
    assert (await read(people.admin.api, f"/v1/items/{item_id}"))["state"] == "open"


async def test_there_is_no_other_deed(world, people):
    item_id = await in_state(world, people, "open")
    values = (await people.supervisor.desk.read(f"/console/items/{item_id}")).form("escalate").values
    for path in (f"items/{item_id}/return", f"items/{item_id}/nothing", f"items/{item_id}/receipt"):
        answer = await people.supervisor.desk.client.post(f"/console/{path}", data=values)
        assert answer.status_code == 404, path


# -- what forms ask for

BODIES = {
    "claim": "ClaimIn",
    "extend": "ExtendIn",
    "escalate": "EscalateIn",
    "resume": "ResumeIn",
    "reopen": "ReopenIn",
    "annul": "AnnulIn",
    "transfer": "service__api__transitions__TransferIn",
    "close": "CloseIn",
    "request-extension": "service__api__requests__ExtensionIn",
    "request-closure": "service__api__requests__ClosureIn",
    "request-transfer": "service__api__requests__TransferIn",
    "progress": "ProgressIn",
    "review": "ReviewIn",
    "notice": "NoticeIn",
    "receipt": "ReceiptIn",
    "cancel": "CancelIn",
    "withdraw": "WithdrawalIn",
    "schedule": "ScheduleIn",
    "record": "MinutesIn",
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_form_asks_for_what_the_api_asks_for(world, name):
    """The same names, no more needed, and texts as long. Units go by id or code there, by name or code here."""
    schemas = ok(await world.admin.get("/openapi.json"))["components"]["schemas"]
    body = schemas[BODIES[name]]
    for field in forms.FORMS[name].fields:
        place, last = body, field.name
        if "." in field.name:
            place, last = schemas["VerificationIn"], field.name.partition(".")[2]
        assert last in place["properties"], field.name
        if field.kind == "files":
            continue
        shape = place["properties"][last]
        if field.kind != "unit":
            assert field.required == (last in place.get("required", ())), field.name
        if field.kind in ("line", "text"):
            assert field.most in [each.get("maxLength") for each in (shape, *shape.get("anyOf", ()))], field.name
    needed = {each for each in body.get("required", ()) if each not in ("trigger", "kind", "item_ids", "verification")}
    assert needed <= {field.name for field in forms.FORMS[name].fields if field.required}
