"""The log over HTTP: checkpoints, proofs and receipts, and the key by which all of them are verified."""

from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import publishing, record
from service.actions.record import Inclusion
from service.actions.service import Recorded, Replay
from service.api.deps import VARY, Asked, Room, Route, answered, replayed, with_receipt
from service.api.item_shapes import EventOut
from service.api.openapi import READ, WRITE, documented, problems
from service.api.shapes import Shape

router = Room(route_class=Route, tags=["log"])
key_router = Room(tags=["log"])

LARGEST = 2**53 - 1
TEXT = {"text/plain": {"schema": {"type": "string", "maxLength": 100_000}}}

Hash = Annotated[str, Field(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]
Hashes = Annotated[list[Hash], Field(max_length=128)]
Size = Annotated[int, Field(ge=0, le=LARGEST)]


class InclusionOut(Shape):
    position: int = Field(ge=1, le=LARGEST)
    leaf_index: int = Field(ge=0, le=LARGEST, description="position - 1.")
    tree_size: Size
    leaf_hash: Hash
    hashes: Hashes


class ConsistencyOut(Shape):
    from_: Size = Field(alias="from")
    to: Size
    hashes: Hashes


class ReceiptOut(InclusionOut):
    """All that it takes to prove an event to somebody who has the verification key."""

    checkpoint: str = Field(max_length=100_000, description="A signed note over the tree of `tree_size` leaves.")
    body: str = Field(max_length=10_000_000, description="The event's canonical JSON: exactly what is sealed.")
    beside: dict[str, Any] = Field(description="Its free texts with their salts, as far as they are not erased.")


def _inclusion(proof: Inclusion) -> dict[str, Any]:
    return {
        "position": proof.position,
        "leaf_index": proof.position - 1,
        "tree_size": proof.size,
        "leaf_hash": proof.leaf_hash.hex(),
        "hashes": [each.hex() for each in proof.hashes],
    }


@router.get(
    "/v1/log/checkpoint",
    **documented(
        "get_log_checkpoint", "How far the log has come, signed (C2SP signed note)", None, codes=READ, content=TEXT
    ),
)
async def get_log_checkpoint(request: Asked) -> Response:
    note = await record.checkpoint(request.service, request.call)
    return Response(note, media_type="text/plain", headers={"cache-control": "private, no-cache", "vary": VARY})


def _recorded(event: Any) -> Recorded:
    return Recorded(201, to_json(event), None, None, None)


@router.post(
    "/v1/log/checkpoints",
    **documented(
        "create_log_checkpoint", "Publish a checkpoint as an event `log.checkpoint` (admins)", EventOut, status=201,
        codes=WRITE, idempotent=True,
    ),
)  # fmt: skip
async def create_log_checkpoint(request: Asked) -> Response:
    call = await with_receipt(request, _recorded)
    event = await publishing.publish(request.service, call)
    return replayed(event) if isinstance(event, Replay) else answered(to_json(event), 201)


@router.get(
    "/v1/log/proof/inclusion",
    **documented("get_log_inclusion", "That an event is in the log (RFC 9162)", InclusionOut, codes=READ),
)
async def get_log_inclusion(
    request: Asked,
    position: Annotated[int, Query(ge=1, le=LARGEST)],
    size: Annotated[int | None, Query(ge=1, le=LARGEST, description="Of the tree; without, as it is now.")] = None,
) -> Response:
    return answered(to_json(_inclusion(await record.inclusion(request.service, request.call, position, size))))


@router.get(
    "/v1/log/proof/consistency",
    **documented("get_log_consistency", "That the log only grew (RFC 9162)", ConsistencyOut, codes=READ),
)
async def get_log_consistency(
    request: Asked,
    old: Annotated[int, Query(alias="from", ge=0, le=LARGEST, description="The size that was seen earlier.")],
    new: Annotated[
        int | None, Query(alias="to", ge=0, le=LARGEST, description="The size seen later; without, as it is now.")
    ] = None,
) -> Response:
    size, hashes = await record.consistency(request.service, request.call, old, new)
    return answered(to_json({"from": old, "to": size, "hashes": [each.hex() for each in hashes]}))


@router.get(
    "/v1/log/receipt",
    **documented(
        "get_log_receipt", "An event with all that proves it, for `xiaohao verify --receipt`", ReceiptOut, codes=READ
    ),
)
async def get_log_receipt(request: Asked, position: Annotated[int, Query(ge=1, le=LARGEST)]) -> Response:
    found = await record.receipt(request.service, request.call, position)
    content = {
        **_inclusion(found.inclusion),
        "checkpoint": found.checkpoint,
        "body": found.body.decode(),
        "beside": found.beside,
    }
    return answered(to_json(content))


@key_router.get(
    "/v1/log/key",
    operation_id="get_log_key",
    summary="The key that verifies checkpoints, as name+id+key (C2SP signed note)",
    response_model=None,
    responses={
        200: {"description": "The same for all tenants of this installation.", "content": TEXT},
        **problems("method_not_allowed", "unavailable"),
    },
)
async def get_log_key(request: Request) -> Response:
    key = await record.key(request.app.state.service)
    return Response(key.text + "\n", media_type="text/plain")
