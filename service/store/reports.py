"""Published months: written once, never changed."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, Text, UniqueConstraint, bindparam, or_, select, tuple_
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.events import EventRow, Unsequenced
from service.store.timers import Timer
from service.store.types import ONE, Day, Instant, any_of, ids
from service.store.units import Ancestor
from service.workflow.clock_events import PASSED
from service.workflow.folding import EVERY
from service.workflow.reports import Report
from service.workflow.scopes import Scope


class ReportRow(SQLModel, table=True):
    """`ledger_id` is EVERY where all ledgers are counted, so that a unit publishes a month of a ledger once."""

    __tablename__ = "reports"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "unit_id"], ["units.tenant_id", "units.id"]),
        ForeignKeyConstraint(["tenant_id", "published_by"], ["principals.tenant_id", "principals.id"]),
        Index(None, "tenant_id", "published_by"),
        UniqueConstraint("tenant_id", "month", "unit_id", "ledger_id", name="uq_reports_month"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    month: date = Field(sa_type=Day)
    unit_id: UUID
    ledger_id: UUID
    published_at: datetime = Field(sa_type=Instant)
    published_by: UUID
    position: int = Field(sa_type=BigInteger)
    checkpoint: str = Field(sa_type=Text)
    digest: str = Field(max_length=64)
    document: str = Field(sa_type=Text)


_reports, _ancestors = table(ReportRow), table(Ancestor)
_timers, _events, _unsequenced = table(Timer), table(EventRow), table(Unsequenced)
_tenant = bindparam("tenant_id", type_=_reports.c.tenant_id.type)
_names = tuple(Report.__dataclass_fields__)
_columns = [_reports.c[name] for name in _names]
_seen = (
    select(ONE)
    .where(
        _ancestors.c.tenant_id == _tenant,
        _ancestors.c.unit_id == _reports.c.unit_id,
        any_of(_ancestors.c.ancestor_id, ids("scope")),
    )
    .exists()
)

INSERT = insert_row(ReportRow)

BY_ID = Statement(
    select(*_columns, _reports.c.document).where(
        _reports.c.tenant_id == _tenant, _reports.c.id == bindparam("id", type_=_reports.c.id.type), _seen
    )
)

_over = bindparam("over", type_=_events.c.at.type)
BEHIND = Statement(
    select(
        or_(
            select(ONE).where(_timers.c.tenant_id == _tenant, _timers.c.look_at <= _over).exists(),
            # From the queue, which is short, to the events: the other way SQLite goes through all of a tenant.
            select(ONE)
            .where(
                _events.c.tenant_id == _tenant,
                _events.c.id.in_(select(_unsequenced.c.event_id).where(_unsequenced.c.tenant_id == _tenant)),
                or_(_events.c.at < _over, _events.c.type == PASSED),
            )
            .exists(),
        )
    )
)

FILTERS = ("month", "unit_id", "ledger_id")


@lru_cache(maxsize=8)
def page_statement(filters: tuple[str, ...]) -> Statement:
    """Newest month first. `filters` are those of FILTERS that narrow it."""
    place = tuple_(_reports.c.month, _reports.c.id)
    before = (
        bindparam("before_month", type_=_reports.c.month.type), bindparam("before_id", type_=_reports.c.id.type),
    )  # fmt: skip
    return Statement(
        select(*_columns)
        .where(
            _reports.c.tenant_id == _tenant,
            _reports.c.month <= before[0],
            place < tuple_(*before),
            _seen,
            *(_reports.c[name] == bindparam(name, type_=_reports.c[name].type) for name in filters),
        )
        .order_by(_reports.c.month.desc(), _reports.c.id.desc())
        .limit(bindparam("limit"))
    )


async def behind(tx: Tx, tenant_id: UUID, over: datetime) -> bool:
    """Whether something of the time before `over` is not counted yet: a day that the clock has still to find over, an
    event without a position.

    Of what was recorded later only the clock's own findings are of before: it may come late. All else would keep a busy
    tenant from ever publishing, and is a correction.
    """
    row = await tx.one(BEHIND, tenant_id=tenant_id, over=over)
    return bool(row and row[0])


def publish(changes: Changes, tenant_id: UUID, report: Report, document: bytes) -> None:
    values = {name: getattr(report, name) for name in _names}
    values["ledger_id"] = report.ledger_id or EVERY
    changes.add(INSERT, tenant_id=tenant_id, **values, document=document.decode())


async def by_id(tx: Tx, tenant_id: UUID, report_id: UUID, scope: Scope) -> tuple[Report, bytes] | None:
    """A report whose unit is seen with all that lies below it, as the figures are, and its document."""
    row = await tx.one(BY_ID, tenant_id=tenant_id, id=report_id, scope=list(scope.whole))
    return (_report(row), row[len(_names)].encode()) if row else None


async def page(
    tx: Tx, tenant_id: UUID, scope: Scope, narrowed: dict[str, Any], before: tuple[date, UUID], limit: int
) -> list[Report]:
    """The reports of units seen with all below them, newest month first, behind a place; `narrowed` as in FILTERS."""
    rows = await tx.all(
        page_statement(tuple(name for name in FILTERS if name in narrowed)),
        tenant_id=tenant_id, scope=list(scope.whole), before_month=before[0], before_id=before[1], limit=limit,
        **narrowed,
    )  # fmt: skip
    return [_report(row) for row in rows]


def _report(row: Any) -> Report:
    values = dict(zip(_names, row, strict=False))
    if values["ledger_id"] == EVERY:
        values["ledger_id"] = None
    return Report(**values)
