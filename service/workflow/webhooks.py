"""Webhooks: whose events an endpoint gets, how it fares, and what is written down about it.

An endpoint that fails 50 times in a row is paused as a whole: one delivery at a time is tried, by the schedule, until
one arrives. One that says it is gone, or has failed for five days, is disabled; what waits for it goes on waiting.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from service.workflow.delivery import WAITS, wait_after, wanted
from service.workflow.events import EventDraft, Subject, plain
from service.workflow.scopes import Scope
from service.workflow.states import ChannelKind

PAUSED_AT = 50
"""Failures in a row."""

FAILING_FOR = timedelta(days=5)

UNTRIED_FOR = timedelta(hours=30)
"""Without an attempt for so long (the longest wait and some) nobody knows whether the endpoint still failed."""

SIGNS_FOR = timedelta(hours=24)
"""How long an old secret goes on signing beside the new one."""

OLD_SECRETS = 5
"""So many old ones at most: of more the oldest end early."""

CHANNELS = frozenset(kind.value for kind in ChannelKind)
"""The formats that are for people; such an endpoint is a channel."""

NO_ITEM = UUID(int=0)
"""What events that are about no item are about: they wait for each other."""


class Status(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """It was tried as often as there is to try, and can be sent again by hand."""
    CANCELLED = "cancelled"
    """When its turn came, it was no longer for this endpoint."""


class Disabled(StrEnum):
    BY_HAND = "by_hand"
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    NO_GRANTS = "no_grants"
    """Its owner may see nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint. Secrets are encrypted, the old ones together; these sign as well until their ends, of which
    `old_secret_until` is the last.

    `failures` counts attempts that failed in a row, the first at `failing_since` and the last at `failed_at`;
    `probe_at` is when a paused one is tried next. None of these makes a new version.
    """

    id: UUID
    owner_id: UUID
    url: str
    types: tuple[str, ...]
    unit_id: UUID | None
    format: str
    rate_limit: int | None
    enabled: bool
    disabled_reason: str | None
    secret_sealed: bytes = field(repr=False)
    old_secret_sealed: bytes | None = field(repr=False)
    old_secret_until: datetime | None
    failures: int
    failing_since: datetime | None
    failed_at: datetime | None
    probe_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    locale: str | None = None
    paced_until: datetime | None = None
    """Of a channel: before then it gets no other message, from no courier."""

    @property
    def paused(self) -> bool:
        return self.failures >= PAUSED_AT

    @property
    def for_people(self) -> bool:
        """Whether it is a channel: what goes to people, in their words (workflow/channels.py)."""
        return self.format in CHANNELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to an endpoint. Of one lane, each waits until the one before is delivered or dead."""

    id: UUID
    webhook_id: UUID
    lane_id: UUID
    position: int
    event_id: UUID
    type: str
    replay: bool
    status: str
    attempts: tuple[dict[str, Any], ...]
    created_at: datetime
    done_at: datetime | None
    gathered: tuple[UUID, ...] = ()
    """Further events that the same message tells people of."""


def lane_of(webhook_id: UUID, item_id: UUID | None) -> UUID:
    """The lane in which first deliveries to an endpoint wait that are about the same item."""
    return UUID(bytes=blake2b(webhook_id.bytes + (item_id or NO_ITEM).bytes, digest_size=16).digest())


# -- whose events


@dataclass(frozen=True, slots=True)
class Reach:
    """What an owner may see: of units, and whether it also sees what concerns none."""

    scope: Scope
    overseer: bool


def hears(webhook: Webhook, reach: Reach, event_type: str, lines: Collection[tuple[UUID, ...]]) -> bool:
    """Whether an event is for the endpoint. `lines` are those (itself first, root last) of the units it concerns."""
    if not wanted(webhook.types)(event_type):
        return False
    if not lines:
        return webhook.unit_id is None and reach.overseer
    return any((webhook.unit_id is None or webhook.unit_id in line) and _sees(reach, line, webhook) for line in lines)


def _sees(reach: Reach, line: tuple[UUID, ...], webhook: Webhook) -> bool:
    """The unit of a narrowed endpoint must lie inside the owner's scope itself."""
    if webhook.unit_id is not None and not reach.scope.covers(line[line.index(webhook.unit_id) :]):
        return False
    return reach.scope.covers(line)


# -- how it fares


def after_attempts(webhook: Webhook, attempts: Iterable[tuple[bool, bool]], now: datetime, chance: float) -> Webhook:
    """The endpoint after some attempts, oldest first: whether each arrived, and whether it was a probe.

    `chance` lies in [0, 1).
    """
    for arrived, probe in attempts:
        if arrived:
            webhook = _arrived(webhook)
        elif probe or not webhook.paused:
            webhook = _failed(webhook, now, chance)
        # What was on its way when the endpoint was paused tells nothing new.
    return webhook


def failing_for_long(webhook: Webhook, now: datetime) -> bool:
    """Whether it has failed for so long that it is to be disabled."""
    return webhook.failing_since is not None and now - webhook.failing_since >= FAILING_FOR


def _arrived(webhook: Webhook) -> Webhook:
    return replace(webhook, failures=0, failing_since=None, failed_at=None, probe_at=None)


def _failed(webhook: Webhook, now: datetime, chance: float) -> Webhook:
    known = webhook.failed_at is not None and now - webhook.failed_at < UNTRIED_FOR
    since = webhook.failing_since if known else now
    failed = replace(webhook, failures=webhook.failures + 1, failing_since=since, failed_at=now)
    if not failed.paused:
        return failed
    # As after a first failure, a second, and so on; in the end as after the last for ever.
    wait = wait_after(min(failed.failures - PAUSED_AT + 1, len(WAITS)), chance)
    return replace(failed, probe_at=now + (wait or WAITS[-1]))


def disabled(webhook: Webhook, reason: str, now: datetime) -> Webhook:
    if not webhook.enabled:
        return webhook
    return replace(
        webhook, enabled=False, disabled_reason=reason, version=webhook.version + 1, updated_at=now
    )  # fmt: skip


def changed(before: Webhook, after: Webhook, *, moved: bool | None = None) -> Webhook:
    """What follows of a change by hand: enabled again, or at another address, an endpoint gets another chance.

    `moved`: whether it is at another address, where its URL does not tell.
    """
    moved = after.url != before.url if moved is None else moved
    if not after.enabled:
        return replace(after, disabled_reason=before.disabled_reason or Disabled.BY_HAND.value)
    if before.enabled and not moved:
        return after
    return replace(_arrived(after), disabled_reason=None)


# -- what is written down: for admin and auditor only, as all about access

SHOWN = ("owner_id", "types", "unit_id", "format", "rate_limit", "enabled")


def _draft(type_: str, webhook: Webhook, data: dict[str, Any]) -> EventDraft:
    return EventDraft(type_, Subject(), (), {"webhook_id": str(webhook.id), **data})


def host(url: str) -> str:
    """All of a URL that events tell: path and query often hold a token."""
    return urlsplit(url).netloc


def _facts(webhook: Webhook) -> dict[str, Any]:
    facts = {"host": host(webhook.url), **{name: plain(getattr(webhook, name)) for name in SHOWN}}
    return {name: fact for name, fact in facts.items() if fact is not None}


def created(webhook: Webhook) -> EventDraft:
    return _draft("webhook.created", webhook, _facts(webhook))


def updated(before: Webhook, after: Webhook) -> EventDraft:
    changes = {
        name: {"before": plain(getattr(before, name)), "after": plain(getattr(after, name))}
        for name in SHOWN
        if getattr(before, name) != getattr(after, name)
    }
    if before.url != after.url:
        changes["host"] = {"before": host(before.url), "after": host(after.url)}
    return _draft("webhook.updated", after, {"changes": changes})


def rotated(webhook: Webhook) -> EventDraft:
    return _draft("webhook.rotated", webhook, {"until": plain(webhook.old_secret_until)})


def deleted(webhook: Webhook) -> EventDraft:
    return _draft("webhook.deleted", webhook, {})


def was_disabled(webhook: Webhook) -> EventDraft:
    """Not by hand: the service gave it up."""
    data = {"disabled_reason": webhook.disabled_reason, "failing_since": plain(webhook.failing_since)}
    return _draft("webhook.disabled", webhook, {name: fact for name, fact in data.items() if fact is not None})
