"""Every operation by every role at every place, held against the table in matrix_table.py.

A cell counts only if an admin of the tenant that the thing belongs to gets 2xx for the same call. What is refused
changes nothing, so the refused callers of a place all meet one thing, and the admin's call is made on it after them:
it shows that the refusals had no other reason, and that nothing came of them. Whoever is let in gets one of its own.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from service.outside.letters import Format, Letters
from tests import fonts
from tests.api.calls import CALLS, NAMES, Asked, Place, Side, side
from tests.api.matrix_table import ENDLESS, PLACES, ROLES, TABLE, WITHOUT_CALLER
from tests.world import World

pytestmark = pytest.mark.long

UNITS = {"own": "t1", "child": "t1v1", "parent": "root", "sibling": "t2", "other": "t1"}
CODES = {"403": "forbidden", "404": "not_found", "422": "invalid_request"}
checked: Counter[tuple[str, str]] = Counter()
"""How many cells were held against their answers, by the kind of database and the row."""


def cells(name: str) -> dict[str, dict[str, str]]:
    """What the table says: role -> place -> answer."""
    rows = [line.split() for line in TABLE[name].strip().splitlines()]
    return {role: dict(zip(PLACES, answers, strict=True)) for role, *answers in rows}


def operation(name: str) -> str:
    return name.partition(":")[0]


@dataclass(frozen=True)
class Stage:
    """Two tenants with the same tree, and a caller of each role in the first."""

    home: Side
    away: Side
    callers: dict[str, httpx.AsyncClient]

    def place(self, name: str) -> Place:
        return Place(self.away if name == "other" else self.home, UNITS[name])

    async def asked(self, name: str, place: str) -> Asked:
        """The call of a caller at home."""
        return await CALLS[name](self.home, self.place(place))

    async def control(self, name: str, place: str, asked: Asked) -> httpx.Response:
        """The same call by the admin of the tenant that the place belongs to; what else it names lies there too."""
        at = self.place(place)
        if place == "other" and name in NAMES:
            asked = await CALLS[name](at.side, at)
        return await asked.by(at.side.admin)


@dataclass(frozen=True, slots=True)
class PrintedOnce(Letters):
    """Sets a document in type once: of a hundred who ask for it only what they may see is in question here."""

    printed: dict[str, bytes] = field(default_factory=dict)

    async def render(self, kind: str, format: Format, content: dict[str, Any]) -> bytes:
        asked = json.dumps([kind, format, content])
        if asked not in self.printed:
            self.printed[asked] = await Letters.render(self, kind, format, content)
        return self.printed[asked]


@pytest.fixture(scope="module")
async def stage(world: World) -> AsyncIterator[Stage]:
    world.service.letters = PrintedOnce()
    home, away = await side(world, world.admin), await side(world, await world.tenant("away"))
    callers = {
        role: await world.person(role, "root" if role in ("admin", "auditor") else UNITS["own"]) for role in ROLES
    }
    yield Stage(home, away, callers)


async def test_the_table_has_every_operation_of_the_document(world: World) -> None:
    document = world.app.openapi()
    operations = {each["operationId"] for path in document["paths"].values() for each in path.values()}
    assert operations == {operation(name) for name in TABLE} | WITHOUT_CALLER | ENDLESS
    assert TABLE.keys() == CALLS.keys()


@pytest.mark.parametrize("name", TABLE)
def test_the_table_is_whole(name: str) -> None:
    table = cells(name)
    assert tuple(table) == ROLES
    assert all(tuple(row) == PLACES for row in table.values())


@pytest.mark.parametrize("name", TABLE)
async def test_each_role_is_answered_as_the_table_says(
    stage: Stage, kind: str, name: str, record_property: Callable[[str, object], None]
) -> None:
    fonts.skip_without(name)
    table, wrong = cells(name), []
    for place in PLACES:
        shared = await stage.asked(name, place)
        for role in ROLES:
            expected = table[role][place]
            changes = shared.method != "GET" and expected.startswith("2")
            asked = await stage.asked(name, place) if changes else shared
            found = answer(asked, await asked.by(stage.callers[role]))
            checked[kind, name] += 1
            if found != expected:
                wrong.append(f"{role} at {place}: {found}, not {expected}")
        control = answer(shared, response := await stage.control(name, place, shared))
        if not control.startswith("2"):
            wrong.append(f"the admin at {place}: {control} {response.text}")
    record_property("matrix cells", checked[kind, name])
    assert wrong == []


def answer(asked: Asked, response: httpx.Response) -> str:
    """What was answered, in the table's words; more words where it is nothing the table can say."""
    status = str(response.status_code)
    if response.is_success:
        if asked.shows is None:
            return status
        rows = [row["id"] for row in response.json()["items"]]
        return status if asked.shows in rows else "none"
    problem = response.json()
    if problem["code"] != CODES.get(status):
        return f"{status} {problem['code']} {problem['detail']}"
    codes = {error["code"] for error in problem.get("errors", ())}
    if codes != ({"unknown_reference"} if status == "422" else set()):
        return f"{status} {codes}"
    return status


async def test_every_cell_was_checked(stage: Stage, kind: str) -> None:
    """Of each row that ran, all of it; how many that were in all stands in the run's closing line."""
    found = {name: count for (where, name), count in checked.items() if where == kind}
    assert found and set(found.values()) == {len(ROLES) * len(PLACES)}
