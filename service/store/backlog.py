"""What waits in the queues of the whole installation, for its operator: counted as far as it is worth counting."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Text, and_, case, cast, func, literal_column, select

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.deliveries import UNFINISHED, deliveries
from service.store.events import Unsequenced
from service.store.figures import folds, heads
from service.store.lanes import LaneRow
from service.store.log import LogEntry, LogHead
from service.store.webhooks import webhooks as _webhooks

MOST = 100_000
"""Rows that are looked at: what is longer is long."""

_most: ColumnElement[int] = literal_column(str(MOST))
_unsequenced, _lanes, _log, _logs = table(Unsequenced), table(LaneRow), table(LogEntry), table(LogHead)

_events = select(_unsequenced.c.event_id).limit(_most).subquery()
# As text: PostgreSQL knows no least of uuids. Ids rise with time, so the least is the oldest.
UNSEQUENCED = Statement(select(func.count(), func.min(cast(_events.c.event_id, Text))))

_waiting = (
    select(_lanes.c.tenant_id, _lanes.c.webhook_id, _lanes.c.pending, _lanes.c.next_at).limit(_most).subquery("waiting")
)
_its_webhook = and_(_webhooks.c.tenant_id == _waiting.c.tenant_id, _webhooks.c.id == _waiting.c.webhook_id)


def _later(at: ColumnElement[Any], than: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((at > than, at), else_=than)


# As in lanes.DUE: what waits for a disabled endpoint, or for a paused one or a channel to have its turn, is not late.
_tried_at = _later(_webhooks.c.paced_until, _later(_webhooks.c.probe_at, _waiting.c.next_at))
DELIVERIES = Statement(
    select(
        func.coalesce(func.sum(_waiting.c.pending), literal_column("0")),
        func.min(case((_webhooks.c.enabled, _tried_at))),
    ).select_from(_waiting.outerjoin(_webhooks, _its_webhook))
)

_given_up = (
    select(deliveries.c.id).where(deliveries.c.status == literal_column("'dead'"), UNFINISHED).limit(_most).subquery()
)
DEAD = Statement(select(func.count()).select_from(_given_up))

# As in figure_upkeep.BEHIND: how far the sums have come, or the counts where these are made anew.
_nothing = literal_column("0", BigInteger())
_counted, _summed = func.coalesce(heads.c.counted, _nothing), func.coalesce(folds.c.folded, _nothing)
_come = case((_counted < _nothing, _nothing), (_summed < _counted, _summed), else_=_counted)
FIGURES = Statement(
    select(func.coalesce(func.sum(_logs.c.size - _come), _nothing), func.min(cast(_log.c.event_id, Text)))
    .select_from(
        _logs.outerjoin(heads, heads.c.tenant_id == _logs.c.tenant_id)
        .outerjoin(folds, folds.c.tenant_id == _logs.c.tenant_id)
        .outerjoin(_log, and_(_log.c.tenant_id == _logs.c.tenant_id, _log.c.position == _come + 1))
    )
    .where(_logs.c.size > _come)
)


async def unsequenced(tx: Tx) -> tuple[int, datetime | None]:
    """How many events have no position yet, and since when the first of them."""
    count, oldest = _row(await tx.one(UNSEQUENCED))
    return int(count), _made_at(oldest)


async def uncounted(tx: Tx) -> tuple[int, datetime | None]:
    """How many events the figures do not count yet, or not in their sums, and since when the first of them is."""
    count, oldest = _row(await tx.one(FIGURES))
    return int(count), _made_at(oldest)


def _made_at(event_id: str | None) -> datetime | None:
    """The first 48 bits of a UUIDv7 are milliseconds since 1970."""
    return datetime.fromtimestamp((UUID(event_id).int >> 80) / 1000, UTC) if event_id else None


async def pending(tx: Tx) -> tuple[int, datetime | None]:
    """How many deliveries wait, and when the first is tried of those whose endpoint may be called: lately, or soon."""
    count, first = _row(await tx.one(DELIVERIES))
    return int(count), first


async def dead(tx: Tx) -> int:
    """How many deliveries were given up, whether or not they were sent again since."""
    return int(_row(await tx.one(DEAD))[0])


def _row(row: Any) -> Any:
    if row is None:
        raise LookupError("an aggregate without a row")
    return row
