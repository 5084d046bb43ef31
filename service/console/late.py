"""The work list: whatever is overdue in the reader's scope, most overdue first."""

from datetime import date

from fastapi import Response

from service.actions import names, overdue
from service.console import pages, paging
from service.console.routing import Desk, Page
from service.console.visits import Visit

PER_PAGE = 50
KINDS = ("item", "request", "interview", "receipt", "draft")

router = Desk(Page)


@router.get("/console/overdue")
async def listed(visit: Visit) -> Response:
    kinds = tuple(kind for kind in KINDS if kind in visit.query_params.getlist("kind"))
    begin = paging.place(visit.query_params.get("after"), paging.day_of) or (date.min, paging.OLDEST)
    rows = await overdue.page(visit.service, visit.call, kinds, begin, PER_PAGE + 1)
    shown = rows[:PER_PAGE]
    wanted = {each.view.item.responsible_unit_id for each in shown if each.view}
    wanted |= {each.notice.unit_id for each in shown if each.notice}
    return pages.html(
        visit, "overdue.html", rows=shown, kinds=KINDS, chosen=kinds,
        units=await names.units_seen(visit.service, visit.call, wanted),
        next=paging.written(shown[-1].due_on, shown[-1].ref) if len(rows) > PER_PAGE else None,
    )  # fmt: skip
