"""What figures are narrowed to, in every statement that reads them: units as the tree is now, and facts of items."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Table, and_, bindparam, literal_column, not_, or_
from sqlalchemy.sql.elements import ColumnElement

from service.store.base import table
from service.store.figures import tenant
from service.store.items import ItemRow
from service.store.types import also_any_of, any_of, ids, texts
from service.store.units import Ancestor
from service.workflow.folding import EVERY

ancestors = table(Ancestor)
_items = table(ItemRow)
_zero: ColumnElement[int] = literal_column("0", Integer())


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Of which units, and of which items. `tops` are units that stand for their subtrees, none below another; empty:
    the whole tenant. `own` is one of them that stands for itself alone, and so are those of `alone`, of which the
    caller sees no more; others may lie below these. Empty filters filter nothing."""

    tops: tuple[UUID, ...] = ()
    own: UUID = EVERY
    alone: tuple[UUID, ...] = ()
    ledgers: tuple[UUID, ...] = ()
    severities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    category: str | None = None

    @property
    def filters(self) -> tuple[str, ...]:
        """Those that there are, by name."""
        given = {
            "below": self.tops, "alone": self.alone, "ledgers": self.ledgers, "severities": self.severities,
            "sources": self.sources, "category": self.category is not None,
        }  # fmt: skip
        return tuple(name for name, each in given.items() if each)

    @property
    def params(self) -> dict[str, Any]:
        return {
            "tops": list(self.tops), "own": self.own, "alone": list(self.alone), "ledgers": list(self.ledgers),
            "severities": list(self.severities), "sources": list(self.sources), "category": self.category,
        }  # fmt: skip


def narrow(of: Table, filters: tuple[str, ...]) -> tuple[Any, list[ColumnElement[bool]]]:
    """What to select from, and on which conditions."""
    source: Any = of
    found: list[ColumnElement[bool]] = [of.c.tenant_id == tenant]
    if "below" in filters:
        source = source.join(
            ancestors, and_(ancestors.c.tenant_id == of.c.tenant_id, ancestors.c.unit_id == of.c.unit_id)
        )
        own = bindparam("own", type_=of.c.unit_id.type)
        found.append(any_of(ancestors.c.ancestor_id, ids("tops")))
        found.append(or_(ancestors.c.ancestor_id != own, ancestors.c.distance == _zero))
    if "alone" in filters:
        found.append(or_(not_(also_any_of(ancestors.c.ancestor_id, ids("alone"))), ancestors.c.distance == _zero))
    if "ledgers" in filters:
        found.append(any_of(of.c.ledger_id, ids("ledgers")))
    if "severities" in filters:
        found.append(any_of(of.c.severity, texts("severities")))
    if "sources" in filters:
        found.append(any_of(of.c.source, texts("sources")))
    if "category" in filters:
        # As it is now: free text, which may be erased, is not kept with the counts.
        source = source.join(_items, and_(_items.c.tenant_id == of.c.tenant_id, _items.c.id == of.c.item_id))
        found.append(_items.c.category == bindparam("category", type_=_items.c.category.type))
    return source, found
