"""Who calls: a principal with its grants, as known for a few seconds after its key was looked up."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from service.workflow.permissions import Grant, in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A principal as its key shows it. `expires_at` is when the key ends, by date or by revocation."""

    tenant_id: UUID
    timezone: ZoneInfo
    principal_id: UUID
    name: str
    kind: str
    grants: tuple[Grant, ...]
    expires_at: datetime | None

    def alive(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at

    def grants_on(self, today: date) -> tuple[Grant, ...]:
        return in_force(self.grants, today)
