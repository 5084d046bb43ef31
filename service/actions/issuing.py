"""Writing notices: their numbers, their items, and who is to sign for them, in the transaction that they come from."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from service.actions.entries import Entry
from service.actions.service import Call, new_id
from service.store import counters, ledgers, notices, worklist
from service.store.database import Changes, Tx
from service.workflow import clock_events
from service.workflow.notices import Notice, Numbered, due_day, issued
from service.workflow.policy import Policy
from service.workflow.states import NoticeKind, NoticeState


@dataclass(slots=True)
class Sheet:
    """A notice in the making. `entries` are the items that it covers, all of one ledger and unit."""

    ledger_id: UUID
    kind: str
    unit_id: UUID
    supervising_unit_id: UUID
    policy: Policy
    draft: bool = False
    text: str | None = None
    reply_by: date | None = None
    copy_unit_ids: dict[UUID, None] = field(default_factory=dict)
    rungs: dict[str, None] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    id: UUID = field(default_factory=new_id)

    @classmethod
    def about(cls, entry: Entry, kind: str, *, draft: bool = False) -> "Sheet":
        """A notice to the unit that is responsible for an item, which it is yet to cover."""
        item = entry.after
        return cls(item.ledger_id, kind, item.responsible_unit_id, item.supervising_unit_id, entry.policy, draft)

    def cover(self, entry: Entry, rung: str | None = None, copies: Iterable[UUID] = ()) -> None:
        if not self.entries or self.entries[-1] is not entry:
            self.entries.append(entry)
        if rung is not None:
            self.rungs[rung] = None
        self.copy_unit_ids |= dict.fromkeys(unit for unit in copies if unit != self.unit_id)


async def issue(tx: Tx, changes: Changes, call: Call, sheets: list[Sheet]) -> list[Notice]:
    """Store the notices and write of each in its items. The tree is held, and the transaction `locking`."""
    if not sheets:
        return []
    codes = {}
    for ledger_id in sorted({sheet.ledger_id for sheet in sheets}):
        ledger = await ledgers.by_id(tx, call.tenant_id, ledger_id)
        if ledger is None:
            raise LookupError(f"ledger {ledger_id} is gone")
        codes[ledger_id] = ledger.code
    numbers = await _numbers(tx, call, [(sheet.ledger_id, sheet.kind) for sheet in sheets if _numbered(sheet)])
    made = []
    for sheet in sheets:
        notice = _blank(call, sheet)
        if not sheet.draft:
            notice = issued(
                notice, sheet.policy, call.calendar, ledger=codes[sheet.ledger_id],
                numbered=next(numbers[sheet.ledger_id, sheet.kind]) if _numbered(sheet) else None,
                today=call.today, now=call.now, reply_by=sheet.reply_by,
            )  # fmt: skip
        changes.add(notices.INSERT, **notices.params(call.tenant_id, notice))
        changes.many(notices.INSERT_ITEM, notices.items_params(call.tenant_id, notice))
        changes.add(worklist.DERIVE, **work(call, notice))
        for entry in sheet.entries:
            entry.change({}, clock_events.notice_made(entry.after, notice))
        made.append(notice)
    return made


def _numbered(sheet: Sheet) -> bool:
    return not sheet.draft and sheet.kind != NoticeKind.REMINDER


async def number(tx: Tx, call: Call, ledger_id: UUID, kind: str) -> Numbered:
    """The next number of a ledger's notices of a kind in the year of issue."""
    return next((await _numbers(tx, call, [(ledger_id, kind)]))[ledger_id, kind])


async def _numbers(tx: Tx, call: Call, wanted: list[tuple[UUID, str]]) -> dict[tuple[UUID, str], Iterator[Numbered]]:
    """Numbers without a gap, counters in the order of their keys: so no two transactions wait for each other."""
    given = {}
    for (ledger_id, kind), count in sorted(Counter(wanted).items()):
        year = call.today.year
        first = await counters.give(tx, call.tenant_id, ledger_id, kind, year, count)
        given[ledger_id, kind] = iter([Numbered(year, seq) for seq in range(first, first + count)])
    return given


def _blank(call: Call, sheet: Sheet) -> Notice:
    return Notice(
        id=sheet.id,
        ledger_id=sheet.ledger_id,
        kind=sheet.kind,
        state=NoticeState.DRAFT.value,
        number=None,
        year=None,
        seq=None,
        unit_id=sheet.unit_id,
        supervising_unit_id=sheet.supervising_unit_id,
        copy_unit_ids=tuple(sheet.copy_unit_ids),
        item_ids=tuple(entry.read.id for entry in sheet.entries),
        rungs=tuple(sheet.rungs),
        text=sheet.text,
        issued_by=call.actor.principal_id,
        issuer=call.actor.name,
        created_at=call.now,
        reply_by=sheet.reply_by,
    )


def work(call: Call, notice: Notice) -> dict[str, object]:
    """The notice's place in the work lists of those above its units."""
    return worklist.derive(
        tenant_id=call.tenant_id,
        ref=notice.id,
        item_id=None,
        kind=work_kind(notice),
        due=due_day(notice, call.today),
        responsible=notice.unit_id,
        supervising=notice.supervising_unit_id,
        co_units=list(notice.copy_unit_ids),
    )


def work_kind(notice: Notice) -> str:
    if notice.state == NoticeState.DRAFT:
        return worklist.DRAFT
    return worklist.RECEIPT if notice.awaits_receipt else worklist.FILED
