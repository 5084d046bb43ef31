"""Figures of a county that has lived: the same by the counts, by a rebuild, and by plain counting of the events.

The county is that of the simulation: random people, outages of the clock, calendars that change. What is asked for is
drawn too. The plain counting shares no code with the service's. That mistakes are found: test_figures_planted.py.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, or_, select, true
from sqlmodel import SQLModel

from service.actions import figuring, statistics, unit_changes
from service.actions.references import Named
from service.actions.service import Service
from service.actions.statistics import Asked
from service.composition import running
from service.errors import Refused
from service.settings import Settings
from service.store import figure_clearing
from service.store import units as unit_store
from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.figures import FigureDays, FigureDelta, FigureRow, FigureState
from service.workers import figures, sequencer
from service.workflow.figures import METRICS
from service.workflow.organisation import Unit
from service.workflow.summing import Period
from tests.figures import QUESTIONS, QUESTIONS_IN_FULL, Sight, lived, months, seen, wrong
from tests.sql_figures import FIGURES, InSql

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
async def sequenced(settings: Settings) -> Settings:
    await lived(settings)
    return settings


async def stored(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that counting has made, but for sums of nothing: where batches ended decides whether there are any."""
    sums, days = table(FigureRow), table(FigureDays)
    something = {
        FigureRow: or_(*(sums.c[metric] != 0 for metric in METRICS)), FigureDays: days.c["count"] != 0,
    }  # fmt: skip

    async def action(tx: Tx) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for model in (FigureDelta, FigureState, FigureRow, FigureDays):
            rows = select(*table(model).c).where(something.get(model, true()))
            found[str(model.__tablename__)] = sorted(tuple(map(str, row)) for row in await tx.all(Statement(rows)))
        return found

    return await service.read(action)


async def test_figures_are_those_that_are_counted_plainly(
    sequenced: Settings, full: bool, record_property: Callable[[str, object], None]
) -> None:
    number = QUESTIONS_IN_FULL if full else QUESTIONS
    async with seen(sequenced) as sight:
        assert await wrong(sight, number) == []
        await figures.run_until_done(sight.service)
        assert await figuring.behind(sight.service) == []
        assert await wrong(sight, number, seed=2) == []
        record_property("figures counted plainly", 2 * number * 24)


async def test_the_main_figures_are_those_that_plain_sql_counts(sequenced: Settings, full: bool) -> None:
    async with seen(sequenced) as sight:
        in_sql = InSql(sight.events, sight.call.today)
        first, last = sight.days
        periods = [Period(first, last), *(Period(*month) for month in months(Period(first, last)))]
        compared: Counter[str] = Counter()
        for period in periods if full else periods[:4]:
            for by in ("ledger", "severity", "source"):
                table = await statistics.read(sight.service, sight.call, Asked(period=period), by)
                found = {str(row.key): of_sql(row.figures) for row in table.rows if any(of_sql(row.figures).values())}
                counted = in_sql.count(period.first, period.last, by)
                assert found == counted, (by, period)
                for each in counted.values():
                    compared.update(each)
            at_units = in_sql.count(period.first, period.last, "unit")
            for unit in await every_unit(sight):
                alone = Asked(period=period, unit=Named(unit.id, "/query/unit"), alone=True)
                total = (await statistics.read(sight.service, sight.call, alone, "month")).total
                assert of_sql(total) == at_units.get(str(unit.id), Counter()), (unit.code, period)
        assert compared.keys() == set(FIGURES)


def of_sql(figures: dict[str, Any]) -> Counter[str]:
    return Counter({name: figures[name] for name in FIGURES if figures[name]})


async def test_what_is_told_apart_differs(sequenced: Settings) -> None:
    """Items came from many sources, of several categories, and some were corrected."""
    async with seen(sequenced) as sight:
        table = await statistics.read(sight.service, sight.call, Asked(period=Period(*sight.days)), "source")
        assert len(table.rows) > 5 and len(set(sight.categories.values())) == 4
        assert any("source_kind" in event.data.get("changes", {}) for event in sight.events)


async def test_every_figure_was_something(sequenced: Settings) -> None:
    """What is compared was not nought throughout; late annulments are rare in so small a county."""
    async with seen(sequenced) as sight:
        _, total = sight.expected(Asked(period=Period(*sight.days)), "month")
        assert {name for name, value in total.items() if not value} <= {"annulled_overdue"}


async def test_a_rebuild_makes_the_same_rows(sequenced: Settings, full: bool) -> None:
    async with seen(sequenced) as sight:
        await figures.run_until_done(sight.service)
        before = await stored(sight.service)
        counted = await figuring.rebuild(sight.service, sight.call.tenant_id)
        assert counted > 1000
        assert await stored(sight.service) == before
        assert await wrong(sight, QUESTIONS_IN_FULL if full else QUESTIONS, seed=3) == []


async def test_a_rebuild_that_was_broken_off_is_finished_by_the_workers(
    sequenced: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers are refused meanwhile: half a sum is no figure."""
    async with seen(sequenced) as sight:
        service, tenant_id = sight.service, sight.call.tenant_id
        await figures.run_until_done(service)
        before = await stored(service)
        asked, by = next(sight.questions(1, 1))
        monkeypatch.setattr(figure_clearing, "AT_ONCE", 300)
        steps = 0

        async def breaks_off(*_: object) -> bool:
            nonlocal steps
            steps += 1
            if steps == 3:
                raise KeyboardInterrupt
            return await catch_up(service, tenant_id)

        catch_up = figuring.catch_up
        with monkeypatch.context() as patch:
            patch.setattr(figuring, "catch_up", breaks_off)
            with pytest.raises(KeyboardInterrupt):
                await figuring.rebuild(service, tenant_id)
        with pytest.raises(Refused, match="unavailable"):
            await sight.differences(asked, by)
        await figures.run_until_done(service)
        assert await stored(service) == before


async def test_a_log_from_before_there_were_figures_is_counted_by_the_workers(sequenced: Settings) -> None:
    async with seen(sequenced) as sight:
        service, tenant_id = sight.service, sight.call.tenant_id
        await figures.run_until_done(service)
        before = await stored(service)

        async def as_before(tx: Tx) -> None:
            changes = Changes()
            for name in ("figure_deltas", "figure_states", "figures", "figure_days", "figure_heads", "figure_folds"):
                changes.add(Statement(delete(SQLModel.metadata.tables[name])))
            await tx.apply(changes)

        await service.database.write(as_before, locking=True)
        assert await figuring.behind(service) == [tenant_id]
        await asyncio.gather(*(figures.run_until_done(service) for _ in range(3)))
        await figures.run_until_done(service)
        assert await stored(service) == before


# -- units that move


async def test_units_that_moved_take_their_figures_along(sequenced: Settings, full: bool) -> None:
    """At once, and all the same when the sums have followed; months are rolled up one by one."""
    async with seen(sequenced) as sight:
        service = sight.service
        await figures.run_until_done(service)
        units = {unit.code: unit for unit in await every_unit(sight)}
        for moved, to in (("t01v01", "t02"), ("t02v02", "t01v02"), ("t02", "d01"), ("t01v01", "t01")):
            asked = unit_changes.Asked(given={}, parent=Named(units[to].id, "/parent"))
            unit = (await every_unit(sight, moved))[0]
            await unit_changes.change(service, sight.call, unit.id, unit.version, asked)
            after = await Sight.of(sequenced, service, sight.call.now)
            assert await wrong(after, 6, seed=unit.version) == []
            await sequencer.run_until_done(service)
            for _ in range(2):
                assert await figuring.sum_up(service, sight.call.tenant_id)
            assert await wrong(after, 3, seed=unit.version) == []
        await figures.run_until_done(service)
        after = await Sight.of(sequenced, service, sight.call.now)
        assert await wrong(after, QUESTIONS_IN_FULL if full else QUESTIONS, seed=9) == []
        before = await stored(service)
        await figuring.rebuild(service, sight.call.tenant_id)
        assert await stored(service) == before


async def every_unit(sight: Sight, code: str | None = None) -> list[Unit]:
    async def action(tx: Tx) -> list[Unit]:
        return [unit for unit in await unit_store.every(tx, sight.call.tenant_id) if code in (None, unit.code)]

    return await sight.service.read(action)


# -- many at once


async def test_counts_are_whole_whoever_works(sequenced: Settings) -> None:
    """Sequencers, workers and a rebuild at the same time, while new items are listed."""
    async with running(sequenced) as service:
        sight = await Sight.of(sequenced, service)
        tenant_id = sight.call.tenant_id
        await figuring.rebuild(service, tenant_id)
        before = await stored(service)
        await asyncio.gather(
            figuring.rebuild(service, tenant_id),
            *(sequencer.run_until_done(service) for _ in range(2)),
            *(figures.run_until_done(service) for _ in range(2)),
        )
        await figures.run_until_done(service)
        assert await stored(service) == before
