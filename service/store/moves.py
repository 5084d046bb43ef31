"""A subtree under another parent: the lines of its units, and who sees the items of these.

Each statement sees what the one before it did, so they run one by one, behind the guards of the tree and of the unit.
Everything that a unit of the subtree has a part in, item or notice, has a row on the work list of the unit that moves.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.database import Changes, Statement, Tx
from service.store.items import COLUMNS, item_of, items
from service.store.notices import notices
from service.store.types import ONE, UuidList, any_of, gate, ids, in_order, joined_by
from service.store.units import Ancestor
from service.store.worklist import CO, EXACT, OPEN_ITEM, RESPONSIBLE, SUPERVISING, WorkRow, seen_as
from service.workflow.items import Item

_ancestors, _work = table(Ancestor), table(WorkRow)
_below, _above, _seen = _ancestors.alias("below"), _ancestors.alias("above"), _work.alias("seen")
_tenant = bindparam("tenant_id", type_=_work.c.tenant_id.type)
_unit = bindparam("unit_id", type_=_work.c.unit_id.type)


DETACH = Statement(
    delete(_ancestors).where(
        _ancestors.c.tenant_id == _tenant,
        _ancestors.c.unit_id.in_(
            select(_below.c.unit_id).where(_below.c.tenant_id == _tenant, _below.c.ancestor_id == _unit)
        ),
        any_of(_ancestors.c.ancestor_id, ids("old_above")),
        gate(),
    )
)
ATTACH = Statement(
    insert(_ancestors).from_select(
        ["tenant_id", "unit_id", "distance", "ancestor_id"],
        select(_tenant, _below.c.unit_id, _below.c.distance + _above.c.distance + 1, _above.c.ancestor_id).where(
            _below.c.tenant_id == _tenant,
            _below.c.ancestor_id == _unit,
            _above.c.tenant_id == _tenant,
            _above.c.unit_id == bindparam("parent_id", type_=_above.c.unit_id.type),
            gate(),
        ),
    )
)

# Most items have none: asked first, it spares SQLite half of its time, for it reads a list anew for every row.
_any_co_units = items.c.co_unit_ids != bindparam("none", [], type_=UuidList)
_refs = select(_seen.c.ref).where(_seen.c.tenant_id == _tenant, _seen.c.unit_id == _unit)
UNSEE = Statement(
    delete(_work).where(
        _work.c.tenant_id == _tenant, _work.c.ref.in_(_refs), any_of(_work.c.unit_id, ids("changed")), gate()
    )
)


def _see(
    source: Any, of_row: ColumnElement[bool], units: ColumnElement[Any], relation: ColumnElement[int]
) -> Statement:
    """Make the rows of the changed units anew, of what `source` holds.

    Day and kind stand on the row of the unit that moves, which stays; why a unit sees something is worked out anew,
    for it may see it through another of its units as well.
    """
    work = (_seen.c.kind, _seen.c.due, _seen.c.item_id)
    return Statement(
        insert(_work).from_select(
            ["tenant_id", "ref", "unit_id", "kind", "due", "item_id", "relation"],
            select(_tenant, _seen.c.ref, _ancestors.c.ancestor_id, *work, relation)
            .select_from(
                in_order(
                    in_order(_seen, source, (source.c.tenant_id == _tenant) & of_row),
                    _ancestors,
                    (_ancestors.c.tenant_id == _tenant) & any_of(_ancestors.c.unit_id, units),
                )
            )
            .where(
                _seen.c.tenant_id == _tenant,
                _seen.c.unit_id == _unit,
                any_of(_ancestors.c.ancestor_id, ids("changed")),
                gate(),
            )
            .group_by(_seen.c.ref, _ancestors.c.ancestor_id, *work),
        )
    )


# What is pending about an item is seen by whom the item is seen.
SEE = _see(
    items,
    items.c.id == _seen.c.item_id,
    joined_by(items.c.co_unit_ids, items.c.responsible_unit_id, items.c.supervising_unit_id),
    seen_as(_ancestors.c.unit_id == items.c.responsible_unit_id, RESPONSIBLE)
    + seen_as(_ancestors.c.unit_id == items.c.supervising_unit_id, SUPERVISING)
    + seen_as(_any_co_units & any_of(_ancestors.c.unit_id, items.c.co_unit_ids), CO),
)
# A notice keeps its units; which units lie above them may have changed all the same.
SEE_NOTICES = _see(
    notices,
    notices.c.id == _seen.c.ref,
    joined_by(notices.c.copy_unit_ids, notices.c.unit_id, notices.c.supervising_unit_id),
    seen_as(_ancestors.c.unit_id == notices.c.unit_id, RESPONSIBLE)
    + seen_as(_ancestors.c.unit_id == notices.c.supervising_unit_id, SUPERVISING)
    + seen_as(any_of(_ancestors.c.unit_id, notices.c.copy_unit_ids), CO),
)


def rehang(
    changes: Changes,
    tenant_id: UUID,
    unit_id: UUID,
    parent_id: UUID,
    *,
    old_above: tuple[UUID, ...],
    changed: tuple[UUID, ...],
) -> None:
    """Hang a unit with all below it under another. `changed`: units above, before or after, that see it otherwise."""
    changes.add(DETACH, tenant_id=tenant_id, unit_id=unit_id, old_above=list(old_above))
    changes.add(ATTACH, tenant_id=tenant_id, unit_id=unit_id, parent_id=parent_id)
    changes.add(UNSEE, tenant_id=tenant_id, unit_id=unit_id, changed=list(changed))
    changes.add(SEE, tenant_id=tenant_id, unit_id=unit_id, changed=list(changed))
    changes.add(SEE_NOTICES, tenant_id=tenant_id, unit_id=unit_id, changed=list(changed))


# -- the items of the unit itself


def _part(bits: int) -> ColumnElement[bool]:
    """The unit itself, and none below it, has one of these parts in the item."""
    return _seen.c.relation.op("&")(literal_column(str(bits << EXACT))) != literal_column("0")


_of_unit = (_seen.c.tenant_id == _tenant, _seen.c.unit_id == _unit)
_and_item = (items.c.tenant_id == _tenant) & (items.c.id == _seen.c.ref)

FOLLOWERS = Statement(
    select(*COLUMNS)
    .select_from(in_order(_seen, items, _and_item))
    .where(*_of_unit, _part(RESPONSIBLE), items.c.supervising_defaulted)
)

_any_part = _part(RESPONSIBLE | SUPERVISING | CO)
OPEN = Statement(
    select(*COLUMNS)
    .select_from(in_order(_seen, items, _and_item))
    .where(*_of_unit, _seen.c.kind == OPEN_ITEM, _any_part)
)
COUNT_OPEN = Statement(select(func.count()).select_from(_seen).where(*_of_unit, _seen.c.kind == OPEN_ITEM, _any_part))


def _holding(*parts: ColumnElement[bool]) -> Statement:
    refs = select(_seen.c.ref).where(*_of_unit, *parts)
    return Statement(select(ONE).select_from(items).where(items.c.tenant_id == _tenant, items.c.id.in_(refs)))


HOLD_OWN = _holding(_part(RESPONSIBLE))
HOLD_OPEN = _holding(_seen.c.kind == OPEN_ITEM, _any_part)


async def followers(tx: Tx, tenant_id: UUID, unit_id: UUID) -> list[Item]:
    """The items of the unit itself whose supervising unit is its parent, whichever that is."""
    return await _held(tx, HOLD_OWN, FOLLOWERS, tenant_id, unit_id)


async def open_items(tx: Tx, tenant_id: UUID, unit_id: UUID) -> list[Item]:
    """The items not closed that the unit itself is responsible for, supervises or takes part in."""
    return await _held(tx, HOLD_OPEN, OPEN, tenant_id, unit_id)


async def _held(tx: Tx, hold: Statement, statement: Statement, tenant_id: UUID, unit_id: UUID) -> list[Item]:
    if tx.contended:
        await tx.lock(hold, tenant_id=tenant_id, unit_id=unit_id)
    return [item_of(row) for row in await tx.all(statement, tenant_id=tenant_id, unit_id=unit_id)]


async def count_open(tx: Tx, tenant_id: UUID, unit_id: UUID) -> int:
    row = await tx.one(COUNT_OPEN, tenant_id=tenant_id, unit_id=unit_id)
    return int(row[0]) if row else 0
