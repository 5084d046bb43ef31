"""The work list: one row per piece of work for every unit that sees it.

For every ancestor-or-self of an item's responsible, supervising and co-units there is one row, deduplicated, with the
day it is due. Scope and order are thereby one index range, whatever the size of the subtree. Closed items keep their
rows under another kind, so that open work is never searched among them. Pending requests and interviews are seen by
whom their item is seen; a notice by its own units, as they were when it was made.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Index,
    Insert,
    SmallInteger,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Statement
from service.store.types import Day, also_any_of, any_of, gate, ids
from service.store.units import Ancestor

OPEN_ITEM = "item"
CLOSED_ITEM = "closed"
REQUEST = "request"
INTERVIEW = "interview"
RECEIPT = "receipt"
DRAFT = "draft"
FILED = "notice"
"""A pending request; an interview to be held; a notice to be signed for, one to be issued, one that is done with."""

OVERDUE_KINDS = (OPEN_ITEM, REQUEST, INTERVIEW, RECEIPT, DRAFT)
"""What is overdue work once its day has passed."""

RESPONSIBLE, SUPERVISING, CO = 1, 2, 4
"""Bits of `relation`: why a unit sees the item. The same shifted by EXACT: it is that very unit, not one above."""

EXACT = 3
_ANY_EXACT = (RESPONSIBLE | SUPERVISING | CO) << EXACT


class WorkRow(SQLModel, table=True):
    """`item_id` is the item whose units see the row; None for a notice, which has its own."""

    __tablename__ = "worklist"
    __table_args__ = (
        Index("ix_worklist_due", "tenant_id", "unit_id", "kind", "due", "ref"),
        Index(None, "tenant_id", "item_id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    ref: UUID = Field(primary_key=True)
    unit_id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=16)
    due: date = Field(sa_type=Day)
    relation: int = Field(sa_type=SmallInteger)
    item_id: UUID | None


_work, _ancestors = table(WorkRow), table(Ancestor)
_tenant = bindparam("tenant_id", type_=_work.c.tenant_id.type)
_ref = bindparam("ref", type_=_work.c.ref.type)
_responsible = bindparam("responsible", type_=_work.c.unit_id.type)
_supervising = bindparam("supervising", type_=_work.c.unit_id.type)


def sees(work: Any, alone: bool, found_by: type[any_of] = any_of) -> list[ColumnElement[bool]]:
    """That a row is one by which the scope sees what the row is about; `alone` as in Scoped."""
    return [found_by(work.c.unit_id, ids("scope")), *reaches(work, alone)]


def reaches(work: Any, alone: bool) -> list[ColumnElement[bool]]:
    """Of rows of the scope's units: that it sees what lies below the unit, or the row is there for the unit itself."""
    if not alone:
        return []
    itself = work.c.relation.op("&")(literal_column(str(_ANY_EXACT))) != literal_column("0")
    return [or_(also_any_of(work.c.unit_id, ids("whole")), itself)]


def seen_as(found: ColumnElement[bool], bit: int) -> ColumnElement[int]:
    """`bit` where a row of the group matches, and its EXACT twin where that row is the unit itself."""
    near = found & (_ancestors.c.distance == literal_column("0"))
    return func.max(case((found, _constant(bit)), else_=_constant(0))) + func.max(
        case((near, _constant(bit << EXACT)), else_=_constant(0))
    )


def _constant(value: int) -> ColumnElement[int]:
    return literal_column(str(value), SmallInteger())


def _derive(group: ColumnElement[Any]) -> Insert:
    return insert(_work).from_select(
        ["tenant_id", "ref", "unit_id", "kind", "due", "item_id", "relation"],
        select(
            _tenant,
            _ref,
            _ancestors.c.ancestor_id,
            bindparam("kind", type_=_work.c.kind.type),
            bindparam("due", type_=_work.c.due.type),
            bindparam("item_id", type_=_work.c.item_id.type),
            seen_as(_ancestors.c.unit_id == _responsible, RESPONSIBLE)
            + seen_as(_ancestors.c.unit_id == _supervising, SUPERVISING)
            + seen_as(any_of(_ancestors.c.unit_id, ids("co_units")), CO),
        )
        .where(
            _ancestors.c.tenant_id == _tenant,
            # One list and not an OR, for which SQLite would go through the whole tree.
            any_of(_ancestors.c.unit_id, ids("units")),
            gate(),
        )
        .group_by(group),
    )


# The plus keeps SQLite from the index that has the order of the groups: it has the whole tree to go through, too.
DERIVE = Statement(
    postgresql=_derive(_ancestors.c.ancestor_id), sqlite=_derive(literal_column("+ancestors.ancestor_id"))
)
"""An item's rows from its units; needs the tree to hold still (units.GUARD_TREE)."""

INSERT = insert_row(WorkRow)
"""The same rows, worked out by `rows_of`: for thousands of items at once."""

# A move replaces rows of items whose revision it leaves alone. PostgreSQL would pass over those that are gone without
# a word, and not see those that took their place: so all that were there must be there still.
RESCHEDULE = Statement(
    update(_work)
    .where(_work.c.tenant_id == _tenant, _work.c.ref == _ref, gate())
    .values(kind=bindparam("new_kind", type_=_work.c.kind.type), due=bindparam("new_due", type_=_work.c.due.type)),
    whole=Statement(select(func.count()).select_from(_work).where(_work.c.tenant_id == _tenant, _work.c.ref == _ref)),
)

REMOVE = Statement(delete(_work).where(_work.c.tenant_id == _tenant, _work.c.ref == _ref, gate()))
REMOVE_OF_ITEM = Statement(
    delete(_work).where(
        _work.c.tenant_id == _tenant, _work.c.item_id == bindparam("item_id", type_=_work.c.item_id.type), gate()
    )
)
"""An item's own rows and those of what is pending about it."""


def derive(
    *,
    tenant_id: UUID,
    ref: UUID,
    item_id: UUID | None,
    kind: str,
    due: date,
    responsible: UUID,
    supervising: UUID,
    co_units: list[UUID],
) -> dict[str, object]:
    """The parameters of DERIVE."""
    return {
        "tenant_id": tenant_id, "ref": ref, "item_id": item_id, "kind": kind, "due": due,
        "responsible": responsible, "supervising": supervising, "co_units": co_units,
        "units": [responsible, supervising, *co_units],
    }  # fmt: skip


Sees = tuple[tuple[UUID, int], ...]
"""Units that see an item, each with its relation."""


def seen_by(responsible: tuple[UUID, ...], supervising: tuple[UUID, ...], co: Iterable[tuple[UUID, ...]]) -> Sees:
    """What DERIVE finds, from lines (each unit first, the root last); needs the tree to hold still in the same way."""
    relations: dict[UUID, int] = {}
    for bit, line in ((RESPONSIBLE, responsible), (SUPERVISING, supervising), *((CO, each) for each in co)):
        for distance, unit in enumerate(line):
            relations[unit] = relations.get(unit, 0) | bit | (0 if distance else bit << EXACT)
    return tuple(relations.items())


def rows_of(tenant_id: UUID, item_id: UUID, kind: str, due: date, sees: Sees) -> list[dict[str, Any]]:
    """An item's own rows, as the parameters of INSERT."""
    return [
        {
            "tenant_id": tenant_id, "ref": item_id, "unit_id": unit, "kind": kind, "due": due, "relation": relation,
            "item_id": item_id,
        }
        for unit, relation in sees
    ]  # fmt: skip
