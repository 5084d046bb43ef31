"""Notices: what each covers, what it is called, by when it is to be signed for and answered, and that nothing is
missing between its number and the one before."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from tests.simulation.circumstances import Circumstances
from tests.simulation.record import Record, Row, local
from tests.simulation.timeline import Covered, Walk

UNNUMBERED = "reminder"
BATCH = 200
"""Items that one look takes at most."""


class Papers:
    """The notices of a run against the items that they cover."""

    def __init__(self, record: Record, circumstances: Circumstances, walks: list[Walk]) -> None:
        self._record = record
        self._circumstances = circumstances
        self._codes = {row["id"]: row["code"] for row in record["ledgers"]}
        self._covered: dict[str, list[Covered]] = defaultdict(list)
        self._rungs: dict[str, set[str]] = defaultdict(set)
        self._notified: dict[str, set[str]] = defaultdict(set)
        for walk in walks:
            for covered in walk.covered:
                self._covered[covered.notice_id].append(covered)
            for notice_id, code, notified in walk.rungs:
                self._rungs[notice_id].add(code)
                self._notified[notice_id].update(notified)

    def faults(self) -> Iterator[str]:
        known = {row["id"] for row in self._record["notices"]}
        for notice_id in self._covered.keys() - known:
            yield f"notice {notice_id} is not there"
        listed: dict[str, list[str]] = defaultdict(list)
        for row in self._record["notice_items"]:
            listed[row["notice_id"]].append(row["item_id"])
        for notice in self._record["notices"]:
            for sentence in (
                *self._about_items(notice, listed[notice["id"]]),
                *self._states(notice),
                *self._number(notice),
                *self._days(notice),
            ):
                yield f"notice {notice['number'] or notice['id']}: {sentence}"
        yield from self._gapless()
        yield from self._shared()
        yield from self._summons()

    def _about_items(self, notice: Row, listed: list[str]) -> Iterator[str]:
        """Its items, as its events and its rows name them; all of one ledger, unit and supervising unit."""
        covered = self._covered[notice["id"]]
        made = {each.item_id for each in covered if each.at == notice["created_at"]}
        sent = {each.item_id for each in covered if each.at == notice["issued_at"]}
        if not made or not sent <= made:
            yield f"was made for {sorted(made)} and issued for {sorted(sent)}"
        if sorted(notice["item_ids"]) != sorted(sent or made) or sorted(listed) != sorted(notice["item_ids"]):
            yield f"covers {sorted(notice['item_ids'])}, listed {sorted(listed)}, by the events {sorted(sent or made)}"
        for each in covered:
            place = [each.ledger_id, each.responsible, each.supervising]
            wanted = [notice["ledger_id"], notice["unit_id"], notice["supervising_unit_id"]]
            if each.at != notice["created_at"]:
                # Issued from a draft: the unit must still be the same.
                place, wanted = place[:2], wanted[:2]
            if each.kind != notice["kind"] or place != wanted:
                yield f"{notice['kind']} for {wanted}: {each.kind} to item {each.item_id}, when it was with {place}"
        codes = self._rungs.get(notice["id"], set())
        if set(notice["rungs"]) != codes:
            yield f"comes from {sorted(notice['rungs'])}, by the events from {sorted(codes)}"
        copies = self._notified[notice["id"]] - {notice["unit_id"]}
        if codes and set(notice["copy_unit_ids"]) != copies:
            yield f"goes in copy to {sorted(notice['copy_unit_ids'])}, should go to {sorted(copies)}"

    def _states(self, notice: Row) -> Iterator[str]:
        drafted = {each.at for each in self._covered[notice["id"]] if each.type == "notice.drafted"}
        issued = {each.at for each in self._covered[notice["id"]] if each.type == "notice.issued"}
        if (notice["issued_at"] is None) != (not issued) or len(issued) > 1 or len(drafted) > 1:
            yield f"issued at {notice['issued_at']}, by the events at {sorted(issued)}"
        if (notice["state"] == "draft") != (notice["issued_at"] is None and notice["cancelled_at"] is None):
            yield f"is {notice['state']}, issued at {notice['issued_at']}, cancelled at {notice['cancelled_at']}"
        if (notice["state"] == "cancelled") != (notice["cancelled_at"] is not None):
            yield f"is {notice['state']}, cancelled at {notice['cancelled_at']}"
        if notice["receipt_at"] is not None and (notice["issued_at"] is None or notice["kind"] == UNNUMBERED):
            yield "was signed for, though there is nothing to sign"

    def _number(self, notice: Row) -> Iterator[str]:
        if notice["issued_at"] is None or notice["kind"] == UNNUMBERED:
            if notice["number"] is not None or notice["seq"] is not None:
                yield "has a number and should have none"
            return
        setting = self._circumstances.setting(notice["ledger_id"], notice["issued_at"])
        year = local(notice["issued_at"]).year
        pattern = setting.policy["numbers"][notice["kind"]]
        number = pattern.format(ledger=self._codes[notice["ledger_id"]], year=year, seq=notice["seq"])
        if notice["year"] != year or notice["number"] != number:
            yield f"of {notice['year']}, should be {number} of {year}"

    def _days(self, notice: Row) -> Iterator[str]:
        if notice["issued_at"] is None:
            return
        setting = self._circumstances.setting(notice["ledger_id"], notice["issued_at"])
        sign: date | None = setting.add(setting.today, setting.policy["receipt_within"])
        if notice["kind"] == UNNUMBERED:
            sign = None
        if notice["receipt_due"] != sign:
            yield f"is to be signed for by {notice['receipt_due']}, should be by {sign}"
        reply = setting.add(setting.today, setting.policy["reply_within"])
        if notice["rungs"] and notice["reply_by"] != reply:
            yield f"is to be answered by {notice['reply_by']}, should be by {reply}"

    def _gapless(self) -> Iterator[str]:
        """1, 2, 3 ... for each ledger, kind and year of issue, rising with time; the counter stands behind the last."""
        series: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
        for notice in self._record["notices"]:
            if notice["seq"] is not None:
                series[notice["ledger_id"], notice["kind"], notice["year"]].append(notice)
        counters = {
            (row["ledger_id"], row["kind"], row["year"]): row["next"]
            for row in self._record["counters"]
            if row["kind"] != "item"
        }
        for key in series.keys() | counters.keys():
            notices = sorted(series[key], key=lambda notice: notice["seq"])
            numbers = [notice["seq"] for notice in notices]
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"numbers of {key} are {_odd(numbers)}"
            if counters.get(key) != len(numbers) + 1:
                yield f"the counter of {key} stands at {counters.get(key)}, behind {len(numbers)} numbers"
            times = [notice["issued_at"] for notice in notices if notice["issued_at"] is not None]
            if times != sorted(times):
                yield f"numbers of {key} do not rise with the time of issue"

    def _shared(self) -> Iterator[str]:
        """Rungs of the same ledger, unit and action at one look share one notice.

        Where there are more items than one look takes, a tick has several: no more notices than looks could be needed.
        """
        needed = -(-len(self._record["items"]) // BATCH)
        rounds: dict[datetime, int] = defaultdict(int)
        looks: dict[tuple[Any, ...], set[str]] = defaultdict(set)
        for notice_id, covered in self._covered.items():
            for each in covered:
                if each.round is not None and each.at in self._circumstances.undisturbed:
                    place = (each.ledger_id, each.responsible, each.supervising, each.kind, each.type)
                    looks[each.at, each.round, *place].add(notice_id)
                    rounds[each.at] = max(rounds[each.at], each.round + 1)
        for (at, *_), notices in looks.items():
            # Items that are taken again at the same instant stand between those that are taken first.
            allowed = 1 if needed == 1 else needed * rounds[at]
            if len(notices) > allowed:
                yield f"notices {sorted(notices)} of one look should be {'one' if allowed == 1 else allowed}"

    def _summons(self) -> Iterator[str]:
        """Each interview was opened together with the notice that summons to it."""
        notices = {row["id"]: row for row in self._record["notices"]}
        for interview in self._record["interviews"]:
            notice = notices.get(interview["notice_id"])
            if (
                notice is None
                or (notice["kind"], notice["issued_at"]) != ("interview", interview["opened_at"])
                or interview["item_id"] not in notice["item_ids"]
            ):
                yield f"interview {interview['id']} was not summoned to by {interview['notice_id']}"


def _odd(numbers: list[int]) -> dict[str, Any]:
    wanted = set(range(1, len(numbers) + 1))
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    return {"missing": sorted(wanted - set(numbers)), "twice": twice, "beyond": sorted(set(numbers) - wanted)}
