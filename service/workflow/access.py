"""Who calls: a principal with its grants, as known for a few seconds after its key was looked up."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from service.workflow.merkle import Hashing
from service.workflow.permissions import Grant, in_force


@dataclass(frozen=True, slots=True)
class Home:
    """The tenant that somebody calls in, or that is worked for: whose days they are, and how its log is hashed."""

    tenant_id: UUID
    timezone: ZoneInfo
    hashing: Hashing


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A principal as its key or token shows it. `expires_at` is when that ends, by date or by revocation.

    `key_id` is None for a token. `via` is the platform that acts for this person, if one does.
    """

    tenant_id: UUID
    timezone: ZoneInfo
    hashing: Hashing
    principal_id: UUID
    name: str
    kind: str
    active: bool
    grants: tuple[Grant, ...]
    expires_at: datetime | None
    key_id: UUID | None = None
    delegate: bool = False
    via: UUID | None = None

    def alive(self, now: datetime) -> bool:
        return self.active and (self.expires_at is None or now < self.expires_at)

    def grants_on(self, today: date) -> tuple[Grant, ...]:
        return in_force(self.grants, today)
