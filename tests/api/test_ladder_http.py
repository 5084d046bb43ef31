"""An item whose days pass: what the clock does about it, read over HTTP, and what people do in between.

The instants are those of docs/deadlines.md: nothing else is done, and nothing at any other time.
"""

import pytest

from tests.api.helpers import every_page, ok, read
from tests.api.office import VERIFIED, local, on

pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


async def next_of(office, item):
    """(rung, anchor, when) of what the ladder does next, by the deadline and by the work list."""
    told = await office.deadline(item)
    following = told["next_rung"]
    listed = [row for row in await every_page(office.county, "/v1/overdue", kind="item") if row["id"] == item["id"]]
    assert all(row["next_rung"] == following for row in listed)
    return (following["rung"], following["anchor"], local(following["at"])) if following else None


async def live(office, first, last, hours=("00:00", "09:00")):
    """Every day from the first to the last the clock looks at midnight and in the morning."""
    month, day = map(int, first.split("-"))
    while (now := f"{month:02}-{day:02}") <= last:
        for hour in hours:
            await office.turn(now, hour)
        day += 1
        if day > (30 if month == 4 else 31):
            month, day = month + 1, 1


async def test_a_life_from_reminders_to_the_circular(office):
    item = await office.claimed(due_on=on("03-13"))
    assert await next_of(office, item) == ("remind-7", "due", "03-04 09:00")
    await live(office, "03-03", "03-15")
    assert await office.rungs(item) == ["03-04 09:00 remind-7", "03-10 09:00 remind-3", "03-14 00:00 passed"]
    told = await office.look(item)
    assert (told["overdue"], told["days_overdue"], told["lamp"]) == (True, 2, "red")
    assert await next_of(office, item) == ("urge+1", "due", "03-16 09:00")

    await office.turn("03-16")
    (urging,) = await office.notices(item)
    assert (urging["kind"], urging["rungs"], urging["item_ids"]) == ("urging", ["urge+1"], [item["id"]])
    assert (urging["unit_id"], urging["copy_unit_ids"]) == (office.units["t1v1"], [])
    assert (urging["issued_by"], urging["issuer"]) == (None, "clock")
    assert (urging["receipt_due"], urging["reply_by"]) == (on("03-18"), on("03-23"))
    ok(await office.village.post(f"/v1/notices/{urging['id']}/receipt", json={"signed_by": "张伟"}))
    await live(office, "03-17", "03-18")
    (_, supervision) = await office.notices(item)
    assert (supervision["kind"], supervision["copy_unit_ids"]) == ("supervision", [office.units["t1"]])

    await live(office, "03-19", "03-26")
    assert await next_of(office, item) == ("escalate+10", "due", "03-27 09:00")
    await office.turn("03-27")
    assert (await office.rungs(item))[3:] == [
        "03-16 09:00 urge+1",
        "03-18 09:00 supervise+3",
        "03-27 09:00 escalate+10",
    ]
    now = await office.look(item)
    assert (now["state"], now["escalation_count"]) == ("escalated", 1)
    (escalated,) = await office.events(item, "item.escalated")
    assert (escalated["actor"]["principal_id"], escalated["actor"]["name"]) == (None, "clock")
    assert escalated["data"]["reason"] == "到期未办结，按规则 escalate+10 约谈"
    talk = await read(office.county, f"/v1/interviews/{now['interview_id']}")
    summons = (await office.notices(item))[-1]
    assert (talk["state"], talk["due_on"], talk["notice_id"]) == ("pending", on("04-03"), summons["id"])
    assert (summons["kind"], summons["rungs"]) == ("interview", ["escalate+10"])
    assert await next_of(office, item) == ("interview+1", "interview_due", "04-07 09:00")
    (row,) = await every_page(office.town, "/v1/overdue", kind="item")
    assert row["waiting_for"] == (await office.deadline(item))["waiting_for"] == "supervising"

    await live(office, "03-28", "04-07")
    assert (await office.rungs(item))[-1] == "04-07 09:00 interview+1"
    (reminded,) = [e for e in await office.events(item, "rung.fired") if e["data"]["rung"] == "interview+1"]
    assert reminded["data"]["interview_id"] == talk["id"] and reminded["data"]["notice_id"] is None
    assert reminded["data"]["notified_unit_ids"] == [office.units["t1"], office.units["root"]]
    place = {"at": "2026-04-08T01:30:00Z", "place": "县督查室"}
    scheduled = ok(await office.town.post(f"/v1/interviews/{talk['id']}/schedule", json=place))
    assert scheduled["state"] == "scheduled"
    office.at("04-08")
    ok(await office.record(talk["id"]))
    await office.fire(office.town, item, "resume", due_on=on("04-17"))
    assert await next_of(office, item) == ("remind-7", "due", "04-08 09:00")

    await live(office, "04-08", "04-20", ("00:00", "09:00", "10:00"))
    assert (await office.rungs(item))[7:] == [
        "04-08 10:00 remind-7", "04-14 09:00 remind-3", "04-18 00:00 passed", "04-20 09:00 urge+1 collapsed",
        "04-20 09:00 circulate+1",
    ]  # fmt: skip
    circular = (await office.notices(item))[-1]
    assert (circular["kind"], circular["copy_unit_ids"]) == ("circular", [office.units["root"]])
    await office.fire(office.town, item, "close", verification=VERIFIED)
    await live(office, "04-21", "05-09")
    assert len(await office.rungs(item)) == 12, "nothing more about what is closed"
    told = await office.deadline(item)
    assert (told["next_rung"], told["waiting_for"]) == (None, None)
    assert {each["status"] for each in told["rungs"]} == {"fired", "skipped"}


async def test_a_look_outside_office_hours_finds_only_what_has_passed(office):
    item = await office.claimed(due_on=on("03-13"))
    for day, hour in (("03-13", "23:59"), ("03-14", "00:00"), ("03-16", "08:59"), ("03-16", "18:00")):
        await office.turn(day, hour)
    (passed,) = await office.events(item, "deadline.passed")
    assert (local(passed["at"]), passed["data"]) == ("03-14 00:00", {"deadline": on("03-13"), "cycle": 1})
    assert passed["item_version"] == item["version"]
    assert await office.rungs(item) == ["03-14 00:00 passed"]
    await office.turn("03-17", "17:59")
    assert (await office.rungs(item))[1:] == [
        "03-17 17:59 remind-7 collapsed", "03-17 17:59 remind-3 collapsed", "03-17 17:59 urge+1",
    ]  # fmt: skip


async def test_nobody_signs_for_it(office):
    item = await office.item(due_on=on("05-15"))
    assert await next_of(office, item) == ("claim-urge+1", "claim_due", "03-05 09:00")
    await live(office, "03-03", "03-17")
    assert await office.rungs(item) == [
        "03-05 09:00 claim-urge+1", "03-10 09:00 claim-supervise+4", "03-17 09:00 claim-escalate+9"
    ]  # fmt: skip
    assert (await office.look(item))["state"] == "escalated"
    (escalated,) = await office.events(item, "item.escalated")
    assert escalated["data"]["reason"] == "逾期未认领，按规则 claim-escalate+9 约谈"


async def test_what_an_old_ledger_brings_along_is_skipped(office):
    item = await office.item(due_on="2026-01-16", listed_at="2025-12-01T02:00:00Z")
    await office.turn("03-02", "10:00")
    office.at("03-03", "14:00")
    item = await office.fire(office.village, item, "claim", signed_by="张伟")
    await live(office, "03-03", "03-20", ("14:00",))
    unclaimed = ["claim-urge+1", "claim-supervise+4", "claim-escalate+9"]
    late = ["remind-7", "remind-3", "urge+1", "supervise+3", "escalate+10"]
    expected = [f"03-02 10:00 {rung} before_creation" for rung in unclaimed]
    expected += [f"03-03 14:00 {rung} before_creation" for rung in late]
    assert await office.rungs(item) == ["03-02 10:00 passed", *expected]
    assert await office.notices(item) == []
    assert await next_of(office, item) is None


# -- waiting for a decision


async def test_what_waits_for_a_decision_is_held(office):
    item = await office.claimed(due_on=on("03-13"))
    await live(office, "03-03", "03-12")
    office.at("03-12", "15:00")
    request = await office.pending(item, "closure")
    told = await office.deadline(item)
    assert (told["held"], told["waiting_for"]) == (True, "supervising")
    assert {each["rung"] for each in told["rungs"] if each["status"] == "held"} == {
        "urge+1", "supervise+3", "escalate+10"
    }  # fmt: skip
    assert await next_of(office, item) == ("decide+1", "decision_due", "03-20 09:00")
    await live(office, "03-13", "03-23")
    expected = ["03-04 09:00 remind-7", "03-10 09:00 remind-3", "03-14 00:00 passed", "03-20 09:00 decide+1"]
    assert await office.rungs(item) == expected
    assert (await office.look(item))["overdue"] is True, "late it is all the same"
    (row,) = [row for row in await every_page(office.town, "/v1/overdue", kind="item") if row["id"] == item["id"]]
    assert row["waiting_for"] == "supervising"
    office.at("03-23", "16:00")
    ok(await office.give_back(request))
    told = await office.deadline(item)
    assert (told["held"], told["waiting_for"], told["rungs_from"]) == (False, "responsible", on("03-23"))
    await live(office, "03-24", "04-07")
    assert (await office.rungs(item))[4:] == [
        "03-24 09:00 urge+1", "03-26 09:00 supervise+3", "04-07 09:00 escalate+10"
    ]  # fmt: skip


async def test_what_was_held_is_skipped_once_it_is_granted(office):
    item = await office.claimed(due_on=on("03-13"))
    await live(office, "03-03", "03-12")
    office.at("03-12", "15:00")
    request = await office.pending(item, "closure")
    await live(office, "03-13", "03-17")
    office.at("03-18")
    ok(await office.approve(request))
    assert (await office.rungs(item))[3:] == ["03-18 10:00 urge+1 held", "03-18 10:00 supervise+3 held"]
    skipped = [each for each in (await office.deadline(item))["rungs"] if each["status"] == "skipped"]
    assert {(each["rung"], each["why"]) for each in skipped} == {("urge+1", "held"), ("supervise+3", "held")}


async def test_a_closure_asked_late_holds_nothing(office):
    item = await office.claimed(due_on=on("03-13"))
    await live(office, "03-03", "03-15")
    await office.pending(item, "closure")
    assert (await office.deadline(item))["held"] is False
    await office.turn("03-16")
    assert (await office.rungs(item))[-1] == "03-16 09:00 urge+1"


async def test_a_withdrawn_extension_holds_no_longer(office):
    """Only from the next working day: Friday's withdrawal is Monday's letter."""
    item = await office.claimed(due_on=on("03-13"))
    request = await office.pending(item, "extension", due_on=on("04-10"))
    await live(office, "03-03", "03-19")
    office.at("03-20")
    ok(await office.withdraw(request))
    await live(office, "03-20", "03-23", ("17:00", "17:30"))
    assert (await office.rungs(item))[-1] == "03-23 17:00 urge+1"


async def test_an_extension_that_is_missed_too_is_escalated_at_once(office):
    item = await office.claimed(due_on=on("03-13"))
    ok(await office.approve(await office.pending(item, "extension", due_on=on("03-20"))))
    assert (await office.deadline(item))["rungs"][0]["anchor_on"] == on("03-20")
    await live(office, "03-03", "03-23")
    assert await office.rungs(item) == [
        "03-11 09:00 remind-7", "03-17 09:00 remind-3", "03-21 00:00 passed", "03-23 09:00 urge+1 collapsed",
        "03-23 09:00 escalate-extended+1",
    ]  # fmt: skip
    assert (await office.look(item))["state"] == "escalated"
