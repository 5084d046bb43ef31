"""Today's board: how much open work of each kind a caller's scope has, counted up to a bound."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from service.actions.facts import by_calendar
from service.actions.items import lamp_days, lamp_groups
from service.actions.service import Call, Service
from service.store import tallies
from service.store.database import Tx
from service.store.worklist import DRAFT, INTERVIEW, OPEN_ITEM, RECEIPT, REQUEST
from service.workflow.deadlines import GREEN, ONE_DAY
from service.workflow.items import NEVER

MOST = 1_000
"""No count goes further."""

MOST_UNITS = 2_000
"""Units that a table has counts of at most."""

ALWAYS = (date.min, NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Counts, each MOST at most. `lamps` are the open items by lamp, the mildest first. `workday`: whether today is."""

    today: date
    workday: bool
    week_ends: date
    overdue: int
    due_this_week: int
    to_decide: int
    interviews: int
    receipts: int
    drafts: int
    lamps: tuple[tuple[str, int], ...]


def week_of(today: date) -> tuple[date, date]:
    """What is left of the week: from today to Sunday."""
    return today, today + timedelta(days=6 - today.weekday())


async def read(service: Service, call: Call) -> Board:
    """The counts of this moment."""

    async def action(tx: Tx) -> Board:
        by = await by_calendar(tx, call)

        async def count(kind: str, days: tuple[date, date] = ALWAYS) -> int:
            return await tallies.count(tx, call.tenant_id, call.scope, kind, days, MOST)

        return Board(
            today=call.today,
            workday=by.calendar.is_workday(call.today),
            week_ends=week_of(call.today)[1],
            overdue=await count(OPEN_ITEM, (date.min, call.today - ONE_DAY)),
            due_this_week=await count(OPEN_ITEM, week_of(call.today)),
            to_decide=await count(REQUEST),
            interviews=await count(INTERVIEW),
            receipts=await count(RECEIPT),
            drafts=await count(DRAFT),
            lamps=await _lamps(tx, by),
        )

    return await service.read(action, varied=True, whole=True)


async def _lamps(tx: Tx, call: Call) -> tuple[tuple[str, int], ...]:
    groups = await lamp_groups(tx, call)
    names = dict.fromkeys([GREEN, *(lamp.lamp for rules in groups for lamp in rules)])
    found = []
    for name in names:
        total = 0
        for rules, ledger_ids in groups.items():
            # With the same lamps everywhere no item need be looked at.
            ledgers = None if len(groups) == 1 else tuple(ledger_ids)
            for days in lamp_days(call, rules, name):
                total += await tallies.count(tx, call.tenant_id, call.scope, OPEN_ITEM, days, MOST, ledgers)
        found.append((name, min(total, MOST)))
    return tuple(found)


async def due_by_unit(
    service: Service, call: Call, unit_ids: Iterable[UUID], days: tuple[date, date]
) -> dict[UUID, tuple[int, int]]:
    """Open items that fall due within `days`, by unit of the caller's scope: with all below it, and of itself alone.

    Of the first MOST_UNITS units; the others are not in it.
    """
    wanted = list(unit_ids)[:MOST_UNITS]

    async def action(tx: Tx) -> dict[UUID, tuple[int, int]]:
        return dict.fromkeys(wanted, (0, 0)) | await tallies.by_unit(tx, call.tenant_id, wanted, days)

    return await service.read(action, varied=True)
