"""Published checkpoints: how long a tenant's log was when the last one went out, so that one goes out once a day."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, or_, select, update

from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.log import Head, LogHead, head_of
from service.store.tenants import HOME, home, with_head
from service.workflow.access import Home

_heads = table(LogHead)
_tenant = bindparam("tenant_id", type_=_heads.c.tenant_id.type)

# The checkpoint's own event is one more, and alone no reason for another.
_grown = or_(
    and_(_heads.c.published_at.is_(None), _heads.c.size > 0), _heads.c.size > _heads.c.published_size + 1
)  # fmt: skip
GROWN = Statement(select(*HOME, _heads.c.published_at).select_from(with_head).where(_grown))
"""Across tenants, once an hour: whose log is longer than its last published checkpoint says."""

STANDS = Statement(
    select(
        _heads.c.size, _heads.c.frontier, _heads.c.hashing, _heads.c.published_size, _heads.c.published_at,
        _grown.label("grown"),
    ).where(_heads.c.tenant_id == _tenant)
)  # fmt: skip

PUBLISHED = Statement(
    update(_heads)
    .where(
        _heads.c.tenant_id == _tenant,
        _heads.c.published_size == bindparam("read_size", type_=_heads.c.published_size.type),
    )
    .values(
        published_size=bindparam("new_size", type_=_heads.c.published_size.type),
        published_at=bindparam("new_at", type_=_heads.c.published_at.type),
    )
)
"""A guard: of two who publish at once, the later looks again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A log's head, how long it was when a checkpoint was last published, when that was, and whether it grew since."""

    head: Head
    published_size: int
    published_at: datetime | None
    grown: bool


async def grown(tx: Tx) -> list[tuple[Home, datetime | None]]:
    """The tenants whose log has grown, each with when its last checkpoint was published."""
    return [(home(*row[:3]), row[3]) for row in await tx.all(GROWN)]


async def standing(tx: Tx, tenant_id: UUID) -> Standing:
    row = await tx.one(STANDS, tenant_id=tenant_id)
    if row is None:
        raise LookupError(f"tenant {tenant_id} has no log")
    size, frontier, hashing, published_size, published_at, has_grown = row
    return Standing(head_of(size, frontier, hashing), published_size, published_at, bool(has_grown))


def publish(changes: Changes, tenant_id: UUID, before: Standing, now: datetime) -> None:
    """The checkpoint of the log as it stands is published."""
    size = before.head.size
    changes.guard(PUBLISHED, tenant_id=tenant_id, read_size=before.published_size, new_size=size, new_at=now)
