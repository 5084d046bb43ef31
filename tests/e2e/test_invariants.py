"""What watches over the other tests must itself be able to object: each damage to a sound database is noticed."""

import sqlite3
from pathlib import Path

import pytest

from service.settings import Settings
from tests import invariants
from tests.world import World

DAMAGES = {
    "a version without its event": "UPDATE items SET version = version + 1",
    "an event of no item": "UPDATE events SET item_id = lower(hex(randomblob(16))) WHERE type = 'item.progressed'",
    "an event that is gone": "DELETE FROM events WHERE type = 'item.claimed'",
    "a state that no event led to": "UPDATE items SET state = 'extended'",
    "a transaction that left no trace": "UPDATE items SET revision = revision + 1",
    "evidence that nobody gave": "UPDATE items SET evidence_count = evidence_count + 1",
    "a progress entry that is gone": "DELETE FROM progress",
    "hands that were washed": "UPDATE items SET hands = '{}'",
    "a deadline that nobody moved": "UPDATE items SET due_on = '2030-01-01'",
    "an interview that nobody recorded": "UPDATE interviews SET state = 'recorded'",
    "an event that waits for nothing": "DELETE FROM unsequenced",
    "a work-list row too few": "DELETE FROM worklist WHERE rowid = (SELECT max(rowid) FROM worklist)",
    "a work-list row of another day": "UPDATE worklist SET due = '2030-01-01'",
    "a unit above that was forgotten": "DELETE FROM ancestors WHERE distance = 2",
    "a unit that hangs elsewhere": "UPDATE units SET parent_id = (SELECT id FROM units WHERE code = 'd1')"
    " WHERE code = 't2'",
    "a unit that nobody renamed": "UPDATE units SET name = '无名' WHERE code = 't2'",
    "a supervisor that nobody named": "UPDATE items SET supervising_defaulted = 1 - supervising_defaulted",
    "a timer that is gone": "DELETE FROM timers",
    "a title that is not searched": "UPDATE search_texts SET text = ''",
    "a number beyond the counter": "UPDATE counters SET next = 1",
    "an answer that came to nothing": "UPDATE idempotency SET body = replace(body, '\"version\":', '\"version\":9')",
}


@pytest.fixture(scope="module", params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def sound(world: World, settings: Settings) -> Settings:
    """A database in which a little of everything happened, and nothing contradicts itself."""
    for _ in range(2):
        item = await world.item()
        path = f"/v1/items/{item['id']}"
        claim = {"trigger": "claim", "signed_by": "张伟", "measures": "更换管道"}
        key = {"Idempotency-Key": f"claim-{item['id']}"}
        assert (await world.admin.post(f"{path}/transitions", json=claim, headers=key)).status_code == 200
        assert (await world.admin.post(f"{path}/progress", json={"text": "已更换"})).status_code == 201
        assert (await world.fire(world.admin, item["id"], "escalate", reason="逾期")).status_code == 200
    assert await invariants.contradictions(settings) == []
    return settings


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_a_damage_is_noticed(sound: Settings, tmp_path: Path, damage: str) -> None:
    assert sound.sqlite_path is not None
    copy = Settings(data_dir=tmp_path)
    assert copy.sqlite_path is not None
    with sqlite3.connect(sound.sqlite_path) as source, sqlite3.connect(copy.sqlite_path) as target:
        source.backup(target)
        target.execute("PRAGMA foreign_keys = OFF")
        assert target.execute(damage).rowcount > 0

    assert await invariants.contradictions(copy) != []
