"""Interviews (约谈): opened by an escalation, then recorded."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, bindparam, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.scoping import Scoped
from service.store.types import ONE, Day, Instant, TextList, also_any_of, any_of, gate, ids
from service.store.worklist import WorkRow, sees
from service.workflow.items import Interview


class InterviewRow(SQLModel, table=True):
    __tablename__ = "interviews"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "item_id"], ["items.tenant_id", "items.id"]),
        Index(None, "tenant_id", "item_id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    item_id: UUID
    unit_id: UUID
    cycle: int
    state: str = Field(max_length=16)
    opened_at: datetime = Field(sa_type=Instant)
    due_on: date = Field(sa_type=Day)
    held_on: date | None = Field(sa_type=Day)
    attendees: list[str] = Field(sa_type=TextList)
    minutes: str | None = Field(sa_type=Text)
    commitments: str | None = Field(sa_type=Text)
    recorded_by: UUID | None
    recorded_at: datetime | None = Field(sa_type=Instant)
    seal_salt: bytes | None = Field(sa_type=LargeBinary)
    scheduled_at: datetime | None = Field(sa_type=Instant)
    place: str | None = Field(max_length=200)
    notice_id: UUID | None


_interviews, _work = table(InterviewRow), table(WorkRow)
_tenant = bindparam("tenant_id", type_=_interviews.c.tenant_id.type)
_id = bindparam("interview_id", type_=_interviews.c.id.type)
RECORDED = ("state", "held_on", "attendees", "minutes", "commitments", "recorded_by", "recorded_at", "seal_salt")

_names = tuple(Interview.__dataclass_fields__)
_columns = [_interviews.c[name] for name in _names]

INSERT = insert_row(InterviewRow)
BY_ID = Statement(select(*_columns).where(_interviews.c.tenant_id == _tenant, _interviews.c.id == _id))
BY_IDS = Statement(
    select(*_columns).where(_interviews.c.tenant_id == _tenant, any_of(_interviews.c.id, ids("interview_ids")))
)

RECORD = Statement(
    update(_interviews)
    .where(_interviews.c.tenant_id == _tenant, _interviews.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=_interviews.c[name].type) for name in RECORDED})
)

SCHEDULED = ("state", "scheduled_at", "place")
SCHEDULE = Statement(
    update(_interviews)
    .where(_interviews.c.tenant_id == _tenant, _interviews.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=_interviews.c[name].type) for name in SCHEDULED})
)

RESCHEDULE = Statement(
    update(_interviews)
    .where(_interviews.c.tenant_id == _tenant, _interviews.c.id == _id, gate())
    .values(due_on=bindparam("new_due", type_=_interviews.c.due_on.type))
)
"""The last good day by a calendar that has changed."""

CANCEL = Statement(
    update(_interviews)
    .where(_interviews.c.tenant_id == _tenant, _interviews.c.id == _id, gate())
    .values(state="cancelled")
)

PAGE = Scoped(
    lambda alone: Statement(
        select(*_columns)
        .where(
            _interviews.c.tenant_id == _tenant,
            _interviews.c.id < bindparam("before", type_=_interviews.c.id.type),
            any_of(_interviews.c.state, bindparam("states", type_=TextList)),
            select(ONE)
            .where(
                _work.c.tenant_id == _interviews.c.tenant_id,
                _work.c.ref == _interviews.c.item_id,
                *sees(_work, alone, also_any_of),
            )
            .exists(),
        )
        .order_by(_interviews.c.id.desc())
        .limit(bindparam("limit"))
    )
)


def interview(row: Any) -> Interview:
    values = dict(zip(_names, row, strict=True))
    values["attendees"] = tuple(values["attendees"])
    return Interview(**values)


def params(tenant_id: UUID, opened: Interview) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(opened, name) for name in _names}}


async def by_ids(tx: Tx, tenant_id: UUID, interview_ids: list[UUID]) -> dict[UUID, Interview]:
    rows = await tx.all(BY_IDS, tenant_id=tenant_id, interview_ids=interview_ids)
    return {found.id: found for found in map(interview, rows)}


async def by_id(tx: Tx, tenant_id: UUID, interview_id: UUID) -> Interview | None:
    row = await tx.one(BY_ID, tenant_id=tenant_id, interview_id=interview_id)
    return interview(row) if row else None
