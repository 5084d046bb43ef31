"""Listing problems over HTTP: one, or a thousand at once."""

from typing import Any

from fastapi import Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import listing
from service.actions.listing import Listing
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.api import item_shapes as shapes
from service.api.deps import Asked, Room, Route, answered, etag_of, replayed, with_receipt
from service.api.fields import Code, Day, FreeJson, Id, LongText, Model, Moment, Name, Reason, ShortLine, Title, either
from service.api.listing_inputs import CoUnitIds, CoUnits, DeadlineIn, Labels, SourceIn
from service.api.openapi import WRITE, documented
from service.api.references import named, named_or_none
from service.errors import invalid
from service.workflow.items import Draft
from service.workflow.states import Severity

router = Room(route_class=Route, tags=["items"])

MAX_BATCH = 1000


class ClosedIn(Model):
    on: Day
    note: Reason | None = None


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
                deadline=deadline.asked() if deadline else None,
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


class ItemBatchIn(Model):
    items: list[ItemIn] = Field(min_length=1, max_length=MAX_BATCH)


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
async def create_item(request: Asked, body: ItemIn) -> Response:
    call = await with_receipt(request, _recorded_item(201))
    views = await listing.create(request.service, call, [body.listing()])
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
async def create_items(request: Asked, body: ItemBatchIn) -> Response:
    call = await with_receipt(request, _recorded_batch)
    listings = [each.listing(f"/items/{index}") for index, each in enumerate(body.items)]
    views = await listing.create(request.service, call, listings)
    if isinstance(views, Replay):
        return replayed(views)
    return answered(to_json({"items": [shapes.item(view) for view in views]}), 201)
