"""Hooks over HTTP: which department or leader is assigned to which unit, what that gives, and who may see it."""

import pytest

from tests import invariants
from tests.api.helpers import NOBODY, day, every_page, ids, ok, read, refused


async def hook(world, unit="t2v1", by=None, **given):
    body = {"label": "县直部门包村", **given}
    if not {"department", "department_id", "principal_id"} & given.keys():
        body["department"] = "d1"
    return await (by or world.admin).post(f"/v1/units/{world.units[unit]}/hooks", json=body)


async def leader(world, kind="person"):
    return ok(await world.admin.post("/v1/principals", json={"name": "李副县长", "kind": kind}), 201)


async def end(world, made):
    answer = await world.admin.delete(f"/v1/hooks/{made['id']}")
    assert answer.status_code == 204


async def test_everyone_of_a_department_sees_the_village_it_is_hooked_to_and_no_longer_when_it_ends(world):
    item = await world.item(responsible_unit="t2v1")
    clerk = await world.person("responsible", "d1")
    refused(await clerk.get(f"/v1/items/{item['id']}"), "not_found")
    made = ok(await hook(world, label="防汛包村"), 201)
    assert made == {
        "id": made["id"], "label": "防汛包村", "role": "viewer", "unit_id": world.units["t2v1"],
        "department_id": world.units["d1"], "principal_id": None, "subtree": True, "since": None, "until": None,
        "created_at": made["created_at"],
    }  # fmt: skip
    world.app.state.doorkeeper.forget_everyone()
    assert await ids(clerk) == [item["id"]]
    refused(await world.fire(clerk, item["id"], "claim", signed_by="张伟"), "forbidden")
    await end(world, made)
    world.app.state.doorkeeper.forget_everyone()
    assert await ids(clerk) == []


async def test_a_hook_gives_its_role_for_its_days(world):
    item = await world.item(responsible_unit="t2v1")
    clerk = await world.person("viewer", "d1")
    over = ok(await hook(world, role="responsible", since=day(-9), until=day(0)), 201)
    later = ok(await hook(world, role="supervisor", since=day(1)), 201)
    world.app.state.doorkeeper.forget_everyone()
    assert ok(await world.fire(clerk, item["id"], "claim", signed_by="张伟"))["state"] == "rectifying"
    refused(await world.fire(clerk, item["id"], "escalate", reason="逾期"), "forbidden")
    for made in (over, later):
        await end(world, made)


async def test_a_leader_is_hooked_in_person(world):
    person = await leader(world)
    made = ok(await hook(world, "t1", principal_id=person["id"], label="县领导联系乡镇", subtree=False), 201)
    assert (made["principal_id"], made["department_id"], made["subtree"]) == (person["id"], None, False)
    assert (await read(world.admin, "/v1/hooks", principal=person["id"]))["items"] == [made]
    await end(world, made)


async def test_hooks_are_listed_by_unit_and_by_department_and_plain_grants_are_none(world):
    person = await leader(world)
    grants = f"/v1/principals/{person['id']}/grants"
    plain = ok(await world.admin.post(grants, json={"role": "viewer", "unit": "t1v2"}), 201)
    made = [
        ok(await hook(world, "t1v2"), 201),
        ok(await hook(world, "t1v2", principal_id=person["id"]), 201),
        ok(await hook(world, "t1v1"), 201),
    ]
    assert await every_page(world.admin, f"/v1/units/{world.units['t1v2']}/hooks", limit=1) == made[:2]
    assert await every_page(world.admin, "/v1/hooks", department="d1", limit=1) == [made[0], made[2]]
    assert await every_page(world.admin, "/v1/hooks", department=world.units["d1"], unit="t1v1") == [made[2]]
    assert await every_page(world.admin, "/v1/hooks", principal=person["id"]) == [made[1]]
    assert await every_page(world.admin, "/v1/hooks", principal=NOBODY) == []
    assert await every_page(world.admin, "/v1/hooks", limit=2) == made
    refused(await world.admin.delete(f"/v1/hooks/{plain['id']}"), "not_found")
    for each in made:
        await end(world, each)


async def test_hooks_are_read_by_those_who_see_the_unit(world):
    inside, outside = ok(await hook(world, "t1v1"), 201), ok(await hook(world, "t2v1"), 201)
    for unit in ("t1", "t1v1"):
        viewer = await world.person("viewer", unit)
        assert await every_page(viewer, "/v1/hooks") == [inside]
        assert await every_page(viewer, f"/v1/units/{world.units['t1v1']}/hooks") == [inside]
        refused(await viewer.get(f"/v1/units/{world.units['t2v1']}/hooks"), "not_found")
        answer = await viewer.get("/v1/hooks", params={"unit": "t2v1"})
        refused(answer, "invalid_request", ("/query/unit", "unknown_reference"))
        answer = await viewer.get("/v1/hooks", params={"department": "nowhere"})
        refused(answer, "invalid_request", ("/query/department", "unknown_reference"))
    assert await every_page(await world.person("auditor"), "/v1/hooks") == [inside, outside]
    for each in (inside, outside):
        await end(world, each)


@pytest.mark.parametrize("role", ["supervisor", "responsible", "platform", "viewer", "auditor"])
async def test_only_an_admin_writes_hooks(world, role):
    made = ok(await hook(world), 201)
    client = await world.person(role)
    refused(await hook(world, by=client), "forbidden")
    refused(await client.delete(f"/v1/hooks/{made['id']}"), "forbidden")
    await end(world, made)


async def test_what_is_wrong_with_a_hook_is_pointed_at(world):
    person, platform = await leader(world), await leader(world, "platform")
    both = await hook(world, department="d1", principal_id=person["id"])
    refused(both, "invalid_request", ("/department", "one_of_two"))
    none = await world.admin.post(f"/v1/units/{world.units['t1']}/hooks", json={"label": "无"})
    refused(none, "invalid_request", ("/department_id", "missing"))
    refused(await hook(world, department="no"), "invalid_request", ("/department", "unknown_reference"))
    refused(await hook(world, principal_id=NOBODY), "invalid_request", ("/principal_id", "unknown_reference"))
    refused(await hook(world, role="admin"), "invalid_request", ("/role", "not_allowed"))
    refused(await hook(world, label=" "), "invalid_request", ("/label", "bad_format"))
    refused(await hook(world, until=day(-1)), "invalid_request", ("/until", "in_past"))
    refused(await hook(world, "d1"), "guard_refused", guard="hook_apart")
    wrong = await hook(world, principal_id=platform["id"], role="supervisor")
    refused(wrong, "guard_refused", guard="role_for_kind")
    refused(await world.admin.post(f"/v1/units/{NOBODY}/hooks", json={"label": "无", "department": "d1"}), "not_found")


async def test_a_removed_leader_and_an_ended_unit_are_not_hooked_any_more(world):
    person = await leader(world)
    made = ok(await hook(world, principal_id=person["id"]), 201)
    assert (await world.admin.delete(f"/v1/principals/{person['id']}")).status_code == 204
    assert made not in await every_page(world.admin, "/v1/hooks"), "it ended with the leader"
    answer = await hook(world, principal_id=person["id"])
    refused(answer, "invalid_request", ("/principal_id", "unknown_reference"))
    unit = ok(await world.admin.post("/v1/units", json={"code": "gone", "name": "旧村", "parent": "root"}), 201)
    world.units["gone"] = unit["id"]
    path = f"/v1/units/{unit['id']}"
    ok(await world.admin.patch(path, json={"active": False}, headers={"If-Match": '"1"'}))
    refused(await hook(world, "gone"), "guard_refused", guard="inactive_unit")
    refused(await hook(world, department="gone"), "invalid_request", ("/department", "unknown_reference"))


async def test_a_departments_hook_is_no_grant_of_a_principal(world):
    made = ok(await hook(world), 201)
    person = await leader(world)
    refused(await world.admin.delete(f"/v1/principals/{person['id']}/grants/{made['id']}"), "not_found")
    await end(world, made)
    refused(await world.admin.delete(f"/v1/hooks/{made['id']}"), "not_found")


async def test_a_hook_is_on_record_and_made_once_under_a_key(world, settings):
    key = {"Idempotency-Key": "one-hook"}
    body = {"label": "挂钩联系", "department": "d1"}
    url = f"/v1/units/{world.units['t2']}/hooks"
    first = await world.admin.post(url, json=body, headers=key)
    again = await world.admin.post(url, json=body, headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    await end(world, first.json())
    found = await invariants.everything(settings)
    told = [invariants.told(row) for row in found["tenant_events"] if row["type"].startswith("access.grant")]
    of_this = [event for event in told if event["data"]["grant_id"] == first.json()["id"]]
    assert sorted(event["type"] for event in of_this) == ["access.grant_ended", "access.granted"]
    assert all(event["data"]["label"] == "挂钩联系" for event in of_this)
    assert await invariants.contradictions(settings) == []
