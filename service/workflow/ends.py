"""When a unit ends: which of its open items can be handed over, and what takes its place in those of others."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from service.errors import guard
from service.workflow.guards import Case
from service.workflow.items import Item
from service.workflow.states import State
from service.workflow.trees import Line


def units_of(item: Item) -> tuple[UUID, ...]:
    return (item.responsible_unit_id, item.supervising_unit_id, *item.co_unit_ids)


def check_transferable(own: Iterable[Item]) -> None:
    """Refuses `escalated_items`: a talk that is due is held with the unit that it was called for."""
    count = sum(item.state == State.ESCALATED for item in own)
    if count:
        raise guard("escalated_items", count=count)


def handed_to(case: Case, target: Line, supervising: Line) -> Case:
    """The case of a transfer that nobody asked for item by item: a supervisor that was named stays where it can."""
    keeps = not case.item.supervising_defaulted and len(target) > 1 and target[0] not in supervising
    return replace(case, target=target, overseer=supervising if keeps else (target[1:] or target))


def replaced(item: Item, ended: UUID, target: Line, responsible: Line) -> dict[str, Any]:
    """The columns of another unit's item in which the heir takes the place of the unit that ends.

    The heir cannot supervise what it is responsible for itself, or what lies above it: then the parent of the
    responsible unit does, as if nobody had been named.
    """
    columns: dict[str, Any] = {}
    if item.supervising_unit_id == ended:
        fits = responsible[0] not in target
        columns["supervising_unit_id"] = target[0] if fits else (responsible[1:] or responsible)[0]
        columns["supervising_defaulted"] = not fits
    if ended in item.co_unit_ids:
        heirs = (target[0] if unit == ended else unit for unit in item.co_unit_ids)
        columns["co_unit_ids"] = tuple(dict.fromkeys(unit for unit in heirs if unit != item.responsible_unit_id))
    return columns
