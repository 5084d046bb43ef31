"""What the HTTP tests can have besides the running application."""

from collections.abc import AsyncIterator, Iterator

import pytest

from service.settings import Settings
from tests import invariants
from tests.api.office import Office, Staff
from tests.world import World


@pytest.fixture(scope="module")
async def staff(world: World) -> Staff:
    return await Staff.of(world)


@pytest.fixture
def office(staff: Staff) -> Iterator[Office]:
    """A tenant that a module's tests share, on a Monday morning that lasts until the test goes on."""
    with staff.at_work() as office:
        yield office


@pytest.fixture
async def empty_staff(world: World) -> Staff:
    return await Staff.of(world)


@pytest.fixture
def empty_office(empty_staff: Staff) -> Iterator[Office]:
    """The same, where nothing was ever listed."""
    with empty_staff.at_work() as office:
        yield office


@pytest.fixture
async def nothing_contradicts_itself(world: World, settings: Settings) -> AsyncIterator[None]:
    """Behind each test its whole database is looked through: for modules in which little lies there."""
    yield
    assert await invariants.contradictions(settings) == []


@pytest.fixture(scope="module")
async def nothing_contradicts_itself_in_the_end(world: World, settings: Settings) -> AsyncIterator[None]:
    """The same behind all of a module."""
    yield
    assert await invariants.contradictions(settings) == []
