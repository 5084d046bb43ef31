"""Hooks (挂钩联系): the grants that bear a label, listed by where they lie and by whom they were given to."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from service.store.base import table
from service.store.database import Statement, Tx
from service.store.grants import GrantRow, granted_of
from service.store.scoping import given, lies_in
from service.store.types import ONE
from service.store.units import Ancestor
from service.workflow.identities import Granted
from service.workflow.scopes import Scope

_grants, _ancestors = table(GrantRow), table(Ancestor)
_tenant = bindparam("tenant_id", type_=_grants.c.tenant_id.type)

NARROWED = ("department_id", "principal_id", "unit_id")


@lru_cache(maxsize=16)
def statement(narrowed: tuple[str, ...], alone: bool = False) -> Statement:
    """A page of the hooks on units in a scope, oldest first; `narrowed` names what must be equal."""
    return Statement(
        select(*(_grants.c[name] for name in Granted.__dataclass_fields__))
        .where(
            _grants.c.tenant_id == _tenant,
            _grants.c.label.is_not(None),
            _grants.c.id > bindparam("after", type_=_grants.c.id.type),
            *(_grants.c[name] == bindparam(name, type_=_grants.c[name].type) for name in narrowed),
            select(ONE)
            .where(
                _ancestors.c.tenant_id == _grants.c.tenant_id,
                _ancestors.c.unit_id == _grants.c.unit_id,
                *lies_in(_ancestors, alone),
            )
            .exists(),
        )
        .order_by(_grants.c.id)
        .limit(bindparam("limit"))
    )


async def page(
    tx: Tx, tenant_id: UUID, scope: Scope, after: UUID, limit: int, **narrowed: UUID | None
) -> list[Granted]:
    """The hooks on units in `scope` behind `after`; narrowed by unit_id, department_id or principal_id."""
    equal: dict[str, Any] = {name: narrowed[name] for name in NARROWED if narrowed.get(name) is not None}
    rows = await tx.all(
        statement(tuple(equal), bool(scope.alone)),
        tenant_id=tenant_id, after=after, limit=limit, **given(scope), **equal,
    )  # fmt: skip
    return [granted_of(row) for row in rows]
