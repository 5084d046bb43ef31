"""A replay is read like anything else: it shows what its caller may see at that moment, whatever it did before."""

import itertools

import pytest

from tests.api.calls import CALLS, NAMES, Asked, Place, Side, firing, item_at, moved, recording, regrant, side
from tests.api.calls_clock import asked_at, deciding
from tests.api.document import DOCUMENT, OPERATIONS, tenant_level
from tests.api.helpers import ok, read, refused
from tests.world import World

serial = itertools.count(1)
OF_MANY_KINDS = ("create_item_transition", "create_item_request", "decide_request")
POSTS = [
    name
    for name in CALLS
    if (":" not in name or (name.startswith(OF_MANY_KINDS) and name not in NAMES))
    and any(each.get("name") == "Idempotency-Key" for each in OPERATIONS[name.partition(":")[0]][1]["parameters"])
]

NOTHING_SHOWN = ("create_export",)
"""What they answer tells of nothing that has a scope: a job's result is refused to whoever's grants have changed."""

ABOUT_ITEMS = ("item", "interview", "request", "notice")


@pytest.fixture(scope="module")
async def home(world: World) -> Side:
    return await side(world, world.admin)


def key() -> dict[str, str]:
    return {"Idempotency-Key": f"replay-{next(serial)}"}


def test_every_post_is_among_those_replayed() -> None:
    named = {each["post"]["operationId"] for path, each in DOCUMENT["paths"].items() if "post" in each}
    assert {name.partition(":")[0] for name in POSTS} == named


@pytest.mark.parametrize("name", [name for name in POSTS if name not in NOTHING_SHOWN])
async def test_no_replay_is_given_to_one_who_lost_every_grant(world: World, home: Side, name: str) -> None:
    caller, headers = await world.person("admin", "root"), key()
    asked = await CALLS[name](home, Place(home, "t1"))
    assert (await asked.by(caller, **headers)).is_success
    assert (await asked.by(caller, **headers)).headers["idempotent-replayed"] == "true"
    await regrant(world, caller)
    refused(await asked.by(caller, **headers), "forbidden" if tenant_level(name) else "not_found")


@pytest.mark.parametrize(
    "name", [name for name in POSTS if any(each in name for each in ABOUT_ITEMS) and not tenant_level(name)]
)
async def test_no_replay_is_given_to_one_who_moved_to_another_town(world: World, home: Side, name: str) -> None:
    """A reader of the own town still gets it: for a replay, reading is enough."""
    if name == "create_item_transition: transfer":
        asked = firing((await item_at(Place(home, "t1v1")))["id"], "transfer", responsible_unit="t1v2", reason="有误")
    elif name == "decide_request: transfer":
        asked = deciding(await asked_at(Place(home, "t1v1"), "transfer"), responsible_unit="t1v2")
    else:
        asked = await CALLS[name](home, Place(home, "t1v1"))
    caller, headers = await world.person("admin", "root"), key()
    first = await asked.by(caller, **headers)
    assert first.is_success, first.text
    await regrant(world, caller, "viewer", "t1")
    assert (await asked.by(caller, **headers)).status_code == first.status_code
    await regrant(world, caller, "supervisor", "t2")
    refused(await asked.by(caller, **headers), "not_found")


@pytest.mark.parametrize("gone", range(3))
async def test_a_batch_is_replayed_only_while_every_item_of_it_is_seen(world: World, home: Side, gone: int) -> None:
    town, headers = await world.person("supervisor", "t1"), key()
    items = [{"ledger": "default", "title": f"成批 {n}", "responsible_unit": "t1v1"} for n in range(3)]
    asked = Asked("POST", "/v1/items/batch", {"items": items})
    listed = ok(await asked.by(town, **headers), 201)["items"]
    assert ok(await asked.by(town, **headers), 201)["items"] == listed
    ok(await firing(listed[gone]["id"], "transfer", responsible_unit="t2", reason="属地有误").by(home.admin))
    refused(await asked.by(town, **headers), "not_found")


MINUTES = ("attendees", "minutes", "commitments")


async def test_the_minutes_are_replayed_only_to_those_who_read_them_now(world: World, home: Side) -> None:
    town, headers = await world.person("supervisor", "t1"), key()
    asked = recording((await moved(Place(home, "t1v1"), "escalate"))["interview_id"])
    first = ok(await asked.by(town, **headers))
    assert first["minutes"] and ok(await asked.by(town, **headers)) == first
    for role, unit, reads in (
        ("viewer", "t1", False), ("responsible", "t1v1", True), ("auditor", "root", True),
        ("supervisor", "t1v1", False), ("supervisor", "root", True),
    ):  # fmt: skip
        await regrant(world, town, role, unit)
        again = await asked.by(town, **headers)
        assert again.headers["idempotent-replayed"] == "true"
        kept = {name: value for name, value in first.items() if name not in MINUTES}
        assert ok(again) == (first if reads else {**kept, "attendees": [], "minutes": None, "commitments": None}), role
        assert ok(again) == await read(town, asked.path.removesuffix("/record"))
