"""Units and ledgers over HTTP."""

import asyncio

import pytest

from service.workflow.policy import DEFAULTS
from tests.api.helpers import NOBODY, every_page, match, ok, read, refused

# -- units


async def hang(client, code, **given):
    return await client.post("/v1/units", json={"code": code, "name": f"{code} 村", "parent": "t1", **given})


async def test_a_unit_hangs_under_another_and_is_read_back(world):
    answer = await hang(world.admin, "t1v9", level="village")
    unit = ok(answer, 201)
    assert answer.headers["location"] == f"/v1/units/{unit['id']}" and answer.headers["etag"] == '"1"'
    assert (unit["parent_id"], unit["level"], unit["active"]) == (world.units["t1"], "village", True)
    assert await read(await world.person("viewer", "t1"), answer.headers["location"]) == unit


async def test_the_parent_is_named_by_id_or_by_code_and_by_one_of_them(world):
    body = {"code": "by-id", "name": "某村", "parent_id": world.units["t2"]}
    assert ok(await world.admin.post("/v1/units", json=body), 201)["parent_id"] == world.units["t2"]
    answer = await world.admin.post("/v1/units", json={**body, "code": "both", "parent": "t2"})
    refused(answer, "invalid_request", ("/parent", "one_of_two"))
    answer = await world.admin.post("/v1/units", json={"code": "none", "name": "某村"})
    refused(answer, "invalid_request", ("/parent_id", "missing"))


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"code": "a b"}, "/code", "bad_format"),
        ({"code": "镇"}, "/code", "bad_format"),
        ({"code": ""}, "/code", "too_short"),
        ({"code": "x" * 65}, "/code", "too_long"),
        ({"name": "a\nb"}, "/name", "bad_format"),
        ({"level": "galaxy"}, "/level", "not_allowed"),
        ({"active": False}, "/active", "unknown_field"),
    ],
)
async def test_what_is_wrong_with_a_unit_is_pointed_at(world, given, pointer, code):
    refused(await hang(world.admin, **{"code": "wrong", **given}), "invalid_request", (pointer, code))


async def test_a_code_is_unique_in_the_tenant_and_only_there(world):
    refused(await hang(world.admin, "t2v1"), "conflict")
    refused(await hang(world.admin, "root"), "conflict")
    ok(await hang(await world.tenant("units-else"), "t2v1", parent="root"), 201)


async def test_of_simultaneous_units_with_one_code_one_is_made(world):
    answers = await asyncio.gather(*(hang(world.admin, "race") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


async def test_an_unknown_parent_and_one_out_of_scope_cannot_be_told_apart(world):
    town = await world.person("supervisor", "t1")
    foreign = await hang(town, "x1", parent="t2")
    unknown = await hang(town, "x1", parent="nowhere")
    for answer in (foreign, unknown):
        refused(answer, "invalid_request", ("/parent", "unknown_reference"))
    assert {**foreign.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


@pytest.mark.parametrize("role", ["supervisor", "responsible", "platform", "viewer", "auditor"])
async def test_only_admin_makes_units_and_ledgers(world, role):
    client = await world.person(role, "root")
    refused(await hang(client, "no"), "forbidden")
    refused(await client.post("/v1/ledgers", json={"code": "no", "name": "无"}), "forbidden")
    (ledger,) = [each for each in await every_page(client, "/v1/ledgers") if each["code"] == "default"]
    refused(
        await client.patch(f"/v1/ledgers/{ledger['id']}", json={"name": "无"}, headers={"If-Match": '"99"'}),
        "forbidden",
    )


@pytest.mark.parametrize(("unit", "codes"), [("t2", ["t2", "t2v1"]), ("t2v1", ["t2v1"]), ("d1", ["d1"])])
async def test_units_are_seen_from_one_s_own_down(world, unit, codes):
    client = await world.person("viewer", unit)
    assert set(codes) <= {each["code"] for each in await every_page(client, "/v1/units", limit=1)}
    refused(await client.get(f"/v1/units/{world.units['root']}"), "not_found")
    refused(await client.get(f"/v1/units/{NOBODY}"), "not_found")
    own = await read(client, f"/v1/units/{world.units[unit]}")
    assert own["parent_id"], "the id of the unit above may show"


async def test_units_are_paged_by_code_without_a_gap(world):
    for n in range(5):
        ok(await hang(world.admin, f"page{n}"), 201)
    whole = [unit["code"] for unit in await every_page(world.admin, "/v1/units", limit=200)]
    paged = [unit["code"] for unit in await every_page(world.admin, "/v1/units", limit=3)]
    assert paged == whole and len(set(whole)) == len(whole) and {"root", "page4"} <= set(whole)


# -- ledgers


async def open_ledger(world, code, status=201, **given):
    return ok(await world.admin.post("/v1/ledgers", json={"code": code, "name": f"{code} 台账", **given}), status)


async def change(world, ledger, **given):
    return await world.admin.patch(f"/v1/ledgers/{ledger['id']}", json=given, headers=match(ledger))


async def test_a_ledger_has_the_default_policy_whole_and_the_root_as_owner(world):
    ledger = await open_ledger(world, "plain")
    assert ledger["policy"] == DEFAULTS
    assert (ledger["owner_unit_id"], ledger["listing"], ledger["version"]) == (world.units["root"], "any", 1)
    answer = await world.admin.get(f"/v1/ledgers/{ledger['id']}")
    assert ok(answer) == ledger and answer.headers["etag"] == '"1"'


async def test_a_partial_policy_is_merged_over_the_defaults(world):
    partial = {"limits": {"critical": 2}, "claim_within": 1, "lamps": [{"lamp": "blue", "from_days": -5}], "ladder": []}
    ledger = await open_ledger(world, "partial", policy=partial)
    assert ledger["policy"] == {
        **DEFAULTS, **partial, "limits": {**DEFAULTS["limits"], "critical": 2},
    }  # fmt: skip
    item = await world.item(ledger="partial", severity="critical")
    assert item["deadline"]["due_on"] < (await world.item(severity="critical"))["deadline"]["due_on"]
    assert item["lamp"] == "blue"


async def test_a_change_is_merged_over_the_present_policy_and_counts_a_version(world):
    ledger = await open_ledger(world, "changing", policy={"limits": {"critical": 2}})
    changed = ok(await change(world, ledger, policy={"limits": {"general": 20}}, name="新名"))
    assert changed["policy"]["limits"] == {**DEFAULTS["limits"], "critical": 2, "general": 20}
    assert (changed["version"], changed["name"], changed["code"]) == (2, "新名", "changing")
    assert ok(await change(world, changed, policy={"limits": {"general": 20}}, name="新名")) == changed
    assert ok(await change(world, changed)) == changed


async def test_a_ledger_is_changed_only_as_it_was_read(world):
    ledger = await open_ledger(world, "versioned")
    url = f"/v1/ledgers/{ledger['id']}"
    refused(await world.admin.patch(url, json={"name": "新"}), "precondition_required")
    refused(await world.admin.patch(url, json={"name": "新"}, headers={"If-Match": '"7"'}), "stale_version")
    answers = await asyncio.gather(*(change(world, ledger, name=f"新 {n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    refused(await world.admin.patch(f"/v1/ledgers/{NOBODY}", json={}, headers={"If-Match": '"1"'}), "not_found")


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"limits": {"general": 0}}, "/policy/limits/general"),
        ({"limits": {"general": 3651}}, "/policy/limits/general"),
        ({"limits": {"general": "30"}}, "/policy/limits/general"),
        ({"limits": {"general": None}}, "/policy/limits/general"),
        ({"limits": {"fatal": 1}}, "/policy/limits/fatal"),
        ({"limits": None}, "/policy/limits"),
        ({"claim_within": True}, "/policy/claim_within"),
        ({"claim_within": 1.5}, "/policy/claim_within"),
        ({"closure": {"four_eyes": "yes"}}, "/policy/closure/four_eyes"),
        ({"office_hours": {"open": "25:00"}}, "/policy/office_hours/open"),
        ({"office_hours": {"open": "18:00"}}, "/policy/office_hours/close"),
        ({"lamps": [{"lamp": "red", "from_days": 1}, {"lamp": "blue", "from_days": 1}]}, "/policy/lamps/1/from_days"),
        ({"numbers": {"item": "{year}"}}, "/policy/numbers/item"),
        ({"numbers": {"item": "{seq}"}}, "/policy/numbers/item"),
        ({"numbers": {"item": "{year}{seq}{secret.__class__}"}}, "/policy/numbers/item"),
        ({"numbers": {"urging": "{year}{seq}", "warning": "{year}{seq}"}}, "/policy/numbers/warning"),
        ({"ladder": [{"code": "x"}]}, "/policy/ladder/0/anchor"),
        ({"ladder": [{"code": "x", "anchor": "decision_due", "offset": 1, "states": ["open"], "action": "escalate",
                      "notify": ["parent"]}]}, "/policy/ladder/0/action"),
        ({"ladder": [{"code": "x", "anchor": "due", "offset": 1, "states": ["open"], "action": "remind",
                      "notify": ["responsible"], "confirm": True}]}, "/policy/ladder/0/confirm"),
        ({"unknown": 1}, "/policy/unknown"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_policy_is_pointed_at(world, policy, pointer):
    answer = await world.admin.post("/v1/ledgers", json={"code": "wrong", "name": "错", "policy": policy})
    found = refused(answer, "invalid_request")["errors"]
    assert pointer in [error["pointer"] for error in found], found
    ledger = (await every_page(world.admin, "/v1/ledgers"))[0]
    assert pointer in [error["pointer"] for error in refused(await change(world, ledger, policy=policy),
                                                             "invalid_request")["errors"]]  # fmt: skip


async def test_a_ledger_s_code_is_unique_and_its_owner_must_be_known(world):
    await open_ledger(world, "taken")
    refused(await world.admin.post("/v1/ledgers", json={"code": "taken", "name": "又"}), "conflict")
    answer = await world.admin.post("/v1/ledgers", json={"code": "own", "name": "又", "owner_unit_id": NOBODY})
    refused(answer, "invalid_request", ("/owner_unit_id", "unknown_reference"))


async def test_every_principal_reads_the_ledgers_of_its_tenant_page_by_page(world):
    for n in range(4):
        await open_ledger(world, f"page{n}")
    village = await world.person("viewer", "t1v1")
    whole = [ledger["code"] for ledger in await every_page(world.admin, "/v1/ledgers", limit=200)]
    assert [ledger["code"] for ledger in await every_page(village, "/v1/ledgers", limit=2)] == whole
    assert len(set(whole)) == len(whole) >= 5


async def test_a_ledger_of_its_owner_takes_items_only_from_those_over_the_owner_unit(world):
    await open_ledger(world, "owned", owner_unit_id=world.units["t1"], listing="owner")
    body = {"ledger": "owned", "title": "主管台账", "responsible_unit": "t1v1"}
    for role, unit in (("supervisor", "t1"), ("supervisor", "root"), ("platform", "t1"), ("admin", "root")):
        ok(await (await world.person(role, unit)).post("/v1/items", json=body), 201)
    refused(await (await world.person("platform", "t1v1")).post("/v1/items", json=body), "forbidden")
    ok(await (await world.person("platform", "t1v1")).post("/v1/items", json={**body, "ledger": "default"}), 201)


async def test_a_new_policy_lights_lamps_anew_and_moves_no_deadline(world):
    ledger = await open_ledger(world, "lamps")
    item = await world.item(ledger="lamps")
    assert item["lamp"] == "green"
    ok(await change(world, ledger, policy={"limits": {"general": 5}, "lamps": [{"lamp": "orange", "from_days": -60}]}))
    again = await read(world.admin, f"/v1/items/{item['id']}")
    assert (again["lamp"], again["deadline"], again["version"]) == ("orange", item["deadline"], 1)
    rows = await every_page(world.admin, "/v1/items", ledger="lamps", lamp="orange")
    assert [row["id"] for row in rows] == [item["id"]]
