"""Office hours against days and times written down by hand, in Shanghai and in zones that are not like it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.workflow.calendar import BASE, Calendar, YearTable
from service.workflow.hours import OfficeHours
from service.workflow.policy import default_policy
from tests.workflow.builders import examples

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
OFFICE = OfficeHours(time(9), time(18))
EARLY = OfficeHours(time(8, 30), time(17, 30))
TICK = timedelta(microseconds=1)


def local(text: str, tz: ZoneInfo = SHANGHAI) -> datetime:
    """An instant by the clock on the wall, such as `2026-03-11 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=tz)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_default_hours_are_nine_to_six() -> None:
    assert default_policy().hours == OFFICE


@pytest.mark.parametrize(
    ("clock", "works"),
    [
        ("00:00", False),
        ("08:59:59.999999", False),
        ("09:00", True),
        ("12:30", True),
        ("17:59:59.999999", True),
        # The hour of closing is no office hour any more.
        ("18:00", False),
        ("23:59:59.999999", False),
    ],
)
def test_offices_work_from_opening_until_before_closing(clock: str, works: bool) -> None:
    wednesday = local(f"2026-03-11 {clock}")
    assert OFFICE.hold(BASE, SHANGHAI, wednesday) is works
    # The same instant, however it is written.
    assert OFFICE.hold(BASE, SHANGHAI, wednesday.astimezone(UTC)) is works
    assert OFFICE.hold(BASE, SHANGHAI, wednesday.astimezone(BERLIN)) is works


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-03-13", True),  # Friday
        ("2026-03-14", False),  # Saturday
        ("2026-03-15", False),  # Sunday
        ("2026-02-14", True),  # Saturday, made up for Spring Festival
        ("2026-02-16", False),  # Spring Festival's Monday
        ("2026-02-23", False),  # its last day, a Monday
        ("2026-02-24", True),
        ("2026-09-20", True),  # Sunday, made up for National Day
        ("2026-09-25", False),  # Mid-Autumn, a Friday
        ("2026-10-07", False),
        ("2026-10-08", True),
        ("2026-10-10", True),  # Saturday, made up
        ("2026-10-11", False),
    ],
)
def test_offices_work_on_working_days_of_the_calendar(day: str, works: bool) -> None:
    assert OFFICE.hold(BASE, SHANGHAI, local(f"{day} 10:00")) is works
    assert not OFFICE.hold(BASE, SHANGHAI, local(f"{day} 18:00"))


NEXT_OPENINGS = [
    # While offices work, now itself.
    ("2026-03-11 09:00", "2026-03-11 09:00"),
    ("2026-03-11 17:59", "2026-03-11 17:59"),
    # Before opening, the same day; from closing on, the next.
    ("2026-03-11 00:00", "2026-03-11 09:00"),
    ("2026-03-11 08:59:59.999999", "2026-03-11 09:00"),
    ("2026-03-11 18:00", "2026-03-12 09:00"),
    ("2026-03-11 23:59", "2026-03-12 09:00"),
    # Over a weekend.
    ("2026-03-13 18:00", "2026-03-16 09:00"),
    ("2026-03-14 10:00", "2026-03-16 09:00"),
    ("2026-03-15 23:59", "2026-03-16 09:00"),
    # Into a make-up Saturday, and out of it over Spring Festival's nine days.
    ("2026-02-13 18:00", "2026-02-14 09:00"),
    ("2026-02-14 18:00", "2026-02-24 09:00"),
    ("2026-02-19 10:00", "2026-02-24 09:00"),
    # Over National Day, at both ends and within; then the Saturday that pays for it.
    ("2026-09-30 17:59", "2026-09-30 17:59"),
    ("2026-09-30 18:00", "2026-10-08 09:00"),
    ("2026-10-01 00:00", "2026-10-08 09:00"),
    ("2026-10-03 12:00", "2026-10-08 09:00"),
    ("2026-10-08 08:00", "2026-10-08 09:00"),
    ("2026-10-09 19:00", "2026-10-10 09:00"),
    ("2026-10-10 18:00", "2026-10-12 09:00"),
    # Over New Year into another year: 1 to 3 January are off, Sunday the 4th is worked.
    ("2025-12-31 18:00", "2026-01-04 09:00"),
]


@pytest.mark.parametrize(("now", "opens"), NEXT_OPENINGS)
def test_the_next_opening(now: str, opens: str) -> None:
    assert OFFICE.next_opening(BASE, SHANGHAI, local(now)) == local(opens)


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2026, 3, 11), "2026-03-11 09:00"),
        (date(2026, 3, 14), "2026-03-16 09:00"),
        (date(2026, 2, 14), "2026-02-14 09:00"),
        (date(2026, 2, 15), "2026-02-24 09:00"),
        (date(2026, 9, 20), "2026-09-20 09:00"),
        (date(2026, 10, 1), "2026-10-08 09:00"),
        (date(2026, 10, 11), "2026-10-12 09:00"),
    ],
)
def test_the_opening_of_a_day_off_is_that_of_the_next_working_day(day: date, opens: str) -> None:
    opening = OFFICE.opening(BASE, SHANGHAI, day)
    assert opening == local(opens)
    assert opening.tzinfo is UTC
    assert EARLY.opening(BASE, SHANGHAI, day) == local(opens) - timedelta(minutes=30)


def test_around_utc_midnight_it_is_the_tenants_morning() -> None:
    # 16:00 UTC is midnight in Shanghai, 00:00 UTC is eight in the morning, 01:00 UTC is nine.
    for now in ("2026-03-10 15:59", "2026-03-10 16:00", "2026-03-10 23:59", "2026-03-11 00:00", "2026-03-11 00:59"):
        assert not OFFICE.hold(BASE, SHANGHAI, utc(now))
        assert OFFICE.next_opening(BASE, SHANGHAI, utc(now)) == utc("2026-03-11 01:00")
    assert OFFICE.hold(BASE, SHANGHAI, utc("2026-03-11 01:00"))
    assert OFFICE.hold(BASE, SHANGHAI, utc("2026-03-11 09:59"))
    assert not OFFICE.hold(BASE, SHANGHAI, utc("2026-03-11 10:00"))
    # Half past eight in Shanghai is the day's own half past midnight in UTC.
    assert EARLY.hold(BASE, SHANGHAI, utc("2026-03-11 00:30"))
    # Sunday 15 March 16:00 UTC is Monday already.
    assert OFFICE.next_opening(BASE, SHANGHAI, utc("2026-03-15 16:00")) == utc("2026-03-16 01:00")


@pytest.mark.parametrize(
    ("zone", "day", "opens"),
    [
        ("Asia/Urumqi", date(2026, 3, 11), "2026-03-11 03:00"),
        ("Asia/Kolkata", date(2026, 3, 11), "2026-03-11 03:30"),
        ("UTC", date(2026, 3, 11), "2026-03-11 09:00"),
        # Ahead of UTC by so much that the day's opening lies on the day before.
        ("Pacific/Auckland", date(2026, 3, 11), "2026-03-10 20:00"),
        ("America/New_York", date(2026, 3, 6), "2026-03-06 14:00"),
        # New York's clocks went forward on Sunday 8 March.
        ("America/New_York", date(2026, 3, 9), "2026-03-09 13:00"),
        # Berlin's on Sunday 29 March, and back on Sunday 25 October.
        ("Europe/Berlin", date(2026, 3, 27), "2026-03-27 08:00"),
        ("Europe/Berlin", date(2026, 3, 28), "2026-03-30 07:00"),
        ("Europe/Berlin", date(2026, 10, 23), "2026-10-23 07:00"),
        ("Europe/Berlin", date(2026, 10, 24), "2026-10-26 08:00"),
    ],
)
def test_other_zones_open_by_their_own_clocks(zone: str, day: date, opens: str) -> None:
    assert OFFICE.opening(BASE, ZoneInfo(zone), day) == utc(opens)


def test_hours_keep_their_place_on_the_wall_when_the_clocks_change() -> None:
    # Friday 27 March closes at 18:00 CET; Monday 30 March opens at 9:00 CEST.
    assert OFFICE.hold(BASE, BERLIN, utc("2026-03-27 16:59"))
    assert not OFFICE.hold(BASE, BERLIN, utc("2026-03-27 17:00"))
    assert OFFICE.next_opening(BASE, BERLIN, utc("2026-03-27 17:00")) == utc("2026-03-30 07:00")
    assert OFFICE.hold(BASE, BERLIN, utc("2026-03-30 15:59"))
    assert not OFFICE.hold(BASE, BERLIN, utc("2026-03-30 16:00"))
    # And Friday 23 October still by summer time, Monday the 26th not.
    assert OFFICE.next_opening(BASE, BERLIN, utc("2026-10-23 16:00")) == utc("2026-10-26 08:00")


def test_a_tenants_own_table_opens_and_shuts_its_offices() -> None:
    table = YearTable(frozenset({date(2026, 3, 14)}), frozenset({date(2026, 3, 11)}), complete=False)
    calendar = Calendar({2026: table})
    assert not OFFICE.hold(calendar, SHANGHAI, local("2026-03-11 10:00"))
    assert OFFICE.hold(calendar, SHANGHAI, local("2026-03-14 10:00"))
    assert OFFICE.next_opening(calendar, SHANGHAI, local("2026-03-10 18:00")) == local("2026-03-12 09:00")
    assert OFFICE.next_opening(calendar, SHANGHAI, local("2026-03-13 18:00")) == local("2026-03-14 09:00")


ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
NOWS = st.timedeltas(timedelta(0), timedelta(days=364)).map(NEW_YEAR.__add__)


@given(st.sampled_from([OFFICE, EARLY, OfficeHours(time(0), time(23, 59))]), ZONES, NOWS, st.floats(0, 1))
@examples(200)
def test_until_the_next_opening_offices_are_shut(hours: OfficeHours, zone: str, now: datetime, part: float) -> None:
    tz = ZoneInfo(zone)
    opening = hours.next_opening(BASE, tz, now)
    assert opening >= now
    assert hours.hold(BASE, tz, opening)
    assert (opening == now) is hours.hold(BASE, tz, now)
    if opening > now:
        assert not hours.hold(BASE, tz, opening - TICK)
        assert not hours.hold(BASE, tz, now + (opening - TICK - now) * part)
