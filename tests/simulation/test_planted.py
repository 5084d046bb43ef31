"""The check finds each fault that is planted into a sound run, names its place, and finds nothing where none is."""

import asyncio
import pickle
from random import Random

import pytest

from service.settings import Settings
from tests.simulation import (  # noqa: F401  (importing faults is what fills FAULTS)
    faults_of_days,
    faults_of_notices,
    faults_of_rungs,
    oracle,
    simulated,
)
from tests.simulation.county import TINY
from tests.simulation.planting import FAULTS, Fault
from tests.simulation.record import Record

PLACES, PLACES_IN_FULL = 1, 25
"""Each fault is planted in so many places, one at a time."""


@pytest.fixture(scope="module", params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sound(settings: Settings) -> bytes:
    """The record of a finished run; pickled, so that each test has a copy to spoil."""
    _, record = asyncio.run(simulated.county(settings, TINY))
    return pickle.dumps(record)


def test_nothing_is_found_where_nothing_was_planted(sound: bytes) -> None:
    assert oracle.faults(pickle.loads(sound)) == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_planted_fault_is_found(sound: bytes, fault: Fault, full: bool) -> None:
    for place in range(PLACES_IN_FULL if full else PLACES):
        record: Record = pickle.loads(sound)
        named = fault(record, Random(place))
        found = oracle.faults(record)
        assert any(named in sentence for sentence in found), found
