"""Jobs: an export behind the call, how far it is, what came of it, and whose it is."""

import asyncio
import csv
import io
import itertools
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import time_machine
from python_calamine import CalamineWorkbook

from service.actions import exporting, jobs
from service.store.jobs import JobPart
from service.workers import housekeeping
from tests.api.calls import regrant
from tests.api.helpers import NOBODY, ok, read, refused
from tests.world import World

serial = itertools.count(1)


def fresh() -> str:
    return f"任务{next(serial)}"


async def begun(client: httpx.AsyncClient, headers: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    answer = await client.post("/v1/exports", params=params, headers=headers)
    job: dict[str, Any] = ok(answer, 202)
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    return job


async def ended(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    give_up = time.monotonic() + 60
    while job["state"] in ("queued", "running"):
        assert time.monotonic() < give_up, job
        await asyncio.sleep(0.05)
        job = await read(client, f"/v1/jobs/{job['id']}")
    return job


async def fetched(client: httpx.AsyncClient, job: dict[str, Any]) -> httpx.Response:
    job = await ended(client, job)
    assert (job["state"], job["percent"], job["problem"]) == ("done", 100, None), job
    answer = await client.get(job["result"]["href"])
    assert answer.status_code == 200, answer.text
    assert len(answer.content) == job["result"]["size"] == int(answer.headers["content-length"])
    assert answer.headers["content-type"] == job["result"]["media_type"]
    return answer


async def test_a_job_gives_what_the_same_export_gives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 3)
    monkeypatch.setattr(jobs, "PART_BYTES", 1000)
    label = fresh()
    for _ in range(10):
        await world.item(labels=[label], measures="更换管道" * 20)
    answer = await fetched(world.admin, await begun(world.admin, label=label, format="csv", layout="problems"))
    direct = await world.admin.get("/v1/exports/items.csv", params={"label": label, "layout": "problems"})
    assert answer.content == direct.content
    assert len(list(csv.reader(io.StringIO(answer.text)))) == 11
    answer = await fetched(world.admin, await begun(world.admin, label=label))
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert len(book.get_sheet_by_index(0).to_python()) == 4 + 10 + 1
    assert list(world.service.scratch.directory.iterdir()) == []


async def test_it_says_how_far_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 1)
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0.01)
    label = fresh()
    for _ in range(6):
        await world.item(labels=[label])
    page, gate = exporting.Export._page, asyncio.Semaphore(3)

    async def slow(self: Any, views: Any) -> Any:
        await gate.acquire()
        return await page(self, views)

    monkeypatch.setattr(exporting.Export, "_page", slow)
    job = await begun(world.admin, label=label, format="csv")
    assert (job["state"], job["percent"], job["result"], job["kind"]) == ("queued", 0, None, "export")
    give_up = time.monotonic() + 20
    while job["percent"] < 40 and time.monotonic() < give_up:
        job = await read(world.admin, f"/v1/jobs/{job['id']}")
    # Three of six lines are written; the last tenth is for keeping them.
    assert (job["state"], job["percent"]) == ("running", 45)
    refused(await world.admin.get(f"/v1/jobs/{job['id']}/result"), "conflict")
    for _ in range(3):
        gate.release()
    await fetched(world.admin, job)


async def test_a_job_is_its_callers_own(world: World) -> None:
    supervisor = await world.person("supervisor", "t1")
    job = await ended(supervisor, await begun(supervisor, external_ref="nothing"))
    other = await world.tenant(fresh().replace("任务", "jobs"))
    for client in (world.admin, await world.person("supervisor", "t1"), await world.person("auditor"), other):
        refused(await client.get(f"/v1/jobs/{job['id']}"), "not_found")
        refused(await client.get(f"/v1/jobs/{job['id']}/result"), "not_found")
    refused(await supervisor.get(f"/v1/jobs/{NOBODY}"), "not_found")
    await fetched(supervisor, job)


async def test_who_sees_less_than_then_does_not_get_what_was_made_then(world: World) -> None:
    caller = await world.person("viewer", "root")
    job = await ended(caller, await begun(caller, external_ref="nothing", format="csv"))
    await regrant(world, caller, "viewer", "t1")
    refused(await caller.get(f"/v1/jobs/{job['id']}/result"), "forbidden")
    await regrant(world, caller, "viewer", "root")
    await fetched(caller, job)


async def test_a_key_begins_it_once(world: World) -> None:
    key = {"Idempotency-Key": fresh().replace("任务", "job-")}
    first = await begun(world.admin, key, external_ref="nothing", format="csv")
    answer = await world.admin.post("/v1/exports", params={"external_ref": "nothing", "format": "csv"}, headers=key)
    assert ok(answer, 202) == first and answer.headers["idempotent-replayed"] == "true"
    answer = await world.admin.post("/v1/exports", params={"external_ref": "other", "format": "csv"}, headers=key)
    refused(answer, "idempotency_key_reused")
    await fetched(world.admin, first)


async def test_what_can_be_refused_is_refused_at_once(world: World) -> None:
    for asked, error in (
        ({"unit": NOBODY}, ("/query/unit", "unknown_reference")),
        ({"format": "pdf"}, ("/query/format", "not_allowed")),
        ({"cursor": "x"}, ("/query/cursor", "unknown_parameter")),
    ):
        refused(await world.admin.post("/v1/exports", params=asked), "invalid_request", error)


async def test_one_caller_has_so_many_at_once_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, go_on = await world.person("viewer", "root"), asyncio.Event()
    page = exporting.Export.lines

    async def held(self: Any, admitted: Any) -> Any:
        await go_on.wait()
        async for lines in page(self, admitted):
            yield lines

    monkeypatch.setattr(exporting.Export, "lines", held)
    begun_ones = [await begun(caller, external_ref=str(n), format="csv") for n in range(jobs.MOST_OF_ONE)]
    answer = await caller.post("/v1/exports", params={"external_ref": "more"})
    assert answer.status_code == 429 and answer.headers["retry-after"]
    await begun(await world.person("viewer", "root"), external_ref="other", format="csv")
    go_on.set()
    for job in begun_ones:
        await fetched(caller, job)
    await fetched(caller, await begun(caller, external_ref="more", format="csv"))


async def test_a_job_that_fails_says_why(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(world.service.scratch, "directory", tmp_path / "file" / "below")
    job = await ended(world.admin, await begun(world.admin, external_ref="nothing"))
    assert (job["state"], job["problem"], job["result"]) == ("failed", "unavailable", None)
    refused(await world.admin.get(f"/v1/jobs/{job['id']}/result"), "conflict")


async def test_a_job_of_a_killed_process_reads_as_interrupted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    never = asyncio.Event()

    async def held(self: Any, admitted: Any) -> Any:
        await never.wait()
        yield []

    monkeypatch.setattr(exporting.Export, "lines", held)
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 3600)
    job = await begun(world.admin, external_ref="nothing", format="csv")
    give_up = time.monotonic() + 20
    while job["state"] != "running" and time.monotonic() < give_up:
        job = await read(world.admin, f"/v1/jobs/{job['id']}")
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=50), tick=True):
        assert (await read(world.admin, f"/v1/jobs/{job['id']}"))["state"] == "running"
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=90), tick=True):
        found = await read(world.admin, f"/v1/jobs/{job['id']}")
        assert (found["state"], found["problem"]) == ("failed", "interrupted")
    # And one whose process ends in order says so itself.
    await world.service.background.close()
    found = await read(world.admin, f"/v1/jobs/{job['id']}")
    assert (found["state"], found["problem"]) == ("failed", "interrupted")


async def test_a_day_later_it_is_gone_with_its_result(world: World) -> None:
    job = await ended(world.admin, await begun(world.admin, external_ref="nothing", format="csv"))

    async def parts(tx: Any) -> int:
        from sqlalchemy import func, select

        from service.store.database import Statement

        row = await tx.one(Statement(select(func.count()).select_from(JobPart.__table__)))  # type: ignore[attr-defined]
        return int(row[0])

    assert await world.service.read(parts) > 0
    await housekeeping.run_once(world.service, datetime.now(UTC))
    await fetched(world.admin, job)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=24, minutes=1), tick=True):
        refused(await world.admin.get(f"/v1/jobs/{job['id']}"), "not_found")
    await housekeeping.run_once(world.service, datetime.now(UTC) + timedelta(hours=25))
    assert await world.service.read(parts) == 0
    refused(await world.admin.get(f"/v1/jobs/{job['id']}"), "not_found")
