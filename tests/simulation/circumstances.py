"""Under which policy, which calendar and which ticks things happened, as the log of a run tells it."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from tests.simulation.record import Log, PolicyChange, Row, at, local
from tests.simulation.workdays import Workdays, states_of


@dataclass(frozen=True, slots=True)
class Setting:
    """What is in force at an instant. `epoch` counts the calendar's changes."""

    now: datetime
    policy: Row
    workdays: Workdays
    epoch: int

    @property
    def today(self) -> date:
        return local(self.now)

    @property
    def hours(self) -> tuple[time, time]:
        hours = self.policy["office_hours"]
        return time.fromisoformat(hours["open"]), time.fromisoformat(hours["close"])

    def add(self, day: date, n: int) -> date:
        return self.workdays.add(day, n)

    def opening(self, day: date) -> datetime:
        """When offices open on `day`, or on the first working day after it."""
        return at(self.workdays.working(day), self.hours[0])

    @property
    def in_office_hours(self) -> bool:
        opens, closes = self.hours
        today = self.today
        return self.workdays.works_on(today) and at(today, opens) <= self.now < at(today, closes)


class Circumstances:
    """Answers for any instant of a run."""

    def __init__(self, log: Log) -> None:
        self.ticks = [tick.at for tick in log.ticks]
        self.looked = set(self.ticks)
        self.undisturbed = {tick.at for tick in log.ticks if tick.workers == 1 and not tick.raced}
        """When one worker looked and nobody else did anything."""
        self._calendars = [change.at for change in log.calendars]
        self._states = states_of(change.table for change in log.calendars)
        self._policies: dict[str, list[PolicyChange]] = defaultdict(list)
        for change in log.policies:
            self._policies[change.ledger_id].append(change)
        self._changed = {
            ledger_id: sorted({change.at for change in changes} | set(self._calendars))
            for ledger_id, changes in self._policies.items()
        }
        self._office: dict[Any, list[datetime]] = {}

    def setting(self, ledger_id: str, now: datetime) -> Setting:
        changes = self._policies[ledger_id]
        known = bisect_right(changes, now, key=lambda change: change.at)
        if known == 0:
            raise LookupError(f"ledger {ledger_id} had no policy at {now}")
        epoch = bisect_right(self._calendars, now)
        return Setting(now, changes[known - 1].policy, self._states[epoch], epoch)

    def next_tick(self, after: datetime, not_before: datetime, setting: Setting | None = None) -> datetime | None:
        """The first tick later than `after` and not before the other; in office hours where `setting` is given."""
        ticks = self.ticks if setting is None else self._in_office(setting)
        place = max(bisect_right(ticks, after), bisect_left(ticks, not_before))
        return ticks[place] if place < len(ticks) else None

    def next_change(self, ledger_id: str, after: datetime) -> datetime | None:
        """When the ledger's policy or the calendar changes next."""
        changed = self._changed[ledger_id]
        place = bisect_right(changed, after)
        return changed[place] if place < len(changed) else None

    def _in_office(self, setting: Setting) -> list[datetime]:
        key = (*setting.hours, setting.epoch)
        known = self._office.get(key)
        if known is None:
            opens, closes = setting.hours
            worked: dict[date, bool] = {}
            known = []
            for tick in self.ticks:
                day = local(tick)
                works = worked.get(day)
                if works is None:
                    works = worked[day] = setting.workdays.works_on(day)
                if works and at(day, opens) <= tick < at(day, closes):
                    known.append(tick)
            self._office[key] = known
        return known
