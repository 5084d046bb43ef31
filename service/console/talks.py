"""Interviews: those still to be held first, each with the forms to schedule it and to put it on record."""

from uuid import UUID

from fastapi import Response

from service.actions import deeds, interviews, items, names
from service.console import conduct, pages, paging
from service.console.forms import FORMS, Tried
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused
from service.workflow.states import InterviewState

PER_PAGE = 50
TO_HOLD = (InterviewState.PENDING.value, InterviewState.SCHEDULED.value)

router = Desk(Page)


@router.get("/console/interviews")
async def listed(visit: Visit) -> Response:
    past = visit.query_params.get("status") == "past"
    states = tuple(each.value for each in InterviewState if (each in TO_HOLD) != past)
    before = paging.row(visit.query_params.get("after"), paging.NEWEST)
    rows = await interviews.page(visit.service, visit.call, states, before, PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    return pages.html(
        visit, "interviews.html", rows=shown, past=past,
        about=await items.these(visit.service, visit.call, {each.item_id for each in shown}),
        units=await names.units_seen(visit.service, visit.call, {each.unit_id for each in shown}),
        next=str(shown[-1].id) if len(rows) > PER_PAGE else None,
    )  # fmt: skip


@router.get("/console/interviews/{interview_id}")
async def read(visit: Visit, interview_id: UUID) -> Response:
    return await _show(visit, interview_id)


@router.post("/console/interviews/{interview_id}/{deed}")
async def do(visit: Visit, interview_id: UUID, deed: str) -> Response:
    if deed not in ("schedule", "record"):
        raise Refused("not_found")
    try:
        await conduct.on_interview(visit, interview_id, FORMS[deed])
    except Refused as refused:
        return await _show(visit, interview_id, Tried.of(deed, await visit.sent(), refused))
    return visit.to(f"/interviews/{interview_id}", done=deed)


async def _show(visit: Visit, interview_id: UUID, tried: Tried | None = None) -> Response:
    talk = await interviews.read(visit.service, visit.call, interview_id)
    view = await items.read(visit.service, visit.call, talk.item_id)
    may = await deeds.of_item(visit.service, visit.call, talk.item_id)
    open_still = talk.state in TO_HOLD and may.others[deeds.INTERVIEW] is None
    return pages.html(
        visit, "interview.html", 200 if tried is None else pages.status_of(tried.refused),
        talk=talk, view=view, item=view.item,
        units=await names.units_seen(visit.service, visit.call, {talk.unit_id}),
        forms=[FORMS["schedule"], FORMS["record"]] if open_still else [],
        tried=tried,
        tried_why=pages.reason(tried.refused, visit.tongue) if tried else "",
        tried_fields=pages.field_errors(tried.refused, visit.tongue) if tried else {},
    )  # fmt: skip
