"""The check of figures finds each mistake that is planted, into what was counted, into counting and into reading."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.actions import figuring
from service.settings import Settings
from service.store import figure_items, figure_reading
from service.workflow import counting
from service.workflow.turns import Turn
from tests.figures import is_wrong, lived, seen

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["sqlite"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def sequenced(settings: Settings) -> Settings:
    await lived(settings)
    return settings


@pytest.fixture
async def copy(sequenced: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(sequenced.data_dir, tmp_path / "data")
    return sequenced.model_copy(update={"data_dir": tmp_path / "data"})


def damage(settings: Settings, *statements: str) -> None:
    assert settings.sqlite_path is not None
    connection = sqlite3.connect(settings.sqlite_path)
    for statement in statements:
        assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()


DAMAGES = {
    "a count is lost": "DELETE FROM figure_deltas WHERE position > 1000 AND metric = 'closed' AND count = 1",
    "a count is doubled": "UPDATE figure_deltas SET count = 2 WHERE position > 1000 AND metric = 'fell_due'",
    "a count lies at another unit": "UPDATE figure_deltas SET unit_id = (SELECT id FROM units WHERE code = 'd01')"
                                    " WHERE position > 1000 AND metric = 'listed'",
    "a count lies on another day": "UPDATE figure_deltas SET day = date(day, '-40 day'), month = date(day, '-40 day',"
                                   " 'start of month') WHERE position > 1000 AND metric = 'claims_due'",
    "a delay never ends": "DELETE FROM figure_deltas WHERE position > 1000 AND metric = 'overdue_ended'",
    "a sum is one too many": "UPDATE figures SET listed = listed + 1",
    "a sum of closings is one too many": "UPDATE figure_days SET count = count + 1",
    "what is below a unit is not all": "UPDATE figures SET listed = listed - 1 WHERE level = 3",
    "a sum of all time is one too many": "UPDATE figures SET overdue_begun = overdue_begun + 1 WHERE month > '9999'",
    "counts are taken for summed up that are not": "UPDATE figure_folds SET folded = folded + 400",
    "counts are summed up twice": "UPDATE figure_folds SET folded = folded - 400",
}  # fmt: skip


@pytest.mark.parametrize("statement", DAMAGES.values(), ids=DAMAGES)
async def test_a_damaged_count_is_found(copy: Settings, statement: str) -> None:
    damage(copy, statement)
    async with seen(copy) as sight:
        assert await is_wrong(sight)


async def test_nothing_is_found_where_nothing_was_damaged(copy: Settings) -> None:
    async with seen(copy) as sight:
        assert not await is_wrong(sight)


def _nothing(*_: object, **__: object) -> None:
    pass


def _by_closing_alone(turn: Turn, data: counting.Data, changes: counting.Data) -> None:
    turn.add(counting.Metric.CLOSURES_DECIDED, turn.day)


def _never_given_back(turn: Turn) -> list[Any]:
    return []


MISTAKES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "days pass unseen": lambda patch: patch.setattr(Turn, "settle", _nothing),
    "a granted closure counts by its closing": lambda patch: patch.setitem(
        counting.FOLLOWED, "request.approved", _by_closing_alone
    ),
    "annulled items are not taken back": lambda patch: patch.setattr(Turn, "take_back", _never_given_back),
    "a new deadline leaves the delay": lambda patch: patch.setattr(Turn, "enforce", _nothing),
    "a stretch does not end": lambda patch: patch.setattr(Turn, "end_stretch", _nothing),
    "resumptions move no deadline": lambda patch: patch.setitem(counting.FOLLOWED, "item.resumed", _nothing),
    "a calendar moves no day": lambda patch: patch.setitem(counting.FOLLOWED, "item.rescheduled", _nothing),
}
"""Of counting: shown by a rebuild."""


def _each_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(figure_reading, "ONCE_A_PERIOD", ())
    patch.setattr(figure_items, "ONCE_A_PERIOD", ())


MISREADINGS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a stretch counts each time": _each_time,
    "who has time to claim has failed": lambda patch: patch.setattr(figure_reading, "ONCE_OVER", ()),
    "what is not summed up is left out": lambda patch: patch.setattr(figure_reading.Reading, "_unfolded", _none),
}
"""Of reading."""


async def _none(*_: object) -> None:
    pass


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_in_counting_is_found(
    copy: Settings, mistake: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake(monkeypatch)
    async with seen(copy) as sight:
        await figuring.rebuild(sight.service, sight.call.tenant_id)
        assert await is_wrong(sight)


@pytest.mark.parametrize("mistake", MISREADINGS.values(), ids=MISREADINGS)
async def test_a_mistake_in_reading_is_found(
    copy: Settings, mistake: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mistake(monkeypatch)
    async with seen(copy) as sight:
        assert await is_wrong(sight)
