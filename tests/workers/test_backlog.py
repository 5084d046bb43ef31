"""What an operator is told of the queues, on either database."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from service.actions import backlog
from service.api.metrics import Metrics
from service.store.database import Changes, Statement, Tx
from service.store.deliveries import deliveries
from service.store.webhooks import webhooks
from service.workers import clock, figures, sequencer
from tests.api.helpers import ok
from tests.world import World


async def measured(world: World) -> dict[str, float]:
    """What /metrics says without a label."""
    text = (await world.admin.get("/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^(xiaohao_\w+) (\S+)$", text, re.MULTILINE)}


async def set_columns(world: World, **columns: Any) -> None:
    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.add(Statement(webhooks.update().values(**columns)))
        await tx.apply(changes)

    await world.service.database.write(action)


async def test_what_waits_for_its_position_is_told_with_its_age(world: World) -> None:
    ok(await world.admin.post("/v1/units", json={"code": "q1", "name": "青溪镇", "parent": "root"}), 201)
    await asyncio.sleep(0.05)
    before = await measured(world)
    assert before["xiaohao_sequencer_backlog"] >= 1 and before["xiaohao_sequencer_lag_seconds"] >= 0.05
    late = await backlog.measure(world.service, datetime.now(UTC) + timedelta(hours=1))
    assert 3600 <= late.sequencer.lag < 3660
    await sequencer.run_until_done(world.service)
    after = await measured(world)
    assert (after["xiaohao_sequencer_backlog"], after["xiaohao_sequencer_lag_seconds"]) == (0, 0)


async def test_what_the_figures_do_not_sum_up_yet_is_told_with_its_age(world: World) -> None:
    await figures.run_until_done(world.service)
    await world.item()
    await sequencer.run_until_done(world.service)
    standing = await backlog.measure(world.service, datetime.now(UTC) + timedelta(hours=1))
    assert standing.figures.length >= 1 and 3600 <= standing.figures.lag < 3660
    told = await measured(world)
    assert told["xiaohao_figures_backlog"] == standing.figures.length and told["xiaohao_figures_lag_seconds"] < 60
    await figures.run_until_done(world.service)
    told = await measured(world)
    assert (told["xiaohao_figures_backlog"], told["xiaohao_figures_lag_seconds"]) == (0, 0)


async def test_what_waits_to_be_sent_is_told_and_what_was_given_up(world: World) -> None:
    made = ok(await world.admin.post("/v1/webhooks", json={"url": "https://hook.invalid/", "types": ["unit.*"]}), 201)
    for code in ("q2", "q3"):
        ok(await world.admin.post("/v1/units", json={"code": code, "name": "镇", "parent": "root"}), 201)
    await sequencer.run_until_done(world.service)
    waits = await backlog.measure(world.service, datetime.now(UTC) + timedelta(minutes=2))
    assert waits.courier.length == 2 and 120 <= waits.courier.lag < 180 and waits.dead == 0

    # What nobody may call now is not late, however long it has waited; it is counted all the same.
    long_ago, in_an_hour = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(hours=1)
    for held, late in (
        ({"enabled": False}, 0),
        ({"probe_at": in_an_hour}, 0),
        ({"paced_until": in_an_hour}, 0),
        ({"probe_at": long_ago}, 120),
    ):
        await set_columns(world, **held)
        told = await backlog.measure(world.service, datetime.now(UTC) + timedelta(minutes=2))
        assert told.courier.length == 2 and late <= told.courier.lag < late + 60
        await set_columns(world, enabled=True, probe_at=None, paced_until=None)
    give_up = Statement(deliveries.update().values(status="dead"))

    async def action(tx: Tx) -> None:
        changes = Changes()
        changes.add(give_up)
        await tx.apply(changes)

    await world.service.database.write(action)
    assert (await measured(world))["xiaohao_deliveries_dead"] == 2
    assert (await world.admin.delete(f"/v1/webhooks/{made['id']}")).status_code == 204
    assert (await measured(world))["xiaohao_deliveries_dead"] == 0


async def test_items_brought_forward_are_told_not_those_that_a_walk_goes_past(world: World) -> None:
    code = "forward"
    made = ok(await world.admin.post("/v1/ledgers", json={"code": code, "name": "饮水台账"}), 201)
    for ledger in (code, code, "default"):
        await world.item(ledger=ledger)
    now = datetime.now(UTC)
    await clock.run_until_done(world.service, now)
    policy, version = {"policy": {"interview_within": 3}}, {"If-Match": f'"{made["version"]}"'}
    ok(await world.admin.patch(f"/v1/ledgers/{made['id']}", json=policy, headers=version))
    before = await measured(world)
    assert before["xiaohao_replans"] == 1
    # The clock is turned off in these tests; what its loop tells after each round is told here.
    metrics: Metrics = world.app.state.metrics
    metrics.count(await clock.run_until_done(world.service, datetime.now(UTC)))
    after = await measured(world)
    assert after["xiaohao_replanned_total"] - before["xiaohao_replanned_total"] == 2
    assert after["xiaohao_looks_failed_total"] == 0


async def test_connections_are_told_where_there_is_a_pool(world: World) -> None:
    text = (await world.admin.get("/metrics")).text
    found = re.findall(r'^xiaohao_database_connections\{pool="(\w+)",state="(\w+)"\} (\S+)$', text, re.MULTILINE)
    if world.app.state.settings.sqlite_path is not None:
        assert found == []
    else:
        assert {(pool, state) for pool, state, _ in found} == {
            (pool, state) for pool in ("items", "lists") for state in ("used", "idle")
        }
        assert sum(float(count) for *_, count in found) >= 2
