"""What was lawfully erased is nowhere on a page, and the page stands all the same."""

import pytest

from service.workflow.erasure import Erasable
from tests.api.helpers import VERIFIED, day, ok, read

SECRET = "张三的隐私"


@pytest.fixture(scope="module")
async def erased(world, people):
    """The paths of an item with everything about it, all of which was erased."""
    village, boss = people.village.api, people.supervisor.api
    item = await world.item(
        boss, title=SECRET, description=SECRET, category=SECRET, external_ref=SECRET, responsible_person=SECRET,
        goal=SECRET, measures=SECRET, labels=[SECRET], attributes={"note": SECRET},
        source={"kind": "petition", "ref": SECRET, "contact": SECRET}, deadline={"kind": "immediate", "text": SECRET},
    )  # fmt: skip
    at = f"/v1/items/{item['id']}"
    ok(await world.fire(village, item["id"], "claim", signed_by=SECRET, measures=SECRET))
    ok(await village.post(f"{at}/progress", json={"text": SECRET}), 201)
    asked = ok(await village.post(f"{at}/requests", json={"kind": "transfer", "reason": SECRET}), 201)
    ok(await boss.post(f"/v1/requests/{asked['id']}/decision", json={"verdict": "return", "reason": SECRET}))
    paper = {"kind": "urging", "unit": "t1v1", "item_ids": [item["id"]], "text": SECRET}
    notice = ok(await boss.post("/v1/notices", json=paper), 201)
    ok(await village.post(f"/v1/notices/{notice['id']}/receipt", json={"signed_by": SECRET}))
    ok(await world.fire(boss, item["id"], "escalate", reason=SECRET))
    talk = ok(await boss.get(at))["interview_id"]
    minutes = {"held_on": day(0), "attendees": [SECRET], "minutes": SECRET, "commitments": SECRET}
    ok(await boss.post(f"/v1/interviews/{talk}/record", json=minutes))
    ok(await world.fire(boss, item["id"], "close", verification={**VERIFIED, "note": SECRET}))
    assert (await people.admin.api.delete(f"{at}/contact")).status_code < 300
    wanted = [each.value for each in Erasable if each.value != "attachments"]
    ok(await people.admin.api.post(f"{at}/redactions", json={"fields": wanted, "reason": "本人申请"}))
    return {
        "item": f"/console/items/{item['id']}",
        "request": f"/console/requests/{asked['id']}",
        "notice": f"/console/notices/{notice['id']}",
        "interview": f"/console/interviews/{talk}",
        "list": "/console/items?state=closed",
        "requests": "/console/requests?status=past",
    }


@pytest.mark.parametrize("who", ["admin", "supervisor", "village"])
async def test_it_is_nowhere(erased, people, who):
    for name, path in erased.items():
        page = await getattr(people, who).desk.read(path)
        assert page.status == 200, name
        assert SECRET not in page.answer.text, name
    page = await getattr(people, who).desk.read(erased["item"])
    assert page.text.count("（已依法删除）") > 8 and "依法删除" in page.text and "sealed" not in page.answer.text
    assert (await read(people.admin.api, erased["item"].replace("/console", "/v1")))["title"] == "（已依法删除）"
