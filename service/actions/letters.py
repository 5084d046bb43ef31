"""Printed notices: the letter of a notice, as it was issued, for whoever sees the notice."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from service.actions import notice_board
from service.actions.deadline import MOVES_SHOWN, MOVING
from service.actions.service import Call, Service
from service.errors import Refused
from service.outside.letters import Format, NoFont, Overrun, TemplateFault
from service.store import events, interviews, ledgers, units
from service.store import items as item_store
from service.store.database import Tx
from service.workflow.items import Item
from service.workflow.notice_letters import Facts, chinese, compose
from service.workflow.notices import Notice
from service.workflow.policy import Policy

DAYS = frozenset({"due_on", "review_on"})
DEADLINE = ("deadline_kind", *DAYS)


async def print_notice(service: Service, call: Call, notice_id: UUID, format: Format) -> tuple[Notice, bytes]:
    """The letter of a notice. Refuses `not_found`, `printing_unavailable` (no_font, template), `unavailable`."""

    async def action(tx: Tx) -> Facts:
        whole = await notice_board.find(tx, call, notice_id)
        (seen,) = await notice_board.as_seen(tx, call, [whole])
        return await _facts(tx, call, whole, seen)

    facts = await service.read(action, whole=True)
    return facts.notice, await set_in_type(service, facts.notice.kind, format, compose(facts).to_dict())


async def set_in_type(service: Service, kind: str, format: Format, content: dict[str, object]) -> bytes:
    """A document of a kind. Refuses `printing_unavailable` and `unavailable`."""
    try:
        async with service.writers:
            return await service.letters.render(kind, format, content)
    except NoFont:
        raise Refused("printing_unavailable", "no_font") from None
    except TemplateFault as fault:
        where = {"template": fault.name, "line": fault.line, "fault": fault.kind}
        raise Refused("printing_unavailable", "template", where) from None
    except Overrun:
        raise Refused("printing_unavailable", "overrun") from None


async def _facts(tx: Tx, call: Call, notice: Notice, seen: Notice) -> Facts:
    ledger = await ledgers.by_id(tx, call.tenant_id, notice.ledger_id)
    if ledger is None:
        raise Refused("not_found")
    wanted = {notice.unit_id, notice.supervising_unit_id, *notice.copy_unit_ids}
    names = {unit.id: unit.name for unit in await units.some(tx, call.tenant_id, wanted)}
    found = {item.id: item for item in await item_store.these(tx, call.tenant_id, seen.item_ids)}
    items = [found[item_id] for item_id in seen.item_ids if item_id in found]
    days = {
        name: chinese(_day(call, at))
        for name, at in (
            ("issued", notice.issued_at), ("receipted", notice.receipt_at), ("cancelled", notice.cancelled_at),
        )
        if at is not None
    }  # fmt: skip
    return Facts(
        notice=notice,
        ledger=f"《{ledger.name}》",
        unit=names[notice.unit_id],
        organ=names[notice.supervising_unit_id],
        copies=[names[unit] for unit in notice.copy_unit_ids if unit in names],
        items=[await _as_issued(tx, call, item, notice.issued_at) for item in items],
        anchors=_anchors(ledgers.remember(call.tenant_id, ledger), notice),
        days=days,
        meeting=await _meeting(tx, call, notice, items),
    )


def _day(call: Call, at: datetime) -> date:
    return at.astimezone(call.tz).date()


def _anchors(policy: Policy, notice: Notice) -> frozenset[str]:
    """What the rungs that the notice comes from are counted from, as far as the policy still has them."""
    return frozenset(rung.anchor for rung in policy.ladder if rung.code in notice.rungs)


async def _as_issued(tx: Tx, call: Call, item: Item, at: datetime | None) -> Item:
    """The item with the deadline that it had then: a letter does not change when the deadline does."""
    if at is None or item.updated_at <= at:
        return item
    told = await events.newest(tx, call.tenant_id, item.id, MOVING, MOVES_SHOWN)
    for event in reversed(told):
        if datetime.fromisoformat(event["at"]) <= at:
            break
        changed = event["data"].get("changes", {})
        before: dict[str, Any] = {name: changed[name]["before"] for name in DEADLINE if name in changed}
        for name in DAYS & before.keys():
            before[name] = date.fromisoformat(before[name]) if before[name] else None
        item = replace(item, **before)
    return item


async def _meeting(tx: Tx, call: Call, notice: Notice, items: list[Item]) -> str | None:
    """When and where the talk is, once that is settled."""
    wanted = [item.interview_id for item in items if item.interview_id is not None]
    found = await interviews.by_ids(tx, call.tenant_id, wanted) if wanted else {}
    for each in found.values():
        if each.notice_id == notice.id and each.scheduled_at is not None:
            at = each.scheduled_at.astimezone(call.tz)
            where = f"，地点：{each.place}" if each.place else ""
            return f"约谈时间：{chinese(at.date())}{at:%H:%M}{where}。"
    return None
