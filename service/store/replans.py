"""Changes of a calendar or a policy that open items still have to be planned by. A queue: found across tenants.

A row walks through the timers of its tenant by item. Its second walk, a while later, is for those items only that were
written meanwhile by somebody who did not know of the change yet.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement
from service.store.items import items
from service.store.ledgers import LedgerRow
from service.store.tenants import Tenant
from service.store.types import Instant, any_of, gate, ids


class Replan(SQLModel, table=True):
    """`ledger_id` None: the whole tenant. `cursor` is the last item that was brought forward."""

    __tablename__ = "replans"

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ledger_id: UUID | None
    cursor: UUID | None
    not_before: datetime = Field(sa_type=Instant)
    stale_only: bool
    created_at: datetime = Field(sa_type=Instant)


_replans, _ledgers, _tenants = table(Replan), table(LedgerRow), table(Tenant)
_tenant = bindparam("tenant_id", type_=_replans.c.tenant_id.type)
_id = bindparam("replan_id", type_=_replans.c.id.type)
_columns = [
    _replans.c[name] for name in ("tenant_id", "id", "ledger_id", "cursor", "not_before", "stale_only", "created_at")
]

INSERT = insert_row(Replan)
_oldest = (_replans.c.not_before, _replans.c.id)
_place = func.row_number().over(partition_by=_replans.c.tenant_id, order_by=_oldest)
_due = (
    select(*_columns, _place.label("place"))
    .where(_replans.c.not_before <= bindparam("now", type_=_replans.c.not_before.type))
    .subquery("due")
)
NEXT = Statement(
    select(*(_due.c[column.name] for column in _columns))
    .order_by(_due.c.place, _due.c.not_before, _due.c.id)
    .limit(bindparam("limit"))
)
"""The oldest of every tenant before the second of any: one whose changes fail keeps no other's waiting."""

HELD = Statement(
    select(*_columns).where(_replans.c.tenant_id == _tenant, _replans.c.id == _id).with_for_update(skip_locked=True)
)
MOVE = Statement(
    update(_replans)
    .where(_replans.c.tenant_id == _tenant, _replans.c.id == _id, gate())
    .values(cursor=bindparam("new_cursor", type_=_replans.c.cursor.type))
)
END = Statement(delete(_replans).where(_replans.c.tenant_id == _tenant, _replans.c.id == _id, gate()))
STALE = Statement(
    select(items.c.id)
    .select_from(
        items.join(_ledgers, (_ledgers.c.tenant_id == items.c.tenant_id) & (_ledgers.c.id == items.c.ledger_id)).join(
            _tenants, _tenants.c.tenant_id == items.c.tenant_id
        )
    )
    .where(
        items.c.tenant_id == _tenant,
        any_of(items.c.id, ids("item_ids")),
        (items.c.policy_epoch < _ledgers.c.policy_epoch) | (items.c.calendar_epoch < _tenants.c.calendar_epoch),
    )
)
"""Those of some items that were written by an older policy or calendar."""

COUNT = Statement(select(func.count()).select_from(_replans))


def first(tenant_id: UUID, replan_id: UUID, ledger_id: UUID | None, now: datetime) -> dict[str, Any]:
    """The parameters of INSERT for a change that was just made."""
    return {
        "tenant_id": tenant_id, "id": replan_id, "ledger_id": ledger_id, "cursor": None,
        "not_before": now, "stale_only": False, "created_at": now,
    }  # fmt: skip
