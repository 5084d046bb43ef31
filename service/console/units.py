"""Units as people type them: a code, an id, or the full name of one that they see."""

from uuid import UUID

from fastapi import Response

from service.actions import names, units
from service.actions.references import Named
from service.actions.units import Narrowed
from service.console import pages
from service.console.routing import Desk, Page
from service.console.visits import Visit

SUGGESTED = 20

router = Desk(Page)


@router.get("/console/units")
async def suggest(visit: Visit) -> Response:
    """Units whose name or code holds what was typed so far, for the console's own script."""
    typed = visit.query_params.get("q", "").strip()[:100]
    narrowed = Narrowed(active=True, q=typed or None)
    found = [] if "\x00" in typed else await units.page(visit.service, visit.call, narrowed, "", SUGGESTED)
    return pages.data({"units": [{"code": unit.code, "name": unit.name} for unit in found]})


async def named(visit: Visit, given: str | None, pointer: str) -> Named | None:
    """The unit that was meant. What is no name of a unit that the caller sees is taken for a code, or an id."""
    if given is None:
        return None
    found = await names.unit_named(visit.service, visit.call, given)
    if found is not None:
        return Named(found.id, pointer)
    try:
        return Named(UUID(given) if len(given) == 36 else given, pointer)
    except ValueError:
        return Named(given, pointer)
