"""Two counties with clocks two hours apart: each has its own day, and its own office hours."""

from datetime import UTC, datetime

import pytest
import time_machine

from service.workers import clock
from tests import invariants
from tests.api.calls import Side, side
from tests.api.helpers import every_page, ok, read, refused
from tests.cli.test_verify import xiaohao

EAST, WEST = "Asia/Shanghai", "Asia/Urumqi"
DONE = ("rung.fired", "deadline.passed")


async def test_the_day_ends_later_in_the_west(world, settings):
    counties: dict[str, Side] = {}
    for zone in (EAST, WEST):
        counties[zone] = await side(world, await world.tenant(zone.split("/")[1].lower(), timezone=zone))

    with time_machine.travel(datetime(2026, 3, 2, 2, tzinfo=UTC), tick=False) as wall:
        body = {"ledger": "default", "title": "饮水管网漏损", "responsible_unit": "t1v1", "due_on": "2026-03-13"}
        items = {zone: ok(await each.admin.post("/v1/items", json=body), 201)["id"] for zone, each in counties.items()}

        async def turned(day: int, hour: int) -> dict[str, tuple[bool, list[str]]]:
            """Whether each item is overdue, and what the clock did about it, at an hour of March by UTC."""
            now = datetime(2026, 3, day, hour, tzinfo=UTC)
            wall.move_to(now)
            assert not (await clock.run_until_done(world.service, now)).failed
            found = {}
            for zone, each in counties.items():
                item = await read(each.admin, f"/v1/items/{items[zone]}")
                told = await every_page(each.admin, f"/v1/items/{items[zone]}/events")
                done = [row["data"].get("rung", "passed") for row in told if row["type"] in DONE]
                found[zone] = item["overdue"], done
            return found

        # Two working days to claim it are over on Wednesday; Thursday, nine o'clock, somebody is urged.
        assert await turned(5, 1) == {EAST: (False, ["claim-urge+1"]), WEST: (False, [])}
        assert await turned(5, 3) == {EAST: (False, ["claim-urge+1"]), WEST: (False, ["claim-urge+1"])}
        # One o'clock at night of the fourteenth, and eleven in the evening of the thirteenth.
        late, early = (await turned(13, 17)).values()
        assert (late[0], late[1][-1], early[0], "passed" in early[1]) == (True, "passed", False, False)
        assert [(overdue, told[-1]) for overdue, told in (await turned(13, 18)).values()] == [(True, "passed")] * 2

        # The same holds for what people enter: it is Saturday here and there, then Sunday in the east only.
        wall.move_to(datetime(2026, 3, 14, 17, tzinfo=UTC))
        body = {**body, "found_on": "2026-03-15", "due_on": "2026-03-20"}
        ok(await counties[EAST].admin.post("/v1/items", json=body), 201)
        answer = await counties[WEST].admin.post("/v1/items", json=body)
        refused(answer, "invalid_request", ("/found_on", "in_future"))
    assert await invariants.contradictions(settings) == []


async def test_the_command_makes_a_tenant_in_its_zone(world, settings):
    status, said = xiaohao({"settings": settings}, "tenant", "create", "kashi", "--timezone", WEST)
    assert status == 0, said
    with time_machine.travel(datetime(2026, 3, 14, 17, tzinfo=UTC), tick=False):
        body = {"ledger": "default", "title": "漏损", "responsible_unit": "root", "found_on": "2026-03-15"}
        answer = await world.with_key(said.strip()).post("/v1/items", json=body)
    refused(answer, "invalid_request", ("/found_on", "in_future"))


@pytest.mark.parametrize("zone", ["", "Asia/Nowhere", "../zoneinfo/UTC", "localtime", "+08:00"])
def test_what_is_no_zone_makes_no_tenant(settings, zone):
    status, said = xiaohao({"settings": settings}, "tenant", "create", "nowhere", "--timezone", zone)
    assert (status, "IANA" in said, "Traceback" in said) == (2, True, False)
