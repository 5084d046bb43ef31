"""Only a page of this very session can send a form: everything else is refused, and changes nothing."""

import pytest

from tests.api.helpers import read
from tests.console.desk import ORIGIN, Desk, Page


async def claim_form(world, people):
    item = await world.item()
    page = await people.village.desk.read(f"/console/items/{item['id']}")
    form = page.form("claim")
    form.values["signed_by"] = ["李明"]
    return item, form


async def unchanged(world, item):
    return (await read(world.admin, f"/v1/items/{item['id']}"))["state"] == "open"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": ORIGIN + ".evil.example"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "none"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
async def test_a_form_of_another_page_is_refused(world, people, headers):
    item, form = await claim_form(world, people)
    answer = await people.village.desk.client.post(form.action, data=form.values, headers=headers)
    assert answer.status_code == 403 and "表单不是从本系统的页面提交的" in Page(answer).text
    assert await unchanged(world, item)
    # The same form from its own page is good still.
    answer = await people.village.desk.client.post(form.action, data=form.values)
    assert answer.status_code == 303


async def test_so_is_one_that_does_not_say_where_it_comes_from(world, people):
    item, form = await claim_form(world, people)
    client = people.village.desk.client
    request = client.build_request("POST", form.action, data=form.values)
    del request.headers["origin"]
    assert (await client.send(request)).status_code == 403
    assert await unchanged(world, item)


@pytest.mark.parametrize("token", ["", "0" * 36, "é"])
async def test_so_is_one_without_the_session_s_token(world, people, token):
    item, form = await claim_form(world, people)
    answer = await people.village.desk.client.post(form.action, data={**form.values, "token": token})
    assert answer.status_code == 403 and await unchanged(world, item)


async def test_so_is_one_with_the_token_of_another_session_of_the_same_person(world, people):
    item, form = await claim_form(world, people)
    again = await Desk.of(world, people.village.key)
    assert (await again.client.post(form.action, data=form.values)).status_code == 403
    assert await unchanged(world, item)


@pytest.mark.parametrize("path", ["/console/session", "/console/sign-out"])
async def test_nobody_is_signed_in_or_out_by_another_page(world, people, path):
    page = await people.viewer.desk.read("/console")
    fields = {**page.form("sign-out").values, "key": people.viewer.key}
    answer = await people.viewer.desk.client.post(path, data=fields, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert (await people.viewer.desk.read("/console")).status == 200


async def test_reading_changes_nothing_whatever_the_address(world, people):
    item, form = await claim_form(world, people)
    answer = await people.village.desk.client.get(form.action, params={"signed_by": "李明"})
    assert answer.status_code == 303 and answer.headers["location"] == f"/console/items/{item['id']}"
    assert await unchanged(world, item)


async def test_what_is_no_form_is_refused(world, people):
    item, form = await claim_form(world, people)
    client = people.village.desk.client
    assert (await client.post(form.action, json={"signed_by": "李明"})).status_code == 415
    bad = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post(form.action, content=b"a=%FF", headers=bad)).status_code == 422
    assert (await client.post(form.action, content="键=1".encode(), headers=bad)).status_code == 422
    assert (await client.post(form.action, content=b"&".join([b"a=1"] * 600), headers=bad)).status_code == 422
    assert (await client.post(form.action, content=b"a=" + b"x" * 600_000, headers=bad)).status_code == 413
    assert await unchanged(world, item)
