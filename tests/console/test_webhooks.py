"""Webhooks on the console: what became of deliveries that really were sent, and sending one of them again."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from service.settings import Settings
from service.workers import courier, sequencer
from tests.api.helpers import every_page, ok
from tests.console.desk import Page
from tests.endpoint import ALLOWED, Endpoint, endpoint, reply
from tests.world import World


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    async with World.running(settings.model_copy(update={"webhook_allow_networks": ALLOWED})) as world:
        yield world


async def deliver(world: World) -> None:
    await sequencer.run_until_done(world.service)
    await courier.run_until_done(world.service)


@pytest.fixture
async def here() -> AsyncIterator[Endpoint]:
    async with endpoint() as here:
        yield here


@pytest.fixture
async def hook(world: World, here: Endpoint, people) -> AsyncIterator[str]:
    """The id of an admin's webhook: one delivery arrived, one was answered with 500 and waits."""
    await deliver(world)
    given = {"url": here.url, "types": ["item.created"]}
    made = ok(await people.admin.api.post("/v1/webhooks", json=given), 201)
    await world.item()
    await deliver(world)
    here.answers = lambda sent: reply(500, "busy <b>now</b>")
    await world.item()
    await deliver(world)
    here.answers = lambda sent: reply(200, "ok")
    yield made["id"]
    await people.admin.api.delete(f"/v1/webhooks/{made['id']}")


def replays(page: Page) -> list[str]:
    """The deliveries that can be sent again, in the page's order."""
    return [form.values["delivery_id"][0] for form in page.forms if form.name == "replay"]


def rows(page: Page) -> list[str]:
    """The chips of the deliveries' states."""
    chips = [given.get("class") or "" for tag, given in page.tags if tag == "span"]
    return [name.removeprefix("chip delivery-") for name in chips if name.startswith("chip delivery-")]


async def test_a_row_tells_what_became_of_a_delivery(world, people, hook):
    page = await people.admin.desk.read(f"/console/webhooks/{hook}")
    found = await every_page(people.admin.api, f"/v1/webhooks/{hook}/deliveries")
    assert [each["status"] for each in found] == ["pending", "delivered"]
    assert rows(page) == ["pending", "delivered"] and replays(page) == [each["id"] for each in found]
    for each in found:
        assert f"#{each['position']}" in page.text
    assert page.text.count("item.created") > 2 and "busy <b>now</b>" in page.text and "· 500 ·" in page.text
    one = await people.admin.desk.read(f"/console/webhooks/{hook}?status=delivered")
    assert rows(one) == ["delivered"] and "busy" not in one.text
    assert rows(await people.admin.desk.read(f"/console/webhooks/{hook}?status=dead")) == []


async def test_the_button_sends_one_again(world, people, hook, here):
    page = await people.admin.desk.read(f"/console/webhooks/{hook}")
    arrived = here.sent[0]
    form = next(form for form in page.forms if form.values.get("delivery_id") == [replays(page)[1]])
    after = await people.admin.desk.send(form)
    assert after.status == 200 and rows(after) == ["pending", "pending", "delivered"]
    # The same page sent twice, by a double click, is one replay.
    await people.admin.desk.send(form)
    sent = len(here.sent)
    await deliver(world)
    assert [each.content for each in here.sent[sent:]] == [arrived.content]
    shown = await people.admin.desk.read(f"/console/webhooks/{hook}")
    assert rows(shown) == ["delivered", "pending", "delivered"] and "重发" in shown.text


async def test_what_cannot_be_sent_again_is_refused_on_the_page(world, people, hook):
    page = await people.admin.desk.read(f"/console/webhooks/{hook}")
    form = next(form for form in page.forms if form.name == "replay")
    for given in ("nonsense", "00000000-0000-7000-8000-000000000000"):
        values = {**form.values, "delivery_id": [given]}
        answer = await people.admin.desk.client.post(
            form.action, content=urlencode(values, doseq=True),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert answer.status_code in (404, 422) and "delivery-pending" in answer.text, given
    ok(await people.admin.api.patch(f"/v1/webhooks/{hook}", json={"enabled": False}, headers={"If-Match": '"1"'}))
    off = await people.admin.desk.read(f"/console/webhooks/{hook}")
    assert replays(off) == [] and len(rows(off)) == 2
