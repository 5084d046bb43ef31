"""A server that is killed in mid-load and started again on the same data: what was acknowledged is there, whole.

The process gets SIGKILL, so nothing of it runs any more: no handler, no flush, no goodbye to the database.
"""

import asyncio
import random

import pytest

from service.settings import Settings
from tests import invariants, workload
from tests.servers import Server
from tests.workload import Workload

pytestmark = pytest.mark.long

WORKERS = 20


async def _loaded(work: Workload, until: int) -> asyncio.Task[None]:
    """A load that is under way: `until` operations more were acknowledged (or it ended, and will say why)."""
    load = asyncio.create_task(work.run(100_000, WORKERS))
    enough = asyncio.create_task(work.acknowledged(until))
    await asyncio.wait({load, enough}, return_when=asyncio.FIRST_COMPLETED)
    enough.cancel()
    return load


async def test_what_was_acknowledged_survives_a_kill_and_nothing_is_half_there(
    server: Server, own_settings: Settings, full: bool
) -> None:
    keys = await workload.people_of(own_settings)
    work = Workload(server, keys, seed=20260106)
    moments = random.Random(7)
    unanswered = 0

    server.start()
    for _ in range(25 if full else 2):
        load = await _loaded(work, until=moments.randint(20, 200 if full else 80))
        server.kill()
        await load

        lost = [operation for operation in work.operations if operation.status is None]
        assert lost, "the server was idle when it was killed"
        unanswered += len(lost)
        server.start()
        found = await invariants.everything(own_settings)
        assert workload.contradictions(work.operations, found) == []

        # Whether a lost one was done or not, its retry does it once, and the next gives the same answer again.
        for operation in lost:
            if operation.retriable:
                await work.retry(operation)
                if operation.acknowledged:
                    again = await work.again(operation)
                    if again.status_code == 404 and operation.may_lose_sight:
                        continue
                    assert again.headers["idempotent-replayed"] == "true"
                    assert (again.status_code, again.json()) == (operation.status, operation.answer)

        found = await invariants.everything(own_settings)
        assert workload.contradictions(work.operations, found) == []
        assert await invariants.contradictions(own_settings) == []
        for operation in work.operations:
            if operation.status is None:  # a correction bears no key: who sent it looks before sending it again
                operation.status = 0

    assert unanswered > 0


async def test_a_server_that_was_told_to_stop_answers_what_it_has_begun(server: Server, own_settings: Settings) -> None:
    keys = await workload.people_of(own_settings)
    work = Workload(server, keys, seed=20260107)
    server.start()
    load = await _loaded(work, until=50)

    await asyncio.to_thread(server.stop)
    await load

    found = await invariants.everything(own_settings)
    assert workload.contradictions(work.operations, found) == []
    assert await invariants.contradictions(own_settings) == []
    done = {row["key"] for row in found["idempotency"]}
    unanswered = [operation for operation in work.operations if operation.status is None]
    assert [operation.number for operation in unanswered if operation.headers.get("Idempotency-Key") in done] == []
