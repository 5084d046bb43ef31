"""Principals, their keys and their grants over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response
from pydantic import Field
from pydantic_core import to_json

from service.actions import grants, keys, principals
from service.actions.grants import GrantAsked
from service.actions.keys import NewKey
from service.actions.principals import Person
from service.actions.references import Named
from service.actions.service import Recorded, Replay
from service.api import access_shapes as shapes
from service.api.deps import (
    NO_NUL,
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
from service.api.fields import Boolean, Code, Day, Id, Model, Moment, Name, either, left_out
from service.api.openapi import READ, WRITE, documented
from service.api.references import named
from service.workflow.identities import Granted, Principal
from service.workflow.states import PrincipalKind, Role
from service.workflow.texts import LINE

router = Room(route_class=Route, tags=["principals"])

PrincipalId = Annotated[Id, Path(description="The principal's id.")]
ExternalId = Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
Subject = Annotated[str, Field(min_length=1, max_length=255, pattern=LINE)]
BEGINNING = UUID(int=0)


class LoginIn(Model):
    """Which tokens of which OpenID provider are a principal's."""

    issuer_id: Id
    subject: Subject = Field(description="The value of the token's subject claim.")


class PrincipalIn(Model):
    name: Name
    kind: PrincipalKind
    external_id: ExternalId | None = Field(None, description="What the tenant's platforms call it.")
    login: LoginIn | None = None


class PrincipalPatch(Model):
    name: Name = left_out()
    external_id: ExternalId | None = left_out()
    delegates: list[Id] | None = Field(
        default_factory=lambda: None, max_length=50, description="The platforms that may act for this person."
    )


class KeyIn(Model):
    expires_at: Moment | None = None
    delegate: Boolean = Field(False, description="Whether the key may act for people (platforms only).")


class GrantIn(Model):
    """A role over a unit and everything below it, from `since` to `until`, both days included."""

    model_config = Model.model_config | {"json_schema_extra": either(("unit_id", "unit"))}

    role: Role
    unit_id: Id | None = None
    unit: Code | None = Field(None, description="The unit's code.")
    subtree: Boolean = True
    since: Day | None = None
    until: Day | None = None


# -- principals


def _recorded(principal: Principal) -> Recorded:
    location = f"/v1/principals/{principal.id}"
    return Recorded(201, to_json(shapes.principal(principal)), location, etag_of(principal.version), principal.id)


@router.post(
    "/v1/principals",
    **documented(
        "create_principal", "A new person or platform, without keys or grants", shapes.PrincipalOut, status=201,
        codes=WRITE, idempotent=True, headers={"Location": "The new principal.", "ETag": "Its version."},
        links={
            operation: {"operationId": operation, "parameters": {"principal_id": "$response.body#/id"}}
            for operation in ("get_principal", "list_principal_keys", "list_principal_grants")
        },
        example={
            "zh": {"summary": "县智慧平台", "value": {"name": "县智慧治理平台", "kind": "platform"}},
            "en": {"summary": "A person", "value": {"name": "Li Ming", "kind": "person", "external_id": "liming"}},
        },
    ),
)  # fmt: skip
async def create_principal(request: Asked, body: PrincipalIn) -> Response:
    call = await with_receipt(request, _recorded)
    login = (Named(body.login.issuer_id, "/login/issuer_id"), body.login.subject) if body.login else None
    asked = Person(body.name, body.kind.value, body.external_id, login)
    made = await principals.create(request.service, call, asked)
    if isinstance(made, Replay):
        return replayed(made)
    location = f"/v1/principals/{made.id}"
    return answered(to_json(shapes.principal(made)), 201, etag=etag_of(made.version), location=location)


@router.get("/v1/principals", **documented("list_principals", "Who may call, oldest first", shapes.PrincipalPageOut))
async def list_principals(
    request: Asked,
    external_id: Annotated[
        str | None, Query(min_length=1, max_length=200, description="The one that bears it.", json_schema_extra=NO_NUL)
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    after = parts[0] if parts else BEGINNING
    rows = await principals.page(request.service, request.call, external_id, after, limit + 1)
    return _page(request, context, rows, limit, shapes.principal)


def _page(request: Asked, context: str, rows: list[Any], limit: int, shape: Any) -> Response:
    more = write_cursor(context, rows[limit - 1].id) if len(rows) > limit else None
    return page_answer(request, [shape(row) for row in rows[:limit]], more)


@router.get(
    "/v1/principals/{principal_id}", **documented("get_principal", "The principal", shapes.PrincipalOut, etag=True)
)
async def get_principal(request: Asked, principal_id: PrincipalId) -> Response:
    found = await principals.read(request.service, request.call, principal_id)
    return versioned(request, shapes.principal(found), found.version)


@router.patch(
    "/v1/principals/{principal_id}",
    **documented(
        "update_principal", "Rename it, or say which platforms may act for it", shapes.PrincipalOut,
        codes=(*WRITE, "stale_version", "precondition_required"), if_match=True, headers={"ETag": "Its version."},
        example={
            "zh": {"summary": "改名", "value": {"name": "李明（水利局）"}},
            "en": {"summary": "No platform acts for it any more", "value": {"delegates": []}},
        },
    ),
)  # fmt: skip
async def update_principal(request: Asked, principal_id: PrincipalId, body: PrincipalPatch) -> Response:
    given = body.model_dump(include={"name", "external_id"}, exclude_unset=True)
    delegates = None
    if body.delegates is not None:
        delegates = tuple(Named(each, f"/delegates/{index}") for index, each in enumerate(body.delegates))
    version = required_version(request)
    after = await principals.change(request.service, request.call, principal_id, version, given, delegates)
    return answered(to_json(shapes.principal(after)), etag=etag_of(after.version))


@router.delete(
    "/v1/principals/{principal_id}",
    **documented("delete_principal", "Revoke its keys and end its grants", None, status=204, codes=(*READ, "conflict")),
)
async def delete_principal(request: Asked, principal_id: PrincipalId) -> Response:
    await principals.remove(request.service, request.call, principal_id)
    return answered(b"", 204)


# -- keys


def _recorded_key(made: NewKey) -> Recorded:
    """What is kept for replay: never the secret."""
    return Recorded(201, to_json(shapes.new_key(made.key, None)), None, None, made.key.id)


@router.post(
    "/v1/principals/{principal_id}/keys",
    **documented(
        "create_principal_key", "A new key, shown this once", shapes.NewKeyOut, status=201, codes=WRITE,
        idempotent=True,
        example={
            "zh": {"summary": "长期有效", "value": {}},
            "en": {"summary": "Until the end of 2030", "value": {"expires_at": "2030-12-31T16:00:00Z"}},
        },
    ),
)  # fmt: skip
async def create_principal_key(request: Asked, principal_id: PrincipalId, body: KeyIn) -> Response:
    call = await with_receipt(request, _recorded_key)
    made = await keys.create(request.service, call, principal_id, expires_at=body.expires_at, delegate=body.delegate)
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.new_key(made.key, made.secret)), 201)


@router.get(
    "/v1/principals/{principal_id}/keys",
    **documented("list_principal_keys", "Its keys without their secrets, oldest first", shapes.KeyPageOut),
)
async def list_principal_keys(
    request: Asked, principal_id: PrincipalId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    after = parts[0] if parts else BEGINNING
    rows = await keys.page(request.service, request.call, principal_id, after, limit + 1)
    return _page(request, context, rows, limit, shapes.key)


@router.delete(
    "/v1/principals/{principal_id}/keys/{key_id}",
    **documented("revoke_principal_key", "End a key; effective everywhere within seconds", None, status=204),
)
async def revoke_principal_key(
    request: Asked, principal_id: PrincipalId, key_id: Annotated[Id, Path(description="The key's id.")]
) -> Response:
    await keys.revoke(request.service, request.call, principal_id, key_id)
    return answered(b"", 204)


# -- grants


def _recorded_grant(granted: Granted) -> Recorded:
    return Recorded(201, to_json(shapes.granted(granted)), None, None, granted.id)


@router.post(
    "/v1/principals/{principal_id}/grants",
    **documented(
        "create_principal_grant", "Give it a role over a unit", shapes.GrantedOut, status=201, codes=WRITE,
        idempotent=True,
        example={
            "zh": {"summary": "督办人员", "value": {"role": "supervisor", "unit": "root"}},
            "en": {"summary": "For some weeks", "value": {"role": "viewer", "unit": "root", "until": "2030-01-31"}},
        },
    ),
)  # fmt: skip
async def create_principal_grant(request: Asked, principal_id: PrincipalId, body: GrantIn) -> Response:
    call = await with_receipt(request, _recorded_grant)
    asked = GrantAsked(body.role.value, named(body, "unit"), body.subtree, body.since, body.until)
    made = await grants.give(request.service, call, principal_id, asked)
    if isinstance(made, Replay):
        return replayed(made)
    return answered(to_json(shapes.granted(made)), 201)


@router.get(
    "/v1/principals/{principal_id}/grants",
    **documented("list_principal_grants", "Its own grants, oldest first", shapes.GrantedPageOut),
)
async def list_principal_grants(
    request: Asked, principal_id: PrincipalId, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    context = cursor_context(request)
    parts = read_cursor(context, cursor, id_of)
    after = parts[0] if parts else BEGINNING
    rows = await grants.page(request.service, request.call, principal_id, after, limit + 1)
    return _page(request, context, rows, limit, shapes.granted)


@router.delete(
    "/v1/principals/{principal_id}/grants/{grant_id}",
    **documented("end_principal_grant", "Take a grant away", None, status=204, codes=(*READ, "conflict")),
)
async def end_principal_grant(
    request: Asked, principal_id: PrincipalId, grant_id: Annotated[Id, Path(description="The grant's id.")]
) -> Response:
    await grants.end(request.service, request.call, principal_id, grant_id)
    return answered(b"", 204)
