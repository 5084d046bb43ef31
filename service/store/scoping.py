"""How far a scope reaches: a statement has two texts for it, and lines of the tree a condition.

Nearly every caller sees units with all that lies below them, and for those a statement has a text without anything
else. Who also sees units alone has another text of it, with one condition more on the same rows: so that these callers
cost the others nothing, and no plan depends on whom it was made for.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import literal_column, or_
from sqlalchemy.sql.elements import ColumnElement

from service.store.database import Statement
from service.store.types import also_any_of, any_of, ids
from service.workflow.scopes import Scope


class Scoped:
    """A statement in both texts: `plain`, and that for a scope with units that are seen `alone`."""

    __slots__ = ("alone", "plain")

    def __init__(self, compose: Callable[[bool], Statement]) -> None:
        self.plain, self.alone = compose(False), compose(True)

    def over(self, scope: Scope) -> Statement:
        return self.alone if scope.alone else self.plain


def given(scope: Scope) -> dict[str, list[UUID]]:
    """The parameters of either text."""
    return {"scope": list(scope.units), "whole": list(scope.whole)}


def lies_in(ancestors: Any, alone: bool) -> list[ColumnElement[bool]]:
    """That a line of the tree leads from a unit to one of the scope, by which it is seen."""
    found: list[ColumnElement[bool]] = [any_of(ancestors.c.ancestor_id, ids("scope"))]
    if alone:
        itself = ancestors.c.distance == literal_column("0")
        found.append(or_(also_any_of(ancestors.c.ancestor_id, ids("whole")), itself))
    return found
