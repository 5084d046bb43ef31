"""Carrying: one attempt to deliver, to whatever kind of endpoint it is, and what its answer means."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from service.actions.service import Service
from service.outside.vault import Vault
from service.workflow.answers import code_of, judge_channel
from service.workflow.channels import Target, at_platform
from service.workflow.delivery import SECRET_PREFIX, Failure, Message, Outcome, Verdict, judge, message
from service.workflow.events import plain
from service.workflow.letters import letter, mark
from service.workflow.messages import Document
from service.workflow.robots import request
from service.workflow.states import ChannelKind
from service.workflow.webhooks import OLD_SECRETS, SIGNS_FOR, Webhook

TABLE = "webhooks"


# -- secrets


def source_of(tenant_id: UUID) -> str:
    """What names a tenant's log to readers of CloudEvents."""
    return f"urn:uuid:{tenant_id}"


def secrets_of(vault: Vault, tenant_id: UUID, webhook: Webhook, now: datetime) -> tuple[str, ...]:
    """What to sign with, the newest first; of a channel its target."""
    present = vault.decrypt(webhook.secret_sealed, tenant_id=tenant_id, table=TABLE, row=webhook.id)
    return (present, *(secret for secret, _ in _old_secrets(vault, tenant_id, webhook, now)))


def retired(vault: Vault, tenant_id: UUID, webhook: Webhook, now: datetime) -> bytes:
    """What is kept of old secrets when a webhook gets a new one: the present one for a while, others to their ends."""
    present = vault.decrypt(webhook.secret_sealed, tenant_id=tenant_id, table=TABLE, row=webhook.id)
    old = [(present, now + SIGNS_FOR), *_old_secrets(vault, tenant_id, webhook, now)]
    kept = json.dumps([[secret, until.isoformat()] for secret, until in old[:OLD_SECRETS]])
    return vault.encrypt(kept, tenant_id=tenant_id, table=TABLE, row=webhook.id)


def _old_secrets(vault: Vault, tenant_id: UUID, webhook: Webhook, now: datetime) -> list[tuple[str, datetime]]:
    """Those that still sign, the newest first, each with its end."""
    if webhook.old_secret_sealed is None or webhook.old_secret_until is None or now >= webhook.old_secret_until:
        return []
    text = vault.decrypt(webhook.old_secret_sealed, tenant_id=tenant_id, table=TABLE, row=webhook.id)
    if text.startswith(SECRET_PREFIX):
        # As it was stored when there was one at most.
        return [(text, webhook.old_secret_until)]
    old = [(secret, datetime.fromisoformat(until)) for secret, until in json.loads(text)]
    return [(secret, until) for secret, until in old if now < until]


def target_of(vault: Vault, tenant_id: UUID, channel: Webhook) -> Target:
    return Target.from_text(vault.decrypt(channel.secret_sealed, tenant_id=tenant_id, table=TABLE, row=channel.id))


# -- an attempt


def ready(
    tenant_id: UUID, webhook: Webhook, secrets: tuple[str, ...], event: dict[str, Any], now: datetime,
    *, replay: bool = False,
) -> Message:  # fmt: skip
    """An event as a webhook gets it."""
    return message(event, secrets, now, format=webhook.format, source=source_of(tenant_id), replay=replay)


async def tell(
    service: Service, channel: Webhook, target: Target, document: Document, event_id: str, message_id: UUID,
    now: datetime, *, left: tuple[str, ...] = (), ping: bool = False,
) -> Outcome:  # fmt: skip
    """Send a document to a channel's people once. `left`: of mail, whom an earlier attempt left out."""
    if channel.format == ChannelKind.MAIL:
        outcome = await _mail(service, channel, target, document, event_id, now, left)
    else:
        url, ready = request(channel.format, target, document, str(message_id), now)
        # Elsewhere than with the platform, nothing is called but what the operator has named.
        sender = service.sender if at_platform(channel.format, url) else service.relays
        outcome = await (sender.ping(url, ready) if ping else sender.send(url, ready))
    return replace(outcome, answer=target.hide(outcome.answer))


async def _mail(
    service: Service, channel: Webhook, target: Target, document: Document, event_id: str, now: datetime,
    left: tuple[str, ...],
) -> Outcome:  # fmt: skip
    def marked(address: str) -> str:
        return mark(channel.id, address)

    if service.mailer is None:
        # It was configured when the channel was made, and is so no more.
        return Outcome(None, Failure.CONNECT, 0)
    to = [each for each in target.to if not left or marked(each) in left] or list(target.to)
    sent = letter(document, sender=service.mailer.sender, event_id=event_id, channel_id=channel.id, now=now)
    return await service.mailer.send(sent, to, marked)


def judged(webhook: Webhook, outcome: Outcome, attempt: int, now: datetime, chance: float) -> Verdict:
    """What becomes of a delivery after the `attempt`-th attempt; `chance` lies in [0, 1)."""
    if webhook.for_people:
        return judge_channel(webhook.format, outcome, attempt, now, chance)
    return judge(outcome, attempt, now, chance)


def attempt_of(webhook: Webhook, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """An attempt as it is kept; `at` is when its outcome was known. Of a channel with the platform's own code."""
    attempt = {
        "at": plain(now), "status_code": outcome.status, "error": outcome.failure, "latency_ms": outcome.latency_ms,
        "answer": outcome.answer,
    }  # fmt: skip
    if webhook.for_people:
        attempt["code"] = code_of(outcome) if webhook.format != ChannelKind.MAIL else None
        attempt["left"] = list(outcome.left)
    return attempt
