"""Requests (申请): what the responsible unit asked for, and what was decided."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text, bindparam, select, tuple_, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.scoping import Scoped
from service.store.types import ONE, Day, Instant, UuidList, also_any_of, any_of, gate, ids, texts
from service.store.worklist import REQUEST, WorkRow, sees
from service.workflow.requests import Request


class RequestRow(SQLModel, table=True):
    __tablename__ = "requests"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "item_id"], ["items.tenant_id", "items.id"]),
        Index(None, "tenant_id", "item_id", "id"),
        Index(None, "tenant_id", "status", "id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    item_id: UUID
    cycle: int
    kind: str = Field(max_length=16)
    status: str = Field(max_length=16)
    requested_by: UUID
    requester: str = Field(max_length=200)
    requested_at: datetime = Field(sa_type=Instant)
    asked_on: date = Field(sa_type=Day)
    reason: str = Field(sa_type=Text)
    due_on: date | None = Field(sa_type=Day)
    responsible_unit_id: UUID | None
    decide_due: date = Field(sa_type=Day)
    decided_by: UUID | None
    decider: str | None = Field(max_length=200)
    decided_at: datetime | None = Field(sa_type=Instant)
    decision_reason: str | None = Field(sa_type=Text)
    attachment_ids: list[UUID] = Field(sa_type=UuidList)


_requests, _work = table(RequestRow), table(WorkRow)
_tenant = bindparam("tenant_id", type_=_requests.c.tenant_id.type)
_id = bindparam("request_id", type_=_requests.c.id.type)
_names = tuple(Request.__dataclass_fields__)
_columns = [_requests.c[name] for name in _names]
_limit: Any = bindparam("limit")

DECIDED = ("status", "decided_by", "decider", "decided_at", "decision_reason")

INSERT = insert_row(RequestRow)
BY_ID = Statement(select(*_columns).where(_requests.c.tenant_id == _tenant, _requests.c.id == _id))
BY_IDS = Statement(
    select(*_columns).where(_requests.c.tenant_id == _tenant, any_of(_requests.c.id, ids("request_ids")))
)
DECIDE = Statement(
    update(_requests)
    .where(_requests.c.tenant_id == _tenant, _requests.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=_requests.c[name].type) for name in DECIDED})
)
RESCHEDULE = Statement(
    update(_requests)
    .where(_requests.c.tenant_id == _tenant, _requests.c.id == _id, gate())
    .values(decide_due=bindparam("new_due", type_=_requests.c.decide_due.type))
)
OF_ITEM = Statement(
    select(*_columns)
    .where(
        _requests.c.tenant_id == _tenant,
        _requests.c.item_id == bindparam("item_id", type_=_requests.c.item_id.type),
        _requests.c.id > bindparam("after", type_=_requests.c.id.type),
    )
    .order_by(_requests.c.id)
    .limit(_limit)
)


# The inbox: along the work list, by the day on which each must be decided.
def _pending(alone: bool) -> Statement:
    unit, *more = sees(_work, alone)
    seen = (
        select(_work.c.due, _work.c.ref)
        .where(
            _work.c.tenant_id == _tenant,
            unit,
            _work.c.kind == REQUEST,
            _work.c.due < bindparam("before", type_=Day),
            tuple_(_work.c.due, _work.c.ref)
            > tuple_(bindparam("after_due", type_=Day), bindparam("after_id", type_=_work.c.ref.type)),
            *more,
        )
        .group_by(_work.c.due, _work.c.ref)
        .order_by(_work.c.due, _work.c.ref)
        .limit(_limit)
        .subquery("held_work")
    )
    return Statement(
        select(*_columns)
        .select_from(seen.join(_requests, (_requests.c.tenant_id == _tenant) & (_requests.c.id == seen.c.ref)))
        .order_by(seen.c.due, seen.c.ref)
    )


PENDING = Scoped(_pending)
PAST = Scoped(
    lambda alone: Statement(
        select(*_columns)
        .where(
            _requests.c.tenant_id == _tenant,
            any_of(_requests.c.status, texts("statuses")),
            _requests.c.id < bindparam("before_id", type_=_requests.c.id.type),
            select(ONE)
            .where(
                _work.c.tenant_id == _requests.c.tenant_id,
                _work.c.ref == _requests.c.item_id,
                *sees(_work, alone, also_any_of),
            )
            .exists(),
        )
        .order_by(_requests.c.id.desc())
        .limit(_limit)
    )
)


def request(row: Any) -> Request:
    values = dict(zip(_names, row, strict=True))
    values["attachment_ids"] = tuple(values["attachment_ids"])
    return Request(**values)


def params(tenant_id: UUID, made: Request) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(made, name) for name in _names}}


def decision(tenant_id: UUID, decided: Request) -> dict[str, Any]:
    """The parameters of DECIDE."""
    return {
        "tenant_id": tenant_id,
        "request_id": decided.id,
        **{f"new_{name}": getattr(decided, name) for name in DECIDED},
    }


async def by_id(tx: Tx, tenant_id: UUID, request_id: UUID) -> Request | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, request_id=request_id)
    return request(row) if row else None


async def by_ids(tx: Tx, tenant_id: UUID, request_ids: list[UUID]) -> dict[UUID, Request]:
    rows = await tx.all(BY_IDS, tenant_id=tenant_id, request_ids=request_ids)
    return {found.id: found for found in map(request, rows)}


async def of_item(tx: Tx, tenant_id: UUID, item_id: UUID, after: UUID, limit: int) -> list[Request]:
    rows = await tx.all(OF_ITEM, tenant_id=tenant_id, item_id=item_id, after=after, limit=limit)
    return [request(row) for row in rows]
