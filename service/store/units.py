"""Units, and which unit lies above which.

`ancestors` holds every (unit, ancestor-or-self) pair with its distance. A write that derives rows from the tree takes
the tenant's `trees` row FOR SHARE together with the epoch it read; a move takes it FOR UPDATE and raises the epoch.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement, Tx
from service.store.scoping import Scoped, given, lies_in
from service.store.tenants import Tenant
from service.store.types import ONE, Instant, any_of, gate, ids, in_order, line_of, texts
from service.workflow.organisation import Unit
from service.workflow.scopes import Scope


class UnitRow(SQLModel, table=True):
    __tablename__ = "units"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        ForeignKeyConstraint(["tenant_id", "parent_id"], ["units.tenant_id", "units.id"]),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    code: str = Field(max_length=64)
    name: str = Field(max_length=200)
    parent_id: UUID | None
    level: str = Field(max_length=16)
    active: bool
    version: int
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class Ancestor(SQLModel, table=True):
    """`distance` 0 is the unit itself."""

    __tablename__ = "ancestors"
    __table_args__ = (Index(None, "tenant_id", "ancestor_id", "unit_id"),)

    tenant_id: UUID = Field(primary_key=True)
    unit_id: UUID = Field(primary_key=True)
    distance: int = Field(primary_key=True)
    ancestor_id: UUID


class Tree(SQLModel, table=True):
    """One row a tenant: the lock and the epoch of its unit tree."""

    __tablename__ = "trees"

    tenant_id: UUID = Field(primary_key=True)
    epoch: int


_units, _ancestors, _trees, _tenants = table(UnitRow), table(Ancestor), table(Tree), table(Tenant)
_tenant = bindparam("tenant_id", type_=_units.c.tenant_id.type)
_unit = bindparam("unit_id", type_=_units.c.id.type)
_columns = [_units.c[name] for name in Unit.__dataclass_fields__]

INSERT = insert_row(UnitRow)
INSERT_TREE = insert_row(Tree)

# A new unit's ancestors: itself, and everything that its parent has.
INSERT_ANCESTORS = Statement(
    insert(_ancestors).from_select(
        ["tenant_id", "unit_id", "distance", "ancestor_id"],
        union_all(
            select(_tenant, _unit, literal_column("0"), _unit).where(gate()),
            select(_tenant, _unit, _ancestors.c.distance + 1, _ancestors.c.ancestor_id).where(
                _ancestors.c.tenant_id == _tenant,
                _ancestors.c.unit_id == bindparam("parent_id", type_=_units.c.id.type),
                gate(),
            ),
        ),
    )
)

GUARD_TREE = Statement(
    select(ONE)
    .select_from(_trees)
    .where(_trees.c.tenant_id == _tenant, _trees.c.epoch == bindparam("epoch", type_=_trees.c.epoch.type))
    .with_for_update(read=True)
)

_epoch = select(_trees.c.epoch).where(_trees.c.tenant_id == _tenant)
EPOCH = Statement(_epoch)

_epochs = (
    select(_trees.c.epoch, _tenants.c.calendar_epoch)
    .select_from(_trees.join(_tenants, _tenants.c.tenant_id == _trees.c.tenant_id))
    .where(_trees.c.tenant_id == _tenant)
)
EPOCHS, EPOCHS_HELD = Statement(_epochs), Statement(_epochs.with_for_update(read=True, of=_trees))
"""The tree's epoch and the calendar's: what new rows are derived by."""

RAISE_EPOCH = Statement(
    update(_trees)
    .where(_trees.c.tenant_id == _tenant, _trees.c.epoch == bindparam("read_epoch", type_=_trees.c.epoch.type))
    .values(epoch=_trees.c.epoch + 1)
)
"""The guard of a move: waits for those who hold the tree, and makes all lose who read it before."""


def _in_scope(alone: bool) -> ColumnElement[bool]:
    return (
        select(ONE)
        .where(
            _ancestors.c.tenant_id == _units.c.tenant_id,
            _ancestors.c.unit_id == _units.c.id,
            *lies_in(_ancestors, alone),
        )
        .exists()
    )


def _seen(alone: bool) -> tuple[ColumnElement[bool], ...]:
    return _units.c.tenant_id == _tenant, _units.c.id == _unit, _in_scope(alone)


SEEN = Scoped(lambda alone: Statement(select(*_columns).where(*_seen(alone))))
PLACED = Scoped(lambda alone: Statement(select(*_columns, line_of("units.id")).where(*_seen(alone))))

ACTIVE_CHILD = Statement(
    select(ONE)
    .select_from(
        in_order(
            _ancestors, _units, (_units.c.tenant_id == _ancestors.c.tenant_id) & (_units.c.id == _ancestors.c.unit_id)
        )
    )
    .where(
        _ancestors.c.tenant_id == _tenant,
        _ancestors.c.ancestor_id == _unit,
        _ancestors.c.distance == literal_column("1"),
        _units.c.active,
    )
    .limit(literal_column("1"))
)

EVERY = Statement(select(*_columns).where(_units.c.tenant_id == _tenant))
CHILDREN = Statement(
    select(*_columns)
    .where(_units.c.tenant_id == _tenant, _units.c.parent_id == _unit)
    .order_by(_units.c.code)
    .limit(bindparam("limit"))
)
SOME = Statement(select(*_columns).where(_units.c.tenant_id == _tenant, any_of(_units.c.id, ids("unit_ids"))))

CHANGEABLE = ("code", "name", "parent_id", "level", "active", "version", "updated_at")
UPDATE = Statement(
    update(_units)
    .where(
        _units.c.tenant_id == _tenant,
        _units.c.id == _unit,
        _units.c.version == bindparam("read_version", type_=_units.c.version.type),
    )
    .values({name: bindparam(f"new_{name}", type_=_units.c[name].type) for name in CHANGEABLE})
)

LINES = Statement(
    select(_ancestors.c.unit_id, _ancestors.c.ancestor_id)
    .where(_ancestors.c.tenant_id == _tenant, any_of(_ancestors.c.unit_id, ids("unit_ids")))
    .order_by(_ancestors.c.unit_id, _ancestors.c.distance)
)

_named = select(_units.c.id, _units.c.code, _units.c.active, line_of("units.id")).where(_units.c.tenant_id == _tenant)

# Two halves and not an OR, for which SQLite would go through every unit of the tenant.
NAMED = Statement(
    union_all(_named.where(any_of(_units.c.id, ids("unit_ids"))), _named.where(any_of(_units.c.code, texts("codes"))))
)

_below = _ancestors.alias("below")
_top = (_below.c.tenant_id == _tenant, _below.c.ancestor_id == _unit)
_q = bindparam("q", type_=_units.c.name.type)


def _begins(column: ColumnElement[str]) -> ColumnElement[bool]:
    return func.lower(func.substr(column, 1, func.length(_q))) == _q


NARROWED: dict[str, ColumnElement[bool]] = {
    "levels": any_of(_units.c.level, texts("levels")),
    "active": _units.c.active == bindparam("active", type_=_units.c.active.type),
    "unit_id": _units.c.id.in_(select(_below.c.unit_id).where(*_top, _below.c.distance == literal_column("1"))),
    "q": or_(_begins(_units.c.name), _begins(_units.c.code)),
}
"""What a list of units may be narrowed to, by parameter; `unit_id` is the parent, `q` how name or code begins."""


@lru_cache(maxsize=32)
def paging(narrowed: tuple[str, ...], alone: bool = False) -> Statement:
    return Statement(
        select(*_columns)
        .where(
            _units.c.tenant_id == _tenant,
            _units.c.code > bindparam("after", type_=_units.c.code.type),
            _in_scope(alone),
            *(NARROWED[name] for name in narrowed),
        )
        .order_by(_units.c.code)
        .limit(bindparam("limit"))
    )


def _seen_from(alone: bool) -> ColumnElement[bool]:
    lines = select(ONE).where(
        _ancestors.c.tenant_id == _tenant, _ancestors.c.unit_id == _unit, *lies_in(_ancestors, alone)
    )
    if alone:
        # Of a unit that is seen alone there is nothing but itself, whatever else is seen of what lies below it.
        below = any_of(_ancestors.c.ancestor_id, ids("whole"))
        lines = lines.where(or_(below, _below.c.distance == literal_column("0"))).correlate(_below)
    return lines.exists()


# The nearest first: where it is cut, nothing stands there whose parent does not.
SUBTREE = Scoped(
    lambda alone: Statement(
        select(*_columns)
        .select_from(in_order(_below, _units, (_units.c.tenant_id == _tenant) & (_units.c.id == _below.c.unit_id)))
        .where(*_top, _below.c.distance <= bindparam("depth", type_=_below.c.distance.type), _seen_from(alone))
        .order_by(_below.c.distance, _units.c.code)
        .limit(bindparam("limit"))
    )
)


def params(tenant_id: UUID, unit: Unit) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(unit, name) for name in Unit.__dataclass_fields__}}


def changed(tenant_id: UUID, before: Unit, after: Unit) -> dict[str, Any]:
    """The parameters of UPDATE."""
    new = {f"new_{name}": getattr(after, name) for name in CHANGEABLE}
    return {"tenant_id": tenant_id, "unit_id": before.id, "read_version": before.version, **new}


async def placed(tx: Tx, tenant_id: UUID, unit_id: UUID, scope: Scope) -> tuple[Unit, tuple[UUID, ...]] | None:
    """A unit that lies in `scope`, with its line: itself first, the root last."""
    row = await tx.one(PLACED.over(scope), tenant_id=tenant_id, unit_id=unit_id, **given(scope))
    return (Unit(*row[:-1]), tuple(row[-1])) if row else None


async def every(tx: Tx, tenant_id: UUID) -> list[Unit]:
    """All units of a tenant: for what judges the whole tree."""
    return [Unit(*row) for row in await tx.all(EVERY, tenant_id=tenant_id)]


async def children(tx: Tx, tenant_id: UUID, unit_id: UUID, limit: int) -> list[Unit]:
    """The units right below one, by code; those that have ended too."""
    return [Unit(*row) for row in await tx.all(CHILDREN, tenant_id=tenant_id, unit_id=unit_id, limit=limit)]


async def some(tx: Tx, tenant_id: UUID, unit_ids: Iterable[UUID]) -> list[Unit]:
    """Units by id, whoever sees them."""
    return [Unit(*row) for row in await tx.all(SOME, tenant_id=tenant_id, unit_ids=list(unit_ids))]


async def page(tx: Tx, tenant_id: UUID, scope: Scope, after: str, limit: int, **narrowed: Any) -> list[Unit]:
    """The units in `scope` by code, behind `after`; `narrowed` by the names of NARROWED."""
    statement = paging(tuple(sorted(narrowed)), bool(scope.alone))
    rows = await tx.all(statement, tenant_id=tenant_id, **given(scope), after=after, limit=limit, **narrowed)
    return [Unit(*row) for row in rows]


async def lines(tx: Tx, tenant_id: UUID, unit_ids: set[UUID]) -> dict[UUID, tuple[UUID, ...]]:
    """Each unit with everything above it, itself first, the root last."""
    found: dict[UUID, list[UUID]] = {}
    if unit_ids:
        for unit_id, ancestor_id in await tx.all(LINES, tenant_id=tenant_id, unit_ids=list(unit_ids)):
            found.setdefault(unit_id, []).append(ancestor_id)
    return {unit_id: tuple(line) for unit_id, line in found.items()}
