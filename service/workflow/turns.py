"""A turn: one event at work on what is kept of its item. What may begin, end, fall due or be taken back with it.

Which event does what stands in counting.py. Days are ordinals here, as they are kept.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from service.workflow.figures import METRICS, OVERDUE, RECTIFYING, Lasting, Metric
from service.workflow.kept import Entry, Kept


@dataclass(frozen=True, slots=True)
class Delta:
    """One count more, or less, on a day. Ids as text.

    `since` is the day of the one before it in the same stretch, or of the beginning of what it ends. `days` are those
    that a closing took.
    """

    metric: Metric
    day: date
    unit_id: str
    ledger_id: str
    severity: str
    source: str
    cycle: int
    count: int
    since: date | None
    days: int


class Turn:
    """`day` is the tenant's day of the event."""

    __slots__ = ("day", "deltas", "kept")

    def __init__(self, kept: Kept, day: int) -> None:
        self.kept = kept
        self.day = day
        self.deltas: list[Delta] = []

    # -- counts

    def add(self, metric: Metric, day: int, count: int = 1, *, since: int | None = None, days: int = 0) -> None:
        unit = len(self.kept.units) - 1
        self._write((_PLACES[metric], day, unit, self.kept.cycle, since or 0, days), count)

    def _write(self, entry: Entry, count: int) -> None:
        kept = self.kept
        metric, day, unit, cycle, since, days = entry
        kept.counted.append([*entry, count])
        self.deltas.append(
            Delta(
                METRICS[metric], date.fromordinal(day), kept.units[unit], kept.ledger_id, kept.severity, kept.source,
                cycle, count, date.fromordinal(since) if since else None, days,
            )
        )  # fmt: skip

    def take_back(self) -> list[tuple[Entry, int]]:
        """Undo all that the item has counted in; what that was."""
        net: Counter[Entry] = Counter()
        for metric, day, unit, cycle, since, days, count in self.kept.counted:
            net[metric, day, unit, cycle, since, days] += count
        counted = [(entry, count) for entry, count in net.items() if count]
        for entry, count in counted:
            self._write(entry, -count)
        self.kept.counted = []
        return counted

    def refile(self, severity: str, source: str) -> None:
        """The item was always what it is now corrected to be."""
        counted = self.take_back()
        self.kept.severity, self.kept.source = severity, source
        for entry, count in counted:
            self._write(entry, count)

    # -- deadlines

    def settle(self) -> None:
        """What the days before this one have brought: a deadline that was in force when its own day ended."""
        kept = self.kept
        if kept.due is not None and not kept.passed and kept.due < self.day:
            self.fall_due(kept.due)
            self.begin(OVERDUE, kept.due)
            kept.passed = True

    def enforce(self) -> None:
        """Another deadline is in force from this day on, or the same at another unit."""
        kept = self.kept
        self.end(OVERDUE)
        kept.due, kept.passed = kept.deadline_day, False
        if kept.due is not None and kept.due < self.day:
            # Its own day was over before: it falls due here no more, but it is overdue.
            self.begin(OVERDUE, self.day)
            kept.passed = True

    def fall_due(self, due: int) -> None:
        fell = self.kept.fell
        self.add(Metric.FELL_DUE, due, since=fell[-1] if fell else None)
        fell.append(due)

    def done(self, day: int) -> None:
        """The work was done on a day: in time for every deadline of the stretch that is not before it."""
        before = None
        for due in self.kept.fell:
            if day <= due and due not in self.kept.met:
                self.add(Metric.CLOSED_ON_TIME, due, since=before)
                self.kept.met.append(due)
            before = due

    # -- claims and stretches

    def await_claim(self) -> None:
        """A claim is due, unless the day for it was over before."""
        kept = self.kept
        kept.waits = kept.claim_due is not None and kept.claim_due >= self.day
        if kept.waits and kept.claim_due is not None:
            self.add(Metric.CLAIMS_DUE, kept.claim_due)

    def claim(self) -> None:
        kept = self.kept
        if kept.waits and kept.claim_due is not None and self.day <= kept.claim_due:
            self.add(Metric.CLAIMED_ON_TIME, kept.claim_due)
        kept.waits = False
        self.begin(RECTIFYING, self.day)

    def move_claim(self, claim_due: int | None) -> None:
        """Another day to claim, where the present one is not over."""
        kept = self.kept
        before, kept.claim_due = kept.claim_due, claim_due
        if kept.waits and before is not None and before >= self.day and claim_due != before:
            self.add(Metric.CLAIMS_DUE, before, -1)
            self.await_claim()

    def begin_stretch(self, unit_id: str) -> None:
        """From this day on a unit is responsible, in a cycle that may be another."""
        self.kept.begin_stretch(unit_id)
        self.await_claim()
        self.enforce()

    def end_stretch(self) -> None:
        kept = self.kept
        if kept.waits and kept.claim_due is not None and self.day <= kept.claim_due:
            # Nobody claimed it, and the day for that was not over: there was nothing to fail.
            self.add(Metric.CLAIMS_DUE, kept.claim_due, -1)
        kept.waits = False
        self.end(OVERDUE)
        self.end(RECTIFYING)

    def begin(self, what: Lasting, day: int) -> None:
        if what.begun not in self.kept.lasting:
            self.add(what.begun, day)
            self.kept.lasting[what.begun] = day

    def end(self, what: Lasting) -> None:
        begun = self.kept.lasting.pop(what.begun, None)
        if begun is not None:
            self.add(what.ended, self.day, since=begun)


_PLACES = {metric: place for place, metric in enumerate(METRICS)}
