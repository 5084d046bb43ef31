"""Overdue work of every kind, most overdue first: one index range for each kind and unit of the scope, merged."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select, tuple_, union_all
from sqlalchemy.types import Integer, Text

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.scoping import given
from service.store.types import Day
from service.store.worklist import OVERDUE_KINDS, WorkRow, reaches
from service.workflow.scopes import Scope

_work = table(WorkRow)
_limit = bindparam("limit", type_=Integer())


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work: its kind, the day by which it was to be done, what it is, and of which item, if of one."""

    kind: str
    due: date
    ref: UUID
    item_id: UUID | None


def _branch(kind: str, place: str, alone: bool) -> Select[Any]:
    here = tuple_(_work.c.due, _work.c.ref)
    there = tuple_(bindparam("after_due", type_=Day), bindparam("after_ref", type_=_work.c.ref.type))
    return (
        select(_work.c.due, _work.c.ref, _work.c.kind, _work.c.item_id)
        .where(
            _work.c.tenant_id == bindparam("tenant_id", type_=_work.c.tenant_id.type),
            _work.c.unit_id == bindparam(place, type_=_work.c.unit_id.type),
            _work.c.kind == literal_column(f"'{kind}'", Text()),
            _work.c.due < bindparam("today", type_=Day),
            here > there,
            *reaches(_work, alone),
        )
        .order_by(_work.c.due, _work.c.ref)
        .limit(_limit)
    )


@lru_cache(maxsize=64)
def statement(places: int, kinds: tuple[str, ...], alone: bool = False) -> Statement:
    """The text for a scope of so many units."""
    branches = [_branch(kind, f"place{place}", alone) for kind in kinds for place in range(places)]
    merged = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    columns = (merged.c.kind, merged.c.due, merged.c.ref, merged.c.item_id)
    # Grouped, because units of a scope that overlap bring the same work more than once.
    return Statement(
        select(*columns)
        .group_by(merged.c.due, merged.c.ref, merged.c.kind, merged.c.item_id)
        .order_by(merged.c.due, merged.c.ref)
        .limit(_limit)
    )


async def page(
    tx: Tx,
    tenant_id: UUID,
    scope: Scope,
    *,
    today: date,
    after: tuple[date, UUID],
    limit: int,
    kinds: tuple[str, ...] = OVERDUE_KINDS,
) -> list[Work]:
    """The work that `scope` sees whose day lies before `today`, behind (day, what it is)."""
    params = {f"place{place}": unit for place, unit in enumerate(scope.units)}
    rows = await tx.all(
        statement(len(scope.units), kinds, bool(scope.alone)),
        tenant_id=tenant_id,
        today=today,
        after_due=after[0],
        after_ref=after[1],
        limit=limit,
        **given(scope),
        **params,
    )
    return [Work(*row) for row in rows]
