"""Items over HTTP: list, read, correct; their progress, their history and the work list."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import to_json

from service.actions import corrections, items, listing, progress
from service.actions.corrections import Correction
from service.actions.items import ItemPage
from service.actions.items import Query as ListQuery
from service.actions.listing import Listing
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.api import shapes
from service.api.deps import (
    NO_NUL,
    Calling,
    Cursor,
    Limit,
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
    replayed,
    required_version,
    service_of,
    versioned,
    with_receipt,
    write_cursor,
)
from service.api.fields import (
    Code,
    Day,
    FreeJson,
    Id,
    Integer,
    LongText,
    Model,
    Moment,
    Name,
    Reason,
    ShortLine,
    Title,
    either,
    left_out,
    refuse,
)
from service.api.openapi import WRITE, documented
from service.errors import invalid
from service.workflow.items import Draft
from service.workflow.queries import Filters, Position
from service.workflow.states import DeadlineKind, Severity, SourceKind, State

router = APIRouter(route_class=Route, tags=["items"])

MAX_BATCH = 1000


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise refuse("repeated")
    return values


class SourceIn(Model):
    kind: SourceKind = SourceKind.OTHER
    ref: Name | None = None
    contact: Reason | None = Field(None, description="Who complained. Kept encrypted, shown to few.")


class SourcePatch(Model):
    """What is left out stays, null empties."""

    kind: SourceKind = left_out()
    ref: Name | None = left_out()
    contact: Reason | None = left_out()


class DeadlineIn(Model):
    kind: DeadlineKind = DeadlineKind.DATE
    due_on: Day | None = None
    text: ShortLine | None = Field(None, description="What the clerk wrote.")

    @model_validator(mode="after")
    def _computed_kinds_have_no_date(self) -> "DeadlineIn":
        if self.kind != DeadlineKind.DATE and self.due_on is not None:
            raise refuse("one_of_two")
        return self


class ClosedIn(Model):
    on: Day
    note: Reason | None = None


Labels = Annotated[
    list[ShortLine],
    AfterValidator(_distinct),
    Field(max_length=20, json_schema_extra={"uniqueItems": True}),
]
CoUnitIds = Annotated[
    list[Id], AfterValidator(_distinct), Field(max_length=50, json_schema_extra={"uniqueItems": True})
]
CoUnits = Annotated[
    list[Code], AfterValidator(_distinct), Field(max_length=50, json_schema_extra={"uniqueItems": True})
]


class ItemIn(Model):
    """A problem to be listed. The ledger and every unit are named by id or by code."""

    model_config = Model.model_config | {
        "json_schema_extra": either(("ledger_id", "ledger"), ("responsible_unit_id", "responsible_unit"))
    }

    ledger_id: Id | None = None
    ledger: Code | None = Field(None, description="The ledger's code.")
    title: Title
    responsible_unit_id: Id | None = None
    responsible_unit: Code | None = Field(None, description="The unit's code.")
    supervising_unit_id: Id | None = None
    supervising_unit: Code | None = None
    co_unit_ids: CoUnitIds = []
    co_units: CoUnits = []
    external_ref: Name | None = Field(None, description="The caller's own number; unique for this caller and ledger.")
    description: LongText | None = None
    category: ShortLine | None = None
    severity: Severity = Severity.GENERAL
    source: SourceIn = SourceIn()
    responsible_person: Name | None = None
    goal: LongText | None = None
    measures: LongText | None = None
    found_on: Day | None = None
    listed_at: Moment | None = Field(None, description="For old ledgers; by admin and supervisor.")
    due_on: Day | None = Field(None, description="The last good day; else the policy's limit counts.")
    deadline: DeadlineIn | None = None
    closed: ClosedIn | None = Field(None, description="An old item already struck off; by admin and supervisor.")
    labels: Labels = []
    attributes: FreeJson = {}

    def listing(self, pointer: str = "") -> Listing:
        """What is to be listed. Refuses `invalid_request` where two names are given for one thing, or none."""
        if self.due_on is not None and self.deadline is not None:
            raise invalid((f"{pointer}/due_on", "one_of_two"))
        deadline = self.deadline or (DeadlineIn.model_construct(due_on=self.due_on) if self.due_on else None)
        return Listing(
            draft=Draft(
                title=self.title,
                description=self.description,
                category=self.category,
                severity=self.severity.value,
                source_kind=self.source.kind.value,
                source_ref=self.source.ref,
                contact=self.source.contact,
                responsible_person=self.responsible_person,
                goal=self.goal,
                measures=self.measures,
                found_on=self.found_on,
                listed_at=self.listed_at,
                deadline_kind=deadline.kind.value if deadline else None,
                due_on=deadline.due_on if deadline else None,
                deadline_text=deadline.text if deadline else None,
                closed_on=self.closed.on if self.closed else None,
                closed_note=self.closed.note if self.closed else None,
                external_ref=self.external_ref,
                labels=tuple(self.labels),
                attributes=self.attributes,
            ),
            ledger=named(self, "ledger", pointer),
            responsible=named(self, "responsible_unit", pointer),
            supervising=named_or_none(self, "supervising_unit", pointer),
            co_units=(
                *(Named(each, f"{pointer}/co_unit_ids/{index}") for index, each in enumerate(self.co_unit_ids)),
                *(Named(each, f"{pointer}/co_units/{index}") for index, each in enumerate(self.co_units)),
            ),
            pointer=pointer,
        )


def named(model: Model, name: str, pointer: str = "") -> Named:
    """The reference given as `<name>_id` or `<name>`: exactly one of the two."""
    found = named_or_none(model, name, pointer)
    if found is None:
        raise invalid((f"{pointer}/{name}_id", "missing"))
    return found


def named_or_none(model: Model, name: str, pointer: str = "") -> Named | None:
    by_id, by_code = getattr(model, f"{name}_id"), getattr(model, name)
    if by_id is not None and by_code is not None:
        raise invalid((f"{pointer}/{name}", "one_of_two"))
    if by_id is not None:
        return Named(by_id, f"{pointer}/{name}_id")
    return Named(by_code, f"{pointer}/{name}") if by_code is not None else None


class ItemBatchIn(Model):
    items: list[ItemIn] = Field(min_length=1, max_length=MAX_BATCH)


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
        return Correction(
            given=given,
            contact=self.source.contact if "source" in sent else None,
            contact_given="source" in sent and "contact" in self.source.model_fields_set,
            co_units=tuple(Named(each, f"/co_unit_ids/{index}") for index, each in enumerate(self.co_unit_ids))
            if "co_unit_ids" in sent
            else None,
        )


class ProgressIn(Model):
    text: LongText
    percent: Annotated[int, Field(ge=0, le=100), Integer] | None = None


ITEM_EXAMPLES = {
    "zh": {
        "summary": "列入一条问题",
        "value": {
            "ledger": "default",
            "title": "青溪村饮水管网漏损，三组住户早晚缺水",
            "responsible_unit": "root",
            "severity": "serious",
            "source": {"kind": "opinion"},
        },
    },
    "en": {
        "summary": "List a problem with its own deadline",
        "value": {
            "ledger": "default",
            "title": "Leaking water main",
            "responsible_unit": "root",
            "due_on": "2030-06-28",
        },
    },
}

ITEM_LINKS = {
    operation: {"operationId": operation, "parameters": {"item_id": "$response.body#/id"}}
    for operation in ("get_item", "list_item_transitions", "list_item_events", "list_item_progress")
}

ItemId = Annotated[Id, Path(description="The item's id.")]


def _recorded_item(status: int) -> Any:
    """How an item's answer is kept for replay: without who complained."""

    def render(view: Any) -> Recorded:
        first = view[0] if isinstance(view, list) else view
        content = shapes.item(first)
        content["source"]["contact"] = None
        location = f"/v1/items/{first.item.id}" if status == 201 else None
        return Recorded(status, to_json(content), location, etag_of(first.item.version), first.item.id)

    return render


def _recorded_batch(views: Any) -> Recorded:
    contents = [shapes.item(view) for view in views]
    for content in contents:
        content["source"]["contact"] = None
    return Recorded(201, to_json({"items": contents}), None, None, views[0].item.id)


@router.post(
    "/v1/items",
    **documented(
        "create_item", "List a problem", shapes.ItemOut, status=201, codes=(*WRITE, "guard_refused"), idempotent=True,
        headers={"Location": "The new item.", "ETag": "Its version."}, links=ITEM_LINKS, example=ITEM_EXAMPLES,
    ),
)  # fmt: skip
async def create_item(request: Request, call: Calling, body: ItemIn) -> Response:
    call = await with_receipt(request, call, _recorded_item(201))
    views = await listing.create(service_of(request), call, [body.listing()])
    if isinstance(views, Replay):
        return replayed(views)
    created = views[0]
    return answered(
        to_json(shapes.item(created)), 201, etag=etag_of(created.item.version), location=f"/v1/items/{created.item.id}"
    )


@router.post(
    "/v1/items/batch",
    **documented(
        "create_items", "List up to 1000 problems, all or none", shapes.ItemBatchOut, status=201,
        codes=(*WRITE, "guard_refused"), idempotent=True,
        example={
            "zh": {"summary": "成批列入", "value": {"items": [ITEM_EXAMPLES["zh"]["value"]]}},
            "en": {"summary": "List several", "value": {"items": [ITEM_EXAMPLES["en"]["value"]]}},
        },
    ),
)  # fmt: skip
async def create_items(request: Request, call: Calling, body: ItemBatchIn) -> Response:
    call = await with_receipt(request, call, _recorded_batch)
    listings = [each.listing(f"/items/{index}") for index, each in enumerate(body.items)]
    views = await listing.create(service_of(request), call, listings)
    if isinstance(views, Replay):
        return replayed(views)
    return answered(to_json({"items": [shapes.item(view) for view in views]}), 201)


Reference = Annotated[str, Field(min_length=1, max_length=64, json_schema_extra=NO_NUL)]
"""An id or a code in a query."""


def reference(value: str, pointer: str) -> Named:
    try:
        return Named(UUID(value) if len(value) == 36 else value, pointer)
    except ValueError:
        return Named(value, pointer)


@router.get(
    "/v1/items",
    **documented("list_items", "The items of the caller's scope, filtered and sorted", shapes.ItemPageOut),
)
async def list_items(
    request: Request,
    call: Calling,
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
        str | None, Query(min_length=1, max_length=100, json_schema_extra=NO_NUL, description="Chinese full text.")
    ] = None,
    sort: Literal["due_on", "-due_on", "-listed_at", "-updated_at"] = "due_on",
    include: Annotated[list[Literal["total", "allowed_triggers"]], Query(max_length=2)] = [],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request, call)
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
    found = await items.page(service_of(request), call, query)
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
    "/v1/overdue",
    **documented("list_overdue", "The work list: what is overdue, most overdue first", shapes.OverduePageOut),
)
async def list_overdue(request: Request, call: Calling, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request, call)
    found = await items.overdue(service_of(request), call, _position(context, cursor, "due_on"), limit)
    return page_answer(request, [shapes.overdue(view) for view in found.items], _next(context, found))


@router.get(
    "/v1/items/{item_id}",
    **documented("get_item", "The item", shapes.ItemOut, etag=True),
)
async def get_item(request: Request, call: Calling, item_id: ItemId) -> Response:
    view = await items.read(service_of(request), call, item_id)
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
async def update_item(request: Request, call: Calling, item_id: ItemId, body: ItemPatch) -> Response:
    version = required_version(request)
    view = await corrections.correct(service_of(request), call, item_id, body.correction(), version)
    return answered(to_json(shapes.item(view)), etag=etag_of(view.item.version))


@router.post(
    "/v1/items/{item_id}/progress",
    **documented(
        "create_item_progress", "Report what was done", shapes.ProgressOut, status=201,
        codes=(*WRITE, "invalid_transition"), idempotent=True,
        example={
            "zh": {"summary": "填报整改进展", "value": {"text": "已更换主管道120米，三组恢复供水", "percent": 60}},
            "en": {"summary": "Say what was done", "value": {"text": "120 m of the main replaced", "percent": 60}},
        },
    ),
)  # fmt: skip
async def create_item_progress(request: Request, call: Calling, item_id: ItemId, body: ProgressIn) -> Response:
    def render(entry: Any) -> Recorded:
        return Recorded(201, to_json(shapes.progress(entry)), None, None, item_id)

    call = await with_receipt(request, call, render)
    entry = await progress.report(service_of(request), call, item_id, body.text, body.percent)
    if isinstance(entry, Replay):
        return replayed(entry)
    return answered(to_json(shapes.progress(entry)), 201)


@router.get(
    "/v1/items/{item_id}/progress",
    **documented("list_item_progress", "What was reported on an item, oldest first", shapes.ProgressPageOut),
)
async def list_item_progress(
    request: Request, call: Calling, item_id: ItemId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    context = cursor_context(request, call)
    parts = read_cursor(context, cursor, id_of)
    rows = await progress.page(service_of(request), call, item_id, parts[0] if parts else UUID(int=0), limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.progress(row) for row in rows[:limit]], more)


@router.get(
    "/v1/items/{item_id}/events",
    **documented("list_item_events", "The history of an item, oldest first", shapes.EventPageOut),
)
async def list_item_events(
    request: Request, call: Calling, item_id: ItemId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    context = cursor_context(request, call)
    parts = read_cursor(context, cursor, number_of, number_of)
    after = (parts[0], parts[1]) if parts else (0, 0)
    rows = await items.history(service_of(request), call, item_id, after, limit + 1)
    more = write_cursor(context, *rows[limit - 1][0]) if len(rows) > limit else None
    return page_answer(request, [event for _, event in rows[:limit]], more)
