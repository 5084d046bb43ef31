"""Publishing a month's figures, and reading what was published, with what was corrected since beside it."""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from pydantic_core import from_json

from service.actions import references
from service.actions.record import signed, standing
from service.actions.references import Named
from service.actions.service import Call, Replay, Service, new_id
from service.actions.statistics import Asked, Table, table_of
from service.errors import Refused, forbidden, invalid
from service.outside import month_sheet
from service.store import ledgers, reports, units
from service.store.database import Changes, Duplicate, Tx
from service.workflow import reports as rules
from service.workflow.deadlines import start_of
from service.workflow.merkle import HASHINGS
from service.workflow.organisation import Ledger
from service.workflow.permissions import holds
from service.workflow.reports import Difference, Report
from service.workflow.summing import Period, end_of, next_month

LAST = (date.max, UUID(int=2**128 - 1))
"""Behind every report: where the first page begins."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """What has become of a report's figures by `position`."""

    position: int
    rows: list[Difference]
    total: dict[str, tuple[Any, Any]]


async def publish(service: Service, call: Call, month: date, unit: Named, ledger: Named | None) -> Report | Replay:
    """Freeze a month's figures of a unit and those right below it, of one ledger or of all.

    Refuses `invalid_request` for an unknown unit or ledger and for a month that is not over (in_future), `forbidden`,
    `conflict` where it is published already, `not_found` for a replay out of scope, `unavailable` while figures are
    counted anew, or clock and log have not come to the month's end.
    """
    if end_of(month) >= call.today:
        raise invalid(("/month", "in_future"))

    async def replayed(tx: Tx) -> Replay | None:
        replay = await call.replayed(tx)
        if replay is not None and replay.answer.subject_id is not None:
            await _known(tx, call, replay.answer.subject_id)
        return replay

    async def freeze(tx: Tx) -> tuple[Report, bytes] | Replay:
        again = await replayed(tx)
        if again is not None:
            return again
        line = (await references.find_units(tx, call.tenant_id, [unit.ref], inactive=True)).line_in(unit, call.scope)
        # What is published is about all that lies below, too.
        if not holds((grant for grant in call.grants if grant.subtree), "figures:publish", line):
            raise forbidden("figures")
        about = await references.find_ledger(tx, call, ledger) if ledger is not None else None
        if await reports.behind(tx, call.tenant_id, start_of(next_month(month), call.tz)):
            raise Refused("unavailable", "month_not_counted")
        asked = _asked(month, unit, ledger)
        table = await table_of(tx, call, asked, "unit")
        (whose,) = await units.some(tx, call.tenant_id, [line[0]])
        document = rules.document(
            month=month, timezone=call.tz.key, unit=whose, ledger=about, counted=await _counted(tx, call, asked),
            rows=[row.told() for row in table.rows], total=table.total,
        )  # fmt: skip
        head, key = await standing(service, tx, call.tenant_id)
        report = Report(
            id=new_id(), month=month, unit_id=line[0], ledger_id=about.id if about else None,
            published_at=call.now, published_by=call.caller.principal_id, position=head.size,
            checkpoint=signed(service, call.tenant_id, head, key, call.now),
            digest=HASHINGS[head.hashing].digest(document).hex(),
        )  # fmt: skip
        return report, document

    async def action(tx: Tx) -> Report | Replay:
        again = await replayed(tx)
        if again is not None:
            return again
        changes = Changes()
        reports.publish(changes, call.tenant_id, report, document)
        call.write_down(changes, [rules.published(report)])
        call.record(changes, report)
        await tx.apply(changes)
        return report

    # Figures, policies and the head of the log are of one moment; what comes later is a correction.
    frozen = await service.read(freeze, varied=True, whole=True)
    if isinstance(frozen, Replay):
        return frozen
    report, document = frozen
    try:
        return await service.write(call, action)
    except Duplicate as duplicate:
        if duplicate.constraint != "uq_reports_month":
            raise
        raise Refused("conflict", "published") from None


def _asked(month: date, unit: Named, ledger: Named | None) -> Asked:
    return Asked(period=Period(month, end_of(month)), unit=unit, ledgers=(ledger,) if ledger is not None else ())


async def _counted(tx: Tx, call: Call, asked: Asked) -> list[Ledger]:
    """The ledgers that have anything in the month, by code."""
    by_ledger: Table = await table_of(tx, call, asked, "ledger")
    found = [await ledgers.by_id(tx, call.tenant_id, UUID(str(row.key))) for row in by_ledger.rows]
    return [ledger for ledger in found if ledger is not None]


async def page(
    service: Service, call: Call, month: date | None, unit: Named | None, ledger: Named | None,
    before: tuple[date, UUID], limit: int,
) -> list[Report]:  # fmt: skip
    """Reports of units in the caller's scope, newest month first. Refuses `invalid_request` for unknown references."""

    async def action(tx: Tx) -> list[Report]:
        narrowed: dict[str, Any] = {"month": month} if month is not None else {}
        if unit is not None:
            known = await references.find_units(tx, call.tenant_id, [unit.ref], inactive=True)
            narrowed["unit_id"] = known.line_in(unit, call.scope)[0]
        if ledger is not None:
            narrowed["ledger_id"] = (await references.find_ledger(tx, call, ledger)).id
        return await reports.page(tx, call.tenant_id, call.scope, narrowed, before, limit)

    return await service.read(action)


async def read(service: Service, call: Call, report_id: UUID) -> tuple[Report, bytes]:
    """A report and its document, byte for byte as it was published. Refuses `not_found`."""

    async def action(tx: Tx) -> tuple[Report, bytes]:
        return await _known(tx, call, report_id)

    return await service.read(action)


async def workbook(service: Service, call: Call, report_id: UUID) -> tuple[str, bytes]:
    """A report as a workbook, with its title. Refuses `not_found`."""
    report, document = await read(service, call, report_id)
    told = from_json(document)
    published = report.published_at.astimezone(call.tz)
    notes = [
        f"公布时间：{published:%Y-%m-%d %H:%M}；计至纪实日志第 {report.position} 条",
        f"摘要：{report.digest}",
    ]
    async with service.writers:
        return month_sheet.title_of(told), await asyncio.to_thread(month_sheet.workbook, told, notes)


async def corrections(service: Service, call: Call, report_id: UUID) -> Corrections:
    """What is counted otherwise by now. Refuses `not_found`, `unavailable` while figures are counted anew."""

    async def action(tx: Tx) -> Corrections:
        report, document = await _known(tx, call, report_id)
        then = from_json(document)
        ledger = Named(report.ledger_id, "") if report.ledger_id is not None else None
        now = await table_of(tx, call, _asked(report.month, Named(report.unit_id, ""), ledger), "unit")
        names = rules.defined_in(then)
        return Corrections(
            now.position,
            rules.differences(names, then["rows"], [row.told() for row in now.rows]),
            rules.changed_figures(names, then["total"], now.total),
        )

    return await service.read(action, varied=True, whole=True)


async def _known(tx: Tx, call: Call, report_id: UUID) -> tuple[Report, bytes]:
    found = await reports.by_id(tx, call.tenant_id, report_id, call.scope)
    if found is None:
        raise Refused("not_found")
    return found
