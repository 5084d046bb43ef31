"""OpenID providers that a tenant trusts, over HTTP."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import issuers
from service.actions.issuers import Trust
from service.actions.service import Recorded, Replay
from service.api import access_shapes as shapes
from service.api.deps import (
    Asked,
    Cursor,
    Limit,
    Room,
    Route,
    answered,
    cursor_context,
    etag_of,
    id_of,
    page_answer,
    read_cursor,
    replayed,
    required_version,
    versioned,
    with_receipt,
    write_cursor,
)
from service.api.fields import Boolean, Code, Id, Model, either, left_out
from service.api.openapi import READ, WRITE, documented
from service.errors import invalid
from service.workflow.identities import Issuer
from service.workflow.texts import LINE

router = Room(route_class=Route, tags=["issuers"])

BEGINNING = UUID(int=0)

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
ISSUER = rf"^https?://{_LABEL}(\.{_LABEL}){{0,20}}(:{_PORT})?(/[A-Za-z0-9._~%!$&'()*+,;=:@-]*)*$"
"""A URL without query and fragment, as OpenID Connect has it (Discovery 1.0, 3); a host by name or IPv4 address."""

CLAIM = r"^[^\x00-\x1f\x7f-\x9f.]+(\.[^\x00-\x1f\x7f-\x9f.]+){0,7}$"

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
Claim = Annotated[str, Field(min_length=1, max_length=200, pattern=CLAIM)]
Algorithms = Annotated[list[Algorithm], Field(min_length=1, max_length=10, json_schema_extra={"uniqueItems": True})]
IssuerId = Annotated[Id, Path(description="The issuer's id.")]


class GrantRule(Model):
    """Whoever's claim holds `value` gets `role` over a unit: over the one named, or over those that a claim names."""

    model_config = Model.model_config | {"json_schema_extra": either(("unit", "unit_claim"))}

    claim: Claim = Field(description="A claim, or a path to one: `realm_access.roles`.")
    value: Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
    role: Literal["admin", "supervisor", "responsible", "viewer", "auditor"] = Field(
        description="admin and auditor with `unit`, on the root unit only."
    )
    unit: Code | None = Field(None, description="The unit's code.")
    unit_claim: Claim | None = Field(None, description="The claim that holds units' codes.")


class MappingIn(Model):
    """What the claims of a token say here."""

    subject: Claim = Field("sub", description="Which claim tells one person from another, for ever.")
    name: Claim = "name"
    external_id: Claim | None = Field(None, description="The claim that holds what the tenant's platforms call it.")
    create: Boolean = Field(True, description="Whether an unknown person becomes a principal at its first token.")
    grants: list[GrantRule] = Field([], max_length=100)


class IssuerIn(Model):
    issuer: Annotated[str, Field(min_length=8, max_length=500, pattern=ISSUER)] = Field(
        description="As the tokens' `iss` has it; plain http only in a network that the operator allows."
    )
    audience: Annotated[str, Field(min_length=1, max_length=255, pattern=LINE)] = Field(
        description="What the tokens' `aud` holds; issuer and audience belong to one tenant."
    )
    algorithms: Algorithms = ["RS256", "ES256"]
    mapping: MappingIn = MappingIn()


class IssuerPatch(Model):
    algorithms: Algorithms = left_out()
    mapping: MappingIn = Field(default_factory=MappingIn, description="The whole mapping; nothing of the former stays.")


def _mapping(mapping: MappingIn) -> dict[str, Any]:
    for index, rule in enumerate(mapping.grants):
        if rule.unit is None and rule.unit_claim is None:
            raise invalid((f"/mapping/grants/{index}/unit", "missing"))
        if rule.unit is not None and rule.unit_claim is not None:
            raise invalid((f"/mapping/grants/{index}/unit_claim", "one_of_two"))
    return mapping.model_dump()


def _algorithms(algorithms: list[Algorithm]) -> tuple[str, ...]:
    for index, each in enumerate(algorithms):
        if each in algorithms[:index]:
            raise invalid((f"/algorithms/{index}", "repeated"))
    return tuple(algorithms)


def _recorded(issuer: Issuer) -> Recorded:
    return Recorded(201, to_json(shapes.issuer(issuer)), f"/v1/issuers/{issuer.id}", etag_of(issuer.version), issuer.id)


@router.post(
    "/v1/issuers",
    **documented(
        "create_issuer", "Trust the tokens of an OpenID provider", shapes.IssuerOut, status=201, codes=WRITE,
        idempotent=True, headers={"Location": "The new issuer.", "ETag": "Its version."},
        links={
            operation: {"operationId": operation, "parameters": {"issuer_id": "$response.body#/id"}}
            for operation in ("get_issuer", "delete_issuer")
        },
        example={
            "zh": {
                "summary": "县统一身份认证平台",
                "value": {
                    "issuer": "https://id.example.gov.cn/realms/county", "audience": "xiaohao",
                    "mapping": {
                        "name": "姓名",
                        "grants": [
                            {"claim": "realm_access.roles", "value": "督办", "role": "supervisor", "unit": "root"}
                        ],
                    },
                },
            },
            "en": {
                "summary": "The claim names the unit",
                "value": {
                    "issuer": "https://login.example.org", "audience": "ledgers", "algorithms": ["ES256"],
                    "mapping": {
                        "external_id": "employee_no",
                        "grants": [
                            {"claim": "groups", "value": "ledger", "role": "responsible", "unit_claim": "org_code"}
                        ],
                    },
                },
            },
        },
    ),
)  # fmt: skip
async def create_issuer(request: Asked, body: IssuerIn) -> Response:
    call = await with_receipt(request, _recorded)
    asked = Trust(body.issuer, body.audience, _algorithms(body.algorithms), _mapping(body.mapping))
    made = await issuers.create(request.service, call, asked)
    if isinstance(made, Replay):
        return replayed(made)
    location = f"/v1/issuers/{made.id}"
    return answered(to_json(shapes.issuer(made)), 201, etag=etag_of(made.version), location=location)


@router.get(
    "/v1/issuers",
    **documented("list_issuers", "The OpenID providers of the tenant, oldest first", shapes.IssuerPageOut),
)
async def list_issuers(request: Asked, limit: Limit = 50, cursor: Cursor = None) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    rows = await issuers.page(request.service, request.call, parts[0] if parts else BEGINNING, limit + 1)
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shapes.issuer(row) for row in rows[:limit]], more)


@router.get("/v1/issuers/{issuer_id}", **documented("get_issuer", "The issuer", shapes.IssuerOut, etag=True))
async def get_issuer(request: Asked, issuer_id: IssuerId) -> Response:
    found = await issuers.read(request.service, request.call, issuer_id)
    return versioned(request, shapes.issuer(found), found.version)


@router.patch(
    "/v1/issuers/{issuer_id}",
    **documented(
        "update_issuer", "Change its algorithms or its mapping", shapes.IssuerOut,
        codes=(*WRITE, "stale_version", "precondition_required"), if_match=True, headers={"ETag": "Its version."},
        example={
            "zh": {
                "summary": "只认已登记的人员",
                "value": {"mapping": {"name": "姓名", "create": False}},
            },
            "en": {"summary": "Another algorithm", "value": {"algorithms": ["PS256"]}},
        },
    ),
)  # fmt: skip
async def update_issuer(request: Asked, issuer_id: IssuerId, body: IssuerPatch) -> Response:
    sent = body.model_fields_set
    given: dict[str, Any] = {}
    if "algorithms" in sent:
        given["algorithms"] = _algorithms(body.algorithms)
    if "mapping" in sent:
        given["mapping"] = _mapping(body.mapping)
    after = await issuers.change(request.service, request.call, issuer_id, required_version(request), given)
    return answered(to_json(shapes.issuer(after)), etag=etag_of(after.version))


@router.delete(
    "/v1/issuers/{issuer_id}",
    **documented(
        "delete_issuer", "Refuse its tokens, within seconds, and end the grants they gave", None, status=204,
        codes=(*READ, "conflict"),
    ),
)  # fmt: skip
async def delete_issuer(request: Asked, issuer_id: IssuerId) -> Response:
    await issuers.remove(request.service, request.call, issuer_id)
    return answered(b"", 204)
