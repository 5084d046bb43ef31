"""An item as one caller sees it on one day: what follows from the date and the caller is worked out here."""

from dataclasses import dataclass
from datetime import date

from service.workflow import deadlines
from service.workflow.calendar import Calendar
from service.workflow.items import Item
from service.workflow.policy import Policy
from service.workflow.states import State


@dataclass(frozen=True, slots=True)
class ItemView:
    """`days_overdue` is calendar days. A closed item has no lamp. `contact` is None for those it is not meant for."""

    item: Item
    overdue: bool
    days_overdue: int
    working_days_overdue: int
    lamp: str | None
    allowed_triggers: tuple[str, ...] | None = None
    contact: str | None = None


def view(
    item: Item,
    policy: Policy,
    calendar: Calendar,
    today: date,
    *,
    allowed_triggers: tuple[str, ...] | None = None,
    contact: str | None = None,
) -> ItemView:
    day = item.deadline_day
    overdue = item.overdue(today)
    return ItemView(
        item=item,
        overdue=overdue,
        days_overdue=deadlines.days_overdue(day, today) if overdue else 0,
        working_days_overdue=deadlines.working_days_overdue(calendar, day, today) if overdue else 0,
        lamp=None if item.state == State.CLOSED else deadlines.lamp_of(calendar, policy.lamps, day, today),
        allowed_triggers=allowed_triggers,
        contact=contact,
    )
