"""Requests: those that wait for a decision, each with the forms to decide it or to take it back."""

from datetime import date
from uuid import UUID

from fastapi import Response

from service.actions import attachments, deeds, items, names, requests
from service.console import conduct, pages, paging
from service.console.forms import FORMS, Form, Tried
from service.console.paging import NEWEST, OLDEST
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused
from service.workflow.requests import Request
from service.workflow.states import RequestKind, RequestStatus, State

PER_PAGE = 50
AT_ONCE = 200

router = Desk(Page)


@router.get("/console/requests")
async def inbox(visit: Visit) -> Response:
    past = visit.query_params.get("status") == "past"
    given = visit.query_params.get("after")
    if past:
        ended = tuple(each.value for each in RequestStatus if each != RequestStatus.PENDING)
        rows = await requests.past(visit.service, visit.call, ended, paging.row(given, NEWEST), PER_PAGE + 1)
    else:
        begin = paging.place(given, paging.day_of) or (date.min, OLDEST)
        rows = await requests.inbox(visit.service, visit.call, None, begin, PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    last = shown[-1] if len(rows) > PER_PAGE else None
    about = await items.these(visit.service, visit.call, {each.item_id for each in shown})
    wanted = {view.item.responsible_unit_id for view in about.values()}
    wanted |= {each.responsible_unit_id for each in shown if each.responsible_unit_id}
    return pages.html(
        visit, "requests.html", rows=shown, about=about, past=past,
        units=await names.units_seen(visit.service, visit.call, wanted),
        next=None if last is None else str(last.id) if past else paging.written(last.decide_due, last.id),
    )  # fmt: skip


@router.get("/console/requests/{request_id}")
async def read(visit: Visit, request_id: UUID) -> Response:
    return await _show(visit, request_id)


@router.post("/console/requests/{request_id}/{deed}")
async def decide(visit: Visit, request_id: UUID, deed: str) -> Response:
    asked = await requests.read(visit.service, visit.call, request_id)
    if deed not in (f"approve-{asked.kind}", "return", "withdraw"):
        raise Refused("not_found")
    try:
        await conduct.on_request(visit, request_id, FORMS[deed])
    except Refused as refused:
        return await _show(visit, request_id, Tried.of(deed, await visit.sent(), refused))
    return visit.to(f"/items/{asked.item_id}", done=deed)


async def _show(visit: Visit, request_id: UUID, tried: Tried | None = None) -> Response:
    asked = await requests.read(visit.service, visit.call, request_id)
    view = await items.read(visit.service, visit.call, asked.item_id)
    may = await deeds.of_item(visit.service, visit.call, asked.item_id)
    wanted = {view.item.responsible_unit_id, view.item.supervising_unit_id}
    if asked.responsible_unit_id:
        wanted.add(asked.responsible_unit_id)
    pending = asked.status == RequestStatus.PENDING
    hung = await attachments.of_item(visit.service, visit.call, asked.item_id, UUID(int=0), AT_ONCE)
    decides = pending and may.others[deeds.DECIDE] is None
    withdraws = pending and may.others[deeds.WITHDRAW] is None
    return pages.html(
        visit, "request.html", 200 if tried is None else pages.status_of(tried.refused),
        asked=asked, view=view, item=view.item,
        units=await names.units_seen(visit.service, visit.call, wanted),
        approval=_approval(asked, view.item.state) if decides else None,
        returning=FORMS["return"] if decides else None,
        withdrawal=FORMS["withdraw"] if withdraws else None,
        defaults=_defaults(asked),
        files=[each for each in hung if each.hangs_on_id == asked.id],
        own=asked.requested_by == visit.call.caller.principal_id,
        tried=tried,
        tried_why=pages.reason(tried.refused, visit.tongue) if tried else "",
        tried_fields=pages.field_errors(tried.refused, visit.tongue) if tried else {},
    )  # fmt: skip


def _approval(asked: Request, state: str) -> Form:
    form = FORMS[f"approve-{asked.kind}"]
    fields = tuple(each for each in form.fields if each.name != "waive_interview" or state == State.ESCALATED)
    return Form(form.name, fields, form.grave)


def _defaults(asked: Request) -> dict[str, str]:
    """What was asked for stands in the form until the decider writes something else."""
    if asked.kind == RequestKind.EXTENSION and asked.due_on:
        return {"due_on": asked.due_on.isoformat()}
    return {}
