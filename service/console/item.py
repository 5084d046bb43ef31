"""The page of an item: what it is, how it stands, what happened to it, and what its reader may do now."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from fastapi import Response

from service.actions import (
    attachments,
    deadline,
    deeds,
    interviews,
    items,
    ledgers,
    names,
    notice_board,
    progress,
    requests,
)
from service.actions.deeds import Deeds
from service.actions.notice_board import Narrowed
from service.console import conduct, pages, timeline
from service.console.forms import FORMS, Form, Tried
from service.console.paging import NEWEST, pair
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused
from service.workflow.attachments import Attachment
from service.workflow.items import Item
from service.workflow.states import RequestStatus, State
from service.workflow.views import ItemView

AT_ONCE = 200

NATURAL = ("claim", "resume", "request-closure", "close", "reopen", "progress")
"""What usually comes next; the first of these that is allowed stands out."""

router = Desk(Page)


@dataclass(frozen=True, slots=True)
class Offer:
    """A deed with its form; `why` says what stands against it now, None where nothing does."""

    form: Form
    why: str | None
    hidden: dict[str, str]


@router.get("/console/items/{item_id}")
async def read(visit: Visit, item_id: UUID) -> Response:
    return await show(visit, item_id)


@router.post("/console/items/{item_id}/{deed}")
async def do(visit: Visit, item_id: UUID, deed: str) -> Response:
    if deed not in conduct.ON_ITEMS:
        raise Refused("not_found")
    try:
        await conduct.on_item(visit, item_id, FORMS[deed])
    except Refused as refused:
        return await show(visit, item_id, Tried.of(deed, await visit.sent(), refused))
    return visit.to(f"/items/{item_id}", done=deed)


async def show(visit: Visit, item_id: UUID, tried: Tried | None = None) -> Response:
    service, call = visit.service, visit.call
    view = await items.read(service, call, item_id)
    item = view.item
    may = await deeds.of_item(service, call, item_id)
    after = pair(visit.query_params.get("after"))
    told = await items.history(service, call, item_id, after, AT_ONCE + 1)
    asked = await requests.of_item(service, call, item_id, UUID(int=0), AT_ONCE)
    hung = await attachments.of_item(service, call, item_id, UUID(int=0), AT_ONCE)
    papers = await notice_board.page(service, call, Narrowed(item_id=item_id), NEWEST, AT_ONCE)
    talk = await interviews.read(service, call, item.interview_id) if item.interview_id else None
    concerned = {item.responsible_unit_id, item.supervising_unit_id, *item.co_unit_ids}
    concerned |= timeline.units_in(event for _, event in told)
    concerned |= {each.responsible_unit_id for each in asked if each.responsible_unit_id}
    called = await names.units_seen(service, call, concerned)
    context = pages.speaker(visit)
    offers = list(_offers(visit, view, may))
    allowed = {offer.form.name for offer in offers if offer.why is None}
    status = 200 if tried is None else pages.status_of(tried.refused)
    return pages.html(
        visit,
        "item.html",
        status,
        view=view,
        item=item,
        ledger=await ledgers.read(service, call, item.ledger_id),
        units=called,
        told=await deadline.explained(service, call, item_id),
        offers=offers,
        next_deed=next((name for name in NATURAL if name in allowed), None),
        tried=tried,
        tried_why=pages.reason(tried.refused, visit.tongue) if tried else "",
        tried_fields=pages.field_errors(tried.refused, visit.tongue) if tried else {},
        entries=await progress.page(service, call, item_id, UUID(int=0), AT_ONCE),
        requests=asked,
        files=_by_place(hung),
        notices=papers,
        talk=talk,
        may_withdraw=may.others[deeds.WITHDRAW] is None,
        may_decide=may.others[deeds.DECIDE] is None,
        timeline=[timeline.entry(event, context, called) for _, event in told[:AT_ONCE]],
        more=f"{told[AT_ONCE - 1][0][0]}.{told[AT_ONCE - 1][0][1]}" if len(told) > AT_ONCE else None,
        later=after != (0, 0),
        pending=RequestStatus.PENDING,
    )


def _by_place(hung: Iterable[Attachment]) -> dict[UUID | None, list[Attachment]]:
    """What hangs on the item, by the entry or request that it hangs on; None for reviews."""
    found: dict[UUID | None, list[Attachment]] = {}
    for each in hung:
        found.setdefault(each.hangs_on_id, []).append(each)
    return found


def _offers(visit: Visit, view: ItemView, may: Deeds) -> Iterable[Offer]:
    """Every deed in the order in which an item's life asks for them; what is not allowed says why."""
    judged: dict[str, Refused | None] = {
        **may.triggers,
        **{f"request-{kind}": refused for kind, refused in may.requests.items()},
        "progress": may.others[deeds.PROGRESS],
        "review": may.others[deeds.REVIEW],
        "notice": may.others[deeds.NOTICE],
    }
    version = {"version": str(view.item.version)}
    for name in conduct.ON_ITEMS:
        refused = judged[name]
        yield Offer(
            _fitting(FORMS[name], view.item),
            pages.reason(refused, visit.tongue) if refused else None,
            version if name in may.triggers else {},
        )


def _fitting(form: Form, item: Item) -> Form:
    """The form without what this item has no use for."""
    useless = set()
    if form.name == "close" and item.state != State.ESCALATED:
        useless.add("waive_interview")
    if form.name == "resume" and item.claimed_at is not None:
        useless.add("signed_by")
    return Form(form.name, tuple(each for each in form.fields if each.name not in useless), form.grave)
