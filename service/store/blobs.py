"""Blobs: which bytes a tenant keeps, who is about to, and how many bytes that makes.

A row stands before its bytes do and goes after them, so whatever lies in the store is known here; see
service/actions/collecting.py for why nothing is lost on the way.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, bindparam, delete, func, null, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel

from service.store.attachments import AttachmentRow
from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.types import ONE, Instant, any_of, gate, ids
from service.workflow.blobs import Blob

_ALIVE, _DEAD, _LOOK = (text(each) for each in ("dead_since IS NULL", "dead_since IS NOT NULL", "look_at IS NOT NULL"))


class BlobRow(SQLModel, table=True):
    """`look_at` is when to look whether anything refers to it: when a claim ends, or once something went that did."""

    __tablename__ = "blobs"
    __table_args__ = (
        Index("uq_blobs_alive", "tenant_id", "sha256", unique=True, postgresql_where=_ALIVE, sqlite_where=_ALIVE),
        Index("ix_blobs_dead", "tenant_id", "id", postgresql_where=_DEAD, sqlite_where=_DEAD),
        Index("ix_blobs_look", "tenant_id", "look_at", postgresql_where=_LOOK, sqlite_where=_LOOK),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    sha256: str = Field(max_length=64)
    size: int = Field(sa_type=BigInteger)
    stored: bool
    look_at: datetime | None = Field(sa_type=Instant)
    dead_since: datetime | None = Field(sa_type=Instant)
    revision: int


class BlobUse(SQLModel, table=True):
    """How many bytes the living blobs of a tenant have together."""

    __tablename__ = "blob_uses"

    tenant_id: UUID = Field(primary_key=True)
    bytes: int = Field(sa_type=BigInteger)


_blobs, _uses, _attachments = table(BlobRow), table(BlobUse), table(AttachmentRow)
_tenant = bindparam("tenant_id", type_=_blobs.c.tenant_id.type)
_id = bindparam("blob_id", type_=_blobs.c.id.type)
_now: Any = bindparam("now", type_=_blobs.c.dead_since.type)
_limit: Any = bindparam("limit")
_columns = [_blobs.c[name] for name in Blob.__dataclass_fields__]
_living = (_blobs.c.tenant_id == _tenant, _blobs.c.id == _id, _blobs.c.dead_since.is_(None))

INSERT = insert_row(BlobRow)
LIVING = Statement(
    select(*_columns).where(
        _blobs.c.tenant_id == _tenant,
        _blobs.c.sha256 == bindparam("sha256", type_=_blobs.c.sha256.type),
        _blobs.c.dead_since.is_(None),
    )
)
_raised = {"revision": _blobs.c.revision + 1}
_as_read = _blobs.c.revision == bindparam("read_revision", type_=_blobs.c.revision.type)
_look: Any = bindparam("look_at", type_=_blobs.c.look_at.type)

CLAIM = Statement(update(_blobs).where(*_living, gate()).values(look_at=_look, **_raised))
"""The guard of an upload of bytes that are known already."""
RECORD = Statement(update(_blobs).where(*_living, gate()).values(stored=True, look_at=null(), **_raised))
"""The guard of an attachment: its bytes lie in the store, and nobody has given them up meanwhile."""
RELEASE = Statement(
    update(_blobs)
    .where(_blobs.c.tenant_id == _tenant, any_of(_blobs.c.id, ids("blob_ids")), _blobs.c.dead_since.is_(None), gate())
    .values(look_at=_look, **_raised)
)
"""Something that referred to them went."""
ALIVE_STILL = Statement(select(ONE).select_from(_blobs).where(*_living))

TO_LOOK_AT = Statement(
    select(
        *_columns,
        select(ONE)
        .where(_attachments.c.tenant_id == _blobs.c.tenant_id, _attachments.c.blob_id == _blobs.c.id)
        .exists(),
    )
    .where(_blobs.c.tenant_id == _tenant, _blobs.c.look_at <= _now, _blobs.c.dead_since.is_(None))
    .order_by(_blobs.c.look_at)
    .limit(_limit)
)
"""With whether anything refers to it."""
UNCHANGED = Statement(select(ONE).select_from(_blobs).where(*_living, _as_read))
KEEP = Statement(update(_blobs).where(*_living, _as_read, gate()).values(look_at=null()))
GIVE_UP = Statement(update(_blobs).where(*_living, _as_read, gate()).values(dead_since=_now, look_at=null()))
"""The guards of what comes of a look: that nobody claimed, recorded or released it since."""
DEAD = Statement(
    select(*_columns, _blobs.c.dead_since)
    .where(
        _blobs.c.tenant_id == _tenant,
        _blobs.c.id > bindparam("after", type_=_blobs.c.id.type),
        _blobs.c.dead_since.is_not(None),
    )
    .order_by(_blobs.c.id)
    .limit(_limit)
)
BURY = Statement(
    delete(_blobs).where(_blobs.c.tenant_id == _tenant, _blobs.c.id == _id, _blobs.c.dead_since.is_not(None), gate())
)
STORED = Statement(
    select(*_columns)
    .where(
        _blobs.c.tenant_id == _tenant,
        _blobs.c.id > bindparam("after", type_=_blobs.c.id.type),
        _blobs.c.dead_since.is_(None),
        _blobs.c.stored.is_(True),
    )
    .order_by(_blobs.c.id)
    .limit(_limit)
)
"""What must lie in the store."""

USED = Statement(select(_uses.c.bytes).where(_uses.c.tenant_id == _tenant))
USED_BY_ALL = Statement(select(func.coalesce(func.sum(_uses.c.bytes), 0)).select_from(_uses))


def _taking(insert: Any) -> Any:
    size = bindparam("size", type_=_uses.c.bytes.type)
    taken = insert(_uses).from_select(["tenant_id", "bytes"], select(_tenant, size).where(gate()))
    more = _uses.c.bytes + taken.excluded.bytes
    most = bindparam("quota", type_=_uses.c.bytes.type)
    return taken.on_conflict_do_update(index_elements=["tenant_id"], set_={"bytes": more}, where=more <= most)


TAKE_ROOM = Statement(postgresql=_taking(postgresql.insert), sqlite=_taking(sqlite.insert))
"""The guard of new bytes: of two that only fit one by one, the later reads again and is refused."""
GIVE_ROOM = Statement(
    update(_uses)
    .where(_uses.c.tenant_id == _tenant, gate())
    .values(bytes=_uses.c.bytes - bindparam("size", type_=_uses.c.bytes.type))
)


async def living(tx: Tx, tenant_id: UUID, sha256: str) -> Blob | None:
    row = await tx.one(LIVING, tenant_id=tenant_id, sha256=sha256)
    return Blob(*row) if row else None


async def used(tx: Tx, tenant_id: UUID) -> int:
    """The bytes that a tenant keeps."""
    row = await tx.one(USED, tenant_id=tenant_id)
    return row[0] if row else 0
