"""Who may do what: a role gives permissions, a grant gives them over a unit and everything below it.

Rules here are pure: the store says which units lie above which, these functions say what follows from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from service.workflow.items import Lines
from service.workflow.states import Role

READS = frozenset({"item:read", "unit:read", "event:read", "figures:read"})
DECIDES = frozenset({"item:update", "item:annul", "item:decide", "request:decide", "notice:issue", "interview:record"})
PUBLISHES = frozenset({"figures:publish"})
RESPONDS = frozenset({"item:claim", "request:create", "request:withdraw", "notice:receipt"})
REPORTS = frozenset({"item:progress", "attachment:create"})
LISTS = frozenset({"item:create", "import"})
ADMINISTERS = frozenset({"unit:write", "ledger:write", "calendar:write", "access:write"})
FOLLOWS = frozenset({"webhook:manage"})
PROVES = frozenset({"log:read"})

PERMISSIONS: dict[str, frozenset[str]] = {
    Role.ADMIN: READS | DECIDES | RESPONDS | REPORTS | LISTS | ADMINISTERS | FOLLOWS | PROVES | PUBLISHES,
    Role.SUPERVISOR: READS | DECIDES | REPORTS | LISTS | PUBLISHES,
    Role.RESPONSIBLE: READS | RESPONDS | REPORTS,
    Role.PLATFORM: READS | LISTS | REPORTS | FOLLOWS,
    Role.VIEWER: READS,
    Role.AUDITOR: READS | PROVES,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role over a unit, and over everything below it unless `subtree` is off; from `since` to `until`, both good."""

    role: str
    unit_id: UUID
    subtree: bool = True
    until: date | None = None
    since: date | None = None


def in_force(grants: Iterable[Grant], today: date) -> tuple[Grant, ...]:
    return tuple(
        grant
        for grant in grants
        if (grant.until is None or grant.until >= today) and (grant.since is None or grant.since <= today)
    )


def within(grant: Grant, since: date | None, until: date | None) -> Grant:
    """The grant, on no day on which what it rests on is not in force."""
    return replace(
        grant,
        since=max(filter(None, (grant.since, since)), default=None),
        until=min(filter(None, (grant.until, until)), default=None),
    )


LENT = frozenset({Role.SUPERVISOR, Role.RESPONSIBLE, Role.VIEWER})
"""Roles that a platform may use for a person: none that manages access, keys or webhooks, and no auditor's."""


def lent(
    person: Iterable[Grant], platform: Iterable[Grant], lines: Mapping[UUID, tuple[UUID, ...]]
) -> tuple[Grant, ...]:
    """What a platform may do for a person: the person's grants, inside the platform's own subtrees.

    `lines` has the line (itself first, root last) of every unit that either holds a grant on.
    """
    found: dict[Grant, None] = {}
    for own in person:
        if own.role not in LENT:
            continue
        for bound in platform:
            if bound.unit_id == own.unit_id:
                found[replace(within(own, bound.since, bound.until), subtree=own.subtree and bound.subtree)] = None
            elif bound.subtree and bound.unit_id in lines[own.unit_id]:
                found[within(own, bound.since, bound.until)] = None
            elif own.subtree and own.unit_id in lines[bound.unit_id]:
                narrowed = replace(own, unit_id=bound.unit_id, subtree=bound.subtree)
                found[within(narrowed, bound.since, bound.until)] = None
    return tuple(found)


def holds(grants: Iterable[Grant], permission: str, line: tuple[UUID, ...]) -> bool:
    """Whether one of the grants gives `permission` over the unit whose line (itself first, root last) is given."""
    for grant in grants:
        if permission in PERMISSIONS[grant.role] and grant.unit_id in (line if grant.subtree else line[:1]):
            return True
    return False


def holds_anywhere(grants: Iterable[Grant], permission: str) -> bool:
    """For what belongs to the whole tenant (ledgers): admin stands on the root unit only, so anywhere is the root."""
    return any(permission in PERMISSIONS[grant.role] for grant in grants)


def administers(grants: Iterable[Grant]) -> bool:
    """Admins alone write principals, keys, grants and issuers."""
    return holds_anywhere(grants, "access:write")


def oversees(grants: Iterable[Grant]) -> bool:
    """Who reads principals and grants: admin and auditor."""
    return any(grant.role in (Role.ADMIN, Role.AUDITOR) for grant in grants)


def holds_above(grants: Iterable[Grant], permission: str, line: tuple[UUID, ...]) -> bool:
    """Whether a grant lies on a true ancestor of the unit. Nothing lies above the root: there its own grant serves."""
    if len(line) == 1:
        return holds(grants, permission, line)
    return any(
        grant.subtree and permission in PERMISSIONS[grant.role] and grant.unit_id in line[1:] for grant in grants
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller is to an item: computed once, asked by every rule."""

    claims: bool
    decides: bool
    annuls: bool
    updates: bool
    higher: bool
    reports: bool
    reports_as_responsible: bool
    records_interviews: bool
    sees_contact: bool
    asks: bool
    withdraws: bool
    decides_requests: bool
    issues: bool

    @classmethod
    def of(cls, grants: tuple[Grant, ...], lines: Lines) -> "Standing":
        responsible_side = (lines.responsible, *lines.co)
        supervises = holds(grants, "item:decide", lines.supervising)
        return cls(
            claims=holds(grants, "item:claim", lines.responsible),
            decides=supervises,
            annuls=holds(grants, "item:annul", lines.supervising),
            updates=holds(grants, "item:update", lines.supervising),
            higher=holds_above(grants, "item:decide", lines.supervising),
            reports=supervises or any(holds(grants, "item:progress", line) for line in responsible_side),
            reports_as_responsible=any(_reports_for(grants, line) for line in responsible_side),
            records_interviews=holds(grants, "interview:record", lines.supervising),
            sees_contact=supervises,
            asks=holds(grants, "request:create", lines.responsible),
            withdraws=holds(grants, "request:withdraw", lines.responsible),
            decides_requests=holds(grants, "request:decide", lines.supervising),
            issues=holds(grants, "notice:issue", lines.supervising),
        )


def _reports_for(grants: tuple[Grant, ...], line: tuple[UUID, ...]) -> bool:
    """A supervisor's note over its own subtree is no report of the responsible side; anyone else's there is."""
    return holds(tuple(grant for grant in grants if grant.role != Role.SUPERVISOR), "item:progress", line)


CLOCK = Standing(
    claims=False,
    decides=True,
    annuls=False,
    updates=False,
    higher=True,
    reports=False,
    reports_as_responsible=False,
    records_interviews=False,
    sees_contact=False,
    asks=False,
    withdraws=False,
    decides_requests=False,
    issues=False,
)
"""The clock escalates through the same door as people; nothing else is asked of it."""
