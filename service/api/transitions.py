"""Moving items over HTTP: one model for each trigger's input."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Body, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import transitions
from service.actions.service import Recorded, Replay
from service.actions.transitions import Move
from service.api import item_shapes as shapes
from service.api.deps import Asked, Room, Route, answered, etag_of, if_match, replayed, with_receipt
from service.api.fields import Code, Day, Id, LongText, Model, Name, Reason, either
from service.api.openapi import WRITE, documented
from service.api.references import ItemId, named, named_or_none
from service.errors import Refused, invalid
from service.wording import describe, language
from service.workflow.guards import Command, Verification
from service.workflow.states import VerificationMethod

router = Room(route_class=Route, tags=["items"])


class ClaimIn(Model):
    trigger: Literal["claim"]
    signed_by: Name
    measures: LongText | None = None


class ExtendIn(Model):
    trigger: Literal["extend"]
    due_on: Day
    reason: Reason


class VerificationIn(Model):
    method: VerificationMethod
    on: Day
    note: Reason


class CloseIn(Model):
    trigger: Literal["close"]
    verification: VerificationIn
    waive_interview: Reason | None = Field(None, description="Why an escalated item is closed without its interview.")


class EscalateIn(Model):
    trigger: Literal["escalate"]
    reason: Reason


class ResumeIn(Model):
    trigger: Literal["resume"]
    due_on: Day
    signed_by: Name | None = Field(None, description="Needed where the item was never claimed: it becomes the claim.")


class TransferIn(Model):
    model_config = Model.model_config | {"json_schema_extra": either(("responsible_unit_id", "responsible_unit"))}

    trigger: Literal["transfer"]
    responsible_unit_id: Id | None = None
    responsible_unit: Code | None = Field(None, description="The unit's code.")
    reason: Reason
    due_on: Day | None = None
    supervising_unit_id: Id | None = None
    supervising_unit: Code | None = None


class ReopenIn(Model):
    trigger: Literal["reopen"]
    reason: Reason
    due_on: Day


class AnnulIn(Model):
    trigger: Literal["annul"]
    reason: Reason
    duplicate_of: Id | None = None


TransitionIn = Annotated[
    ClaimIn | ExtendIn | CloseIn | EscalateIn | ResumeIn | TransferIn | ReopenIn | AnnulIn,
    Field(discriminator="trigger"),
]

EXAMPLES: dict[str, Any] = {
    f"{value['trigger']}_{tongue}": {"summary": summary, "value": value}
    for tongue, summary, value in (
        ("zh", "签字认领", {"trigger": "claim", "signed_by": "张伟", "measures": "更换老旧管道"}),
        ("en", "Sign for the item", {"trigger": "claim", "signed_by": "Zhang Wei", "measures": "New pipes"}),
        ("zh", "延期", {"trigger": "extend", "due_on": "2030-07-15", "reason": "汛期无法施工"}),
        ("en", "Move the deadline", {"trigger": "extend", "due_on": "2030-07-15", "reason": "No work in the floods"}),
        (
            "zh",
            "销号",
            {
                "trigger": "close",
                "verification": {"method": "on_site", "on": "2026-01-05", "note": "现场核验，三组供水正常"},
            },
        ),
        (
            "en",
            "Strike it off",
            {
                "trigger": "close",
                "verification": {"method": "phone", "on": "2026-01-05", "note": "Residents confirm that water runs"},
            },
        ),
        ("zh", "约谈", {"trigger": "escalate", "reason": "逾期未整改"}),
        ("en", "Summon the unit's head", {"trigger": "escalate", "reason": "Overdue and nothing done"}),
        ("zh", "约谈后整改", {"trigger": "resume", "due_on": "2030-07-15", "signed_by": "张伟"}),
        ("en", "Go on after the talk", {"trigger": "resume", "due_on": "2030-07-15", "signed_by": "Zhang Wei"}),
        ("zh", "转办", {"trigger": "transfer", "responsible_unit": "root", "reason": "职责不符"}),
        ("en", "Give it to another unit", {"trigger": "transfer", "responsible_unit": "root", "reason": "Not theirs"}),
        ("zh", "重开", {"trigger": "reopen", "due_on": "2030-07-15", "reason": "回头看发现反弹"}),
        ("en", "Open it again", {"trigger": "reopen", "due_on": "2030-07-15", "reason": "It leaks again"}),
        ("zh", "作废", {"trigger": "annul", "reason": "经核实不属实"}),
        ("en", "Annul it", {"trigger": "annul", "reason": "It was no problem"}),
    )
}


def _move(body: Any, call_today: Any) -> Move:
    """What was sent, as a command; what refers to a unit stays as it was named."""
    values = body.model_dump(exclude={"verification", "responsible_unit", "responsible_unit_id", "supervising_unit",
                                      "supervising_unit_id"})  # fmt: skip
    if isinstance(body, TransferIn):
        return Move(Command(**values), named(body, "responsible_unit"), named_or_none(body, "supervising_unit"))
    checked = verification(body.verification, call_today) if isinstance(body, CloseIn) else None
    return Move(Command(**values, verification=checked))


def verification(given: VerificationIn, today: date) -> Verification:
    """How it was checked before closing; refused where that lies in the future."""
    if given.on > today:
        raise invalid(("/verification/on", "in_future"))
    return Verification(given.method.value, given.on, given.note)


def _recorded(view: Any) -> Recorded:
    content = shapes.item(view)
    content["source"]["contact"] = None
    return Recorded(200, to_json(content), None, etag_of(view.item.version), view.item.id)


@router.get(
    "/v1/items/{item_id}/transitions",
    **documented(
        "list_item_transitions", "Each trigger: may this caller fire it now, and why not", shapes.ProspectsOut
    ),
)
async def list_item_transitions(request: Asked, item_id: ItemId) -> Response:
    prospects = await transitions.transitions(request.service, request.call, item_id)
    tongue = language(request.headers.get("accept-language"))
    return answered(to_json({"items": [_prospect(trigger, refused, tongue) for trigger, refused in prospects]}))


def _prospect(trigger: str, refused: Refused | None, tongue: str) -> dict[str, Any]:
    return {
        "trigger": trigger,
        "allowed": refused is None,
        "code": refused.code if refused else None,
        "guard": refused.facts.get("guard") if refused else None,
        "detail": describe(refused, tongue) if refused else None,
    }


@router.post(
    "/v1/items/{item_id}/transitions",
    **documented(
        "create_item_transition", "Fire a trigger", shapes.ItemOut,
        codes=(*WRITE, "invalid_transition", "guard_refused", "stale_version"), idempotent=True, if_match=False,
        headers={"ETag": "Its version."},
    ),
)  # fmt: skip
async def create_item_transition(
    request: Asked,
    item_id: ItemId,
    body: Annotated[TransitionIn, Body(openapi_examples=EXAMPLES)],
) -> Response:
    move = _move(body, request.call.today)
    version = if_match(request)
    call = await with_receipt(request, _recorded)
    view = await transitions.advance(request.service, call, item_id, move, version)
    if isinstance(view, Replay):
        return replayed(view)
    return answered(to_json(shapes.item(view)), etag=etag_of(view.item.version))
