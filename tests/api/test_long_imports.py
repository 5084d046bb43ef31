"""Imports of many hundred rows: whole or not at all, and asked about while they go on."""

import asyncio

import pytest

from service.actions import imports
from service.actions.bulk_listing import Lister, create_units
from service.actions.service import Service
from service.errors import Refused
from service.store.imports import Import
from tests.api.helpers import every_page, ok, read
from tests.api.importing import HEAD, items_of, ledger, load

MANY = HEAD + "".join(f"{n},问题{n},t1v1,修,2027年6月底,\n" for n in range(1200))

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself")


async def test_what_breaks_off_in_a_later_chunk_leaves_nothing(world, monkeypatch):
    """The database refuses a statement when hundreds of items, and the units that they name, are written already."""
    code = await ledger(world, "broken")
    table = HEAD + "".join(f"{n},问题{n},半途单位{n % 3},修,2027年6月底,已进场\n" for n in range(3 * imports.CHUNK))
    units = await every_page(world.admin, "/v1/units")
    store, stored = Lister.store, []

    def fails(self, changes, chunk):
        if chunk[0].row.row > 2 * imports.CHUNK:
            # They are there: no two units have one id.
            create_units(changes, self.call, self.plan.new_units)
        store(self, changes, chunk)
        stored.append(chunk)

    monkeypatch.setattr(Lister, "store", fails)
    answer = await load(world, table, ledger=code, unknown_units="create", key="broken")
    assert answer.status_code in (500, 503), answer.text
    assert len(stored) >= 3
    assert await items_of(world, code) == []
    assert await every_page(world.admin, "/v1/units") == units
    monkeypatch.undo()
    report = ok(await load(world, table, ledger=code, unknown_units="create", key="broken"))
    assert (report["created"], len(report["new_units"])) == (3 * imports.CHUNK, 3)
    assert len(await items_of(world, code)) == 3 * imports.CHUNK


async def test_a_long_import_goes_on_by_itself_and_can_be_asked_about(world):
    code = await ledger(world, "job")
    table = MANY + "1,,t1,,,\n"
    begun = await load(world, table, ledger=code, background=True, key="job-1")
    assert begun.status_code == 202
    state = begun.json()
    assert (state["state"], state["report"], begun.headers["location"]) == (
        "running",
        None,
        f"/v1/imports/{state['id']}",
    )
    replay = await load(world, table, ledger=code, background=True, key="job-1")
    assert replay.content == begun.content
    percents = []
    while state["state"] == "running":
        await asyncio.sleep(0.02)
        state = await read(world.admin, begun.headers["location"])
        percents.append(state["percent"])
    assert state["state"] == "done" and percents == sorted(percents) and percents[-1] == 100
    assert (state["report"]["created"], state["report"]["refused"]) == (1200, 1)
    assert len(await items_of(world, code)) == 1200
    failed = await load(world, "no,ledger\n", ledger=code, background=True)
    state = failed.json()
    while state["state"] == "running":
        await asyncio.sleep(0.02)
        state = await read(world.admin, failed.headers["location"])
    assert state["state"] == "failed" and state["problem"]["errors"][0]["code"] == "no_ledger_header"


async def test_an_import_that_ends_while_it_is_asked_about_is_told_no_less_far_than_before(world, monkeypatch):
    """Its row is read as running, and it is through before the answer is made."""
    code = await ledger(world, "ending")
    begun, ending = asyncio.Event(), asyncio.Event()

    async def work(service, call, content, file, options, keep, tell):
        tell(89)
        begun.set()
        await ending.wait()
        raise Refused("unavailable")

    monkeypatch.setattr(imports, "load", work)
    state = (await load(world, HEAD, ledger=code, background=True)).json()
    await begun.wait()
    reads = Service.read

    async def then_it_ends(self, *asked, **given):
        found = await reads(self, *asked, **given)
        if isinstance(found, Import):
            ending.set()
            while world.service.background.percent:  # noqa: ASYNC110
                await asyncio.sleep(0)
        return found

    monkeypatch.setattr(Service, "read", then_it_ends)
    told = await read(world.admin, f"/v1/imports/{state['id']}")
    assert (told["state"], told["percent"]) == ("running", 89)
    told = await read(world.admin, f"/v1/imports/{state['id']}")
    assert (told["state"], told["percent"]) == ("failed", 100)


async def test_a_process_that_ends_says_so_of_the_imports_that_it_breaks_off(world):
    code = await ledger(world, "broken-off")
    state = (await load(world, MANY, ledger=code, background=True)).json()
    while state["percent"] < 40:
        await asyncio.sleep(0.01)
        state = await read(world.admin, f"/v1/imports/{state['id']}")
    await world.service.background.close()
    state = await read(world.admin, f"/v1/imports/{state['id']}")
    listed = await items_of(world, code)
    if state["state"] == "failed":
        assert (state["percent"], state["problem"]["code"], listed) == (100, "unavailable", [])
    else:
        # Its transaction was with the database already.
        assert (state["state"], state["report"]["created"], len(listed)) == ("done", 1200, 1200)
    report = ok(await load(world, MANY, ledger=code))
    assert report["created"] + report["unchanged"] == 1200 == len(await items_of(world, code))
