"""What an item's page says of its deadline and of what the ladder does next: the same as the API says."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.api.helpers import VERIFIED, day, ok, read

ACTIONS = {
    "remind": "提醒",
    "urge": "催办",
    "supervise": "督办",
    "warn": "告诫",
    "circulate": "通报",
    "escalate": "约谈",
}


def moment(told: str) -> str:
    return datetime.fromisoformat(told).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M")


async def test_a_deadline_of_the_policy_is_explained_step_by_step(world, people):
    item = await world.item(people.supervisor.api)
    told = await read(people.village.api, f"/v1/items/{item['id']}/deadline")
    page = await people.village.desk.read(f"/console/items/{item['id']}")
    steps = told["steps"]
    assert len(steps) > 2
    assert [given["class"] for tag, given in page.tags if tag == "tr" and "step-" in (given.get("class") or "")] == [
        f"step-{step['kind']}" for step in steps
    ]
    for step in steps:
        assert step["from"] in page.text
    assert f"算至 {told['leads_to']}" in page.text and "起算日，不计入" in page.text


async def test_a_deadline_that_was_given_has_no_steps(world, people):
    item = await world.item(people.supervisor.api, due_on=day(30))
    page = await people.village.desk.read(f"/console/items/{item['id']}")
    assert day(30) in page.text and "算至" not in page.text


async def test_the_next_rung_and_when_it_comes(world, people):
    item = await world.item(people.supervisor.api, due_on=day(30))
    path = f"/console/items/{item['id']}"
    coming = (await read(people.village.api, f"/v1/items/{item['id']}/deadline"))["next_rung"]
    assert datetime.fromisoformat(coming["at"]) > datetime.now(UTC)
    assert (
        f"下一步措施 {ACTIONS[coming['action']]} {moment(coming['at'])}" in (await people.village.desk.read(path)).text
    )
    ok(await world.fire(people.village.api, item["id"], "claim", signed_by="李明"))
    ok(await world.fire(people.supervisor.api, item["id"], "close", verification=VERIFIED))
    assert (await read(people.village.api, f"/v1/items/{item['id']}/deadline"))["next_rung"] is None
    assert "下一步措施" not in (await people.village.desk.read(path)).text
