"""Platforms that act for people: whose rights count, who is on record, and what no platform gets this way."""

import pytest

from tests.api.helpers import NOBODY, VERIFIED, match, ok, read, refused
from tests.api.test_principals import granted, principal, with_key


@pytest.fixture
async def county(world):
    """A platform over t1 whose key may act for people, and two people who agreed: a clerk of t1v1 and a supervisor."""
    platform = await principal(world, kind="platform", name="智慧平台")
    await granted(world, platform, "platform", "t1")
    client, key = await with_key(world, platform, delegate=True)
    people = {}
    for name, role, unit in (
        ("clerk", "responsible", "t1v1"),
        ("chief", "supervisor", "root"),
        ("admin", "admin", "root"),
    ):
        person = await principal(world, name=f"{name} 张", external_id=f"{name}-{platform['id'][-6:]}")
        await granted(world, person, role, unit)
        url = f"/v1/principals/{person['id']}"
        people[name] = ok(await world.admin.patch(url, json={"delegates": [platform["id"]]}, headers=match(person)))
    return platform, client, key, people


def acting(person):
    return {"X-Acting-For": person["external_id"]}


async def test_the_person_counts_inside_the_platform_s_own_subtrees(world, county):
    platform, client, _, people = county
    me = ok(await client.get("/v1/me", headers=acting(people["chief"])))
    assert me["principal_id"] == people["chief"]["id"] and me["via"] == platform["id"]
    assert [(each["role"], each["unit_id"]) for each in me["grants"]] == [("supervisor", world.units["t1"])]
    item, elsewhere = await world.item(), await world.item(responsible_unit="t2v1")
    assert ok(await client.get(f"/v1/items/{item['id']}", headers=acting(people["clerk"])))
    refused(await client.get(f"/v1/items/{elsewhere['id']}", headers=acting(people["chief"])), "not_found")


async def test_what_the_platform_may_itself_is_not_the_person_s(world, county):
    _, client, _, people = county
    body = {"ledger": "default", "title": "井盖缺失", "responsible_unit": "t1v1"}
    assert ok(await client.post("/v1/items", json=body), 201)
    refused(await client.post("/v1/items", json=body, headers=acting(people["clerk"])), "forbidden")


async def test_four_eyes_count_the_person_and_the_record_names_both(world, county):
    platform, client, _, people = county
    item = await world.item()
    url = f"/v1/items/{item['id']}"
    claim = {"trigger": "claim", "signed_by": "张三"}
    close = {"trigger": "close", "verification": VERIFIED}
    ok(await client.post(f"{url}/transitions", json=claim, headers=acting(people["clerk"])))
    refused(await client.post(f"{url}/transitions", json=close, headers=acting(people["clerk"])), "forbidden")
    ok(await client.post(f"{url}/progress", json={"text": "已到场"}, headers=acting(people["clerk"])), 201)
    ok(await client.post(f"{url}/transitions", json=close, headers=acting(people["chief"])))
    events = (await read(world.admin, f"{url}/events"))["items"]
    who = [(each["type"], each["actor"]["principal_id"], each["actor"]["via"]) for each in events[1:]]
    clerk, chief, through = people["clerk"]["id"], people["chief"]["id"], platform["id"]
    assert who == [
        ("item.claimed", clerk, through), ("item.progressed", clerk, through), ("item.closed", chief, through),
    ]  # fmt: skip


async def test_one_person_never_closes_what_it_claimed_whichever_way_it_comes(world, county):
    _, client, _, people = county
    await granted(world, people["chief"], "responsible", "t1")
    world.app.state.doorkeeper.forget_everyone()
    item = await world.item()
    url = f"/v1/items/{item['id']}/transitions"
    ok(await client.post(url, json={"trigger": "claim", "signed_by": "张三"}, headers=acting(people["chief"])))
    close = {"trigger": "close", "verification": VERIFIED}
    refused(await client.post(url, json=close, headers=acting(people["chief"])), "guard_refused", guard="four_eyes")
    own, _ = await with_key(world, people["chief"])
    refused(await own.post(url, json=close), "guard_refused", guard="four_eyes")


async def test_rights_over_access_are_never_lent(world, county):
    _, client, _, people = county
    me = ok(await client.get("/v1/me", headers=acting(people["admin"])))
    assert me["grants"] == [] and me["permissions"] == []
    refused(await client.get("/v1/principals", headers=acting(people["admin"])), "forbidden")
    answer = await client.post(
        "/v1/units", json={"code": "x", "name": "x", "parent": "t1"}, headers=acting(people["admin"])
    )
    refused(answer, "invalid_request", ("/parent", "unknown_reference"))


async def test_without_a_delegate_key_nobody_is_acted_for(world, county):
    platform, _, _, people = county
    plain, _ = await with_key(world, platform)
    refused(await plain.get("/v1/me", headers=acting(people["clerk"])), "forbidden")
    own, _ = await with_key(world, people["clerk"])
    refused(await own.get("/v1/me", headers=acting(people["chief"])), "forbidden")


async def test_who_did_not_agree_and_who_is_not_there_look_the_same(world, county):
    client = county[1]
    stranger = await principal(world, external_id="stranger")
    answers = [
        await client.get("/v1/me", headers={"X-Acting-For": name})
        for name in (stranger["id"], "stranger", NOBODY, "nobody at all", "某人".encode())
    ]
    details = {refused(each, "forbidden")["detail"] for each in answers}
    assert len(details) == 1
    refused(await client.get("/v1/me", headers={"X-Acting-For": ""}), "invalid_request",
            ("/header/X-Acting-For", "bad_format"))  # fmt: skip


async def test_a_person_who_takes_it_back_is_acted_for_no_more(world, county):
    _, client, _, people = county
    clerk = people["clerk"]
    ok(await client.get("/v1/me", headers=acting(clerk)))
    ok(await world.admin.patch(f"/v1/principals/{clerk['id']}", json={"delegates": []}, headers=match(clerk)))
    world.app.state.doorkeeper.forget_everyone()
    refused(await client.get("/v1/me", headers=acting(clerk)), "forbidden")


async def test_a_removed_person_is_acted_for_no_more(world, county):
    _, client, _, people = county
    assert (await world.admin.delete(f"/v1/principals/{people['clerk']['id']}")).status_code == 204
    world.app.state.doorkeeper.forget_everyone()
    refused(await client.get("/v1/me", headers=acting(people["clerk"])), "forbidden")


async def test_an_idempotency_key_is_the_person_s_through_the_platform(world, county):
    _, client, _, people = county
    item, other = await world.item(), await world.item()
    body = {"text": "已清理"}
    key = {"Idempotency-Key": f"same-{item['id']}"}
    first = await client.post(f"/v1/items/{item['id']}/progress", json=body, headers={**key, **acting(people["clerk"])})
    again = await client.post(f"/v1/items/{item['id']}/progress", json=body, headers={**key, **acting(people["clerk"])})
    assert again.headers["idempotent-replayed"] == "true" and again.json() == first.json()
    url = f"/v1/items/{other['id']}/progress"
    for headers in (acting(people["chief"]), {}):
        answer = await client.post(url, json=body, headers={**key, **headers})
        assert ok(answer, 201)["item_id"] == other["id"], "another caller's key is another key"


async def test_only_platforms_act_and_only_for_people(world, county):
    platform, _, _, people = county
    answer = await world.admin.patch(
        f"/v1/principals/{people['clerk']['id']}", json={"delegates": [people["chief"]["id"]]},
        headers=match(people["clerk"]),
    )  # fmt: skip
    refused(answer, "invalid_request", ("/delegates/0", "unknown_reference"))
    answer = await world.admin.patch(
        f"/v1/principals/{platform['id']}", json={"delegates": [platform["id"]]}, headers=match(platform)
    )
    refused(answer, "guard_refused", guard="delegates_of_person")
