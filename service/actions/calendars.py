"""The tenant's own tables of working days and days off, a year each."""

from service.actions import references
from service.actions.service import Call, Service, new_id
from service.errors import Refused, forbidden
from service.store import calendars, replans, tenants
from service.store.database import Changes, Tx
from service.workflow import organisation_events
from service.workflow.calendar import KeptYear, YearTable
from service.workflow.permissions import holds_anywhere


async def read(service: Service, call: Call, year: int) -> KeptYear:
    """Every principal that holds any grant reads the calendar. Refuses `not_found`."""

    async def action(tx: Tx) -> KeptYear:
        if not call.grants:
            raise Refused("not_found")
        return await calendars.by_year(tx, call.tenant_id, year)

    return await service.read(action)


async def put(service: Service, call: Call, year: int, table: YearTable, if_version: int | None) -> KeptYear:
    """Make `table` the whole table of `year`; every open item is then planned anew. The same again changes nothing.

    Refuses `not_found`, `forbidden`, `stale_version`.
    """

    async def action(tx: Tx) -> KeptYear:
        if not call.grants:
            raise Refused("not_found")
        if not holds_anywhere(call.grants, "calendar:write"):
            raise forbidden()
        if tx.contended:
            await tx.lock(tenants.EPOCH, tenant_id=call.tenant_id)
        # The epoch first: what is read after it is of this epoch, or the guard finds another.
        epoch = await tx.one(tenants.EPOCH, tenant_id=call.tenant_id)
        before = await calendars.by_year(tx, call.tenant_id, year)
        if if_version is not None and if_version != before.version:
            raise Refused("stale_version")
        if table == before.table:
            return before
        after = KeptYear(year, table, before.version + 1)
        root = await references.find_units(tx, call.tenant_id, ["root"])
        changes = Changes()
        changes.guard(tenants.RAISE_EPOCH, tenant_id=call.tenant_id, read_epoch=epoch[0] if epoch else 0)
        if before.version:
            changes.add(calendars.UPDATE, **calendars.changed(call.tenant_id, after, call.now))
        else:
            changes.add(calendars.INSERT, **calendars.params(call.tenant_id, after, call.now))
        changes.add(replans.INSERT, **replans.first(call.tenant_id, new_id(), None, call.now))
        call.write_down(changes, [organisation_events.calendar_updated(after, root.by_ref["root"])])
        await tx.apply(changes)
        return after

    return await service.write(call, action)
