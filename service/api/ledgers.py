"""Ledgers over HTTP."""

from typing import Annotated, Literal

from fastapi import Path, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import ledgers
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.api import organisation_shapes as shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    etag_of,
    page_answer,
    read_cursor,
    replayed,
    required_version,
    versioned,
    with_receipt,
    write_cursor,
)
from service.api.fields import Code, Id, Model, Name, left_out
from service.api.openapi import WRITE, documented
from service.api.policies import PolicyIn
from service.workflow.organisation import Ledger

router = Room(route_class=Route, tags=["ledgers"])

Listing = Literal["any", "owner"]


class LedgerIn(Model):
    code: Code
    name: Name
    owner_unit_id: Id | None = Field(None, description="Default: the root unit.")
    listing: Listing = Field("any", description="`owner`: only with a grant over the owner unit.")
    policy: PolicyIn = PolicyIn()


class LedgerPatch(Model):
    """What is left out stays; a partial policy is merged over the present one."""

    name: Name = left_out()
    owner_unit_id: Id = left_out()
    listing: Listing = left_out()
    policy: PolicyIn = left_out()


LedgerId = Annotated[Id, Path(description="The ledger's id.")]


def _recorded(ledger: Ledger) -> Recorded:
    return Recorded(201, to_json(shapes.ledger(ledger)), f"/v1/ledgers/{ledger.id}", etag_of(ledger.version), None)


def _owner(owner_unit_id: object) -> Named:
    return Named(owner_unit_id or "root", "/owner_unit_id")  # type: ignore[arg-type]


@router.post(
    "/v1/ledgers",
    **documented(
        "create_ledger", "Open a ledger", shapes.LedgerOut, status=201, codes=WRITE, idempotent=True,
        headers={"Location": "The new ledger.", "ETag": "Its version."},
        links={"get_ledger": {"operationId": "get_ledger", "parameters": {"ledger_id": "$response.body#/id"}}},
        example={
            "zh": {
                "summary": "新建台账",
                "value": {"code": "aqyh", "name": "安全隐患台账", "policy": {"limits": {"critical": 3}}},
            },
            "en": {
                "summary": "Open a ledger",
                "value": {"code": "audit", "name": "Audit findings", "listing": "owner"},
            },
        },
    ),
)  # fmt: skip
async def create_ledger(request: Asked, body: LedgerIn) -> Response:
    call = await with_receipt(request, _recorded)
    ledger = await ledgers.create(
        request.service,
        call,
        code=body.code,
        name=body.name,
        owner=_owner(body.owner_unit_id),
        listing=body.listing,
        policy=body.policy.partial(),
    )
    if isinstance(ledger, Replay):
        return replayed(ledger)
    return answered(
        to_json(shapes.ledger(ledger)), 201, etag=etag_of(ledger.version), location=f"/v1/ledgers/{ledger.id}"
    )


@router.get("/v1/ledgers", **documented("list_ledgers", "The tenant's ledgers, by code", shapes.LedgerPageOut))
async def list_ledgers(request: Asked, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, str)
    rows = await ledgers.page(request.service, request.call, parts[0] if parts else "", limit + 1)
    more = write_cursor(context, rows[limit - 1].code) if len(rows) > limit else None
    return page_answer(request, [shapes.ledger(row) for row in rows[:limit]], more)


@router.get(
    "/v1/ledgers/{ledger_id}",
    **documented("get_ledger", "The ledger, its policy whole", shapes.LedgerOut, etag=True),
)
async def get_ledger(request: Asked, ledger_id: LedgerId) -> Response:
    ledger = await ledgers.read(request.service, request.call, ledger_id)
    return versioned(request, shapes.ledger(ledger), ledger.version)


@router.patch(
    "/v1/ledgers/{ledger_id}",
    **documented(
        "update_ledger", "Change a ledger or its policy", shapes.LedgerOut,
        codes=(*WRITE, "stale_version", "precondition_required"), if_match=True, headers={"ETag": "Its version."},
        example={
            "zh": {
                "summary": "改名，每轮只许延期一次",
                "value": {"name": "安全隐患台账", "policy": {"extension": {"max_count": 1}}},
            },
            "en": {"summary": "Another name", "value": {"name": "Audit findings, second year"}},
        },
    ),
)  # fmt: skip
async def update_ledger(request: Asked, ledger_id: LedgerId, body: LedgerPatch) -> Response:
    sent = body.model_fields_set
    ledger = await ledgers.change(
        request.service,
        request.call,
        ledger_id,
        required_version(request),
        name=body.name if "name" in sent else None,
        owner=_owner(body.owner_unit_id) if "owner_unit_id" in sent else None,
        listing=body.listing if "listing" in sent else None,
        policy=body.policy.partial() if "policy" in sent else None,
    )
    return answered(to_json(shapes.ledger(ledger)), etag=etag_of(ledger.version))
