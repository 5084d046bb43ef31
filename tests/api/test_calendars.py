"""The tenant's own table of a year over HTTP: what is entered, refused, told, and counted by."""

import asyncio
import itertools
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from service.actions.service import new_id
from service.errors import Refused
from service.store import calendars, replans, tenants
from service.store.database import Changes
from service.workflow.calendar import BASE
from tests import invariants
from tests.api.calls import regrant
from tests.api.helpers import ok, read, refused

YEARS = itertools.count(2100)
"""A year for each test, so that none sees another's."""

SPRING = {
    "workdays": ["2027-01-30", "2027-02-14"],
    "holidays": [f"2027-02-{day:02}" for day in range(5, 14)],
    "complete": True,
}


@pytest.fixture
def year():
    return next(YEARS)


def url(year):
    return f"/v1/calendars/{year}"


def table(workdays=(), holidays=(), complete=False):
    return {"workdays": list(workdays), "holidays": list(holidays), "complete": complete}


async def put(client, year, body, **headers):
    return await client.put(url(year), json=body, headers=headers)


async def tenant_id(client):
    return UUID((await read(client, "/v1/me"))["tenant_id"])


async def calendar_of(world, client):
    """The calendar by which the service would count for this client's tenant now."""
    tenant = await tenant_id(client)

    async def action(tx):
        (epoch,) = await tx.one(tenants.EPOCH, tenant_id=tenant)
        return await calendars.of(tx, tenant, epoch)

    return await world.service.read(action)


async def waiting(world, tenant):
    """(ledger, cursor, stale only) of what the tenant's items still have to be planned by."""

    async def action(tx):
        return await tx.all(replans.NEXT, now=datetime.now(UTC), limit=1000)

    return [(row[2], row[3], row[5]) for row in await world.service.read(action) if row[0] == tenant]


# -- reading


async def test_a_year_without_a_table_is_empty_and_of_version_0(world, year):
    answer = await world.admin.get(url(year))
    assert ok(answer) == {"year": year, **table(), "known": False, "version": 0}
    assert answer.headers["etag"] == '"0"'
    assert (await read(world.admin, url(2026)))["known"]


@pytest.mark.parametrize("role", ["supervisor", "responsible", "platform", "viewer", "auditor"])
async def test_everyone_reads_it_and_only_an_admin_writes_it(world, year, role):
    entered = ok(await put(world.admin, year, table(holidays=[f"{year}-03-01"])))
    client = await world.person(role, "root")
    assert await read(client, url(year)) == entered
    refused(await put(client, year, table(), **{"If-Match": '"99"'}), "forbidden")
    assert await read(client, url(year)) == entered


async def test_who_has_no_grant_finds_none(world, year):
    client = await world.person("admin")
    await regrant(world, client)
    refused(await client.get(url(year)), "not_found")
    refused(await put(client, year, table(), **{"If-Match": '"99"'}), "not_found")


@pytest.mark.parametrize(
    ("given", "code"),
    [("1899", "out_of_range"), ("2200", "out_of_range"), ("27", "bad_format"), ("02027", "bad_format"),
     ("2027.0", "bad_format"), ("2_27", "bad_format"), ("+2027", "bad_format"), ("２０２７", "bad_format")],
)  # fmt: skip
async def test_a_year_is_four_digits_from_1900_to_2199(world, given, code):
    for answer in (await world.admin.get(url(given)), await put(world.admin, given, table())):
        refused(answer, "invalid_request", ("/path/year", code))
    for edge in ("1900", "2199"):
        assert (await read(world.admin, url(edge)))["year"] == int(edge)


# -- writing


async def test_a_table_is_entered_replaced_whole_and_read_back_in_order(world, year):
    first = table([f"{year}-03-02", f"{year}-01-05"], [f"{year}-12-31", f"{year}-01-01"])
    answer = await put(world.admin, year, first)
    assert ok(answer) == {
        "year": year,
        "workdays": [f"{year}-01-05", f"{year}-03-02"],
        "holidays": [f"{year}-01-01", f"{year}-12-31"],
        "complete": False,
        "known": False,
        "version": 1,
    }
    assert answer.headers["etag"] == '"1"'
    second = ok(await put(world.admin, year, table(holidays=[f"{year}-05-04"], complete=True)))
    assert second == {
        "year": year, **table(holidays=[f"{year}-05-04"], complete=True), "known": False, "version": 2,
    }  # fmt: skip
    answer = await world.admin.get(url(year), headers={"If-None-Match": '"1"'})
    assert ok(answer) == second
    answer = await world.admin.get(url(year), headers={"If-None-Match": answer.headers["etag"]})
    assert (answer.status_code, answer.content) == (304, b"")
    assert await read(world.admin, url(year + 1)) == {"year": year + 1, **table(), "known": False, "version": 0}


async def test_a_whole_year_may_be_off(world):
    days = [date.fromordinal(date(2196, 1, 1).toordinal() + n).isoformat() for n in range(366)]
    assert ok(await put(world.admin, 2196, table(holidays=days)))["holidays"] == days
    answer = await put(world.admin, 2196, table(holidays=[*days, "2197-01-01"]))
    refused(answer, "invalid_request", ("/holidays", "too_long"))
    named = refused(await put(world.admin, 2195, table(holidays=days)), "invalid_request")["errors"]
    assert [each["pointer"] for each in named] == [f"/holidays/{n}" for n in range(100)]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/workdays", "missing"), ("/holidays", "missing"), ("/complete", "missing")]),
        (
            table(["2026-12-31", "2027-01-02"], ["2028-01-01"]),
            [("/workdays/0", "other_year"), ("/holidays/0", "other_year")],
        ),
        (table(["2027-01-02", "2027-01-03", "2027-01-02"]), [("/workdays/2", "repeated")]),
        (
            table(["2027-01-02"], ["2027-01-01", "2027-01-02", "2027-01-01"]),
            [("/holidays/1", "repeated"), ("/holidays/2", "repeated")],
        ),
        (table(["2027-02-29"]), [("/workdays/0", "bad_format")]),
        (table(["2027-1-2"]), [("/workdays/0", "bad_format")]),
        (table([20270102]), [("/workdays/0", "wrong_type")]),
        (table(holidays=[None]), [("/holidays/0", "wrong_type")]),
        ({**table(), "complete": "yes"}, [("/complete", "wrong_type")]),
        ({**table(), "year": 2027}, [("/year", "unknown_field")]),
    ],
)
async def test_what_is_wrong_with_a_table_is_pointed_at(world, body, errors):
    refused(await put(world.admin, 2027, body), "invalid_request", *errors)
    assert (await read(world.admin, url(2027)))["version"] == 0


async def test_a_refusal_says_it_in_both_languages(world):
    body = table(["2028-01-01"])
    for tongue, words in (("zh-CN", "不在该年份之内"), ("en", "does not lie in that year")):
        answer = await put(world.admin, 2027, body, **{"Accept-Language": tongue})
        assert words in refused(answer, "invalid_request")["errors"][0]["detail"]


async def test_if_match_is_taken_where_it_is_sent(world, year):
    body = table(holidays=[f"{year}-03-01"])
    refused(await put(world.admin, year, body, **{"If-Match": '"1"'}), "stale_version")
    ok(await put(world.admin, year, body, **{"If-Match": '"0"'}))
    # Also where nothing would change: what the caller read is not there any more.
    for stale in ('"0"', '"2"', '"nonsense"', "1"):
        refused(await put(world.admin, year, body, **{"If-Match": stale}), "stale_version")
    ok(await put(world.admin, year, table(), **{"If-Match": '"1"'}))
    assert ok(await put(world.admin, year, body, **{"If-Match": "*"}))["version"] == 3


async def test_of_simultaneous_changes_of_one_version_one_is_made(world, year):
    bodies = [table(holidays=[f"{year}-03-{day:02}"]) for day in range(1, 7)]
    answers = await asyncio.gather(*(put(world.admin, year, body, **{"If-Match": '"0"'}) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]


async def test_simultaneous_changes_of_many_years_all_count(world):
    admin = await world.tenant("calendars-at-once")
    before = await calendar_of(world, admin)
    years = range(2150, 2158)
    answers = await asyncio.gather(*(put(admin, each, table(holidays=[f"{each}-03-01"])) for each in years))
    assert [ok(answer)["version"] for answer in answers] == [1] * len(years)
    after = await calendar_of(world, admin)
    assert (before.epoch, after.epoch) == (0, len(years))
    assert [after.is_workday(date(each, 3, 1)) for each in years] == [False] * len(years)


async def test_other_methods_are_refused_and_named(world, year):
    answer = await world.admin.delete(url(year))
    refused(answer, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, PUT"


# -- what comes of it


async def test_a_change_raises_the_epoch_writes_its_event_and_asks_for_new_plans(world, settings):
    admin = await world.tenant("calendars-told")
    tenant = await tenant_id(admin)
    (root,) = (await read(admin, "/v1/units"))["items"]
    assert await calendar_of(world, admin) is BASE
    body = table(["2027-01-30"], ["2027-02-13", "2027-02-12"], complete=True)
    for _ in range(3):
        # The same again changes nothing: no version, no event, nothing to plan.
        assert ok(await put(admin, 2027, body))["version"] == 1
    calendar = await calendar_of(world, admin)
    assert (calendar.epoch, calendar.is_workday(date(2027, 1, 30)), calendar.is_provisional(date(2027, 6, 1))) == (
        1, True, False,
    )  # fmt: skip
    assert await calendar_of(world, admin) is calendar

    found = await invariants.everything(settings)
    (event,) = [
        invariants.told(row) for row in found["tenant_events"]
        if row["type"] == "calendar.updated" and row["tenant_id"] == tenant
    ]  # fmt: skip
    assert event["data"] == {
        "year": 2027, "workdays": ["2027-01-30"], "holidays": ["2027-02-12", "2027-02-13"], "complete": True,
    }  # fmt: skip
    assert event["audience"] == [root["id"]]
    assert [event[name] for name in ("item_id", "unit_id", "ledger_id", "item_version")] == [None] * 4
    assert await waiting(world, tenant) == [(None, None, False)]


async def test_an_empty_table_where_there_is_none_changes_nothing(world):
    admin = await world.tenant("calendars-empty")
    assert ok(await put(admin, 2027, table()))["version"] == 0
    assert await calendar_of(world, admin) is BASE


async def test_each_tenant_has_its_own(world):
    one, other = await world.tenant("calendars-one"), await world.tenant("calendars-other")
    ok(await put(one, 2027, SPRING))
    assert (await read(other, url(2027)))["version"] == 0
    ok(await put(other, 2027, table(holidays=["2027-03-01"])))
    assert (await read(one, url(2027)))["holidays"] == SPRING["holidays"]
    assert (await calendar_of(world, one)).is_workday(date(2027, 3, 1))
    assert not (await calendar_of(world, other)).is_workday(date(2027, 3, 1))


async def test_every_epoch_counts_by_its_own_tables(world):
    admin = await world.tenant("calendars-epochs")
    kept = []
    for day in range(1, 6):
        ok(await put(admin, 2027, table(holidays=[f"2027-03-{day:02}"])))
        kept.append(await calendar_of(world, admin))
    assert [calendar.epoch for calendar in kept] == [1, 2, 3, 4, 5]
    for day, calendar in enumerate(kept, 1):
        off = [each for each in range(1, 6) if not calendar.is_workday(date(2027, 3, each))]
        assert off == [day]


async def test_tables_that_change_behind_a_reader_are_kept_under_their_own_epoch(world):
    """Between reading the epoch and the tables somebody enters another: the first epoch gets none of that."""
    admin = await world.tenant("calendars-raced")
    tenant = await tenant_id(admin)
    ok(await put(admin, 2027, table(holidays=["2027-03-01"])))

    async def action(tx):
        return await calendars.of(tx, tenant, 1)

    ok(await put(admin, 2027, table(holidays=["2027-03-02"])))
    found = await world.service.read(action)
    assert (found.epoch, found.is_workday(date(2027, 3, 1)), found.is_workday(date(2027, 3, 2))) == (2, True, False)
    assert await calendar_of(world, admin) is found
    assert (tenant, 1) not in calendars._CALENDARS


async def test_only_so_many_calendars_are_kept(world, monkeypatch):
    monkeypatch.setattr(calendars, "_CALENDARS_KEPT", 3)
    admin = await world.tenant("calendars-kept")
    for day in range(1, 8):
        ok(await put(admin, 2027, table(holidays=[f"2027-03-{day:02}"])))
        assert (await calendar_of(world, admin)).epoch == day
    assert len(calendars._CALENDARS) == 3


async def test_what_stands_behind_an_epoch_that_is_gone_is_not_stored(world):
    admin = await world.tenant("calendars-lost")
    tenant = await tenant_id(admin)

    async def action(tx):
        changes = Changes()
        changes.guard(tenants.RAISE_EPOCH, tenant_id=tenant, read_epoch=7)
        changes.add(replans.INSERT, **replans.first(tenant, new_id(), None, datetime.now(UTC)))
        await tx.apply(changes)

    with pytest.raises(Refused, match="unavailable"):
        await world.service.database.write(action)
    assert await calendar_of(world, admin) is BASE
    assert await waiting(world, tenant) == []
