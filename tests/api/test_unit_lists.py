"""Lists of units and the tree over HTTP."""

import pytest

from service.actions import units as unit_actions
from tests.api.helpers import NOBODY, every_page, ok, read, refused


async def codes(client, **params):
    return [unit["code"] for unit in await every_page(client, "/v1/units", **params)]


async def nodes(client, world, code, **params):
    found = await read(client, f"/v1/units/{world.units[code]}/tree", **params)
    return [(node["depth"], node["code"]) for node in found["items"]], found["truncated"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"level": "town"}, ["t1", "t2"]),
        ({"level": ["town", "department"]}, ["d1", "t1", "t2"]),
        ({"parent": "t1"}, ["t1v1", "t1v2"]),
        ({"parent": "root", "level": "department"}, ["d1"]),
        ({"parent": "t1v1"}, []),
        ({"q": "一镇"}, ["t1", "t1v1", "t1v2"]),
        ({"q": "T2"}, ["t2", "t2v1"]),
        ({"q": "%"}, []),
        ({"q": "镇"}, []),
        ({"active": "true", "q": "d"}, ["d1"]),
        ({"active": "false"}, []),
    ],
    ids=str,
)
async def test_units_are_narrowed_to_what_was_asked_for(world, params, expected):
    assert await codes(world.admin, **params, limit=2) == expected


async def test_an_ended_unit_is_found_among_the_inactive(world):
    unit = ok(await world.admin.post("/v1/units", json={"code": "zz", "name": "旧村", "parent": "root"}), 201)
    ok(await world.admin.patch(f"/v1/units/{unit['id']}", json={"active": False}, headers={"If-Match": '"1"'}))
    assert await codes(world.admin, active="false") == ["zz"]
    assert "zz" not in await codes(world.admin, active="true") and "zz" in await codes(world.admin)
    assert await codes(world.admin, parent="zz") == [], "a list may still ask for it"


async def test_a_parent_out_of_scope_and_an_unknown_one_are_the_same(world):
    viewer = await world.person("viewer", "t1")
    assert await codes(viewer, parent="t1") == ["t1v1", "t1v2"]
    for parent in ("t2", "root", "nowhere", NOBODY):
        answer = await viewer.get("/v1/units", params={"parent": parent})
        refused(answer, "invalid_request", ("/query/parent", "unknown_reference"))


async def test_the_tree_has_parents_before_children_and_siblings_by_code(world):
    whole, truncated = await nodes(world.admin, world, "root")
    assert whole[0] == (0, "root") and not truncated
    assert [each for each in whole if each[1][0] in "dt"] == [
        (1, "d1"), (1, "t1"), (2, "t1v1"), (2, "t1v2"), (1, "t2"), (2, "t2v1"),
    ]  # fmt: skip
    shallow, truncated = await nodes(world.admin, world, "root", depth=1)
    assert {depth for depth, _ in shallow} == {0, 1} and not truncated
    assert await nodes(await world.person("viewer", "t1"), world, "t1v1") == ([(0, "t1v1")], False)


async def test_a_tree_is_asked_for_inside_one_s_scope_and_up_to_ten_levels(world):
    viewer = await world.person("viewer", "t1")
    refused(await viewer.get(f"/v1/units/{world.units['root']}/tree"), "not_found")
    refused(await viewer.get(f"/v1/units/{NOBODY}/tree"), "not_found")
    for depth in (0, 11):
        answer = await viewer.get(f"/v1/units/{world.units['t1']}/tree", params={"depth": depth})
        refused(answer, "invalid_request", ("/query/depth", "out_of_range"))


async def test_a_large_tree_is_cut_at_its_farthest_units(world, monkeypatch):
    monkeypatch.setattr(unit_actions, "MAX_NODES", 4)
    cut, truncated = await nodes(world.admin, world, "root")
    assert truncated and cut == [(0, "root"), (1, "d1"), (1, "t1"), (1, "t2")]
