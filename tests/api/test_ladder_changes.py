"""What is confirmed before it happens, and what changes under an item's feet: its policy, the calendar."""

import pytest

from tests.api.helpers import match, ok, read, refused
from tests.api.office import VERIFIED, instant, local, on

URGE = {"code": "urge+1", "anchor": "due", "offset": 1, "states": ["rectifying"], "action": "urge",
        "notify": ["responsible"], "confirm": True}  # fmt: skip
ESCALATE = URGE | {"code": "escalate+2", "offset": 2, "action": "escalate", "notify": ["responsible", "parent"]}


pytestmark = pytest.mark.usefixtures("nothing_contradicts_itself_in_the_end")


# -- rungs with `confirm`


async def drafted(office, count=1, *, rungs=(URGE, ESCALATE), day="03-17"):
    """Late items with what the ladder has drafted about them by then."""
    office.at("03-02")
    ledger = await office.ledger(ladder=list(rungs))
    items = [await office.claimed(ledger=ledger, due_on=on("03-13")) for _ in range(count)]
    await office.turn("03-16")
    await office.turn(day)
    return ledger, items


def issue(office, notice, by=None):
    return (by or office.town).post(f"/v1/notices/{notice['id']}/issue", json={})


def cancel(office, notice, by=None):
    return (by or office.town).post(f"/v1/notices/{notice['id']}/cancel", json={"reason": "情况已变化"})


async def test_a_draft_has_no_number_and_no_effect_until_it_is_issued(office):
    ledger, (item, other) = await drafted(office, 2)
    urging, summons = await office.notices(item)
    for draft, kind, rung in ((urging, "urging", "urge+1"), (summons, "interview", "escalate+2")):
        assert (draft["kind"], draft["state"], draft["rungs"]) == (kind, "draft", [rung])
        assert sorted(draft["item_ids"]) == sorted([item["id"], other["id"]]), "one letter for both"
        for name in ("number", "issued_at", "receipt_due", "receipt", "cancelled_at"):
            assert draft[name] is None
    assert (await office.look(item))["state"] == "rectifying"
    drafts = await office.events(item, "notice.drafted")
    assert [each["data"]["notice_id"] for each in drafts] == [urging["id"], summons["id"]]
    fired = await office.events(item, "rung.fired")
    assert [each["data"]["notice_id"] for each in fired] == [urging["id"], summons["id"]]
    answer = await office.village.post(f"/v1/notices/{urging['id']}/receipt", json={"signed_by": "张伟"})
    refused(answer, "guard_refused", guard="awaits_receipt")
    refused(await issue(office, urging, office.village), "forbidden")

    office.at("03-18")
    issued = ok(await issue(office, urging))
    me = await read(office.town, "/v1/me")
    assert (issued["number"], issued["state"]) == (f"{ledger}催〔2026〕1号", "issued")
    assert (issued["issued_by"], issued["issued_at"]) == (me["principal_id"], "2026-03-18T02:00:00Z")
    assert (issued["receipt_due"], issued["reply_by"]) == (on("03-20"), on("03-25"))
    refused(await issue(office, urging), "guard_refused", guard="notice_draft")

    ok(await issue(office, summons))
    for each in (item, other):
        now = await office.look(each)
        talk = await read(office.county, f"/v1/interviews/{now['interview_id']}")
        assert (now["state"], talk["state"], talk["notice_id"]) == ("escalated", "pending", summons["id"])
        assert talk["due_on"] == on("03-25"), "counted from the issue"
        (escalated,) = await office.events(each, "item.escalated")
        assert escalated["actor"]["principal_id"] == me["principal_id"]
        assert [e["data"]["notice_id"] for e in await office.events(each, "notice.issued")] == [
            urging["id"], summons["id"]
        ]  # fmt: skip
    await office.turn("03-19")
    assert len(await office.events(item, "rung.fired")) == 2, "each rung once"


async def test_a_draft_is_issued_about_those_that_still_need_it(office):
    _, (gone, done, left) = await drafted(office, 3, rungs=(ESCALATE,))
    (draft,) = await office.notices(left)
    await office.fire(office.town, gone, "transfer", responsible_unit="t1v2", reason="属地有误")
    await office.fire(office.town, done, "close", verification=VERIFIED)
    issued = ok(await issue(office, draft))
    assert issued["item_ids"] == [left["id"]]
    assert [(await office.look(each))["state"] for each in (gone, done, left)] == ["open", "closed", "escalated"]
    assert await office.notices(gone) == await office.notices(done) == [], "it says nothing about them"


async def test_a_draft_that_nothing_is_left_of_can_only_be_dropped(office):
    _, (item,) = await drafted(office, rungs=(ESCALATE,))
    (draft,) = await office.notices(item)
    await office.fire(office.town, item, "escalate", reason="等不及了")
    refused(await issue(office, draft), "guard_refused", guard="notice_moot")
    dropped = ok(await cancel(office, draft))
    assert (dropped["state"], dropped["number"], dropped["cancel_reason"]) == ("cancelled", None, "情况已变化")
    refused(await issue(office, draft), "guard_refused", guard="notice_draft")
    refused(await cancel(office, draft), "guard_refused", guard="notice_cancelled")


async def test_a_dropped_draft_does_not_come_back(office):
    _, (item,) = await drafted(office)
    urging, summons = await office.notices(item)
    for draft in (urging, summons):
        ok(await cancel(office, draft))
    for day in ("03-18", "03-19", "03-30"):
        await office.turn(day)
    assert {each["state"] for each in await office.notices(item)} == {"cancelled"}
    assert (await office.look(item))["state"] == "rectifying"
    told = [each["data"] for each in await office.events(item, "notice.cancelled")]
    assert len(told) == 2 and not any("number" in each for each in told)


async def test_a_draft_waits_in_the_work_list(office):
    _, (item,) = await drafted(office, rungs=(URGE,), day="03-16")
    (draft,) = await office.notices(item)

    async def waiting():
        rows = (await read(office.town, "/v1/overdue", kind="draft", limit=200))["items"]
        return [row for row in rows if row["id"] == draft["id"]]

    assert await waiting() == [], "on its own day it is in time"
    office.at("03-18")
    (row,) = await waiting()
    assert (row["due_on"], row["days_overdue"], row["waiting_for"]) == (on("03-16"), 2, "supervising")
    assert (row["notice"], row["item"], row["next_rung"]) == (draft, None, None)
    ok(await issue(office, draft))
    assert await waiting() == []


# -- another policy


async def change_policy(office, code, **policy):
    (ledger,) = [row for row in (await read(office.admin, "/v1/ledgers", limit=200))["items"] if row["code"] == code]
    answer = await office.admin.patch(f"/v1/ledgers/{ledger['id']}", json={"policy": policy}, headers=match(ledger))
    return ok(answer)


async def test_another_policy_moves_rungs_and_no_deadline(office):
    ledger = await office.ledger(limits={"general": 9})
    item = await office.claimed(ledger=ledger)
    assert item["deadline"]["due_on"] == on("03-13")
    ladder = [
        {**URGE, "code": "urge-2", "offset": -2, "confirm": False}, {**URGE, "code": "warn+1", "action": "warn",
                                                                  "confirm": False},
    ]  # fmt: skip
    await change_policy(office, ledger, limits={"general": 3}, ladder=ladder)
    told = await office.deadline(item)
    assert (told["due_on"], told["rule"]["limit"]) == (on("03-13"), 9)
    assert (told["next_rung"]["rung"], local(told["next_rung"]["at"])) == ("urge-2", "03-11 09:00")
    for day in ("03-03", "03-04", "03-10", "03-11", "03-13", "03-16"):
        await office.turn(day)
    assert await office.rungs(item) == ["03-11 09:00 urge-2", "03-16 09:00 passed", "03-16 09:00 warn+1"]
    assert not await office.events(item, "item.rescheduled")
    assert (await office.look(item))["version"] == item["version"]


async def test_what_was_done_under_another_policy_is_not_done_again(office):
    """The same code counts as the same rung, whatever day it lies on now; other codes are others."""
    ladder = [{**URGE, "code": "remind", "offset": -7, "action": "remind", "confirm": False}]
    ledger = await office.ledger(ladder=ladder)
    item = await office.claimed(ledger=ledger, due_on=on("03-16"))
    await office.turn("03-05")
    await change_policy(
        office, ledger, ladder=[{**ladder[0], "offset": -5}, {**ladder[0], "code": "again", "offset": -5}]
    )
    for day in ("03-06", "03-09", "03-10"):
        await office.turn(day)
    assert await office.rungs(item) == ["03-05 09:00 remind", "03-09 09:00 again"]


async def test_other_hours_count_from_then_on(office):
    ledger = await office.ledger()
    item = await office.claimed(ledger=ledger, due_on=on("03-13"))
    await change_policy(office, ledger, office_hours={"open": "13:30", "close": "15:00"})
    for day, hour in (("03-04", "09:00"), ("03-04", "13:29"), ("03-04", "13:30")):
        await office.turn(day, hour)
    assert await office.rungs(item) == ["03-04 13:30 remind-7"]


# -- another calendar


async def put(office, **table):
    body = {"workdays": [], "holidays": [], "complete": False, **table}
    return ok(await office.admin.put("/v1/calendars/2026", json=body))


async def test_another_calendar_moves_what_was_counted(empty_office):
    office = empty_office
    ledger = await office.ledger(limits={"general": 9})
    counted, named = await office.claimed(ledger=ledger), await office.claimed(ledger=ledger, due_on=on("03-13"))
    opened = await office.item(ledger=ledger)
    request = await office.pending(counted, "closure")
    await put(office, holidays=[on("03-04"), on("03-05")], workdays=[on("03-07")])
    told = await office.deadline(counted)
    assert (told["due_on"], told["leads_to"]) == (on("03-13"), on("03-16")), "it is read as it stands"
    await office.turn("03-02", "10:30")
    (moved,) = await office.events(counted, "item.rescheduled")
    assert moved["data"]["changes"]["due_on"] == {"before": on("03-13"), "after": on("03-16")}
    assert moved["item_version"] == counted["version"] + 1 == (await office.look(counted))["version"]
    assert moved["actor"] == {"principal_id": None, "name": "clock", "via": None}
    row = await read(office.town, f"/v1/requests/{request['id']}")
    assert (row["decide_due"], row["asked_on"]) == (on("03-10"), on("03-02"))
    assert await office.events(named, "item.rescheduled") == [], "a person set that day"
    (claim,) = await office.events(opened, "item.rescheduled")
    assert claim["data"]["changes"]["claim_due"] == {"before": on("03-04"), "after": on("03-06")}

    told = await office.deadline(counted)
    assert (told["due_on"], told["rule"]) == (
        on("03-16"), {"name": "severity_limit", "limit": 9, "unit": "working_days", "start_on": on("03-02")}
    )  # fmt: skip
    assert [(step["from"][5:], step["to"][5:], step["kind"], step["counted"]) for step in told["steps"]] == [
        ("03-02", "03-02", "start", 0), ("03-03", "03-03", "workday", 1), ("03-04", "03-05", "override_off", 1),
        ("03-06", "03-06", "workday", 2), ("03-07", "03-07", "override_on", 3), ("03-08", "03-08", "weekend", 3),
        ("03-09", "03-13", "workday", 8), ("03-14", "03-15", "weekend", 8), ("03-16", "03-16", "workday", 9),
    ]  # fmt: skip
    assert [(move["type"], move["before"], move["after"], move["days"]) for move in told["moves"]] == [
        ("item.created", None, on("03-13"), None), ("item.rescheduled", on("03-13"), on("03-16"), 3)
    ]  # fmt: skip


async def test_nobody_becomes_late_by_another_calendar(empty_office):
    """What has passed stays; what would have passed by now is due tomorrow."""
    office = empty_office
    short, shorter = await office.ledger(limits={"general": 9}), await office.ledger(limits={"general": 4})
    due, passed = await office.claimed(ledger=short), await office.claimed(ledger=shorter)
    office.at("03-12")
    await put(office, workdays=[on("03-07"), on("03-08")])
    await office.turn("03-12", "10:30")
    assert (await office.look(due))["deadline"]["due_on"] == on("03-13"), "by the table it would have been the 11th"
    assert (await office.look(passed))["deadline"]["due_on"] == on("03-06")
    assert not await office.events(passed, "item.rescheduled")


async def test_a_year_that_is_published_is_provisional_no_longer(empty_office):
    office = empty_office
    office.at("12-21")
    item = await office.claimed(severity="serious")
    assert item["deadline"]["provisional"] is True and item["deadline"]["due_on"].startswith("2027-01")
    before = (await office.deadline(item))["leads_to"]
    await office.admin.put("/v1/calendars/2027", json={"workdays": [], "holidays": ["2027-01-01"], "complete": True})
    await office.turn("12-21", "10:30")
    now = await office.look(item)
    assert now["deadline"] == {**item["deadline"], "provisional": False, "due_on": before}
    (moved,) = await office.events(item, "item.rescheduled")
    assert moved["data"]["changes"] == {"provisional": {"before": True, "after": False}}


async def test_a_person_who_comes_before_the_clock_plans_it_anew(empty_office):
    """The trigger finds the item by the new calendar, and writes both in one go."""
    office = empty_office
    ledger = await office.ledger(limits={"general": 9})
    item = await office.claimed(ledger=ledger)
    await put(office, holidays=[on("03-04")])
    extended = await office.fire(office.town, item, "extend", due_on=on("04-20"), reason="汛期")
    assert extended["version"] == item["version"] + 2
    types = [each["type"] for each in await office.events(item)]
    assert types[-2:] == ["item.rescheduled", "item.extended"]
    moves = (await office.deadline(item))["moves"]
    assert [(move["before"], move["after"]) for move in moves] == [
        (None, on("03-13")), (on("03-13"), on("03-16")), (on("03-16"), on("04-20"))
    ]  # fmt: skip
    await office.turn("03-02", "10:30")
    assert len(await office.events(item, "item.rescheduled")) == 1
    assert office.now == instant("03-02", "10:30")
