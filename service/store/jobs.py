"""Jobs and their results: how far each is, and the bytes that came of it, in parts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, bindparam, delete, func, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import Instant, any_of, gate, texts
from service.workflow.jobs import UNFINISHED, Job


class JobRow(SQLModel, table=True):
    __tablename__ = "jobs"
    __table_args__ = (Index(None, "tenant_id", "owner", "made_at"), Index(None, "tenant_id", "made_at"))

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=32)
    owner: str = Field(max_length=80)
    scope_mark: bytes = Field(sa_type=LargeBinary)
    state: str = Field(max_length=16)
    percent: int
    made_at: datetime = Field(sa_type=Instant)
    beat_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(sa_type=Instant)
    problem: str | None = Field(max_length=64)
    media: str | None = Field(max_length=120)
    name: str | None = Field(max_length=300)
    size: int | None = Field(sa_type=BigInteger)
    parts: int


class JobPart(SQLModel, table=True):
    """A piece of a job's result; pieces are numbered from 0."""

    __tablename__ = "job_parts"

    tenant_id: UUID = Field(primary_key=True)
    job_id: UUID = Field(primary_key=True)
    part: int = Field(primary_key=True)
    content: bytes = Field(sa_type=LargeBinary)


_jobs, _parts = table(JobRow), table(JobPart)
_tenant = bindparam("tenant_id", type_=_jobs.c.tenant_id.type)
_id = bindparam("job_id", type_=_jobs.c.id.type)
_owner = bindparam("owner", type_=_jobs.c.owner.type)
_before = bindparam("before", type_=_jobs.c.made_at.type)
_names = tuple(Job.__dataclass_fields__)

CHANGEABLE = ("state", "percent", "beat_at", "ended_at", "problem", "media", "name", "size", "parts")

INSERT, INSERT_PART = insert_row(JobRow), insert_row(JobPart)
UPDATE = Statement(
    update(_jobs)
    .where(_jobs.c.tenant_id == _tenant, _jobs.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=_jobs.c[name].type) for name in CHANGEABLE})
)
FIND = Statement(
    select(*(_jobs.c[name] for name in _names)).where(
        _jobs.c.tenant_id == _tenant, _jobs.c.id == _id, _jobs.c.owner == _owner
    )
)
WAITING = Statement(
    select(func.count())
    .select_from(_jobs)
    .where(
        _jobs.c.tenant_id == _tenant,
        _jobs.c.owner == _owner,
        _jobs.c.made_at > bindparam("since", type_=_jobs.c.made_at.type),
        _jobs.c.beat_at > bindparam("alive", type_=_jobs.c.beat_at.type),
        any_of(_jobs.c.state, texts("states")),
    )
)
PART = Statement(
    select(_parts.c.content).where(
        _parts.c.tenant_id == _tenant,
        _parts.c.job_id == _id,
        _parts.c.part == bindparam("part", type_=_parts.c.part.type),
    )
)
FORGET_PARTS = Statement(
    delete(_parts).where(
        _parts.c.tenant_id == _tenant,
        _parts.c.job_id.in_(select(_jobs.c.id).where(_jobs.c.tenant_id == _tenant, _jobs.c.made_at < _before)),
        gate(),
    )
)
FORGET = Statement(delete(_jobs).where(_jobs.c.tenant_id == _tenant, _jobs.c.made_at < _before, gate()))


def params(tenant_id: UUID, job: Job) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(job, name) for name in _names}}


def update_params(tenant_id: UUID, job: Job) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "job_id": job.id, **{f"new_{name}": getattr(job, name) for name in CHANGEABLE}}


async def find(tx: Tx, tenant_id: UUID, job_id: UUID, owner: str) -> Job | None:
    """A job of this caller's own."""
    row = await tx.one(FIND, tenant_id=tenant_id, job_id=job_id, owner=owner)
    if row is None:
        return None
    job = dict(zip(_names, row, strict=True))
    return Job(**{**job, "scope_mark": bytes(job["scope_mark"])})


async def waiting(tx: Tx, tenant_id: UUID, owner: str, *, since: datetime, alive: datetime) -> int:
    """How many unfinished jobs a caller has, of those that were heard of lately."""
    row = await tx.one(
        WAITING, tenant_id=tenant_id, owner=owner, since=since, alive=alive, states=[*UNFINISHED]
    )  # fmt: skip
    return row[0] if row else 0


async def part(tx: Tx, tenant_id: UUID, job_id: UUID, number: int) -> bytes | None:
    row = await tx.one(PART, tenant_id=tenant_id, job_id=job_id, part=number)
    return bytes(row[0]) if row else None
