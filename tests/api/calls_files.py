"""Calls about files: exports, printed notices and records, jobs."""

import asyncio

import httpx

from tests.api.calls import Asked, Place, Side, call, item_at, ledger_at
from tests.api.calls_clock import notice_at
from tests.api.helpers import ok, read


@call("export_items_xlsx")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/exports/items.xlsx?external_ref=nothing")


@call("export_items_xlsx: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/exports/items.xlsx?unit={at.id}&external_ref=nothing")


@call("export_items_csv")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", "/v1/exports/items.csv?external_ref=nothing")


@call("export_items_csv: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/exports/items.csv?unit={at.id}&external_ref=nothing")


@call("export_items_csv: ledger", "/query/ledger")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/exports/items.csv?ledger={(await ledger_at(at))['id']}&external_ref=nothing")


class Begins(Asked):
    """Begins a job, and waits for its end: nobody may have many that have not ended."""

    async def by(self, client: httpx.AsyncClient, **headers: str) -> httpx.Response:
        answer = await super().by(client, **headers)
        job = answer.json()
        while answer.is_success and job["state"] in ("queued", "running"):
            await asyncio.sleep(0.02)
            job = await read(client, f"/v1/jobs/{job['id']}")
        return answer


@call("create_export")
async def _(base: Side, at: Place) -> Asked:
    return Begins("POST", "/v1/exports?format=csv&external_ref=nothing")


@call("create_export: unit", "/query/unit")
async def _(base: Side, at: Place) -> Asked:
    return Begins("POST", f"/v1/exports?format=csv&external_ref=nothing&unit={at.id}")


async def job_at(at: Place) -> str:
    """The id of a job that the place's admin began, which is done."""
    begins = Begins("POST", "/v1/exports?format=csv&external_ref=nothing")
    begun: str = ok(await begins.by(at.side.admin), 202)["id"]
    return begun


@call("get_job")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/jobs/{await job_at(at)}")


@call("get_job_result")
async def _(base: Side, at: Place) -> Asked:
    return Asked("GET", f"/v1/jobs/{await job_at(at)}/result")


def _printed(what: str, suffix: str) -> None:
    @call(f"get_{what}_{suffix}")
    async def _(base: Side, at: Place) -> Asked:
        if what == "notice":
            return Asked("GET", f"/v1/notices/{(await notice_at(at))['id']}.{suffix}")
        return Asked("GET", f"/v1/items/{(await item_at(at))['id']}/record.{suffix}")


for _what in ("notice", "item_record"):
    for _suffix in ("pdf", "docx"):
        _printed(_what, _suffix)
