"""Items over HTTP: read, correct, list; the history of one, and the work list."""

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import corrections, items
from service.actions.corrections import Correction
from service.actions.items import ItemPage
from service.actions.items import Query as ListQuery
from service.actions.references import Named
from service.api import item_shapes as shapes
from service.api.deps import (
    NO_NUL,
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    day_of,
    etag_of,
    id_of,
    instant_of,
    number_of,
    page_answer,
    read_cursor,
    required_version,
    versioned,
    write_cursor,
)
from service.api.fields import Day, FreeJson, LongText, Model, Moment, Name, ShortLine, Title, left_out
from service.api.listing_inputs import CoUnitIds, DeadlineIn, Labels, SourcePatch
from service.api.openapi import WRITE, documented
from service.api.references import ItemId, Reference, reference
from service.errors import invalid
from service.workflow.queries import Filters, Position
from service.workflow.states import DeadlineKind, Severity, SourceKind, State

router = Room(route_class=Route, tags=["items"])


class ItemPatch(Model):
    """Facts to correct; what is left out stays, null empties. The deadline only while the item is open."""

    title: Title = left_out()
    description: LongText | None = left_out()
    category: ShortLine | None = left_out()
    severity: Severity = left_out()
    goal: LongText | None = left_out()
    measures: LongText | None = left_out()
    responsible_person: Name | None = left_out()
    found_on: Day | None = left_out()
    source: SourcePatch = left_out()
    co_unit_ids: CoUnitIds = left_out()
    labels: Labels = left_out()
    attributes: FreeJson = left_out()
    due_on: Day = left_out()
    deadline: DeadlineIn = left_out()

    def correction(self) -> Correction:
        """The columns that were sent, and no others."""
        sent = self.model_fields_set
        given: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "title",
                "description",
                "category",
                "goal",
                "measures",
                "responsible_person",
                "found_on",
                "attributes",
            )
            if name in sent
        }
        if "severity" in sent:
            given["severity"] = self.severity.value
        if "labels" in sent:
            given["labels"] = tuple(self.labels)
        if "source" in sent:
            for name in self.source.model_fields_set & {"kind", "ref"}:
                value = getattr(self.source, name)
                given[f"source_{name}"] = value.value if isinstance(value, SourceKind) else value
        if "due_on" in sent:
            given |= {"deadline_kind": DeadlineKind.DATE.value, "due_on": self.due_on, "review_on": None,
                      "deadline_rule": None, "provisional": False}  # fmt: skip
        if "deadline" in sent and "due_on" in sent:
            raise invalid(("/due_on", "one_of_two"))
        return Correction(
            given=given,
            deadline=self.deadline.asked() if "deadline" in sent else None,
            contact=self.source.contact if "source" in sent else None,
            contact_given="source" in sent and "contact" in self.source.model_fields_set,
            co_units=tuple(Named(each, f"/co_unit_ids/{index}") for index, each in enumerate(self.co_unit_ids))
            if "co_unit_ids" in sent
            else None,
        )


@router.get(
    "/v1/items",
    **documented("list_items", "The items of the caller's scope, filtered and sorted", shapes.ItemPageOut),
)
async def list_items(
    request: Asked,
    state: Annotated[list[State], Query(max_length=5)] = [],
    ledger: Annotated[list[Reference], Query(max_length=50, description="Ids or codes.")] = [],
    unit: Annotated[list[Reference], Query(max_length=20, description="Responsible units, with all below.")] = [],
    supervising_unit: Annotated[list[Reference], Query(max_length=20)] = [],
    severity: Annotated[list[Severity], Query(max_length=3)] = [],
    source: Annotated[list[SourceKind], Query(max_length=9)] = [],
    lamp: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=32, json_schema_extra=NO_NUL)]], Query(max_length=10)
    ] = [],
    overdue: Annotated[bool | None, Query()] = None,
    due_before: Annotated[Day | None, Query(description="Deadline on or before this day.")] = None,
    due_after: Annotated[Day | None, Query(description="Deadline on or after this day.")] = None,
    listed_after: Annotated[Moment | None, Query(description="Listed at or after this instant.")] = None,
    listed_before: Annotated[Moment | None, Query(description="Listed before this instant.")] = None,
    external_ref: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200, json_schema_extra=NO_NUL)]], Query(max_length=50)
    ] = [],
    label: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=100, json_schema_extra=NO_NUL)]], Query(max_length=20)
    ] = [],
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            json_schema_extra={"pattern": r"^[^\x00]*[^\x00\s][^\x00]*$"},
            description="Chinese full text.",
        ),
    ] = None,
    sort: Literal["due_on", "-due_on", "-listed_at", "-updated_at"] = "due_on",
    include: Annotated[list[Literal["total", "allowed_triggers"]], Query(max_length=2)] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    if q is not None and not q.strip():
        raise invalid(("/query/q", "too_short"))
    context = cursor_context(request)
    query = ListQuery(
        filters=Filters(
            states=tuple(each.value for each in state),
            severities=tuple(each.value for each in severity),
            sources=tuple(each.value for each in source),
            labels=tuple(label),
            external_refs=tuple(external_ref),
            overdue=overdue,
            due_after=due_after,
            due_before=due_before,
            listed_after=listed_after,
            listed_before=listed_before,
            q=q,
        ),
        ledgers=tuple(reference(each, "/query/ledger") for each in ledger),
        units=tuple(reference(each, "/query/unit") for each in unit),
        supervising_units=tuple(reference(each, "/query/supervising_unit") for each in supervising_unit),
        lamps=tuple(lamp),
        sort=sort,
        after=_position(context, cursor, sort),
        limit=limit,
        total="total" in include,
        triggers="allowed_triggers" in include,
    )
    found = await items.page(request.service, request.call, query)
    extra: dict[str, Any] = {}
    if found.total is not None:
        extra["total"] = found.total
    if found.truncated is not None:
        extra["truncated"] = found.truncated
    return page_answer(request, [shapes.item(view) for view in found.items], _next(context, found), extra)


def _position(context: str, cursor: str | None, sort: str) -> Position | None:
    kind = instant_of if sort in ("-listed_at", "-updated_at") else day_of
    parts = read_cursor(context, cursor, kind, id_of)
    return Position(parts[0], parts[1]) if parts else None


def _next(context: str, found: ItemPage) -> str | None:
    return write_cursor(context, found.next.value, found.next.id) if found.next else None


@router.get(
    "/v1/items/{item_id}",
    **documented("get_item", "The item", shapes.ItemOut, etag=True),
)
async def get_item(request: Asked, item_id: ItemId) -> Response:
    view = await items.read(request.service, request.call, item_id)
    return versioned(request, shapes.item(view), view.item.version)


@router.patch(
    "/v1/items/{item_id}",
    **documented(
        "update_item", "Correct the facts of an item", shapes.ItemOut,
        codes=(*WRITE, "guard_refused", "stale_version", "precondition_required"), if_match=True,
        headers={"ETag": "Its version."},
        example={
            "zh": {"summary": "更正责任人和标签", "value": {"responsible_person": "李明", "labels": ["饮水"]}},
            "en": {"summary": "Empty the category", "value": {"category": None, "labels": ["water"]}},
        },
    ),
)  # fmt: skip
async def update_item(request: Asked, item_id: ItemId, body: ItemPatch) -> Response:
    version = required_version(request)
    view = await corrections.correct(request.service, request.call, item_id, body.correction(), version)
    return answered(to_json(shapes.item(view)), etag=etag_of(view.item.version))


@router.get(
    "/v1/items/{item_id}/events",
    **documented("list_item_events", "The history of an item, oldest first", shapes.EventPageOut),
)
async def list_item_events(request: Asked, item_id: ItemId, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, number_of, number_of)
    after = (parts[0], parts[1]) if parts else (0, 0)
    rows = await items.history(request.service, request.call, item_id, after, limit + 1)
    more = write_cursor(context, *rows[limit - 1][0]) if len(rows) > limit else None
    return page_answer(request, [event for _, event in rows[:limit]], more)
