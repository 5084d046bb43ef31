"""Notices: those of the reader's scope, each with what may be done about it: sign for it, issue it, cancel it."""

from uuid import UUID

from fastapi import Response

from service.actions import items, names, notice_board
from service.actions.notice_board import Narrowed
from service.console import conduct, pages, paging
from service.console.forms import FORMS, Tried
from service.console.routing import Desk, Page
from service.console.visits import Visit
from service.errors import Refused
from service.workflow.states import NoticeState

PER_PAGE = 50
STATES = tuple(each.value for each in NoticeState)

router = Desk(Page)


@router.get("/console/notices")
async def listed(visit: Visit) -> Response:
    state = visit.query_params.get("state", "")
    narrowed = Narrowed(states=(state,) if state in STATES else ())
    before = paging.row(visit.query_params.get("after"), paging.NEWEST)
    rows = await notice_board.page(visit.service, visit.call, narrowed, before, PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    return pages.html(
        visit, "notices.html", rows=shown, state=state if state in STATES else "", states=STATES,
        units=await names.units_seen(visit.service, visit.call, {each.unit_id for each in shown}),
        next=str(shown[-1].id) if len(rows) > PER_PAGE else None,
    )  # fmt: skip


@router.get("/console/notices/{notice_id}")
async def read(visit: Visit, notice_id: UUID) -> Response:
    return await _show(visit, notice_id)


@router.post("/console/notices/{notice_id}/{deed}")
async def do(visit: Visit, notice_id: UUID, deed: str) -> Response:
    if deed not in ("receipt", "issue", "cancel"):
        raise Refused("not_found")
    try:
        await conduct.on_notice(visit, notice_id, FORMS[deed])
    except Refused as refused:
        return await _show(visit, notice_id, Tried.of(deed, await visit.sent(), refused))
    return visit.to(f"/notices/{notice_id}", done=deed)


async def _show(visit: Visit, notice_id: UUID, tried: Tried | None = None) -> Response:
    notice = await notice_board.read(visit.service, visit.call, notice_id)
    may = await notice_board.possible(visit.service, visit.call, notice)
    covered = await items.these(visit.service, visit.call, set(notice.item_ids))
    wanted = {notice.unit_id, notice.supervising_unit_id, *notice.copy_unit_ids}
    return pages.html(
        visit, "notice.html", 200 if tried is None else pages.status_of(tried.refused),
        notice=notice, covered=list(covered.values()),
        units=await names.units_seen(visit.service, visit.call, wanted),
        forms=[FORMS[name] for name in ("receipt", "issue", "cancel") if may[name] is None],
        tried=tried,
        tried_why=pages.reason(tried.refused, visit.tongue) if tried else "",
        tried_fields=pages.field_errors(tried.refused, visit.tongue) if tried else {},
    )  # fmt: skip
