"""Webhooks: the endpoints of a tenant, and how each of them fares."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, bindparam, delete, or_, select, update
from sqlmodel import Field, SQLModel

from service.store.base import insert_row, table
from service.store.database import Changes, Statement, Tx
from service.store.principals import PrincipalRow
from service.store.tenants import Tenant
from service.store.types import ONE, Instant, TextList, any_of, gate, texts
from service.workflow.webhooks import Webhook


class WebhookRow(SQLModel, table=True):
    __tablename__ = "webhooks"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["principals.tenant_id", "principals.id"]),
        ForeignKeyConstraint(["tenant_id", "unit_id"], ["units.tenant_id", "units.id"]),
        Index(None, "tenant_id", "owner_id", "id"),
        Index(None, "tenant_id", "unit_id"),
    )

    tenant_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    owner_id: UUID
    url: str = Field(max_length=2000)
    types: list[str] = Field(sa_type=TextList)
    unit_id: UUID | None
    format: str = Field(max_length=16)
    rate_limit: int | None
    enabled: bool
    disabled_reason: str | None = Field(max_length=16)
    secret_sealed: bytes = Field(sa_type=LargeBinary)
    old_secret_sealed: bytes | None = Field(sa_type=LargeBinary)
    old_secret_until: datetime | None = Field(sa_type=Instant)
    failures: int
    failing_since: datetime | None = Field(sa_type=Instant)
    failed_at: datetime | None = Field(sa_type=Instant)
    probe_at: datetime | None = Field(sa_type=Instant)
    version: int
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    locale: str | None = Field(max_length=8)
    paced_until: datetime | None = Field(sa_type=Instant)


webhooks = table(WebhookRow)
_tenants, _principals = table(Tenant), table(PrincipalRow)
_tenant = bindparam("tenant_id", type_=webhooks.c.tenant_id.type)
_id = bindparam("webhook_id", type_=webhooks.c.id.type)
_after = bindparam("after", type_=webhooks.c.id.type)
_names = tuple(Webhook.__dataclass_fields__)
COLUMNS = [webhooks.c[name] for name in _names]

FARING = ("failures", "failing_since", "failed_at", "probe_at")
CHANGEABLE = tuple(name for name in _names if name not in ("id", "owner_id", "created_at", "paced_until", *FARING))

INSERT = insert_row(WebhookRow)

_one = select(*COLUMNS).where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id)
BY_ID = Statement(_one)
HELD = Statement(_one.with_for_update(key_share=True))
"""Ours until the commit, as far as changing it goes; fanning out to it goes on."""

_page = select(*COLUMNS).where(
    webhooks.c.tenant_id == _tenant, webhooks.c.id > _after, any_of(webhooks.c.format, texts("formats"))
)
PAGE = Statement(_page.order_by(webhooks.c.id).limit(bindparam("limit")))
PAGE_OF_OWNER = Statement(
    _page.where(webhooks.c.owner_id == bindparam("owner_id", type_=webhooks.c.owner_id.type))
    .order_by(webhooks.c.id)
    .limit(bindparam("limit"))
)

# Held against being deleted only: what is fanned out to an endpoint must not be left behind when it goes.
LISTENING = Statement(
    select(*COLUMNS)
    .where(webhooks.c.tenant_id == _tenant, webhooks.c.enabled)
    .order_by(webhooks.c.id)
    .with_for_update(read=True, key_share=True)
)

OWNER = Statement(
    select(_principals.c.active, _tenants.c.timezone)
    .select_from(_principals.join(_tenants, _tenants.c.tenant_id == _principals.c.tenant_id))
    .where(
        _principals.c.tenant_id == _tenant,
        _principals.c.id == bindparam("principal_id", type_=_principals.c.id.type),
    )
)

_as_read = webhooks.c.version == bindparam("read_version", type_=webhooks.c.version.type)


def _updating(names: Iterable[str]) -> Statement:
    values = {name: bindparam(f"new_{name}", type_=webhooks.c[name].type) for name in names}
    return Statement(
        update(webhooks).where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id, _as_read).values(values)
    )


UPDATE, UPDATE_FARING = _updating(CHANGEABLE), _updating((*CHANGEABLE, *FARING))
"""Guards: the endpoint is still at the version that was read."""

FARE = Statement(
    update(webhooks)
    .where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id, gate())
    .values({name: bindparam(f"new_{name}", type_=webhooks.c[name].type) for name in FARING}),
    by_key=True,
)
RECOVER = Statement(
    update(webhooks)
    .where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id, webhooks.c.failures > 0, gate())
    .values(failures=0, failing_since=None, failed_at=None, probe_at=None)
)
"""Something arrived; it costs nothing where nothing had failed."""

_now = bindparam("now", type_=webhooks.c.probe_at.type)
PROBE = Statement(
    update(webhooks)
    .where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id, webhooks.c.probe_at <= _now, gate())
    .values(probe_at=bindparam("new_probe_at", type_=webhooks.c.probe_at.type))
    .returning(webhooks.c.id)
)
"""The right to try a paused endpoint once: of several who ask, one gets it."""

PACE = Statement(
    update(webhooks)
    .where(
        webhooks.c.tenant_id == _tenant,
        webhooks.c.id == _id,
        or_(webhooks.c.paced_until.is_(None), webhooks.c.paced_until <= _now),
        gate(),
    )
    .values(paced_until=bindparam("new_paced_until", type_=webhooks.c.paced_until.type))
    .returning(webhooks.c.id)
)
"""The right to send next where there is a pace to keep, a channel's or a limit: of several couriers, one gets it."""

REST = Statement(
    update(webhooks)
    .where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id, gate())
    .values(paced_until=bindparam("new_paced_until", type_=webhooks.c.paced_until.type)),
    by_key=True,
)
"""Leave it alone for a while: a channel whose robot said that it was too fast, an endpoint that has its share."""

_there = select(ONE).select_from(webhooks).where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id)
STANDS = Statement(_there.with_for_update(read=True, key_share=True))
"""A guard: until this transaction ends, the endpoint is not deleted."""

HOLD = Statement(_there.with_for_update())
DELETE = Statement(delete(webhooks).where(webhooks.c.tenant_id == _tenant, webhooks.c.id == _id))


def webhook_of(row: Any) -> Webhook:
    values = dict(zip(_names, row[: len(_names)], strict=True))
    old = values["old_secret_sealed"]
    return Webhook(
        **values
        | {
            "types": tuple(values["types"]),
            "secret_sealed": bytes(values["secret_sealed"]),
            "old_secret_sealed": None if old is None else bytes(old),
        }
    )


def params(tenant_id: UUID, webhook: Webhook) -> dict[str, Any]:
    return {"tenant_id": tenant_id, **{name: getattr(webhook, name) for name in _names}}


def change(changes: Changes, tenant_id: UUID, before: Webhook, after: Webhook, *, faring: bool) -> None:
    """Store an endpoint at its next version, as the guard of these changes.

    `faring`: also how it fares. That makes no version, so whoever does not mean to change it has perhaps read what
    couriers have overtaken by now.
    """
    values = {f"new_{name}": getattr(after, name) for name in (*CHANGEABLE, *FARING)}
    changes.guard(
        UPDATE_FARING if faring else UPDATE,
        tenant_id=tenant_id, webhook_id=before.id, read_version=before.version, **values,
    )  # fmt: skip


def faring(tenant_id: UUID, webhook: Webhook) -> dict[str, Any]:
    """The parameters of FARE."""
    return {
        "tenant_id": tenant_id, "webhook_id": webhook.id,
        **{f"new_{name}": getattr(webhook, name) for name in FARING},
    }  # fmt: skip


async def by_id(tx: Tx, tenant_id: UUID, webhook_id: UUID, *, hold: bool = False) -> Webhook | None:
    row = await tx.one(HELD if hold else BY_ID, tenant_id=tenant_id, webhook_id=webhook_id)
    return webhook_of(row) if row else None


async def page(
    tx: Tx, tenant_id: UUID, owner_id: UUID | None, formats: Iterable[str], after: UUID, limit: int
) -> list[Webhook]:
    """Oldest first, behind `after`; of one owner, or of all; of these formats only."""
    asked = {"tenant_id": tenant_id, "formats": list(formats), "after": after, "limit": limit}
    if owner_id is None:
        rows = await tx.all(PAGE, **asked)
    else:
        rows = await tx.all(PAGE_OF_OWNER, **asked, owner_id=owner_id)
    return [webhook_of(row) for row in rows]


async def listening(tx: Tx, tenant_id: UUID) -> list[Webhook]:
    """The enabled endpoints of a tenant, held against being deleted where the action runs `contended`."""
    return [webhook_of(row) for row in await tx.all(LISTENING, tenant_id=tenant_id)]


async def owner(tx: Tx, tenant_id: UUID, principal_id: UUID) -> tuple[bool, ZoneInfo] | None:
    """Whether an owner is active, and its tenant's time zone."""
    row = await tx.one(OWNER, tenant_id=tenant_id, principal_id=principal_id)
    return (row[0], ZoneInfo(row[1])) if row else None


async def probe(tx: Tx, tenant_id: UUID, webhook_id: UUID, now: datetime, until: datetime) -> bool:
    """Take the right to try a paused endpoint; nobody else gets it before `until`. A write of its own."""
    row = await tx.one(PROBE, tenant_id=tenant_id, webhook_id=webhook_id, now=now, new_probe_at=until)
    return row is not None


async def pace(tx: Tx, tenant_id: UUID, webhook_id: UUID, now: datetime, until: datetime) -> bool:
    """Take the right to send next where there is a pace; nobody else gets it before `until`. A write of its own."""
    row = await tx.one(PACE, tenant_id=tenant_id, webhook_id=webhook_id, now=now, new_paced_until=until)
    return row is not None
