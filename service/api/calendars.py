"""Calendars over HTTP: the tenant's own table of a year."""

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import to_json

from service.actions import calendars
from service.api import organisation_shapes as shapes
from service.api.deps import Asked, Room, Route, answered, etag_of, if_match, versioned
from service.api.fields import Boolean, Day, Model, refuse
from service.api.openapi import READ, documented
from service.api.problems import MAX_ERRORS
from service.errors import invalid
from service.workflow.calendar import YearTable

router = Room(route_class=Route, tags=["calendars"])

FIRST_YEAR, LAST_YEAR = 1900, 2199

_YEAR = re.compile(r"[0-9]{4}")


def _year(value: Any) -> int:
    # The framework would also take 2027.0 and 2_027.
    if not _YEAR.fullmatch(value):
        raise refuse("bad_format")
    if not FIRST_YEAR <= int(value) <= LAST_YEAR:
        raise refuse("out_of_range")
    return int(value)


Year = Annotated[
    int,
    BeforeValidator(_year),
    WithJsonSchema({"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}),
    Path(description="The year, by the tenant's days."),
]
Days = Annotated[list[Day], Field(max_length=366, json_schema_extra={"uniqueItems": True})]


class CalendarIn(Model):
    """The whole table of the year: what was in it before and is not named here is gone."""

    workdays: Days = Field(description="Days that are worked whatever the base says: make-up workdays (调休).")
    holidays: Days = Field(description="Days off, weekends among them or not. No day stands twice, or in both lists.")
    complete: Boolean = Field(
        description="Whether this is the whole notice of the year: in a year that is not `known`, only that ends "
        "`provisional`, and what was guessed of it is left out."
    )

    def table(self, year: int) -> YearTable:
        """Refuses `invalid_request` for days of another year (other_year) and for those named again (repeated)."""
        wrong: list[tuple[str, str]] = []
        seen: set[date] = set()
        for name, days in (("workdays", self.workdays), ("holidays", self.holidays)):
            for index, day in enumerate(days):
                if day.year != year:
                    wrong.append((f"/{name}/{index}", "other_year"))
                elif day in seen:
                    wrong.append((f"/{name}/{index}", "repeated"))
                seen.add(day)
        if wrong:
            raise invalid(*wrong[:MAX_ERRORS])
        return YearTable(frozenset(self.workdays), frozenset(self.holidays), self.complete)


@router.get(
    "/v1/calendars/{year}",
    **documented("get_calendar", "The tenant's own table of a year", shapes.CalendarOut, etag=True),
)
async def get_calendar(request: Asked, year: Year) -> Response:
    kept = await calendars.read(request.service, request.call, year)
    return versioned(request, shapes.calendar(kept), kept.version)


@router.put(
    "/v1/calendars/{year}",
    **documented(
        "update_calendar", "Enter the tenant's own table of a year", shapes.CalendarOut,
        codes=(*READ, "stale_version", "payload_too_large", "unsupported_media_type"), if_match=False,
        headers={"ETag": "Its version."},
        example={
            "zh": {
                "summary": "2027 年春节按通知放假调休（示例，以国务院办公厅通知为准）",
                "value": {
                    "workdays": ["2027-01-30", "2027-02-14"],
                    "holidays": [f"2027-02-{day:02}" for day in range(5, 14)],
                    "complete": False,
                },
            },
            "en": {
                "summary": "Spring Festival 2027: nine days off, two weekend days worked (invented: see the notice)",
                "value": {
                    "workdays": ["2027-01-30", "2027-02-14"],
                    "holidays": [f"2027-02-{day:02}" for day in range(5, 14)],
                    "complete": False,
                },
            },
        },
    ),
)  # fmt: skip
async def update_calendar(request: Asked, year: Year, body: CalendarIn) -> Response:
    table = body.table(year)
    kept = await calendars.put(request.service, request.call, year, table, if_match(request))
    return answered(to_json(shapes.calendar(kept)), etag=etag_of(kept.version))
