"""The log of a tenant: which event has which position, and the Merkle tree over their sealed bytes.

`log_heads` has one row a tenant. Whoever holds it gives positions; so it is the claim of the sequencer as well, and
ends with its transaction: there is no lease that could outlive a crash. Of the tree the hash of every complete subtree
is kept once it is complete: an append writes one row more a leaf, and a proof reads as many as the tree is high.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint, and_, bindparam, delete, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.events import EventRow, Unsequenced
from service.store.types import Instant, any_of, gate, ids, numbers
from service.workflow.merkle import HASH_BYTES, HASHINGS, SHA256, Hashing, Node, Place


class LogHead(SQLModel, table=True):
    """`frontier` are the hashes of the complete subtrees that the tree of `size` leaves is made of, largest first.

    `published_size` is how long the log was when its last checkpoint was published, at `published_at`.
    """

    __tablename__ = "log_heads"

    tenant_id: UUID = Field(primary_key=True)
    size: int = Field(sa_type=BigInteger)
    frontier: bytes = Field(sa_type=LargeBinary)
    hashing: str = Field(max_length=8)
    published_size: int = Field(sa_type=BigInteger)
    published_at: datetime | None = Field(sa_type=Instant)


class LogEntry(SQLModel, table=True):
    """Positions are 1, 2, 3 ... without a gap; the leaf of position n has the index n - 1."""

    __tablename__ = "log"
    __table_args__ = (UniqueConstraint("tenant_id", "event_id"),)

    tenant_id: UUID = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger, primary_key=True)
    event_id: UUID
    leaf_hash: bytes = Field(sa_type=LargeBinary)


class LogNode(SQLModel, table=True):
    """A complete subtree above the leaves, which stand in `log`. `place` is its level and its index in one number."""

    __tablename__ = "log_nodes"

    tenant_id: UUID = Field(primary_key=True)
    place: int = Field(sa_type=BigInteger, primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary)


_heads, _log, _nodes = table(LogHead), table(LogEntry), table(LogNode)
_events, _unsequenced = table(EventRow), table(Unsequenced)
_tenant = bindparam("tenant_id", type_=_heads.c.tenant_id.type)

INSERT_HEAD = insert_row(LogHead)
INSERT = insert_row(LogEntry)
INSERT_NODE = insert_row(LogNode)

HASHING = Statement(select(_heads.c.hashing).where(_heads.c.tenant_id == _tenant))

_head = select(_heads.c.size, _heads.c.frontier, _heads.c.hashing).where(_heads.c.tenant_id == _tenant)
HEAD, TAKE_HEAD = Statement(_head), Statement(_head.with_for_update(skip_locked=True))

ADVANCE = Statement(
    update(_heads)
    .where(_heads.c.tenant_id == _tenant, _heads.c.size == bindparam("read_size", type_=_heads.c.size.type))
    .values(
        size=bindparam("new_size", type_=_heads.c.size.type),
        frontier=bindparam("new_frontier", type_=_heads.c.frontier.type),
    )
)

_first = select(_unsequenced.c.tenant_id).order_by(_unsequenced.c.tenant_id).limit(1)
_busy = select(_first.scalar_subquery().label("tenant_id")).cte("busy", recursive=True)
_next = _first.where(_unsequenced.c.tenant_id > _busy.c.tenant_id).correlate(_busy).scalar_subquery()
_all_busy = _busy.union_all(select(_next).where(_busy.c.tenant_id.is_not(None)))
BUSY = Statement(select(_all_busy.c.tenant_id).where(_all_busy.c.tenant_id.is_not(None)))
"""Across tenants: from one that waits to the next, so that idle tenants cost nothing however many there are."""

_waiting = (
    select(*(_events.c[name] for name in ("id", "item_id", "revision", "ordinal", "body", "type", "audience", "at")))
    .select_from(
        _unsequenced.join(
            _events, and_(_events.c.tenant_id == _unsequenced.c.tenant_id, _events.c.id == _unsequenced.c.event_id)
        )
    )
    .where(_unsequenced.c.tenant_id == _tenant)
)
WAITING = Statement(_waiting.order_by(_unsequenced.c.event_id).limit(bindparam("limit")))
LEFT_OVER = Statement(
    _waiting.where(
        any_of(_events.c.item_id, ids("item_ids")),
        _unsequenced.c.event_id > bindparam("last_id", type_=_events.c.id.type),
    )
)
"""What waits about some items, behind a batch that was full."""

SEQUENCED = Statement(
    delete(_unsequenced).where(
        _unsequenced.c.tenant_id == _tenant, any_of(_unsequenced.c.event_id, ids("event_ids")), gate()
    )
)


LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


LEAVES = Statement(
    select(_log.c.position, _log.c.leaf_hash).where(_log.c.tenant_id == _tenant, any_of(_log.c.position, numbers("at")))
)
NODES = Statement(
    select(_nodes.c.place, _nodes.c.hash).where(_nodes.c.tenant_id == _tenant, any_of(_nodes.c.place, numbers("at")))
)
ENTRY = Statement(
    select(_log.c.leaf_hash, _events.c.body, _events.c.beside)
    .select_from(_log.join(_events, and_(_events.c.tenant_id == _tenant, _events.c.id == _log.c.event_id)))
    .where(_log.c.tenant_id == _tenant, _log.c.position == bindparam("position", type_=_log.c.position.type))
)

_INDEX_BITS = 56


def place_of(level: int, index: int) -> int:
    return level << _INDEX_BITS | index


@dataclass(frozen=True, slots=True)
class Head:
    """How far a tenant's log has come, and the tree that it is."""

    size: int
    frontier: tuple[bytes, ...]
    hashing: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event without a position."""

    id: UUID
    item_id: UUID | None
    revision: int
    ordinal: int
    body: bytes
    type: str = ""
    audience: tuple[UUID, ...] = ()
    at: datetime = LONG_AGO


def new_head(tenant_id: UUID, hashing: str) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id, "size": 0, "frontier": b"", "hashing": hashing,
        "published_size": 0, "published_at": None,
    }  # fmt: skip


async def head(tx: Tx, tenant_id: UUID, *, take: bool = False) -> Head | None:
    """The head of a tenant's log; with `take` ours until the commit, and None where another has it."""
    row = await tx.one(TAKE_HEAD if take else HEAD, tenant_id=tenant_id)
    return head_of(*row) if row else None


def head_of(size: int, frontier: bytes, hashing: str) -> Head:
    """A head as it is stored."""
    hashes = bytes(frontier)
    return Head(size, tuple(hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)), hashing)


async def hashing(tx: Tx, tenant_id: UUID) -> Hashing:
    """How a tenant's log is hashed, for whoever writes an event without having read the tenant."""
    row = await tx.one(HASHING, tenant_id=tenant_id)
    return HASHINGS[row[0]] if row else SHA256


async def tree(tx: Tx, tenant_id: UUID, places: Iterable[Place]) -> dict[Place, bytes]:
    """The hashes of complete subtrees. What is not there is left out."""
    wanted = set(places)
    leaves = await tx.all(LEAVES, tenant_id=tenant_id, at=[index + 1 for level, index in wanted if level == 0])
    above = await tx.all(NODES, tenant_id=tenant_id, at=[place_of(*place) for place in wanted if place[0] > 0])
    found = {(0, position - 1): bytes(leaf_hash) for position, leaf_hash in leaves}
    return found | {(at >> _INDEX_BITS, at & (1 << _INDEX_BITS) - 1): bytes(node) for at, node in above}


async def busy(tx: Tx) -> list[UUID]:
    """The tenants that have events without a position."""
    return [row[0] for row in await tx.all(BUSY)]


async def waiting(tx: Tx, tenant_id: UUID, limit: int) -> list[Waiting]:
    """About `limit` events that wait for a position, oldest first.

    Of every item in it also what is older than something in it by (revision, ordinal): ids are made by many machines,
    whose clocks differ, and must not decide what came first of one item.
    """
    found = [_waiting_of(row) for row in await tx.all(WAITING, tenant_id=tenant_id, limit=limit)]
    if len(found) < limit:
        return found
    newest: dict[UUID, tuple[int, int]] = {}
    for each in found:
        if each.item_id is not None:
            newest[each.item_id] = max(newest.get(each.item_id, (0, 0)), (each.revision, each.ordinal))
    rows = await tx.all(LEFT_OVER, tenant_id=tenant_id, item_ids=list(newest), last_id=found[-1].id)
    behind = (_waiting_of(row) for row in rows)
    found += [each for each in behind if each.item_id and (each.revision, each.ordinal) < newest[each.item_id]]
    return found


def _waiting_of(row: Any) -> Waiting:
    return Waiting(row[0], row[1], row[2], row[3], bytes(row[4]), row[5], tuple(row[6]), row[7])


def append(
    changes: Changes,
    tenant_id: UUID,
    before: Head,
    frontier: tuple[bytes, ...],
    leaves: list[tuple[UUID, bytes]],
    nodes: Iterable[Node],
) -> None:
    """Give each of some events (its id, its leaf's hash) the next position, if the log is still as it was read."""
    size = before.size + len(leaves)
    changes.guard(ADVANCE, tenant_id=tenant_id, read_size=before.size, new_size=size, new_frontier=b"".join(frontier))
    changes.many(
        INSERT,
        [
            {"tenant_id": tenant_id, "position": position, "event_id": event_id, "leaf_hash": leaf_hash}
            for position, (event_id, leaf_hash) in enumerate(leaves, before.size + 1)
        ],
    )
    changes.many(
        INSERT_NODE,
        [{"tenant_id": tenant_id, "place": place_of(node.level, node.index), "hash": node.hash} for node in nodes],
    )
    changes.add(SEQUENCED, tenant_id=tenant_id, event_ids=[event_id for event_id, _ in leaves])
