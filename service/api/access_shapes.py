"""What answers about principals, keys, grants, hooks and OpenID providers look like. No key is in any but one."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from service.api.shapes import Line, Shape, Text
from service.workflow.identities import Granted, Issuer, Key, Principal
from service.workflow.permissions import Grant
from service.workflow.states import (
    PrincipalKind,
    Role,
)


class LoginOut(Shape):
    issuer_id: UUID
    subject: Line


class PrincipalOut(Shape):
    id: UUID
    name: Line
    kind: PrincipalKind
    external_id: Line | None
    delegates: list[UUID] = Field(max_length=50, description="The platforms that may act for this person.")
    login: LoginOut | None = Field(description="Which tokens of which OpenID provider are its own.")
    active: bool
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class PrincipalPageOut(Shape):
    items: list[PrincipalOut] = Field(max_length=200)
    next_cursor: Text | None


def principal(each: Principal) -> dict[str, Any]:
    login = {"issuer_id": each.issuer_id, "subject": each.subject} if each.issuer_id else None
    return {name: login if name == "login" else getattr(each, name) for name in PrincipalOut.model_fields}


class KeyOut(Shape):
    id: UUID
    prefix: Line = Field(description="How the key begins, to tell one from another.")
    delegate: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute or so.")
    created_at: datetime


class KeyPageOut(Shape):
    items: list[KeyOut] = Field(max_length=200)
    next_cursor: Text | None


class NewKeyOut(KeyOut):
    key: Line | None = Field(description="The key itself, this once; null in a replay.")
    secret_shown: bool = Field(description="Whether the key was shown before, and is so no more.")


def key(each: Key) -> dict[str, Any]:
    return {name: getattr(each, name) for name in KeyOut.model_fields}


def new_key(each: Key, secret: str | None) -> dict[str, Any]:
    return {**key(each), "key": secret, "secret_shown": secret is None}


class GrantedOut(Shape):
    id: UUID
    role: Role
    unit_id: UUID
    subtree: bool
    since: date | None
    until: date | None
    issuer_id: UUID | None = Field(description="The OpenID provider whose tokens gave the grant, if one did.")
    created_at: datetime


class GrantedPageOut(Shape):
    items: list[GrantedOut] = Field(max_length=200)
    next_cursor: Text | None


def granted(each: Granted) -> dict[str, Any]:
    return {name: getattr(each, name) for name in GrantedOut.model_fields}


class GrantRuleOut(Shape):
    claim: Line
    value: Line
    role: Role
    unit: Line | None
    unit_claim: Line | None


class MappingOut(Shape):
    subject: Line
    name: Line
    external_id: Line | None
    create: bool
    grants: list[GrantRuleOut] = Field(max_length=100)


class IssuerOut(Shape):
    id: UUID
    issuer: Annotated[str, Field(max_length=500)]
    audience: Line
    algorithms: list[Line] = Field(max_length=10)
    mapping: MappingOut
    active: bool = Field(description="Whether its tokens are taken.")
    version: int = Field(ge=1, le=2_147_483_647)
    created_at: datetime
    updated_at: datetime


class IssuerPageOut(Shape):
    items: list[IssuerOut] = Field(max_length=200)
    next_cursor: Text | None


def issuer(each: Issuer) -> dict[str, Any]:
    return {name: getattr(each, name) for name in IssuerOut.model_fields}


class HookOut(Shape):
    """A hook (挂钩联系): either the department or the leader is given."""

    id: UUID
    label: Line
    role: Role
    unit_id: UUID
    department_id: UUID | None
    principal_id: UUID | None
    subtree: bool
    since: date | None
    until: date | None
    created_at: datetime


class HookPageOut(Shape):
    items: list[HookOut] = Field(max_length=200)
    next_cursor: Text | None


def hook(each: Granted) -> dict[str, Any]:
    return {name: getattr(each, name) for name in HookOut.model_fields}


class GrantOut(Shape):
    role: Line
    unit_id: UUID
    subtree: bool
    since: date | None
    until: date | None


def grant(each: Grant) -> dict[str, Any]:
    return {name: getattr(each, name) for name in GrantOut.model_fields}


class MeOut(Shape):
    principal_id: UUID
    name: Line
    kind: Line
    tenant_id: UUID
    timezone: Line
    via: UUID | None = Field(description="The platform that calls for this person, if one does.")
    grants: list[GrantOut] = Field(max_length=1000)
    permissions: list[Line] = Field(max_length=100)
