"""The ledger as a list: every filter of the API, a search, and pages that follow one another."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from service.actions import items, names
from service.actions.items import Query
from service.actions.references import Named
from service.console import forms, pages, paging, units
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused, invalid
from service.workflow.deadlines import start_of
from service.workflow.queries import SORTS, Filters, Position
from service.workflow.states import Severity, SourceKind, State

PER_PAGE = 50
LAMPS = ("green", "yellow", "red")
MANY, FEW = 20, 10
WORDS = ("q", "unit", "supervising_unit", "external_ref", "label")
LENGTH, LENGTHS = 100, {"external_ref": 200}
"""Characters of a word at most, as the API takes them."""

DAYS = ("due_after", "due_before", "listed_after", "listed_before")
CHOICES: dict[str, tuple[str, ...]] = {
    "state": tuple(each.value for each in State),
    "severity": tuple(each.value for each in Severity),
    "source": tuple(each.value for each in SourceKind),
}
OPEN = tuple(each.value for each in State if each != State.CLOSED)
NAMES = (*WORDS, *DAYS, *CHOICES, "lamp", "ledger", "overdue", "sort")
"""Whatever a list may be asked for, as its form names it."""

router = Desk(Page)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was asked for, as it was asked: to fill the form in again, and to write links that ask the same."""

    values: dict[str, list[str]]

    @classmethod
    def of(cls, visit: Visit) -> "Chosen":
        found: dict[str, list[str]] = {}
        for name in NAMES:
            given = [value.strip() for value in visit.query_params.getlist(name) if value.strip()]
            if given:
                found[name] = list(dict.fromkeys(given))[:MANY]
        if not visit.query_params.keys() - {"lang"}:
            # Nobody comes for what is done with; one box less and it is there.
            found["state"] = list(OPEN)
        return cls(found)

    def one(self, name: str) -> str:
        return self.values.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])

    @property
    def rare(self) -> int:
        """How many filters are set that the form does not show at once."""
        return sum(1 for name in self.values if name not in ("q", "state", "lamp", "sort"))

    @property
    def plain(self) -> bool:
        """Whether this is the list as it comes."""
        return self.values == {"state": list(OPEN)}

    def link(self, **more: str) -> str:
        pairs = [(name, value) for name, values in self.values.items() for value in values]
        return urlencode([*pairs, *more.items()])


@router.get("/console/items")
async def listed(visit: Visit) -> Response:
    chosen = Chosen.of(visit)
    found, wrong, status = None, {}, 200
    try:
        query = await _query(visit, chosen)
        found = await items.page(visit.service, visit.call, query)
    except Refused as refused:
        if refused.code != "invalid_request":
            raise
        wrong, status = pages.field_errors(refused, visit.tongue), 422
    shown = found.items if found else []
    wanted = {view.item.responsible_unit_id for view in shown} | {view.item.supervising_unit_id for view in shown}
    more = found.next if found else None
    return pages.html(
        visit,
        "items.html",
        status,
        chosen=chosen,
        choices=CHOICES,
        lamps=list(dict.fromkeys([*LAMPS, *chosen.all("lamp")])),
        sorts=SORTS,
        ledgers=await names.every_ledger(visit.service, visit.call),
        views=shown,
        units=await names.units_seen(visit.service, visit.call, wanted),
        wrong=wrong,
        truncated=bool(found and found.truncated),
        next=chosen.link(after=paging.written(more.value, more.id)) if more else None,
        # With no parameter at all it would be the list as it comes.
        first=(chosen.link() or "q=") if "after" in visit.query_params else None,
        lengths=dict.fromkeys(WORDS, LENGTH) | LENGTHS,
    )


async def _query(visit: Visit, chosen: Chosen) -> Query:
    wrong: list[tuple[str, str]] = []
    for name, allowed in CHOICES.items():
        if not set(chosen.all(name)) <= set(allowed):
            wrong.append((f"/{name}", "not_allowed"))
    for name in (*WORDS, "lamp", "ledger"):
        if any(len(value) > LENGTHS.get(name, LENGTH) for value in chosen.all(name)):
            wrong.append((f"/{name}", "too_long"))
        if any(not value.isprintable() for value in chosen.all(name)):
            wrong.append((f"/{name}", "control_char"))
    days: dict[str, date | None] = {}
    for name in DAYS:
        try:
            days[name] = forms.day(chosen.one(name)) if chosen.one(name) else None
        except forms.Wrong as reason:
            wrong.append((f"/{name}", reason.code))
    sort = chosen.one("sort") or "due_on"
    if sort not in SORTS:
        wrong.append(("/sort", "not_allowed"))
    if chosen.one("overdue") not in ("", "true", "false"):
        wrong.append(("/overdue", "not_allowed"))
    if wrong:
        raise invalid(*wrong)
    filters = Filters(
        states=tuple(chosen.all("state")),
        severities=tuple(chosen.all("severity")),
        sources=tuple(chosen.all("source")),
        labels=tuple(chosen.all("label")),
        external_refs=tuple(chosen.all("external_ref")),
        overdue={"": None, "true": True, "false": False}[chosen.one("overdue")],
        due_after=days["due_after"],
        due_before=days["due_before"],
        listed_after=_start(visit, days["listed_after"], 0),
        # The form asks for days, both good; the list for an instant before which.
        listed_before=_start(visit, days["listed_before"], 1),
        q=chosen.one("q") or None,
    )
    return Query(
        filters=filters,
        ledgers=tuple(_ledger(each) for each in chosen.all("ledger")),
        units=await _units(visit, chosen, "unit"),
        supervising_units=await _units(visit, chosen, "supervising_unit"),
        lamps=tuple(chosen.all("lamp")[:FEW]),
        sort=sort,
        after=_after(visit, sort),
        limit=PER_PAGE,
    )


def _start(visit: Visit, day: date | None, later: int) -> datetime | None:
    return start_of(day + timedelta(days=later), visit.call.tz) if day else None


def _ledger(code: str) -> Named:
    try:
        return Named(UUID(code) if len(code) == 36 else code, "/ledger")
    except ValueError:
        return Named(code, "/ledger")


async def _units(visit: Visit, chosen: Chosen, name: str) -> tuple[Named, ...]:
    found: list[Any] = [await units.named(visit, each, f"/{name}") for each in chosen.all(name)]
    return tuple(found)


def _after(visit: Visit, sort: str) -> Position | None:
    kind = paging.instant_of if sort in ("-listed_at", "-updated_at") else paging.day_of
    found = paging.place(visit.query_params.get("after"), kind)
    return Position(*found) if found else None
