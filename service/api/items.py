"""Items over HTTP: read, correct, list; the history of one, and the work list."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic_core import to_json

from service.actions import corrections, items
from service.actions.corrections import Correction
from service.actions.items import ItemPage
from service.actions.items import Query as ListQuery
from service.actions.references import Named
from service.api import item_shapes as shapes
from service.api.deps import (
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
from service.api.fields import Day, FreeJson, LongText, Model, Name, ShortLine, Title, left_out
from service.api.item_filters import with_filters
from service.api.listing_inputs import CoUnitIds, DeadlineIn, Labels, SourcePatch
from service.api.openapi import WRITE, documented
from service.api.references import ItemId
from service.errors import invalid
from service.workflow.queries import Position
from service.workflow.states import DeadlineKind, Severity, SourceKind

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
@with_filters
async def list_items(
    request: Asked,
    narrowed: ListQuery,
    include: Annotated[list[Literal["total", "allowed_triggers"]], Query(max_length=2)] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    query = replace(
        narrowed,
        after=_position(context, cursor, narrowed.sort),
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
