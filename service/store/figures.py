"""Figures: single counts as they were made, what is kept of each item to make the next, and their sums by months.

`figure_deltas` only ever grows, in the transaction that gives events their positions. `figures` holds sums of them; how
far they go stands in `figure_folds`, so that whoever reads adds what lies behind. `figure_heads` says how far the log
was counted: its whole length, unless it is counted anew.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Index, SmallInteger, Text, and_, bindparam, select, text, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Params, Statement, Tx
from service.store.events import EventRow
from service.store.log import LogEntry
from service.store.tenants import Tenant
from service.store.types import Day, any_of, gate, ids, texts
from service.workflow.figures import ENDED
from service.workflow.folding import month_of
from service.workflow.turns import Delta

NO_TREE = -1
"""The epoch of no tree."""

REPEATED, ENDS = text("since IS NOT NULL"), text("begun IS NOT NULL")


class FigureDelta(SQLModel, table=True):
    """A count by the event at `position`. `since` is the day of the one before it in the same stretch, where it may
    count once a period only; `begun` the first day of what it ends. `month` begins with its first day."""

    __tablename__ = "figure_deltas"
    __table_args__ = (
        Index("ix_figure_deltas_day", "tenant_id", "metric", "day", "item_id"),
        Index("ix_figure_deltas_repeated", "tenant_id", "metric", "day",
              postgresql_where=REPEATED, sqlite_where=REPEATED),
        Index("ix_figure_deltas_ended", "tenant_id", "metric", "begun", "item_id",
              postgresql_where=ENDS, sqlite_where=ENDS),
    )  # fmt: skip

    tenant_id: UUID = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger, primary_key=True)
    ordinal: int = Field(sa_type=SmallInteger, primary_key=True)
    metric: str = Field(max_length=24)
    day: date = Field(sa_type=Day)
    month: date = Field(sa_type=Day)
    unit_id: UUID
    ledger_id: UUID
    severity: str = Field(max_length=16)
    source: str = Field(max_length=16)
    item_id: UUID
    cycle: int
    count: int = Field(sa_type=SmallInteger)
    since: date | None = Field(sa_type=Day)
    begun: date | None = Field(sa_type=Day)
    days: int


class FigureState(SQLModel, table=True):
    """What is kept of an item, see workflow/kept.py."""

    __tablename__ = "figure_states"

    tenant_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    state: str = Field(sa_type=Text)


class FigureHead(SQLModel, table=True):
    """`counted` is the position up to which all was counted; -1 while what was counted is thrown away."""

    __tablename__ = "figure_heads"

    tenant_id: UUID = Field(primary_key=True)
    counted: int = Field(sa_type=BigInteger)


class FigureFold(SQLModel, table=True):
    """`folded` is the position up to which counts are in the sums.

    Sums of what lies below units hold for a tree whose epoch is `tree_epoch`. Once that is another they are made anew,
    month by month: for `rolling_epoch`, up to `rolled_month`.
    """

    __tablename__ = "figure_folds"

    tenant_id: UUID = Field(primary_key=True)
    folded: int = Field(sa_type=BigInteger)
    tree_epoch: int
    rolling_epoch: int
    rolled_month: date = Field(sa_type=Day)


class FigureRow(SQLModel, table=True):
    """Sums of a month; of all time where `month` is ALL_TIME, of what lasts alone. See workflow/folding.py."""

    __tablename__ = "figures"
    __table_args__ = (Index("ix_figures_unit", "tenant_id", "level", "unit_id", "month"),)

    tenant_id: UUID = Field(primary_key=True)
    level: int = Field(sa_type=SmallInteger, primary_key=True)
    month: date = Field(sa_type=Day, primary_key=True)
    unit_id: UUID = Field(primary_key=True)
    ledger_id: UUID = Field(primary_key=True)
    severity: str = Field(max_length=16, primary_key=True)
    source: str = Field(max_length=16, primary_key=True)
    listed: int
    claims_due: int
    claimed_on_time: int
    closed: int
    fell_due: int
    closed_on_time: int
    overdue_begun: int
    overdue_ended: int
    rectifying_begun: int
    rectifying_ended: int
    extended: int
    extended_late: int
    closures_decided: int
    closures_returned: int
    reopened: int
    interviews_held: int
    annulled: int
    annulled_overdue: int


class FigureDays(SQLModel, table=True):
    """Closings of a month by the days that they took; of units alone (PLAIN) and of what is below them (BELOW)."""

    __tablename__ = "figure_days"
    __table_args__ = (Index("ix_figure_days_month", "tenant_id", "level", "month"),)

    tenant_id: UUID = Field(primary_key=True)
    level: int = Field(sa_type=SmallInteger, primary_key=True)
    unit_id: UUID = Field(primary_key=True)
    month: date = Field(sa_type=Day, primary_key=True)
    days: int = Field(primary_key=True)
    count: int


deltas, figures, figure_days = table(FigureDelta), table(FigureRow), table(FigureDays)
states, heads, folds = table(FigureState), table(FigureHead), table(FigureFold)
_log, _events, _tenants = table(LogEntry), table(EventRow), table(Tenant)
tenant = bindparam("tenant_id", type_=deltas.c.tenant_id.type)

# -- counting

INSERT_DELTA = insert_row(FigureDelta)
INSERT_STATE = insert_row(FigureState)
UPDATE_STATE = Statement(
    update(states)
    .where(
        states.c.tenant_id == tenant, states.c.item_id == bindparam("item_id", type_=states.c.item_id.type), gate()
    )
    .values(state=bindparam("new_state", type_=states.c.state.type)),
    by_key=True,
)  # fmt: skip
INSERT_HEAD, INSERT_FOLD = insert_row(FigureHead), insert_row(FigureFold)
ADVANCE = Statement(
    update(heads)
    .where(
        heads.c.tenant_id == tenant,
        heads.c.counted == bindparam("read_counted", type_=heads.c.counted.type),
        gate(),
    )
    .values(counted=bindparam("new_counted", type_=heads.c.counted.type))
)

KEPT = Statement(
    select(_tenants.c.timezone, heads.c.counted, states.c.item_id, states.c.state)
    .select_from(
        _tenants.outerjoin(heads, heads.c.tenant_id == _tenants.c.tenant_id).outerjoin(
            states,
            and_(states.c.tenant_id == _tenants.c.tenant_id, any_of(states.c.item_id, ids("item_ids"))),
        )
    )
    .where(_tenants.c.tenant_id == tenant)
)
LOGGED = Statement(
    select(_log.c.position, *(_events.c[name] for name in ("item_id", "type", "at", "body")))
    .select_from(_log.join(_events, and_(_events.c.tenant_id == _log.c.tenant_id, _events.c.id == _log.c.event_id)))
    .where(
        _log.c.tenant_id == tenant,
        _log.c.position > bindparam("after", type_=_log.c.position.type),
        _log.c.position <= bindparam("until", type_=_log.c.position.type),
        any_of(_events.c.type, texts("types")),
    )
    .order_by(_log.c.position)
)
"""Events of a part of the log that have their positions already."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What counting stands on: the tenant's zone, how far was counted (None: never begun), the states by item."""

    tz: ZoneInfo
    counted: int | None
    states: dict[UUID, str]


@dataclass(frozen=True, slots=True)
class Logged:
    """An event that may count, at its position."""

    position: int
    item_id: UUID
    type: str
    at: datetime
    body: bytes


async def kept(tx: Tx, tenant_id: UUID, item_ids: Iterable[UUID]) -> Kept:
    rows = await tx.all(KEPT, tenant_id=tenant_id, item_ids=list(item_ids))
    timezone, counted = rows[0][:2]
    return Kept(ZoneInfo(timezone), counted, {row[2]: row[3] for row in rows if row[2] is not None})


async def logged(tx: Tx, tenant_id: UUID, after: int, until: int, types: Iterable[str]) -> list[Logged]:
    """The events of some types that the log has behind a position, up to another, in order."""
    rows = await tx.all(LOGGED, tenant_id=tenant_id, after=after, until=until, types=list(types))
    return [Logged(row[0], row[1], row[2], row[3], bytes(row[4])) for row in rows]


_uuid = lru_cache(maxsize=10_000)(UUID)


def delta_params(tenant_id: UUID, position: int, ordinal: int, item_id: UUID, delta: Delta) -> dict[str, Any]:
    ended = delta.metric in ENDED
    return {
        "tenant_id": tenant_id, "position": position, "ordinal": ordinal, "metric": delta.metric.value,
        "day": delta.day, "month": month_of(delta.day), "unit_id": _uuid(delta.unit_id),
        "ledger_id": _uuid(delta.ledger_id), "severity": delta.severity, "source": delta.source, "item_id": item_id,
        "cycle": delta.cycle, "count": delta.count, "since": None if ended else delta.since,
        "begun": delta.since if ended else None, "days": delta.days,
    }  # fmt: skip


def advance(changes: Changes, tenant_id: UUID, before: int | None, counted: int) -> None:
    """That all is counted up to a position, if it is still counted as far as it was read to be."""
    if before is None:
        changes.add(INSERT_HEAD, tenant_id=tenant_id, counted=counted)
        changes.add(
            INSERT_FOLD, tenant_id=tenant_id, folded=0, tree_epoch=NO_TREE, rolling_epoch=NO_TREE, rolled_month=date.min
        )
    else:
        row = {"tenant_id": tenant_id, "read_counted": before, "new_counted": counted}
        changes.many(ADVANCE, [row], sure=True)


def keep(changes: Changes, tenant_id: UUID, before: dict[UUID, str], after: dict[UUID, str]) -> None:
    """Store what is kept of each item, where that is something else than before."""
    made: list[Params] = []
    changed: list[Params] = []
    for item_id, state in after.items():
        if item_id not in before:
            made.append({"tenant_id": tenant_id, "item_id": item_id, "state": state})
        elif state != before[item_id]:
            changed.append({"tenant_id": tenant_id, "item_id": item_id, "new_state": state})
    changes.many(INSERT_STATE, made)
    changes.many(UPDATE_STATE, changed)
