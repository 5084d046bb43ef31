"""Principals, their keys and their grants: what admins make, what it lets callers do, and what stays on record."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import bindparam, select

from service.store.base import table
from service.store.database import Statement
from service.store.events import EventRow, shown
from tests.api.helpers import NOBODY, day, every_page, match, ok, read, refused

_events = table(EventRow)
ABOUT_ACCESS = Statement(
    select(_events.c.body, _events.c.beside)
    .where(_events.c.tenant_id == bindparam("tenant_id", type_=_events.c.tenant_id.type), _events.c.item_id.is_(None))
    .order_by(_events.c.id)
)


async def told(world, kind=None, **data):
    """The events of the tenant that are about no item, of one type and with these data where given."""
    tenant_id = (await read(world.admin, "/v1/me"))["tenant_id"]

    async def action(tx):
        rows = await tx.all(ABOUT_ACCESS, tenant_id=UUID(tenant_id))
        return [shown(bytes(body), beside, None) for body, beside in rows]

    events = await world.service.read(action)
    return [each for each in events if (kind is None or each["type"] == kind) and data.items() <= each["data"].items()]


async def principal(world, **given):
    return ok(await world.admin.post("/v1/principals", json={"name": "李明", "kind": "person", **given}), 201)


async def with_key(world, who, **given):
    """A client with a new key of a principal, and the key as it was answered."""
    made = ok(await world.admin.post(f"/v1/principals/{who['id']}/keys", json=given), 201)
    return world.with_key(made["key"]), made


async def granted(world, who, role, unit, **given):
    answer = await world.admin.post(f"/v1/principals/{who['id']}/grants", json={"role": role, "unit": unit, **given})
    return ok(answer, 201)


# -- principals


async def test_a_principal_is_made_read_renamed_and_listed(world):
    made = await principal(world, name="王芳", external_id="wangfang")
    assert made["kind"] == "person" and made["active"] and made["delegates"] == [] and made["login"] is None
    url = f"/v1/principals/{made['id']}"
    assert await read(world.admin, url) == made
    answer = await world.admin.patch(url, json={"name": "王芳（县水利局）"}, headers=match(made))
    after = ok(answer)
    assert after["name"] == "王芳（县水利局）" and after["version"] == 2 and after["external_id"] == "wangfang"
    refused(await world.admin.patch(url, json={"name": "王"}, headers=match(made)), "stale_version")
    refused(await world.admin.patch(url, json={"name": "王"}), "precondition_required")
    assert after in await every_page(world.admin, "/v1/principals", limit=2)
    assert (await read(world.admin, "/v1/principals", external_id="wangfang"))["items"] == [after]
    assert (await read(world.admin, "/v1/principals", external_id="nobody"))["items"] == []


async def test_an_external_id_is_one_principals_own(world):
    await principal(world, external_id="zhao")
    answer = await world.admin.post("/v1/principals", json={"name": "赵", "kind": "person", "external_id": "zhao"})
    refused(answer, "conflict")
    other = await principal(world)
    answer = await world.admin.patch(
        f"/v1/principals/{other['id']}", json={"external_id": "zhao"}, headers=match(other)
    )
    refused(answer, "conflict")


async def test_the_same_request_makes_one_principal(world):
    sent = {"json": {"name": "一次", "kind": "person"}, "headers": {"Idempotency-Key": "one principal"}}
    first, again = [await world.admin.post("/v1/principals", **sent) for _ in range(2)]
    assert again.headers["idempotent-replayed"] == "true" and again.json() == first.json()


@pytest.mark.parametrize("role", ["supervisor", "responsible", "platform", "viewer"])
async def test_who_is_no_admin_is_refused_whether_it_is_there_or_not(world, role):
    made, client = await principal(world), await world.person(role)
    for each in (made["id"], NOBODY):
        for method, path in (
            ("GET", ""), ("DELETE", ""), ("GET", "/keys"), ("GET", "/grants"), ("DELETE", f"/keys/{NOBODY}"),
            ("DELETE", f"/grants/{NOBODY}"),
        ):  # fmt: skip
            refused(await client.request(method, f"/v1/principals/{each}{path}"), "forbidden")
        refused(await client.post(f"/v1/principals/{each}/keys", json={}), "forbidden")
        answer = await client.post(f"/v1/principals/{each}/grants", json={"role": "viewer", "unit": "root"})
        refused(answer, "forbidden")
        answer = await client.patch(f"/v1/principals/{each}", json={"name": "我"}, headers={"If-Match": '"1"'})
        refused(answer, "forbidden")
    refused(await client.get("/v1/principals"), "forbidden")
    refused(await client.post("/v1/principals", json={"name": "我", "kind": "person"}), "forbidden")


async def test_an_auditor_reads_and_changes_nothing(world):
    made, auditor = await principal(world), await world.person("auditor")
    assert await read(auditor, f"/v1/principals/{made['id']}") == made
    assert (await read(auditor, f"/v1/principals/{made['id']}/keys"))["items"] == []
    refused(await auditor.delete(f"/v1/principals/{made['id']}"), "forbidden")


async def test_what_is_not_there_is_not_found(world):
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("GET", "/keys"), ("GET", "/grants"), ("DELETE", f"/keys/{NOBODY}"),
        ("DELETE", f"/grants/{NOBODY}"),
    ):  # fmt: skip
        refused(await world.admin.request(method, f"/v1/principals/{NOBODY}{path}"), "not_found")


async def test_a_removed_principal_is_out_with_all_its_keys_and_grants(world):
    who = await principal(world)
    await granted(world, who, "viewer", "t1")
    client, _ = await with_key(world, who)
    assert (await read(client, "/v1/me"))["name"] == "李明"
    assert (await world.admin.delete(f"/v1/principals/{who['id']}")).status_code == 204
    assert (await world.admin.delete(f"/v1/principals/{who['id']}")).status_code == 204, "once more changes nothing"
    world.app.state.doorkeeper.forget_everyone()
    refused(await client.get("/v1/me"), "unauthenticated")
    left = await read(world.admin, f"/v1/principals/{who['id']}")
    assert not left["active"] and left["version"] == 2
    assert (await read(world.admin, f"/v1/principals/{who['id']}/grants"))["items"] == []
    assert all(key["revoked_at"] for key in (await read(world.admin, f"/v1/principals/{who['id']}/keys"))["items"])
    refused(await world.admin.post(f"/v1/principals/{who['id']}/keys", json={}), "conflict")
    answer = await world.admin.post(f"/v1/principals/{who['id']}/grants", json={"role": "viewer", "unit": "root"})
    refused(answer, "conflict")
    assert len(await told(world, "access.principal_removed", principal_id=who["id"])) == 1


async def test_an_admin_does_not_lock_itself_out(world):
    me = await read(world.admin, "/v1/me")
    url = f"/v1/principals/{me['principal_id']}"
    refused(await world.admin.delete(url), "conflict")
    (mine,) = (await read(world.admin, f"{url}/grants"))["items"]
    refused(await world.admin.delete(f"{url}/grants/{mine['id']}"), "conflict")
    assert ok(await world.admin.get("/v1/me"))


# -- keys


async def test_a_key_is_shown_once(world):
    who = await principal(world)
    sent = {"json": {}, "headers": {"Idempotency-Key": f"key of {who['id']}"}}
    first, again = [await world.admin.post(f"/v1/principals/{who['id']}/keys", **sent) for _ in range(2)]
    made = ok(first, 201)
    assert made["key"].startswith(made["prefix"]) and made["secret_shown"] is False
    assert again.headers["idempotent-replayed"] == "true"
    assert ok(again, 201) == {**made, "key": None, "secret_shown": True}
    listed = await world.admin.get(f"/v1/principals/{who['id']}/keys")
    assert made["key"] not in listed.text and listed.json()["items"][0]["prefix"] == made["prefix"]


async def test_a_key_ends_when_it_says(world):
    who = await principal(world)
    await granted(world, who, "viewer", "root")
    end = datetime.now(UTC) + timedelta(hours=1)
    client, _ = await with_key(world, who, expires_at=end.isoformat().replace("+00:00", "Z"))
    assert ok(await client.get("/v1/me"))
    with time_machine.travel(end, tick=True):
        refused(await client.get("/v1/me"), "unauthenticated")
    url = f"/v1/principals/{who['id']}/keys"
    refused(await world.admin.post(url, json={"expires_at": "2020-01-01T00:00:00Z"}), "invalid_request",
            ("/expires_at", "in_past"))  # fmt: skip


async def test_a_revoked_key_is_refused_and_that_it_was_tried_is_noted_once(world):
    who = await principal(world)
    client, made = await with_key(world, who)
    assert ok(await client.get("/v1/me"))["grants"] == []
    url = f"/v1/principals/{who['id']}/keys/{made['id']}"
    assert (await world.admin.delete(url)).status_code == 204
    assert (await world.admin.delete(url)).status_code == 204, "once more changes nothing"
    world.app.state.doorkeeper.forget_everyone()
    for _ in range(3):
        refused(await client.get("/v1/me"), "unauthenticated")
    assert len(await told(world, "access.key_refused", key_id=made["id"])) == 1
    assert len(await told(world, "access.key_revoked", key_id=made["id"])) == 1


async def test_a_key_belongs_to_its_principal_alone(world):
    who, other = await principal(world), await principal(world)
    _, made = await with_key(world, who)
    refused(await world.admin.delete(f"/v1/principals/{other['id']}/keys/{made['id']}"), "not_found")


async def test_when_a_key_was_last_used_is_known_without_a_write_for_each_request(world):
    who = await principal(world)
    client, _ = await with_key(world, who)
    await client.get("/v1/me")
    url = f"/v1/principals/{who['id']}/keys"
    assert (await read(world.admin, url))["items"][0]["last_used_at"] is None
    await world.app.state.doorkeeper.write_last_used()
    first = (await read(world.admin, url))["items"][0]["last_used_at"]
    assert first is not None
    await client.get("/v1/me")
    await world.app.state.doorkeeper.write_last_used()
    assert (await read(world.admin, url))["items"][0]["last_used_at"] > first


async def test_only_a_platform_s_key_may_act_for_people(world):
    person, platform = await principal(world), await principal(world, kind="platform", name="平台")
    url = f"/v1/principals/{person['id']}/keys"
    refused(await world.admin.post(url, json={"delegate": True}), "guard_refused", guard="delegate_platform")
    _, made = await with_key(world, platform, delegate=True)
    assert made["delegate"] is True


# -- grants


async def test_a_grant_counts_from_its_first_to_its_last_day(world):
    who = await principal(world)
    client, _ = await with_key(world, who)
    await granted(world, who, "viewer", "t1", since=day(1))
    await granted(world, who, "supervisor", "t2", since=day(-3), until=day(0))
    ended = await granted(world, who, "responsible", "t1v1", until=day(3))
    assert {each["role"] for each in (await read(client, "/v1/me"))["grants"]} == {"supervisor", "responsible"}
    assert (await world.admin.delete(f"/v1/principals/{who['id']}/grants/{ended['id']}")).status_code == 204
    refused(await world.admin.delete(f"/v1/principals/{who['id']}/grants/{ended['id']}"), "not_found")
    world.app.state.doorkeeper.forget_everyone()
    assert {each["role"] for each in (await read(client, "/v1/me"))["grants"]} == {"supervisor"}
    assert len(await told(world, "access.grant_ended", grant_id=ended["id"])) == 1


async def test_a_grant_that_is_over_before_it_begins_is_refused(world):
    who = await principal(world)
    url = f"/v1/principals/{who['id']}/grants"
    for days in ({"until": day(-1)}, {"since": day(5), "until": day(4)}):
        answer = await world.admin.post(url, json={"role": "viewer", "unit": "t1", **days})
        refused(answer, "invalid_request", ("/until", "in_past"))


async def test_admin_and_auditor_stand_on_the_root_only(world):
    who = await principal(world)
    url = f"/v1/principals/{who['id']}/grants"
    for role in ("admin", "auditor"):
        answer = await world.admin.post(url, json={"role": role, "unit": "t1"})
        refused(answer, "guard_refused", guard="root_only")
    await granted(world, who, "auditor", "root")


async def test_a_platform_never_holds_what_only_people_may(world):
    platform, person = await principal(world, kind="platform"), await principal(world)
    for role in ("admin", "supervisor", "responsible", "auditor"):
        answer = await world.admin.post(f"/v1/principals/{platform['id']}/grants", json={"role": role, "unit": "root"})
        refused(answer, "guard_refused", guard="role_for_kind")
    answer = await world.admin.post(f"/v1/principals/{person['id']}/grants", json={"role": "platform", "unit": "root"})
    refused(answer, "guard_refused", guard="role_for_kind")
    await granted(world, platform, "platform", "root")


async def test_an_unknown_unit_is_named(world):
    who = await principal(world)
    url = f"/v1/principals/{who['id']}/grants"
    for field, value in (("unit_id", NOBODY), ("unit", "nowhere")):
        answer = await world.admin.post(url, json={"role": "viewer", field: value})
        refused(answer, "invalid_request", (f"/{field}", "unknown_reference"))


# -- the record


async def test_everything_about_access_is_on_record_and_no_secret_is(world):
    who = await principal(world, name="周洁", external_id="zhoujie")
    _, made = await with_key(world, who)
    await granted(world, who, "viewer", "t1")
    events = await told(world, principal_id=who["id"])
    assert [each["type"] for each in events] == [
        "access.principal_created", "access.key_created", "access.granted",
    ]  # fmt: skip
    me = await read(world.admin, "/v1/me")
    assert {each["actor"]["principal_id"] for each in events} == {me["principal_id"]}
    assert all(each["item_id"] is None and each["unit_id"] is None for each in events)
    everything = json.dumps(await told(world))
    assert made["key"] not in everything and made["prefix"] in everything
