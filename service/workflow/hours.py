"""Office hours: when the service may turn to people."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from service.workflow.calendar import Calendar


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """From `open` to `close` (not itself) on working days, by the tenant's clock."""

    open: time
    close: time

    def hold(self, calendar: Calendar, tz: ZoneInfo, now: datetime) -> bool:
        """Whether offices work at `now`."""
        local = now.astimezone(tz)
        return self.open <= local.time() < self.close and calendar.is_workday(local.date())

    def opening(self, calendar: Calendar, tz: ZoneInfo, day: date) -> datetime:
        """The instant, in UTC, at which offices open on `day`, or on the next working day where it is none."""
        worked = day if calendar.is_workday(day) else calendar.add(day, 1)
        return datetime.combine(worked, self.open, tzinfo=tz).astimezone(UTC)

    def next_opening(self, calendar: Calendar, tz: ZoneInfo, now: datetime) -> datetime:
        """`now` itself while offices work, else the next opening."""
        if self.hold(calendar, tz, now):
            return now
        today = now.astimezone(tz).date()
        opening = self.opening(calendar, tz, today)
        return opening if opening > now else self.opening(calendar, tz, calendar.add(today, 1))
