"""Principals, their keys and what was granted to them, as frozen values."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A person or a platform that calls the API.

    `external_id` is what the platforms of the tenant call it. `delegates` are the platforms that may act for it.
    `issuer_id` and `subject` say which token of which OpenID provider is this principal's, `claims_at` when the token
    was issued whose claims last changed anything here.
    """

    id: UUID
    name: str
    kind: str
    external_id: str | None
    delegates: tuple[UUID, ...]
    issuer_id: UUID | None
    subject: str | None
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime
    claims_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key without its secret: `prefix` tells one from another. `delegate`: it may act for people."""

    id: UUID
    principal_id: UUID
    prefix: str
    delegate: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A grant as it is kept: to a principal, or (a hook, 挂钩联系) to everyone who holds a grant on a department.

    `since` and `until` are its first and last good day. `label` names a hook. `issuer_id` is set where a token's
    claims gave the grant, and may take it away again.
    """

    id: UUID
    principal_id: UUID | None
    department_id: UUID | None
    role: str
    unit_id: UUID
    subtree: bool
    since: date | None
    until: date | None
    label: str | None
    issuer_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An OpenID provider that a tenant trusts, for tokens that were made for `audience`.

    `mapping` says which claims name a principal and which grants they give (workflow/claims.py).
    """

    id: UUID
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    mapping: dict[str, object]
    active: bool
    version: int
    created_at: datetime
    updated_at: datetime
