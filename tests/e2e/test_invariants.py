"""What watches over the other tests must itself be able to object: each damage to a sound database is noticed."""

import sqlite3
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from service.settings import Settings
from service.workers import clock
from service.workflow.calendar import BASE
from tests import invariants
from tests.e2e.damages import DAMAGES, Check
from tests.evidence import upload
from tests.world import World

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module", params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def office(day: date) -> datetime:
    return datetime.combine(day, time(10), ZONE).astimezone(UTC)


async def _ok(answer: Any) -> Any:
    answer = await answer
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture(scope="module")
async def sound(world: World, settings: Settings) -> Settings:
    """A database in which a little of everything happened, and nothing contradicts itself."""
    admin, asker = world.admin, await world.person("responsible")
    today = datetime.now(ZONE).date()
    due = BASE.add(today, 3)
    table = {"workdays": [], "holidays": [str(date(today.year + 2, 6, 30))], "complete": False}
    await _ok(admin.put(f"/v1/calendars/{today.year + 2}", json=table))
    ladder = [
        {"code": f"{action}+1", "anchor": "due", "offset": 1, "states": ["extended"], "after_interview": False,
         "action": action, "notify": ["responsible"], "confirm": True} for action in ("urge", "warn", "circulate")
    ]  # fmt: skip
    strict = {"code": "l2", "name": "隐患", "policy": {"ladder": ladder}}
    await _ok(admin.post("/v1/ledgers", json=strict))
    items = [await world.item(due_on=str(due)) for _ in range(6)] + [await world.item(due_on=str(due), ledger="l2")]
    for item in items[:5] + items[6:]:
        claim = {"trigger": "claim", "signed_by": "张伟", "measures": "更换管道"}
        key = {"Idempotency-Key": f"claim-{item['id']}"}
        await _ok(admin.post(f"/v1/items/{item['id']}/transitions", json=claim, headers=key))
        await _ok(admin.post(f"/v1/items/{item['id']}/progress", json={"text": "已更换"}))
    escalated, asked, withdrawn, returned, closed, open_, extended = (item["id"] for item in items)

    async def ask(item_id: str, **body: Any) -> Any:
        path, key = f"/v1/items/{item_id}/requests", {"Idempotency-Key": f"ask-{item_id}-{body['kind']}"}
        return await _ok(asker.post(path, json=body, headers=key))

    talk = (await _ok(world.fire(admin, escalated, "escalate", reason="逾期")))["interview_id"]
    await _ok(admin.post(f"/v1/interviews/{talk}/schedule", json={"at": office(due).isoformat(), "place": "县督查室"}))
    photos = [(await upload(admin))["id"], (await upload(asker))["id"], (await upload(admin))["id"]]
    await upload(admin)
    body = {"text": "照片见附件", "attachment_ids": photos[:1]}
    await _ok(admin.post(f"/v1/items/{asked}/progress", json=body))
    await ask(asked, kind="closure", summary="已更换", attachment_ids=photos[1:2])
    await ask(asked, kind="transfer", reason="职责不符")
    mistaken = await ask(withdrawn, kind="transfer", reason="职责不符")
    await _ok(asker.post(f"/v1/requests/{mistaken['id']}/withdrawal", json={}))
    early = await ask(returned, kind="closure", summary="已更换")
    more = await ask(extended, kind="extension", due_on=str(BASE.add(due, 1)), reason="汛期")
    await _ok(admin.post(f"/v1/requests/{more['id']}/decision", json={"verdict": "approve"}))
    verification = {"method": "on_site", "on": str(today), "note": "现场核验"}
    other = await world.person("supervisor")
    await _ok(world.fire(other, closed, "close", verification=verification))
    standing = await world.item(deadline={"kind": "standing"})
    await _ok(
        admin.post(
            f"/v1/items/{standing['id']}/reviews", json={"on": str(today), "note": "照旧", "attachment_ids": photos[2:]}
        )
    )

    async def notice(kind: str, *item_ids: str) -> Any:
        body = {
            "kind": kind,
            "unit": "t1v1",
            "item_ids": item_ids,
            "text": "请回复",
            "copy_unit_ids": [world.units["d1"]],
        }
        return await _ok(admin.post("/v1/notices", json=body, headers={"Idempotency-Key": f"{kind}-{len(item_ids)}"}))

    await notice("reminder", open_)
    signed, dropped = await notice("warning", open_, withdrawn), await notice("warning", open_)
    await _ok(admin.post(f"/v1/notices/{signed['id']}/receipt", json={"signed_by": "张伟"}))
    await _ok(admin.post(f"/v1/notices/{dropped['id']}/cancel", json={"reason": "误发"}))

    noticed = office(BASE.add(due, 2))
    await clock.run_until_done(world.service, noticed)
    with time_machine.travel(noticed + timedelta(minutes=1), tick=False):
        verdict = {"verdict": "return", "reason": "佐证不足"}
        await _ok(other.post(f"/v1/requests/{early['id']}/decision", json=verdict))
    assert await invariants.contradictions(settings) == []
    return settings


@pytest.mark.parametrize(
    ("check", "damage"),
    [pytest.param(check, sql, id=what) for check, damages in DAMAGES.items() for what, sql in damages.items()],
)
async def test_a_damage_is_noticed(sound: Settings, tmp_path: Path, check: Check, damage: str) -> None:
    assert sound.sqlite_path is not None
    copy = Settings(data_dir=tmp_path)
    assert copy.sqlite_path is not None
    with sqlite3.connect(sound.sqlite_path) as source, sqlite3.connect(copy.sqlite_path) as target:
        source.backup(target)
        target.execute("PRAGMA foreign_keys = OFF")
        assert target.execute(damage).rowcount > 0

    assert list(check(await invariants.everything(copy))) != []


def test_every_check_is_shown_a_damage() -> None:
    assert DAMAGES.keys() == set(invariants.CHECKS)
