"""Webhooks of the reader's own platform (an admin sees all): their deliveries, and sending one again."""

from uuid import UUID

from fastapi import Response

from service.actions import deliveries, webhooks
from service.actions.deliveries import Again
from service.console import forms, pages, paging
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused, invalid
from service.workflow.webhooks import Status

PER_PAGE = 50
STATUSES = tuple(each.value for each in Status)

router = Desk(Page)


@router.get("/console/webhooks")
async def listed(visit: Visit) -> Response:
    after = paging.row(visit.query_params.get("after"), paging.OLDEST)
    rows = await webhooks.page(visit.service, visit.call, after, PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    return pages.html(
        visit, "webhooks.html", rows=shown, next=str(shown[-1].id) if len(rows) > PER_PAGE else None
    )  # fmt: skip


@router.get("/console/webhooks/{webhook_id}")
async def read(visit: Visit, webhook_id: UUID) -> Response:
    return await _show(visit, webhook_id)


@router.post("/console/webhooks/{webhook_id}/replay")
async def replay(visit: Visit, webhook_id: UUID) -> Response:
    try:
        given = (await visit.sent()).get("delivery_id", [""])[0]
        try:
            delivery_id = forms.last_id(given)
        except forms.Wrong as wrong:
            raise invalid(("/delivery_id", wrong.code)) from None
        again = Again(delivery_id, 0, None)
        await deliveries.replay(visit.service, await visit.keyed(webhook_id), webhook_id, again)
    except Refused as refused:
        return await _show(visit, webhook_id, refused)
    return visit.to(f"/webhooks/{webhook_id}", done="replay")


async def _show(visit: Visit, webhook_id: UUID, refused: Refused | None = None) -> Response:
    webhook = await webhooks.read(visit.service, visit.call, webhook_id)
    status = visit.query_params.get("status", "")
    wanted = status if status in STATUSES else None
    before = paging.row(visit.query_params.get("after"), paging.NEWEST)
    rows = await deliveries.page(visit.service, visit.call, webhook_id, wanted, before, PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    return pages.html(
        visit, "webhook.html", 200 if refused is None else pages.status_of(refused),
        webhook=webhook, rows=shown, status=wanted or "", statuses=STATUSES,
        refused=pages.reason(refused, visit.tongue) if refused else "",
        next=str(shown[-1].id) if len(rows) > PER_PAGE else None,
    )  # fmt: skip
