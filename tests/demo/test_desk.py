"""The demo's script works on the real ledgers through the API, and leaves something to read."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.demo.desk import FILES, LEDGERS, Desk
from tests import invariants
from tests.api.calls import key_for
from tests.api.helpers import every_page, read

CLERK = Path(__file__).resolve().parent.parent / "files" / "clerk"
PEOPLE = {"supervisor": "supervisor", "deputy": "supervisor", "responsible": "responsible", "viewer": "viewer"}


@pytest.fixture
async def worked(world, settings):
    people = {name: world.with_key(await key_for(world.admin, role, "root")) for name, role in PEOPLE.items()}
    done = await Desk({"admin": world.admin, **people}, datetime.now(UTC)).work()
    yield done
    assert await invariants.contradictions(settings) == []


async def test_what_the_clerk_would_list_is_listed_and_lives(world, worked):
    clerks = [json.loads((CLERK / f"{file}.expected.json").read_text(encoding="utf-8")) for *_, file in LEDGERS]
    assert worked["created"] == sum(clerk["counts"]["import"] for clerk in clerks)
    assert worked["refused"] == sum(clerk["counts"]["refuse"] for clerk in clerks)
    assert {file for *_, file in LEDGERS} == {path.name for path in FILES.iterdir()}
    items = [item for code, *_ in LEDGERS for item in await every_page(world.admin, "/v1/items", ledger=code)]
    states = Counter(item["state"] for item in items)
    struck_off_before = sum(row["status_text"] == "是" for clerk in clerks for row in clerk["import"])
    assert states["closed"] == worked["closed"] + struck_off_before
    assert (states["extended"], states["escalated"]) == (1, 1)
    assert states["open"] == 3 and worked["claimed"] == len(items) - states["open"] - struck_off_before
    overdue = await every_page(world.admin, "/v1/overdue")
    assert len([each for each in overdue if each["kind"] == "item"]) > 30
    talks = (await read(world.admin, "/v1/interviews"))["items"]
    assert sorted(talk["state"] for talk in talks) == ["recorded", "scheduled"]
    notices = [each for each in await every_page(world.admin, "/v1/notices") if each["kind"] == "supervision"]
    assert {each["number"][:4] for each in notices} == {"督察督〔"}
    assert Counter(each["receipt"] is None for each in notices) == {True: 1, False: 1}
    asked = await every_page(world.admin, "/v1/requests")
    assert [each["kind"] for each in asked] == ["extension"]
